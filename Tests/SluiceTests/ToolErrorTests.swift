import Foundation
import Sluice
import Testing

/// A file that has to be refused, and the place the refusal has to name.
struct BadFile: Sendable, CustomTestStringConvertible {
    let what: String
    let name: String
    /// Goes before the records: a CSV header with its line end.
    var header: [UInt8] = []
    let records: [UInt8]
    /// The number of the record among `records`.
    let record: Int
    /// Where the offending byte stands in `records`.
    let byte: Int
    /// What stands there, so that the offset is one that can be looked up; empty: nothing, it is the end.
    let culprit: [UInt8]
    var column: String?
    let words: String
    var options: [String] = []

    var testDescription: String { what }

    init(
        _ what: String, csv records: String, _ raw: [UInt8] = [], _ rest: String = "", header: String = "a,b\n",
        record: Int,
        byte: Int, at culprit: String = "", raw culpritByte: UInt8? = nil, column: String? = nil, _ words: String,
        options: [String] = []
    ) {
        (self.what, name, self.record, self.byte, self.column) = (what, "bad.csv", record, byte, column)
        self.header = Array(header.utf8)
        self.records = Array(records.utf8) + raw + Array(rest.utf8)
        self.culprit = culpritByte.map { [$0] } ?? Array(culprit.utf8)
        (self.words, self.options) = (words, options)
    }

    init(
        _ what: String, jsonl records: String, _ raw: [UInt8] = [], _ rest: String = "", record: Int, byte: Int,
        at culprit: String = "", raw culpritByte: UInt8? = nil, _ words: String, options: [String] = []
    ) {
        (self.what, name, self.record, self.byte) = (what, "bad.jsonl", record, byte)
        self.records = Array(records.utf8) + raw + Array(rest.utf8)
        self.culprit = culpritByte.map { [$0] } ?? Array(culprit.utf8)
        (self.words, self.options) = (words, options)
    }

    static let all: [BadFile] = csv + jsonl

    private static let csv: [BadFile] = [
        .init("an unclosed quote", csv: "1,2\n3,\"x\n4,5\n", record: 2, byte: 6, at: "\"", "never closed"),
        .init("an unclosed quote at the very end", csv: "1,2\n3,\"", record: 2, byte: 6, at: "\"", "never closed"),
        .init(
            "an unclosed quote that only doubled quotes follow", csv: "\"\"\"\"\"\n", record: 1, byte: 0, at: "\"",
            "never closed"),
        .init(
            "an unclosed quote behind quoted line ends", csv: "\"1\n\",\"\n\n\"\n\"\n", record: 2, byte: 10, at: "\"",
            "never closed"),
        .init(
            "text after a quote", csv: "1,2\n3,\"4\"x\n5,6\n", record: 2, byte: 9, at: "x", "follows the closing quote"),
        .init("a space after a quote", csv: "\"1\" ,2\n", record: 1, byte: 3, at: " ", "follows the closing quote"),
        .init(
            "a quote that was not doubled", csv: "1,\"say \"no\"\"\n", record: 1, byte: 8, at: "n",
            "follows the closing quote"),
        .init(
            "a record with too few fields", csv: "1,2\n3\n4,5\n", record: 2, byte: 4, at: "3",
            "1 fields where the header has 2"),
        .init(
            "a record with too many fields", csv: "1,2\n3,4,5\n", record: 2, byte: 4, at: "3",
            "3 fields where the header has 2"),
        .init("a ragged record behind blank lines", csv: "1,2\n\n\n3\n", record: 4, byte: 6, at: "3", "1 fields where"),
        .init(
            "a ragged record at the end, without a line end", csv: "1,2\r\n3,4\r\n5", record: 3, byte: 10, at: "5",
            "1 fields where"),
        .init(
            "a ragged record among quoted line ends", csv: "\"\n\n\",\"\n\"\n\"x\n\"\n", record: 2, byte: 9, at: "\"",
            "1 fields where"),
        .init(
            "a byte that is no UTF-8", csv: "1,2\n3,x", [0xFF], "y\n", record: 2, byte: 7, raw: 0xFF, column: "b",
            "not valid UTF-8"),
        .init(
            "Latin-1", csv: "1,2\nZ", [0xFC], "rich,4\n", record: 2, byte: 5, raw: 0xFC, column: "a", "not valid UTF-8"),
        .init(
            "invalid UTF-8 in quotes", csv: "1,\"\n,", [0xC0, 0x80], "\"\n", record: 1, byte: 5, raw: 0xC0, column: "b",
            "not valid UTF-8"),
        .init(
            "a cut-off sequence", csv: "ü,€\n", [0xE2, 0x82], ",4\n", record: 2, byte: 7, raw: 0xE2, column: "a",
            "not valid UTF-8"),
        .init(
            "a surrogate in UTF-8", csv: "1,", [0xED, 0xA0, 0x80], "\n", record: 1, byte: 2, raw: 0xED, column: "b",
            "not valid UTF-8"),
        .init(
            "a record over the limit", csv: "1,2\n3,\(String(repeating: "x", count: 99))\n4,5\n", record: 2, byte: 4,
            at: "3",
            "larger than 100 bytes", options: ["--max-record", "100"]),
        .init(
            "a quoted record over the limit", csv: "1,2\n\"\(String(repeating: "x\n", count: 60))\",2\n", record: 2,
            byte: 4, at: "\"",
            "larger than 100 bytes", options: ["--max-record", "100"]),
        .init(
            "an unclosed quote that runs over the limit", csv: "1,2\n3,\"\(String(repeating: "x,y\n", count: 200_000))",
            record: 2, byte: 4,
            at: "3", "larger than 1000 bytes", options: ["--max-record", "1000"]),
        .init(
            "too few fields under a header with a mark", csv: "1\n", header: "\u{FEFF}a,b\n", record: 1, byte: 0,
            at: "1", "1 fields"),
        .init(
            "an unclosed quote under CRLF", csv: "1,2\r\n\"3,4\r\n", header: "a,b\r\n", record: 2, byte: 5, at: "\"",
            "never closed"),
    ]

    private static let jsonl: [BadFile] = [
        .init("a misspelt word", jsonl: "{\"a\":1}\n{\"a\":tru}\n", record: 2, byte: 16, at: "}", "no JSON here"),
        .init("a value that is missing", jsonl: "{\"a\":}\n", record: 1, byte: 5, at: "}", "no JSON here"),
        .init("a comma too many", jsonl: "{\"a\":1,}\n", record: 1, byte: 7, at: "}", "no JSON here"),
        .init("a comma too many in an array", jsonl: "1\n[1,]\n", record: 2, byte: 5, at: "]", "no JSON here"),
        .init("a key without quotes", jsonl: "{a:1}\n", record: 1, byte: 1, at: "a", "no JSON here"),
        .init("two values on a line", jsonl: "1\n{} {}\n", record: 2, byte: 5, at: "{", "no JSON here"),
        .init("a leading zero", jsonl: "{\"a\":01}\n", record: 1, byte: 6, at: "1", "no JSON here"),
        .init("an infinity", jsonl: "[1]\n[-Infinity]\n", record: 2, byte: 6, at: "I", "no JSON here"),
        .init("a tab in a string", jsonl: "[\"x\ty\"]\n", record: 1, byte: 3, at: "\t", "no JSON here"),
        .init(
            "a line that ends inside an object", jsonl: "{}\n{\"a\":\n{}\n", record: 2, byte: 8, at: "\n", "the line "),
        .init("a line that ends inside a string", jsonl: "{}\n{\"a\n", record: 2, byte: 6, at: "\n", "the line "),
        .init("a file that ends inside an array", jsonl: "{}\n[1,", record: 2, byte: 6, "the line "),
        .init("a bracket of the other kind", jsonl: "[1}\n", record: 1, byte: 2, at: "}", "no JSON here"),
        .init("an error behind blank lines", jsonl: "1\n\n\r\n2\n]\n", record: 5, byte: 7, at: "]", "no JSON here"),
        .init("CSV", jsonl: "a,b\n1,2\n", record: 1, byte: 0, at: "a", "no JSON here"),
        .init(
            "a byte that is no UTF-8", jsonl: "{}\n{\"a\":\"", [0xFF], "\"}\n", record: 2, byte: 9, raw: 0xFF,
            "not valid UTF-8"),
        .init(
            "a cut-off sequence", jsonl: "[\"ü", [0xF0, 0x9F, 0x98], "\"]\n", record: 1, byte: 4, raw: 0xF0,
            "not valid UTF-8"),
        .init(
            "invalid UTF-8 in a key", jsonl: "{\"", [0x80], "\":1}\n", record: 1, byte: 2, raw: 0x80, "not valid UTF-8"),
        .init(
            "nesting over 512",
            jsonl: "[]\n\(String(repeating: "[", count: 513))\(String(repeating: "]", count: 513))\n", record: 2,
            byte: 3 + 512, at: "[", "more than 512 deep"),
        .init(
            "a record over the limit", jsonl: "{\"a\":1}\n{\"a\":\"\(String(repeating: "x", count: 100))\"}\n{}\n",
            record: 2, byte: 8, at: "{",
            "larger than 100 bytes", options: ["--max-record", "100"]),
        .init(
            "a line without end over the limit", jsonl: "{}\n[\"\(String(repeating: "x", count: 700_000))", record: 2,
            byte: 3, at: "[",
            "larger than 1000 bytes", options: ["--max-record", "1000"]),
    ]
}

/// The tool, driven as a process: what it does with what cannot be read or written.
@Suite("The tool, refusing")
struct ToolErrorTests {
    @Test("bad data is 65, named by record, byte and column; the output keeps its old content", arguments: BadFile.all)
    func badData(bad: BadFile) throws {
        let folder = TemporaryFolder()
        let bytes = bad.header + bad.records
        try folder.write(bytes, to: bad.name)
        let offset = bad.header.count + bad.byte
        #expect(Array(bytes[offset...].prefix(bad.culprit.count)) == bad.culprit, "the table gives the right byte")
        for kernel in kernelNames {
            for size in step == 1 ? ["1", "1000"] : ["1"] {
                try expectRefusal(
                    of: bad.name, bad, record: bad.record, byte: offset, in: folder,
                    options: bad.options + ["--kernel", kernel, "--chunk-size", size])
            }
        }
        _ = try folder.shell(#"gzip -c "$1" >"$1.gz""#, [bad.name])
        try expectRefusal(of: bad.name + ".gz", bad, record: bad.record, byte: offset, in: folder, options: bad.options)
        let format = bad.name.hasSuffix("csv") ? "csv" : "jsonl"
        try expectRefusal(
            of: "-", bad, record: bad.record, byte: offset, in: folder, options: bad.options + ["--from", format],
            piped: bad.name)
    }

    @Test("the place of bad data is right far into a file, too", arguments: BadFile.all)
    func badDataFarIn(bad: BadFile) throws {
        let folder = TemporaryFolder()
        let filler = bad.name.hasSuffix("csv") ? Self.goodCSV : Self.goodJSONLines
        try folder.write(bad.header + filler + bad.records, to: bad.name)
        let offset = bad.header.count + filler.count + bad.byte
        for size in step == 1 ? ["7", "1000"] : ["7"] {
            try expectRefusal(
                of: bad.name, bad, record: Self.goodCount + bad.record, byte: offset, in: folder,
                options: bad.options + ["--chunk-size", size])
        }
    }

    /// As many records and bytes as several units have, of uneven lengths.
    private static let goodCount = 20_000
    private static let goodCSV = (0..<goodCount).flatMap { number in
        Array("\(number),\"\(String(repeating: "é", count: number % 17))\n\"\n".utf8)
    }
    private static let goodJSONLines = (0..<goodCount).flatMap { number in
        Array("[\(number),\"\(String(repeating: "é", count: number % 17))\"]\n".utf8)
    }

    private func expectRefusal(
        of input: String, _ bad: BadFile, record: Int, byte: Int, in folder: TemporaryFolder, options: [String],
        piped: String? = nil
    ) throws {
        try folder.write("old content", to: "out.jsonl")
        let before = folder.names
        let outcome = try folder.sluice(["convert", input, "out.jsonl"] + options, input: piped)
        let column = bad.column.map { ", column \"\($0)\"" } ?? ""
        #expect(outcome.status == 65, "\(options)")
        #expect(
            outcome.messages.hasPrefix("sluice: \(input): record \(record), byte \(byte)\(column): "),
            "\(options): \(outcome.messages)")
        #expect(outcome.messages.contains(bad.words) && outcome.isOneLine, "\(options): \(outcome.messages)")
        #expect(outcome.output.isEmpty)
        #expect(try folder.text("out.jsonl") == "old content")
        #expect(folder.names == before, "no temporary stays")
    }

    @Test("a header that cannot be read is named as one")
    func badHeaders() throws {
        let folder = TemporaryFolder()
        let headers: [(bytes: [UInt8], byte: Int)] = [
            (Array("a,\"b\n1,2\n".utf8), 2), (Array("\"a\"x,b\n".utf8), 3),
            (Array("a,".utf8) + [0xE9] + Array("\n1,2\n".utf8), 2),
        ]
        for header in headers {
            try folder.write(header.bytes, to: "in.csv")
            let outcome = try folder.sluice("convert", "in.csv", "out.jsonl")
            #expect(outcome.status == 65 && outcome.isOneLine)
            #expect(
                outcome.messages.hasPrefix("sluice: in.csv: record 0, byte \(header.byte): "), "\(outcome.messages)")
            #expect(outcome.messages.contains("header"))
        }
        #expect(folder.names == ["in.csv"])
    }

    @Test("a header over the limit is refused like a record", arguments: [200, 70_000, 700_000])
    func longHeader(length: Int) throws {
        let folder = TemporaryFolder()
        try folder.write("\(String(repeating: "a", count: length)),b\n1,2\n", to: "in.csv")
        let outcome = try folder.sluice("convert", "in.csv", "out.jsonl", "--max-record", "100")
        #expect(outcome.status == 65 && outcome.isOneLine)
        #expect(outcome.messages.hasPrefix("sluice: in.csv: record 0, byte 0: the record is larger than 100 bytes"))
    }

    @Test("a record of just the limit passes, one byte more does not, whatever ends it", arguments: ["\n", "\r\n", ""])
    func exactLimit(end: String) throws {
        let folder = TemporaryFolder()
        for kernel in kernelNames {
            for over in [0, 1] {
                try folder.write(
                    "a,b\(end.isEmpty ? "\n" : end)1,\(String(repeating: "x", count: 98 + over))\(end)", to: "in.csv")
                try folder.write("\"\(String(repeating: "x", count: 98 + over))\"\(end)", to: "in.jsonl")
                for input in ["in.csv", "in.jsonl"] {
                    let outcome = try folder.sluice(
                        "convert", input, "-", "--to", "jsonl", "--max-record", "100", "--kernel", kernel)
                    #expect(
                        outcome.status == (over == 0 ? 0 : 65), "\(input), \(100 + over) bytes: \(outcome.messages)")
                }
            }
        }
    }

    @Test("records before a bad one do go to standard output, whole")
    func recordsBeforeTheError() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.long(records: 20_000) + "1,2,3\n", to: "in.csv")
        try folder.write(SampleText.long(records: 20_000), to: "good.csv")
        let outcome = try folder.sluice("convert", "in.csv", "-", "--to", "jsonl")
        let good = try folder.sluice("convert", "good.csv", "-", "--to", "jsonl")
        #expect(outcome.status == 65 && outcome.isOneLine && good.status == 0)
        #expect(good.text.hasPrefix(outcome.text) && (outcome.output.isEmpty || outcome.text.hasSuffix("\n")))
    }

    @Test("a key that comes after the CSV columns were decided is an error that names it")
    func lateKey() throws {
        let folder = TemporaryFolder()
        let known = String(repeating: "{\"a\":1}\n", count: 1_200)
        try folder.write(known + "{\"a\":1,\"late\":2}\n", to: "in.jsonl")
        try folder.write("old", to: "out.csv")
        for size in ["1", "7", "1000", "5000"] {
            let outcome = try folder.sluice("convert", "in.jsonl", "out.csv", "--chunk-size", size)
            #expect(outcome.status == 65 && outcome.isOneLine)
            #expect(
                outcome.messages.hasPrefix(
                    "sluice: in.jsonl: record 1201, byte \(known.utf8.count), column \"late\": "),
                "\(outcome.messages)")
            #expect(try folder.text("out.csv") == "old" && folder.names == ["in.jsonl", "out.csv"])
        }
        try folder.convert("in.jsonl", "out.csv", "--select", "a,late")
        #expect(try folder.text("out.csv").hasSuffix("1,\n1,2\n"))
    }
}

/// Files that are not there, or not what they should be.
@Suite("The tool and the file system")
struct ToolFileErrorTests {
    @Test("no input is 66: a missing file, a directory, a file that may not be read")
    func noInput() throws {
        let folder = TemporaryFolder()
        try folder.write("a\n1\n", to: "secret.csv")
        try folder.write("old", to: "out.csv")
        _ = try folder.shell("mkdir folder.csv; chmod 000 secret.csv")
        let cases = [
            ("none.csv", "No such file"), ("none/in.csv", "No such file"), ("folder.csv", "directory"),
            ("secret.csv", "Permission denied"),
        ]
        for (input, words) in cases {
            for command in [["convert", input, "out.csv"], ["count", input]] {
                let outcome = try folder.unprivileged(command)
                #expect(outcome.status == 66, "\(command): \(outcome.messages)")
                #expect(
                    outcome.messages.hasPrefix("sluice: \(input): ") && outcome.messages.contains(words)
                        && outcome.isOneLine)
                #expect(outcome.output.isEmpty)
            }
        }
        #expect(try folder.text("out.csv") == "old")
        #expect(folder.names == ["folder.csv", "out.csv", "secret.csv"])
    }

    @Test("an output that cannot be made is 73: no folder, a directory, a folder that may not be written")
    func cannotCreate() throws {
        let folder = TemporaryFolder()
        try folder.write("a\n1\n", to: "in.csv")
        _ = try folder.shell("mkdir folder.csv closed; chmod 500 closed")
        for output in ["none/out.csv", "folder.csv", "closed/out.csv", "in.csv/out.csv"] {
            let outcome = try folder.unprivileged(["convert", "in.csv", output])
            #expect(outcome.status == 73, "\(output): \(outcome.messages)")
            #expect(outcome.messages.hasPrefix("sluice: \(output): ") && outcome.isOneLine, "\(outcome.messages)")
        }
        #expect(folder.names == ["closed", "folder.csv", "in.csv"])
    }

    @Test("an output that takes no more is 74", arguments: ["none", "gzip"])
    func fullDevice(compression: String) throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "small.csv")
        try folder.write(SampleText.long(records: 30_000), to: "large.csv")
        for input in ["small.csv", "large.csv"] {
            let named = try folder.sluice(
                "convert", input, "/dev/full", "--to", "jsonl", "--compression", compression)
            #expect(
                named.status == 74 && named.isOneLine && named.messages.hasPrefix("sluice: /dev/full: "),
                "\(named.messages)")
            let piped = try folder.shell(
                #""$SLUICE" convert "$1" - --to jsonl --compression "$2" >/dev/full"#, [input, compression])
            #expect(piped.status == 74 && piped.isOneLine, "\(piped.messages)")
        }
        for words in ["count small.csv", "--version", "--help", "convert --help", "help count"] {
            let outcome = try folder.shell(#""$SLUICE" \#(words) >/dev/full"#)
            #expect(outcome.status == 74 && outcome.isOneLine, "\(words): \(outcome.messages)")
        }
        #expect(folder.names == ["large.csv", "small.csv"])
    }

    // The thread sanitizer has files of its own, which are larger.
    #if !THIN
        @Test("a file that grows past the system's limit is 74 or the signal's end, and leaves the old one")
        func fileSizeLimit() throws {
            let folder = TemporaryFolder()
            try folder.write(SampleText.long(records: 30_000), to: "in.csv")
            try folder.write("old", to: "out.csv")
            let outcome = try folder.shell(#"trap "" XFSZ; ulimit -f 100; exec "$SLUICE" convert in.csv out.csv"#)
            #expect(outcome.status == 74 && outcome.isOneLine, "\(outcome.status) \(outcome.messages)")
            #expect(try folder.text("out.csv") == "old")
            #expect(folder.names == ["in.csv", "out.csv"])
        }
    #endif

    @Test("an error is one line, whatever the name: control characters are escaped")
    func strangeNames() throws {
        let folder = TemporaryFolder()
        try folder.write("a\n\"\n", to: "b\na\u{2028}d\u{1B}.csv")
        for command in ["convert", "count"] {
            for (name, shown, status) in [
                ("no\nne\r\t.csv", #"no\nne\r\t.csv"#, 66),
                ("b\na\u{2028}d\u{1B}.csv", #"b\na\u{2028}d\u{1B}.csv"#, 65),
            ] as [(String, String, Int32)] {
                let outcome = try folder.sluice([command, name] + (command == "count" ? [] : ["out.csv"]))
                #expect(outcome.status == status && outcome.isOneLine, "\(outcome.messages)")
                #expect(outcome.messages.hasPrefix("sluice: \(shown): "), "\(outcome.messages)")
            }
        }
        try folder.write("a\n1\n", to: "a\nb.csv")
        #expect(try folder.sluice("count", "a\nb.csv", "a\nb.csv").text == "1 a\\nb.csv\n1 a\\nb.csv\n2 total\n")
    }

    @Test("a name that is not UTF-8 is refused as such, and no file of a similar name is touched")
    func namesThatAreNotUTF8() throws {
        let folder = TemporaryFolder()
        try folder.write("a\n1\n", to: "in.csv")
        try folder.write("a\n1\n", to: "b\u{FFFD}.csv")
        let before = folder.names
        for arguments in [#"convert "$bad" out.csv"#, #"convert in.csv "$bad""#, #"count in.csv "$bad""#] {
            let outcome = try folder.shell(#"bad=$(printf 'b\377.csv'); "$SLUICE" \#(arguments)"#)
            #expect(outcome.status == 64 && outcome.isOneLine && outcome.output.isEmpty, "\(outcome.messages)")
            #expect(outcome.messages.hasPrefix("sluice: b\u{FFFD}.csv: the argument is not valid UTF-8; "))
        }
        #expect(folder.names == before)
        #expect(try folder.sluice("count", "b\u{FFFD}.csv").text == "1\n")
    }

    @Test("a file is replaced in a folder whose name is not UTF-8")
    func folderThatIsNotUTF8() throws {
        let folder = TemporaryFolder()
        let outcome = try folder.shell(
            #"""
            bad=$(printf 'b\377'); mkdir "$bad" 2>/dev/null || exit 77
            cd "$bad" && printf 'a\n1\n' >in.csv && echo old >out.csv && "$SLUICE" convert in.csv out.csv && cat out.csv; ls -A
            """#)
        // Where no such folder can be made there is nothing to test.
        #expect(outcome.status == 77 || outcome.text == "a\n1\nin.csv\nout.csv\n", "\(outcome.messages)")
        _ = try folder.shell("rm -r *")
    }

    @Test("devices and descriptors by name are written straight")
    func devices() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.csv")
        let null = try folder.sluice("convert", "in.csv", "/dev/null", "--to", "jsonl")
        #expect(null.status == 0 && null.messages.isEmpty)
        let piped = try folder.shell(
            #"cat in.csv | "$SLUICE" convert /dev/stdin /dev/stdout --from csv --to jsonl | cat"#)
        #expect(piped.text == SampleText.jsonl && piped.messages.isEmpty, "\(piped.messages)")
        #expect(folder.names == ["in.csv"])
    }

    @Test("empty files are no error: no records, and for CSV the header if there is one")
    func emptyFiles() throws {
        let folder = TemporaryFolder()
        let files = [
            ("empty.csv", "", ""), ("blank.csv", "\n\r\n\n", ""), ("mark.csv", "\u{FEFF}", ""),
            ("header.csv", "a,\"b,c\"", "a,\"b,c\"\n"),
            ("header2.csv", "a,b\r\n\r\n", "a,b\n"), ("empty.jsonl", "", ""), ("blank.jsonl", "\n\n", ""),
            ("mark.jsonl", "\u{FEFF}", ""),
        ]
        for (name, text, asCSV) in files {
            try folder.write(text, to: name)
            _ = try folder.shell(#"gzip -k "$1""#, [name])
            for input in [name, name + ".gz"] {
                try folder.convert(input, "out.jsonl")
                #expect(try folder.text("out.jsonl").isEmpty, "\(input)")
                try folder.convert(input, "out.csv")
                #expect(try folder.text("out.csv") == asCSV, "\(input)")
                try folder.convert(input, "out.csv.gz")
                #expect(try folder.gunzip("out.csv.gz") == Data(asCSV.utf8), "\(input)")
            }
        }
        try folder.write("a,b\n", to: "in.csv")
        try folder.convert("in.csv", "out.csv", "--select", "b")
        #expect(try folder.text("out.csv") == "b\n")
    }
}

@Suite("The tool and damaged gzip")
struct ToolGzipErrorTests {
    @Test("a gzip file that is cut anywhere is refused")
    func cutAnywhere() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.csv")
        _ = try folder.shell("gzip -c in.csv >whole")
        try folder.convert("in.csv", "own.csv.gz")
        for name in ["whole", "own.csv.gz"] {
            let whole = try folder.data(name)
            for length in stride(from: 0, to: whole.count, by: step) {
                try folder.write(whole.prefix(length), to: "cut.csv.gz")
                try folder.write("old", to: "out.jsonl")
                let outcome = try folder.sluice("convert", "cut.csv.gz", "out.jsonl")
                #expect(
                    outcome.status == 65 && outcome.isOneLine, "\(name) cut to \(length) bytes: \(outcome.messages)")
                #expect(outcome.messages.hasPrefix("sluice: cut.csv.gz: "))
                #expect(try folder.text("out.jsonl") == "old")
            }
        }
        #expect(folder.names == ["cut.csv.gz", "in.csv", "out.jsonl", "own.csv.gz", "whole"])
    }

    @Test("a file of ours that lacks whole members at its end is refused, though other readers see nothing wrong")
    func cutBetweenMembers() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.long(records: 12_000), to: "in.csv")
        try folder.convert("in.csv", "own.csv.gz")
        let whole = try folder.data("own.csv.gz")
        // Each member says in bytes 16 and 17 how long it is, less one.
        var ends: [Int] = []
        var end = 0
        while end < whole.count {
            end += Int(whole[end + 16]) + Int(whole[end + 17]) << 8 + 1
            ends.append(end)
        }
        #expect(ends.count > 4 && ends.last == whole.count)
        for end in ends.dropLast() {
            try folder.write(whole.prefix(end), to: "cut.csv.gz")
            _ = try folder.gunzip("cut.csv.gz")
            for command in [["convert", "cut.csv.gz", "out.jsonl"], ["count", "cut.csv.gz"]] {
                let outcome = try folder.sluice(command)
                #expect(outcome.status == 65 && outcome.isOneLine, "\(command) of \(end) of \(whole.count) bytes")
            }
        }
        #expect(folder.names == ["cut.csv.gz", "in.csv", "own.csv.gz"])
    }

    @Test("a byte that is changed anywhere is noticed, or makes no difference")
    func changedAnywhere() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.csv")
        _ = try folder.shell("gzip -nc in.csv >whole")
        let whole = try folder.data("whole")
        for place in stride(from: 0, to: whole.count, by: step) {
            var damaged = whole
            damaged[place] ^= 0x10
            try folder.write(damaged, to: "damaged.csv.gz")
            let outcome = try folder.sluice("convert", "damaged.csv.gz", "out.jsonl")
            if outcome.status == 0 {
                #expect(try folder.text("out.jsonl") == SampleText.jsonl, "byte \(place)")
                // Modification time, extra flags, operating system: nothing that has to do with the content.
                #expect((4..<10).contains(place), "byte \(place)")
            } else {
                #expect(
                    outcome.status == 65 && outcome.isOneLine, "byte \(place): \(outcome.status) \(outcome.messages)")
            }
        }
    }

    @Test("what is no gzip, or goes on after it, is refused; zeros at the end are padding")
    func otherBytes() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.csv")
        try folder.write("old", to: "out.jsonl")
        let packed = try folder.shell("gzip -c in.csv").output
        let cases: [(what: String, bytes: Data, status: Int32, words: String?)] = [
            ("nothing", Data(), 65, "gzip"), ("CSV", Data(SampleText.csv.utf8), 65, "no gzip"),
            ("text behind it", packed + Data("garbage".utf8), 65, "follow"),
            ("one byte behind it", packed + Data([1]), 65, "follow"),
            ("half a member behind it", packed + packed.prefix(12), 65, "stops before its end"),
            ("zeros and text behind it", packed + Data([0, 0, 0x41]), 65, "follow"),
            ("zeros behind it", packed + Data(count: 5_000), 0, nil),
        ]
        for item in cases {
            try folder.write(item.bytes, to: "in.csv.gz")
            try folder.write("old", to: "out.jsonl")
            let outcome = try folder.sluice("convert", "in.csv.gz", "out.jsonl")
            #expect(outcome.status == item.status, "\(item.what): \(outcome.messages)")
            #expect(
                item.words.map(outcome.messages.contains) ?? outcome.messages.isEmpty,
                "\(item.what): \(outcome.messages)")
            #expect(try folder.text("out.jsonl") == (item.status == 0 ? SampleText.jsonl : "old"), "\(item.what)")
            #expect(folder.names == ["in.csv", "in.csv.gz", "out.jsonl"])
        }
    }
}

extension Outcome {
    /// One line of the tool's own, and nothing else.
    var isOneLine: Bool {
        messages.hasPrefix("sluice: ") && messages.hasSuffix("\n") && messages.filter(\.isNewline).count == 1
    }
}

extension TemporaryFolder {
    /// Runs the tool so that modes hold for it, also where the tests run as root: without the powers that overrule modes.
    func unprivileged(_ arguments: [String]) throws -> Outcome {
        try shell(
            """
            if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
                exec setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all "$SLUICE" "$@"
            fi
            exec "$SLUICE" "$@"
            """, arguments)
    }
}
