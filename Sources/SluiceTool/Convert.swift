import ArgumentParser
import Sluice

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Converts files into another format, compression, encoding or dialect.",
        usage: "sluice convert <input> ... <output> [<options>]",
        discussion: """
            Inputs are files and directories, and become one output, in order. It is published when it is complete; on any \
            error the file that was there stays.

                sluice convert flights.csv flights.jsonl
                sluice convert tweets.jsonl.gz tweets.csv --select id,text,user.screen_name
                sluice convert prices.txt prices.json --from csv --delimiter ';' --encoding latin1 --null NA
                sluice convert 2012.csv 2013/ all.jsonl.gz --pattern '*.csv'
                zcat flights.csv.gz | sluice convert - - --from csv --to jsonl | head

            Options of CSV say how the input is written; where the output alone is CSV, they say it of the output.
            """)

    @Argument(help: "What to read, files and directories, and then the file to write; - is standard input and output.")
    var paths: [String]

    @Option(help: "Fields to keep, in this order, separated by commas: CSV columns, JSON keys or dotted paths.")
    var select: NameList?

    @Option(help: "Whether CSV cells are all strings (the default), or typed cell by cell.")
    var types: CellTypes?

    @Option(help: "Columns of CSV output, in this order, separated by commas; with --no-header those of CSV input.")
    var columns: NameList?

    @OptionGroup(title: "Input") var input: InputOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    @OptionGroup(title: "Run") var running: RunOptions

    func validate() throws {
        guard paths.count >= 2 else { throw ValidationError("an input and an output are needed") }
    }

    func run() throws {
        let inputs = Array(paths.dropLast())
        let target = paths[paths.count - 1]
        try checkIsMeant(target, inputs)
        // What is said of CSV is about the output where that alone is any.
        let isOfOutput = output.isCSV(target) && input.isNoCSV(inputs)
        let namesInput = input.dialect.noHeader && !isOfOutput
        let source = try input.source(
            inputs, dialect: isOfOutput ? nil : input.dialect, columns: namesInput ? columns?.names : nil, types: types,
            select: select?.names)
        let sink = try output.sink(
            target, dialect: isOfOutput ? input.dialect : nil, columns: namesInput ? nil : columns?.names,
            kernel: input.kernel.choice)
        _ = try running.run(chunkSize: input.chunkSize, output: target) { context in
            try context.stream(source: source, sink: sink)
        }
        source.tellSkipped()
        if sink.droppedFields > 0 {
            Terminal.say("sluice: dropped \(sink.droppedFields) fields that are none of the output's columns")
        }
    }

    /// `convert *.csv` without an output would replace the last of the inputs.
    private func checkIsMeant(_ target: String, _ inputs: [String]) throws {
        let format = FileFormat(path: target)
        guard inputs.count > 1, !output.append, !output.replace, FileSystem.isFile(target),
            inputs.allSatisfy({ FileFormat(path: $0) == format })
        else { return }
        throw ValidationError(
            "\(target.escapingControls) is there, and could be an input as well as the output: say --replace to replace it"
        )
    }
}
