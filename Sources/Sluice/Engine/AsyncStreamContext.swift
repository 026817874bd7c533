/// Streams from and to async code: the same engine as `StreamContext`, with the same order, limits, retries, books and errors.
///
///     let metrics = try await AsyncStreamContext().streamAsync(source: source.chunks, sink: sink)
///
/// Tasks are suspended while they wait; the work is done on threads of the run's own. Cancelling the task ends the run: it throws
/// `cancelled`, and the sink is aborted.
public final class AsyncStreamContext: Sendable {
    let context: StreamContext

    public init(_ config: StreamConfig = StreamConfig()) { context = StreamContext(config) }

    public var config: StreamConfig { context.config }
    /// As `StreamContext.status`.
    public var status: StreamStatus { context.status }
    /// As `StreamContext.metrics`.
    public var metrics: StreamMetrics { context.metrics }
    /// As `StreamContext.progress`.
    public var progress: StreamProgress? { context.progress }

    /// As `StreamContext.addProcessor`.
    public func addProcessor(_ body: @escaping @Sendable (inout StreamChunk) throws -> Void) {
        context.addProcessor(body)
    }

    /// As `StreamContext.addProcessor`.
    @_disfavoredOverload
    public func addProcessor(_ body: @escaping @Sendable (StreamChunk) throws -> StreamChunk?) {
        context.addProcessor(body)
    }

    /// As `StreamContext.onProgress`.
    public func onProgress(every seconds: Double = 0.2, _ body: @escaping @Sendable (StreamProgress) -> Void) {
        context.onProgress(every: seconds, body)
    }

    /// As `StreamContext.progressUpdates`.
    public func progressUpdates(every seconds: Double = 0.2) -> AsyncStream<StreamProgress> {
        context.progressUpdates(every: seconds)
    }

    /// As `StreamContext.cancel`.
    public func cancel() { context.cancel() }
    /// As `StreamContext.isCancelled`.
    public var isCancelled: Bool { context.isCancelled }
}

// MARK: - Into a sink

extension AsyncStreamContext {
    /// Streams a sequence of chunks into a sink, which is closed at the end, or aborted on an error.
    ///
    /// The chunks of a source of this package (`source.chunks`) are not taken one by one: the source is read, cut and decoded
    /// on the run's threads, as `StreamContext` does it.
    /// - Throws: as `StreamContext.stream`.
    @discardableResult
    public func streamAsync<Chunks: AsyncSequence & SendableMetatype>(
        source: Chunks, sink: any StreamSink
    ) async throws -> StreamMetrics where Chunks.Element == StreamChunk {
        try await stream(source, sink, [])
    }

    /// As `streamAsync(source:sink:)`, with a last step for this run alone, that edits each chunk in place.
    @discardableResult
    // Disfavored, or `{ chunk in chunk }` would be taken for one that edits nothing.
    @_disfavoredOverload
    public func streamAsync<Chunks: AsyncSequence & SendableMetatype>(
        source: Chunks, sink: any StreamSink,
        transform: @escaping @Sendable (inout StreamChunk) throws -> Void
    ) async throws -> StreamMetrics where Chunks.Element == StreamChunk {
        try await stream(source, sink, [StreamContext.step(transform)])
    }

    /// As `streamAsync(source:sink:)`, with a last step for this run alone, that returns the chunk to write, or nil.
    @discardableResult
    public func streamAsync<Chunks: AsyncSequence & SendableMetatype>(
        source: Chunks, sink: any StreamSink,
        transform: @escaping @Sendable (StreamChunk) throws -> StreamChunk?
    ) async throws -> StreamMetrics where Chunks.Element == StreamChunk {
        try await stream(source, sink, [StreamContext.step(transform)])
    }

    private func stream<Chunks: AsyncSequence & SendableMetatype>(
        _ chunks: Chunks, _ sink: any StreamSink, _ more: [ProcessorStep]
    ) async throws -> StreamMetrics where Chunks.Element == StreamChunk {
        let source = (chunks as? any ChunksOfSource)?.anySource
        let run: StreamRun
        do {
            run = try context.begin(more)
        } catch {
            source?.close()
            sink.abort()
            throw error
        }
        return try await context.finishing(run) {
            if let source { return try await run.runSuspending(source, sink) }
            nonisolated(unsafe) let (chunks, sink) = (chunks, sink)
            try await run.together({ try await run.feed(chunks) }, { try await run.runSuspending(nil, sink) })
        }
    }
}

// MARK: - To a closure

extension AsyncStreamContext {
    /// Streams a sequence of chunks to a closure that awaits nothing: it is called on a thread of the run's, for one chunk at a time
    /// and in order, and may block. What it writes to is its own to finish.
    /// - Throws: what the closure throws; else as `StreamContext.stream`.
    @discardableResult
    public func streamAsync<Chunks: AsyncSequence & SendableMetatype>(
        source: Chunks, to deliver: @escaping @Sendable (StreamChunk) throws -> Void
    ) async throws -> StreamMetrics where Chunks.Element == StreamChunk {
        try await stream(source, DeliveringSink(deliver), [])
    }

    /// Streams a sequence of chunks to a closure, which is awaited for each, one at a time and in order. What it writes to is
    /// its own to finish.
    /// - Throws: what the closure throws; else as `StreamContext.stream`.
    @discardableResult
    public func streamAsync<Chunks: AsyncSequence & SendableMetatype>(
        source: Chunks, to deliver: @escaping @Sendable (StreamChunk) async throws -> Void
    ) async throws -> StreamMetrics where Chunks.Element == StreamChunk {
        let chunksOf = (source as? any ChunksOfSource)?.anySource
        let run: StreamRun
        do {
            run = try context.begin([])
        } catch {
            chunksOf?.close()
            throw error
        }
        return try await context.finishing(run) {
            if let chunksOf { return try await run.run(chunksOf, deliver) }
            nonisolated(unsafe) let chunks = source
            try await run.together({ try await run.feed(chunks) }, { try await run.run(nil, deliver) })
        }
    }
}

/// Hands chunks to a closure.
private final class DeliveringSink: StreamSink {
    private let deliver: (StreamChunk) throws -> Void

    init(_ deliver: @escaping (StreamChunk) throws -> Void) { self.deliver = deliver }

    func writeChunk(_ chunk: StreamChunk) throws { try deliver(chunk) }
}

extension StreamContext {
    /// Awaits a run that this context has begun, cancels it with the task, and keeps its status.
    func finishing(_ run: StreamRun, _ body: () async throws -> Void) async throws -> StreamMetrics {
        do {
            try await withTaskCancellationHandler {
                try await body()
            } onCancel: {
                run.cancel()
            }
            end(.completed)
            return run.metrics
        } catch {
            end(.error)
            // What the task was doing may have heard of it before the run did.
            throw error is CancellationError && Task.isCancelled ? StreamError.cancelled : error
        }
    }
}

extension StreamRun {
    /// Awaits both; where one throws, the other is ended too.
    fileprivate func together(
        _ feed: @escaping @Sendable () async throws -> Void, _ write: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(operation: feed)
            group.addTask(operation: write)
            do {
                while try await group.next() != nil {}
            } catch {
                interrupt.stop(StreamError(wrapping: error))
                group.cancelAll()
                throw error
            }
        }
    }
}

/// Chunks that a source has, whatever its type.
protocol ChunksOfSource {
    var anySource: any StreamSource { get }
}

extension ChunkSequence: ChunksOfSource {
    var anySource: any StreamSource { source }
}
