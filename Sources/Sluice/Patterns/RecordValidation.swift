/// Rules that the fields of records have to meet.
///
///     let validation = try RecordValidation([
///         FieldRule("id", .integer, isRequired: true),
///         FieldRule("age", .integer, min: 0, max: 150),
///         FieldRule("zip", .string, pattern: "[0-9]{5}"),
///     ])
///     for (position, failure) in validation.failures(in: chunk.data) { print(position, failure.reason) }
///
/// Fields are read where they stand: nothing is decoded but the text that a pattern is matched with.
public struct RecordValidation: Sendable {
    /// Why a record fails: the first rule that it does not meet. The record's content is no part of it.
    public struct Failure: Sendable, Hashable, CustomStringConvertible {
        /// The kinds of rule, in the order in which they are looked at.
        public enum Rule: String, Sendable, CaseIterable {
            case required
            case type
            case min
            case max
            case pattern
        }

        public let rule: Rule
        public let field: String
        /// For people, with rule and field: `min: "age" is less than 0`.
        public let reason: String

        init(_ rule: Rule, _ field: String, _ what: String) {
            self.rule = rule
            self.field = field
            reason = "\(rule): \"\(field)\" \(what)"
        }

        public var description: String { reason }
    }

    private let rules: [CheckedRule]

    /// - Parameter rules: one for each field, in the order in which they are looked at.
    /// - Throws: `StreamError`: `invalidConfiguration`, with the field as its column, where a pattern is none, a rule asks for
    ///   nothing or for what nothing can meet, or a field has two.
    public init(_ rules: [FieldRule]) throws {
        guard !rules.isEmpty else {
            throw StreamError(.invalidConfiguration, "there are no rules", hint: "leave the validation away")
        }
        var fields: Set<ByteKey> = []
        self.rules = try rules.map { rule in
            guard fields.insert(ByteKey(text: rule.field)).inserted else {
                throw rule.refused("the field has two rules", hint: "say all that it has to be in one")
            }
            return CheckedRule(try rule.checked())
        }
    }
}

// MARK: - Looking at records

extension RecordValidation {
    /// Why a record fails; nil where it meets all rules. Complexity: O(rules), for JSON O(rules × members).
    public func failure(of record: Record) -> Failure? {
        for rule in rules {
            if let failure = rule.failure(of: record.storage.field(rule.field, slot: record.slot)) { return failure }
        }
        return nil
    }

    /// The records that fail, by their positions, in order. Fields are looked up once for all records; of JSON in one walk over
    /// each. Complexity: O(records × rules), for JSON O(members); nothing is allocated for records that meet all rules but the
    /// text for patterns.
    public func failures(in batch: RecordBatch) -> [(position: Int, failure: Failure)] {
        var failures: [(position: Int, failure: Failure)] = []
        forEachFailure(in: batch) { failures.append(($0, $1)) }
        return failures
    }

    /// Calls `body` with each record that fails, in order.
    func forEachFailure(in batch: RecordBatch, _ body: (_ position: Int, Failure) throws -> Void) rethrows {
        let fields = FieldTable(batch, rules.map(\.field))
        for position in batch.indices {
            let slot = batch.checkedSlot(position)
            for number in rules.indices {
                guard let failure = rules[number].failure(of: fields.field(number, slot: slot)) else { continue }
                try body(position, failure)
                break
            }
        }
    }

    /// Refuses rules about columns that records of known columns do not have: nobody would notice that they do nothing.
    /// - Throws: `unknownColumn`.
    func checkColumns(of batch: RecordBatch) throws(StreamError) {
        guard let schema = batch.schema else { return }
        for rule in rules where schema.index(of: rule.field) == nil {
            if batch.storage.core.pointee.findColumn(rule.field) == nil { throw batch.unknownColumn(rule.field) }
        }
    }
}

/// Fields of a batch, by the names that were looked up once.
private struct FieldTable {
    private let storage: BatchStorage
    private let places: [ColumnPlace]
    /// Of JSON: where in the tape each field's value is, row by row; else empty.
    private let members: [UInt32]

    init(_ batch: RecordBatch, _ names: [String]) {
        storage = batch.storage
        places = names.map { batch.storage.place(of: $0) }
        members = Self.members(batch.storage, names)
    }

    private static func members(_ storage: BatchStorage, _ names: [String]) -> [UInt32] {
        let core = storage.core
        let rowCount = core.pointee.baseRows
        guard let base = storage.base, base.schema == nil, rowCount > 0, case .json(let tape, let rows, _) = base.layout
        else { return [] }
        let keys = JSONKeys()
        for name in names { keys.append(name) }
        return [UInt32](unsafeUninitializedCapacity: rowCount * names.count) { places, count in
            count = rowCount * names.count
            guard let start = places.baseAddress else { return }
            keys.project(base.bytes, tape, rows + core.pointee.firstRow, count: rowCount, into: start)
        }
    }

    /// The field of the name at `number`; nil where the row has none. Valid as long as the batch is.
    func field(_ number: Int, slot: Int) -> Field? {
        let place = places[number]
        if let overlay = place.overlay, let cell = storage.overlayField(overlay, slot: slot) { return cell }
        let core = storage.core
        guard let base = storage.base, slot < core.pointee.baseRows else { return nil }
        guard place.isByKey else { return place.schema.flatMap { base.field(core.pointee.firstRow + slot, $0) } }
        guard case .json(let tape, _, _) = base.layout else { return nil }
        let member = members[slot * places.count + number]
        return member == JSONTape.absent ? nil : Field(.json(base.bytes, tape, Int(member)))
    }
}

// MARK: - One rule

extension FieldRule {
    /// The rule with its pattern compiled, if it makes sense.
    fileprivate func checked() throws(StreamError) -> FieldRule {
        guard type != nil || isRequired || min != nil || max != nil || pattern != nil else {
            throw refused("the rule asks for nothing")
        }
        if min != nil || max != nil, type == .string || type == .boolean {
            throw refused("min and max are for numbers", hint: "leave them or the type away")
        }
        for bound in [min, max].compactMap({ $0 }) where !(bound <= bound) { throw refused("a bound is no number") }
        if let min, let max, !(min <= max) { throw refused("min is greater than max") }
        var rule = self
        do {
            rule.pattern = try pattern?.compiled()
        } catch {
            throw refused("the pattern is no regular expression", underlying: error)
        }
        return rule
    }

    fileprivate func refused(_ why: String, hint: String? = nil, underlying: (any Error)? = nil) -> StreamError {
        StreamError(.invalidConfiguration, why, column: field, underlying: underlying, hint: hint)
    }
}

/// A rule that makes sense, its pattern compiled. A class, since it is looked at for each record, and a rule is slow to copy.
private final class CheckedRule: Sendable {
    let field: String
    private let type: FieldRule.FieldType?
    private let isRequired: Bool
    private let min: FieldRule.Bound?
    private let max: FieldRule.Bound?
    private let pattern: FieldRule.Pattern?
    private let looksAtNumber: Bool

    init(_ rule: FieldRule) {
        (field, type, isRequired) = (rule.field, rule.type, rule.isRequired)
        (min, max, pattern) = (rule.min, rule.max, rule.pattern)
        looksAtNumber = min != nil || max != nil || type == .integer || type == .number
    }

    /// What the field does not meet; nil where it meets all.
    func failure(of content: Field?) -> RecordValidation.Failure? {
        guard let content, !content.isNull else {
            return isRequired ? failing(.required, content == nil ? "is missing" : "is null") : nil
        }
        let number = looksAtNumber ? content.number : nil
        if let type, !content.fits(type, number) { return failing(.type, "is no \(type)") }
        if min != nil || max != nil {
            guard let number = number?.value else { return failing(min == nil ? .max : .min, "is no number") }
            if let min, !(min <= number) { return failing(.min, "is less than \(min)") }
            if let max, !(number <= max) { return failing(.max, "is more than \(max)") }
        }
        if let pattern, content.plainString.map({ !pattern.matches($0) }) ?? true {
            return failing(.pattern, "does not match" + (pattern.text.map { " \($0)" } ?? ""))
        }
        return nil
    }

    private func failing(_ rule: RecordValidation.Failure.Rule, _ what: String) -> RecordValidation.Failure {
        RecordValidation.Failure(rule, field, what)
    }
}

extension Field {
    /// A number, and whether it is written as an integer.
    fileprivate typealias Number = (value: FieldRule.Bound, isInteger: Bool)

    /// - Parameter number: the field's, for types that are numbers.
    fileprivate func fits(_ type: FieldRule.FieldType, _ number: Number?) -> Bool {
        switch type {
        case .string: isString
        case .integer: number?.isInteger ?? false
        case .number: number != nil
        case .boolean: !isJSONString && bool != nil
        }
    }

    /// Whether it is a string as JSON has it, whose text means nothing else; a CSV cell's may.
    private var isJSONString: Bool {
        switch content {
        case .cell(let tag, _, _): tag == CellTag.string
        case .csv: false
        case .json(let bytes, let tape, let position): bytes[Int(tape[position])] == UInt8(ascii: "\"")
        }
    }

    private var isString: Bool {
        if case .csv(_, let base) = content { return base._withUnsafeGuaranteedRef { !$0.isBinary } }
        return isJSONString
    }

    /// The number that it is; nil where it is none.
    fileprivate var number: Number? {
        if case .cell(let tag, let payload, _) = content {
            if tag == CellTag.int { return (.int(Int64(bitPattern: payload)), true) }
            if tag == CellTag.double {
                let value = Double(bitPattern: payload)
                return value.isFinite ? (.double(value), false) : nil
            }
        }
        if isJSONString { return nil }
        return withPlainText { text in
            if let value = NumberText.int64(text) { return (.int(value), true) }
            guard let value = NumberText.double(text) else { return nil }
            return (.double(value), text.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") })
        }
    }

    /// The text of a string, and of numbers and Booleans as it is written; nil where there is none.
    fileprivate var plainString: String? {
        if let string { return string }
        switch content {
        case .csv: return nil
        case .cell(let tag, _, _):
            let hasText = tag == CellTag.no || tag == CellTag.yes || tag == CellTag.int || tag == CellTag.double
            return hasText || tag == CellTag.decimal ? value.description : nil
        case .json(let bytes, let tape, let position):
            // `{` and `[` differ in one bit only.
            guard bytes[Int(tape[position])] | 0x20 != UInt8(ascii: "{") else { return nil }
            return withPlainText { String(decoding: $0, as: UTF8.self) }
        }
    }
}
