import CSluiceSQLite
import Sluice

/// A connection, for one thread at a time.
// SAFETY: the handle and what is made from it are used under the lock, or by `interrupt` under a lock of its own, which `close`
// takes as well.
final class SQLiteConnection: @unchecked Sendable {
    // Of a state that is not empty: see CONTRIBUTING.md.
    private let lock = Monitor(0, conditions: 0)
    private let closing = Monitor(false, conditions: 0)
    private var handle: OpaquePointer?
    /// Statements that are prepared, and those of them that nobody has any more.
    private var statements: Set<OpaquePointer> = []
    private let dropped = Monitor<[OpaquePointer]>([], conditions: 0)
    /// The one that is under way, if one is; reached in `use`.
    weak var transaction: SQLiteTransaction?
    /// Counts how often statements were ended that others still use.
    private(set) var resets = 0
    let isOwn: Bool
    private let waiter: OpaquePointer?
    /// How messages name it.
    let path: String?
    /// There was no database, and nothing was committed yet.
    private var isNew: Bool
    /// There is no file, and it is opened when it is used first.
    private var mayCreate: Bool

    /// Opens a file.
    convenience init(_ path: String, _ mode: SQLiteDatabase.Mode, _ busyTimeoutSeconds: Double) throws {
        let isNew = mode == .create && path != Self.memory && FileKind.isAbsentOrEmpty(path)
        self.init(path, isNew: isNew, isToBeCreated: false, busyTimeoutSeconds)
        try open(mode)
    }

    /// Creates a file once it is used: until then there is none.
    convenience init(creating path: String, _ busyTimeoutSeconds: Double) {
        self.init(path, isNew: true, isToBeCreated: true, busyTimeoutSeconds)
    }

    private init(_ path: String, isNew: Bool, isToBeCreated: Bool, _ busyTimeoutSeconds: Double) {
        self.path = path
        self.isNew = isNew
        mayCreate = isToBeCreated
        isOwn = true
        waiter = sluice_sqlite_waiter_create(busyTimeoutSeconds)
    }

    private func open(_ mode: SQLiteDatabase.Mode) throws {
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        switch mode {
        case .create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readWrite: flags |= SQLITE_OPEN_READWRITE
        case .readOnly: flags |= SQLITE_OPEN_READONLY
        }
        let path = path ?? Self.memory
        // As a path, whatever it begins with.
        let file = path == Self.memory || path.utf8.first == UInt8(ascii: "/") ? path : "./" + path
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(file, &opened, flags, nil)
        closing.withLock { _ in handle = opened }
        do {
            try check(code, nil, "open")
            try check(sluice_sqlite_harden(handle), nil, "open")
            try check(sluice_sqlite_wait_with(handle, waiter), nil, "open")
        } catch {
            closing.withLock { _ in handle = nil }
            sqlite3_close_v2(opened)
            if mode != .create, FileKind.isAbsent(path) {
                throw StreamError(
                    .fileNotFound, "there is no such database", path: path, stage: "open", underlying: error)
            }
            throw error
        }
    }

    init(borrowing handle: OpaquePointer) {
        self.handle = handle
        isOwn = false
        waiter = nil
        isNew = false
        mayCreate = false
        path = sqlite3_db_filename(handle, "main").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    deinit {
        close()
        if let waiter { sluice_sqlite_waiter_destroy(waiter) }
    }

    static let memory = ":memory:"

    /// Calls `body` with the handle, and nobody else meanwhile.
    func use<R>(_ body: (OpaquePointer) throws -> R) throws -> R {
        try lock.withLock { _ in
            if mayCreate {
                mayCreate = false
                try open(.create)
            }
            guard let handle else {
                throw StreamError(.closed, "the connection to the database is closed", path: path)
            }
            finalizeDropped()
            return try body(handle)
        }
    }

    func close() {
        // The lock is free before it is rolled back.
        let transaction: SQLiteTransaction? = lock.withLock { _ in self.transaction }
        transaction?.rollBack()
        lock.withLock { _ in
            closing.withLock { $0 = true }
            mayCreate = false
            for statement in statements { sqlite3_finalize(statement) }
            statements = []
            if isOwn, let handle {
                sqlite3_close_v2(handle)
            }
            if !isOwn, let handle { sqlite3_create_module_v2(handle, SQLText.feedName, nil, nil, nil) }
            handle = nil
        }
    }

    /// A statement is finished. Inside `use`, or once it is closed.
    func finalize(_ statement: OpaquePointer) {
        if statements.remove(statement) != nil { sqlite3_finalize(statement) }
    }

    /// Nobody has the statement any more. On any thread, in `use` or not.
    func drop(_ statement: OpaquePointer) { dropped.withLock { $0.append(statement) } }

    private func finalizeDropped() {
        let handles = dropped.withLock { handles in
            defer { handles = [] }
            return handles
        }
        for handle in handles { finalize(handle) }
    }

    /// Makes the statement that runs throw, and waits for no lock. From any thread.
    func interrupt() {
        closing.withLock { isClosed in
            guard !isClosed, let handle else { return }
            if let waiter { sluice_sqlite_stop_waiting(waiter, true) }
            sqlite3_interrupt(handle)
        }
    }

    /// Locks are waited for again.
    func goOn() { if let waiter { sluice_sqlite_stop_waiting(waiter, false) } }

    var isToBeCreated: Bool { lock.withLock { _ in mayCreate } }

    var fileName: String { path ?? Self.memory }

    var isReadOnly: Bool { (try? use { sqlite3_db_readonly($0, "main") == 1 }) ?? true }

    /// - Throws: what SQLite says of the last call, unless it was good.
    func check(_ code: Int32, _ statement: String?, _ stage: String, record: Int? = nil, column: String? = nil) throws {
        guard code != SQLITE_OK, code != SQLITE_ROW, code != SQLITE_DONE else { return }
        throw error(code, statement, stage, record: record, column: column)
    }

    /// What SQLite says of the last call.
    func error(
        _ code: Int32, _ statement: String?, _ stage: String, record: Int? = nil, column: String? = nil
    ) -> StreamError {
        // A connection of somebody else's may give short codes.
        var code = code
        if let handle, sqlite3_errcode(handle) & 0xFF == code & 0xFF { code = sqlite3_extended_errcode(handle) }
        let said = handle.flatMap { sqlite3_errcode($0) & 0xFF == code & 0xFF ? sqlite3_errmsg($0) : nil }
        let message = said.map { String(cString: $0) } ?? String(cString: sqlite3_errstr(code))
        let error = SQLiteError(extendedCode: code, message: message, statement: statement)
        return StreamError(error, path: path, record: record, column: column, stage: stage)
    }
}

// MARK: - Statements

extension SQLiteConnection {
    /// Inside `use`.
    func prepare(_ sql: String, _ stage: String) throws -> SQLiteStatement {
        var statement: OpaquePointer?
        var rest = ""
        var sql = sql
        let code = sql.withUTF8 { text -> Int32 in
            guard text.count < Int(Int32.max) else { return SQLITE_TOOBIG }
            var tail: UnsafePointer<CChar>?
            return text.withMemoryRebound(to: CChar.self) { text in
                let code = sqlite3_prepare_v3(
                    handle, text.baseAddress, Int32(text.count), UInt32(SQLITE_PREPARE_PERSISTENT), &statement, &tail)
                if let tail, let start = text.baseAddress {
                    rest = String(
                        decoding: UnsafeRawBufferPointer(start: tail, count: text.count - (tail - start)), as: UTF8.self
                    )
                }
                return code
            }
        }
        try check(code, sql, stage)
        guard let statement else {
            throw StreamError(.wrongQuery, "there is no statement in: \(sql)", path: path, stage: stage)
        }
        statements.insert(statement)
        let made = SQLiteStatement(statement, sql, self)
        guard isNoStatement(rest) else {
            throw StreamError(.wrongQuery, "there is more than one statement in: \(sql)", path: path, stage: stage)
        }
        return made
    }

    /// Blanks, comments and semicolons.
    private func isNoStatement(_ sql: String) -> Bool {
        let rest = sql.drop { $0.isWhitespace || $0 == ";" }
        guard !rest.isEmpty else { return true }
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        return sqlite3_prepare_v2(handle, String(rest), -1, &statement, nil) == SQLITE_OK && statement == nil
    }

    func execute(_ sql: String) throws {
        guard !sql.utf8.contains(0) else { throw StreamError(.wrongQuery, "SQL has no NUL", path: path) }
        try use { handle in
            try check(sqlite3_exec(handle, sql, nil, nil, nil), sql, "commit")
            becomeWALIfNew(handle)
        }
    }

    /// A new database becomes WAL with what is committed first, which is written straight to the file: there is nothing yet that
    /// others could read meanwhile.
    private func becomeWALIfNew(_ handle: OpaquePointer) {
        guard isNew, sqlite3_get_autocommit(handle) != 0, let path, !FileKind.isAbsentOrEmpty(path) else { return }
        isNew = false
        // Whoever keeps it from that keeps it as it is; what was committed is committed.
        sqlite3_exec(handle, "PRAGMA journal_mode = WAL", nil, nil, nil)
    }

    /// Takes a transaction back, also where a statement that was interrupted is not over: its cursor ends then.
    func rollBack(_ sql: String) throws {
        try use { handle in
            if sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK { return }
            resets += 1
            for statement in statements { sqlite3_reset(statement) }
            try check(sqlite3_exec(handle, sql, nil, nil, nil), sql, "commit")
        }
    }

    /// The first value of the first row, as text.
    func value(_ sql: String) throws -> String? {
        try use { _ in
            let statement = try prepare(sql, "open")
            // Or it holds a lock that others wait for.
            defer { statement.finish() }
            guard try statement.step("open") else { return nil }
            return sqlite3_column_text(statement.handle, 0).map { String(cString: $0) }
        }
    }

    func rows(_ query: String, _ parameters: [Value]) throws -> RecordBatch {
        let cursor = try SQLiteCursor(self, query, parameters, isOwn: false, mayWrite: true)
        defer { cursor.close() }
        var records: [Record] = []
        while let batch = try cursor.next(100) { records += batch }
        return RecordBatch(records)
    }
}

// MARK: - Tables

extension SQLiteConnection {
    func describe(_ table: String) throws -> TableDescription? {
        let columns = try rows(
            "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid", [.string(table)])
        guard !columns.isEmpty else { return nil }
        var description = TableDescription(
            name: table,
            columns: columns.filter { $0["hidden", as: Int.self] != 1 }.map { column in
                ColumnDescription(
                    name: column["name", as: String.self] ?? "", type: column["type", as: String.self] ?? "",
                    isGenerated: (column["hidden", as: Int.self] ?? 0) > 1)
            })
        description.primaryKey = columns.compactMap { column in
            column["pk", as: Int.self].flatMap { $0 > 0 ? ($0, column["name", as: String.self] ?? "") : nil }
        }.sorted { $0.0 < $1.0 }.map(\.1)
        if !description.primaryKey.isEmpty { description.uniqueKeys.append(description.primaryKey) }
        // Partial indexes hold for some rows only.
        let indexes = try rows(
            """
            SELECT l.name AS "index", i.name AS "column" FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i \
            WHERE l."unique" = 1 AND l.partial = 0 ORDER BY l.seq, i.seqno
            """, [.string(table)])
        var keys: [(index: String, columns: [String?])] = []
        for row in indexes {
            let index = row["index", as: String.self] ?? ""
            if keys.last?.index != index { keys.append((index, [])) }
            keys[keys.count - 1].columns.append(row["column", as: String.self])
        }
        for key in keys where !key.columns.contains(nil) {
            let columns = key.columns.compactMap { $0 }
            if !description.uniqueKeys.contains(columns) { description.uniqueKeys.append(columns) }
        }
        return description
    }

    func hasTriggers(_ table: String) throws -> Bool {
        try !rows(
            """
            SELECT 1 AS one FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE UNION ALL \
            SELECT 1 FROM sqlite_temp_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE
            """, [.string(table)]
        ).isEmpty
    }
}
