import ArgumentParser
import Sluice

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Converts a file into another format or compression.",
        discussion: """
            The output is published when it is complete; on any error the file that was there stays.

                sluice convert flights.csv flights.jsonl
                sluice convert tweets.jsonl.gz tweets.csv --select id,text,user.screen_name
                zcat flights.csv.gz | sluice convert - - --from csv --to jsonl | head
            """)

    @Argument(help: "The file to read; - is standard input.")
    var input: String

    @Argument(help: "The file to write; - is standard output.")
    var output: String

    @Option(help: "Format of the input: \(FileFormat.names). (default: by the name, or the first byte)")
    var from: FileFormat?

    @Option(help: "Format of the output. (default: by the name)")
    var to: FileFormat?

    @Option(
        help: "Encoding of the output; utf16 is little-endian with a byte order mark, utf16le and utf16be have none.")
    var toEncoding: TextEncoding = .utf8

    @Option(help: "Compression of the output: \(CompressionFormat.names). (default: by the name)")
    var compression: CompressionFormat?

    @Option(help: "Level of the compression: gzip 0 to 9, lz4 0 to 12. (default: 1)")
    var level: Int?

    @Flag(help: "Write behind what the output has, in the file itself: same columns, same compression.")
    var append = false

    @Option(help: "Fields to keep, in this order, separated by commas: CSV columns, JSON keys or dotted paths.")
    var select: String?

    @Option(help: "Whether CSV cells are all strings (the default), or typed cell by cell: strings, infer.")
    var types: CellTypes?

    @OptionGroup var reading: ReadingOptions

    func run() throws {
        let source = try FileStreamSource(
            input, format: from, chunkSize: reading.chunkSize, encoding: reading.encoding, types: types,
            select: try select.map(fields),
            maxRecordBytes: reading.maxRecord, kernel: reading.kernel)
        let sink = try FileStreamSink(
            output, format: try outputFormat(), mode: append ? .append : .write, compression: compression,
            encoding: toEncoding, level: level, kernel: reading.kernel)
        try BasicStreamProcessor(source: source, sink: sink).run()
    }

    private func outputFormat() throws -> FileFormat? {
        if let to { return to }
        guard output == "-" else { return nil }
        throw ValidationError("standard output has no name to tell its format: say --to csv or --to jsonl")
    }

    private func fields(_ list: String) throws -> [String] {
        let fields = list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !fields.contains("") else { throw ValidationError("--select has an empty name in \"\(list)\"") }
        return fields
    }
}

/// How files are read, for all commands.
struct ReadingOptions: ParsableArguments {
    @Option(help: "Records of a chunk.")
    var chunkSize = 1000

    @Option(help: "Bytes a record may have.")
    var maxRecord = 16 << 20

    @Option(help: "Encoding of the input; UTF-16 is as its byte order mark says, and utf16 without one little-endian.")
    var encoding: TextEncoding = .utf8

    @Option(help: "Implementation of the hot functions: \(KernelChoice.names).")
    var kernel: KernelChoice = .auto
}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
