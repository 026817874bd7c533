extension RecordBatch {
    /// The records at `positions`. Complexity: O(n).
    func selecting(_ positions: Range<Int>) -> RecordBatch {
        if positions == 0..<count { return self }
        let old = storage.core.pointee
        let slots = positions.map { checkedSlot($0) }
        guard let low = slots.min(), let high = slots.max() else { return RecordBatch() }
        let baseRows = Swift.max(0, Swift.min(old.baseRows, high + 1) - low)
        var core = BatchCore(firstRow: old.firstRow + low, baseRows: baseRows, slotCount: high - low + 1)
        core.takeColumns(of: old)
        for slot in slots { core.takeCells(of: old, from: slot, to: slot - low) }
        if !slots.elementsEqual(low...high) { core.setSelection(slots.map { UInt32($0 - low) }) }
        return RecordBatch(BatchStorage(base: storage.base, core: core))
    }

    /// The same records on memory of their own: blocks of the input are let go. Rows between them that were removed are kept.
    public func compacted() -> RecordBatch {
        let core = storage.core.pointee
        guard let base = storage.base else { return self }
        let compact = base.compacted(core.firstRow..<core.firstRow + core.baseRows)
        var copy = BatchCore(firstRow: 0, baseRows: core.baseRows, slotCount: core.slotCount)
        copy.takeColumns(of: core)
        for slot in 0..<core.slotCount { copy.takeCells(of: core, from: slot, to: slot) }
        if let selection = core.selection {
            copy.setSelection(Array(UnsafeBufferPointer(start: selection, count: core.selectionCount)))
        }
        return RecordBatch(BatchStorage(base: compact, core: copy))
    }
}

extension Record {
    /// The record on memory of its own, for those who keep it: it no longer holds on to the block it was read into.
    public func owned() -> Record {
        var record = self
        record.detach()
        return RecordBatch(record.storage).compacted()[0]
    }
}

extension BatchBase {
    /// Rows of this base, copied to blocks that hold nothing else. Of none its columns are kept; nil: it has none.
    fileprivate func compacted(_ rows: Range<Int>) -> BatchBase? {
        guard !rows.isEmpty else { return schema.map(withoutRows) }
        let first = extent(rows.lowerBound).lowerBound
        let end = extent(rows.upperBound - 1).upperBound
        let pool = BlockPool(cacheLimit: 0)
        let block = pool.block(capacity: end - first)
        block.bytes.update(from: bytes + first, count: end - first)
        var origin = origin
        origin.recordsBefore = number(rows.lowerBound) - 1
        origin.byteOffset = byteOffset(of: first)
        origin.start = 0
        var blocks = [block]

        let layout: IndexLayout
        switch self.layout {
        case .csv(let ends, let starts):
            let index = pool.block(capacity: rows.count * (columns + 1) * 4)
            blocks.append(index)
            let newStarts = index.entries
            let newEnds = index.entries + rows.count
            for (place, row) in rows.enumerated() {
                newStarts[place] = starts[row] - UInt32(first)
                for column in 0..<columns {
                    // Wraps below zero where a first field's absence is told by an end before its start, and back when read.
                    newEnds[place * columns + column] = ends[row * columns + column] &- UInt32(first)
                }
            }
            layout = .csv(ends: newEnds, starts: newStarts)
        case .json(let tape, let oldRows, let projection):
            let low = Int(oldRows[rows.lowerBound].tape)
            let high = Int(oldRows[rows.upperBound].tape)
            let index = pool.block(capacity: (high - low) * 4 + (rows.count + 1) * MemoryLayout<JSONRow>.stride)
            blocks.append(index)
            let newRows = index.base.assumingMemoryBound(to: JSONRow.self)
            let newTape = (newRows + rows.count + 1).withMemoryRebound(to: UInt32.self, capacity: 1) { $0 }
            for (place, row) in (rows.lowerBound...rows.upperBound).enumerated() {
                newRows[place] = JSONRow(
                    tape: oldRows[row].tape - UInt32(low), start: oldRows[row].start &- UInt32(first),
                    end: oldRows[row].end &- UInt32(first))
            }
            var place = low
            while place < high {
                newTape[place - low] = tape[place] - UInt32(first)
                if bytes[Int(tape[place])] | 0x20 == UInt8(ascii: "{") {
                    newTape[place - low + 1] = tape[place + 1] - UInt32(low)
                    place += 1
                }
                place += 1
            }
            layout = .json(
                tape: newTape, rows: newRows,
                projection: projection.map { copy($0, rows, less: UInt32(low), in: pool, &blocks) })
        }
        return BatchBase(
            layout: layout, bytes: block.bytes, rowCount: rows.count, schema: schema, columns: columns,
            selected: selected, flags: flags, isInferred: isInferred, isBinary: isBinary, nulls: nulls,
            dialect: dialect,
            origin: origin, blocks: blocks, isView: isView)
    }

    private func withoutRows(_ schema: Schema) -> BatchBase {
        let block = BlockPool(cacheLimit: 0).block(capacity: 0)
        return BatchBase(
            layout: .csv(ends: block.entries, starts: block.entries), bytes: block.bytes, rowCount: 0, schema: schema,
            columns: columns, selected: selected, flags: 0, origin: origin, blocks: [block], isView: isView)
    }

    private func copy(
        _ projection: UnsafePointer<UInt32>, _ rows: Range<Int>, less: UInt32, in pool: BlockPool,
        _ blocks: inout [ByteBlock]
    ) -> UnsafePointer<UInt32> {
        let copy = pool.block(capacity: rows.count * columns * 4)
        blocks.append(copy)
        for place in 0..<rows.count * columns {
            let old = projection[rows.lowerBound * columns + place]
            copy.entries[place] = old == JSONTape.absent ? old : old - less
        }
        return UnsafePointer(copy.entries)
    }
}
