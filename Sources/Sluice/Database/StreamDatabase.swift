/// A database that records can be read from and written to: what an adapter implements, for `DatabaseStreamSource`,
/// `DatabaseStreamSink` and all that is built on them.
///
/// Records move in batches. One thread at a time calls a cursor or a transaction, not always the same one; a cursor and a
/// transaction may be in use at the same time.
public protocol StreamDatabase: AnyObject, Sendable {
    /// How messages name it: its path, say.
    var name: String { get }

    /// Whether calls may wait for another process, as over a network: then runs have threads of their own for them. True unless said
    /// otherwise.
    var mayBlock: Bool { get }

    /// A name as SQL has it, in quotes.
    /// - Throws: `StreamError` (`invalidConfiguration`) for what is no name.
    func quoted(_ identifier: String) throws -> String

    /// What a table has; nil where there is none.
    func describe(_ table: String) throws -> TableDescription?

    /// Runs a query that only reads, as it is written, in one snapshot of the database.
    /// - Parameters:
    ///   - parameters: for the places that the query leaves open, in order.
    ///   - fetchSize: rows that are asked for at a time at most, for databases that are asked over a wire.
    /// - Throws: for a query that is wrong, or writes.
    func read(_ query: String, _ parameters: [Value], fetchSize: Int) throws -> any DatabaseCursor

    /// Begins a transaction.
    func begin() throws -> any DatabaseTransaction

    /// Makes a transaction that is under way, or about to begin, throw soon, also where it waits for a lock. From any thread. What
    /// else is done with the database afterwards, `describe` first, is not concerned.
    func interrupt()
}

extension StreamDatabase {
    public var mayBlock: Bool { true }
}

/// The rows of a query, batch after batch.
public protocol DatabaseCursor: AnyObject {
    /// The columns, in order; names are unique.
    var schema: Schema { get }

    /// Whether it is known that there are no more rows.
    var isAtEnd: Bool { get }

    /// The next rows: as many as `rows`, fewer where the end comes first or their texts and bytes have reached `maxBytes`, at least
    /// one; nil at the end. Native types are kept.
    func next(_ rows: Int, maxBytes: Int) throws -> RecordBatch?

    /// Makes what is under way throw soon. From any thread, also after `close`.
    func interrupt()

    func close()
}

extension DatabaseCursor {
    /// The next rows, however long they are.
    public func next(_ rows: Int) throws -> RecordBatch? { try next(rows, maxBytes: .max) }
}

/// Changes that others see all at once, or not at all.
public protocol DatabaseTransaction: AnyObject {
    /// As `StreamDatabase.describe`, with the changes so far.
    func describe(_ table: String) throws -> TableDescription?

    func create(_ table: TableDescription) throws

    func add(_ column: ColumnDescription, to table: String) throws

    /// Removes all rows.
    func empty(_ table: String) throws

    /// Writes the records at `positions` of a batch; all of them, or on an error none.
    /// - Parameter target: says which table and columns. A field that a record lacks is null.
    /// - Returns: rows that were inserted or changed.
    /// - Throws: `StreamError` with the column and the record at fault, whose number is its place in the batch, from 1.
    func write(_ batch: RecordBatch, _ positions: Range<Int>, to target: WriteTarget) throws -> Int

    /// All rows of a query, with the changes so far: for few.
    func rows(_ query: String, _ parameters: [Value]) throws -> RecordBatch

    func commit() throws

    /// Does nothing once it was committed.
    func rollBack()
}

/// Where records are written in a database, and how.
public struct WriteTarget: Sendable, Hashable {
    public var table: String
    /// Columns of the table, each once.
    public var columns: [String]
    public var mode: WriteMode
    /// The columns were declared by what came first: a text that one of them would make another of, as a number of `007`, is an
    /// error.
    public var keepsTexts: Bool

    public init(table: String, columns: [String], mode: WriteMode = .insert, keepsTexts: Bool = false) {
        self.table = table
        self.columns = columns
        self.mode = mode
        self.keepsTexts = keepsTexts
    }
}

/// What is done about a record whose key is in the table already.
public enum WriteMode: Sendable, Hashable {
    /// It is an error.
    case insert
    /// The row's other columns are set to the record's. There must be a unique index on `key`.
    case upsert(key: [String])
    /// The row is deleted, and the record inserted.
    case replace
    /// The record is left out.
    case ignore

    /// The columns that tell rows apart, where it names any.
    public var key: [String] { if case .upsert(let key) = self { key } else { [] } }
}

/// A table.
public struct TableDescription: Sendable, Hashable {
    public var name: String
    /// In order.
    public var columns: [ColumnDescription]
    /// The columns of the primary key, in its order; empty: there is none.
    public var primaryKey: [String]
    /// The columns of each unique index, the primary key's among them.
    public var uniqueKeys: [[String]]

    public init(name: String, columns: [ColumnDescription], primaryKey: [String] = [], uniqueKeys: [[String]] = []) {
        self.name = name
        self.columns = columns
        self.primaryKey = primaryKey
        self.uniqueKeys = uniqueKeys
    }

    /// Names of the columns, in order.
    public var columnNames: [String] { columns.map(\.name) }

    /// The column of a name, in upper or lower case, as SQL has it.
    public func column(_ name: String) -> ColumnDescription? {
        columns.first { $0.name.hasSameBytes(as: name) } ?? columns.first { $0.name.isSameIdentifier(as: name) }
    }
}

extension String {
    /// Whether two names differ in the case of ASCII letters at most.
    func isSameIdentifier(as other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.lowercasedASCII == $1.lowercasedASCII }
    }
}

extension String {
    /// A query inside another: without the semicolon at its end, and with a line end, where a comment may end.
    var asSubquery: String {
        let end = lastIndex { !$0.isWhitespace && $0 != ";" }
        return "(\(end.map { self[...$0] } ?? "")\n)"
    }
}

extension UInt8 {
    fileprivate var lowercasedASCII: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}

/// A column of a table.
public struct ColumnDescription: Sendable, Hashable {
    public var name: String
    /// As it was declared, or is to be; empty: without a type.
    public var type: String
    /// Computed by the database: it cannot be written.
    public var isGenerated: Bool

    public init(name: String, type: String = "", isGenerated: Bool = false) {
        self.name = name
        self.type = type
        self.isGenerated = isGenerated
    }
}
