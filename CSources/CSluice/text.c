// Lines of text, one at a time: the definition that the vector kernels are held to.

#include "scan/internal.h"

#include <string.h>

sluice_status sluice_scalar_text_cut(
    sluice_text_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records) {
    while (scanner->records < max_records && scanner->position < length) {
        const uint8_t *end = memchr(bytes + scanner->position, '\n', length - scanner->position);
        scanner->position = end == NULL ? (uint32_t)length : (uint32_t)(end - bytes) + 1;
        if (end == NULL) break;
        scanner->records++;
        scanner->record_end = scanner->position;
    }
    if (scanner->records >= max_records) return SLUICE_OK;
    if (!final) return SLUICE_NEED_INPUT;
    if (scanner->record_end < length) {
        scanner->records++;
        scanner->record_end = (uint32_t)length;
    }
    return SLUICE_OK;
}

uint32_t sluice_scalar_text_index(const uint8_t *bytes, uint32_t start, uint32_t end, uint32_t *starts, uint32_t *ends) {
    uint32_t count = 0;
    for (; start < end; count++) {
        const uint8_t *line_end = memchr(bytes + start, '\n', end - start);
        const uint32_t behind = line_end == NULL ? end : (uint32_t)(line_end - bytes);
        const bool returned = line_end != NULL && behind > start && bytes[behind - 1] == '\r';
        starts[count] = start;
        ends[count] = behind - returned;
        start = behind + 1;
    }
    return count;
}
