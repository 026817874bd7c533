/// Where records come from: chunk after chunk, until there are no more.
///
/// Adopting it takes `readChunk`; sources that can do better refine it as `SplitSource`.
public protocol StreamSource: AnyObject, SendableMetatype {
    /// The columns that all records have, as far as they are known; nil where each record has its own.
    var schema: Schema? { get }

    /// The next chunk; nil at the end, and at every call after it.
    /// - Throws: what keeps the source from going on, never to say that it has ended.
    func readChunk() throws -> StreamChunk?

    /// Lets go of what the source holds. Calling it again does nothing.
    func close()
}

extension StreamSource {
    public var schema: Schema? { nil }

    public func close() {}

    /// Calls `body` with each chunk up to the end.
    public func forEach(_ body: (StreamChunk) throws -> Void) throws {
        while let chunk = try readChunk() { try body(chunk) }
    }

    /// The chunks as an asynchronous sequence.
    public var chunks: ChunkSequence<Self> { ChunkSequence(source: self) }
}

/// The chunks of a source, for `for try await`.
///
/// A source that may have to wait, for a pipe or for whatever users' own sources wait for, is read on a thread of its own while the
/// task is suspended: no thread of the cooperative pool is held up.
public struct ChunkSequence<Source: StreamSource>: AsyncSequence {
    /// Whose chunks these are.
    public let source: Source

    public struct AsyncIterator: AsyncIteratorProtocol {
        let source: Source
        public mutating func next() async throws -> StreamChunk? {
            try Task.checkCancellation()
            if (source as? any RunParticipant)?.mayBlock == false { return try source.readChunk() }
            // The caller waits meanwhile.
            nonisolated(unsafe) let source = source
            return try await SystemThread.suspending("sluice-read") { try source.readChunk() }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }
}

/// How much a source may put into one unit.
///
/// A unit is as many whole chunks as it takes to reach `bytes` or `records`, at least one; where its limits fall depends on
/// the data and these numbers alone, never on timing.
public struct UnitLimit: Sendable {
    /// Bytes of the input that are enough; at most 256 MiB count.
    public var bytes: Int
    /// Records that are enough.
    public var records: Int
    /// Whether the unit is decoded at once, on the same thread, so that what cut sees on its way is worth keeping.
    public var decodesNext: Bool

    public init(bytes: Int = 256 << 10, records: Int = .max, decodesNext: Bool = false) {
        self.bytes = bytes
        self.records = records
        self.decodesNext = decodesNext
    }
}

/// What goes from cut to decode: whole chunks that are not decoded yet.
public protocol StreamUnit: Sendable {
    /// Records of the unit, as the cut counts them.
    var recordCount: Int { get }
    /// Bytes of the input that they take, decompressed.
    var byteCount: Int { get }
}

/// A source whose work is split in two, so that several threads can share it: *cut*, serial and cheap, finds where chunks end;
/// *decode*, on any thread, makes records of what was cut.
public protocol SplitSource: StreamSource {
    /// What goes from cut to decode: bytes of whole chunks.
    associatedtype Unit: StreamUnit

    /// The next unit; nil at the end.
    func cut(_ limit: UnitLimit) throws -> Unit?

    /// The chunks of a unit. Does not touch the source's own state: units may be decoded in any order, on any thread.
    func decode(_ unit: Unit) throws -> DecodedUnit
}

/// The chunks of one unit: views of one base.
public struct DecodedUnit: Sendable, RandomAccessCollection {
    let base: BatchBase
    /// Where each chunk ends, in rows.
    let ends: [Int]
    var firstSequenceNumber: Int
    var isLast: Bool
    let timestamp: Double
    var source: ChunkOrigin.Source
    var progress: Double?

    /// Records of all chunks, as the index counts them.
    public var recordCount: Int { base.rowCount }

    public var startIndex: Int { 0 }
    public var endIndex: Int { ends.count }

    public subscript(position: Int) -> StreamChunk {
        chunk(position, position == 0 ? 0 : ends[position - 1], isLast: position == ends.count - 1)
    }

    /// The records of all chunks as one, for those who do not tell chunks apart; nil where there are none.
    var joined: StreamChunk? { ends.isEmpty ? nil : chunk(ends.count - 1, 0, isLast: true) }

    /// - Parameter isLast: of the unit.
    private func chunk(_ position: Int, _ start: Int, isLast: Bool) -> StreamChunk {
        StreamChunk(
            data: RecordBatch(base: base, rows: start..<ends[position]),
            sequenceNumber: firstSequenceNumber + position, timestamp: timestamp, isLast: self.isLast && isLast,
            origin: ChunkOrigin(source: source, progress: progress, itemCount: ends[position] - start))
    }
}
