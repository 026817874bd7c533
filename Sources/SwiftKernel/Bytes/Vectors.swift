// Loads and stores of whole words and vectors, and the bits of a comparison. Nearly everything else of this module uses spans.

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

/// A byte in each of the 16 lanes of a vector. Compare with this: `SIMD16(repeating:)` within an expression, or a byte alone, may
/// choose the operator of all SIMD types, which goes lane by lane.
@inline(__always) func everyLane(_ byte: UInt8) -> SIMD16<UInt8> { SIMD16<UInt8>(repeating: byte) }

/// Bit i: lane i is true. Each lane keeps one bit, by its place among eight, and the product's top byte is the sum of them.
@inline(__always) func bits(_ mask: SIMDMask<SIMD16<Int8>>) -> UInt16 {
    // SAFETY: of the same size.
    let halves = unsafe unsafeBitCast(placeBits(mask), to: SIMD2<UInt64>.self)
    let low = (UInt64(littleEndian: halves[0]) &* 0x0101_0101_0101_0101) &>> 56
    let high = (UInt64(littleEndian: halves[1]) &* 0x0101_0101_0101_0101) &>> 56
    return UInt16(truncatingIfNeeded: low | high &<< 8)
}

/// Of each lane that is true the bit of its place among eight.
@inline(__always) func placeBits(_ mask: SIMDMask<SIMD16<Int8>>) -> SIMD16<UInt8> {
    let places = SIMD16<UInt8>(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128)
    // SAFETY: of the same size.
    return unsafe unsafeBitCast(mask .& SIMDMask(places.signed), to: SIMD16<UInt8>.self)
}

extension SIMD16<UInt8> {
    /// The same bits, so that 0x80 ... 0xFF are the least.
    @inline(__always) var signed: SIMD16<Int8> {
        // SAFETY: of the same size, and every pattern of bits is an Int8.
        unsafe unsafeBitCast(self, to: SIMD16<Int8>.self)
    }

    /// Whether any byte is over 0x7F.
    @inline(__always) var isNonASCII: Bool { isAny(signed .< everyLane(0).signed) }

    /// Both bit by bit: a mask's operators are one instruction, a vector's go lane by lane.
    @inline(__always) static func merge(_ a: Self, _ b: Self) -> Self {
        // SAFETY: of the same size, and every pattern of bits is a mask.
        unsafe unsafeBitCast(SIMDMask(a.signed) .| SIMDMask(b.signed), to: Self.self)
    }
}

/// Whether any lane is true.
@inline(__always) func isAny(_ mask: SIMDMask<SIMD16<Int8>>) -> Bool {
    // SAFETY: of the same size.
    let halves = unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    return halves[0] | halves[1] != 0
}

/// The first lane that is true; 16 if none is.
@inline(__always) func firstLane(_ mask: SIMDMask<SIMD16<Int8>>) -> Int {
    // SAFETY: both have 16 bytes, of which every pattern of bits is a value; a lane that is true is 0xFF.
    let halves = unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    if halves[0] != 0 { return halves[0].trailingZeroBitCount &>> 3 }
    return 8 &+ halves[1].trailingZeroBitCount &>> 3
}

/// 0xFF, or -1, in each lane that is true, and 0 in others. (`replacing(with:where:)` goes lane by lane.)
@inline(__always) func lanes(_ mask: SIMDMask<SIMD16<Int8>>) -> SIMD16<UInt8> {
    // SAFETY: both have 16 bytes, of which every pattern of bits is a value.
    unsafe unsafeBitCast(mask, to: SIMD16<UInt8>.self)
}

/// The sum of all lanes.
@inline(__always) func sum(_ vector: SIMD16<UInt8>) -> Int {
    // SAFETY: both have 16 bytes, of which every pattern of bits is a value.
    let halves = unsafe unsafeBitCast(vector, to: SIMD2<UInt64>.self)
    let odd: UInt64 = 0x00FF_00FF_00FF_00FF
    let pairs = (halves[0] & odd) &+ (halves[0] &>> 8 & odd) &+ (halves[1] & odd) &+ (halves[1] &>> 8 & odd)
    return Int((pairs &* 0x0001_0001_0001_0001) &>> 48)
}

extension Span<UInt8> {
    /// Whether `length` bytes from `offset` on are within the span: asked as loading them asks, so that it is asked once.
    @inline(__always) func has(_ length: Int, at offset: Int) -> Bool {
        UInt(bitPattern: offset) <= UInt(bitPattern: count) && count &- offset >= length
    }

    /// The 4 bytes from `offset` on, the first one lowest. All of them are within the span.
    @inline(__always) func halfWord(at offset: Int) -> UInt32 {
        // SAFETY: in bounds, as is checked; every pattern of bits is a UInt32.
        UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// As `halfWord(at:)`, with zeros for bytes that are not within the span.
    @inline(__always) func halfWordOrLess(at offset: Int) -> UInt32 {
        if offset &+ 4 <= count { return halfWord(at: offset) }
        var word: UInt32 = 0
        for place in offset..<Swift.max(offset, count) {
            word |= UInt32(self[place]) &<< UInt32(8 &* (place &- offset))
        }
        return word
    }
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

    /// Copies `source[start ..< start + count]` to `place`, and changes no other byte.
    @inline(__always) mutating func copy(_ source: Span<UInt8>, from start: Int, count: Int, to place: Int) {
        if count >= 16 {
            var copied = 0
            while count &- copied >= 16 {
                store(source.vector(at: start &+ copied), at: place &+ copied)
                copied &+= 16
            }
            store(source.vector(at: start &+ count &- 16), at: place &+ count &- 16)
        } else if count >= 8 {
            store(source.word(at: start), at: place)
            store(source.word(at: start &+ count &- 8), at: place &+ count &- 8)
        } else {
            for step in 0..<count { self[place &+ step] = source[start &+ step] }
        }
    }
}
