// A fuzzer's entry: scripts/fuzz. Every kernel is compared with the scalar one on what the fuzzer makes up.

#include "agreement.h"

// Of the module SwiftKernel.
extern const sluice_kernel *sluice_swift_kernel(void);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    check_bytes(sluice_swift_kernel(), bytes, length);
    static const char *const names[] = {"avx2", "avx512", "neon"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const sluice_kernel *kernel = sluice_kernel_named(names[n]);
        if (kernel) check_bytes(kernel, bytes, length);
    }
    return 0;
}
