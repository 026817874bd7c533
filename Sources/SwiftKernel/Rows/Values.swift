import CSluice

// Fields as values: see `sluice_value.h`.

/// A field, decoded.
struct Value {
    /// Where its text is.
    enum Text {
        case none
        /// In the input.
        case base(Field)
        case arena(Field)
        case scratch(Field)
    }

    /// Unset: the row has no such field; never removed.
    var tag: CellTag
    /// Of an integer, or of a double.
    var bits: UInt64 = 0
    var text = Text.none
}

/// What looking for a value comes to.
enum FoundValue {
    case value(Value)
    /// So many bytes of scratch must be free.
    case needsScratch(Int)
}

extension Batch {
    /// The field of `column` in row `number`. Contents that are decoded go to scratch, from `used` on, which is moved. Bases
    /// none, CSV and projected.
    func value(
        _ number: Int, _ column: sluice_column, _ bytes: Span<UInt8>, scratch: inout MutableSpan<UInt8>, used: inout Int
    ) -> FoundValue {
        let place = place(number)
        let cell = overlayCell(Int(column.overlay), place.slot)
        switch cell.tag {
        case .unset: break
        case .removed: return .value(Value(tag: .unset, bits: cell.payload))
        default:
            return .value(Value(tag: cell.tag, bits: cell.payload, text: cell.tag.isText ? .arena(cell.text) : .none))
        }
        guard place.isBased && column.field >= 0 else { return .value(Value(tag: .unset)) }
        let field = field(place.row, Int(column.field))
        if field.isAbsent { return .value(Value(tag: .unset)) }
        return base == .csv
            ? csvValue(bytes, field, scratch: &scratch, used: &used)
            : jsonValue(bytes, field, scratch: &scratch, used: &used)
    }

    private func csvValue(
        _ bytes: Span<UInt8>, _ field: Field, scratch: inout MutableSpan<UInt8>, used: inout Int
    ) -> FoundValue {
        if isBinary { return .value(Value(tag: .bytes, text: .base(field))) }
        if isNullText(self, bytes, field) { return .value(Value(tag: .null, text: .base(field))) }
        let isQuoted = isQuoted(bytes, field, dialect)
        if isQuoted && (!isQuotedPlainly(bytes, field, dialect) || bytes.contains(.quote, field.inside)) {
            if scratch.count &- used < field.length { return .needsScratch(field.length) }
            let end = putContent(bytes, field, dialect, into: &scratch, at: used)
            let text = Field(start: used, end: end)
            used = end
            let tag = isInferred ? inferCell(scratch.span.extracting(text.start..<end), quoted: true) : .string
            return .value(Value(tag: tag, text: .scratch(text)))
        }
        let text = isQuoted ? field.inside : field
        let tag = isInferred ? inferCell(bytes.extracting(text.start..<text.end), quoted: isQuoted) : .string
        return .value(Value(tag: tag, text: .base(text)))
    }

    private func jsonValue(
        _ bytes: Span<UInt8>, _ field: Field, scratch: inout MutableSpan<UInt8>, used: inout Int
    ) -> FoundValue {
        let isString: Bool
        switch bytes[field.start] {
        case UInt8(ascii: "n"): return .value(Value(tag: .null, text: .base(field)))
        case UInt8(ascii: "t"): return .value(Value(tag: .true, text: .base(field)))
        case UInt8(ascii: "f"): return .value(Value(tag: .false, text: .base(field)))
        case .quote: isString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): isString = false
        default: return .value(Value(tag: .decimal, text: .base(field)))
        }
        if isString && !bytes.contains(.backslash, field) {
            return .value(Value(tag: .string, text: .base(field.inside)))
        }
        if scratch.count &- used < field.length { return .needsScratch(field.length) }
        let end =
            isString
            ? putDecoded(bytes, field, into: &scratch, at: used)
            : putCompact(bytes, field, into: &scratch, at: used)
        let text = Field(start: used, end: end)
        used = end
        return .value(Value(tag: isString ? .string : .json, text: .scratch(text)))
    }
}

extension Span<UInt8> {
    /// Whether the byte is in the text. Reads a vector behind it.
    fileprivate func contains(_ byte: UInt8, _ text: Field) -> Bool {
        var at = text.start
        while at < text.end {
            let clean = firstLane(vector(at: at) .== everyLane(byte))
            if clean < 16 { return clean < text.end &- at }
            at &+= 16
        }
        return false
    }
}

extension Value.Text {
    /// Where its first byte is, and how many there are.
    fileprivate func place(
        _ rows: sluice_rows, _ scratch: sluice_scratch
    ) -> (start: UnsafePointer<UInt8>?, length: Int) {
        switch self {
        case .none: (nil, 0)
        case .base(let text): unsafe (rows.bytes + text.start, text.length)
        case .arena(let text): unsafe (rows.arena + text.start, text.length)
        case .scratch(let text): unsafe (UnsafePointer(scratch.bytes + text.start), text.length)
        }
    }
}

/// The field of `column` in row `number`; see `sluice_value_at`.
package func valueAt(
    _ rows: UnsafePointer<sluice_rows>, _ column: sluice_column, _ number: Int, _ scratch: inout sluice_scratch,
    _ value: inout sluice_value
) -> Bool {
    let batch = unsafe Batch(rows.pointee)
    // SAFETY: see `Batch`; scratch has `capacity` bytes.
    let bytes = unsafe Span(_unsafeElements: batch.bytes)
    let room = unsafe UnsafeMutableBufferPointer(start: scratch.bytes, count: scratch.capacity)
    var span = unsafe MutableSpan(_unsafeElements: room)
    switch batch.value(number, column, bytes, scratch: &span, used: &scratch.used) {
    case .needsScratch(let length):
        value.length = length
        return false
    case .value(let found):
        let text = unsafe found.text.place(rows.pointee, scratch)
        unsafe value = sluice_value(
            tag: sluice_cell(UInt32(found.tag.rawValue)), bits: found.bits, text: text.start, length: text.length)
        return true
    }
}
