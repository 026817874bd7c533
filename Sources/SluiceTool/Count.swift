import ArgumentParser
import Sluice

struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Counts the records of files.",
        discussion: """
            A CSV header is no record, and a line end inside quotes ends none. Fields are not looked at: use convert to have \
            them validated.
            """)

    @Argument(help: "Files and directories; - is standard input.")
    var inputs: [String]

    @OptionGroup(title: "Input") var input: InputOptions

    @OptionGroup(title: "Run") var running: RunOptions

    func run() throws {
        var total = 0
        let start = ContinuousClock.now
        for path in inputs {
            let source = try input.source([path], dialect: input.dialect)
            let metrics = try running.run(
                chunkSize: input.chunkSize, input: inputs.count > 1 ? path : nil, since: start
            ) { try $0.count(source: source) }
            let count = metrics.readRecords
            source.tellSkipped()
            try Terminal.show(inputs.count == 1 ? "\(count)" : "\(count) \(path.escapingControls)")
            total += count
        }
        if inputs.count > 1 { try Terminal.show("\(total) total") }
    }
}
