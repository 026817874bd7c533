/// A place that values are decoded from: a row of a batch, or a value in a record. It is moved from record to record, so that what
/// it learnt of the first one (which keys a type asks for, in which order, and where they are) serves all that follow.
///
/// A node has one child for each key and one for the elements of an array, which are moved likewise. What a decoder or container
/// sees after the `init(from:)` that it was made for is therefore unspecified; it is never freed memory.
final class DecodingNode {
    let plan: DecodingPlan
    let step: CodingStep?
    /// Whether containers are kept for the next record. They hold on to the node, so `release` has to follow.
    private let isReused: Bool
    /// In raw memory behind a `let`: a class's own `var`s would cost an exclusivity check each time.
    private let state: UnsafeMutablePointer<State>

    private struct State {
        /// The row's, if the node is a row.
        var slot = 0
        /// The row's cells, if it is one of a CSV index.
        var cells: CellRow?
        /// What the node is, if it is no row.
        var field: Field?
        /// The JSON object that keys are looked for in.
        var object: (bytes: UnsafePointer<UInt8>, tape: UnsafePointer<UInt32>, position: Int)?
        /// `keys` has been found in that object.
        var isFound = false
        /// Keys differ from record to record: they are not learnt.
        var isDynamic = false
        /// The keys learnt.
        var entries: UnsafeMutablePointer<KeyEntry> = .allocate(capacity: 8)
        var count = 0
        var capacity = 8
        /// The key that is likely to be asked for next; types ask in the same order each time.
        var next = 0
        /// The key asked for last.
        var last = 0
    }

    /// A key that the type asks for, and where it is.
    private struct KeyEntry {
        let name: String
        /// The two words of `name`: where they are equal, so are the names.
        let words: (UInt64, UInt64)
        /// Column of the overlay, column of the base's index; -1: none.
        let overlay: Int
        let column: Int
        var child: DecodingNode?
    }

    /// Keys in one object are looked for one by one up to this many, then through a table.
    private static let maxLearnt = 512

    private let keys = JSONKeys()
    /// Members of the object by name, where keys are not learnt.
    private var members: [ByteKey: Int]?
    /// The place of a cell that was set to JSON.
    private var text: CellTape?
    /// For elements, and for values of keys that are not learnt.
    private var anyChild: DecodingNode?
    private var container: AnyObject?
    private var containerKey: ObjectIdentifier?
    private var conversionType: ObjectIdentifier?
    private var conversion: DecodingPlan.Conversion?

    init(_ plan: DecodingPlan, _ step: CodingStep?, isReused: Bool) {
        self.plan = plan
        self.step = step
        self.isReused = isReused
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    deinit {
        state.pointee.entries.deinitialize(count: state.pointee.count)
        state.pointee.entries.deallocate()
        state.deallocate()
    }

    /// Lets go of the containers that were kept, which hold on to this node.
    func release() {
        container = nil
        containerKey = nil
        for number in 0..<state.pointee.count { state.pointee.entries[number].child?.release() }
        anyChild?.release()
    }

    var decoder: NodeDecoder { NodeDecoder(node: self) }
    var path: [any CodingKey] { step?.path ?? [] }
}

/// What all nodes of one call share.
final class DecodingPlan {
    typealias Conversion = (Field) throws -> Any?

    /// Keeps alive, and unchanged, what fields point to.
    let access: BatchAccess
    let storage: BatchStorage
    let base: BatchBase?
    let firstRow: Int
    let baseRows: Int
    /// Nil: the base is no CSV index of texts.
    let cells: CellRow?
    private let conversions: [ObjectIdentifier: Conversion]

    init(_ access: BatchAccess, _ conversions: [CodingConversion]) {
        self.access = access
        storage = access.storage
        base = storage.base
        firstRow = storage.core.pointee.firstRow
        baseRows = storage.core.pointee.baseRows
        cells = base.flatMap { CellRow($0) }
        self.conversions = conversions.reduce(into: [:]) { $0[$1.type] = $1.decode ?? $0[$1.type] }
    }

    func conversion<T>(_ type: T.Type) -> Conversion? {
        if let given = conversions[ObjectIdentifier(type)] { return given }
        guard let type = type as? any FieldConvertible.Type else { return nil }
        return { type.init(field: $0) }
    }
}

/// Cells of a row of a CSV index, as far as their text says all. Valid while its base is.
struct CellRow {
    private let bytes: UnsafePointer<UInt8>
    private var ends: UnsafePointer<UInt32>
    private var starts: UnsafePointer<UInt32>
    private let columns: Int
    private let quote: UInt8
    /// The first bytes of texts that mean null, a bit each.
    private let nulls: SIMD4<UInt64>

    init?(_ base: BatchBase) {
        guard case .csv(let ends, let starts) = base.layout, base.schema != nil, !base.isBinary else { return nil }
        bytes = base.bytes
        (self.ends, self.starts) = (ends, starts)
        columns = base.columns
        quote = base.dialect.quote
        nulls = base.nulls?.firstBytes ?? SIMD4()
    }

    func row(_ number: Int) -> CellRow {
        var row = self
        row.ends += number * columns
        row.starts += number
        return row
    }

    @inline(__always) func text(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
        guard column >= 0 else { return nil }
        let start = column == 0 ? Int(starts[0]) : Int(ends[column - 1]) + 1
        let length = Int(ends[column]) - start
        guard length > 0 else { return nil }
        let first = bytes[start]
        guard first != quote, nulls[Int(first >> 6)] >> UInt64(first & 63) & 1 == 0 else { return nil }
        return UnsafeBufferPointer(start: bytes + start, count: length)
    }
}

/// The tape of a cell that holds JSON.
private final class CellTape {
    let bytes: UnsafePointer<UInt8>
    let tape: UnsafeMutablePointer<UInt32>

    init?(_ text: UnsafeBufferPointer<UInt8>) {
        guard let start = text.baseAddress else { return nil }
        let entries = JSONTape.index(text)
        bytes = start
        tape = .allocate(capacity: entries.count)
        for (place, entry) in entries.enumerated() { tape[place] = entry }
    }

    deinit { tape.deallocate() }
}

// MARK: - Moving

extension DecodingNode {
    /// Becomes the row at `slot`.
    func move(toRow slot: Int) {
        state.pointee.slot = slot
        state.pointee.next = 0
        state.pointee.cells = slot < plan.baseRows ? plan.cells?.row(plan.firstRow + slot) : nil
        guard let base = plan.base, base.schema == nil else { return }
        state.pointee.object = nil
        state.pointee.field = nil
        reset()
        guard slot < plan.baseRows, case .json(let tape, let rows, _) = base.layout else { return }
        let row = rows[plan.firstRow + slot]
        let position = Int(row.tape)
        if base.bytes[Int(tape[position])] == UInt8(ascii: "{") {
            state.pointee.object = (base.bytes, tape, position)
        } else if plan.storage.core.pointee.columnCount == 0 {
            state.pointee.field = Self.whole(base.bytes, tape, row)
        }
    }

    /// A line that is no object. Nothing need end a number or a literal that is a whole line, so its tape does not say where it ends.
    private static func whole(
        _ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ row: JSONRow
    ) -> Field {
        let text = UnsafeBufferPointer(start: bytes + Int(row.start), count: Int(row.end - row.start))
        switch text.first {
        case UInt8(ascii: "["), UInt8(ascii: "\""): return Field(.json(bytes, tape, Int(row.tape)))
        case UInt8(ascii: "t"): return Field(.cell(tag: CellTag.yes, payload: 0, text: text))
        case UInt8(ascii: "f"): return Field(.cell(tag: CellTag.no, payload: 0, text: text))
        case UInt8(ascii: "n"): return Field(.cell(tag: CellTag.null, payload: 0, text: text))
        default: return Field(.cell(tag: CellTag.decimal, payload: 0, text: text))
        }
    }

    /// Becomes a value in a record.
    func move(to field: Field) {
        state.pointee.next = 0
        var field = field
        if case .cell(CellTag.json, _, let content) = field.content, let tape = CellTape(content) {
            text = tape
            field = Field(.json(tape.bytes, UnsafePointer(tape.tape), 0))
        }
        state.pointee.field = field
        reset()
        state.pointee.object = nil
        if case .json(let bytes, let tape, let position) = field.content,
            bytes[Int(tape[position])] == UInt8(ascii: "{")
        {
            state.pointee.object = (bytes, tape, position)
        }
    }

    private func reset() {
        state.pointee.isFound = false
        if state.pointee.isDynamic { members = nil }
    }

    /// The value that the node is; nil for a row of fields.
    var field: Field? { state.pointee.field }

    private var isRow: Bool { step == nil }

    /// Whether the node has keys at all.
    var hasKeys: Bool { state.pointee.object != nil || isRow && state.pointee.field == nil }
}

// MARK: - Keys

extension DecodingNode {
    /// The field that `name` names; nil where there is none.
    @inline(__always) func field(_ name: String) -> Field? {
        let number = entry(name)
        return number < 0 ? dynamicField(name) : field(number)
    }

    /// The text of the cell that `name` names, where that is all there is to it: a cell of a CSV index that nobody set, not empty,
    /// without quotes, and nothing that means null. Nil: ask for the field.
    @inline(__always) func plainText(_ name: String) -> UnsafeBufferPointer<UInt8>? {
        guard let cells = state.pointee.cells else { return nil }
        let number = entry(name)
        guard number >= 0, state.pointee.entries[number].overlay < 0 else { return nil }
        let text = cells.text(state.pointee.entries[number].column)
        // Asked once more for the field, it is the one asked for last.
        return text
    }

    /// The entry of `name`, from the order of calls; -1 where keys are not learnt.
    @inline(__always) private func entry(_ name: String) -> Int {
        let words = unsafeBitCast(name, to: (UInt64, UInt64).self)
        let guess = state.pointee.next
        if guess < state.pointee.count, state.pointee.entries[guess].words == words {
            state.pointee.next = guess + 1
            state.pointee.last = guess
            return guess
        }
        return entrySlowly(name, words)
    }

    private func entrySlowly(_ name: String, _ words: (UInt64, UInt64)) -> Int {
        if state.pointee.isDynamic { return -1 }
        // The one asked for just now, then any.
        let last = state.pointee.last
        if last < state.pointee.count, state.pointee.entries[last].words == words { return last }
        let count = state.pointee.count
        let number =
            (0..<count).first { state.pointee.entries[$0].words == words }
            ?? (0..<count).first { state.pointee.entries[$0].name.hasSameBytes(as: name) } ?? learn(name, words)
        state.pointee.last = max(0, number)
        state.pointee.next = number + 1
        return number
    }

    private func learn(_ name: String, _ words: (UInt64, UInt64)) -> Int {
        let count = state.pointee.count
        if count == Self.maxLearnt {
            forgetKeys()
            return -1
        }
        if count == state.pointee.capacity {
            let larger = UnsafeMutablePointer<KeyEntry>.allocate(capacity: count * 2)
            larger.moveInitialize(from: state.pointee.entries, count: count)
            state.pointee.entries.deallocate()
            state.pointee.entries = larger
            state.pointee.capacity = count * 2
        }
        var overlay = -1
        var column = -1
        if isRow {
            overlay = plan.storage.core.pointee.findColumn(name) ?? -1
            if let base = plan.base { column = base.schema?.index(of: name).map { base.indexColumn($0) } ?? -1 }
        }
        (state.pointee.entries + count).initialize(
            to: KeyEntry(name: name, words: words, overlay: overlay, column: column, child: nil))
        state.pointee.count = count + 1
        keys.append(name)
        state.pointee.isFound = false
        return count
    }

    /// From now on members are found through a table of each object's own.
    private func forgetKeys() {
        state.pointee.isDynamic = true
        members = nil
        state.pointee.entries.deinitialize(count: state.pointee.count)
        state.pointee.count = 0
    }

    @inline(__always) private func field(_ number: Int) -> Field? {
        if isRow {
            let overlay = state.pointee.entries[number].overlay
            if overlay >= 0, let cell = plan.storage.overlayField(overlay, slot: state.pointee.slot) { return cell }
            let column = state.pointee.entries[number].column
            if column >= 0 {
                guard state.pointee.slot < plan.baseRows else { return nil }
                return plan.base.unsafelyUnwrapped.indexedField(plan.firstRow + state.pointee.slot, column)
            }
        }
        return member(number)
    }

    private func member(_ number: Int) -> Field? {
        guard let (bytes, tape, position) = state.pointee.object else { return nil }
        if !state.pointee.isFound {
            keys.find(bytes, tape, position)
            state.pointee.isFound = true
        }
        let place = keys.places[number]
        return place == JSONTape.absent ? nil : Field(.json(bytes, tape, Int(place)))
    }

    private func dynamicField(_ name: String) -> Field? {
        if isRow {
            if let overlay = plan.storage.core.pointee.findColumn(name),
                let cell = plan.storage.overlayField(overlay, slot: state.pointee.slot)
            {
                return cell
            }
            if plan.base?.schema != nil { return plan.storage.baseField(name, slot: state.pointee.slot) }
        }
        guard let (bytes, tape, position) = state.pointee.object else { return nil }
        if members == nil {
            var found: [ByteKey: Int] = [:]
            JSONMembers(bytes: bytes, tape: tape, position: position).forEach { found[ByteKey(text: $0)] = $1 }
            members = found
        }
        return members?[ByteKey(text: name)].map { Field(.json(bytes, tape, $0)) }
    }

    /// All keys, in order. Who asks for them does not know them, so the next record's may be others.
    func allKeys() -> [String] {
        if !state.pointee.isDynamic { forgetKeys() }
        if isRow { return plan.storage.keys(slot: state.pointee.slot) }
        guard let (bytes, tape, position) = state.pointee.object else { return [] }
        var names: [String] = []
        var known: Set<ByteKey> = []
        JSONMembers(bytes: bytes, tape: tape, position: position).forEach { key, _ in
            if known.insert(ByteKey(text: key)).inserted { names.append(key) }
        }
        return names
    }
}

// MARK: - Children

extension DecodingNode {
    /// The node of the value of `name`, to be moved there. Used by who decodes it at once.
    func child(_ name: String) -> DecodingNode {
        let number = entry(name)
        guard number >= 0 else {
            let child = anyChildNode()
            child.step?.name = name
            child.step?.index = nil
            return child
        }
        if let child = state.pointee.entries[number].child { return child }
        let child = DecodingNode(plan, CodingStep(step, name: name), isReused: isReused)
        state.pointee.entries[number].child = child
        return child
    }

    func child(_ index: Int) -> DecodingNode {
        let child = anyChildNode()
        child.step?.index = index
        return child
    }

    private func anyChildNode() -> DecodingNode {
        if let anyChild { return anyChild }
        let child = DecodingNode(plan, CodingStep(step, name: ""), isReused: isReused)
        anyChild = child
        return child
    }

    /// A node of its own, for containers that others are used beside.
    func detachedChild(_ name: String, _ index: Int? = nil) -> DecodingNode {
        DecodingNode(plan, CodingStep(step, name: name, index: index), isReused: false)
    }

    /// The container of this node, made once where it is reused.
    func keyed<Key: CodingKey>(_ type: Key.Type) -> KeyedDecodingContainer<Key> {
        guard isReused else { return KeyedDecodingContainer(KeyedNode(node: self)) }
        if containerKey == ObjectIdentifier(type), let container {
            return unsafeDowncast(container, to: KeptContainer<Key>.self).container
        }
        return keepKeyed(type)
    }

    /// Apart, so that the runtime is asked for `KeptContainer<Key>` when one is made, not with every record.
    @inline(never) private func keepKeyed<Key: CodingKey>(_ type: Key.Type) -> KeyedDecodingContainer<Key> {
        let kept = KeptContainer(KeyedDecodingContainer(KeyedNode<Key>(node: self)))
        container = kept
        containerKey = ObjectIdentifier(type)
        return kept.container
    }

    private final class KeptContainer<Key: CodingKey> {
        let container: KeyedDecodingContainer<Key>
        init(_ container: KeyedDecodingContainer<Key>) { self.container = container }
    }

    /// The value of this node as any type.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let id = ObjectIdentifier(type)
        if conversionType != id {
            conversion = plan.conversion(type)
            conversionType = id
        }
        guard let conversion, let field else { return try T(from: decoder) }
        return try convert(field, to: type, conversion)
    }

    /// Apart, so that the runtime is asked for `T?` only where it is needed.
    @inline(never) private func convert<T>(
        _ field: Field, to type: T.Type, _ conversion: DecodingPlan.Conversion
    ) throws -> T {
        do {
            if let value = try conversion(field) as? T { return value }
        } catch {
            // Whatever it throws, the place is ours to say.
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: path, debugDescription: "the field is no \(type)", underlyingError: error))
        }
        throw unfit(field, type, path)
    }
}

// MARK: - Errors

extension DecodingNode {
    func missing(_ key: some CodingKey) -> DecodingError {
        .keyNotFound(key, DecodingError.Context(codingPath: path + [key], debugDescription: "the field is missing"))
    }

    /// Why `field` did not become a `type`.
    func unfit(_ field: Field, _ type: Any.Type, _ path: [any CodingKey]) -> DecodingError {
        guard field.isNull else { return mismatch(type, path) }
        return .valueNotFound(type, DecodingError.Context(codingPath: path, debugDescription: "the field is null"))
    }

    func mismatch(_ type: Any.Type, _ path: [any CodingKey]) -> DecodingError {
        .typeMismatch(type, DecodingError.Context(codingPath: path, debugDescription: "the field is no \(type)"))
    }
}
