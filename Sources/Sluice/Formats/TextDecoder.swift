/// Cuts text: every line is a record.
struct TextCutter: RecordCutter {
    let kernel: Kernel
    private var scanner: TextScanner

    init(kernel: Kernel, position: Int = 0) {
        self.kernel = kernel
        scanner = TextScanner(position: position)
    }

    var position: Int { scanner.position }
    var recordEnd: Int { scanner.recordEnd }
    var records: Int { scanner.records }
    var lines: Int { scanner.records }

    mutating func cut(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus {
        kernel.cutText(&scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(maxRecords))
    }

    func restarted(at position: Int) -> TextCutter { TextCutter(kernel: kernel, position: position) }
    mutating func rebase(_ offset: Int) { scanner.rebase(offset) }

    /// No line is skipped.
    func skipBlankLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isFinal: Bool
    ) -> (bytes: Int, lines: Int, hasBegun: Bool) { (0, 0, !bytes.isEmpty) }

    func content(of record: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        guard record.last == UInt8(ascii: "\n") else { return 0..<record.count }
        let end = record.count - 1
        return 0..<(end > 0 && record[end - 1] == UInt8(ascii: "\r") ? end - 1 : end)
    }

    func failure(_ code: StreamError.Code) -> FormatFailure {
        FormatFailure(code: code, message: "the file is no text", offset: position, lines: lines)
    }
}

/// Validates and indexes text: a column `text` of unquoted cells.
struct TextDecoder: RecordDecoder {
    static let schema = Schema(["text"])

    let kernel: Kernel
    let maxRecordBytes: Int

    func decode(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> BatchBase {
        let starts = pool.block(capacity: 4 * (unit.records + blockPadding))
        let ends = pool.block(capacity: 4 * (unit.records + blockPadding))
        let bytes = UnsafePointer(unit.block.bytes)
        let count = kernel.indexText(bytes, unit.range, starts: starts.entries, ends: ends.entries)
        precondition(count == unit.records, "cut and index agree about records")
        var origin = unit.origin
        origin.countsLines = false
        let base = BatchBase(
            layout: .csv(ends: UnsafePointer(ends.entries), starts: UnsafePointer(starts.entries)), bytes: bytes,
            rowCount: count, schema: Self.schema, columns: 1, flags: ContentFlags.all, dialect: .lines, origin: origin,
            blocks: [unit.block, starts, ends])
        if let invalid = kernel.firstInvalidUTF8(bytes + unit.range.lowerBound, count: unit.range.count) {
            throw base.invalidUTF8(at: unit.range.lowerBound + invalid, columns: nil)
        }
        try base.checkRecordSizes(unit, maxRecordBytes)
        return base
    }
}

extension CSVDialect {
    /// That of text: one unquoted cell a line.
    static var lines: CSVDialect { CSVDialect(delimiter: UInt8(ascii: "\n"), quote: 0) }
}
