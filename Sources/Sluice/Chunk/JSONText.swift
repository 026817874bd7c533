/// Writes values as compact JSON.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    /// A number that has no JSON was among the values.
    private(set) var isNotFinite = false
    /// Such numbers are written by their names, for people to read.
    var spellsNotFinite = false

    init(spellsNotFinite: Bool = false) { self.spellsNotFinite = spellsNotFinite }

    mutating func append(_ value: Value) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .int(let value): NumberText.withPrinted(value) { bytes.append(contentsOf: $0) }
        case .double(let value): append(value)
        case .decimal(let text): append(text)
        case .string(let text): appendString(text)
        case .bytes(let content):
            append("\"")
            content.withUnsafeBufferPointer { QuotedText.appendBase64($0, to: &bytes) }
            append("\"")
        case .array(let values):
            append("[")
            for (place, value) in values.enumerated() {
                if place > 0 { append(",") }
                append(value)
            }
            append("]")
        case .object(let members): append(members: members)
        }
    }

    mutating func append(members: some Sequence<(key: String, value: Value)>) {
        append("{")
        var isFirst = true
        for (key, value) in members {
            if !isFirst { append(",") }
            isFirst = false
            appendString(key)
            append(":")
            append(value)
        }
        append("}")
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
            isNotFinite = true
            append(spellsNotFinite ? "\(value)" : "null")
        }
    }
}
