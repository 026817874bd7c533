#include "include/lines.h"

size_t bench_count_lines(const uint8_t *bytes, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += bytes[i] == '\n';
    return count;
}
