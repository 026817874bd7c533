#include "include/sluice_kernel.h"

#include <string.h>

#include "scan/internal.h"

#if defined(__x86_64__)
static bool runs_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("popcnt");
}

static bool runs_avx512(void) {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
}
#endif

const sluice_kernel *sluice_kernel_named(const char *name) {
    const bool any = strcmp(name, "auto") == 0;
#if defined(__x86_64__)
    if ((any || strcmp(name, "avx512") == 0) && runs_avx512()) return &sluice_kernel_avx512;
    if ((any || strcmp(name, "avx2") == 0) && runs_avx2()) return &sluice_kernel_avx2;
#elif defined(__aarch64__)
    if (any || strcmp(name, "neon") == 0) return &sluice_kernel_neon;
#endif
    return any || strcmp(name, "scalar") == 0 ? &sluice_kernel_scalar : NULL;
}
