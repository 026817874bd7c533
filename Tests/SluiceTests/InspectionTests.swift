import Foundation
import Sluice
import TestSupport
import Testing

@Suite("Inspection")
struct InspectionTests {
    let folder = TemporaryFolder()

    /// Looks at a file of this name and content.
    func inspect(
        _ name: String, _ bytes: [UInt8], format: FileFormat? = nil, encoding: TextEncoding? = nil,
        csv: CSVOptions = CSVOptions(), rows: Int = 5, kernel: KernelChoice = .auto
    ) throws -> FileInspection {
        try FileInspection(
            folder.file(name, bytes), format: format, encoding: encoding, csv: csv, rows: rows, kernel: kernel)
    }

    func inspect(
        _ name: String, _ text: String, format: FileFormat? = nil, csv: CSVOptions = CSVOptions(), rows: Int = 5
    ) throws -> FileInspection {
        try inspect(name, Array(text.utf8), format: format, csv: csv, rows: rows)
    }

    // MARK: - Formats

    struct Formatted: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let format: FileFormat
        var flags: [String] = []
        var testDescription: String { "\(name) \(String(decoding: bytes.prefix(40), as: UTF8.self))" }

        init(_ name: String, _ text: String, _ format: FileFormat, _ flags: String...) {
            self.init(name, bytes: Array(text.utf8), format, flags)
        }

        init(_ name: String, bytes: [UInt8], _ format: FileFormat, _ flags: [String] = []) {
            (self.name, self.bytes, self.format, self.flags) = (name, bytes, format, flags)
        }
    }

    static let formatted: [Formatted] = [
        // By the name, whatever is in them.
        .init("x.csv", "{\n", .csv), .init("x.tsv", "a\tb\n1\t2\n", .csv), .init("x.txt", "a,b\n1,2\n", .text),
        .init("x.log", "{}\n", .text), .init("x.bin", "a,b\n1,2\n", .binary), .init("x.csv", "", .csv),
        .init("x.jsonl", "", .jsonl),
        // By the first byte.
        .init("x", "{\"a\":1}\n{\"a\":2}\n", .jsonl), .init("x", " \n[1,2]", .json),
        .init("x", "\u{FEFF}{\"a\":1}\n", .jsonl), .init("x", "{\"a\":\n", .jsonl), .init("x", "[1,", .json),
        // JSON of the other kind.
        .init("x.json", "{\"a\":1}\n{\"a\":2}\n", .jsonl, "--from", "jsonl"),
        .init("x.json", "[1]\n[2]\n", .jsonl, "--from", "jsonl"),
        .init("x.jsonl", "{\n\"a\":1\n}\n", .json, "--from", "json"),
        .init("x", "{\n\"a\":1\n}\n", .json, "--from", "json"),
        .init("x.json", "{\"a\":1}\n{\"a\":\n", .json), .init("x.jsonl", "{\"a\":1}\n{\"a\":\n", .jsonl),
        // By trying.
        .init("x", "a,b\n1,2\n", .csv, "--from", "csv"),
        .init("x", "a;b\n1;\"2;\n3\"\n", .csv, "--from", "csv", "--delimiter", ";"),
        .init("x", "a,b\n1,2\n3\n", .text, "--from", "text"), .init("x", "a,b\n", .text, "--from", "text"),
        .init("x", "one\ntwo\n", .text, "--from", "text"), .init("x", "a,\"b\n", .text, "--from", "text"),
        .init("x", "\u{1B}[31mred\u{1B}[0m\n", .text, "--from", "text"), .init("x", "", .text, "--from", "text"),
        .init("x", "a,b\n1,\0\n", .binary, "--from", "binary"),
        .init("x", bytes: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .binary, ["--from", "binary"]),
        .init(
            "x", bytes: Array("Z".utf8) + [0xFC] + Array("rich\n".utf8), .text,
            [
                "--from", "text", "--encoding", "latin1",
            ]),
        .init("x.bin", bytes: [0xFF, 0xFE, 0x61, 0], .binary),
    ]

    @Test("the format is told by the name, or the first byte, or what suits the content", arguments: formatted)
    func formats(_ file: Formatted) throws {
        let found = try inspect(file.name, file.bytes)
        #expect(found.format == file.format && found.flags == file.flags)
        #expect((found.encoding == nil) == (file.format == .binary))
        #expect(found.compression == .none)
    }

    @Test("what is given is believed", arguments: FileFormat.allCases)
    func given(_ format: FileFormat) throws {
        let found = try inspect("x.csv", "{\"a\":1}\n{\"a\":2}\n", format: format)
        #expect(found.format == format)
        #expect(found.flags == (format == .csv ? [] : ["--from", format.rawValue]))
    }

    @Test("compressed files are looked at inside, by their name or their first bytes")
    func compressions() throws {
        let plain = try folder.file("x.csv", "a;b\n1;x\n")
        for compression in CompressionFormat.allCases {
            for name in ["y.csv", "y"] {
                let sink = try FileStreamSink(
                    folder.file(name), format: .csv, compression: compression, csv: CSVOptions(delimiter: ";"))
                try BasicStreamProcessor(
                    source: FileStreamSource(plain, csv: CSVOptions(delimiter: ";")), sink: sink
                ).run()
                let found = try FileInspection(folder.file(name))
                #expect(found.format == .csv && found.compression == compression && found.isWhole)
                #expect(found.csv.delimiter == ";" && found.columns.map(\.name) == ["a", "b"])
            }
        }
    }

    // MARK: - Encodings

    @Test("encodings are told by byte order marks or by the bytes, and by what is given", arguments: kernels)
    func encodings(_ kernel: KernelChoice) throws {
        let cases: [(bytes: [UInt8], encoding: TextEncoding, hasMark: Bool, flags: [String])] = [
            (Array("é;ü\n1;2\n".utf8), .utf8, false, []),
            (Array("\u{FEFF}é;ü\n1;2\n".utf8), .utf8, true, []),
            (TextEncoding.utf16LE.stored("\u{FEFF}é;ü\n1;2\n"), .utf16LE, true, ["--encoding", "utf16"]),
            (TextEncoding.utf16BE.stored("\u{FEFF}é;ü\n1;2\n"), .utf16BE, true, ["--encoding", "utf16"]),
            (TextEncoding.utf16LE.stored("é;ü\n1;2\n"), .utf16LE, false, ["--encoding", "utf16le"]),
            (TextEncoding.utf16BE.stored("é;ü\n1;2\n"), .utf16BE, false, ["--encoding", "utf16be"]),
            (TextEncoding.utf16LE.stored("日本語;東京\n1;京\u{3000}都\n"), .utf16LE, false, ["--encoding", "utf16le"]),
            (TextEncoding.utf16BE.stored("日本語;東京\n1;京\u{3000}都\n"), .utf16BE, false, ["--encoding", "utf16be"]),
            (TextEncoding.latin1.stored("é;ü\n1;2\n"), .latin1, false, ["--encoding", "latin1"]),
        ]
        for file in cases {
            let found = try inspect("x.csv", file.bytes, kernel: kernel)
            #expect(found.encoding == file.encoding && found.hasByteOrderMark == file.hasMark)
            #expect(found.flags == file.flags + ["--delimiter", ";"] && found.columns.count == 2 && found.error == nil)
            let again = try inspect("x.csv", file.bytes, encoding: file.encoding, kernel: kernel)
            #expect(again.encoding == file.encoding && again.hasByteOrderMark == file.hasMark)
            #expect(again.columns.map(\.name) == found.columns.map(\.name))
        }
        let utf16 = try inspect("x.csv", TextEncoding.utf16BE.stored("\u{FEFF}a\n"), encoding: .utf16)
        #expect(utf16.encoding == .utf16BE && utf16.columns.map(\.name) == ["a"])
        let given = try inspect("x.csv", Array("é\n".utf8), encoding: .latin1)
        #expect(given.encoding == .latin1 && given.columns.map(\.name) == ["Ã©"])
    }

    @Test("UTF-8 with a bad byte is damaged, not in another encoding, and so are bytes that are no text")
    func damagedText() throws {
        for (before, after) in [("é,b\nx,", "\n"), ("a,b\n\u{1},", "\n")] {
            let found = try inspect("x.csv", Array(before.utf8) + [0xFF] + Array(after.utf8))
            #expect(found.encoding == .utf8)
            #expect(found.error?.code == .invalidUTF8 && found.error?.byteOffset == before.utf8.count)
        }
    }

    @Test("a character that the end of the sample cuts in two is no damage", arguments: 0..<4)
    func cutCharacter(_ shift: Int) throws {
        let text = String(repeating: "x", count: shift) + String(repeating: "😀", count: 300_000)
        let found = try inspect("x.txt", "a\n" + text)
        #expect(found.encoding == .utf8 && found.error == nil && found.recordCount == 1 && !found.isWhole)
    }

    // MARK: - Dialects

    static let delimited: [(name: String, text: String, delimiter: Character)] = [
        ("x.csv", "a,b\n1,2\n", ","), ("x.csv", "a;b\n1;2\n", ";"), ("x.csv", "a\tb\n1\t2\n", "\t"),
        ("x.csv", "a|b\n1|2\n", "|"), ("x.tsv", "a\tb\n1\t2\n", "\t"), ("x.tsv", "a,b\n1,2\n", ","),
        ("x.csv", "a;b\n\"1,5;\n\";\"2,5\"\n", ";"), ("x.csv", "x;y\n1,5;2\n1;2,5\n", ";"),
        ("x.csv", "a,b;c\n1,2;3\n4,5\n", ","), ("x.csv", "a,b,c;d\n1,2,3;4\n", ","),
        ("x.csv", "2,5;3,5\n1,5;2,5\n", ","), ("x.csv", "1;2,5\n3;4,5\n", ";"),
        // One column is as good as any; what divides nothing is not asked for.
        ("x.csv", "a\n1\n", ","), ("x.tsv", "a\n1\n", "\t"), ("x.csv", "", ","), ("x.csv", "name | title\nx\ny\n", ","),
        // Nothing divides all: what divides the most records before the bad one.
        ("x.csv", "a;b\n1;2\n3;4\n5\n6,7\n", ";"), ("x.csv", "a,b\n1,2\n\"", ","), ("x.csv", "a,b\n1\n", ","),
    ]

    @Test("the delimiter is the one that divides all records into as many fields", arguments: delimited)
    func delimiters(_ file: (name: String, text: String, delimiter: Character)) throws {
        let found = try inspect(file.name, file.text)
        #expect(found.csv.delimiter == file.delimiter)
        let own: Character = file.name == "x.tsv" ? "\t" : ","
        let said = file.delimiter == "\t" ? "tab" : String(file.delimiter)
        #expect(found.flags.contains("--delimiter") == (file.delimiter != own))
        #expect(found.flags.contains(said) == (file.delimiter != own))
    }

    @Test("a dialect that is given is believed, and makes a file without a known name CSV")
    func givenDialect() throws {
        let found = try inspect("x", "a,b:c\n1,2:3\n", csv: CSVOptions(delimiter: ":"))
        #expect(found.format == .csv && found.columns.map(\.name) == ["a,b", "c"])
        #expect(found.flags == ["--from", "csv", "--delimiter", ":"])
        let headless = try inspect("x", "a\nb\n", csv: CSVOptions(header: false))
        #expect(headless.format == .csv && headless.flags == ["--from", "csv", "--no-header"])
        let quoted = try inspect("y.csv", "a;'b;'\n1;'2'\n", csv: CSVOptions(quote: "'"))
        #expect(quoted.columns.map(\.name) == ["a", "b;"] && quoted.csv.quote == "'")
        let bars = try inspect("y.csv", "a;|b;|\n1;|2|\n", csv: CSVOptions(quote: "|"))
        #expect(bars.columns.map(\.name) == ["a", "b;"])
    }

    static let headed: [(text: String, hasHeader: Bool)] = [
        ("id,name\n1,x\n2,y\n", true), ("a,b\nx,y\n", true), ("a,b\n", true), ("", true), ("a,,b\n1,2,3\n", true),
        ("a,a\n1,2\n", true), ("id,2010\nx,y\n", true), ("id,2010\nx,\n", false), ("1,x\n2,y\n", false),
        ("1,2\n", false),
        ("true,x\nfalse,y\n", false), ("2013-01-01,AA\n2013-01-02,BB\n", false), ("10:00,AA\n11:30,BB\n", false),
        ("AA,2013-01-01T10:00:00Z\nBB,2013-01-01T10:00:00Z\n", false), ("2nd,b\n1st,y\n", true),
        ("1,x\nNA,y\n2,z\n3,z\n", false), ("1.5,x\n\"\",y\n,z\n", true), ("\"1\",x\n\"2\",y\n", false),
        ("x,007\ny,008\n", false),
    ]

    @Test("the first record is a header unless it looks like the others do and names do not", arguments: headed)
    func headers(_ file: (text: String, hasHeader: Bool)) throws {
        let found = try inspect("x.csv", file.text)
        #expect(found.csv.header == file.hasHeader)
        #expect(found.flags.contains("--no-header") != file.hasHeader)
        let records = file.text.split(separator: "\n").count
        #expect(found.recordCount == max(0, file.hasHeader ? records - 1 : records))
        #expect(found.columns.first?.name.hasPrefix("column_") != file.hasHeader)
        let given = try inspect("x.csv", file.text, csv: CSVOptions(header: false))
        #expect(!given.csv.header && given.recordCount == records)
    }

    @Test("line ends are told, in every format that has lines")
    func lineEnds() throws {
        let cases: [(name: String, text: String, ends: [FileInspection.LineEnd])] = [
            ("x.csv", "a,b\n1,2\n", [.lf]), ("x.csv", "a,b\r\n1,2\r\n", [.crlf]), ("x.csv", "a\r1\r2\r", [.cr]),
            ("x.csv", "a,b\r\n\"1\n\",2\r\n3,4\n", [.crlf, .lf]), ("x.csv", "a,b", []), ("x.csv", "a,b\r\n", [.crlf]),
            ("x.csv", "1,\"2\"\n", [.lf]), ("x.csv", "a,b\n1,2", [.lf]), ("x.csv", "", []),
            ("x.jsonl", "{}\n", [.lf]), ("x.jsonl", "{} \r\n{}", [.crlf]), ("x.jsonl", "1", []),
            ("x.txt", "a\r\nb\n", [.crlf, .lf]), ("x.txt", "a", []), ("x.json", "[1,\n2]\n", []),
        ]
        for file in cases {
            #expect(try inspect(file.name, file.text).lineEnds == file.ends, "\(file.name): \(file.text)")
        }
    }

    // MARK: - Columns

    static let typed: [(cells: [String], types: String, nulls: Int)] = [
        (["1", "-2", "9223372036854775807"], "int", 0), (["1.0", "0.50", "1e5", "-0"], "double", 0),
        (["9223372036854775808", "1e400", "0.1234567890123456789"], "decimal", 0),
        (["0.30000000000000004", "100000000000000000000", "0.000", "5e-324"], "double", 0), (["1e-400"], "decimal", 0),
        (["true", "false"], "bool", 0), (["x", "\"\"", "007", " 1"], "string", 0), (["", ""], "", 2),
        (["1", "", "2", "1.5"], "int, double", 1), (["x", "1", "2"], "int, string (x)", 0),
        (["x", "1", "y", "2"], "string, int", 0), (["1", "NA", "2", "NA", "3"], "int, string (NA)", 0),
        (["1", "NA", "N/A"], "string, int", 0), (["1", "\"NA\"", "2"], "int, string", 0),
        (["1", "12a", "2"], "int, string", 0), (["true", "NA"], "bool, string", 0), (["NA", "NA"], "string", 0),
        (["1", "true", "NA"], "int, bool, string", 0), (["1.5", "-", "2", "3"], "int, double, string (-)", 0),
    ]

    @Test("CSV columns have their types, most frequent first, by the inference grammar", arguments: typed)
    func cells(_ column: (cells: [String], types: String, nulls: Int)) throws {
        let text = "id,c\n" + column.cells.map { "x,\($0)\n" }.joined()
        let found = try inspect("x.csv", text).columns[1]
        #expect(found.summary == column.types && found.nullCount == column.nulls)
    }

    @Test("a text among numbers is suggested as one that means null; those that are given are null")
    func nullTexts() throws {
        let text = "a,b,c,d\n1,NA,-,x\nNA,2,1,y\n3,4,5,z\n"
        let found = try inspect("x.csv", text)
        #expect(found.columns.map(\.nullText) == ["NA", "NA", "-", nil])
        #expect(found.flags == ["--null", "NA", "--null=-"])
        let given = try inspect("x.csv", text, csv: CSVOptions(nulls: ["NA", "-"]))
        #expect(
            given.columns.map(\.nullCount) == [1, 1, 1, 0] && given.columns.map(\.nullText) == [nil, nil, nil, nil])
        #expect(given.columns.map(\.summary) == ["int", "int", "int", "string"])
        #expect(given.flags == ["--null", "NA", "--null=-"])
    }

    @Test("JSON columns are the keys: absent ones count as null, and of duplicates the last counts")
    func keys() throws {
        let lines = [
            #"{"a":1,"s":"x","o":{},"n":null}"#, #"{"a":1.5,"l":[1],"a\u0062":true}"#, "5", "[1]", "null",
            #"{"a":"NA","a":20000000000000000001,"ab":false,"value":"v"}"#,
        ]
        for (name, text) in [
            ("x.jsonl", lines.joined(separator: "\n")), ("x.json", "[\(lines.joined(separator: ","))]"),
        ] {
            let columns = try inspect(name, text).columns
            #expect(columns.map(\.name) == ["a", "s", "o", "n", "l", "ab", "value"])
            #expect(
                columns.map(\.summary) == [
                    "int, double, decimal", "string", "object", "", "array", "bool", "int, array, string",
                ])
            #expect(columns.map(\.nullCount) == [3, 5, 5, 6, 5, 4, 3])
        }
    }

    @Test("text and bytes have their one column")
    func contents() throws {
        let text = try inspect("x.txt", "a\n\n1\n")
        #expect(text.columns.map(\.name) == ["text"] && text.columns[0].summary == "string")
        #expect(text.columns[0].nullCount == 0 && text.recordCount == 3)
        let bytes = try inspect("x.bin", [UInt8](repeating: 0, count: 70_000))
        #expect(bytes.columns.map(\.name) == ["bytes"] && bytes.columns[0].summary == "bytes")
        #expect(bytes.recordCount == 2 && bytes.isWhole)
    }

    // MARK: - Samples

    @Test("the first records are kept, typed, and no more than asked for")
    func firstRecords() throws {
        let text = "a,b\n" + (0..<2000).map { "\($0),\"x\n\($0)\"\n" }.joined()
        for rows in [0, 1, 7, 1000, 5000] {
            let found = try inspect("x.csv", text, rows: rows)
            #expect(found.firstRecords.count == min(rows, 1000))
            for (id, record) in found.firstRecords.enumerated() {
                #expect(record == ["a": .int(Int64(id)), "b": "x\n\(id)"] && record.number == id + 1)
            }
        }
        let long = String(repeating: "y", count: 200_000)
        let lines = (0..<9).map { "{\"id\":\($0),\"text\":\"\(long)\"}\n" }.joined()
        let found = try inspect("x.jsonl", lines)
        #expect(found.recordCount == 5 && !found.isWhole && found.error == nil)
        #expect(found.firstRecords.map { $0["id"]?.intValue } == [0, 1, 2, 3, 4])
    }

    @Test("a sample has 1000 records or 1 MiB at most, and it is known whether that is all")
    func limits() throws {
        for count in [0, 1, 999, 1000, 1001, 5000] {
            let lines = (0..<count).map { "{\"a\":\($0)}\n" }
            let files = [
                ("x.csv", "a\n" + (0..<count).map { "x\($0)\n" }.joined()), ("x.jsonl", lines.joined()),
                ("x.json", "[" + lines.joined(separator: ",") + "]\n"), ("x.txt", lines.joined() + ""),
            ]
            for (name, text) in files {
                let found = try inspect(name, text)
                #expect(found.recordCount == min(count, 1000) && found.isWhole == (count <= 1000), "\(name) \(count)")
                #expect(found.error == nil)
            }
        }
        let line = String(repeating: "x", count: 16_383) + "\n"
        for extra in ["", "y", "y\n"] {
            let found = try inspect("x.txt", String(repeating: line, count: 64) + extra)
            #expect(found.recordCount == 64 && found.isWhole == extra.isEmpty && found.error == nil)
        }
        let endless = try inspect("x.csv", "a,\"" + String(repeating: "b\n", count: 600_000))
        #expect(endless.recordCount == 0 && !endless.isWhole && endless.error == nil)
    }

    @Test("what was found reads the file", arguments: formatted)
    func roundTrip(_ file: Formatted) throws {
        let found = try inspect(file.name, file.bytes, rows: .max)
        guard found.error == nil else { return }
        let all = try records(
            found.path, format: found.format, encoding: found.encoding ?? .utf8,
            types: found.format == .csv ? .inferred : nil, csv: found.csv)
        #expect(all == found.firstRecords.map(\.description))
    }

    // MARK: - Errors

    @Test("what is before bad data is shown, and the place of the error", arguments: kernels)
    func badData(_ kernel: KernelChoice) throws {
        let good = (0..<57).map { "\($0),x\n" }.joined()
        let lines = (0..<57).map { "{\"a\":\($0)}\n" }.joined()
        let cases: [(name: String, before: String, rest: String, code: StreamError.Code)] = [
            ("x.csv", "a,b\n" + good, "1\n2,3\n", .raggedRecord), ("x.csv", "a,b\n" + good, "\"", .unclosedQuote),
            ("x.jsonl", lines + "{\"a\":", "}\n{}\n", .invalidJSON), ("x.jsonl", lines + "{\"a\":1", "", .invalidJSON),
            ("x.json", "[" + (0..<57).map { "\($0),\n" }.joined(), "x]", .invalidJSON),
        ]
        for file in cases {
            let found = try inspect(file.name, Array((file.before + file.rest).utf8), kernel: kernel)
            #expect(found.recordCount == 57 && !found.isWhole && found.firstRecords.count == 5)
            #expect(found.error?.code == file.code && found.error?.record == 58 && found.error?.path == found.path)
            #expect(found.error?.byteOffset == file.before.utf8.count)
        }
    }

    @Test("damaged compression is an error behind what could be read")
    func damagedCompression() throws {
        var random = SplitMix64(seed: 3)
        let text = "a,b\n" + (0..<500).map { "\($0),\(UInt64.random(in: 0...(.max), using: &random))\n" }.joined()
        let plain = try folder.file("x.csv", text)
        for compression in [CompressionFormat.gzip, .lz4] {
            let packed = folder.file("y.csv")
            try BasicStreamProcessor(
                source: FileStreamSource(plain), sink: FileStreamSink(packed, compression: compression)
            ).run()
            let bytes = try bytesOfFile(packed)
            let cut = try inspect("z.csv", Array(bytes.dropLast(20)))
            #expect(cut.error?.code == .truncatedCompression && !cut.isWhole && cut.compression == compression)
            #expect(cut.format == .csv)
            let empty = try inspect(compression == .gzip ? "e.csv.gz" : "e.csv.lz4", [UInt8]())
            #expect(empty.error?.code == .truncatedCompression && empty.recordCount == 0 && empty.format == .csv)
        }
    }

    @Test("what cannot be opened, or cannot be, is thrown")
    func refusals() throws {
        #expect(streamError { _ = try FileInspection(folder.file("none.csv")) }?.code == .fileNotFound)
        #expect(streamError { _ = try FileInspection(folder.path) }?.code == .isDirectory)
        for (format, csv) in [
            (.csv, CSVOptions(delimiter: "é")), (.csv, CSVOptions(delimiter: "\"")),
            (.jsonl, CSVOptions(delimiter: ";")),
            (.text, CSVOptions(header: false)), (.csv, CSVOptions(columns: ["a"])),
        ] as [(FileFormat, CSVOptions)] {
            #expect(
                streamError { _ = try inspect("x", "a\n", format: format, csv: csv) }?.code == .invalidConfiguration)
        }
        let error = streamError { _ = try inspect("x.bin", [1], encoding: .latin1) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("any bytes are something, alike on every kernel")
    func anyBytes() throws {
        var random = SplitMix64(seed: 11)
        let seeds =
            SampleText.formats.map { Array(SampleText.of($0).utf8) } + [TextEncoding.utf16.stored(SampleText.csv)]
        for round in 0..<(step == 1 ? 32 : 8) {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            for name in ["x", "x.csv", "x.jsonl", "x.json", "x.txt", "x.bin"] {
                let findings = try kernels.map { kernel in
                    let found = try inspect(name, bytes, kernel: kernel)
                    let columns = found.columns.map { "\($0.name) \($0.summary) \($0.nullCount)" }
                    let error = found.error.map { "\($0)" } ?? ""
                    return "\(found.flags) \(found.recordCount) \(found.isWhole) \(error) \(columns) \(found.lineEnds)"
                }
                #expect(Set(findings).count == 1)
            }
        }
    }
}

extension FileInspection.Column {
    /// As the tool shows it.
    fileprivate var summary: String {
        types.map { type, _ in type == .string && nullText != nil ? "string (\(nullText ?? ""))" : type.rawValue }
            .joined(separator: ", ")
    }
}
