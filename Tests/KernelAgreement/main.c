// Compares every kernel that this processor runs with the scalar one. It is C alone, so that it also runs where there is no Swift,
// as in an emulator.
//
//   agreement [rounds [seed]]

#include "agreement.h"

int main(int count, char **arguments) {
    static const char *const names[] = {"avx2", "avx512", "neon"};
    const uint64_t rounds = count > 1 ? strtoull(arguments[1], NULL, 10) : 300;
    const uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    uint32_t checked = 0;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const sluice_kernel *kernel = sluice_kernel_named(names[n]);
        if (!kernel) continue;
        check_kernel(kernel, rounds, seed);
        printf("%s agrees with scalar\n", kernel->name);
        checked++;
    }
    if (!checked) fprintf(stderr, "this processor runs no kernel but the scalar one\n");
    return checked ? 0 : 1;
}
