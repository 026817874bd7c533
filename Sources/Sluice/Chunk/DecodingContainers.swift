/// A node as a `Decoder`.
struct NodeDecoder: Decoder {
    let node: DecodingNode

    var codingPath: [any CodingKey] { node.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard node.hasKeys else { throw unfit([String: Value].self) }
        return node.keyed(type)
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let field = node.field, let elements = ElementsOfNode(node: node, field) else {
            throw unfit([Value].self)
        }
        return elements
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { ValueOfNode(node: node) }

    private func unfit(_ type: Any.Type) -> DecodingError {
        node.field.map { node.unfit($0, type, node.path) } ?? node.mismatch(type, node.path)
    }
}

/// The fields of a row, or the members of an object.
struct KeyedNode<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let node: DecodingNode

    var codingPath: [any CodingKey] { node.path }
    var allKeys: [Key] { node.allKeys().compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { node.field(key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool {
        guard let field = node.field(key.stringValue) else { throw node.missing(key) }
        return field.isNull
    }

    @inline(__always) private func read<T: FieldConvertible>(_ key: Key, _ type: T.Type) throws -> T {
        guard let field = node.field(key.stringValue) else { throw node.missing(key) }
        guard let value = T(field: field) else { throw node.unfit(field, type, node.path + [key]) }
        return value
    }

    /// The shortest ways, of what most fields of CSV are; nil: take the long one, which tells what is wrong, too.
    @inline(__always) private func integer(_ key: Key) -> Int? {
        guard let text = node.plainText(key.stringValue) else { return nil }
        return NumberText.short(text) ?? NumberText.int64(text).flatMap { Int(exactly: $0) }
    }

    @inline(__always) private func finite(_ key: Key) -> Double? {
        guard let text = node.plainText(key.stringValue) else { return nil }
        if let short = NumberText.short(text) { return Double(short) }
        return NumberText.double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    /// Nil where the field is missing or null; an empty CSV cell is null.
    @inline(__always) private func readIfPresent<T: FieldConvertible>(_ key: Key, _ type: T.Type) throws -> T? {
        guard let field = node.field(key.stringValue), !field.isNull else { return nil }
        guard let value = T(field: field) else { throw node.unfit(field, type, node.path + [key]) }
        return value
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try read(key, type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        if let text = node.plainText(key.stringValue) { return String(validated: text) }
        return try read(key, type)
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        if let value = finite(key) { return value }
        return try read(key, type)
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try read(key, type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        if let value = integer(key) { return value }
        return try read(key, type)
    }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try read(key, type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try read(key, type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try read(key, type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try read(key, type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try read(key, type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try read(key, type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try read(key, type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try read(key, type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try read(key, type) }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        if let text = node.plainText(key.stringValue) { return String(validated: text) }
        return try readIfPresent(key, type)
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        if let value = finite(key) { return value }
        return try readIfPresent(key, type)
    }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        if let value = integer(key) { return value }
        return try readIfPresent(key, type)
    }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try readIfPresent(key, type) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try readIfPresent(key, type) }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let name = key.stringValue
        guard let field = node.field(name) else { throw node.missing(key) }
        let child = node.child(name)
        child.move(to: field)
        return try child.decode(type)
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        let name = key.stringValue
        guard let field = node.field(name), !field.isNull else { return nil }
        let child = node.child(name)
        child.move(to: field)
        return try child.decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try detached(key).decoder.container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try detached(key).decoder.unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try superDecoder("super", PathKey(stringValue: "super")) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try superDecoder(key.stringValue, key) }

    private func superDecoder(_ name: String, _ key: some CodingKey) throws -> any Decoder {
        guard let field = node.field(name) else { throw node.missing(key) }
        let child = node.detachedChild(name)
        child.move(to: field)
        return child.decoder
    }

    private func detached(_ key: Key) throws -> DecodingNode {
        guard let field = node.field(key.stringValue) else { throw node.missing(key) }
        let child = node.detachedChild(key.stringValue)
        child.move(to: field)
        return child
    }
}

/// The elements of an array.
struct ElementsOfNode: UnkeyedDecodingContainer {
    private let node: DecodingNode
    private var place: UInt32
    private(set) var currentIndex = 0

    /// Nil where the field is no array.
    init?(node: DecodingNode, _ field: Field) {
        guard case .json(let bytes, let tape, let position) = field.content,
            bytes[Int(tape[position])] == UInt8(ascii: "[")
        else { return nil }
        self.node = node
        place = UInt32(position + 2)
    }

    var codingPath: [any CodingKey] { node.path }

    private var content: (bytes: UnsafePointer<UInt8>, tape: UnsafePointer<UInt32>, position: Int)? {
        guard case .json(let bytes, let tape, let position)? = node.field?.content else { return nil }
        return (bytes, tape, position)
    }

    /// Complexity: O(elements).
    var count: Int? {
        guard let (bytes, tape, position) = content else { return nil }
        var count = 0
        var place = position + 2
        while place < Int(tape[position + 1]) {
            place = JSONMembers.next(bytes, tape, place)
            count += 1
        }
        return count
    }

    var isAtEnd: Bool {
        guard let (_, tape, position) = content else { return true }
        return place >= tape[position + 1]
    }

    private func element(_ type: Any.Type) throws -> Field {
        guard !isAtEnd, let (bytes, tape, _) = content else {
            throw DecodingError.valueNotFound(
                type,
                DecodingError.Context(
                    codingPath: codingPath + [PathKey(intValue: currentIndex)],
                    debugDescription: "the array has no more elements"))
        }
        return Field(.json(bytes, tape, Int(place)))
    }

    private mutating func advance() {
        guard let (bytes, tape, _) = content else { return }
        place = UInt32(JSONMembers.next(bytes, tape, Int(place)))
        currentIndex += 1
    }

    mutating func decodeNil() throws -> Bool {
        let isNull = try element(Value.self).isNull
        if isNull { advance() }
        return isNull
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let child = node.child(currentIndex)
        child.move(to: try element(type))
        let value = try child.decode(type)
        advance()
        return value
    }

    private mutating func read<T: FieldConvertible>(_ type: T.Type) throws -> T {
        let field = try element(type)
        guard let value = T(field: field) else {
            throw node.unfit(field, type, codingPath + [PathKey(intValue: currentIndex)])
        }
        advance()
        return value
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try read(type) }
    mutating func decode(_ type: String.Type) throws -> String { try read(type) }
    mutating func decode(_ type: Double.Type) throws -> Double { try read(type) }
    mutating func decode(_ type: Float.Type) throws -> Float { try read(type) }
    mutating func decode(_ type: Int.Type) throws -> Int { try read(type) }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try read(type) }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try read(type) }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try read(type) }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try read(type) }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try read(type) }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try read(type) }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try read(type) }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try read(type) }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try read(type) }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try superDecoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try superDecoder().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder {
        let child = node.detachedChild("", currentIndex)
        child.move(to: try element(Value.self))
        advance()
        return child.decoder
    }
}

/// A value alone.
struct ValueOfNode: SingleValueDecodingContainer {
    let node: DecodingNode

    var codingPath: [any CodingKey] { node.path }
    func decodeNil() -> Bool { node.field?.isNull ?? false }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try node.decode(type) }

    private func read<T: FieldConvertible>(_ type: T.Type) throws -> T {
        guard let field = node.field else { throw node.mismatch(type, node.path) }
        guard let value = T(field: field) else { throw node.unfit(field, type, node.path) }
        return value
    }

    func decode(_ type: Bool.Type) throws -> Bool { try read(type) }
    func decode(_ type: String.Type) throws -> String { try read(type) }
    func decode(_ type: Double.Type) throws -> Double { try read(type) }
    func decode(_ type: Float.Type) throws -> Float { try read(type) }
    func decode(_ type: Int.Type) throws -> Int { try read(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try read(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try read(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try read(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try read(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try read(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try read(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try read(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try read(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try read(type) }
}
