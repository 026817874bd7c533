/// What a file is, told from its start: up to 1000 records or 1 MiB, however long it is.
///
///     let found = try FileInspection("prices.txt.gz", format: .csv)
///     print(found.encoding ?? .utf8, found.columns.map(\.name))
///     let source = try FileStreamSource(
///         found.path, format: found.format, encoding: found.encoding ?? .utf8, csv: found.csv)
///
/// A source believes what it is told, or takes the default; an inspection looks. What is given to it is believed here, too.
public struct FileInspection: Sendable {
    /// The path, as it was given; "-" is standard input.
    public let path: String
    /// What was given, or what the name says, or the first byte (`{`, `[`), as with sources. Where that tells nothing: binary where
    /// there are bytes that no text has; CSV where a delimiter divides all records into as many fields; else text. JSON that is
    /// none by the one format and is by the other is of the other: a document in a `.jsonl`, lines in a `.json`.
    public let format: FileFormat
    /// What the name says or the first bytes tell.
    public let compression: CompressionFormat
    /// By a byte order mark, or else by where UTF-16 has zero bytes; ISO 8859-1 where the text is not UTF-8 from its first character
    /// beyond ASCII on, and has no control characters; else UTF-8. Nil for bytes, which have none.
    public let encoding: TextEncoding?
    public let hasByteOrderMark: Bool
    /// How the CSV is written: what was given, and the delimiter and whether there is a header.
    ///
    /// The delimiter is the one of comma, semicolon, tab and `|` that divides every record into as many fields: of several, the one
    /// that gives the most.
    ///
    /// The first record is a header unless, in one column at least, it has what names seldom are and the rest of the column is: a
    /// number, a Boolean, or digits with marks between them, as dates and times are. With text alone there is no telling, and
    /// the first record is taken for a header.
    public let csv: CSVOptions
    /// How lines end, in order of first appearance; empty where none do, and for JSON documents and bytes.
    public let lineEnds: [LineEnd]
    /// The columns: of JSON the keys, in order of first appearance; `value` stands for records that are no objects.
    public let columns: [Column]
    /// Records of the sample; those before the error, where there is one.
    public let recordCount: Int
    /// Whether the sample's records are all that the file has.
    public let isWhole: Bool
    /// The first of them; CSV cells have the inferred types.
    public let firstRecords: [Record]
    /// What is wrong with the data, at the first place in the sample where something is.
    public let error: StreamError?
    /// The format that a source takes which is not told; nil where it refuses.
    let assumedFormat: FileFormat?

    /// How lines end.
    public enum LineEnd: String, Sendable, CaseIterable {
        case lf
        case crlf
        case cr
    }

    /// Most records and bytes (decompressed) of a sample.
    public static let maxRecords = 1000
    public static let maxBytes = 1 << 20

    /// Looks at a file. A pipe is waited for until it has given as many bytes as a sample may have, or ends.
    ///
    /// - Parameters:
    ///   - path: the file; "-" is standard input.
    ///   - format: nil: see the property; so are the others.
    ///   - csv: how a CSV file is written, as far as that is known. Its delimiter is looked for where it is nil, and a header unless
    ///     there shall be none.
    ///   - rows: how many of the first records to keep.
    ///   - kernel: which implementation does the work.
    /// - Throws: `StreamError`: what keeps the file from being opened or read; `invalidConfiguration`. Bad data is no reason.
    public init(
        _ path: String, format: FileFormat? = nil, compression: CompressionFormat? = nil,
        encoding: TextEncoding? = nil, csv: CSVOptions = CSVOptions(), rows: Int = 5, kernel: KernelChoice = .auto
    ) throws {
        let detector = try FileDetector(path, compression, csv, kernel.make())
        let found = try detector.detect(format, encoding)
        let records = found.records
        self.path = path
        self.format = found.format
        self.compression = detector.sample.compression
        self.encoding = found.format == .binary ? nil : found.encoding
        hasByteOrderMark =
            found.format != .binary && TextEncoding(byteOrderMark: detector.sample.bytes) == found.encoding
        self.csv = found.csv
        lineEnds = found.lineEnds
        columns = ColumnTally(records).columns
        recordCount = records.count
        isWhole = records.isWhole
        firstRecords = records.first(rows)
        error = records.error ?? FileSample.fault(detector.sample.rest)
        assumedFormat = FileFormat(path: path) ?? detector.formatOfFirstByte(found.encoding)
    }
}

// MARK: - Flags

extension FileInspection {
    /// What the tool's commands have to be told to read the file as it was found: `--delimiter`, `;`. Empty where they find out by
    /// themselves. Of the dialect it has what is looked for, not what was given.
    public var flags: [String] {
        var flags: [String] = []
        if format != assumedFormat { flags += ["--from", format.rawValue] }
        if let encoding, encoding != .utf8 {
            let isMarked = hasByteOrderMark && encoding != .latin1
            flags += ["--encoding", isMarked ? "utf16" : encoding.rawValue.lowercased()]
        }
        guard format == .csv else { return flags }
        if let delimiter = csv.delimiter, delimiter != CSVOptions.delimiter(path: path) {
            flags += ["--delimiter", delimiter == "\t" ? "tab" : String(delimiter)]
        }
        if !csv.header { flags.append("--no-header") }
        var nulls = csv.nulls
        for case let text? in columns.map(\.nullText) where !nulls.contains(text) { nulls.append(text) }
        // As one word, since a text may begin with a hyphen.
        for text in nulls { flags += text.hasPrefix("-") ? ["--null=\(text)"] : ["--null", text] }
        return flags
    }
}
