// Blocks of 64 bytes, and truths of each of them.

extension UInt8 {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
}

/// 64 bytes of input.
struct Block {
    let a: SIMD16<UInt8>
    let b: SIMD16<UInt8>
    let c: SIMD16<UInt8>
    let d: SIMD16<UInt8>

    /// The bytes that equal `byte`.
    @inline(__always) func equal(_ byte: UInt8) -> BlockMask {
        let all = everyLane(byte)
        return BlockMask(a: a .== all, b: b .== all, c: c .== all, d: d .== all)
    }

    /// Those that equal `byte`, which has bit 5, or are it but for that bit: of brackets, the square ones.
    @inline(__always) func equalBracket(_ byte: UInt8) -> BlockMask {
        let all = everyLane(byte)
        let bit = everyLane(0x20)
        return BlockMask(
            a: .merge(a, bit) .== all, b: .merge(b, bit) .== all, c: .merge(c, bit) .== all, d: .merge(d, bit) .== all)
    }

    /// Those below `limit`.
    @inline(__always) func below(_ limit: UInt8) -> BlockMask {
        let all = everyLane(limit)
        return BlockMask(a: a .< all, b: b .< all, c: c .< all, d: d .< all)
    }

    /// The bits of all its vectors, merged.
    @inline(__always) var merged: SIMD16<UInt8> { .merge(.merge(a, b), .merge(c, d)) }

    @inline(__always) var isASCII: Bool { !merged.isNonASCII }
}

/// Each pair of bytes of `x`, then of `y`, made one: no bit is in both. This compiles to two packings where it is spelled lane by
/// lane (`evenHalf` is not always inlined) and added up (of ors the optimizer makes eight reductions, which take twice as long).
@inline(__always) private func mergingPairs(_ x: SIMD16<UInt8>, _ y: SIMD16<UInt8>) -> SIMD16<UInt8> {
    let even = SIMD16(
        x[0], x[2], x[4], x[6], x[8], x[10], x[12], x[14], y[0], y[2], y[4], y[6], y[8], y[10], y[12], y[14])
    let odd = SIMD16(
        x[1], x[3], x[5], x[7], x[9], x[11], x[13], x[15], y[1], y[3], y[5], y[7], y[9], y[11], y[13], y[15])
    return even &+ odd
}

/// A truth of each of 64 bytes.
struct BlockMask {
    let a: SIMDMask<SIMD16<Int8>>
    let b: SIMDMask<SIMD16<Int8>>
    let c: SIMDMask<SIMD16<Int8>>
    let d: SIMDMask<SIMD16<Int8>>

    @inline(__always) static func | (x: BlockMask, y: BlockMask) -> BlockMask {
        BlockMask(a: x.a .| y.a, b: x.b .| y.b, c: x.c .| y.c, d: x.d .| y.d)
    }

    /// What is in `x` alone.
    @inline(__always) static func - (x: BlockMask, y: BlockMask) -> BlockMask {
        BlockMask(a: x.a .& .!y.a, b: x.b .& .!y.b, c: x.c .& .!y.c, d: x.d .& .!y.d)
    }

    /// The truths of all its vectors, or'd.
    @inline(__always) var merged: SIMDMask<SIMD16<Int8>> { (a .| b) .| (c .| d) }
    @inline(__always) var isEmpty: Bool { !isAny(merged) }

    /// How many of four bytes are true, for each place of the four vectors.
    @inline(__always) var counts: SIMD16<UInt8> {
        // SAFETY: of the same size. A lane that is true is -1.
        let lanes = unsafe unsafeBitCast(self, to: (SIMD16<UInt8>, SIMD16<UInt8>, SIMD16<UInt8>, SIMD16<UInt8>).self)
        return SIMD16() &- ((lanes.0 &+ lanes.1) &+ (lanes.2 &+ lanes.3))
    }

    /// Bit i: byte i.
    @inline(__always) var bits: UInt64 { Self.bits(self, self).0 }

    /// The bits of two, for little more than those of one. As in `bits` of a vector each byte keeps a bit, but then eight bytes
    /// become one in three steps, for all at once.
    @inline(__always) static func bits(_ x: BlockMask, _ y: BlockMask) -> (UInt64, UInt64) {
        // SAFETY: of the same size.
        let words = unsafe unsafeBitCast(mergingPairs(x.quarters, y.quarters), to: SIMD2<UInt64>.self)
        return (UInt64(littleEndian: words[0]), UInt64(littleEndian: words[1]))
    }

    /// The bits of each four bytes in one.
    @inline(__always) private var quarters: SIMD16<UInt8> {
        mergingPairs(mergingPairs(placeBits(a), placeBits(b)), mergingPairs(placeBits(c), placeBits(d)))
    }
}

extension Span<UInt8> {
    /// The 64 bytes from `offset` on. All of them are within the span.
    @inline(__always) func block(at offset: Int) -> Block {
        let block = extracting(offset..<offset &+ 64)
        return Block(a: block.vector(at: 0), b: block.vector(at: 16), c: block.vector(at: 32), d: block.vector(at: 48))
    }

    /// Where `byte` is next, from `start` on; `count` if it is not.
    @inline(__always) func first(_ byte: UInt8, from start: Int) -> Int {
        let all = everyLane(byte)
        var position = start
        while position &+ 16 <= count {
            let places = bits(vector(at: position) .== all)
            if places != 0 { return position &+ places.trailingZeroBitCount }
            position &+= 16
        }
        while position < count, self[position] != byte { position &+= 1 }
        return position
    }
}

extension UInt64 {
    /// Bit i: the parity of the bits 0 ... i.
    @inline(__always) var prefixXor: UInt64 {
        var mask = self
        mask ^= mask &<< 1
        mask ^= mask &<< 2
        mask ^= mask &<< 4
        mask ^= mask &<< 8
        mask ^= mask &<< 16
        mask ^= mask &<< 32
        return mask
    }

    /// The number of the highest bit. There is one.
    @inline(__always) var lastPlace: Int { 63 &- leadingZeroBitCount }

    /// All ones where the highest bit is one, or else none.
    @inline(__always) var spreadLast: UInt64 { UInt64(bitPattern: Int64(bitPattern: self) &>> 63) }
}

extension MutableSpan<UInt32> {
    /// Writes `base` + i for each bit i of `mask` from `index` on, and rubbish behind, so that there must be room for 64: eight
    /// at a time, since rubbish costs less than a branch for each. Returns how many there are.
    @inline(__always) mutating func writePlaces(_ mask: UInt64, base: UInt32, at index: Int) -> Int {
        precondition(index >= 0 && index <= self.count &- 64)
        let count = mask.nonzeroBitCount
        // SAFETY: in bounds, as was checked of all 64.
        unsafe withUnsafeMutableBufferPointer { all in
            let out = unsafe UnsafeMutableBufferPointer(rebasing: all[index..<index &+ 64])
            var left = mask
            var done = 0
            while done < count {
                for place in done..<done &+ 8 {
                    unsafe out[place] = base &+ UInt32(truncatingIfNeeded: left.trailingZeroBitCount)
                    left &= left &- 1
                }
                done &+= 8
            }
        }
        return count
    }
}
