import ArgumentParser
import Sluice

/// What is written and how.
struct OutputOptions: ParsableArguments {
    @Option(help: "Format of the output. (default: by the name)")
    var to: FormatName?

    @Option(
        help: "Encoding of the output; utf16 is little-endian with a byte order mark, utf16le and utf16be have none.")
    var toEncoding: TextEncoding = .utf8

    @Option(help: "Compression of the output. (default: by the name)")
    var compression: CompressionFormat?

    @Option(help: "Level of the compression: gzip 0 to 9, lz4 0 to 12. (default: 1)")
    var level: Int?

    @Flag(help: "Write behind what the output has, in the file itself: same columns, same compression.")
    var append = false

    @Flag(help: "Replace an output that is there also where many inputs of its kind are given.")
    var replace = false

    @Option(help: "Delimiter of CSV output. (default: a comma, or a tab for .tsv)")
    var toDelimiter: DialectCharacter?

    @Option(help: "Quote of CSV output; none: there are no quotes. (default: \")")
    var toQuote: DialectCharacter?

    @Option(help: "Escape of CSV output. (default: none, a quote is doubled)")
    var toEscape: DialectCharacter?

    @Flag(help: "CSV output without a header.")
    var toNoHeader = false

    @Option(help: "What is done about a field that is none of the columns of CSV output.")
    var unknownColumns: UnknownColumns = .error

    func validate() throws {
        if let toDelimiter, toDelimiter.character == nil { throw ValidationError("--to-delimiter is a character") }
    }

    /// - Parameters:
    ///   - dialect: as that of the output, where what was said of CSV is not about the input.
    ///   - columns: of CSV.
    func sink(
        _ output: String, dialect: DialectOptions?, columns: [String]?, kernel: KernelChoice
    ) throws -> FileStreamSink {
        guard output != "-" || to != nil else {
            throw ValidationError("standard output has no name to tell its format: say --to csv or --to jsonl")
        }
        var csv = CSVOptions(delimiter: to?.delimiter)
        dialect?.apply(to: &csv)
        if let toDelimiter { csv.delimiter = toDelimiter.character }
        if let toQuote { csv.quote = toQuote.character }
        if let toEscape { csv.escape = toEscape.character }
        if toNoHeader { csv.header = false }
        return try FileStreamSink(
            output, format: to?.format, mode: append ? .append : .write, compression: compression,
            encoding: toEncoding, csv: csv, columns: columns, unknownColumns: unknownColumns, level: level,
            kernel: kernel)
    }

    /// Whether the output is CSV.
    func isCSV(_ output: String) -> Bool { (to?.format ?? FileFormat(path: output)) == .csv }
}
