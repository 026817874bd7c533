/// What a source hands out at once, whatever kind of source it is.
struct Cargo: Sendable {
    /// As the cut counts them.
    let records: Int
    /// Bytes of the input, decompressed; 0 where the source does not say.
    let bytes: Int
    /// Bytes of memory that it holds and that are charged to nobody yet.
    var heldBytes = 0
    /// Whether no more may come behind it.
    var isLast = false
    /// Decodes it, on any thread.
    let decoded: @Sendable () throws -> Load
}

/// Chunks that came at once.
enum Load {
    case chunk(StreamChunk)
    case unit(DecodedUnit)

    var chunks: [StreamChunk] {
        switch self {
        case .chunk(let chunk): [chunk]
        case .unit(let unit): Array(unit)
        }
    }

    var chunkCount: Int {
        switch self {
        case .chunk: 1
        case .unit(let unit): unit.count
        }
    }

    /// The same records in as few chunks as can be, for those who do not tell chunks apart.
    var joined: StreamChunk? {
        switch self {
        case .chunk(let chunk): chunk
        case .unit(let unit): unit.joined
        }
    }
}

/// A source as the engine reads it: on one thread at a time, which need not be the one it was made on.
// SAFETY: one thread at a time reads from it; `decode` of a split source touches none of the source's state, by contract.
final class Feed: @unchecked Sendable {
    private let source: any StreamSource
    private let cut: (_ decodesNext: Bool) throws -> Cargo?
    /// Whether what is read is still to be decoded. If not, reading is most of the work.
    let isSplit: Bool
    private let known = Monitor<Schema?>(nil, conditions: 0)
    /// Bytes consumed of the input as it is stored.
    let consumed: () -> Int
    /// Share of the input that was consumed, 0 ... 1; nil where it has no known length.
    let share: () -> Double?

    private init(_ source: any StreamSource, cut: @escaping (_ decodesNext: Bool) throws -> Cargo?) {
        self.source = source
        self.cut = cut
        isSplit = source is any SplitSource
        let files = source as? any RunParticipant
        consumed = { files?.consumedBytes ?? 0 }
        share = { files?.consumedShare }
    }

    /// - Parameter limit: of the units of a split source.
    convenience init(_ source: any StreamSource, _ limit: UnitLimit) {
        if let split = source as? any SplitSource {
            self.init(source, cut: Self.units(of: split, limit))
        } else {
            self.init(source, cut: Self.chunks(of: source))
        }
    }

    /// Cargo that nobody will decode.
    convenience init(counting source: any StreamSource) {
        guard let countable = source as? any CountableSource else {
            self.init(source, UnitLimit())
            return
        }
        self.init(source) { _ in
            try countable.countNext().map {
                Cargo(records: $0.records, bytes: $0.bytes) {
                    .chunk(StreamChunk(data: RecordBatch()))
                }
            }
        }
    }

    private static func chunks(of source: any StreamSource) -> (Bool) throws -> Cargo? {
        { _ in
            try source.readChunk().map { chunk in
                Cargo(records: chunk.data.count, bytes: 0, heldBytes: chunk.data.addedBytes) { .chunk(chunk) }
            }
        }
    }

    private static func units<Source: SplitSource>(of source: Source, _ limit: UnitLimit) -> (Bool) throws -> Cargo? {
        nonisolated(unsafe) let source = source
        return { decodesNext in
            var limit = limit
            limit.decodesNext = decodesNext
            return try source.cut(limit).map { unit in
                Cargo(records: unit.recordCount, bytes: unit.byteCount) { .unit(try source.decode(unit)) }
            }
        }
    }

    /// The next cargo; nil at the end.
    /// - Parameter decodesNext: whether who asks decodes it, too, so that what the cut finds on its way is kept.
    func next(decodesNext: Bool = false) throws -> Cargo? {
        let cargo = try cut(decodesNext)
        known.withLock { schema in if schema == nil { schema = source.schema } }
        return cargo
    }

    /// The columns, as far as they were known with what was handed out last. On any thread.
    var schema: Schema? { known.withLock { $0 } }

    func close() { source.close() }
}
