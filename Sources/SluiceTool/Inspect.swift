import ArgumentParser
import Sluice

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows what files are: format, columns, types, first rows.",
        discussion: """
            Looks at the first 1000 records or 1 MiB of each, however large it is, and says what the other commands have to be \
            told to read it, if they do not find out by themselves.

                sluice inspect prices.csv
                zcat flights.csv.gz | sluice inspect -

            Where the data is bad, what is before it is shown, and the exit code is 65.
            """)

    @Argument(help: "The files; - is standard input.")
    var inputs: [String]

    @Option(help: "Format of the input. (default: by the name, or the content)")
    var from: FormatName?

    @Option(help: "Encoding of the input. (default: by a byte order mark, or the content)")
    var encoding: TextEncoding?

    @Option(help: "What divides the fields of CSV; tab is one, too. (default: by the content)")
    var delimiter: DialectCharacter?

    @Option(help: "How many of the first records to show.")
    var rows = 5

    @Flag(help: "Write a JSON object for each file.")
    var json = false

    @OptionGroup var kernel: KernelOption

    func validate() throws {
        guard rows >= 0 else { throw ValidationError("--rows is 0 or more") }
        if let delimiter, delimiter.character == nil { throw ValidationError("--delimiter is a character") }
    }

    func run() throws {
        var status: ExitStatus?
        var isFirst = true
        for input in inputs {
            let failure: StreamError?
            do {
                let found = try inspect(input)
                try Terminal.show(json ? found.json.description : (isFirst ? "" : "\n") + report(found))
                isFirst = false
                failure = found.error
            } catch let error as Unreadable {
                failure = error.reason
            }
            guard let failure else { continue }
            Terminal.say("sluice: \(failure)")
            status = status ?? ExitStatus(failure)
        }
        if let status { Terminal.exit(status) }
    }

    /// What keeps a file from being looked at; the others are looked at all the same.
    private struct Unreadable: Error { let reason: StreamError }

    private func inspect(_ input: String) throws -> FileInspection {
        do {
            return try FileInspection(
                input, format: from?.format, encoding: encoding,
                csv: CSVOptions(delimiter: delimiter?.character ?? from?.delimiter), rows: rows, kernel: kernel.choice)
        } catch let error as StreamError {
            throw Unreadable(reason: error)
        }
    }

    private func report(_ found: FileInspection) -> String {
        InspectionReport(found, rows: rows, width: Terminal.width).text
    }
}

// MARK: - As JSON

extension FileInspection {
    /// All of it. What a file cannot have is left out: bytes have no encoding, JSON no dialect.
    fileprivate var json: Value {
        var members: [(String, Value)] = [
            ("path", .string(path)), ("format", .string(format.rawValue)),
            ("compression", .string(compression.rawValue)),
        ]
        if let encoding {
            members += [
                ("encoding", .string(encoding.rawValue.lowercased())), ("byte_order_mark", .bool(hasByteOrderMark)),
            ]
        }
        if format == .csv {
            members += [
                ("delimiter", Value(csv.delimiter.map(String.init))), ("quote", Value(csv.quote.map(String.init))),
                ("header", .bool(csv.header)),
            ]
        }
        members += [
            ("line_ends", .array(lineEnds.map { .string($0.rawValue) })),
            ("flags", .array(flags.map { .string($0) })), ("records", Value(recordCount)),
            ("whole_file", .bool(isWhole)), ("columns", .array(columns.map(\.json))),
        ]
        if format != .binary { members.append(("rows", .array(firstRecords.map(\.value)))) }
        if let error { members.append(("error", error.json)) }
        return .object(ValueObject(members))
    }
}

extension FileInspection.Column {
    fileprivate var json: Value {
        var members: [(String, Value)] = [
            ("name", .string(name)),
            ("types", .array(types.map { ["type": .string($0.type.rawValue), "count": Value($0.count)] })),
            ("nulls", Value(nullCount)),
        ]
        if let nullText { members.append(("null_text", .string(nullText))) }
        return .object(ValueObject(members))
    }
}

extension StreamError {
    fileprivate var json: Value {
        [
            "code": .string(code.rawValue), "message": .string(message), "record": Value(record),
            "byte_offset": Value(byteOffset), "column": Value(column), "hint": Value(hint),
        ]
    }
}
