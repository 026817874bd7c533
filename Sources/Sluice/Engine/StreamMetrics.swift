/// What a run has come to: so far, while it goes on, or in the end.
public struct StreamMetrics: Sendable {
    /// What a stage's threads did, in seconds; all of its threads together. Zero where times are not measured.
    public struct StageTimes: Sendable {
        /// Working.
        public internal(set) var busy = 0.0
        /// Waiting for something to work on: the stages before are slower. A thread that reads and writes as well waits for its
        /// turn to do so, or for room.
        public internal(set) var waiting = 0.0
        /// Waiting for room to hand it on: the stages behind are slower.
        public internal(set) var blocked = 0.0
    }

    /// Chunks that were written.
    public internal(set) var chunksProcessed = 0
    /// Records that were written.
    public var itemsProcessed: Int { writtenRecords }
    /// Bytes of the input, decompressed.
    public internal(set) var bytesProcessed = 0

    /// Errors of processors that a retry has mended, and the one that ended the run.
    public internal(set) var errorsCount = 0
    /// How often a step was tried again.
    public internal(set) var retriesCount = 0

    /// Records that the source handed out; that processors made, and took away; that went where rejected ones go; that were
    /// written. `read + added = written + filtered + rejected` at the end of each run.
    public internal(set) var readRecords = 0
    public internal(set) var addedRecords = 0
    public internal(set) var filteredRecords = 0
    public internal(set) var rejectedRecords = 0
    public internal(set) var writtenRecords = 0

    /// Bytes consumed of the input as it is stored; 0 for sources that are no files.
    public internal(set) var bytesRead = 0
    /// Bytes of the output before compression, and as they are stored; 0 for sinks that are no files.
    public internal(set) var bytesEncoded = 0
    public internal(set) var bytesWritten = 0

    /// How often the source was held back, and for how many seconds.
    public internal(set) var pauseCount = 0
    public internal(set) var pausedSeconds = 0.0

    /// Most bytes that the run's blocks held at once, and that the process has ever held.
    public internal(set) var peakBudgetBytes = 0
    public internal(set) var peakResidentBytes = 0
    /// Most memory that the run's blocks held at once, in 2^20 bytes.
    public var peakMemoryMB: Double { Double(peakBudgetBytes) / 1_048_576 }

    /// Reading and cutting; decoding, processing and encoding, by workers; writing.
    public internal(set) var read = StageTimes()
    public internal(set) var decode = StageTimes()
    public internal(set) var process = StageTimes()
    public internal(set) var encode = StageTimes()
    public internal(set) var write = StageTimes()

    /// Threads that decode, process and encode; where files are streamed, they read and write as well.
    public internal(set) var workers = 0
    var seconds = 0.0
    /// Share of the input that was consumed.
    var fraction: Double?

    /// Seconds from the start to the end, or until now.
    public func durationSeconds() -> Double { seconds }
    /// Records written a second; 0 where no time has passed.
    public func throughputItemsPerSecond() -> Double { seconds > 0 ? Double(writtenRecords) / seconds : 0 }
    /// 10^6 bytes of input a second; 0 where no time has passed.
    public func throughputMBPerSecond() -> Double { seconds > 0 ? Double(bytesProcessed) / 1e6 / seconds : 0 }

    /// The stage that holds the run back: the one that is busy the largest share of its threads' time; nil where times are not
    /// measured.
    public var bottleneck: String? {
        let workers = Double(max(1, workers))
        let shares = [
            ("read", read.busy), ("work", (decode.busy + process.busy + encode.busy) / workers), ("write", write.busy),
        ]
        return shares.max { $0.1 < $1.1 }.flatMap { $0.1 > 0 ? $0.0 : nil }
    }
}

extension StreamMetrics {
    mutating func take(_ ledger: Ledger) {
        (readRecords, addedRecords, filteredRecords) = (ledger.read, ledger.added, ledger.filtered)
        (rejectedRecords, writtenRecords) = (ledger.rejected, ledger.written)
    }

    /// Adds a run that came behind: its records, bytes and times are more, its memory and threads are the same again.
    static func += (metrics: inout StreamMetrics, other: StreamMetrics) {
        for count in counts { metrics[keyPath: count] += other[keyPath: count] }
        for most in [\StreamMetrics.peakBudgetBytes, \.peakResidentBytes, \.workers] {
            metrics[keyPath: most] = max(metrics[keyPath: most], other[keyPath: most])
        }
        metrics.pausedSeconds += other.pausedSeconds
        metrics.seconds += other.seconds
        for stage in [\StreamMetrics.read, \.decode, \.process, \.encode, \.write] {
            metrics[keyPath: stage].busy += other[keyPath: stage].busy
            metrics[keyPath: stage].waiting += other[keyPath: stage].waiting
            metrics[keyPath: stage].blocked += other[keyPath: stage].blocked
        }
    }

    private static var counts: [WritableKeyPath<StreamMetrics, Int>] {
        [
            \.chunksProcessed, \.bytesProcessed, \.errorsCount, \.retriesCount, \.readRecords, \.addedRecords,
            \.filteredRecords, \.rejectedRecords, \.writtenRecords, \.bytesRead, \.bytesEncoded, \.bytesWritten,
            \.pauseCount,
        ]
    }
}
