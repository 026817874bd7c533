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

// Of the fuzzer: changes bytes as it likes.
extern size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t most);

// Now and then it begins with what is nearly data, which it would hardly come upon by itself.
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned int seed) {
    // Short ones: checks cut them everywhere.
    return seed % 4 ? LLVMFuzzerMutate(bytes, length, most) : make_bytes(seed, bytes, most < 200 ? most : 200);
}
