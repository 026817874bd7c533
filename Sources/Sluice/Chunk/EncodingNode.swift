/// A value in the making. Containers write to it as long as they live, so what it holds is known when its record is finished.
final class EncodedValue {
    private enum Content {
        case nothing
        case value(Value)
        case object([(key: String, value: EncodedValue)])
        case array([EncodedValue])
    }

    private var content = Content.nothing

    init() {}
    init(_ value: Value) { content = .value(value) }

    func set(_ value: Value) { content = .value(value) }

    func beginObject() { if case .object = content {} else { content = .object([]) } }
    func beginArray() { if case .array = content {} else { content = .array([]) } }

    /// Sets a member of the object; of duplicate keys the last counts.
    func set(_ key: String, _ value: EncodedValue) {
        guard case .object(var members) = content else { return }
        content = .nothing
        members.append((key, value))
        content = .object(members)
    }

    func append(_ value: EncodedValue) {
        guard case .array(var elements) = content else { return }
        content = .nothing
        elements.append(value)
        content = .array(elements)
    }

    var count: Int { if case .array(let elements) = content { elements.count } else { 0 } }

    /// The finished value; of what encoded nothing an empty object.
    var value: Value {
        switch content {
        case .nothing: .object(ValueObject())
        case .value(let value): value
        case .object(let members): .object(ValueObject(members.map { ($0.key, $0.value.value) }))
        case .array(let elements): .array(elements.map(\.value))
        }
    }
}

/// What all encoders of one call share.
final class EncodingPlan {
    private let conversions: [ObjectIdentifier: CodingConversion.Encode]

    init(_ conversions: [CodingConversion]) {
        self.conversions = conversions.reduce(into: [:]) { $0[$1.type] = $1.encode ?? $0[$1.type] }
    }

    /// Any value as a node, encoded by its type or as the conversions say.
    func encoded<T: Encodable>(_ value: T, _ step: CodingStep?) throws -> EncodedValue {
        if !conversions.isEmpty, let convert = conversions[ObjectIdentifier(T.self)] {
            return EncodedValue(try convert(value))
        }
        if let value = value as? any FieldConvertible { return EncodedValue(value.value) }
        let node = EncodedValue()
        try value.encode(to: NodeEncoder(plan: self, node: node, step: step))
        return node
    }
}

/// A node as an `Encoder`, and as the container of one value.
struct NodeEncoder: Encoder, SingleValueEncodingContainer {
    let plan: EncodingPlan
    let node: EncodedValue
    let step: CodingStep?

    var codingPath: [any CodingKey] { step?.path ?? [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.beginObject()
        return KeyedEncodingContainer(KeyedEncodedNode(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.beginArray()
        return ElementsOfEncodedNode(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() { node.set(.null) }
    func encode<T: Encodable>(_ value: T) throws { node.set(try plan.encoded(value, step).value) }

    func encoder(_ key: String, _ node: EncodedValue, _ index: Int? = nil) -> NodeEncoder {
        NodeEncoder(plan: plan, node: node, step: CodingStep(step, name: key, index: index))
    }
}

private struct KeyedEncodedNode<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: NodeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) { encoder.node.set(key.stringValue, EncodedValue(.null)) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        let name = key.stringValue
        encoder.node.set(name, try encoder.plan.encoded(value, CodingStep(encoder.step, name: name)))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { member(key.stringValue).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        member(key.stringValue).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { member("super") }
    func superEncoder(forKey key: Key) -> any Encoder { member(key.stringValue) }

    private func member(_ name: String) -> NodeEncoder {
        let node = EncodedValue()
        encoder.node.set(name, node)
        return encoder.encoder(name, node)
    }
}

private struct ElementsOfEncodedNode: UnkeyedEncodingContainer {
    let encoder: NodeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.node.count }

    func encodeNil() { encoder.node.append(EncodedValue(.null)) }

    func encode<T: Encodable>(_ value: T) throws {
        encoder.node.append(try encoder.plan.encoded(value, CodingStep(encoder.step, name: "", index: count)))
    }

    func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        element().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { element().unkeyedContainer() }
    func superEncoder() -> any Encoder { element() }

    private func element() -> NodeEncoder {
        let index = count
        let node = EncodedValue()
        encoder.node.append(node)
        return encoder.encoder("", node, index)
    }
}
