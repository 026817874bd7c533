/// One UTF-8 sequence: what is well-formed.
enum UTF8Sequence {
    /// The length of the well-formed sequence of more than one byte that a quad of bytes begins with, the first one lowest; 0
    /// if there is none. The Unicode Standard, table 3-7.
    @inline(__always) static func multibyteLength(_ quad: UInt32) -> Int {
        if quad & 0x00C0_C0F0 == 0x0080_80E0 {
            // The lead's low half, and the second byte's bit 0x20: no overlong form behind E0, no surrogate behind ED.
            let range = quad & 0x200F
            return range != 0 && range != 0x200D ? 3 : 0
        }
        if quad & 0xC0E0 == 0x80C0 { return quad & 0x1E != 0 ? 2 : 0 }  // C0 and C1 are overlong
        guard quad & 0xC0C0_C0F8 == 0x8080_80F0 else { return 0 }
        // 0 is overlong; over U+10FFFF there is nothing.
        let plane = (quad & 0x07) &<< 2 | (quad &>> 12 & 0x03)
        return plane &- 1 < 16 ? 4 : 0
    }

    /// Bytes of a sequence that starts with `lead`; 0 where none does.
    @inline(__always) static func announcedLength(_ lead: UInt8) -> Int {
        switch lead {
        case 0x00...0x7F: 1
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 0
        }
    }

    /// The character of a well-formed sequence of `length` bytes.
    @inline(__always) static func character(_ quad: UInt32, length: Int) -> UInt32 {
        let second = quad &>> 8 & 0x3F
        let third = quad &>> 16 & 0x3F
        let fourth = quad &>> 24 & 0x3F
        return switch length {
        case 1: quad & 0x7F
        case 2: (quad & 0x1F) &<< 6 | second
        case 3: (quad & 0x0F) &<< 12 | second &<< 6 | third
        default: (quad & 0x07) &<< 18 | second &<< 12 | third &<< 6 | fourth
        }
    }
}
