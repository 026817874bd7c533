/// Where records go.
///
/// Adopting it takes `writeChunk`; sinks that can do better refine it as `SplitSink`.
public protocol StreamSink: AnyObject {
    /// Says what columns the source has, before the first chunk, or before `close` where none comes: a CSV file of no records
    /// still gets its header.
    func expect(_ schema: Schema)

    /// Takes a chunk.
    ///
    /// A sink that keeps chunks keeps the blocks of the input that they are views of, and these stay charged to the run's
    /// memory limit: let it keep `chunk.data.compacted()`.
    /// - Throws: what keeps the sink from taking it; the sink can then only be aborted.
    func writeChunk(_ chunk: StreamChunk) throws

    /// Hands all bytes taken so far to the system. Publishes nothing, waits for no disk.
    func flush() throws

    /// Finishes the output and publishes it. Calling it again does nothing.
    func close() throws

    /// Throws the output away and leaves what was there before. After `close` it does nothing.
    func abort()
}

extension StreamSink {
    public func expect(_ schema: Schema) {}
    public func flush() throws {}
    public func close() throws {}
    public func abort() {}
}

/// A sink whose work is split in two: *encode*, on any thread, makes bytes of records; *commit*, serial, writes them in order.
public protocol SplitSink: StreamSink {
    /// What encodes; each thread has its own.
    associatedtype Encoder: ChunkEncoder

    /// Records that this sink's own encoder has turned into bytes so far, counted where that happens.
    var encodedRecords: Int { get }

    /// Whether all that encoders need to know (the columns, say) is decided. Until then chunks are handed, in order, to
    /// `writeChunk`.
    var isReady: Bool { get }

    /// May be called on any thread, once the sink is ready.
    /// - Throws: `closed` before that.
    func makeEncoder() throws -> Encoder

    /// Chunks that were handed to `writeChunk` so far are a whole unit: what the sink puts together (compressed blocks, say)
    /// ends here, as it does where encoders end theirs.
    func endUnit() throws

    /// Takes a whole unit: its chunks as `writeChunk` does, and `endUnit`. Where nobody looks at the chunks, a sink may take their
    /// records at once.
    func writeUnit(_ chunks: DecodedUnit) throws

    /// Writes a block that an encoder made. Blocks come in the order of their chunks.
    func commit(_ block: EncodedBlock) throws
}

extension SplitSink {
    public func writeUnit(_ chunks: DecodedUnit) throws {
        for chunk in chunks { try writeChunk(chunk) }
        try endUnit()
    }
}

/// Makes bytes of records, for one sink on one thread.
public protocol ChunkEncoder: AnyObject {
    /// Records that became bytes so far, counted where that happens.
    var encodedRecords: Int { get }

    /// Encodes a chunk. Blocks are handed to `emit` when they are full; the rest waits for the next chunk, or `endUnit`.
    func encode(_ chunk: StreamChunk, emit: (EncodedBlock) throws -> Void) throws

    /// Hands out what waits, so that the next block starts with the next unit's first byte.
    func endUnit(emit: (EncodedBlock) throws -> Void) throws
}

/// Bytes as they go to the output.
public struct EncodedBlock: Sendable {
    let block: ByteBlock
    /// Bytes of the block that are filled.
    public let count: Int
    /// Bytes these were before compression.
    public let rawCount: Int
    /// These bytes before compression, for checksums of all; nil where they are not compressed.
    private let raw: (block: ByteBlock, start: Int)?

    init(block: ByteBlock, count: Int, rawCount: Int, raw: (block: ByteBlock, start: Int)? = nil) {
        self.block = block
        self.count = count
        self.rawCount = rawCount
        self.raw = raw
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: block.base, count: count) }
    var rawBytes: UnsafeRawBufferPointer? {
        raw.map { UnsafeRawBufferPointer(start: $0.block.base + $0.start, count: rawCount) }
    }
}
