/// Finds the fields of batches for an output: which of its columns stands where in a batch.
package final class RowBinder {
    /// The columns of the output, in order; of none where records have keys of their own.
    let columns: Schema
    private let hasColumns: Bool
    private let kernel: Kernel
    private let pool: BlockPool
    /// The columns of the batch that came last: the next one nearly always has the same.
    private var plan: Plan?
    /// The same for rows with keys in other orders.
    private var plansByOrder: [KeyOrder: Plan] = [:]
    /// JSON records as rows of the columns: the unit's values by column, and its first row with a key that is none.
    private var projected: (of: BatchBase, base: BatchBase, firstUnknown: Int)?
    /// The schema last found to have no other columns.
    private var known: Schema.Storage?

    private struct Plan {
        let schema: Schema.Storage?
        let overlay: [String]
        let columns: OutputColumns
    }

    /// - Parameter columns: nil: records have keys of their own.
    init(_ columns: [String]?, _ kernel: Kernel, _ pool: BlockPool) {
        hasColumns = columns != nil
        self.columns = Schema(columns ?? [])
        self.kernel = kernel
        self.pool = pool
    }

    /// For an output that takes values, not text.
    package convenience init(columns: [String]) throws(StreamError) {
        self.init(columns, try KernelChoice.auto.make(), BlockPool())
    }

    /// Calls `body` with all rows of a batch, in order, in runs of rows whose fields are found in the same way.
    package func forEachRun(of batch: RecordBatch, _ body: (BoundRows) throws -> Void) throws {
        let core = batch.storage.core
        let base = hasColumns ? project(batch.storage.base) : batch.storage.base
        guard let orders = core.pointee.keyOrders else {
            return try bind(BatchRows(base: base, core: core), 0..<batch.count, body)
        }
        // Columns of the output are all the order there is.
        if hasColumns, orders.areAllOnBase { return try bind(BatchRows(base: base, core: core), 0..<batch.count, body) }
        if !hasColumns, let common = core.pointee.commonOrder() {
            let order = KeyOrder(columns: common, isAlone: false)
            return try bind(BatchRows(base: base, core: core, order: order), 0..<batch.count, body)
        }
        let slots = batch.indices.map { UInt32(batch.checkedSlot($0)) }
        var start = 0
        while start < slots.count {
            let number = orders.number(Int(slots[start]))
            let end = slots[start...].firstIndex { orders.number(Int($0)) != number } ?? slots.count
            var rows = BatchRows(base: base, core: core, slots: slots[start..<end], order: orders.order(number))
            if rows.order?.isAlone == true {
                rows.base = nil
            } else if hasColumns {
                rows.order = nil
            }
            try bind(rows, start..<end, body)
            start = end
        }
    }

    private func bind(
        _ rows: BatchRows, _ positions: Range<Int>, _ body: (BoundRows) throws -> Void
    ) throws {
        let isRecords = rows.base.map { $0.schema == nil } ?? false
        let columns = columns(of: rows)
        try rows.withEncodable(columns) {
            try body(BoundRows(rows: $0, columns: columns, positions: positions, isRecords: isRecords))
        }
    }

    /// Output columns for a batch, bound to where it has them.
    private func columns(of rows: BatchRows) -> OutputColumns {
        let schema = rows.base?.schema
        let core = rows.core
        let last = rows.order.map { plansByOrder[$0] } ?? plan
        if let last, last.schema === schema?.storage, core.pointee.hasColumns(last.overlay) { return last.columns }
        let overlay = core.pointee.columnNames
        let numbers = rows.overlays
        let added = numbers.map { overlay[$0] }
        let isRecords = rows.base != nil && schema == nil
        var names = hasColumns ? self.columns.names : isRecords ? added : schema?.names ?? []
        if !hasColumns, !isRecords { names += added.filter { schema?.index(of: $0) == nil } }
        let columns = OutputColumns(names)
        for (place, name) in names.enumerated() {
            let field = schema?.index(of: name, near: place).map { rows.base?.indexColumn($0) ?? $0 }
            let number = core.pointee.findColumn(name)
            columns.bind(place, field: field, overlay: rows.order == nil ? number : numbers.firstIndex { $0 == number })
        }
        let plan = Plan(schema: schema?.storage, overlay: overlay, columns: columns)
        if let order = rows.order {
            // As many as records can have; most have a few.
            if plansByOrder.count == 64 { plansByOrder.removeAll() }
            plansByOrder[order] = plan
        } else {
            self.plan = plan
        }
        return columns
    }

    /// JSON records as rows of the columns. A unit's base is projected once for all its chunks.
    private func project(_ base: BatchBase?) -> BatchBase? {
        guard let base, base.schema == nil, case .json(let tape, let rows, nil) = base.layout else { return base }
        if let projected, projected.of === base { return projected.base }
        let block = pool.block(capacity: 4 * max(1, base.rowCount * columns.count))
        let firstUnknown = kernel.projectJSONKeys(
            tape: tape, rows: rows, rowCount: base.rowCount, base.bytes, keys: columns.names, into: block.entries)
        let result = BatchBase(
            layout: .json(tape: tape, rows: rows, projection: UnsafePointer(block.entries)), bytes: base.bytes,
            rowCount: base.rowCount, schema: columns, columns: columns.count, flags: base.flags, origin: base.origin,
            blocks: [block], keeping: base)
        projected = (base, result, firstUnknown)
        return result
    }

    /// Whether it can be told without a look at each record that all its keys are columns.
    package func hasKnownKeysOnly(_ batch: RecordBatch) -> Bool {
        let core = batch.storage.core.pointee
        for number in 0..<core.columnCount where columns.index(of: core.columns[number].name) == nil {
            // A field that was only removed is none.
            let column = core.columns[number]
            let tags = UnsafeBufferPointer(start: column.tags, count: column.isConstant ? 1 : core.slotCount)
            if tags.contains(where: { $0 > CellTag.removed }) { return false }
        }
        guard let base = batch.storage.base else { return true }
        guard let schema = base.schema else {
            _ = project(base)
            guard let projected, projected.of === base else { return false }
            return projected.firstUnknown >= core.firstRow + core.baseRows
        }
        if known === schema.storage { return true }
        guard schema.names.allSatisfy({ columns.index(of: $0) != nil }) else { return false }
        known = schema.storage
        return true
    }
}
