/// The part of a batch that never changes: bytes as they were read, and the index a tokenizer wrote beside them.
///
/// One base serves all the chunks of a unit, and every copy of them.
// SAFETY: written once, in `init`; the blocks are not written to after they were handed in.
@usableFromInline final class BatchBase: @unchecked Sendable {
    /// What the index describes.
    let layout: IndexLayout
    let bytes: UnsafePointer<UInt8>
    /// Rows that the index has.
    let rowCount: Int
    /// The columns that records have; nil where each record has its own keys.
    let schema: Schema?
    /// Fields that a row of the index has: CSV columns, or projected JSON fields.
    let columns: Int
    /// Column of the index for each column of the schema, -1 where it has none; nil: the same.
    let selected: [Int]?
    /// `SLUICE_HAS_*`.
    let flags: UInt32
    /// CSV cells are typed by the inference grammar, else they are strings.
    let isInferred: Bool
    /// CSV cells are bytes.
    let isBinary: Bool
    /// CSV cells that are null by their text; nil: none.
    let nulls: CSVNulls?
    let dialect: CSVDialect
    let origin: BatchOrigin
    /// The columns are not the source's, but what `select`, `drop` or `rename` made of them.
    let isView: Bool
    /// What `bytes` and the index live in.
    private let blocks: [ByteBlock]
    /// Another base whose blocks this one uses.
    private let other: BatchBase?

    init(
        layout: IndexLayout, bytes: UnsafePointer<UInt8>, rowCount: Int, schema: Schema?, columns: Int,
        selected: [Int]? = nil, flags: UInt32, isInferred: Bool = false, isBinary: Bool = false, nulls: CSVNulls? = nil,
        dialect: CSVDialect = CSVDialect(), origin: BatchOrigin, blocks: [ByteBlock],
        keeping other: BatchBase? = nil, isView: Bool = false
    ) {
        self.isView = isView
        self.layout = layout
        self.bytes = bytes
        self.rowCount = rowCount
        self.schema = schema
        self.columns = columns
        self.selected = selected
        self.flags = flags
        self.isInferred = isInferred
        self.isBinary = isBinary
        self.nulls = nulls
        self.dialect = dialect
        self.origin = origin
        self.blocks = blocks
        self.other = other
    }

    /// CSV cells are what stands between their delimiters or quotes: none is absent, null by its text, or needs decoding to
    /// be a number.
    var hasPlainCells: Bool {
        nulls == nil && dialect.quote != 0 && dialect.escape == 0 && !dialect.isLenient
            && flags & ContentFlags.absent == 0
    }

    /// Column of the index for column `position` of the schema.
    func indexColumn(_ position: Int) -> Int { selected?[position] ?? position }

    /// Where row `row`'s bytes are, line end excluded.
    func extent(_ row: Int) -> Range<Int> {
        switch layout {
        case .csv(let ends, let starts):
            // A short record's missing fields end before they start.
            let start = Int(starts[row])
            return start..<max(start, Int(ends[row * columns + columns - 1]))
        case .json(_, let rows, _):
            return Int(rows[row].start)..<Int(rows[row].end)
        }
    }
}

extension BatchBase {
    /// Number in the stream of row `row`, from 1. Skipped lines count.
    /// Complexity: O(bytes before it), for messages only.
    func number(_ row: Int) -> Int {
        guard origin.countsLines else { return origin.recordsBefore + row + 1 }
        if case .csv(_, let starts) = layout {
            return origin.recordsBefore + dialect.lines(bytes, origin.start..<Int(starts[row])) + 1
        }
        // Blank lines are the line ends between rows.
        var ends = lineEnds(origin.start..<extent(0).lowerBound)
        for before in 0..<row { ends += max(1, lineEnds(extent(before).upperBound..<extent(before + 1).lowerBound)) }
        return origin.recordsBefore + ends + 1
    }
}

extension BatchBase {
    /// Numbers of rows in ascending order, one after the other: all of them together cost what that of the last one does alone.
    struct Numbering {
        private let base: BatchBase
        private var last: (row: Int, number: Int)?

        init(_ base: BatchBase) { self.base = base }

        mutating func number(_ row: Int) -> Int {
            let before = last.flatMap { $0.row <= row ? $0 : nil }
            let number = before.map { $0.number + base.lines(from: $0.row, to: row) } ?? base.number(row)
            last = (row, number)
            return number
        }
    }

    /// Records and skipped lines from one row's start to another's.
    private func lines(from row: Int, to end: Int) -> Int {
        guard origin.countsLines else { return end - row }
        if case .csv(_, let starts) = layout { return dialect.lines(bytes, Int(starts[row])..<Int(starts[end])) }
        return (row..<end).reduce(0) { $0 + max(1, lineEnds(extent($1).upperBound..<extent($1 + 1).lowerBound)) }
    }
}

extension BatchBase {
    /// Offset in the stream of what is at `offset` of the block.
    func byteOffset(of offset: Int) -> Int { origin.byteOffset(of: offset, in: bytes) }

    private func lineEnds(_ range: Range<Int>) -> Int {
        UnsafeBufferPointer(start: bytes + range.lowerBound, count: range.count).count { $0 == UInt8(ascii: "\n") }
    }
}

/// Where a base's bytes came from, for messages.
struct BatchOrigin: Sendable {
    var path: String?
    /// Offset of the base's first byte in its block; what is before belongs to others.
    var start = 0
    /// Records (and skipped blank lines) of the stream before `start`.
    var recordsBefore = 0
    /// Offset in the stream of the block's byte 0.
    var byteOffset = 0
    /// Blank lines are skipped, and count.
    var countsLines = true

    /// How the stream's text is stored; offsets count its bytes as they are there.
    var encoding = TextEncoding.utf8

    /// Offset in the stream of what is at `offset` of the block, which has these bytes. Complexity: as of
    /// `TextEncoding.storedLength`.
    func byteOffset(of offset: Int, in bytes: UnsafePointer<UInt8>) -> Int {
        byteOffset + encoding.storedLength(bytes, offset)
    }
}
