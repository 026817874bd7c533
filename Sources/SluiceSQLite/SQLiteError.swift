import CSluiceSQLite
import Sluice

/// What SQLite said.
public struct SQLiteError: Error, Sendable, CustomStringConvertible {
    /// The extended result code.
    public var extendedCode: Int32
    /// SQLite's own words.
    public var message: String
    /// What was to be done; nil: no statement.
    public var statement: String?

    /// The primary result code.
    public var code: Int32 { extendedCode & 0xFF }

    public var description: String {
        let place = statement.map { " in: \($0)" } ?? ""
        return "\(message) (SQLite code \(extendedCode))\(place)"
    }
}

extension StreamError {
    init(_ error: SQLiteError, path: String?, record: Int? = nil, column: String? = nil, stage: String) {
        let (code, hint) = Self.kind(error)
        var short = error
        short.statement = error.statement.map { $0.count > 200 ? $0.prefix(200) + " …" : $0 }
        self.init(
            code, short.description, path: path, record: record, column: column, stage: stage, underlying: error,
            hint: hint)
    }

    /// SQLITE_IOERR_WRITE, _FSYNC, _DIR_FSYNC, _TRUNCATE.
    private static let writing: [Int32] = [3, 4, 5, 6]

    private static func kind(_ error: SQLiteError) -> (Code, String?) {
        switch error.code {
        case SQLITE_BUSY, SQLITE_LOCKED:
            (
                .databaseBusy,
                "another connection, or a source of this run, holds a lock: try later, or wait longer (busyTimeoutSeconds)"
            )
        case SQLITE_CORRUPT, SQLITE_NOTADB: (.databaseCorrupt, nil)
        case SQLITE_READONLY where error.extendedCode >> 8 == 3:
            (.databaseReadOnly, "a program that was killed has left its journal: open the database for writing once")
        case SQLITE_MISMATCH: (.typeMismatch, nil)
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: (.databaseReadOnly, nil)
        case SQLITE_FULL: (.noSpace, nil)
        case SQLITE_CANTOPEN: (.cannotCreate, nil)
        case SQLITE_CONSTRAINT: (.constraintViolated, nil)
        case SQLITE_INTERRUPT: (.cancelled, nil)
        case SQLITE_IOERR: (writing.contains(error.extendedCode >> 8) ? .writeFailed : .readFailed, nil)
        case SQLITE_ERROR where error.message.hasPrefix("no such table"): (.unknownTable, nil)
        case SQLITE_ERROR
        where error.message.hasPrefix("no such column") || error.message.contains(" has no column named "):
            (.unknownColumn, nil)
        case SQLITE_ERROR, SQLITE_RANGE: (.wrongQuery, nil)
        default: (.databaseFailed, nil)
        }
    }
}
