import CSluice

// The door of the encoders: pointers become spans here.
//
// The argument of all encoders:
// (1) Before a row, its room is bounded; inside it only the spans check. The bound counts every byte that is written, in
//     between too, so a vector store starts below the capacity and stays inside the padding behind it.
// (2) Two bounds. The quick one takes a few instructions and assumes the worst of every byte; where the quick one does not
//     fit, the exact one looks at the fields. `needed` is the exact one, so that one long row does not ask for six times
//     its length, and offering it always suffices.
// (3) Text that is decoded first (odd dialects, JSON strings with escapes) is decoded at its place in the output and
//     expanded there from its end: what is still to be read lies below what is written.

/// What to write.
enum Format {
    case jsonLines
    case jsonRecords
    case csv(UnsafePointer<sluice_csv_dialect>?)
    case content(base64: Int, lines: Bool)
}

/// Where an encoder stands; see `sluice_encoder`.
struct Progress {
    var row: Int
    var written: Int
    var needed: Int
    var errorColumn: Int
    /// Rows of JSON are elements of an array.
    let isArray: Bool

    init(_ encoder: sluice_encoder) {
        row = Int(encoder.row)
        written = encoder.written
        needed = encoder.needed
        errorColumn = Int(encoder.error_column)
        isArray = encoder.array != 0
    }

    func store(in encoder: inout sluice_encoder) {
        encoder.row = UInt32(truncatingIfNeeded: row)
        encoder.written = written
        encoder.needed = needed
        encoder.error_column = UInt32(truncatingIfNeeded: errorColumn)
    }
}

/// Doubles that were printed before; see `sluice_printed_double`.
typealias PrintedDoubles = MutableSpan<sluice_printed_double>

/// Encodes rows; see `sluice_encode.h`.
func encode(
    _ format: Format, _ encoder: UnsafeMutablePointer<sluice_encoder>?, _ rows: UnsafePointer<sluice_rows>?,
    _ columns: UnsafePointer<sluice_column>?, _ columnCount: UInt32?, _ out: UnsafeMutablePointer<UInt8>?,
    _ capacity: Int
) -> sluice_status {
    guard let encoder, let rows, let out else { fatalError("an encoder, rows and an output are never missing") }
    let batch = unsafe Batch(rows.pointee)
    // SAFETY: see `Batch`; and the callers of encoders give the counts of columns and the room at `out`.
    let bytes = unsafe Span(_unsafeElements: batch.bytes)
    let columnBuffer = unsafe extent(columns, Int(columnCount ?? rows.pointee.overlay_count))
    let columns = unsafe Span(_unsafeElements: columnBuffer)
    var output = unsafe MutableSpan(_unsafeStart: out, count: capacity + padding)
    // SAFETY: a field of a C struct in memory that stays where it is for this call.
    let printed = unsafe withUnsafeMutablePointer(to: &encoder.pointee.doubles) {
        unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: sluice_printed_double.self)
    }
    var doubles = unsafe MutableSpan(_unsafeStart: printed, count: Int(SLUICE_ENCODER_DOUBLES))

    var progress = unsafe Progress(encoder.pointee)
    let status =
        switch format {
        case .jsonLines:
            encodeJSONLines(batch, bytes, columns, &progress, &doubles, into: &output, capacity: capacity)
        case .jsonRecords:
            encodeJSONRecords(batch, bytes, keys: columns, &progress, &doubles, into: &output, capacity: capacity)
        case .csv(let dialect):
            unsafe encodeCSV(
                batch, bytes, columns, dialect?.pointee ?? sluice_csv_dialect(), &progress, &doubles, into: &output,
                capacity: capacity)
        case .content(let base64, let lines):
            encodeContent(
                batch, bytes, columns, base64: base64, lines: lines, &progress, &doubles, into: &output,
                capacity: capacity)
        }
    unsafe progress.store(in: &encoder.pointee)
    return status
}
