/// Chunk by chunk: who has no source and no sink hands chunks in, and takes them out again, processed and in order.
///
///     try StreamContext.streamingContext { context in
///         context.addProcessor { chunk in chunk.data.setAll("seen", to: true) }
///         while !context.addChunk(chunk) { … }
///         context.finish()
///         while let chunk = try context.getNextChunk() { … }
///     }
///
/// The run begins with the first of these calls, and has the processors that were added before. Every function may be called
/// from any thread. Once the run is over the context may stream; after that a chunk that is handed in begins another one, and until
/// then there is no next chunk.
extension StreamContext {
    /// Hands in a chunk, if there is room.
    /// - Returns: false where there is none, or no more is taken, or the configuration is invalid (`push` says why): nothing has
    ///   changed then.
    public func addChunk(_ chunk: StreamChunk) -> Bool { (try? pushRun(begins: true))?.add(chunk) ?? false }

    /// Hands in records as a chunk, if there is room.
    /// - Parameter isLast: ends the input, if the chunk is taken.
    /// - Returns: as `addChunk`.
    public func addData(_ records: RecordBatch, chunkID: String? = nil, isLast: Bool = false) -> Bool {
        addChunk(StreamChunk(data: records, chunkID: chunkID, isLast: isLast))
    }

    /// Hands in a chunk, and waits for room if there is none.
    /// - Throws: the error that ended the run; `closed` behind the end; `cancelled`, `timedOut`.
    public func push(_ chunk: StreamChunk) throws { try pushRun(begins: true)?.push(chunk) }

    /// Ends the input: no more chunks are taken. A chunk that `isLast` does so, too.
    public func finish() { (try? pushRun())?.finish() }

    /// The next chunk, processed, in the order in which they were handed in; waits for it. Chunks that processors took away are
    /// passed over.
    /// - Returns: nil at the end, and only there.
    /// - Throws: the error of the earliest chunk that failed, at this and every later call; `cancelled`, `timedOut`.
    public func getNextChunk() throws -> StreamChunk? { try pushRun()?.next() }

    /// The next chunk if it is ready, without waiting.
    /// - Returns: nil where it is not, and at the end.
    /// - Throws: as `getNextChunk`.
    public func tryNextChunk() throws -> StreamChunk? { try pushRun()?.nextIfThere() }

    /// Makes a context, lends it to `body`, and closes it.
    /// - Throws: what `body` throws; `closed` where chunks were left that nobody took.
    public static func streamingContext<R>(
        _ config: StreamConfig = StreamConfig(), _ body: (StreamContext) throws -> R
    ) throws -> R {
        let context = StreamContext(config)
        defer { context.close() }
        let result = try body(context)
        let left = try context.startedPushRun?.discard() ?? 0
        guard left == 0 else {
            throw StreamError(
                .closed, "\(left) chunks were handed in that nobody took out", stage: "process",
                hint: "call getNextChunk until it returns nil")
        }
        return result
    }

    private var startedPushRun: PushRun? { withState { $0.push } }

    /// - Parameter begins: whether this begins another run where one is over and the context has streamed since. If not: nil.
    private func pushRun(begins: Bool = false) throws -> PushRun? {
        try withState { state in
            if let push = state.push { return push }
            if state.pushIsOver, !begins { return nil }
            if state.isClosed { throw StreamError(.closed, "the context is closed") }
            if state.status == .active { throw StreamError(.invalidConfiguration, "a run is under way already") }
            let push = try PushRun(config, state.steps, Self.takeListeners(&state))
            (state.push, state.pushIsOver) = (push, false)
            return push
        }
    }
}
