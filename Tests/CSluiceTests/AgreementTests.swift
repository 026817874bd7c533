import CSluice
import KernelAgreement
import SwiftKernel
import Testing

// A disagreement ends the process, and says where it is. One after the other: the checks share their random numbers. The C core's
// kernels are compared by scripts/test-kernels, too.
@Test("every kernel agrees with the scalar one, on tables of inputs cut anywhere and on random ones")
func agreement() {
    for name in kernelNames where name != "scalar" { check_kernel(kernelNamed(name), 20, 1) }
}
