import CSluiceSQLite
import Sluice

/// The rows of a query. A connection of its own is in one transaction from the first row to the end.
// SAFETY: one thread at a time uses it, by contract, but for `interrupt`, which the connection guards.
final class SQLiteCursor: DatabaseCursor, @unchecked Sendable {
    private let connection: SQLiteConnection
    private let isOwn: Bool
    private let statement: SQLiteStatement
    private var cells = sluice_sqlite_cells()
    private var arenaExpected = 64 << 10
    private var rowsBefore = 0
    private let resets: Int
    private let activity = Monitor(Activity(), conditions: 0)

    private struct Activity {
        /// Its statement runs, and not one of those it shares the connection with.
        var isRunning = false
        /// It was interrupted, and runs no more.
        var isStopped = false
    }

    private var isClosed = false
    private(set) var isAtEnd = false
    let schema: Schema

    /// - Parameters:
    ///   - isOwn: the connection is the cursor's, and closed with it.
    ///   - mayWrite: any statement will do.
    init(
        _ connection: SQLiteConnection, _ query: String, _ parameters: [Value], isOwn: Bool, mayWrite: Bool = false
    ) throws {
        self.connection = connection
        self.isOwn = isOwn
        (statement, schema, resets) = try connection.use { _ in
            let statement = try connection.prepare(query, "cut")
            guard mayWrite || sqlite3_stmt_readonly(statement.handle) != 0 else {
                throw StreamError(
                    .wrongQuery, "a source only reads, and this statement writes: \(query)", path: connection.path,
                    stage: "cut")
            }
            try statement.bind(parameters, "cut")
            return (statement, try Self.schema(of: statement, connection), connection.resets)
        }
        guard mayWrite || schema.count > 0 else {
            throw StreamError(
                .wrongQuery, "the statement has no rows to give: \(query)", path: connection.path, stage: "cut")
        }
        cells.columns = UInt32(schema.count)
    }

    deinit { close() }

    private static func schema(of statement: SQLiteStatement, _ connection: SQLiteConnection) throws -> Schema {
        let names = (0..<sqlite3_column_count(statement.handle)).map { column in
            sqlite3_column_name(statement.handle, column).map { String(cString: $0) } ?? ""
        }
        // By their bytes: two spellings of one character are two names.
        var seen: Set<[UInt8]> = []
        for name in names where !seen.insert(Array(name.utf8)).inserted {
            throw StreamError(
                .differentColumns, "two columns of the query have the same name", path: connection.path, column: name,
                stage: "cut", hint: "name them apart: SELECT a.id AS a_id, …")
        }
        return Schema(names)
    }

    func next(_ rows: Int, maxBytes: Int) throws -> RecordBatch? {
        guard !isClosed else { throw StreamError(.closed, "the cursor is closed", path: connection.path, stage: "cut") }
        guard !isAtEnd else { return nil }
        return try connection.use { _ in
            guard resets == connection.resets else {
                throw StreamError(
                    .closed, "the query was ended with a transaction", path: connection.path, stage: "cut")
            }
            let isStopped = activity.withLock { activity in
                activity.isRunning = !activity.isStopped
                return activity.isStopped
            }
            if isStopped {
                throw StreamError(.cancelled, "the query was interrupted", path: connection.path, stage: "cut")
            }
            defer { activity.withLock { $0.isRunning = false } }
            let batch = try fetch(min(rows, Int(Int32.max)), maxBytes)
            // The snapshot is no longer needed.
            if isAtEnd { statement.finish() }
            return batch
        }
    }

    private func fetch(_ rows: Int, _ maxBytes: Int) throws -> RecordBatch? {
        var capacity = min(rows, Self.rowsAtFirst)
        var builder = CellBatchBuilder(columns: schema.names, capacity: capacity, arena: arenaExpected)
        cells.rows = 0
        cells.filled = 0
        cells.bytes_max = maxBytes
        cells.has_blobs = false
        var code = fill(&builder, capacity)
        while code == SQLITE_ROW, Int(cells.rows) == capacity, capacity < rows, cells.filled < maxBytes {
            capacity = min(rows, 2 * capacity)
            builder.grow(to: capacity)
            code = fill(&builder, capacity)
        }
        arenaExpected = max(arenaExpected, min(builder.arenaCapacity, 1 << 20))
        guard code == SQLITE_ROW || code == SQLITE_DONE else {
            try fail(code)
            return nil
        }
        if rowsBefore == 0 { try checkColumns() }
        isAtEnd = code == SQLITE_DONE
        let count = Int(cells.rows)
        try checkText(builder, count)
        rowsBefore += count
        return count == 0 ? nil : builder.finish(rows: count)
    }

    /// There is room for more once there are more.
    private static let rowsAtFirst = 16_384

    /// SQLite prepares a statement anew where the tables have changed since.
    private func checkColumns() throws {
        guard
            try Self.schema(of: statement, connection).names.elementsEqual(
                schema.names, by: { $0.utf8.elementsEqual($1.utf8) })
        else {
            throw StreamError(
                .databaseFailed, "the tables were changed after the query was prepared", path: connection.path,
                stage: "cut",
                hint: "make the source anew")
        }
    }

    private func fill(_ builder: inout CellBatchBuilder, _ capacity: Int) -> Int32 {
        cells.rows_max = UInt32(capacity)
        let tags = builder.tags.map(Optional.some)
        let payloads = builder.payloads.map(Optional.some)
        return tags.withUnsafeBufferPointer { tags in
            payloads.withUnsafeBufferPointer { payloads in
                cells.tags = tags.baseAddress
                cells.payloads = payloads.baseAddress
                while true {
                    cells.arena = builder.arena
                    cells.capacity = builder.arenaCapacity
                    let code = sluice_sqlite_fetch(statement.handle, &cells)
                    builder.arenaCount = cells.filled
                    guard code == SLUICE_SQLITE_ARENA_FULL else { return code }
                    builder.growArena(to: max(cells.needed, 2 * cells.capacity))
                }
            }
        }
    }

    private func fail(_ code: Int32) throws {
        let record = rowsBefore + Int(cells.rows) + 1
        if code == SLUICE_SQLITE_TOO_LONG {
            throw StreamError(
                .recordTooLarge, "the texts of a batch exceed 4 GiB", path: connection.path, record: record,
                stage: "cut",
                hint: "lower chunkSize")
        }
        try connection.check(code, statement.sql, "cut", record: record)
    }

    /// SQLite does not look at what it stores as text, and everybody else takes it for UTF-8.
    private func checkText(_ builder: borrowing CellBatchBuilder, _ count: Int) throws {
        guard let place = builder.invalidText(rows: count, hasBytes: cells.has_blobs) else { return }
        throw StreamError(
            .invalidUTF8, "the text is no UTF-8", path: connection.path, record: rowsBefore + place.row + 1,
            column: schema.names[place.column], stage: "cut",
            hint: "read it as bytes: CAST(\(schema.names[place.column]) AS BLOB)")
    }

    /// On a connection that it shares, what others run goes on.
    func interrupt() {
        activity.withLock { activity in
            activity.isStopped = true
            if isOwn || activity.isRunning { connection.interrupt() }
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        _ = try? connection.use { _ in statement.finish() }
        if isOwn { connection.close() }
    }
}
