// Digits, eight at a time: as the bytes of a word, the first one lowest.

/// "00000000"
private let zeros: UInt64 = 0x3030_3030_3030_3030

/// The highest bit of each byte that is no digit's value.
@inline(__always) func others(thanDigits digits: UInt64) -> UInt64 {
    ((digits & everyByte(0x7F)) &+ everyByte(0x7F - 9) | digits) & everyByte(0x80)
}

/// Which byte of a word the lowest bit that is set belongs to.
@inline(__always) func indexOfFirst(_ bytes: UInt64) -> Int { bytes.trailingZeroBitCount / 8 }

/// The number that the first `count` (0 ... 8) of these digits' values spell.
@inline(__always) func joined(digits: UInt64, count: Int) -> UInt64 {
    // Zeros in front, in two steps, as a shift by 64 would be one by 0. Then pairs of digits, in the even bytes.
    let half = UInt64(truncatingIfNeeded: 4 &* (8 &- count))
    let single = (digits &<< half) &<< half
    let pairs = single &* 10 &+ (single &>> 8)
    let firstAndThird = pairs & 0x0000_00FF_0000_00FF
    let secondAndFourth = pairs &>> 16 & 0x0000_00FF_0000_00FF
    return (firstAndThird &* (100 &+ 1_000_000 &<< 32) &+ secondAndFourth &* (1 &+ 10_000 &<< 32)) &>> 32
}

/// The eight digits of a number below 10^8, as values.
@inline(__always) func split(number: UInt64) -> UInt64 {
    // Fours, pairs, digits: of each, the quotient stays in the lower half of its lane, the remainder goes to the upper.
    // Division is multiplication by a reciprocal that is exact for the values that occur.
    let fours = number / 10_000 | (number % 10_000) &<< 32
    let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007F_0000_007F
    let pairs = hundreds | (fours &- hundreds &* 100) &<< 16
    let tens = (pairs &* 103) &>> 10 & 0x000F_000F_000F_000F
    return tens | (pairs &- tens &* 10) &<< 8
}

/// Digits as text, of digits as values.
@inline(__always) func text(ofDigits digits: UInt64) -> UInt64 { digits | zeros }

extension Span<UInt8> {
    /// The last 8 bytes; zeros in front of less.
    @inline(__always) var lastWord: UInt64 {
        if count >= 8 { return word(at: count &- 8) }
        let shift = UInt64(truncatingIfNeeded: 8 &* (8 &- count))
        if count >= 4 { return UInt64(halfWord(at: count &- 4)) &<< 32 | UInt64(halfWord(at: 0)) &<< shift }
        if count == 0 { return 0 }
        // Bytes 0, 1 and 2 of three, 0, 1 and 1 of two, 0, 0 and 0 of one.
        let middle = count / 2
        return UInt64(self[count &- 1]) &<< 56 | UInt64(self[0]) &<< shift
            | UInt64(self[middle]) &<< (shift &+ UInt64(truncatingIfNeeded: 8 &* middle))
    }

    /// The next 8 bytes as digits' values; what is behind the end is no digit.
    /// - Parameter last: `lastWord`.
    @inline(__always) private func digits(at offset: Int, last: UInt64) -> UInt64 {
        let left = count &- offset
        if left >= 8 { return word(at: offset) ^ zeros }
        let half = UInt64(truncatingIfNeeded: 4 &* (8 &- left))
        return (last &>> half) &>> half ^ zeros
    }

    /// The end of the digits that start at `offset`.
    @inline(__always) func endOfDigits(at offset: Int, last: UInt64) -> Int {
        var end = offset
        while true {
            let found = others(thanDigits: digits(at: end, last: last))
            if found != 0 { return end &+ indexOfFirst(found) }
            end &+= 8
        }
    }

    /// The same; and appends the digits to `number`, modulo 2^64.
    @inline(__always) func readDigits(at offset: Int, last: UInt64, into number: inout UInt64) -> Int {
        var end = offset
        while true {
            let digits = digits(at: end, last: last)
            let found = others(thanDigits: digits)
            if found != 0 {
                let count = indexOfFirst(found)
                number = number &* smallPower(count) &+ joined(digits: digits, count: count)
                return end &+ count
            }
            number = number &* 100_000_000 &+ joined(digits: digits, count: 8)
            end &+= 8
        }
    }
}

/// 10^exponent, for 0 ... 7.
@inline(__always) private func smallPower(_ exponent: Int) -> UInt64 { smallPowers[exponent] }
private let smallPowers: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
