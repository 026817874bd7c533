import CSluice

/// One row of a JSON index, as the C core lays it out.
struct JSONRow {
    /// Where in the tape its value begins.
    var tape: UInt32
    /// Its bytes.
    var start: UInt32
    var end: UInt32
}

/// How a CSV file is written, in bytes; see `sluice_csv_dialect`.
struct CSVDialect: Sendable, Equatable {
    var delimiter = UInt8(ascii: ",")
    /// 0: there are no quotes.
    var quote = UInt8(ascii: "\"")
    /// 0: a quote inside quotes is doubled.
    var escape: UInt8 = 0
    /// Text after a closing quote is data.
    var isLenient = false
    /// Records end at a bare CR.
    var endsAtCarriageReturn = false
    var ragged = Ragged.error
    /// 0: there are no comments.
    var comment: UInt8 = 0

    /// `sluice_csv_ragged`.
    enum Ragged: UInt8, Sendable { case error, pad, truncate }
}

/// Where a scan of CSV stands; see `sluice_csv_scanner`. A value: copy it to remember a place.
struct CSVScanner: Sendable {
    var core = sluice_csv_scanner()

    init(_ dialect: CSVDialect, columns: Int = 0, position: Int = 0) {
        core.dialect = dialect.core
        core.columns = UInt32(columns)
        core.position = UInt32(position)
        core.record_start = core.position
        core.record_end = core.position
    }

    var position: Int { Int(core.position) }
    /// One past the line end of the last finished record.
    var recordEnd: Int { Int(core.record_end) }
    var records: Int { Int(core.records) }
    /// Records and skipped lines that are finished.
    var lines: Int { Int(core.records) + Int(core.skipped) }
    /// Fields of the unfinished record that are finished (index only).
    var fields: Int { Int(core.fields) }
    var endsAtCarriageReturn: Bool { core.dialect.carriage_return != 0 }
    var quoteStart: Int { Int(core.quote_start) }
    var isInComment: Bool { UInt32(core.state) == SLUICE_CSV_COMMENT.rawValue }
    var errorOffset: Int { Int(core.error_offset) }
    var errorFields: Int { Int(core.error_fields) }

    /// The same place, counted from `offset`.
    mutating func rebase(_ offset: Int) {
        let less = UInt32(offset)
        core.position -= less
        core.record_start -= less
        core.record_end -= less
        core.quote_start = core.quote_start &- less
    }
}

extension CSVDialect {
    /// Records and skipped lines that end in `range` of `bytes`, which starts where a record does.
    func lines(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int {
        var scanner = CSVScanner(self, position: range.lowerBound)
        _ = sluice_kernel_named("auto").pointee.csv_cut(&scanner.core, bytes, range.upperBound, false, .max)
        return scanner.lines
    }
}

/// Where a scan of JSON Lines stands; see `sluice_jsonl_scanner`.
struct JSONLinesScanner: Sendable {
    var core = sluice_jsonl_scanner()

    init(position: Int = 0) {
        core.position = UInt32(position)
        core.record_end = core.position
    }

    var position: Int { Int(core.position) }
    var recordEnd: Int { Int(core.record_end) }
    var records: Int { Int(core.records) }
    var lines: Int { Int(core.records) + Int(core.skipped) }

    mutating func rebase(_ offset: Int) {
        core.position -= UInt32(offset)
        core.record_end -= UInt32(offset)
    }
}

/// Where a scan of a JSON array's elements stands; see `sluice_json_scanner`.
struct JSONScanner: Sendable {
    var core = sluice_json_scanner()

    init(position: Int = 0) {
        core.position = UInt32(position)
        core.record_end = core.position
    }

    var position: Int { Int(core.position) }
    var recordEnd: Int { Int(core.record_end) }
    var records: Int { Int(core.records) }
    var isClosed: Bool { core.closed != 0 }

    mutating func rebase(_ offset: Int) {
        core.position -= UInt32(offset)
        core.record_end -= UInt32(offset)
    }
}

/// Where a scan of text stands; see `sluice_text_scanner`.
struct TextScanner: Sendable {
    var core = sluice_text_scanner()

    init(position: Int = 0) {
        core.position = UInt32(position)
        core.record_end = core.position
    }

    var position: Int { Int(core.position) }
    var recordEnd: Int { Int(core.record_end) }
    var records: Int { Int(core.records) }

    mutating func rebase(_ offset: Int) {
        core.position -= UInt32(offset)
        core.record_end -= UInt32(offset)
    }
}

/// What bytes of JSON are; the raw values are the C core's `sluice_json_form`.
enum JSONForm: UInt32 {
    case lines = 0
    case elements = 1
    case text = 2
}

/// The arrays of a CSV index; see `sluice_csv_index`.
struct CSVIndex: Sendable {
    var ends: ByteBlock
    var starts: ByteBlock
    var flags: UInt32 = 0
}

/// The arrays of a JSON index; see `sluice_json_index`.
// SAFETY: the core's pointers are those of the blocks, which one owner writes before they are shared.
struct JSONIndex: @unchecked Sendable {
    var tape: ByteBlock
    var rows: ByteBlock
    var scratch: ByteBlock
    var core = sluice_json_index()

    init(tape: ByteBlock, rows: ByteBlock, scratch: ByteBlock, form: JSONForm, position: Int) {
        self.tape = tape
        self.rows = rows
        self.scratch = scratch
        core.form = form.rawValue
        core.position = UInt32(position)
    }

    var tapeCount: Int { Int(core.tape_count) }
    var rowCount: Int { Int(core.row_count) }
    var lines: Int { Int(core.row_count) + Int(core.skipped) }
    var flags: UInt32 { core.flags }
    var position: Int { Int(core.position) }
    var errorOffset: Int { Int(core.error_offset) }
    var rowPointer: UnsafePointer<JSONRow> { UnsafePointer(rows.base.assumingMemoryBound(to: JSONRow.self)) }
}

/// `SLUICE_HAS_*`: what the bytes of an index may hold.
enum ContentFlags {
    static let nonASCII = UInt32(SLUICE_HAS_NON_ASCII)
    /// Nothing is known but that no field is absent.
    static let all = ~absent
    static let absent = UInt32(SLUICE_HAS_ABSENT)
}

/// Where an encoder stands; see `sluice_encoder`.
struct RowEncoder {
    var core = sluice_encoder()

    /// - Parameter isArray: JSON rows are elements of an array, a comma and LF before each.
    init(isArray: Bool = false) { core.array = isArray ? 1 : 0 }

    /// The next row to encode.
    var row: Int {
        get { Int(core.row) }
        set { core.row = UInt32(newValue) }
    }
    /// Bytes of the output that are filled.
    var written: Int {
        get { core.written }
        set { core.written = newValue }
    }
    /// Room the next row needs at most, where the output was full.
    var needed: Int { core.needed }
    var errorColumn: Int { Int(core.error_column) }
}

/// The columns of an output, as encoders want them: for each its name, its JSON key, and where a batch has it.
final class OutputColumns {
    let names: [String]
    fileprivate(set) var columns: [sluice_column]
    /// JSON keys and, for the overlay, plain names.
    private let text: UnsafeMutablePointer<UInt8>
    private let nameStarts: [Int]

    init(_ names: [String]) {
        self.names = names
        let room = names.reduce(blockPadding) { $0 + 7 * $1.utf8.count + 6 }
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
        text.initialize(repeating: 0, count: room)
        var columns: [sluice_column] = []
        var nameStarts: [Int] = []
        var used = 0
        for name in names {
            var name = name
            name.withUTF8 { name in
                if let start = name.baseAddress { (text + used).update(from: start, count: name.count) }
                nameStarts.append(used)
                let key = text + used + name.count
                let length = sluice_json_key(text + used, name.count, key)
                columns.append(sluice_column(field: -1, overlay: -1, key: key, key_length: UInt32(length)))
                used += name.count + length
            }
        }
        self.text = text
        self.columns = columns
        self.nameStarts = nameStarts
    }

    deinit { text.deallocate() }

    /// Column `position` is column `field` of the base and column `overlay` of the overlay; nil: of neither.
    func bind(_ position: Int, field: Int?, overlay: Int?) {
        columns[position].field = Int32(field ?? -1)
        columns[position].overlay = Int32(overlay ?? -1)
    }

    fileprivate func name(_ position: Int) -> UnsafePointer<UInt8> { UnsafePointer(text + nameStarts[position]) }
}

/// Rows of a batch on their way into an encoder.
struct EncodableRows {
    let base: BatchBase?
    let core: UnsafeMutablePointer<BatchCore>
    /// The slots to encode instead of all that are left.
    var slots: [UInt32]?

    var count: Int { slots?.count ?? core.pointee.count }

    /// Calls `body` with the rows in the C core's words. `columns` lend their names where they are the overlay's.
    func withCore<R>(_ columns: OutputColumns, _ body: (UnsafePointer<sluice_rows>) -> R) -> R {
        let batch = core.pointee
        return withUnsafeTemporaryAllocation(of: sluice_overlay.self, capacity: max(1, batch.columnCount)) { overlays in
            for number in 0..<batch.columnCount {
                let column = batch.columns[number]
                overlays.initializeElement(
                    at: number,
                    to: sluice_overlay(
                        tags: column.tags, payloads: column.payloads, constant: column.isConstant ? 1 : 0, name: nil,
                        name_length: 0))
            }
            for (position, column) in columns.columns.enumerated() where column.overlay >= 0 {
                overlays[Int(column.overlay)].name = columns.name(position)
                overlays[Int(column.overlay)].name_length = UInt32(columns.names[position].utf8.count)
            }
            var rows = sluice_rows()
            rows.count = UInt32(count)
            rows.arena = batch.arena.map { UnsafePointer($0) }
            rows.overlays = UnsafePointer(overlays.baseAddress)
            rows.overlay_count = UInt32(batch.columnCount)
            rows.selection = batch.selection.map { UnsafePointer($0) }
            if let base { base.describe(&rows, batch) }
            guard let slots else { return withUnsafePointer(to: rows, body) }
            return slots.withUnsafeBufferPointer { slots in
                rows.selection = slots.baseAddress
                return withUnsafePointer(to: rows, body)
            }
        }
    }
}

extension BatchBase {
    fileprivate func describe(_ rows: inout sluice_rows, _ batch: BatchCore) {
        rows.flags = flags
        rows.inferred = isInferred ? 1 : 0
        rows.binary = isBinary ? 1 : 0
        rows.columns = UInt32(columns)
        rows.dialect = dialect.core
        rows.nulls = nulls.map { UnsafePointer($0.core) }
        rows.bytes = bytes
        rows.first_row = UInt32(batch.firstRow)
        rows.base_rows = UInt32(batch.baseRows)
        switch layout {
        case .csv(let ends, let starts):
            rows.base = SLUICE_BASE_CSV.rawValue
            rows.ends = ends
            rows.row_starts = starts
        case .json(let tape, let jsonRows, let projection):
            rows.base = projection == nil ? SLUICE_BASE_JSON.rawValue : SLUICE_BASE_PROJECTED.rawValue
            rows.tape = tape
            rows.rows = UnsafeRawPointer(jsonRows).assumingMemoryBound(to: sluice_json_row.self)
            rows.projection = projection
        }
    }
}
