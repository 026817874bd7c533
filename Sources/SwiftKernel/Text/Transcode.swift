// Encodings from and to UTF-8: 16 characters of ASCII at a time, others one by one.

import CSluice

/// What bytes begin with: a character, or none.
struct DecodedCharacter {
    var character: UInt32
    /// Its bytes; 0: it is none.
    var length: Int
    /// With more bytes it may become one.
    var isCut = false

    @inline(__always) static var none: DecodedCharacter { DecodedCharacter(character: 0, length: 0) }
    @inline(__always) static var cut: DecodedCharacter { DecodedCharacter(character: 0, length: 0, isCut: true) }
}

/// An encoding of text. Every character has at most 4 bytes.
protocol CharacterEncoding {
    /// Bytes of a character of ASCII.
    static var width: Int { get }
    /// What bytes that are no character are.
    static var fault: sluice_status { get }

    /// The character that bytes[at ..< end] begins with, which is one byte at least; 4 bytes from `at` are within the span.
    static func decode(_ bytes: Span<UInt8>, at: Int, to end: Int) -> DecodedCharacter
    /// Writes a character, and rubbish up to 4 bytes from `at`. Returns its bytes; 0 where the encoding lacks it.
    static func encode(_ character: UInt32, into out: inout MutableSpan<UInt8>, at: Int) -> Int

    /// 16 characters from `at` on, if all of them are ASCII.
    static func decodeASCII(_ bytes: Span<UInt8>, at: Int) -> SIMD16<UInt8>?
    static func encodeASCII(_ characters: SIMD16<UInt8>, into out: inout MutableSpan<UInt8>, at: Int)
}

extension CharacterEncoding {
    // UTF-8 and ISO 8859-1 have ASCII as it is.

    static var width: Int { 1 }

    @inline(__always) static func decodeASCII(_ bytes: Span<UInt8>, at: Int) -> SIMD16<UInt8>? {
        let vector = bytes.vector(at: at)
        return vector.isNonASCII ? nil : vector
    }

    @inline(__always) static func encodeASCII(_ characters: SIMD16<UInt8>, into out: inout MutableSpan<UInt8>, at: Int)
    {
        out.store(characters, at: at)
    }
}

enum UTF8Encoding: CharacterEncoding {
    static var fault: sluice_status { SLUICE_ERROR_INVALID_UTF8 }

    @inline(__always) static func decode(_ bytes: Span<UInt8>, at: Int, to end: Int) -> DecodedCharacter {
        let quad = bytes.halfWord(at: at)
        let length = quad & 0x80 == 0 ? 1 : UTF8Sequence.multibyteLength(quad)
        if length > 0, length <= end &- at {
            return DecodedCharacter(character: UTF8Sequence.character(quad, length: length), length: length)
        }
        return UTF8Sequence.announcedLength(bytes[at]) > end &- at ? .cut : .none
    }

    @inline(__always) static func encode(_ character: UInt32, into out: inout MutableSpan<UInt8>, at: Int) -> Int {
        let utf8 = UTF8Bytes(character)
        out.store(utf8.bytes, at: at)
        return utf8.count
    }
}

enum Latin1Encoding: CharacterEncoding {
    // No byte is none.
    static var fault: sluice_status { SLUICE_OK }

    @inline(__always) static func decode(_ bytes: Span<UInt8>, at: Int, to end: Int) -> DecodedCharacter {
        DecodedCharacter(character: UInt32(bytes[at]), length: 1)
    }

    @inline(__always) static func encode(_ character: UInt32, into out: inout MutableSpan<UInt8>, at: Int) -> Int {
        out[at] = UInt8(truncatingIfNeeded: character)
        return character <= 0xFF ? 1 : 0
    }
}

/// The order of a code unit's bytes.
protocol ByteOrder {
    static var isBig: Bool { get }
}
enum LittleEndian: ByteOrder { static var isBig: Bool { false } }
enum BigEndian: ByteOrder { static var isBig: Bool { true } }

enum UTF16Encoding<Order: ByteOrder>: CharacterEncoding {
    static var width: Int { 2 }
    static var fault: sluice_status { SLUICE_ERROR_INVALID_UTF16 }

    /// Two units as they stand in a quad of bytes: the first one in the low half, in the processor's order.
    @inline(__always) private static func swapped(_ units: UInt32) -> UInt32 {
        Order.isBig ? (units & 0x00FF_00FF) &<< 8 | (units &>> 8 & 0x00FF_00FF) : units
    }

    @inline(__always) static func decode(_ bytes: Span<UInt8>, at: Int, to end: Int) -> DecodedCharacter {
        guard end &- at >= 2 else { return .cut }
        let units = swapped(bytes.halfWord(at: at))
        let first = units & 0xFFFF
        guard first & 0xF800 == 0xD800 else { return DecodedCharacter(character: first, length: 2) }
        guard first & 0xFC00 == 0xD800 else { return .none }
        guard end &- at >= 4 else { return .cut }
        guard units &>> 16 & 0xFC00 == 0xDC00 else { return .none }
        return DecodedCharacter(
            character: 0x10000 &+ ((first & 0x3FF) &<< 10 | (units &>> 16 & 0x3FF)), length: 4)
    }

    @inline(__always) static func encode(_ character: UInt32, into out: inout MutableSpan<UInt8>, at: Int) -> Int {
        guard character >= 0x10000 else {
            out.store(swapped(character), at: at)
            return 2
        }
        let high = 0xD800 | (character &- 0x10000) &>> 10
        let low = 0xDC00 | (character & 0x3FF)
        out.store(swapped(high | low &<< 16), at: at)
        return 4
    }

    @inline(__always) static func decodeASCII(_ bytes: Span<UInt8>, at: Int) -> SIMD16<UInt8>? {
        guard let first = narrowed(bytes, at: at), let second = narrowed(bytes, at: at &+ 16) else { return nil }
        // SAFETY: both have 16 bytes, of which every pattern of bits is a value.
        return unsafe unsafeBitCast(SIMD2(first, second), to: SIMD16<UInt8>.self)
    }

    /// 8 characters, if all of them are ASCII.
    @inline(__always) private static func narrowed(_ bytes: Span<UInt8>, at: Int) -> UInt64? {
        let units = (bytes.word(at: at), bytes.word(at: at &+ 8))
        let others: UInt64 = Order.isBig ? 0x80FF_80FF_80FF_80FF : 0xFF80_FF80_FF80_FF80
        guard (units.0 | units.1) & others == 0 else { return nil }
        return narrowed(units.0) | narrowed(units.1) &<< 32
    }

    @inline(__always) private static func narrowed(_ units: UInt64) -> UInt64 {
        let low = Order.isBig ? units &>> 8 : units
        let pairs = (low | low &>> 8) & 0x0000_FFFF_0000_FFFF
        return (pairs | pairs &>> 16) & 0xFFFF_FFFF
    }

    @inline(__always) static func encodeASCII(_ characters: SIMD16<UInt8>, into out: inout MutableSpan<UInt8>, at: Int)
    {
        // SAFETY: both have 16 bytes, of which every pattern of bits is a value.
        let words = unsafe unsafeBitCast(characters, to: SIMD2<UInt64>.self)
        out.store(widened(words[0]), at: at)
        out.store(widened(words[0] &>> 32), at: at &+ 8)
        out.store(widened(words[1]), at: at &+ 16)
        out.store(widened(words[1] &>> 32), at: at &+ 24)
    }

    /// The 4 lowest bytes as units.
    @inline(__always) private static func widened(_ characters: UInt64) -> UInt64 {
        let low = characters & 0xFFFF_FFFF
        let pairs = (low | low &<< 16) & 0x0000_FFFF_0000_FFFF
        let units = (pairs | pairs &<< 8) & 0x00FF_00FF_00FF_00FF
        return Order.isBig ? units &<< 8 : units
    }
}

/// `sluice_transcode_function` from one encoding to another.
@inline(__always) func transcode<From: CharacterEncoding, To: CharacterEncoding>(
    _ from: From.Type, _ to: To.Type, _ input: UnsafePointer<UInt8>?, _ inputLength: Int,
    _ inputUsed: UnsafeMutablePointer<Int>?, _ isFinal: Bool, _ output: UnsafeMutablePointer<UInt8>?,
    _ outputCapacity: Int, _ outputUsed: UnsafeMutablePointer<Int>?
) -> sluice_status {
    guard let inputUsed, let outputUsed else { preconditionFailure("a transcoder has cursors") }
    // SAFETY: the caller's buffers, for the call, with SLUICE_PADDING bytes behind each.
    let bytes = unsafe UnsafeBufferPointer(start: input, count: inputLength + Int(SLUICE_PADDING))
    let room = unsafe UnsafeMutableBufferPointer(start: output, count: outputCapacity + Int(SLUICE_PADDING))
    var out = unsafe room.mutableSpan
    var transcoder = unsafe Transcoder<From, To>(from: inputUsed.pointee, to: outputUsed.pointee)
    let status = unsafe transcoder.run(bytes.span, inputLength, isFinal, &out, outputCapacity)
    unsafe inputUsed.pointee = transcoder.from
    unsafe outputUsed.pointee = transcoder.to
    return status
}

/// Where a call stands, in its input and its output.
private struct Transcoder<From: CharacterEncoding, To: CharacterEncoding> {
    var from: Int
    var to: Int

    mutating func run(
        _ bytes: Span<UInt8>, _ length: Int, _ isFinal: Bool, _ out: inout MutableSpan<UInt8>, _ capacity: Int
    ) -> sluice_status {
        while from < length {
            while length &- from >= 16 &* From.width, capacity &- to >= 16 &* To.width,
                let characters = From.decodeASCII(bytes, at: from)
            {
                To.encodeASCII(characters, into: &out, at: to)
                from &+= 16 &* From.width
                to &+= 16 &* To.width
            }
            // Some one by one, before ASCII is tried again.
            var left = 8
            while left > 0, from < length {
                let next = From.decode(bytes, at: from, to: length)
                guard next.length > 0 else { return next.isCut && !isFinal ? SLUICE_NEED_INPUT : From.fault }
                let count = To.encode(next.character, into: &out, at: to)
                guard count > 0 else { return SLUICE_ERROR_UNENCODABLE }
                guard count <= capacity &- to else { return SLUICE_OUTPUT_FULL }
                from &+= next.length
                to &+= count
                left &-= 1
            }
        }
        return isFinal ? SLUICE_OK : SLUICE_NEED_INPUT
    }
}

/// Lengths of text as it is stored: see `sluice_encoded_length`.
enum EncodedLength {
    /// Bytes that the UTF-8 text has in `encoding`.
    static func length(of text: Span<UInt8>, in encoding: sluice_encoding) -> Int {
        encoding == SLUICE_LATIN1 ? units(text, countsPairs: false) : 2 &* units(text, countsPairs: true)
    }

    /// Characters, and those over U+FFFF once more if `countsPairs`. Lanes count up to 255 before they are added up.
    @inline(__always) private static func units(_ text: Span<UInt8>, countsPairs: Bool) -> Int {
        var units = 0
        var at = 0
        while text.count &- at >= 16 {
            var counts = SIMD16<UInt8>(repeating: 0)
            var step = 0
            while step < 127, text.count &- at >= 16 {
                let vector = text.vector(at: at)
                // As signed numbers, bytes that begin no character are the lowest: 0x80 ... 0xBF.
                let starts = vector.signed .> SIMD16<Int8>(repeating: -65)
                counts &-= lanes(starts)
                if countsPairs { counts &-= lanes(vector .>= SIMD16(repeating: 0xF0)) }
                at &+= 16
                step &+= 1
            }
            units &+= sum(counts)
        }
        while at < text.count {
            units &+= (text[at] & 0xC0 != 0x80 ? 1 : 0) &+ (countsPairs && text[at] >= 0xF0 ? 1 : 0)
            at &+= 1
        }
        return units
    }
}
