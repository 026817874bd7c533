import CSluice

// Writing text into an output. Every function takes the place to write at and returns the place behind what it wrote; a
// vector may be overwritten behind that.

extension UInt8 {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let comma = UInt8(ascii: ",")
}

/// Copies bytes of which most are no longer than a vector.
@inline(__always)
func put(_ source: Span<UInt8>, _ field: Field, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    out.store(source.vector(at: field.start), at: place)
    var done = 16
    while done < field.length {
        out.store(source.vector(at: field.start &+ done), at: place &+ done)
        done &+= 16
    }
    return place &+ field.length
}

/// Copies bytes that are many.
func putLong(_ source: Span<UInt8>, _ field: Field, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    var done = 0
    while field.length &- done >= 64 {
        out.store(source.longVector(at: field.start &+ done), at: place &+ done)
        done &+= 64
    }
    return put(source, Field(start: field.start &+ done, end: field.end), into: &out, at: place &+ done)
}

/// Text of up to 8 bytes, that of the lowest byte first.
struct ShortText {
    let word: UInt64
    let length: Int

    static let null = ShortText(word: 0x6C6C_756E, length: 4)
    static let `false` = ShortText(word: 0x65_736C_6166, length: 5)
    static let `true` = ShortText(word: 0x6575_7274, length: 4)
}

@inline(__always)
func put(_ text: ShortText, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    out.store(text.word, at: place)
    return place &+ text.length
}

@inline(__always)
func put(_ byte: UInt8, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    out[place] = byte
    return place &+ 1
}

/// Copies without CR and LF: the line ends between the tokens of a JSON text, since its strings have none.
func putUnbroken(_ source: Span<UInt8>, _ field: Field, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    var (from, to) = (field.start, place)
    while from < field.end {
        let text = source.vector(at: from)
        out.store(text, at: to)
        let first = firstLane((text .== everyLane(.carriageReturn)) .| (text .== everyLane(.lineFeed)))
        let clean = min(first, 16, field.end &- from)
        to &+= clean
        from &+= clean &+ (clean < 16 ? 1 : 0)
    }
    return to
}

/// The content of a field of CSV without its quoting.
func putContent(
    _ source: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    let text = source.extracting(field.start..<field.end)
    var room = out._mutatingExtracting(place..<place &+ field.length)
    return place &+ csvFieldContent(text, CSVGrammar(dialect), out: &room)
}

/// What a JSON string means.
func putDecoded(
    _ source: Span<UInt8>, _ literal: Field, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    place &+ JSONText.decode(source, at: literal.start, into: &out, at: place)
}

/// A JSON text without the white space between its tokens.
func putCompact(_ source: Span<UInt8>, _ text: Field, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    place &+ JSONText.compact(source, from: text.start, to: text.end, into: &out, at: place)
}
