/// The rows of a query, as records.
///
///     let source = try DatabaseStreamSource(
///         database: db, query: "SELECT id, name FROM users WHERE active ORDER BY id", chunkSize: 5000)
///
/// The query runs as it is written, in one snapshot of the database, and its rows are fetched as they are needed: memory does not
/// depend on how many there are. Values keep the types that the database has. Columns need unique names (`AS`).
public final class DatabaseStreamSource: StreamSource {
    private let cursor: any DatabaseCursor
    let mayBlock: Bool
    private let chunkSize: Int
    private let fetchSize: Int
    private let rowCount: Int?
    private let origin: ChunkOrigin.Source
    /// Fetched and not handed out; the next one last.
    private var fetched: [RecordBatch] = []
    private var rows = 0
    private var sequenceNumber = 0
    private var isClosed = false
    private var failure: (any Error)?
    /// So much is fetched ahead at most, beyond one chunk; and so much text a chunk has, beyond one row.
    private static let fetchedBytes = 1 << 20
    private static let chunkBytes = 1 << 20

    /// - Parameters:
    ///   - query: it only reads.
    ///   - parameters: for the places that the query leaves open (`?`), in order.
    ///   - chunkSize: records of a chunk, at least 1; the last may have fewer, and those whose texts reach 1 MiB.
    ///   - fetchSize: rows that are fetched at a time, as whole chunks; at least `chunkSize`. More than 1 MiB is not fetched
    ///     ahead.
    ///   - countsRows: the rows are counted first, so that progress is known. The database runs the query twice.
    /// - Throws: `StreamError`: `invalidConfiguration`, or the database's for a query that is wrong.
    public init(
        database: any StreamDatabase, query: String, parameters: [Value] = [], chunkSize: Int = 1000,
        fetchSize: Int? = nil, countsRows: Bool = false
    ) throws {
        guard chunkSize >= 1, chunkSize <= fetchSize ?? chunkSize else {
            throw StreamError(
                .invalidConfiguration, "chunkSize is at least 1, and fetchSize at least that", path: database.name,
                hint: "chunkSize is \(chunkSize), fetchSize \(fetchSize ?? chunkSize)")
        }
        self.chunkSize = chunkSize
        self.fetchSize = fetchSize ?? max(chunkSize, 1000)
        mayBlock = database.mayBlock
        origin = ChunkOrigin.Source(metadata: ["database": .string(database.name), "query": .string(query)])
        rowCount = countsRows ? try Self.count(database, query, parameters) : nil
        cursor = try database.read(query, parameters, fetchSize: self.fetchSize)
    }

    private static func count(_ database: any StreamDatabase, _ query: String, _ parameters: [Value]) throws -> Int? {
        let cursor = try database.read(
            "SELECT count(*) AS n FROM \(query.asSubquery)", parameters, fetchSize: 1)
        defer { cursor.close() }
        return try cursor.next(1)?.first?["n", as: Int.self]
    }

    public var schema: Schema? { cursor.schema }

    /// Rows that were handed out.
    public private(set) var rowsRead = 0

    /// The next chunk; nil at the end.
    /// - Throws: `StreamError`: what the database says, with the number of the row; `closed` after `close`.
    public func readChunk() throws -> StreamChunk? {
        guard !isClosed else { throw StreamError(.closed, "the source is closed", path: nil, stage: "cut") }
        if fetched.isEmpty { try fetch() }
        guard let batch = fetched.popLast() else { return nil }
        rowsRead += batch.count
        defer { sequenceNumber += 1 }
        return StreamChunk(
            data: batch, sequenceNumber: sequenceNumber, timestamp: Clock.secondsSince1970(),
            isLast: fetched.isEmpty && cursor.isAtEnd && failure == nil,
            origin: ChunkOrigin(source: origin, progress: consumedShare, itemCount: batch.count))
    }

    /// An error comes behind the rows that were fetched before it.
    private func fetch() throws {
        if let failure { throw failure }
        var batches: [RecordBatch] = []
        var (count, bytes) = (0, 0)
        do {
            while count + chunkSize <= fetchSize, bytes < Self.fetchedBytes,
                let batch = try cursor.next(chunkSize, maxBytes: Self.chunkBytes)
            {
                count += batch.count
                bytes += batch.addedBytes
                batches.append(batch)
            }
        } catch {
            failure = error
            if batches.isEmpty { throw error }
        }
        fetched = batches.reversed()
    }

    public func close() {
        isClosed = true
        fetched = []
        cursor.close()
    }
}

extension DatabaseStreamSource: RunParticipant {
    func join(_ terms: RunTerms) {
        terms.interrupt.onStop { [part = Interruptible(cursor: cursor)] in part.cursor.interrupt() }
    }

    var needsClock: Bool { true }

    var consumedShare: Double? { rowCount.map { $0 == 0 ? 1 : min(1, Double(rowsRead) / Double($0)) } }
}

/// A cursor, for who only interrupts it.
// SAFETY: `interrupt` may be called on any thread, by contract.
private struct Interruptible: @unchecked Sendable {
    let cursor: any DatabaseCursor
}
