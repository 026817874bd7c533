#include "include/lines.h"

#include <zlib.h>

// In lanes that a compiler makes vectors of; each counts to 255 before they are added up.
size_t bench_count_lines(const uint8_t *bytes, size_t length) {
    enum { LANES = 64 };
    size_t count = 0, i = 0;
    while (length - i >= LANES) {
        uint8_t lanes[LANES] = {0};
        for (size_t step = 0; step < 255 && length - i >= LANES; step++, i += LANES) {
            for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += bytes[i + lane] == '\n';
        }
        for (size_t lane = 0; lane < LANES; lane++) count += lanes[lane];
    }
    for (; i < length; i++) count += bytes[i] == '\n';
    return count;
}

int64_t bench_count_lines_gz(const char *path) {
    static uint8_t buffer[256 << 10];
    gzFile file = gzopen(path, "rb");
    if (!file) return -1;
    gzbuffer(file, sizeof buffer);
    int64_t lines = 0;
    int count;
    while ((count = gzread(file, buffer, sizeof buffer)) > 0) lines += (int64_t)bench_count_lines(buffer, (size_t)count);
    return gzclose(file) == Z_OK && count == 0 ? lines : -1;
}
