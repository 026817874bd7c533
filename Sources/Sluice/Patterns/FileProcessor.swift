/// Takes files through validation, a filter and a transform into other files.
///
///     var files = FileProcessingConfig(inputPath: "orders", outputPath: "orders.jsonl.gz")
///     files.pattern = "*.csv"
///     files.validation = try RecordValidation([FieldRule("id", .integer, isRequired: true)])
///     files.rejectsPath = "rejected.jsonl"
///     files.filter = { $0["total", as: Double.self] ?? 0 > 0 }
///     files.transform = { chunk in chunk.data.setAll("seen", to: true) }
///     let metrics = try FileProcessor(files).process()
///     print(metrics.itemsProcessed, metrics.rejectedRecords)
///
/// It is a `StreamContext` with file sources and sinks: the same engine, order, limits, retries and books. What can be refused
/// is, before anything is written. `cancel`, `status`, `metrics` and `progress` may be used from any thread.
public final class FileProcessor: Sendable {
    public let config: FileProcessingConfig
    private let state = Monitor(State(), conditions: 0)

    private struct State {
        var status = StreamStatus.idle
        var listeners: [ProgressListener] = []
        var isCancelled = false
        /// The run that is under way, or the last one; its metrics are not in `finished`.
        var run: StreamRun?
        /// What the runs before it came to.
        var finished = StreamMetrics()
        /// Bytes of their inputs, of the current run's and of all; nil where those are not known, or there is but one run.
        var finishedBytes = 0
        var currentBytes = 0
        var totalBytes: Int?
    }

    public init(_ config: FileProcessingConfig) { self.config = config }
}

// MARK: - Processing

extension FileProcessor {
    /// Processes all files. May be called again, one call at a time.
    ///
    /// - Returns: what it came to. In `batch` mode records, bytes and times are those of all files together, and memory and
    ///   threads the most that one took.
    /// - Throws: `StreamError`: `invalidConfiguration` for what does not go together, before anything is written;
    ///   `fileNotFound` where there is no input; `invalidRecord` with record and column; else as `StreamContext.stream`.
    ///   `metrics` has what was done until then. Nothing is published of the output that failed, nor of rejected records, whose
    ///   file is renamed right before the output's: only where closing that fails they are there without it.
    @discardableResult
    public func process() throws -> StreamMetrics {
        let listeners = try begin()
        do {
            let plan = try FilePlan(config)
            try process(plan, listeners)
            end(.completed, listeners)
            return metrics
        } catch {
            end(.error, listeners)
            throw error
        }
    }

    private func begin() throws(StreamError) -> ProgressListeners {
        let listeners: ProgressListeners? = state.withLock { state in
            if state.status == .active { return nil }
            let listeners = state.listeners
            state = State(status: .active, listeners: listeners)
            return ProgressListeners(listeners)
        }
        guard let listeners else { throw StreamError(.invalidConfiguration, "a run is under way already") }
        return listeners
    }

    private func end(_ status: StreamStatus, _ listeners: ProgressListeners) {
        // Before another run can begin.
        listeners.end(progress)
        state.withLock { $0.status = status }
    }

    private func process(_ plan: FilePlan, _ listeners: ProgressListeners) throws {
        let sizes = plan.jobs.compactMap(\.bytes)
        if sizes.count == plan.jobs.count { state.withLock { $0.totalBytes = sizes.reduce(0, +) } }
        try plan.makeDirectory()
        let rejects = try plan.makeRejects()
        do {
            for (place, job) in plan.jobs.enumerated() {
                try process(job, plan, rejects, isLast: place + 1 == plan.jobs.count, listeners)
            }
            try rejects?.close()
        } catch {
            rejects?.abort()
            throw error
        }
    }

    private func process(
        _ job: FilePlan.Job, _ plan: FilePlan, _ rejects: FileStreamSink?, isLast: Bool, _ listeners: ProgressListeners
    ) throws {
        let source = try plan.open(job.source)
        defer { source.close() }
        let sink = try plan.makeSink(job)
        let run = try begin(job, plan.steps, listeners)
        try run.run(source, sink, rejects: rejects, closesRejects: isLast)
    }

    /// A new run, after those that are over.
    private func begin(
        _ job: FilePlan.Job, _ steps: [ProcessorStep], _ listeners: ProgressListeners
    ) throws(StreamError) -> StreamRun {
        var engine = config.engine
        let spent = metrics.seconds
        if let seconds = engine.timeoutSeconds {
            guard seconds > spent else { throw .timedOut }
            engine.timeoutSeconds = seconds - spent
        }
        let run = try StreamRun(engine, steps, telling(listeners))
        let isCancelled = state.withLock { state in
            if state.isCancelled { return true }
            if let last = state.run { state.finished += last.metrics }
            state.finishedBytes += state.currentBytes
            (state.run, state.currentBytes) = (run, job.bytes ?? 0)
            return false
        }
        if isCancelled { throw .cancelled }
        return run
    }

    /// Listeners of one run that tell those of all.
    private func telling(_ listeners: ProgressListeners) -> ProgressListeners {
        guard !state.withLock({ $0.listeners.isEmpty }) else { return ProgressListeners() }
        let listener = ProgressListener(every: 0) { [weak self] _ in
            guard let self else { return }
            listeners.tell(at: metrics.seconds) { self.progress }
        }
        return ProgressListeners([listener])
    }
}

// MARK: - What is going on

extension FileProcessor {
    /// Calls `body` with the progress of each `process` that begins from now on, on a thread that writes, and at its end.
    /// - Parameter seconds: between two calls, at least.
    public func onProgress(every seconds: Double = 0.2, _ body: @escaping @Sendable (StreamProgress) -> Void) {
        state.withLock { $0.listeners.append(ProgressListener(every: seconds, body)) }
    }

    public var status: StreamStatus {
        let (status, run) = state.withLock { ($0.status, $0.run) }
        return status == .active && run?.isPaused == true ? .paused : status
    }

    /// So far, or of the last `process`, also where it has thrown; see there.
    public var metrics: StreamMetrics { current.metrics }

    /// How far the `process` that is under way has got, or the last one. `fraction` is that of all files' bytes.
    public var progress: StreamProgress {
        let (metrics, run) = current
        return StreamProgress(metrics, isPaused: run?.isPaused ?? false)
    }

    private var current: (metrics: StreamMetrics, run: StreamRun?) {
        state.withLock { state in
            guard let run = state.run else { return (state.finished, nil) }
            var metrics = state.finished
            let last = run.metrics
            metrics += last
            metrics.fraction = last.fraction
            if let total = state.totalBytes, total > 0 {
                let read = Double(state.finishedBytes) + (last.fraction ?? 0) * Double(state.currentBytes)
                metrics.fraction = min(1, read / Double(total))
            }
            return (metrics, run)
        }
    }

    /// Ends the `process` that is under way: it throws `cancelled`, and publishes nothing more. Waits for nothing. User code
    /// that is running is not interrupted: let it look at `isCancelled`.
    public func cancel() {
        let run = state.withLock { state in
            state.isCancelled = state.status == .active
            return state.run
        }
        run?.cancel()
    }

    /// Whether the `process` that is under way shall end before its time.
    public var isCancelled: Bool { state.withLock { $0.isCancelled || $0.run?.isCancelled ?? false } }
}
