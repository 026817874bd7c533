/// What a run has come to: so far, while it goes on, or in the end.
public struct StreamMetrics: Sendable {
    /// What a stage's threads did, in seconds; all of its threads together. Zero where times are not measured.
    public struct StageTimes: Sendable {
        /// Working.
        public internal(set) var busy = 0.0
        /// Waiting for something to work on: the stages before are slower. A thread that reads and writes as well waits for its
        /// turn to do so, or for room.
        public internal(set) var waiting = 0.0
        /// Waiting for room to hand it on: the stages behind are slower. Known of `read` only, else 0.
        public internal(set) var blocked = 0.0
    }

    /// Chunks that were written.
    public internal(set) var chunksProcessed = 0
    /// Records that were written.
    public var itemsProcessed: Int { writtenRecords }
    /// Bytes of the input, decompressed and as UTF-8; 0 for sources that hand out whole chunks: memory, databases.
    public internal(set) var bytesProcessed = 0

    /// Errors of tries that another one followed, whether or not that went well, and the error that ended the run.
    public internal(set) var errorsCount = 0
    /// How often a processor was tried again.
    public internal(set) var retriesCount = 0

    /// Records that the source handed out. `read + added = written + filtered + rejected` at the end of each run.
    public internal(set) var readRecords = 0
    /// Records by which processors have made chunks longer.
    public internal(set) var addedRecords = 0
    /// Records by which processors have made chunks shorter, or that were in chunks they took away.
    public internal(set) var filteredRecords = 0
    /// Records that went where rejected ones go.
    public internal(set) var rejectedRecords = 0
    /// Records that were written, as the sink counts them; those of chunks handed in, that were taken out.
    public internal(set) var writtenRecords = 0

    /// Bytes consumed of the input as it is stored; 0 for sources that are no files.
    public internal(set) var bytesRead = 0
    /// Bytes of the output before compression; 0 for sinks that are no files.
    public internal(set) var bytesEncoded = 0
    /// Bytes of the output as they are stored; 0 for sinks that are no files.
    public internal(set) var bytesWritten = 0

    /// How often the source was held back, or chunks that were handed in found no room.
    public internal(set) var pauseCount = 0
    /// Seconds that this took, all together; also where times are not measured.
    public internal(set) var pausedSeconds = 0.0

    /// Most bytes that were charged to the run's memory limit at once.
    public internal(set) var peakBudgetBytes = 0
    /// Most bytes of memory that the process has held at once since it started, whatever for.
    public internal(set) var peakResidentBytes = 0
    /// `peakBudgetBytes` in 2^20 bytes.
    public var peakMemoryMB: Double { Double(peakBudgetBytes) / 1_048_576 }

    /// Seconds of reading and cutting; `blocked` is while the source was held back.
    public internal(set) var read = StageTimes()
    /// Seconds of decoding; `waiting` is that of workers, whatever they do next.
    public internal(set) var decode = StageTimes()
    /// Seconds in processors, without the delays before they are tried again.
    public internal(set) var process = StageTimes()
    /// Seconds of encoding by workers; where the writer encodes, as with one thread, this is part of `write`.
    public internal(set) var encode = StageTimes()
    /// Seconds of writing, or of the closure that takes the chunks.
    public internal(set) var write = StageTimes()

    /// Threads that decode, process and encode; between files, memory and databases that keep no thread waiting
    /// (`StreamDatabase.mayBlock`), and where it is one, they read and write as well.
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
