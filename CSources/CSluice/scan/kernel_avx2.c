// The kernel for x86-64 processors with AVX2.

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx2,pclmul,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)

#include "internal.h"
#include "isa_avx2.h"

#define SLUICE_VECTOR_KERNEL sluice_kernel_avx2
#include "kernel_vector.inc"

#pragma clang attribute pop

#endif
