/// Cuts CSV: the kernel's scanner under the name that all formats share.
///
/// Where decode follows on the same thread it writes the index on the way, and records end where the index says: bytes are
/// then scanned once. It does so while all is regular; else it goes back to the scanner alone, and the decoder judges.
struct CSVCutter: RecordCutter {
    let kernel: Kernel
    let dialect: CSVDialect
    private let start: Int
    private var scanner: CSVScanner
    /// Nil where only cuts are wanted.
    private let columns: Int
    private let pool: BlockPool?
    private var indexer: CSVIndexer?

    /// - Parameters:
    ///   - columns: of the file, where an index may be asked for.
    ///   - pool: where its blocks come from.
    init(kernel: Kernel, dialect: CSVDialect, columns: Int = 0, pool: BlockPool? = nil, position: Int = 0) {
        self.kernel = kernel
        self.dialect = dialect
        self.columns = columns
        self.pool = pool
        start = position
        scanner = CSVScanner(dialect, position: position)
    }

    var position: Int { indexer?.position ?? scanner.position }
    var recordEnd: Int { indexer?.recordEnd ?? scanner.recordEnd }
    var records: Int { indexer?.records ?? scanner.records }
    var lines: Int { indexer?.records ?? scanner.lines }
    var isInComment: Bool { indexer?.isInComment ?? scanner.isInComment }
    var index: CutIndex? { indexer.map { .csv($0.index) } }

    mutating func cut(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus {
        if indexer != nil {
            if let status = indexer?.cut(bytes, count: count, isFinal: isFinal, maxRecords: maxRecords) {
                return status
            }
            let taken = records
            indexer = nil
            if taken > 0 {
                _ = kernel.cutCSV(&scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(taken))
            }
        }
        return kernel.cutCSV(&scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(maxRecords))
    }

    func restarted(at position: Int) -> CSVCutter {
        CSVCutter(kernel: kernel, dialect: dialect, columns: columns, pool: pool, position: position)
    }

    mutating func startIndex(expectedBytes: Int) {
        guard let pool, columns > 0 else { return }
        indexer = CSVIndexer(
            kernel: kernel, dialect: dialect, columns: columns, pool: pool, position: scanner.position,
            expectedBytes: expectedBytes)
    }

    mutating func rebase(_ offset: Int) {
        scanner.rebase(offset)
        indexer?.rebase(offset)
    }

    func skipBlankLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isFinal: Bool
    ) -> (bytes: Int, lines: Int, hasBegun: Bool) {
        let end = dialect.endsAtCarriageReturn ? UInt8(ascii: "\r") : UInt8(ascii: "\n")
        var skipped = 0
        var lines = 0
        while skipped < bytes.count {
            if bytes[skipped] == end {
                skipped += 1
            } else if dialect.comment != 0, bytes[skipped] == dialect.comment {
                let lineEnd = bytes[skipped...].firstIndex(of: end)
                guard lineEnd != nil || isFinal else { return (skipped, lines, false) }
                skipped = lineEnd.map { $0 + 1 } ?? bytes.count
            } else if bytes[skipped] == UInt8(ascii: "\r"), skipped + 1 == bytes.count, !isFinal {
                return (skipped, lines, false)
            } else if bytes[skipped] == UInt8(ascii: "\r"), skipped + 1 < bytes.count, bytes[skipped + 1] == end {
                skipped += 2
            } else {
                return (skipped, lines, true)
            }
            lines += 1
        }
        return (skipped, lines, false)
    }

    func content(of record: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        let start = skipBlankLines(record, isFinal: true).bytes
        let lineEnds: [[UInt8]] = dialect.endsAtCarriageReturn ? [[0x0D]] : [[0x0D, 0x0A], [0x0A]]
        let lineEnd = lineEnds.first { record[start...].suffix($0.count).elementsEqual($0) } ?? []
        return start..<record.count - lineEnd.count
    }

    func failure(_ code: StreamError.Code) -> FormatFailure { scanner.failure(code, expected: nil, names: nil) }
}

extension CSVScanner {
    func failure(_ code: StreamError.Code, expected: Int?, names: Schema?) -> FormatFailure {
        switch code {
        case .unclosedQuote:
            return FormatFailure(
                code: code, message: "the quote that opens here is never closed", offset: quoteStart, lines: lines,
                hint: "a quote inside a quoted field is doubled")
        case .textAfterQuote:
            return FormatFailure(
                code: code, message: "text follows the closing quote of a field", offset: errorOffset, lines: lines,
                hint: "a quote inside a quoted field is doubled")
        case .raggedRecord:
            return FormatFailure(
                code: code, message: "the record has \(errorFields) fields where the header has \(expected ?? 0)",
                offset: errorOffset, lines: lines,
                hint: "look for a delimiter or a line end that lacks quotes around its field")
        default:
            return FormatFailure(code: code, message: "the file is no CSV", offset: errorOffset, lines: lines)
        }
    }
}

/// Indexes CSV: which bytes each field has.
struct CSVDecoder: RecordDecoder {
    let kernel: Kernel
    let dialect: CSVDialect
    /// The file's columns.
    let header: Schema
    /// The columns that records have: the file's, or those selected.
    let schema: Schema
    /// Places of `schema`'s columns in the file; nil: all, in order.
    let selected: [Int]?
    let types: CellTypes
    let nulls: CSVNulls?
    let maxRecordBytes: Int

    func decode(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> BatchBase {
        let made = if case .csv(let index) = unit.index { index } else { try index(unit, pool) }
        let bytes = UnsafePointer(unit.block.bytes)
        let base = BatchBase(
            layout: .csv(ends: UnsafePointer(made.ends.entries), starts: UnsafePointer(made.starts.entries)),
            bytes: bytes, rowCount: unit.records, schema: schema, columns: header.count, selected: selected,
            flags: made.flags, isInferred: types == .inferred, nulls: nulls, dialect: dialect,
            origin: unit.origin, blocks: [unit.block, made.ends, made.starts])
        if made.flags & ContentFlags.nonASCII != 0 { try validate(unit, base) }
        try base.checkRecordSizes(unit, maxRecordBytes)
        return base
    }

    private func index(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> CSVIndex {
        let columns = header.count
        var scanner = CSVScanner(dialect, columns: columns, position: unit.range.lowerBound)
        var index = CSVIndex(
            ends: pool.block(capacity: 4 * ((unit.records + 1) * columns + 128)),
            starts: pool.block(capacity: 4 * (unit.records + 8)))
        let bytes = UnsafePointer(unit.block.bytes)
        var status = kernel.indexCSV(&scanner, bytes, count: unit.range.upperBound, isFinal: true, into: &index)
        while status == .indexFull {
            index.ends = pool.copy(index.ends, capacity: index.ends.capacity * 2)
            status = kernel.indexCSV(&scanner, bytes, count: unit.range.upperBound, isFinal: true, into: &index)
        }
        if case .failed(let code) = status {
            throw unit.origin.error(
                scanner.failure(code, expected: columns, names: header), in: bytes, stage: "decode")
        }
        precondition(scanner.records == unit.records, "cut and index agree about records")
        return index
    }

    private func validate(_ unit: CutUnit, _ base: BatchBase) throws(StreamError) {
        var start = unit.range.lowerBound
        let end = unit.range.upperBound
        var scanner = CSVScanner(dialect, position: start)
        while let invalid = kernel.firstInvalidUTF8(base.bytes + start, count: end - start) {
            start += invalid
            _ = kernel.cutCSV(&scanner, base.bytes, count: start, isFinal: false, maxRecords: .max)
            // What is in comments is no text of any record.
            guard scanner.isInComment else { throw base.invalidUTF8(at: start, columns: header) }
            let lineEnd = dialect.endsAtCarriageReturn ? UInt8(ascii: "\r") : UInt8(ascii: "\n")
            while start < end, base.bytes[start] != lineEnd { start += 1 }
        }
    }
}

extension BatchBase {
    /// The error of a byte that is no UTF-8: which record and column it stands in.
    func invalidUTF8(at offset: Int, columns header: Schema?) -> StreamError {
        // The last row that starts at or before the offset.
        var low = 0
        var high = rowCount
        while high - low > 1 {
            let middle = (low + high) / 2
            if extent(middle).lowerBound <= offset { low = middle } else { high = middle }
        }
        var column: String?
        if case .csv(let ends, _) = layout, let header {
            let place = (0..<columns).first { Int(ends[low * columns + $0]) > offset }
            column = place.map { header.names[$0] }
        }
        let malformed = origin.encoding.malformed
        return StreamError(
            malformed.code, "the text is not valid \(malformed.name)", path: origin.path, record: number(low),
            byteOffset: byteOffset(of: offset), column: column, stage: "decode",
            hint: "the file may be in another encoding")
    }

    /// Refuses records over the limit. A unit no larger than the limit has none.
    func checkRecordSizes(_ unit: CutUnit, _ limit: Int) throws(StreamError) {
        guard unit.range.count > limit else { return }
        for row in 0..<rowCount where extent(row).count > limit {
            throw .recordTooLarge(
                limit, path: origin.path, record: number(row), byteOffset: byteOffset(of: extent(row).lowerBound))
        }
    }
}

extension StreamError {
    static func recordTooLarge(_ limit: Int, path: String?, record: Int, byteOffset: Int) -> StreamError {
        StreamError(
            .recordTooLarge, "the record is larger than \(limit) bytes", path: path, record: record,
            byteOffset: byteOffset,
            stage: "cut", hint: "raise maxRecordBytes (--max-record), or look for a quote that is not closed")
    }
}
