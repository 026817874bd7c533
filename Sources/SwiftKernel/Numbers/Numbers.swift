// Numbers in a text: how long one is, and what it is worth (`sluice_number.h`).
//
// The argument:
//
// (1) A decimal w * 10^q with w <= 2^53 and |q| <= 22 is one exact double times or by another: the processor rounds
//     once, and correctly (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990).
// (2) Else w is multiplied by the 128 bits of 10^q in the table (D. Lemire, Number Parsing at a Gigabyte per Second,
//     2021). Of the product, 192 bits, the upper 128 are kept. The table's entry is off by less than one in its last
//     place, and so is the cut; either is worth less than one unit of what is kept. So the true value lies between one
//     unit below it and two above, and unless a point halfway between two doubles lies there, too, rounding is decided.
// (3) A text of more than 19 digits lies between its first 19, w, and w + 1. If both round alike, so does the text.
// (4) What is left goes to the standard library, which is exact and slower. It is rare, except where someone looks for it.

private let fractionBits = 52
private let infinity: UInt64 = 0x7FF << 52

/// So many digits always fit 64 bits.
private let maxWordDigits = 19

// MARK: - Length

/// The length of the JSON number (RFC 8259, section 6) that `text` starts with; 0 where it starts with none.
///
/// "-0" is one of 2 bytes; "01" one of 1 byte; "1." one of 1 byte; "-" none.
public func numberLength(_ text: Span<UInt8>) -> Int {
    let last = text.lastWord
    var end = text.starts(with: "-", at: 0) ? 1 : 0
    if text.starts(with: "0", at: end) {
        end += 1
    } else {
        let digits = text.endOfDigits(at: end, last: last)
        if digits == end { return 0 }
        end = digits
    }
    if text.starts(with: ".", at: end) {
        let digits = text.endOfDigits(at: end + 1, last: last)
        if digits == end + 1 { return end }
        end = digits
    }
    guard let exponent = text.startOfExponent(at: end) else { return end }
    let digits = text.endOfDigits(at: exponent, last: last)
    return digits == exponent ? end : digits
}

extension Span<UInt8> {
    @inline(__always) fileprivate func starts(with character: Unicode.Scalar, at offset: Int) -> Bool {
        offset < count && self[offset] == UInt8(ascii: character)
    }

    /// Where the digits of an exponent have to start, if there is the letter of one.
    @inline(__always) fileprivate func startOfExponent(at offset: Int) -> Int? {
        guard offset < count, self[offset] | 0x20 == UInt8(ascii: "e") else { return nil }
        let sign = offset + 1
        return starts(with: "-", at: sign) || starts(with: "+", at: sign) ? sign + 1 : sign
    }
}

// MARK: - Integers

/// The value of `text`, if all of it is one JSON number without fraction and exponent that Int64 holds.
///
/// "-0" is 0, though that prints without the sign.
public func parseInt64(_ text: Span<UInt8>) -> Int64? {
    let negative = text.starts(with: "-", at: 0)
    let start = negative ? 1 : 0
    let count = text.count &- start
    guard count > 0, count <= maxWordDigits, count == 1 || text[start] != UInt8(ascii: "0") else { return nil }
    var number: UInt64 = 0
    guard text.readDigits(at: start, last: text.lastWord, into: &number) == text.count else { return nil }
    guard number <= UInt64(Int64.max) &+ (negative ? 1 : 0) else { return nil }
    return Int64(bitPattern: negative ? 0 &- number : number)
}

// MARK: - Doubles

/// The double nearest to `text`, ties to even, infinite on overflow, if all of it is one JSON number.
///
/// Correct for every length.
public func parseDouble(_ text: Span<UInt8>) -> Double? {
    guard let decimal = Decimal(text) else { return nil }
    let magnitude: Double
    if let exact = decimal.exactQuotient {
        magnitude = exact
    } else if let bits = decimal.bits {
        magnitude = Double(bitPattern: bits)
    } else {
        return parseSlowly(text)
    }
    return decimal.negative ? -magnitude : magnitude
}

/// What (4) is about: `text` is known to be a number.
@inline(never) private func parseSlowly(_ text: Span<UInt8>) -> Double? {
    var copy = ""
    for index in text.indices { copy.unicodeScalars.append(Unicode.Scalar(text[index])) }
    return Double(copy)
}

/// A number as read: significand * 10^exponent.
private struct Decimal {
    /// Its first 19 digits at most, from the first that is no zero.
    var significand: UInt64 = 0
    var exponent = 0
    var negative: Bool
    /// More digits follow.
    var truncated = false

    /// nil: not all of `text` is one number.
    @inline(__always) init?(_ text: Span<UInt8>) {
        let last = text.lastWord
        negative = text.starts(with: "-", at: 0)
        let start = negative ? 1 : 0
        var end = text.readDigits(at: start, last: last, into: &significand)
        var digits = end &- start  // that may be significant
        if digits == 0 { return nil }
        if text[start] == UInt8(ascii: "0") {
            if digits > 1 { return nil }
            digits = 0
        }
        if text.starts(with: ".", at: end) {
            let fraction = end &+ 1
            end = text.readDigits(at: fraction, last: last, into: &significand)
            if end == fraction { return nil }
            exponent = fraction &- end
            digits &+= end &- fraction
        }
        if end < text.count {
            guard let number = Self.exponent(of: text, at: end) else { return nil }
            exponent += number
        }
        if digits > maxWordDigits { takeFirstDigits(of: text, from: start, to: end) }
    }

    /// Reads what must be an exponent and all that is left. Far out it is inexact, but no text is so long that its digits
    /// could make up for that.
    private static func exponent(of text: Span<UInt8>, at offset: Int) -> Int? {
        guard let start = text.startOfExponent(at: offset), start < text.count else { return nil }
        var number = 0
        for index in start..<text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            if digit > 9 { return nil }
            if number < Int.max / 100 { number = number &* 10 &+ Int(digit) }
        }
        return text[start &- 1] == UInt8(ascii: "-") ? -number : number
    }

    /// For a text of so many digits that they may not fit the significand.
    @inline(never) private mutating func takeFirstDigits(of text: Span<UInt8>, from start: Int, to end: Int) {
        significand = 0
        var taken = 0
        var left = 0
        for index in start..<end {
            let byte = text[index]
            if byte == UInt8(ascii: ".") || (taken == 0 && byte == UInt8(ascii: "0")) { continue }
            if taken == maxWordDigits {
                left += 1
            } else {
                significand = significand * 10 + UInt64(byte - UInt8(ascii: "0"))
                taken += 1
            }
        }
        exponent += left
        truncated = left > 0
    }

    /// Its magnitude, if one operation makes it (1).
    @inline(__always) var exactQuotient: Double? {
        if significand > 1 &<< 53 || truncated { return nil }
        if exponent >= 0 && exponent < exactPowers.count { return Double(significand) * exactPowers[exponent] }
        if exponent < 0 && exponent > -exactPowers.count { return Double(significand) / exactPowers[0 &- exponent] }
        return nil
    }

    /// The bits of its magnitude; nil: undecided.
    var bits: UInt64? {
        if significand == 0 || exponent < PowerOfTen.first { return 0 }
        if exponent > 308 { return infinity }
        guard let bits = Self.round(significand, exponent) else { return nil }
        if truncated && Self.round(significand + 1, exponent) != bits { return nil }
        return bits
    }

    /// The bits of the double nearest to significand * 10^exponent (2); nil: undecided. The exponent is one of the table,
    /// the significand not 0.
    @inline(__always) private static func round(_ significand: UInt64, _ exponent: Int) -> UInt64? {
        let power = PowerOfTen(exponent)
        let zeros = significand.leadingZeroBitCount
        let shifted = significand &<< UInt64(truncatingIfNeeded: zeros)
        let lower = shifted.multipliedFullWidth(by: power.low)
        let upper = shifted.multipliedFullWidth(by: power.high)
        let (low, carry) = upper.low.addingReportingOverflow(lower.high)
        let high = upper.high &+ (carry ? 1 : 0)

        let top = Int(high &>> 63)  // the product has 127 bits or 128
        let biased = 1023 &+ 63 &+ PowerOfTen.floorLog2(exponent) &- zeros &+ top
        if biased >= 0x7FF { return infinity }
        let subnormal = biased < 1 ? 1 &- biased : 0
        let cut = 64 &- fractionBits &- 2 &+ top &+ subnormal  // bits of `high` that are not kept
        if cut >= 64 { return nil }

        let kept = high &>> UInt64(truncatingIfNeeded: cut)
        let half: UInt64 = 1 &<< UInt64(truncatingIfNeeded: cut &- 1)
        let rest = high & (half &* 2 &- 1)
        let up: Bool
        if PowerOfTen.exact.contains(exponent) {
            up = rest > half || (rest == half && (low | lower.low != 0 || kept & 1 == 1))
        } else {
            if (rest == half && low == 0) || (rest == half &- 1 && low == .max) { return nil }
            up = rest >= half
        }
        // Adding the significand with its hidden bit to an exponent that is one too small makes the right one.
        let below = UInt64(truncatingIfNeeded: biased &+ subnormal &- 1) &<< UInt64(fractionBits) &+ kept
        return below &+ (up ? 1 : 0)
    }
}

/// The powers of ten that are doubles.
private let exactPowers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]
