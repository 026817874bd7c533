import CSluice

// Rows to the content of one field each: lines of text, or bytes. Read Encoders.swift first.

/// What a row has to write.
private struct Content {
    /// Number of the column; the count of columns where the row has none of them.
    var column: Int
    /// Unset: the field of the base.
    var cell = OverlayCell.unset
    var field = Field.absent

    /// The first of the columns from `first` on that the row has.
    init(_ batch: Batch, _ columns: Span<sluice_column>, from first: Int, _ place: Place) {
        column = first
        while column < columns.count {
            cell = batch.overlayCell(Int(columns[column].overlay), place.slot)
            if cell.tag != .unset && cell.tag != .removed { return }
            let number = Int(columns[column].field)
            if cell.tag == .unset && place.isBased && number >= 0 {
                field = batch.field(place.row, number)
                if !field.isAbsent { return }
            }
            column += 1
        }
    }

    /// What is at most written, a line end included.
    var room: Int {
        if cell.tag == .unset { return field.length + 1 }
        return (cell.tag.isText ? cell.text.length : Int(SLUICE_NUMBER_MAX)) + 1
    }
}

/// A content that was written.
private struct Written {
    var end: Int
    var isString: Bool
}

/// Writes a cell. nil: it has no content, or is not finite.
private func putCell(
    _ batch: Batch, _ cell: OverlayCell, overlay: Int, _ doubles: inout PrintedDoubles,
    into out: inout MutableSpan<UInt8>, at place: Int
) -> Written? {
    switch cell.tag {
    case .null, .json: return nil
    case .string, .bytes:
        return Written(
            end: batch.putText(cell, into: &out, at: place), isString: cell.tag == .string)
    default:
        let end = batch.putScalar(cell, overlay: overlay, &doubles, into: &out, at: place)
        guard let end else { return nil }
        return Written(end: end, isString: false)
    }
}

/// Writes a field of the base. nil: it has no content.
private func putField(
    _ batch: Batch, _ bytes: Span<UInt8>, _ field: Field, into out: inout MutableSpan<UInt8>, at place: Int
) -> Written? {
    if batch.base == .csv {
        if (batch.isInferred && field.length == 0) || isNullText(batch, bytes, field) { return nil }
        let end =
            batch.isBinary || !isQuoted(bytes, field, batch.dialect)
            ? putLong(bytes, field, into: &out, at: place)
            : putContent(bytes, field, batch.dialect, into: &out, at: place)
        return Written(end: end, isString: !batch.isBinary)
    }
    switch bytes[field.start] {
    case UInt8(ascii: "n"), UInt8(ascii: "{"), UInt8(ascii: "["): return nil
    case .quote:
        return Written(end: putDecoded(bytes, field, into: &out, at: place), isString: true)
    default: return Written(end: put(bytes, field, into: &out, at: place), isString: false)
    }
}

/// Whether a line of this content would be read back as it is.
private func isLine(_ text: Span<UInt8>, _ content: Field) -> Bool {
    if content.length == 0 { return true }
    if text[content.end &- 1] == .carriageReturn { return false }
    var at = content.start
    while at < content.end {
        let clean = firstLane(text.vector(at: at) .== everyLane(.lineFeed))
        if clean < 16 { return clean >= content.end &- at }
        at &+= 16
    }
    return true
}

/// Bytes of the base as they are: of text and binary, whose only field is all of the row.
private func isPlain(_ batch: Batch, _ columns: Span<sluice_column>, base64: Int) -> Bool {
    if batch.base != .csv || batch.columns != 1 || batch.dialect.quote != 0 { return false }
    if batch.isInferred || batch.hasNulls { return false }
    var isFound = false
    for c in columns.indices {
        if columns[c].overlay >= 0 || (columns[c].field >= 0 && c == base64 && !batch.isBinary) { return false }
        if columns[c].field >= 0 { isFound = true }
    }
    return isFound
}

/// Copies rows that stand in the input as in the output, `divider` bytes between two of them: as many as there is room for.
/// False: there is none for the first, or it must be looked at more closely.
private func putRun(
    _ batch: Batch, _ bytes: Span<UInt8>, _ progress: inout Progress, divider: Int, room: Int,
    into out: inout MutableSpan<UInt8>
) -> Bool {
    var number = progress.row
    let first = batch.place(number)
    if !first.isBased { return false }
    let start = Int(batch.start(first.row))
    var end = start
    while number < batch.count {
        let next = batch.place(number)
        if !next.isBased { break }
        let text = batch.cell(next.row, 0)
        if number > progress.row && text.start != end &+ divider { break }
        if text.end &- start &+ divider > room { break }
        let endsInReturn = text.length > 0 && bytes[text.end &- 1] == .carriageReturn
        if divider > 0 && (endsInReturn || batch.dialect.delimiter != .lineFeed) { break }
        end = text.end
        number &+= 1
    }
    if number == progress.row { return false }
    let copied = putLong(bytes, Field(start: start, end: end), into: &out, at: progress.written)
    if divider > 0 { out[copied] = .lineFeed }
    progress.written = copied &+ divider
    progress.row = number
    return true
}

private func putRow(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, base64: Int, lines: Bool,
    _ progress: inout Progress,
    _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, capacity: Int
) -> sluice_status {
    let place = batch.place(progress.row)
    let content = Content(batch, columns, from: 0, place)
    progress.errorColumn = content.column
    if content.column == columns.count { return SLUICE_ERROR_NO_CONTENT }
    if Content(batch, columns, from: content.column &+ 1, place).column != columns.count {
        return SLUICE_ERROR_UNKNOWN_KEY
    }
    progress.needed = content.room
    if progress.needed > capacity &- progress.written { return SLUICE_OUTPUT_FULL }

    let start = progress.written
    let written =
        content.cell.tag == .unset
        ? putField(batch, bytes, content.field, into: &out, at: start)
        : putCell(
            batch, content.cell, overlay: Int(columns[content.column].overlay), &doubles, into: &out, at: start)
    guard let written else {
        return content.cell.tag == .double ? SLUICE_ERROR_NUMBER_NOT_FINITE : SLUICE_ERROR_NO_CONTENT
    }
    var end = written.end
    if written.isString && content.column == base64 {
        guard let decoded = base64DecodeInPlace(&out, Field(start: start, end: end)) else {
            return SLUICE_ERROR_NOT_BASE64
        }
        end = decoded
    }
    if lines {
        if !isLine(out.span, Field(start: start, end: end)) { return SLUICE_ERROR_LINE_BREAK }
        end = put(.lineFeed, into: &out, at: end)
    }
    progress.written = end
    progress.row &+= 1
    return SLUICE_OK
}

/// Rows to the content of one field each; see `sluice_encode_content_function`.
func encodeContent(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, base64: Int, lines: Bool,
    _ progress: inout Progress,
    _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, capacity: Int
) -> sluice_status {
    let isPlain = isPlain(batch, columns, base64: base64)
    while progress.row < batch.count {
        let room = capacity &- progress.written
        if isPlain && putRun(batch, bytes, &progress, divider: lines ? 1 : 0, room: room, into: &out) { continue }
        let status = putRow(
            batch, bytes, columns, base64: base64, lines: lines, &progress, &doubles, into: &out, capacity: capacity)
        if status != SLUICE_OK { return status }
    }
    return SLUICE_OK
}
