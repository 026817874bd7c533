import Synchronization

/// How records become bytes: which format, and for those that have columns, which.
struct RecordEncoding: Sendable {
    var format: FileFormat
    /// CSV: the columns, in order. Text and binary: the fields that may be written; each record has one of them.
    var columns: [String]
    var dialect = CSVDialect()
    /// CSV: fields that are none of the columns are dropped and counted.
    var dropsUnknown = false
    var kernel: Kernel

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
    private let binder: RowBinder
    private var encoder: RowEncoder
    /// JSON: the next row is the first of the file, and opens the array.
    var opensArray = false
    /// Rows that became bytes, counted by the encoder's own steps.
    private(set) var encodedRecords = 0
    private let dropped: DroppedFields
    private let pool: BlockPool

    init(_ encoding: RecordEncoding, _ pool: BlockPool, _ dropped: DroppedFields) {
        self.encoding = encoding
        self.pool = pool
        self.dropped = dropped
        encoder = RowEncoder(isArray: encoding.format == .json)
        binder = RowBinder(encoding.hasColumns ? encoding.columns : nil, encoding.kernel, pool)
    }

    /// One for the same records that has not begun.
    func again() -> RecordFormatter { RecordFormatter(encoding, pool, DroppedFields()) }

    /// Writes all records of a batch to `output`, which hands out room.
    func encode(_ batch: RecordBatch, into output: inout some EncoderOutput) throws {
        if let refusal = refusal(of: batch) {
            // What is wrong with a record before it comes first.
            var nowhere = Nowhere(pool)
            let trial = again()
            trial.encodedRecords = encodedRecords
            try trial.encode(batch.selecting(0..<refusal.position), into: &nowhere)
            throw refusal.error
        }
        try binder.forEachRun(of: batch) { try run($0, of: batch, into: &output) }
    }

    /// The conversation with the kernel: room is given until all rows are written.
    private func run(_ bound: BoundRows, of batch: RecordBatch, into output: inout some EncoderOutput) throws {
        let (rows, columns) = (bound.rows, bound.columns)
        encoder.row = 0
        while true {
            let (out, capacity) = output.room
            encoder.written = output.filled
            let first = encoder.row
            let start = encoder.written
            let status =
                switch (encoding.format, bound.isRecords) {
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
            case .failed(let code): throw failure(code, batch[bound.positions.lowerBound + encoder.row], columns)
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
                "the value cannot be written: it is NaN, infinite, a decimal that is no number, or nested too deep",
                "set null or a string instead"
            )
        }
    }
}

// MARK: - Checks

extension RecordFormatter {
    /// What cannot be written though the kernel would not notice, and where; it is looked for before anything is written.
    private typealias Refusal = (position: Int, error: StreamError)

    private func refusal(of batch: RecordBatch) -> Refusal? {
        let (key, object) = (encoding.hasColumns ? unknownKey(in: batch) : nil, fieldOfNoObject(in: batch))
        guard let key, let object else { return key ?? object }
        return key.position <= object.position ? key : object
    }

    /// The first field that no CSV column takes, or else record that has none; or counts such fields.
    private func unknownKey(in batch: RecordBatch) -> Refusal? {
        guard !binder.hasKnownKeysOnly(batch) else { return nil }
        for (position, record) in batch.enumerated() {
            for key in record.keys where binder.columns.index(of: key) == nil {
                guard encoding.dropsUnknown else { return (position, unknownKey(key, record, position)) }
                dropped.add()
            }
            if record.storage.wholeValue(slot: record.slot) != nil {
                return (position, noObject(record, "\(encoding.format.rawValue) has no field for it"))
            }
        }
        return nil
    }

    /// The first field that was set on a JSON line that is no object: writing it would drop the line's value.
    private func fieldOfNoObject(in batch: RecordBatch) -> Refusal? {
        guard batch.storage.core.pointee.columnCount > 0, let base = batch.storage.base, base.schema == nil,
            case .json(let tape, let rows, _) = base.layout
        else { return nil }
        let core = batch.storage.core.pointee
        let hasOther = (0..<core.baseRows).contains {
            base.bytes[Int(tape[Int(rows[core.firstRow + $0].tape)])] != UInt8(ascii: "{")
        }
        guard hasOther else { return nil }
        // Once over the batch, however many there are; a row that was removed does not matter.
        for (position, record) in batch.enumerated()
        where record.storage.wholeValue(slot: record.slot) != nil && !record.keys.isEmpty {
            return (position, noObject(record, "no field can be set on it"))
        }
        return nil
    }

    private func noObject(_ record: Record, _ why: String) -> StreamError {
        StreamError(
            .unsupported, "the record is no object, so \(why)", path: record.storage.base?.origin.path,
            record: record.number, byteOffset: record.byteOffset, stage: "encode")
    }

    private func unknownKey(_ key: String, _ record: Record, _ position: Int) -> StreamError {
        let message: String
        let hint: String
        if let fields = encoding.format.fixedColumns {
            let names = "\"\(fields.joined(separator: "\" or \""))\""
            message = "the record has a field that is none of \(encoding.format.rawValue), which is of \(names) alone"
            hint = "rename the field to write and read no others (select:, --select), or write CSV or JSON Lines"
        } else {
            message = "the record has a key that is no column of the \(encoding.format.rawValue) output"
            hint =
                "name the columns (columns:, --columns), or the fields to read (select:, --select), or drop such fields "
                + "(unknownColumns: .drop, --unknown-columns drop)"
        }
        return StreamError(
            .unknownKey, message, path: record.storage.base?.origin.path,
            record: record.number ?? encodedRecords + position + 1, byteOffset: record.byteOffset, column: key,
            stage: "encode", hint: hint)
    }
}

/// An output that forgets.
struct Nowhere: EncoderOutput {
    private let pool: BlockPool
    private var block: ByteBlock
    var filled = 0

    init(_ pool: BlockPool) {
        self.pool = pool
        block = pool.block(capacity: 4096)
    }

    var room: (UnsafeMutablePointer<UInt8>, Int) { (block.bytes, block.capacity) }

    mutating func makeRoom(_ bytes: Int) {
        filled = 0
        if bytes > block.capacity { block = pool.block(capacity: bytes) }
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
