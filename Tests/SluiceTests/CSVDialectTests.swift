import Foundation
import Sluice
import TestSupport
import Testing

/// What CSV means by its options, read from files and written to them.
@Suite("CSV dialects")
struct CSVDialectTests {
    let folder = TemporaryFolder()

    // MARK: Reading

    struct Case: Sendable, CustomTestStringConvertible {
        var csv: CSVOptions
        var text: String
        var types: CellTypes?
        var records: [String]
        var testDescription: String { text.debugDescription }

        init(_ csv: CSVOptions, _ text: String, types: CellTypes? = nil, _ records: [String]) {
            (self.csv, self.text, self.types, self.records) = (csv, text, types, records)
        }
    }

    @Test(
        "a file has the records that its dialect says",
        arguments: [
            // Delimiters.
            Case(CSVOptions(delimiter: ";"), "a;b\n1,5;\"x;y\"\n", [#"{"a":"1,5","b":"x;y"}"#]),
            Case(CSVOptions(delimiter: "|"), "a|b\n\"1\"\"|\"|\n", [##"{"a":"1\"|","b":""}"##]),
            Case(CSVOptions(delimiter: "\t"), "a\tb,c\n1\t2\n", [#"{"a":"1","b,c":"2"}"#]),
            Case(CSVOptions(delimiter: " "), "a b\n1 \" \"\n", [#"{"a":"1","b":" "}"#]),
            // Quotes.
            Case(CSVOptions(quote: "'"), "a,'b,''c'\n\"x\",'y,''z\n'\n", [##"{"a":"\"x\"","b,'c":"y,'z\n"}"##]),
            Case(CSVOptions(quote: nil), "a,\"b\"\n\"1,2\"\n", [##"{"a":"\"1","\"b\"":"2\""}"##]),
            Case(CSVOptions(escape: "\\"), #"a,b"# + "\n" + #""x\"y","\\,\n""# + "\n", [#"{"a":"x\"y","b":"\\,n"}"#]),
            Case(CSVOptions(quote: "'", escape: "^"), "a\n'^'^^'\n^\n", [#"{"a":"'^"}"#, #"{"a":"^"}"#]),
            Case(CSVOptions(lenient: true), "a,b\n\"x\"y,\"z\" \n", [#"{"a":"xy","b":"z "}"#]),
            // Types see what quotes and escapes leave.
            Case(CSVOptions(escape: "\\"), "a\n\"\\1\"\n\\1\n", types: .inferred, [#"{"a":1}"#, #"{"a":"\\1"}"#]),
            Case(
                CSVOptions(lenient: true), "a\n\"1\"2\n\"1\"\n\"tr\"ue\n", types: .inferred,
                [#"{"a":12}"#, #"{"a":1}"#, #"{"a":true}"#]),
            Case(CSVOptions(quote: nil), "a,b\n\"1\",\n", types: .inferred, [##"{"a":"\"1\"","b":null}"##]),
            Case(CSVOptions(quote: "'"), "a,b\n'1',''\n", types: .inferred, [#"{"a":1,"b":""}"#]),
            // No header.
            Case(
                CSVOptions(header: false), "x,y\n1,2\n",
                [
                    #"{"column_1":"x","column_2":"y"}"#, #"{"column_1":"1","column_2":"2"}"#,
                ]),
            Case(CSVOptions(header: false), "\u{FEFF}\n\r\nx,\"y\nz\"", [#"{"column_1":"x","column_2":"y\nz"}"#]),
            Case(
                CSVOptions(header: false, columns: ["n", "m"]), "x,y\r1,2\r",
                [#"{"n":"x","m":"y"}"#, #"{"n":"1","m":"2"}"#]),
            Case(CSVOptions(header: false), "", []),
            Case(CSVOptions(header: false, columns: ["n"]), "\n\n", []),
            Case(CSVOptions(header: false), "a,a\n", [#"{"column_1":"a","column_2":"a"}"#]),
            // Ragged records.
            Case(
                CSVOptions(ragged: .pad), "a,b,c\n1\n1,2\n,\n1,2,3\n",
                [
                    #"{"a":"1"}"#, #"{"a":"1","b":"2"}"#, #"{"a":"","b":""}"#, #"{"a":"1","b":"2","c":"3"}"#,
                ]),
            Case(
                CSVOptions(ragged: .truncate), "a,b\n1,2,3,\"4\n4\"\n1\n\n5,6\n",
                [
                    #"{"a":"1","b":"2"}"#, #"{"a":"1"}"#, #"{"a":"5","b":"6"}"#,
                ]),
            Case(CSVOptions(ragged: .pad), "a,b\n1\n", types: .inferred, [#"{"a":1}"#]),
            Case(
                CSVOptions(header: false, ragged: .pad), "1,2\n1\n",
                [#"{"column_1":"1","column_2":"2"}"#, #"{"column_1":"1"}"#]),
            // Comments.
            Case(
                CSVOptions(comment: "#"), "#x,\"\na,b\n#\n1,#2\n# \"\r\n\n\"#3\n#\",4\n#end",
                [
                    ##"{"a":"1","b":"#2"}"##, ##"{"a":"#3\n#","b":"4"}"##,
                ]),
            Case(CSVOptions(header: false, comment: ";"), "; none\n;\nx\n", [#"{"column_1":"x"}"#]),
            Case(CSVOptions(comment: "#"), "#x\r#\ny\ra\r#\n1\r2\r", [#"{"a":"2"}"#]),
            Case(CSVOptions(comment: "#"), "#nothing but comments\n#", []),
            Case(CSVOptions(), "#x\n1\n", [##"{"#x":"1"}"##]),
            // Nulls.
            Case(
                CSVOptions(nulls: ["NA", "-"]), "a,b\nNA,\"NA\"\n-,--\n,NAN\n",
                [
                    #"{"a":null,"b":"NA"}"#, #"{"a":null,"b":"--"}"#, #"{"a":"","b":"NAN"}"#,
                ]),
            Case(CSVOptions(nulls: [""]), "a,b\n,\"\"\n", [#"{"a":null,"b":""}"#]),
            Case(
                CSVOptions(nulls: ["0", "true"]), "a,b\n0,true\n00,1\n", types: .inferred,
                [
                    #"{"a":null,"b":null}"#, #"{"a":"00","b":1}"#,
                ]),
            Case(CSVOptions(quote: nil, nulls: ["\\N", "\"\""]), "a,b\n\\N,\"\"\n", [#"{"a":null,"b":null}"#]),
        ])
    func reading(_ one: Case) throws {
        let path = try folder.file("in.csv", one.text)
        for kernel in kernels {
            for (chunkSize, maxChunkBytes) in [(1, 1 << 20), (2, 1 << 20), (1000, 1), (1000, 9), (1000, 1 << 20)] {
                let found = try records(
                    path, chunkSize: chunkSize, types: one.types, csv: one.csv, maxChunkBytes: maxChunkBytes,
                    kernel: kernel)
                #expect(found == one.records, "\(kernel), chunks of \(chunkSize), \(maxChunkBytes) bytes")
            }
            let sink = try FileStreamSink(folder.file("out.jsonl"), kernel: kernel)
            let source = try FileStreamSource(path, types: one.types, csv: one.csv, kernel: kernel)
            try BasicStreamProcessor(source: source, sink: sink).run()
            #expect(try folder.text("out.jsonl") == one.records.map { $0 + "\n" }.joined(), "\(kernel), written")
            let counted = try FileStreamSource(path, csv: one.csv, kernel: kernel)
            #expect(try counted.countRecords() == one.records.count)
        }
    }

    @Test("duplicate names, blank lines, all line ends and byte order marks are the same in every dialect")
    func commonRules() throws {
        for dialect in Self.dialects {
            let d = String(dialect.delimiter ?? ",")
            let q = dialect.quote.map(String.init) ?? ""
            for lineEnd in ["\n", "\r\n", "\r"] {
                for mark in ["", "\u{FEFF}"] {
                    let lines = ["", "a\(d)\(q)a\(q)\(d)b", "", "1\(d)2\(d)\(q)3\(q)", "", "", "\(q)4\(q)\(d)5\(d)6"]
                    let text = mark + lines.joined(separator: lineEnd).dropFirst(lineEnd == "\r" ? 1 : 0)
                    let found = try records(try folder.file("in.csv", text), csv: dialect)
                    #expect(
                        found == [#"{"a":"1","a_2":"2","b":"3"}"#, #"{"a":"4","a_2":"5","b":"6"}"#],
                        "\(dialect), \(lineEnd.debugDescription)")
                }
            }
        }
    }

    /// Dialects of all kinds that sources and sinks take.
    static let dialects: [CSVOptions] = [
        CSVOptions(), CSVOptions(delimiter: "\t"), CSVOptions(delimiter: ";", quote: "'"), CSVOptions(delimiter: "|"),
        CSVOptions(escape: "\\"), CSVOptions(delimiter: ":", quote: "'", escape: "^"),
        CSVOptions(delimiter: "\t", quote: nil),
        CSVOptions(quote: "x", escape: "y"),
    ]

    // MARK: Errors

    @Test("skipped lines count where records are numbered, and an error has its place")
    func numbering() throws {
        let pad = CSVOptions(header: false, ragged: .truncate, comment: "#")
        let path = try folder.file("a.csv", "#c\n\n1,2,\"\n\n\"\n#d\n3,4\n#e\n\n\n5\n")
        for chunkSize in [1, 2, 1000] {
            var numbers: [Int?] = []
            var offsets: [Int?] = []
            let source = try FileStreamSource(
                path, chunkSize: chunkSize,
                csv: CSVOptions(header: false, columns: ["a", "b"], ragged: .truncate, comment: "#"))
            try source.forEach {
                numbers += $0.data.map(\.number)
                offsets += $0.data.map(\.byteOffset)
            }
            #expect(numbers == [3, 5, 9] && offsets == [4, 16, 25])
        }
        let unclosed = try folder.file("b.csv", "#c\n1,2\n#\n3,\"4\n")
        let error = streamError { _ = try records(unclosed, csv: pad) }
        #expect(error?.code == .unclosedQuote && error?.record == 4 && error?.byteOffset == 11)
        let first = streamError { _ = try records(folder.file("c.csv", "#\n\"a\"b\n"), csv: pad) }
        #expect(first?.code == .textAfterQuote && first?.record == 2 && first?.byteOffset == 5)
        let long = streamError { _ = try records(folder.file("d.csv", "a,b\n1,2,3\n"), csv: CSVOptions(ragged: .pad)) }
        #expect(long?.code == .raggedRecord && long?.record == 1 && long?.byteOffset == 4)
        let short = streamError {
            _ = try records(folder.file("e.csv", "1,2\n"), csv: CSVOptions(header: false, columns: ["a"]))
        }
        #expect(short?.code == .raggedRecord && short?.record == 1 && short?.byteOffset == 0)
    }

    @Test("what is in a comment need not be UTF-8, what is dropped by truncate must be", arguments: kernels)
    func comments(_ kernel: KernelChoice) throws {
        let csv = CSVOptions(ragged: .truncate, comment: "#")
        let bad: [UInt8] = [0x23, 0xC3, 0x28, 0xFF, 0x0A]
        let good = Array("1,é\n".utf8)
        let path = try folder.file("x.csv", Array("a,b\n".utf8) + bad + good + bad + bad + good + bad)
        #expect(try records(path, csv: csv, kernel: kernel).count == 2)
        let dropped = try folder.file("y.csv", Array("a,b\n".utf8) + bad + good + Array("1,2,".utf8) + [0xFF, 0x0A])
        let error = streamError { _ = try records(dropped, csv: csv, kernel: kernel) }
        #expect(error?.code == .invalidUTF8 && error?.record == 3 && error?.byteOffset == 18)
    }

    @Test("null is nil as any type, and missing where it is required")
    func nullFields() throws {
        let path = try folder.file("x.csv", "a,b\nNA,\"NA\"\n1,2\n")
        let source = try FileStreamSource(path, csv: CSVOptions(nulls: ["NA"]))
        let data = try #require(try source.readChunk()).data
        #expect(data[0]["a"] == .null && data[0]["b"] == "NA")
        #expect(
            data[0]["a", as: String.self] == nil && data[0]["a", as: Int.self] == nil && data[1]["a", as: Int.self] == 1
        )
        #expect(data[0]["b", as: String.self] == "NA")
        let error = streamError { _ = try data[0].require("a", as: Int.self) }
        #expect(error?.code == .nullField && error?.record == 1 && error?.column == "a")
        #expect(data.map { $0.owned() }[0]["a"] == .null)
        let sink = try FileStreamSink(folder.file("out.csv"))
        try sink.writeChunk(StreamChunk(data: data))
        try sink.close()
        #expect(try folder.text("out.csv") == "a,b\n,NA\n1,2\n")
    }

    @Test("a field that a short record lacks is nil, and an empty cell of CSV")
    func absentFields() throws {
        let path = try folder.file("x.csv", "a,b,c\n1\n1,2,3\n")
        let source = try FileStreamSource(path, csv: CSVOptions(ragged: .pad))
        let data = try #require(try source.readChunk()).data
        #expect(data[0]["b"] == nil && data[0].keys == ["a"] && data[1]["b"] == "2")
        let sink = try FileStreamSink(folder.file("out.csv"))
        try sink.writeChunk(StreamChunk(data: data))
        try sink.close()
        #expect(try folder.text("out.csv") == "a,b,c\n1,,\n1,2,3\n")
    }

    @Test(
        "characters and texts that cannot do their work are refused",
        arguments: [
            CSVOptions(delimiter: "\n"), CSVOptions(delimiter: "é"), CSVOptions(quote: "\r"), CSVOptions(quote: "„"),
            CSVOptions(delimiter: "\r\n"), CSVOptions(delimiter: "\0"), CSVOptions(escape: "\n"),
            CSVOptions(comment: "\n"),
            CSVOptions(delimiter: "\""), CSVOptions(delimiter: ";", quote: ";"), CSVOptions(escape: "\""),
            CSVOptions(delimiter: "\\", escape: "\\"), CSVOptions(quote: nil, escape: "\\"), CSVOptions(comment: ","),
            CSVOptions(comment: "\""), CSVOptions(escape: "#", comment: "#"), CSVOptions(quote: nil, lenient: true),
            CSVOptions(columns: ["a"]), CSVOptions(header: false, columns: []),
            CSVOptions(header: false, columns: ["a", "a"]), CSVOptions(nulls: ["a,b"]), CSVOptions(nulls: ["\n"]),
            CSVOptions(nulls: ["\"NA\""]),
        ])
    func refused(_ csv: CSVOptions) throws {
        let path = try folder.file("x.csv", "a,b\n")
        let error = streamError { _ = try FileStreamSource(path, csv: csv) }
        #expect(error?.code == .invalidConfiguration && error?.path == path && error?.hint != nil)
        let out = streamError { _ = try FileStreamSink(folder.file("out.csv"), csv: csv) }
        #expect(out?.code == .invalidConfiguration && out?.hint != nil)
        #expect(folder.names == ["x.csv"])
    }

    @Test("options are refused by formats that are no CSV, and by sinks where they say how to read")
    func refusedElsewhere() throws {
        let path = try folder.file("x.jsonl", "{}\n")
        let source = streamError { _ = try FileStreamSource(path, csv: CSVOptions(delimiter: ";")) }
        #expect(source?.code == .invalidConfiguration && source?.hint != nil)
        let sink = streamError { _ = try FileStreamSink(folder.file("y.jsonl"), csv: CSVOptions(header: false)) }
        #expect(sink?.code == .invalidConfiguration && sink?.hint != nil)
        let dropping = streamError { _ = try FileStreamSink(folder.file("y.jsonl"), unknownColumns: .drop) }
        #expect(dropping?.code == .invalidConfiguration && dropping?.hint != nil)
        let readers = [
            CSVOptions(header: false, columns: ["a"]), CSVOptions(lenient: true), CSVOptions(ragged: .pad),
            CSVOptions(comment: "#"), CSVOptions(nulls: ["NA"]),
        ]
        for csv in readers {
            let error = streamError { _ = try FileStreamSink(folder.file("y.csv"), csv: csv) }
            #expect(error?.code == .invalidConfiguration && error?.hint != nil)
            #expect(throws: Never.self) { try FileStreamSource(folder.file("z.csv", ""), csv: csv) }
        }
    }

    // MARK: Writing

    private func written(
        _ name: String, _ batch: RecordBatch, _ csv: CSVOptions, columns: [String]? = nil,
        mode: FileStreamSink.Mode = .write,
        kernel: KernelChoice = .auto
    ) throws -> String {
        let sink = try FileStreamSink(folder.file(name), mode: mode, csv: csv, columns: columns, kernel: kernel)
        try sink.writeChunk(StreamChunk(data: batch))
        try sink.close()
        return try folder.text(name)
    }

    @Test("a sink writes its dialect", arguments: kernels)
    func writing(_ kernel: KernelChoice) throws {
        let batch: RecordBatch = [["a": "x;y", "b'": "it's", "c\\": "\"\\"], ["a": nil, "b'": "1,5", "c\\": "l\nl"]]
        let texts: [(CSVOptions, String)] = [
            (CSVOptions(delimiter: ";"), "a;b';c\\\n\"x;y\";it's;\"\"\"\\\"\n;1,5;\"l\nl\"\n"),
            (CSVOptions(quote: "'"), "a,'b''',c\\\nx;y,'it''s',\"\\\n,'1,5','l\nl'\n"),
            (CSVOptions(escape: "\\"), "a,b',\"c\\\\\"\nx;y,it's,\"\\\"\\\\\"\n,\"1,5\",\"l\nl\"\n"),
            (CSVOptions(header: false), "x;y,it's,\"\"\"\\\"\n,\"1,5\",\"l\nl\"\n"),
        ]
        for (csv, text) in texts { #expect(try written("x.csv", batch, csv, kernel: kernel) == text) }
        #expect(try written("x.tsv", [["a": "1,5"]], CSVOptions(quote: nil), kernel: kernel) == "a\n1,5\n")
        #expect(try written("x.tsv", [["a": "1\t5"]], CSVOptions(delimiter: ","), kernel: kernel) == "a\n1\t5\n")
    }

    @Test("without quotes, a field that needs them is an error, and the file keeps its content", arguments: kernels)
    func withoutQuotes(_ kernel: KernelChoice) throws {
        let path = try folder.file("x.csv", "old\n")
        for text in ["1,5", "a\nb", "a\rb"] {
            let error = streamError {
                _ = try written(
                    "x.csv", [["a": "x", "b": "y"], ["a": "z", "b": .string(text)]], CSVOptions(quote: nil),
                    kernel: kernel)
            }
            #expect(error?.code == .needsQuotes && error?.record == 2 && error?.column == "b" && error?.hint != nil)
        }
        let empty = streamError { _ = try written("x.csv", [["a": ""]], CSVOptions(quote: nil), kernel: kernel) }
        #expect(empty?.code == .needsQuotes && empty?.record == 1 && empty?.column == "a")
        for name in ["a,b", ""] {
            let header = streamError {
                _ = try FileStreamSink(path, csv: CSVOptions(quote: nil), columns: [name], kernel: kernel)
            }
            #expect(header?.code == .needsQuotes && header?.column == name && header?.hint != nil)
        }
        #expect(try folder.text("x.csv") == "old\n")
    }

    @Test("any text comes back through any dialect, with a header or without", arguments: kernels)
    func roundTrip(_ kernel: KernelChoice) throws {
        var random = SplitMix64(seed: 11)
        let pieces = [
            "a", "x", "y", ",", ";", "\t", "|", ":", "\"", "'", "\\", "^", "\n", "\r\n", "\r", " ", "é", "\u{FEFF}",
            "#",
            String(repeating: "long", count: 20),
        ]
        for dialect in Self.dialects {
            for header in [true, false] {
                for _ in 0..<6 {
                    var csv = dialect
                    csv.header = header
                    let allowed = csv.quote == nil ? pieces.filter { !"\t\n\r\r\n".contains($0) } : pieces
                    func text() -> String {
                        (0..<Int.random(in: 0..<5, using: &random)).map { _ in allowed.randomElement(using: &random)! }
                            .joined()
                    }
                    let rows = (0..<30).map { _ in [text(), text(), text()] }
                    let names =
                        header
                        ? ["n" + text(), "\u{FEFF}" + text() + "b", "c" + text()]
                        : ["column_1", "column_2", "column_3"]
                    let columns = csv.quote == nil ? ["a", "\u{FEFF}b", "c"] : names
                    guard Set(columns).count == 3 else { continue }
                    let batch = RecordBatch(
                        rows.map { Record(zip(columns, $0.map { Value.string($0) }).map { ($0, $1) }) })
                    _ = try written("x.csv", batch, csv, kernel: kernel)
                    var reading = csv
                    if !header { reading.columns = columns }
                    let source = try FileStreamSource(folder.file("x.csv"), csv: reading, kernel: kernel)
                    var back: [[String?]] = []
                    try source.forEach { chunk in
                        back += chunk.data.map { record in columns.map { record[$0, as: String.self] } }
                    }
                    #expect(back == rows, "\(csv)")

                    // And from dialect to dialect, through cells that nobody touched.
                    for other in Self.dialects where other.quote != nil {
                        let again = try FileStreamSource(folder.file("x.csv"), csv: reading, kernel: kernel)
                        let sink = try FileStreamSink(folder.file("y.csv"), csv: other, kernel: kernel)
                        try BasicStreamProcessor(source: again, sink: sink).run()
                        var third: [[String?]] = []
                        let last = try FileStreamSource(folder.file("y.csv"), csv: other, kernel: kernel)
                        try last.forEach { chunk in
                            third += chunk.data.map { record in columns.map { record[$0, as: String.self] } }
                        }
                        #expect(third == rows, "\(csv) to \(other)")
                    }
                }
            }
        }
    }

    @Test("a byte order mark that is data comes back from files without a header or quotes")
    func marks() throws {
        let batch: RecordBatch = [["a": "\u{FEFF}x", "b": "\u{FEFF}"]]
        for csv in [CSVOptions(header: false), CSVOptions(quote: nil, header: false)] {
            _ = try written("x.csv", batch, csv)
            #expect(
                try records(folder.file("x.csv"), csv: csv) == [
                    "{\"column_1\":\"\u{FEFF}x\",\"column_2\":\"\u{FEFF}\"}"
                ])
        }
    }

    @Test("files without a header are gone on with, and have as many columns")
    func appending() throws {
        let csv = CSVOptions(delimiter: ";", header: false)
        _ = try folder.file("x.csv", "1;2\n3;4")
        #expect(try written("x.csv", [["a": 5, "b": 6]], csv, mode: .append) == "1;2\n3;4\n5;6\n")
        let error = streamError { _ = try written("x.csv", [["a": 5]], csv, mode: .append) }
        #expect(error?.code == .invalidConfiguration && error?.hint != nil)
        let given = streamError { _ = try written("x.csv", [], csv, columns: ["a", "b", "c"], mode: .append) }
        #expect(given?.code == .invalidConfiguration)
        #expect(try folder.text("x.csv") == "1;2\n3;4\n5;6\n")
        #expect(try written("new.csv", [["a": 5]], csv, mode: .append) == "5\n")
    }

    // MARK: Columns

    @Test("unknown columns are dropped and counted, where that is asked for", arguments: ["x.jsonl", "x.csv", ""])
    func unknownColumns(_ name: String) throws {
        let lines = [#"{"a":1,"b":2,"c":3}"#, #"{"c":4}"#, #"{"a":5}"#]
        let table = "a,b,c\n1,2,3\n,,4\n5,,\n"
        let path = try folder.file(
            name.isEmpty ? "unused" : name, name.hasSuffix("csv") ? table : lines.joined(separator: "\n"))
        for chunkSize in [1, 2, 1000] {
            let literals: [Record] = [["a": 1, "b": 2, "c": 3], ["c": 4], ["a": 5]]
            let sink = try FileStreamSink(folder.file("out.csv"), columns: ["a"], unknownColumns: .drop)
            if name.isEmpty {
                try BasicStreamProcessor(source: MemoryStreamSource(literals, chunkSize: chunkSize), sink: sink).run()
            } else {
                try BasicStreamProcessor(source: FileStreamSource(path, chunkSize: chunkSize), sink: sink).run()
            }
            #expect(try folder.text("out.csv") == "a\n1\n\"\"\n5\n")
            #expect(sink.droppedFields == (name.hasSuffix("csv") ? 6 : 3))
        }
    }

    @Test("a field that was removed, or of a row that was, is not dropped")
    func removedIsNotDropped() throws {
        let path = try folder.file("x.jsonl", "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n{\"a\":5,\"c\":6}\n")
        let sink = try FileStreamSink(folder.file("out.csv"), columns: ["a"], unknownColumns: .drop)
        let processor = BasicStreamProcessor(source: try FileStreamSource(path), sink: sink) { chunk in
            chunk.data[0]["b"] = nil
            chunk.data.removeAll { $0["a"] == 3 }
            chunk.data[1]["new"] = true
        }
        try processor.run()
        #expect(try folder.text("out.csv") == "a\n1\n5\n" && sink.droppedFields == 2)
    }

    // MARK: Traps

    @Test("a field over 128 KiB is read, bad UTF-8 is an error with its place")
    func largeFieldsAndBadBytes() throws {
        for csv in [CSVOptions(), CSVOptions(delimiter: ";", comment: "#"), CSVOptions(escape: "\\")] {
            let d = csv.delimiter ?? ","
            let long = String(repeating: "long, ", count: 50_000)
            let path = try folder.file("x.csv", "a\(d)b\n\"\(long)\"\(d)1\n2\(d)3\n")
            let lengths = try records(path, csv: csv).map(\.utf8.count)
            #expect(lengths.count == 2 && lengths[0] > long.utf8.count)
            let bad = try folder.file("y.csv", Array("a\(d)b\n1\(d)2\n3\(d)".utf8) + [0xFF, 0x0A])
            let error = streamError { _ = try records(bad, csv: csv) }
            #expect(
                error?.code == .invalidUTF8 && error?.record == 2 && error?.byteOffset == 10 && error?.column == "b")
        }
    }

    @Test("a quote that nothing closes is an error that names where it opened, in every dialect")
    func unclosedQuotes() throws {
        for csv in Self.dialects {
            guard let quote = csv.quote else { continue }
            let d = csv.delimiter ?? ","
            let rest = String(repeating: "4\(d)5\n", count: 10_000)
            let path = try folder.file("x.csv", "a\(d)b\n1\(d)2\n3\(d)\(quote)\(rest)")
            for kernel in kernels {
                let error = streamError { _ = try records(path, csv: csv, kernel: kernel) }
                #expect(error?.code == .unclosedQuote && error?.record == 2 && error?.byteOffset == 10)
            }
        }
    }

    @Test("line ends inside quotes are exact bytes, in every dialect")
    func lineEndsInQuotes() throws {
        for csv in Self.dialects {
            guard let q = csv.quote else { continue }
            let path = try folder.file("x.csv", "a\n\(q)1\r\n2\r3\n4\(q)\n")
            #expect(try records(path, csv: csv) == [#"{"a":"1\r\n2\r3\n4"}"#])
        }
    }

    @Test(".tsv is tabs unless another delimiter is given")
    func tabs() throws {
        let text = "a,b\tc\n1,2\t3\n"
        #expect(try records(folder.file("x.tsv", text)) == [#"{"a,b":"1,2","c":"3"}"#])
        #expect(
            try records(folder.file("x.tsv", text), csv: CSVOptions(delimiter: ",")) == [#"{"a":"1","b\tc":"2\t3"}"#])
    }

    @Test("surplus cells are an error or dropped, as the policy says, and never a column of no name")
    func surplusCells() throws {
        let path = try folder.file("x.csv", "a,a\n1,2,3\n")
        let error = streamError { _ = try records(path) }
        #expect(error?.code == .raggedRecord && error?.record == 1)
        #expect(try records(path, csv: CSVOptions(ragged: .truncate)) == [#"{"a":"1","a_2":"2"}"#])
    }

    @Test("a later unknown key is an error naming record and key, before anything of its chunk is written")
    func laterKeys() throws {
        var all: [Record] = (0..<1100).map { ["a": Value($0)] }
        all[1050]["late"] = 1
        for chunkSize in [1, 100, 1000] {
            let sink = try FileStreamSink(folder.file("x.csv"))
            var last = 0
            let error = streamError {
                let source = MemoryStreamSource(all, chunkSize: chunkSize)
                while let chunk = try source.readChunk() {
                    last = sink.encodedRecords
                    try sink.writeChunk(chunk)
                }
            }
            #expect(error?.code == .unknownKey && error?.record == 1051 && error?.column == "late")
            #expect(sink.encodedRecords == last)
            sink.abort()
            #expect(folder.names.isEmpty)
        }
    }

    @Test(
        "the header is written once whenever columns are known, also without records, and never where there shall be none"
    )
    func headers() throws {
        #expect(try written("a.csv", [], CSVOptions(delimiter: ";"), columns: ["a", "b"]) == "a;b\n")
        #expect(try written("b.csv", [], CSVOptions(header: false), columns: ["a", "b"]) == "")
        let empty = try folder.file("in.csv", "a|b\n")
        let sink = try FileStreamSink(folder.file("c.csv"), csv: CSVOptions(delimiter: ";"))
        try BasicStreamProcessor(source: FileStreamSource(empty, csv: CSVOptions(delimiter: "|")), sink: sink).run()
        #expect(try folder.text("c.csv") == "a;b\n")
        #expect(try written("c.csv", [["a": 1, "b": 2]], CSVOptions(delimiter: ";"), mode: .append) == "a;b\n1;2\n")
    }
}
