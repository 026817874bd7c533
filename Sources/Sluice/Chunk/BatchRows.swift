/// Rows of a batch that are to be encoded.
struct BatchRows {
    var base: BatchBase?
    let core: UnsafeMutablePointer<BatchCore>
    /// The slots to encode instead of all that are left.
    var slots: ArraySlice<UInt32>?
    /// The order that the keys of these rows have, where it is not that of the columns.
    var order: KeyOrder?

    /// Columns of the overlay that the kernel sees, in the order of their keys.
    var overlays: [Int] { order?.columns ?? Array(0..<core.pointee.columnCount) }

    /// Calls `body` with the rows in the kernel's words. `columns` lend their names where they are the overlay's.
    func withEncodable<R>(_ columns: OutputColumns, _ body: (EncodableRows) throws -> R) rethrows -> R {
        let count = order?.columns.count ?? core.pointee.columnCount
        return try withUnsafeTemporaryAllocation(of: OverlayCells.self, capacity: count) { overlays in
            for place in 0..<count {
                let number = order?.columns[place] ?? place
                overlays.initializeElement(at: place, to: cells(core.pointee.columns + number))
            }
            if count > 0 { columns.name(overlays) }
            guard let slots else {
                let selection = core.pointee.selection.map { UnsafePointer($0) }
                return try body(encodable(core.pointee.count, selection, overlays))
            }
            return try slots.withUnsafeBufferPointer { slots in
                try body(encodable(slots.count, slots.baseAddress, overlays))
            }
        }
    }

    private func cells(_ column: UnsafePointer<OverlayColumn>) -> OverlayCells {
        OverlayCells(
            tags: column.pointee.tags, payloads: column.pointee.payloads, isConstant: column.pointee.isConstant)
    }

    private func encodable(
        _ count: Int, _ slots: UnsafePointer<UInt32>?, _ overlays: UnsafeMutableBufferPointer<OverlayCells>
    ) -> EncodableRows {
        var rows = EncodableRows(
            count: count, slots: slots, overlays: overlays, arena: core.pointee.arena.map { UnsafePointer($0) })
        guard let base else { return rows }
        let first = core.pointee.firstRow
        rows.stand(
            on: base.bytes, base.layout, columns: base.columns, flags: base.flags,
            rows: first..<first + core.pointee.baseRows)
        rows.readCells(base.dialect, nulls: base.nulls, isInferred: base.isInferred, isBinary: base.isBinary)
        return rows
    }
}
