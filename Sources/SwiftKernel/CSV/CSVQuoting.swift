import CSluice

// CSV fields: quoting.

/// How fields are written.
struct CSVStyle {
    let delimiter: UInt8
    /// 0: there are no quotes: nothing is quoted, and who writes a row looks whether it had to be.
    let quote: UInt8
    /// 0: quotes are doubled.
    let escape: UInt8
    /// What to look for: the quote, or again the delimiter.
    let specialQuote: UInt8
    /// The escape byte, or again the delimiter.
    let specialEscape: UInt8

    init(_ dialect: sluice_csv_dialect) {
        delimiter = dialect.delimiter
        quote = dialect.quote
        escape = dialect.escape
        specialQuote = quote != 0 ? quote : delimiter
        specialEscape = escape != 0 ? escape : delimiter
    }

    /// Quotes are RFC 4180's.
    var isStandard: Bool { quote == .quote && escape == 0 }

    /// Lanes that must be quoted.
    @inline(__always) func specials(_ text: SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>> {
        let ends = (text .== everyLane(.carriageReturn)) .| (text .== everyLane(.lineFeed))
        let quotes = (text .== everyLane(specialQuote)) .| (text .== everyLane(specialEscape))
        return (text .== everyLane(delimiter)) .| quotes .| ends
    }

    func needsQuotes(_ source: Span<UInt8>, _ text: Field) -> Bool {
        var at = text.start
        while at < text.end {
            let clean = firstLane(specials(source.vector(at: at)))
            if clean < 16 { return clean < text.end &- at }
            at &+= 16
        }
        return false
    }

    /// Quotes the text that stands in the output.
    func quoteInPlace(_ out: inout MutableSpan<UInt8>, _ text: Field) -> Int {
        if quote == 0 { return text.end }
        let other = escape != 0 ? escape : quote
        var growth = 0
        for i in text.start..<text.end where out[i] == quote || out[i] == other { growth &+= 1 }
        var (from, to) = (text.end, text.end &+ growth &+ 1)
        out[to] = quote
        let end = to &+ 1
        while from > text.start {
            from &-= 1
            to &-= 1
            let byte = out[from]
            out[to] = byte
            guard byte == quote || byte == other else { continue }
            to &-= 1
            out[to] = other
        }
        out[text.start] = quote
        return end
    }

    /// Turns the text that was written into a field.
    func finish(_ out: inout MutableSpan<UInt8>, _ text: Field) -> Int {
        needsQuotes(out.span, text) ? quoteInPlace(&out, text) : text.end
    }
}

/// Writes one CSV field, quoted where needed (or with `always`), and not a byte more. Needs 2 bytes a byte and 2. Returns
/// where it ends; nil where the dialect has no quotes and the field needs them.
package func csvQuote(
    _ content: Span<UInt8>, _ dialect: sluice_csv_dialect, always: Bool, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int? {
    let style = CSVStyle(dialect)
    var isQuoted = always
    for i in content.indices {
        switch content[i] {
        case style.delimiter, style.specialQuote, style.specialEscape, .carriageReturn, .lineFeed:
            isQuoted = true
        default: break
        }
    }
    if isQuoted && style.quote == 0 { return nil }
    var end = place
    if isQuoted { end = put(style.quote, into: &out, at: end) }
    for i in content.indices {
        let byte = content[i]
        if isQuoted && (byte == style.quote || (style.escape != 0 && byte == style.escape)) {
            end = put(style.escape != 0 ? style.escape : style.quote, into: &out, at: end)
        }
        end = put(byte, into: &out, at: end)
    }
    if isQuoted { end = put(style.quote, into: &out, at: end) }
    return end
}
