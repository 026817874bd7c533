/// What a field of a record has to be.
///
///     FieldRule("age", .integer, isRequired: true, min: 0, max: 150)
///
/// A field that is missing or null (an empty CSV cell without quotes is) meets all rules but `isRequired`.
public struct FieldRule: Sendable {
    /// What a value is. A CSV cell is a string, and also what its text is.
    public enum FieldType: String, Sendable, CaseIterable {
        case string
        /// A number without fraction and exponent, however many digits it has: `1.0` and `1e5` are none.
        case integer
        /// A number as JSON has it: `007`, `+1` and `.5` are none.
        case number
        /// `true` or `false`.
        case boolean
    }

    /// The field: a top-level key, or a CSV column.
    public var field: String
    /// Nil: any.
    public var type: FieldType?
    /// Whether the field has to be there, and not null.
    public var isRequired: Bool
    /// The least number, and the greatest; what is no number does not meet them. Numbers that `Int64` holds are compared
    /// exactly, others as doubles.
    public var min: Bound?
    public var max: Bound?
    /// What all of the field's text has to match; that of a number or Boolean is as it is written. Arrays and objects have
    /// none.
    public var pattern: Pattern?

    public init(
        _ field: String, _ type: FieldType? = nil, isRequired: Bool = false, min: Bound? = nil, max: Bound? = nil,
        pattern: Pattern? = nil
    ) {
        self.field = field
        self.type = type
        self.isRequired = isRequired
        self.min = min
        self.max = max
        self.pattern = pattern
    }
}

// MARK: - Bounds

extension FieldRule {
    /// A number that others are compared with.
    public enum Bound: Sendable, Hashable {
        case int(Int64)
        case double(Double)

        /// Exact, whatever the two are; NaN is neither less nor greater nor the same.
        static func <= (left: Bound, right: Bound) -> Bool {
            switch (left, right) {
            case (.int(let left), .int(let right)): left <= right
            case (.double(let left), .double(let right)): left <= right
            case (.int(let left), .double(let right)):
                right >= -0x1p63 && (right >= 0x1p63 || left <= Int64(right.rounded(.down)))
            case (.double(let left), .int(let right)):
                left < 0x1p63 && (left < -0x1p63 || Int64(left.rounded(.up)) <= right)
            }
        }
    }
}

extension FieldRule.Bound: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, CustomStringConvertible {
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }

    public var description: String {
        switch self {
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        }
    }
}

// MARK: - Patterns

extension FieldRule {
    /// A regular expression: by its text, or made already. One in a text is compiled once, by `RecordValidation`.
    ///
    /// A match copies the field's text, and takes a microsecond or more.
    public struct Pattern: Sendable, ExpressibleByStringLiteral {
        /// The text; nil where there is none.
        let text: String?
        private let regex: Compiled?

        // SAFETY: matching changes nothing of a `Regex` but its compiled form, which it makes atomically. What closures of its
        // transforms do is up to who wrote them: see `init(_:)`. In a class, since a `Regex` is slow to copy.
        private final class Compiled: @unchecked Sendable {
            let regex: Regex<AnyRegexOutput>

            init(_ regex: Regex<AnyRegexOutput>) { self.regex = regex }
        }

        /// - Parameter text: as `Regex` has it.
        public init(_ text: String) { self.init(text, nil) }

        public init(stringLiteral text: String) { self.init(text) }

        /// - Parameter regex: if it has closures, as those of `TryCapture`, they are called on several threads at once.
        public init<Output>(_ regex: Regex<Output>) {
            self.init(nil, Regex<AnyRegexOutput>(regex))
        }

        private init(_ text: String?, _ regex: Regex<AnyRegexOutput>?) {
            self.text = text
            self.regex = regex.map { Compiled($0) }
        }

        /// The pattern, ready to match.
        /// - Throws: what is wrong with its text.
        func compiled() throws -> Pattern {
            guard let text, regex == nil else { return self }
            return Pattern(text, try Regex(text))
        }

        /// Whether all of a text matches; of a pattern that is compiled.
        func matches(_ text: String) -> Bool { regex.map { text.wholeMatch(of: $0.regex) != nil } ?? false }
    }
}
