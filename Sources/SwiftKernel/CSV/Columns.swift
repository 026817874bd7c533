import CSluice

// The cells of one CSV column as numbers (`sluice_column.h`).

/// values[i], valid[i] of row i of those wanted: by the grammar of `parseInt64`. valid 0: the cell is absent or no such number,
/// and values[i] is 0.
public func csvColumnInt64(
    _ column: UnsafePointer<sluice_csv_column>, _ values: UnsafeMutablePointer<Int64>,
    _ valid: UnsafeMutablePointer<UInt8>
) {
    unsafe read(column.pointee, values, valid) { bytes, cell in
        // Most cells have a few digits: no call for those.
        readShort(bytes, cell) ?? parseInt64(bytes.extracting(cell))
    }
}

/// The same by the grammar of `parseDouble`, finite ones only.
public func csvColumnDouble(
    _ column: UnsafePointer<sluice_csv_column>, _ values: UnsafeMutablePointer<Double>,
    _ valid: UnsafeMutablePointer<UInt8>
) {
    unsafe read(column.pointee, values, valid) { bytes, cell in
        guard let value = parseDouble(bytes.extracting(cell)), value.isFinite else { return nil }
        return value
    }
}

/// Reads the cells that `layout` names by `number`.
@inline(__always) private func read<Number: AdditiveArithmetic>(
    _ layout: sluice_csv_column, _ values: UnsafeMutablePointer<Number>, _ valid: UnsafeMutablePointer<UInt8>,
    number: (_ bytes: Span<UInt8>, _ cell: Range<Int>) -> Number?
) {
    let count = unsafe Int(layout.count)
    let columns = unsafe Int(layout.columns)
    let column = unsafe Int(layout.column)
    let firstRow = unsafe Int(layout.first_row)
    let quote = unsafe layout.quote
    if count == 0 { return }
    // SAFETY: outputs and slots have `count` entries, the index at least the rows up to the last that is wanted. Its
    // offsets ascend, so the text is as long as that row's last one says, with padding behind.
    let slots = unsafe UnsafeBufferPointer(start: layout.slots, count: layout.slots == nil ? 0 : count).span
    let rows = firstRow + (slots.isEmpty ? count : last(of: slots) + 1)
    let ends = unsafe Span(_unsafeStart: layout.ends, count: rows * columns)
    let starts = unsafe Span(_unsafeStart: layout.row_starts, count: rows)
    let length = Int(ends[ends.count - 1]) + Int(SLUICE_PADDING)
    let bytes = unsafe Span(_unsafeStart: layout.bytes, count: length)
    var numbers = unsafe MutableSpan(_unsafeStart: values, count: count)
    var flags = unsafe MutableSpan(_unsafeStart: valid, count: count)

    for index in 0..<count {
        let row = firstRow &+ (slots.isEmpty ? index : Int(slots[index]))
        let place = row &* columns &+ column
        let start = column == 0 ? starts[row] : ends[place &- 1] &+ 1
        let found = number(bytes, content(of: bytes, from: start, to: ends[place], quote: quote))
        numbers[index] = found ?? .zero
        flags[index] = found == nil ? 0 : 1
    }
}

private func last(of slots: Span<UInt32>) -> Int {
    var last: UInt32 = 0
    for index in slots.indices { last = max(last, slots[index]) }
    return Int(last)
}

/// The content of a cell without quotes around it; of an absent one, which ends before it starts, nothing.
@inline(__always)
private func content(of bytes: Span<UInt8>, from start: UInt32, to end: UInt32, quote: UInt8) -> Range<Int> {
    if Int32(bitPattern: end &- start) <= 0 { return 0..<0 }
    let cell = Int(start)..<Int(end)
    if quote == 0 || cell.count < 2 || bytes[cell.lowerBound] != quote || bytes[cell.upperBound &- 1] != quote {
        return cell
    }
    return cell.lowerBound &+ 1..<cell.upperBound &- 1
}

/// The number that a cell of 1 to 7 bytes spells, if it has nothing but digits, and no zero in front of others.
@inline(__always) private func readShort(_ bytes: Span<UInt8>, _ cell: Range<Int>) -> Int64? {
    guard (1...7).contains(cell.count) else { return nil }
    let behind = UInt64.max &<< UInt64(truncatingIfNeeded: 8 &* cell.count)
    let digits = (bytes.word(at: cell.lowerBound) ^ everyByte(UInt8(ascii: "0"))) & ~behind
    guard others(thanDigits: digits) == 0, cell.count == 1 || digits & 0xFF != 0 else { return nil }
    return Int64(bitPattern: joined(digits: digits, count: cell.count))
}
