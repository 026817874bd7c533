import Foundation
import Sluice
import Testing

/// The tool's `inspect`, driven as a process.
@Suite("The tool's inspect")
struct ToolInspectTests {
    let folder = TemporaryFolder()

    @Test("shows what a file is, its columns and its first values, in 80 columns where there is no terminal")
    func report() throws {
        let names = ["Größe", "東京都千代田区丸の内一丁目", "a long name, which takes more than its share"]
        let header = names.map { "\"\($0)\"" }.joined(separator: ";")
        let long = String(repeating: "日本語 ", count: 20)
        let text = "\(header)\r\n1,5;\(long);7\r\n;\"x;\ty\";NA\r\n"
        try folder.write(TextEncoding.utf16LE.stored("\u{FEFF}" + text), to: "x")
        let outcome = try folder.sluice("inspect", "x")
        #expect(outcome.status == 0 && outcome.messages.isEmpty)
        #expect(
            outcome.text == """
                x
                  format       CSV with a header, delimiter ';', quote '"', lines end in CRLF
                  compression  none
                  encoding     UTF-16, little-endian with a byte order mark
                  sample       2 records, the whole file
                  options      --from csv --encoding utf16 --delimiter ';' --null NA

                  column                    type               null  first values
                  Größe                     string              50%  "1,5", null
                  東京都千代田区丸の内一…   string               0%  "日本語 日本語 日本語 日本…
                  a long name, which take…  int, string (NA)     0%  7, "NA"

                """)
    }

    @Test("shows lines of text and bytes of binary files, harmless to a terminal")
    func contents() throws {
        try folder.write("one\n\u{1B}[31mred\tx\n" + String(repeating: "y", count: 90), to: "x.txt")
        let text = try folder.sluice("inspect", "x.txt", "--rows", "3")
        #expect(
            text.text == """
                x.txt
                  format       text, lines end in LF
                  compression  none
                  encoding     UTF-8
                  sample       3 records, the whole file

                  first lines
                  one
                  \\u{1B}[31mred\\tx
                  \(String(repeating: "y", count: 77))…

                """)
        try folder.write([0, 1] + Array("PNG \u{7F}é and more".utf8), to: "x")
        let bytes = try folder.sluice("inspect", "x")
        #expect(
            bytes.text == """
                x
                  format       binary
                  compression  none
                  sample       1 record, the whole file
                  options      --from binary

                  first bytes
                  00 01 50 4e 47 20 7f c3 a9 20 61 6e 64 20 6d 6f  ..PNG ... and mo
                  72 65                                            re

                """)
    }

    @Test("--rows says how many values of each column are shown, --from, --encoding and --delimiter how to read")
    func options() throws {
        try folder.write(Array("a:b\n1:".utf8) + [0xE9] + Array("\n2:y\n".utf8), to: "x.txt")
        let outcome = try folder.sluice(
            "inspect", "x.txt", "--from", "csv", "--delimiter", ":", "--encoding", "latin1", "--rows", "1")
        #expect(
            outcome.text.hasSuffix("null  first values\n  a       int        0%  1\n  b       string     0%  \"é\"\n"))
        #expect(outcome.text.contains("  options      --from csv --encoding latin1 --delimiter :\n"))
        let none = try folder.sluice("inspect", "x.txt", "--from", "csv", "--delimiter", ":", "--rows", "0")
        #expect(none.text.hasSuffix("\n  column  type     null\n  a       int        0%\n  b       string     0%\n"))
        try folder.write("a\tb\n1\t2\n", to: "y.csv")
        for tab in ["tab", #"\t"#, "\t"] {
            let outcome = try folder.sluice("inspect", "y.csv", "--delimiter", tab)
            #expect(outcome.text.contains("delimiter tab,") && outcome.text.contains("--delimiter tab\n"))
        }
        for wrong in [
            ["--delimiter", "ab"], ["--delimiter", ""], ["--delimiter", "é"], ["--from", "xml"], ["--rows", "-1"],
            ["--encoding", "x"], ["--from", "jsonl", "--delimiter", ";"],
        ] {
            let outcome = try folder.sluice(["inspect", "y.csv"] + wrong)
            #expect(outcome.status == 64 && outcome.output.isEmpty && !outcome.messages.isEmpty, "\(wrong)")
        }
    }

    @Test("the options that it names are words for a shell, and what it takes to convert the file")
    func flags() throws {
        let files: [(name: String, bytes: [UInt8], expected: String)] = [
            ("a", TextEncoding.utf16BE.stored("a,b\n1,é\n"), "{\"a\":\"1\",\"b\":\"é\"}\n"),
            ("b.csv", TextEncoding.latin1.stored("a,é\n1,2\n"), "{\"a\":\"1\",\"é\":\"2\"}\n"),
            ("c.json", Array("{\"a\":1}\n{}\n".utf8), "{\"a\":1}\n{}\n"),
        ]
        for file in files {
            try folder.write(file.bytes, to: file.name)
            let outcome = try folder.shell(
                #"eval "\"\$SLUICE\" convert $1 - --to jsonl $("$SLUICE" inspect "$1" | sed -n 's/^  options *//p')""#,
                [file.name])
            #expect(outcome.text == file.expected && outcome.messages.isEmpty, "\(file.name)")
        }
        try folder.write("a|b\n1|it's\n2|3\n4|5\n", to: "x.csv")
        let quoted = try folder.sluice("inspect", "x.csv")
        #expect(quoted.text.contains("  options      --delimiter '|' --null 'it'\\''s'\n"))
    }

    @Test("--json writes an object for each file, with everything that was found")
    func json() throws {
        try folder.write("a,b\n1,\n2.50,\"x\n\"\nNA,3\n4\n", to: "x.csv")
        try folder.write("{\"a\":{\"b\":[1]}}\n", to: "y.jsonl")
        try folder.write([0, 255], to: "z.bin")
        let outcome = try folder.sluice("inspect", "x.csv", "y.jsonl", "z.bin", "--json")
        #expect(outcome.status == 65 && outcome.isOneLine)
        let lines = outcome.text.split(separator: "\n")
        #expect(
            lines == [
                #"""
                {"path":"x.csv","format":"csv","compression":"none","encoding":"utf8","byte_order_mark":false,\#
                "delimiter":",","quote":"\"","header":true,"line_ends":["lf"],"flags":["--null","NA"],"records":3,\#
                "whole_file":false,"columns":[{"name":"a","types":[{"type":"int","count":1},{"type":"double","count":1},\#
                {"type":"string","count":1}],"nulls":0,"null_text":"NA"},{"name":"b","types":[{"type":"string","count":1},\#
                {"type":"int","count":1}],"nulls":1}],"rows":[{"a":1,"b":null},{"a":2.50,"b":"x\n"},{"a":"NA","b":3}],\#
                "error":{"code":"raggedRecord","message":"the record has 1 fields where the header has 2","record":4,\#
                "byte_offset":22,"column":null,\#
                "hint":"look for a delimiter or a line end that lacks quotes around its field"}}
                """#,
                #"""
                {"path":"y.jsonl","format":"jsonl","compression":"none","encoding":"utf8","byte_order_mark":false,\#
                "line_ends":["lf"],"flags":[],"records":1,"whole_file":true,"columns":[{"name":"a","types":[{"type":\#
                "object","count":1}],"nulls":0}],"rows":[{"a":{"b":[1]}}]}
                """#,
                #"""
                {"path":"z.bin","format":"binary","compression":"none","line_ends":[],"flags":[],"records":1,\#
                "whole_file":true,"columns":[{"name":"bytes","types":[{"type":"bytes","count":1}],"nulls":0}]}
                """#,
            ])
    }

    @Test(
        "what is known is shown where data is bad or a file is missing, the others all the same; the first error counts"
    )
    func errors() throws {
        try folder.write("a,b\n1,2\n3\n", to: "bad.csv")
        try folder.write("a,b\n1,2\n", to: "good.csv")
        let bad = try folder.sluice("inspect", "bad.csv")
        #expect(bad.status == 65 && bad.isOneLine)
        #expect(
            bad.messages.hasPrefix("sluice: bad.csv: record 2, byte 8: the record has 1 fields where the header has 2"))
        #expect(bad.text.contains("  sample       1 record, up to an error\n"))
        #expect(bad.text.hasSuffix("  a       int      0%  1\n  b       int      0%  2\n"))
        let missing = try folder.sluice("inspect", "none.csv", "good.csv", "bad.csv")
        #expect(missing.status == 66 && missing.messages.split(separator: "\n").count == 2)
        #expect(missing.messages.hasPrefix("sluice: none.csv: ") && missing.messages.contains("\nsluice: bad.csv: "))
        #expect(missing.text.hasPrefix("good.csv\n") && missing.text.contains("\n\nbad.csv\n"))
        #expect(try folder.sluice("inspect", ".").status == 66)
        #expect(try folder.sluice("inspect").status == 64)
    }

    @Test("a header alone, no file content and too many columns are shown as what they are")
    func extremes() throws {
        try folder.write("a,b\n", to: "header.csv")
        let header = try folder.sluice("inspect", "header.csv")
        #expect(header.status == 0 && header.text.contains("  sample       0 records, the whole file\n"))
        #expect(header.text.hasSuffix("\n\n  column  type   null\n  a\n  b\n"))
        try folder.write("", to: "empty.csv")
        let empty = try folder.sluice("inspect", "empty.csv")
        #expect(empty.status == 0 && empty.text.hasSuffix("  sample       0 records, the whole file\n"))
        try folder.write((1...250).map { "c\($0)" }.joined(separator: ",") + "\n", to: "wide.csv")
        let wide = try folder.sluice("inspect", "wide.csv")
        #expect(wide.text.hasSuffix("\n  c100\n  and 150 more\n"))
        try folder.write("[\"" + String(repeating: "x", count: 2_000_000) + "\"]", to: "long.json")
        let long = try folder.sluice("inspect", "long.json")
        #expect(long.status == 0 && long.text.contains("  sample       0 records: the first is longer than 1 MiB\n"))
        #expect(try folder.sluice("inspect", "/dev/null").status == 0)
    }

    @Test("no more is read than the sample needs: input that never ends is no trouble")
    func endlessInput() throws {
        let pipe = try folder.shell(#"yes '1;x' | "$SLUICE" inspect -"#)
        #expect(pipe.status == 0 && pipe.messages.isEmpty)
        #expect(pipe.text.hasPrefix("standard input\n"))
        #expect(pipe.text.contains("  sample       the first 1000 records\n"))
        #expect(pipe.text.contains("  options      --from csv --delimiter ';' --no-header\n"))
        let packed = try folder.shell(#"yes '{"a":1}' | gzip -1 | "$SLUICE" inspect - --json"#)
        #expect(packed.status == 0 && packed.text.contains(#""format":"jsonl","compression":"gzip""#))
        #expect(packed.text.contains(#""records":1000,"whole_file":false"#))
        let record = try folder.shell(#"yes '[[[' | tr -d '\n' | "$SLUICE" inspect -"#)
        #expect(
            record.status == 0 && record.text.contains("  sample       0 records: the first is longer than 1 MiB\n"))
        // A FIFO that some process keeps open: its end is never seen.
        let fifo = try folder.shell(
            #"mkfifo pipe; exec 3<>pipe; yes 1,2 | head -c 1100000 >pipe & "$SLUICE" inspect pipe; status=$?; wait; exit $status"#
        )
        #expect(fifo.status == 0 && fifo.text.contains("  sample       the first 1000 records\n"))
    }

    @Test("of a large file no more is read than a little over 1 MiB", arguments: ["plain", "packed"])
    func largeFile(_ kind: String) throws {
        let outcome = try folder.shell(
            #"""
            if [ "$1" = packed ]; then head -c 9000000 /dev/urandom | base64 | gzip >in; else yes 'a;b' | head -c 9000000 >in; fi
            { "$SLUICE" inspect - >/dev/null || exit; wc -c; } <in; wc -c <in
            """#, [kind])
        let counts = outcome.text.split(separator: "\n").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        #expect(outcome.status == 0 && counts.count == 2 && counts[1] > 8_000_000)
        #expect(counts[1] - counts[0] <= 1 << 20 | 1 << 17)
    }
}
