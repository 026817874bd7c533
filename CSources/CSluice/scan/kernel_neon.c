// The kernel for arm64 processors.

#if defined(__aarch64__)

#include "internal.h"
#include "isa_neon.h"

#define SLUICE_VECTOR_KERNEL sluice_kernel_neon
#include "kernel_vector.inc"

#endif
