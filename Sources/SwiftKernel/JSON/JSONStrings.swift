import CSluice

// JSON strings: escaping.

/// Lanes that a JSON string must escape: quote, backslash, below 0x20.
@inline(__always)
func jsonSpecials(_ text: SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>> {
    (text .< everyLane(0x20)) .| (text .== everyLane(.quote)) .| (text .== everyLane(.backslash))
}

/// How a byte is written in a JSON string.
@inline(__always)
func escaped(_ byte: UInt8) -> ShortText {
    if byte >= 0x20 {
        if byte == .quote || byte == .backslash { return escape(letter: byte) }
        return ShortText(word: UInt64(byte), length: 1)
    }
    let letters: UInt64 = 0x7266_006E_7462  // "btn", none for 0x0B, "fr"
    let letter = letters &>> (8 &* UInt64((byte &- 8) & 7))
    if byte >= 8 && byte <= 13 && byte != 11 { return escape(letter: UInt8(truncatingIfNeeded: letter)) }
    let digit = byte & 15
    let low = UInt64(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
    let high = UInt64(0x30 | byte >> 4)
    return ShortText(word: 0x3030_755C | high << 32 | low << 40, length: 6)  // \u00..
}

@inline(__always)
private func escape(letter: UInt8) -> ShortText {
    ShortText(word: UInt64(letter) << 8 | UInt64(UInt8.backslash), length: 2)
}

/// Bytes that escaping adds to `text`.
func jsonGrowth(_ source: Span<UInt8>, _ text: Field) -> Int {
    var growth = 0
    var at = text.start
    while at < text.end {
        at &+= firstLane(jsonSpecials(source.vector(at: at)))
        // The next vector may start with a special byte or with a plain one, which adds nothing.
        guard at < text.end else { break }
        growth &+= escaped(source[at]).length &- 1
        at &+= 1
    }
    return growth
}

/// Writes `text` as the inside of a JSON string.
func putJSONText(_ source: Span<UInt8>, _ text: Field, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    var (from, to) = (text.start, place)
    while from < text.end {
        let vector = source.vector(at: from)
        out.store(vector, at: to)
        let specials = jsonSpecials(vector)
        let left = text.end &- from
        // A branch that is foreseen, so that the next vector need not wait for what is found in this one.
        if left > 16 && !isAny(specials) {
            from &+= 16
            to &+= 16
            continue
        }
        let clean = firstLane(specials)
        if clean >= left { return to &+ left }
        from &+= clean
        to &+= clean
        to = put(escaped(source[from]), into: &out, at: to)
        from &+= 1
    }
    return to
}

/// Quotes of a vector that stand in pairs, with no third beside them. The vector does not start with a quote.
private struct QuotePairs {
    let firsts: SIMDMask<SIMD16<Int8>>
    /// Right as long as all quotes before it are in pairs.
    let seconds: SIMDMask<SIMD16<Int8>>

    /// - Parameter vector: the 16 bytes from `start` on; there is one before.
    @inline(__always) init(_ source: Span<UInt8>, at start: Int, _ vector: SIMD16<UInt8>) {
        let quote = everyLane(.quote)
        let before = source.vector(at: start &- 1) .== quote
        let behind = source.vector(at: start &+ 1) .== quote
        let second = source.vector(at: start &+ 2) .== quote
        let quotes = vector .== quote
        firsts = quotes .& behind .& .!(before .| second)
        seconds = quotes .& before .& .!behind
    }
}

/// Writes the inside of a quoted CSV field, where each quote comes twice and counts once, as that of a JSON string. nil
/// where a quote comes alone (a lenient dialect).
///
/// The first of two quotes becomes a backslash. Where no more than two stand together, that is done for a whole vector: a
/// pair is two quotes between bytes that are none. A vector starts with a pair or before one; the quote that it starts with
/// and all that is not so are looked at one by one.
func putJSONUnquoted(
    _ source: Span<UInt8>, _ text: Field, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    var (from, to) = (text.start, place)
    while from < text.end {
        let vector = source.vector(at: from)
        out.store(vector, at: to)
        let specials = jsonSpecials(vector)
        let left = text.end &- from
        if left > 16 && !isAny(specials) {
            from &+= 16
            to &+= 16
            continue
        }
        var clean = firstLane(specials)
        if clean >= left { return to &+ left }
        if clean > 0 {
            let pairs = QuotePairs(source, at: from, vector)
            out.store(vector ^ (lanes(pairs.firsts) & everyLane(.quote ^ .backslash)), at: to)
            clean = firstLane(specials .& .!(pairs.firsts .| pairs.seconds))
            if clean >= left { return source[text.end &- 1] == .quote ? nil : to &+ left }
            // The pair that ends in the next vector is that one's.
            if clean == 16 && lanes(pairs.firsts)[15] != 0 { clean = 15 }
            from &+= clean
            to &+= clean
            if clean >= 15 { continue }
        }
        let byte = source[from]
        to = put(escaped(byte), into: &out, at: to)
        from &+= 1
        guard byte == .quote else { continue }
        if from == text.end || source[from] != .quote { return nil }
        from &+= 1
    }
    return to
}

/// Escapes the `text` that stands in the output, and moves it so that it starts at `place`, which is `text.start` or behind.
func escapeInPlace(_ out: inout MutableSpan<UInt8>, _ text: Field, movedTo place: Int) -> Int {
    let end = place &+ text.length &+ jsonGrowth(out.span, text)
    var (from, to) = (text.end, end)
    while from > text.start && (from != to) {
        from &-= 1
        let byte = escaped(out[from])
        to &-= byte.length
        for i in 0..<byte.length { out[to &+ i] = UInt8(truncatingIfNeeded: byte.word >> (8 &* UInt64(i))) }
    }
    return end
}

/// Writes `content` as a JSON string with its quotes, and not a byte more. Needs 6 bytes a byte and 2. Returns where it ends.
package func jsonQuote(_ content: Span<UInt8>, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    var end = put(.quote, into: &out, at: place)
    for i in content.indices {
        let byte = escaped(content[i])
        for j in 0..<byte.length {
            end = put(UInt8(truncatingIfNeeded: byte.word >> (8 &* UInt64(j))), into: &out, at: end)
        }
    }
    return put(.quote, into: &out, at: end)
}

/// Writes `","name":"` for a column of JSON output, and not a byte more: all that stands between the contents of two string
/// members, from which encoders cut what they need. Needs 6 bytes a byte and 6. Returns where it ends.
package func jsonKey(_ name: Span<UInt8>, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    var end = put(.quote, into: &out, at: place)
    end = put(.comma, into: &out, at: end)
    end = jsonQuote(name, into: &out, at: end)
    end = put(UInt8(ascii: ":"), into: &out, at: end)
    return put(.quote, into: &out, at: end)
}
