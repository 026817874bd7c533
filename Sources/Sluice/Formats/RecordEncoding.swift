import Synchronization

/// How records become bytes: which format, and for those that have columns, which.
struct RecordEncoding: Sendable {
    var format: FileFormat
    /// CSV: the columns, in order. Text and binary: the fields that may be written; each record has one of them.
    var columns: [String]
    var dialect = CSVDialect()
    /// CSV: fields that are none of the columns are dropped and counted.
    var dropsUnknown = false
    var kernel: any Kernel

    /// Records have no keys of their own in this format.
    var hasColumns: Bool { format != .jsonl && format != .json }
}

extension FileFormat {
    /// The columns that a format always has; nil where they depend on the records.
    var fixedColumns: [String]? {
        switch self {
        case .csv: nil
        case .jsonl, .json: []
        case .text: ["text"]
        case .binary: ["bytes", "text"]
        }
    }
}

/// Counts fields that are none of the CSV columns, for all encoders of a sink.
final class DroppedFields: Sendable {
    private let fields = Atomic<Int>(0)

    var count: Int { fields.load(ordering: .relaxed) }
    func add() { fields.add(1, ordering: .relaxed) }
}

/// Encodes chunks of any base into one format, row by row, into whatever blocks it is given.
final class RecordFormatter {
    private let encoding: RecordEncoding
    private var encoder: RowEncoder
    /// JSON: the next row is the first of the file, and opens the array.
    var opensArray = false
    /// The columns of the batch that came last: the next one nearly always has the same.
    private var plan: Plan?
    /// Rows that became bytes, counted by the encoder's own steps.
    private(set) var encodedRecords = 0
    private let dropped: DroppedFields
    /// JSON records on the way to CSV: the unit's values by column, and its first row with a key that is none.
    private var projected: (of: BatchBase, base: BatchBase, firstUnknown: Int)?
    /// The CSV columns, and the schema last found to have no others.
    private let columns: Schema
    private var known: Schema.Storage?
    private let pool: BlockPool

    private struct Plan {
        let schema: Schema.Storage?
        let overlay: [String]
        let columns: OutputColumns
    }

    init(_ encoding: RecordEncoding, _ pool: BlockPool, _ dropped: DroppedFields) {
        self.encoding = encoding
        self.pool = pool
        self.dropped = dropped
        encoder = RowEncoder(isArray: encoding.format == .json)
        columns = Schema(encoding.columns)
    }

    /// One for the same records that has not begun.
    func again() -> RecordFormatter { RecordFormatter(encoding, pool, DroppedFields()) }

    /// Writes all records of a batch to `output`, which hands out room.
    func encode(_ batch: RecordBatch, into output: inout some EncoderOutput) throws {
        let core = batch.storage.core
        let base = encoding.hasColumns ? project(batch.storage.base) : batch.storage.base
        if encoding.hasColumns { try checkKeys(batch) }
        try checkObjects(batch)
        guard core.pointee.hasKeyOrders else {
            return try encode(BatchRows(base: base, core: core), of: batch, 0..<batch.count, into: &output)
        }
        // Rows with an order of their own one by one, the others in runs.
        var start = 0
        while start < batch.count {
            var end = start + 1
            if let order = core.pointee.keyOrders[batch.checkedSlot(start)] {
                try encode(batch, start, order, into: &output)
            } else {
                while end < batch.count, core.pointee.keyOrders[batch.checkedSlot(end)] == nil { end += 1 }
                let slots = (start..<end).map { UInt32(batch.checkedSlot($0)) }
                try encode(BatchRows(base: base, core: core, slots: slots), of: batch, start..<end, into: &output)
            }
            start = end
        }
    }

    /// A row that stands on its cells alone.
    private func encode(
        _ batch: RecordBatch, _ position: Int, _ order: [Int], into output: inout some EncoderOutput
    ) throws {
        let core = batch.storage.core
        let rows = BatchRows(base: nil, core: core, slots: [UInt32(batch.checkedSlot(position))])
        let names = encoding.hasColumns ? encoding.columns : order.map { core.pointee.columns[$0].name }
        let columns = OutputColumns(names)
        for (place, name) in names.enumerated() {
            columns.bind(place, field: nil, overlay: core.pointee.findColumn(name))
        }
        try run(rows, of: batch, position..<position + 1, columns, isRecords: false, into: &output)
    }

    private func encode(
        _ rows: BatchRows, of batch: RecordBatch, _ positions: Range<Int>, into output: inout some EncoderOutput
    ) throws {
        let isRecords = rows.base.map { $0.schema == nil } ?? false
        try run(rows, of: batch, positions, columns(of: rows), isRecords: isRecords, into: &output)
    }

    private func run(
        _ rows: BatchRows, of batch: RecordBatch, _ positions: Range<Int>, _ columns: OutputColumns,
        isRecords: Bool, into output: inout some EncoderOutput
    ) throws {
        try rows.withEncodable(columns) {
            try run($0, of: batch, positions, columns, isRecords: isRecords, into: &output)
        }
    }

    /// The conversation with the kernel: room is given until all rows are written.
    private func run(
        _ rows: EncodableRows, of batch: RecordBatch, _ positions: Range<Int>, _ columns: OutputColumns,
        isRecords: Bool, into output: inout some EncoderOutput
    ) throws {
        encoder.row = 0
        while true {
            let (out, capacity) = output.room
            encoder.written = output.filled
            let first = encoder.row
            let start = encoder.written
            let status =
                switch (encoding.format, isRecords) {
                case (.csv, _):
                    encoding.kernel.encodeCSV(
                        rows, columns, encoding.dialect, &encoder, into: out, capacity: capacity)
                case (.text, _), (.binary, _):
                    encoding.kernel.encodeContent(
                        rows, columns, base64: columns.names.firstIndex(of: "bytes"), isLines: encoding.format == .text,
                        &encoder, into: out, capacity: capacity)
                case (.jsonl, false), (.json, false):
                    encoding.kernel.encodeJSONLines(rows, columns, &encoder, into: out, capacity: capacity)
                case (.jsonl, true), (.json, true):
                    encoding.kernel.encodeJSONRecords(rows, keys: columns, &encoder, into: out, capacity: capacity)
                }
            output.filled = encoder.written
            if opensArray && encoder.row > first {
                // In place of the comma that stands before other rows.
                out[start] = UInt8(ascii: "[")
                opensArray = false
            }
            encodedRecords += encoder.row - first
            switch status {
            case .outputFull: try output.makeRoom(encoder.needed)
            case .failed(let code): throw failure(code, batch[positions.lowerBound + encoder.row], columns)
            default: return
            }
        }
    }

    private func failure(
        _ code: StreamError.Code, _ record: Record, _ columns: OutputColumns
    ) -> StreamError {
        let column = columns.names.indices.contains(encoder.errorColumn) ? columns.names[encoder.errorColumn] : nil
        let (message, hint) = reason(code, column)
        return StreamError(
            code, message, path: record.storage.base?.origin.path,
            record: record.number ?? encodedRecords + 1, byteOffset: record.byteOffset, column: column, stage: "encode",
            hint: hint)
    }

    private func reason(_ code: StreamError.Code, _ column: String?) -> (message: String, hint: String?) {
        let format = encoding.format.rawValue
        switch code {
        case .missingField where column == nil:
            return (
                "the record has no field \"\(encoding.columns.joined(separator: "\" or \""))\" to write as \(format)",
                "set it, or write JSON Lines"
            )
        case .missingField: return ("the field has no text: it is null, an array or an object", "set a string instead")
        case .unsupported: return ("a line of text cannot have a line end inside", "write JSON Lines or CSV instead")
        case .typeMismatch: return ("the string is no base64, which bytes are written as in text", "name it \"text\"")
        case .unknownKey: return ("the record has two fields to write as \(format)", "remove one of them")
        case .needsQuotes:
            return ("the field needs quotes, and the dialect has none", "give csv: a quote, or another delimiter")
        default:
            return (
                "the value has no JSON: NaN, an infinity, a decimal that is no number, or nested too deep",
                "set null or a string instead"
            )
        }
    }
}

// MARK: - Columns

extension RecordFormatter {
    /// Output columns for a batch, bound to where it has them.
    private func columns(of rows: BatchRows) -> OutputColumns {
        let schema = rows.base?.schema
        if let plan, plan.schema === schema?.storage, rows.core.pointee.hasColumns(plan.overlay) { return plan.columns }
        let core = rows.core
        let overlay = core.pointee.columnNames
        let isRecords = rows.base != nil && schema == nil
        var names = encoding.hasColumns ? encoding.columns : isRecords ? overlay : schema?.names ?? []
        if !encoding.hasColumns, !isRecords { names += overlay.filter { schema?.index(of: $0) == nil } }
        let columns = OutputColumns(names)
        for (place, name) in names.enumerated() {
            let field = schema?.index(of: name, near: place).map { rows.base?.indexColumn($0) ?? $0 }
            columns.bind(place, field: field, overlay: core.pointee.findColumn(name))
        }
        plan = Plan(schema: schema?.storage, overlay: overlay, columns: columns)
        return columns
    }

    /// JSON records as rows of the CSV columns. A unit's base is projected once for all its chunks.
    private func project(_ base: BatchBase?) -> BatchBase? {
        guard let base, base.schema == nil, case .json(let tape, let rows, nil) = base.layout else { return base }
        if let projected, projected.of === base { return projected.base }
        let block = pool.block(capacity: 4 * max(1, base.rowCount * columns.count))
        let firstUnknown = encoding.kernel.projectJSONKeys(
            tape: tape, rows: rows, rowCount: base.rowCount, base.bytes, keys: columns.names, into: block.entries)
        let result = BatchBase(
            layout: .json(tape: tape, rows: rows, projection: UnsafePointer(block.entries)), bytes: base.bytes,
            rowCount: base.rowCount, schema: columns, columns: columns.count, flags: base.flags, origin: base.origin,
            blocks: [block], keeping: base)
        projected = (base, result, firstUnknown)
        return result
    }

    /// Refuses a batch with a field that no CSV column takes, before anything of it is written; or counts such fields.
    private func checkKeys(_ batch: RecordBatch) throws {
        guard !hasKnownKeysOnly(batch) else { return }
        for (position, record) in batch.enumerated() {
            for key in record.keys where columns.index(of: key) == nil {
                guard encoding.dropsUnknown else { throw unknownKey(key, record, position) }
                dropped.add()
            }
            if record.storage.wholeValue(slot: record.slot) != nil {
                throw noObject(record, "\(encoding.format.rawValue) has no field for it")
            }
        }
    }

    /// Whether it can be told without a look at each record that all keys are columns.
    private func hasKnownKeysOnly(_ batch: RecordBatch) -> Bool {
        let core = batch.storage.core.pointee
        for number in 0..<core.columnCount where columns.index(of: core.columns[number].name) == nil {
            // A field that was only removed is none.
            let column = core.columns[number]
            let tags = UnsafeBufferPointer(start: column.tags, count: column.isConstant ? 1 : core.slotCount)
            if tags.contains(where: { $0 > CellTag.removed }) { return false }
        }
        guard let base = batch.storage.base else { return true }
        guard let schema = base.schema else {
            guard let projected, projected.of === base else { return false }
            return projected.firstUnknown >= core.firstRow + core.baseRows
        }
        if known === schema.storage { return true }
        guard schema.names.allSatisfy({ columns.index(of: $0) != nil }) else { return false }
        known = schema.storage
        return true
    }

    /// Refuses fields that were set on a JSON line that is no object: writing them would drop its value.
    private func checkObjects(_ batch: RecordBatch) throws {
        guard batch.storage.core.pointee.columnCount > 0, let base = batch.storage.base, base.schema == nil,
            case .json(let tape, let rows, _) = base.layout
        else { return }
        let core = batch.storage.core.pointee
        for slot in 0..<core.baseRows
        where base.bytes[Int(tape[Int(rows[core.firstRow + slot].tape)])] != UInt8(ascii: "{") {
            // A row that was removed does not matter.
            for record in batch where record.slot == slot && record.storage.wholeValue(slot: slot) != nil {
                guard record.keys.isEmpty else { throw noObject(record, "no field can be set on it") }
            }
        }
    }

    private func noObject(_ record: Record, _ why: String) -> StreamError {
        StreamError(
            .unsupported, "the record is no object, so \(why)", path: record.storage.base?.origin.path,
            record: record.number, byteOffset: record.byteOffset, stage: "encode")
    }

    private func unknownKey(_ key: String, _ record: Record, _ position: Int) -> StreamError {
        StreamError(
            .unknownKey, "the record has a key that is no column of the \(encoding.format.rawValue) output",
            path: record.storage.base?.origin.path,
            record: record.number ?? encodedRecords + position + 1, byteOffset: record.byteOffset, column: key,
            stage: "encode",
            hint:
                "name the columns (columns:, --columns), or the fields to read (select:, --select), or drop such fields "
                + "(unknownColumns: .drop, --unknown-columns drop)"
        )
    }
}

/// Where encoders write: blocks that are handed on when they are full.
protocol EncoderOutput {
    /// The block's bytes and capacity.
    var room: (UnsafeMutablePointer<UInt8>, Int) { get }
    var filled: Int { get set }
    /// Makes at least `bytes` free.
    mutating func makeRoom(_ bytes: Int) throws
}

extension EncoderOutput {
    /// Adds bytes as they are.
    mutating func append(_ bytes: [UInt8]) throws {
        try makeRoom(bytes.count)
        bytes.withUnsafeBufferPointer {
            if let start = $0.baseAddress { (room.0 + filled).update(from: start, count: $0.count) }
        }
        filled += bytes.count
    }
}
