/// Other columns over the same cells: what `select`, `drop` and `rename` make of a base. No cell is copied.
///
/// It remembers the last base and the last schema, so that the chunks of a unit share one view, and encoders see the schema that
/// they know.
final class ColumnView: Sendable {
    enum Edit: Sendable {
        case select([String])
        case drop([String])
        /// Old names to new ones.
        case rename([String: String])
    }

    let edit: Edit
    private let last = Monitor(Last(), conditions: 0)

    private struct Last: Sendable {
        var base: BatchBase?
        var view: BatchBase?
        var from: Schema.Storage?
        var schema: Schema?
        var selected: [Int] = []
    }

    init(_ edit: Edit) { self.edit = edit }

    /// The base under its new columns; those of a base without a schema are the names given.
    func view(of base: BatchBase) -> BatchBase {
        last.withLock { last in
            if last.base === base, let view = last.view { return view }
            let view: BatchBase
            if let schema = base.schema {
                if last.from !== schema.storage { (last.schema, last.selected) = columns(of: schema) }
                last.from = schema.storage
                view = base.viewed(as: last.schema, last.selected.map { $0 < 0 ? -1 : base.indexColumn($0) })
            } else {
                if last.from != nil || last.schema == nil { last.schema = Schema(names) }
                last.from = nil
                view = base.projected(last.schema ?? Schema(names))
            }
            (last.base, last.view) = (base, view)
            return view
        }
    }

    /// The new columns, and which of the old ones each is.
    private func columns(of schema: Schema) -> (Schema, [Int]) {
        switch edit {
        case .select(let names): return (Schema(names), names.map { schema.index(of: $0) ?? -1 })
        case .drop(let names):
            let dropped = Schema(names)
            let kept = schema.names.indices.filter { dropped.index(of: schema.names[$0]) == nil }
            return (Schema(kept.map { schema.names[$0] }), kept)
        case .rename(let names):
            return (Schema(schema.names.map { names[$0] ?? $0 }), Array(schema.names.indices))
        }
    }

    private var names: [String] { if case .select(let names) = edit { names } else { [] } }
}

extension BatchBase {
    fileprivate func viewed(as schema: Schema?, _ selected: [Int]) -> BatchBase {
        BatchBase(
            layout: layout, bytes: bytes, rowCount: rowCount, schema: schema, columns: columns, selected: selected,
            flags: flags, isInferred: isInferred, isBinary: isBinary, nulls: nulls, dialect: dialect, origin: origin,
            blocks: [], keeping: self, isView: true)
    }

    /// JSON records as rows of columns.
    fileprivate func projected(_ schema: Schema) -> BatchBase {
        guard case .json(let tape, let rows, _) = layout else { return self }
        let block = BlockPool(cacheLimit: 0).block(capacity: 4 * max(1, rowCount * schema.count))
        let keys = JSONKeys()
        for name in schema.names { keys.append(name) }
        keys.project(bytes, tape, rows, count: rowCount, into: block.entries)
        return BatchBase(
            layout: .json(tape: tape, rows: rows, projection: UnsafePointer(block.entries)), bytes: bytes,
            rowCount: rowCount, schema: schema, columns: schema.count, flags: flags, origin: origin, blocks: [block],
            keeping: self, isView: true)
    }
}

extension Schema {
    /// Each name once.
    static func unique(_ names: [String]) -> [String] {
        var known: Set<ByteKey> = []
        return names.filter { known.insert(ByteKey(text: $0)).inserted }
    }
}

// MARK: - Batches

extension RecordBatch {
    /// Keeps the fields that are named, in this order. Cells are not copied; JSON records are looked through once, for top-level
    /// keys. A record that lacks one goes without.
    /// - Throws: `unknownColumn` where the columns are known and one that is named is none of them; `unsupported` for a JSON
    ///   line that is no object.
    public mutating func select(_ names: [String]) throws(StreamError) {
        try apply(ColumnView(.select(Schema.unique(names))))
    }

    /// Removes fields, where there are such. Cells are not copied.
    public mutating func drop(_ names: [String]) {
        // Nothing that it does throws.
        try? apply(ColumnView(.drop(Schema.unique(names))))
    }

    /// Gives fields other names, all at once; keys keep their places. Cells are not copied, but for JSON records without `select`:
    /// those that have the field are taken apart, so select first where there are many.
    /// - Parameter names: old names to new ones.
    /// - Throws: `unknownColumn` where the columns are known and an old name is none of them; `invalidConfiguration` where a new
    ///   name is taken.
    public mutating func rename(_ names: [String: String]) throws(StreamError) {
        try apply(ColumnView(.rename(names.filter { !$0.key.hasSameBytes(as: $0.value) })))
    }

    /// The columns that `select`, `drop` or `rename` gave the records; nil where they have the source's.
    var editedSchema: Schema? { storage.base.flatMap { $0.isView ? $0.schema : nil } }

    /// What a processor does to each chunk, with the view that it keeps.
    mutating func apply(_ view: ColumnView) throws(StreamError) {
        switch view.edit {
        case .select(let names): try select(names, view)
        case .drop(let names): drop(names, view)
        case .rename(let names): try rename(names, view)
        }
    }

    private mutating func select(_ names: [String], _ view: ColumnView) throws(StreamError) {
        if let schema = storage.base?.schema {
            for name in names where schema.index(of: name) == nil && storage.core.pointee.findColumn(name) == nil {
                throw unknownColumn(name)
            }
        } else if storage.base != nil {
            for record in self where storage.wholeValue(slot: record.slot) != nil {
                throw StreamError(
                    .unsupported, "the record is no object, so no field of it can be selected",
                    path: storage.base?.origin.path, record: record.number, byteOffset: record.byteOffset,
                    stage: "process")
            }
        }
        replaceBase(storage.base.map { view.view(of: $0) }) { core in
            core.keepColumns(names.compactMap { core.findColumn($0) })
            // The columns are in order now; rows that stand on their cells alone still do.
            core.keyOrders = core.keyOrders?.map {
                $0.isAlone ? KeyOrder(columns: $0.columns.sorted(), isAlone: true) : nil
            }
        }
    }

    private mutating func drop(_ names: [String], _ view: ColumnView) {
        if let base = storage.base, base.schema == nil { return names.forEach { setAll($0, to: nil) } }
        let dropped = Schema(names)
        replaceBase(storage.base.map { view.view(of: $0) }) { core in
            core.keepColumns((0..<core.columnCount).filter { dropped.index(of: core.columns[$0].name) == nil })
        }
    }

    private mutating func rename(_ names: [String: String], _ view: ColumnView) throws(StreamError) {
        if let base = storage.base, base.schema == nil { return try renameEach(names) }
        let known = columns
        if storage.base != nil {
            let schema = Schema(known)
            for name in names.keys.sorted() where schema.index(of: name) == nil { throw unknownColumn(name) }
        }
        let renamed = known.map { names[$0] ?? $0 }
        if let taken = Self.duplicate(renamed) { throw takenName(taken, nil) }
        replaceBase(storage.base.map { view.view(of: $0) }) { core in
            for number in 0..<core.columnCount {
                if let name = names[core.columns[number].name] { core.columns[number].rename(name) }
            }
        }
    }

    /// Records whose keys are in their bytes: those that have one of the names are written anew.
    private mutating func renameEach(_ names: [String: String]) throws(StreamError) {
        var renamedRecords = self
        for position in indices {
            let record = self[position]
            let keys = record.keys
            guard keys.contains(where: { names[$0] != nil }) else { continue }
            let renamed = keys.map { names[$0] ?? $0 }
            if let taken = Self.duplicate(renamed) { throw takenName(taken, record) }
            renamedRecords[position] = Record(zip(renamed, keys.map { record[$0] ?? .null }))
        }
        self = renamedRecords
    }

    /// The base and its rows stay, under another view; `edit` makes the overlay, which is copied, fit.
    private mutating func replaceBase(_ base: BatchBase?, _ edit: (inout BatchCore) -> Void) {
        let copy = storage.copy(on: base)
        edit(&copy.core.pointee)
        self = RecordBatch(copy)
    }

    private static func duplicate(_ names: [String]) -> String? {
        var known: Set<ByteKey> = []
        return names.first { !known.insert(ByteKey(text: $0)).inserted }
    }

    func unknownColumn(_ name: String) -> StreamError {
        StreamError(
            .unknownColumn, "there is no column of this name", path: storage.base?.origin.path, column: name,
            stage: "process", hint: "the columns are \(columns.joined(separator: ", "))")
    }

    private func takenName(_ name: String, _ record: Record?) -> StreamError {
        StreamError(
            .invalidConfiguration, "there is a field of this name already", path: storage.base?.origin.path,
            record: record?.number, byteOffset: record?.byteOffset, column: name, stage: "process",
            hint: "drop it first")
    }
}
