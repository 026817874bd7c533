import CSluiceSQLite
import Sluice

/// A transaction; inside one of somebody else's, on a borrowed connection, a savepoint.
final class SQLiteTransaction: DatabaseTransaction {
    private let connection: SQLiteConnection
    private let isNested: Bool
    private var isOver = false
    /// What was written to last.
    private var writer: SQLiteWriter?
    private var savepoint: (begin: SQLiteStatement, release: SQLiteStatement, undo: SQLiteStatement)?

    /// - Throws: `databaseBusy` where another one of the connection is under way.
    init(_ connection: SQLiteConnection) throws {
        self.connection = connection
        isNested = try connection.use { handle in
            guard connection.transaction == nil else {
                throw StreamError(
                    .databaseBusy, "something else is being written through this connection", path: connection.path,
                    stage: "commit", hint: "end it first, or open the database once more")
            }
            return !connection.isOwn && sqlite3_get_autocommit(handle) == 0
        }
        // At once for writing: to become a writer later may fail however long one waits.
        try connection.execute(isNested ? "SAVEPOINT sluice_run" : "BEGIN IMMEDIATE")
        try connection.use { _ in connection.transaction = self }
    }

    deinit { rollBack() }

    private func checkIsOpen() throws {
        guard isOver else { return }
        throw StreamError(.closed, "the transaction is over", path: connection.path, stage: "commit")
    }

    func describe(_ table: String) throws -> TableDescription? {
        try checkIsOpen()
        return try connection.describe(table)
    }

    func create(_ table: TableDescription) throws { try change(try SQLText.create(table)) }

    func add(_ column: ColumnDescription, to table: String) throws { try change(try SQLText.add(column, to: table)) }

    func empty(_ table: String) throws { try change("DELETE FROM \(try SQLText.quoted(table))") }

    private func change(_ sql: String) throws {
        try checkIsOpen()
        try dropWriter()
        try connection.execute(sql)
    }

    private func dropWriter() throws {
        try connection.use { writer?.finish($0) }
        writer = nil
    }

    func rows(_ query: String, _ parameters: [Value]) throws -> RecordBatch {
        try checkIsOpen()
        return try connection.rows(query, parameters)
    }

    func write(_ batch: RecordBatch, _ positions: Range<Int>, to target: WriteTarget) throws -> Int {
        try checkIsOpen()
        if writer?.target != target {
            try dropWriter()
            writer = try SQLiteWriter(target, connection)
        }
        guard let writer else { return 0 }
        return try connection.use { handle in
            let savepoint = try preparedSavepoint()
            try savepoint.begin.run("commit")
            do {
                let changes = try writer.write(batch, positions) { try savepoint.undo.run("commit") }
                try savepoint.release.run("commit")
                return changes
            } catch {
                try? savepoint.undo.run("commit")
                try? savepoint.release.run("commit")
                // Some errors end the transaction as a whole: a full disk, say.
                if !isNested, sqlite3_get_autocommit(handle) != 0 { end() }
                throw error
            }
        }
    }

    private func end() {
        isOver = true
        connection.transaction = nil
    }

    private func preparedSavepoint() throws -> (begin: SQLiteStatement, release: SQLiteStatement, undo: SQLiteStatement)
    {
        if let savepoint { return savepoint }
        let made = (
            begin: try connection.prepare("SAVEPOINT sluice_batch", "commit"),
            release: try connection.prepare("RELEASE sluice_batch", "commit"),
            undo: try connection.prepare("ROLLBACK TO sluice_batch", "commit")
        )
        savepoint = made
        return made
    }

    func commit() throws {
        try checkIsOpen()
        finishStatements()
        try connection.execute(isNested ? "RELEASE sluice_run" : "COMMIT")
        _ = try? connection.use { _ in end() }
    }

    func rollBack() {
        guard !isOver else { return }
        isOver = true
        finishStatements()
        // There is nobody to tell; without it the transaction ends with the connection.
        try? connection.rollBack(isNested ? "ROLLBACK TO sluice_run; RELEASE sluice_run" : "ROLLBACK")
        _ = try? connection.use { _ in connection.transaction = nil }
        // Who was interrupted is over: others wait for locks again.
        connection.goOn()
    }

    /// While the connection is there.
    private func finishStatements() {
        _ = try? connection.use { handle in
            writer?.finish(handle)
            savepoint?.begin.finish()
            savepoint?.release.finish()
            savepoint?.undo.finish()
        }
        writer = nil
        savepoint = nil
    }
}

/// A statement that writes the records of a batch, prepared once.
final class SQLiteWriter {
    let target: WriteTarget
    private let connection: SQLiteConnection
    private let statement: SQLiteStatement
    private let binder: RowBinder
    /// The connection's.
    private let feed: OpaquePointer
    /// SQLite reads all rows before it writes the first.
    private let hasTriggers: Bool

    init(_ target: WriteTarget, _ connection: SQLiteConnection) throws {
        self.target = target
        self.connection = connection
        guard let table = try connection.describe(target.table) else {
            throw StreamError(
                .unknownTable, "there is no table \"\(target.table)\"", path: connection.path, stage: "commit")
        }
        let affinities = try target.columns.map { name in
            guard let column = table.column(name) else {
                throw StreamError(
                    .unknownColumn, "\"\(target.table)\" has no such column", path: connection.path, column: name,
                    stage: "commit")
            }
            let isKey = target.mode.key.contains { $0.asciiLowercased == name.asciiLowercased }
            return UInt8(Self.affinity(column.type).rawValue) | (isKey ? UInt8(SLUICE_SQLITE_IS_KEY) : 0)
        }
        hasTriggers = try connection.hasTriggers(target.table)
        binder = try RowBinder(columns: target.columns)
        (feed, statement) = try connection.use { handle in
            guard let feed = sluice_sqlite_feed_create(affinities, UInt32(affinities.count), target.keepsTexts) else {
                throw StreamError(.databaseFailed, "there is no memory", path: connection.path, stage: "commit")
            }
            let code = sluice_sqlite_feed_register(feed, handle, SQLText.feedName)
            try connection.check(code, nil, "commit")
            return (feed, try connection.prepare(try SQLText.insert(into: target), "commit"))
        }
    }

    /// Inside `use` of the connection, which forgets what was made for it.
    func finish(_ handle: OpaquePointer) {
        statement.finish()
        sqlite3_create_module_v2(handle, SQLText.feedName, nil, nil, nil)
    }

    /// Source: "Datatypes In SQLite", section 3.1. `ANY` stands for itself in strict tables; in others SQLite makes numbers of its
    /// texts by itself.
    private static func affinity(_ type: String) -> sluice_sqlite_affinity {
        let type = type.asciiLowercased
        func has(_ part: String) -> Bool { type.contains(part) }
        if has("int") { return SLUICE_SQLITE_INTEGER }
        if has("char") || has("clob") || has("text") { return SLUICE_SQLITE_TEXT }
        if has("blob") || type.isEmpty || type == "any" { return SLUICE_SQLITE_BLOB }
        if has("real") || has("floa") || has("doub") { return SLUICE_SQLITE_REAL }
        return SLUICE_SQLITE_NUMERIC
    }

    /// Inside `use` of the connection.
    /// - Parameter undo: takes back what was written of the batch.
    /// - Returns: rows that were inserted or changed.
    func write(_ batch: RecordBatch, _ positions: Range<Int>, undo: () throws -> Void) throws -> Int {
        var changes = 0
        guard let failure = try run(batch, positions, rowsAtOnce: .max, &changes) else { return changes }
        // Which record was it? Where that is not known yet, it is found out one after the other.
        guard isLate(failure), (try? undo()) != nil else { throw failure }
        throw try run(batch, positions, rowsAtOnce: 1, &changes) ?? failure
    }

    /// Whether more rows may have been read when the error came than up to the one at fault.
    private func isLate(_ failure: StreamError) -> Bool {
        guard let code = (failure.underlying as? SQLiteError)?.extendedCode else { return false }
        // SQLITE_CONSTRAINT_FOREIGNKEY is found at the end of the statement.
        return code & 0xFF == SQLITE_CONSTRAINT && (hasTriggers || code >> 8 == 3)
    }

    /// What went wrong, if anything did.
    private func run(_ batch: RecordBatch, _ positions: Range<Int>, rowsAtOnce: Int, _ changes: inout Int) throws
        -> StreamError?
    {
        var failure: StreamError?
        try binder.forEachRun(of: batch) { run in
            let wanted = run.positions.clamped(to: positions)
            let first = run.positions.lowerBound
            var row = wanted.lowerBound
            while row < wanted.upperBound, failure == nil {
                let end = rowsAtOnce < wanted.upperBound - row ? row + rowsAtOnce : wanted.upperBound
                var (place, column, changed) = (UInt32(row - first), UInt32(0), Int32(0))
                let code = run.withCore { rows, columns, _ in
                    sluice_sqlite_feed_run(
                        feed, statement.handle, rows, columns, &place, UInt32(end - first), &column, &changed)
                }
                changes += Int(changed)
                // All rows may have been read before the first was written.
                if code != SQLITE_OK { failure = self.failure(code, min(first + Int(place), end - 1), Int(column)) }
                row = end
            }
        }
        return failure
    }

    private func failure(_ code: Int32, _ position: Int, _ column: Int) -> StreamError {
        func wrong(_ kind: StreamError.Code, _ message: String, _ hint: String?) -> StreamError {
            StreamError(
                kind, message, path: connection.path, record: position + 1, column: target.columns[column],
                stage: "commit",
                hint: hint)
        }
        return switch code {
        case SLUICE_SQLITE_OUT_OF_RANGE:
            wrong(.outOfRange, "the number has more digits than SQLite's numbers keep", "declare the column TEXT")
        case SLUICE_SQLITE_NOT_FINITE: wrong(.numberNotFinite, "SQLite has no NaN", "set null instead")
        case SLUICE_SQLITE_NULL_KEY: wrong(.nullField, "the key is null, or missing", nil)
        case SLUICE_SQLITE_OTHER_TEXT:
            wrong(
                .typeMismatch, "the text would become a number that is printed in another way",
                "create the table before, with this column as TEXT")
        case SLUICE_SQLITE_TOO_LONG: wrong(.recordTooLarge, "the text is longer than SQLite takes", nil)
        default: connection.error(code, statement.sql, "commit", record: position + 1)
        }
    }
}
