/// Records: the bytes of an input and where their fields are, and what was changed since.
///
/// A value: copies share everything until one of them is written to, and then copy only what was set and which rows are
/// left. Editing through views is cheap:
///
///     for i in chunk.data.indices {
///         chunk.data[i]["processed"] = true
///     }
///
/// allocates nothing per record. A field that nobody touched is never decoded.
public struct RecordBatch: Sendable {
    @usableFromInline var storage: BatchStorage
    /// Nil only while it is lent to a record.
    @usableFromInline var access: BatchAccess?

    init(_ storage: BatchStorage) {
        self.storage = storage
        access = BatchAccess(storage)
    }

    /// Rows of a base.
    init(base: BatchBase, rows: Range<Int>) {
        let core = BatchCore(firstRow: rows.lowerBound, baseRows: rows.count, slotCount: rows.count)
        self.init(BatchStorage(base: base, core: core))
    }

    /// A batch of no records.
    public init() { self.init(BatchStorage(base: nil, core: BatchCore(firstRow: 0, baseRows: 0, slotCount: 0))) }

    /// The columns, in order: the source's, then those that were added. For JSON without `select`, where each record has keys
    /// of its own, only those that were added.
    public var columns: [String] {
        var names = storage.base?.schema?.names ?? []
        for number in 0..<storage.core.pointee.columnCount {
            let name = storage.core.pointee.columns[number].name
            if storage.base?.schema?.index(of: name) == nil { names.append(name) }
        }
        return names
    }

    /// The columns of the source; nil where it has none.
    public var schema: Schema? { storage.base?.schema }

    /// Bytes of memory that were taken for what was set, added or taken away. Complexity: O(columns that were).
    var addedBytes: Int { storage.core.pointee.heldBytes }

    /// Whether it can be told without a look at each record that they have no other fields than these columns.
    func hasFieldsOnly(of schema: Schema) -> Bool {
        storage.core.pointee.columnCount == 0 && storage.base?.schema?.storage === schema.storage
    }
}

// MARK: - Records

extension RecordBatch: RandomAccessCollection, MutableCollection {
    public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { storage.core.pointee.count }

    /// The record at `position`, seen in place. Complexity: O(1).
    public subscript(position: Int) -> Record {
        @inlinable get { Record(access: access, slot: checkedSlot(position)) }
        set { replace(position, with: newValue) }
        @inlinable _modify {
            if !isKnownUniquelyReferenced(&access) { unshare() }
            let slot = checkedSlot(position)
            var record = Record(access: nil, slot: slot)
            swap(&access, &record.access)
            defer {
                // SAFETY: the borrower has a record, and a record always has an access.
                if record.access.unsafelyUnwrapped.core == storage.core && record.slot == slot {
                    swap(&access, &record.access)
                } else {
                    takeBack(record, position)
                }
            }
            yield &record
        }
    }

    @inlinable func checkedSlot(_ position: Int) -> Int {
        precondition(position >= 0 && position < endIndex, "record index out of range")
        return storage.core.pointee.slot(position)
    }

    /// After `_modify`, where the borrower put another record in the place of the one that was lent.
    @usableFromInline mutating func takeBack(_ record: Record, _ position: Int) {
        // Only the storage is still ours for certain (invariant 3). The access may live on in a copy that the borrower made, and
        // then the storage has two owners: it and us.
        let other = record
        if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
        access = BatchAccess(storage)
        replace(position, with: other)
    }

    /// Makes sure that this batch alone owns what it writes to.
    @usableFromInline mutating func unshare() {
        storage = storage.copy()
        access = BatchAccess(storage)
    }

    mutating func withCore(_ body: (inout BatchCore) throws -> Void) rethrows {
        if !isKnownUniquelyReferenced(&access) { unshare() }
        storage.core.pointee.orderedSlot = -1
        try body(&storage.core.pointee)
    }

    private mutating func replace(_ position: Int, with record: Record) {
        let slot = checkedSlot(position)
        let source = record.storage
        let isSameRow =
            source.base === storage.base && record.slot < source.core.pointee.baseRows
            && slot < storage.core.pointee.baseRows
            && source.core.pointee.firstRow + record.slot == storage.core.pointee.firstRow + slot
        if isSameRow {
            withCore {
                $0.clearCells(slot)
                $0.takeCells(of: source.core.pointee, from: record.slot, to: slot)
            }
        } else {
            let base = storage.base
            withCore {
                $0.clearCells(slot)
                $0.fill(slot, over: base, with: record)
            }
        }
    }
}

// MARK: - Editing many

extension RecordBatch {
    /// Removes the records that `shouldBeRemoved` says so of. Complexity: O(n), moving no record.
    public mutating func removeAll(where shouldBeRemoved: (Record) throws -> Bool) rethrows {
        var kept: [UInt32] = []
        kept.reserveCapacity(count)
        for position in indices where try !shouldBeRemoved(self[position]) {
            kept.append(UInt32(checkedSlot(position)))
        }
        guard kept.count < count else { return }
        withCore { $0.setSelection(kept) }
    }

    /// Sets a field of all records to one value, kept once; nil removes the field. Complexity: O(n) at most, O(1) for a
    /// field that is new to records whose keys come in one order.
    public mutating func setAll(_ name: String, to value: Value?) { withCore { $0.setAll(name, to: value) } }

    /// Adds a record at the end.
    public mutating func append(_ record: Record) {
        let schema = storage.base?.schema
        withCore {
            let slot = $0.appendSlot()
            $0.fill(slot, with: record, schema, keepsOrder: false)
        }
    }

    /// Adds records at the end.
    public mutating func append(contentsOf records: some Sequence<Record>) { for record in records { append(record) } }
}

// MARK: - Batches of records from anywhere

extension RecordBatch: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Record...) { self.init(elements) }

    /// The records in order. Those of one input stay on its bytes; others are copied, and of a JSON line that is no object
    /// the value becomes a field named `value`.
    public init(_ records: some Sequence<Record>) {
        let records = Array(records)
        if let shared = Self.onSharedBase(records) {
            self = shared
            return
        }
        var core = BatchCore(firstRow: 0, baseRows: 0, slotCount: records.count)
        for (slot, record) in records.enumerated() { core.fill(slot, with: record, nil, keepsOrder: false) }
        self.init(BatchStorage(base: nil, core: core))
    }

    /// A batch on the base that all records have, if they have one and no row twice.
    private static func onSharedBase(_ records: [Record]) -> RecordBatch? {
        guard let base = records.first?.storage.base else { return nil }
        var rows: [Int] = []
        var low = Int.max
        var high = 0
        for record in records {
            guard record.storage.base === base, record.slot < record.storage.core.pointee.baseRows else { return nil }
            let row = record.storage.core.pointee.firstRow + record.slot
            (low, high) = (Swift.min(low, row), Swift.max(high, row))
            rows.append(row)
        }
        var seen = [Bool](repeating: false, count: high - low + 1)
        for row in rows {
            if seen[row - low] { return nil }
            seen[row - low] = true
        }
        let count = high - low + 1
        let storage = BatchStorage(base: base, core: BatchCore(firstRow: low, baseRows: count, slotCount: count))
        for (record, row) in zip(records, rows) {
            storage.core.pointee.takeCells(of: record.storage.core.pointee, from: record.slot, to: row - low)
        }
        storage.core.pointee.setSelection(rows.map { UInt32($0 - low) })
        return RecordBatch(storage)
    }
}

extension BatchCore {
    /// Makes the row at `slot`, whose cells are empty, stand on its cells alone: the fields of `record`, in its order.
    fileprivate mutating func fill(_ slot: Int, over base: BatchBase?, with record: Record) {
        if let base, slot < baseRows { for key in base.keys(firstRow + slot) { set(key, slot: slot, to: nil) } }
        fill(slot, with: record, nil, keepsOrder: true)
    }

    /// Writes all fields of `record` into the cells at `slot`, which is empty. Where the order of its keys is not that of the
    /// columns (those of `schema` first; or `keepsOrder`), notes it.
    mutating func fill(_ slot: Int, with record: Record, _ schema: Schema?, keepsOrder: Bool) {
        let source = record.storage
        var order: [Int] = []
        if source.base == nil && source.core.pointee.keyOrders?[record.slot] == nil {
            // Cells to cells, in column order: no value is made.
            for number in 0..<source.core.pointee.columnCount {
                let column = source.core.pointee.columns[number]
                let cell = column.cell(record.slot)
                let tag = column.tags[cell]
                guard tag > CellTag.removed else { continue }
                let mine = expanded(self.column(named: column.name))
                let payload = column.payloads[cell]
                columns[mine].tags[slot] = tag
                columns[mine].payloads[slot] =
                    tag >= CellTag.string ? store(source.core.pointee.text(payload)) : payload
                order.append(mine)
            }
        } else {
            var fields = record.fields
            if fields.isEmpty, let whole = source.wholeValue(slot: record.slot) { fields = [("value", whole)] }
            for (key, value) in fields {
                let mine = expanded(self.column(named: key))
                setCell(mine, slot, to: value)
                order.append(mine)
            }
        }
        // Columns of the schema are written first, in its order.
        let places = order.map { number in
            schema.map { $0.index(of: columns[number].name) ?? $0.count + number } ?? number
        }
        let isInOrder = zip(places, places.dropFirst()).allSatisfy { $0 < $1 }
        if keepsOrder || !isInOrder { note(KeyOrder(columns: order, isAlone: true), slot) }
    }

    private mutating func expanded(_ number: Int) -> Int {
        if columns[number].isConstant { expandColumn(number) }
        return number
    }
}

extension RecordBatch: Equatable {
    public static func == (left: RecordBatch, right: RecordBatch) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { $0 == $1 }
    }
}

extension RecordBatch: CustomStringConvertible {
    /// One line of compact JSON for each record.
    public var description: String { map(\.description).joined(separator: "\n") }
}
