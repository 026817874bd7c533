import CSluiceSQLite
import Sluice

/// A prepared statement; used while its connection is (`SQLiteConnection.use`).
final class SQLiteStatement {
    private(set) var handle: OpaquePointer?
    let sql: String
    private let connection: SQLiteConnection

    init(_ handle: OpaquePointer, _ sql: String, _ connection: SQLiteConnection) {
        self.handle = handle
        self.sql = sql
        self.connection = connection
    }

    deinit { if let handle { connection.drop(handle) } }

    func finish() {
        if let handle { connection.finalize(handle) }
        handle = nil
    }

    /// Whether there is a row.
    func step(_ stage: String) throws -> Bool {
        let code = sqlite3_step(handle)
        try connection.check(code, sql, stage)
        return code == SQLITE_ROW
    }

    /// Runs it to its end, and makes it ready to run again.
    func run(_ stage: String) throws {
        let code = sqlite3_step(handle)
        let exact = sqlite3_reset(handle)
        try connection.check(exact == SQLITE_OK ? code : exact, sql, stage)
    }

    func bind(_ values: [Value], _ stage: String) throws {
        let count = Int(sqlite3_bind_parameter_count(handle))
        guard count == values.count else {
            throw StreamError(
                .invalidConfiguration,
                "the query leaves \(count) places open, and there are \(values.count) parameters",
                path: connection.path, stage: stage, hint: sql)
        }
        for (place, value) in values.enumerated() {
            try connection.check(bind(value, Int32(place + 1)), sql, stage)
        }
    }

    private func bind(_ value: Value, _ place: Int32) -> Int32 {
        switch value {
        case .null: sqlite3_bind_null(handle, place)
        case .bool(let value): sqlite3_bind_int64(handle, place, value ? 1 : 0)
        case .int(let value): sqlite3_bind_int64(handle, place, value)
        case .double(let value): sqlite3_bind_double(handle, place, value)
        case .string(let text): bind(text, place)
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                // Without bytes there may be no address, which would be null.
                bytes.isEmpty
                    ? sqlite3_bind_zeroblob(handle, place, 0)
                    : sqlite3_bind_blob64(handle, place, $0.baseAddress, UInt64(bytes.count), Self.copied)
            }
        case .decimal, .array, .object: bind(value.description, place)
        }
    }

    private func bind(_ text: String, _ place: Int32) -> Int32 {
        // Of a text without characters there may be no address, which would be null: this one has its end.
        return text.withCString {
            sqlite3_bind_text64(handle, place, $0, UInt64(text.utf8.count), Self.copied, UInt8(SQLITE_UTF8))
        }
    }

    /// SQLite keeps a copy.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}
