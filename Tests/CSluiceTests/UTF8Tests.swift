import CSluice
import TestSupport
import Testing

/// Table 3-7 of the Unicode Standard: the well-formed byte sequences, row by row.
private let wellFormed: [[ClosedRange<UInt8>]] = [
    [0x00...0x7F],
    [0xC2...0xDF, 0x80...0xBF],
    [0xE0...0xE0, 0xA0...0xBF, 0x80...0xBF],
    [0xE1...0xEC, 0x80...0xBF, 0x80...0xBF],
    [0xED...0xED, 0x80...0x9F, 0x80...0xBF],
    [0xEE...0xEF, 0x80...0xBF, 0x80...0xBF],
    [0xF0...0xF0, 0x90...0xBF, 0x80...0xBF, 0x80...0xBF],
    [0xF1...0xF3, 0x80...0xBF, 0x80...0xBF, 0x80...0xBF],
    [0xF4...0xF4, 0x80...0x8F, 0x80...0xBF, 0x80...0xBF],
]

/// The row that each first byte opens.
private let rowOfFirst: [Int?] = (0...255).map { first in wellFormed.firstIndex { $0[0].contains(UInt8(first)) } }

/// What the kernels are held to: the offset of the first sequence that is no row of the table, or the length.
private func judge(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var offset = 0
    while offset < bytes.count {
        guard let row = rowOfFirst[Int(bytes[offset])] else { return offset }
        let ranges = wellFormed[row]
        if offset + ranges.count > bytes.count { return offset }
        var place = 1
        while place < ranges.count {
            if !ranges[place].contains(bytes[offset + place]) { return offset }
            place += 1
        }
        offset += ranges.count
    }
    return bytes.count
}

private struct Kernel: Sendable {
    let name: String
    let findInvalid: @Sendable (UnsafePointer<UInt8>, Int) -> Int

    static let all: [Kernel] = kernelNames.compactMap { name in
        guard let kernel = kernelNamed(name), let function = kernel.pointee.utf8_find_invalid else {
            return nil
        }
        return Kernel(name: name, findInvalid: { function($0, $1) })
    }
}

/// Calls `body` with the bytes and padding behind them that would change the answer if anybody looked at it.
private func withPadding<R>(_ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    let padded = bytes + [UInt8](repeating: 0xBF, count: Int(SLUICE_PADDING))
    return padded.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<bytes.count])) }
}

private func expectAgreement(
    _ bytes: [UInt8], _ expected: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    withPadding(bytes) { buffer in
        let answer = judge(buffer)
        if let expected, expected != answer {
            Issue.record("the judge says \(answer), not \(expected): \(bytes)", sourceLocation: sourceLocation)
        }
        for kernel in Kernel.all {
            let offset = kernel.findInvalid(buffer.baseAddress!, buffer.count)
            if offset != answer {
                Issue.record("\(kernel.name) says \(offset), not \(answer): \(bytes)", sourceLocation: sourceLocation)
            }
        }
    }
}

private func utf8(_ scalar: UInt32) -> [UInt8] {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift & 0x3F)) }
    switch scalar {
    case ..<0x80: return [UInt8(scalar)]
    case ..<0x800: return [UInt8(0xC0 | scalar >> 6), tail(0)]
    case ..<0x10000: return [UInt8(0xE0 | scalar >> 12), tail(6), tail(0)]
    default: return [UInt8(0xF0 | scalar >> 18), tail(12), tail(6), tail(0)]
    }
}

/// Byte sequences and how many bytes of them are well-formed before the first fault.
private let cases: [(bytes: [UInt8], valid: Int)] = [
    ([], 0),
    ([0x00], 1),
    ([0x7F], 1),
    ([0xC3, 0xA9], 2),
    ([0xE2, 0x82, 0xAC], 3),
    ([0xF0, 0x9F, 0x98, 0x80], 4),
    ([0xC2, 0x80], 2),
    ([0xDF, 0xBF], 2),
    ([0xE0, 0xA0, 0x80], 3),
    ([0xED, 0x9F, 0xBF], 3),
    ([0xEE, 0x80, 0x80], 3),
    ([0xEF, 0xBF, 0xBF], 3),
    ([0xF0, 0x90, 0x80, 0x80], 4),
    ([0xF4, 0x8F, 0xBF, 0xBF], 4),
    ([0x80], 0),  // a tail without a lead
    ([0xBF, 0x41], 0),
    ([0xC3, 0xA9, 0xA9], 2),
    ([0xE2, 0x82, 0xAC, 0x80], 3),
    ([0xF0, 0x9F, 0x98, 0x80, 0x80], 4),
    ([0xC3], 0),  // cut off by the end
    ([0xE2], 0),
    ([0xE2, 0x82], 0),
    ([0xF0], 0),
    ([0xF0, 0x9F], 0),
    ([0xF0, 0x9F, 0x98], 0),
    ([0xC3, 0x41], 0),  // cut off by ASCII
    ([0xE2, 0x82, 0x41], 0),
    ([0xF0, 0x9F, 0x98, 0x41], 0),
    ([0xC3, 0xC3, 0xA9], 0),  // cut off by another sequence
    ([0xE2, 0x82, 0xE2, 0x82, 0xAC], 0),
    ([0xF0, 0x9F, 0x98, 0xC3, 0xA9], 0),
    ([0xC0, 0x80], 0),  // overlong
    ([0xC1, 0xBF], 0),
    ([0xE0, 0x9F, 0xBF], 0),
    ([0xF0, 0x8F, 0xBF, 0xBF], 0),
    ([0xED, 0xA0, 0x80], 0),  // surrogates
    ([0xED, 0xBF, 0xBF], 0),
    ([0xF4, 0x90, 0x80, 0x80], 0),  // over U+10FFFF
    ([0xF5, 0x80, 0x80, 0x80], 0),
    ([0xF8, 0x88, 0x80, 0x80, 0x80], 0),
    ([0xFE], 0),
    ([0xFF], 0),
]

@Suite("UTF-8 validation")
struct UTF8Tests {
    @Test("each kind of fault is found at the first byte of its sequence")
    func table() {
        for (bytes, valid) in cases { expectAgreement(bytes, valid) }
    }

    @Test("a fault is found wherever it stands about the edges of a vector")
    func edges() {
        let fillers: [[UInt8]] = [[0x61], [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80]]
        for filler in fillers {
            let text = [UInt8](repeatElement(filler, count: 160).joined())
            for (bytes, valid) in cases {
                for offset in 0...130 {
                    let ahead =
                        text.prefix(offset - offset % filler.count)
                        + [UInt8](repeating: 0x61, count: offset % filler.count)
                    expectAgreement(ahead + bytes, offset + valid)
                    expectAgreement(ahead + bytes + text)
                }
            }
        }
    }

    @Test("all 1,112,064 scalar values are valid, alone and in a row")
    func allScalars() {
        var text: [UInt8] = []
        var starts: [Int] = []
        for scalar in UInt32(0)...0x10FFFF where !(0xD800...0xDFFF).contains(scalar) {
            starts.append(text.count)
            text.append(contentsOf: utf8(scalar))
        }
        #expect(starts.count == 1_112_064)
        starts.append(text.count)
        withPadding(text) { buffer in
            for kernel in Kernel.all {
                for start in 0..<4 {  // so that sequences of four bytes, too, stand at every place in a vector
                    let rest = UnsafeBufferPointer(rebasing: buffer[start...])
                    #expect(kernel.findInvalid(rest.baseAddress!, rest.count) == rest.count, "\(kernel.name)")
                }
                var faults = 0
                var number = 0
                while number < starts.count - 1 {
                    let length = starts[number + 1] - starts[number]
                    if kernel.findInvalid(buffer.baseAddress! + starts[number], length) != length { faults += 1 }
                    number += 1
                }
                #expect(faults == 0, "\(kernel.name)")
            }
        }
    }

    @Test("all surrogates are faults")
    func surrogates() {
        for surrogate in UInt32(0xD800)...0xDFFF { expectAgreement([0x61] + utf8(surrogate), 1) }
    }

    /// All 2^24 where that takes a second; without optimization, those of all first bytes with the others from each class.
    @Test("all strings of three bytes are judged as table 3-7 does")
    func threeBytes() {
        #if DEBUG || THIN
            let others: [UInt8] = [
                0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF,
            ]
        #else
            let others = [UInt8](0...0xFF)
        #endif
        var differences = 0
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 + Int(SLUICE_PADDING)) { buffer in
            buffer.initialize(repeating: 0xBF)
            let text = UnsafeBufferPointer(rebasing: buffer[..<3])
            for first in UInt8(0)...0xFF {
                for second in others {
                    for third in others {
                        buffer[0] = first
                        buffer[1] = second
                        buffer[2] = third
                        let answer = judge(text)
                        for kernel in Kernel.all where kernel.findInvalid(text.baseAddress!, 3) != answer {
                            differences += 1
                        }
                    }
                }
            }
        }
        #expect(differences == 0)
    }

    @Test("strings of four bytes from every class are judged as table 3-7 does")
    func fourBytes() {
        let firsts: [UInt8] = [0x41, 0x80, 0xC2, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
        let others: [UInt8] = [0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2]
        for first in firsts {
            for second in others {
                for third in others {
                    for fourth in others { expectAgreement([first, second, third, fourth]) }
                }
            }
        }
    }

    @Test("a text cut anywhere is valid up to the sequence that was cut")
    func cuts() {
        let text = [UInt8]((0..<40).map { "a\($0)é€😀日本" }.joined().utf8)
        for length in 0...text.count { expectAgreement([UInt8](text[..<length])) }
    }

    @Test("damaged texts are judged as table 3-7 does")
    func random() {
        var random = SplitMix64(seed: 2021)
        let pieces = ["a", "0123456789", "é", "€", "😀", "\u{10FFFF}", "\u{D7FF}", String(repeating: "x", count: 70)]
        let damage: [UInt8] = [0x80, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xF5, 0xFF, 0x41, 0x90, 0xA0]
        for _ in 0..<3000 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &random) { text += pieces.randomElement(using: &random)!.utf8 }
            for _ in 0..<Int.random(in: 0...2, using: &random) where !text.isEmpty {
                text[text.indices.randomElement(using: &random)!] = damage.randomElement(using: &random)!
            }
            expectAgreement(text)
        }
    }
}
