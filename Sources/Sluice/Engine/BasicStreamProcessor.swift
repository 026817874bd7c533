/// Streams a source through one transform into a sink, on the caller's thread.
///
///     let result = BasicStreamProcessor(
///         source: try FileStreamSource("input.csv"), sink: try FileStreamSink("output.jsonl")
///     ) { chunk in
///         for i in chunk.data.indices { chunk.data[i]["processed"] = true }
///     }.process()
///
/// It is a `StreamContext` with one thread, one processor and no retry, whose errors are in the result.
public final class BasicStreamProcessor {
    private let source: any StreamSource
    private let sink: any StreamSink
    private let config: StreamConfig
    private let steps: [ProcessorStep]

    /// - Parameters:
    ///   - source: is closed at the end.
    ///   - sink: is closed at the end, or aborted on an error.
    ///   - bufferSize: records that are read ahead at most, but for the chunk that reaches it; at least 1.
    ///   - transform: edits each chunk in place; nil: records go through as they are.
    public convenience init(
        source: any StreamSource, sink: any StreamSink, bufferSize: Int = 10_000,
        transform: ((inout StreamChunk) throws -> Void)? = nil
    ) {
        self.init(source, sink, bufferSize, transform.map(Self.step))
    }

    /// - Parameter transform: returns the chunk to write in the place of the one it is given; nil filters it out.
    // Disfavored, or a closure that only edits under an `if` would be taken for one that forgot to return.
    @_disfavoredOverload
    public convenience init(
        source: any StreamSource, sink: any StreamSink, bufferSize: Int = 10_000,
        transform: @escaping (StreamChunk) throws -> StreamChunk?
    ) {
        self.init(source, sink, bufferSize, Self.step(transform))
    }

    private init(_ source: any StreamSource, _ sink: any StreamSink, _ bufferSize: Int, _ step: ProcessorStep?) {
        precondition(bufferSize >= 1, "bufferSize is at least 1")
        self.source = source
        self.sink = sink
        config = StreamConfig(
            bufferSize: bufferSize, parallelism: 1, memoryLimitMB: 1 << 20, backpressureThreshold: bufferSize,
            retryOnError: false)
        steps = step.map { [$0] } ?? []
    }

    // One thread runs the steps: the caller's, or that which the caller waits for.
    private static func step(_ transform: @escaping (inout StreamChunk) throws -> Void) -> ProcessorStep {
        nonisolated(unsafe) let transform = transform
        return StreamContext.step { (chunk: inout StreamChunk) in try transform(&chunk) }
    }

    private static func step(_ transform: @escaping (StreamChunk) throws -> StreamChunk?) -> ProcessorStep {
        nonisolated(unsafe) let transform = transform
        return StreamContext.step { (chunk: StreamChunk) in try transform(chunk) }
    }

    /// Streams to the end. Errors are in the result.
    public func process() -> ProcessingResult {
        do {
            let run = try StreamRun(config, steps)
            return ProcessingResult(run) { try run.run(source, sink) }
        } catch {
            return ProcessingResult(failed: error)
        }
    }

    /// As `process`, on a thread of its own: the task is suspended until the end, and cancelling it ends the run. Code of an actor,
    /// as the main one, says `@Sendable` of the transform, which does not run there: `{ @Sendable (chunk: inout StreamChunk) in`.
    public func processAsync() async -> ProcessingResult {
        do {
            let run = try StreamRun(config, steps)
            var failure: (any Error)?
            do {
                try await withTaskCancellationHandler {
                    try await run.runSuspending(source, sink)
                } onCancel: {
                    run.cancel()
                }
            } catch {
                failure = error
            }
            return ProcessingResult(run) { if let failure { throw failure } }
        } catch {
            return ProcessingResult(failed: error)
        }
    }

    /// Streams to the end.
    /// - Throws: the first error; the sink is aborted by then.
    @discardableResult
    public func run() throws -> ProcessingResult {
        let run = try StreamRun(config, steps)
        try run.run(source, sink)
        return ProcessingResult(run) {}
    }
}

/// What a run came to.
public struct ProcessingResult: Sendable {
    /// Chunks that were written.
    public internal(set) var processedChunks = 0
    /// Records that were written.
    public internal(set) var processedRecords = 0
    /// Records that the source gave.
    public internal(set) var readRecords = 0
    /// Records that the transform took away.
    public internal(set) var filteredRecords = 0
    /// Records that the transform added.
    public internal(set) var addedRecords = 0
    /// Seconds.
    public internal(set) var duration = 0.0
    /// The error that ended the run, if any: one at most. What is no `StreamError` is wrapped as `processorFailed`.
    public internal(set) var errors: [StreamError] = []

    /// Whether all went well.
    public var success: Bool { errors.isEmpty }

    fileprivate init(_ run: StreamRun, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            errors = [StreamError(wrapping: error)]
        }
        let metrics = run.metrics
        (processedChunks, processedRecords) = (metrics.chunksProcessed, metrics.writtenRecords)
        (readRecords, addedRecords) = (metrics.readRecords, metrics.addedRecords)
        (filteredRecords, duration) = (metrics.filteredRecords, metrics.seconds)
    }

    fileprivate init(failed error: any Error) { errors = [StreamError(wrapping: error)] }
}

extension StreamError {
    /// Any error as one of these: that of user code goes along.
    init(wrapping error: any Error) {
        self = error as? StreamError ?? StreamError(.processorFailed, "\(error)", stage: "process", underlying: error)
    }
}
