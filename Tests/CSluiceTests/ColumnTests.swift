// Columns of numbers: what C's functions and Swift's make of the cells of a CSV index.

import CSluice
import SwiftKernel
import TestSupport
import Testing

/// An index of these cells; nil: absent. No cell has a quote within quotes.
private struct Cells {
    var bytes: [UInt8] = []
    var ends: [UInt32] = []
    var starts: [UInt32] = []
    var columns: Int

    init(_ rows: [[String?]]) {
        columns = rows[0].count
        for row in rows {
            starts.append(UInt32(bytes.count))
            for cell in row {
                ends.append(UInt32(cell.map { bytes.count + $0.utf8.count } ?? bytes.count - 1))
                if let cell { bytes += Array("\(cell),".utf8) }
            }
        }
        bytes += Array(repeating: UInt8(ascii: "9"), count: Int(SLUICE_PADDING))
    }

    /// What one of the functions makes of a column: nil where that is nothing.
    func read<Number: AdditiveArithmetic>(
        _ column: Int, firstRow: Int, slots: [UInt32]?, count: Int, quote: UInt8, garbage: Number,
        by function: (UnsafePointer<sluice_csv_column>, UnsafeMutablePointer<Number>, UnsafeMutablePointer<UInt8>) ->
            Void
    ) -> [Number?] {
        var values = [Number](repeating: garbage, count: count)
        var valid = [UInt8](repeating: 7, count: count)
        bytes.withUnsafeBufferPointer { bytes in
            ends.withUnsafeBufferPointer { ends in
                starts.withUnsafeBufferPointer { starts in
                    (slots ?? [0]).withUnsafeBufferPointer { wanted in
                        var layout = sluice_csv_column(
                            bytes: bytes.baseAddress, ends: ends.baseAddress, row_starts: starts.baseAddress,
                            columns: UInt32(columns), column: UInt32(column), quote: quote,
                            first_row: UInt32(firstRow), slots: slots == nil ? nil : wanted.baseAddress,
                            count: UInt32(count))
                        function(&layout, &values, &valid)
                    }
                }
            }
        }
        return zip(values, valid).map { value, valid in
            #expect(valid == 1 || (valid == 0 && value == .zero))
            return valid == 1 ? value : nil
        }
    }

    /// C's answer and Swift's, for integers and for doubles.
    func expect(
        _ integers: [Int64?]? = nil, _ doubles: [Double?]? = nil, column: Int, firstRow: Int = 0,
        slots: [UInt32]? = nil, count: Int, quote: UInt8 = UInt8(ascii: "\"")
    ) {
        let c = read(
            column, firstRow: firstRow, slots: slots, count: count, quote: quote, garbage: -1,
            by: sluice_csv_column_int64)
        let swift = read(
            column, firstRow: firstRow, slots: slots, count: count, quote: quote, garbage: -1, by: csvColumnInt64)
        #expect(c == swift)
        if let integers { #expect(swift == integers) }

        let cDoubles = read(
            column, firstRow: firstRow, slots: slots, count: count, quote: quote, garbage: -1,
            by: sluice_csv_column_double)
        let swiftDoubles = read(
            column, firstRow: firstRow, slots: slots, count: count, quote: quote, garbage: -1, by: csvColumnDouble)
        #expect(cDoubles.map { $0?.bitPattern } == swiftDoubles.map { $0?.bitPattern })
        if let doubles { #expect(swiftDoubles == doubles) }
    }
}

/// A cell, and what it is as an integer and as a double.
private let cells: [(String?, Int64?, Double?)] = [
    ("0", 0, 0),
    ("7", 7, 7),
    ("-7", -7, -7),
    ("1234567", 1_234_567, 1_234_567),
    ("12345678", 12_345_678, 12_345_678),
    ("9223372036854775807", .max, 0x1p63),
    ("9223372036854775808", nil, 9_223_372_036_854_775_808),
    ("1.5", nil, 1.5),
    ("-0.25e2", nil, -25),
    ("1e400", nil, nil),
    ("\"12\"", 12, 12),
    ("\"1.5\"", nil, 1.5),
    ("\"\"", nil, nil),
    ("\"", nil, nil),
    ("\"1", nil, nil),
    ("1\"", nil, nil),
    ("", nil, nil),
    (nil, nil, nil),
    ("007", nil, nil),
    ("01", nil, nil),
    ("+1", nil, nil),
    (" 1", nil, nil),
    ("1 ", nil, nil),
    ("12x", nil, nil),
    ("x", nil, nil),
    ("1234567x", nil, nil),
    ("NaN", nil, nil),
    ("é", nil, nil),
]

@Suite("Columns")
struct ColumnTests {
    @Test("a cell is the number that it spells, in the first column as in others")
    func table() {
        let rows = cells.map { cell, _, _ in ["", cell, nil] }
        Cells(rows).expect(cells.map(\.1), cells.map(\.2), column: 1, count: cells.count)
        let none = [Int?](repeating: nil, count: cells.count)
        for column in [0, 2] {
            Cells(rows).expect(none.map { _ in nil }, none.map { _ in nil }, column: column, count: cells.count)
        }
        let present = cells.filter { $0.0 != nil }
        Cells(present.map { [$0.0] }).expect(present.map(\.1), present.map(\.2), column: 0, count: present.count)
    }

    @Test("without a quote byte, quotes are text")
    func withoutQuotes() {
        Cells([["\"1\""], ["1"], ["'1'"]]).expect([nil, 1, nil], [nil, 1, nil], column: 0, count: 3, quote: 0)
        Cells([["\"1\""], ["1"], ["'1'"]]).expect(
            [nil, 1, 1], [nil, 1, 1], column: 0, count: 3, quote: UInt8(ascii: "'"))
    }

    @Test("rows are those that are wanted, in any order")
    func wantedRows() {
        let all = Cells((0..<100).map { ["\($0)", "x", "-\($0).5"] })
        all.expect((0..<100).map { $0 }, nil, column: 0, count: 100)
        all.expect([40, 41, 42], nil, column: 0, firstRow: 40, count: 3)
        all.expect(nil, [-40.5, -41.5], column: 2, firstRow: 40, count: 2)
        all.expect([10, 13, 99], [10, 13, 99], column: 0, firstRow: 10, slots: [0, 3, 89], count: 3)
        all.expect([99, 50, 50], [99, 50, 50], column: 0, slots: [99, 50, 50], count: 3)
        all.expect([0], nil, column: 0, slots: [0], count: 1)
        all.expect([], [], column: 0, count: 0)
        all.expect([], [], column: 0, slots: [], count: 0)
    }

    @Test("Swift reads random cells as C does")
    func randomCells() {
        var random = SplitMix64(seed: 7)
        let alphabets = ["0123456789", "0123456789.", "-0123456789.eE", "\"019- x"].map { Array($0.utf8) }
        for _ in 0..<200 {
            let columns = Int.random(in: 1...4, using: &random)
            let rows = (0..<50).map { _ -> [String?] in
                let present = Int.random(in: 1...columns * 3, using: &random)
                return (0..<columns).map { column in
                    if column >= present { return nil }
                    let alphabet = alphabets.randomElement(using: &random)!
                    let length = Int.random(in: 0...Int.random(in: 0...24, using: &random), using: &random)
                    let text = (0..<length).map { _ in alphabet.randomElement(using: &random)! }
                    let cell = String(decoding: text, as: UTF8.self)
                    return Bool.random(using: &random) ? cell : "\"\(cell)\""
                }
            }
            let index = Cells(rows)
            let slots = (0..<40).filter { _ in Bool.random(using: &random) }.map { UInt32($0) }
            for column in 0..<columns {
                index.expect(column: column, count: 50)
                index.expect(column: column, firstRow: 10, slots: slots, count: slots.count)
            }
        }
    }
}
