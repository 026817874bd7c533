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
    @inlinable public func forEachField(
        _ body: (_ record: Int, _ column: Int, _ text: Span<UInt8>) throws -> Void
    ) rethrows {
        guard let cells = plainCells else { return try forEachFieldByName(body) }
        for position in 0..<cells.count {
            let row = cells.row(position)
            let ends = cells.ends + row * cells.width
            for column in 0..<cells.fields.count {
                let field = cells.fields[column]
                guard field >= 0 else { continue }
                let start = field == 0 ? Int(cells.starts[row]) : Int(ends[field &- 1]) &+ 1
                let length = Int(ends[field]) &- start
                guard length >= 0 else { continue }
                let text = UnsafeBufferPointer(start: cells.bytes + start, count: length)
                if cells.quote != 0, length > 0, text[0] == cells.quote {
                    try withCell(text) { try body(position, column, $0) }
                } else {
                    try body(position, column, text.span)
                }
            }
        }
        withExtendedLifetime(storage) {}
    }

    @usableFromInline func forEachFieldByName(_ body: (Int, Int, Span<UInt8>) throws -> Void) rethrows {
        let names = columns
        for position in 0..<count {
            let slot = storage.core.pointee.slot(position)
            for (column, name) in names.enumerated() {
                try storage.field(name, slot: slot)?.withUTF8 { try body(position, column, $0) }
            }
        }
    }

    /// The cells of all fields, where each is a string in a CSV index, none of them null, and nothing was set.
    @usableFromInline var plainCells: CellGrid? {
        let core = storage.core
        guard core.pointee.columnCount == 0, core.pointee.slotCount == core.pointee.baseRows, let base = storage.base,
            !base.isInferred, !base.isBinary, base.nulls == nil, case .csv(let ends, let starts) = base.layout
        else { return nil }
        return CellGrid(
            count: count, fields: (0..<(base.schema?.count ?? 0)).map(base.indexColumn), bytes: base.bytes, ends: ends,
            starts: starts, width: base.columns, firstRow: core.pointee.firstRow,
            slots: core.pointee.selection.map { UnsafePointer($0) },
            quote: base.flags & ContentFlags.quote != 0 ? base.dialect.quote : 0)
    }

    /// The content of a cell with quotes.
    @usableFromInline func withCell(
        _ text: UnsafeBufferPointer<UInt8>, _ body: (Span<UInt8>) throws -> Void
    ) rethrows {
        try storage.base?.withUTF8(text, body)
    }
}

/// Where the cells of a batch stand in a CSV index, for loops that are compiled with what clients do in them. Valid while the batch
/// is, and nothing is set.
@usableFromInline struct CellGrid {
    @usableFromInline let count: Int
    /// The index's column of each column; -1: there is none.
    @usableFromInline let fields: [Int]
    @usableFromInline let bytes: UnsafePointer<UInt8>
    @usableFromInline let ends: UnsafePointer<UInt32>
    @usableFromInline let starts: UnsafePointer<UInt32>
    /// Columns of the index.
    @usableFromInline let width: Int
    @usableFromInline let firstRow: Int
    /// The rows that are left, counted from `firstRow`; nil: the first `count`.
    @usableFromInline let slots: UnsafePointer<UInt32>?
    /// 0: there are no quotes.
    @usableFromInline let quote: UInt8

    init(
        count: Int, fields: [Int], bytes: UnsafePointer<UInt8>, ends: UnsafePointer<UInt32>,
        starts: UnsafePointer<UInt32>,
        width: Int, firstRow: Int, slots: UnsafePointer<UInt32>?, quote: UInt8
    ) {
        (self.count, self.fields, self.bytes, self.ends, self.starts) = (count, fields, bytes, ends, starts)
        (self.width, self.firstRow, self.slots, self.quote) = (width, firstRow, slots, quote)
    }

    /// The index's row of a record.
    @inlinable func row(_ position: Int) -> Int { firstRow &+ (slots.map { Int($0[position]) } ?? position) }
}

extension Field {
    /// Calls `body` with the field's text in UTF-8: of a string its content, quotes and escapes undone; of a number or Boolean
    /// its JSON; of an array or object its JSON as it is written; of bytes the bytes. Nil for null, without a call.
    @discardableResult public func withUTF8<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R? {
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
    @discardableResult fileprivate func withUTF8<R>(
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
