// The kernel for x86-64 processors with AVX-512, of the generation of Ice Lake and Zen 4.

#if defined(__x86_64__)

#define SLUICE_TARGET "avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,pclmul,bmi,bmi2,lzcnt,popcnt"
#pragma clang attribute push(__attribute__((target(SLUICE_TARGET))), apply_to = function)

#include "internal.h"
#include "isa_avx512.h"

#define SLUICE_VECTOR_KERNEL sluice_kernel_avx512
#include "kernel_vector.inc"

#pragma clang attribute pop

#endif
