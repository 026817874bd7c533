/// How a CSV file is written: its dialect, and what its cells mean.
///
///     let source = try FileStreamSource("prices.txt", format: .csv, csv: CSVOptions(delimiter: ";", nulls: ["NA"]))
///
/// One type serves sources and sinks. A sink takes `delimiter`, `quote`, `escape` and `header`; it refuses the others, which
/// say how to read. All characters are ASCII, and no two of them are the same.
public struct CSVOptions: Sendable, Hashable {
    /// What is done about a record that has more or fewer fields than there are columns.
    public enum Ragged: String, Sendable, CaseIterable {
        /// It is an error.
        case error
        /// Fields that are missing are absent: nil in records, left out of JSON, empty in CSV. More fields than columns are an
        /// error.
        case pad
        /// Fields that are missing are absent, and those beyond the last column are dropped.
        case truncate
    }

    /// What divides fields; nil: a tab where the name ends in `.tsv`, a comma elsewhere.
    public var delimiter: Character?
    /// What a field stands in that has delimiters or line ends; nil: there are no quotes, and a field that needs them is an
    /// error of the sink.
    public var quote: Character?
    /// What stands before a quote inside quotes (and before itself); nil: a quote is doubled. Outside quotes it is data; sinks
    /// quote fields that have it.
    public var escape: Character?
    /// Whether the first record names the columns. Without, they are `columns`, or else `column_1`, `column_2` … for as many
    /// fields as the first record has.
    public var header: Bool
    /// The columns of a file without a header; nil: see `header`.
    public var columns: [String]?
    /// Text behind a closing quote is data of the field, instead of an error.
    public var lenient: Bool
    /// What is done about a record with more or fewer fields than columns.
    public var ragged: Ragged
    /// What lines of comment start with: they are skipped, but counted as records are numbered; nil: there are none. Within a
    /// record, and behind anything else on its line, the character is data.
    public var comment: Character?
    /// Texts that mean null, such as `NA`: cells that are one of them, byte for byte. A cell in quotes is never null. The empty
    /// text makes every empty cell null, which `inferred` types do by themselves.
    public var nulls: [String]

    public init(
        delimiter: Character? = nil, quote: Character? = "\"", escape: Character? = nil, header: Bool = true,
        columns: [String]? = nil, lenient: Bool = false, ragged: Ragged = .error, comment: Character? = nil,
        nulls: [String] = []
    ) {
        self.delimiter = delimiter
        self.quote = quote
        self.escape = escape
        self.header = header
        self.columns = columns
        self.lenient = lenient
        self.ragged = ragged
        self.comment = comment
        self.nulls = nulls
    }
}

/// What a CSV sink does about a record's field that is none of its columns.
public enum UnknownColumns: String, Sendable, CaseIterable {
    /// It is an error that names record and key, before anything of the chunk is written.
    case error
    /// The field is dropped, and counted in `FileStreamSink.droppedFields`.
    case drop
}

// MARK: - Checks

extension CSVOptions {
    /// The dialect of a source.
    /// - Throws: `StreamError`: `invalidConfiguration`.
    func sourceDialect(path: String) throws(StreamError) -> CSVDialect {
        var dialect = try dialect(path)
        dialect.isLenient = lenient
        dialect.ragged = ragged.ofDialect
        dialect.comment = try byte(comment, "comment", path)
        try refuse(
            comment != nil && [dialect.delimiter, dialect.quote, dialect.escape].contains(dialect.comment),
            "comments start with a character that is the delimiter, the quote or the escape", path,
            "choose another character")
        try refuse(
            lenient && quote == nil, "without quotes there is nothing to be lenient about", path, "leave it away")
        try refuse(header && columns != nil, "columns are named by the header", path, "say header: false (--no-header)")
        if let columns {
            try refuse(
                columns.isEmpty || Set(columns.map(ByteKey.init)).count != columns.count,
                "columns are at least one, and each once", path, "nil: column_1, column_2 …")
        }
        try checkNulls(dialect, path)
        return dialect
    }

    /// The dialect of a sink.
    /// - Throws: `StreamError`: `invalidConfiguration`.
    func sinkDialect(path: String) throws(StreamError) -> CSVDialect {
        try refuse(
            columns != nil, "columns of CSVOptions are for sources without a header", path,
            "give the sink its columns: instead")
        let readers = [
            (lenient, "lenient"), (ragged != .error, "ragged"), (comment != nil, "comment"), (!nulls.isEmpty, "nulls"),
        ]
        for (isSet, name) in readers {
            try refuse(isSet, "\(name) says how CSV is read, and this file is written", path, "leave it away")
        }
        return try dialect(path)
    }

    /// For a format that is no CSV.
    /// - Throws: `StreamError`: `invalidConfiguration` where an option is set.
    func unused(path: String) throws(StreamError) -> CSVDialect {
        try refuse(
            self != CSVOptions(), "the options are for CSV, and the file is none", path,
            "leave csv: away, or say format: .csv")
        return CSVDialect()
    }

    private func dialect(_ path: String) throws(StreamError) -> CSVDialect {
        var dialect = CSVDialect()
        dialect.delimiter = try byte(delimiter ?? Self.delimiter(path: path), "delimiter", path)
        dialect.quote = try byte(quote, "quote", path)
        dialect.escape = try byte(escape, "escape", path)
        try refuse(
            escape != nil && quote == nil, "escape stands inside quotes, and there are none", path, "give a quote, too")
        try refuse(
            escape != nil && escape == quote, "escape and quote are the same character", path,
            "leave escape away: quotes are doubled then")
        try refuse(
            [dialect.quote, dialect.escape].contains(dialect.delimiter),
            "the delimiter is also the quote or the escape",
            path, "choose another character")
        return dialect
    }

    /// 0 for nil.
    private func byte(_ character: Character?, _ name: String, _ path: String) throws(StreamError) -> UInt8 {
        guard let character else { return 0 }
        let bytes = Array(String(character).utf8)
        try refuse(
            bytes.count != 1 || [0x00, 0x0A, 0x0D].contains(bytes[0]) || bytes[0] > 0x7F,
            "\(name) is one ASCII character, and no line end or NUL", path, "choose another character")
        return bytes[0]
    }

    /// Refuses texts that no cell without quotes can have.
    private func checkNulls(_ dialect: CSVDialect, _ path: String) throws(StreamError) {
        for text in nulls {
            let bytes = Array(text.utf8)
            try refuse(
                bytes.contains { [dialect.delimiter, 0x0A, 0x0D].contains($0) }
                    || dialect.quote != 0 && bytes.first == dialect.quote,
                "a text of nulls has a delimiter, a line end or a quote: no cell without quotes is such a text", path,
                "give the texts as they stand between delimiters")
        }
    }

    private func refuse(
        _ isWrong: Bool, _ message: String, _ path: String, _ hint: String
    ) throws(StreamError) {
        if isWrong { throw StreamError(.invalidConfiguration, message, path: path, hint: hint) }
    }
}

extension CSVOptions.Ragged {
    fileprivate var ofDialect: CSVDialect.Ragged {
        switch self {
        case .error: .error
        case .pad: .pad
        case .truncate: .truncate
        }
    }
}
