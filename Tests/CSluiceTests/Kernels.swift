import CSluice
import SwiftKernel

/// The kernel of this name: one of the C core's, if this processor runs it, or Swift's.
func kernelNamed(_ name: String) -> UnsafePointer<sluice_kernel>? {
    name == "swift" ? SwiftKernel.table : sluice_kernel_named(name)
}

#if DEBUG
    // Swift's checks all accesses itself, and its vectors take a hundred times as long where nothing is optimized.
    private let names = ["scalar", "avx2", "avx512", "neon"]
#else
    private let names = ["scalar", "avx2", "avx512", "neon", "swift"]
#endif

/// All that run here.
let kernelNames = names.filter { kernelNamed($0) != nil }
