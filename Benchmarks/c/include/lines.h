#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include <stddef.h>
#include <stdint.h>

// How many LF there are: what a simple `wc -l` does, without reading.
size_t bench_count_lines(const uint8_t *bytes, size_t length);

// The same of a gzip file, inflated by zlib; -1 where that fails. One thread at a time.
int64_t bench_count_lines_gz(const char *path);

#endif
