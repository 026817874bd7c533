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

/// Whether no lane is over 0x7F.
@inline(__always) func isASCII(_ vector: SIMD16<UInt8>) -> Bool {
    // SAFETY: both have 16 bytes, of which every pattern of bits is a value.
    let halves = unsafe unsafeBitCast(vector, to: SIMD2<UInt64>.self)
    return (halves[0] | halves[1]) & everyByte(0x80) == 0
}

/// The same bits as signed numbers: what is over 0x7F is less than 0.
@inline(__always) func signed(_ vector: SIMD16<UInt8>) -> SIMD16<Int8> {
    // SAFETY: both have 16 bytes, of which every pattern of bits is a value.
    unsafe unsafeBitCast(vector, to: SIMD16<Int8>.self)
}

extension Span<UInt8> {
    /// Whether the 16 bytes from `offset` on are within the span: asked as loading them asks, so that it is asked once.
    @inline(__always) func hasVector(at offset: Int) -> Bool {
        UInt(bitPattern: offset) <= UInt(bitPattern: count) && count &- offset >= 16
    }

    /// The 4 bytes from `offset` on, the first one lowest. All of them are within the span.
    @inline(__always) func quad(at offset: Int) -> UInt32 {
        // SAFETY: in bounds, as is checked; every pattern of bits is a UInt32.
        UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// As `quad(at:)`, with zeros for bytes that are not within the span.
    @inline(__always) func quadOrLess(at offset: Int) -> UInt32 {
        if offset &+ 4 <= count { return quad(at: offset) }
        var quad: UInt32 = 0
        for place in offset..<Swift.max(offset, count) {
            quad |= UInt32(self[place]) &<< UInt32(8 &* (place &- offset))
        }
        return quad
    }
}

extension MutableSpan<UInt8> {
    /// Stores 16 bytes from `offset` on. All of them are within the span.
    @inline(__always) mutating func store(_ vector: SIMD16<UInt8>, at offset: Int) {
        var room = unsafe mutableBytes
        room.storeBytes(of: vector, toByteOffset: offset, as: SIMD16<UInt8>.self)
    }

    /// Stores 8 bytes from `offset` on, the lowest first. All of them are within the span.
    @inline(__always) mutating func store(_ word: UInt64, at offset: Int) {
        var room = unsafe mutableBytes
        room.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    /// Stores 4 bytes from `offset` on, the lowest first. All of them are within the span.
    @inline(__always) mutating func store(_ quad: UInt32, at offset: Int) {
        var room = unsafe mutableBytes
        room.storeBytes(of: quad.littleEndian, toByteOffset: offset, as: UInt32.self)
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
