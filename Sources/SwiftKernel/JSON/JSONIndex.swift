import CSluice

extension JSONMachine {
    /// Whether a text is JSON, and where not.
    struct Verdict {
        /// OK, INDEX_FULL, INVALID_JSON, JSON_TOO_DEEP, INVALID_UTF8
        var status: sluice_status
        /// The byte that is wrong, where one is.
        var errorOffset: Int
        var tapeCount: Int
    }

    /// Validates the one document that fills bytes[..<length]. No padding is needed.
    static func validate(_ bytes: Span<UInt8>, length: Int) -> Verdict {
        var machine = JSONMachine(form: .text, end: length)
        let isValid = machine.readValue(bytes) && machine.readDocumentEnd(bytes)
        return machine.verdict(isValid)
    }

    /// The same, writing its tape.
    static func validate(_ bytes: Span<UInt8>, length: Int, tape: inout MutableSpan<UInt32>) -> Verdict {
        var machine = JSONMachine(form: .text, end: length)
        let isValid = machine.readValue(bytes, &tape) && machine.readDocumentEnd(bytes)
        return machine.verdict(isValid)
    }

    private func verdict(_ isValid: Bool) -> Verdict {
        Verdict(status: isValid ? SLUICE_OK : status, errorOffset: errorOffset, tapeCount: tapeCount)
    }
}

/// `sluice_json_index_function`
func jsonIndex(
    _ index: UnsafeMutablePointer<sluice_json_index>?, _ bytes: UnsafePointer<UInt8>?, _ length: Int
) -> sluice_status {
    guard let index else { preconditionFailure("an index is what is filled") }
    var copy = unsafe index.pointee
    // SAFETY: the index's arrays and the input are the caller's, for the call, with SLUICE_PADDING bytes behind the input.
    let input = unsafe UnsafeBufferPointer(start: bytes, count: length + Int(SLUICE_PADDING))
    let tape = unsafe UnsafeMutableBufferPointer(start: copy.tape, count: Int(copy.tape_capacity))
    let rows = unsafe UnsafeMutableBufferPointer(start: copy.rows, count: Int(copy.rows_capacity))
    var tapeSpan = unsafe tape.mutableSpan
    var rowsSpan = unsafe rows.mutableSpan
    let status = unsafe JSONIndex.readRecords(&copy, input.span, length, &tapeSpan, &rowsSpan)
    unsafe index.pointee = copy
    return status
}

/// Records one behind the other, and their rows.
private enum JSONIndex {
    static func readRecords(
        _ index: inout sluice_json_index, _ bytes: Span<UInt8>, _ length: Int, _ tape: inout MutableSpan<UInt32>,
        _ rows: inout MutableSpan<sluice_json_row>
    ) -> sluice_status {
        guard index.row_count < index.rows_capacity else { return SLUICE_INDEX_FULL }
        rows[Int(index.row_count)].tape = index.tape_count
        var machine = JSONMachine(form: JSONMachine.Form(rawValue: index.form) ?? .text, end: length)
        machine.position = Int(index.position)
        machine.tapeCount = Int(index.tape_count)
        var isGood = true
        while isGood, Int(index.position) < length {
            isGood = readRecord(&machine, &index, bytes, &tape, &rows)
        }
        index.flags |= machine.flags
        guard !isGood else { return SLUICE_OK }
        index.error_offset = UInt32(truncatingIfNeeded: machine.errorOffset)
        return machine.status
    }

    /// Reads the line, element or text at the machine's position. False: see its status.
    @inline(__always) private static func readRecord(
        _ machine: inout JSONMachine, _ index: inout sluice_json_index, _ bytes: Span<UInt8>,
        _ tape: inout MutableSpan<UInt32>, _ rows: inout MutableSpan<sluice_json_row>
    ) -> Bool {
        let first = machine.skipWhite(bytes)
        if machine.form == .lines, first == 0 || first == UInt8(ascii: "\n"), machine.isAtLineEnd(bytes) {
            index.skipped += 1
        } else {
            let row = Int(index.row_count)
            guard row &+ 1 < rows.count else { return machine.fail(at: machine.position, SLUICE_INDEX_FULL) }
            let start = machine.position
            guard machine.readValue(bytes, &tape) else { return false }
            let end = machine.position
            guard machine.readDocumentEnd(bytes) else { return false }
            rows[row].start = UInt32(truncatingIfNeeded: start)
            rows[row].end = UInt32(truncatingIfNeeded: end)
            rows[row &+ 1].tape = UInt32(truncatingIfNeeded: machine.tapeCount)
            index.row_count = UInt32(truncatingIfNeeded: row &+ 1)
            index.tape_count = UInt32(truncatingIfNeeded: machine.tapeCount)
        }
        return readRecordEnd(&machine, &index, bytes)
    }

    /// Reads the LF behind a line, if it has one, or the comma or bracket behind an element. Behind the closing bracket nothing
    /// is left but white space.
    @inline(__always) private static func readRecordEnd(
        _ machine: inout JSONMachine, _ index: inout sluice_json_index, _ bytes: Span<UInt8>
    ) -> Bool {
        if machine.position < machine.end {
            let byte = bytes[machine.position]
            machine.position &+= 1
            if machine.form == .elements, byte == JSONByte.closeArray {
                index.position = UInt32(truncatingIfNeeded: machine.position)
                _ = machine.skipWhite(bytes)
                guard machine.position == machine.end else { return machine.fail(at: machine.position) }
            }
        }
        index.position = UInt32(truncatingIfNeeded: machine.position)
        return true
    }
}
