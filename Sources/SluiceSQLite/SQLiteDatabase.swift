import Sluice

/// An SQLite database: a file, one in memory, or a connection that somebody else has opened.
///
///     let db = try SQLiteDatabase("flights.db")
///     let sink = try DatabaseStreamSink(database: db, table: "flights", createsTable: true)
///     try StreamContext().stream(source: try FileStreamSource("flights.csv"), sink: sink)
///
/// Each source reads a file through a connection of its own, in one snapshot, while a sink writes through another. In memory, and on
/// a borrowed connection, they share the one there is: reading a table that is being written to is not for those.
///
/// Connections of ours are careful: defensive mode, no strings in double quotes, no functions in the schema that are not known to be
/// harmless, no extensions. A database that is created here is in WAL mode from the first commit on; others keep theirs.
// SAFETY: its connection is reached under that connection's lock; the rest never changes.
public final class SQLiteDatabase: StreamDatabase {
    /// What may be done with a file.
    public enum Mode: Sendable {
        /// It is created where there is none.
        case create
        /// There must be one.
        case readWrite
        case readOnly
    }

    private let connection: SQLiteConnection
    /// What sources open for themselves; nil: they share the connection.
    private let path: String?
    private let busyTimeoutSeconds: Double

    /// The path, or what stands for it.
    public let name: String

    /// Opens a file.
    /// - Parameters:
    ///   - mode: `.create` makes a database where there is none, when it is written to first.
    ///   - busyTimeoutSeconds: how long a lock of others is waited for before it is an error.
    /// - Throws: `StreamError`: `fileNotFound`, `databaseCorrupt` for what is no database, or what SQLite says.
    public convenience init(_ path: String, mode: Mode = .create, busyTimeoutSeconds: Double = 5) throws {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw StreamError(.invalidConfiguration, "a path has characters, and NUL is none of them", path: path)
        }
        let isMemory = path == SQLiteConnection.memory
        let connection: SQLiteConnection
        if mode == .create, !isMemory, FileKind.isAbsent(path) {
            connection = SQLiteConnection(creating: path, busyTimeoutSeconds)
        } else {
            connection = try SQLiteConnection(path, mode, busyTimeoutSeconds)
            // Reads the file, so that what is no database is known now.
            _ = try connection.value("PRAGMA schema_version")
        }
        self.init(connection, path: isMemory ? nil : path, name: path, busyTimeoutSeconds)
    }

    /// An empty database in memory, which ends with this object.
    public static func inMemory() throws -> SQLiteDatabase {
        SQLiteDatabase(try SQLiteConnection(SQLiteConnection.memory, .create, 0), path: nil, name: ":memory:", 0)
    }

    /// Lends a connection of somebody else's to `body`, and leaves it as it was: GRDB's, say.
    ///
    ///     try queue.write { db in
    ///         try SQLiteDatabase.borrowing(db.sqliteConnection!) { db in … }
    ///     }
    ///
    /// Nobody else may use the connection meanwhile, which other threads than this one do. Inside a transaction of the owner's,
    /// what is committed here is part of that.
    ///
    /// What was made with the database throws `closed` once `body` has returned.
    public static func borrowing<R>(_ handle: OpaquePointer, _ body: (SQLiteDatabase) throws -> R) throws -> R {
        let connection = SQLiteConnection(borrowing: handle)
        defer { connection.close() }
        return try body(SQLiteDatabase(connection, path: nil, name: connection.fileName, 0))
    }

    private init(_ connection: SQLiteConnection, path: String?, name: String, _ busyTimeoutSeconds: Double) {
        self.connection = connection
        self.path = path
        self.name = name
        self.busyTimeoutSeconds = busyTimeoutSeconds
    }

    /// Runs statements, one after the other, and drops what they answer.
    public func execute(_ sql: String) throws {
        connection.goOn()
        try connection.execute(sql)
    }

    /// All rows of a query, whatever it does: for few.
    public func rows(_ query: String, _ parameters: [Value] = []) throws -> RecordBatch {
        connection.goOn()
        return try connection.rows(query, parameters)
    }

    /// Closes the connection, once no cursor and no transaction uses it any more.
    public func close() { connection.close() }
}

extension SQLiteDatabase {
    /// It is in this process, and for a lock it waits no longer than its time.
    public var mayBlock: Bool { false }

    public func quoted(_ identifier: String) throws -> String { try SQLText.quoted(identifier) }

    public func describe(_ table: String) throws -> TableDescription? {
        connection.goOn()
        return connection.isToBeCreated ? nil : try connection.describe(table)
    }

    public func read(_ query: String, _ parameters: [Value], fetchSize: Int) throws -> any DatabaseCursor {
        guard let path else { return try SQLiteCursor(connection, query, parameters, isOwn: false) }
        guard !connection.isToBeCreated else {
            throw StreamError(.fileNotFound, "there is no such database", path: path, stage: "open")
        }
        // Not read-only: a WAL database that nobody else has open needs its index made.
        let mode: Mode = connection.isReadOnly ? .readOnly : .readWrite
        let reading = try SQLiteConnection(path, mode, busyTimeoutSeconds)
        return try SQLiteCursor(reading, query, parameters, isOwn: true)
    }

    public func begin() throws -> any DatabaseTransaction { try SQLiteTransaction(connection) }

    public func interrupt() { connection.interrupt() }
}
