/// How a run is carried out: how much at once, on how many threads, for how long, and what happens on an error.
///
/// The bytes that a run writes depend on `chunkSize` alone, and on that only where they are compressed.
public struct StreamConfig: Sendable {
    /// Records of a chunk, for file sources that were not given a size of their own; at least 1.
    public var chunkSize: Int
    /// Records that are read and not yet written, at most: in queues, in work, and waiting for their turn; at least 1. A unit is
    /// let through all the same where nothing else is under way.
    public var bufferSize: Int
    /// Threads that decode, transform and encode; at least 1. With one the whole run stays on the caller's thread. Others take the
    /// place of those that wait to try a processor again. From files to files without a processor no more run than four, or two
    /// a core where that is more.
    public var parallelism: Int
    /// 2^20 bytes that blocks of input, indexes, queues and output may hold together; at least 1. A unit (about 256 KiB of input
    /// and what is made of it, or one record where that is more) that does not fit by itself is an error.
    public var memoryLimitMB: Int
    /// Records read and not yet written at which the source is paused, until they are less than half as many; at least 1.
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
        guard maxRetries >= 0, retryDelay.isValid else {
            throw StreamError(.invalidConfiguration, "maxRetries and the seconds of retryDelay are not negative")
        }
        guard timeoutSeconds.map({ $0 > 0 }) ?? true else {
            throw StreamError(.invalidConfiguration, "timeoutSeconds has to be more than 0", hint: "nil is no limit")
        }
    }

    /// Tries of a step that fails, the first included.
    var tries: Int { retryOnError ? 1 + maxRetries : 1 }
}
