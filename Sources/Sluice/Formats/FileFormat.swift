/// How records are written in a file.
public enum FileFormat: String, Sendable, CaseIterable {
    /// Comma-separated values with a header; tab-separated where the name ends in `.tsv`.
    case csv
    /// One JSON value a line.
    case jsonl

    /// The format that a file's name tells, a compression suffix left aside: `x.csv.gz` is CSV. Nil for other names.
    public init?(path: String) {
        let name = CompressionFormat.withoutSuffix(path).lowercased()
        if name.hasSuffix(".csv") || name.hasSuffix(".tsv") {
            self = .csv
        } else if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
            self = .jsonl
        } else {
            return nil
        }
    }

    /// The format that the first byte of a file tells which is not blank; nil for others.
    init?(firstByte: UInt8) {
        switch firstByte {
        case UInt8(ascii: "{"): self = .jsonl
        default: return nil
        }
    }
}

extension FileFormat {
    /// Refuses an encoding for what is bytes, and no text.
    func check(_ encoding: TextEncoding, _ path: String) throws(StreamError) {
        guard encoding != .utf8, rawValue == "binary" else { return }
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

extension CSVDialect {
    /// Tabs for `.tsv`, commas otherwise.
    init(path: String) {
        if CompressionFormat.withoutSuffix(path).lowercased().hasSuffix(".tsv") { delimiter = UInt8(ascii: "\t") }
    }
}
