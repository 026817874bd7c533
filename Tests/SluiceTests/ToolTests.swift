import Foundation
import Sluice
import TestSupport
import Testing

/// The tool, driven as a process: what it does when all is well.
@Suite("The tool")
struct ToolTests {
    @Test(
        "converts every format and compression into every other, from file to file", arguments: SampleText.formats,
        SampleText.formats)
    func filesToFiles(from: FileFormat, to: FileFormat) throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.of(from), to: "in.\(from)")
        _ = try folder.shell("gzip -k in.\(from)")
        for input in ["in.\(from)", "in.\(from).gz"] {
            try folder.convert(input, "out.\(to)")
            #expect(try folder.text("out.\(to)") == SampleText.of(to))
            try folder.convert(input, "out.\(to).gz")
            #expect(try folder.gunzip("out.\(to).gz") == Data(SampleText.of(to).utf8))
        }
        #expect(folder.names == ["in.\(from)", "in.\(from).gz", "out.\(to)", "out.\(to).gz"].sorted())
    }

    @Test(
        "converts standard input to standard output, gzip'd or not", arguments: SampleText.formats, SampleText.formats)
    func pipes(from: FileFormat, to: FileFormat) throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.of(from), to: "plain")
        _ = try folder.shell("gzip -c plain >packed")
        for input in ["plain", "packed"] {
            let plain = try folder.sluice("convert", "-", "-", "--from", "\(from)", "--to", "\(to)", input: input)
            #expect(plain.status == 0 && plain.messages.isEmpty, "\(plain.messages)")
            #expect(plain.text == SampleText.of(to))
            let packed = try folder.shell(
                #"cat "$1" | "$SLUICE" convert - - --from "$2" --to "$3" --compression gzip | gzip -dc"#,
                [input, "\(from)", "\(to)"])
            #expect(packed.status == 0 && packed.messages.isEmpty, "\(packed.messages)")
            #expect(packed.text == SampleText.of(to))
        }
        #expect(folder.names == ["packed", "plain"])
    }

    @Test("--from, --to and --compression overrule the names")
    func overruledNames() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.txt")
        try folder.convert("in.txt", "out.dat", "--from", "csv", "--to", "jsonl")
        #expect(try folder.text("out.dat") == SampleText.jsonl)
        try folder.convert("in.txt", "out.dat", "--from", "csv", "--to", "jsonl", "--compression", "gzip")
        #expect(try folder.shell("gzip -dc <out.dat").text == SampleText.jsonl)
        try folder.convert("in.txt", "out.jsonl.gz", "--from", "csv", "--compression", "none")
        #expect(try folder.text("out.jsonl.gz") == SampleText.jsonl)
    }

    @Test("gzip is recognised where the name does not tell it")
    func gzipByMagic() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "a")
        _ = try folder.shell("gzip -c a >a.csv")
        try folder.convert("a.csv", "out.jsonl")
        #expect(try folder.text("out.jsonl") == SampleText.jsonl)
    }

    @Test(".tsv is read and written with tabs")
    func tabs() throws {
        let folder = TemporaryFolder()
        try folder.write("a\tb\n1,5\t\"x\ty\"\n", to: "in.tsv")
        try folder.convert("in.tsv", "out.csv")
        #expect(try folder.text("out.csv") == "a,b\n\"1,5\",x\ty\n")
        try folder.convert("out.csv", "back.tsv")
        #expect(try folder.text("back.tsv") == "a\tb\n1,5\t\"x\ty\"\n")
    }

    @Test("no chunk size, record limit or kernel changes a byte")
    func settingsChangeNothing() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.long(records: 12_000), to: "in.csv")
        try folder.convert("in.csv", "in.jsonl")
        try folder.convert("in.csv", "same.csv")
        #expect(try folder.data("same.csv") == folder.data("in.csv"))
        var settings: [[String]] = kernelNames.flatMap { kernel in
            ["1", "2", "7", "1000", "1001", "1000000"].map { ["--kernel", kernel, "--chunk-size", $0] }
        }
        settings += ["100", "4096", "1073741824"].map { ["--max-record", $0] }
        for setting in settings {
            for (input, output) in [("in.csv", "jsonl"), ("in.csv", "csv"), ("in.jsonl", "csv"), ("in.jsonl", "jsonl")]
            {
                let outcome = try folder.sluice(["convert", input, "-", "--to", output] + setting)
                #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(input) \(setting): \(outcome.messages)")
                #expect(outcome.output == (try folder.data("in.\(output)")), "\(input) to \(output) with \(setting)")
            }
        }
    }

    @Test("every gzip level decompresses to the same bytes, 1 being the default, and ends with BGZF's empty block")
    func levels() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.long(records: 8_000), to: "in.csv")
        var sizes: [Int] = []
        for level in 0...9 {
            try folder.convert("in.csv", "\(level).csv.gz", "--level", "\(level)")
            #expect(try folder.gunzip("\(level).csv.gz") == folder.data("in.csv"))
            let bytes = try folder.data("\(level).csv.gz")
            #expect(Array(bytes.suffix(28)) == Self.lastBlock)
            sizes.append(bytes.count)
        }
        #expect(sizes[0] > sizes[1] && sizes[1] > sizes[9])
        try folder.convert("in.csv", "default.csv.gz")
        #expect(try folder.data("default.csv.gz") == folder.data("1.csv.gz"))
        for kernel in kernelNames {
            try folder.convert("in.csv", "kernel.csv.gz", "--kernel", kernel)
            #expect(try folder.data("kernel.csv.gz") == folder.data("1.csv.gz"), "gzip'd bytes of kernel \(kernel)")
        }
    }

    /// The end mark that the BGZF specification gives.
    private static let lastBlock: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x04, 0, 0, 0, 0, 0, 0xFF, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1B, 0, 0x03, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ]

    @Test("records of many MiB pass whole, quoted or not, at the start and in the middle", arguments: kernelNames)
    func largeRecords(kernel: String) throws {
        let folder = TemporaryFolder()
        let plain = String(repeating: "0123456789abcdef", count: 330_000)
        let lines = String(repeating: "0123456,89abcd\n", count: 330_000)
        let escaped = lines.replacingOccurrences(of: "\n", with: "\\n")
        for before in [0, 1_000] {
            let csv = String(repeating: "1,2\n", count: before)
            let jsonl = String(repeating: "{\"a\":\"1\",\"b\":\"2\"}\n", count: before)
            try folder.write("a,b\n\(csv)3,\(plain)\n\"\(lines)\",4\n5,6\n", to: "in.csv")
            try folder.write(
                "\(jsonl){\"a\":\"3\",\"b\":\"\(plain)\"}\n{\"a\":\"\(escaped)\",\"b\":\"4\"}\n{\"a\":\"5\",\"b\":\"6\"}\n",
                to: "in.jsonl")
            try folder.convert("in.csv", "out.jsonl", "--kernel", kernel)
            #expect(try folder.data("out.jsonl") == folder.data("in.jsonl"), "to JSON Lines, \(before) records before")
            try folder.convert("in.jsonl", "out.csv", "--kernel", kernel)
            #expect(try folder.data("out.csv") == folder.data("in.csv"), "to CSV, \(before) records before")
            let count = try folder.sluice("count", "in.csv", "in.jsonl", "--kernel", kernel)
            #expect(count.text == "\(before + 3) in.csv\n\(before + 3) in.jsonl\n\(2 * before + 6) total\n")
        }
    }

    @Test(
        "chunks that close by their bytes lose nothing, wherever their ends fall", arguments: [9_000, 70_000, 300_000])
    func chunksClosedByBytes(length: Int) throws {
        let folder = TemporaryFolder()
        var random = SplitMix64(seed: UInt64(length))
        var csv = "a,b\n"
        var jsonl = ""
        for number in 0..<max(40, 9_000_000 / length) {
            let text = String(repeating: "x", count: Int.random(in: length / 2...length, using: &random))
            csv += "\(number),\(text)\n"
            jsonl += "{\"a\":\"\(number)\",\"b\":\"\(text)\"}\n"
        }
        try folder.write(csv, to: "in.csv")
        try folder.write(jsonl, to: "in.jsonl")
        for kernel in kernelNames {
            for (input, output) in [("in.csv", "out.jsonl"), ("in.jsonl", "out.csv")] {
                try folder.convert(input, output, "--kernel", kernel)
                #expect(
                    try folder.data(output) == (output == "out.csv" ? Data(csv.utf8) : Data(jsonl.utf8)),
                    "\(input) on \(kernel)")
            }
        }
    }

    @Test("blank lines are no records, however many, and count against no limit")
    func blankLines() throws {
        let folder = TemporaryFolder()
        let blank = String(repeating: "\n", count: 300_000)
        try folder.write("\n\na,b\n\(blank)1,2\r\n\r\n\(blank)3,4\n\n", to: "in.csv")
        try folder.write("\n\r\n{\"a\":1}\n\(blank)null\n \n\(blank)", to: "in.jsonl")
        for size in ["1", "1000"] {
            try folder.convert("in.csv", "a.jsonl", "--chunk-size", size, "--max-record", "100")
            #expect(try folder.text("a.jsonl") == "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n")
            try folder.convert("in.jsonl", "b.jsonl", "--chunk-size", size, "--max-record", "100")
            #expect(try folder.text("b.jsonl") == "{\"a\":1}\nnull\n")
        }
    }
}

@Suite("The tool's --select and --types")
struct ToolFieldTests {
    @Test("--select takes CSV columns in the order given")
    func columns() throws {
        let folder = TemporaryFolder()
        try folder.write("id,name,a.b,city\n1,\"x,y\",p,Bonn\n2,,q,\n", to: "in.csv")
        try folder.convert("in.csv", "out.csv", "--select", "city,name")
        #expect(try folder.text("out.csv") == "city,name\nBonn,\"x,y\"\n,\n")
        try folder.convert("in.csv", "out.jsonl", "--select", "a.b,id")
        #expect(try folder.text("out.jsonl") == "{\"a.b\":\"p\",\"id\":\"1\"}\n{\"a.b\":\"q\",\"id\":\"2\"}\n")
    }

    @Test("--select takes JSON keys and dotted paths: the exact key first, absent ones absent in JSON and empty in CSV")
    func paths() throws {
        let folder = TemporaryFolder()
        try folder.write(
            """
            {"id":1,"user":{"name":"Ann","tags":["x", "y"]},"user.name":"exact","note":null}
            {"user":{"name":"Bob \\"B\\"","more":{}},"id":2.50}
            {"id":"3","user":7}
            {}

            """, to: "in.jsonl")
        try folder.convert("in.jsonl", "out.jsonl", "--select", "user.name,id,note")
        #expect(
            try folder.text("out.jsonl")
                == """
                {"user.name":"exact","id":1,"note":null}
                {"user.name":"Bob \\"B\\"","id":2.50}
                {"id":"3"}
                {}

                """)
        try folder.convert("in.jsonl", "out.csv", "--select", "id,user.name,user.tags")
        #expect(
            try folder.text("out.csv")
                == """
                id,user.name,user.tags
                1,exact,"[""x"",""y""]"
                2.50,"Bob ""B""\",
                3,,
                ,,

                """)
    }

    @Test("an unknown CSV column is a usage error that lists the columns")
    func unknownColumn() throws {
        let folder = TemporaryFolder()
        try folder.write("id,name\n1,x\n", to: "in.csv")
        let outcome = try folder.sluice("convert", "in.csv", "out.csv", "--select", "id,nmae")
        #expect(outcome.status == 64)
        #expect(outcome.messages.hasPrefix("sluice: in.csv: column \"nmae\": "))
        #expect(outcome.messages.hasSuffix("id, name\n"))
        #expect(folder.names == ["in.csv"])
    }

    @Test("what is not selected is validated all the same")
    func unselectedIsValidated() throws {
        let folder = TemporaryFolder()
        try folder.write("a,b\n1,2\n1\n", to: "ragged.csv")
        try folder.write(Array("a,b\n1,".utf8) + [0xFF, 0x0A], to: "latin.csv")
        try folder.write("{\"a\":1,\"b\":tru}\n", to: "broken.jsonl")
        for name in ["ragged.csv", "latin.csv", "broken.jsonl"] {
            let outcome = try folder.sluice("convert", name, "out.jsonl", "--select", "a")
            #expect(outcome.status == 65, "\(name)")
        }
    }

    @Test(
        "a JSON line that is no object has no fields to select, and is an error",
        arguments: ["5", "[1]", "null", "\"a\""])
    func selectFromNoObject(value: String) throws {
        let folder = TemporaryFolder()
        try folder.write("{\"a\":1}\n\n  \(value)\n", to: "in.jsonl")
        for name in ["out.jsonl", "out.csv"] {
            let outcome = try folder.sluice("convert", "in.jsonl", name, "--select", "a")
            #expect(outcome.status == 65 && outcome.isOneLine)
            #expect(outcome.messages.hasPrefix("sluice: in.jsonl: record 3, byte 11: the record is no object"))
            #expect(folder.names == ["in.jsonl"])
        }
    }

    @Test("--types infer makes numbers, Booleans and nulls of cells that are just that, and keeps the text of numbers")
    func types() throws {
        let folder = TemporaryFolder()
        let cells: [(csv: String, json: String)] = [
            ("1", "1"), ("-0", "-0"), ("1.50", "1.50"), ("1e5", "1e5"), ("1E+05", "1E+05"),
            ("123456789012345678901234567890", "123456789012345678901234567890"), ("\"12\"", "12"), ("true", "true"),
            ("false", "false"), ("\"true\"", "true"), ("", "null"), ("\"\"", "\"\""), ("007", "\"007\""),
            ("+1", "\"+1\""),
            (".5", "\".5\""), ("5.", "\"5.\""), ("NaN", "\"NaN\""), (" 1", "\" 1\""), ("1 ", "\"1 \""),
            ("null", "\"null\""),
            ("True", "\"True\""), ("2013-01-01", "\"2013-01-01\""), ("-", "\"-\""), ("1e", "\"1e\""),
            ("0x1", "\"0x1\""),
        ]
        try folder.write("n,v\n" + cells.map { "k,\($0.csv)\n" }.joined(), to: "in.csv")
        try folder.convert("in.csv", "out.jsonl", "--types", "infer")
        #expect(try folder.text("out.jsonl") == cells.map { "{\"n\":\"k\",\"v\":\($0.json)}\n" }.joined())
    }

    @Test("without --types every cell is a string, and `strings` says so too")
    func strings() throws {
        let folder = TemporaryFolder()
        try folder.write("a,b\n1,true\n,\"\"\n", to: "in.csv")
        for options in [[], ["--types", "strings"]] {
            let outcome = try folder.sluice(["convert", "in.csv", "-", "--to", "jsonl"] + options)
            #expect(outcome.text == "{\"a\":\"1\",\"b\":\"true\"}\n{\"a\":\"\",\"b\":\"\"}\n")
        }
    }

    @Test("JSON values become CSV cells: numbers by their text, null empty, arrays and objects as compact JSON")
    func jsonToCSV() throws {
        let folder = TemporaryFolder()
        try folder.write(
            """
            {"n": 1.50, "t": true, "z": null, "s": "\\u00e9\\n", "a": [1, "x y"], "o": {"k" : {}}, "e": ""}
            {"late": 1e400}

            """, to: "in.jsonl")
        try folder.convert("in.jsonl", "out.csv")
        #expect(
            try folder.text("out.csv")
                == "n,t,z,s,a,o,e,late\n1.50,true,,\"é\n\",\"[1,\"\"x y\"\"]\",\"{\"\"k\"\":{}}\",,\n,,,,,,,1e400\n")
    }
}

extension ToolFieldTests {
    @Test("a CSV column that came from a key takes that key's values only, though the key looks like a path")
    func dottedKeys() throws {
        let folder = TemporaryFolder()
        try folder.write("{\"a.x\":\"p\",\"a\":{\"x\":1}}\n{\"a\":{\"x\":2}}\n", to: "in.jsonl")
        try folder.convert("in.jsonl", "out.csv")
        #expect(try folder.text("out.csv") == "a.x,a\np,\"{\"\"x\"\":1}\"\n,\"{\"\"x\"\":2}\"\n")
    }
}

@Suite("The tool's count")
struct ToolCountTests {
    @Test("counts records, not lines: neither the header, nor line ends in quotes, nor blank lines")
    func quotedNewlines() throws {
        let folder = TemporaryFolder()
        let files: [(name: String, text: String, count: Int)] = [
            ("sample.csv", SampleText.csv, 5), ("sample.jsonl", SampleText.jsonl, 5), ("empty.csv", "", 0),
            ("empty.jsonl", "", 0),
            ("header.csv", "a,b", 0), ("header2.csv", "a,b\r\n", 0), ("noend.csv", "a\n1\n2", 2),
            ("blank.csv", "a\n\n1\n\n\n2\n\n", 2),
            ("quotes.csv", "a\n\"\n\n\n\"\n\"\"\"\n\"\n", 2), ("mac.csv", "a\r1\r2\r", 2),
            ("blank.jsonl", "\n1\n\nnull\n\n", 2),
            ("long.csv", SampleText.long(records: 5_000), 5_000),
        ]
        for file in files {
            try folder.write(file.text, to: file.name)
            for kernel in kernelNames {
                for size in ["1", "1000"] {
                    let outcome = try folder.sluice("count", file.name, "--kernel", kernel, "--chunk-size", size)
                    #expect(outcome.text == "\(file.count)\n" && outcome.status == 0, "\(file.name) on \(kernel)")
                    #expect(outcome.messages.isEmpty)
                }
            }
        }
    }

    @Test("several inputs get a line each and a total; gzip and standard input count too")
    func severalInputs() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "a.csv")
        try folder.write(SampleText.jsonl, to: "b.jsonl")
        _ = try folder.shell("gzip -k a.csv b.jsonl")
        let outcome = try folder.sluice("count", "a.csv", "b.jsonl", "a.csv.gz", "b.jsonl.gz")
        #expect(outcome.text == "5 a.csv\n5 b.jsonl\n5 a.csv.gz\n5 b.jsonl.gz\n20 total\n")
        #expect(outcome.status == 0 && outcome.messages.isEmpty)
        let piped = try folder.sluice("count", "-", "--from", "csv", input: "a.csv.gz")
        #expect(piped.text == "5\n" && piped.status == 0)
    }

    @Test("a file that is missing or broken ends the count with its error")
    func brokenInput() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "a.csv")
        try folder.write("a\n\"open\n", to: "open.csv")
        let missing = try folder.sluice("count", "a.csv", "none.csv")
        #expect(missing.status == 66 && missing.messages.hasPrefix("sluice: none.csv: "))
        #expect(!missing.text.contains("total"))
        let open = try folder.sluice("count", "open.csv")
        #expect(open.status == 65 && open.messages.hasPrefix("sluice: open.csv: record 1, byte 2: "))
        #expect(open.output.isEmpty)
    }
}

@Suite("The tool's manners")
struct ToolMannersTests {
    @Test("--version names the version, the kernel in use and the gzip engine")
    func version() throws {
        let outcome = try TemporaryFolder().sluice("--version")
        let kernel = try #require(Engines.kernel())
        #expect(outcome.status == 0 && outcome.messages.isEmpty)
        #expect(outcome.text.hasSuffix(" (kernel: \(kernel), gzip: \(Engines.gzip))\n"))
        #expect(outcome.text.prefixMatch(of: /sluice \d+\.\d+\.\d+ \(/) != nil)
    }

    @Test(
        "--help goes to standard output",
        arguments: [["--help"], ["convert", "--help"], ["count", "--help"], ["help", "convert"]])
    func help(arguments: [String]) throws {
        let outcome = try TemporaryFolder().sluice(arguments)
        #expect(outcome.status == 0 && outcome.messages.isEmpty && outcome.text.contains("USAGE: sluice"))
    }

    @Test(
        "wrong usage is 64, and says so on standard error alone",
        arguments: [
            ["frobnicate"], ["convert"], ["convert", "in.csv"], ["count"], ["convert", "in.csv", "out.csv", "more"],
            ["convert", "in.csv", "out.csv", "--nonsense"], ["convert", "-", "out.csv"], ["convert", "in.csv", "-"],
            ["count", "-"],
            ["convert", "in.csv", "out.xyz"],
            ["convert", "in.csv", "out.csv", "--from", "xml"],
            ["convert", "in.csv", "out.csv", "--to", "xml"], ["convert", "in.csv", "out.csv", "--kernel", "quantum"],
            ["convert", "in.csv", "out.csv", "--chunk-size", "0"],
            ["convert", "in.csv", "out.csv", "--chunk-size", "x"],
            ["convert", "in.csv", "out.csv", "--max-record", "0"],
            ["convert", "in.csv", "out.csv", "--max-record", "1073741825"],
            ["convert", "in.csv", "out.csv.gz", "--level", "10"], ["convert", "in.csv", "out.csv", "--level", "3"],
            ["convert", "in.csv", "out.csv", "--types", "guess"], ["convert", "in.csv", "out.csv", "--select", ""],
            ["convert", "in.csv", "out.csv", "--select", "a,a"],
            ["convert", "in.csv", "out.csv", "--compression", "zip"],
        ])
    func usage(arguments: [String]) throws {
        let folder = TemporaryFolder()
        try folder.write("a,b\n1,2\n", to: "in.csv")
        try folder.write("old", to: "out.csv")
        let outcome = try folder.sluice(arguments, input: "in.csv")
        #expect(outcome.status == 64, "\(outcome.messages)")
        #expect(outcome.output.isEmpty && !outcome.messages.isEmpty)
        #expect(folder.names == ["in.csv", "out.csv"])
        #expect(try folder.text("out.csv") == "old")
    }

    @Test("the mode of a file that is replaced is kept, and a new one gets what the umask leaves")
    func modes() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.csv")
        try folder.write("old", to: "old.jsonl")
        for mode in ["640", "600", "755", "444"] {
            let outcome = try folder.shell(
                #"chmod \#(mode) old.jsonl; "$SLUICE" convert in.csv old.jsonl && python3 -c '\#(Self.showModes)' old.jsonl"#
            )
            #expect(outcome.text == "\(mode)\n" && outcome.status == 0, "\(outcome.messages)")
        }
        let outcome = try folder.shell(
            #"umask 027; "$SLUICE" convert in.csv new.jsonl && python3 -c '\#(Self.showModes)' new.jsonl"#)
        #expect(outcome.text == "640\n")
    }

    private static let showModes = "import os, sys; print(oct(os.stat(sys.argv[1]).st_mode & 0o7777)[2:])"

    @Test("links are followed: to a file, through another link, and to a file that is not there yet")
    func links() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.csv")
        try folder.write("old", to: "real.jsonl")
        _ = try folder.shell(
            "mkdir sub; ln -s ../real.jsonl sub/one.jsonl; ln -s sub/one.jsonl two.jsonl; ln -s sub/new.jsonl dangling.jsonl"
        )
        for (link, target) in [("two.jsonl", "real.jsonl"), ("dangling.jsonl", "sub/new.jsonl")] {
            try folder.convert("in.csv", link)
            #expect(try folder.text(target) == SampleText.jsonl)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file(link)).hasPrefix("sub/"))
        }
        #expect(folder.names == ["dangling.jsonl", "in.csv", "real.jsonl", "sub", "two.jsonl"])
    }

    @Test("a file can be converted onto itself")
    func inPlace() throws {
        let folder = TemporaryFolder()
        let text = SampleText.long(records: 30_000)
        try folder.write(text.replacingOccurrences(of: "id,", with: "\"id\","), to: "data.csv")
        try folder.convert("data.csv", "data.csv")
        #expect(try folder.text("data.csv") == text)
        try folder.convert("data.csv", "data.csv", "--select", "id")
        #expect(try folder.text("data.csv") == "id\n" + (0..<30_000).map { "\($0)\n" }.joined())
        #expect(folder.names == ["data.csv"])
    }

    @Test("a reader that has seen enough ends it quietly")
    func closedPipe() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.long(records: 40_000), to: "in.csv")
        let outcome = try folder.shell(#"{ "$SLUICE" convert in.csv - --to jsonl; echo $? >status; } | head -n 1"#)
        #expect(outcome.text.split(separator: "\n").count == 1 && outcome.text.hasPrefix("{\"id\":\"0\""))
        #expect(outcome.messages.isEmpty, "\(outcome.messages)")
        // 128 + SIGPIPE
        #expect(try folder.text("status") == "141\n")
    }

    @Test("names with spaces, dashes and non-ASCII letters are only names")
    func names() throws {
        let folder = TemporaryFolder()
        for name in ["two words", "-dash", "größe", "new\nline", ".hidden", String(repeating: "n", count: 240)] {
            try folder.write(SampleText.csv, to: "\(name).csv")
            try folder.convert("./\(name).csv", "./\(name).jsonl")
            #expect(try folder.text("\(name).jsonl") == SampleText.jsonl)
        }
    }
}
