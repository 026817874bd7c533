import ArgumentParser
import Sluice

/// What is read and how, for all commands.
struct InputOptions: ParsableArguments {
    @Option(help: "Format of the input. (default: by the name, or the first byte)")
    var from: FormatName?

    @Option(help: "Encoding of the input; UTF-16 is as its byte order mark says, and utf16 without one little-endian.")
    var encoding: TextEncoding = .utf8

    @OptionGroup(title: "CSV") var dialect: DialectOptions

    @OptionGroup(title: "CSV that is read") var cells: CellOptions

    @OptionGroup(title: "Many files") var files: FileOptions

    @Option(help: "Records of a chunk.")
    var chunkSize = 1000

    @Option(help: "Bytes a record may have.")
    var maxRecord = 16 << 20

    @OptionGroup var kernel: KernelOption
}

/// How CSV is written, on either side.
struct DialectOptions: ParsableArguments {
    @Option(help: "What divides fields; tab is one, too. (default: a comma, or a tab for .tsv)")
    var delimiter: DialectCharacter?

    @Option(help: "What fields stand in that have delimiters or line ends; none: there are no quotes. (default: \")")
    var quote: DialectCharacter?

    @Option(help: "What stands before a quote inside quotes. (default: none, a quote is doubled)")
    var escape: DialectCharacter?

    @Flag(help: "The first record is data, and names no columns.")
    var noHeader = false

    /// Whether anything was said.
    var isGiven: Bool { delimiter != nil || quote != nil || escape != nil || noHeader }

    func apply(to options: inout CSVOptions) {
        if let delimiter { options.delimiter = delimiter.character }
        if let quote { options.quote = quote.character }
        if let escape { options.escape = escape.character }
        if noHeader { options.header = false }
    }

    func validate() throws {
        if let delimiter, delimiter.character == nil { throw ValidationError("--delimiter is a character") }
    }
}

/// What cells of CSV that is read mean.
struct CellOptions: ParsableArguments {
    @Flag(help: "Text behind a closing quote is data, instead of an error.")
    var lenient = false

    @Option(help: "What is done about records with too few or too many fields.")
    var ragged: CSVOptions.Ragged = .error

    @Option(help: "What lines start with that are comments. (default: none)")
    var comment: DialectCharacter?

    @Option(help: "A text that means null where it stands without quotes; may be given again.")
    var null: [String] = []

    func apply(to options: inout CSVOptions) {
        options.lenient = lenient
        options.ragged = ragged
        options.comment = comment?.character
        options.nulls = null
    }
}

/// Which files of directories, and how they go together.
struct FileOptions: ParsableArguments {
    @Option(help: "Names of a directory's files to read, such as *.csv; with --recursive paths, such as 2013/**/*.csv.")
    var pattern: String?

    @Flag(help: "Search directories below, too.")
    var recursive = false

    @Flag(help: "Columns are those of all files, by name, instead of the same ones in all.")
    var union = false

    @Option(help: "What is done about a file that cannot be read or has bad data: skip the rest of it, or fail.")
    var onError: DirectoryStreamSource.ErrorPolicy = .fail

    /// Whether anything was said.
    var isGiven: Bool { pattern != nil || recursive || union || onError != .fail }
}

// MARK: - Sources

/// A source of files, one or many.
protocol RecordFiles: SplitSource {
    /// The paths, in order.
    var paths: [String] { get }
    /// That of the first file, as far as it is known before it is opened.
    var format: FileFormat { get }
    /// What was not read because that was asked for.
    var skipped: [DirectoryStreamSource.SkippedFile] { get }
}

extension FileStreamSource: RecordFiles {
    var paths: [String] { [path] }
    var skipped: [DirectoryStreamSource.SkippedFile] { [] }
}

extension DirectoryStreamSource: RecordFiles {
    var paths: [String] { files }
    // Names that tell no format are those of JSON: others are refused.
    var format: FileFormat { files.first.flatMap(FileFormat.init(path:)) ?? .jsonl }
    var skipped: [SkippedFile] { skippedFiles }
}

extension InputOptions {
    /// - Parameters:
    ///   - dialect: as that of the input; nil where what was said of CSV is about the output.
    ///   - columns: of CSV without a header.
    func source(
        _ inputs: [String], dialect: DialectOptions?, columns: [String]? = nil, chunkSize: Int? = nil,
        types: CellTypes? = nil, select: [String]? = nil
    ) throws -> any RecordFiles {
        var csv = CSVOptions(delimiter: from?.delimiter, columns: columns)
        cells.apply(to: &csv)
        dialect?.apply(to: &csv)
        let chunkSize = chunkSize ?? self.chunkSize
        if inputs.count == 1, !files.isGiven, !FileSystem.isDirectory(inputs[0]) {
            return try FileStreamSource(
                inputs[0], format: from?.format, chunkSize: chunkSize, encoding: encoding, types: types, csv: csv,
                select: select, maxRecordBytes: maxRecord, kernel: kernel.choice)
        }
        return try DirectoryStreamSource(
            paths: inputs, pattern: files.pattern, recursive: files.recursive, format: from?.format,
            chunkSize: chunkSize, encoding: encoding, types: types, csv: csv, select: select,
            maxRecordBytes: maxRecord, columns: files.union ? .union : .same, onError: files.onError,
            kernel: kernel.choice)
    }

    /// Whether the inputs are known to be no CSV: what is said of CSV is about the output then.
    func isNoCSV(_ inputs: [String]) -> Bool {
        if let from { return from.format != .csv }
        return inputs.allSatisfy { input in FileFormat(path: input).map { $0 != .csv } ?? (input == "-") }
    }
}

extension RecordFiles {
    /// Says what was skipped, on standard error.
    func tellSkipped() {
        for file in skipped {
            Terminal.say("sluice: skipped behind \(file.records) records: \(file.error)")
        }
    }
}
