// Loads and stores of whole words and vectors, and the bits of a comparison. Everything else of this module uses spans.

extension Span<UInt8> {
    /// The 8 bytes from `offset` on, the first one lowest. All of them are within the span.
    @inline(__always) func word(at offset: Int) -> UInt64 {
        // SAFETY: in bounds, as is checked; every pattern of bits is a UInt64.
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The 16 bytes from `offset` on. All of them are within the span.
    @inline(__always) func vector(at offset: Int) -> SIMD16<UInt8> {
        // SAFETY: as above.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
    }
}

/// A byte in each of the 8 places of a word.
@inline(__always) func everyByte(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

/// Bit i: lane i is true.
@inline(__always) func bits(_ mask: SIMDMask<SIMD16<Int8>>) -> UInt16 {
    let ones = SIMD16<UInt8>(repeating: 0)
        .replacing(with: SIMD16(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128), where: mask)
    let halves = unsafe unsafeBitCast(ones, to: SIMD2<UInt64>.self)
    let low = (halves[0] &* 0x0101_0101_0101_0101) >> 56
    let high = (halves[1] &* 0x0101_0101_0101_0101) >> 56
    return UInt16(truncatingIfNeeded: low | high << 8)
}

extension Span<UInt8> {
    /// The 32 bytes from `offset` on. All of them are within the span.
    @inline(__always) func doubleVector(at offset: Int) -> SIMD32<UInt8> {
        // SAFETY: as above.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD32<UInt8>.self)
    }

    /// The 64 bytes from `offset` on. All of them are within the span.
    @inline(__always) func longVector(at offset: Int) -> SIMD64<UInt8> {
        // SAFETY: as above.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD64<UInt8>.self)
    }
}

extension MutableSpan<UInt8> {
    /// Stores a word or vector from `offset` on, its first byte there. All of its bytes are within the span.
    @inline(__always) mutating func store<T: BitwiseCopyable>(_ value: T, at offset: Int) {
        // SAFETY: storing checks the bounds, and every pattern of bits is bytes.
        var bytes = unsafe mutableBytes
        bytes.storeBytes(of: value, toByteOffset: offset, as: T.self)
    }
}

/// A byte in each lane. Comparing with vectors is fast; with a byte, the library's way is not.
@inline(__always) func all(_ byte: UInt8) -> SIMD16<UInt8> { SIMD16(repeating: byte) }

/// Whether some lane is true.
@inline(__always) func isAny(_ mask: SIMDMask<SIMD16<Int8>>) -> Bool {
    // SAFETY: of the same size.
    let halves = unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    return halves[0] | halves[1] != 0
}

/// 0xFF where a lane is true, or else 0.
@inline(__always) func lanes(_ mask: SIMDMask<SIMD16<Int8>>) -> SIMD16<UInt8> {
    // SAFETY: of the same size.
    unsafe unsafeBitCast(mask, to: SIMD16<UInt8>.self)
}

/// The number of the first lane that is true; 16 where there is none.
@inline(__always) func firstLane(_ mask: SIMDMask<SIMD16<Int8>>) -> Int {
    // SAFETY: of the same size.
    let halves = unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    let low = halves[0].trailingZeroBitCount >> 3
    let high = halves[1].trailingZeroBitCount >> 3
    return low < 8 ? low : 8 &+ high
}
