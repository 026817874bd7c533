import CSluice
import Foundation
import TestSupport
import Testing

// ---- Running the kernels ----

private struct Indexed: Equatable {
    struct Row: Equatable {
        var tape: UInt32
        var start: UInt32
        var end: UInt32
    }

    var status: sluice_status
    var rows: [Row]
    var tape: [UInt32]
    var position: UInt32
    var skipped: UInt32
    var errorOffset: UInt32
    var flags: UInt32
    var fullCount = 0

    /// Whether both say the same. Flags may say yes too often, and behind an error they do.
    func agrees(with other: Indexed) -> Bool {
        status == other.status && rows == other.rows && tape == other.tape && position == other.position
            && skipped == other.skipped
            && (status == SLUICE_OK ? flags == other.flags : errorOffset == other.errorOffset)
    }
}

private struct Capacity {
    var tape: Int
    var rows: Int
    var scratch = 4096

    static func ample(_ count: Int) -> Capacity {
        Capacity(tape: 2 * count + 8, rows: 2 * count + 8, scratch: max(4096, 2 * count + 8))
    }
}

private struct TestKernel: CustomStringConvertible, Sendable {
    var description: String

    static let all = kernelNames.map { TestKernel(description: $0) }

    var table: sluice_kernel { kernelNamed(description)!.pointee }

    /// Indexes all lines, growing the arrays as long as they are full. `padding` fills the bytes behind the input.
    func index(_ input: [UInt8], capacity: Capacity? = nil, padding: UInt8 = UInt8(ascii: "7")) -> Indexed {
        var capacity = capacity ?? .ample(input.count)
        let padded = input + [UInt8](repeating: padding, count: Int(SLUICE_PADDING))
        var tape = [UInt32](repeating: 0, count: capacity.tape)
        var rows = [sluice_json_row](repeating: sluice_json_row(), count: capacity.rows)
        var scratch = [UInt32](repeating: 0, count: capacity.scratch)
        var index = sluice_json_index()
        var fullCount = 0
        while true {
            let status = tape.withUnsafeMutableBufferPointer { tape in
                rows.withUnsafeMutableBufferPointer { rows in
                    scratch.withUnsafeMutableBufferPointer { scratch in
                        index.tape = tape.baseAddress
                        index.rows = rows.baseAddress
                        index.scratch = scratch.baseAddress
                        index.tape_capacity = UInt32(tape.count)
                        index.rows_capacity = UInt32(rows.count)
                        index.scratch_capacity = UInt32(scratch.count)
                        return padded.withUnsafeBufferPointer { table.json_index(&index, $0.baseAddress, input.count) }
                    }
                }
            }
            guard status == SLUICE_INDEX_FULL, fullCount < 100 else {
                let count = Int(index.row_count)
                return Indexed(
                    status: status, rows: rows[..<count].map { .init(tape: $0.tape, start: $0.start, end: $0.end) },
                    tape: Array(tape[..<Int(index.tape_count)]), position: index.position, skipped: index.skipped,
                    errorOffset: index.error_offset, flags: index.flags, fullCount: fullCount)
            }
            fullCount += 1
            capacity.tape += capacity.tape / 2 + 1
            capacity.rows += capacity.rows / 2 + 1
            tape += [UInt32](repeating: 0, count: capacity.tape - tape.count)
            rows += [sluice_json_row](repeating: sluice_json_row(), count: capacity.rows - rows.count)
        }
    }

    func index(_ text: String) -> Indexed { index(Array(text.utf8)) }

    func cut(_ input: [UInt8], at splits: [Int] = [], maxRecords: UInt32 = .max) -> (
        sluice_status, sluice_jsonl_scanner
    ) {
        let padded = input + [UInt8](repeating: UInt8(ascii: "x"), count: Int(SLUICE_PADDING))
        var scanner = sluice_jsonl_scanner()
        return padded.withUnsafeBufferPointer { bytes in
            for split in splits {
                let status = table.jsonl_cut(&scanner, bytes.baseAddress, split, false, maxRecords)
                if status == SLUICE_OK { return (status, scanner) }
            }
            return (table.jsonl_cut(&scanner, bytes.baseAddress, input.count, true, maxRecords), scanner)
        }
    }
}

// ---- What is JSON ----

extension JSONTexts.Invalid {
    fileprivate var status: sluice_status { isText ? SLUICE_ERROR_INVALID_JSON : SLUICE_ERROR_INVALID_UTF8 }
}

@Suite("JSON")
struct JSONTests {
    @Test("valid documents are accepted wherever they stand in a block", arguments: TestKernel.all)
    fileprivate func validDocumentsAreAccepted(kernel: TestKernel) {
        for document in JSONTexts.valid {
            #expect(validate(Array(document.utf8)).status == SLUICE_OK, "\(document)")
            for spaces in 0...70 {
                let line = String(repeating: " ", count: spaces) + document
                let alone = kernel.index(line)
                #expect(alone.status == SLUICE_OK, "\(line)")
                #expect(alone.rows == [.init(tape: 0, start: UInt32(spaces), end: UInt32(line.utf8.count))], "\(line)")
                let between = kernel.index("[\"\(line.filter { $0 == " " })\"]\n\(document) \r\n{}\n")
                #expect(between.status == SLUICE_OK && between.rows.count == 3, "\(line)")
            }
        }
    }

    @Test("an error is at the first byte that cannot be, wherever it stands in a block", arguments: TestKernel.all)
    fileprivate func errorsAreExact(kernel: TestKernel) {
        for invalid in JSONTexts.invalid {
            let whole = validate(invalid.bytes)
            #expect(whole.status == invalid.status && whole.offset == invalid.offset, "\(invalid): \(whole)")
            for spaces in 0...70 {
                let padding = [UInt8](repeating: UInt8(ascii: " "), count: spaces)
                let alone = kernel.index(padding + invalid.bytes)
                #expect(alone.status == invalid.status && alone.position == 0 && alone.rows.isEmpty, "\(invalid)")
                #expect(alone.errorOffset == invalid.offset + UInt32(spaces), "\(invalid), \(spaces)")
                let before = Array("\"".utf8) + padding + Array("\"\n\n".utf8)
                let between = kernel.index(before + invalid.bytes + Array("\n{\"a\":[\"\\u0041\"]}\n".utf8))
                #expect(
                    between.status == invalid.status && between.rows.count == 1 && between.skipped == 1, "\(invalid)")
                #expect(between.position == UInt32(before.count), "\(invalid)")
                #expect(between.errorOffset == invalid.offset + UInt32(before.count), "\(invalid), \(spaces)")
            }
        }
    }

    @Test("white space alone is no document, but a line of it is blank")
    func whiteSpaceAlone() {
        for text in ["", " ", "\t\r ", " \n "] {
            let answer = validate(Array(text.utf8))
            #expect(answer.status == SLUICE_ERROR_INVALID_JSON && answer.offset == UInt32(text.utf8.count))
        }
        for kernel in TestKernel.all {
            let blank = kernel.index("\n \t\r\n1\n\r\n  ")
            #expect(blank.status == SLUICE_OK && blank.rows == [.init(tape: 0, start: 5, end: 6)] && blank.skipped == 4)
            #expect(blank.flags & UInt32(SLUICE_HAS_CR) != 0)
        }
    }

    @Test("a document may have line ends between tokens, a line may not")
    func lineEndsBetweenTokens() {
        #expect(validate(Array("\n[\n1\n,\r\n2\n]\n".utf8)).status == SLUICE_OK)
        #expect(validate(Array("\"a\nb\"".utf8)).offset == 2)
        for kernel in TestKernel.all {
            let cut = kernel.index("[1]\n[2,\n3]\n")
            #expect(
                cut.status == SLUICE_ERROR_INVALID_JSON && cut.errorOffset == 7 && cut.position == 4
                    && cut.rows.count == 1)
        }
    }

    @Test("512 containers inside one another are accepted, 513 are too deep", arguments: TestKernel.all)
    fileprivate func depth(kernel: TestKernel) {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let levels = Int(SLUICE_JSON_MAX_DEPTH) / (open == "[{\"a\":" ? 2 : 1)
            let deepest = String(repeating: open, count: levels) + "0" + String(repeating: close, count: levels)
            #expect(kernel.index(deepest + "\n" + deepest + "\n").rows.count == 2)
            let tooDeep = kernel.index(
                "1\n" + String(repeating: open, count: levels) + "[0]" + String(repeating: close, count: levels) + "\n")
            #expect(tooDeep.status == SLUICE_ERROR_JSON_TOO_DEEP && tooDeep.rows.count == 1 && tooDeep.position == 2)
            #expect(tooDeep.errorOffset == UInt32(2 + levels * open.utf8.count))
        }
    }

    @Test("each container is closed by its own bracket, however deep, whatever kinds are around it")
    func deepKinds() {
        var random = SplitMix64(seed: 22)
        for round in 0..<300 {
            let depth = Int.random(in: 60...Int(SLUICE_JSON_MAX_DEPTH), using: &random)
            let objects = (0..<depth).map { _ in Bool.random(using: &random) }
            let opening = objects.map { $0 ? "{\"\":" : "[" }.joined()
            var closing = objects.reversed().map { UInt8(ascii: $0 ? "}" : "]") }
            let wrong = round % 2 == 0 ? nil : Int.random(in: 0..<depth, using: &random)
            if let wrong { closing[wrong] ^= UInt8(ascii: "]") ^ UInt8(ascii: "}") }
            let text = Array(opening.utf8) + [UInt8(ascii: "0")] + closing
            for kernel in TestKernel.all {
                let answer = kernel.index(text)
                #expect(answer.status == (wrong == nil ? SLUICE_OK : SLUICE_ERROR_INVALID_JSON))
                if let wrong { #expect(answer.errorOffset == UInt32(opening.utf8.count + 1 + wrong)) }
            }
            #expect(validate(text).status == (wrong == nil ? SLUICE_OK : SLUICE_ERROR_INVALID_JSON))
        }
    }

    @Test("ten million brackets are refused at the 513th", arguments: TestKernel.all)
    fileprivate func bracketBomb(kernel: TestKernel) {
        let bomb = [UInt8](repeating: UInt8(ascii: "["), count: 10_000_000)
        let answer = kernel.index(bomb + [UInt8(ascii: "\n")], capacity: Capacity(tape: 4096, rows: 4))
        #expect(answer.status == SLUICE_ERROR_JSON_TOO_DEEP && answer.errorOffset == 512)
        #expect(validate(bomb).status == SLUICE_ERROR_JSON_TOO_DEEP)
    }

    // ---- The index ----

    @Test("the tape has one entry for keys and scalars, three for containers")
    func tapeLayout() {
        for kernel in TestKernel.all {
            let answer = kernel.index("{\"a\":[1, \"b\"],\"c\":{}}\n null \n[]")
            #expect(answer.tape == [0, 12, 1, 5, 7, 6, 9, 12, 14, 18, 11, 19, 20, 23, 29, 16, 30])
            #expect(answer.rows.map(\.start) == [0, 23, 29] && answer.rows.map(\.end) == [21, 27, 31])
        }
    }

    @Test("flags tell of backslashes, CRs and bytes over 0x7F")
    func flags() {
        let cases: [(String, Int32)] = [
            ("{\"a\":1}\n", 0), ("\"\\n\"\n", 2), ("\"é\"\n", 4), ("1\r\n", 8), ("[\"\\\\\",\r\"日\"]\n", 14),
            ("\"\\\\\"", 2), ("\"é\"", 4), ("1\r", 8),
        ]
        for kernel in TestKernel.all {
            for (text, flags) in cases { #expect(kernel.index(text).flags == UInt32(flags), "\(text)") }
        }
    }

    @Test("what stands in the padding changes nothing", arguments: TestKernel.all)
    fileprivate func padding(kernel: TestKernel) {
        for text in ["1", "-1.5", "1e5", "true", "\"a\"", "[1]", "[]\n12", "{}\n", "1", "tru", "1e", "\"", "[1", "\"é"]
        {
            let answers =
                [UInt8]("0\"\\\n ,e]\u{0}".utf8).map { kernel.index(Array(text.utf8), padding: $0) } + [
                    kernel.index(Array(text.utf8), padding: 0xA9)
                ]
            #expect(answers.allSatisfy { $0 == answers[0] }, "\(text)")
        }
    }

    @Test("full arrays are grown and the call repeated until all is indexed", arguments: TestKernel.all)
    fileprivate func fullArrays(kernel: TestKernel) {
        let text = JSONTexts.valid.map { $0 + "\n" }.joined() + "\n" + JSONTexts.valid.joined(separator: "\n")
        let ample = kernel.index(text)
        for tape in [1, 2, 3, 7, 64] {
            for rows in [0, 1, 2, 3, 10] {
                let grown = kernel.index(Array(text.utf8), capacity: Capacity(tape: tape, rows: rows))
                #expect(
                    grown.status == SLUICE_OK && grown.fullCount > 0 && grown.agrees(with: ample), "\(tape), \(rows)")
            }
        }
        #expect(ample.fullCount == 0)
    }

    @Test("records longer than windows and scratch are indexed", arguments: TestKernel.all)
    fileprivate func longRecords(kernel: TestKernel) {
        let numbers = "[" + (0..<50_000).map(String.init).joined(separator: ",") + "]\n"
        let members = "{" + (0..<20_000).map { "\"key\($0)\":{\"a\":[\"\($0)\"]}" }.joined(separator: ",") + "}\n"
        let string = "\"" + String(repeating: "日本\\uD83D\\uDE00\\\\", count: 20_000) + "\"\n"
        let text = numbers + members + string + "1"
        let answer = kernel.index(Array(text.utf8), capacity: Capacity(tape: 500_000, rows: 8))
        #expect(answer.status == SLUICE_OK && answer.fullCount == 0)
        #expect(answer.rows.map(\.tape) == [0, 50_003, 230_006, 230_007])
        #expect(answer.agrees(with: TestKernel.all[0].index(Array(text.utf8))))
    }

    @Test("a sequence or escape that any block or window cuts is read whole", arguments: TestKernel.all)
    fileprivate func sequencesAcrossWindows(kernel: TestKernel) {
        for boundary in [64, 4096, 4096 + 8192] {
            for distance in 1...14 {
                let start = boundary - distance
                for piece in ["é", "日", "😀", "\\\\", "\\\"", "\\uD83D\\uDE00", "\\\\\\\\\\\"", "\\u00e9"] {
                    let line = "\"" + String(repeating: "x", count: start - 1) + piece + "yyyyyyyyyyyyyyyyyy\"\n"
                    #expect(kernel.index(line).status == SLUICE_OK, "\(boundary), \(distance), \(piece)")
                }
                for (piece, offset) in [
                    ([0xE3, 0x81], 0), ([0xF0, 0x9F, 0x98], 0), ([0x80], 0), (Array("\\x".utf8), 1),
                    (Array("\\uD83D".utf8), 6), (Array("\\uDE00".utf8), 3), (Array("\\uD83D\\uD83D".utf8), 9),
                    (Array("\\u12x".utf8), 4),
                ] as [([UInt8], Int)] {
                    for tail in ["\"\n", "zzzzzzzzzzzzzzzzzz\"\n", "\"\n[1]\n[2]\n[3]\n[4]\n[5]\n"] {
                        let line =
                            Array(("\"" + String(repeating: "x", count: start - 1)).utf8) + piece + Array(tail.utf8)
                        let answer = kernel.index(line)
                        #expect(
                            answer.status.rawValue < 0 && answer.errorOffset == UInt32(start + offset),
                            "\(boundary), \(distance), \(piece), \(tail)")
                    }
                }
            }
        }
    }

    @Test("an open string spoils neither earlier lines nor where the error is", arguments: TestKernel.all)
    fileprivate func openString(kernel: TestKernel) {
        let good = "{\"a\":\"b\"}\n"
        for count in [0, 1, 5, 50, 5000] {
            let before = String(repeating: good, count: count)
            let answer = kernel.index(before + "{\"a\":\"b}\n" + String(repeating: good, count: 50))
            #expect(answer.status == SLUICE_ERROR_INVALID_JSON && answer.rows.count == count)
            #expect(answer.position == UInt32(before.utf8.count) && answer.errorOffset == answer.position + 8)
        }
    }

    @Test("after a bad line the caller goes on behind it", arguments: TestKernel.all)
    fileprivate func goingOn(kernel: TestKernel) {
        let lines = (0..<100).map { $0 % 3 == 1 ? "[\($0)" : "[\($0)]" }
        var bytes = Array(lines.joined(separator: "\n").utf8)
        var good = 0
        var bad = 0
        while true {
            let answer = kernel.index(bytes)
            good += answer.rows.count
            guard answer.status == SLUICE_ERROR_INVALID_JSON else { break }
            bad += 1
            bytes = Array(bytes[Int(answer.errorOffset)...].drop { $0 != UInt8(ascii: "\n") }.dropFirst())
        }
        #expect(good == 67 && bad == 33)
    }

    // ---- Against one another ----

    @Test("all kernels say the same about random and damaged documents")
    func randomDocuments() {
        var random = SplitMix64(seed: 20)
        for _ in 0..<3000 {
            var text = RandomDocument.lines(using: &random)
            for _ in 0..<Int.random(in: 0...2, using: &random) { RandomDocument.damage(&text, using: &random) }
            let expected = TestKernel.all[0].index(text)
            for kernel in TestKernel.all.dropFirst() {
                #expect(kernel.index(text).agrees(with: expected), "\(String(decoding: text, as: UTF8.self))")
                let tiny = kernel.index(text, capacity: Capacity(tape: 5, rows: 2), padding: 0x22)
                #expect(tiny.agrees(with: expected), "\(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    @Test("one record is judged alike by validate and as a line, and its tape is the same")
    func validateAgrees() {
        var random = SplitMix64(seed: 21)
        for _ in 0..<2000 {
            var text = RandomDocument.value(depth: 4, using: &random)
            if Bool.random(using: &random) { RandomDocument.damage(&text, using: &random) }
            guard !text.contains(UInt8(ascii: "\n")), text.contains(where: { !" \t\r".utf8.contains($0) }) else {
                continue
            }
            let line = TestKernel.all[0].index(text)
            let whole = validate(text, capacity: 2 * text.count + 8)
            #expect(whole.status == line.status)
            if whole.status == SLUICE_OK {
                #expect(whole.tape == line.tape)
                let compacted = compactText(text + [UInt8](repeating: 0, count: Int(SLUICE_PADDING)), text.count)
                #expect(compactText(compacted + [UInt8](repeating: 0, count: 64), compacted.count) == compacted)
            } else {
                #expect(whole.offset == line.errorOffset)
            }
        }
    }

    @Test("the JSONTestSuite is judged as its file names say")
    func conformance() throws {
        for file in conformanceFiles() {
            // Foundation leaks a block for each empty file it reads, which the leak sanitizer reports.
            let isEmpty = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize == 0
            let bytes = isEmpty ? [] : try [UInt8](Data(contentsOf: file))
            let name = file.lastPathComponent
            let whole = validate(bytes)
            if name.hasPrefix("y_") { #expect(whole.status == SLUICE_OK, "\(name)") }
            if name.hasPrefix("n_") { #expect(whole.status.rawValue < 0, "\(name)") }
            guard !bytes.contains(UInt8(ascii: "\n")), bytes.contains(where: { !" \t\r".utf8.contains($0) }) else {
                continue
            }
            for kernel in TestKernel.all {
                for spaces in [0, 1, 31, 32, 63, 64] {
                    let before = Array((String(repeating: " ", count: spaces) + "{}\n").utf8)
                    let answer = kernel.index(before + bytes + Array("\n[]\n".utf8))
                    #expect(
                        answer.status == whole.status && answer.rows.count == (whole.status == SLUICE_OK ? 3 : 1),
                        "\(name)")
                    if whole.status != SLUICE_OK {
                        #expect(answer.errorOffset == whole.offset + UInt32(before.count), "\(name)")
                    }
                }
            }
        }
    }

    @Test("validate needs no tape, and says when one is too small")
    func validateTape() {
        let document = Array("{\"a\":[1,2]}".utf8)
        for capacity in 0..<9 { #expect(validate(document, capacity: capacity).status == SLUICE_INDEX_FULL) }
        let whole = validate(document, capacity: 9)
        #expect(whole.status == SLUICE_OK && whole.tape == [0, 8, 1, 5, 7, 6, 8, 9, 10])
    }

    // ---- Lines ----

    @Test("lines are counted alike by every kernel, cut anywhere", arguments: TestKernel.all)
    fileprivate func cutAnywhere(kernel: TestKernel) {
        let blank = String(repeating: " ", count: 70)
        let texts = [
            "", "\n", "1", "1\n", "\n1", " \t\r\n1\n", "1\n \n", "1\n ", "1\n2", "1\r\n2\r\n\r\n",
            "\(blank)\n\(blank)1\n\(blank)2\(blank)\n\(blank)", String(repeating: "1\n", count: 70),
            String(repeating: "\n", count: 70),
            String(repeating: "[1,2]\n\n", count: 30), blank + "\n" + blank, blank + blank + "\n1", "\u{0B}\n\0\n",
        ]
        for text in texts {
            let bytes = Array(text.utf8)
            for maxRecords: UInt32 in [0, 1, 2, 69, 70, .max] {
                let (status, expected) = TestKernel.all[0].cut(bytes, maxRecords: maxRecords)
                for split in 0...bytes.count {
                    let (answer, scanner) = kernel.cut(bytes, at: [split], maxRecords: maxRecords)
                    #expect(
                        answer == status && scanner.position == expected.position
                            && scanner.record_end == expected.record_end)
                    #expect(
                        scanner.records == expected.records && scanner.skipped == expected.skipped, "\(text), \(split)")
                }
                let (_, stepped) = kernel.cut(bytes, at: Array(0...bytes.count), maxRecords: maxRecords)
                #expect(
                    stepped.position == expected.position && stepped.records == expected.records
                        && stepped.skipped == expected.skipped)
            }
        }
    }

    @Test("the cut stops behind the record it was asked for")
    func cutStops() {
        for kernel in TestKernel.all {
            let (status, scanner) = kernel.cut(Array("\n1\n \n2\n\n3".utf8), maxRecords: 2)
            #expect(status == SLUICE_OK && scanner.records == 2 && scanner.skipped == 2)
            #expect(scanner.position == 7 && scanner.record_end == 7)
            let (_, all) = kernel.cut(Array("\n1\n \n2\n\n3\n  ".utf8))
            #expect(all.records == 3 && all.skipped == 4 && all.record_end == 12)
        }
    }

    // ---- Values ----

    @Test("paths find keys first, then steps, the longest first step first")
    func projection() {
        let cases: [(String, String, String?)] = [
            (#"{"a":1}"#, "a", "1"), (#"{"a":1}"#, "b", nil), (#"{"a":1}"#, "", nil), (#"{"":1}"#, "", "1"),
            (#"{}"#, "a", nil),
            (#"{"a":1,"a":2}"#, "a", "2"), (#"{"ab":1,"a":2,"abc":3}"#, "ab", "1"), (#"[{"a":1}]"#, "a", nil),
            ("7", "a", nil), ("\"a\"", "a", nil),
            (#"{"a":{"b":1}}"#, "a.b", "1"), (#"{"a.b":2,"a":{"b":1}}"#, "a.b", "2"),
            (#"{"a":{"b":1},"a.b":2}"#, "a.b", "2"),
            (#"{"a":{"b":{"c":1}}}"#, "a.b.c", "1"), (#"{"a.b":{"c":2},"a":{"b":{"c":1}}}"#, "a.b.c", "2"),
            (#"{"a.b":{},"a":{"b.c":3}}"#, "a.b.c", "3"),
            (#"{"a":{"b":1},"a":{"c":2}}"#, "a.b", nil), (#"{"a":[{"b":1}]}"#, "a.b", nil),
            (#"{"a":{"":4}}"#, "a.", "4"), (#"{"":{"a":5}}"#, ".a", "5"),
            (#"{"a":1}"#, "a.b", nil), (#"{"a":{"b":1,"b":[2 , 3]}}"#, "a.b", "[2 , 3]"),
            (#"{ "a" : "x\"y" , "b":0}"#, "a", #""x\"y""#),
            (#"{"12345678":1}"#, "12345678", "1"), (#"{"1234567":1}"#, "12345678", nil),
            (#"{"123456789":1}"#, "12345678", nil),
            (#"{"1234567":true}"#, "1234567", "true"),
            (#"{"long name of a key":-1.5e3 ,"x":0}"#, "long name of a key", "-1.5e3"),
            (#"{"long name of a key":1}"#, "long name of a kez", nil), (#"{"x":{"y":0},"b":1}"#, "y", nil),
            (#"{"b":[{"a":1}],"a":2}"#, "a", "2"),
            (#"{"\u0061":1}"#, "a", "1"), (#"{"a\nb":1}"#, "a\nb", "1"), (#"{"\uD83D\uDE00":1}"#, "😀", "1"),
            (#"{"é":1}"#, "é", "1"), (#"{"\u00e9":1}"#, "é", "1"),
            (#"{"a":1,"b":"\n"}"#, "a", "1"), (#"{"a\"":1}"#, "a\"", "1"), (#"{"a":1}"#, "a\"", nil),
            (#"{"a":1,"b":2}"#, "a\":1,\"b", nil),
            (#"{"a\\":1}"#, "a\\", "1"), (#"{"a\u0062":{"c":1}}"#, "ab.c", "1"), (#"{"a\u0062":1}"#, "a", nil),
            (#"{"a\u0062":1}"#, "abc", nil),
            // Keys longer than what is compared at once, with and without an escape behind that.
            (#"{"1234567890123456":1}"#, "1234567890123456", "1"),
            (#"{"1234567890123456":1}"#, "12345678901234567", nil),
            (#"{"12345678901234567":1}"#, "1234567890123456", nil),
            (#"{"12345678x0123456":1}"#, "1234567890123456", nil),
            (#"{"123456789\u0030123456":1}"#, "1234567890123456", "1"), (#"{"12345678\t":1}"#, "12345678\t", "1"),
            (#"{"12345678\"":1}"#, "12345678\"", "1"), (#"{"12345678\n":1}"#, "12345678\\n", nil),
            (#"{"12345678":"9"}"#, "12345678\":\"9", nil), (#"{"a\u0062":1}"#, "a\\u0062", nil),
            (#"{"a":"b12345678"}"#, "a\":\"b12345678", nil),
            (#"{"\u0069d":1}"#, "id", "1"), (#"{"i\u0064":1}"#, "id", "1"), (#"{"\u0069d_str":1}"#, "id", nil),
            (#"{"id":"\n","i":3}"#, "id", #""\n""#), (#"{"\u0061\u002eb":{"c":1}}"#, "a.b.c", "1"),
            // Steps: the last of one name counts, what is no object has none, and keys with dots may hide the way.
            (#"{"a":{"b":1},"a":7}"#, "a.b", nil), (#"{"a":{"b":{}},"a":{"b":1}}"#, "a.b", "1"),
            (#"{"a.b":{"x":1},"a":{"b":{"c":2}}}"#, "a.b.c", "2"), (#"{"a":{"b":{"c":2}},"a.b":3}"#, "a.b.c", "2"),
            (#"{"a.b":{"c":1},"a.b":{}}"#, "a.b.c", nil), (#"{"a":{"b.c":{"d":1},"b":{"c":{"d":2}}}}"#, "a.b.c.d", "1"),
            (#"{"a":{"b.c":{"x":1},"b":{"c":{"d":2}}}}"#, "a.b.c.d", "2"), (#"{"ab":{"c":1}}"#, "a.c", nil),
            (#"{"a":{"b":{"c":{"d":{"e":5}}}}}"#, "a.b.c.d.e", "5"), (#"{"a":{"b":{"c":{"d":5}}}}"#, "a.b.c.d.e", nil),
            (#"{"a":{"b":{"c.d":{"e":5}}}}"#, "a.b.c.d.e", "5"), (#"{"a":{"b":{"c":[]}},"x":0}"#, "a.b.c", "[]"),
            (#"{"":{"":{"":6}}}"#, "..", "6"), (#"{".":{"":6}}"#, "..", "6"), (#"{"":{".":6}}"#, "..", "6"),
            (#"{".a":6,"":{"a":5}}"#, ".a", "6"), (#"{"a":{"b":1}}"#, ".b", nil),
            (#"{"long name of a key":{"another long name":1}}"#, "long name of a key.another long name", "1"),
            (#"{"long name of a kez":{"another long name":1}}"#, "long name of a key.another long name", nil),
        ]
        let lines = cases.map { $0.0 + "\n" }.joined()
        let bytes = Array(lines.utf8) + [UInt8](repeating: 0, count: Int(SLUICE_PADDING))
        let answer = TestKernel.all[0].index(lines)
        #expect(answer.status == SLUICE_OK && answer.rows.count == cases.count)
        let rows = answer.rows.map { sluice_json_row(tape: $0.tape, start: $0.start, end: $0.end) }
        for (row, (document, path, expected)) in cases.enumerated() {
            for paths in [[path], ["zz", path, "zz.zz"], [String](repeating: "q", count: 64) + [path, "r"]] {
                let found = project(
                    bytes, answer.tape, [rows[row]], document.contains("\\") ? UInt32(SLUICE_HAS_ESCAPE) : 0, paths)
                #expect(
                    found.firstIndex { $0 != SLUICE_JSON_ABSENT }
                        == (expected == nil ? nil : paths.firstIndex(of: path)), "\(document), \(path)")
                if let position = found.first(where: { $0 != SLUICE_JSON_ABSENT }) {
                    let end = valueEnd(bytes, answer.tape, position)
                    let start = answer.tape[Int(position)]
                    #expect(
                        String(decoding: bytes[Int(start)..<Int(end)], as: UTF8.self) == expected,
                        "\(document), \(path)")
                }
            }
        }
        let all = project(bytes, answer.tape, rows, answer.flags, ["a", "a.b"])
        #expect(all.count == 2 * rows.count && all[0] == rows[0].tape + 3 && all[1] == SLUICE_JSON_ABSENT)
    }

    @Test("many paths: each finds its own value, by a walk that it shares or not")
    func manyPaths() {
        // More paths than one walk looks for, into several objects each, in an order that mixes them.
        let objects = (0..<5).map { object in
            "\"o\(object)\":{" + (0..<30).map { "\"k\($0)\":\(100 * object + $0)" }.joined(separator: ",") + "}"
        }
        let line = "{" + objects.joined(separator: ", ") + "}"
        let bytes = Array(line.utf8) + [UInt8](repeating: 0, count: Int(SLUICE_PADDING))
        let answer = TestKernel.all[0].index(line)
        let row = sluice_json_row(tape: 0, start: 0, end: UInt32(line.utf8.count))
        for count in [63, 64, 65, 128, 150] {
            let numbers = (0..<count).map { 100 * ($0 * 7 % 5) + $0 * 7 / 5 % 30 }
            let paths = numbers.map { "o\($0 / 100).k\($0 % 100)" }
            let found = project(bytes, answer.tape, [row, row], 0, paths)
            for (i, position) in found.enumerated() where position != SLUICE_JSON_ABSENT {
                let end = valueEnd(bytes, answer.tape, position)
                let text = String(decoding: bytes[Int(answer.tape[Int(position)])..<Int(end)], as: UTF8.self)
                #expect(text == "\(numbers[i % count])")
            }
            #expect(!found.contains(SLUICE_JSON_ABSENT))
        }
    }

    @Test("random records and names: projection, keys and ends are what a plain reading says")
    func projectionOfRandomRecords() {
        var random = SplitMix64(seed: 21)
        var hits = 0
        for _ in 0..<3000 {
            var lines = ""
            // Far from and near to the start of the block, behind a line that ends as a member's key might.
            if Bool.random(using: &random) { lines += "\"" + String(repeating: "y,:[", count: 100) + "\"\n" }
            for _ in 0..<3 { lines += RandomRecord.object(depth: 4, using: &random) + "\n" }
            let answer = TestKernel.all[0].index(lines)
            guard answer.status == SLUICE_OK else {
                Issue.record("not valid: \(lines)")
                continue
            }
            let reader = PlainReader(
                bytes: Array(lines.utf8) + [UInt8](repeating: UInt8(ascii: "\""), count: Int(SLUICE_PADDING)),
                tape: answer.tape)
            let rows = answer.rows.map { sluice_json_row(tape: $0.tape, start: $0.start, end: $0.end) }
            let names = (0..<Int.random(in: 1...9, using: &random)).map { _ in RandomRecord.name(using: &random) }
            let found = project(reader.bytes, reader.tape, rows, answer.flags, names)
            let expected = rows.flatMap { row in names.map { reader.find($0, in: Int(row.tape)) } }
            #expect(found == expected.map { $0.map(UInt32.init) ?? SLUICE_JSON_ABSENT }, "\(lines) \(names)")
            hits += expected.count { $0 != nil }

            let (keys, firstUnknown) = projectKeys(reader.bytes, reader.tape, rows, names)
            let members = rows.map { reader.members(of: Int($0.tape)) }
            let isUnknown = { (row: Int) in
                !reader.isObject(Int(rows[row].tape)) || !members[row].allSatisfy { names.contains($0.key) }
            }
            #expect(firstUnknown == rows.indices.first(where: isUnknown) ?? rows.count, "\(lines) \(names)")
            for (row, members) in members.enumerated() {
                for (i, name) in names.enumerated() where names.firstIndex(of: name) == names.lastIndex(of: name) {
                    let value = members.last { $0.key == name }?.value
                    #expect(
                        keys[row * names.count + i] == value.map(UInt32.init) ?? SLUICE_JSON_ABSENT, "\(lines) \(name)")
                }
                for member in members {
                    let value = UInt32(member.value)
                    let end = valueEnd(reader.bytes, reader.tape, value)
                    let start = reader.tape[member.value]
                    let status = validate(Array(reader.bytes[Int(start)..<Int(end)])).status
                    #expect(status == SLUICE_OK && ",} \t\r".utf8.contains(reader.bytes[Int(end)]), "\(lines)")
                }
            }
        }
        #expect(hits > 1000)
    }

    @Test("values end where they end, whatever stands around them")
    func valueEnds() {
        let values = [
            "0", "-1.5e+3", "true", "null", #""""#, #""a, : ""#, #""\\""#, #""\"""#, "{}", "[ ]", #"{"a":[1 , 2]}"#,
            #""a string that is longer than a word""#,
        ]
        for value in values {
            for before in ["", " ", "\t", " \r "] {
                for after in ["", " ", " \t\r"] {
                    for (open, close) in [
                        ("[", "]"), ("[0,", "]"), ("[", ",0]"), ("[\"x\",", ",{}]"), ("{\"k\":", "}"),
                        ("{\"k\":", ",\"\":0}"),
                    ] {
                        for line in ["", "1\n", String(repeating: " ", count: 300)] {
                            let text = line + open + before + value + after + close
                            let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: Int(SLUICE_PADDING))
                            let start = UInt32((line + open + before).utf8.count)
                            let answer = TestKernel.all[0].index(text)
                            // Behind the two entries of `[` or `{`, and one of what is before the value.
                            let position = answer.rows[answer.rows.count - 1].tape + (open == "[" ? 2 : 3)
                            #expect(answer.tape[Int(position)] == start, "\(text)")
                            let end = valueEnd(bytes, answer.tape, position)
                            #expect(end == start + UInt32(value.utf8.count), "\(text)")
                        }
                    }
                    // A string or container that is a whole record, the last: there is no entry behind it.
                    guard "\"{[".utf8.contains(value.utf8.first!) else { continue }
                    for line in ["", "[7]\n", " \n \n", "\"x:\"\n"] {
                        let text = line + before + value + after
                        let bytes = Array(text.utf8) + [UInt8](repeating: UInt8(ascii: ","), count: Int(SLUICE_PADDING))
                        let answer = TestKernel.all[0].index(text)
                        let row = answer.rows[answer.rows.count - 1]
                        // What is behind the end of the tape must not matter.
                        for next in [0, row.start + 1, .max] {
                            let end = valueEnd(bytes, answer.tape + [next], row.tape)
                            #expect(end == row.start + UInt32(value.utf8.count) && end == row.end, "\(text)")
                        }
                    }
                }
            }
        }
    }

    @Test("string literals are decoded to what they mean")
    func stringContent() {
        let cases: [(String, String)] = [
            (#""""#, ""), (#""a""#, "a"), (#""plain text of some length""#, "plain text of some length"),
            (#""\n""#, "\n"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""a\u0041b""#, "aAb"), (#""\u00e9\u00E9""#, "éé"), (#""\u65e5""#, "日"), (#""\ud83d\uDE00!""#, "😀!"),
            (#""\uDBFF\uDFFF\uD800\uDC00""#, "\u{10FFFF}\u{10000}"),
            (#""\u0000\u007f\u0080\u07FF\u0800\uFFFF""#, "\0\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}"), (#""é日😀""#, "é日😀"),
            (#""12345678\\""#, "12345678\\"), (#""\\\"\\""#, "\\\"\\"),
        ]
        for (literal, content) in cases {
            let bytes = Array(literal.utf8) + [UInt8](repeating: UInt8(ascii: "\""), count: Int(SLUICE_PADDING))
            #expect(decodedString(bytes) == Array(content.utf8), "\(literal)")
            let name = Array(content.utf8)
            #expect(keyEquals(bytes, 0, name), "\(literal)")
            #expect(!keyEquals(bytes, 0, name + [0x78]), "\(literal)")
            #expect(name.isEmpty || !keyEquals(bytes, 0, name.dropLast()), "\(literal)")
        }
    }

    @Test("keys are told apart at every byte, and by what they mean")
    func keyEquality() {
        for length in 0...40 {
            let name = (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) }
            for escaped in [nil] + Array(name.indices).map(Optional.some) {
                let key = name.enumerated().map { i, byte in
                    i == escaped ? "\\u00" + String(byte, radix: 16) : String(UnicodeScalar(byte))
                }
                let bytes = Array("\"\(key.joined())\"".utf8) + [UInt8](repeating: 0x61, count: Int(SLUICE_PADDING))
                let equals = { (name: [UInt8]) in keyEquals(bytes, 0, name) }
                #expect(equals(name))
                #expect(!equals(name + [0x61]) && !equals(name + [0x22]) && (length == 0 || !equals(name.dropLast())))
                for i in name.indices {
                    for other in [0x22, 0x5C, 0x2E, name[i] ^ 1] {
                        var different = name
                        different[i] = other
                        #expect(!equals(different), "\(key), \(i)")
                    }
                }
            }
        }
        // The way a key is written is not what it means.
        for written in [#"a\nb"#, #"1234\n5678"#, #"12345678\n"#, #"\u0061"#, #"12345678\\"#] {
            let bytes = Array("\"\(written)\"".utf8) + [UInt8](repeating: 0, count: Int(SLUICE_PADDING))
            let name = Array(written.utf8)
            #expect(!keyEquals(bytes, 0, name), "\(written)")
        }
    }

    @Test("compact text has no white space between tokens and all of it in strings")
    func compact() {
        let cases = [
            (" { \"a b\" :\r\n [ 1 ,\t2 ] } ", "{\"a b\":[1,2]}"), ("\" \\\" \" ", "\" \\\" \""), ("1", "1"),
            ("[ ]", "[]"),
            ("[\"\\\\\" , \" \"]", "[\"\\\\\",\" \"]"), ("[true, null]", "[true,null]"),
        ]
        for (text, expected) in cases {
            let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: Int(SLUICE_PADDING))
            #expect(compactText(bytes, text.utf8.count) == Array(expected.utf8))
        }
    }
}

// ---- Inputs ----

/// Reads a tape member by member and decodes every key: slow, and easy to see through.
private struct PlainReader {
    var bytes: [UInt8]
    var tape: [UInt32]

    func isObject(_ position: Int) -> Bool { bytes[Int(tape[position])] == UInt8(ascii: "{") }

    func members(of object: Int) -> [(key: String, value: Int)] {
        guard isObject(object) else { return [] }
        var members: [(key: String, value: Int)] = []
        var position = object + 2
        while position < Int(tape[object + 1]) {
            let key = decodedString(bytes, at: Int(tape[position]))
            members.append((String(decoding: key, as: UTF8.self), position + 1))
            let isContainer = "{[".utf8.contains(bytes[Int(tape[position + 1])])
            position = isContainer ? Int(tape[position + 2]) + 1 : position + 2
        }
        return members
    }

    func find(_ path: String, in object: Int) -> Int? {
        let members = members(of: object)
        if let own = members.last(where: { $0.key == path }) { return own.value }
        for dot in path.indices.reversed() where path[dot] == "." {
            guard let step = members.last(where: { $0.key == path[..<dot] }) else { continue }
            if let found = find(String(path[path.index(after: dot)...]), in: step.value) { return found }
        }
        return nil
    }
}

/// Records whose keys often are what names say, or nearly.
private enum RandomRecord {
    static let pieces = ["a", "b", "ab", "profile_", "12345678", "é", "\n", "\"", "\\"]

    static func name(using random: inout SplitMix64) -> String {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
            (Int.random(in: 0...1, using: &random) == 0 ? "" : ".")
                + pieces[min(Int.random(in: 0..<9, using: &random), Int.random(in: 0..<9, using: &random))]
        }.joined()
    }

    static func key(using random: inout SplitMix64) -> String {
        let name = Bool.random(using: &random) ? name(using: &random) : pieces[Int.random(in: 0...1, using: &random)]
        var key = "\""
        for scalar in name.unicodeScalars {
            let isWritten = Int.random(in: 0..<12, using: &random) == 0 || "\n\"\\".unicodeScalars.contains(scalar)
            let digits = String(scalar.value, radix: 16)
            key += isWritten ? "\\u" + String(repeating: "0", count: 4 - digits.count) + digits : String(scalar)
        }
        return key + "\""
    }

    static func object(depth: Int, using random: inout SplitMix64) -> String {
        let spaces = Int.random(in: 0..<4, using: &random) == 0 ? ["", " ", " \t\r"] : [""]
        let scalars = ["1", "-2.5e3", "null", "\"\"", "\"a, \\\" text : \"", "[]", "[{\"a\":1}, 2]"]
        var members: [String] = []
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let value =
                depth > 0 && Bool.random(using: &random)
                ? object(depth: depth - 1, using: &random) : scalars.randomElement(using: &random)!
            let space = spaces.randomElement(using: &random)!
            members.append(space + key(using: &random) + space + ":" + space + value + space)
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}

/// The files of JSONTestSuite, when they are found beside the package.
private func conformanceFiles() -> [URL] {
    var folder = URL(filePath: #filePath).deletingLastPathComponent()
    while folder.path != "/" {
        let files = folder.appending(path: "shared/conformance/json/test_parsing")
        if let found = try? FileManager.default.contentsOfDirectory(at: files, includingPropertiesForKeys: nil),
            !found.isEmpty
        {
            return found.sorted { $0.path < $1.path }
        }
        folder = folder.deletingLastPathComponent()
    }
    return []
}

private enum RandomDocument {
    static let pieces = [
        "a", "\\n", "\\\\", "\\\"", "\\u0041", "\\uD83D\\uDE00", "é", "日本", "😀", "{}[],:", "\\/", "  ",
        "text without anything special in it",
    ]
    static let scalars = [
        "0", "-0", "12", "-1.5", "1e10", "0.10", "1.25E+300", "true", "false", "null",
        "12345678901234567890123456789012345",
    ]
    static let spaces = ["", "", "", "", " ", "\t", " \r", String(repeating: " ", count: 67)]
    static let damages = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "\n", "\r", "\u{1}", "\u{1A}", "0", "-", ".", "e", "u", "\\uD800",
        "\\uDC00", "\u{FEFF}",
    ]

    static func string(using random: inout SplitMix64) -> String {
        "\"" + (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
            + "\""
    }

    static func text(depth: Int, using random: inout SplitMix64) -> String {
        let count = Int.random(in: 0...4, using: &random)
        let value: String
        switch Int.random(in: 0..<(depth > 0 ? 6 : 3), using: &random) {
        case 0: value = string(using: &random)
        case 1, 2: value = scalars.randomElement(using: &random)!
        case 3:
            value = "[" + (0..<count).map { _ in text(depth: depth - 1, using: &random) }.joined(separator: ",") + "]"
        default:
            let members = (0..<count).map { _ in string(using: &random) + ":" + text(depth: depth - 1, using: &random) }
            value = "{" + members.joined(separator: ",") + "}"
        }
        return spaces.randomElement(using: &random)! + value + spaces.randomElement(using: &random)!
    }

    static func value(depth: Int, using random: inout SplitMix64) -> [UInt8] {
        Array(text(depth: depth, using: &random).utf8)
    }

    static func lines(using random: inout SplitMix64) -> [UInt8] {
        let lines = (0..<Int.random(in: 1...6, using: &random)).map { _ in
            Int.random(in: 0..<6, using: &random) == 0 ? " " : text(depth: 4, using: &random)
        }
        return Array((lines.joined(separator: "\n") + (Bool.random(using: &random) ? "\n" : "")).utf8)
    }

    /// Replaces, removes or adds a byte or a few.
    static func damage(_ text: inout [UInt8], using random: inout SplitMix64) {
        guard let place = text.indices.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1: text.remove(at: place)
        default: text.insert(contentsOf: Array(damages.randomElement(using: &random)!.utf8), at: place)
        }
    }
}
