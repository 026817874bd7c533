extension FileInspection {
    /// What a column holds, as far as the sample goes.
    public struct Column: Sendable {
        public let name: String
        /// The types of its values that are not null, most frequent first, and how many there are of each.
        public let types: [(type: ValueType, count: Int)]
        /// Records that have null there, or nothing: null or no such key in JSON, an empty cell without quotes in CSV.
        public let nullCount: Int
        /// The one text of a CSV column of numbers, such as `NA`: it may mean null. Nil where there is none, or it has digits.
        public let nullText: String?
    }
}

/// Counts what the columns of a sample hold.
struct ColumnTally {
    fileprivate struct Entry {
        let name: String
        /// In order of first appearance.
        var counts: [(type: ValueType, count: Int)] = []
        /// The row that was counted last, and as what.
        var last: (row: Int, type: ValueType)?
        /// The text of its strings, if all have the same.
        var text: String?
        var hasTexts = false
    }

    private var entries: [Entry]
    /// Of JSON keys.
    private var places: [ByteKey: Int] = [:]
    private var rows = 0

    init(_ records: RecordSample) {
        entries = records.schema?.names.map { Entry(name: $0) } ?? []
        for (base, _) in records.units {
            for row in 0..<base.rowCount {
                if let schema = base.schema { addCells(base, row, schema.count) } else { addMembers(base, row) }
                rows += 1
            }
        }
    }

    private mutating func addCells(_ base: BatchBase, _ row: Int, _ count: Int) {
        for place in 0..<count {
            guard let field = base.field(row, place) else { continue }
            let type = field.type
            entries[place].count(type, row: rows)
            if type == .string, base.isInferred { entries[place].note(field, base) }
        }
    }

    private mutating func addMembers(_ base: BatchBase, _ row: Int) {
        guard case .json(let tape, let jsonRows, _) = base.layout else { return }
        let members = JSONMembers(bytes: base.bytes, tape: tape, position: Int(jsonRows[row].tape))
        guard members.isObject else {
            let record = RecordBatch(base: base, rows: row..<row + 1)[0]
            return entries[place(of: "value")].count(record.value.type, row: rows)
        }
        members.forEach { key, position in
            entries[place(of: key)].count(Field(.json(base.bytes, tape, position)).type, row: rows)
        }
    }

    private mutating func place(of key: String) -> Int {
        if let place = places[ByteKey(text: key)] { return place }
        places[ByteKey(text: key)] = entries.count
        entries.append(Entry(name: key))
        return entries.count - 1
    }

    /// What was counted.
    var columns: [FileInspection.Column] {
        entries.map { entry in
            let known = entry.counts.filter { $0.type != .null && $0.count > 0 }
            let sorted = known.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
            return FileInspection.Column(
                name: entry.name, types: sorted.map(\.element),
                nullCount: rows - known.reduce(0) { $0 + $1.count }, nullText: entry.nullText)
        }
    }
}

extension ColumnTally.Entry {
    /// Counts a value. Of a key that a record has twice the last one counts.
    fileprivate mutating func count(_ type: ValueType, row: Int) {
        if let last, last.row == row { add(-1, last.type) }
        add(1, type)
        last = (row, type)
    }

    private mutating func add(_ count: Int, _ type: ValueType) {
        guard let place = counts.firstIndex(where: { $0.type == type }) else { return counts.append((type, count)) }
        counts[place].count += count
    }

    /// Looks at the text of a cell. In quotes it could not be told to mean null.
    fileprivate mutating func note(_ field: Field, _ base: BatchBase) {
        var isQuoted = false
        if case .csv(let bytes, _) = field.content { isQuoted = base.isQuoted(bytes) }
        let string = field.string
        if isQuoted || hasTexts && text != string { text = nil } else if !hasTexts { text = string }
        hasTexts = true
    }

    fileprivate var nullText: String? {
        let types = Set(counts.filter { $0.count > 0 }.map(\.type)).subtracting([.null, .string])
        guard !types.isEmpty, types.isSubset(of: [.int, .double, .decimal]), let text else { return nil }
        return text.utf8.contains { (0x30...0x39).contains($0) } ? nil : text
    }
}
