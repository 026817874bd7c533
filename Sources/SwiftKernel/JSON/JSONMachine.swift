// The JSON machine: what is JSON here, where it is wrong, and what the tape holds.
//
// One pass, no recursion: what is open is a bit for each level (is it an object?), so a document needs no memory but its tape.
//
// (1) INVALID_JSON is at the first byte with which the text so far can no longer become JSON: in `[1,]` the bracket, in
//     "\uD800x" the x, in `01` the 1, at the end of the text where more had to come.
// (2) INVALID_UTF8 is at the first byte of the first ill-formed sequence inside a string. Outside strings a byte over 0x7F
//     is (1).
// (3) JSON_TOO_DEEP is at the opening bracket that goes too deep.
// (4) Of several errors the one met first in byte order counts.
// (5) A line's LF needs no search of its own: no token goes on behind one, so each stops there as it would at the end.
// (6) Bytes behind `end` may be looked at, many at a time, but no token reaches there: what does, ends at `end`, wrong.
// (7) Most bytes are in strings, and most of those mean nothing: a mask of 64 bytes tells where the next one is that does.
//
// State is a struct that is copied to a local variable, and what is not inlined takes and answers values, not the struct: so it
// stays in registers.

import CSluice

/// How far reading came: one past what was read, or to the byte that is wrong.
struct JSONReading {
    var position: Int
    var isValid: Bool

    @inline(__always) static func valid(_ end: Int) -> JSONReading { JSONReading(position: end, isValid: true) }
    @inline(__always) static func wrong(_ position: Int) -> JSONReading {
        JSONReading(position: position, isValid: false)
    }
}

struct JSONMachine {
    /// What the bytes are: see `sluice_json_form`.
    enum Form: UInt32 { case lines, elements, text }

    let form: Form
    /// One past the last byte that counts.
    let end: Int
    /// Bytes before it are read.
    var position = 0
    var tapeCount = 0
    /// SLUICE_HAS_*
    var flags: UInt32 = 0
    /// Why reading stopped, and the byte that is wrong.
    private(set) var status = SLUICE_OK
    private(set) var errorOffset = 0

    /// The tape position of the innermost open container; its skip entry holds its parent's meanwhile.
    private var container = 0
    private var depth = 0
    /// Bit 0: the innermost container is an object; bit 1: the one around it ... 0 where none is open.
    private var objects: UInt64 = 0
    /// The marks of the 64 bytes from `marksStart` on: see `nextMark`. No string that is still to come starts before them.
    private var marks: UInt64 = 0
    private var marksStart = -64

    @inline(__always) init(form: Form, end: Int) {
        self.form = form
        self.end = end
    }

    /// The byte at `position`, or one that no rule accepts at the end.
    @inline(__always) func peek(_ bytes: Span<UInt8>) -> UInt8 { position < end ? bytes[position] : 0 }

    @inline(__always) mutating func fail(at offset: Int, _ status: sluice_status = SLUICE_ERROR_INVALID_JSON) -> Bool {
        self.status = status
        errorOffset = offset
        return false
    }

    // MARK: Documents

    /// `objects` as it was when 64, 128 ... containers were open.
    private typealias OuterObjects = SIMD8<UInt64>

    /// Reads one value and what is inside it, from white space before it to its last byte. False: see `status`.
    mutating func readValue(_ bytes: Span<UInt8>, _ tape: inout MutableSpan<UInt32>) -> Bool {
        // A copy that no store to the tape can change: it stays in registers.
        var machine = self
        let isValid = machine.readValue(bytes, &tape, writesTape: true)
        self = machine
        return isValid
    }

    /// The same, only counting entries of the tape.
    mutating func readValue(_ bytes: Span<UInt8>) -> Bool {
        var tape = MutableSpan<UInt32>()
        return readValue(bytes, &tape, writesTape: false)
    }

    @inline(__always) private mutating func readValue(
        _ bytes: Span<UInt8>, _ tape: inout MutableSpan<UInt32>, writesTape: Bool
    ) -> Bool {
        var outer = OuterObjects()
        container = 0
        depth = 0
        objects = 0
        var first = skipWhite(bytes)
        while true {
            if objects & 1 == 1 {
                guard first == JSONByte.quote else { return fail(at: position) }
                guard readString(bytes, &tape, writesTape) else { return false }
                guard skipWhite(bytes) == JSONByte.colon else { return fail(at: position) }
                position &+= 1
                first = skipWhite(bytes)
            }
            switch first {
            case JSONByte.quote:
                guard readString(bytes, &tape, writesTape) else { return false }
            case JSONByte.openObject, JSONByte.openArray:
                guard open(first, &outer, &tape, writesTape) else { return false }
                first = skipWhite(bytes)
                if first != closingByte { continue }
            default:
                let token = Self.readNumberOrLiteral(bytes, at: position, end)
                guard token.isValid else { return fail(at: token.position) }
                guard emit(position, &tape, writesTape) else { return false }
                position = token.position
            }
            // Behind a value, or at what closes an empty container.
            while true {
                if depth == 0 { return true }
                first = skipWhite(bytes)
                if first == JSONByte.comma { break }
                guard first == closingByte else { return fail(at: position) }
                guard close(&outer, &tape, writesTape) else { return false }
            }
            position &+= 1
            first = skipWhite(bytes)
        }
    }

    /// Reads what stands behind a document up to its end: that of the line or the bytes, or a comma or bracket behind an
    /// element, which is not read.
    @inline(__always) mutating func readDocumentEnd(_ bytes: Span<UInt8>) -> Bool {
        let byte = skipWhite(bytes)
        switch form {
        case .lines: return isAtLineEnd(bytes) || fail(at: position)
        case .elements: return byte == JSONByte.comma || byte == JSONByte.closeArray || fail(at: position)
        case .text: return position == end || fail(at: position)
        }
    }

    @inline(__always) func isAtLineEnd(_ bytes: Span<UInt8>) -> Bool {
        position == end || bytes[position] == UInt8(ascii: "\n")
    }

    // MARK: The tape

    /// Adds the entry of the scalar or key that has been read, from `start` on.
    @inline(__always) private mutating func emit(
        _ start: Int, _ tape: inout MutableSpan<UInt32>, _ writesTape: Bool
    ) -> Bool {
        if writesTape {
            guard tapeCount < tape.count else { return fail(at: start, SLUICE_INDEX_FULL) }
            tape[tapeCount] = UInt32(truncatingIfNeeded: start)
        }
        tapeCount &+= 1
        return true
    }

    /// What closes the innermost container.
    @inline(__always) private var closingByte: UInt8 {
        objects & 1 == 1 ? JSONByte.closeObject : JSONByte.closeArray
    }

    /// At an opening bracket.
    @inline(__always) private mutating func open(
        _ bracket: UInt8, _ outer: inout OuterObjects, _ tape: inout MutableSpan<UInt32>, _ writesTape: Bool
    ) -> Bool {
        // An element is one level down: in the array.
        guard depth < Int(SLUICE_JSON_MAX_DEPTH) &- (form == .elements ? 1 : 0) else {
            return fail(at: position, SLUICE_ERROR_JSON_TOO_DEEP)
        }
        if depth & 63 == 0, depth > 0 { outer[depth &>> 6 &- 1] = objects }
        objects = objects &<< 1 | (bracket == JSONByte.openObject ? 1 : 0)
        depth &+= 1
        let opened = tapeCount
        guard emit(position, &tape, writesTape), emit(container, &tape, writesTape) else { return false }
        container = opened
        position &+= 1
        return true
    }

    /// At a closing bracket.
    @inline(__always) private mutating func close(
        _ outer: inout OuterObjects, _ tape: inout MutableSpan<UInt32>, _ writesTape: Bool
    ) -> Bool {
        objects &>>= 1
        depth &-= 1
        if depth & 63 == 0, depth > 0 { objects = outer[depth &>> 6 &- 1] }
        if writesTape {
            let skip = container &+ 1
            container = Int(tape[skip])
            tape[skip] = UInt32(truncatingIfNeeded: tapeCount)
        }
        guard emit(position, &tape, writesTape) else { return false }
        position &+= 1
        return true
    }

    // MARK: White space

    /// The first byte that is no white space, as `peek`. Mostly there is none, or a space.
    @inline(__always) mutating func skipWhite(_ bytes: Span<UInt8>) -> UInt8 {
        var byte = peek(bytes)
        if byte > UInt8(ascii: " ") { return byte }
        if byte == UInt8(ascii: " ") {
            position &+= 1
            byte = peek(bytes)
            if byte > UInt8(ascii: " ") { return byte }
        }
        let white = Self.whiteEnd(bytes, from: position, to: end, isLine: form == .lines)
        if white.hasBreaks { flags |= UInt32(SLUICE_HAS_CR) }
        position = white.position
        return peek(bytes)
    }

    /// A line's LF ends white space.
    @inline(never) private static func whiteEnd(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, isLine: Bool
    ) -> (position: Int, hasBreaks: Bool) {
        var at = start
        var hasBreaks = false
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: " "):
                while at &+ 8 <= bytes.count, bytes.word(at: at) == everyByte(UInt8(ascii: " ")) { at &+= 8 }
                while at < end, bytes[at] == UInt8(ascii: " ") { at &+= 1 }
            case UInt8(ascii: "\t"):
                at &+= 1
            case UInt8(ascii: "\n") where isLine:
                return (at, hasBreaks)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                hasBreaks = true
                at &+= 1
            default:
                return (at, hasBreaks)
            }
        }
        return (end, hasBreaks)
    }

    // MARK: Strings

    /// At the opening quote.
    @inline(__always) private mutating func readString(
        _ bytes: Span<UInt8>, _ tape: inout MutableSpan<UInt32>, _ writesTape: Bool
    ) -> Bool {
        var at = position &+ 1
        while true {
            at = nextMark(bytes, from: at)
            guard at < end else { return fail(at: end) }
            let byte = bytes[at]
            if byte == JSONByte.quote { break }
            if byte == JSONByte.backslash {
                flags |= UInt32(SLUICE_HAS_ESCAPE)
                let escape = Self.readEscape(bytes, at: at, end)
                guard escape.isValid else { return fail(at: escape.position) }
                at = escape.position
            } else {
                guard byte >= 0x80 else { return fail(at: at) }
                flags |= UInt32(SLUICE_HAS_NON_ASCII)
                at = Self.sequencesEnd(bytes, from: at, to: end)
                if at < end, bytes[at] >= 0x80 { return fail(at: at, SLUICE_ERROR_INVALID_UTF8) }
            }
        }
        let start = position
        position = at &+ 1
        return emit(start, &tape, writesTape)
    }

    /// The first byte from `start` on that may not simply stand in a string, or ends it; `end` or more if there is none.
    @inline(__always) private mutating func nextMark(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while true {
            let place = at &- marksStart
            if place < 64 {
                let left = marks &>> UInt64(truncatingIfNeeded: place)
                if left != 0 { return at &+ left.trailingZeroBitCount }
                at = marksStart &+ 64
            }
            guard at < end else { return end }
            marks = Self.marks(bytes, at: at)
            marksStart = at
        }
    }

    /// Bit i: byte `start` + i may not simply stand in a string, or ends it. Bytes that are not within the span may.
    @inline(__always) private static func marks(_ bytes: Span<UInt8>, at start: Int) -> UInt64 {
        guard bytes.has(64, at: start) else { return marksAtEnd(bytes, at: start) }
        let block = bytes.block(at: start)
        return BlockMask(a: marks(block.a), b: marks(block.b), c: marks(block.c), d: marks(block.d)).bits
    }

    /// As signed numbers, bytes over 0x7F are less than control bytes.
    @inline(__always) private static func marks(_ vector: SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>> {
        (vector.signed .< SIMD16<Int8>(repeating: 0x20)) .| (vector .== SIMD16<UInt8>(repeating: JSONByte.quote))
            .| (vector .== SIMD16<UInt8>(repeating: JSONByte.backslash))
    }

    @inline(never) private static func marksAtEnd(_ bytes: Span<UInt8>, at start: Int) -> UInt64 {
        var marks: UInt64 = 0
        for at in start..<max(start, bytes.count) {
            let byte = bytes[at]
            let isMark = byte < 0x20 || byte >= 0x80 || byte == JSONByte.quote || byte == JSONByte.backslash
            marks |= (isMark ? 1 : 0) &<< UInt64(at &- start)
        }
        return marks
    }

    /// One past the well-formed UTF-8 sequences that begin at `start` with a byte over 0x7F each.
    @inline(never) private static func sequencesEnd(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var at = start
        while at < end {
            let length = UTF8Sequence.multibyteLength(bytes.halfWordOrLess(at: at))
            guard length > 0, at &+ length <= end else { break }
            at &+= length
        }
        return at
    }

    // MARK: Escapes

    /// At a backslash.
    @inline(never) private static func readEscape(_ bytes: Span<UInt8>, at start: Int, _ end: Int) -> JSONReading {
        guard start &+ 1 < end else { return .wrong(end) }
        switch bytes[start &+ 1] {
        case JSONByte.quote, JSONByte.backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return .valid(start &+ 2)
        case UInt8(ascii: "u"):
            // Four digits of no surrogate: most escapes.
            let digits = JSONHexDigits(bytes.halfWordOrLess(at: start &+ 2))
            if start &+ 6 <= end, digits.areValid, digits.value & 0xF800 != 0xD800 { return .valid(start &+ 6) }
            return readUnicodeEscape(bytes, at: start &+ 2, end)
        default:
            return .wrong(start &+ 1)
        }
    }

    /// Behind `\u`. A low surrogate stands only behind a high one, and a high one only before a low one.
    private static func readUnicodeEscape(_ bytes: Span<UInt8>, at start: Int, _ end: Int) -> JSONReading {
        let isD = start < end && hexDigit(bytes[start]) == 0xD
        let first = readHexDigits(bytes, at: start, end, within: 0...(isD ? 0xDBFF : 0xFFFF))
        guard first.isValid, JSONHexDigits(bytes.halfWord(at: start)).value & 0xFC00 == 0xD800 else { return first }
        guard start &+ 4 < end, bytes[start &+ 4] == JSONByte.backslash else { return .wrong(start &+ 4) }
        guard start &+ 5 < end, bytes[start &+ 5] == UInt8(ascii: "u") else { return .wrong(start &+ 5) }
        return readHexDigits(bytes, at: start &+ 6, end, within: 0xDC00...0xDFFF)
    }

    /// Reads four hex digits whose value is within `values`, one at a time, so that the first digit that leaves them is the one
    /// that is wrong.
    private static func readHexDigits(
        _ bytes: Span<UInt8>, at start: Int, _ end: Int, within values: ClosedRange<UInt32>
    ) -> JSONReading {
        var lowest: UInt32 = 0
        for step in 0..<4 {
            let at = start &+ step
            guard at < end, let digit = hexDigit(bytes[at]) else { return .wrong(at) }
            let shift = UInt32(12 &- 4 &* step)
            lowest |= digit &<< shift
            let highest = lowest | (1 &<< shift &- 1)
            guard values.overlaps(lowest...highest) else { return .wrong(at) }
        }
        return .valid(start &+ 4)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }

    // MARK: Numbers and literals

    private static func readNumberOrLiteral(_ bytes: Span<UInt8>, at start: Int, _ end: Int) -> JSONReading {
        guard start < end else { return .wrong(end) }
        switch bytes[start] {
        case UInt8(ascii: "t"): return readLetters(bytes, at: start, end, 0x6575_7274)  // true
        case UInt8(ascii: "n"): return readLetters(bytes, at: start, end, 0x6C6C_756E)  // null
        case UInt8(ascii: "f"): return readLetters(bytes, at: start &+ 1, end, 0x6573_6C61)  // alse
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return readNumber(bytes, at: start, end)
        default: return .wrong(start)
        }
    }

    /// Reads four letters, the first one lowest.
    @inline(__always) private static func readLetters(
        _ bytes: Span<UInt8>, at start: Int, _ end: Int, _ letters: UInt32
    ) -> JSONReading {
        let difference = bytes.halfWordOrLess(at: start) ^ letters
        let reached = min(start &+ difference.trailingZeroBitCount &>> 3, end)
        return JSONReading(position: reached, isValid: reached == start &+ 4)
    }

    /// At a minus or a digit. What may not follow a number is found by whoever looks for the next token.
    private static func readNumber(_ bytes: Span<UInt8>, at start: Int, _ end: Int) -> JSONReading {
        var at = start
        if bytes[at] == UInt8(ascii: "-") { at &+= 1 }
        if at < end, bytes[at] == UInt8(ascii: "0") {
            at &+= 1
        } else {
            let whole = digitsEnd(bytes, from: at, to: end)
            guard whole > at else { return .wrong(at) }
            at = whole
        }
        if at < end, bytes[at] == UInt8(ascii: ".") {
            at &+= 1
            let fraction = digitsEnd(bytes, from: at, to: end)
            guard fraction > at else { return .wrong(at) }
            at = fraction
        }
        if at < end, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < end, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at &+= 1 }
            let exponent = digitsEnd(bytes, from: at, to: end)
            guard exponent > at else { return .wrong(at) }
            at = exponent
        }
        return .valid(at)
    }

    /// One past the digits from `start` on.
    @inline(__always) private static func digitsEnd(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var at = start
        while at &+ 8 <= bytes.count {
            // A digit's difference is at most 9; adding makes the top bit of what is over that.
            let differences = bytes.word(at: at) ^ everyByte(UInt8(ascii: "0"))
            let others = ((differences & everyByte(0x7F)) &+ everyByte(0x76) | differences) & everyByte(0x80)
            if others != 0 { return min(at &+ others.trailingZeroBitCount &>> 3, end) }
            at &+= 8
        }
        while at < end, JSONByte.isDigit(bytes[at]) { at &+= 1 }
        return min(at, end)
    }
}
