/// A batch under construction, whose fields are no text but cells by column: as databases hand them out.
///
/// Who fills it writes tags and payloads (see `sluice_cell`) for rows from 0 on, and texts to the arena.
package struct CellBatchBuilder: ~Copyable {
    private var core: BatchCore
    private var capacity: Int
    private var isFinished = false

    /// - Parameters:
    ///   - columns: unique names, in order.
    ///   - capacity: rows there is room for.
    ///   - arena: bytes of text there is room for.
    package init(columns: [String], capacity: Int, arena: Int) {
        core = BatchCore(firstRow: 0, baseRows: 0, slotCount: capacity, columnCapacity: max(1, columns.count))
        self.capacity = capacity
        for name in columns { _ = core.addColumn(OverlayColumn(name: name, uninitialized: max(1, capacity))) }
        growArena(to: arena)
    }

    deinit { if !isFinished { core.deallocate() } }

    /// Of each column, in order.
    package var tags: [UnsafeMutablePointer<UInt8>] { (0..<core.columnCount).map { core.columns[$0].tags } }
    package var payloads: [UnsafeMutablePointer<UInt64>] { (0..<core.columnCount).map { core.columns[$0].payloads } }

    package var arena: UnsafeMutablePointer<UInt8>? { core.arena }
    package var arenaCapacity: Int { core.arenaCapacity }

    /// Bytes that are filled.
    package var arenaCount: Int {
        get { core.arenaCount }
        set { core.arenaCount = newValue }
    }

    /// Makes room for more rows; those that are there move.
    package mutating func grow(to capacity: Int) {
        for number in 0..<core.columnCount {
            let old = core.columns[number]
            let new = OverlayColumn(name: old.name, uninitialized: capacity)
            new.tags.update(from: old.tags, count: self.capacity)
            new.payloads.update(from: old.payloads, count: self.capacity)
            core.columns[number] = new
            old.deallocate()
        }
        self.capacity = capacity
    }

    package mutating func growArena(to capacity: Int) { core.growArena(to: capacity) }

    /// The first `rows` rows.
    package consuming func finish(rows: Int) -> RecordBatch {
        isFinished = true
        core.slotCount = rows
        // Records may be appended there.
        for number in 0..<core.columnCount {
            (core.columns[number].tags + rows).initialize(
                repeating: CellTag.unset, count: core.columns[number].capacity - rows)
        }
        return RecordBatch(BatchStorage(base: nil, core: core))
    }

    /// The first text in `rows` rows that is no UTF-8; nil: there is none. In the arena a zero byte follows each text.
    /// - Parameter hasBytes: what is in the arena is not all text.
    package borrowing func invalidText(rows: Int, hasBytes: Bool) -> (row: Int, column: Int)? {
        guard let arena = core.arena, core.arenaCount > 0 else { return nil }
        let kernel = Kernel.preferred
        if !hasBytes, kernel.firstInvalidUTF8(arena, count: core.arenaCount) == nil { return nil }
        for row in 0..<rows {
            for column in 0..<core.columnCount where core.columns[column].tags[row] == CellTag.string {
                let text = core.text(core.columns[column].payloads[row])
                guard let start = text.baseAddress else { continue }
                if kernel.firstInvalidUTF8(start, count: text.count) != nil { return (row, column) }
            }
        }
        return nil
    }
}
