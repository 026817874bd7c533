/// Cuts JSON Lines: a record ends with its line, since a line end cannot stand inside a JSON string.
struct JSONLinesCutter: RecordCutter {
    let kernel: any Kernel
    private var scanner: JSONLinesScanner

    init(kernel: any Kernel, position: Int = 0) {
        self.kernel = kernel
        scanner = JSONLinesScanner(position: position)
    }

    var position: Int { scanner.position }
    var recordEnd: Int { scanner.recordEnd }
    var records: Int { scanner.records }
    var lines: Int { scanner.lines }

    mutating func cut(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus {
        kernel.cutJSONLines(&scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(maxRecords))
    }

    func restarted(at position: Int) -> JSONLinesCutter { JSONLinesCutter(kernel: kernel, position: position) }
    mutating func rebase(_ offset: Int) { scanner.rebase(offset) }
    func skipBlankLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isFinal: Bool
    ) -> (bytes: Int, lines: Int, hasBegun: Bool) {
        var skipped = 0
        var lines = 0
        for place in bytes.indices {
            switch bytes[place] {
            case UInt8(ascii: "\n"):
                skipped = place + 1
                lines += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): continue
            default: return (skipped, lines, true)
            }
        }
        return (isFinal ? bytes.count : skipped, lines, false)
    }

    func failure(_ code: StreamError.Code) -> FormatFailure {
        FormatFailure(code: code, message: "the file is no JSON Lines", offset: position, lines: lines)
    }
}

/// Validates and indexes JSON Lines; with a selection, finds the selected values.
struct JSONLinesDecoder: RecordDecoder {
    let kernel: any Kernel
    /// The selected fields; nil: records keep all of theirs.
    let selected: Schema?
    let maxRecordBytes: Int

    func decode(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> BatchBase {
        let index = try index(unit, pool)
        precondition(index.rowCount == unit.records, "cut and index agree about records")
        var blocks = [unit.block, index.tape, index.rows]
        var projection: UnsafePointer<UInt32>?
        if let selected {
            let block = pool.block(capacity: 4 * max(1, unit.records * selected.count))
            kernel.projectJSON(
                tape: UnsafePointer(index.tape.entries), rows: index.rowPointer, rowCount: index.rowCount,
                flags: index.flags, UnsafePointer(unit.block.bytes), paths: selected.names, into: block.entries)
            projection = UnsafePointer(block.entries)
            blocks.append(block)
        }
        let base = BatchBase(
            layout: .json(tape: UnsafePointer(index.tape.entries), rows: index.rowPointer, projection: projection),
            bytes: UnsafePointer(unit.block.bytes), rowCount: unit.records, schema: selected,
            columns: selected?.count ?? 0,
            flags: index.flags, origin: unit.origin, blocks: blocks)
        try base.checkRecordSizes(unit, maxRecordBytes)
        if selected != nil { try base.checkObjects() }
        return base
    }

    private func index(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> JSONIndex {
        // A tape entry for each six bytes is more than most files need; the arrays grow where it is not.
        var index = JSONIndex(
            tape: pool.block(capacity: 4 * (unit.range.count / 6 + 1024)),
            rows: pool.block(capacity: MemoryLayout<JSONRow>.stride * (unit.records + 8)),
            scratch: pool.block(capacity: 128 << 10), position: unit.range.lowerBound)
        let bytes = UnsafePointer(unit.block.bytes)
        while true {
            switch kernel.indexJSONLines(&index, bytes, count: unit.range.upperBound) {
            case .indexFull:
                index.tape = pool.copy(index.tape, capacity: index.tape.capacity * 2)
                index.scratch = pool.block(capacity: index.scratch.capacity * 2)
            case .failed(let code):
                throw unit.origin.error(failure(code, index, unit), stage: "decode")
            default:
                return index
            }
        }
    }

    private func failure(_ code: StreamError.Code, _ index: JSONIndex, _ unit: CutUnit) -> FormatFailure {
        let endsEarly =
            index.errorOffset >= unit.range.upperBound || unit.block.bytes[index.errorOffset] == UInt8(ascii: "\n")
        let message =
            switch code {
            case .jsonTooDeep: "arrays and objects are nested more than 512 deep"
            case .invalidUTF8: "the text is not valid UTF-8"
            default: endsEarly ? "the line ends inside a JSON value" : "the line is no JSON here"
            }
        return FormatFailure(
            code: code, message: message, offset: index.errorOffset, lines: index.lines,
            hint: code == .invalidUTF8 ? "the file may be in another encoding" : nil)
    }
}

extension BatchBase {
    /// Refuses records that have no fields to select from: nothing would be left of them.
    fileprivate func checkObjects() throws(StreamError) {
        for row in 0..<rowCount where bytes[extent(row).lowerBound] != UInt8(ascii: "{") {
            throw StreamError(
                .unsupported, "the record is no object, so no field of it can be selected", path: origin.path,
                record: number(row), byteOffset: origin.byteOffset + extent(row).lowerBound, stage: "decode")
        }
    }
}
