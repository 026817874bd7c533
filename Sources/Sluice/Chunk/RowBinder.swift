/// Finds the fields of batches for an output: which of its columns stands where in a batch.
package final class RowBinder {
    /// The columns of the output, in order; of none where records have keys of their own.
    let columns: Schema
    private let hasColumns: Bool
    private let kernel: Kernel
    private let pool: BlockPool
    /// The columns of the batch that came last: the next one nearly always has the same.
    private var plan: Plan?
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
        guard core.pointee.hasKeyOrders else {
            return try bind(BatchRows(base: base, core: core), 0..<batch.count, body)
        }
        // Rows with an order of their own one by one, the others in runs.
        var start = 0
        while start < batch.count {
            var end = start + 1
            if let order = core.pointee.keyOrders[batch.checkedSlot(start)] {
                try bind(batch, start, order, body)
            } else {
                while end < batch.count, core.pointee.keyOrders[batch.checkedSlot(end)] == nil { end += 1 }
                let slots = (start..<end).map { UInt32(batch.checkedSlot($0)) }
                try bind(BatchRows(base: base, core: core, slots: slots), start..<end, body)
            }
            start = end
        }
    }

    /// A row that stands on its cells alone.
    private func bind(
        _ batch: RecordBatch, _ position: Int, _ order: [Int], _ body: (BoundRows) throws -> Void
    ) throws {
        let core = batch.storage.core
        let rows = BatchRows(base: nil, core: core, slots: [UInt32(batch.checkedSlot(position))])
        let names = hasColumns ? columns.names : order.map { core.pointee.columns[$0].name }
        let columns = OutputColumns(names)
        for (place, name) in names.enumerated() {
            columns.bind(place, field: nil, overlay: core.pointee.findColumn(name))
        }
        try rows.withEncodable(columns) {
            try body(BoundRows(rows: $0, columns: columns, positions: position..<position + 1, isRecords: false))
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
        if let plan, plan.schema === schema?.storage, rows.core.pointee.hasColumns(plan.overlay) { return plan.columns }
        let core = rows.core
        let overlay = core.pointee.columnNames
        let isRecords = rows.base != nil && schema == nil
        var names = hasColumns ? self.columns.names : isRecords ? overlay : schema?.names ?? []
        if !hasColumns, !isRecords { names += overlay.filter { schema?.index(of: $0) == nil } }
        let columns = OutputColumns(names)
        for (place, name) in names.enumerated() {
            let field = schema?.index(of: name, near: place).map { rows.base?.indexColumn($0) ?? $0 }
            columns.bind(place, field: field, overlay: core.pointee.findColumn(name))
        }
        plan = Plan(schema: schema?.storage, overlay: overlay, columns: columns)
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
