// JSON that is known to be valid, as text: where string literals end, what they mean, and texts without white space.
//
// All of it looks at 16 bytes at a time, so up to 16 bytes behind what is looked at must be within the span: padding.

/// Bytes that JSON gives a meaning.
enum JSONByte {
    static var quote: UInt8 { UInt8(ascii: "\"") }
    static var backslash: UInt8 { UInt8(ascii: "\\") }
    static var comma: UInt8 { UInt8(ascii: ",") }
    static var colon: UInt8 { UInt8(ascii: ":") }
    static var openObject: UInt8 { UInt8(ascii: "{") }
    static var closeObject: UInt8 { UInt8(ascii: "}") }
    static var openArray: UInt8 { UInt8(ascii: "[") }
    static var closeArray: UInt8 { UInt8(ascii: "]") }

    @inline(__always) static func isWhite(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\t")
    }

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

    @inline(__always) static func opensContainer(_ byte: UInt8) -> Bool { byte == openObject || byte == openArray }
}

/// Four hex digits, the first one in the lowest byte.
struct JSONHexDigits {
    var digits: UInt32

    @inline(__always) init(_ digits: UInt32) { self.digits = digits }

    /// Whether all of them are. A byte's top bit is set by adding if the byte is at least what is missing up to 0x80.
    @inline(__always) var areValid: Bool {
        let tops: UInt32 = 0x8080_8080
        guard digits & tops == 0 else { return false }
        let lower = digits | 0x2020_2020
        let decimal = (digits &+ 0x5050_5050) & ~(digits &+ 0x4646_4646)  // at least "0", and not over "9"
        let letter = (lower &+ 0x1F1F_1F1F) & ~(lower &+ 0x1919_1919)  // at least "a", and not over "f"
        return (decimal | letter) & tops == tops
    }

    /// The number they are. They are valid.
    @inline(__always) var value: UInt32 {
        let nibbles = (digits & 0x0F0F_0F0F) &+ 9 &* ((digits &>> 6) & 0x0101_0101)
        let pairs = (nibbles &<< 4 | nibbles &>> 8) & 0x00FF_00FF
        return (pairs & 0xFF) &<< 8 | pairs &>> 16
    }
}

/// A character in UTF-8.
struct UTF8Bytes {
    /// The first byte is the lowest; what is over `count` bytes is 0.
    var bytes: UInt32
    var count: Int

    /// No branch is taken for characters below 0x10000: lengths come at no rhythm that a processor could learn.
    @inline(__always) init(_ character: UInt32) {
        let last = character & 0x3F
        if character < 0x10000 {
            let two = 0x80C0 | character &>> 6 | last &<< 8
            let three = 0x8080E0 | character &>> 12 | (character &>> 6 & 0x3F) &<< 8 | last &<< 16
            bytes = character < 0x80 ? character : character < 0x800 ? two : three
            count = 1 &+ (character >= 0x80 ? 1 : 0) &+ (character >= 0x800 ? 1 : 0)
        } else {
            let middle = (character &>> 12 & 0x3F) &<< 8 | (character &>> 6 & 0x3F) &<< 16
            bytes = 0x8080_80F0 | character &>> 18 | middle | last &<< 24
            count = 4
        }
    }
}

enum JSONText {
    /// How many of the 16 bytes from `at` on come before a quote or backslash.
    @inline(__always) private static func plainCount(_ vector: SIMD16<UInt8>) -> Int {
        firstLane(
            (vector .== SIMD16(repeating: JSONByte.quote)) .| (vector .== SIMD16(repeating: JSONByte.backslash)))
    }

    /// One past the closing quote of the literal whose opening quote is at `start`.
    @inline(__always) static func literalEnd(_ bytes: Span<UInt8>, at start: Int) -> Int {
        var at = start &+ 1
        while true {
            let plain = plainCount(bytes.vector(at: at))
            at &+= plain
            if plain == 16 { continue }
            if bytes[at] == JSONByte.quote { return at &+ 1 }
            at &+= 2
        }
    }

    /// Decodes the literal whose opening quote is bytes[start] to out[place...]; bytes of `out` behind that may change.
    /// It means at most as many bytes as it has, of which `out` needs no more. Returns how many it means.
    static func decode(
        _ bytes: Span<UInt8>, at start: Int, into out: inout MutableSpan<UInt8>, at place: Int
    ) -> Int {
        var from = start &+ 1
        var to = place
        while true {
            let vector = bytes.vector(at: from)
            let plain = plainCount(vector)
            if to &+ 16 <= out.count {
                out.store(vector, at: to)
            } else {
                for step in 0..<plain { out[to &+ step] = bytes[from &+ step] }
            }
            from &+= plain
            to &+= plain
            if plain == 16 { continue }
            if bytes[from] == JSONByte.quote { return to &- place }
            let escape = decodeEscape(bytes, at: from)
            from &+= escape.length
            for step in 0..<escape.meaning.count {
                out[to] = UInt8(truncatingIfNeeded: escape.meaning.bytes &>> UInt32(8 &* step))
                to &+= 1
            }
        }
    }

    /// How many bytes the literal whose opening quote is bytes[start] means.
    static func decodedLength(_ bytes: Span<UInt8>, at start: Int) -> Int {
        var at = start &+ 1
        var length = 0
        while true {
            let plain = plainCount(bytes.vector(at: at))
            at &+= plain
            length &+= plain
            if plain == 16 { continue }
            if bytes[at] == JSONByte.quote { return length }
            let escape = decodeEscape(bytes, at: at)
            at &+= escape.length
            length &+= escape.meaning.count
        }
    }

    /// What the escape whose backslash is at `start` means, and how many bytes it has.
    @inline(__always) static func decodeEscape(_ bytes: Span<UInt8>, at start: Int) -> (meaning: UTF8Bytes, length: Int)
    {
        let letter = bytes[start &+ 1]
        guard letter == UInt8(ascii: "u") else { return (UTF8Bytes(UInt32(simpleEscape(letter))), 2) }
        let first = JSONHexDigits(bytes.halfWord(at: start &+ 2)).value
        guard first & 0xF800 == 0xD800 else { return (UTF8Bytes(first), 6) }
        let second = JSONHexDigits(bytes.halfWord(at: start &+ 8)).value
        return (UTF8Bytes(0x10000 &+ (first & 0x3FF) &<< 10 &+ (second & 0x3FF)), 12)
    }

    @inline(__always) private static func simpleEscape(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter  // quote, backslash, slash
        }
    }

    /// Copies the JSON text bytes[start ..< end] to out[place...] without the white space between its tokens, and changes no
    /// other byte. Returns how many bytes it has then.
    static func compact(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, into out: inout MutableSpan<UInt8>, at place: Int
    ) -> Int {
        var written = place
        var piece = start  // bytes from here on are not copied yet
        var at = start
        while at < end {
            let byte = bytes[at]
            if byte == JSONByte.quote {
                at = literalEnd(bytes, at: at)
            } else if JSONByte.isWhite(byte) {
                out.copy(bytes, from: piece, count: at &- piece, to: written)
                written &+= at &- piece
                repeat { at &+= 1 } while at < end && JSONByte.isWhite(bytes[at])
                piece = at
            } else {
                at &+= 1
            }
        }
        out.copy(bytes, from: piece, count: at &- piece, to: written)
        return written &+ (at &- piece) &- place
    }

    /// What `matched` answers where a key is no beginning of a name.
    static var noMatch: Int { -1 }

    /// The length of what the key whose opening quote is at `key` means, if name[start...] starts with it; else `noMatch`.
    @inline(__always) static func matched(
        _ bytes: Span<UInt8>, key: Int, name: Span<UInt8>, from start: Int = 0
    ) -> Int {
        var at = key &+ 1
        var place = start
        while name.count &- place >= 8 {
            let word = bytes.word(at: at)
            guard word == name.word(at: place), !hasQuoteOrBackslash(word) else { break }
            at &+= 8
            place &+= 8
        }
        while true {
            let byte = bytes[at]
            if byte == JSONByte.quote { return place &- start }
            if byte == JSONByte.backslash {
                let escape = decodeEscape(bytes, at: at)
                guard name.halfWordOrLess(at: place) & lowBytes(escape.meaning.count) == escape.meaning.bytes,
                    escape.meaning.count <= name.count &- place
                else { return noMatch }
                at &+= escape.length
                place &+= escape.meaning.count
            } else {
                guard place < name.count, name[place] == byte else { return noMatch }
                at &+= 1
                place &+= 1
            }
        }
    }

    /// Whether the key whose opening quote is at `key` means `name`.
    @inline(__always) static func key(_ bytes: Span<UInt8>, at key: Int, means name: Span<UInt8>) -> Bool {
        matched(bytes, key: key, name: name) == name.count
    }

    /// The `count` (1 ... 4) lowest bytes.
    @inline(__always) private static func lowBytes(_ count: Int) -> UInt32 { .max &>> UInt32(32 &- 8 &* count) }

    /// Only a byte that is equal makes subtracting borrow into a top bit that was 0.
    @inline(__always) private static func hasQuoteOrBackslash(_ word: UInt64) -> Bool {
        let quote = word ^ everyByte(JSONByte.quote)
        let backslash = word ^ everyByte(JSONByte.backslash)
        let found = (quote &- everyByte(1)) & ~quote | (backslash &- everyByte(1)) & ~backslash
        return found & everyByte(0x80) != 0
    }
}
