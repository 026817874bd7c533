/// The tape of JSON that is known to be valid: see `sluice_json.h`.
enum JSONTape {
    /// One past the last byte of the value at tape position `position`. Of a number or literal that is a whole record, use the
    /// row's end: nothing behind it need end it. `bytes` starts at the start of a line or element.
    @inline(__always) static func valueEnd(_ bytes: Span<UInt8>, _ tape: Span<UInt32>, at position: Int) -> Int {
        let start = Int(tape[position])
        let first = bytes[start]
        if JSONByte.opensContainer(first) { return Int(tape[Int(tape[position &+ 1])]) &+ 1 }
        guard isInside(bytes, at: start) else { return recordEnd(bytes, at: start) }
        // From the next entry back is a shorter way than over the text of a scalar.
        var end = Int(tape[position &+ 1])
        while true {
            let last = bytes[end &- 1]
            guard last == JSONByte.comma || JSONByte.isWhite(last) else { return end }
            end &-= 1
        }
    }

    /// The tape position of what follows the value at `position`.
    @inline(__always) static func next(_ bytes: Span<UInt8>, _ tape: Span<UInt32>, behind position: Int) -> Int {
        JSONByte.opensContainer(bytes[Int(tape[position])]) ? Int(tape[position &+ 1]) &+ 1 : position &+ 1
    }

    /// Whether the value at `offset` is known to be inside a container, so that there is a tape entry behind it. Before a value
    /// that is a whole record stand at most white space and another line; of scalars that are whole elements nobody asks.
    @inline(__always) private static func isInside(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
        var offset = offset
        while offset > 0 {
            switch bytes[offset &- 1] {
            case UInt8(ascii: " "): offset &-= 1
            case JSONByte.colon, JSONByte.comma, JSONByte.openArray: return true
            default: return false
            }
        }
        return false
    }

    /// The end of a scalar that may be a whole record, by its text. What follows a number or literal is white space, a comma
    /// or a bracket.
    private static func recordEnd(_ bytes: Span<UInt8>, at start: Int) -> Int {
        if bytes[start] == JSONByte.quote { return JSONText.literalEnd(bytes, at: start) }
        var end = start
        while end < bytes.count, isOfNumberOrLiteral(bytes[end]) { end &+= 1 }
        return end
    }

    private static func isOfNumberOrLiteral(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: false
        }
    }
}
