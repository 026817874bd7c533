import CSluice

// Rows to JSON Lines or a JSON array, from named columns. Read Encoders.swift first.
//
// Every key comes as `","name":"`. Between two strings all of it is written: closing quote, comma, key, opening quote, in
// one store. Elsewhere a part of it is; the comma of the first member is overwritten by the brace that opens the object.

// MARK: - Keys and rows

extension sluice_column {
    /// Writes the key without its first `before` bytes and its last `behind` ones.
    @inline(__always)
    func putKey(without before: Int, _ behind: Int, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
        // SAFETY: a key has `key_length` bytes and padding.
        let key = unsafe Span(_unsafeStart: self.key, count: Int(key_length) &+ padding)
        return put(key, Field(start: before, end: Int(key_length) &- behind), into: &out, at: place)
    }

    /// The comma and the key, without the quotes of the values on either side.
    @inline(__always) func putKey(into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
        putKey(without: 1, 1, into: &out, at: place)
    }
}

/// What stands before a row, and behind it: 2 bytes at most, together.
@inline(__always)
func beginRow(_ progress: Progress, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    guard progress.isArray else { return place }
    return put(ShortText(word: 0x0A2C, length: 2), into: &out, at: place)  // ",\n"
}

@inline(__always)
func endRow(_ progress: Progress, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    out[place] = .lineFeed
    return progress.isArray ? place : place &+ 1
}

// MARK: - Fields of CSV

/// Writes the content of a cell as the inside of a JSON string.
@inline(never)
private func putJSONFromCSV(
    _ source: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    guard isQuoted(source, field, dialect) else { return putJSONText(source, field, into: &out, at: place) }
    if isQuotedPlainly(source, field, dialect),
        let end = putJSONUnquoted(source, field.inside, into: &out, at: place)
    {
        return end
    }
    let end = putContent(source, field, dialect, into: &out, at: place)
    return escapeInPlace(&out, Field(start: place, end: end), movedTo: place)
}

/// The same; short ones in a few instructions.
@inline(__always)
private func putString(
    _ source: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    let text = source.vector(at: field.start)
    out.store(text, at: place)
    if field.length <= 16 && firstLane(jsonSpecials(text)) >= field.length && text[0] != dialect.quote {
        return place &+ field.length
    }
    return putJSONFromCSV(source, field, dialect, into: &out, at: place)
}

@inline(never)
private func putInferredQuoted(
    _ source: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    if isQuotedPlainly(source, field, dialect) {
        // A number or literal has no quote inside, doubled or not, so that the bytes tell it without decoding.
        if infer(source, field.inside, quoted: true) != .string {
            return put(source, field.inside, into: &out, at: place)
        }
        let start = put(.quote, into: &out, at: place)
        let end = putJSONFromCSV(source, field, dialect, into: &out, at: start)
        return put(.quote, into: &out, at: end)
    }
    let content = Field(start: place, end: putContent(source, field, dialect, into: &out, at: place))
    if infer(out.span, content, quoted: true) != .string { return content.end }
    let end = escapeInPlace(&out, content, movedTo: place &+ 1)
    out[place] = .quote
    return put(.quote, into: &out, at: end)
}

@inline(__always)
private func putInferred(
    _ source: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    if isQuoted(source, field, dialect) {
        return putInferredQuoted(source, field, dialect, into: &out, at: place)
    }
    switch infer(source, field, quoted: false) {
    case .null: return put(.null, into: &out, at: place)
    case .string:
        let start = put(.quote, into: &out, at: place)
        let end = putString(source, field, dialect, into: &out, at: start)
        return put(.quote, into: &out, at: end)
    default: return put(source, field, into: &out, at: place)
    }
}

// MARK: - Room

/// What is known of all rows before the first.
private struct Plan {
    enum Cells {
        /// Cells are strings of a CSV base, none is absent, none has a byte to escape.
        case verbatim
        /// ... some may have.
        case strings
        /// Cells are of a CSV base and typed by the inference grammar, none is absent.
        case inferred
        /// ... some may be absent, or null by their text.
        case any
    }

    let cells: Cells
    /// Bytes of a row beside contents, at most.
    let fixed: Int
    /// How many bytes a byte of the base row may become, over all columns.
    let factor: Int
    let isOverlaid: Bool

    init(_ batch: Batch, _ columns: Span<sluice_column>) {
        let isCSV = batch.base == .csv
        // Base64 makes four of three bytes or less.
        let growth = !isCSV || batch.hasNoSpecials ? (batch.isBinary ? 2 : 1) : 6
        var fixed = 4
        for c in columns.indices {
            fixed += Int(columns[c].key_length) + ShortText.null.length + (batch.isBinary ? 3 : 0)
        }
        self.fixed = fixed
        factor = isCSV && columns.fieldsAscend ? growth : growth * columns.count
        isOverlaid = columns.hasOverlay
        if !isCSV || batch.has(SLUICE_HAS_ABSENT) || batch.hasNulls || batch.isBinary {
            cells = .any
        } else {
            cells = batch.isInferred ? .inferred : batch.hasNoSpecials ? .verbatim : .strings
        }
    }

    /// The quick bound.
    @inline(__always)
    func room(_ batch: Batch, _ columns: Span<sluice_column>, _ place: Place) -> Int {
        let room = fixed &+ (place.isBased ? factor &* batch.rowLength(place.row) : 0)
        return isOverlaid ? room &+ batch.overlaidRoom(columns, place) { batch.jsonRoom($0, exact: false) } : room
    }
}

/// The exact bound.
private func exactRoom(_ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, _ place: Place) -> Int {
    var room = 4
    for c in columns.indices {
        let column = columns[c]
        room &+= Int(column.key_length) &+ ShortText.null.length
        let cell = batch.overlayCell(Int(column.overlay), place.slot)
        if cell.tag != .unset {
            room &+= batch.jsonRoom(cell, exact: true)
        } else if place.isBased && column.field >= 0 {
            let field = batch.field(place.row, Int(column.field))
            if field.isAbsent { continue }
            let isText = batch.base == .csv && !batch.isBinary
            room &+=
                batch.isBinary
                ? base64Length(field.length) : field.length &+ (isText ? jsonGrowth(bytes, field) : 0)
        }
    }
    return room
}

// MARK: - Rows

/// Writes the plain columns from `number` on as strings, and moves it behind them.
private func putStrings(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, from number: inout Int, row: Int,
    isVerbatim: Bool, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    var end = columns[number].putKey(without: 1, 0, into: &out, at: place)
    while true {
        let field = batch.cell(row, Int(columns[number].field))
        end =
            isVerbatim
            ? put(bytes, field, into: &out, at: end)
            : putString(bytes, field, batch.dialect, into: &out, at: end)
        number &+= 1
        guard number < columns.count, columns[number].isPlain else { break }
        end = columns[number].putKey(without: 0, 0, into: &out, at: end)
    }
    return put(.quote, into: &out, at: end)
}

/// Writes the plain columns from `number` on by what the inference grammar says, and moves it behind them.
private func putInferredCells(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, from number: inout Int, row: Int,
    into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    var end = place
    repeat {
        end = columns[number].putKey(into: &out, at: end)
        let field = batch.cell(row, Int(columns[number].field))
        end = putInferred(bytes, field, batch.dialect, into: &out, at: end)
        number &+= 1
    } while number < columns.count && columns[number].isPlain
    return end
}

/// Writes a field of the base as a member with a comma before it; nothing where it is absent.
private func putBaseMember(
    _ batch: Batch, _ bytes: Span<UInt8>, _ column: sluice_column, row: Int, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    let field = batch.field(row, Int(column.field))
    if field.isAbsent { return place }
    guard batch.base == .csv else {
        let start = column.putKey(into: &out, at: place)
        return JSONByte.opensContainer(bytes[field.start])
            ? putCompact(bytes, field, into: &out, at: start)
            : put(bytes, field, into: &out, at: start)
    }
    if isNullText(batch, bytes, field) { return put(.null, into: &out, at: column.putKey(into: &out, at: place)) }
    if batch.isInferred {
        let start = column.putKey(into: &out, at: place)
        return putInferred(bytes, field, batch.dialect, into: &out, at: start)
    }
    let start = column.putKey(without: 1, 0, into: &out, at: place)
    let end =
        batch.isBinary
        ? base64Encode(bytes, field.start..<field.end, into: &out, at: start)
        : putString(bytes, field, batch.dialect, into: &out, at: start)
    return put(.quote, into: &out, at: end)
}

/// Writes a column as a member with a comma before it; nothing where it is absent. nil: not finite.
private func putMember(
    _ batch: Batch, _ bytes: Span<UInt8>, _ column: sluice_column, _ from: Place, _ doubles: inout PrintedDoubles,
    into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    let cell = batch.overlayCell(Int(column.overlay), from.slot)
    switch cell.tag {
    case .removed: return place
    case .unset:
        guard from.isBased, column.field >= 0 else { return place }
        return putBaseMember(batch, bytes, column, row: from.row, into: &out, at: place)
    default:
        let start = column.putKey(into: &out, at: place)
        return batch.putJSON(cell, overlay: Int(column.overlay), &doubles, into: &out, at: start)
    }
}

/// nil: not finite; `progress.errorColumn` tells where.
@inline(__always)
private func putRow(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, _ from: Place, _ cells: Plan.Cells,
    _ progress: inout Progress, _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    let start = beginRow(progress, into: &out, at: place)
    var end = start
    var number = 0
    while number < columns.count {
        let isPlain = from.isBased && columns[number].isPlain
        switch cells {
        case .verbatim where isPlain, .strings where isPlain:
            end = putStrings(
                batch, bytes, columns, from: &number, row: from.row, isVerbatim: cells == .verbatim, into: &out, at: end
            )
        case .inferred where isPlain:
            end = putInferredCells(batch, bytes, columns, from: &number, row: from.row, into: &out, at: end)
        default:
            progress.errorColumn = number
            guard let next = putMember(batch, bytes, columns[number], from, &doubles, into: &out, at: end) else {
                return nil
            }
            end = next
            number &+= 1
        }
    }
    out[start] = UInt8(ascii: "{")
    if end == start { end &+= 1 }
    end = put(UInt8(ascii: "}"), into: &out, at: end)
    return endRow(progress, into: &out, at: end)
}

/// Rows to JSON Lines or elements of an array; see `sluice_encode_jsonl_columns_function`.
func encodeJSONLines(
    _ batch: Batch, _ bytes: Span<UInt8>, _ columns: Span<sluice_column>, _ progress: inout Progress,
    _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, capacity: Int
) -> sluice_status {
    let plan = Plan(batch, columns)
    while progress.row < batch.count {
        let place = batch.place(progress.row)
        let room = capacity &- progress.written
        if plan.room(batch, columns, place) > room {
            progress.needed = exactRoom(batch, bytes, columns, place)
            if progress.needed > room { return SLUICE_OUTPUT_FULL }
        }
        let end = putRow(
            batch, bytes, columns, place, plan.cells, &progress, &doubles, into: &out, at: progress.written)
        guard let end else { return SLUICE_ERROR_NUMBER_NOT_FINITE }
        progress.written = end
        progress.row &+= 1
    }
    return SLUICE_OK
}
