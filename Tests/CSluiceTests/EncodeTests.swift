import CSluice
import Foundation
import SwiftKernel
import TestSupport
import Testing

// Encoders, against tables and against the slow and obvious encoders at the end of this file. Indexes are made by hand.

private let kernels = kernelNames
private let comma = UInt8(ascii: ",")
private let standard = dialect()

private func dialect(
    _ delimiter: Character = ",", quote: Character? = "\"", escape: Character? = nil, lenient: Bool = false,
    ragged: sluice_csv_ragged = SLUICE_CSV_RAGGED_ERROR
) -> sluice_csv_dialect {
    sluice_csv_dialect(
        delimiter: delimiter.asciiValue!, quote: quote?.asciiValue ?? 0, escape: escape?.asciiValue ?? 0,
        lenient: lenient ? 1 : 0, carriage_return: 0, ragged: UInt8(ragged.rawValue), comment: 0)
}

// MARK: - Functions of a single value

@Suite("Encoding single values")
struct EncodeValueTests {
    @Test("a JSON string escapes what it must and nothing else")
    func jsonQuote() {
        for byte in 0...255 as ClosedRange<UInt8> {
            #expect(quoted([byte]) == [34] + escaped([byte]) + [34])
        }
        #expect(
            string(quoted(Array("a\"b\\c/d\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}é😀".utf8)))
                == "\"a\\\"b\\\\c/d\\n\\r\\t\\b\\f\\u0001\\u001f\u{7f}é😀\"")
        #expect(string(quoted([])) == "\"\"")
    }

    @Test("a key comes with all that stands between two strings")
    func jsonKey() {
        #expect(string(key(Array("a\"b".utf8))) == #"","a\"b":""#)
    }

    @Test(
        "a cell is typed by the inference grammar",
        arguments: [
            ("", false, SLUICE_CELL_NULL), ("", true, SLUICE_CELL_STRING),
            ("true", false, SLUICE_CELL_TRUE), ("true", true, SLUICE_CELL_TRUE), ("false", false, SLUICE_CELL_FALSE),
            ("True", false, SLUICE_CELL_STRING), ("truee", false, SLUICE_CELL_STRING),
            ("null", false, SLUICE_CELL_STRING),
            ("0", false, SLUICE_CELL_DECIMAL), ("-0", false, SLUICE_CELL_DECIMAL), ("12", true, SLUICE_CELL_DECIMAL),
            ("1.50", false, SLUICE_CELL_DECIMAL), ("1e400", false, SLUICE_CELL_DECIMAL),
            ("-1E-5", false, SLUICE_CELL_DECIMAL),
            ("12345678901234567890123456789012345678901234567890", false, SLUICE_CELL_DECIMAL),
            ("007", false, SLUICE_CELL_STRING), ("00", false, SLUICE_CELL_STRING), ("+1", false, SLUICE_CELL_STRING),
            (".5", false, SLUICE_CELL_STRING), ("1.", false, SLUICE_CELL_STRING), ("-", false, SLUICE_CELL_STRING),
            ("NaN", false, SLUICE_CELL_STRING), (" 1", false, SLUICE_CELL_STRING), ("1 ", false, SLUICE_CELL_STRING),
            ("2013-01-01", false, SLUICE_CELL_STRING), ("1e", false, SLUICE_CELL_STRING),
            ("0x1", false, SLUICE_CELL_STRING),
        ])
    func infer(content: String, quoted: Bool, expected: sluice_cell) {
        #expect(sluice_infer_cell(Array(content.utf8), content.utf8.count, quoted) == expected)
        #expect(UInt32(inferCell(Array(content.utf8).span, quoted: quoted).rawValue) == expected.rawValue)
        for kernel in kernels {
            let cell = quoted ? "\"\(content)\"" : content
            let batch = Batch(csv: [[cell]], inferred: true)
            let text =
                expected == SLUICE_CELL_STRING ? "\"\(content)\"" : expected == SLUICE_CELL_NULL ? "null" : content
            #expect(batch.jsonl([Column("a", 0)], kernel) == "{\"a\":\(text)}\n")
        }
    }

    @Test(
        "a CSV field is quoted where it must be",
        arguments: [
            ("", ",", ""), ("abc", ",", "abc"), ("a,b", ",", "\"a,b\""), ("a,b", ";", "a,b"), ("a;b", ";", "\"a;b\""),
            ("a\"b", ",", "\"a\"\"b\""), ("\"", ",", "\"\"\"\""), ("a\nb", ",", "\"a\nb\""), ("\r", ",", "\"\r\""),
            (" a ", ",", " a "),
        ])
    func csvQuote(content: String, delimiter: String, expected: String) {
        let content = Array(content.utf8)
        let dialect = dialect(delimiter.first!)
        #expect(csvQuoted(content, dialect, always: false).map(string) == expected)
        let quoted = csvQuoted(content, dialect, always: true).map(string)
        #expect(quoted == (expected.hasPrefix("\"") ? expected : "\"\(expected)\""))
    }

    @Test("a CSV field in a dialect with an escape byte, and in one without quotes")
    func csvQuoteInOtherDialects() {
        let escape = dialect(";", quote: "'", escape: "^")
        #expect(csvQuoted(Array("a^b'c\"".utf8), escape, always: false).map(string) == "'a^^b^'c\"'")
        #expect(csvQuoted(Array("a,b".utf8), escape, always: false).map(string) == "a,b")
        let bare = dialect(quote: nil)
        #expect(csvQuoted(Array("a\"b".utf8), bare, always: false).map(string) == "a\"b")
        #expect(csvQuoted(Array("a,b".utf8), bare, always: false) == nil)
        #expect(csvQuoted(Array("a".utf8), bare, always: true) == nil)
    }

    @Test("base64 is what Foundation writes")
    func base64() {
        var random = SplitMix64(seed: 7)
        for length in 0...70 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let encoded = base64Encoded(bytes)
            #expect(string(encoded) == Data(bytes).base64EncodedString())
            #expect(base64Decoded(encoded) == bytes)
        }
    }

    @Test(
        "what is no base64",
        arguments: [
            "A", "AA", "AAA", "A===", "====", "AA=A", "AB==", "AAB=", "AA A", "AAAAA", "AA==AAAA", "AA-_", "AA\n=",
        ])
    func notBase64(text: String) {
        #expect(base64Decoded(Array(text.utf8)) == nil)
    }
}

// MARK: - JSON Lines from columns

@Suite("Encoding columns as JSON Lines")
struct EncodeJSONLColumnsTests {
    @Test(
        "cells of CSV become strings",
        arguments: [
            ("", standard, ""), ("abc", standard, "abc"), ("a\"b", standard, #"a\"b"#), ("a\\b/", standard, #"a\\b/"#),
            ("\"\"", standard, ""), ("\"a,b\"", standard, "a,b"), ("\"a\"\"b\"", standard, #"a\"b"#),
            ("\"\"\"\"", standard, #"\""#), ("\"\"\"\"\"\"", standard, #"\"\""#), ("\"a\r\nb\"", standard, #"a\r\nb"#),
            ("a\rb", standard, #"a\rb"#),
            ("a\tb", standard, #"a\tb"#), ("'a''b'", dialect(quote: "'"), "a'b"),
            ("'a\"b'", dialect(quote: "'"), #"a\"b"#),
            ("a\"b", dialect(quote: "'"), #"a\"b"#), ("\"a\"", dialect(quote: nil), #"\"a\""#),
            ("'a'", standard, "'a'"),
            (#""a\"b""#, dialect(escape: "\\"), #"a\"b"#), (#""a\\b""#, dialect(escape: "\\"), #"a\\b"#),
            (#"a\b"#, dialect(escape: "\\"), #"a\\b"#), ("\"a^\"\nb\"", dialect(escape: "^"), #"a\"\nb"#),
            ("\"a\"b", dialect(lenient: true), "ab"), ("\"a\"b\"", dialect(lenient: true), #"ab\""#),
            ("\"a\"\"b\"", dialect(lenient: true), #"a\"b"#), ("\"a\"", dialect(lenient: true), "a"),
            ("a,b", dialect("\t"), "a,b"), ("\"é\u{1}😀\"", standard, #"é\u0001😀"#),
        ])
    func strings(cell: String, dialect: sluice_csv_dialect, expected: String) {
        for kernel in kernels {
            // Alone, between others, and with an overlay beside it.
            let one = Batch(csv: [[cell]], dialect: dialect)
            #expect(one.jsonl([Column("a", 0)], kernel) == "{\"a\":\"\(expected)\"}\n")
            let many = Batch(
                csv: [["x", cell, cell], [cell, "y", "z"]], dialect: dialect, overlays: [Overlay("n", .int(1), .int(2))]
            )
            let columns = [Column("a", 0), Column("b", 1), Column("n", nil, 0), Column("c", 2)]
            #expect(
                many.jsonl(columns, kernel) == """
                    {"a":"x","b":"\(expected)","n":1,"c":"\(expected)"}
                    {"a":"\(expected)","b":"y","n":2,"c":"z"}

                    """)
        }
    }

    @Test(
        "quoted cells are inferred by their content",
        arguments: [
            ("\"12\"", standard, "12"), ("\"true\"", standard, "true"), ("\"1\"\"2\"", standard, #""1\"2""#),
            ("\"1\"2", dialect(lenient: true), "12"), ("\"1\"2\"", dialect(lenient: true), #""12\"""#),
            (#""\1""#, dialect(escape: "\\"), "1"), (#""x\"y""#, dialect(escape: "\\"), #""x\"y""#),
            ("''", dialect(quote: "'"), "\"\""),
            ("'-1.5'", dialect(quote: "'"), "-1.5"),
        ])
    func inferredQuoted(cell: String, dialect: sluice_csv_dialect, expected: String) {
        for kernel in kernels {
            let batch = Batch(csv: [[cell]], dialect: dialect, inferred: true)
            #expect(batch.jsonl([Column("a", 0)], kernel) == "{\"a\":\(expected)}\n")
        }
    }

    @Test("flags that promise nothing special let cells be copied")
    func flags() {
        for kernel in kernels {
            let long = String(repeating: "0123456789", count: 7)
            let clean = Batch(csv: [["a", long, ""], ["b", "", long]], flags: 0)
            #expect(
                clean.jsonl([Column("x", 0), Column("y", 1), Column("z", 2)], kernel) == """
                    {"x":"a","y":"\(long)","z":""}
                    {"x":"b","y":"","z":"\(long)"}

                    """)
            let other = Batch(csv: [["a", "b"]], dialect: dialect(";", quote: "'"), flags: 0)
            #expect(other.jsonl([Column("x", 1)], kernel) == "{\"x\":\"b\"}\n")
        }
    }

    @Test("a field that is absent or removed is left out")
    func absent() {
        for kernel in kernels {
            let batch = Batch(
                csv: [["a", nil, nil], ["b", "c", nil], ["d", "", "f"]],
                dialect: dialect(ragged: SLUICE_CSV_RAGGED_PAD),
                overlays: [Overlay("x", .unset, .removed, .null)])
            let columns = [Column("x", 0, 0), Column("y", 1), Column("z", 2)]
            #expect(
                batch.jsonl(columns, kernel) == """
                    {"x":"a"}
                    {"y":"c"}
                    {"x":null,"y":"","z":"f"}

                    """)
            #expect(batch.jsonl([], kernel) == "{}\n{}\n{}\n")
            #expect(Batch(csv: [["a"]]).jsonl([Column("none")], kernel) == "{}\n")
        }
    }

    @Test("an overlay cell is written as what it is", arguments: cellTable)
    fileprivate func cells(cell: Cell, expected: String, csv: String) {
        for kernel in kernels {
            for constant in [true, false] {
                let cells = constant ? [cell] : [.unset, cell, cell]
                let batch = Batch(csv: [["b"], ["c"]], count: 3, overlays: [Overlay("k", cells, constant: constant)])
                let last = "{\"k\":\(expected)}\n"
                let columns = [Column("a", 0), Column("k", nil, 0)]
                #expect(
                    batch.jsonl(columns, kernel) == (constant ? "{\"a\":\"b\",\"k\":\(expected)}\n" : "{\"a\":\"b\"}\n")
                        + "{\"a\":\"c\",\"k\":\(expected)}\n" + last)
                #expect(batch.csv(columns, kernel) == (constant ? "b,\(csv)\n" : "b,\n") + "c,\(csv)\n" + ",\(csv)\n")
                let none = Batch(count: 3, overlays: [Overlay("k", cells, constant: constant)])
                #expect(none.jsonl([Column("k", nil, 0)], kernel) == (constant ? last : "{}\n") + last + last)
                let records = Batch(json: ["{}", "7"], count: 3, overlays: [Overlay("k", cells, constant: constant)])
                #expect(records.records(kernel) == (constant ? last : "{}\n") + last + last)
            }
        }
    }

    @Test("a selection picks slots in its order; slots behind the base have none")
    func selection() {
        for kernel in kernels {
            let batch = Batch(
                csv: [["a"], ["b"], ["c"], ["d"]], first: 1, count: 4, selection: [3, 0, 2],
                overlays: [Overlay("n", .int(0), .int(1), .int(2), .int(3))])
            let columns = [Column("x", 0), Column("n", nil, 0)]
            #expect(
                batch.jsonl(columns, kernel) == """
                    {"n":3}
                    {"x":"b","n":0}
                    {"x":"d","n":2}

                    """)
            #expect(batch.csv(columns, kernel) == ",3\nb,0\nd,2\n")
        }
    }

    @Test("projected values are copied compact")
    func projected() {
        for kernel in kernels {
            let batch = Batch(
                projected: [#"{"a": 1.0 ,"b":"x\u0041/","c":[ 1 , {"d" : "e f"} ]}"#, #"{"b":null, "a" : true}"#, "5"],
                paths: ["a", "b", "c"])
            #expect(
                batch.jsonl([Column("c", 2), Column("a", 0), Column("b", 1)], kernel) == """
                    {"c":[1,{"d":"e f"}],"a":1.0,"b":"x\\u0041/"}
                    {"a":true,"b":null}
                    {}

                    """)
        }
    }

    @Test("NaN and infinities stop at their row and column", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(value: Double) {
        for kernel in kernels {
            let overlays = [Overlay("n", .double(1), .double(value))]
            let batch = Batch(csv: [["a"], ["b"]], overlays: overlays)
            let columns = [Column("x", 0), Column("n", nil, 0)]
            for format in [Format.jsonl(columns), .csv(columns, standard), .records] {
                let used = format.isRecords ? Batch(json: ["{}", "{\"n\":1}"], overlays: overlays) : batch
                let run = used.run(format, kernel)
                #expect(run.status == SLUICE_ERROR_NUMBER_NOT_FINITE)
                #expect(run.encoder.row == 1)
                #expect(run.encoder.error_column == (format.isRecords ? 0 : 1))
                #expect(run.output.filter { $0 == 10 }.count == 1)
            }
        }
    }

    @Test("fields of every length with a special byte at every place")
    func lengths() {
        for special in ["\"", "\\", "\n", "\u{1}", ",", "\r", "é"] {
            for length in 0...130 {
                let plain = String(repeating: "abcdefg", count: 19).prefix(length)
                let contents =
                    [String(plain)] + (0..<length).map { plain.prefix($0) + special + plain.dropFirst($0 + 1) }
                let cells = contents.map {
                    special == "\\" || special == "\u{1}" ? $0 : csvField(Array($0.utf8), comma)
                }
                let json = contents.reduce("") { $0 + "{\"k\":" + string(quoted(Array($1.utf8))) + "}\n" }
                let csv = contents.reduce("") { $0 + ($1.isEmpty ? "\"\"" : csvField(Array($1.utf8), comma)) + "\n" }
                let base = Batch(csv: cells.map { [$0] })
                let overlay = Batch(count: contents.count, overlays: [Overlay("k", contents.map { .string($0) })])
                let lines = contents.map { "{\"k\":" + string(quoted(Array($0.utf8))) + "}" }
                let projected = Batch(projected: lines, paths: ["k"])
                for kernel in kernels {
                    #expect(base.jsonl([Column("k", 0)], kernel) == json)
                    #expect(overlay.jsonl([Column("k", nil, 0)], kernel) == json)
                    #expect(projected.jsonl([Column("k", 0)], kernel) == json)
                    #expect(base.csv([Column("k", 0)], kernel) == csv)
                    #expect(overlay.csv([Column("k", nil, 0)], kernel) == csv)
                    #expect(projected.csv([Column("k", 0)], kernel) == csv)
                }
            }
        }
    }
}

private let cellTable: [(Cell, String, String)] = [
    (.null, "null", ""), (.bool(true), "true", "true"), (.bool(false), "false", "false"),
    (.int(0), "0", "0"), (.int(.min), "-9223372036854775808", "-9223372036854775808"),
    (.int(.max), "9223372036854775807", "9223372036854775807"),
    (.double(0.1), "0.1", "0.1"), (.double(-0.0), "-0.0", "-0.0"), (.double(1e16), "1e+16", "1e+16"),
    (.double(-1.7976931348623157e308), "-1.7976931348623157e+308", "-1.7976931348623157e+308"),
    (.string(""), "\"\"", ""), (.string("a\"b,\n"), #""a\"b,\n""#, "\"a\"\"b,\n\""), (.string("é"), "\"é\"", "é"),
    (.decimal("1e400"), "1e400", "1e400"), (.bytes([]), "\"\"", ""),
    (.bytes([0, 255, 1, 2]), "\"AP8BAg==\"", "AP8BAg=="),
    (.json("[1,{\"a\":2}]"), "[1,{\"a\":2}]", "\"[1,{\"\"a\"\":2}]\""), (.json("[]"), "[]", "[]"),
]

// MARK: - JSON Lines from records

@Suite("Encoding records as JSON Lines")
struct EncodeRecordsTests {
    @Test(
        "members are replaced in place, left out, or added at the end",
        arguments: [
            // record, cell of "a", cell of "b", output
            (#"{"x":1}"#, Cell.unset, Cell.unset, #"{"x":1}"#),
            (#"{"x":1}"#, .int(5), .unset, #"{"x":1,"a":5}"#),
            (#"{"x":1}"#, .int(5), .string("s"), #"{"x":1,"a":5,"b":"s"}"#),
            (#"{}"#, .unset, .null, #"{"b":null}"#),
            (#"{ }"#, .int(1), .int(2), #"{ "a":1,"b":2}"#),
            (#"{"a":1}"#, .int(5), .unset, #"{"a":5}"#),
            (#"{"a" : 1 , "x":2}"#, .int(5), .unset, #"{"a" : 5 , "x":2}"#),
            (#"{"x":{"a":1},"a":[1,{"b":2}],"b":3}"#, .int(5), .unset, #"{"x":{"a":1},"a":5,"b":3}"#),
            (#"{"a":1,"x":2}"#, .removed, .unset, #"{"x":2}"#),
            (#"{ "a":1 , "x":2 }"#, .removed, .unset, #"{ "x":2 }"#),
            (#"{"x":2,"a":1}"#, .removed, .unset, #"{"x":2}"#),
            (#"{"x":2 , "a":1 , "y":3}"#, .removed, .unset, #"{"x":2 , "y":3}"#),
            (#"{"a":1}"#, .removed, .unset, "{}"), (#"{"a":1}"#, .removed, .int(2), #"{"b":2}"#),
            (#"{"a":1,"b":2}"#, .removed, .removed, "{}"), (#"{"a":1,"b":2,"a":3}"#, .removed, .removed, "{}"),
            (#"{"a":1,"b":2,"x":3}"#, .removed, .removed, #"{"x":3}"#),
            (#"{"x":0,"a":1,"b":2,"y":3}"#, .removed, .removed, #"{"x":0,"y":3}"#),
            (#"{"x":0,"a":"s","b":[2]}"#, .removed, .removed, #"{"x":0}"#),
            (#"{"a":1,"x":2,"a":3}"#, .int(5), .unset, #"{"x":2,"a":5}"#),
            (#"{"a":1,"x":2,"a":3,"y":4,"a":5,"z":6}"#, .int(7), .unset, #"{"x":2,"y":4,"a":7,"z":6}"#),
            (#"{"a":1,"x":2,"a":3,"y":4}"#, .removed, .unset, #"{"x":2,"y":4}"#),
            (#"{"a":1,"x":2,"a":3,"y":4}"#, .unset, .int(1), #"{"a":1,"x":2,"a":3,"y":4,"b":1}"#),
            (#"{"a":1,"a":2}"#, .int(5), .int(6), #"{"a":5,"b":6}"#),
            (#"{"\u0061":1,"x":"\\"}"#, .int(5), .unset, #"{"\u0061":5,"x":"\\"}"#),
            (#"{"\u0061":1,"a":2}"#, .int(5), .unset, #"{"a":5}"#),
            (#"{"ab":1,"":2,"aa":3}"#, .int(5), .unset, #"{"ab":1,"":2,"aa":3,"a":5}"#),
            ("5", .unset, .unset, "5"), ("5", .removed, .unset, "5"), ("[1, 2]", .int(5), .removed, #"{"a":5}"#),
            ("null", .null, .int(1), #"{"a":null,"b":1}"#), (#""{""#, .removed, .removed, #""{""#),
        ])
    fileprivate func edits(record: String, a: Cell, b: Cell, expected: String) {
        for kernel in kernels {
            let overlays = [Overlay("a", .unset, a, .unset), Overlay("b", .unset, b, .unset)]
            let batch = Batch(json: ["[0]", record, #"{"a":"b"}"#], overlays: overlays)
            #expect(batch.records(kernel) == "[0]\n\(expected)\n{\"a\":\"b\"}\n")
            let constant = [Overlay("a", [a], constant: true), Overlay("b", [b], constant: true)]
            #expect(Batch(json: [record], overlays: constant).records(kernel) == expected + "\n")
        }
    }

    @Test("a name that is empty, escaped or long is found")
    func names() {
        let long = String(repeating: "n", count: 200)
        for (name, record) in [
            ("", #"{"":1}"#), ("\"", #"{"\"":1}"#), (long, "{\"\(long)\":1}"), ("é\n", #"{"é\n":1}"#),
        ] {
            for kernel in kernels {
                let batch = Batch(json: [record], overlays: [Overlay(name, .int(2))])
                #expect(batch.records(kernel) == record.dropLast(2) + "2}\n")
                #expect(Batch(json: [record], overlays: [Overlay(name, .removed)]).records(kernel) == "{}\n")
                #expect(Batch(json: ["{}"], overlays: [Overlay(name, .int(1))]).records(kernel) == record + "\n")
            }
        }
    }

    @Test("more overlays than a word has bits")
    func manyOverlays() {
        let names = (0..<70).map { "k\($0)" }
        let record = "{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        for kernel in kernels {
            let batch = Batch(json: [record, "{}"], overlays: names.map { Overlay($0, .int(1), .int(1)) })
            let line = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}\n"
            #expect(batch.records(kernel) == line + line)
        }
    }

    @Test("line ends between tokens are removed, those escaped in strings stay")
    func lineEnds() {
        for kernel in kernels {
            for padding in 0...70 {
                let x = String(repeating: "x", count: padding)
                let record = "{\r\"\(x)\":\r\n[1,\r\r2], \"a\"\r:\"\\r\\n\"\r}"
                let clean = "{\"\(x)\":[1,2], \"a\":\"\\r\\n\"}"
                #expect(Batch(json: [record, "7"]).records(kernel) == clean + "\n7\n")
                let set = Batch(json: [record], overlays: [Overlay("b", .int(1))])
                #expect(set.records(kernel) == clean.dropLast() + ",\"b\":1}\n")
            }
        }
    }

    @Test("rows that do not stand side by side are not copied as if they did")
    func runs() {
        let lines = ["{\"a\":1}", "2", "[3]", "\"4\"", "5", "6"]
        for kernel in kernels {
            for separator in ["\n", "\n\n", " \n ", ",", "\r\n"] {
                let all = Batch(json: lines, separator: separator)
                #expect(all.records(kernel) == lines.joined(separator: "\n") + "\n")
                let some = Batch(json: lines, separator: separator, first: 1, count: 5, selection: [0, 1, 3, 4, 2])
                #expect(some.records(kernel) == "2\n[3]\n5\n6\n\"4\"\n")
                let set = Batch(
                    json: lines, separator: separator,
                    overlays: [Overlay("a", .unset, .unset, .unset, .int(1), .unset, .unset)])
                #expect(set.records(kernel) == "{\"a\":1}\n2\n[3]\n{\"a\":1}\n5\n6\n")
            }
        }
    }
}

// MARK: - CSV

@Suite("Encoding columns as CSV")
struct EncodeCSVTests {
    @Test(
        "a cell keeps its quotes where it needs them",
        arguments: [
            // cell, its dialect, output delimiter, output
            ("a", standard, ",", "a"), ("\"a\"", standard, ",", "a"), ("\"a,b\"", standard, ",", "\"a,b\""),
            ("\"a\"\"b\"", standard, ",", "\"a\"\"b\""), ("a\"b", standard, ",", "\"a\"\"b\""),
            ("\"a\nb\"", standard, ",", "\"a\nb\""),
            ("\"a,b\"", standard, ";", "a,b"), ("a;b", standard, ";", "\"a;b\""), ("\"a;b\"", standard, ";", "\"a;b\""),
            ("a\rb", standard, ",", "\"a\rb\""), ("a,b", dialect("\t"), ",", "\"a,b\""),
            ("'a''b'", dialect(quote: "'"), ",", "a'b"),
            ("'a,b'", dialect(quote: "'"), ",", "\"a,b\""), ("'a\"'", dialect(quote: "'"), ",", "\"a\"\"\""),
            ("\"a\"", dialect(quote: nil), ",", "\"\"\"a\"\"\""),
            (#""a\"b""#, dialect(escape: "\\"), ",", "\"a\"\"b\""),
            (#""a\\b""#, dialect(escape: "\\"), ",", #"a\b"#), ("\"a\"b", dialect(lenient: true), ",", "ab"),
            ("\"a\",b".replacingOccurrences(of: ",", with: ";"), dialect(lenient: true), ";", "\"a;b\""),
            ("'a'", standard, ",", "'a'"),
        ])
    func cells(cell: String, dialect: sluice_csv_dialect, delimiter: String, expected: String) {
        let d = CSluiceTests.dialect(delimiter.first!)
        for kernel in kernels {
            let batch = Batch(csv: [[cell, "x"], ["y", cell]], dialect: dialect)
            #expect(
                batch.csv([Column("a", 0), Column("b", 1)], kernel, d)
                    == "\(expected)\(delimiter)x\ny\(delimiter)\(expected)\n")
            #expect(
                batch.csv([Column("b", 1), Column("a", 0), Column("a", 0)], kernel, d)
                    == "x\(delimiter)\(expected)\(delimiter)\(expected)\n\(expected)\(delimiter)y\(delimiter)y\n")
        }
    }

    @Test(
        "a field is quoted as the dialect has it",
        arguments: [
            // content, output dialect, output
            ("a'b", dialect(quote: "'"), "'a''b'"), ("a\"b", dialect(quote: "'"), "a\"b"),
            ("a,b", dialect(quote: "'"), "'a,b'"),
            ("a\"b", dialect(escape: "\\"), #""a\"b""#), (#"a\b"#, dialect(escape: "\\"), #""a\\b""#),
            ("a^b'c", dialect("|", quote: "'", escape: "^"), "'a^^b^'c'"), ("a|b", dialect("|"), "\"a|b\""),
            ("a^b", dialect("|"), "a^b"), ("a\tb", dialect("\t"), "\"a\tb\""),
            ("a\nb", dialect(quote: "'", escape: "^"), "'a\nb'"), ("a\"b'c", dialect(quote: nil), "a\"b'c"),
            ("", dialect(quote: "'", escape: "^"), ""),
        ])
    func dialects(content: String, dialect: sluice_csv_dialect, expected: String) {
        let d = String(Unicode.Scalar(dialect.delimiter))
        for kernel in kernels {
            for text in [content, content + String(repeating: "x", count: 70)] {
                let expected = text == content ? expected : longer(expected, by: 70)
                let csv = csvQuoted(text)
                let object = "{\"a\":\(string(escapedString(text)))}"
                let batches = [
                    Batch(csv: [[csv, "y"]]), Batch(projected: [object, object], paths: ["a", "b"], count: 1),
                    Batch(count: 1, overlays: [Overlay("a", .string(text)), Overlay("b", .string("y"))]),
                ]
                #expect(
                    batches[0].csv([Column("a", 0), Column("b", 1)], kernel, dialect) == "\(expected)\(d)y\n")
                #expect(batches[1].csv([Column("a", 0), Column("b", 1)], kernel, dialect) == "\(expected)\(d)\n")
                #expect(
                    batches[2].csv([Column("a", nil, 0), Column("b", nil, 1)], kernel, dialect)
                        == "\(expected)\(d)y\n")
            }
        }
    }

    @Test(
        "without quotes, a field that needs them is an error that names row and column",
        arguments: ["a,b", "a\nb", "a\rb", "\n"])
    func needsQuotes(content: String) {
        let dialect = dialect(quote: nil)
        for kernel in kernels {
            for text in [content, String(repeating: "x", count: 70) + content] {
                let rows = [["y", "z"], ["y", csvQuoted(text)], ["y", "z"]]
                let overlay = Overlay("b", .string("z"), .string(text), .string("z"))
                for (batch, second) in [
                    (Batch(csv: rows), Column("b", 1)),
                    (Batch(csv: [["y"], ["y"], ["y"]], flags: 0, overlays: [overlay]), Column("b", nil, 0)),
                ] {
                    let run = batch.run(.csv([Column("a", 0), second], dialect), kernel)
                    #expect(run.status == SLUICE_ERROR_NEEDS_QUOTES && string(run.output) == "y,z\n")
                    #expect(run.encoder.row == 1 && run.encoder.error_column == 1)
                }
            }
            for flags in [nil, 0] as [UInt32?] {
                let run = Batch(csv: [["a", ""], ["", "x"]], flags: flags).run(.csv([Column("a", 0)], dialect), kernel)
                #expect(
                    run.status == SLUICE_ERROR_NEEDS_QUOTES && run.encoder.row == 1 && run.encoder.error_column == 0)
            }
            #expect(Batch(csv: [["", ""]]).csv([Column("a", 0), Column("b", 1)], kernel, dialect) == ",\n")
        }
    }

    @Test("cells that are null by their text are null, in quotes they are text")
    func nulls() {
        for kernel in kernels {
            for inferred in [false, true] {
                let cells = [["NA", "\"NA\"", "NAN"], ["-", "", "1"], ["\"-\"", "1", "NA"]]
                let batch = Batch(csv: cells, inferred: inferred, nulls: ["NA", "-", "1"])
                let columns = [Column("a", 0), Column("b", 1), Column("c", 2)]
                let empty = inferred ? "null" : "\"\""
                #expect(
                    batch.jsonl(columns, kernel) == """
                        {"a":null,"b":"NA","c":"NAN"}
                        {"a":null,"b":\(empty),"c":null}
                        {"a":"-","b":null,"c":null}

                        """)
                #expect(batch.csv(columns, kernel) == ",NA,NAN\n,,\n-,,\n")
            }
            let clean = Batch(csv: [["a", "NA"], ["", "b"]], flags: 0, nulls: ["", "NA"])
            #expect(clean.csv([Column("a", 0), Column("b", 1)], kernel) == "a,\n,b\n")
            #expect(
                clean.jsonl([Column("a", 0), Column("b", 1)], kernel)
                    == "{\"a\":\"a\",\"b\":null}\n{\"a\":null,\"b\":\"b\"}\n")
        }
    }

    @Test("a record of one empty field is two quotes")
    func oneEmptyField() {
        for kernel in kernels {
            #expect(Batch(csv: [[""], ["\"\""], ["a"]]).csv([Column("a", 0)], kernel) == "\"\"\n\"\"\na\n")
            #expect(Batch(csv: [[""], ["a"]], flags: 0).csv([Column("a", 0)], kernel) == "\"\"\na\n")
            #expect(Batch(count: 1, overlays: [Overlay("a", .null)]).csv([Column("a", nil, 0)], kernel) == "\"\"\n")
            #expect(Batch(csv: [["", ""]]).csv([Column("a", 0), Column("b", 1)], kernel) == ",\n")
            #expect(Batch(csv: [["x"]]).csv([], kernel) == "\n")
        }
    }

    @Test("absent fields are empty")
    func absent() {
        for kernel in kernels {
            let batch = Batch(
                csv: [["a", nil, nil], ["b", "c", nil]], dialect: dialect(ragged: SLUICE_CSV_RAGGED_PAD), flags: 0)
            #expect(batch.csv([Column("x", 0), Column("y", 1), Column("z", 2)], kernel) == "a,,\nb,c,\n")
            #expect(batch.csv([Column("none"), Column("x", 0)], kernel) == ",a\n,b\n")
        }
    }

    @Test("plain rows are written in pieces of neighbouring columns")
    func pieces() {
        for kernel in kernels {
            let wide = Batch(csv: (0..<3).map { row in (0..<200).map { row == 1 ? "" : "\(row).\($0)" } }, flags: 0)
            for places in [
                [0, 1, 4, 5, 6, 9], [9, 8, 7], [1, 2, 0, 1, 2], [199], Array(0..<200),
                Array(stride(from: 0, to: 200, by: 2)),
            ] {
                let expected = [0, 1, 2].map { row in
                    places.map { row == 1 ? "" : "\(row).\($0)" }.joined(separator: ",")
                }
                let text = expected.map { ($0.isEmpty ? "\"\"" : $0) + "\n" }.joined()
                #expect(wide.csv(places.map { Column("c\($0)", $0) }, kernel) == text)
            }
            let batch = Batch(csv: [["a", "b", "c"], ["", "", ""], ["1", "2", "3"]], flags: 0)
            #expect(batch.csv([Column("b", 1), Column("c", 2)], kernel) == "b,c\n,\n2,3\n")
            #expect(batch.csv([Column("b", 1)], kernel) == "b\n\"\"\n2\n")
            #expect(batch.csv([Column("b", 1), Column("c", 2)], kernel, dialect(";")) == "b;c\n;\n2;3\n")
        }
    }

    @Test(
        "projected values are written as text",
        arguments: [
            (#""abc""#, "abc"), (#""""#, ""), (#""a,b""#, "\"a,b\""), (#""a\"b""#, "\"a\"\"b\""),
            (#""a\nb""#, "\"a\nb\""),
            (#""\u00e9\ud83d\ude00""#, "é😀"), ("1.0", "1.0"), ("-1e400", "-1e400"), ("true", "true"), ("null", ""),
            (#"[ 1 , "a" ]"#, "\"[1,\"\"a\"\"]\""), ("{}", "{}"), ("[1]", "[1]"), ("[1, 2]", "\"[1,2]\""),
        ])
    func projected(value: String, expected: String) {
        for kernel in kernels {
            let batch = Batch(projected: ["{\"a\":\(value),\"b\" : \(value) }", "{}"], paths: ["a", "b"])
            #expect(batch.csv([Column("a", 0), Column("b", 1)], kernel) == "\(expected),\(expected)\n,\n")
        }
    }
}

// MARK: - Content

@Suite("Encoding the content of a field")
struct EncodeContentTests {
    @Test("lines of text and records of bytes are copied, a line at a time or many")
    func plain() {
        for kernel in kernels {
            let lines = ["one", "", "two\"three\"", "a,b", String(repeating: "long ", count: 30)]
            let text = Batch(csv: lines.map { [$0] }, dialect: dialect("\n", quote: nil), flags: 0)
            #expect(text.content([Column("line", 0)], kernel) == lines.map { $0 + "\n" }.joined())
            let some = Batch(
                csv: lines.map { [$0] }, dialect: dialect("\n", quote: nil), flags: 0, selection: [4, 0, 1, 3])
            #expect(some.content([Column("line", 0)], kernel) == [4, 0, 1, 3].map { lines[$0] + "\n" }.joined())
            let bytes = Batch(csv: [["a\n"], ["\r"]], dialect: dialect("\n", quote: nil), binary: true)
            #expect(bytes.content([Column("bytes", 0)], kernel, lines: false) == "a\n\r")
        }
    }

    @Test(
        "a field's content is written alone",
        arguments: [
            // a row of `a` and `b`: cells of CSV, or what is set; output, or why there is none
            ("x", Cell.unset, "x", SLUICE_OK), ("\"a\"\"b\"", .unset, "a\"b", SLUICE_OK), ("", .unset, "", SLUICE_OK),
            ("x", .string("y"), "y", SLUICE_OK), ("x", .int(-5), "-5", SLUICE_OK),
            ("x", .double(0.5), "0.5", SLUICE_OK),
            ("x", .bool(true), "true", SLUICE_OK), ("x", .decimal("1e400"), "1e400", SLUICE_OK),
            ("x", .bytes([65, 66]), "AB", SLUICE_OK), ("x", .null, "", SLUICE_ERROR_NO_CONTENT),
            ("x", .removed, "", SLUICE_ERROR_NO_CONTENT), ("x", .json("[]"), "", SLUICE_ERROR_NO_CONTENT),
            ("x", .double(.nan), "", SLUICE_ERROR_NUMBER_NOT_FINITE), ("NA", .unset, "", SLUICE_ERROR_NO_CONTENT),
            ("\"a\nb\"", .unset, "", SLUICE_ERROR_LINE_BREAK), ("a\r", .unset, "", SLUICE_ERROR_LINE_BREAK),
            ("a\rb", .unset, "a\rb", SLUICE_OK),
        ])
    fileprivate func fields(cell: String, set: Cell, expected: String, status: sluice_status) {
        for kernel in kernels {
            let batch = Batch(csv: [["first"], [cell]], nulls: ["NA"], overlays: [Overlay("a", .unset, set)])
            let run = batch.run(.content([Column("a", 0, 0), Column("b")], base64: -1, lines: true), kernel)
            #expect(run.status == status && run.encoder.row == (status == SLUICE_OK ? 2 : 1))
            #expect(string(run.output) == "first\n" + (status == SLUICE_OK ? expected + "\n" : ""))
        }
    }

    @Test("of several columns a row has one, and it may be base64")
    func columns() {
        for kernel in kernels {
            let records = [#"{"a":"x\u0041"}"#, #"{"b":"QUI="}"#, #"{"b":12}"#]
            let columns = [Column("a", 0), Column("b", 1)]
            let batch = Batch(projected: records, paths: ["a", "b"])
            #expect(batch.content(columns, kernel, base64: 1) == "xA\nAB\n12\n")
            for (record, status) in [
                (#"{"a":1,"b":2}"#, SLUICE_ERROR_UNKNOWN_KEY), ("{}", SLUICE_ERROR_NO_CONTENT),
                (#"{"a":[]}"#, SLUICE_ERROR_NO_CONTENT), (#"{"b":null}"#, SLUICE_ERROR_NO_CONTENT),
                (#"{"b":"QUI"}"#, SLUICE_ERROR_NOT_BASE64),
            ] {
                let run = Batch(projected: [record], paths: ["a", "b"]).run(
                    .content(columns, base64: 1, lines: false), kernel)
                #expect(run.status == status && run.output.isEmpty)
            }
        }
    }

    @Test("random rows have the same content by every kernel")
    func random() {
        var random = SplitMix64(seed: 77)
        for round in 0..<300 {
            let height = Int.random(in: 1...8, using: &random)
            let cells = (0..<height).map { _ in randomCell(&random) }
            let overlays = round % 3 == 0 ? [Overlay("o", cells)] : []
            let texts = (0..<height).map { _ in randomText(&random).replacing("\"", with: "") }
            let records = texts.map { "{\"k\":\(string(escapedString($0)))}" }
            let batches = [
                Batch(csv: texts.map { [csvField(Array($0.utf8), comma)] }, overlays: overlays),
                Batch(csv: texts.map { [$0] }, dialect: dialect("\n", quote: nil), overlays: overlays),
                Batch(csv: texts.map { [$0] }, dialect: dialect("\n", quote: nil), binary: true, overlays: overlays),
                Batch(projected: records, paths: ["k"], overlays: overlays),
            ]
            let columns = [Column("k", 0, overlays.isEmpty ? nil : 0)]
            for (batch, lines) in batches.flatMap({ [($0, true), ($0, false)] }) {
                let format = Format.content(columns, base64: round % 5 == 0 ? 0 : -1, lines: lines)
                let capacity = Int.random(in: 0...400, using: &random)
                let scalar = batch.run(format, "scalar", capacity: capacity)
                for kernel in kernels {
                    let run = batch.run(format, kernel, capacity: capacity)
                    #expect(run.output == scalar.output && run.status == scalar.status)
                    #expect(run.encoder.row == scalar.encoder.row && run.mostNeeded == scalar.mostNeeded)
                    #expect(run.encoder.error_column == scalar.encoder.error_column)
                }
            }
        }
    }
}

// MARK: - The conversation, and random batches

@Suite("Encoding into little room, and at random")
struct EncodeConversationTests {
    @Test("any capacity gives the same output, and what is needed suffices")
    func capacities() {
        let text = "é\"\\\n," + String(repeating: "long ", count: 12)
        let cells: [Cell] = [.string(text), .double(0.1), .unset, .json("[1]"), .bytes([1, 2, 3]), .removed]
        let overlays = [Overlay("k", cells), Overlay("c", [.string("x\u{1}y")], constant: true)]
        let csv: [[String?]] = [
            ["a", "\"b\"\"\(text.replacing("\"", with: ""))\""], ["", "1"], ["\u{1}\u{2}", "x"], ["y", "\"\""],
        ]
        let json = ["{\"k\":[1, 2],\"b\":\(string(quoted(Array(text.utf8))))}", "[1,\r2]", "{\"b\":1 }", "{}"]
        let columns = [Column("a", 0), Column("b", 1), Column("k", 1, 0), Column("c", nil, 1), Column("a2", 0)]
        let batches: [(Batch, Format)] = [
            (Batch(csv: csv, count: 6, overlays: overlays), .jsonl(columns)),
            (Batch(csv: csv), .jsonl([Column("a", 0), Column("b", 1)])),
            (Batch(csv: csv, inferred: true), .jsonl([Column("b", 1), Column("a", 0)])),
            (Batch(csv: csv, count: 6, overlays: overlays), .csv(columns, standard)),
            (Batch(projected: json, paths: ["k", "b"], count: 6, overlays: overlays), .jsonl(columns)),
            (Batch(projected: json, paths: ["k", "b"], count: 6, overlays: overlays), .csv(columns, standard)),
            (Batch(json: json, count: 6, overlays: overlays), .records),
            (Batch(json: ["{\"a\":1}", "[2]", "3", "\"\(String(repeating: "4", count: 90))\""]), .records),
        ]
        for (batch, format) in batches {
            let whole = batch.run(format, "scalar")
            #expect(whole.status == SLUICE_OK)
            for kernel in kernels {
                for capacity in 0...600 {
                    let run = batch.run(format, kernel, capacity: capacity)
                    #expect(run.output == whole.output)
                }
            }
        }
    }

    @Test("a long row does not ask for six times its length")
    func longRow() {
        let text = String(repeating: "words and words ", count: 10_000) + "\n"
        for kernel in kernels {
            for cell in [text, "\"\(text)\""] {
                let run = Batch(csv: [[cell]]).run(.jsonl([Column("a", 0)]), kernel, capacity: 100)
                #expect(run.output.count == text.utf8.count + 10)
                #expect(run.mostNeeded < text.utf8.count + 100)
            }
        }
    }

    @Test("random batches are encoded alike by every kernel, and as the obvious encoders do")
    func random() throws {
        var random = SplitMix64(seed: 2024)
        for round in 0..<400 {
            let width = Int.random(in: 1...6, using: &random)
            let height = Int.random(in: 1...12, using: &random)
            let count = height + (round % 3 == 0 ? 2 : 0)
            let contents = (0..<height).map { _ in (0..<width).map { _ in randomText(&random) } }
            let cells = contents.map {
                $0.map {
                    Bool.random(using: &random) || $0.hasPrefix("\"") ? csvQuoted($0) : csvField(Array($0.utf8), comma)
                }
            }
            var overlays: [Overlay] = []
            for name in ["o", "p\"", "k1"].prefix(Int.random(in: 0...3, using: &random)) {
                let constant = Bool.random(using: &random)
                overlays.append(
                    Overlay(name, (0..<(constant ? 1 : count)).map { _ in randomCell(&random) }, constant: constant))
            }
            let slots = (0..<UInt32(count)).filter { _ in round % 2 == 0 || Bool.random(using: &random) }.shuffled(
                using: &random)
            var columns =
                (0..<width).map { Column("k\($0)", $0) }
                + overlays.indices.map { Column(overlays[$0].name + "x", nil, $0) }
            if !overlays.isEmpty { columns[0].overlay = 0 }
            if round % 4 == 0 { columns.shuffle(using: &random) }
            let batch = Batch(csv: cells, count: count, selection: slots, overlays: overlays)
            let rows = slots.map { slot in
                columns.map { column -> Cell in
                    let set = column.overlay.map { overlays[$0].cells[overlays[$0].constant ? 0 : Int(slot)] } ?? .unset
                    if case .unset = set, let field = column.field, slot < height {
                        return .string(contents[Int(slot)][field])
                    }
                    return set
                }
            }
            let jsonl = rows.map { row in obviousObject(zip(columns, row).map { ($0.name, $1) }) + "\n" }.joined()
            let csv = rows.map { obviousRecord($0) + "\n" }.joined()
            for kernel in kernels {
                #expect(batch.jsonl(columns, kernel) == jsonl)
                #expect(batch.csv(columns, kernel) == csv)
            }
            batch.checkValues(columns)
            Batch(csv: cells, inferred: true, nulls: ["a"]).checkValues((0..<width).map { Column("k\($0)", $0) })
            let records = contents.map { row in obviousObject(row.enumerated().map { ("k\($0)", .string($1)) }) }
            let names = (0..<width).map { "k\($0)" }
            Batch(projected: records, paths: names).checkValues(names.indices.map { Column(names[$0], $0) })
            let edited = Batch(json: records, count: count, selection: slots, overlays: overlays)
            let scalar = edited.records("scalar")
            for kernel in kernels { #expect(edited.records(kernel) == scalar) }
            for (line, slot) in zip(scalar.split(separator: "\n"), slots) {
                var members = slot < height ? contents[Int(slot)].enumerated().map { ("k\($0)", Cell.string($1)) } : []
                for overlay in overlays {
                    let cell = overlay.cells[overlay.constant ? 0 : Int(slot)]
                    if case .unset = cell { continue }
                    if let at = members.firstIndex(where: { $0.0 == overlay.name }) {
                        members[at].1 = cell
                    } else {
                        members.append((overlay.name, cell))
                    }
                }
                #expect(line == obviousObject(members))
                #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            }
        }
    }
}

// MARK: - Batches made by hand

private enum Cell: Sendable {
    case unset, removed, null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case decimal(String)
    case bytes([UInt8])
    case json(String)
}

private struct Overlay {
    var name: String
    var cells: [Cell]
    var constant: Bool

    init(_ name: String, _ cells: [Cell], constant: Bool = false) {
        (self.name, self.cells, self.constant) = (name, cells, constant)
    }

    init(_ name: String, _ cells: Cell...) { self.init(name, cells) }
}

private struct Column {
    var name: String
    var field: Int?
    var overlay: Int?

    init(_ name: String, _ field: Int? = nil, _ overlay: Int? = nil) {
        (self.name, self.field, self.overlay) = (name, field, overlay)
    }
}

private enum Format {
    case jsonl([Column])
    case csv([Column], sluice_csv_dialect)
    case records
    case content([Column], base64: Int, lines: Bool)

    var isRecords: Bool { if case .records = self { true } else { false } }
}

/// Arrays that stay where they are, with padding behind them.
private final class Memory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    func copy<T: BitwiseCopyable>(_ array: [T]) -> UnsafeMutablePointer<T> {
        let size = array.count * MemoryLayout<T>.stride
        let block = UnsafeMutableRawPointer.allocate(byteCount: size + Int(SLUICE_PADDING), alignment: 16)
        blocks.append(block)
        block.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "\""), count: size + Int(SLUICE_PADDING))
        array.withUnsafeBytes { if size > 0 { block.copyMemory(from: $0.baseAddress!, byteCount: size) } }
        return block.assumingMemoryBound(to: T.self)
    }
}

private final class Batch {
    private let memory = Memory()
    private var rows = sluice_rows()
    private var overlays: [Overlay] = []

    private init(_ base: sluice_base, _ count: Int, _ selection: [UInt32]?, _ overlays: [Overlay]) {
        rows.base = base.rawValue
        rows.count = UInt32(selection?.count ?? count)
        rows.selection = selection.map { UnsafePointer(memory.copy($0)) }
        self.overlays = overlays
        addOverlays()
    }

    /// Rows that have no base.
    convenience init(count: Int, selection: [UInt32]? = nil, overlays: [Overlay]) {
        self.init(SLUICE_BASE_NONE, count, selection, overlays)
    }

    /// Records of CSV, cells with their quotes. nil: absent. `first` rows are passed over.
    convenience init(
        csv records: [[String?]], dialect: sluice_csv_dialect = standard, flags: UInt32? = nil, inferred: Bool = false,
        binary: Bool = false, nulls: [String] = [], first: Int = 0, count: Int? = nil, selection: [UInt32]? = nil,
        overlays: [Overlay] = []
    ) {
        self.init(SLUICE_BASE_CSV, count ?? records.count - first, selection, overlays)
        var bytes: [UInt8] = []
        var ends: [UInt32] = []
        var starts: [UInt32] = []
        for record in records {
            starts.append(UInt32(bytes.count))
            for (c, cell) in record.enumerated() {
                if c > 0 && cell != nil { bytes.append(dialect.delimiter) }
                bytes += Array((cell ?? "").utf8)
                ends.append(UInt32(bytes.count))
            }
            bytes.append(10)
        }
        rows.flags = flags ?? UInt32(SLUICE_HAS_QUOTE | SLUICE_HAS_ESCAPE)
        if records.contains(where: { $0.contains(nil) }) { rows.flags |= UInt32(SLUICE_HAS_ABSENT) }
        rows.inferred = inferred ? 1 : 0
        rows.binary = binary ? 1 : 0
        rows.columns = UInt32(records[0].count)
        rows.dialect = dialect
        rows.ends = UnsafePointer(memory.copy(ends))
        rows.row_starts = UnsafePointer(memory.copy(starts))
        if !nulls.isEmpty {
            let texts = nulls.map { UnsafePointer<UInt8>?(memory.copy(Array($0.utf8))) }
            let core = sluice_csv_nulls(
                texts: memory.copy(texts), lengths: memory.copy(nulls.map { UInt32($0.utf8.count) }),
                count: UInt32(nulls.count))
            rows.nulls = UnsafePointer(memory.copy([core]))
        }
        setBase(bytes, records.count, first)
    }

    /// Records of JSON.
    convenience init(
        json records: [String], separator: String = "\n", first: Int = 0, count: Int? = nil, selection: [UInt32]? = nil,
        overlays: [Overlay] = []
    ) {
        self.init(SLUICE_BASE_JSON, count ?? records.count - first, selection, overlays)
        _ = index(records, separator, first)
    }

    /// Records of JSON seen through their top-level members.
    convenience init(
        projected records: [String], paths: [String], count: Int? = nil, overlays: [Overlay] = []
    ) {
        self.init(SLUICE_BASE_PROJECTED, count ?? records.count, nil, overlays)
        let tape = index(records, "\n", 0)
        let places = records.indices.flatMap { r in paths.map { tape.members[r][$0] ?? UInt32.max } }
        rows.columns = UInt32(paths.count)
        rows.projection = UnsafePointer(memory.copy(places))
    }

    private func index(_ records: [String], _ separator: String, _ first: Int) -> Tape {
        var tape = Tape(bytes: Array(records.joined(separator: separator).utf8))
        var jsonRows: [sluice_json_row] = []
        for record in records {
            let start = tape.position
            let place = UInt32(tape.entries.count)
            tape.members.append([:])
            tape.value(depth: 0)
            jsonRows.append(sluice_json_row(tape: place, start: UInt32(start), end: UInt32(start + record.utf8.count)))
            tape.position = start + record.utf8.count + separator.utf8.count
        }
        jsonRows.append(sluice_json_row(tape: UInt32(tape.entries.count), start: 0, end: 0))
        tape.entries.append(UInt32(tape.bytes.count))
        rows.flags =
            (tape.bytes.contains(92) ? UInt32(SLUICE_HAS_ESCAPE) : 0)
            | (records.joined().utf8.contains(13) ? UInt32(SLUICE_HAS_CR) : 0)
        rows.tape = UnsafePointer(memory.copy(tape.entries))
        rows.rows = UnsafePointer(memory.copy(jsonRows))
        setBase(tape.bytes, records.count, first)
        return tape
    }

    private func setBase(_ bytes: [UInt8], _ count: Int, _ first: Int) {
        rows.bytes = UnsafePointer(memory.copy(bytes))
        rows.first_row = UInt32(first)
        rows.base_rows = UInt32(count - first)
    }

    private func addOverlays() {
        var arena: [UInt8] = []
        func place(_ text: [UInt8]) -> UInt64 {
            defer { arena += text }
            return UInt64(arena.count) | UInt64(text.count) << 32
        }
        let columns = overlays.map { overlay in
            let cells = overlay.cells.map { $0.parts(place) }
            return sluice_overlay(
                tags: memory.copy(cells.map { UInt8($0.0.rawValue) }), payloads: memory.copy(cells.map { $0.1 }),
                constant: overlay.constant ? 1 : 0, name: memory.copy(Array(overlay.name.utf8)),
                name_length: UInt32(overlay.name.utf8.count))
        }
        rows.arena = UnsafePointer(memory.copy(arena))
        rows.overlays = UnsafePointer(memory.copy(columns))
        rows.overlay_count = UInt32(columns.count)
    }

    private func columns(_ columns: [Column]) -> UnsafeMutablePointer<sluice_column> {
        memory.copy(
            columns.map { column in
                var key = [UInt8](repeating: 0, count: 6 * column.name.utf8.count + 6)
                let length = sluice_json_key(Array(column.name.utf8), column.name.utf8.count, &key)
                return sluice_column(
                    field: Int32(column.field ?? -1), overlay: Int32(column.overlay ?? -1),
                    key: memory.copy(Array(key[..<length])), key_length: UInt32(length))
            })
    }

    struct Run {
        var status = SLUICE_OK
        var output: [UInt8] = []
        var encoder = sluice_encoder()
        var mostNeeded = 0
    }

    /// Encodes in a buffer of `capacity` bytes, emptied when full; a row that does not fit gets exactly what it needs.
    func run(_ format: Format, _ name: String, capacity: Int = 1 << 16) -> Run {
        let kernel = kernelNamed(name)!.pointee
        var made: UnsafeMutablePointer<sluice_column>
        var count = 0
        var dialect = standard
        switch format {
        case .jsonl(let all), .content(let all, _, _): (made, count) = (columns(all), all.count)
        case .csv(let all, let given): (made, count, dialect) = (columns(all), all.count, given)
        case .records: made = columns(overlays.map { Column($0.name) })
        }
        var run = Run()
        var capacity = capacity
        let guarded = Int(SLUICE_PADDING)
        let mark: [UInt8] = Array(repeating: 0xA5, count: 32)
        while true {
            var buffer = [UInt8](repeating: 0, count: capacity + guarded) + mark
            switch format {
            case .jsonl:
                run.status = kernel.encode_jsonl_columns(&run.encoder, &rows, made, UInt32(count), &buffer, capacity)
            case .csv:
                run.status = kernel.encode_csv_columns(
                    &run.encoder, &rows, made, UInt32(count), &dialect, &buffer, capacity)
            case .records: run.status = kernel.encode_jsonl_records(&run.encoder, &rows, made, &buffer, capacity)
            case .content(_, let base64, let lines):
                run.status = kernel.encode_content(
                    &run.encoder, &rows, made, UInt32(count), Int32(base64), lines, &buffer, capacity)
            }
            #expect(run.encoder.written <= capacity)
            #expect(Array(buffer.suffix(32)) == mark)
            run.output += buffer[..<run.encoder.written]
            guard run.status == SLUICE_OUTPUT_FULL else { return run }
            #expect(run.encoder.needed > capacity - run.encoder.written)
            if run.encoder.written == 0 { capacity = run.encoder.needed }
            run.mostNeeded = max(run.mostNeeded, run.encoder.needed)
            run.encoder.written = 0
        }
    }

    func jsonl(_ columns: [Column], _ kernel: String) -> String { string(run(.jsonl(columns), kernel).output) }
    func csv(_ columns: [Column], _ kernel: String, _ dialect: sluice_csv_dialect = standard) -> String {
        string(run(.csv(columns, dialect), kernel).output)
    }
    func records(_ kernel: String) -> String { string(run(.records, kernel).output) }
    func content(_ columns: [Column], _ kernel: String, base64: Int = -1, lines: Bool = true) -> String {
        string(run(.content(columns, base64: base64, lines: lines), kernel).output)
    }

    /// Expects Swift's values of all fields to be those of C, in much scratch and in little.
    func checkValues(_ all: [Column]) {
        let made = columns(all)
        for number in 0..<Int(rows.count) {
            for column in all.indices {
                let (needed, value) = value(number, made + column, room: 1 << 12)
                #expect(needed == 0)
                guard let text = value?.text, value?.usesScratch == true else { continue }
                #expect(self.value(number, made + column, room: text.count - 1).needed >= text.count)
            }
        }
    }

    private struct Value: Equatable {
        var tag: UInt32
        var bits: UInt64
        var text: [UInt8]
        var usesScratch: Bool
    }

    private func value(
        _ number: Int, _ column: UnsafePointer<sluice_column>, room: Int
    ) -> (needed: Int, value: Value?) {
        func found(
            _ read: (inout sluice_scratch, inout sluice_value) -> Bool
        ) -> (needed: Int, used: Int, value: Value?) {
            var value = sluice_value()
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room + Int(SLUICE_PADDING)) { bytes in
                var scratch = sluice_scratch(bytes: bytes.baseAddress, used: 0, capacity: room)
                guard read(&scratch, &value) else { return (value.length, scratch.used, nil) }
                let hasText = value.tag.rawValue >= SLUICE_CELL_STRING.rawValue
                let text = Array(UnsafeBufferPointer(start: value.text, count: hasText ? value.length : 0))
                let isNumber = value.tag == SLUICE_CELL_INT || value.tag == SLUICE_CELL_DOUBLE
                let bits = isNumber ? value.bits : 0
                let usesScratch = hasText && scratch.used > 0
                return (
                    0, scratch.used, Value(tag: value.tag.rawValue, bits: bits, text: text, usesScratch: usesScratch)
                )
            }
        }
        let core = found { sluice_value_at(&rows, column, UInt32(number), &$0, &$1) }
        let swift = found { valueAt(&rows, column.pointee, number, &$0, &$1) }
        #expect(swift == core)
        return (core.needed, core.value)
    }
}

extension Cell {
    fileprivate func parts(_ place: ([UInt8]) -> UInt64) -> (sluice_cell, UInt64) {
        switch self {
        case .unset: (SLUICE_CELL_UNSET, 0)
        case .removed: (SLUICE_CELL_REMOVED, 0)
        case .null: (SLUICE_CELL_NULL, 0)
        case .bool(let value): (value ? SLUICE_CELL_TRUE : SLUICE_CELL_FALSE, 0)
        case .int(let value): (SLUICE_CELL_INT, UInt64(bitPattern: value))
        case .double(let value): (SLUICE_CELL_DOUBLE, value.bitPattern)
        case .string(let text): (SLUICE_CELL_STRING, place(Array(text.utf8)))
        case .decimal(let text): (SLUICE_CELL_DECIMAL, place(Array(text.utf8)))
        case .bytes(let bytes): (SLUICE_CELL_BYTES, place(bytes))
        case .json(let text): (SLUICE_CELL_JSON, place(Array(text.utf8)))
        }
    }
}

/// The tape of valid JSON, and where the top-level members of each record are in it.
private struct Tape {
    var bytes: [UInt8]
    var position = 0
    var entries: [UInt32] = []
    var members: [[String: UInt32]] = []

    private mutating func skipSpace() {
        while position < bytes.count, [32, 9, 10, 13, 44, 58].contains(bytes[position]) { position += 1 }
    }

    mutating func value(depth: Int) {
        skipSpace()
        entries.append(UInt32(position))
        switch bytes[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            container(isObject: bytes[position] == UInt8(ascii: "{"), depth: depth)
        case UInt8(ascii: "\""): _ = literal()
        default: while position < bytes.count, !Array(" \t\r\n,]}".utf8).contains(bytes[position]) { position += 1 }
        }
    }

    private mutating func container(isObject: Bool, depth: Int) {
        let skip = entries.count
        entries.append(0)
        position += 1
        while true {
            skipSpace()
            if [UInt8(ascii: "}"), UInt8(ascii: "]")].contains(bytes[position]) { break }
            if isObject {
                entries.append(UInt32(position))
                let key = literal()
                if depth == 0 { members[members.count - 1][key] = UInt32(entries.count) }
            }
            value(depth: depth + 1)
        }
        entries[skip] = UInt32(entries.count)
        entries.append(UInt32(position))
        position += 1
    }

    private mutating func literal() -> String {
        let start = position + 1
        position += 1
        while bytes[position] != UInt8(ascii: "\"") { position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1 }
        position += 1
        return string(Array(bytes[start..<position - 1]))
    }
}

// MARK: - The obvious encoders

private func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// What C writes to `room` bytes, which Swift's counterpart writes, too, and not a byte more. nil: it writes nothing.
private func written(
    room: Int, _ core: (UnsafeMutablePointer<UInt8>) -> Int, _ swift: (inout MutableSpan<UInt8>, Int) -> Int?
) -> [UInt8]? {
    var out = [UInt8](repeating: 0, count: room + 1)
    let count = core(&out)
    let text = count == -1 ? nil : Array(out[..<count])
    var swiftOut = [UInt8](repeating: 0xA5, count: 3 + (text?.count ?? room))
    var span = swiftOut.mutableSpan
    let end = swift(&span, 3)
    #expect(end.map { Array(swiftOut[3..<$0]) } == text)
    #expect(swiftOut[..<3] == [0xA5, 0xA5, 0xA5])
    return text
}

private func quoted(_ content: [UInt8]) -> [UInt8] {
    written(
        room: 6 * content.count + 2, { sluice_json_quote(content, content.count, $0) },
        { jsonQuote(content.span, into: &$0, at: $1) })!
}

private func key(_ name: [UInt8]) -> [UInt8] {
    written(
        room: 6 * name.count + 6, { sluice_json_key(name, name.count, $0) },
        { jsonKey(name.span, into: &$0, at: $1) })!
}

private func csvQuoted(_ content: [UInt8], _ dialect: sluice_csv_dialect, always: Bool) -> [UInt8]? {
    var core = dialect
    return written(
        room: 2 * content.count + 2, { sluice_csv_quote(content, content.count, &core, always, $0) },
        { csvQuote(content.span, dialect, always: always, into: &$0, at: $1) })
}

private func base64Encoded(_ bytes: [UInt8]) -> [UInt8] {
    written(
        room: 4 * ((bytes.count + 2) / 3), { sluice_base64_encode(bytes, bytes.count, $0) },
        { base64Encode(bytes.span, bytes.indices, into: &$0, at: $1) })!
}

private func base64Decoded(_ text: [UInt8]) -> [UInt8]? {
    written(
        room: 3 * (text.count / 4), { sluice_base64_decode(text, text.count, $0) },
        { base64Decode(text.span, into: &$0, at: $1) })
}

private func escaped(_ content: [UInt8]) -> [UInt8] {
    let named: [UInt8: String] = [8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: "\\\"", 92: "\\\\"]
    return content.flatMap { byte -> [UInt8] in
        if let name = named[byte] { return Array(name.utf8) }
        return byte < 32 ? Array(String(format: "\\u%04x", Int(byte)).utf8) : [byte]
    }
}

private func escapedString(_ text: String) -> [UInt8] { [34] + escaped(Array(text.utf8)) + [34] }

/// A field with `count` letters more.
private func longer(_ field: String, by count: Int) -> String {
    let letters = String(repeating: "x", count: count)
    guard let last = field.last, last == field.first, "'\"".contains(last), field.count > 1 else {
        return field + letters
    }
    return field.dropLast() + letters + String(last)
}

private func csvQuoted(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }

private func csvField(_ content: [UInt8], _ delimiter: UInt8) -> String {
    let special = content.contains { $0 == delimiter || $0 == 34 || $0 == 13 || $0 == 10 }
    return special ? csvQuoted(string(content)) : string(content)
}

private func obviousText(_ cell: Cell) -> String {
    switch cell {
    case .unset, .removed, .null: ""
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let text), .decimal(let text), .json(let text): text
    case .bytes(let bytes): Data(bytes).base64EncodedString()
    }
}

private func obviousObject(_ members: [(String, Cell)]) -> String {
    let texts = members.compactMap { name, cell -> String? in
        let key = "\"" + string(escaped(Array(name.utf8))) + "\":"
        switch cell {
        case .unset, .removed: return nil
        case .null: return key + "null"
        case .string, .bytes: return key + "\"" + string(escaped(Array(obviousText(cell).utf8))) + "\""
        default: return key + obviousText(cell)
        }
    }
    return "{" + texts.joined(separator: ",") + "}"
}

private func obviousRecord(_ cells: [Cell]) -> String {
    let fields = cells.map { csvField(Array(obviousText($0).utf8), comma) }
    return fields == [""] ? "\"\"" : fields.joined(separator: ",")
}

// MARK: - Chance

private func randomText(_ random: inout SplitMix64) -> String {
    let length = [0, 1, 5, 31, 32, 33, 64, 100].randomElement(using: &random)!
    let dense = Int.random(in: 0..<4, using: &random) == 0
    let pieces =
        dense
        ? ["\"", "\\", "\n", ",", "\r", "\u{1}", "é", "a"] : ["a", "b", "7", " ", "z", "a", "😀", "b", "c", "d", "\""]
    return (0..<length).map { _ in pieces.randomElement(using: &random)! }.joined()
}

private func randomCell(_ random: inout SplitMix64) -> Cell {
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1: .unset
    case 2: .removed
    case 3: .null
    case 4: .bool(Bool.random(using: &random))
    case 5: .int(Int64(truncatingIfNeeded: random.next()))
    case 6: .double(Double(Int.random(in: -999...999, using: &random)) / 8)
    case 7: .json("[1,\"a\\\"\"]")
    case 8: .bytes((0..<Int.random(in: 0...40, using: &random)).map { UInt8($0) })
    default: .string(randomText(&random))
    }
}
