/// Cuts the elements of a JSON array by their index.
///
/// The index runs ahead: all whole elements there are get indexed, and records are cut where it says that they end.
final class JSONIndexer {
    private let kernel: Kernel
    private let pool: BlockPool
    private(set) var index: JSONIndex
    /// Bytes that the index has seen.
    private var seen: Int
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
        seen = position
        index = JSONIndex(
            pool, form: .elements, position: position, expectedBytes: expectedBytes, expectedRows: expectedBytes / 256)
    }

    /// As `RecordCutter.cut`; nil where something is not regular: an element that is no JSON, an array that does not end, or
    /// fewer bytes than before.
    func cut(
        _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int
    ) -> KernelStatus? {
        guard !isStale, count >= index.position else { return nil }
        if count > seen {
            // An element that goes on behind the bytes is an error just there, where they could yet become JSON.
            let status = index.extend(kernel, pool, bytes, count: count)
            guard status == .ok || status == .failed(.invalidJSON) && index.errorOffset == count else { return nil }
            // It is read anew with the next bytes; for long ones the scanner is the cheaper way.
            guard count - index.position < 128 << 10 else { return nil }
            seen = count
        }
        records = min(maxRecords, index.rowCount)
        var isClosed = false
        if records > 0 {
            recordEnd = Int(index.rowPointer[records - 1].end)
            while bytes[recordEnd] != UInt8(ascii: ","), bytes[recordEnd] != UInt8(ascii: "]") { recordEnd += 1 }
            isClosed = bytes[recordEnd] == UInt8(ascii: "]")
            recordEnd += 1
        }
        position = records == maxRecords || isClosed ? recordEnd : count
        if isClosed { return .end }
        guard records < maxRecords else { return .ok }
        return isFinal ? nil : .needInput
    }

    func rebase(_ offset: Int) {
        guard offset > 0 else { return }
        isStale = true
        position -= offset
        recordEnd -= offset
    }
}
