import ArgumentParser
import Sluice
import SluiceSQLite

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a table of an SQLite database, or what a query finds, to a file.",
        discussion: """
            All rows are of one moment, whatever is written to the database meanwhile. The file is published when it is \
            complete; on any error the one that was there stays.

                sluice export flights.db flights.jsonl.gz --table flights
                sluice export app.db - --to csv --query 'SELECT id, name FROM users WHERE active ORDER BY name'
            """)

    @Argument(help: "The database.")
    var database: String

    @Argument(help: "The file to write; - is standard output.")
    var path: String

    @Option(help: "A table, or a view.")
    var table: String?

    @Option(help: "What to ask for, in SQL; it only reads.")
    var query: String?

    @Option(help: "Records of a chunk.")
    var chunkSize = 1000

    @Option(help: "Columns of CSV output, in this order, separated by commas.")
    var columns: NameList?

    @OptionGroup var kernel: KernelOption

    @OptionGroup(title: "Output") var output: OutputOptions

    @OptionGroup(title: "Run") var running: RunOptions

    func validate() throws {
        guard (table == nil) != (query == nil) else { throw ValidationError("say either --table or --query") }
    }

    func run() throws {
        let database = try SQLiteDatabase(database, mode: .readOnly)
        defer { database.close() }
        let query = try query ?? "SELECT * FROM \(database.quoted(table ?? ""))"
        let showsProgress = Terminal.isPerson && !Terminal.isShown(path)
        let source = try DatabaseStreamSource(
            database: database, query: query, chunkSize: chunkSize, countsRows: showsProgress && table != nil)
        let sink = try output.sink(path, dialect: nil, columns: columns?.names, kernel: kernel.choice)
        _ = try running.run(chunkSize: chunkSize, output: path) { context in
            try context.stream(source: source, sink: sink)
        }
        if sink.droppedFields > 0 {
            Terminal.say("sluice: dropped \(sink.droppedFields) fields that are none of the output's columns")
        }
    }
}
