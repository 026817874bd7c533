/// A part of a stream: records in order, and what is known about them.
public struct StreamChunk: Sendable {
    /// The records.
    public var data: RecordBatch
    /// Place of the chunk in its source's stream, from 0.
    public var sequenceNumber: Int
    /// When the chunk was made: seconds since 1970.
    public var timestamp: Double
    /// Whether it is the last chunk of its source. Informs; nothing obeys it.
    public var isLast: Bool

    private var givenID: String?
    private var givenMetadata: [String: Value]?
    private var origin: ChunkOrigin?

    /// - Parameters:
    ///   - data: the records.
    ///   - chunkID: unique by default.
    ///   - sequenceNumber: place in the stream, from 0.
    ///   - metadata: whatever goes with the chunk.
    ///   - timestamp: seconds since 1970; now by default.
    ///   - isLast: whether the stream ends with it.
    public init(
        data: RecordBatch, chunkID: String? = nil, sequenceNumber: Int = 0, metadata: [String: Value] = [:],
        timestamp: Double? = nil, isLast: Bool = false
    ) {
        self.data = data
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp ?? Clock.secondsSince1970()
        self.isLast = isLast
        givenID = chunkID ?? "chunk-\(ChunkOrigin.nextSource())"
        givenMetadata = metadata
    }

    init(data: RecordBatch, sequenceNumber: Int, timestamp: Double, isLast: Bool, origin: ChunkOrigin) {
        self.data = data
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.isLast = isLast
        self.origin = origin
    }

    /// Unique to this chunk within the process, unless it was given. Made when it is first asked for.
    public var chunkID: String {
        get { givenID ?? origin.map { "\($0.source.name)-\(sequenceNumber)" } ?? "" }
        set { givenID = newValue }
    }

    /// What goes with the chunk. Chunks of files have `path`, `format`, `compression`, `progress` (share of the file's bytes, as
    /// they are on disk, that were consumed when the chunk was cut; 0 ... 1, absent where the length is not known) and
    /// `item_count`. Made when it is asked for.
    public var metadata: [String: Value] {
        get {
            if let givenMetadata { return givenMetadata }
            guard let origin else { return [:] }
            var metadata = origin.source.metadata
            if let progress = origin.progress { metadata["progress"] = .double(progress) }
            metadata["item_count"] = Value(origin.itemCount)
            return metadata
        }
        set { givenMetadata = newValue }
    }
}

/// What a chunk knows of where it came from.
struct ChunkOrigin: Sendable {
    /// What is the same for all chunks of a source.
    final class Source: Sendable {
        let name: String
        let metadata: [String: Value]

        init(metadata: [String: Value]) {
            name = "source\(ChunkOrigin.nextSource())"
            self.metadata = metadata
        }
    }

    let source: Source
    var progress: Double?
    var itemCount: Int

    private static let sources = Counter()

    /// A number that no other caller gets.
    static func nextSource() -> Int { sources.next() }
}
