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
        _ = Kernel.preferred.cutCSV(&scanner, bytes, count: range.upperBound, isFinal: false, maxRecords: .max)
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
    static let quote = UInt32(SLUICE_HAS_QUOTE)
    /// Nothing is known but that no field is absent.
    static let all = ~absent
    static let absent = UInt32(SLUICE_HAS_ABSENT)
}

/// What a cell of an overlay column holds; the raw values are the C core's `sluice_cell`.
@usableFromInline enum CellTag {
    @usableFromInline static let unset: UInt8 = 0
    @usableFromInline static let removed: UInt8 = 1
    @usableFromInline static let null: UInt8 = 2
    @usableFromInline static let no: UInt8 = 3
    @usableFromInline static let yes: UInt8 = 4
    @usableFromInline static let int: UInt8 = 5
    @usableFromInline static let double: UInt8 = 6
    @usableFromInline static let string: UInt8 = 7
    @usableFromInline static let decimal: UInt8 = 8
    @usableFromInline static let bytes: UInt8 = 9
    @usableFromInline static let json: UInt8 = 10
}
