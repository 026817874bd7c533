/// Streams a source through one transform into a sink, on the caller's thread.
///
///     let result = BasicStreamProcessor(
///         source: try FileStreamSource("input.csv"), sink: try FileStreamSink("output.jsonl")
///     ) { chunk in
///         for i in chunk.data.indices { chunk.data[i]["processed"] = true }
///     }.process()
public final class BasicStreamProcessor {
    private let source: any StreamSource
    private let sink: any StreamSink
    private let bufferSize: Int
    private let transform: ((inout StreamChunk) throws -> Bool)?

    /// - Parameters:
    ///   - source: is closed at the end.
    ///   - sink: is closed at the end, or aborted on an error.
    ///   - bufferSize: records that are read ahead at most, but for the chunk that reaches it; at least 1.
    ///   - transform: edits each chunk in place; nil: records go through as they are.
    public init(
        source: any StreamSource, sink: any StreamSink, bufferSize: Int = 10_000,
        transform: ((inout StreamChunk) throws -> Void)? = nil
    ) {
        precondition(bufferSize >= 1, "bufferSize is at least 1")
        self.source = source
        self.sink = sink
        self.bufferSize = bufferSize
        self.transform = transform.map { transform in
            { chunk in
                try transform(&chunk)
                return true
            }
        }
    }

    /// - Parameter transform: returns the chunk to write in the place of the one it is given; nil filters it out.
    // Disfavored, or a closure that only edits under an `if` would be taken for one that forgot to return.
    @_disfavoredOverload
    public init(
        source: any StreamSource, sink: any StreamSink, bufferSize: Int = 10_000,
        transform: @escaping (StreamChunk) throws -> StreamChunk?
    ) {
        precondition(bufferSize >= 1, "bufferSize is at least 1")
        self.source = source
        self.sink = sink
        self.bufferSize = bufferSize
        self.transform = { chunk in
            guard let new = try transform(chunk) else { return false }
            chunk = new
            return true
        }
    }

    /// Streams to the end. Errors are in the result.
    public func process() -> ProcessingResult {
        var result = ProcessingResult()
        do {
            try run(&result)
        } catch {
            result.errors.append(StreamError(wrapping: error))
        }
        return result
    }

    /// Streams to the end.
    /// - Throws: the first error; the sink is aborted by then.
    @discardableResult
    public func run() throws -> ProcessingResult {
        var result = ProcessingResult()
        try run(&result)
        return result
    }

    private func run(_ result: inout ProcessingResult) throws {
        let start = Clock.monotonicSeconds()
        defer { result.duration = Clock.monotonicSeconds() - start }
        defer { source.close() }
        do {
            try sink.refuseOwnOutput(source)
            if let split = source as? any SplitSource { try pump(split, &result) } else { try pump(&result) }
            try finish(&result)
        } catch {
            sink.abort()
            throw error
        }
    }

    /// Publishes, if the books are even.
    private func finish(_ result: inout ProcessingResult) throws {
        try sink.flush()
        if let split = sink as? any SplitSink, split.isReady { result.encodedRecords = split.encodedRecords }
        try result.checkLedger()
        try sink.close()
    }

    /// Chunk by chunk, from a source of anybody's.
    private func pump(_ result: inout ProcessingResult) throws {
        var isAnnounced = false
        while let chunk = try source.readChunk() {
            announceSchema(&isAnnounced)
            result.readRecords += chunk.data.count
            try step(chunk, &result) { try sink.writeChunk($0) }
        }
        announceSchema(&isAnnounced)
    }

    /// Before the first chunk is written, so that the sink's columns do not depend on how many come. A file tells its columns
    /// with its first chunk, or with its end where it has none.
    private func announceSchema(_ isAnnounced: inout Bool) {
        if !isAnnounced, let schema = source.schema { sink.expect(schema) }
        isAnnounced = true
    }

    /// Unit by unit, so that chunks of few records cost nothing extra.
    private func pump<Source: SplitSource>(_ source: Source, _ result: inout ProcessingResult) throws {
        let limit = UnitLimit(records: bufferSize, decodesNext: true)
        var isAnnounced = false
        while let unit = try source.cut(limit) {
            announceSchema(&isAnnounced)
            let chunks = try source.decode(unit)
            result.readRecords += chunks.recordCount
            try step(chunks, &result)
        }
        announceSchema(&isAnnounced)
    }

    /// One unit into the sink: at once where no transform looks at its chunks.
    private func step(_ chunks: DecodedUnit, _ result: inout ProcessingResult) throws {
        let split = sink as? any SplitSink
        if transform == nil, let split {
            try split.writeUnit(chunks)
            return result.wrote(chunks.joined?.data.count ?? 0, chunks: chunks.count)
        }
        for chunk in chunks { try step(chunk, &result) { try sink.writeChunk($0) } }
        try split?.endUnit()
    }

    /// One chunk through the transform into the sink, each term of the ledger counted where it happens.
    private func step(
        _ chunk: StreamChunk, _ result: inout ProcessingResult, _ write: (StreamChunk) throws -> Void
    ) throws {
        let count = chunk.data.count
        guard let transform else {
            try write(chunk)
            result.wrote(count)
            return
        }
        var chunk = chunk
        let isKept = try transform(&chunk)
        let left = isKept ? chunk.data.count : 0
        if left < count { result.filteredRecords += count - left } else { result.addedRecords += left - count }
        guard isKept else { return }
        try write(chunk)
        result.wrote(left)
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
    /// Records that the transform took away, and those it added.
    public internal(set) var filteredRecords = 0
    public internal(set) var addedRecords = 0
    /// Records that the sink says it encoded; nil for sinks that do not say.
    var encodedRecords: Int?
    /// Seconds.
    public internal(set) var duration = 0.0
    public internal(set) var errors: [StreamError] = []

    /// Whether all went well.
    public var success: Bool { errors.isEmpty }

    mutating func wrote(_ records: Int, chunks: Int = 1) {
        processedChunks += chunks
        processedRecords += records
    }

    /// `read + added = written + filtered`, or something was lost.
    func checkLedger() throws(StreamError) {
        let written = encodedRecords ?? processedRecords
        guard readRecords + addedRecords != written + filteredRecords else { return }
        throw StreamError(
            .brokenLedger,
            "\(readRecords) records read and \(addedRecords) added, but \(written) written and \(filteredRecords) filtered"
        )
    }
}

extension StreamError {
    /// Any error as one of these: that of user code goes along.
    init(wrapping error: any Error) {
        self = error as? StreamError ?? StreamError(.processorFailed, "\(error)", stage: "process", underlying: error)
    }
}
