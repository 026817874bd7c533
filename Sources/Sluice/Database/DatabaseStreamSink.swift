/// Writes records into a table.
///
///     let sink = try DatabaseStreamSink(database: db, table: "users", mode: .upsert(key: ["id"]))
///
/// Records are written in transactions: by default one for all, so that the table holds all of them after `close()`, and none
/// after `abort()` or an error. What was not committed does not count as written (`committedRecords`).
///
/// Fields go into the columns of their names. Which columns are written depends on the records: those that none has keep the
/// table's defaults, a field that one record lacks is null.
public final class DatabaseStreamSink: StreamSink {
    /// What is done about a field for which the table has no column.
    public enum UnknownColumns: String, Sendable, CaseIterable {
        /// It is an error.
        case error
        /// The column is added to the table (`ALTER TABLE … ADD COLUMN`).
        case add
    }

    private let database: any StreamDatabase
    let table: String
    private let mode: WriteMode
    /// Columns that tell rows apart: there is a unique index on them.
    private let key: [String]
    private let createsTable: Bool
    private let batchSize: Int
    private let transactionSize: Int?
    private let unknownColumns: UnknownColumns
    /// Columns that were asked for.
    private let columns: [String]?
    private var transaction: (any DatabaseTransaction)?
    private let activity = Monitor(Activity(), conditions: 0)

    private struct Activity {
        /// The database works for this sink, or waits for its transaction: others may use it as well.
        var isWriting = false
        /// The run was stopped: nothing begins any more.
        var isStopped = false
    }
    private var expected: Schema?
    /// Where records go; nil before the first.
    private var target: WriteTarget?
    private var binder: RowBinder?
    /// The table is of this sink's making: its columns are declared by what came first.
    private var isCreated = false
    private var isOver = false
    /// For who writes more in the same transactions.
    var onBegin: ((any DatabaseTransaction) throws -> Void)?
    var onCommit: ((any DatabaseTransaction) throws -> Void)?
    /// Records and rows of the transaction that is under way.
    private var open = (records: 0, rows: 0)
    /// Records that were committed: only these are in the table for good.
    public private(set) var committedRecords = 0
    /// Rows that were inserted or changed, committed. With `.ignore` records that are left out are none.
    public private(set) var changedRows = 0

    /// - Parameters:
    ///   - table: its name.
    ///   - mode: what happens to records whose key is there.
    ///   - createsTable: it is created where there is none: with the columns of the first chunk, their types by its values, and
    ///     the mode's key as primary key.
    ///   - columns: those that are written, in this order, which is also that of a table that is created; nil: by the records.
    ///   - batchSize: records that are written whole or not at all: at an error what others have written in the transaction stays.
    ///   - transactionSize: records after which is committed, in whole chunks; nil: at `close()`. After an error those that were
    ///     committed stay.
    ///   - unknownColumns: what happens to fields without a column.
    /// - Throws: `StreamError`: `unknownTable`, `unknownColumn`, `invalidConfiguration`.
    public convenience init(
        database: any StreamDatabase, table: String, mode: WriteMode = .insert, createsTable: Bool = false,
        columns: [String]? = nil, batchSize: Int = 1000, transactionSize: Int? = nil,
        unknownColumns: UnknownColumns = .error
    ) throws {
        try self.init(
            database: database, table: table, mode: mode, key: mode.key, createsTable: createsTable, columns: columns,
            batchSize: batchSize, transactionSize: transactionSize, unknownColumns: unknownColumns)
    }

    init(
        database: any StreamDatabase, table: String, mode: WriteMode, key: [String], createsTable: Bool,
        columns: [String]? = nil, batchSize: Int = 1000, transactionSize: Int? = nil,
        unknownColumns: UnknownColumns = .error
    ) throws {
        self.database = database
        self.table = table
        self.mode = mode
        self.key = key
        self.createsTable = createsTable
        self.columns = columns
        self.batchSize = batchSize
        self.transactionSize = transactionSize
        self.unknownColumns = unknownColumns
        _ = try database.quoted(table)
        for name in (columns ?? []) + key { _ = try database.quoted(name) }
        guard batchSize >= 1, transactionSize ?? 1 >= 1 else {
            throw invalid("batchSize and transactionSize are at least 1", nil)
        }
        guard columns?.isEmpty != true, Set((columns ?? []).map(ByteKey.init)).count == columns?.count ?? 0 else {
            throw invalid("columns are at least one, and each once", nil)
        }
        if case .upsert(let key) = mode {
            guard !key.isEmpty, Set(key.map(ByteKey.init)).count == key.count else {
                throw invalid("the key of an upsert has columns, each once", "name them: .upsert(key: [\"id\"])")
            }
            if let columns, let missing = key.first(where: { !columns.contains($0) }) {
                throw invalid("the key's column is none of those that are written", nil, column: missing)
            }
        }
        if columns != nil && unknownColumns == .add {
            throw invalid("columns that are named are not added to", "leave columns: away, or unknownColumns: .add")
        }
        if let found = try database.describe(table) {
            try check((columns ?? []) + key, in: found)
        } else if !createsTable {
            throw missingTable
        } else if key.isEmpty, mode != .insert {
            throw invalid("a table that is created for this mode has no key", "create it before, or upsert")
        }
    }

    deinit { abort() }

    private func invalid(_ message: String, _ hint: String?, column: String? = nil) -> StreamError {
        StreamError(.invalidConfiguration, message, path: database.name, column: column, hint: hint)
    }

    private var missingTable: StreamError {
        StreamError(
            .unknownTable, "there is no table \"\(table)\"", path: database.name, stage: "commit",
            hint: "say createsTable: true (--create), or create it")
    }

    private func check(_ names: [String], in found: TableDescription) throws {
        for name in names {
            guard let column = found.column(name) else { throw unknown(name) }
            guard !column.isGenerated else {
                throw invalid("the column of \"\(table)\" is computed, and cannot be written", nil, column: name)
            }
        }
        guard !key.isEmpty else { return }
        let wanted = Set(key.map { found.column($0)?.name })
        guard found.uniqueKeys.contains(where: { Set($0.map(Optional.some)) == wanted }) else {
            throw invalid(
                "\"\(table)\" has no unique index on the key (\(key.joined(separator: ", ")))",
                "create one, or choose another key")
        }
    }

    private func unknown(_ name: String, record: Int? = nil) -> StreamError {
        StreamError(
            .unknownColumn, "\"\(table)\" has no such column", path: database.name, record: record, column: name,
            stage: "commit", hint: "add the column to the table (unknownColumns: .add), or leave the field out")
    }
}

// MARK: - Writing

extension DatabaseStreamSink {
    /// Decides on the columns of a table that is created, even where no records come.
    public func expect(_ schema: Schema) { if expected == nil { expected = schema } }

    /// - Throws: `StreamError`: what the database says, with the record at fault. Nothing of that record's batch is written then.
    public func writeChunk(_ chunk: StreamChunk) throws {
        guard !isOver else { throw StreamError(.closed, "the sink is closed", path: database.name, stage: "commit") }
        guard !chunk.data.isEmpty else { return }
        let batch = chunk.data
        let transaction = try begun()
        let target = try target(for: batch, in: transaction)
        for start in stride(from: 0, to: batch.count, by: batchSize) {
            let positions = start..<min(batch.count, start + batchSize)
            do {
                open.rows += try transaction.write(batch, positions, to: target)
            } catch var error as StreamError {
                error.record = error.record.map { number(of: batch, $0 - 1, in: positions) }
                throw error
            }
            open.records += positions.count
        }
        if let transactionSize, open.records >= transactionSize { try commit() }
    }

    /// That of its file where a record knows it, else as records have come here.
    private func number(of batch: RecordBatch, _ position: Int, in positions: Range<Int>) -> Int {
        let known = batch.indices.contains(position) ? batch[position].number : nil
        return known ?? committedRecords + open.records + position - positions.lowerBound + 1
    }

    private func begun() throws -> any DatabaseTransaction {
        if let transaction { return transaction }
        let isStopped = activity.withLock { activity in
            activity.isWriting = !activity.isStopped
            return activity.isStopped
        }
        if isStopped { throw StreamError(.cancelled, "the run was stopped", path: database.name, stage: "commit") }
        do {
            let begun = try database.begin()
            transaction = begun
            try onBegin?(begun)
            return begun
        } catch {
            if transaction == nil { activity.withLock { $0.isWriting = false } }
            throw error
        }
    }

    /// A transaction begins, if none is under way.
    func begin() throws { _ = try begun() }

    private func commit() throws {
        if let transaction {
            try onCommit?(transaction)
            try transaction.commit()
        }
        transaction = nil
        activity.withLock { $0.isWriting = false }
        committedRecords += open.records
        changedRows += open.rows
        open = (0, 0)
    }

    /// Commits.
    public func close() throws {
        guard !isOver else { return }
        if target == nil, createsTable, let names = columns ?? expected?.names, !names.isEmpty {
            let transaction = try begun()
            if try transaction.describe(table) == nil {
                _ = try create(names.map { ColumnDescription(name: $0) }, in: transaction)
            }
        }
        try commit()
        isOver = true
    }

    /// Takes back what was not committed.
    public func abort() {
        guard !isOver else { return }
        isOver = true
        transaction?.rollBack()
        transaction = nil
        activity.withLock { $0.isWriting = false }
        open = (0, 0)
    }
}

// MARK: - Columns

extension DatabaseStreamSink {
    /// Where the records of a batch go: the columns so far, and those that it has besides.
    private func target(for batch: RecordBatch, in transaction: any DatabaseTransaction) throws -> WriteTarget {
        if let target, let binder, binder.hasKnownKeysOnly(batch) { return target }
        let names = names(in: batch)
        let found = try transaction.describe(table) ?? createTable(names, batch, in: transaction)
        var target = target ?? WriteTarget(table: table, columns: columns ?? [], mode: mode, keepsTexts: isCreated)
        for name in names where !target.columns.contains(where: { $0.hasSameBytes(as: name) }) {
            try admit(name, batch, found, in: transaction)
            if let other = target.columns.first(where: { $0.isSameIdentifier(as: name) }) {
                throw StreamError(
                    .differentColumns, "two fields are for one column: \"\(other)\" is the other", path: database.name,
                    column: name, stage: "commit")
            }
            target.columns.append(name)
        }
        guard !target.columns.isEmpty else {
            throw StreamError(
                .missingField, "the records have no fields", path: database.name,
                record: batch.first?.number ?? committedRecords + 1,
                stage: "commit")
        }
        for name in key where !target.columns.contains(where: { $0.isSameIdentifier(as: name) }) {
            throw StreamError(
                .missingField, "records have no field for the key", path: database.name, column: name, stage: "commit")
        }
        self.target = target
        binder = try RowBinder(columns: target.columns)
        return target
    }

    /// Names of all fields that records of a batch have. Complexity: O(records), where they have keys of their own.
    private func names(in batch: RecordBatch) -> [String] {
        if let schema = batch.schema, batch.hasFieldsOnly(of: schema) { return schema.names }
        var names: [String] = []
        var known: Set<ByteKey> = []
        for record in batch {
            for key in record.keys where known.insert(ByteKey(text: key)).inserted { names.append(key) }
        }
        return names
    }

    private func createTable(
        _ names: [String], _ batch: RecordBatch, in transaction: any DatabaseTransaction
    ) throws -> TableDescription {
        guard createsTable else { throw missingTable }
        let expected = columns == nil ? expectedNames(names, batch) : []
        let known = Set(expected.map(ByteKey.init))
        let names = columns ?? expected + names.filter { !known.contains(ByteKey(text: $0)) }
        return try create(
            names.map { ColumnDescription(name: $0, type: ColumnType(of: $0, in: batch).rawValue) }, in: transaction)
    }

    /// The columns that the source has said, as far as its records still have them.
    private func expectedNames(_ names: [String], _ batch: RecordBatch) -> [String] {
        if let edited = batch.editedSchema { return edited.names }
        guard let expected else { return [] }
        // Fields that the source has not said: some may have been renamed to them, and those that none has any more are no columns.
        guard names.contains(where: { expected.index(of: $0) == nil }) else { return expected.names }
        let present = Set(names.map(ByteKey.init))
        return expected.names.filter { present.contains(ByteKey(text: $0)) }
    }

    private func create(
        _ columns: [ColumnDescription], in transaction: any DatabaseTransaction
    ) throws -> TableDescription {
        let table = TableDescription(
            name: table, columns: columns, primaryKey: key, uniqueKeys: key.isEmpty ? [] : [key])
        try check(key, in: table)
        try transaction.create(table)
        isCreated = true
        return table
    }

    /// Makes sure that the table has a column for a field.
    private func admit(
        _ name: String, _ batch: RecordBatch, _ found: TableDescription, in transaction: any DatabaseTransaction
    ) throws {
        let column = found.column(name)
        if let column, columns == nil, !column.isGenerated { return }
        guard column?.isGenerated != true else {
            throw invalid("the column of \"\(table)\" is computed, and cannot be written", nil, column: name)
        }
        guard column == nil, columns == nil, unknownColumns == .add else {
            throw unknown(name, record: batch.first { $0[name] != nil }?.number)
        }
        try transaction.add(
            ColumnDescription(name: name, type: ColumnType(of: name, in: batch).rawValue), to: table)
    }
}

/// What a column is declared as, by its values in a batch.
enum ColumnType: String {
    case integer = "INTEGER"
    case real = "REAL"
    case text = "TEXT"
    case blob = "BLOB"
    /// There were none.
    case none = ""

    /// Complexity: O(records).
    init(of name: String, in batch: RecordBatch) {
        self = .none
        for record in batch {
            let type: ColumnType
            switch record[name] {
            case nil, .null?: continue
            case .bool?, .int?: type = .integer
            case .double?: type = .real
            case .decimal(let text)?:
                type = Self.isKeptByDouble(text) ? .real : .text
            case .bytes?: type = .blob
            case .string?, .array?, .object?: type = .text
            }
            switch (self, type) {
            case (.none, _): self = type
            case (.integer, .real), (.real, .integer): self = .real
            case let (mine, other) where mine == other: break
            default:
                self = .text
                return
            }
        }
    }

    /// Whether a fraction has no more digits than the nearest double is printed with. 15 are kept for sure.
    private static func isKeptByDouble(_ text: String) -> Bool {
        guard text.contains(where: { ".eE".contains($0) }), let number = NumberText.double(text), number.isFinite
        else { return false }
        let digits = significantDigits(text)
        // Below the least normal number a double keeps fewer, and below all others none.
        if digits.isEmpty || digits.count <= 15 && number.magnitude >= .leastNormalMagnitude { return true }
        return digits == significantDigits("\(number)")
    }

    /// But for zeros before and behind them.
    private static func significantDigits(_ text: String) -> ArraySlice<UInt8> {
        let digits = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }.filter { 0x30...0x39 ~= $0 }
        let zero = UInt8(ascii: "0")
        let start = digits.firstIndex { $0 != zero } ?? digits.endIndex
        let end = (digits.lastIndex { $0 != zero } ?? start - 1) + 1
        return digits[start..<end]
    }
}

extension DatabaseStreamSink: RunParticipant {
    func join(_ terms: RunTerms) {
        terms.interrupt.onStop { [database, activity] in
            activity.withLock { activity in
                activity.isStopped = true
                if activity.isWriting { database.interrupt() }
            }
        }
    }

    var mayBlock: Bool { database.mayBlock }
    var needsClock: Bool { true }
}
