import CSluice

// CSV: where fields end. The machine writes them one by one; blocks are taken in windows (CSVWindow.swift):
//
// 1. A window writes delimiters and LFs alike as ends of fields, and then proves that it was regular: that the n rows that
//    should end there do so at an LF, that it holds no other LF, and that no row is blank.
// 2. If not, the window is forgotten and halved; at one block the machine takes it. Nothing of the scanner changes before the
//    proof, and what was written to `ends` is behind the entries in use.

/// `sluice_csv_index_function`.
func csvIndex(
    _ scanner: UnsafeMutablePointer<sluice_csv_scanner>?, _ bytes: UnsafePointer<UInt8>?, _ length: Int, _ final: Bool,
    _ index: UnsafeMutablePointer<sluice_csv_index>?
) -> sluice_status {
    guard let scanner, let index else { preconditionFailure("an index has a scanner and arrays") }
    let arrays = unsafe index.pointee
    // SAFETY: `length` bytes are the input, and the arrays have room for as many entries as they say; nobody else uses them.
    let input = unsafe UnsafeBufferPointer(start: bytes, count: length)
    let ends = unsafe UnsafeMutableBufferPointer(start: arrays.ends, count: Int(arrays.ends_capacity))
    let rowStarts = unsafe UnsafeMutableBufferPointer(start: arrays.row_starts, count: Int(arrays.rows_capacity))
    var endsSpan = unsafe ends.mutableSpan
    var rowStartsSpan = unsafe rowStarts.mutableSpan
    var machine = unsafe CSVMachine(scanner.pointee)
    machine.flags = arrays.flags
    let status = machine.index(unsafe input.span, final: final, &endsSpan, &rowStartsSpan)
    unsafe scanner.pointee = machine.scanner
    unsafe index.pointee.flags = machine.flags
    return status
}

extension CSVMachine {
    /// Blocks of the largest window: its bytes and entries stay in the first cache, and a byte counts 4 LFs of each.
    private static let largestWindow = 63

    mutating func index(
        _ bytes: Span<UInt8>, final: Bool, _ ends: inout MutableSpan<UInt32>, _ rowStarts: inout MutableSpan<UInt32>
    ) -> sluice_status {
        var size = Self.largestWindow
        while grammar.hasBlocks {
            let start = position
            let isBehindQuote = state == .quote
            while isResumable, bytes.count - position >= 64, scanner.fields < scanner.columns {
                var window = CSVWindow(self)
                window.flatten(grammar, bytes, size: size, &ends)
                flags |= window.flags
                if take(window, bytes, &ends, &rowStarts) {
                    size = min(2 * size, Self.largestWindow)
                } else {
                    let blocks = (window.position - position) / 64
                    if blocks <= 1 { break }
                    size = blocks / 2
                }
            }
            findOpenQuote(bytes, from: start, isBehindQuote: isBehindQuote)
            if bytes.count - position < 64 { break }
            let status = indexBytes(bytes.extracting(first: position + 64), final: false, &ends, &rowStarts)
            if status != SLUICE_NEED_INPUT { return status }
        }
        return indexBytes(bytes, final: final, &ends, &rowStarts)
    }

    // MARK: the machine

    /// Indexes byte by byte.
    mutating func indexBytes(
        _ bytes: Span<UInt8>, final: Bool, _ ends: inout MutableSpan<UInt32>, _ rowStarts: inout MutableSpan<UInt32>
    ) -> sluice_status {
        passPlain(bytes)
        while position < bytes.count {
            let byte = bytes[position]
            let step = grammar.step(state, byte)
            let held = heldFlags(byte, step)
            var status = SLUICE_OK
            switch step.event {
            case .data, .open: break
            case .fieldEnd: status = addField(&ends)
            case .recordEnd: status = addRecord(endingAt: fieldEnd(.recordEnd), &ends, &rowStarts)
            case .commentEnd: scanner.skipped &+= 1
            case .strayText, .strayReturn: status = refuse(step.event)
            }
            if status != SLUICE_OK { return status }
            flags |= held
            take(step)
            passPlain(bytes)
        }
        return final ? indexEnd(&ends, &rowStarts) : SLUICE_NEED_INPUT
    }

    /// What a byte that is taken adds to the flags.
    @inline(__always) private func heldFlags(_ byte: UInt8, _ step: CSVStep) -> UInt32 {
        if step.state == .comment || step.event == .commentEnd { return 0 }
        var held: UInt32 = byte > 0x7F ? SLUICE_HAS_NON_ASCII : 0
        if grammar.isQuote(byte) { held |= SLUICE_HAS_QUOTE }
        let mayEndLine = byte == .carriageReturn || (byte == .lineFeed && step.state == .quoted)
        let isControl = byte < 0x20 && step.event == .data && !mayEndLine
        let isBareReturn = state.isReturn && step.event != .recordEnd
        let isOtherQuote = byte == UInt8(ascii: "\"") && grammar.quote != byte
        let escapes = byte == UInt8(ascii: "\\") || isOtherQuote || isControl || isBareReturn
        return escapes ? held | SLUICE_HAS_ESCAPE : held
    }

    /// A field that a record has too many is counted, but not written down.
    @inline(__always) private mutating func addField(_ ends: inout MutableSpan<UInt32>) -> sluice_status {
        if scanner.fields < scanner.columns {
            let entry = Int(scanner.records) * Int(scanner.columns) + Int(scanner.fields)
            if entry >= ends.count { return SLUICE_INDEX_FULL }
            ends[entry] = scanner.position
        }
        scanner.fields &+= 1
        return SLUICE_OK
    }

    private func isRagged(fields: UInt32) -> Bool {
        switch UInt32(scanner.dialect.ragged) {
        case SLUICE_CSV_RAGGED_PAD.rawValue: fields > scanner.columns
        case SLUICE_CSV_RAGGED_TRUNCATE.rawValue: false
        default: fields != scanner.columns
        }
    }

    /// The record's last field ends at `end`; those it lacks end there too, one before their start.
    private mutating func addRecord(
        endingAt end: UInt32, _ ends: inout MutableSpan<UInt32>, _ rowStarts: inout MutableSpan<UInt32>
    ) -> sluice_status {
        if end == scanner.record_start {
            scanner.skipped &+= 1
            return SLUICE_OK
        }
        let fields = scanner.fields &+ 1
        if isRagged(fields: fields) {
            scanner.error_offset = scanner.record_start
            scanner.error_fields = fields
            return SLUICE_ERROR_RAGGED_RECORD
        }
        let row = Int(scanner.records)
        let columns = Int(scanner.columns)
        if row >= rowStarts.count || (row + 1) * columns > ends.count { return SLUICE_INDEX_FULL }
        for field in min(Int(scanner.fields), columns)..<columns { ends[row * columns + field] = end }
        if fields < scanner.columns { flags |= SLUICE_HAS_ABSENT }
        rowStarts[row] = scanner.record_start
        scanner.records &+= 1
        scanner.fields = 0
        return SLUICE_OK
    }

    private mutating func indexEnd(
        _ ends: inout MutableSpan<UInt32>, _ rowStarts: inout MutableSpan<UInt32>
    ) -> sluice_status {
        let checked = checkEnd()
        if checked != SLUICE_OK { return checked }
        switch endEvent {
        case .recordEnd:
            let status = addRecord(endingAt: scanner.position, &ends, &rowStarts)
            if status != SLUICE_OK { return status }
            if state.isReturn { flags |= SLUICE_HAS_ESCAPE }
        case .commentEnd: scanner.skipped &+= 1
        default: return SLUICE_OK
        }
        startRecord()
        return SLUICE_OK
    }

    // MARK: windows

    /// Takes a window, if it is regular: proves (1), and writes down where its rows start.
    private mutating func take(
        _ window: CSVWindow, _ bytes: Span<UInt8>, _ ends: inout MutableSpan<UInt32>,
        _ rowStarts: inout MutableSpan<UInt32>
    ) -> Bool {
        let columns = Int(scanner.columns)
        let firstRow = Int(scanner.records)
        let lastRow = firstRow &+ window.rows
        let left = window.entries &- lastRow &* columns  // surplus fields are not kept
        if window.position == position || left < 0 || left >= columns || lastRow > rowStarts.count { return false }
        var start = scanner.record_start
        var last = firstRow &* columns &+ columns &- 1
        for row in firstRow..<lastRow {
            let newline = ends[last]
            let hasReturn = newline > start && bytes[Int(newline &- 1)] == .carriageReturn
            let end = hasReturn ? newline &- 1 : newline
            if bytes[Int(newline)] != .lineFeed || end <= start { return false }
            rowStarts[row] = start
            ends[last] = end
            start = newline &+ 1
            last &+= columns
        }
        scanner.records = UInt32(truncatingIfNeeded: lastRow)
        scanner.fields = UInt32(truncatingIfNeeded: left)
        if window.rows > 0 { (scanner.record_start, scanner.record_end) = (start, start) }
        state = window.carry.state(before: window.position, bytes, grammar)
        position = window.position
        return true
    }
}
