import CSluice
import TestSupport
import Testing

/// An encoding, and what the kernels are held to: the standard library's own codecs.
private struct Encoding: Sendable, CustomStringConvertible {
    let core: sluice_encoding
    let description: String
    /// The bytes of a scalar; nil where there are none.
    let encode: @Sendable (Unicode.Scalar) -> [UInt8]?

    static let utf16LE = Encoding(core: SLUICE_UTF16LE, description: "utf16LE") { scalar in
        UTF16.encode(scalar)!.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    }
    static let utf16BE = Encoding(core: SLUICE_UTF16BE, description: "utf16BE") { scalar in
        UTF16.encode(scalar)!.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }
    static let latin1 = Encoding(core: SLUICE_LATIN1, description: "latin1") { scalar in
        UInt8(exactly: scalar.value).map { [$0] }
    }
    static let all = [utf16LE, utf16BE, latin1]

    func encode(_ text: String) -> [UInt8] { text.unicodeScalars.flatMap { encode($0)! } }

    /// A code unit's bytes.
    func unit(_ unit: UInt16) -> [UInt8] {
        let bytes = [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
        return core == SLUICE_UTF16BE ? bytes.reversed() : bytes
    }
}

private enum Direction: CaseIterable { case toUTF8, fromUTF8 }

/// What one call answers.
private struct Answer: Equatable {
    var status: sluice_status
    var used: Int
    var output: [UInt8]
}

private struct Kernel: Sendable {
    let name: String

    static let scalar = Kernel(name: "scalar")
    static let all = kernelNames.map { Kernel(name: $0) }

    func function(_ direction: Direction, _ encoding: Encoding) -> sluice_transcode_function {
        let kernel = kernelNamed(name)!.pointee
        let table = direction == .toUTF8 ? kernel.to_utf8 : kernel.from_utf8
        return encoding.core == SLUICE_UTF16LE ? table.0! : encoding.core == SLUICE_UTF16BE ? table.1! : table.2!
    }

    /// One call, with padding behind the input that would change the answer if it counted, and a check of what is written
    /// behind the output.
    func run(
        _ direction: Direction, _ encoding: Encoding, _ input: [UInt8], final: Bool = true, room: Int
    ) -> Answer {
        let padding = Int(SLUICE_PADDING)
        let padded = input + [UInt8](repeating: 0xBF, count: padding)
        var used = 0
        var filled = 0
        var status = SLUICE_OK
        var isIntact = true
        let output = [UInt8](unsafeUninitializedCapacity: room + padding + 32) { output, count in
            output.initialize(repeating: 0xA5)
            status = function(direction, encoding)(
                padded, input.count, &used, final, output.baseAddress!, room, &filled)
            isIntact = output[(room + padding)...].allSatisfy { $0 == 0xA5 } && filled <= room
            count = filled
        }
        #expect(isIntact, "\(name): nothing is written behind the padding")
        return Answer(status: status, used: used, output: output)
    }

    /// All of an input, given in pieces of `step` bytes and taken in pieces of `room`.
    func runPieces(
        _ direction: Direction, _ encoding: Encoding, _ input: [UInt8], step: Int, room: Int
    ) -> Answer {
        var whole = Answer(status: SLUICE_OK, used: 0, output: [])
        var end = min(step, input.count)
        while true {
            let piece = Array(input[whole.used..<end])
            let answer = run(direction, encoding, piece, final: end == input.count, room: room)
            whole.used += answer.used
            whole.output += answer.output
            whole.status = answer.status
            switch answer.status {
            case SLUICE_NEED_INPUT:
                #expect(end < input.count && end - whole.used < 4, "\(name)")
                end = min(end + step, input.count)
            case SLUICE_OUTPUT_FULL: #expect(room - answer.output.count < 4, "\(name)")
            default: return whole
            }
        }
    }
}

private let everyScalar = (UInt32(0)...0x10FFFF).compactMap(Unicode.Scalar.init)

/// Texts of each kind of character, alone and mixed, longer than any kernel's step.
private let texts: [String] = [
    "", "a", "é", "€", "😀",
    String(repeating: "0123456789,\"\n", count: 20),
    String(repeating: "é", count: 150), String(repeating: "日本語", count: 60), String(repeating: "😀", count: 70),
    (0..<40).map { "a\($0)é€" + ($0 % 7 == 0 ? "😀" : "") + String(repeating: "x", count: $0) }.joined(),
    "\u{FEFF}\u{0}\u{7F}\u{80}\u{FF}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}",
]
private let latin1Texts: [String] = [
    "", "ÿ", String(repeating: "é", count: 150), (0..<40).map { "a\($0)\u{80}ÿ" }.joined(),
    String(String.UnicodeScalarView((UInt8.min...UInt8.max).map(Unicode.Scalar.init))),
]

private func texts(of encoding: Encoding) -> [String] {
    encoding.core == SLUICE_LATIN1 ? latin1Texts : texts + latin1Texts
}

@Suite("Transcoding")
struct TranscodeTests {
    @Test("all 1,112,064 scalars go to UTF-8 and back in every encoding that has them", arguments: Encoding.all)
    fileprivate func everyScalarThereAndBack(_ encoding: Encoding) {
        #expect(everyScalar.count == 1_112_064)
        var stored: [UInt8] = []
        var text: [UInt8] = []
        for scalar in everyScalar {
            guard let bytes = encoding.encode(scalar) else { continue }
            stored += bytes
            text += UTF8.encode(scalar)!
        }
        #expect(stored.count == (encoding.core == SLUICE_LATIN1 ? 256 : 4_321_280))
        for kernel in Kernel.all {
            // By so many bytes of ASCII ahead, so that every character stands at every place of a vector.
            for ahead in 0..<4 {
                let spaces = String(repeating: " ", count: ahead)
                let (stored, text) = (encoding.encode(spaces) + stored, Array(spaces.utf8) + text)
                let decoded = kernel.run(.toUTF8, encoding, stored, room: text.count)
                #expect(decoded == Answer(status: SLUICE_OK, used: stored.count, output: text), "\(kernel.name)")
                let encoded = kernel.run(.fromUTF8, encoding, text, room: stored.count)
                #expect(encoded == Answer(status: SLUICE_OK, used: text.count, output: stored), "\(kernel.name)")
            }
        }
    }

    @Test("each scalar is transcoded alone as the standard library does", arguments: Encoding.all)
    fileprivate func alone(_ encoding: Encoding) {
        var differences = 0
        for scalar in everyScalar where scalar.value < 0x900 || scalar.value % 251 == 0 || scalar.value & 0xFFE >= 0xFFC
        {
            let text = Array(UTF8.encode(scalar)!)
            let stored = encoding.encode(scalar)
            for kernel in Kernel.all {
                let answer = kernel.run(.fromUTF8, encoding, text, room: 4)
                let expected =
                    stored.map { Answer(status: SLUICE_OK, used: text.count, output: $0) }
                    ?? Answer(status: SLUICE_ERROR_UNENCODABLE, used: 0, output: [])
                if answer != expected { differences += 1 }
            }
        }
        #expect(differences == 0)
    }

    @Test("texts cut anywhere, into rooms of every size, come out whole", arguments: Encoding.all)
    fileprivate func cuts(_ encoding: Encoding) {
        for text in texts(of: encoding) {
            let utf8 = Array(text.utf8)
            let stored = encoding.encode(text)
            for (direction, input, output) in [
                (Direction.toUTF8, stored, utf8), (Direction.fromUTF8, utf8, stored),
            ] {
                let whole = Answer(status: SLUICE_OK, used: input.count, output: output)
                for kernel in Kernel.all {
                    for cut in 1...max(1, input.count) {
                        let answer = kernel.runPieces(direction, encoding, input, step: cut, room: output.count + 4)
                        #expect(answer == whole, "\(kernel.name), in pieces of \(cut)")
                    }
                    for room in 4...max(4, min(output.count, 300)) {
                        let answer = kernel.runPieces(direction, encoding, input, step: input.count, room: room)
                        #expect(answer == whole, "\(kernel.name), into \(room) bytes")
                    }
                }
            }
        }
    }

    @Test("every kernel stops where the scalar one does, whatever the room")
    func agreement() {
        var random = SplitMix64(seed: 16)
        let pieces = ["a", "0123456789", "é", "ÿ\u{80}", "€", "日本語", "😀", String(repeating: "x", count: 70)]
        for round in 0..<3000 {
            let encoding = Encoding.all[round % 3]
            let direction = Direction.allCases[round / 3 % 2]
            let rare = encoding.core == SLUICE_LATIN1 && round % 4 != 0 ? 4 : pieces.count
            var text = ""
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                text += pieces[Int.random(in: 0..<rare, using: &random)]
            }
            var input = Array(text.utf8)
            if direction == .toUTF8, encoding.core != SLUICE_LATIN1 { input = encoding.encode(text) }
            for _ in 0..<Int.random(in: 0...2, using: &random) where !input.isEmpty {
                let damage: [UInt8] = [0x80, 0xBF, 0xC0, 0xC4, 0xD8, 0xDC, 0xDF, 0xE0, 0xED, 0xF5, 0xFF, 0x41]
                input[input.indices.randomElement(using: &random)!] = damage.randomElement(using: &random)!
            }
            if round % 5 == 0 { input = input.dropLast() }
            let room = Bool.random(using: &random) ? 3 * input.count : Int.random(in: 0...200, using: &random)
            for final in [false, true] {
                let expected = Kernel.scalar.run(direction, encoding, input, final: final, room: room)
                for kernel in Kernel.all {
                    let answer = kernel.run(direction, encoding, input, final: final, room: room)
                    #expect(answer == expected, "\(kernel.name), \(encoding), \(direction): \(input)")
                }
            }
        }
    }

    /// Code units and how many of them are well-formed before the first fault; nil: none is.
    private static let units: [(units: [UInt16], valid: Int?)] = [
        ([], nil), ([0xD7FF, 0xE000], nil), ([0xD800, 0xDC00], nil), ([0xDBFF, 0xDFFF], nil),
        ([0xDC00], 0), ([0xDFFF, 0x41], 0), ([0xD800, 0x41], 0), ([0xDBFF, 0xD800, 0xDC00], 0), ([0xD800, 0xE000], 0),
        ([0xD800, 0xDC00, 0xDC00], 2), ([0xD800, 0xDC00, 0xD800, 0x41], 2), ([0x41, 0xDC00, 0xD800], 1),
    ]

    @Test("an unpaired surrogate is found wherever it stands", arguments: [Encoding.utf16LE, .utf16BE])
    fileprivate func unpairedSurrogates(_ encoding: Encoding) {
        for (units, valid) in Self.units {
            for ahead in 0...70 {
                for filler in [UInt16(0x61), 0x65E5] {
                    let start = [UInt16](repeating: filler, count: ahead) + units
                    for rest in [0, 1, 80] {
                        let all = start + [UInt16](repeating: filler, count: rest)
                        let input = all.flatMap(encoding.unit)
                        for kernel in Kernel.all {
                            let answer = kernel.run(.toUTF8, encoding, input, room: 3 * all.count)
                            let end = valid.map { ahead + $0 } ?? all.count
                            #expect(answer.status == (valid == nil ? SLUICE_OK : SLUICE_ERROR_INVALID_UTF16))
                            #expect(answer.used == 2 * end, "\(kernel.name)")
                            #expect(answer.output == Array(String(decoding: all[..<end], as: UTF16.self).utf8))
                        }
                    }
                }
            }
        }
    }

    @Test("an end inside a character is one that may go on, or a fault", arguments: [Encoding.utf16LE, .utf16BE])
    fileprivate func ends(_ encoding: Encoding) {
        for ahead in 0...70 {
            let start = [UInt16](repeating: 0x20AC, count: ahead).flatMap(encoding.unit)
            for (rest, used) in [
                (encoding.unit(0x41).dropLast(), 0), (encoding.unit(0xD83D), 0),
                (encoding.unit(0xD83D) + encoding.unit(0xDE00).dropLast(), 0),
            ] {
                for kernel in Kernel.all {
                    for (final, status) in [(false, SLUICE_NEED_INPUT), (true, SLUICE_ERROR_INVALID_UTF16)] {
                        let answer = kernel.run(.toUTF8, encoding, start + rest, final: final, room: 400)
                        #expect(answer.status == status && answer.used == start.count + used, "\(kernel.name)")
                    }
                }
            }
        }
    }

    @Test("ill-formed UTF-8 is encoded up to its first byte", arguments: Encoding.all)
    fileprivate func illFormed(_ encoding: Encoding) {
        let faults: [[UInt8]] = [
            [0x80], [0xC3], [0xC0, 0x80], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
            [0xC3, 0x41],
        ]
        for fault in faults {
            for ahead in 0...140 {
                for filler in ["a", "é"] {
                    let text = String(repeating: filler, count: ahead)
                    let input = Array(text.utf8) + fault
                    for kernel in Kernel.all {
                        let answer = kernel.run(.fromUTF8, encoding, input, room: 2 * input.count)
                        #expect(answer.status == SLUICE_ERROR_INVALID_UTF8, "\(kernel.name)")
                        #expect(answer.used == text.utf8.count && answer.output == encoding.encode(text))
                    }
                }
            }
        }
    }

    @Test("a character that ISO 8859-1 lacks is named by its first byte")
    func unencodable() {
        for character in ["Ā", "€", "😀"] {
            for ahead in 0...140 {
                let text = String(repeating: "é", count: ahead % 9) + String(repeating: "a", count: ahead)
                for rest in ["", String(repeating: "z", count: 100)] {
                    for kernel in Kernel.all {
                        let input = Array((text + character + rest).utf8)
                        let answer = kernel.run(.fromUTF8, .latin1, input, room: input.count)
                        #expect(answer.status == SLUICE_ERROR_UNENCODABLE, "\(kernel.name)")
                        #expect(answer.used == text.utf8.count && answer.output == Encoding.latin1.encode(text))
                    }
                }
            }
        }
    }

    @Test("the length of stored text is told from its UTF-8", arguments: Encoding.all)
    fileprivate func encodedLength(_ encoding: Encoding) {
        let long = String(repeating: "aé€", count: 5000) + String(repeating: "😀", count: 5000)
        for text in texts(of: encoding) + (encoding.core == SLUICE_LATIN1 ? [] : [long]) {
            #expect(storedLength(encoding.core, Array(text.utf8)) == encoding.encode(text).count)
        }
    }
}
