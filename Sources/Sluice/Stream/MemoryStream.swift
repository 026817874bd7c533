/// Records that are in memory, as a source.
public final class MemoryStreamSource: StreamSource {
    private let records: RecordBatch
    private let chunkSize: Int
    private let origin = ChunkOrigin.Source(metadata: ["format": "memory"])
    private var position = 0
    private var sequenceNumber = 0
    private var isClosed = false

    /// - Parameters:
    ///   - records: all of them, in order.
    ///   - chunkSize: records of a chunk, at least 1; the last may have fewer.
    public convenience init(_ records: some Sequence<Record>, chunkSize: Int = 1000) {
        self.init(batch: records as? RecordBatch ?? RecordBatch(records), chunkSize: chunkSize)
    }

    /// - Parameters:
    ///   - values: become a record each: see `RecordBatch(encoding:)`.
    ///   - chunkSize: records of a chunk, at least 1; the last may have fewer.
    ///   - conversions: how types are written that would not do it themselves, as dates.
    /// - Throws: `StreamError` with the record's place and the column.
    public convenience init<T: Encodable>(
        encoding values: [T], chunkSize: Int = 1000, converting conversions: [CodingConversion] = []
    ) throws(StreamError) {
        self.init(batch: try RecordBatch(encoding: values, converting: conversions), chunkSize: chunkSize)
    }

    private init(batch: RecordBatch, chunkSize: Int) {
        precondition(chunkSize > 0, "chunkSize is at least 1")
        records = batch
        self.chunkSize = chunkSize
    }

    /// The next chunk of up to `chunkSize` records; nil at the end.
    /// - Throws: `closed` after `close`: that is not the end.
    public func readChunk() throws -> StreamChunk? {
        guard !isClosed else { throw StreamError(.closed, "the source is closed", stage: "cut") }
        guard position < records.count else { return nil }
        let end = min(records.count, position + chunkSize)
        defer {
            position = end
            sequenceNumber += 1
        }
        return StreamChunk(
            data: records.selecting(position..<end), sequenceNumber: sequenceNumber,
            timestamp: Clock.secondsSince1970(),
            isLast: end == records.count,
            origin: ChunkOrigin(
                source: origin, progress: Double(end) / Double(records.count), itemCount: end - position))
    }

    public func close() { isClosed = true }
}

extension MemoryStreamSource: RunParticipant {
    func join(_ terms: RunTerms) {}
    var mayBlock: Bool { false }
    var consumedShare: Double? { records.isEmpty ? 1 : Double(position) / Double(records.count) }
}

/// Collects chunks in memory.
///
/// What it keeps are compact copies: the blocks of the input, which hold more than one chunk, are let go.
public final class MemoryStreamSink: StreamSink {
    /// The chunks written so far.
    public private(set) var chunks: [StreamChunk] = []
    private var isClosed = false

    public init() {}

    /// The records written so far, in order. Complexity: O(n).
    public var records: [Record] { chunks.flatMap(\.data) }

    /// - Throws: `closed` after `close`.
    public func writeChunk(_ chunk: StreamChunk) throws {
        guard !isClosed else { throw StreamError(.closed, "the sink is closed", stage: "commit") }
        var chunk = chunk
        chunk.data = chunk.data.compacted()
        chunks.append(chunk)
    }

    public func close() throws { isClosed = true }

    /// Forgets what was written.
    public func abort() {
        if !isClosed { chunks = [] }
        isClosed = true
    }
}

extension MemoryStreamSink: RunParticipant {
    func join(_ terms: RunTerms) {}
    var mayBlock: Bool { false }
}
