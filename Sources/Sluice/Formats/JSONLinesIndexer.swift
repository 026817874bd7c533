/// Cuts JSON Lines by their index.
///
/// The index runs ahead: all whole lines there are get indexed, and records are cut where it says that they end.
final class JSONLinesIndexer {
    private let kernel: Kernel
    private let pool: BlockPool
    private(set) var index: JSONIndex
    /// Bytes before it were searched for line ends.
    private var searched: Int
    /// The block's bytes have other places than those the index names.
    private var isStale = false

    /// As of a cutter: what was cut so far.
    private(set) var position: Int
    private(set) var recordEnd: Int
    private(set) var records = 0

    init(kernel: Kernel, pool: BlockPool, position: Int, expectedBytes: Int) {
        self.kernel = kernel
        self.pool = pool
        self.position = position
        recordEnd = position
        searched = position
        index = JSONIndex(
            pool, form: .lines, position: position, expectedBytes: expectedBytes, expectedRows: expectedBytes / 256)
    }

    /// As `RecordCutter.cut`; nil where something is not regular: a line that is no JSON, a blank line, or fewer bytes than
    /// before.
    func cut(
        _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int
    ) -> KernelStatus? {
        guard !isStale, count >= index.position else { return nil }
        let end = isFinal ? count : lastLineEnd(bytes, count)
        guard index.extend(kernel, pool, bytes, count: end) == .ok, index.lines == index.rowCount else { return nil }
        records = min(maxRecords, index.rowCount)
        recordEnd = records == index.rowCount ? index.position : Int(index.rowPointer[records - 1].end)
        while recordEnd < index.position, records < index.rowCount, bytes[recordEnd] != UInt8(ascii: "\n") {
            recordEnd += 1
        }
        if records < index.rowCount { recordEnd += 1 }
        position = records == maxRecords ? recordEnd : count
        return records == maxRecords || isFinal ? .ok : .needInput
    }

    /// One past the last line end; where the index ends if there is none.
    private func lastLineEnd(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var end = count
        while end > searched, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
        defer { searched = max(searched, count) }
        return end > searched ? end : index.position
    }

    func rebase(_ offset: Int) {
        guard offset > 0 else { return }
        isStale = true
        position -= offset
        recordEnd -= offset
    }
}
