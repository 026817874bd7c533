/// Cuts bytes into records of 64 KiB; the last may have fewer.
struct BinaryCutter: RecordCutter {
    static let recordBytes = 64 << 10

    private let start: Int
    private(set) var position: Int
    private(set) var recordEnd: Int
    private(set) var records = 0
    var lines: Int { records }

    init(position: Int = 0) {
        start = position
        self.position = position
        recordEnd = position
    }

    mutating func cut(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus {
        let whole = min(maxRecords - records, (count - recordEnd) / Self.recordBytes)
        records += whole
        recordEnd += whole * Self.recordBytes
        if isFinal && records < maxRecords && recordEnd < count {
            records += 1
            recordEnd = count
        }
        position = records == maxRecords ? recordEnd : count
        return records == maxRecords || isFinal ? .ok : .needInput
    }

    func restarted(at position: Int) -> BinaryCutter { BinaryCutter(position: position) }

    mutating func rebase(_ offset: Int) {
        position -= offset
        recordEnd -= offset
    }

    /// No byte is skipped.
    func skipBlankLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isFinal: Bool
    ) -> (bytes: Int, lines: Int, hasBegun: Bool) { (0, 0, !bytes.isEmpty) }

    func content(of record: UnsafeBufferPointer<UInt8>) -> Range<Int> { 0..<record.count }

    func failure(_ code: StreamError.Code) -> FormatFailure {
        FormatFailure(code: code, message: "the file cannot be cut", offset: position, lines: lines)
    }
}

/// Indexes blocks of bytes: a column `bytes`.
struct BinaryDecoder: RecordDecoder {
    static let schema = Schema(["bytes"])

    let maxRecordBytes: Int

    func decode(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> BatchBase {
        let index = pool.block(capacity: 8 * unit.records)
        let starts = index.entries
        let ends = index.entries + unit.records
        for row in 0..<unit.records {
            let start = unit.range.lowerBound + row * BinaryCutter.recordBytes
            starts[row] = UInt32(start)
            ends[row] = UInt32(min(start + BinaryCutter.recordBytes, unit.range.upperBound))
        }
        var origin = unit.origin
        origin.countsLines = false
        let base = BatchBase(
            layout: .csv(ends: UnsafePointer(ends), starts: UnsafePointer(starts)),
            bytes: UnsafePointer(unit.block.bytes), rowCount: unit.records, schema: Self.schema, columns: 1,
            flags: ContentFlags.all, isBinary: true, dialect: .lines, origin: origin, blocks: [unit.block, index])
        try base.checkRecordSizes(unit, maxRecordBytes)
        return base
    }
}
