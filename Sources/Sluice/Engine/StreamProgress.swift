/// How far a run has got.
public struct StreamProgress: Sendable {
    /// Share of the input's bytes, as they are stored, that were consumed, 0 ... 1; nil where their number is not known.
    public let fraction: Double?
    /// Records read, and written.
    public let readRecords: Int
    public let writtenRecords: Int
    /// Seconds since the start.
    public let seconds: Double
    /// Records written a second, since the start.
    public var recordsPerSecond: Double { seconds > 0 ? Double(writtenRecords) / seconds : 0 }
    /// 10^6 bytes of input, decompressed, a second.
    public let megabytesPerSecond: Double
    /// Seconds that are left at the speed so far; nil where that is not known.
    public var secondsLeft: Double? {
        fraction.flatMap { $0 > 0 ? seconds / $0 * (1 - $0) : nil }
    }
    public let isPaused: Bool
}

/// Calls a function with a run's progress, at a bounded rate, on the thread that writes.
struct ProgressReporter {
    /// Seconds between two calls, at least.
    let interval: Double
    let report: @Sendable (StreamProgress) -> Void
}
