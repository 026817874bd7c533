/// What a field holds.
///
/// Numbers whose text `Int64` or `Double` would change (`1e400`, `0.10`, 20-digit ids) are `.decimal`, with that text: reading
/// and writing them loses nothing.
public enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    /// A JSON number by its text.
    case decimal(String)
    case string(String)
    /// Bytes; written as base64 where the format has none.
    case bytes([UInt8])
    case array([Value])
    case object(ValueObject)
}

extension Value {
    @inlinable public init(_ value: Bool) { self = .bool(value) }
    @inlinable public init(_ value: Double) { self = .double(value) }
    /// The double that the shortest text of the float spells: 0.1 stays 0.1.
    @inlinable public init(_ value: Float) { self = .double(Double(value.description) ?? Double(value)) }
    @inlinable public init(_ value: String) { self = .string(value) }
    @inlinable public init(_ value: Substring) { self = .string(String(value)) }
    @inlinable public init(_ value: [UInt8]) { self = .bytes(value) }
    @inlinable public init(_ value: [Value]) { self = .array(value) }
    @inlinable public init(_ value: ValueObject) { self = .object(value) }

    /// An integer; past `Int64` it is a `.decimal`.
    @inlinable public init(_ value: some BinaryInteger) {
        if let small = Int64(exactly: value) { self = .int(small) } else { self = .decimal("\(value)") }
    }

    /// The value, or null for nil.
    @inlinable public init<T>(_ value: T?) where T: FieldConvertible {
        self = value.map { $0.value } ?? .null
    }
}

extension Value {
    @inlinable public var isNull: Bool { if case .null = self { true } else { false } }

    /// The Boolean, if it is one.
    @inlinable public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The integer, if it is one that `Int` holds.
    @inlinable public var intValue: Int? { if case .int(let value) = self { Int(exactly: value) } else { nil } }

    /// The nearest double of any number.
    public var doubleValue: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        case .decimal(let text): NumberText.double(text)
        default: nil
        }
    }

    /// The string, if it is one.
    @inlinable public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The elements, if it is an array.
    @inlinable public var arrayValue: [Value]? { if case .array(let value) = self { value } else { nil } }

    /// The members, if it is an object.
    @inlinable public var objectValue: ValueObject? { if case .object(let value) = self { value } else { nil } }

    /// A member of an object; nil for other values and missing keys.
    @inlinable public subscript(key: String) -> Value? { objectValue?[key] }

    /// An element of an array; nil for other values and past its ends.
    @inlinable public subscript(index: Int) -> Value? {
        guard let array = arrayValue, array.indices.contains(index) else { return nil }
        return array[index]
    }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    @inlinable public init(nilLiteral: ()) { self = .null }
    @inlinable public init(booleanLiteral value: Bool) { self = .bool(value) }
    @inlinable public init(integerLiteral value: Int64) { self = .int(value) }
    @inlinable public init(floatLiteral value: Double) { self = .double(value) }
    @inlinable public init(stringLiteral value: String) { self = .string(value) }
    @inlinable public init(arrayLiteral elements: Value...) { self = .array(elements) }
    @inlinable public init(dictionaryLiteral elements: (String, Value)...) { self = .object(ValueObject(elements)) }
}

extension Value: Hashable {
    /// Equal by kind and content; NaN equals nothing, members of objects count in any order. Strings are equal as Swift has it,
    /// by canonical equivalence; keys by their bytes.
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.double(let a), .double(let b)): a == b
        case (.decimal(let a), .decimal(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.bytes(let a), .bytes(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value)
        case .decimal(let text), .string(let text): hasher.combine(text)
        case .bytes(let bytes): hasher.combine(bytes)
        case .array(let values): hasher.combine(values)
        case .object(let members): hasher.combine(members.count)
        }
    }
}

extension Value: CustomStringConvertible {
    /// Compact JSON; NaN and infinities, which have none, by their names.
    public var description: String {
        var writer = JSONText(spellsNotFinite: true)
        writer.append(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// A JSON object as a value: members in order, keys unique.
public struct ValueObject: Sendable, Hashable {
    @usableFromInline var members: [(key: String, value: Value)] = []

    public init() {}

    /// Members in order; of duplicate keys the last value counts, at the first one's place.
    /// Complexity: O(n).
    public init(_ members: some Sequence<(String, Value)>) {
        var places: [ByteKey: Int] = [:]
        for (key, value) in members {
            if let place = places.updateValue(self.members.count, forKey: ByteKey(text: key)) {
                places[ByteKey(text: key)] = place
                self.members[place].value = value
            } else {
                self.members.append((key, value))
            }
        }
    }

    /// Complexity: O(n).
    public subscript(key: String) -> Value? {
        get { members.first { $0.key.hasSameBytes(as: key) }?.value }
        set {
            let place = members.firstIndex { $0.key.hasSameBytes(as: key) }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append((key, value))
            case (nil, nil): break
            }
        }
    }

    /// Keys, in order.
    public var keys: [String] { members.map(\.key) }

    public static func == (left: ValueObject, right: ValueObject) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(members.count) }
}

extension ValueObject: RandomAccessCollection, ExpressibleByDictionaryLiteral {
    public var startIndex: Int { 0 }
    public var endIndex: Int { members.count }
    public subscript(position: Int) -> (key: String, value: Value) { members[position] }
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}

extension String {
    /// Names are equal where their bytes are: Swift's `==` also takes the composed and decomposed forms of a character for equal,
    /// and two keys of one record would become one.
    func hasSameBytes(as other: String) -> Bool {
        if hasSameWords(as: other) { return true }
        var one = self
        var two = other
        return one.withUTF8 { one in
            two.withUTF8 { two in one.count == two.count && zip(one, two).allSatisfy { $0 == $1 } }
        }
    }

    /// Whether the two are the same short text or the same storage: then they are equal. The reverse does not hold.
    func hasSameWords(as other: String) -> Bool {
        unsafeBitCast(self, to: (UInt64, UInt64).self) == unsafeBitCast(other, to: (UInt64, UInt64).self)
    }
}

/// A string as a key by its bytes.
struct ByteKey: Hashable {
    let text: String

    static func == (left: ByteKey, right: ByteKey) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
