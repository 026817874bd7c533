import CSluice

/// The kernel in Swift alone: what the C core's kernels do, as a table of the same functions.
///
/// It is the fallback, and the oracle that the C core is compared with: written for itself, from the same definitions
/// (`sluice_csv.h`, `sluice_json.h` ...), which say what each function does. Only the compressors of LZ4 are C's, of what
/// is in the table.
///
/// The functions take the layouts of the C core and look at them through spans, which check every access to input, output and
/// index. Where a layout does not say how long something is (the arena of an overlay, its cells under a selection, the arrays of
/// `text_index`), the span is as long as it can be, and the caller answers for what is in it, as in C.
///
/// How a run goes through here: scanners (Scanner.swift) find where records end; `csvIndex` (CSV) and `jsonIndex` (JSON) where
/// fields are; `Batch` (Rows) is rows with their index, which `encode` writes. Bytes has what all of them look
/// through bytes with; Singles.swift is for one value at a time.
public enum SwiftKernel {
    /// The table; it lives as long as the process.
    // SAFETY: written once, here, and never after.
    public nonisolated(unsafe) static let table: UnsafePointer<sluice_kernel> = {
        guard let scalar = sluice_kernel_named("scalar") else { fatalError("the scalar kernel runs everywhere") }
        let table = UnsafeMutablePointer<sluice_kernel>.allocate(capacity: 1)
        // Nothing but what is set below: a function that is missing here is missing.
        table.initialize(to: sluice_kernel())
        table.pointee.lz4_lines = scalar.pointee.lz4_lines
        table.pointee.name = UnsafeRawPointer(("swift" as StaticString).utf8Start).assumingMemoryBound(to: CChar.self)
        table.pointee.singles = singles
        setTranscoders(&table.pointee)
        setScanners(&table.pointee)
        setEncoders(&table.pointee)
        return UnsafePointer(table)
    }()

    private static func setEncoders(_ table: inout sluice_kernel) {
        table.encode_jsonl_columns = { encode(.jsonLines, $0, $1, $2, $3, $4, $5) }
        table.encode_jsonl_records = { encode(.jsonRecords, $0, $1, $2, nil, $3, $4) }
        table.encode_csv_columns = { encode(.csv($4), $0, $1, $2, $3, $5, $6) }
        table.encode_content = { encode(.content(base64: Int($4), lines: $5), $0, $1, $2, $3, $6, $7) }
    }

    private static func setTranscoders(_ table: inout sluice_kernel) {
        table.to_utf8.0 = { transcode(UTF16Encoding<LittleEndian>.self, UTF8Encoding.self, $0, $1, $2, $3, $4, $5, $6) }
        table.to_utf8.1 = { transcode(UTF16Encoding<BigEndian>.self, UTF8Encoding.self, $0, $1, $2, $3, $4, $5, $6) }
        table.to_utf8.2 = { transcode(Latin1Encoding.self, UTF8Encoding.self, $0, $1, $2, $3, $4, $5, $6) }
        table.from_utf8.0 = {
            transcode(UTF8Encoding.self, UTF16Encoding<LittleEndian>.self, $0, $1, $2, $3, $4, $5, $6)
        }
        table.from_utf8.1 = { transcode(UTF8Encoding.self, UTF16Encoding<BigEndian>.self, $0, $1, $2, $3, $4, $5, $6) }
        table.from_utf8.2 = { transcode(UTF8Encoding.self, Latin1Encoding.self, $0, $1, $2, $3, $4, $5, $6) }
    }

    /// CSV, lines, JSON's elements, UTF-8: what finds where records and fields are.
    private static func setScanners(_ table: inout sluice_kernel) {
        table.csv_cut = { cut($0, $1, $2, $3, $4) }
        table.csv_index = { csvIndex($0, $1, $2, $3, $4) }
        table.jsonl_cut = { cut($0, $1, $2, $3, $4) }
        table.json_cut = { cut($0, $1, $2, $3, $4) }
        table.json_index = { jsonIndex($0, $1, $2) }
        table.text_cut = { cut($0, $1, $2, $3, $4) }
        table.text_index = { textIndex($0, $1, $2, $3, $4) }
        table.utf8_find_invalid = { utf8FindInvalid($0, $1) }
    }
}

/// The same for C.
@c(sluice_swift_kernel) public func swiftKernel() -> UnsafePointer<sluice_kernel> { SwiftKernel.table }
