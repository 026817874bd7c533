import CSluice

// Where the fields of a batch's rows are, for all that reads them.

/// What stands below the overlay: `sluice_base`.
enum Base: UInt32 {
    case none, csv, json, projected
}

/// What a cell of an overlay holds: `sluice_cell`.
package enum CellTag: UInt8 {
    case unset, removed, null, `false`, `true`, int, double, string, decimal, bytes, json

    /// Has text in the arena.
    @inline(__always) var isText: Bool { rawValue >= CellTag.string.rawValue }
}

/// A cell of an overlay.
struct OverlayCell {
    static let unset = OverlayCell(tag: .unset, payload: 0)

    var tag: CellTag
    var payload: UInt64

    /// Where its text is in the arena.
    @inline(__always) var text: Field {
        let start = Int(truncatingIfNeeded: payload & 0xFFFF_FFFF)
        return Field(start: start, end: start &+ Int(truncatingIfNeeded: payload >> 32))
    }
}

/// Bytes of a field: of the base in the input (for CSV with its quotes), of a cell in the arena.
struct Field {
    static let absent = Field(start: 0, end: -1)

    var start: Int
    var end: Int

    @inline(__always) var length: Int { end &- start }
    /// There is no such field: an index of CSV says so by an end before the start.
    @inline(__always) var isAbsent: Bool { end < start }

    @inline(__always) init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    /// As an index has it, where the end before offset 0 is the highest number.
    @inline(__always) init(_ start: UInt32, _ end: UInt32) {
        self.start = Int(start)
        self.end = Int(start) &+ Int(end &- start &+ 1) &- 1
    }

    /// Between the first byte and the last.
    @inline(__always) var inside: Field { Field(start: start &+ 1, end: end &- 1) }
}

/// Where a row of the output comes from.
struct Place {
    var slot: Int
    /// Of the base.
    var row: Int
    /// false: a slot that was appended, there is no such row.
    var isBased: Bool
}

/// A batch as an encoder sees it: `sluice_rows`, and how far each of its arrays reaches.
///
/// A struct cannot hold spans yet, so it holds buffers, and makes spans of them where it reads them. The input is handed on
/// as a span beside it.
// SAFETY: the counts are those that `sluice_rows` gives. Two of them it does not give. The input ends with the last row, since
// rows of an index ascend, and there is padding behind it. The arena is as long as what its cells point to, which 32 bits of
// offset and 32 of length tell.
struct Batch {
    let base: Base
    let flags: UInt32
    let isInferred: Bool
    let isBinary: Bool
    /// Fields that a row of the base has.
    let columns: Int
    let dialect: sluice_csv_dialect
    let nulls: UnsafePointer<sluice_csv_nulls>?
    let firstRow: Int
    let baseRows: Int
    /// Rows to encode.
    let count: Int

    /// The input and its padding.
    let bytes: UnsafeBufferPointer<UInt8>
    /// The text of cells.
    let arena: UnsafeBufferPointer<UInt8>
    private let ends: UnsafeBufferPointer<UInt32>
    private let starts: UnsafeBufferPointer<UInt32>
    private let tape: UnsafeBufferPointer<UInt32>
    private let records: UnsafeBufferPointer<sluice_json_row>
    private let projection: UnsafeBufferPointer<UInt32>
    /// Empty: all slots are left.
    private let selection: UnsafeBufferPointer<UInt32>
    private let overlays: UnsafeBufferPointer<sluice_overlay>
    /// Slots that an overlay has. What was selected may be any of them.
    private let slots: Int

    init(_ rows: sluice_rows) {
        base = rows.base_rows == 0 ? .none : Base(rawValue: rows.base) ?? .none
        flags = rows.flags
        isInferred = rows.inferred != 0
        isBinary = rows.binary != 0
        columns = Int(rows.columns)
        dialect = rows.dialect
        nulls = unsafe rows.nulls
        firstRow = Int(rows.first_row)
        baseRows = Int(rows.base_rows)
        count = Int(rows.count)

        let (isCSV, isJSON) = (base == .csv, base == .json || base == .projected)
        let last = firstRow + baseRows
        unsafe ends = extent(rows.ends, isCSV ? last * columns : 0)
        unsafe starts = extent(rows.row_starts, isCSV ? last : 0)
        unsafe records = extent(rows.rows, isJSON ? last + 1 : 0)
        unsafe tape = extent(rows.tape, isJSON ? Int(records[last].tape) : 0)
        unsafe projection = extent(rows.projection, base == .projected ? last * columns : 0)
        var end = 0
        if isCSV { end = unsafe Field(starts[last - 1], ends[last * columns - 1]).end }
        if isJSON { end = unsafe Int(records[last - 1].end) }
        unsafe bytes = extent(rows.bytes, base == .none ? 0 : end + padding)
        unsafe selection = extent(rows.selection, count)
        unsafe overlays = extent(rows.overlays, Int(rows.overlay_count))
        unsafe arena = extent(rows.arena, 2 * Int(UInt32.max) + padding)
        slots = rows.selection == nil ? count : Int(UInt32.max)
    }

    var hasNulls: Bool { unsafe nulls != nil }

    @inline(__always) func has(_ flag: UInt32) -> Bool { flags & flag != 0 }

    /// Whether the flags say that no field is quoted or has a byte to escape.
    var hasNoSpecials: Bool { !has(SLUICE_HAS_QUOTE) && !has(SLUICE_HAS_ESCAPE) }

    // MARK: Rows and fields

    @inline(__always) func place(_ number: Int) -> Place {
        let selection = unsafe Span(_unsafeElements: self.selection)
        let slot = selection.isEmpty ? number : Int(selection[number])
        return Place(slot: slot, row: firstRow &+ slot, isBased: base != .none && slot < baseRows)
    }

    /// A cell of a CSV base.
    @inline(__always) func cell(_ row: Int, _ field: Int) -> Field {
        let number = row &* columns &+ field
        let ends = unsafe Span(_unsafeElements: self.ends)
        return Field(field == 0 ? start(row) : ends[number &- 1] &+ 1, ends[number])
    }

    /// Where a row of a CSV base starts.
    @inline(__always) func start(_ row: Int) -> UInt32 {
        let starts = unsafe Span(_unsafeElements: self.starts)
        return starts[row]
    }

    func projected(_ row: Int, _ field: Int) -> Field {
        let projection = unsafe Span(_unsafeElements: self.projection)
        let position = projection[row &* columns &+ field]
        if position == SLUICE_JSON_ABSENT { return .absent }
        return Field(start: entry(Int(position)), end: valueEnd(Int(position)))
    }

    /// A field of a base that has columns.
    @inline(__always) func field(_ row: Int, _ field: Int) -> Field {
        base == .csv ? cell(row, field) : projected(row, field)
    }

    /// A record of a JSON base.
    @inline(__always) func record(_ row: Int) -> sluice_json_row {
        let records = unsafe Span(_unsafeElements: self.records)
        return records[row]
    }

    /// Bytes of a row of the base.
    @inline(__always) func rowLength(_ row: Int) -> Int {
        if base == .csv {
            let ends = unsafe Span(_unsafeElements: self.ends)
            return Int(ends[row &* columns &+ columns &- 1] &- start(row))
        }
        return Int(record(row).end &- record(row).start)
    }

    // MARK: The tape

    /// An entry of the tape.
    @inline(__always) func entry(_ position: Int) -> Int {
        let tape = unsafe Span(_unsafeElements: self.tape)
        return Int(tape[position])
    }

    /// Position in the tape behind the value at `position`.
    @inline(__always) func skip(_ position: Int) -> Int {
        let bytes = unsafe Span(_unsafeElements: self.bytes)
        let tape = unsafe Span(_unsafeElements: self.tape)
        return JSONTape.next(bytes, tape, behind: position)
    }

    /// One past the last byte of the value at `position` of the tape.
    @inline(__always) func valueEnd(_ position: Int) -> Int {
        let bytes = unsafe Span(_unsafeElements: self.bytes)
        let tape = unsafe Span(_unsafeElements: self.tape)
        return JSONTape.valueEnd(bytes, tape, at: position)
    }

    // MARK: Overlays

    var overlayIndices: Range<Int> { 0..<overlays.count }

    @inline(__always) func overlayCell(_ overlay: Int, _ slot: Int) -> OverlayCell {
        if overlay < 0 { return .unset }
        let overlays = unsafe Span(_unsafeElements: self.overlays)
        let column = overlays[overlay]
        let (slot, count) = column.constant != 0 ? (0, 1) : (slot, slots)
        // SAFETY: an overlay has a tag and a payload for each slot, or one for all.
        let tags = unsafe Span(_unsafeStart: column.tags, count: count)
        let payloads = unsafe Span(_unsafeStart: column.payloads, count: count)
        return OverlayCell(tag: CellTag(rawValue: tags[slot]) ?? .unset, payload: payloads[slot])
    }

    /// What the cells that were set in a row need, `room` of each.
    func overlaidRoom(_ columns: Span<sluice_column>, _ place: Place, of room: (OverlayCell) -> Int) -> Int {
        var sum = 0
        for c in columns.indices where columns[c].overlay >= 0 {
            sum &+= room(overlayCell(Int(columns[c].overlay), place.slot))
        }
        return sum
    }

    /// Whether the key whose quote is at `key` means the overlay's name.
    func isName(_ overlay: Int, _ key: Int) -> Bool {
        let overlays = unsafe Span(_unsafeElements: self.overlays)
        let column = overlays[overlay]
        // SAFETY: a name has `name_length` bytes; where that is 0 there may be none at all.
        let buffer = unsafe UnsafeBufferPointer(start: column.name, count: Int(column.name_length))
        let name = unsafe Span(_unsafeElements: buffer)
        let bytes = unsafe Span(_unsafeElements: self.bytes)
        return JSONText.key(bytes, at: key, means: name)
    }

    /// The first byte of the overlay's name; of none, that of what ends it.
    func firstOfName(_ overlay: Int) -> UInt8 {
        let overlays = unsafe Span(_unsafeElements: self.overlays)
        let column = overlays[overlay]
        return column.name_length > 0 ? unsafe column.name[0] : .quote
    }
}

/// None where there is no such array.
func extent<T>(_ start: UnsafePointer<T>?, _ count: Int) -> UnsafeBufferPointer<T> {
    unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
}

let padding = Int(SLUICE_PADDING)

@inline(__always)
func isQuoted(_ bytes: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect) -> Bool {
    field.length > 0 && dialect.quote != 0 && bytes[field.start] == dialect.quote
}

/// Quoted as RFC 4180 has it, at least at both ends.
@inline(__always)
func isQuotedPlainly(_ bytes: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect) -> Bool {
    dialect.quote == .quote && dialect.escape == 0 && field.length >= 2 && bytes[field.end &- 1] == .quote
}

/// Whether a cell is null by its text.
@inline(__always)
func isNullText(_ batch: Batch, _ bytes: Span<UInt8>, _ field: Field) -> Bool {
    guard let nulls = unsafe batch.nulls, !isQuoted(bytes, field, batch.dialect) else { return false }
    return unsafe csvIsNull(nulls.pointee, bytes.extracting(field.start..<field.end))
}

extension sluice_column {
    /// A field of the base that nothing lies over.
    @inline(__always) var isPlain: Bool { overlay < 0 && field >= 0 }
}

extension Span<sluice_column> {
    /// Whether the fields are different ones in ascending order, so that together they are no longer than the row.
    var fieldsAscend: Bool {
        var last: Int32 = -1
        for c in indices where self[c].field >= 0 {
            if self[c].field <= last { return false }
            last = self[c].field
        }
        return true
    }

    var hasOverlay: Bool {
        for c in indices where self[c].overlay >= 0 { return true }
        return false
    }
}
