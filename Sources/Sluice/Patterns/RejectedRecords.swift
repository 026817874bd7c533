extension RecordValidation {
    /// The step of a run that takes the records out which fail, or ends the run with the first of them.
    /// - Parameters:
    ///   - writesRejects: whether there is a place for them.
    ///   - columnsVary: records may come with other columns than those that rules are about.
    func step(writesRejects: Bool, columnsVary: Bool) -> ProcessorStep {
        { chunk, rejected in
            if !columnsVary { try checkColumns(of: chunk.data) }
            var failures: [(position: Int, failure: Failure)] = []
            try forEachFailure(in: chunk.data) { position, failure in
                guard writesRejects else { throw StreamError(chunk.data[position], failure) }
                failures.append((position, failure))
            }
            if !failures.isEmpty { rejected.append(chunk.data.takeOut(failures)) }
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
    fileprivate mutating func takeOut(_ failures: [(position: Int, failure: RecordValidation.Failure)]) -> RecordBatch {
        let base = storage.base
        let firstRow = storage.core.pointee.firstRow
        var numbering = base.map { BatchBase.Numbering($0) }
        var core = BatchCore(firstRow: 0, baseRows: 0, slotCount: failures.count)
        for (slot, (position, failure)) in failures.enumerated() {
            let record = self[position]
            core.set("record", slot: slot, to: record.value)
            core.set("reason", slot: slot, to: .string(failure.reason))
            core.set("field", slot: slot, to: .string(failure.field))
            guard record.slot < storage.core.pointee.baseRows else { continue }
            if let path = base?.origin.path { core.set("file", slot: slot, to: .string(path)) }
            if let number = numbering?.number(firstRow + record.slot) {
                core.set("number", slot: slot, to: Value(number))
            }
        }
        remove(failures.map(\.position))
        return RecordBatch(BatchStorage(base: nil, core: core))
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
