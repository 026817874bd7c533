/// How far a run has got.
public struct StreamProgress: Sendable {
    /// Share of the input that was consumed, 0 ... 1: of files, of their bytes as they are stored; of memory and databases, of
    /// their records. Nil where the number of all is not known.
    public let fraction: Double?
    /// Records read.
    public let readRecords: Int
    /// Records written.
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
    /// Whether the source is held back at this moment; of chunks that are handed in, whether one found no room, and there is
    /// still none.
    public let isPaused: Bool

    init(_ metrics: StreamMetrics, isPaused: Bool) {
        fraction = metrics.fraction
        (readRecords, writtenRecords) = (metrics.readRecords, metrics.writtenRecords)
        seconds = metrics.seconds
        megabytesPerSecond = metrics.throughputMBPerSecond()
        self.isPaused = isPaused
    }
}

/// Somebody who wants to know how far runs have got.
struct ProgressListener: Sendable {
    /// Seconds between two calls, at least.
    let interval: Double
    let report: @Sendable (StreamProgress) -> Void
    /// Called behind the last report; nil: it listens to the next run, too.
    var end: (@Sendable () -> Void)?
    /// Seconds of the run at which it was last told.
    fileprivate var told = 0.0

    init(
        every seconds: Double, end: (@Sendable () -> Void)? = nil,
        _ report: @escaping @Sendable (StreamProgress) -> Void
    ) {
        interval = seconds
        self.end = end
        self.report = report
    }
}

/// Those who listen to one run. They are told on a thread that writes, at a bounded rate, and at its end.
final class ProgressListeners: Sendable {
    private let listeners: Monitor<[ProgressListener]>

    init(_ listeners: [ProgressListener] = []) { self.listeners = Monitor(listeners, conditions: 0) }

    deinit { end(nil) }

    /// Tells those whose time it is.
    /// - Parameter seconds: since the run's start.
    func tell(at seconds: Double, _ progress: () -> StreamProgress) {
        let due = listeners.withLock { listeners -> [ProgressListener] in
            var due: [ProgressListener] = []
            for place in listeners.indices where seconds - listeners[place].told >= listeners[place].interval {
                listeners[place].told = seconds
                due.append(listeners[place])
            }
            return due
        }
        guard !due.isEmpty else { return }
        let progress = progress()
        for listener in due { listener.report(progress) }
    }

    /// Tells all where the run has ended, once.
    /// - Parameter progress: nil: it has not begun.
    func end(_ progress: StreamProgress?) {
        let all = listeners.withLock { listeners -> [ProgressListener] in
            defer { listeners = [] }
            return listeners
        }
        for listener in all {
            if let progress { listener.report(progress) }
            listener.end?()
        }
    }
}
