extension RecordBatch {
    /// Calls `body` with the text of each field that is neither absent nor null: record by record, in the order of `columns`.
    /// No String is made, and nothing is allocated but for long texts that have quotes or escapes to undo.
    ///
    ///     var widest = [Int](repeating: 0, count: chunk.data.columns.count)
    ///     chunk.data.forEachField { _, column, text in widest[column] = max(widest[column], text.count) }
    ///
    /// - Parameter body: gets the record's position in the batch, the field's in `columns`, and its text in UTF-8, as
    ///   `Field.withUTF8` has it, valid during the call.
    /// Complexity: O(bytes).
    public func forEachField(_ body: (_ record: Int, _ column: Int, _ text: Span<UInt8>) throws -> Void) rethrows {
        let core = storage.core.pointee
        if core.columnCount == 0, core.slotCount == core.baseRows, let base = storage.base, base.isPlainText,
            case .csv(let ends, let starts) = base.layout
        {
            return try base.forEachCell(ends, starts, core, body)
        }
        let names = columns
        for position in 0..<count {
            let slot = core.slot(position)
            for (column, name) in names.enumerated() {
                try storage.field(name, slot: slot)?.withUTF8 { try body(position, column, $0) }
            }
        }
        withExtendedLifetime(storage) {}
    }
}

extension BatchBase {
    /// CSV cells that are strings, none of them null.
    fileprivate var isPlainText: Bool { !isInferred && !isBinary && nulls == nil }

    fileprivate func forEachCell(
        _ ends: UnsafePointer<UInt32>, _ starts: UnsafePointer<UInt32>, _ core: BatchCore,
        _ body: (Int, Int, Span<UInt8>) throws -> Void
    ) rethrows {
        let wanted = schema?.count ?? 0
        let mayBeQuoted = flags & ContentFlags.quote != 0
        for position in 0..<core.count {
            let row = core.firstRow + core.slot(position)
            for column in 0..<wanted {
                let field = selected?[column] ?? column
                guard field >= 0 else { continue }
                let place = row * columns + field
                let start = field == 0 ? Int(starts[row]) : Int(ends[place - 1]) + 1
                let count = Int(ends[place]) - start
                guard count >= 0 else { continue }
                let text = UnsafeBufferPointer(start: bytes + start, count: count)
                if mayBeQuoted && isQuoted(text) {
                    try Field(.csv(text, .passUnretained(self))).withUTF8 { try body(position, column, $0) }
                } else {
                    try body(position, column, text.span)
                }
            }
        }
    }
}

extension Field {
    /// Calls `body` with the field's text in UTF-8: of a string its content, quotes and escapes undone; of a number or Boolean
    /// its JSON; of an array or object its JSON as it is written; of bytes the bytes. Nil for null, without a call.
    public func withUTF8<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R? {
        switch content {
        case .cell(let tag, let payload, let text): try Self.withUTF8(tag, payload, text, body)
        case .csv(let field, let base):
            try base._withUnsafeGuaranteedRef { try $0.withUTF8(field, body) }
        case .json(let bytes, let tape, let position): try Self.withUTF8(bytes, tape, position, body)
        }
    }

    private static func withUTF8<R>(
        _ tag: UInt8, _ payload: UInt64, _ text: UnsafeBufferPointer<UInt8>, _ body: (Span<UInt8>) throws -> R
    ) rethrows -> R? {
        switch tag {
        case CellTag.null: nil
        case CellTag.no: try Array("false".utf8).withUnsafeBufferPointer { try body($0.span) }
        case CellTag.yes: try Array("true".utf8).withUnsafeBufferPointer { try body($0.span) }
        case CellTag.int: try NumberText.withPrinted(Int64(bitPattern: payload)) { try body($0.span) }
        case CellTag.double: try NumberText.withPrinted(Double(bitPattern: payload)) { try body($0.span) }
        default: try body(text.span)
        }
    }

    private static func withUTF8<R>(
        _ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ position: Int, _ body: (Span<UInt8>) throws -> R
    ) rethrows -> R? {
        let start = Int(tape[position])
        guard bytes[start] != UInt8(ascii: "n") else { return nil }
        let length = JSONTape.end(bytes, tape, position) - start
        let literal = UnsafeBufferPointer(start: bytes + start, count: length)
        guard bytes[start] == UInt8(ascii: "\"") else { return try body(literal.span) }
        let content = UnsafeBufferPointer(rebasing: literal[1..<length - 1])
        guard content.contains(UInt8(ascii: "\\")) else { return try body(content.span) }
        return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: length) { room in
            let count = QuotedText.jsonContent(bytes + start, into: room)
            return try body(UnsafeBufferPointer(rebasing: room[..<count]).span)
        }
    }
}

extension BatchBase {
    fileprivate func withUTF8<R>(
        _ field: UnsafeBufferPointer<UInt8>, _ body: (Span<UInt8>) throws -> R
    ) rethrows -> R? {
        if isBinary { return try body(field.span) }
        if isNullText(field) || (isInferred && field.isEmpty) { return nil }
        guard isQuoted(field) else { return try body(field.span) }
        let isPlain = dialect.escape == 0 && field.count >= 2 && field[field.count - 1] == dialect.quote
        if isPlain {
            let content = UnsafeBufferPointer(rebasing: field[1..<field.count - 1])
            if !content.contains(dialect.quote) { return try body(content.span) }
        }
        return try QuotedText.withCSVContent(field, dialect) { try body($0.span) }
    }
}
