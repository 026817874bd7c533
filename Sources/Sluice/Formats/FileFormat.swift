/// How records are written in a file.
public enum FileFormat: String, Sendable, CaseIterable {
    /// Comma-separated values with a header; tab-separated where the name ends in `.tsv`.
    case csv
    /// One JSON value a line.
    case jsonl
    /// One JSON document: an array whose elements are the records, or a value that is one record. Always written as an array.
    /// Unlike the other text formats it has no empty file: one without a value is an error.
    case json
    /// Lines: each is a record whose field `text` is the line without its line end.
    case text
    /// Bytes: blocks of 64 KiB are records whose field `bytes` is the block.
    case binary

    /// What names of such files end in.
    private var suffixes: [String] {
        switch self {
        case .csv: [".csv", ".tsv"]
        case .jsonl: [".jsonl", ".ndjson"]
        case .json: [".json"]
        case .text: [".txt", ".text", ".log"]
        case .binary: [".bin", ".dat"]
        }
    }

    /// The format that a file's name tells, a compression suffix left aside: `x.csv.gz` is CSV. Nil for other names.
    public init?(path: String) {
        let name = CompressionFormat.withoutSuffix(path).lowercased()
        guard let format = Self.allCases.first(where: { $0.suffixes.contains { name.hasSuffix($0) } }) else {
            return nil
        }
        self = format
    }

    /// A file's name as that of a file of this format, without compression: `x.csv.gz` becomes `x.jsonl`. One that tells the
    /// format already is kept.
    func renaming(_ name: String) -> String {
        let name = CompressionFormat.withoutSuffix(name)
        guard let old = FileFormat(path: name) else { return name + suffixes[0] }
        guard old != self else { return name }
        let suffix = old.suffixes.first { name.lowercased().hasSuffix($0) } ?? ""
        return String(name.dropLast(suffix.count)) + suffixes[0]
    }

    /// The format that the first byte of a file tells which is not blank; nil for others.
    init?(firstByte: UInt8) {
        switch firstByte {
        case UInt8(ascii: "{"): self = .jsonl
        case UInt8(ascii: "["): self = .json
        default: return nil
        }
    }
}

extension FileFormat {
    /// Refuses an encoding for what is bytes, and no text.
    func check(_ encoding: TextEncoding, _ path: String) throws(StreamError) {
        guard encoding != .utf8, self == .binary else { return }
        throw StreamError(
            .invalidConfiguration, "a text encoding is for text; bytes have none", path: path,
            hint: "leave encoding (--encoding, --to-encoding) away")
    }
}

/// What CSV cells are.
public enum CellTypes: String, Sendable, CaseIterable {
    /// Every cell is a string.
    case strings
    /// Cell by cell: a JSON number is a number (its text kept), `true` and `false` are Booleans, an empty cell without quotes is
    /// null; all else is a string.
    case inferred
}

extension CSVOptions {
    /// What divides fields as far as the name tells: tabs for `.tsv`, commas otherwise.
    package static func delimiter(path: String) -> Character {
        CompressionFormat.withoutSuffix(path).lowercased().hasSuffix(".tsv") ? "\t" : ","
    }
}
