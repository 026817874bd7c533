/// What the copies of a batch share: the immutable base, and overlay and selection in raw memory.
///
/// Copy-on-write rests on three invariants:
///
/// 1. Each storage has at most one `BatchAccess` alive. Batches hold the storage and its access; records hold the access.
/// 2. Overlay and selection are written to only by who holds the access alone: a batch that `isKnownUniquelyReferenced` says
///    so of, or the record that such a batch lent its access to for the time of one `_modify`.
/// 3. While an access is lent, the batch still holds the storage: whatever the borrower does to its record (assign another
///    one, copy it, throw it away), nothing that the batch holds is lost.
// SAFETY: `core` is written to only by a sole owner, by invariant 2; readers share it unchanged.
@usableFromInline final class BatchStorage: @unchecked Sendable {
    let base: BatchBase?
    @usableFromInline let core: UnsafeMutablePointer<BatchCore>

    init(base: BatchBase?, core: BatchCore) {
        self.base = base
        self.core = .allocate(capacity: 1)
        self.core.initialize(to: core)
        self.core.pointee.base = base
    }

    deinit {
        core.pointee.deallocate()
        core.deinitialize(count: 1)
        core.deallocate()
    }

    func copy() -> BatchStorage { copy(on: base) }

    /// The same overlay and selection on another base of the same rows.
    func copy(on base: BatchBase?) -> BatchStorage { BatchStorage(base: base, core: core.pointee.copy()) }
}

/// The right to reach into a storage; sole ownership of it is the right to write.
@usableFromInline final class BatchAccess: Sendable {
    @usableFromInline let storage: BatchStorage
    /// The storage's core: one step less in the hot path.
    @usableFromInline nonisolated(unsafe) let core: UnsafeMutablePointer<BatchCore>

    init(_ storage: BatchStorage) {
        self.storage = storage
        core = storage.core
    }

    /// An access to a storage of its own.
    convenience init(base: BatchBase?, core: BatchCore) { self.init(BatchStorage(base: base, core: core)) }
}

// MARK: - Reading

extension BatchStorage {
    /// The field of the row at `slot`; nil where there is none. Valid while the storage is.
    @usableFromInline func field(_ name: String, slot: Int) -> Field? {
        if let number = core.pointee.findColumn(name), let cell = overlayField(number, slot: slot) { return cell }
        return baseField(name, slot: slot)
    }

    /// The overlay's cell: nil where nothing was set, nil inside where the field was removed.
    func overlayField(_ number: Int, slot: Int) -> Field?? {
        let column = core.pointee.columns[number]
        let cell = column.cell(slot)
        let tag = column.tags[cell]
        switch tag {
        case CellTag.unset: return nil
        case CellTag.removed: return .some(nil)
        default:
            let payload = column.payloads[cell]
            let text = tag >= CellTag.string ? core.pointee.text(payload) : UnsafeBufferPointer(start: nil, count: 0)
            return Field(.cell(tag: tag, payload: payload, text: text))
        }
    }

    /// The base's field, whatever was set over it.
    func baseField(_ name: String, slot: Int) -> Field? {
        guard let base, slot < core.pointee.baseRows else { return nil }
        let row = core.pointee.firstRow + slot
        if let schema = base.schema { return schema.index(of: name).flatMap { base.field(row, $0) } }
        return base.member(name, row: row)
    }

    /// Names of the row's fields, in order.
    func keys(slot: Int) -> [String] {
        let core = core.pointee
        let order = core.keyOrders?[slot]
        var keys: [String] = []
        if let order, order.isAlone {
            // Nothing but its cells.
        } else if let schema = base?.schema {
            keys = schema.names.filter { field($0, slot: slot) != nil }
        } else if let base, slot < core.baseRows {
            keys = base.keys(core.firstRow + slot)
            if core.columnCount > 0 { keys.removeAll { field($0, slot: slot) == nil } }
        }
        guard core.columnCount > 0 else { return keys }
        let known = Set(keys.map(ByteKey.init))
        for number in order?.columns ?? Array(0..<core.columnCount)
        where !known.contains(ByteKey(text: core.columns[number].name)) {
            if case .some(.some) = overlayField(number, slot: slot) { keys.append(core.columns[number].name) }
        }
        return keys
    }
}

extension BatchBase {
    /// The member of a JSON record whose keys are its own; nil where it has none.
    func member(_ name: String, row: Int) -> Field? {
        guard case .json(let tape, let rows, _) = layout else { return nil }
        return JSONMembers(bytes: bytes, tape: tape, position: Int(rows[row].tape)).find(name)
            .map { Field(.json(bytes, tape, $0)) }
    }

    /// The field in column `position` of the schema; nil where the row has none.
    func field(_ row: Int, _ position: Int) -> Field? { indexedField(row, indexColumn(position)) }

    /// The field in column `column` of the index; there is no column -1.
    func indexedField(_ row: Int, _ column: Int) -> Field? {
        guard column >= 0 else { return nil }
        switch layout {
        case .csv(let ends, let starts):
            let place = row * columns + column
            let start = column == 0 ? Int(starts[row]) : Int(ends[place - 1]) + 1
            let count = Int(ends[place]) - start
            let field = UnsafeBufferPointer(start: bytes + start, count: max(0, count))
            return count < 0 ? nil : Field(.csv(field, .passUnretained(self)))
        case .json(let tape, _, let projection):
            guard let position = projection?[row * columns + column], position != JSONTape.absent else { return nil }
            return Field(.json(bytes, tape, Int(position)))
        }
    }

    /// Names of the fields that the row has, in order; of duplicates the first place.
    func keys(_ row: Int) -> [String] {
        if let schema { return schema.names.enumerated().filter { field(row, $0.offset) != nil }.map(\.element) }
        guard case .json(let tape, let rows, _) = layout else { return [] }
        var keys: [String] = []
        var known: Set<ByteKey> = []
        JSONMembers(bytes: bytes, tape: tape, position: Int(rows[row].tape)).forEach { key, _ in
            if known.insert(ByteKey(text: key)).inserted { keys.append(key) }
        }
        return keys
    }
}
