extension RecordBatch {
    /// Values as records: each becomes the fields that its type encodes, in that order.
    ///
    /// Numbers, strings and Booleans are written to columns as they come; arrays and objects become JSON. Nil that a type leaves out
    /// is no field.
    ///
    /// - Parameter conversions: how types are written that would not do it themselves, as dates.
    /// - Throws: `StreamError` with the record's place among the values, from 1, and the column; `unsupported` where a value is no
    ///   object.
    public init<T: Encodable>(
        encoding values: [T], converting conversions: [CodingConversion] = []
    ) throws(StreamError) {
        let rows = EncodedRows(values.count, EncodingPlan(conversions))
        for (slot, value) in values.enumerated() {
            do {
                try rows.encode(value, slot)
            } catch {
                throw StreamError(encoding: slot + 1, error)
            }
        }
        self.init(rows.storage)
    }
}

/// Rows that are being encoded, straight into the columns of a batch.
private final class EncodedRows {
    let storage: BatchStorage
    let plan: EncodingPlan
    private var slot = 0
    /// Columns of the row in the order of its keys, and whether that is the order of the columns.
    private var order: [Int] = []
    private var isInOrder = true
    /// Fields that containers may still write to.
    private var unfinished: [(column: Int, value: EncodedValue)] = []
    private var isObject = false

    init(_ count: Int, _ plan: EncodingPlan) {
        storage = BatchStorage(base: nil, core: BatchCore(firstRow: 0, baseRows: 0, slotCount: count))
        self.plan = plan
    }

    func encode(_ value: some Encodable, _ slot: Int) throws {
        self.slot = slot
        order.removeAll(keepingCapacity: true)
        isInOrder = true
        isObject = false
        try value.encode(to: RowEncoderOfType(rows: self))
        guard isObject else {
            throw StreamError(.unsupported, "the value is no object, so it has no fields", stage: "process")
        }
        for (column, value) in unfinished { storage.core.pointee.setCell(column, slot, to: value.value) }
        unfinished.removeAll(keepingCapacity: true)
        if !isInOrder { storage.core.pointee.note(KeyOrder(columns: order, isAlone: false), slot) }
    }

    func begin() { isObject = true }

    func set(_ name: String, _ value: Value) {
        storage.core.pointee.setCell(column(name), slot, to: value)
    }

    /// A field whose value comes later.
    func value(_ name: String) -> EncodedValue {
        let value = EncodedValue()
        unfinished.append((column(name), value))
        return value
    }

    private func column(_ name: String) -> Int {
        let number = storage.core.pointee.column(named: name)
        if let last = order.last, number <= last {
            if order.contains(number) { return number }
            isInOrder = false
        }
        order.append(number)
        return number
    }
}

/// A row as an `Encoder`. What is not keyed goes nowhere: `EncodedRows` refuses it.
private struct RowEncoderOfType: Encoder {
    let rows: EncodedRows

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        rows.begin()
        return KeyedEncodingContainer(KeyedEncodedRow(rows: rows))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        NodeEncoder(plan: rows.plan, node: EncodedValue(), step: nil).unkeyedContainer()
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { WholeRow(encoder: self) }
}

/// A type that encodes as another one.
private struct WholeRow: SingleValueEncodingContainer {
    let encoder: RowEncoderOfType

    var codingPath: [any CodingKey] { [] }
    func encodeNil() {}

    func encode<T: Encodable>(_ value: T) throws {
        if !(value is any FieldConvertible) { try value.encode(to: encoder) }
    }
}

private struct KeyedEncodedRow<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let rows: EncodedRows

    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) { rows.set(key.stringValue, .null) }
    func encode(_ value: Bool, forKey key: Key) { rows.set(key.stringValue, .bool(value)) }
    func encode(_ value: String, forKey key: Key) { rows.set(key.stringValue, .string(value)) }
    func encode(_ value: Double, forKey key: Key) { rows.set(key.stringValue, .double(value)) }
    func encode(_ value: Float, forKey key: Key) { rows.set(key.stringValue, Value(value)) }
    func encode(_ value: Int, forKey key: Key) { rows.set(key.stringValue, .int(Int64(value))) }
    func encode(_ value: Int64, forKey key: Key) { rows.set(key.stringValue, .int(value)) }
    func encode(_ value: Int32, forKey key: Key) { rows.set(key.stringValue, .int(Int64(value))) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        let name = key.stringValue
        rows.set(name, try rows.plan.encoded(value, CodingStep(nil, name: name)).value)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { field(key.stringValue).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        field(key.stringValue).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { field("super") }
    func superEncoder(forKey key: Key) -> any Encoder { field(key.stringValue) }

    private func field(_ name: String) -> NodeEncoder {
        NodeEncoder(plan: rows.plan, node: rows.value(name), step: CodingStep(nil, name: name))
    }
}

extension StreamError {
    fileprivate init(encoding record: Int, _ error: any Error) {
        if let error = error as? StreamError {
            self = error
        } else if case EncodingError.invalidValue(_, let context) = error {
            self.init(.typeMismatch, "the value cannot be encoded", stage: "process", underlying: error)
            let path = context.codingPath.map(\.stringValue)
            column = path.isEmpty ? nil : path.joined(separator: ".")
        } else {
            self.init(.processorFailed, "\(error)", stage: "process", underlying: error)
        }
        self.record = self.record ?? record
    }
}
