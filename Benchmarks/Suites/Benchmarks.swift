import Benchmark
import Foundation

/// All suites: `swift package benchmark` in this package, or better `scripts/bench`, which prepares what they read.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.throughput, .wallClock, .inputBytes, .inputRecords], warmupIterations: 1,
        maxDuration: Inputs.isQuick ? .milliseconds(100) : .seconds(2), maxIterations: Inputs.isQuick ? 20 : 1000)
    addRingSuites()
    addCSVSuites()
    addJSONSuites()
    addEncodeSuites()
    addNumberSuites()
    addCodecSuites()
    addTypedSuites()
    addPipelineSuites()
}
