import Sluice
import TestSupport
import Testing

/// There and back again, from file to file, in every kernel and chunks of several sizes.
@Suite("Round trips")
struct RoundTripTests {
    let folder = TemporaryFolder()

    private static let pieces = [
        "", "a", "Z", " ", "  ", ",", "\t", "\"", "\"\"", "'", "\\", "\\n", "\n", "\r\n", "\r", "/", "é", "日本", "😀",
        "\u{2028}",
        "\u{1}", "\u{7F}", "\u{FEFF}", "null", "true", "NA", "-", "7", "-0", "1.50", "1e5", "007", "{}", "[1]",
        String(repeating: "x", count: 70), String(repeating: "q\"", count: 40), String(repeating: "ü,", count: 50),
    ]

    private static func text(_ random: inout SplitMix64) -> String {
        (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    }

    /// Converts along a chain of files, the first of which is there.
    private func convert(
        _ names: String..., types: CellTypes? = nil, csv: CSVOptions = CSVOptions(), by kernel: KernelChoice,
        chunkSize: Int
    ) throws {
        for (from, to) in zip(names, names.dropFirst()) {
            let isTable = FileFormat(path: from) == .csv
            let source = try FileStreamSource(
                folder.file(from), chunkSize: chunkSize, types: isTable ? types : nil,
                csv: isTable ? csv : CSVOptions(), kernel: kernel)
            try BasicStreamProcessor(source: source, sink: FileStreamSink(folder.file(to), kernel: kernel)).run()
        }
    }

    private func forEachSetting(_ body: (_ random: inout SplitMix64, KernelChoice, _ chunkSize: Int) throws -> Void)
        rethrows
    {
        for seed in 0..<24 / step {
            for kernel in kernels {
                // The same file for each kernel.
                var random = SplitMix64(seed: UInt64(seed))
                try body(&random, kernel, [1, 3, 1000][seed % 3])
            }
        }
    }

    @Test(
        "tables of strings come back byte for byte from JSON Lines, from JSON and from one another, with commas and tabs"
    )
    func tables() throws {
        try forEachSetting { random, kernel, chunkSize in
            let columns = Int.random(in: 1...5, using: &random)
            let rows = (0..<Int.random(in: 1...60, using: &random)).map { row in
                (0..<columns).map { row == 0 ? "c\($0)" + Self.text(&random) : Self.text(&random) }
            }
            let sink = try FileStreamSink(folder.file("a.csv"), kernel: kernel)
            for row in rows.dropFirst() {
                try sink.writeChunk(StreamChunk(data: [Record(zip(rows[0], row).map { ($0, .string($1)) })]))
            }
            try sink.close()
            try convert(
                "a.csv", "b.jsonl", "c.csv", "d.tsv", "e.json", "f.tsv", "g.jsonl", "h.csv", by: kernel,
                chunkSize: chunkSize)
            let table = try folder.text("a.csv")
            #expect(try folder.text("c.csv") == table && folder.text("h.csv") == table)
            #expect(try folder.text("d.tsv") == folder.text("f.tsv"))
            #expect(try folder.text("b.jsonl") == folder.text("g.jsonl"))
            let found = try records(folder.file("d.tsv"), kernel: kernel)
            #expect(try found.map { $0 + "\n" }.joined() == folder.text("b.jsonl"))
        }
    }

    @Test("numbers, Booleans and nulls come back from CSV and TSV with their text, where types are inferred")
    func types() throws {
        let values = [
            "null", "true", "false", "0", "-0", "7", "-12", "0.10", "1e5", "1E+05", "12345678901234567890", "1e400",
        ]
        try forEachSetting { random, kernel, chunkSize in
            // Not one: its null would be the record of one empty field, which needs quotes, and so a string.
            let names = (0..<Int.random(in: 2...5, using: &random)).map { "\"c\($0)\"" }
            var lines = ""
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let members = names.map { name in
                    // What begins with an s is a string, and not an empty one, which is the cell of null.
                    let text = Value.string("s" + Self.text(&random)).description
                    return name + ":"
                        + (Bool.random(using: &random) ? text : values.randomElement(using: &random) ?? text)
                }
                lines += "{" + members.joined(separator: ",") + "}\n"
            }
            _ = try folder.file("a.jsonl", lines)
            for table in ["b.csv", "b.tsv", "b.csv.gz", "b.tsv.lz4"] {
                try convert(
                    "a.jsonl", table, "c.jsonl", "d.json", "e.jsonl", types: .inferred, by: kernel, chunkSize: chunkSize
                )
                #expect(try folder.text("c.jsonl") == lines && folder.text("e.jsonl") == lines, "\(table)")
            }
        }
    }

    @Test("a text that means null is null in JSON Lines and an empty cell in CSV; in quotes it stays what it is")
    func nulls() throws {
        for kernel in kernels {
            for (name, delimiter) in [("a.csv", ","), ("a.tsv", "\t")] {
                _ = try folder.file(
                    name,
                    ["a,b", "NA,\"NA\"", "-,1", ",NAN", ""].joined(separator: "\n").replacing(",", with: delimiter))
                let csv = CSVOptions(nulls: ["NA", "-"])
                try convert(name, "b.jsonl", "c.csv", csv: csv, by: kernel, chunkSize: 1000)
                #expect(
                    try folder.text("b.jsonl")
                        == #"{"a":null,"b":"NA"}"# + "\n" + #"{"a":null,"b":"1"}"# + "\n" + #"{"a":"","b":"NAN"}"#
                        + "\n")
                #expect(try folder.text("c.csv") == "a,b\n,NA\n,1\n,NAN\n")
                try convert("c.csv", "d.jsonl", types: .inferred, by: kernel, chunkSize: 1000)
                #expect(
                    try folder.text("d.jsonl")
                        == #"{"a":null,"b":"NA"}"# + "\n" + #"{"a":null,"b":1}"# + "\n" + #"{"a":null,"b":"NAN"}"#
                        + "\n")
            }
        }
    }

    @Test("a field that is missing is an empty cell, and null again where types are inferred")
    func missing() throws {
        _ = try folder.file("a.jsonl", "{\"a\":1,\"b\":2}\n{\"b\":3}\n{}\n{\"a\":4}\n")
        for kernel in kernels {
            try convert("a.jsonl", "b.csv", "c.jsonl", types: .inferred, by: kernel, chunkSize: 2)
            #expect(try folder.text("b.csv") == "a,b\n1,2\n,3\n,\n4,\n")
            let all = "{\"a\":1,\"b\":2}\n{\"a\":null,\"b\":3}\n{\"a\":null,\"b\":null}\n{\"a\":4,\"b\":null}\n"
            #expect(try folder.text("c.jsonl") == all)
        }
    }
}
