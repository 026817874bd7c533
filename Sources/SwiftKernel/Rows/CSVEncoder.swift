import CSluice

// Rows to CSV, from named columns. Read Encoders.swift first.

// MARK: - Fields

/// A field of CSV that is quoted, or has special bytes.
@inline(never)
private func putFromCSV(
    _ source: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect, _ style: CSVStyle,
    into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    if !isQuoted(source, field, dialect) {
        return style.finish(&out, Field(start: place, end: put(source, field, into: &out, at: place)))
    }
    if style.isStandard && dialect.lenient == 0 && isQuotedPlainly(source, field, dialect) {
        let needed = style.needsQuotes(source, field.inside)
        return put(source, needed ? field : field.inside, into: &out, at: place)
    }
    let end = putContent(source, field, dialect, into: &out, at: place)
    return style.finish(&out, Field(start: place, end: end))
}

/// A JSON string. Only a backslash makes decoding necessary.
private func putFromString(
    _ source: Span<UInt8>, _ literal: Field, _ style: CSVStyle, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    let text = literal.inside
    var isQuoted = false
    var from = text.start
    while from < text.end {
        let vector = source.vector(at: from)
        out.store(vector, at: place &+ (from &- text.start))
        let left = text.end &- from
        let backslashes = vector .== everyLane(.backslash)
        let quotes = (vector .== everyLane(style.specialQuote)) .| (vector .== everyLane(style.specialEscape))
        let specials = (vector .== everyLane(style.delimiter)) .| quotes
        if isAny(backslashes .| specials) {
            if firstLane(backslashes) < left {
                let end = putDecoded(source, literal, into: &out, at: place)
                return style.finish(&out, Field(start: place, end: end))
            }
            if firstLane(specials) < left { isQuoted = true }
        }
        from &+= 16
    }
    let end = place &+ text.length
    return isQuoted ? style.quoteInPlace(&out, Field(start: place, end: end)) : end
}

private func putFromJSON(
    _ source: Span<UInt8>, _ value: Field, _ style: CSVStyle, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    switch source[value.start] {
    case .quote: return putFromString(source, value, style, into: &out, at: place)
    case UInt8(ascii: "n"): return place
    case UInt8(ascii: "{"), UInt8(ascii: "["):
        return style.finish(
            &out, Field(start: place, end: putCompact(source, value, into: &out, at: place)))
    default:
        return style.finish(&out, Field(start: place, end: put(source, value, into: &out, at: place)))
    }
}

// MARK: - Plan and room

/// What is known of all rows before the first.
private struct Plan {
    let style: CSVStyle
    /// Bytes of a row beside contents.
    let fixed: Int
    /// How many bytes a byte of the base row may become, over all columns.
    let factor: Int
    let isOverlaid: Bool
    /// Fields are copied as they stand.
    let isVerbatim: Bool
    /// Rows are copied in pieces: of fields side by side. None is absent.
    let isPieced: Bool
    /// One past the last column of the first piece.
    let firstPieceEnd: Int

    init(_ batch: Batch, _ columns: Span<sluice_column>, _ dialect: sluice_csv_dialect) {
        let isCSV = batch.base == .csv
        style = CSVStyle(dialect)
        // Base64 makes four of three bytes or less, and all of them may be doubled.
        let growth = batch.isBinary ? 3 : 2
        fixed = (batch.isBinary ? 9 : 3) * columns.count + 3
        factor = isCSV && columns.fieldsAscend ? growth : growth * columns.count
        isOverlaid = columns.hasOverlay
        isVerbatim = isCSV && !batch.isBinary && !batch.hasNulls && Self.isVerbatim(batch, style)
        var isPieced = isVerbatim && !batch.has(SLUICE_HAS_ABSENT) && !columns.isEmpty
        for c in columns.indices where !columns[c].isPlain { isPieced = false }
        self.isPieced = isPieced
        firstPieceEnd = isPieced ? pieceEnd(columns, from: 0) : 0
    }

    /// Whether the flags say that no field needs quotes in the output: they tell of the base's own quote, of '"' and of
    /// backslashes.
    private static func isVerbatim(_ batch: Batch, _ style: CSVStyle) -> Bool {
        let isQuoteKnown = style.quote == 0 || style.quote == .quote || style.quote == batch.dialect.quote
        let isEscapeKnown = style.escape == 0 || style.escape == .backslash
        return batch.hasNoSpecials && batch.dialect.delimiter == style.delimiter && isQuoteKnown && isEscapeKnown
    }

    /// The quick bound.
    @inline(__always)
    func room(_ batch: Batch, _ columns: Span<sluice_column>, _ place: Place) -> Int {
        let room = fixed &+ (place.isBased ? factor &* batch.rowLength(place.row) : 0)
        return isOverlaid ? room &+ batch.overlaidRoom(columns, place, of: cellRoom) : room
    }
}

/// One past the last of the columns from `first` on whose fields stand side by side in the base.
@inline(__always)
private func pieceEnd(_ columns: Span<sluice_column>, from first: Int) -> Int {
    var end = first &+ 1
    while end < columns.count && columns[end].field == columns[end &- 1].field &+ 1 { end &+= 1 }
    return end
}

private func cellRoom(_ cell: OverlayCell) -> Int {
    2 &+ 2 &* (cell.tag == .string ? cell.text.length : scalarRoom(cell))
}

/// The exact bound: exact but for quotes, which at most double a field.
private func exactRoom(_ batch: Batch, _ columns: Span<sluice_column>, _ place: Place) -> Int {
    var room = 3
    for c in columns.indices {
        let column = columns[c]
        let cell = batch.overlayCell(Int(column.overlay), place.slot)
        room &+= 3
        if cell.tag != .unset {
            room &+= cellRoom(cell)
        } else if place.isBased && column.field >= 0 {
            let field = batch.field(place.row, Int(column.field))
            if field.isAbsent { continue }
            room &+= 2 &* (batch.isBinary ? base64Length(field.length) : field.length)
        }
    }
    return room
}

// MARK: - Rows

private func putBaseField(
    _ batch: Batch, _ bytes: Span<UInt8>, _ column: sluice_column, _ plan: Plan, row: Int,
    into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    let field = batch.field(row, Int(column.field))
    if field.isAbsent { return place }
    if plan.isVerbatim { return put(bytes, field, into: &out, at: place) }
    guard batch.base == .csv else { return putFromJSON(bytes, field, plan.style, into: &out, at: place) }
    if batch.isBinary {
        let end = base64Encode(bytes, field.start..<field.end, into: &out, at: place)
        return plan.style.finish(&out, Field(start: place, end: end))
    }
    if isNullText(batch, bytes, field) { return place }
    let text = bytes.vector(at: field.start)
    out.store(text, at: place)
    let isPlain =
        field.length <= 16 && text[0] != batch.dialect.quote && firstLane(plan.style.specials(text)) >= field.length
    if isPlain { return place &+ field.length }
    return putFromCSV(bytes, field, batch.dialect, plan.style, into: &out, at: place)
}

/// nil: not finite.
@inline(__always)
private func putField(
    _ batch: Batch, _ bytes: Span<UInt8>, _ column: sluice_column, _ plan: Plan, _ from: Place,
    _ doubles: inout PrintedDoubles,
    into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    let cell = batch.overlayCell(Int(column.overlay), from.slot)
    if cell.tag == .unset {
        guard from.isBased && column.field >= 0 else { return place }
        return putBaseField(batch, bytes, column, plan, row: from.row, into: &out, at: place)
    }
    let end =
        cell.tag == .string
        ? batch.putText(cell, into: &out, at: place)
        : batch.putScalar(cell, overlay: Int(column.overlay), &doubles, into: &out, at: place)
    guard let end else { return nil }
    return plan.style.finish(&out, Field(start: place, end: end))
}

/// A row that was written, or why it could not be.
private enum Written {
    case upTo(Int)
    case failed(sluice_status)
}

/// Ends a row that was written from `start` to `end`. One empty field would be a blank line.
@inline(__always)
private func endRow(
    _ count: Int, _ style: CSVStyle, into out: inout MutableSpan<UInt8>, from start: Int, at place: Int
) -> Written {
    var end = place
    if end == start && count == 1 {
        if style.quote == 0 { return .failed(SLUICE_ERROR_NEEDS_QUOTES) }
        end = put(style.quote, into: &out, at: end)
        end = put(style.quote, into: &out, at: end)
    }
    return .upTo(put(.lineFeed, into: &out, at: end))
}

/// On errors `progress.errorColumn` tells where.
private func putRow(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, _ plan: Plan, _ from: Place,
    _ progress: inout Progress, _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>
) -> Written {
    let start = progress.written
    var end = start
    for c in columns.indices {
        progress.errorColumn = c
        if c > 0 { end = put(plan.style.delimiter, into: &out, at: end) }
        guard let next = putField(batch, bytes, columns[c], plan, from, &doubles, into: &out, at: end) else {
            return .failed(SLUICE_ERROR_NUMBER_NOT_FINITE)
        }
        if plan.style.quote == 0 && plan.style.needsQuotes(out.span, Field(start: end, end: next)) {
            return .failed(SLUICE_ERROR_NEEDS_QUOTES)
        }
        end = next
    }
    return endRow(columns.count, plan.style, into: &out, from: start, at: end)
}

/// A row of pieces of the input.
@inline(__always)
private func putPieces(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, _ plan: Plan, row: Int,
    _ progress: inout Progress,
    into out: inout MutableSpan<UInt8>
) -> Written {
    let start = progress.written
    var end = start
    var first = 0
    var next = plan.firstPieceEnd
    while true {
        let piece = Field(
            start: batch.cell(row, Int(columns[first].field)).start,
            end: batch.cell(row, Int(columns[next &- 1].field)).end)
        end = put(bytes, piece, into: &out, at: end)
        if next == columns.count { break }
        end = put(plan.style.delimiter, into: &out, at: end)
        first = next
        next = pieceEnd(columns, from: first)
    }
    progress.errorColumn = 0
    return endRow(columns.count, plan.style, into: &out, from: start, at: end)
}

/// Rows to CSV; see `sluice_encode_csv_columns_function`.
func encodeCSV(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, _ dialect: sluice_csv_dialect,
    _ progress: inout Progress, _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, capacity: Int
) -> sluice_status {
    let plan = Plan(batch, columns, dialect)
    while progress.row < batch.count {
        let place = batch.place(progress.row)
        let room = capacity &- progress.written
        if plan.room(batch, columns, place) > room {
            progress.needed = exactRoom(batch, columns, place)
            if progress.needed > room { return SLUICE_OUTPUT_FULL }
        }
        let row =
            plan.isPieced && place.isBased
            ? putPieces(batch, bytes, columns, plan, row: place.row, &progress, into: &out)
            : putRow(batch, bytes, columns, plan, place, &progress, &doubles, into: &out)
        switch row {
        case .upTo(let end): progress.written = end
        case .failed(let status): return status
        }
        progress.row &+= 1
    }
    return SLUICE_OK
}
