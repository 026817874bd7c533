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

    init(_ connection: SQLiteConnection) throws {
        self.connection = connection
        isNested = try connection.use { sqlite3_get_autocommit($0) == 0 }
        // At once for writing: to become a writer later may fail however long one waits.
        try connection.execute(isNested ? "SAVEPOINT sluice_run" : "BEGIN IMMEDIATE")
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
        try connection.execute(sql)
        // Its columns' types may have changed.
        writer = nil
    }

    func rows(_ query: String, _ parameters: [Value]) throws -> RecordBatch {
        try checkIsOpen()
        return try connection.rows(query, parameters)
    }

    func write(_ batch: RecordBatch, _ positions: Range<Int>, to target: WriteTarget) throws -> Int {
        try checkIsOpen()
        if writer?.target != target { writer = try SQLiteWriter(target, connection) }
        guard let writer else { return 0 }
        return try connection.use { handle in
            let savepoint = try preparedSavepoint()
            try savepoint.begin.run("commit")
            let before = sqlite3_total_changes(handle)
            do {
                try writer.write(batch, positions)
            } catch {
                try? savepoint.undo.run("commit")
                try? savepoint.release.run("commit")
                // Some errors end the transaction as a whole: a full disk, say.
                if !isNested, sqlite3_get_autocommit(handle) != 0 { isOver = true }
                throw error
            }
            try savepoint.release.run("commit")
            return Int(sqlite3_total_changes(handle) &- before)
        }
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
        isOver = true
    }

    func rollBack() {
        guard !isOver else { return }
        isOver = true
        finishStatements()
        // There is nobody to tell; without it the transaction ends with the connection.
        try? connection.execute(isNested ? "ROLLBACK TO sluice_run; RELEASE sluice_run" : "ROLLBACK")
    }

    /// While the connection is there.
    private func finishStatements() {
        _ = try? connection.use { _ in
            writer?.finish()
            savepoint?.begin.finish()
            savepoint?.release.finish()
            savepoint?.undo.finish()
        }
        writer = nil
        savepoint = nil
    }
}

/// A statement that writes rows, prepared once.
final class SQLiteWriter {
    let target: WriteTarget
    private let connection: SQLiteConnection
    private let statement: SQLiteStatement
    private let binder: RowBinder
    private let affinities: [UInt8]
    private var insert = sluice_sqlite_insert()

    init(_ target: WriteTarget, _ connection: SQLiteConnection) throws {
        self.target = target
        self.connection = connection
        guard let table = try connection.describe(target.table) else {
            throw StreamError(
                .unknownTable, "there is no table \"\(target.table)\"", path: connection.path, stage: "commit")
        }
        affinities = try target.columns.map { name in
            guard let column = table.column(name) else {
                throw StreamError(
                    .unknownColumn, "\"\(target.table)\" has no such column", path: connection.path, column: name,
                    stage: "commit")
            }
            return UInt8(Self.affinity(column.type).rawValue)
        }
        binder = try RowBinder(columns: target.columns)
        statement = try connection.use { _ in try connection.prepare(try SQLText.insert(into: target), "commit") }
    }

    deinit { sluice_sqlite_insert_free(&insert) }

    func finish() { statement.finish() }

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
    func write(_ batch: RecordBatch, _ positions: Range<Int>) throws {
        try binder.forEachRun(of: batch) { run in
            let wanted = run.positions.clamped(to: positions)
            guard !wanted.isEmpty else { return }
            let first = run.positions.lowerBound
            let code = run.withCore { rows, columns, count in
                affinities.withUnsafeBufferPointer { affinities in
                    insert.statement = statement.handle
                    insert.affinities = affinities.baseAddress
                    insert.row = UInt32(wanted.lowerBound - first)
                    return sluice_sqlite_insert_rows(
                        &insert, rows, columns, UInt32(count), UInt32(wanted.upperBound - first))
                }
            }
            if code != SQLITE_OK { try fail(code, first + Int(insert.row)) }
        }
    }

    private func fail(_ code: Int32, _ position: Int) throws {
        let record = position + 1
        let column = target.columns[min(Int(insert.column), target.columns.count - 1)]
        switch code {
        case SLUICE_SQLITE_OUT_OF_RANGE:
            throw StreamError(
                .outOfRange, "the number has more digits than SQLite's numbers keep", path: connection.path,
                record: record,
                column: column, stage: "commit", hint: "declare the column TEXT")
        case SLUICE_SQLITE_NOT_FINITE:
            throw StreamError(
                .numberNotFinite, "SQLite has no NaN", path: connection.path, record: record, column: column,
                stage: "commit", hint: "set null instead")
        case SLUICE_SQLITE_TOO_LONG:
            throw StreamError(
                .recordTooLarge, "the text is longer than SQLite takes", path: connection.path, record: record,
                column: column, stage: "commit")
        default: try connection.check(code, statement.sql, "commit", record: record)
        }
    }
}
