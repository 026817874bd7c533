import Foundation
import Sluice
import TestSupport
import Testing

/// A file, options, and what they make of it.
struct OptionCase: CustomTestStringConvertible {
    let what: String
    let input: String
    var name = "in.csv"
    let options: [String]
    var output = "out.jsonl"
    let expected: String

    var testDescription: String { what }

    static let all: [OptionCase] = [
        OptionCase(
            what: "--delimiter", input: "a;b\n1;2,5\n", options: ["--delimiter", ";"],
            expected: #"{"a":"1","b":"2,5"}"# + "\n"),
        OptionCase(
            what: "--delimiter tab", input: "a\tb\n1\t2\n", options: ["--delimiter", "tab"],
            expected: #"{"a":"1","b":"2"}"# + "\n"),
        OptionCase(
            what: #"--delimiter \t"#, input: "a\tb\n1\t2\n", options: ["--delimiter", #"\t"#],
            expected: #"{"a":"1","b":"2"}"# + "\n"),
        OptionCase(
            what: "--from tsv", input: "a\tb\n1\t2\n", name: "in.txt", options: ["--from", "tsv"],
            expected: #"{"a":"1","b":"2"}"# + "\n"),
        OptionCase(
            what: "--to tsv", input: "a,b\n1,2\n", options: ["--to", "tsv"], output: "out.txt",
            expected: "a\tb\n1\t2\n"),
        OptionCase(
            what: "--delimiter over that of tsv", input: "a|b\n1|2\n", name: "in.tsv", options: ["--delimiter", "|"],
            expected: #"{"a":"1","b":"2"}"# + "\n"),
        OptionCase(
            what: "--quote", input: "a,b\n'x, y','it''s \"so\"'\n", options: ["--quote", "'"],
            expected: #"{"a":"x, y","b":"it's \"so\""}"# + "\n"),
        OptionCase(
            what: "--quote none", input: "a,b\n\"x,y\"\n", options: ["--quote", "none"],
            expected: #"{"a":"\"x","b":"y\""}"# + "\n"),
        OptionCase(
            what: "--quote with no text", input: "a,b\n\"x,y\"\n", options: ["--quote", ""],
            expected: #"{"a":"\"x","b":"y\""}"# + "\n"),
        OptionCase(
            what: "--escape", input: "a,b\n\"x\\\"y\",2\n", options: ["--escape", "\\"],
            expected: #"{"a":"x\"y","b":"2"}"# + "\n"),
        OptionCase(
            what: "--no-header", input: "1,2\n3,4\n", options: ["--no-header"],
            expected: #"{"column_1":"1","column_2":"2"}"# + "\n" + #"{"column_1":"3","column_2":"4"}"# + "\n"),
        OptionCase(
            what: "--no-header with --columns", input: "1,2\n", options: ["--no-header", "--columns", "x,y"],
            expected: #"{"x":"1","y":"2"}"# + "\n"),
        OptionCase(
            what: "--columns in quotes", input: "1,2\n", options: ["--no-header", "--columns", #""a,b","say ""no""""#],
            expected: #"{"a,b":"1","say \"no\"":"2"}"# + "\n"),
        OptionCase(
            what: "--select in quotes", input: "\"a,b\",c\n1,2\n", options: ["--select", #"c,"a,b""#],
            expected: #"{"c":"2","a,b":"1"}"# + "\n"),
        OptionCase(
            what: "--select with an accent behind the comma", input: "\u{301}b,c\n1,2\n",
            options: ["--select", "c,\u{301}b"], expected: "{\"c\":\"2\",\"\u{301}b\":\"1\"}\n"),
        OptionCase(
            what: "--lenient", input: "a,b\n\"x\" y,2\n", options: ["--lenient"],
            expected: #"{"a":"x y","b":"2"}"# + "\n"),
        OptionCase(
            what: "--ragged pad", input: "a,b\n1\n", options: ["--ragged", "pad"],
            expected: #"{"a":"1"}"# + "\n"),
        OptionCase(
            what: "--ragged truncate", input: "a,b\n1,2,3\n4\n", options: ["--ragged", "truncate"],
            expected: #"{"a":"1","b":"2"}"# + "\n" + #"{"a":"4"}"# + "\n"),
        OptionCase(
            what: "--comment", input: "# head\na,b\n# more\n1,2\n", options: ["--comment", "#"],
            expected: #"{"a":"1","b":"2"}"# + "\n"),
        OptionCase(
            what: "--null", input: "a,b,c\nNA,-,\"NA\"\n", options: ["--null", "NA", "--null", "-"],
            expected: #"{"a":null,"b":null,"c":"NA"}"# + "\n"),
        OptionCase(
            what: "--null with no text", input: "a,b\n,\"\"\n", options: ["--null", ""],
            expected: #"{"a":null,"b":""}"# + "\n"),
        OptionCase(
            what: "--columns of the output", input: #"{"a":1,"b":2}"# + "\n" + #"{"b":3}"# + "\n", name: "in.jsonl",
            options: ["--columns", "b,a,c"], output: "out.csv", expected: "b,a,c\n2,1,\n3,,\n"),
        OptionCase(
            what: "--columns of the output, from CSV", input: "a,b\n1,2\n", options: ["--columns", "b,a"],
            output: "out.csv", expected: "b,a\n2,1\n"),
        OptionCase(
            what: "the dialect of the output alone", input: #"{"a":"x;y","b":"it's"}"# + "\n", name: "in.jsonl",
            options: ["--delimiter", ";", "--quote", "'", "--escape", "\\", "--no-header"], output: "out.csv",
            expected: "'x;y';'it\\'s'\n"),
        OptionCase(
            what: "the dialect of the input, where both are CSV", input: "1;2\n",
            options: ["--delimiter", ";", "--no-header"],
            output: "out.csv", expected: "column_1,column_2\n1,2\n"),
        OptionCase(
            what: "--to-delimiter, --to-quote, --to-escape and --to-no-header", input: "a,b\n\"x;\",it's\n",
            options: ["--to-delimiter", ";", "--to-quote", "'", "--to-escape", "\\", "--to-no-header"],
            output: "out.csv", expected: "'x;';'it\\'s'\n"),
        OptionCase(
            what: "text in and out", input: "one\n\ntwo", name: "in.txt", options: [], output: "out.txt",
            expected: "one\n\ntwo\n"),
        OptionCase(
            what: "--from text", input: "a,b\n", options: ["--from", "text"], expected: #"{"text":"a,b"}"# + "\n"),
        OptionCase(
            what: "--from json", input: "[1, {\"a\" : 2}]", name: "in.txt", options: ["--from", "json"],
            expected: "1\n{\"a\" : 2}\n"),
        OptionCase(
            what: "--from binary", input: "\u{1}x", name: "in.txt", options: ["--from", "binary"],
            expected: #"{"bytes":"AXg="}"# + "\n"),
    ]
}

@Suite("The tool's options")
struct ToolOptionTests {
    @Test("each acts", arguments: OptionCase.all)
    func acts(option: OptionCase) throws {
        let folder = TemporaryFolder()
        try folder.write(option.input, to: option.name)
        try folder.convert([option.name, option.output] + option.options)
        #expect(try folder.text(option.output) == option.expected)
        #expect(folder.names == [option.name, option.output].sorted())
    }

    @Test("each acts the same on standard input and output", arguments: OptionCase.all)
    func actsOnPipes(option: OptionCase) throws {
        let folder = TemporaryFolder()
        try folder.write(option.input, to: option.name)
        var options = option.options
        let names = ["csv": "csv", "tsv": "tsv", "jsonl": "jsonl", "txt": "text"]
        for (flag, name) in [("--from", option.name), ("--to", option.output)] where !options.contains(flag) {
            options += [flag, names[String(name.split(separator: ".")[1])] ?? ""]
        }
        let outcome = try folder.sluice(["convert", "-", "-"] + options, input: option.name)
        #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome.messages)")
        #expect(outcome.text == option.expected)
    }

    @Test("a field that is none of the columns is an error with the hint, or dropped and counted on request")
    func unknownColumns() throws {
        let folder = TemporaryFolder()
        try folder.write("{\"a\":1,\"x\":2}\n{\"a\":3,\"y\":4,\"x\":5}\n", to: "in.jsonl")
        let refused = try folder.sluice("convert", "in.jsonl", "out.csv", "--columns", "a")
        #expect(refused.status == 65 && refused.isOneLine)
        #expect(refused.messages.contains("record 1") && refused.messages.contains("--unknown-columns drop"))
        #expect(folder.names == ["in.jsonl"])
        let dropped = try folder.sluice("convert", "in.jsonl", "out.csv", "--columns", "a", "--unknown-columns", "drop")
        #expect(dropped.status == 0 && dropped.isOneLine)
        #expect(dropped.messages.contains("dropped 3 fields"))
        #expect(try folder.text("out.csv") == "a\n1\n3\n")
    }

    @Test(
        "what does not apply, or makes no sense, is a usage error, and nothing is written",
        arguments: [
            ["in.jsonl", "out.jsonl", "--delimiter", ";"], ["in.jsonl", "out.jsonl", "--no-header"],
            ["in.jsonl", "out.csv", "--lenient"], ["in.jsonl", "out.csv", "--null", "NA"],
            ["in.jsonl", "out.csv", "--ragged", "pad"], ["in.jsonl", "out.csv", "--comment", "#"],
            ["in.csv", "out.jsonl", "--columns", "a"], ["in.csv", "out.jsonl", "--to-delimiter", ";"],
            ["in.csv", "out.jsonl", "--to-no-header"], ["in.csv", "out.jsonl", "--unknown-columns", "drop"],
            ["in.csv", "out.jsonl", "--delimiter", ";;"], ["in.csv", "out.jsonl", "--delimiter", ""],
            ["in.csv", "out.jsonl", "--delimiter", "é"], ["in.csv", "out.jsonl", "--delimiter", "\""],
            ["in.csv", "out.jsonl", "--quote", "none", "--escape", "\\"], ["in.csv", "out.jsonl", "--escape", "\""],
            ["in.csv", "out.jsonl", "--ragged", "maybe"], ["in.csv", "out.jsonl", "--no-header", "--columns", "a,,b"],
            ["in.csv", "out.jsonl", "--no-header", "--columns", "a,a"],
            ["in.csv", "out.jsonl", "--no-header", "--columns", "\"a"],
            ["in.csv", "out.jsonl", "--null", "a,b"], ["in.csv", "out.jsonl", "--comment", ","],
            ["in.csv", "out.jsonl", "--encoding", "ebcdic"], ["in.csv", "out.json", "--append"],
            ["in.csv", "out.csv", "--to-delimiter", "none"], ["in.csv", "out.jsonl", "--on-error", "ignore"],
            ["in.csv", "in.csv", "out.jsonl", "--pattern", "a/*.csv"],
        ])
    func usage(arguments: [String]) throws {
        let folder = TemporaryFolder()
        try folder.write("a,b\n1,2\n", to: "in.csv")
        try folder.write("{\"a\":1}\n", to: "in.jsonl")
        let outcome = try folder.sluice(["convert"] + arguments)
        #expect(outcome.status == 64, "\(outcome.messages)")
        #expect(outcome.output.isEmpty && !outcome.messages.isEmpty)
        #expect(folder.names == ["in.csv", "in.jsonl"])
    }

    @Test("count takes the dialect, too")
    func count() throws {
        let folder = TemporaryFolder()
        try folder.write("# c\n1;'a\n;b'\n2;c\n", to: "in.csv")
        let outcome = try folder.sluice(
            "count", "in.csv", "--delimiter", ";", "--quote", "'", "--no-header", "--comment", "#")
        #expect(outcome.text == "2\n" && outcome.status == 0, "\(outcome.messages)")
    }
}

@Suite("The tool on many files")
struct ToolManyFilesTests {
    private func folder() throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        _ = try folder.shell("mkdir -p data/deep; echo hidden >data/.hidden.csv")
        try folder.write("a,b\n10,x\n", to: "data/part10.csv")
        try folder.write("a,b\n2,x\n", to: "data/part2.csv")
        try folder.write("a,b\n3,x\n", to: "data/deep/part3.csv")
        try folder.write("b,c\n9,y\n", to: "other.csv")
        return folder
    }

    @Test("files become one output in the order given, directories in natural order")
    func many() throws {
        let folder = try folder()
        try folder.convert("data", "out.csv")
        #expect(try folder.text("out.csv") == "a,b\n2,x\n10,x\n")
        try folder.convert("data/part10.csv", "data", "out2.csv")
        #expect(try folder.text("out2.csv") == "a,b\n10,x\n2,x\n10,x\n")
        try folder.convert("data", "out.csv", "--recursive")
        #expect(try folder.text("out.csv") == "a,b\n3,x\n2,x\n10,x\n")
        try folder.convert("data", "out.csv", "--pattern", "*2.csv")
        #expect(try folder.text("out.csv") == "a,b\n2,x\n")
        try folder.convert("data", "out.csv", "--recursive", "--pattern", "**/part3.csv")
        #expect(try folder.text("out.csv") == "a,b\n3,x\n")
        let piped = try folder.sluice(
            "convert", "data/part2.csv", "-", "-", "--from", "csv", "--to", "csv", input: "data/part10.csv")
        #expect(piped.text == "a,b\n2,x\n10,x\n", "\(piped.messages)")
    }

    @Test("other columns are an error, or united by name on request")
    func union() throws {
        let folder = try folder()
        let refused = try folder.sluice("convert", "data/part2.csv", "other.csv", "out.csv")
        #expect(refused.status == 65 && refused.isOneLine && refused.messages.contains("--union"))
        #expect(!folder.names.contains("out.csv"))
        try folder.convert("data/part2.csv", "other.csv", "out.csv", "--union")
        #expect(try folder.text("out.csv") == "a,b,c\n2,x,\n,9,y\n")
    }

    @Test("a bad file is an error, or skipped and told on request")
    func skip() throws {
        let folder = try folder()
        try folder.write("a,b\n1\n", to: "data/part3.csv")
        let refused = try folder.sluice("convert", "data", "out.csv")
        #expect(refused.status == 65 && refused.isOneLine && refused.messages.contains("part3.csv"))
        #expect(!folder.names.contains("out.csv"))
        let skipped = try folder.sluice("convert", "data", "out.csv", "--on-error", "skip")
        #expect(skipped.status == 0 && skipped.isOneLine && skipped.messages.contains("part3.csv"))
        #expect(try folder.text("out.csv") == "a,b\n2,x\n10,x\n")
    }

    @Test("an output that could have been meant as an input is only replaced on request")
    func replace() throws {
        let folder = try folder()
        let arguments = ["convert", "data/part2.csv", "data/part10.csv", "other.csv"]
        let refused = try folder.sluice(arguments)
        #expect(refused.status == 64 && refused.messages.contains("--replace"))
        #expect(try folder.text("other.csv") == "b,c\n9,y\n")
        try folder.convert(arguments.dropFirst() + ["--replace"])
        #expect(try folder.text("other.csv") == "a,b\n2,x\n10,x\n")
        try folder.write("old", to: "out.jsonl")
        try folder.convert("data/part2.csv", "data/part10.csv", "out.jsonl")
        #expect(try folder.text("out.jsonl") == "{\"a\":\"2\",\"b\":\"x\"}\n{\"a\":\"10\",\"b\":\"x\"}\n")
    }

    @Test("count counts each, directories as one, and all")
    func count() throws {
        let folder = try folder()
        let outcome = try folder.sluice("count", "data", "other.csv")
        #expect(outcome.text == "2 data\n1 other.csv\n3 total\n", "\(outcome.messages)")
    }

    @Test("an output among the files of a directory is refused")
    func ownOutput() throws {
        let folder = try folder()
        let outcome = try folder.sluice("convert", "data", "data/part2.csv")
        #expect(outcome.status == 64 && outcome.isOneLine)
        #expect(try folder.text("data/part2.csv") == "a,b\n2,x\n")
    }
}

@Suite("The tool's head")
struct ToolHeadTests {
    @Test("shows ten records as they are, or as many as asked for, header and all")
    func records() throws {
        let folder = TemporaryFolder()
        let lines = (1...3000).map { "\($0),\"x\ny\"\n" }
        try folder.write("id,text\n" + lines.joined(), to: "in.csv")
        _ = try folder.shell("gzip -k in.csv")
        for name in ["in.csv", "in.csv.gz"] {
            #expect(try folder.sluice("head", name).text == "id,text\n" + lines[..<10].joined())
            for count in [0, 1, 999, 1000, 1001, 3000, 5000] {
                let outcome = try folder.sluice("head", "-n", "\(count)", name)
                #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome.messages)")
                #expect(outcome.text == "id,text\n" + lines.prefix(count).joined())
            }
        }
    }

    @Test("keeps format and dialect, or shows another format")
    func formats() throws {
        let folder = TemporaryFolder()
        try folder.write("a\tb\n1\t2\n3\t4\n", to: "in.tsv")
        #expect(try folder.sluice("head", "-n", "1", "in.tsv").text == "a\tb\n1\t2\n")
        #expect(try folder.sluice("head", "-n", "1", "in.tsv", "--to", "csv").text == "a,b\n1,2\n")
        try folder.write("1;'x;'\n2;y\n", to: "in.csv")
        let dialect = ["--delimiter", ";", "--quote", "'", "--no-header"]
        #expect(try folder.sluice(["head", "-n", "1", "in.csv"] + dialect).text == "1;'x;'\n")
        #expect(
            try folder.sluice(["head", "-n", "1", "in.csv", "--to", "jsonl", "--types", "infer"] + dialect).text
                == "{\"column_1\":1,\"column_2\":\"x;\"}\n")
        try folder.write("{\"a\":1,\"b\":{\"c\":2}}\n{}\n", to: "in.jsonl")
        #expect(try folder.sluice("head", "-n1", "in.jsonl").text == "{\"a\":1,\"b\":{\"c\":2}}\n")
        #expect(try folder.sluice("head", "-n1", "in.jsonl", "--select", "b.c", "--to", "csv").text == "b.c\n2\n")
        try folder.write("[1,2,3]", to: "in.json")
        #expect(try folder.sluice("head", "-n2", "in.json").text == "[\n1,\n2\n]\n")
        try folder.write("one\ntwo\n", to: "in.txt")
        #expect(try folder.sluice("head", "-n1", "in.txt").text == "one\n")
        try folder.write(Array("a,b\n".utf8) + [0xE9, 0x2C, 0x0A], to: "latin.csv")
        #expect(try folder.sluice("head", "latin.csv", "--encoding", "latin1").text == "a,b\né,\n")
    }

    @Test("goes on with the next file, and no further than it takes")
    func manyFiles() throws {
        let folder = TemporaryFolder()
        try folder.write("a\n1\n2\n", to: "1.csv")
        try folder.write("a\n3\n4\n", to: "2.csv")
        try folder.write("a\n5,6\n", to: "3.csv")
        let outcome = try folder.sluice("head", "-n", "3", "1.csv", "2.csv", "3.csv")
        #expect(outcome.text == "a\n1\n2\n3\n" && outcome.status == 0, "\(outcome.messages)")
    }

    @Test("what follows the records is not read: bad data, a cut-off gzip, a pipe that stays open")
    func readsNoMore() throws {
        let folder = TemporaryFolder()
        try folder.write("a,b\n1,2\n3,4\n5\n", to: "in.csv")
        #expect(try folder.sluice("head", "-n", "2", "in.csv").text == "a,b\n1,2\n3,4\n")
        let bad = try folder.sluice("head", "-n", "3", "in.csv")
        #expect(bad.status == 65 && bad.isOneLine && bad.messages.contains("record 3"))

        try folder.write(SampleText.long(records: 50_000), to: "long.csv")
        _ = try folder.shell("gzip -c long.csv | head -c 60000 >long.csv.gz")
        let cut = try folder.sluice("head", "-n", "2", "long.csv.gz")
        #expect(cut.status == 0 && cut.messages.isEmpty, "\(cut.messages)")

        // The writer ends when the tool has gone, by SIGPIPE.
        let endless = try folder.shell(#"yes '{"a":1}' | "$SLUICE" head -n 2 - --from jsonl"#)
        #expect(endless.text == "{\"a\":1}\n{\"a\":1}\n" && endless.status == 0, "\(endless.messages)")
    }

    @Test("a file without records shows its header, an empty one nothing")
    func empty() throws {
        let folder = TemporaryFolder()
        try folder.write("a,b\n", to: "header.csv")
        try folder.write("", to: "empty.csv")
        #expect(try folder.sluice("head", "header.csv").text == "a,b\n")
        #expect(try folder.sluice("head", "empty.csv").text == "")
        #expect(try folder.sluice("head", "missing.csv").status == 66)
        #expect(try folder.sluice("head", "-n", "-1", "header.csv").status == 64)
        #expect(try folder.sluice("head").status == 64)
    }
}
