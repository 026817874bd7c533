import CSluice

// CSV: the header alone, and what single fields mean.

/// What `csvFirstRecord` found.
struct CSVFirstRecord {
    var status: sluice_status
    var fields = 0
    var start: UInt32 = 0
}

/// Reads the first record (the header) alone, to learn the number of columns and whether records end at a bare CR: see
/// `sluice_csv_first_record`. `ends` has room for as many fields as there may be.
func csvFirstRecord(
    _ scanner: inout sluice_csv_scanner, _ bytes: Span<UInt8>, final: Bool, ends: inout MutableSpan<UInt32>
) -> CSVFirstRecord {
    var start = scanner
    start.record_start = start.position
    if CSVMachine(start).endsInBareReturn(bytes, final: final) { start.dialect.carriage_return = 1 }

    var cut = CSVMachine(start)
    var found = CSVFirstRecord(status: cut.cut(bytes, final: final, maxRecords: 1))
    if found.status == SLUICE_NEED_INPUT { return found }
    if cut.scanner.records != 0 {
        // As a record of as many columns as may be: fields that it lacks end where the last one does.
        start.columns = UInt32(truncatingIfNeeded: ends.count)
        start.dialect.ragged = UInt8(truncatingIfNeeded: SLUICE_CSV_RAGGED_PAD.rawValue)
        var record = CSVMachine(start)
        var rowStarts = CollectionOfOne<UInt32>(0)
        var rowStartsSpan = rowStarts.mutableSpan
        let status = record.index(bytes.extracting(first: cut.position), final: true, &ends, &rowStartsSpan)
        if status != SLUICE_OK { return CSVFirstRecord(status: SLUICE_INDEX_FULL) }
        found.start = rowStartsSpan[0]
        found.fields = 1
        while found.fields < ends.count, ends[found.fields] > ends[found.fields - 1] { found.fields += 1 }
    }
    scanner = cut.scanner
    return found
}

extension CSVMachine {
    /// Whether the first line end outside quotes is a CR that no LF follows.
    fileprivate func endsInBareReturn(_ bytes: Span<UInt8>, final: Bool) -> Bool {
        var machine = self
        while machine.position < bytes.count {
            let byte = bytes[machine.position]
            if machine.state.isReturn { return byte != .lineFeed }
            if machine.state == .comment && byte == .carriageReturn {
                let next = machine.position + 1
                return next < bytes.count ? bytes[next] != .lineFeed : final
            }
            let step = machine.grammar.step(machine.state, byte)
            switch step.event {
            case .data, .open, .fieldEnd: machine.take(step)
            case .recordEnd, .commentEnd, .strayText, .strayReturn: return false
            }
        }
        return final && machine.state.isReturn
    }
}

/// The content of a field without its quoting: writes it to `out`, which has room for the field, and returns how many bytes
/// it has. See `sluice_csv_field_content`.
func csvFieldContent(_ field: Span<UInt8>, _ grammar: CSVGrammar, out: inout MutableSpan<UInt8>) -> Int {
    var copied = 0
    func copy(_ range: Range<Int>, _ out: inout MutableSpan<UInt8>) {
        for place in range { out[copied &+ place &- range.lowerBound] = field[place] }
        copied += range.count
    }
    var at = 0
    if field.count > 0 && grammar.isQuote(field[0]) {
        at = 1
        while let special = grammar.special(in: field, from: at) {
            copy(at..<special, &out)
            at = special + 1
            let isQuote = field[special] == grammar.quote
            let isDoubled = isQuote && !grammar.hasEscape && at < field.count && field[at] == grammar.quote
            if isQuote && !isDoubled { break }
            if at < field.count {
                copy(at..<at + 1, &out)
                at += 1
            }
        }
    }
    copy(at..<field.count, &out)
    return copied
}

extension CSVGrammar {
    /// The next byte inside quotes that is no plain content: the quote, or the escape byte.
    fileprivate func special(in field: Span<UInt8>, from start: Int) -> Int? {
        var at = start
        while at < field.count {
            if field[at] == quote || (hasEscape && field[at] == escape) { return at }
            at += 1
        }
        return nil
    }
}

/// Whether a cell that is not quoted is one of the texts that mean null. See `sluice_csv_is_null`.
func csvIsNull(_ nulls: sluice_csv_nulls, _ cell: Span<UInt8>) -> Bool {
    for number in 0..<Int(nulls.count) {
        // SAFETY: there are `count` texts, with their lengths.
        guard unsafe Int(nulls.lengths[number]) == cell.count else { continue }
        let text = unsafe UnsafeBufferPointer(start: nulls.texts[number], count: cell.count)
        if isEqual(unsafe text.span, cell) { return true }
    }
    return false
}

private func isEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for place in a.indices where a[place] != b[place] { return false }
    return true
}
