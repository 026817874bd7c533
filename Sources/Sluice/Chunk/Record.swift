/// One record: a row of a batch, seen in place, or a row of its own.
///
/// Reading looks at the bytes of the input and at what was set over them; nothing is decoded that is not asked for. Writing to
/// a record that a batch lends (`batch[i]["name"] = value`) writes into the batch; writing to a copy makes it a row of its
/// own first. Keys keep their order.
public struct Record: Sendable {
    /// Nil only while it is moved elsewhere.
    @usableFromInline var access: BatchAccess?
    @usableFromInline var slot: Int

    @usableFromInline init(access: consuming BatchAccess?, slot: Int) {
        self.access = access
        self.slot = slot
    }

    /// A record of no fields.
    public init() {
        self.init(access: BatchAccess(base: nil, core: BatchCore(firstRow: 0, baseRows: 0, slotCount: 1)), slot: 0)
    }

    /// A record of these fields, in this order; of duplicate names the last value counts.
    public init(_ fields: some Sequence<(String, Value)>) {
        var core = BatchCore(firstRow: 0, baseRows: 0, slotCount: 1)
        for (name, value) in fields { core.set(name, slot: 0, to: value) }
        self.init(access: BatchAccess(base: nil, core: core), slot: 0)
    }

    @inlinable var storage: BatchStorage {
        get {
            guard let access else { preconditionFailure("a record was used while it was being moved") }
            return access.storage
        }
    }

    /// A field's value; nil where there is none. Setting nil removes the field, setting `.null` writes null. A field that is new comes
    /// last; one that the record has of its file keeps its place, also when it is removed and set again.
    ///
    /// Complexity: reading is O(columns) for JSON records, O(1) for others, and decodes the one field. Setting in a loop over
    /// records allocates nothing per record but for text, which is copied once.
    public subscript(name: String) -> Value? {
        get { storage.field(name, slot: slot)?.value }
        @inlinable set {
            if !isKnownUniquelyReferenced(&access) { detach() }
            // SAFETY: an access is nil only inside `RecordBatch._modify`, between its two swaps, where no code of others runs.
            access.unsafelyUnwrapped.core.pointee.set(name, slot: slot, to: newValue)
        }
    }

    /// A field read as `T`, in place; nil where it is missing or does not fit.
    @inlinable public subscript<T: FieldConvertible>(name: String, as type: T.Type) -> T? {
        guard let field = storage.field(name, slot: slot) else { return nil }
        return T(field: field)
    }

    /// A field read as `T`.
    /// - Throws: `StreamError` with record and column: `missingField` where there is none, `nullField` where it is null (an empty CSV
    ///   cell is, but for strings), `typeMismatch` where it does not fit.
    public func require<T: FieldConvertible>(_ name: String, as type: T.Type) throws(StreamError) -> T {
        if let value = self[name, as: type] { return value }
        throw unfit(storage.field(name, slot: slot), name, type)
    }

    /// Why a field did not become a `type`.
    func unfit(_ field: Field?, _ name: String, _ type: Any.Type) -> StreamError {
        let (code, message): (StreamError.Code, String) =
            switch field?.isNull {
            case nil: (.missingField, "the field is missing")
            case true?: (.nullField, "the field is null")
            case false?: (.typeMismatch, "the field is no \(type)")
            }
        return StreamError(
            code, message, path: storage.base?.origin.path, record: number, byteOffset: byteOffset, column: name,
            stage: "process")
    }

    /// Names of the fields, in order.
    public var keys: [String] { storage.keys(slot: slot) }

    /// The fields, decoded, in order.
    public var fields: [(key: String, value: Value)] {
        keys.compactMap { key in self[key].map { (key, $0) } }
    }

    /// The fields as a dictionary, decoded; the order of keys is lost.
    public func toDictionary() -> [String: Value] {
        Dictionary(fields.map { ($0.key, $0.value) }) { _, last in last }
    }

    /// The whole record as one value: an object of its fields, or what a JSON line holds that is no object.
    public var value: Value {
        if keys.isEmpty, let whole = storage.wholeValue(slot: slot) { return whole }
        return .object(ValueObject(fields.map { ($0.key, $0.value) }))
    }

    /// Number of the record in its file, from 1; nil for records that come from none. Complexity: O(bytes before it in its
    /// unit); it is meant for messages.
    public var number: Int? {
        guard let base = storage.base, slot < storage.core.pointee.baseRows else { return nil }
        return base.number(storage.core.pointee.firstRow + slot)
    }

    /// Offset in its (decompressed) file of the record's first byte; nil for records that come from none. Complexity: constant,
    /// or O(bytes before it in its unit) where the file is not UTF-8.
    public var byteOffset: Int? {
        guard let base = storage.base, slot < storage.core.pointee.baseRows else { return nil }
        return base.byteOffset(of: base.extent(storage.core.pointee.firstRow + slot).lowerBound)
    }

    /// Bytes that the record has of its input.
    var byteCount: Int {
        guard let base = storage.base, slot < storage.core.pointee.baseRows else { return 0 }
        return base.extent(storage.core.pointee.firstRow + slot).count
    }

    /// Becomes a row of its own, on the same bytes. Complexity: O(columns that were set).
    @usableFromInline mutating func detach() {
        let storage = storage
        access = BatchAccess(base: storage.base, core: storage.core.pointee.row(slot))
        slot = 0
    }
}

extension Record: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}

extension Record: Equatable {
    /// Equal where the same keys have equal values, in any order.
    public static func == (left: Record, right: Record) -> Bool { left.value == right.value }
}

extension Record: CustomStringConvertible {
    /// Compact JSON.
    public var description: String { value.description }
}

extension BatchStorage {
    /// What a JSON line holds, if it is no object.
    func wholeValue(slot: Int) -> Value? {
        guard let base, slot < core.pointee.baseRows, core.pointee.keyOrders?[slot]?.isAlone != true,
            case .json(let tape, let rows, nil) = base.layout
        else {
            return nil
        }
        let row = rows[core.pointee.firstRow + slot]
        let members = JSONMembers(bytes: base.bytes, tape: tape, position: Int(row.tape))
        guard !members.isObject else { return nil }
        // The tape does not tell where a scalar ends that nothing follows; the row does.
        let text = UnsafeBufferPointer(start: base.bytes + Int(row.start), count: Int(row.end - row.start))
        if members.isNumber { return NumberText.value(text) }
        if text.first == UInt8(ascii: "\""), let start = text.baseAddress {
            return .string(QuotedText.jsonString(start, limit: text.count))
        }
        return Field.value(base.bytes, tape, Int(row.tape))
    }
}
