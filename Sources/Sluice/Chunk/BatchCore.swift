/// A column that was set or added: a tag and 64 bits for each slot, in raw memory that the encoders read as it is.
@usableFromInline struct OverlayColumn {
    @usableFromInline private(set) var name: String
    /// The two words of `name`, so that a loop that sets the same names again compares words, not characters. Equal
    /// words are equal names: the storage they may point to is kept alive by `name`.
    @usableFromInline private(set) var nameWords: (UInt64, UInt64)
    @usableFromInline let tags: UnsafeMutablePointer<UInt8>
    @usableFromInline let payloads: UnsafeMutablePointer<UInt64>
    /// Cells there is room for; 1 where the column is constant.
    @usableFromInline let capacity: Int
    /// Cell 0 serves all slots.
    @usableFromInline let isConstant: Bool
    /// Whether the base has a column of this name, once somebody asked.
    var isInSchema: Bool?

    init(name: String, capacity: Int, isConstant: Bool) {
        self.name = name
        nameWords = unsafeBitCast(name, to: (UInt64, UInt64).self)
        self.capacity = capacity
        self.isConstant = isConstant
        tags = .allocate(capacity: capacity)
        tags.initialize(repeating: CellTag.unset, count: capacity)
        payloads = .allocate(capacity: capacity)
        payloads.initialize(repeating: 0, count: capacity)
    }

    /// Of cells that are not initialized: who asks for it fills them.
    init(name: String, uninitialized capacity: Int) {
        self.name = name
        nameWords = unsafeBitCast(name, to: (UInt64, UInt64).self)
        self.capacity = capacity
        isConstant = false
        tags = .allocate(capacity: capacity)
        payloads = .allocate(capacity: capacity)
    }

    func deallocate() {
        tags.deallocate()
        payloads.deallocate()
    }

    func cell(_ slot: Int) -> Int { isConstant ? 0 : slot }

    mutating func rename(_ name: String) {
        self.name = name
        nameWords = unsafeBitCast(name, to: (UInt64, UInt64).self)
        isInSchema = nil
    }
}

/// The mutable part of a batch: overlay and selection.
///
/// A *slot* is a row's place in the overlay: slot `s` stands on base row `firstRow + s` while `s < baseRows`; slots behind
/// that were appended and have no base. The selection lists the slots that are left; without one all are.
///
/// It lives in raw memory behind a `let` pointer, because a class's own `var`s would cost an exclusivity check at each
/// access, and it holds no references per cell, so that a copy is a few memcpys.
@usableFromInline struct BatchCore {
    @usableFromInline var columns: UnsafeMutablePointer<OverlayColumn>
    @usableFromInline var columnCount = 0
    /// Column that the next set is likely to name: loops over records set the same names in the same order.
    @usableFromInline var hint = 0
    var columnCapacity: Int
    /// Slots in use, with and without base.
    @usableFromInline var slotCount: Int
    @usableFromInline var selection: UnsafeMutablePointer<UInt32>?
    @usableFromInline var selectionCount = 0
    /// Text of cells.
    var arena: UnsafeMutablePointer<UInt8>?
    var arenaCount = 0
    var arenaCapacity = 0
    let firstRow: Int
    @usableFromInline let baseRows: Int
    /// Of rows that were replaced whole, or whose keys do not come in the order of the columns; nearly always empty.
    var keyOrders: KeyOrders? { didSet { hasKeyOrders = keyOrders != nil } }
    @usableFromInline var hasKeyOrders = false
    /// The row last set, and a column behind which it has no field of its own: its keys come in the order of the columns.
    /// -1: none. Whoever writes cells otherwise than by `set` lets go of it.
    @usableFromInline var orderedSlot = -1
    @usableFromInline var orderedColumn = -1
    /// What the rows stand on; the storage keeps it.
    unowned(unsafe) var base: BatchBase?

    init(firstRow: Int, baseRows: Int, slotCount: Int, columnCapacity: Int = 4) {
        self.firstRow = firstRow
        self.baseRows = baseRows
        self.slotCount = slotCount
        self.columnCapacity = columnCapacity
        columns = .allocate(capacity: columnCapacity)
    }

    func deallocate() {
        for column in UnsafeBufferPointer(start: columns, count: columnCount) { column.deallocate() }
        columns.deinitialize(count: columnCount)
        columns.deallocate()
        selection?.deallocate()
        arena?.deallocate()
    }
}

// MARK: - Memory

extension BatchCore {
    /// Bytes that it has allocated. Complexity: O(columns).
    var heldBytes: Int {
        let cells = UnsafeBufferPointer(start: columns, count: columnCount).reduce(0) { $0 + $1.capacity * 9 }
        return cells + arenaCapacity + (keyOrders?.heldBytes ?? 0) + (selection == nil ? 0 : selectionCount * 4)
    }
}

// MARK: - Rows

extension BatchCore {
    /// Rows that are left.
    @inlinable var count: Int { selection == nil ? slotCount : selectionCount }

    @inlinable func slot(_ position: Int) -> Int {
        if let selection { Int(selection[position]) } else { position }
    }

    mutating func setSelection(_ slots: [UInt32]) {
        selection?.deallocate()
        let copy = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, slots.count))
        for (place, slot) in slots.enumerated() { copy[place] = slot }
        selection = copy
        selectionCount = slots.count
    }

    /// A new slot without base, as the last row.
    mutating func appendSlot() -> Int {
        let slot = slotCount
        slotCount += 1
        for number in 0..<columnCount where !columns[number].isConstant && columns[number].capacity < slotCount {
            resizeColumn(number, capacity: max(8, slotCount * 2), isConstant: false)
        }
        // A constant column does not speak for a row that came later.
        for number in 0..<columnCount where columns[number].isConstant {
            expandColumn(number)
            columns[number].tags[slot] = CellTag.unset
        }
        if selection != nil {
            setSelection(Array(UnsafeBufferPointer(start: selection, count: selectionCount)) + [UInt32(slot)])
        }
        return slot
    }
}

// MARK: - Columns

extension BatchCore {
    /// The column named `name`, made if there is none. Inlined into loops: two words are compared.
    @inlinable mutating func column(named name: String) -> Int {
        let words = unsafeBitCast(name, to: (UInt64, UInt64).self)
        let guess = hint
        if guess < columnCount, columns[guess].nameWords == words {
            hint = guess + 1 == columnCount ? 0 : guess + 1
            return guess
        }
        return columnSlowly(named: name)
    }

    @usableFromInline mutating func columnSlowly(named name: String) -> Int {
        let number = findColumn(name) ?? addColumn(name, isConstant: false)
        hint = number + 1 == columnCount ? 0 : number + 1
        return number
    }

    func findColumn(_ name: String) -> Int? {
        // Short names that are equal have equal words, nearly always.
        let words = unsafeBitCast(name, to: (UInt64, UInt64).self)
        for number in 0..<columnCount where columns[number].nameWords == words { return number }
        for number in 0..<columnCount where columns[number].name.hasSameBytes(as: name) { return number }
        return nil
    }

    var columnNames: [String] { (0..<columnCount).map { columns[$0].name } }

    /// Whether these are the names of the columns, in their order.
    func hasColumns(_ names: [String]) -> Bool {
        guard columnCount == names.count else { return false }
        for number in 0..<columnCount where !columns[number].name.hasSameBytes(as: names[number]) { return false }
        return true
    }

    mutating func addColumn(_ name: String, isConstant: Bool) -> Int {
        addColumn(OverlayColumn(name: name, capacity: isConstant ? 1 : max(1, slotCount), isConstant: isConstant))
    }

    mutating func addColumn(_ column: OverlayColumn) -> Int {
        if columnCount == columnCapacity {
            let larger = UnsafeMutablePointer<OverlayColumn>.allocate(capacity: columnCapacity * 2)
            larger.moveInitialize(from: columns, count: columnCount)
            columns.deallocate()
            columns = larger
            columnCapacity *= 2
        }
        (columns + columnCount).initialize(to: column)
        columnCount += 1
        return columnCount - 1
    }

    /// A constant column gets a cell for each slot.
    @usableFromInline mutating func expandColumn(_ number: Int) {
        resizeColumn(number, capacity: max(1, slotCount), isConstant: false)
    }

    /// Keeps the columns that `numbers` lists, in that order; no cell moves.
    mutating func keepColumns(_ numbers: [Int]) {
        let kept = UnsafeMutablePointer<OverlayColumn>.allocate(capacity: max(4, numbers.count))
        var places: [Int: Int] = [:]
        for (place, number) in numbers.enumerated() {
            (kept + place).initialize(to: columns[number])
            places[number] = place
        }
        for number in 0..<columnCount where places[number] == nil { columns[number].deallocate() }
        columns.deinitialize(count: columnCount)
        columns.deallocate()
        columns = kept
        columnCount = numbers.count
        columnCapacity = max(4, numbers.count)
        hint = 0
        orderedSlot = -1
        keyOrders = keyOrders?.map { order in
            KeyOrder(columns: order.columns.compactMap { places[$0] }, isAlone: order.isAlone)
        }
    }

    private mutating func resizeColumn(_ number: Int, capacity: Int, isConstant: Bool) {
        let old = columns[number]
        let new = OverlayColumn(name: old.name, capacity: capacity, isConstant: isConstant)
        if old.isConstant {
            new.tags.update(repeating: old.tags[0], count: capacity)
            new.payloads.update(repeating: old.payloads[0], count: capacity)
        } else if !isConstant {
            new.tags.update(from: old.tags, count: min(old.capacity, capacity))
            new.payloads.update(from: old.payloads, count: min(old.capacity, capacity))
        }
        columns[number] = new
        old.deallocate()
    }
}

// MARK: - Cells

extension BatchCore {
    /// Sets a cell; nil removes the field.
    @inlinable mutating func set(_ name: String, slot: Int, to value: Value?) {
        let number = column(named: name)
        if columns[number].isConstant { expandColumn(number) }
        if slot == orderedSlot, number > orderedColumn, !hasKeyOrders {
            orderedColumn = number
        } else {
            placeKey(number, slot, isRemoved: value == nil)
        }
        setCell(number, slot, to: value)
    }

    /// One value for all rows there are; nil removes the field.
    mutating func setAll(_ name: String, to value: Value?) {
        let number = findColumn(name) ?? addColumn(name, isConstant: true)
        if mayBeOutOfOrder(number) { for slot in 0..<slotCount { placeKey(number, slot, isRemoved: value == nil) } }
        orderedSlot = -1
        if !columns[number].isConstant { resizeColumn(number, capacity: 1, isConstant: true) }
        setCell(number, 0, to: value)
    }

    /// Sets cell `cell` of column `number`, without a look at whether it is constant.
    @inlinable mutating func setCell(_ number: Int, _ cell: Int, to value: Value?) {
        let tag: UInt8
        var payload: UInt64 = 0
        switch value {
        case nil: tag = CellTag.removed
        case .null?: tag = CellTag.null
        case .bool(let value)?: tag = value ? CellTag.yes : CellTag.no
        case .int(let value)?: (tag, payload) = (CellTag.int, UInt64(bitPattern: value))
        case .double(let value)?: (tag, payload) = (CellTag.double, value.bitPattern)
        default: (tag, payload) = storeText(value)
        }
        columns[number].tags[cell] = tag
        columns[number].payloads[cell] = payload
    }

    /// Sets a cell to a text that is compact JSON.
    mutating func setJSON(_ number: Int, _ cell: Int, to text: UnsafeBufferPointer<UInt8>) {
        columns[number].payloads[cell] = store(text)
        columns[number].tags[cell] = CellTag.json
    }

    @usableFromInline mutating func storeText(_ value: Value?) -> (UInt8, UInt64) {
        switch value {
        case .string(var text)?: return (CellTag.string, text.withUTF8 { store($0) })
        case .decimal(var text)?:
            return text.withUTF8 { NumberText.isNumber($0) ? (CellTag.decimal, store($0)) : Self.noJSON }
        case .bytes(let bytes)?: return (CellTag.bytes, bytes.withUnsafeBufferPointer { store($0) })
        default:
            var writer = JSONText()
            writer.append(value ?? .null)
            if writer.hasNoJSON { return Self.noJSON }
            return (CellTag.json, writer.bytes.withUnsafeBufferPointer { store($0) })
        }
    }

    /// What has no JSON (a number that is none, values nested too deep) is kept as NaN, which encoders refuse by name.
    private static let noJSON = (CellTag.double, Double.nan.bitPattern)

    /// Copies text to the arena; the payload says where it is.
    mutating func store(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let offset = arenaCount
        let end = offset + text.count
        precondition(end <= UInt32.max, "the texts set in one batch exceed 4 GiB")
        if end + blockPadding > arenaCapacity { growArena(to: max(1024, end + blockPadding, arenaCapacity * 2)) }
        if let arena, let start = text.baseAddress { (arena + offset).update(from: start, count: text.count) }
        arenaCount = end
        return UInt64(offset) | UInt64(text.count) << 32
    }

    mutating func growArena(to capacity: Int) {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        if let arena {
            larger.update(from: arena, count: arenaCount)
            arena.deallocate()
        }
        arena = larger
        arenaCapacity = capacity
    }

    /// The text that a payload names.
    func text(_ payload: UInt64) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(
            start: arena.map { $0 + Int(UInt32(truncatingIfNeeded: payload)) }, count: Int(payload >> 32))
    }
}

// MARK: - The order of keys

extension BatchCore {
    /// Whether a row that gets a cell in column `number` may have its keys in another order than that of the columns.
    func mayBeOutOfOrder(_ number: Int) -> Bool { hasKeyOrders || number + 1 < columnCount }

    /// A cell in column `number` is about to be set: if the row has no such field, its key comes last. What the base has keeps its
    /// place. Complexity: O(columns behind it); where that is not the order of the columns, O(columns).
    @usableFromInline mutating func placeKey(_ number: Int, _ slot: Int, isRemoved: Bool) {
        if hasValue(number, slot) { return }
        if hasKeyOrders, let keyOrders, let order = keyOrders[slot] {
            let keepsPlace = !order.isAlone && order.columns.contains(number) && isInBase(number, slot)
            if !keepsPlace { keyOrders.add(number, to: slot) }
            return
        }
        if isRemoved { return }
        for above in number + 1..<columnCount where hasValue(above, slot) && !isInBase(above, slot) {
            if !isInBase(number, slot) { beginOrder(number, slot) }
            return
        }
        (orderedSlot, orderedColumn) = (slot, number)
    }

    /// The row's keys are those in the order of the columns, and then this one.
    private mutating func beginOrder(_ number: Int, _ slot: Int) {
        let orders = keyOrders ?? KeyOrders()
        if !hasKeyOrders { keyOrders = orders }
        orders.begin(slot, (0..<columnCount).lazy.filter { [self] in $0 != number && hasCell($0, slot) }, number)
    }

    /// The row has its keys in this order.
    mutating func note(_ order: KeyOrder, _ slot: Int) {
        if !hasKeyOrders { keyOrders = KeyOrders() }
        keyOrders?[slot] = order
    }

    /// One order of the columns that suits all rows: see `KeyOrders.common`. Complexity: O(rows × columns).
    func commonOrder() -> [Int]? {
        guard let keyOrders, let common = keyOrders.common(columnCount) else { return nil }
        // Rows that have none noted may have fields in columns that changed places.
        for slot in 0..<slotCount where keyOrders.number(slot) == 0 {
            var last = -1
            for number in common where hasValue(number, slot) {
                if number < last { return nil }
                last = number
            }
        }
        return common
    }

    private func hasCell(_ number: Int, _ slot: Int) -> Bool {
        columns[number].tags[columns[number].cell(slot)] != CellTag.unset
    }

    private func hasValue(_ number: Int, _ slot: Int) -> Bool {
        columns[number].tags[columns[number].cell(slot)] > CellTag.removed
    }

    /// Whether the base says where the field stands.
    private func isInBase(_ number: Int, _ slot: Int) -> Bool {
        guard let base else { return false }
        if let isInSchema = columns[number].isInSchema { return isInSchema }
        if let schema = base.schema {
            let isInSchema = schema.index(of: columns[number].name) != nil
            columns[number].isInSchema = isInSchema
            return isInSchema
        }
        return slot < baseRows && base.member(columns[number].name, row: firstRow + slot) != nil
    }
}

// MARK: - Copies

extension BatchCore {
    /// All of it once more: the one overlay copy of copy-on-write.
    func copy() -> BatchCore {
        var copy = BatchCore(
            firstRow: firstRow, baseRows: baseRows, slotCount: slotCount, columnCapacity: columnCapacity)
        for number in 0..<columnCount {
            let old = columns[number]
            let new = OverlayColumn(name: old.name, capacity: old.capacity, isConstant: old.isConstant)
            new.tags.update(from: old.tags, count: old.capacity)
            new.payloads.update(from: old.payloads, count: old.capacity)
            (copy.columns + number).initialize(to: new)
        }
        copy.columnCount = columnCount
        copy.hint = hint
        if let selection {
            copy.setSelection(Array(UnsafeBufferPointer(start: selection, count: selectionCount)))
        }
        if let arena { _ = copy.store(UnsafeBufferPointer(start: arena, count: arenaCount)) }
        copy.keyOrders = keyOrders?.copy()
        return copy
    }

    /// The row at `slot` alone, on the same base: what a record that is shared becomes when it is written to.
    func row(_ slot: Int) -> BatchCore {
        let hasBase = slot < baseRows
        var row = BatchCore(
            firstRow: firstRow + slot, baseRows: hasBase ? 1 : 0, slotCount: 1, columnCapacity: max(4, columnCount))
        row.takeCells(of: self, from: slot, to: 0)
        return row
    }

    /// Copies the cells that `other` has at `from` to slot `to` here, which has none, and the order of their keys.
    mutating func takeCells(of other: BatchCore, from: Int, to: Int) {
        var last = -1
        var isInOrder = true
        for number in 0..<other.columnCount {
            let column = other.columns[number]
            let cell = column.cell(from)
            let tag = column.tags[cell]
            guard tag != CellTag.unset else { continue }
            let payload = tag >= CellTag.string ? store(other.text(column.payloads[cell])) : column.payloads[cell]
            // Mostly both have the same columns.
            let mine = isSameColumn(number, column) ? number : columnSlowly(named: column.name)
            if columns[mine].isConstant { expandColumn(mine) }
            columns[mine].tags[to] = tag
            columns[mine].payloads[to] = payload
            if tag == CellTag.removed { continue }
            if mine < last { isInOrder = false }
            last = mine
        }
        if let order = other.keyOrders?[from] {
            let mine = order.columns.compactMap { findColumn(other.columns[$0].name) }
            note(KeyOrder(columns: mine, isAlone: order.isAlone), to)
        } else if !isInOrder {
            let theirs = (0..<other.columnCount).filter { other.hasCell($0, from) }
            let mine = theirs.compactMap { findColumn(other.columns[$0].name) }
            let added = mine.filter { hasValue($0, to) && !isInBase($0, to) }
            if added != added.sorted() { note(KeyOrder(columns: mine, isAlone: false), to) }
        }
    }

    /// Makes the columns that `other` has, in its order: rows without an order of their own have it from there.
    mutating func takeColumns(of other: BatchCore) {
        for number in 0..<other.columnCount { _ = columnSlowly(named: other.columns[number].name) }
    }

    /// Whether column `number` here is seen at once to have the same name.
    private func isSameColumn(_ number: Int, _ other: OverlayColumn) -> Bool {
        number < columnCount && columns[number].nameWords == other.nameWords
    }

    /// Forgets the cells at `slot`.
    mutating func clearCells(_ slot: Int) {
        for number in 0..<columnCount {
            if columns[number].isConstant { expandColumn(number) }
            columns[number].tags[slot] = CellTag.unset
        }
        orderedSlot = -1
        keyOrders?[slot] = nil
    }
}
