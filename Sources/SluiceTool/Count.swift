import ArgumentParser
import Sluice

struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Counts the records of files.",
        discussion: """
            A CSV header is no record, and a line end inside quotes ends none. Fields are not looked at: use convert to have \
            them validated.
            """)

    @Argument(help: "The files; - is standard input.")
    var inputs: [String]

    @Option(help: "Format of the input. (default: by the name, or the first byte)")
    var from: FileFormat?

    @OptionGroup var reading: ReadingOptions

    func run() throws {
        var total = 0
        for input in inputs {
            let source = try FileStreamSource(
                input, format: from, chunkSize: reading.chunkSize, encoding: reading.encoding,
                maxRecordBytes: reading.maxRecord, kernel: reading.kernel)
            let count = try source.countRecords()
            try Terminal.show(inputs.count == 1 ? "\(count)" : "\(count) \(input.escapingControls)")
            total += count
        }
        if inputs.count > 1 { try Terminal.show("\(total) total") }
    }
}
