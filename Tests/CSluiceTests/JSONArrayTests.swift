import CSluice
import TestSupport
import Testing

/// What the core says of bytes that are elements of an array, or one value.
private struct Indexed: Equatable {
    var status: sluice_status
    var rows: [[UInt32]]
    var tape: [UInt32]
    var position: UInt32
    /// Behind an error flags may say yes too often.
    var flags: UInt32
    var errorOffset: UInt32
}

private struct ArrayKernel: CustomStringConvertible, Sendable {
    var description: String

    static let all = kernelNames.map { ArrayKernel(description: $0) }

    var table: sluice_kernel { kernelNamed(description)!.pointee }

    /// Indexes all, from arrays that are as small as `capacity` and grow by one.
    func index(
        _ input: [UInt8], _ form: sluice_json_form = SLUICE_JSON_ELEMENTS, capacity: Int = .max, padding: UInt8 = 0x2C
    ) -> Indexed {
        let padded = input + [UInt8](repeating: padding, count: Int(SLUICE_PADDING))
        let most = 2 * input.count + 8
        var tape = [UInt32](repeating: 0, count: most)
        var rows = [sluice_json_row](repeating: sluice_json_row(), count: most)
        var scratch = [UInt32](repeating: 0, count: max(4096, most))
        var index = sluice_json_index()
        index.form = form.rawValue
        index.tape_capacity = UInt32(min(capacity, most))
        index.rows_capacity = index.tape_capacity
        var status = SLUICE_INDEX_FULL
        while status == SLUICE_INDEX_FULL {
            tape.withUnsafeMutableBufferPointer { tape in
                rows.withUnsafeMutableBufferPointer { rows in
                    scratch.withUnsafeMutableBufferPointer { scratch in
                        index.tape = tape.baseAddress
                        index.rows = rows.baseAddress
                        index.scratch = scratch.baseAddress
                        index.scratch_capacity = UInt32(scratch.count)
                        status = padded.withUnsafeBufferPointer {
                            table.json_index(&index, $0.baseAddress, input.count)
                        }
                    }
                }
            }
            index.tape_capacity = min(index.tape_capacity + 1, UInt32(most))
            index.rows_capacity = index.tape_capacity
        }
        return Indexed(
            status: status, rows: rows[..<Int(index.row_count)].map { [$0.tape, $0.start, $0.end] },
            tape: Array(tape[..<Int(index.tape_count)]), position: index.position,
            flags: status == SLUICE_OK ? index.flags : 0, errorOffset: status == SLUICE_OK ? 0 : index.error_offset)
    }

    /// Cuts a whole input, offered up to each of `splits` first. `starts` counts from behind the opening bracket.
    func cut(_ input: [UInt8], at splits: [Int] = [], maxRecords: UInt32 = .max) -> [UInt32] {
        let padded = input + [UInt8](repeating: UInt8(ascii: "]"), count: Int(SLUICE_PADDING))
        var scanner = sluice_json_scanner()
        return padded.withUnsafeBufferPointer { bytes in
            var status = SLUICE_NEED_INPUT
            for split in splits where status == SLUICE_NEED_INPUT {
                status = table.json_cut(&scanner, bytes.baseAddress, split, false, maxRecords)
            }
            if status == SLUICE_NEED_INPUT {
                status = table.json_cut(&scanner, bytes.baseAddress, input.count, true, maxRecords)
            }
            return [
                UInt32(bitPattern: status.rawValue), scanner.position, scanner.record_end, scanner.records,
                scanner.depth, UInt32(scanner.in_string), UInt32(scanner.escaped), UInt32(scanner.closed),
            ]
        }
    }
}

/// Random elements, each with what ends it; sometimes damaged.
private func randomElements(using random: inout SplitMix64) -> [UInt8] {
    func value(_ depth: Int) -> String {
        let space = ["", "", "", " ", "\n  ", "\r\n\t"].randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<(depth == 0 ? 5 : 8), using: &random) {
        case 0: return space + String(Int.random(in: -99...9999, using: &random))
        case 1: return space + #""a,]}\"\\é""# + space
        case 2: return space + "\"" + String(repeating: "[{", count: Int.random(in: 0..<60, using: &random)) + "\""
        case 3: return "true"
        case 4: return "-1.5e3" + space
        case 5:
            let values = (0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth - 1) }
            return space + "[" + values.joined(separator: ",") + space + "]"
        default:
            let members = (0..<Int.random(in: 0..<4, using: &random)).map { "\"k\($0)\":" + value(depth - 1) }
            return "{" + space + members.joined(separator: ",") + "}" + space
        }
    }
    let count = Int.random(in: 1..<8, using: &random)
    var bytes = Array((0..<count).map { _ in value(3) }.joined(separator: ",").utf8)
    bytes.append(UInt8(ascii: Bool.random(using: &random) ? "]" : ","))
    for _ in 0..<max(0, Int.random(in: -2...2, using: &random)) {
        let odd = Array(#"{}[],:"\ 1x"#.utf8).randomElement(using: &random) ?? 0
        let place = bytes.indices.randomElement(using: &random) ?? 0
        if Bool.random(using: &random) { bytes[place] = odd } else { bytes.insert(odd, at: place) }
    }
    return bytes
}

@Suite("Elements of JSON arrays, and whole JSON texts")
struct JSONArrayTests {
    // MARK: Index

    @Test(
        "what stands between brackets and commas is judged where it first cannot be JSON", arguments: ArrayKernel.all,
        [
            ("1]", 1, -1), ("1,", 1, -1), ("1,2]", 2, -1), (" 1 ,\n{} ]", 2, -1), ("[[]],{\"a\":[1,2]},\"x\"]", 3, -1),
            ("]", 0, 0), (",1]", 0, 0), ("1,]", 1, 2), ("1,,2]", 1, 2), ("1 2]", 0, 2), ("1", 0, 1), ("1,2", 1, 3),
            ("[1]", 0, 3), ("{\"a\":1}", 0, 7), ("{\"a\":1]", 0, 6), ("1}", 0, 1), ("1]2", 1, 2), ("1] ]", 1, 3),
            ("\"a", 0, 2), ("tru,1]", 0, 3), ("01]", 0, 1), ("1:2]", 0, 1), ("{\"a\",1}]", 0, 4), ("x]", 0, 0),
        ])
    fileprivate func elements(_ kernel: ArrayKernel, _ element: (text: String, rows: Int, error: Int)) {
        for spaces in [0, 1, 30, 31, 32, 33, 62, 63, 64, 65, 200] {
            let index = kernel.index(Array((String(repeating: " ", count: spaces) + element.text).utf8))
            #expect(index.rows.count == element.rows, "\(element.text) behind \(spaces)")
            #expect(index.status == (element.error < 0 ? SLUICE_OK : SLUICE_ERROR_INVALID_JSON), "\(element.text)")
            if element.error >= 0 { #expect(index.errorOffset == UInt32(element.error + spaces), "\(element.text)") }
        }
    }

    @Test(
        "every kernel finds in random elements, damaged or not, what the scalar one finds, and that what a document is")
    func randomIndex() {
        var random = SplitMix64(seed: 77)
        var valid = 0
        for _ in 0..<3000 {
            let text = randomElements(using: &random)
            let expected = ArrayKernel.all[0].index(text)
            valid += expected.status == SLUICE_OK ? 1 : 0
            for kernel in ArrayKernel.all {
                #expect(kernel.index(text) == expected, "\(String(decoding: text, as: UTF8.self))")
                #expect(
                    kernel.index(text, capacity: 2, padding: 0x22) == expected,
                    "\(String(decoding: text, as: UTF8.self))")
                let whole = kernel.index(text, SLUICE_JSON_TEXT)
                #expect(whole == ArrayKernel.all[0].index(text, SLUICE_JSON_TEXT))
            }
            // With the bracket before them, elements are a document, but for one that goes on behind a comma.
            // A bracket alone ends an array that has none.
            if text.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "]") { continue }
            let document = validate([UInt8(ascii: "[")] + text)
            if expected.status != SLUICE_OK {
                #expect(document.status == expected.status && document.offset == expected.errorOffset + 1)
            } else if document.status != SLUICE_OK {
                #expect(document.offset == text.count + 1 && text.last == UInt8(ascii: ","))
            }
        }
        #expect(valid > 500)
    }

    @Test(
        "rows are the elements without white space, and line breaks between tokens set a flag",
        arguments: ArrayKernel.all)
    fileprivate func rows(_ kernel: ArrayKernel) {
        let index = kernel.index(Array(" 1 , {\"a\" : 2}\t,\"x\"]".utf8))
        #expect(index.rows == [[0, 1, 2], [1, 5, 14], [6, 16, 19]])
        #expect(index.tape == [1, 5, 5, 6, 12, 13, 16])
        #expect(index.flags & SLUICE_HAS_CR == 0)
        #expect(kernel.index(Array("[\n1]]".utf8)).flags & SLUICE_HAS_CR != 0)
        let whole = kernel.index(Array(" {\"a\":\n1}\n ".utf8), SLUICE_JSON_TEXT)
        #expect(whole.rows == [[0, 1, 9]] && whole.flags & SLUICE_HAS_CR != 0 && whole.position == 11)
    }

    @Test("an element may be 511 deep and a text 512, since the array counts", arguments: ArrayKernel.all)
    fileprivate func depth(_ kernel: ArrayKernel) {
        for (form, most) in [(SLUICE_JSON_ELEMENTS, 511), (SLUICE_JSON_TEXT, 512)] {
            for depth in [most, most + 1] {
                var text = [UInt8](repeating: UInt8(ascii: "["), count: depth)
                text += [UInt8](repeating: UInt8(ascii: "]"), count: depth)
                if form == SLUICE_JSON_ELEMENTS { text.append(UInt8(ascii: ",")) }
                let index = kernel.index(text, form)
                #expect(index.status == (depth == most ? SLUICE_OK : SLUICE_ERROR_JSON_TOO_DEEP))
                if depth > most { #expect(index.errorOffset == UInt32(most)) }
            }
        }
    }

    // MARK: Cut

    @Test("every kernel cuts as the scalar one, offered in two parts at every offset, and up to every element")
    func randomCut() {
        var random = SplitMix64(seed: 78)
        for _ in 0..<200 {
            let text = randomElements(using: &random)
            let expected = ArrayKernel.all[0].cut(text)
            for kernel in ArrayKernel.all {
                #expect(kernel.cut(text) == expected, "\(String(decoding: text, as: UTF8.self))")
                for split in 0...text.count { #expect(kernel.cut(text, at: [split]) == expected) }
                for most in 1...4 as ClosedRange<UInt32> {
                    #expect(kernel.cut(text, maxRecords: most) == ArrayKernel.all[0].cut(text, maxRecords: most))
                }
            }
        }
    }

    @Test("elements end at commas and at the bracket, outside strings and other brackets", arguments: ArrayKernel.all)
    fileprivate func cut(_ kernel: ArrayKernel) {
        let table: [(String, records: UInt32, end: UInt32, status: sluice_status)] = [
            ("1]", 1, 2, SLUICE_END), ("1,2]", 2, 4, SLUICE_END), ("1,2", 2, 3, SLUICE_OK), ("1,", 1, 2, SLUICE_OK),
            ("1, \n", 1, 2, SLUICE_OK), ("\"],\"]", 1, 5, SLUICE_END), (#""\"],",2]"#, 2, 9, SLUICE_END),
            (#""\\",2]"#, 2, 7, SLUICE_END), ("{\"a\":[1,2]},[3,[4]],5] x", 3, 22, SLUICE_END),
            ("{\"a\":1", 1, 6, SLUICE_OK), ("1]]]", 1, 2, SLUICE_END),
        ]
        for (text, records, end, status) in table {
            for spaces in [0, 1, 58, 63, 64, 130] {
                let answer = kernel.cut(Array((String(repeating: " ", count: spaces) + text).utf8))
                #expect(answer[0] == UInt32(bitPattern: status.rawValue), "\(text) behind \(spaces)")
                #expect(answer[2] == end + UInt32(spaces) && answer[3] == records, "\(text) behind \(spaces)")
            }
        }
    }
}

@Suite("Lines of text")
struct TextTests {
    private static let texts = [
        "", "\n", "a", "a\n", "a\nb", "\n\na", "a\r\n", "\r\n\r\n", "a\rb\n", "a\r", "a\r\r\n", "\r", "\n\r",
        String(repeating: "\n", count: 200), String(repeating: "ab\r\n", count: 70),
        String(repeating: "x", count: 130) + "\n" + String(repeating: "y", count: 63) + "\r\n" + "z",
    ]

    /// The lines by the rules, told with Swift's own means.
    private static func lines(_ text: [UInt8]) -> [[UInt8]] {
        var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        let last = lines.removeLast()
        for place in lines.indices where lines[place].last == UInt8(ascii: "\r") { lines[place].removeLast() }
        return last.isEmpty ? lines : lines + [last]
    }

    @Test(
        "each line is a record: blank ones too, LF and CRLF removed, one without an end at the end",
        arguments: ArrayKernel.all)
    fileprivate func index(_ kernel: ArrayKernel) {
        var random = SplitMix64(seed: 5)
        let pieces = ["\n", "\r\n", "\r", "a", "bc", "", String(repeating: "w", count: 40)]
        let more = (0..<300).map { _ in
            (0..<Int.random(in: 0..<90, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
        }
        for text in (Self.texts + more).map({ Array($0.utf8) }) {
            let lines = Self.lines(text)
            for start in [0, 3] {
                let bytes = [UInt8](repeating: 0x0D, count: start) + text
                let padded = bytes + [UInt8](repeating: 0x0A, count: Int(SLUICE_PADDING))
                var starts = [UInt32](repeating: 0, count: lines.count + 64)
                var ends = starts
                let count = kernel.table.text_index(padded, UInt32(start), UInt32(bytes.count), &starts, &ends)
                #expect(Int(count) == lines.count)
                #expect((0..<Int(count)).map { Array(bytes[Int(starts[$0])..<Int(ends[$0])]) } == lines)
            }
        }
    }

    @Test("lines are counted alike by every kernel, cut anywhere", arguments: ArrayKernel.all)
    fileprivate func cut(_ kernel: ArrayKernel) {
        for text in Self.texts.map({ Array($0.utf8) }) {
            let padded = text + [UInt8](repeating: 0x0A, count: Int(SLUICE_PADDING))
            let count = UInt32(Self.lines(text).count)
            for split in 0...text.count {
                var scanner = sluice_text_scanner()
                #expect(kernel.table.text_cut(&scanner, padded, split, false, .max) == SLUICE_NEED_INPUT)
                #expect(kernel.table.text_cut(&scanner, padded, text.count, true, .max) == SLUICE_OK)
                #expect(scanner.records == count && Int(scanner.record_end) == text.count)
            }
            for most in 1..<max(2, count) {
                var scanner = sluice_text_scanner()
                #expect(kernel.table.text_cut(&scanner, padded, text.count, true, most) == SLUICE_OK)
                #expect(scanner.records == min(most, count))
                let before = text[..<Int(scanner.record_end)].count { $0 == UInt8(ascii: "\n") }
                #expect(most >= count || before == Int(most) && text[Int(scanner.record_end) - 1] == 0x0A)
            }
        }
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test("what is encoded decodes to the same bytes, and nothing else decodes")
    func roundTrip() {
        var random = SplitMix64(seed: 9)
        for length in 0..<100 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            var text = [UInt8](repeating: 0, count: 4 * ((length + 2) / 3))
            #expect(sluice_base64_encode(bytes, length, &text) == text.count)
            var back = [UInt8](repeating: 0, count: text.count)
            #expect(sluice_base64_decode(text, text.count, &back) == length && Array(back[..<length]) == bytes)
        }
        for text in ["A", "AA", "AAA", "A===", "AA=A", "=AAA", "AAA\n", "AA==AAAA", "AB==", "AAB=", "AA-_", "AAAA "] {
            var back = [UInt8](repeating: 0, count: 16)
            #expect(sluice_base64_decode(Array(text.utf8), text.utf8.count, &back) == Int(bitPattern: .max))
        }
    }
}
