/// One field of a record, where it stands: bytes of the input or a cell that was set. Nothing is decoded until asked for.
///
/// Valid only during the call that it is handed to.
public struct Field {
    enum Content {
        /// A cell of an overlay; its text, if it has one.
        case cell(tag: UInt8, payload: UInt64, text: UnsafeBufferPointer<UInt8>)
        /// A CSV cell, quotes included, of a base that the batch keeps alive: a field costs no reference count.
        case csv(UnsafeBufferPointer<UInt8>, Unmanaged<BatchBase>)
        /// A JSON value: its place in a tape.
        case json(UnsafePointer<UInt8>, UnsafePointer<UInt32>, Int)
    }

    let content: Content

    init(_ content: Content) { self.content = content }

    /// The field decoded.
    public var value: Value {
        switch content {
        case .cell(let tag, let payload, let text): Self.value(tag, payload, text)
        case .csv(let field, let base): base._withUnsafeGuaranteedRef { Self.value(field, $0) }
        case .json(let bytes, let tape, let position): Self.value(bytes, tape, position)
        }
    }

    /// Null, or a CSV cell that is empty and not quoted, or one of the texts that mean null.
    public var isNull: Bool {
        switch content {
        case .cell(let tag, _, _): tag == CellTag.null
        case .csv(let field, let base):
            base._withUnsafeGuaranteedRef { !$0.isBinary && (field.isEmpty || $0.isNullText(field)) }
        case .json(let bytes, let tape, let position): bytes[Int(tape[position])] == UInt8(ascii: "n")
        }
    }
}

// MARK: - As text

extension Field {
    /// The text of a string, a number or a CSV cell: what number and Boolean types parse.
    func withPlainText<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R?) -> R? {
        switch content {
        case .cell(let tag, _, let text):
            return tag == CellTag.string || tag == CellTag.decimal ? body(text) : nil
        case .csv(let field, let base):
            return base._withUnsafeGuaranteedRef { base in
                base.isBinary || base.isNullText(field) ? nil : Self.withContent(field, base, body)
            }
        case .json(let bytes, let tape, let position):
            let start = Int(tape[position])
            let end = JSONTape.end(bytes, tape, position)
            if bytes[start] == UInt8(ascii: "\"") {
                let content = UnsafeBufferPointer(start: bytes + start + 1, count: end - start - 2)
                guard content.contains(UInt8(ascii: "\\")) else { return body(content) }
                // Nobody escapes digits, but it may be done.
                var text = Self.string(bytes, tape, position)
                return text.withUTF8(body)
            }
            return body(UnsafeBufferPointer(start: bytes + start, count: end - start))
        }
    }

    /// The string, if the field is one; any CSV cell is that is not null by its text.
    @usableFromInline var string: String? {
        switch content {
        case .cell(let tag, _, let text): tag == CellTag.string ? String(decoding: text, as: UTF8.self) : nil
        case .csv(let field, let base):
            base._withUnsafeGuaranteedRef { $0.isBinary || $0.isNullText(field) ? nil : Self.string(field, $0) }
        case .json(let bytes, let tape, let position):
            bytes[Int(tape[position])] == UInt8(ascii: "\"") ? Self.string(bytes, tape, position) : nil
        }
    }

    private static func string(_ field: UnsafeBufferPointer<UInt8>, _ base: BatchBase) -> String {
        if base.isQuoted(field) {
            return QuotedText.csvString(field, base.dialect)
        }
        return String(decoding: field, as: UTF8.self)
    }

    private static func string(_ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ position: Int) -> String
    {
        let start = Int(tape[position])
        return QuotedText.jsonString(bytes + start, limit: JSONTape.end(bytes, tape, position) - start)
    }

    /// The content of a cell, but for doubled quotes: no number and no Boolean has any.
    private static func withContent<R>(
        _ field: UnsafeBufferPointer<UInt8>, _ base: BatchBase, _ body: (UnsafeBufferPointer<UInt8>) -> R
    ) -> R {
        guard base.isQuoted(field) else { return body(field) }
        let isPlain = base.dialect.escape == 0 && field.count >= 2 && field[field.count - 1] == base.dialect.quote
        guard isPlain else { return QuotedText.withCSVContent(field, base.dialect, body) }
        return body(UnsafeBufferPointer(rebasing: field[1..<field.count - 1]))
    }
}

extension BatchBase {
    func isQuoted(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
        field.first == dialect.quote && dialect.quote != 0
    }

    /// Whether a CSV cell is null by its text.
    func isNullText(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let nulls else { return false }
        return !isQuoted(field) && nulls.contains(field)
    }
}

// MARK: - As a value

extension Field {
    private static func value(_ tag: UInt8, _ payload: UInt64, _ text: UnsafeBufferPointer<UInt8>) -> Value {
        switch tag {
        case CellTag.no: .bool(false)
        case CellTag.yes: .bool(true)
        case CellTag.int: .int(Int64(bitPattern: payload))
        case CellTag.double: .double(Double(bitPattern: payload))
        case CellTag.string: .string(String(decoding: text, as: UTF8.self))
        case CellTag.decimal: .decimal(String(decoding: text, as: UTF8.self))
        case CellTag.bytes: .bytes(Array(text))
        case CellTag.json: value(ofJSON: text)
        default: .null
        }
    }

    private static func value(_ field: UnsafeBufferPointer<UInt8>, _ base: BatchBase) -> Value {
        if base.isBinary { return .bytes(Array(field)) }
        if base.isNullText(field) { return .null }
        guard base.isInferred else { return .string(string(field, base)) }
        return withContent(field, base) { content in
            switch QuotedText.inferred(content, isQuoted: base.isQuoted(field)) {
            case CellTag.null: .null
            case CellTag.no: .bool(false)
            case CellTag.yes: .bool(true)
            case CellTag.decimal: NumberText.value(content)
            default: .string(string(field, base))
            }
        }
    }

    private static func value(ofJSON text: UnsafeBufferPointer<UInt8>) -> Value {
        guard let bytes = text.baseAddress else { return .null }
        return JSONTape.index(text).withUnsafeBufferPointer { tape in
            tape.baseAddress.map { value(bytes, $0, 0) } ?? .null
        }
    }

    /// The JSON value at `position` of the tape. Recursion is bounded by the depth that validation admits.
    static func value(_ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ position: Int) -> Value {
        let start = Int(tape[position])
        switch bytes[start] {
        case UInt8(ascii: "{"):
            var members: [(String, Value)] = []
            JSONMembers(bytes: bytes, tape: tape, position: position).forEach { key, place in
                members.append((key, value(bytes, tape, place)))
            }
            return .object(ValueObject(members))
        case UInt8(ascii: "["):
            let close = Int(tape[position + 1])
            var values: [Value] = []
            var place = position + 2
            while place < close {
                values.append(value(bytes, tape, place))
                place = JSONMembers.next(bytes, tape, place)
            }
            return .array(values)
        case UInt8(ascii: "\""): return .string(string(bytes, tape, position))
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "n"): return .null
        default:
            let end = JSONTape.end(bytes, tape, position)
            return NumberText.value(UnsafeBufferPointer(start: bytes + start, count: end - start))
        }
    }
}

extension NumberText {
    /// The number as a value that keeps its text: an integer or a double where printing gives the same text again.
    static func value(_ text: UnsafeBufferPointer<UInt8>) -> Value {
        // All but "-0" is printed as it was.
        if let integer = int64(text), integer != 0 || text.count == 1 { return .int(integer) }
        if let double = double(text), double.isFinite {
            let isSame = withPrinted(double) { $0.elementsEqual(text) }
            if isSame { return .double(double) }
        }
        return .decimal(String(decoding: text, as: UTF8.self))
    }
}

/// The members of the JSON object at a place of a tape.
struct JSONMembers {
    let bytes: UnsafePointer<UInt8>
    let tape: UnsafePointer<UInt32>
    let position: Int

    /// The tape's place behind the value at `place`.
    static func next(_ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ place: Int) -> Int {
        // `{` and `[` differ in one bit only.
        bytes[Int(tape[place])] | 0x20 == UInt8(ascii: "{") ? Int(tape[place + 1]) + 1 : place + 1
    }

    /// Whether the value is an object at all.
    var isObject: Bool { bytes[Int(tape[position])] == UInt8(ascii: "{") }

    var isNumber: Bool {
        let byte = bytes[Int(tape[position])]
        return byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Calls `body` with the tape places of each key and its value.
    func forEachPlace(_ body: (_ key: Int, _ value: Int) -> Void) {
        guard isObject else { return }
        let close = Int(tape[position + 1])
        var place = position + 2
        while place < close {
            body(place, place + 1)
            place = Self.next(bytes, tape, place + 1)
        }
    }

    func forEach(_ body: (_ key: String, _ value: Int) -> Void) {
        forEachPlace { key, value in
            let start = Int(tape[key])
            // The value follows the key, so the literal is no longer than the way there.
            body(QuotedText.jsonString(bytes + start, limit: Int(tape[value]) - start), value)
        }
    }

    /// The value of the last member named `name`.
    func find(_ name: String) -> Int? {
        var name = name
        return name.withUTF8 { name in
            var found: Int?
            forEachPlace { key, value in
                if JSONTape.keyEquals(bytes, tape[key], name) { found = value }
            }
            return found
        }
    }
}
