// Standard base64 with padding.

/// How many bytes base64 writes for `length`.
@inline(__always)
func base64Length(_ length: Int) -> Int { (length &+ 2) / 3 &* 4 }

private func digit(_ value: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: value & 63)
    switch value {
    case ..<26: return value &+ UInt8(ascii: "A")
    case ..<52: return value &- 26 &+ UInt8(ascii: "a")
    case ..<62: return value &- 52 &+ UInt8(ascii: "0")
    case 62: return UInt8(ascii: "+")
    default: return UInt8(ascii: "/")
    }
}

/// nil: no digit.
private func value(_ digit: UInt8) -> UInt32? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit &- UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit &- UInt8(ascii: "a") &+ 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit &- UInt8(ascii: "0") &+ 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}

private let equals = UInt8(ascii: "=")

/// Writes `content[range]` as base64, and not a byte more. Returns where it ends.
package func base64Encode(
    _ content: Span<UInt8>, _ range: Range<Int>, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    var (from, to) = (range.lowerBound, place)
    while from < range.upperBound {
        let left = range.upperBound &- from
        let second = left > 1 ? UInt32(content[from &+ 1]) : 0
        let third = left > 2 ? UInt32(content[from &+ 2]) : 0
        let bits = UInt32(content[from]) << 16 | second << 8 | third
        out[to] = digit(bits >> 18)
        out[to &+ 1] = digit(bits >> 12)
        out[to &+ 2] = left > 1 ? digit(bits >> 6) : equals
        out[to &+ 3] = left > 2 ? digit(bits) : equals
        from &+= 3
        to &+= 4
    }
    return to
}

/// Four digits, of which the last ones may be padding in the last group of a text.
private struct Group {
    var digits: (UInt8, UInt8, UInt8, UInt8)
    var isLast: Bool

    /// The bytes that they spell, the first in bits 16 ..< 24, and how many. nil: no base64.
    var decoded: (bits: UInt32, count: Int)? {
        let padded = isLast && digits.3 == equals
        let count = !padded ? 3 : digits.2 != equals ? 2 : 1
        guard let first = value(digits.0), let second = value(digits.1),
            let third = count > 1 ? value(digits.2) : 0, let fourth = count > 2 ? value(digits.3) : 0
        else { return nil }
        let bits = first << 18 | second << 12 | third << 6 | fourth
        let unused: UInt32 = count == 3 ? 0 : count == 2 ? 0xFF : 0xFFFF  // bits that no byte takes are 0
        return bits & unused == 0 ? (bits, count) : nil
    }

    func put(into out: inout MutableSpan<UInt8>, at place: Int) -> Int? {
        guard let decoded else { return nil }
        for i in 0..<decoded.count { out[place &+ i] = UInt8(truncatingIfNeeded: decoded.bits >> UInt32(16 &- 8 &* i)) }
        return place &+ decoded.count
    }
}

/// Writes the bytes that `text` spells: standard base64, padded, nothing else in it. Needs 3 bytes for 4. Returns where they
/// end; nil where it is no base64.
package func base64Decode(_ text: Span<UInt8>, into out: inout MutableSpan<UInt8>, at place: Int) -> Int? {
    guard text.count % 4 == 0 else { return nil }
    var (from, to) = (0, place)
    while from < text.count {
        let digits = (text[from], text[from &+ 1], text[from &+ 2], text[from &+ 3])
        guard let next = Group(digits: digits, isLast: from &+ 4 == text.count).put(into: &out, at: to) else {
            return nil
        }
        (from, to) = (from &+ 4, next)
    }
    return to
}

/// The same for text that stands in the output: the bytes take its place.
func base64DecodeInPlace(_ out: inout MutableSpan<UInt8>, _ text: Field) -> Int? {
    guard text.length % 4 == 0 else { return nil }
    var (from, to) = (text.start, text.start)
    while from < text.end {
        let digits = (out[from], out[from &+ 1], out[from &+ 2], out[from &+ 3])
        guard let next = Group(digits: digits, isLast: from &+ 4 == text.end).put(into: &out, at: to) else {
            return nil
        }
        (from, to) = (from &+ 4, next)
    }
    return to
}
