/// Cuts JSON Lines: a record ends with its line, since a line end cannot stand inside a JSON string.
///
/// Where decode follows on the same thread it writes the index on the way, as `CSVCutter` does.
struct JSONLinesCutter: RecordCutter {
    let kernel: Kernel
    private let pool: BlockPool
    private var scanner: JSONLinesScanner
    private var indexer: JSONLinesIndexer?

    init(kernel: Kernel, pool: BlockPool, position: Int = 0) {
        self.kernel = kernel
        self.pool = pool
        scanner = JSONLinesScanner(position: position)
    }

    var position: Int { indexer?.position ?? scanner.position }
    var recordEnd: Int { indexer?.recordEnd ?? scanner.recordEnd }
    var records: Int { indexer?.records ?? scanner.records }
    var lines: Int { indexer?.records ?? scanner.lines }
    var index: CutIndex? { indexer.map { .json($0.index) } }
    var allowsWhiteSpace: Bool { true }

    mutating func cut(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus {
        if indexer != nil {
            if let status = indexer?.cut(bytes, count: count, isFinal: isFinal, maxRecords: maxRecords) {
                return status
            }
            let taken = records
            indexer = nil
            if taken > 0 {
                _ = kernel.cutJSONLines(
                    &scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(taken))
            }
        }
        return kernel.cutJSONLines(&scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(maxRecords))
    }

    func restarted(at position: Int) -> JSONLinesCutter {
        JSONLinesCutter(kernel: kernel, pool: pool, position: position)
    }

    mutating func startIndex(expectedBytes: Int) {
        indexer = JSONLinesIndexer(
            kernel: kernel, pool: pool, position: scanner.position, expectedBytes: expectedBytes)
    }

    mutating func rebase(_ offset: Int) {
        scanner.rebase(offset)
        indexer?.rebase(offset)
    }

    func skipBlankLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isFinal: Bool
    ) -> (bytes: Int, lines: Int, hasBegun: Bool) {
        var lines = 0
        for (place, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "\n"): lines += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): continue
            default: return (place, lines, true)
            }
        }
        return (bytes.count, lines, false)
    }

    func content(of record: UnsafeBufferPointer<UInt8>) -> Range<Int> { record.withoutWhiteSpace }

    func failure(_ code: StreamError.Code) -> FormatFailure {
        FormatFailure(code: code, message: "the file is no JSON Lines", offset: position, lines: lines)
    }
}

extension UInt8 {
    /// The white space of JSON.
    var isWhiteSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}

extension UnsafeBufferPointer<UInt8> {
    /// Where it is more than white space.
    var withoutWhiteSpace: Range<Int> {
        let start = firstIndex { !$0.isWhiteSpace } ?? 0
        return start..<(lastIndex { !$0.isWhiteSpace }.map { $0 + 1 } ?? start)
    }
}
