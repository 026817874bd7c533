extension RecordValidation {
    fileprivate typealias Found = (position: Int, failure: Failure)

    /// The step of a run that takes the records out which fail, or ends the run with the first of them.
    /// - Parameters:
    ///   - writesRejects: whether there is a place for them.
    ///   - columnsVary: records may come with other columns than those that rules are about.
    func step(writesRejects: Bool, columnsVary: Bool) -> ProcessorStep {
        { chunk, rejected in
            if !columnsVary { try checkColumns(of: chunk.data) }
            var failures: [Found] = []
            try forEachFailure(in: chunk.data) { position, failure in
                guard writesRejects else { throw StreamError(chunk.data[position], failure) }
                failures.append((position, failure))
            }
            rejected += try chunk.data.takeOut(failures)
            return true
        }
    }
}

extension StreamError {
    /// A record that fails.
    fileprivate init(_ record: Record, _ failure: RecordValidation.Failure) {
        self.init(
            .invalidRecord, failure.reason, path: record.storage.base?.origin.path, record: record.number,
            byteOffset: record.byteOffset, column: failure.field, stage: "process",
            hint: "to go on without such records, say where they shall go (rejectsPath)")
    }
}

extension RecordBatch {
    /// Takes records out.
    /// - Parameter failures: which, in order, and why.
    /// - Returns: what is written of each, see `FileProcessingConfig.rejectsPath`.
    fileprivate mutating func takeOut(_ failures: [RecordValidation.Found]) throws -> [RecordBatch] {
        guard !failures.isEmpty else { return [] }
        let writer = try RejectsWriter(self)
        var rejects: [RecordBatch] = []
        var start = 0
        while start < failures.count {
            let end = Swift.min(start + RejectsWriter.most, failures.count)
            rejects.append(try writer.batch(failures[start..<end]))
            start = end
        }
        remove(failures.map(\.position))
        return rejects
    }

    /// - Parameter positions: in ascending order.
    private mutating func remove(_ positions: [Int]) {
        var kept: [UInt32] = []
        kept.reserveCapacity(count - positions.count)
        var next = 0
        for position in indices {
            if next < positions.count, positions[next] == position {
                next += 1
            } else {
                kept.append(UInt32(checkedSlot(position)))
            }
        }
        keep(kept)
    }
}

/// Makes records that tell of others. Those are JSON as a sink would write them: nothing of them is decoded.
private final class RejectsWriter {
    /// Records at once: the text of a batch has its limits.
    static let most = 1000

    private let records: RecordBatch
    private let formatter: RecordFormatter
    private var text: Text
    private var numbering: BatchBase.Numbering?

    init(_ records: RecordBatch) throws {
        self.records = records
        let pool = BlockPool(cacheLimit: 0)
        formatter = RecordFormatter(
            RecordEncoding(format: .jsonl, columns: [], kernel: try KernelChoice.auto.make()), pool, DroppedFields())
        text = Text(pool)
        numbering = records.storage.base.map { BatchBase.Numbering($0) }
    }

    func batch(_ failures: ArraySlice<RecordValidation.Found>) throws -> RecordBatch {
        let old = records.storage.core
        let path = records.storage.base?.origin.path
        var rejected = records
        rejected.keep(failures.map { UInt32(records.checkedSlot($0.position)) })
        text.filled = 0
        try formatter.encode(rejected, into: &text)
        var lines = text.lines

        var core = BatchCore(firstRow: 0, baseRows: 0, slotCount: failures.count)
        let record = core.column(named: "record")
        for (slot, (position, failure)) in failures.enumerated() {
            core.setJSON(record, slot, to: lines.next())
            core.set("reason", slot: slot, to: .string(failure.reason))
            core.set("field", slot: slot, to: .string(failure.field))
            let row = records.checkedSlot(position)
            guard row < old.pointee.baseRows else { continue }
            if let path { core.set("file", slot: slot, to: .string(path)) }
            if let number = numbering?.number(old.pointee.firstRow + row) {
                core.set("number", slot: slot, to: Value(number))
            }
        }
        return RecordBatch(BatchStorage(base: nil, core: core))
    }

    /// Lines, in a block that grows.
    private struct Text: EncoderOutput {
        private let pool: BlockPool
        private var block: ByteBlock
        var filled = 0

        init(_ pool: BlockPool) {
            self.pool = pool
            block = pool.block(capacity: 64 << 10)
        }

        var room: (UnsafeMutablePointer<UInt8>, Int) { (block.bytes, block.capacity) }

        mutating func makeRoom(_ bytes: Int) throws {
            if filled + bytes > block.capacity { block = pool.copy(block, capacity: 2 * (filled + bytes)) }
        }

        /// What is between the line ends.
        var lines: Lines { Lines(text: UnsafeBufferPointer(start: UnsafePointer(block.bytes), count: filled)) }
    }

    private struct Lines {
        var text: UnsafeBufferPointer<UInt8>

        mutating func next() -> UnsafeBufferPointer<UInt8> {
            let end = text.firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            defer { text = UnsafeBufferPointer(rebasing: text.dropFirst(end + 1)) }
            return UnsafeBufferPointer(rebasing: text[..<end])
        }
    }
}
