import CSluice

// UTF-8 validity: 64 bytes at a time, and sequence by sequence where that finds a fault.
//
// 1. Whether a text is well-formed can be told from each byte together with the three before it (table 3-7 of the Unicode
//    Standard, turned round): a tail stands just where one of those announces it, some bytes stand nowhere, and four leads
//    narrow the byte behind them.
// 2. A fault shows at the latest at the first byte behind the sequence it is in. So a block that ends inside a sequence is right
//    so far, and what comes behind it finds the fault.
// 3. The vectors say only that there is a fault. All before the block was found right, but for a sequence that it cuts; so from
//    that sequence's first byte on, sequence by sequence, the first fault and its exact offset are found.

/// `sluice_utf8_find_invalid_function`.
func utf8FindInvalid(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> Int {
    // SAFETY: `length` bytes are the input.
    let input = unsafe UnsafeBufferPointer(start: bytes, count: length)
    return unsafe input.span.firstInvalidUTF8
}

extension Span<UInt8> {
    /// Where the first ill-formed sequence begins (one cut off by the end is one); `count` if there is none.
    var firstInvalidUTF8: Int {
        var position = 0
        while position < 3 {  // so that there are three bytes before a block
            if position == count { return count }
            let length = utf8SequenceLength(at: position)
            if length == 0 { return position }
            position &+= length
        }
        var isOpen = false  // the last block had a byte over 0x7F, so it may end inside a sequence
        while position &+ 64 <= count {
            let block = block(at: position)
            let isASCII = block.isASCII
            if isOpen || !isASCII {
                if hasUTF8Faults(block, at: position) { break }
                isOpen = !isASCII
            }
            position &+= 64
        }
        return firstInvalidSequence(from: sequenceStart(before: position))
    }

    /// The same, sequence by sequence. One begins at `start`.
    private func firstInvalidSequence(from start: Int) -> Int {
        var position = start
        while position < count {
            if position &+ 8 <= count, word(at: position) & everyByte(0x80) == 0 {
                position &+= 8
                continue
            }
            let length = utf8SequenceLength(at: position)
            if length == 0 { return position }
            position &+= length
        }
        return count
    }

    /// Where the sequence begins that may be cut at `position`; all before is well-formed.
    private func sequenceStart(before position: Int) -> Int {
        var start = position
        while start > 0, position &- start < 3 {
            start &-= 1
            if self[start] >= 0xC0 { return start }
        }
        return position
    }

    /// The length of the well-formed sequence at `position`, or 0. The Unicode Standard, table 3-7.
    @inline(__always) private func utf8SequenceLength(at position: Int) -> Int {
        let first = self[position]
        switch first {
        case ..<0x80: return 1
        case 0xC2...0xDF: return isTail(position &+ 1) ? 2 : 0
        case 0xE0...0xEF:
            // No overlong forms, no surrogates.
            let second: ClosedRange<UInt8> = first == 0xE0 ? 0xA0...0xBF : first == 0xED ? 0x80...0x9F : 0x80...0xBF
            return has(second, at: position &+ 1) && isTail(position &+ 2) ? 3 : 0
        case 0xF0...0xF4:
            // No overlong forms, nothing over U+10FFFF.
            let second: ClosedRange<UInt8> = first == 0xF0 ? 0x90...0xBF : first == 0xF4 ? 0x80...0x8F : 0x80...0xBF
            return has(second, at: position &+ 1) && isTail(position &+ 2) && isTail(position &+ 3) ? 4 : 0
        default: return 0
        }
    }

    @inline(__always) private func has(_ range: ClosedRange<UInt8>, at position: Int) -> Bool {
        position < count && range.contains(self[position])
    }

    @inline(__always) private func isTail(_ position: Int) -> Bool { has(0x80...0xBF, at: position) }

    /// Whether a fault ends in the block at `position`.
    @inline(__always) private func hasUTF8Faults(_ block: Block, at position: Int) -> Bool {
        let text = extracting(position &- 3..<position &+ 64)
        let a = utf8Faults(block.a, text.vector(at: 2), text.vector(at: 1), text.vector(at: 0))
        let b = utf8Faults(block.b, text.vector(at: 18), text.vector(at: 17), text.vector(at: 16))
        let c = utf8Faults(block.c, text.vector(at: 34), text.vector(at: 33), text.vector(at: 32))
        let d = utf8Faults(block.d, text.vector(at: 50), text.vector(at: 49), text.vector(at: 48))
        return isAny((a .| b) .| (c .| d))
    }
}

/// Where a byte is at fault, given the vectors that start one, two and three bytes before: see (1).
@inline(__always) private func utf8Faults(
    _ bytes: SIMD16<UInt8>, _ first: SIMD16<UInt8>, _ second: SIMD16<UInt8>, _ third: SIMD16<UInt8>
) -> SIMDMask<SIMD16<Int8>> {
    let isTail = bytes.signed .< everyLane(0xC0).signed
    let isAnnounced = (first .>= everyLane(0xC0)) .| (second .>= everyLane(0xE0)) .| (third .>= everyLane(0xF0))
    let isNowhere = (bytes .== everyLane(0xC0)) .| (bytes .== everyLane(0xC1)) .| (bytes .>= everyLane(0xF5))
    // Of E0 and F0 the lower tails would be overlong; of ED the upper ones are surrogates, of F4 over U+10FFFF.
    let isTooLow =
        ((first .== everyLane(0xE0)) .& (bytes .< everyLane(0xA0)))
        .| ((first .== everyLane(0xF0)) .& (bytes .< everyLane(0x90)))
    let isTooHigh =
        ((first .== everyLane(0xED)) .& (bytes .>= everyLane(0xA0)))
        .| ((first .== everyLane(0xF4)) .& (bytes .>= everyLane(0x90)))
    return (isTail .^ isAnnounced) .| isNowhere .| isTooLow .| isTooHigh
}
