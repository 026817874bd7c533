import Sluice

/// SQL, as SQLite has it.
enum SQLText {
    /// A name in quotes.
    static func quoted(_ name: String) throws(StreamError) -> String {
        guard !name.isEmpty, !name.utf8.contains(0) else {
            throw StreamError(
                .invalidConfiguration, "a name in SQL has characters, and NUL is none of them", column: name)
        }
        // By scalars: a quote and an accent behind it are one character, and to the database a quote all the same.
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in name.unicodeScalars {
            if scalar == "\"" { quoted.append(scalar) }
            quoted.append(scalar)
        }
        quoted.append("\"")
        return String(quoted)
    }

    static func list(_ names: [String]) throws(StreamError) -> String {
        var parts: [String] = []
        for name in names { parts.append(try quoted(name)) }
        return parts.joined(separator: ", ")
    }

    /// The table that the records of a batch are.
    static let feedName = "sluice feed"
    private static let feed = "\"\(feedName)\""

    /// What writes a batch.
    static func insert(into target: WriteTarget) throws(StreamError) -> String {
        let verb =
            switch target.mode {
            case .insert, .upsert: "INSERT"
            case .replace: "INSERT OR REPLACE"
            case .ignore: "INSERT OR IGNORE"
            }
        let values = target.columns.indices.map { "c\($0)" }.joined(separator: ", ")
        // With WHERE, or ON CONFLICT would be taken for a join's.
        let sql =
            "\(verb) INTO \(try quoted(target.table)) (\(try list(target.columns))) SELECT \(values) FROM \(feed) WHERE true"
        guard case .upsert(let key) = target.mode else { return sql }
        let keys = Set(key.map(\.asciiLowercased))
        var changes: [String] = []
        for column in target.columns where !keys.contains(column.asciiLowercased) {
            changes.append("\(try quoted(column)) = excluded.\(try quoted(column))")
        }
        let action = changes.isEmpty ? "NOTHING" : "UPDATE SET \(changes.joined(separator: ", "))"
        return "\(sql) ON CONFLICT (\(try list(key))) DO \(action)"
    }

    static func create(_ table: TableDescription) throws(StreamError) -> String {
        var parts: [String] = []
        for column in table.columns {
            parts.append(column.type.isEmpty ? try quoted(column.name) : "\(try quoted(column.name)) \(column.type)")
        }
        if !table.primaryKey.isEmpty { parts.append("PRIMARY KEY (\(try list(table.primaryKey)))") }
        return "CREATE TABLE \(try quoted(table.name)) (\(parts.joined(separator: ", ")))"
    }

    static func add(_ column: ColumnDescription, to table: String) throws(StreamError) -> String {
        "ALTER TABLE \(try quoted(table)) ADD COLUMN \(try quoted(column.name)) \(column.type)"
    }
}

extension String {
    /// SQLite compares names so.
    var asciiLowercased: String {
        String(decoding: utf8.map { (65...90).contains($0) ? $0 | 32 : $0 }, as: UTF8.self)
    }
}
