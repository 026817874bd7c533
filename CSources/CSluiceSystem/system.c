#define _GNU_SOURCE

#include "sluice_system.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

bool system_reserve(int descriptor, int64_t offset, int64_t count) {
#if defined(__linux__)
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, offset, count) == 0;
#else
    (void)descriptor, (void)offset, (void)count;
    return false;
#endif
}

int system_allowed_cores(void) {
#if defined(__linux__)
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 0;
#else
    return 0;
#endif
}

void system_name_thread(const char *name) {
#if defined(__linux__)
    pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
    pthread_setname_np(name);
#else
    (void)name;
#endif
}
