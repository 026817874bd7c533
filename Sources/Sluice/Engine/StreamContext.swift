/// Streams sources into sinks, through processors, on all cores, in order, within limits.
///
///     let context = StreamContext(StreamConfig(parallelism: 4))
///     context.addProcessor { chunk in chunk.data.removeAll { $0["age", as: Int.self] ?? 0 < 18 } }
///     let metrics = try context.stream(source: FileStreamSource("in.csv"), sink: FileStreamSink("out.jsonl"))
///
/// What comes out is the same for any number of threads, to the byte: records keep their order. Processors are called from
/// several threads at once, each with a chunk of its own. Source and sink are each used by one thread at a time; that of a sink of
/// your own is the caller's.
///
/// A context may stream as often as is wanted, one run at a time. `cancel`, `status` and `metrics` may be used from any thread.
public final class StreamContext: Sendable {
    public let config: StreamConfig
    private let state = Monitor(State(), conditions: 0)

    struct State {
        var steps: [ProcessorStep] = []
        /// Those with an end are of the next run alone.
        var listeners: [ProgressListener] = []
        var status = StreamStatus.idle
        /// The run that is under way, or the last one.
        var run: StreamRun?
        var push: PushRun?
        /// Whether there was one, and another run has begun since.
        var pushIsOver = false
        var isClosed = false
    }

    public init(_ config: StreamConfig = StreamConfig()) { self.config = config }

    deinit { state.withLock(Self.takeListeners).end(nil) }

    func withState<R>(_ body: (inout State) throws -> R) rethrows -> R { try state.withLock(body) }
}

// MARK: - Processors

extension StreamContext {
    /// Adds a step that edits each chunk in place. Steps follow one another in the order in which they were added; those added
    /// during a run are of the next. The context keeps it: a step that needs the context captures it weakly.
    public func addProcessor(_ body: @escaping @Sendable (inout StreamChunk) throws -> Void) {
        state.withLock { $0.steps.append(Self.step(body)) }
    }

    /// Adds a step that returns the chunk to go on with, or nil to filter it out.
    // Disfavored, or a closure that only edits under an `if` would be taken for one that forgot to return.
    @_disfavoredOverload
    public func addProcessor(_ body: @escaping @Sendable (StreamChunk) throws -> StreamChunk?) {
        state.withLock { $0.steps.append(Self.step(body)) }
    }

    static func step(_ body: @escaping @Sendable (inout StreamChunk) throws -> Void) -> ProcessorStep {
        { chunk, _ in
            try body(&chunk)
            return true
        }
    }

    static func step(_ body: @escaping @Sendable (StreamChunk) throws -> StreamChunk?) -> ProcessorStep {
        { chunk, _ in
            guard let new = try body(chunk) else { return false }
            chunk = new
            return true
        }
    }

    /// Calls `body` with the progress of each run that begins from now on, on a thread that writes, and at its end. Others that
    /// were added are called as well.
    /// - Parameter seconds: between two calls, at least.
    public func onProgress(every seconds: Double = 0.2, _ body: @escaping @Sendable (StreamProgress) -> Void) {
        state.withLock { $0.listeners.append(ProgressListener(every: seconds, body)) }
    }

    /// The progress of the next run that begins, as a sequence that ends with it, and at once where none can begin. Who is slow
    /// to take an element gets the newest one next.
    /// - Parameter seconds: between two elements, at least.
    public func progressUpdates(every seconds: Double = 0.2) -> AsyncStream<StreamProgress> {
        let (updates, continuation) = AsyncStream.makeStream(
            of: StreamProgress.self, bufferingPolicy: .bufferingNewest(1))
        let listener = ProgressListener(every: seconds, end: { continuation.finish() }) { continuation.yield($0) }
        let isClosed = state.withLock { state in
            if !state.isClosed { state.listeners.append(listener) }
            return state.isClosed
        }
        if isClosed { continuation.finish() }
        return updates
    }

    /// Those who listen to the run that begins now.
    static func takeListeners(_ state: inout State) -> ProgressListeners {
        defer { state.listeners.removeAll { $0.end != nil } }
        return ProgressListeners(state.listeners)
    }
}

// MARK: - Streaming

extension StreamContext {
    /// Streams to the end of the source. The source is closed then, and the sink too; on an error the sink is aborted.
    ///
    /// - Returns: what the run came to.
    /// - Throws: the error of the earliest chunk that failed, of the source or the sink; `timedOut`, `cancelled`; `memoryLimit`
    ///   where one unit of work does not fit the limit; `invalidConfiguration`. `metrics` has what was done until then.
    @discardableResult
    public func stream(source: any StreamSource, sink: any StreamSink) throws -> StreamMetrics {
        try stream(source, sink, [])
    }

    /// As `stream(source:sink:)`, with a last step for this run alone, that edits each chunk in place.
    @discardableResult
    public func stream(
        source: any StreamSource, sink: any StreamSink,
        transform: @escaping @Sendable (inout StreamChunk) throws -> Void
    ) throws -> StreamMetrics {
        try stream(source, sink, [Self.step(transform)])
    }

    /// As `stream(source:sink:)`, with a last step for this run alone, that returns the chunk to write, or nil to filter it out.
    @discardableResult
    @_disfavoredOverload
    public func stream(
        source: any StreamSource, sink: any StreamSink,
        transform: @escaping @Sendable (StreamChunk) throws -> StreamChunk?
    ) throws -> StreamMetrics {
        try stream(source, sink, [Self.step(transform)])
    }

    func stream(
        _ source: any StreamSource, _ sink: any StreamSink, _ more: [ProcessorStep]
    ) throws -> StreamMetrics {
        let run: StreamRun
        do {
            run = try begin(more)
        } catch {
            source.close()
            sink.abort()
            throw error
        }
        return try finishing(run) { try run.run(source, sink) }
    }

    /// Reads to the end of the source, and closes it: files are only cut into records, and their fields not looked at. Processors
    /// are not called.
    /// - Returns: what the run came to; `readRecords` is how many there were.
    /// - Throws: what keeps the source from being read or cut; `timedOut`, `cancelled`. Ragged records and invalid text are not
    ///   noticed.
    public func count(source: any StreamSource) throws -> StreamMetrics {
        let run: StreamRun
        do {
            run = try begin([])
        } catch {
            source.close()
            throw error
        }
        return try finishing(run) { try run.count(source) }
    }

    private func finishing(_ run: StreamRun, _ body: () throws -> Void) throws -> StreamMetrics {
        do {
            try body()
            end(.completed)
            return run.metrics
        } catch {
            end(.error)
            throw error
        }
    }

    /// A new run, if none is under way.
    func begin(_ more: [ProcessorStep]) throws(StreamError) -> StreamRun {
        // Its threads may still be in user code, which is waited for outside of the lock, and in no time of the new run's.
        endedPushRun()?.join()
        let begun: Result<StreamRun, StreamError> = state.withLock { state in
            if state.isClosed { return .failure(StreamError(.closed, "the context is closed")) }
            if state.status == .active || state.push?.isUnderWay == true {
                return .failure(StreamError(.invalidConfiguration, "a run is under way already"))
            }
            let listeners = Self.takeListeners(&state)
            return Result { () throws(StreamError) in
                let run = try StreamRun(config, state.steps + more, listeners)
                (state.status, state.run) = (.active, run)
                return run
            }
        }
        return try begun.get()
    }

    /// The push run, if there is one and it is over: the context speaks of it no more.
    private func endedPushRun() -> PushRun? {
        state.withLock { state in
            guard !state.isClosed, let push = state.push, !push.isUnderWay else { return nil }
            (state.push, state.pushIsOver) = (nil, true)
            return push
        }
    }

    func end(_ status: StreamStatus) {
        // Before another run can begin.
        state.withLock { $0.run }?.endProgress()
        state.withLock { $0.status = status }
    }
}

// MARK: - What is going on

extension StreamContext {
    public var status: StreamStatus {
        let (status, run, push) = state.withLock { ($0.status, $0.run, $0.push) }
        if let push { return push.status }
        return status == .active && run?.isPaused == true ? .paused : status
    }

    /// Those of the run that is under way, or of the last one, also where it has thrown.
    public var metrics: StreamMetrics {
        let (run, push) = state.withLock { ($0.run, $0.push) }
        return push?.metrics ?? run?.metrics ?? StreamMetrics()
    }

    /// How far the run that is under way has got, or the last one.
    public var progress: StreamProgress? {
        let (run, push) = state.withLock { ($0.run, $0.push) }
        return push?.progress ?? run?.progress
    }

    /// Ends the run that is under way: it throws `cancelled`, and its sink is aborted. Waits for nothing. User code that is
    /// running is not interrupted: let it look at `isCancelled`.
    public func cancel() {
        let (run, push) = state.withLock { ($0.run, $0.push) }
        run?.cancel()
        push?.cancel()
    }

    /// Whether the run that is under way shall end before its time.
    public var isCancelled: Bool {
        let (run, push) = state.withLock { ($0.run, $0.push) }
        return push?.isCancelled ?? run?.isCancelled ?? false
    }

    /// Ends what is under way, and takes no more. Calling it again does nothing.
    public func close() {
        let (push, listeners) = state.withLock { state in
            state.isClosed = true
            return (state.push, Self.takeListeners(&state))
        }
        cancel()
        push?.join()
        listeners.end(nil)
    }
}
