import Sluice

/// What an inspection found, for people: lines that fit the terminal.
struct InspectionReport {
    private let found: FileInspection
    private let rows: Int
    private let width: Int

    /// - Parameters:
    ///   - rows: how many of the first ones to show.
    ///   - width: of the terminal.
    init(_ found: FileInspection, rows: Int, width: Int) {
        self.found = found
        self.rows = rows
        self.width = width
    }

    var text: String {
        var lines = [found.path == "-" ? "standard input" : found.path.escapingControls]
        lines += facts.map { name, fact in "  \(name.padded(to: 11))  \(fact)" }
        switch found.format {
        case .csv, .jsonl, .json: lines += columns
        case .text: lines += block("first lines", found.firstRecords.map { $0["text"]?.stringValue ?? "" })
        case .binary: lines += block("first bytes", firstBytes)
        }
        return lines.joined(separator: "\n")
    }

    // MARK: - Facts

    private var facts: [(String, String)] {
        var facts = [("format", [found.format.title + dialect, lineEnds].compactMap { $0 }.joined(separator: ", "))]
        facts.append(("compression", found.compression == .lz4 ? "LZ4" : found.compression.rawValue))
        if let encoding = found.encoding {
            facts.append(("encoding", encoding.title + (found.hasByteOrderMark ? " with a byte order mark" : "")))
        }
        facts.append(("sample", sample))
        if !found.flags.isEmpty {
            facts.append(("options", found.flags.map(\.quotedForShell).joined(separator: " ").escapingControls))
        }
        return facts
    }

    private var dialect: String {
        guard found.format == .csv else { return "" }
        let delimiter = found.csv.delimiter == "\t" ? "tab" : found.csv.delimiter.map { "'\($0)'" }
        let quote = found.csv.quote.map { "'\($0)'" }
        return " \(found.csv.header ? "with" : "without") a header, "
            + "delimiter \(delimiter ?? "none"), quote \(quote ?? "none")"
    }

    private var lineEnds: String? {
        let names = found.lineEnds.map { $0.rawValue.uppercased() }
        return names.isEmpty ? nil : "lines end in \(names.joined(separator: " and "))"
    }

    private var sample: String {
        let records = found.recordCount == 1 ? "1 record" : "\(found.recordCount) records"
        if found.error != nil { return "\(records), up to an error" }
        if found.isWhole { return "\(records), the whole file" }
        if found.recordCount == 0 { return "0 records: the first is longer than 1 MiB" }
        return "the first \(records)" + (found.recordCount < FileInspection.maxRecords ? " (1 MiB)" : "")
    }

    // MARK: - Columns and rows

    /// A table of the columns with the first values of each.
    private var columns: [String] {
        guard !found.columns.isEmpty else { return [] }
        let shown = found.columns.prefix(Self.maxColumns)
        var table = [(name: "column", types: "type", nulls: " null", values: "first values")]
        if found.firstRecords.isEmpty { table[0].values = "" }
        for column in shown {
            table.append((column.name.escapingControls, types(column), nulls(column), values(column)))
        }
        let nameWidth = min(24, table.map(\.name.displayWidth).max() ?? 0)
        let typeWidth = min(22, table.map(\.types.displayWidth).max() ?? 0)
        var lines = table.map { row in
            let name = row.name.cut(to: nameWidth).padded(to: nameWidth)
            let types = row.types.cut(to: typeWidth).padded(to: typeWidth)
            return "  \(name)  \(types)  \(row.nulls)  \(row.values)".trimmingEnd.cut(to: width)
        }
        let others = found.columns.count - shown.count
        if others > 0 { lines.append("  and \(others) more") }
        return [""] + lines
    }

    private static let maxColumns = 100

    private func types(_ column: FileInspection.Column) -> String {
        guard !column.types.isEmpty else { return found.recordCount == 0 ? "" : "null" }
        let names = column.types.map { type, _ in
            let text = type == .string ? column.nullText : nil
            return text.map { "\(type) (\($0.escapingControls))" } ?? "\(type)"
        }
        return names.joined(separator: ", ")
    }

    /// The share of nulls, in five columns.
    private func nulls(_ column: FileInspection.Column) -> String {
        guard found.recordCount > 0 else { return "" }
        let tenths = (1000 * column.nullCount + found.recordCount / 2) / found.recordCount
        let share = tenths % 10 == 0 ? "\(tenths / 10)%" : "\(tenths / 10).\(tenths % 10)%"
        return String(repeating: " ", count: max(0, 5 - share.count)) + share
    }

    /// The column's values in the first records, as JSON.
    private func values(_ column: FileInspection.Column) -> String {
        let values = found.firstRecords.map { record in
            var value = record[column.name]
            if column.name == "value", record.keys.isEmpty { value = record.value }
            // No more than can be shown, before each character is looked at.
            return value.map { String($0.description.prefix(width)).escapingControls } ?? "-"
        }
        return values.joined(separator: ", ")
    }

    private func block(_ title: String, _ lines: [String]) -> [String] {
        guard !lines.isEmpty else { return [] }
        return ["", "  \(title)"] + lines.map { "  \(String($0.prefix(width)).escapingControls)".cut(to: width) }
    }

    /// The first bytes as in a hex dump, 16 a line.
    private var firstBytes: [String] {
        guard case .bytes(let bytes)? = found.firstRecords.first?["bytes"] else { return [] }
        return (0..<rows).compactMap { line in
            let part = bytes.dropFirst(16 * line).prefix(16)
            guard !part.isEmpty else { return nil }
            let hex = part.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
            let text = part.map { (0x20..<0x7F).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
            return "\(hex.padded(to: 47))  \(text)"
        }
    }
}

// MARK: - Names

extension FileFormat {
    fileprivate var title: String {
        switch self {
        case .csv: "CSV"
        case .jsonl: "JSON Lines"
        case .json: "JSON"
        case .text: "text"
        case .binary: "binary"
        }
    }
}

extension TextEncoding {
    fileprivate var title: String {
        switch self {
        case .utf8: "UTF-8"
        case .utf16, .utf16LE: "UTF-16, little-endian"
        case .utf16BE: "UTF-16, big-endian"
        case .latin1: "ISO 8859-1 (Latin-1)"
        }
    }
}
