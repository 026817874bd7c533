// UTF-8 validity, one sequence at a time: the definition that the vector kernels are held to.

#include "scan/internal.h"
#include "scan/utf8_sequence.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u

size_t sluice_scalar_utf8_find_invalid(const uint8_t *bytes, size_t length) {
    size_t offset = 0;
    while (offset < length) {
        uint64_t word;
        if (length - offset >= sizeof word) {
            memcpy(&word, bytes + offset, sizeof word);
            if ((word & HIGH_BITS) == 0) {
                offset += sizeof word;
                continue;
            }
        }
        const size_t step = utf8_sequence_length(bytes + offset, length - offset);
        if (step == 0) return offset;
        offset += step;
    }
    return length;
}
