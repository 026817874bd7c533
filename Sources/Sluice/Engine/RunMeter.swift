/// What a run's threads count and measure. Added to once a unit, not once a record.
final class RunMeter: Sendable {
    /// Whether times are measured.
    let isTiming: Bool
    private let totals = Monitor(StreamMetrics(), conditions: 0)

    init(isTiming: Bool) { self.isTiming = isTiming }

    func add(_ body: (inout StreamMetrics) -> Void) { totals.withLock { body(&$0) } }

    /// Tries that failed and were made again.
    func countRetries(_ retries: Int) {
        guard retries > 0 else { return }
        add { metrics in
            metrics.errorsCount += retries
            metrics.retriesCount += retries
        }
    }

    var metrics: StreamMetrics { totals.withLock { $0 } }

    /// Seconds of the clock where times are measured, else 0.
    var now: Double { isTiming ? Clock.monotonicSeconds() : 0 }

    /// Calls `body` and adds the time that it took.
    func time<R>(_ path: WritableKeyPath<StreamMetrics, Double> & Sendable, _ body: () throws -> R) rethrows -> R {
        guard isTiming else { return try body() }
        let start = Clock.monotonicSeconds()
        defer {
            let seconds = Clock.monotonicSeconds() - start
            totals.withLock { $0[keyPath: path] += seconds }
        }
        return try body()
    }

    /// As `time`, for a task: what it is suspended for counts.
    func time<R>(
        _ path: WritableKeyPath<StreamMetrics, Double> & Sendable, _ body: () async throws -> R
    ) async rethrows -> R {
        let start = now
        defer {
            let seconds = now - start
            if isTiming { totals.withLock { $0[keyPath: path] += seconds } }
        }
        return try await body()
    }

    /// As `time`, for work that waits in between, which is none: `body` adds the seconds of that to what it is given.
    func time<R>(
        _ path: WritableKeyPath<StreamMetrics, Double> & Sendable, _ body: (inout Double) throws -> R
    ) rethrows -> R {
        var waited = 0.0
        let start = now
        defer {
            let seconds = now - start - waited
            if isTiming { totals.withLock { $0[keyPath: path] += seconds } }
        }
        return try body(&waited)
    }

    /// Calls `body` and adds the time that it took to `waited`.
    func wait<R>(_ waited: inout Double, _ body: () throws -> R) rethrows -> R {
        let start = now
        defer { waited += now - start }
        return try body()
    }
}
