#define _GNU_SOURCE

#include "csystem.h"

#include <fcntl.h>

bool system_reserve(int descriptor, int64_t offset, int64_t count) {
#if defined(__linux__)
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, offset, count) == 0;
#else
    (void)descriptor, (void)offset, (void)count;
    return false;
#endif
}
