/// Validates and indexes JSON Lines and JSON; with a selection, finds the selected values.
struct JSONDecoder: RecordDecoder {
    let kernel: Kernel
    /// A record a line.
    let isLines: Bool
    /// The selected fields; nil: records keep all of theirs.
    let selected: Schema?
    let maxRecordBytes: Int

    func decode(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> BatchBase {
        let index = if case .json(let made) = unit.index { made } else { try index(unit, pool) }
        precondition(index.rowCount >= unit.records, "cut and index agree about records")
        var blocks = [unit.block, index.tape, index.rows]
        var projection: UnsafePointer<UInt32>?
        if let selected {
            let block = pool.block(capacity: 4 * max(1, unit.records * selected.count))
            kernel.projectJSON(
                tape: UnsafePointer(index.tape.entries), rows: index.rowPointer, rowCount: unit.records,
                flags: index.flags, UnsafePointer(unit.block.bytes), paths: selected.names, into: block.entries)
            projection = UnsafePointer(block.entries)
            blocks.append(block)
        }
        var origin = unit.origin
        origin.countsLines = isLines
        let base = BatchBase(
            layout: .json(tape: UnsafePointer(index.tape.entries), rows: index.rowPointer, projection: projection),
            bytes: UnsafePointer(unit.block.bytes), rowCount: unit.records, schema: selected,
            columns: selected?.count ?? 0,
            flags: index.flags, origin: origin, blocks: blocks)
        try base.checkRecordSizes(unit, maxRecordBytes)
        if selected != nil { try base.checkObjects() }
        return base
    }

    private func index(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> JSONIndex {
        var index = JSONIndex(
            pool, form: isLines ? .lines : unit.isWholeFile ? .text : .elements, position: unit.range.lowerBound,
            expectedBytes: unit.range.count, expectedRows: unit.records)
        let bytes = UnsafePointer(unit.block.bytes)
        if case .failed(let code) = index.extend(kernel, pool, bytes, count: unit.range.upperBound) {
            throw unit.origin.error(failure(code, index, unit), in: bytes, stage: "decode")
        }
        return index
    }

    private func failure(_ code: StreamError.Code, _ index: JSONIndex, _ unit: CutUnit) -> FormatFailure {
        let malformed = unit.origin.encoding.malformed
        let isAtEnd = index.errorOffset >= unit.range.upperBound
        let isAtLineEnd = isAtEnd || unit.block.bytes[index.errorOffset] == UInt8(ascii: "\n")
        let message =
            switch code {
            case .jsonTooDeep: "arrays and objects are nested more than 512 deep"
            case .invalidUTF8: "the text is not valid \(malformed.name)"
            default:
                if isLines {
                    isAtLineEnd ? "the line ends inside a JSON value" : "the line is no JSON here"
                } else {
                    isAtEnd ? JSONCutter.unfinished : "the text is no JSON here"
                }
            }
        return FormatFailure(
            code: code == .invalidUTF8 ? malformed.code : code, message: message, offset: index.errorOffset,
            lines: index.lines,
            hint: code == .invalidUTF8 ? "the file may be in another encoding" : nil)
    }
}

extension JSONIndex {
    init(_ pool: BlockPool, form: JSONForm, position: Int, expectedBytes: Int, expectedRows: Int) {
        // A tape entry for each six bytes is more than most files need; the arrays grow where it is not.
        self.init(
            tape: pool.block(capacity: 4 * (expectedBytes / 6 + 1024)),
            rows: pool.block(capacity: MemoryLayout<JSONRow>.stride * (expectedRows + 8)),
            scratch: pool.block(capacity: 128 << 10), form: form, position: position)
    }

    /// Indexes the records up to `count`.
    mutating func extend(
        _ kernel: Kernel, _ pool: BlockPool, _ bytes: UnsafePointer<UInt8>, count: Int
    ) -> KernelStatus {
        while true {
            let status = kernel.indexJSON(&self, bytes, count: count)
            guard status == .indexFull else { return status }
            tape = pool.copy(tape, capacity: tape.capacity * 2)
            rows = pool.copy(rows, capacity: rows.capacity * 2)
        }
    }
}

extension BatchBase {
    /// Refuses records that have no fields to select from: nothing would be left of them.
    fileprivate func checkObjects() throws(StreamError) {
        for row in 0..<rowCount where bytes[extent(row).lowerBound] != UInt8(ascii: "{") {
            throw StreamError(
                .unsupported, "the record is no object, so no field of it can be selected", path: origin.path,
                record: number(row), byteOffset: byteOffset(of: extent(row).lowerBound), stage: "decode")
        }
    }
}
