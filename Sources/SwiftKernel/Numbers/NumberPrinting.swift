// Numbers as text (`sluice_number.h`).
//
// Printing scales the double and the two ends of the interval that rounds to it by one power of ten, 10^-k. 10^k is the
// greatest that is no wider than the interval, so a multiple of it lies there, and of 10^(k+1) one at most, or both
// neighbours (R. Giulietti, The Schubfach Way to Render Doubles, 2020; it proves that the table has the bits that this
// needs).

/// The room that the printers of numbers want; what they write is shorter.
public let numberRoom = 32

// MARK: - Integers

/// Writes the decimal text of `value` to `out`, from `offset` on, and returns its length.
///
/// Behind `offset` there is room for `numberRoom` bytes; those behind the text are undefined after it.
public func printInt64(_ value: Int64, into out: inout MutableSpan<UInt8>, at offset: Int) -> Int {
    out[offset] = UInt8(ascii: "-")
    var end = offset &+ (value < 0 ? 1 : 0)
    let number = value.magnitude
    let upper = number / 100_000_000
    if upper == 0 { return end &+ printShort(number, into: &out, at: end) &- offset }
    let top = upper / 100_000_000
    if top == 0 {
        end &+= printShort(upper, into: &out, at: end)
    } else {
        end &+= printShort(top, into: &out, at: end)
        out.store(text(ofDigits: split(number: upper % 100_000_000)), at: end)
        end &+= 8
    }
    out.store(text(ofDigits: split(number: number % 100_000_000)), at: end)
    return end &+ 8 &- offset
}

/// Writes a number below 10^8 without zeros in front (and rubbish behind, 8 bytes in all).
@inline(__always)
private func printShort(_ number: UInt64, into out: inout MutableSpan<UInt8>, at offset: Int) -> Int {
    let digits = split(number: number)
    let zeros = indexOfFirst(digits | 1 &<< 56)  // the last zero is a digit
    out.store(text(ofDigits: digits) &>> UInt64(truncatingIfNeeded: 8 &* zeros), at: offset)
    return 8 &- zeros
}

// MARK: - Doubles

/// Writes the shortest decimal that parses back to `value`, the nearest to it where several are as short, to `out`, from
/// `offset` on, and returns its length.
///
/// Written as Python's repr does: "1.0", "0.1", "1e+16" (from 1e16), "1e-05" (below 1e-4), "-0.0".
/// - Parameters:
///   - value: finite.
///   - out: behind `offset` there is room for `numberRoom` bytes; those behind the text are undefined after it.
public func printDouble(_ value: Double, into out: inout MutableSpan<UInt8>, at offset: Int) -> Int {
    out[offset] = UInt8(ascii: "-")
    let sign = value.sign == .minus ? 1 : 0
    let start = offset &+ sign
    if value == 0 {
        out[start] = UInt8(ascii: "0")
        out[start &+ 1] = UInt8(ascii: ".")
        out[start &+ 2] = UInt8(ascii: "0")
        return sign &+ 3
    }
    let digits = DecimalDigits(ShortestDecimal(value))
    return switch digits.point {
    case 1...16: sign &+ digits.printWithPoint(into: &out, at: start)
    case -3...0: sign &+ digits.printFraction(into: &out, at: start)
    default: sign &+ digits.printWithExponent(into: &out, at: start)
    }
}

/// digits * 10^exponent: the shortest decimal that rounds to a double. It may end in zeros.
private struct ShortestDecimal {
    var digits: UInt64
    var exponent: Int

    /// - Parameter value: finite and not 0; its sign does not count.
    @inline(__always) init(_ value: Double) {
        let fraction = value.significandBitPattern
        let biased = Int(value.exponentBitPattern)
        let significand = biased == 0 ? fraction : fraction | 1 &<< 52
        let exponent = max(biased, 1) &- 1023 &- 52
        // At a power of two the doubles below stand closer. Ends of the interval belong to it if the significand is even.
        let uneven = fraction == 0 && biased > 1
        let open = significand & 1

        // 10^k is the greatest power of ten that is no wider than the interval.
        let k = (exponent &* 1_262_611 &- (uneven ? 524_031 : 0)) >> 22
        var power = PowerOfTen(0 &- k)
        power.low &+= 0 &- k > PowerOfTen.exact.upperBound ? 1 : 0  // those entries were rounded down
        let shift = UInt64(truncatingIfNeeded: exponent &+ PowerOfTen.floorLog2(0 &- k) &+ 1)
        let quarters = significand &* 4
        let center = Self.scale(quarters &<< shift, power)
        let lower = Self.scale((quarters &- (uneven ? 1 : 2)) &<< shift, power) &+ open
        let upper = Self.scale((quarters &+ 2) &<< shift, power) &- open

        // All in quarters of 10^k. First one power of ten higher: if one neighbour lies in the interval, it is the shortest.
        // The best of the digits below is right in all other cases.
        let digits = center / 4
        let tens = digits / 10
        let tensDown = lower <= 40 &* tens
        let tensUp = 40 &* tens &+ 40 <= upper
        self.exponent = k
        if digits >= 10 && tensDown != tensUp {
            self.digits = (tens &+ (tensUp ? 1 : 0)) &* 10
            return
        }
        let down = lower <= 4 &* digits
        let up = 4 &* digits &+ 4 <= upper
        let nearerUp = center & 3 &+ (digits & 1) > 2  // a half goes to the even one
        self.digits = digits &+ ((down != up ? up : nearerUp) ? 1 : 0)
    }

    /// The upper 64 bits of number * power, with the lowest bit set where the rest is not zero: all that comparing with
    /// whole numbers needs. The power was rounded up, so a rest of one unit may stand for zero.
    @inline(__always) private static func scale(_ number: UInt64, _ power: PowerOfTen) -> UInt64 {
        let lower = number.multipliedFullWidth(by: power.low).high
        let upper = number.multipliedFullWidth(by: power.high)
        let (rest, carry) = upper.low.addingReportingOverflow(lower)
        return upper.high &+ (carry ? 1 : 0) | (rest > 1 ? 1 : 0)
    }
}

/// A decimal's 17 digits, as text, and its point: 0.ddd * 10^point
private struct DecimalDigits {
    var first: UInt8
    /// The 8 behind the first, and the last 8.
    var upper: UInt64
    var lower: UInt64
    /// How many there are without zeros at the end.
    var count: Int
    var point: Int

    @inline(__always) init(_ decimal: ShortestDecimal) {
        let tenTo16: UInt64 = 10_000_000_000_000_000
        var digits = decimal.digits
        var exponent = decimal.exponent
        // One digit less is a coin's toss; more only subnormals lack.
        let oneLess = digits < tenTo16
        digits &*= oneLess ? 10 : 1
        exponent &-= oneLess ? 1 : 0
        while digits < tenTo16 {
            digits &*= 10
            exponent &-= 1
        }
        let behindFirst = digits % tenTo16
        let upper = split(number: behindFirst / 100_000_000)
        let lower = split(number: behindFirst % 100_000_000)
        first = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digits / tenTo16)
        self.upper = text(ofDigits: upper)
        self.lower = text(ofDigits: lower)
        let zeros = lower != 0 ? lower.leadingZeroBitCount / 8 : 8 &+ upper.leadingZeroBitCount / 8
        count = 17 &- zeros
        point = exponent &+ 17
    }

    /// Writes "1234.5" or "1234.0".
    @inline(__always) func printWithPoint(into out: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        out[offset] = first
        // The digits behind the point move by one; the last of all is behind it in any case.
        if point <= 8 {
            out.store(Self.insertPoint(into: upper, at: point &- 1), at: offset &+ 1)
            out.store(lower &<< 8 | upper &>> 56, at: offset &+ 9)
        } else {
            out.store(upper, at: offset &+ 1)
            out.store(Self.insertPoint(into: lower, at: point &- 9), at: offset &+ 9)
        }
        out[offset &+ 17] = UInt8(truncatingIfNeeded: lower &>> 56)
        return max(point &+ 1, count) &+ 1
    }

    /// Moves the bytes from `index` on by one, out of the word the last one, and puts a point there.
    @inline(__always) private static func insertPoint(into digits: UInt64, at index: Int) -> UInt64 {
        let shift = UInt64(truncatingIfNeeded: 8 &* index)
        let behind = UInt64.max &<< shift
        return digits & ~behind | UInt64(UInt8(ascii: ".")) &<< shift | (digits & behind) &<< 8
    }

    /// Writes "0.0012345".
    @inline(__always) func printFraction(into out: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        let start = offset &+ 2 &- point
        out.store(0x3030_3030_3030_2E30 as UInt64, at: offset)  // "0.000000"
        out[start] = first
        out.store(upper, at: start &+ 1)
        out.store(lower, at: start &+ 9)
        return 2 &- point &+ count
    }

    /// Writes "1.2345e-12".
    @inline(__always) func printWithExponent(into out: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        out[offset] = first
        out[offset &+ 1] = UInt8(ascii: ".")
        out.store(upper, at: offset &+ 2)
        out.store(lower, at: offset &+ 10)
        var end = offset &+ (count == 1 ? 1 : count &+ 1)
        let exponent = point &- 1
        out[end] = UInt8(ascii: "e")
        out[end &+ 1] = exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
        end &+= 2
        let magnitude = exponent.magnitude
        if magnitude >= 100 {
            out[end] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude / 100)
            end &+= 1
        }
        out[end] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude / 10 % 10)
        out[end &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude % 10)
        return end &+ 2 &- offset
    }
}
