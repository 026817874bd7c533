import CSluice
import SwiftKernel
import Testing

/// The tables of what is done for one value at a time: the C core's and Swift's say the same of everything.
@Suite("Singles")
struct SinglesTests {
    private let core = sluice_core_singles
    private let swift = SwiftKernel.table.pointee.singles.pointee
    private var tables: [sluice_singles] { [core, swift] }

    private func expectSame<Answer: Equatable>(
        _ input: String, _ answer: (sluice_singles, [UInt8]) -> Answer, _ place: SourceLocation = #_sourceLocation
    ) {
        // Behind what is looked at stands what would change the answer.
        let bytes = Array(input.utf8) + [UInt8](repeating: UInt8(ascii: "7"), count: Int(SLUICE_PADDING))
        #expect(answer(core, bytes) == answer(swift, bytes), "\(input)", sourceLocation: place)
    }

    private func written(_ room: Int, _ write: (UnsafeMutablePointer<UInt8>?) -> Int) -> [UInt8]? {
        var out = [UInt8](repeating: 0xA5, count: room + 8)
        let count = write(&out)
        #expect(out[room...].allSatisfy { $0 == 0xA5 })
        return count < 0 ? nil : Array(out[..<count])
    }

    @Test(
        "numbers",
        arguments: [
            "", "0", "-0", "7", "-12", "007", "1e5", "1.5", "-", "9223372036854775807", "9223372036854775808", "1e999",
            "x",
        ])
    func numbers(_ text: String) {
        let count = text.utf8.count
        expectSame(text) { table, bytes in table.number_length(bytes, count) }
        expectSame(text) { table, bytes -> Int64? in
            var value: Int64 = 0
            return table.parse_int64(bytes, count, &value) ? value : nil
        }
        expectSame(text) { table, bytes -> Double? in
            var value = 0.0
            return table.parse_double(bytes, count, &value) ? value : nil
        }
        expectSame(text) { table, bytes in table.infer_cell(bytes, count, false) }
        expectSame(text) { table, bytes in table.infer_cell(bytes, count, true) }
    }

    @Test(
        "printed numbers",
        arguments: [0, -0.0, 1, -1.5, 1e16, 1e-5, .leastNonzeroMagnitude, .greatestFiniteMagnitude] as [Double])
    func printing(_ value: Double) {
        let room = Int(SLUICE_NUMBER_MAX)
        #expect(written(room) { core.print_double(value, $0) } == written(room) { swift.print_double(value, $0) })
        let bits = Int64(bitPattern: value.bitPattern)
        #expect(written(room) { core.print_int64(bits, $0) } == written(room) { swift.print_int64(bits, $0) })
    }

    @Test(
        "texts",
        arguments: [
            "", "plain", "a \"quoted\" one", "two\nlines", "é𝄞\u{1}\\", "with, comma", "\"a \"\"b\"\" c\"", "\"open",
        ])
    func texts(_ text: String) {
        let count = text.utf8.count
        expectSame(text) { table, bytes in written(6 * count + 2) { table.json_quote(bytes, count, $0) } }
        expectSame(text) { table, bytes in written(6 * count + 6) { table.json_key(bytes, count, $0) } }
        expectSame(text) { table, bytes in written((count + 2) / 3 * 4) { table.base64_encode(bytes, count, $0) } }
        for (encoding, always) in [(SLUICE_UTF16LE, false), (SLUICE_UTF16BE, true), (SLUICE_LATIN1, false)] {
            expectSame(text) { table, bytes in table.encoded_length(encoding, bytes, count) }
            var dialect = sluice_csv_dialect()
            (dialect.delimiter, dialect.quote) = (UInt8(ascii: ","), UInt8(ascii: "\""))
            expectSame(text) { table, bytes in
                written(2 * count + 2) { table.csv_quote(bytes, count, &dialect, always, $0) }
            }
            expectSame(text) { table, bytes in written(count) { table.csv_field_content(bytes, count, &dialect, $0) } }
            // Only measured.
            expectSame(text) { table, bytes in table.csv_field_content(bytes, count, &dialect, nil) }
            dialect.quote = 0
            expectSame(text) { table, bytes in
                written(2 * count + 2) { table.csv_quote(bytes, count, &dialect, always, $0) }
            }
        }
    }

    @Test("texts that mean null")
    func nulls() {
        let words: [StaticString] = ["NA", "", "null"]
        let texts = words.map { $0.utf8Start as UnsafePointer<UInt8>? }
        let lengths = words.map { UInt32($0.utf8CodeUnitCount) }
        texts.withUnsafeBufferPointer { texts in
            lengths.withUnsafeBufferPointer { lengths in
                var nulls = sluice_csv_nulls(
                    texts: texts.baseAddress, lengths: lengths.baseAddress, count: UInt32(words.count))
                var none = sluice_csv_nulls()
                for text in ["", "N", "NA", "NAN", "null", "nul"] {
                    expectSame(text) { table, bytes in table.csv_is_null(&nulls, bytes, text.utf8.count) }
                    expectSame(text) { table, bytes in table.csv_is_null(&none, bytes, text.utf8.count) }
                }
            }
        }
    }

    @Test(
        "JSON texts and what is in them",
        arguments: [
            #"{"a":1,"b\u0041":[true,"x\n\uD834\uDD1E"],"a":"last"}"#, #" "only""#, "[", "{\"a\":}", "12", "\"\u{1}\"",
        ])
    func json(_ text: String) throws {
        struct Reading: Equatable {
            var status: sluice_status
            var tape: [UInt32] = []
            var offset: UInt32?
            var ends: [UInt32] = []
            var strings: [[UInt8]?] = []
            var keys: [Bool] = []
            var places: [UInt32] = []
        }
        let count = text.utf8.count
        expectSame(text) { table, bytes -> Reading in
            var offset: UInt32 = .max
            var measured: UInt32 = 0
            let known = table.json_validate(bytes, count, nil, &measured, &offset)
            var tape = [UInt32](repeating: .max, count: 2 * count + 8)
            var entries = UInt32(tape.count)
            let status = table.json_validate(bytes, count, &tape, &entries, &offset)
            #expect(status == known)
            #expect(entries == measured)
            guard status == SLUICE_OK else { return Reading(status: status, offset: offset) }
            if measured > 0 {
                // Too small: what is wrong is not the text, and nobody need ask where.
                var few = measured - 1
                #expect(table.json_validate(bytes, count, &tape, &few, nil) == SLUICE_INDEX_FULL)
                entries = UInt32(tape.count)
                _ = table.json_validate(bytes, count, &tape, &entries, &offset)
            }
            var reading = Reading(status: status, tape: Array(tape[..<Int(entries)]))
            // Where it ends is no question of a scalar that is all there is.
            if bytes[0] == UInt8(ascii: "{") { reading.ends = [table.json_value_end(bytes, tape, 0)] }
            for place in literals(bytes[..<count]) {
                bytes[place...].withUnsafeBufferPointer { literal in
                    let length = table.json_string_content(literal.baseAddress, nil)
                    // It may need as much room as the literal has.
                    reading.strings.append(written(count) { table.json_string_content(literal.baseAddress, $0) })
                    #expect(reading.strings.last??.count == length)
                }
                for name in ["a", "bA", "last", ""] {
                    reading.keys.append(table.json_key_equals(bytes, UInt32(place), name, name.utf8.count))
                }
            }
            reading.places = places(table, bytes, tape, ["a", "bA", "missing", "o.p", "o"])
            return reading
        }
    }

    /// Where strings begin in a text that is JSON.
    private func literals(_ text: ArraySlice<UInt8>) -> [Int] {
        var (starts, isInside, isEscaped) = ([Int](), false, false)
        for (place, byte) in text.enumerated() {
            if byte == UInt8(ascii: "\""), !isEscaped {
                if !isInside { starts.append(place) }
                isInside.toggle()
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return starts
    }

    /// Of paths, then of keys, and how many rows have no others.
    private func places(_ table: sluice_singles, _ bytes: [UInt8], _ tape: [UInt32], _ names: [StaticString])
        -> [UInt32]
    {
        let paths = names.map { sluice_json_path(name: $0.utf8Start, length: UInt32($0.utf8CodeUnitCount)) }
        let rows = [sluice_json_row(tape: 0, start: 0, end: UInt32(bytes.count) - UInt32(SLUICE_PADDING))]
        var ofPaths = [UInt32](repeating: 7, count: names.count)
        var ofKeys = ofPaths
        table.json_project(bytes, tape, rows, 1, 0, paths, UInt32(names.count), &ofPaths)
        let known = table.json_project_keys(bytes, tape, rows, 1, paths, UInt32(names.count), &ofKeys)
        return ofPaths + ofKeys + [known]
    }

    @Test("columns of numbers")
    func columns() {
        let (ends, starts, slots): ([UInt32], [UInt32], [UInt32]) = ([2, 4, 9, 13], [0, 5], [1, 0])
        expectSame("12,x\n-3.5,\"7\"\n") { table, bytes -> [String] in
            var found: [String] = []
            for column in [0, 1] as [UInt32] {
                for wanted in [nil, slots] {
                    (wanted ?? []).withUnsafeBufferPointer { slots in
                        bytes.withUnsafeBufferPointer { bytes in
                            ends.withUnsafeBufferPointer { ends in
                                starts.withUnsafeBufferPointer { starts in
                                    var cells = sluice_csv_column(
                                        bytes: bytes.baseAddress, ends: ends.baseAddress,
                                        row_starts: starts.baseAddress,
                                        columns: 2, column: column, quote: UInt8(ascii: "\""), first_row: 0,
                                        slots: wanted == nil ? nil : slots.baseAddress, count: 2)
                                    var (integers, doubles) = ([Int64](repeating: 9, count: 2), [9.0, 9])
                                    var valid: [UInt8] = [9, 9]
                                    table.csv_column_int64(&cells, &integers, &valid)
                                    found.append("\(integers) \(valid)")
                                    table.csv_column_double(&cells, &doubles, &valid)
                                    found.append("\(doubles) \(valid)")
                                }
                            }
                        }
                    }
                }
            }
            #expect(found[0] == "[12, 0] [1, 0]" && found[7] == "[7.0, 0.0] [1, 0]")
            return found
        }
    }

    @Test("every function of the table is tested here")
    func size() {
        #expect(MemoryLayout<sluice_singles>.size == 27 * MemoryLayout<Int>.size)
    }

    @Test("a header alone")
    func header() {
        for text in [
            "a,b\n1,2\n", "a,\"b,c\"\r1,2\r", "", "no end", "\"open", "#first\na\r", "#first\ra\r", "#first\n\r",
            "\n#a\r",
        ] {
            expectSame(text) { table, bytes -> [UInt32] in
                var scanner = sluice_csv_scanner()
                (scanner.dialect.delimiter, scanner.dialect.quote) = (UInt8(ascii: ","), UInt8(ascii: "\""))
                scanner.dialect.comment = UInt8(ascii: "#")
                var ends = [UInt32](repeating: 0, count: 4)
                var (fields, start): (UInt32, UInt32) = (0, 0)
                let status = table.csv_first_record(&scanner, bytes, text.utf8.count, true, &ends, 4, &fields, &start)
                return [
                    UInt32(bitPattern: status.rawValue), fields, start, scanner.position,
                    UInt32(scanner.dialect.carriage_return),
                ]
                    + ends[..<Int(fields)]
            }
        }
    }

    @Test("a ring gives out what was put in, in order, and says when it is full")
    func ring() throws {
        for table in tables {
            #expect(table.ring_create(3) == nil)
            let ring = try #require(table.ring_create(4))
            defer { table.ring_destroy(ring) }
            #expect(table.ring_capacity(ring) == 4)
            for number in 1...4 { #expect(table.ring_push(ring, UnsafeMutableRawPointer(bitPattern: number))) }
            #expect(!table.ring_push(ring, UnsafeMutableRawPointer(bitPattern: 5)))
            var element: UnsafeMutableRawPointer?
            for number in 1...4 {
                #expect(table.ring_pop(ring, &element) && element == UnsafeMutableRawPointer(bitPattern: number))
            }
            #expect(!table.ring_pop(ring, &element))
        }
    }
}
