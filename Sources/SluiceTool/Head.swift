import ArgumentParser
import Sluice

struct Head: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head",
        abstract: "Shows the first records of files.",
        discussion: """
            They are written as they are in the file, decompressed and in UTF-8, or in another format with --to. No more is \
            read than it takes; what follows is not validated.

                sluice head flights.csv.gz
                sluice head -n 2 tweets.jsonl --select id,user.screen_name --to csv
            """)

    @Argument(help: "Files and directories; - is standard input.")
    var inputs: [String]

    @Option(name: [.customShort("n", allowingJoined: true), .customLong("records")], help: "How many.")
    var count = 10

    @Option(help: "Format to show them in. (default: that of the input)")
    var to: FormatName?

    @Option(help: "Fields to show, in this order, separated by commas: CSV columns, JSON keys or dotted paths.")
    var select: NameList?

    @Option(help: "Whether CSV cells are all strings (the default), or typed cell by cell.")
    var types: CellTypes?

    @Option(help: "With --no-header: the columns of the input.")
    var columns: NameList?

    @OptionGroup(title: "Input") var input: InputOptions

    func validate() throws {
        guard count >= 0 else { throw ValidationError("-n is a number of records") }
    }

    func run() throws {
        let source = try input.source(
            inputs, dialect: input.dialect, columns: columns?.names, chunkSize: max(1, min(count, 1 << 16)),
            types: types, select: select?.names)
        let sink = try sink(like: source)
        do {
            try show(source, sink)
        } catch {
            sink.abort()
            throw error
        }
        source.tellSkipped()
    }

    /// Chunk by chunk, each cut by itself: a unit of many would read on, and find errors in records that nobody asked for.
    private func show<Source: RecordFiles>(_ source: Source, _ sink: FileStreamSink) throws {
        var left = count
        var isFirst = true
        while isFirst || left > 0, let unit = try source.cut(UnitLimit(bytes: 1, decodesNext: true)) {
            if isFirst, let schema = source.schema { sink.expect(schema) }
            isFirst = false
            for var chunk in try source.decode(unit) {
                chunk.data.removeAll { _ in
                    left -= 1
                    return left < 0
                }
                try sink.writeChunk(chunk)
            }
        }
        if isFirst, let schema = source.schema { sink.expect(schema) }
        try sink.close()
    }

    /// Standard output, in the input's format and dialect.
    private func sink(like source: any RecordFiles) throws -> FileStreamSink {
        var csv = CSVOptions(delimiter: to?.delimiter)
        let format = to?.format ?? input.from?.format ?? source.format
        if to == nil, format == .csv {
            csv.delimiter = input.from?.delimiter ?? source.paths.first.map(CSVOptions.delimiter(path:))
            input.dialect.apply(to: &csv)
        }
        return try FileStreamSink("-", format: format, csv: csv, kernel: input.kernel.choice)
    }
}
