import CSluice
import KernelAgreement
import SwiftKernel
import Testing

// A disagreement ends the process, and says where it is. The C core's kernels are compared by scripts/test-kernels, too.
@Test(
    "every kernel agrees with the scalar one, on tables of inputs cut anywhere and on random ones",
    arguments: kernelNames)
func agreement(_ name: String) throws {
    let kernel = try #require(kernelNamed(name))
    check_kernel(kernel, 20, 1)
}
