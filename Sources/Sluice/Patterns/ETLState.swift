/// Where an ETL job has got to, kept in the target database, in a table of its own: it changes in the transactions of the rows, so
/// the two never disagree.
///
/// A value is a row, without a declared type, so that the database keeps it as it is: in place 0 the mark, behind it the position.
struct ETLState {
    static let table = "sluice_etl"
    private static let columns = ["job", "place", "signature", "value"]

    let job: String
    /// What the job was told to do: with another query or key, the position means nothing.
    let signature: String
    /// Values that the key had in the last row that is committed; nil: the last run came to its end.
    var position: [Value]?
    /// Incremental: the highest value so far.
    var mark: Value?
    /// Values that a position has.
    private let count: Int

    init(job: String, signature: String, count: Int) {
        self.job = job
        self.signature = signature
        self.count = count
    }

    /// Learns what is known of the job, where it was told the same then.
    mutating func load(from database: any StreamDatabase) throws {
        guard try database.describe(Self.table) != nil else { return }
        let cursor = try database.read(
            "SELECT place, value FROM \(database.quoted(Self.table)) WHERE job = ? AND signature = ? ORDER BY place",
            [.string(job), .string(signature)], fetchSize: 100)
        defer { cursor.close() }
        let values = try cursor.next(count + 1)?.map { $0["value"] ?? .null } ?? []
        guard values.count == count + 1 else { return }
        mark = values[0].isNull ? nil : values[0]
        let position = Array(values.dropFirst())
        self.position = position.isEmpty || position.contains(where: \.isNull) ? nil : position
    }

    func save(in transaction: any DatabaseTransaction) throws {
        if try transaction.describe(Self.table) == nil {
            let types = ["TEXT", "INTEGER", "TEXT", ""]
            try transaction.create(
                TableDescription(
                    name: Self.table,
                    columns: zip(Self.columns, types).map { ColumnDescription(name: $0, type: $1) },
                    primaryKey: ["job", "place"], uniqueKeys: [["job", "place"]]))
        }
        let values = [mark ?? .null] + (position ?? Array(repeating: .null, count: count))
        let rows = values.enumerated().map { place, value -> Record in
            ["job": .string(job), "place": Value(place), "signature": .string(signature), "value": value]
        }
        _ = try transaction.write(
            RecordBatch(rows), 0..<rows.count,
            to: WriteTarget(table: Self.table, columns: Self.columns, mode: .upsert(key: ["job", "place"])))
    }
}
