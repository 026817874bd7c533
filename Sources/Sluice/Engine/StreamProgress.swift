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

/// Those who want to know how far a context's runs have got. They are told on the thread that writes, at a bounded rate.
final class ProgressListeners: Sendable {
    private struct Listener: Sendable {
        /// Seconds between two calls, at least.
        let interval: Double
        let report: @Sendable (StreamProgress) -> Void
        /// Called at the end of the run; nil: it listens to the next one, too.
        let end: (@Sendable () -> Void)?
        /// Seconds of the run at which it was last told.
        var told = -Double.infinity
    }

    private let listeners = Monitor<[Listener]>([], conditions: 0)

    func add(
        every seconds: Double, end: (@Sendable () -> Void)? = nil,
        _ report: @escaping @Sendable (StreamProgress) -> Void
    ) {
        listeners.withLock { $0.append(Listener(interval: seconds, report: report, end: end)) }
    }

    /// Tells those whose time it is.
    /// - Parameter seconds: since the run's start.
    func tell(at seconds: Double, _ progress: () -> StreamProgress) {
        let due = listeners.withLock { listeners -> [Listener] in
            var due: [Listener] = []
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

    /// Tells all where the run has ended.
    func end(_ progress: StreamProgress) {
        let all = listeners.withLock { listeners -> [Listener] in
            defer {
                listeners.removeAll { $0.end != nil }
                for place in listeners.indices { listeners[place].told = -.infinity }
            }
            return listeners
        }
        for listener in all {
            listener.report(progress)
            listener.end?()
        }
    }
}
