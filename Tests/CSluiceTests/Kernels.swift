import CSluice
import SwiftKernel

/// The kernel of this name: one of the C core's, if this processor runs it, or Swift's.
func kernelNamed(_ name: String) -> UnsafePointer<sluice_kernel>? {
    name == "swift" ? SwiftKernel.table : sluice_kernel_named(name)
}

/// All that run here.
let kernelNames = ["scalar", "avx2", "avx512", "neon", "swift"].filter { kernelNamed($0) != nil }
