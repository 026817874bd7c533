/// Fields that are added to records from a table that is held in memory.
///
///     ETLLookup(from: db, query: "SELECT code, name FROM airlines", key: "code", on: "carrier", as: ["name": "airline"])
public struct ETLLookup: Sendable {
    /// What is done about a record whose value is not in the table.
    public enum Missing: Sendable {
        /// The fields are null.
        case null
        /// It is an error.
        case error
    }

    let database: any StreamDatabase
    let query: String
    let key: String
    let field: String
    let names: [String: String]
    let missing: Missing

    /// - Parameters:
    ///   - query: its rows are held in memory, each key once.
    ///   - key: the column of the query that is looked up in.
    ///   - field: the field of records that is looked up. Values are the same where their types are, but that texts and numbers which
    ///     print alike are the same, too.
    ///   - names: columns of the query, and what they are called in records; empty: all but the key, by their own names.
    public init(
        from database: any StreamDatabase, query: String, key: String, on field: String,
        as names: [String: String] = [:],
        missing: Missing = .null
    ) {
        self.database = database
        self.query = query
        self.key = key
        self.field = field
        self.names = names
        self.missing = missing
    }

    /// Reads the table.
    /// - Returns: what adds the fields to a chunk. Complexity: O(1) for each record.
    func step() throws -> @Sendable (inout StreamChunk) throws -> Void {
        let cursor = try database.read(query, [], fetchSize: 1000)
        defer { cursor.close() }
        guard cursor.schema.index(of: key) != nil else { throw unknown(key) }
        for name in names.keys where cursor.schema.index(of: name) == nil { throw unknown(name) }
        let columns = cursor.schema.names.filter { names.isEmpty ? $0 != key : names[$0] != nil }
        var rows: [ByteKey: [Value]] = [:]
        while let batch = try cursor.next(1000) {
            for record in batch {
                guard let value = record[key], !value.isNull else { continue }
                let fields = columns.map { record[$0] ?? .null }
                guard rows.updateValue(fields, forKey: Self.text(value)) == nil else {
                    throw StreamError(
                        .constraintViolated, "a key is there twice: \(value)", path: database.name, column: key,
                        stage: "process", hint: "look up in a table whose keys are unique")
                }
            }
        }
        let targets = columns.map { names[$0] ?? $0 }
        return { [rows, field, missing] chunk in
            for place in chunk.data.indices {
                let value = chunk.data[place][field] ?? .null
                let found = value.isNull ? nil : rows[Self.text(value)]
                if found == nil, missing == .error {
                    throw StreamError(
                        .missingField, "the value is not in the table that is looked up in",
                        record: chunk.data[place].number, column: field, stage: "process")
                }
                for (number, target) in targets.enumerated() { chunk.data[place][target] = found?[number] ?? .null }
            }
        }
    }

    private func unknown(_ name: String) -> StreamError {
        StreamError(
            .unknownColumn, "the query that is looked up in has no such column", path: database.name, column: name,
            stage: "process")
    }

    /// A CSV cell is a text, whatever the table has.
    private static func text(_ value: Value) -> ByteKey { ByteKey(text: value.stringValue ?? value.description) }
}
