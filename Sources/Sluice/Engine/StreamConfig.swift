/// How a run is carried out: how much at once, on how many threads, for how long, and what happens on an error.
///
/// Records and bytes that a run writes do not depend on these numbers, but for compressed bytes (gzip, LZ4), which depend on
/// `chunkSize`, `bufferSize` and `backpressureThreshold`. A *unit* of work is whole chunks of a file, up to the one that
/// reaches about 256 KiB, or a quarter of the smaller of the latter two in records; each unit ends a block of the
/// compression. Threads and memory change no byte.
public struct StreamConfig: Sendable {
    /// Records of a chunk, for file sources that were not given a size of their own; at least 1.
    public var chunkSize: Int
    /// Records that may be queued, that is, wait for a worker or for their turn to be written; at least 1. Where another unit
    /// would exceed it the source is held back, unless nothing is queued. What workers and the writer have in hand does not
    /// count. A unit's size is not known before it is read: it is taken to be that of the largest so far. Of chunks that are
    /// handed in (`push`, `addChunk`) all that were not taken out yet count, and sizes are known.
    public var bufferSize: Int
    /// Threads that decode, transform and encode; at least 1. With one the whole run stays on the caller's thread. Others take
    /// the place of those that wait to try a processor again. Between files, memory and databases that keep no thread waiting
    /// (`StreamDatabase.mayBlock`), without a processor, no more than max(4, 2 × `activeCores`) run.
    public var parallelism: Int
    /// 2^20 bytes that blocks of input, indexes, queues and output may hold together; at least 1. A unit (about 256 KiB of input
    /// and what is made of it, or one record where that is more) that does not fit by itself is an error.
    public var memoryLimitMB: Int
    /// Queued records (as of `bufferSize`) at which the source is paused, until they are fewer than half as many; at least 1.
    /// Chunks that are handed in are held back by `bufferSize` alone.
    public var backpressureThreshold: Int
    /// Seconds that a run may take; nil: any time.
    public var timeoutSeconds: Double?
    /// Whether times are measured. Records, bytes and errors are counted all the same.
    public var enableMetrics: Bool
    /// Whether a processor that throws is called again. What is wrong with the data itself is never tried again.
    public var retryOnError: Bool
    /// How often; at least 0.
    public var maxRetries: Int
    /// How long it waits before that.
    public var retryDelay: RetryDelay
    /// Which implementation of the hot functions runs, for file sources and sinks that were not given one of their own.
    public var kernel: KernelChoice

    /// Takes any numbers: those that make no sense are refused when a run begins (`invalidConfiguration`).
    public init(
        chunkSize: Int = 1000, bufferSize: Int = 10_000, parallelism: Int = StreamConfig.activeCores,
        memoryLimitMB: Int = 512, backpressureThreshold: Int = 5_000, timeoutSeconds: Double? = nil,
        enableMetrics: Bool = true, retryOnError: Bool = true, maxRetries: Int = 3,
        retryDelay: RetryDelay = RetryDelay(), kernel: KernelChoice = .auto
    ) {
        self.chunkSize = chunkSize
        self.bufferSize = bufferSize
        self.parallelism = parallelism
        self.memoryLimitMB = memoryLimitMB
        self.backpressureThreshold = backpressureThreshold
        self.timeoutSeconds = timeoutSeconds
        self.enableMetrics = enableMetrics
        self.retryOnError = retryOnError
        self.maxRetries = maxRetries
        self.retryDelay = retryDelay
        self.kernel = kernel
    }

    /// Processor cores that this process may run on.
    public static var activeCores: Int { Machine.activeCores }
}

extension StreamConfig {
    /// Refuses numbers that make no sense.
    func check() throws(StreamError) {
        let counts = [
            ("chunkSize", chunkSize, RecordLimits.most), ("bufferSize", bufferSize, 1 << 48),
            ("parallelism", parallelism, 1024), ("memoryLimitMB", memoryLimitMB, 1 << 40),
            ("backpressureThreshold", backpressureThreshold, 1 << 48),
        ]
        for (name, value, most) in counts where !(1...most).contains(value) {
            throw StreamError(.invalidConfiguration, "\(name) is \(value), and has to be 1 to \(most)")
        }
        guard (0...1 << 48).contains(maxRetries) else {
            throw StreamError(.invalidConfiguration, "maxRetries is \(maxRetries), and has to be 0 to \(1 << 48)")
        }
        guard retryDelay.isValid else {
            throw StreamError(
                .invalidConfiguration, "the seconds of retryDelay are not negative, and its jitter is 0 to 1")
        }
        guard timeoutSeconds.map({ $0 > 0 }) ?? true else {
            throw StreamError(.invalidConfiguration, "timeoutSeconds has to be more than 0", hint: "nil is no limit")
        }
    }

    /// Tries of a step that fails, the first included.
    var tries: Int { retryOnError ? 1 + maxRetries : 1 }
}
