/// Cuts CSV by its index.
///
/// The index runs ahead: all bytes there are get indexed, and records are cut where it says that they end.
final class CSVIndexer {
    private let kernel: Kernel
    private let pool: BlockPool
    private let columns: Int
    private var scanner: CSVScanner
    private(set) var index: CSVIndex

    /// As of a cutter: what was cut so far.
    private(set) var position: Int
    private(set) var recordEnd: Int
    private(set) var records = 0

    init(
        kernel: Kernel, dialect: CSVDialect, columns: Int, pool: BlockPool, position: Int, expectedBytes: Int
    ) {
        self.kernel = kernel
        self.pool = pool
        self.columns = columns
        self.position = position
        scanner = CSVScanner(dialect, columns: columns, position: position)
        recordEnd = position
        // Fields of 8 bytes are shorter than most; the arrays grow where they are not.
        let fields = expectedBytes / 8 + columns + 128
        index = CSVIndex(
            ends: pool.block(capacity: 4 * fields), starts: pool.block(capacity: 4 * (fields / columns + 8)))
    }

    var isInComment: Bool { scanner.isInComment }

    /// As `RecordCutter.cut`; nil where something is not regular: a record that an index refuses, a blank line, or fewer bytes
    /// than before.
    func cut(
        _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int
    ) -> KernelStatus? {
        guard count >= scanner.position else { return nil }
        var status = KernelStatus.ok
        if count > scanner.position || isFinal { status = extendIndex(bytes, count: count, isFinal: isFinal) }
        guard status == .ok || status == .needInput, scanner.lines == scanner.records else { return nil }
        records = min(maxRecords, scanner.records)
        recordEnd = records == scanner.records ? scanner.recordEnd : Int(index.starts.entries[records])
        position = records == maxRecords ? recordEnd : count
        return records == maxRecords || isFinal ? .ok : .needInput
    }

    private func extendIndex(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool) -> KernelStatus {
        while true {
            let status = kernel.indexCSV(&scanner, bytes, count: count, isFinal: isFinal, into: &index)
            guard status == .indexFull else { return status }
            index.ends = pool.copy(index.ends, capacity: index.ends.capacity * 2)
            index.starts = pool.copy(index.starts, capacity: index.starts.capacity * 2)
        }
    }

    func rebase(_ offset: Int) {
        guard offset > 0 else { return }
        let less = UInt32(offset)
        let entries = scanner.records * columns + min(scanner.fields, columns)
        for place in 0..<entries { index.ends.entries[place] &-= less }
        for row in 0..<scanner.records { index.starts.entries[row] -= less }
        scanner.rebase(offset)
        position -= offset
        recordEnd -= offset
    }
}
