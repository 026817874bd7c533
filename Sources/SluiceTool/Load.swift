import ArgumentParser
import Sluice
import SluiceSQLite

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads files into a table of an SQLite database.",
        usage: "sluice load <input> ... <database> --table <table> [<options>]",
        discussion: """
            All records are in the table when it is done, in one transaction, or on any error none. Fields go into the columns \
            of their names. Text becomes a number where a column is declared as one.

                sluice load prices.csv shop.db --table prices --create --types infer
                sluice load users.jsonl app.db --table users --mode upsert --key id
            """)

    @Argument(help: "What to read, files and directories, and then the database; - is standard input.")
    var paths: [String]

    @Option(help: "The table.")
    var table: String

    @Option(help: "What is done about a record whose key is there: insert (an error), upsert, replace or ignore.")
    var mode: Mode = .insert

    @Option(help: "Columns that tell rows apart, separated by commas: of upsert.")
    var key: NameList?

    @Flag(help: "Create the table where there is none, and the database.")
    var create = false

    @Flag(help: "Add columns to the table for fields that have none, instead of an error.")
    var addColumns = false

    @Option(help: "Whether CSV cells are all strings (the default), or typed cell by cell.")
    var types: CellTypes?

    @Option(help: "Fields to load, in this order, separated by commas: CSV columns, JSON keys or dotted paths.")
    var select: NameList?

    @Option(help: "Names of the columns of CSV with --no-header, separated by commas.")
    var columns: NameList?

    @Option(help: "Records after which is committed. (default: at the end)")
    var transaction: Int?

    @OptionGroup(title: "Input") var input: InputOptions

    @OptionGroup(title: "Run") var running: RunOptions

    enum Mode: String, CaseIterable, ExpressibleByArgument { case insert, upsert, replace, ignore }

    func validate() throws {
        guard paths.count >= 2 else { throw ValidationError("an input and a database are needed") }
        guard (mode == .upsert) == (key != nil) else {
            throw ValidationError(
                mode == .upsert ? "upsert needs to know what tells rows apart: say --key" : "--key is for --mode upsert"
            )
        }
    }

    func run() throws {
        let path = paths[paths.count - 1]
        let database = try SQLiteDatabase(path, mode: create ? .create : .readWrite)
        defer { database.close() }
        let source = try input.source(
            Array(paths.dropLast()), dialect: input.dialect, columns: columns?.names, types: types,
            select: select?.names)
        let sink = try DatabaseStreamSink(
            database: database, table: table, mode: writeMode, createsTable: create, transactionSize: transaction,
            unknownColumns: addColumns ? .add : .error)
        _ = try running.run(chunkSize: input.chunkSize, output: path) { context in
            try context.stream(source: source, sink: sink)
        }
        source.tellSkipped()
        let ignored = sink.committedRecords - sink.changedRows
        if mode == .ignore, ignored > 0 {
            Terminal.say("sluice: ignored \(ignored) records whose keys are there already")
        }
    }

    private var writeMode: WriteMode {
        switch mode {
        case .insert: .insert
        case .upsert: .upsert(key: key?.names ?? [])
        case .replace: .replace
        case .ignore: .ignore
        }
    }
}
