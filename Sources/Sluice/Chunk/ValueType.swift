/// The kinds of values, as inspections tell them.
public enum ValueType: String, Sendable, CaseIterable {
    case null
    case bool
    /// A number that `Int64` holds.
    case int
    /// Another number that `Double` holds, if perhaps by another text: `0.5`, `0.50`, `1e5`.
    case double
    /// A number that neither holds: `1e400`, ids of 20 digits.
    case decimal
    case string
    case bytes
    case array
    case object
}

extension Value {
    var type: ValueType {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .decimal(var text): text.withUTF8 { NumberText.isDouble($0) } ? .double : .decimal
        case .string: .string
        case .bytes: .bytes
        case .array: .array
        case .object: .object
        }
    }
}

extension Field {
    /// What kind of value it has. Of JSON nothing but numbers is decoded for that.
    var type: ValueType {
        if case .json(let bytes, let tape, let position) = content {
            switch bytes[Int(tape[position])] {
            case UInt8(ascii: "{"): return .object
            case UInt8(ascii: "["): return .array
            case UInt8(ascii: "\""): return .string
            default: break
            }
        }
        return value.type
    }
}

extension NumberText {
    /// Whether `Double` holds the number that a text is which is not the shortest one of any double. It does hold all of up to
    /// 15 digits that are in its range.
    fileprivate static func isDouble(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let zero = UInt8(ascii: "0")
        let digits = text.prefix { $0 | 0x20 != UInt8(ascii: "e") }.filter { $0 >= zero }.drop { $0 == zero }
        guard let last = digits.lastIndex(where: { $0 != zero }) else { return true }
        guard let double = double(text), double.isNormal else { return false }
        return last - digits.startIndex < 15
    }
}
