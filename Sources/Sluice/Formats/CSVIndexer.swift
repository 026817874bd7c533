/// An index of CSV that was written while the bytes were cut.
struct CSVCutIndex: Sendable {
    let ends: ByteBlock
    let starts: ByteBlock
    let flags: UInt32
}

/// Cuts CSV by its index.
///
/// The index runs ahead: all bytes there are get indexed, and records are cut where it says that they end.
struct CSVIndexer {
    private let kernel: any Kernel
    private let pool: BlockPool
    private let columns: Int
    private var scanner: CSVScanner
    private var arrays: CSVIndex

    /// As of a cutter: what was cut so far.
    private(set) var position: Int
    private(set) var recordEnd: Int
    private(set) var records = 0

    init(
        kernel: any Kernel, dialect: CSVDialect, columns: Int, pool: BlockPool, position: Int, expectedBytes: Int
    ) {
        self.kernel = kernel
        self.pool = pool
        self.columns = columns
        self.position = position
        scanner = CSVScanner(dialect, columns: columns, position: position)
        recordEnd = position
        // Fields of 8 bytes are shorter than most; the arrays grow where they are not.
        let fields = expectedBytes / 8 + columns + 128
        arrays = CSVIndex(
            ends: pool.block(capacity: 4 * fields), starts: pool.block(capacity: 4 * (fields / columns + 8)))
    }

    var index: CSVCutIndex {
        CSVCutIndex(ends: arrays.ends, starts: arrays.starts, flags: arrays.flags)
    }

    /// As `RecordCutter.cut`; nil where something is not regular: a record that an index refuses, a blank line, or fewer bytes
    /// than before.
    mutating func cut(
        _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int
    ) -> KernelStatus? {
        guard count >= scanner.position else { return nil }
        var status = KernelStatus.ok
        if count > scanner.position || isFinal { status = index(bytes, count: count, isFinal: isFinal) }
        guard status == .ok || status == .needInput, scanner.lines == scanner.records else { return nil }
        records = min(maxRecords, scanner.records)
        recordEnd = records == scanner.records ? scanner.recordEnd : Int(arrays.starts.entries[records])
        position = records == maxRecords ? recordEnd : count
        return records == maxRecords || isFinal ? .ok : .needInput
    }

    private mutating func index(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool) -> KernelStatus {
        while true {
            let status = kernel.indexCSV(&scanner, bytes, count: count, isFinal: isFinal, into: &arrays)
            guard status == .indexFull else { return status }
            arrays.ends = pool.copy(arrays.ends, capacity: arrays.ends.capacity * 2)
            arrays.starts = pool.copy(arrays.starts, capacity: arrays.starts.capacity * 2)
        }
    }

    mutating func rebase(_ offset: Int) {
        guard offset > 0 else { return }
        let less = UInt32(offset)
        for place in 0..<scanner.records * columns + scanner.fields { arrays.ends.entries[place] &-= less }
        for row in 0..<scanner.records { arrays.starts.entries[row] -= less }
        scanner.rebase(offset)
        position -= offset
        recordEnd -= offset
    }
}
