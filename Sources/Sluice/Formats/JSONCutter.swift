/// Cuts a JSON document: the elements of its array are the records; a document of anything else is one record.
///
/// Commas and brackets are all that is looked at: whether an element is JSON is the decoder's to judge. What only the file as
/// a whole can get wrong (no value at all, no end of the array, something behind it) is refused here, behind the last record.
/// Where decode follows on the same thread it writes the index on the way, as `CSVCutter` does.
struct JSONCutter: RecordCutter {
    let kernel: Kernel
    private let pool: BlockPool
    private var scanner: JSONScanner
    private var indexer: JSONIndexer?
    /// Nil until the document's first byte is seen.
    private var form: Form?
    /// The document has ended.
    private var isClosed = false
    private var fault: Fault?

    private enum Form {
        /// An array before its first element, and behind that.
        case emptyArray, array
        case value
    }

    private enum Fault {
        case unfinished, trailing
    }

    static var unfinished: String { "the file ends before its JSON does" }

    init(kernel: Kernel, pool: BlockPool, position: Int = 0) {
        self.kernel = kernel
        self.pool = pool
        scanner = JSONScanner(position: position)
    }

    var position: Int { indexer?.position ?? scanner.position }
    var recordEnd: Int { indexer?.recordEnd ?? scanner.recordEnd }
    var records: Int { indexer?.records ?? scanner.records }
    var lines: Int { records }
    var index: CutIndex? { indexer.map { .json($0.index) } }
    var isWholeFile: Bool { form == .value }
    var allowsWhiteSpace: Bool { true }

    mutating func cut(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus {
        guard fault == nil else { return .failed(.invalidJSON) }
        guard !isClosed else { return .end }
        if form == .value { return cutValue(count: count, isFinal: isFinal) }
        form = .array
        if indexer != nil {
            if let status = indexer?.cut(bytes, count: count, isFinal: isFinal, maxRecords: maxRecords) {
                isClosed = status == .end
                return status
            }
            let taken = records
            indexer = nil
            if taken > 0 {
                _ = kernel.cutJSON(&scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(taken))
            }
        }
        let status = kernel.cutJSON(&scanner, bytes, count: count, isFinal: isFinal, maxRecords: UInt32(maxRecords))
        isClosed = scanner.isClosed
        return status
    }

    /// All there is.
    private mutating func cutValue(count: Int, isFinal: Bool) -> KernelStatus {
        scanner.core.position = UInt32(count)
        guard isFinal else { return .needInput }
        scanner.core.record_end = scanner.core.position
        scanner.core.records = 1
        isClosed = true
        return .end
    }

    func restarted(at position: Int) -> JSONCutter {
        var cutter = continued(at: position)
        cutter.isClosed = false
        cutter.fault = nil
        return cutter
    }

    func continued(at position: Int) -> JSONCutter {
        var cutter = self
        cutter.scanner = JSONScanner(position: position)
        cutter.indexer = nil
        return cutter
    }

    mutating func startIndex(expectedBytes: Int) {
        guard form != .value else { return }
        indexer = JSONIndexer(
            kernel: kernel, pool: pool, position: scanner.position, expectedBytes: expectedBytes)
    }

    mutating func rebase(_ offset: Int) {
        scanner.rebase(offset)
        indexer?.rebase(offset)
    }

    mutating func skipBlankLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isFinal: Bool
    ) -> (bytes: Int, lines: Int, hasBegun: Bool) {
        for (place, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
            case _ where isClosed: fault = .trailing
            case UInt8(ascii: "[") where form == nil:
                form = .emptyArray
                continue
            case UInt8(ascii: "]") where form == .emptyArray:
                isClosed = true
                continue
            default: form = form ?? .value
            }
            return (place, 0, true)
        }
        if isFinal && !isClosed { fault = .unfinished }
        return (bytes.count, 0, fault != nil)
    }

    /// An element comes with the comma or bracket that ends it.
    func content(of record: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        let isEnded = form != .value && [UInt8(ascii: ","), UInt8(ascii: "]")].contains(record.last)
        return UnsafeBufferPointer(rebasing: record.dropLast(isEnded ? 1 : 0)).withoutWhiteSpace
    }

    func failure(_ code: StreamError.Code) -> FormatFailure {
        let isTrailing = fault == .trailing
        return FormatFailure(
            code: code, message: isTrailing ? "something follows the JSON document" : Self.unfinished,
            offset: position, lines: lines,
            hint: isTrailing ? "a file of several documents may be JSON Lines (--from jsonl)" : nil)
    }
}
