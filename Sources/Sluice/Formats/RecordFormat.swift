/// A format's side of cutting: where records end.
///
/// A cutter scans the bytes of one block after the other; whoever drives it (`UnitCutter`) reads, grows and hands on blocks.
protocol RecordCutter {
    /// Bytes scanned so far.
    var position: Int { get }
    /// One past the line end of the last finished record.
    var recordEnd: Int { get }
    /// Records that are finished, and with the skipped lines.
    var records: Int { get }
    var lines: Int { get }

    /// The scan stands inside a line that is skipped.
    var isInComment: Bool { get }

    /// The index of what was cut, if one was made.
    var index: CutIndex? { get }

    /// From here on an index is of use: decode follows on the same thread. Formats whose cut costs next to nothing make none.
    mutating func startIndex(expectedBytes: Int)

    /// Scans on, up to the end of record `maxRecords` or of the bytes.
    mutating func cut(_ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus

    /// What was cut is one value that fills the file, not one of many.
    var isWholeFile: Bool { get }

    /// The white space of JSON may stand around a record, and is no part of it.
    var allowsWhiteSpace: Bool { get }

    /// A cutter that starts anew, at a record's start that it has been at before.
    func restarted(at position: Int) -> Self

    /// A cutter that starts anew where this one has got to, which is now called `position`.
    func continued(at position: Int) -> Self

    /// The same place in a block that starts `offset` bytes later.
    mutating func rebase(_ offset: Int)

    /// The bytes and lines at the start of `bytes`, where a record may start, that are no record; and whether one follows
    /// them. Where the bytes do not tell yet, none does. What must not be there counts as a record: `cut` refuses it.
    mutating func skipBlankLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isFinal: Bool
    ) -> (bytes: Int, lines: Int, hasBegun: Bool)

    /// Where in the bytes up to its end a record is, as a decoder says: without what divides records.
    func content(of record: UnsafeBufferPointer<UInt8>) -> Range<Int>

    /// The error that `cut` met, in the block's offsets.
    func failure(_ code: StreamError.Code) -> FormatFailure
}

extension RecordCutter {
    var isWholeFile: Bool { false }
    var allowsWhiteSpace: Bool { false }
    var isInComment: Bool { false }
    func continued(at position: Int) -> Self { restarted(at: position) }

    var index: CutIndex? { nil }
    mutating func startIndex(expectedBytes: Int) {}

    /// As a value of its own.
    var place: CutPlace {
        CutPlace(
            position: position, recordEnd: recordEnd, records: records, lines: lines, isInComment: isInComment)
    }
}

/// How far a cutter has come; see `RecordCutter`.
struct CutPlace {
    var position: Int
    var recordEnd: Int
    var records: Int
    var lines: Int
    var isInComment: Bool
}

/// An error in a block: what and where, before it is known which file and record that is.
struct FormatFailure {
    var code: StreamError.Code
    var message: String
    /// Offset in the block.
    var offset: Int
    /// Records and skipped lines of the block before the bad record.
    var lines: Int
    var column: String?
    var hint: String?
}

/// Bytes of whole chunks, on their way from cut to decode.
struct CutUnit: Sendable {
    let block: ByteBlock
    let range: Range<Int>
    /// Records up to each chunk's end.
    let chunkEnds: [Int]
    var records: Int { chunkEnds.last ?? 0 }
    let origin: BatchOrigin
    /// The unit is one value that fills the file, not one of many.
    var isWholeFile = false
    /// An index of the block that the cut has made on its way; it may have more records than these.
    var index: CutIndex?
}

/// An index that was made while the bytes were cut.
enum CutIndex {
    case csv(CSVIndex)
    case json(JSONIndex)
}

/// A format's side of decoding: an index of a unit.
protocol RecordDecoder: Sendable {
    /// - Throws: the first error of the unit's data, placed in the file.
    func decode(_ unit: CutUnit, _ pool: BlockPool) throws(StreamError) -> BatchBase
}

extension BatchOrigin {
    /// An error of the unit's data as users see it.
    func error(_ failure: FormatFailure, in bytes: UnsafePointer<UInt8>, stage: String) -> StreamError {
        StreamError(
            failure.code, failure.message, path: path, record: recordsBefore + failure.lines + 1,
            byteOffset: byteOffset(of: failure.offset, in: bytes), column: failure.column, stage: stage,
            hint: failure.hint)
    }
}
