/// A type that a field can be read as, by `record["name", as: Int.self]` and `batch.column("name", as: Int.self)`.
///
/// Text is parsed by the grammar of inferred CSV cells, in place: a JSON number is a number, `true` and `false` are Booleans;
/// `007`, `+1`, `.5`, ` 1` are neither. `Int` refuses `1.0`, `1e5` and whatever it cannot hold.
public protocol FieldConvertible {
    /// Nil where the field does not fit.
    init?(field: borrowing Field)
    /// The value as a field holds it.
    var value: Value { get }
}

extension FieldConvertible where Self: FixedWidthInteger {
    @inlinable public init?(field: borrowing Field) {
        if let wide = field.int64 {
            self.init(exactly: wide)
        } else {
            // The upper half of the unsigned range, which Int64 has not.
            guard let wide = field.uint64 else { return nil }
            self.init(exactly: wide)
        }
    }

    public var value: Value { Value(self) }
}

extension Int: FieldConvertible {}
extension Int8: FieldConvertible {}
extension Int16: FieldConvertible {}
extension Int32: FieldConvertible {}
extension Int64: FieldConvertible {}
extension UInt: FieldConvertible {}
extension UInt8: FieldConvertible {}
extension UInt16: FieldConvertible {}
extension UInt32: FieldConvertible {}
extension UInt64: FieldConvertible {}

extension Double: FieldConvertible {
    @inlinable public init?(field: borrowing Field) {
        guard let value = field.double else { return nil }
        self = value
    }

    public var value: Value { .double(self) }
}

extension Float: FieldConvertible {
    @inlinable public init?(field: borrowing Field) {
        guard let value = field.float else { return nil }
        self = value
    }

    /// The double that the shortest text of it spells: 0.1 stays 0.1.
    @inlinable public var value: Value { Value(self) }
}

extension Bool: FieldConvertible {
    @inlinable public init?(field: borrowing Field) {
        guard let value = field.bool else { return nil }
        self = value
    }

    public var value: Value { .bool(self) }
}

extension String: FieldConvertible {
    @inlinable public init?(field: borrowing Field) {
        guard let value = field.string else { return nil }
        self = value
    }

    public var value: Value { .string(self) }
}

extension Value: FieldConvertible {
    public init?(field: borrowing Field) { self = field.value }
    public var value: Value { self }
}

extension Field {
    @usableFromInline var int64: Int64? {
        if case .cell(let tag, let payload, _) = content, tag == CellTag.int { return Int64(bitPattern: payload) }
        return withPlainText { NumberText.int64($0) }
    }

    /// An integer that is past `Int64`.
    @usableFromInline var uint64: UInt64? {
        withPlainText { text in
            NumberText.isNumber(text) ? UInt64(String(decoding: text, as: UTF8.self)) : nil
        }
    }

    /// Nil where the number is too large for a double.
    @usableFromInline var double: Double? {
        if case .cell(let tag, let payload, _) = content {
            if tag == CellTag.double { return Double(bitPattern: payload) }
            if tag == CellTag.int { return Double(Int64(bitPattern: payload)) }
        }
        return withPlainText { text in NumberText.double(text).flatMap { $0.isFinite ? $0 : nil } }
    }

    /// The nearest float, of the text where the double nearest to that is half way between two floats. Nil where it is too large.
    @usableFromInline var float: Float? {
        guard let value = double else { return nil }
        var nearest = Float(value)
        let rest = value - Double(nearest)
        let other = value + rest
        if rest != 0, Double(Float(other)) == other {
            if case .cell(let tag, let payload, _) = content, tag == CellTag.int {
                nearest = Float(Int64(bitPattern: payload))
            } else if let exact = withPlainText({ Float(String(decoding: $0, as: UTF8.self)) }) {
                nearest = exact
            }
        }
        return nearest.isInfinite && value.isFinite ? nil : nearest
    }

    @usableFromInline var bool: Bool? {
        if case .cell(let tag, _, _) = content {
            if tag == CellTag.yes { return true }
            if tag == CellTag.no { return false }
        }
        return withPlainText { text in
            if text.elementsEqual("true".utf8) { return true }
            return text.elementsEqual("false".utf8) ? false : nil
        }
    }
}
