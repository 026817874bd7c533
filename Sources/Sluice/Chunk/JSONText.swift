/// Writes values as compact JSON.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    /// Something among the values has no JSON: NaN, an infinity, a decimal that is no number, or arrays and objects nested deeper
    /// than readers admit.
    private(set) var hasNoJSON = false
    /// Such numbers are written by their names, for people to read.
    private let spellsNotFinite: Bool
    private var depth = 0
    /// A record is one level itself.
    private static let maxDepth = 511

    init(spellsNotFinite: Bool = false) { self.spellsNotFinite = spellsNotFinite }

    mutating func append(_ value: Value) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .int(let value): NumberText.withPrinted(value) { bytes.append(contentsOf: $0) }
        case .double(let value): append(value)
        case .decimal(var text):
            hasNoJSON = hasNoJSON || !text.withUTF8 { NumberText.isNumber($0) }
            append(text)
        case .string(let text): appendString(text)
        case .bytes(let content):
            append("\"")
            content.withUnsafeBufferPointer { QuotedText.appendBase64($0, to: &bytes) }
            append("\"")
        case .array(let values):
            append("[")
            enter()
            for (place, value) in values.enumerated() {
                if place > 0 { append(",") }
                append(value)
            }
            depth -= 1
            append("]")
        case .object(let members): append(members: members)
        }
    }

    mutating func append(members: some Sequence<(key: String, value: Value)>) {
        append("{")
        enter()
        var isFirst = true
        for (key, value) in members {
            if !isFirst { append(",") }
            isFirst = false
            appendString(key)
            append(":")
            append(value)
        }
        depth -= 1
        append("}")
    }

    private mutating func enter() {
        depth += 1
        hasNoJSON = hasNoJSON || depth > Self.maxDepth
    }

    mutating func appendString(_ text: String) {
        var text = text
        text.withUTF8 { QuotedText.appendJSON($0, to: &bytes) }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func append(_ value: Double) {
        if value.isFinite {
            NumberText.withPrinted(value) { bytes.append(contentsOf: $0) }
        } else {
            hasNoJSON = true
            append(spellsNotFinite ? "\(value)" : "null")
        }
    }
}
