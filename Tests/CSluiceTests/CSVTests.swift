// CSV cut and index: what the table says, at every cut, on every kernel; and every kernel against the scalar machine.

import CSluice
import Foundation
import TestSupport
import Testing

@testable import SwiftKernel

// MARK: cases

private struct Dialect: Sendable {
    var delimiter: Unicode.Scalar = ","
    var quote: Unicode.Scalar = "\""
    var escape: Unicode.Scalar = "\0"
    var lenient = false
    var carriageReturn = false
    var ragged = SLUICE_CSV_RAGGED_ERROR
    var comment: Unicode.Scalar = "\0"

    var c: sluice_csv_dialect {
        sluice_csv_dialect(
            delimiter: UInt8(ascii: delimiter), quote: UInt8(ascii: quote), escape: UInt8(ascii: escape),
            lenient: lenient ? 1 : 0, carriage_return: carriageReturn ? 1 : 0, ragged: UInt8(ragged.rawValue),
            comment: UInt8(ascii: comment))
    }

    static let standard = Dialect()
    static let tabs = Dialect(delimiter: "\t")
    static let unquoted = Dialect(quote: "\0")
    static let escaping = Dialect(escape: "\\")
    static let selfEscaping = Dialect(escape: "\"")
    static let apostrophes = Dialect(delimiter: ";", quote: "'")
    static let lenient = Dialect(lenient: true)
    static let escapingLenient = Dialect(escape: "\\", lenient: true)
    static let returns = Dialect(carriageReturn: true)
    static let returnsLenient = Dialect(lenient: true, carriageReturn: true)
    static let pad = Dialect(ragged: SLUICE_CSV_RAGGED_PAD)
    static let truncate = Dialect(ragged: SLUICE_CSV_RAGGED_TRUNCATE)
    static let escapingApostrophes = Dialect(delimiter: "|", quote: "'", escape: "^")
    static let comments = Dialect(comment: "#")
    static let commentsLenient = Dialect(escape: "\\", lenient: true, comment: ";")
    static let commentsUnquoted = Dialect(delimiter: "\t", quote: "\0", comment: "#")
    static let commentsPad = Dialect(ragged: SLUICE_CSV_RAGGED_PAD, comment: "#")
    static let commentsReturns = Dialect(carriageReturn: true, comment: "#")
    static let all = [
        standard, tabs, unquoted, escaping, selfEscaping, apostrophes, lenient, escapingLenient, returns,
        returnsLenient, pad, truncate, escapingApostrophes, comments, commentsLenient, commentsUnquoted, commentsPad,
        commentsReturns,
    ]
}

// An input, and the records (by content; nil: a field that is absent) and the error that it has.
private struct Case: Sendable, CustomTestStringConvertible {
    var dialect: Dialect
    var input: [UInt8]
    var columns: Int
    var rows: [[String?]]
    var skipped: Int
    var status: sluice_status
    var offset: Int
    var fields: Int

    init(
        _ input: String, _ columns: Int, _ rows: [[String?]], skipped: Int = 0,
        _ status: sluice_status = SLUICE_OK, at offset: Int = 0, fields: Int = 0
    ) {
        self.init(.standard, input, columns, rows, skipped: skipped, status, at: offset, fields: fields)
    }

    init(
        _ dialect: Dialect, _ input: String, _ columns: Int, _ rows: [[String?]], skipped: Int = 0,
        _ status: sluice_status = SLUICE_OK, at offset: Int = 0, fields: Int = 0
    ) {
        self.dialect = dialect
        self.input = Array(input.utf8)
        self.columns = columns
        self.rows = rows
        self.skipped = skipped
        self.status = status
        self.offset = offset
        self.fields = fields
    }

    var testDescription: String { String(decoding: input, as: UTF8.self).debugDescription }
    var lineEnd: UInt8 { dialect.carriageReturn ? 13 : 10 }
    var delimiter: UInt8 { UInt8(ascii: dialect.delimiter) }

    // The case behind `length` bytes of a record (or of blank lines, where a record does not fit).
    func shifted(by length: Int) -> Case {
        var shifted = self
        if length < max(columns, 2) {
            shifted.input = Array(repeating: lineEnd, count: length) + input
            shifted.skipped += length
        } else {
            let text = Array(repeating: UInt8(ascii: "x"), count: length - columns)
            let delimiters = Array(repeating: delimiter, count: columns - 1)
            shifted.input = text + delimiters + [lineEnd] + input
            shifted.rows.insert(
                [String(decoding: text, as: UTF8.self)] + Array(repeating: "", count: columns - 1), at: 0)
        }
        if status != SLUICE_OK { shifted.offset += length }
        return shifted
    }

    // The case with a long record behind it; nil where the end of the input belongs to the case.
    func continued() -> Case? {
        guard input.last == lineEnd, status != SLUICE_ERROR_UNCLOSED_QUOTE else { return nil }
        var continued = self
        let text = Array(repeating: UInt8(ascii: "y"), count: 140)
        continued.input += text + Array(repeating: delimiter, count: columns - 1) + [lineEnd]
        if status == SLUICE_OK {
            continued.rows.append([String(decoding: text, as: UTF8.self)] + Array(repeating: "", count: columns - 1))
        }
        return continued
    }
}

private let long = String(repeating: "z", count: 100)

private let cases: [Case] = [
    // Plain records.
    Case("", 1, []),
    Case("a", 1, [["a"]]),
    Case("a\n", 1, [["a"]]),
    Case("a,b", 2, [["a", "b"]]),
    Case("a,b\nc,d\n", 2, [["a", "b"], ["c", "d"]]),
    Case("a,b\r\nc,d\r\n", 2, [["a", "b"], ["c", "d"]]),
    Case("a,b\r\nc,d\n", 2, [["a", "b"], ["c", "d"]]),
    Case(",\n", 2, [["", ""]]),
    Case(",\r\n", 2, [["", ""]]),
    Case(",", 2, [["", ""]]),
    Case(",,\n,,", 3, [["", "", ""], ["", "", ""]]),
    Case("日本,é\n", 2, [["日本", "é"]]),
    Case("a\0,\u{1}\n", 2, [["a\0", "\u{1}"]]),
    Case(" a , b \n", 2, [[" a ", " b "]]),

    // Blank lines.
    Case("\n", 1, [], skipped: 1),
    Case("\r\n", 1, [], skipped: 1),
    Case("\n\r\n\n", 2, [], skipped: 3),
    Case("a\n\nb\n", 1, [["a"], ["b"]], skipped: 1),
    Case("a\r\n\r\nb\r\n", 1, [["a"], ["b"]], skipped: 1),
    Case("a,b\n\n\n\r\nc,d\n", 2, [["a", "b"], ["c", "d"]], skipped: 3),
    Case("\"\"\n", 1, [[""]]),
    Case("\"\"", 1, [[""]]),
    Case(" \n", 1, [[" "]]),
    Case("\"\n\"\n\n", 1, [["\n"]], skipped: 1),

    // A CR that no LF follows is data.
    Case("a\rb,c\n", 2, [["a\rb", "c"]]),
    Case("\r,\r\n", 2, [["\r", ""]]),
    Case("a\r\r\n", 1, [["a\r"]]),
    Case("\r\r\n", 1, [["\r"]]),
    Case("a,b\r", 2, [["a", "b\r"]]),
    Case("\r", 1, [["\r"]]),
    Case("a\r\"b\"\n", 1, [["a\r\"b\""]]),

    // Quotes.
    Case("\"a\",\"b\"\n", 2, [["a", "b"]]),
    Case("\"a\",\"b\"\r\n", 2, [["a", "b"]]),
    Case("\"a\",\"b\"", 2, [["a", "b"]]),
    Case("\"a,b\",\"c\nd\"\n", 2, [["a,b", "c\nd"]]),
    Case("\"a\r\nb\",\"\r\"\n", 2, [["a\r\nb", "\r"]]),
    Case("\"a\"\"b\",\"\"\"\"\n", 2, [["a\"b", "\""]]),
    Case("\"\"\"a\"\"\",\"\"\"\"\"\"\n", 2, [["\"a\"", "\"\""]]),
    Case("\"\",\"\"\n", 2, [["", ""]]),
    Case("\"a\"\"\nb\"\"\",x\n", 2, [["a\"\nb\"", "x"]]),
    Case("\"\"\",\"\"\n\",x\n", 2, [["\",\"\n", "x"]]),
    Case("a\"b,c\"\n", 2, [["a\"b", "c\""]]),
    Case("a\"b\"c,\"d,e\"\n", 2, [["a\"b\"c", "d,e"]]),
    Case("a \"b,c\" d\n", 2, [["a \"b", "c\" d"]]),
    Case(" \"a\",b\n", 2, [[" \"a\"", "b"]]),
    Case("5\",6\"\n\"x\ny\",z\n", 2, [["5\"", "6\""], ["x\ny", "z"]]),
    Case("\"\\\",a\n", 2, [["\\", "a"]]),

    // What the end and the byte behind a closing quote may be.
    Case("\"a", 1, [], SLUICE_ERROR_UNCLOSED_QUOTE, at: 0),
    Case("a,\"b\n", 2, [], SLUICE_ERROR_UNCLOSED_QUOTE, at: 2),
    Case("a,b\n\"c\"\"", 2, [["a", "b"]], SLUICE_ERROR_UNCLOSED_QUOTE, at: 4),
    Case("\"a\",\"b,c\nd,e\nf,g\n", 2, [], SLUICE_ERROR_UNCLOSED_QUOTE, at: 4),
    Case("\"a\"b\n", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case("\"a\" ,b\n", 2, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case("x\n\"a\"b\"\n", 1, [["x"]], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 5),
    Case("\"a\"\rb\n", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case("\"a\"\r,\n", 2, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case("\"a\"\r", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case("\"a\"\r\r\n", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case("\"a\"\"\"b\n", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 5),
    Case(.lenient, "\"a\"b,c\n", 2, [["ab", "c"]]),
    Case(.lenient, "\"a\"b\"c\"\"d,e\n", 2, [["ab\"c\"\"d", "e"]]),
    Case(.lenient, "\"a\" \"b,c\" \n", 2, [["a \"b", "c\" "]]),
    Case(.lenient, "\"a,\"b\r\n\"c\"d\n", 1, [["a,b"], ["cd"]]),
    Case(.lenient, "\"a\"\rb,c\r\r\n", 2, [["a\rb", "c\r"]]),
    Case(.lenient, "\"a\"\r", 1, [["a\r"]]),
    Case(.lenient, "\"a\"b\r\r\n", 1, [["ab\r"]]),
    Case(.lenient, "\"a", 1, [], SLUICE_ERROR_UNCLOSED_QUOTE, at: 0),
    Case(.lenient, "\"a\"\(long)\r\(long)\r\n", 1, [["a\(long)\r\(long)"]]),

    // Other dialects.
    Case(.tabs, "a,b\t\"c\td\"\n", 2, [["a,b", "c\td"]]),
    Case(.unquoted, "\"a,b\"\n\"c,d\n", 2, [["\"a", "b\""], ["\"c", "d"]]),
    Case(.unquoted, "\0a,\0\n", 2, [["\0a", "\0"]]),
    Case(.unquoted, "\"a\"\rb,c\r\n", 2, [["\"a\"\rb", "c"]]),
    Case(.apostrophes, "'a;b';\"c\n'd''e';f\n", 2, [["a;b", "\"c"], ["d'e", "f"]]),
    Case(.escaping, "\"a\\\"b\",\"c\\\\\"\n", 2, [["a\"b", "c\\"]]),
    Case(.escaping, "\"a\\,\\\n\",\\\"b\n", 2, [["a,\n", "\\\"b"]]),
    Case(.escaping, "\\,\\\n", 2, [["\\", "\\"]]),
    Case(.escaping, "\"a\"\"b\"\n", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case(.escaping, "\"a\\\"", 1, [], SLUICE_ERROR_UNCLOSED_QUOTE, at: 0),
    Case(.escaping, "\"a\\", 1, [], SLUICE_ERROR_UNCLOSED_QUOTE, at: 0),
    Case(.escapingLenient, "\"a\"\"b\\\",c\n", 2, [["a\"b\\\"", "c"]]),
    Case(.escaping, "\"\",\"\"\n\"a\",\"\\\"\"\n", 2, [["", ""], ["a", "\""]]),
    Case(.escaping, "\"\"\"\"\n", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 2),
    Case(.escapingApostrophes, "'a^'b'|'^^'\n^|'^|^\n'\n", 2, [["a'b", "^"], ["^", "|\n"]]),
    Case(.selfEscaping, "\"a\"\"b\",c\n", 2, [["a\"b", "c"]]),
    Case(.returns, "a,b\rc,d\r", 2, [["a", "b"], ["c", "d"]]),
    Case(.returns, "a,b\r\r\rc,d", 2, [["a", "b"], ["c", "d"]], skipped: 2),
    Case(.returns, "a\n,\"b\r\n\"\r\nc,\r", 2, [["a\n", "b\r\n"], ["\nc", ""]]),
    Case(.returns, "\"a\"\n\r", 1, [], SLUICE_ERROR_TEXT_AFTER_QUOTE, at: 3),
    Case(.returnsLenient, "\"a\"\n,b\r", 2, [["a\n", "b"]]),

    // Comments.
    Case(.comments, "#a\nb,c\n", 2, [["b", "c"]], skipped: 1),
    Case(.comments, "#\n#\"\n# a,b,c\r\nb,c\n#", 2, [["b", "c"]], skipped: 4),
    Case(.comments, "b,#c\n#b,c\n\n\"#\",d#\n", 2, [["b", "#c"], ["#", "d#"]], skipped: 2),
    Case(.comments, "\"a\n#b\",c\n#\"\n\"#\n\",#\n", 2, [["a\n#b", "c"], ["#\n", "#"]], skipped: 1),
    Case(.comments, "a\r\n#\r\rb\r\n#", 1, [["a"]], skipped: 2),
    Case(.comments, "#\(long)\"\(long)\r\n\(long)\r\n#\(long)", 1, [[long]], skipped: 2),
    Case(.comments, "#a\n\"b", 1, [], skipped: 1, SLUICE_ERROR_UNCLOSED_QUOTE, at: 3),
    Case(.comments, " #a,b\n#\nc\n", 2, [[" #a", "b"]], skipped: 1, SLUICE_ERROR_RAGGED_RECORD, at: 8, fields: 1),
    Case(.standard, "#a,b\n", 2, [["#a", "b"]]),
    Case(.commentsLenient, "\"a\"b,\"\\\"\n;\"\n;\",c\n", 2, [["ab", "\"\n;"]], skipped: 1),
    Case(
        .commentsUnquoted, "\"\t#\n#\"\n\"\n\tx\n", 2, [["\"", "#"]], skipped: 1, SLUICE_ERROR_RAGGED_RECORD, at: 7,
        fields: 1),
    Case(.commentsPad, "a\n#\nb,c\n#d", 2, [["a", nil], ["b", "c"]], skipped: 2),
    Case(.commentsReturns, "#a\n\"\rb\n#,\"c\r#\"\r#", 2, [["b\n#", "c\r#"]], skipped: 2),

    // Ragged records.
    Case("a,b\nc\n", 2, [["a", "b"]], SLUICE_ERROR_RAGGED_RECORD, at: 4, fields: 1),
    Case("a,b\nc,d,e\n", 2, [["a", "b"]], SLUICE_ERROR_RAGGED_RECORD, at: 4, fields: 3),
    Case("a,b\nc,d,e", 2, [["a", "b"]], SLUICE_ERROR_RAGGED_RECORD, at: 4, fields: 3),
    Case("a,b\n\n\r\nc\r\n", 2, [["a", "b"]], skipped: 2, SLUICE_ERROR_RAGGED_RECORD, at: 7, fields: 1),
    Case("a,b,\"c\nd\"\n", 2, [], SLUICE_ERROR_RAGGED_RECORD, at: 0, fields: 3),
    Case("a\nb,c,d\n", 2, [], SLUICE_ERROR_RAGGED_RECORD, at: 0, fields: 1),
    Case("a,b,c\nd\n", 2, [], SLUICE_ERROR_RAGGED_RECORD, at: 0, fields: 3),
    Case(",\n,,\n", 2, [["", ""]], SLUICE_ERROR_RAGGED_RECORD, at: 2, fields: 3),
    Case(.pad, "a\nb,c\n,\n\"d\"\r\n", 3, [["a", nil, nil], ["b", "c", nil], ["", "", nil], ["d", nil, nil]]),
    Case(.pad, "a,b,c,d\n", 3, [], SLUICE_ERROR_RAGGED_RECORD, at: 0, fields: 4),
    Case(.pad, "\n\na", 2, [["a", nil]], skipped: 2),
    Case(.truncate, "a\nb,c\nd,e,f,g,\"h\nh\"\r\n", 2, [["a", nil], ["b", "c"], ["d", "e"]]),
    Case(.truncate, "a,b,c", 1, [["a"]]),
    Case(.truncate, "a,b,", 2, [["a", "b"]]),
]

// MARK: running

private let kernels = kernelNames

// Everything of a scanner that counts.
private struct Place: Equatable {
    var status: Int32
    var numbers: [UInt32]

    init(_ status: sluice_status, _ s: sluice_csv_scanner) {
        self.status = Int32(status.rawValue)
        // Kernels need not keep up where the last quoted field began once it can no longer go on.
        let isOpen = [SLUICE_CSV_QUOTED, SLUICE_CSV_QUOTE, SLUICE_CSV_QUOTED_ESCAPE].contains(
            sluice_csv_state(UInt32(s.state)))
        numbers = [
            s.position, s.record_start, s.record_end, s.records, s.skipped, s.fields, isOpen ? s.quote_start : 0,
            UInt32(s.state),
            s.error_offset, s.error_fields,
        ]
    }
}

// One scan of an input in pieces: where the scanner stood behind each, and the index.
private struct Scan {
    var status = SLUICE_NEED_INPUT
    var scanner = sluice_csv_scanner()
    var places: [Place] = []
    var ends: [UInt32] = []
    var starts: [UInt32] = []
    var flags: UInt32 = 0

    init(_ dialect: Dialect, columns: Int) {
        scanner.dialect = dialect.c
        scanner.columns = UInt32(columns)
    }

    // The entries that are in use.
    var used: Int {
        Int(scanner.records) * Int(scanner.columns) + Int(min(scanner.fields, scanner.columns))
    }

    func isSame(as other: Scan) -> Bool {
        places == other.places && ends.prefix(used) == other.ends.prefix(used)
            && starts.prefix(Int(scanner.records)) == other.starts.prefix(Int(scanner.records))
    }

    func rows(of bytes: [UInt8]) -> [[String?]] {
        let columns = Int(scanner.columns)
        return (0..<Int(scanner.records)).map { row in
            (0..<columns).map { column in
                let start = column == 0 ? starts[row] : ends[row * columns + column - 1] + 1
                let end = ends[row * columns + column]
                return end < start ? nil : content(Array(bytes[Int(start)..<Int(end)]), scanner.dialect)
            }
        }
    }
}

private func content(_ field: [UInt8], _ dialect: sluice_csv_dialect) -> String {
    var dialect = dialect
    var out = [UInt8](repeating: 0, count: field.count + 1)
    let measured = sluice_csv_field_content(field, field.count, &dialect, nil)
    let written = sluice_csv_field_content(field, field.count, &dialect, &out)
    #expect(measured == written && written <= field.count)
    var same = [UInt8](repeating: 0, count: field.count)
    var span = same.mutableSpan
    let swift = csvFieldContent(field.span, CSVGrammar(dialect), out: &span)
    #expect(swift == written && same.prefix(swift) == out.prefix(written))
    return String(decoding: out.prefix(written), as: UTF8.self)
}

// Entries behind the capacity of an index array, which must stay as they are.
private let untouched = [UInt32](repeating: 0xDEAD_BEEF, count: 70)

extension [UInt32] {
    fileprivate mutating func grow(by room: Int) {
        insert(contentsOf: [UInt32](repeating: 0, count: room), at: count - untouched.count)
    }

    fileprivate var isUntouchedBehind: Bool {
        withUnsafeBytes { memcmp($0.baseAddress! + 4 * (count - untouched.count), untouched, 4 * untouched.count) == 0 }
    }
}

// Scans up to each of `cuts`, the last of which ends the input if `final`. Starts with arrays of `room` entries and
// `rowRoom` rows, and lets both grow by as much whenever one is full.
private func index(
    _ kernel: String, _ dialect: Dialect, columns: Int, _ input: [UInt8], cuts: [Int], final: Bool = true,
    room: Int = 1024, rowRoom: Int = 1024
) -> Scan {
    let function = kernelNamed(kernel)!.pointee.csv_index!
    let padded = input + [UInt8](repeating: UInt8(ascii: "\""), count: Int(SLUICE_PADDING))
    var scan = Scan(dialect, columns: columns)
    scan.ends = [UInt32](repeating: 0, count: room) + untouched
    scan.starts = [UInt32](repeating: 0, count: rowRoom) + untouched
    for (number, cut) in cuts.enumerated() {
        let isLast = final && number == cuts.count - 1
        repeat {
            if scan.status == SLUICE_INDEX_FULL {
                scan.ends.grow(by: room)
                scan.starts.grow(by: rowRoom)
            }
            scan.status = scan.ends.withUnsafeMutableBufferPointer { ends in
                scan.starts.withUnsafeMutableBufferPointer { starts in
                    var index = sluice_csv_index(
                        ends: ends.baseAddress, row_starts: starts.baseAddress,
                        ends_capacity: UInt32(ends.count - untouched.count),
                        rows_capacity: UInt32(starts.count - untouched.count), flags: scan.flags)
                    defer { scan.flags = index.flags }
                    return function(&scan.scanner, padded, cut, isLast, &index)
                }
            }
            scan.places.append(Place(scan.status, scan.scanner))
        } while scan.status == SLUICE_INDEX_FULL
        if scan.status != SLUICE_NEED_INPUT { break }
    }
    if !scan.ends.isUntouchedBehind || !scan.starts.isUntouchedBehind {
        Issue.record("\(kernel) wrote behind an array")
    }
    return scan
}

private func cut(
    _ kernel: String, _ dialect: Dialect, _ input: [UInt8], cuts: [Int], final: Bool = true, records: UInt32 = .max
) -> Scan {
    let function = kernelNamed(kernel)!.pointee.csv_cut!
    let padded = input + [UInt8](repeating: UInt8(ascii: "\""), count: Int(SLUICE_PADDING))
    var scan = Scan(dialect, columns: 0)
    for (number, cut) in cuts.enumerated() {
        scan.status = function(&scan.scanner, padded, cut, final && number == cuts.count - 1, records)
        scan.places.append(Place(scan.status, scan.scanner))
        if scan.status != SLUICE_NEED_INPUT { break }
    }
    return scan
}

// Holds a scan against what the table says.
private func expect(_ scan: Scan, _ expected: Case, _ how: @autoclosure () -> String) {
    let scanner = scan.scanner
    let same =
        scan.status == expected.status && scan.rows(of: expected.input) == expected.rows
        && scanner.skipped == expected.skipped && scanner.error_offset == expected.offset
        && scanner.error_fields == expected.fields
    if !same {
        Issue.record(
            "\(how()): \(scan.places.last!), \(scan.rows(of: expected.input)) of \(expected.testDescription)")
    }
    if expected.status == SLUICE_OK {
        #expect(
            scanner.position == expected.input.count && scanner.state == 0 && scanner.record_end == scanner.position)
    }
}

// Holds a cut against the table, which cannot know of ragged records.
private func expectCut(_ scan: Scan, _ expected: Case, _ how: @autoclosure () -> String) {
    let scanner = scan.scanner
    guard expected.status != SLUICE_ERROR_RAGGED_RECORD else { return #expect(scan.status == SLUICE_OK) }
    let same =
        scan.status == expected.status && scanner.records == expected.rows.count
        && scanner.skipped == expected.skipped && scanner.error_offset == expected.offset
    if !same { Issue.record("cut, \(how()): \(scan.places.last!) of \(expected.testDescription)") }
}

// MARK: the table

@Test("every case means what the table says, at every place in a block, whole and byte by byte", arguments: cases)
private func tableWholeAndByteByByte(_ original: Case) {
    for shift in 0...70 {
        let shifted = original.shifted(by: shift)
        for one in [shifted, shifted.continued()].compactMap({ $0 }) {
            for cuts in [[one.input.count], Array(0...one.input.count)] {
                for kernel in kernels {
                    expect(
                        index(kernel, one.dialect, columns: one.columns, one.input, cuts: cuts), one,
                        "\(kernel), shifted by \(shift), \(cuts.count) calls")
                    expectCut(
                        cut(kernel, one.dialect, one.input, cuts: cuts), one,
                        "\(kernel), shifted by \(shift), \(cuts.count) calls")
                }
            }
        }
    }
}

@Test("every case may be cut anywhere", arguments: cases)
private func tableCutAnywhere(_ original: Case) {
    for shift in [0, 1, 61, 64] {
        let shifted = original.shifted(by: shift)
        let one = shifted.continued() ?? shifted
        for place in 0...one.input.count {
            let cuts = [place, one.input.count]
            let definition = index("scalar", one.dialect, columns: one.columns, one.input, cuts: cuts)
            expect(definition, one, "scalar, cut at \(place)")
            for kernel in kernels {
                let scan = index(kernel, one.dialect, columns: one.columns, one.input, cuts: cuts)
                #expect(scan.isSame(as: definition), "\(kernel), cut at \(place)")
                #expect(
                    cut(kernel, one.dialect, one.input, cuts: cuts).places
                        == cut("scalar", one.dialect, one.input, cuts: cuts).places)
            }
        }
    }
}

@Test("a full index is no more than a pause", arguments: cases)
private func tableWithSmallArrays(_ original: Case) {
    for shift in [0, 40] {
        let shifted = original.shifted(by: shift)
        let one = shifted.continued() ?? shifted
        for room in [1, 2, 5, 70] {
            for kernel in kernels {
                let scan = index(
                    kernel, one.dialect, columns: one.columns, one.input, cuts: [one.input.count], room: room)
                expect(scan, one, "\(kernel), room for \(room)")
                let definition = index(
                    "scalar", one.dialect, columns: one.columns, one.input, cuts: [one.input.count], room: room)
                #expect(scan.isSame(as: definition))
            }
        }
    }
}

@Test("an error stays the same error when asked again")
func errorsStay() {
    for one in cases where one.status != SLUICE_OK {
        for kernel in kernels {
            let end = one.input.count
            let first = index(kernel, one.dialect, columns: one.columns, one.input, cuts: [end])
            var scanner = first.scanner
            var ends = [UInt32](repeating: 0, count: 200)
            var starts = ends
            ends.withUnsafeMutableBufferPointer { ends in
                starts.withUnsafeMutableBufferPointer { starts in
                    var index = sluice_csv_index(
                        ends: ends.baseAddress, row_starts: starts.baseAddress, ends_capacity: 100, rows_capacity: 100,
                        flags: 0)
                    let status = kernelNamed(kernel)!.pointee.csv_index(
                        &scanner, one.input + [UInt8](repeating: 0, count: 64), end, true, &index)
                    #expect(Place(status, scanner) == first.places.last)
                }
            }
        }
    }
}

// MARK: cut

@Test("the cut stops just behind the record asked for")
func cutStopsExactly() {
    let plain = (0..<60).map { "\($0),abc\n" }.joined()
    let quoted = (0..<40).map { "\($0),\"a\n\"\"b,\"\r\n\n" }.joined()
    for input in [plain, quoted].map({ Array($0.utf8) }) {
        let all = cut("scalar", .standard, input, cuts: [input.count])
        for kernel in kernels {
            for count in 0...all.scanner.records + 1 {
                let scan = cut(kernel, .standard, input, cuts: [input.count], records: count)
                #expect(scan.places == cut("scalar", .standard, input, cuts: [input.count], records: count).places)
                #expect(scan.status == SLUICE_OK && scan.scanner.records == min(count, all.scanner.records))
                let head = index("scalar", .standard, columns: 2, input, cuts: [Int(scan.scanner.position)])
                #expect(head.status == SLUICE_OK && head.scanner.records == scan.scanner.records)
                if count > 0, count <= all.scanner.records {
                    #expect(
                        scan.scanner.record_end == scan.scanner.position && input[Int(scan.scanner.position) - 1] == 10)
                }
            }
        }
    }
}

@Test("cut and index agree on records, also on random ones")
func cutAgreesWithIndex() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<4000 {
        var dialect = Dialect.all[random.below(Dialect.all.count)]
        dialect.ragged = SLUICE_CSV_RAGGED_TRUNCATE
        let input = randomBytes(&random, length: random.below(300))
        let cuts = randomCuts(&random, input.count)
        for kernel in kernels {
            let records = cut(kernel, dialect, input, cuts: cuts)
            let fields = index(kernel, dialect, columns: 1, input, cuts: cuts)
            var indexed = fields.places
            for place in indexed.indices { indexed[place].numbers[5] = 0 }
            #expect(records.places == indexed)
        }
    }
}

// MARK: flags

@Test(
    "flags never miss what is there",
    arguments: [
        ("a,b\n", 0), ("a,\"b\"\n", SLUICE_HAS_QUOTE), ("a,\\\n", SLUICE_HAS_ESCAPE), ("a,\u{1}\n", SLUICE_HAS_ESCAPE),
        ("a,\u{1F}\n", SLUICE_HAS_ESCAPE), ("a,\0\n", SLUICE_HAS_ESCAPE), ("a,\t\n", SLUICE_HAS_ESCAPE),
        ("a\rb,c\n", SLUICE_HAS_ESCAPE), ("a,b\r\r\n", SLUICE_HAS_ESCAPE), ("a,b\r", SLUICE_HAS_ESCAPE), ("a,b\r\n", 0),
        ("a, ~\u{7F}\n", 0), ("a,é\n", SLUICE_HAS_NON_ASCII), ("a,\"b\n\"\n", SLUICE_HAS_QUOTE),
        ("\"\t\",b\n", SLUICE_HAS_QUOTE | SLUICE_HAS_ESCAPE), ("a\"b,c\n", SLUICE_HAS_QUOTE),
    ])
func flags(_ input: String, _ expected: UInt32) {
    for kernel in kernels {
        for shift in 0...70 {
            let one = Case(input, 2, []).shifted(by: shift)
            let scans = [one, one.continued() ?? one].map {
                index(kernel, .standard, columns: 2, $0.input, cuts: [$0.input.count])
            }
            for scan in scans { #expect(scan.flags == expected, "\(kernel), shifted by \(shift)") }
        }
    }
}

@Test("a tab that delimits is no control byte, a tab inside quotes is one")
func tabsAsDelimiters() {
    let outside = Array(String(repeating: "a\tb\n", count: 40).utf8)
    let inside = outside + Array("\"a\tb\"\tc\n".utf8) + outside
    for kernel in kernels {
        #expect(index(kernel, .tabs, columns: 2, outside, cuts: [outside.count]).flags == 0)
        let flags = index(kernel, .tabs, columns: 2, inside, cuts: [inside.count]).flags
        #expect(flags == SLUICE_HAS_QUOTE | SLUICE_HAS_ESCAPE)
    }
}

@Test("a quote of JSON's that is none of the dialect's must be escaped")
func otherQuotes() {
    let input = Array((String(repeating: "a;b\n", count: 40) + "a;b\"\n" + String(repeating: "a;b\n", count: 40)).utf8)
    for kernel in kernels {
        let flags = index(kernel, .apostrophes, columns: 2, input, cuts: [input.count]).flags
        #expect(flags == SLUICE_HAS_ESCAPE)
    }
}

@Test("records that lack fields are flagged, comments flag nothing")
func absentFields() {
    for kernel in kernels {
        let regular = Array(String(repeating: "a,b\n", count: 40).utf8)
        let flags = { (odd: String) in
            let input = regular + Array(odd.utf8) + regular
            return index(kernel, .commentsPad, columns: 2, input, cuts: [input.count]).flags
        }
        #expect(flags("") == 0 && flags("a\n") == SLUICE_HAS_ABSENT)
        #expect(flags("#\n") & SLUICE_HAS_ABSENT == 0)
    }
}

@Test("an LF that ends no record, where records end at CR, must be escaped")
func newlineAmongReturns() {
    let input = Array((String(repeating: "a,b\r", count: 40) + "a\nb,c\r" + String(repeating: "a,b\r", count: 40)).utf8)
    for kernel in kernels {
        #expect(index(kernel, .returns, columns: 2, input, cuts: [input.count]).flags & SLUICE_HAS_ESCAPE != 0)
    }
}

// MARK: random

extension SplitMix64 {
    fileprivate mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

// Bytes that mean something to some dialect.
private func randomBytes(_ random: inout SplitMix64, length: Int) -> [UInt8] {
    let alphabet: [UInt8] = Array("aab,,;\t\"\"\"'\n\n\r\\#^|".utf8) + [0x80, 0]
    return (0..<length).map { _ in alphabet[random.below(alphabet.count)] }
}

// Records as a well-behaved writer makes them, and now and then one as no writer should.
private func randomRecords(_ random: inout SplitMix64, _ dialect: Dialect, columns: Int, length: Int) -> [UInt8] {
    let quote = UInt8(ascii: dialect.quote)
    let escape = UInt8(ascii: dialect.escape)
    let tidiness = [30, 300, 100_000][random.below(3)]
    var bytes: [UInt8] = []
    while bytes.count < length {
        let fields = random.below(tidiness) == 0 ? random.below(columns + 3) : columns
        for field in 0..<fields {
            if field > 0 { bytes.append(UInt8(ascii: dialect.delimiter)) }
            let text = (0..<random.below(random.below(10) == 0 ? 150 : 12)).map { _ in UInt8(97 + random.below(20)) }
            guard quote != 0, random.below(3) == 0 else {
                bytes += text
                continue
            }
            bytes.append(quote)
            for byte in text {
                switch random.below(24) {
                case 0: bytes += [escape == 0 ? quote : escape, quote]
                case 1: bytes.append(UInt8(ascii: dialect.delimiter))
                case 2: bytes += [13, 10]
                case 3: bytes.append(10)
                default: bytes.append(byte)
                }
            }
            bytes.append(quote)
            if random.below(tidiness) == 0 { bytes += randomBytes(&random, length: 1) }
        }
        if dialect.carriageReturn {
            bytes.append(13)
        } else {
            bytes += random.below(3) == 0 ? [13, 10] : [10]
        }
        if random.below(tidiness) == 0 { bytes += randomBytes(&random, length: 2) }
        if dialect.comment != "\0", random.below(tidiness) == 0 {
            bytes += [UInt8(ascii: dialect.comment)] + randomBytes(&random, length: random.below(100))
            bytes.append(dialect.carriageReturn ? 13 : 10)
        }
    }
    return bytes
}

// The whole at once, or pieces of any size.
private func randomCuts(_ random: inout SplitMix64, _ length: Int) -> [Int] {
    guard random.below(3) != 0 else { return [length] }
    let step = [3, 80, 400][random.below(3)]
    var cuts: [Int] = []
    while (cuts.last ?? 0) < length { cuts.append(min(length, (cuts.last ?? 0) + random.below(step) + 1)) }
    return cuts.isEmpty ? [length] : cuts
}

@Test("every kernel agrees with the scalar machine on random bytes and records", arguments: 0..<12)
func randomAgreement(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<700 {
        var dialect = Dialect.all[random.below(Dialect.all.count)]
        dialect.ragged = sluice_csv_ragged(rawValue: UInt32(random.below(3)))
        let columns = random.below(5) + 1
        let input =
            random.below(3) == 0
            ? randomBytes(&random, length: random.below(400))
            : randomRecords(&random, dialect, columns: columns, length: random.below(3000))
        let cuts = randomCuts(&random, input.count)
        let final = random.below(4) != 0
        let room = [7, 300, 4000][random.below(3)]
        let rowRoom = [3, 40, 1000][random.below(3)]
        let records = random.below(2) == 0 ? UInt32.max : UInt32(random.below(50))

        let definition = index(
            "scalar", dialect, columns: columns, input, cuts: cuts, final: final, room: room, rowRoom: rowRoom)
        let cutDefinition = cut("scalar", dialect, input, cuts: cuts, final: final, records: records)
        for kernel in kernels {
            let scan = index(
                kernel, dialect, columns: columns, input, cuts: cuts, final: final, room: room, rowRoom: rowRoom)
            #expect(scan.isSame(as: definition), "\(kernel) indexes otherwise")
            #expect(definition.flags & ~scan.flags == 0, "\(kernel) misses a flag")
            let cutScan = cut(kernel, dialect, input, cuts: cuts, final: final, records: records)
            #expect(cutScan.places == cutDefinition.places, "\(kernel) cuts otherwise")
        }
    }
}

@Test("one odd record in a long regular input is found wherever it stands")
func oddRecordAnywhere() {
    let odd = ["", "x\n", "x,y,z\n", "\"a\"b,c\n", "a\"b,c\n", "\n", "\r\n", "a\rb,c\n", "\"\"\"\n\",b\n", "\"a"]
    for (number, text) in odd.enumerated() {
        for before in stride(from: 0, to: 1200, by: 29) {
            let regular = { (count: Int) in Array((0..<count).map { "\($0),abc\n" }.joined().utf8) }
            let input = regular(before) + Array(text.utf8) + regular(1200 - before)
            var dialect = Dialect.standard
            dialect.ragged = before % 2 == 0 ? SLUICE_CSV_RAGGED_ERROR : SLUICE_CSV_RAGGED_TRUNCATE
            let definition = index("scalar", dialect, columns: 2, input, cuts: [input.count])
            for kernel in kernels {
                let scan = index(kernel, dialect, columns: 2, input, cuts: [input.count])
                #expect(scan.isSame(as: definition), "\(kernel), odd record \(number) behind \(before)")
            }
        }
    }
}

// MARK: the first record

private struct Header: Sendable {
    var dialect = Dialect.standard
    var input: String
    var fields: [String]
    var position: Int
    var returns = false
    var status = SLUICE_OK

    init(
        _ input: String, _ fields: [String], _ position: Int, _ dialect: Dialect = .standard, returns: Bool = false,
        _ status: sluice_status = SLUICE_OK
    ) {
        (self.input, self.fields, self.position, self.dialect) = (input, fields, position, dialect)
        (self.returns, self.status) = (returns, status)
    }
}

/// Reads it with C, and expects the same of Swift.
private func firstRecord(
    _ header: Header, length: Int, final: Bool, capacity: Int = 8
) -> (status: sluice_status, scanner: sluice_csv_scanner, fields: [String]) {
    let bytes = Array(header.input.utf8) + [UInt8](repeating: 10, count: Int(SLUICE_PADDING))
    var scanner = Scan(header.dialect, columns: 0).scanner
    var swiftScanner = scanner
    var ends = [UInt32](repeating: 0, count: capacity)
    var swiftEnds = ends
    var count: UInt32 = 0
    var start: UInt32 = 0
    let status = sluice_csv_first_record(
        &scanner, bytes, length, final, &ends, UInt32(capacity), &count, &start)
    var span = swiftEnds.mutableSpan
    let swift = csvFirstRecord(&swiftScanner, bytes.span.extracting(first: length), final: final, ends: &span)
    #expect(swift.status == status && Place(status, swiftScanner) == Place(status, scanner))
    if status == SLUICE_OK && scanner.records > 0 {
        #expect(
            swift.fields == count && swift.start == start && swiftEnds.prefix(swift.fields) == ends.prefix(Int(count)))
    }
    guard status == SLUICE_OK else { return (status, scanner, []) }
    let starts = [start] + ends.prefix(Int(count)).map { $0 + 1 }
    let fields = (0..<Int(count)).map { content(Array(bytes[Int(starts[$0])..<Int(ends[$0])]), scanner.dialect) }
    return (status, scanner, fields)
}

@Test(
    "the first record is read alone, and tells how records end",
    arguments: [
        Header("a,b\n1,2\n", ["a", "b"], 4),
        Header("a,b\r\n1,2\r\n", ["a", "b"], 5),
        Header("a,b\r1,2\r", ["a", "b"], 4, returns: true),
        Header("a,b\r", ["a", "b"], 4, returns: true),
        Header("a,b", ["a", "b"], 3),
        Header("a,b\r\r\n", ["a", "b"], 4, returns: true),
        Header("\n\r\n a\n", [" a"], 6),
        Header("\r\ra,b\rc", ["a", "b"], 6, returns: true),
        Header("\na\rb\n", ["a\rb"], 5),
        Header("\"a\rb\",c\r1", ["a\rb", "c"], 8, returns: true),
        Header("\"a\"\rb", ["a"], 4, returns: true),
        Header("\"a\n\"\"b\",,\n", ["a\n\"b", "", ""], 10),
        Header("", [], 0),
        Header("\n\n", [], 2),
        Header("\"\"\n", [""], 3),
        Header("a\rb\rc", ["a"], 2, .returns, returns: true),
        Header("a\tb,c\n", ["a", "b,c"], 6, .tabs),
        Header("#a\n#\nb,c\n", ["b", "c"], 9, .comments),
        Header("#a\r#\nb\rb,c\rd", ["b", "c"], 11, .comments, returns: true),
        Header("#a\r\n\r\nb,c\r\n", ["b", "c"], 11, .comments),
        Header("#a\n#b", [], 5, .comments),
        Header("#a\r", [], 3, .comments, returns: true),
        Header("\"a", [], 0, .standard, SLUICE_ERROR_UNCLOSED_QUOTE),
        Header("\"a\"b\n", [], 0, .standard, SLUICE_ERROR_TEXT_AFTER_QUOTE),
        Header("\"a\"b\n", ["ab"], 5, .lenient),
        Header("a,b,c,d,e,f,g,h,i\n", [], 0, .standard, SLUICE_INDEX_FULL),
    ])
private func firstRecords(_ header: Header) {
    let length = header.input.utf8.count
    let found = firstRecord(header, length: length, final: true)
    #expect(found.status == header.status && found.fields == header.fields)
    guard header.status == SLUICE_OK else { return }
    #expect(found.scanner.position == header.position && (found.scanner.dialect.carriage_return == 1) == header.returns)
    #expect(found.scanner.records == (header.fields.isEmpty ? 0 : 1))
    for short in 0...length {
        let early = firstRecord(header, length: short, final: false)
        if early.status == SLUICE_OK {
            #expect(early.fields == header.fields && early.scanner.position == header.position)
        } else {
            #expect(early.status == SLUICE_NEED_INPUT && early.scanner.position == 0 && short <= header.position)
        }
    }
}

@Test("the first record may stand behind a byte order mark")
func firstRecordBehindMark() {
    var scanner = Scan(.standard, columns: 0).scanner
    scanner.position = 3
    var ends = [UInt32](repeating: 0, count: 4)
    var fields: UInt32 = 0
    var start: UInt32 = 0
    let bytes = Array("\u{FEFF}a,b\n".utf8) + [UInt8](repeating: 0, count: 64)
    #expect(sluice_csv_first_record(&scanner, bytes, 7, true, &ends, 4, &fields, &start) == SLUICE_OK)
    #expect(fields == 2 && start == 3 && ends[0] == 4 && ends[1] == 6 && scanner.position == 7)
}

// MARK: content

@Test(
    "the content of a field is what was quoted",
    arguments: [
        ("", ""), ("a", "a"), ("a\"\"b", "a\"\"b"), ("\"\"", ""), ("\"a\"", "a"), ("\"a\"\"b\"", "a\"b"),
        ("\"\"\"\"", "\""), ("\"\"\"\"\"\"", "\"\""), ("\"a\"b", "ab"), ("\"a\"b\"c\"", "ab\"c\""), ("\"\\n\"", "\\n"),
        ("\"a\r\nb\"", "a\r\nb"),
    ])
func fieldContent(_ field: String, _ expected: String) {
    #expect(content(Array(field.utf8), Dialect.standard.c) == expected)
    #expect(content(Array(field.utf8), Dialect.unquoted.c) == field)
}

@Test(
    "an escape byte stands for the byte behind it, inside quotes only",
    arguments: [
        ("\"a\\\"b\"", "a\"b"), ("\"\\\\\"", "\\"), ("\"\\n\"", "n"), ("\\\"a", "\\\"a"), ("\"a\"\"b", "a\"b"),
    ])
func escapedContent(_ field: String, _ expected: String) {
    #expect(content(Array(field.utf8), Dialect.escaping.c) == expected)
}

@Test("a cell is null if it is one of the texts that say so, byte by byte")
func nullTexts() {
    let texts = ["NULL", "", "N/A"].map { Array($0.utf8) }
    for (cell, isNull) in [
        ("NULL", true), ("", true), ("N/A", true), ("NUL", false), ("null", false), ("NULLS", false),
    ] {
        let bytes = Array(cell.utf8)
        texts[0].withUnsafeBufferPointer { first in
            texts[2].withUnsafeBufferPointer { third in
                let starts = [first.baseAddress, first.baseAddress, third.baseAddress]
                let lengths: [UInt32] = [4, 0, 3]
                starts.withUnsafeBufferPointer { starts in
                    lengths.withUnsafeBufferPointer { lengths in
                        var nulls = sluice_csv_nulls(
                            texts: starts.baseAddress, lengths: lengths.baseAddress, count: 3)
                        #expect(sluice_csv_is_null(&nulls, bytes, bytes.count) == isNull)
                        let swift = csvIsNull(nulls, bytes.span)
                        #expect(swift == isNull)
                        nulls.count = 0
                        let never = csvIsNull(nulls, bytes.span)
                        #expect(!never)
                    }
                }
            }
        }
    }
}

// MARK: csv-spectrum

// The files of csv-spectrum, where the checkout stands beside them.
private let spectrum: [String] = {
    let files = try? FileManager.default.contentsOfDirectory(atPath: spectrumFolder + "/csvs")
    return (files ?? []).filter { $0.hasSuffix(".csv") }.sorted()
}()

private let spectrumFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("../shared/conformance/csv-spectrum").standardized.path

@Test("csv-spectrum is read as its JSON says", arguments: spectrum)
func csvSpectrum(_ file: String) throws {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(spectrumFolder)/csvs/\(file)")))
    let name = file.dropLast(4)
    let json = try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: "\(spectrumFolder)/json/\(name).json")))
    var expected = try json as? [[String: String]] ?? [#require(json as? [String: String])]
    if file == "location_coordinates.csv" {
        // A known slip of the suite: its JSON has another phone number than its CSV.
        expected[0]["Contact Phone Number"] = "2095257564"
    }

    let header = Header(String(decoding: bytes, as: UTF8.self), [], 0)
    let names = firstRecord(header, length: bytes.count, final: true).fields
    for kernel in kernels {
        let scan = index(kernel, .standard, columns: names.count, bytes, cuts: [bytes.count])
        #expect(scan.status == SLUICE_OK)
        let rows = scan.rows(of: bytes).dropFirst().map { row in
            Dictionary(uniqueKeysWithValues: zip(names, row.map { $0 ?? "absent" }))
        }
        #expect(rows == expected)
    }
}
