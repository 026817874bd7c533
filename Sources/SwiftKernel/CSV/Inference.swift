import CSluice

// What a cell of CSV means by the inference grammar.

/// What `content` means, of a cell that was quoted or not: a JSON number is a number (its text counts), `true` and `false`
/// are Booleans, an unquoted empty cell is null, all else a string.
package func inferCell(_ content: Span<UInt8>, quoted: Bool) -> CellTag {
    switch content.count {
    case 0: return quoted ? .string : .null
    case 4 where content[0] == UInt8(ascii: "t"):
        if content[1] == UInt8(ascii: "r") && content[2] == UInt8(ascii: "u") && content[3] == UInt8(ascii: "e") {
            return .true
        }
    case 5 where content[0] == UInt8(ascii: "f"):
        if content[1] == UInt8(ascii: "a") && content[2] == UInt8(ascii: "l") && content[3] == UInt8(ascii: "s")
            && content[4] == UInt8(ascii: "e")
        {
            return .false
        }
    default: break
    }
    if content[0] > UInt8(ascii: "9") { return .string }
    return numberLength(content) == content.count ? .decimal : .string
}

/// The same for the field of a text that a vector may be read of, with the usual cases decided here.
@inline(__always)
func infer(_ source: Span<UInt8>, _ field: Field, quoted: Bool) -> CellTag {
    let length = field.length
    if length > 0 {
        // The usual number: an integer, whose sign is not worth a branch.
        let first = source[field.start]
        let sign = first == UInt8(ascii: "-") ? 1 : 0
        let zero = UInt8(ascii: "0")
        let digits = source.vector(at: field.start &+ sign)
        let count = firstLane((digits &- everyLane(zero)) .> everyLane(9))
        let isDigits = length > sign && length <= 16 && count >= length &- sign
        if isDigits && (digits[0] != zero || length == sign &+ 1) { return .decimal }
        if first > UInt8(ascii: "9") && first != UInt8(ascii: "t") && first != UInt8(ascii: "f") { return .string }
    }
    return inferCell(source.extracting(field.start..<field.end), quoted: quoted)
}
