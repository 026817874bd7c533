import CSluice
import SwiftKernel

/// Which implementation of the hot functions runs.
public enum KernelChoice: String, Sendable, CaseIterable {
    /// The one that the environment variable `SLUICE_KERNEL` names; without it, the fastest that this processor runs.
    case auto
    /// Pure Swift: what the others are measured by and compared with. Of a run's kernel that is all that goes by whole chunks; what
    /// goes by single values (`record["x"]`, `decode`) is in Swift where the environment variable says so.
    case swift
    /// Plain C: the definition of what every other does.
    case scalar
    /// x86-64 with AVX2, PCLMUL and BMI.
    case avx2
    /// x86-64 with AVX-512 (F, BW, VL, VBMI2: from Ice Lake and Zen 4 on).
    case avx512
    /// arm64, all of them.
    case neon

    /// The kernel of this name.
    /// - Throws: `unsupported` where this processor cannot run it; `invalidConfiguration` where the environment names none.
    func make() throws(StreamError) -> Kernel {
        let choice = self == .auto ? try Self.ofEnvironment() : self
        guard let kernel = Kernel(choice) else {
            throw StreamError(
                .unsupported, "this processor cannot run the kernel \"\(choice.rawValue)\"",
                hint: "use auto, swift or scalar"
            )
        }
        return kernel
    }

    /// Makes it that of the process: to be called before anything is streamed, and before there are threads.
    package func useInProcess() { Machine.setEnvironment("SLUICE_KERNEL", rawValue) }

    private static func ofEnvironment() throws(StreamError) -> KernelChoice {
        guard let name = Machine.environment("SLUICE_KERNEL"), !name.isEmpty else { return .auto }
        guard let choice = KernelChoice(rawValue: name) else {
            throw StreamError(
                .invalidConfiguration, "SLUICE_KERNEL is \"\(name)\", which is no kernel",
                hint: "one of \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }
}

/// Everything hot: where records end, where fields are, what bytes come out. One call serves many records.
///
/// A table of functions, one table for each implementation. All fill the same layouts and agree on every input.
// SAFETY: tables are constant memory.
struct Kernel: @unchecked Sendable {
    private let table: UnsafePointer<sluice_kernel>

    /// Nil where this processor cannot run it.
    init?(_ choice: KernelChoice) {
        guard let table = choice == .swift ? SwiftKernel.table : sluice_kernel_named(choice.rawValue) else {
            return nil
        }
        self.table = table
    }

    /// The one for what no run asks for: that of the environment, if it names one; else the fastest that this processor runs.
    static let preferred = (try? KernelChoice.auto.make()) ?? Kernel(.auto).unsafelyUnwrapped

    /// What `preferred` does of one value, header or object at a time.
    static let singles = preferred.singles
    private var singles: sluice_singles { table.pointee.singles.pointee }

    var name: String { String(cString: table.pointee.name) }

    // MARK: CSV

    /// Scans on to the end of record `maxRecords` or of `bytes`.
    func cutCSV(
        _ scanner: inout CSVScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus {
        KernelStatus(table.pointee.csv_cut(&scanner.core, bytes, count, isFinal, maxRecords))
    }

    /// Reads the header alone: the ends of its fields, and where it starts.
    func firstCSVRecord(
        _ scanner: inout CSVScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool,
        ends: UnsafeMutableBufferPointer<UInt32>
    ) -> (status: KernelStatus, fields: Int, start: Int) {
        var fields: UInt32 = 0
        var start: UInt32 = 0
        let status = singles.csv_first_record(
            &scanner.core, bytes, count, isFinal, ends.baseAddress, UInt32(ends.count), &fields, &start)
        return (KernelStatus(status), Int(fields), Int(start))
    }

    func indexCSV(
        _ scanner: inout CSVScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool,
        into index: inout CSVIndex
    ) -> KernelStatus {
        var core = sluice_csv_index(
            ends: index.ends.entries, row_starts: index.starts.entries, ends_capacity: UInt32(index.ends.entryCapacity),
            rows_capacity: UInt32(index.starts.entryCapacity), flags: index.flags)
        let status = table.pointee.csv_index(&scanner.core, bytes, count, isFinal, &core)
        index.flags = core.flags
        return KernelStatus(status)
    }

    // MARK: JSON

    func cutJSONLines(
        _ scanner: inout JSONLinesScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus {
        KernelStatus(table.pointee.jsonl_cut(&scanner.core, bytes, count, isFinal, maxRecords))
    }

    func cutJSON(
        _ scanner: inout JSONScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus {
        KernelStatus(table.pointee.json_cut(&scanner.core, bytes, count, isFinal, maxRecords))
    }

    func indexJSON(_ index: inout JSONIndex, _ bytes: UnsafePointer<UInt8>, count: Int) -> KernelStatus {
        index.core.tape = index.tape.entries
        index.core.tape_capacity = UInt32(index.tape.entryCapacity)
        index.core.rows = index.rows.base.assumingMemoryBound(to: sluice_json_row.self)
        index.core.rows_capacity = UInt32(index.rows.capacity / MemoryLayout<sluice_json_row>.stride)
        index.core.scratch = index.scratch.entries
        index.core.scratch_capacity = UInt32(index.scratch.entryCapacity)
        return KernelStatus(table.pointee.json_index(&index.core, bytes, count))
    }

    /// Places of the values at `paths` in each row of an index, row by row; `JSONTape.absent` where there are none.
    func projectJSON(
        tape: UnsafePointer<UInt32>, rows: UnsafePointer<JSONRow>, rowCount: Int, flags: UInt32,
        _ bytes: UnsafePointer<UInt8>, paths: [String], into projection: UnsafeMutablePointer<UInt32>
    ) {
        withPaths(paths) { paths, count in
            rows.withMemoryRebound(to: sluice_json_row.self, capacity: rowCount) {
                singles.json_project(bytes, tape, $0, UInt32(rowCount), flags, paths, count, projection)
            }
        }
    }

    /// The same for columns that are top-level keys. Returns the first row with another key, or that is no object; `rowCount` if
    /// there is none.
    func projectJSONKeys(
        tape: UnsafePointer<UInt32>, rows: UnsafePointer<JSONRow>, rowCount: Int, _ bytes: UnsafePointer<UInt8>,
        keys: [String], into projection: UnsafeMutablePointer<UInt32>
    ) -> Int {
        withPaths(keys) { keys, count in
            rows.withMemoryRebound(to: sluice_json_row.self, capacity: rowCount) {
                Int(singles.json_project_keys(bytes, tape, $0, UInt32(rowCount), keys, count, projection))
            }
        }
    }

    private func withPaths<R>(_ names: [String], _ body: (UnsafePointer<sluice_json_path>?, UInt32) -> R) -> R {
        var text: [UInt8] = []
        for name in names { text.append(contentsOf: name.utf8) }
        // Never empty, so that there is an address to count from.
        text.append(0)
        return text.withUnsafeBufferPointer { text in
            var offset = 0
            let paths = names.map { name in
                defer { offset += name.utf8.count }
                return sluice_json_path(name: text.baseAddress.map { $0 + offset }, length: UInt32(name.utf8.count))
            }
            return paths.withUnsafeBufferPointer { body($0.baseAddress, UInt32($0.count)) }
        }
    }

    // MARK: Text

    func cutText(
        _ scanner: inout TextScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus {
        KernelStatus(table.pointee.text_cut(&scanner.core, bytes, count, isFinal, maxRecords))
    }

    /// Writes where each line of a range starts and ends, into arrays with room for 64 more; returns how many there are.
    func indexText(
        _ bytes: UnsafePointer<UInt8>, _ range: Range<Int>, starts: UnsafeMutablePointer<UInt32>,
        ends: UnsafeMutablePointer<UInt32>
    ) -> Int {
        Int(table.pointee.text_index(bytes, UInt32(range.lowerBound), UInt32(range.upperBound), starts, ends))
    }

    /// Offset of the first ill-formed UTF-8 sequence; nil if there is none.
    func firstInvalidUTF8(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int? {
        let offset = table.pointee.utf8_find_invalid(bytes, count)
        return offset == count ? nil : offset
    }

    // MARK: Text encodings

    /// Text of another encoding to UTF-8, by whole characters, and how far that came: see `sluice_transcode_function`. The output
    /// has room for a character at least.
    func decodeText(
        _ encoding: TextEncoding, _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int) {
        transcode(encoding.function(of: table.pointee.to_utf8), input, isFinal: isFinal, into: output)
    }

    /// UTF-8 to another encoding, likewise.
    func encodeText(
        _ encoding: TextEncoding, _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int) {
        transcode(encoding.function(of: table.pointee.from_utf8), input, isFinal: isFinal, into: output)
    }

    private func transcode(
        _ function: sluice_transcode_function??, _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int) {
        guard case .some(.some(let function)) = function else {
            preconditionFailure("UTF-8 is not transcoded")
        }
        var read = 0
        var written = 0
        let status = function(
            input.baseAddress, input.count, &read, isFinal, output.baseAddress, output.count, &written)
        return (KernelStatus(status), read, written)
    }

    // MARK: Encoding

    func encodeJSONLines(
        _ rows: EncodableRows, _ columns: OutputColumns, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus {
        var rows = rows.core
        return KernelStatus(
            table.pointee.encode_jsonl_columns(
                &encoder.core, &rows, columns.columns, UInt32(columns.columns.count), out, capacity))
    }

    /// JSON records with their own keys; `keys` are those of the overlay.
    func encodeJSONRecords(
        _ rows: EncodableRows, keys: OutputColumns, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus {
        var rows = rows.core
        return KernelStatus(table.pointee.encode_jsonl_records(&encoder.core, &rows, keys.columns, out, capacity))
    }

    /// One field a row: the first of `columns` that it has; column number `base64`'s strings spell bytes.
    func encodeContent(
        _ rows: EncodableRows, _ columns: OutputColumns, base64: Int?, isLines: Bool, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus {
        var rows = rows.core
        return KernelStatus(
            table.pointee.encode_content(
                &encoder.core, &rows, columns.columns, UInt32(columns.columns.count), Int32(base64 ?? -1), isLines,
                out, capacity))
    }

    func encodeCSV(
        _ rows: EncodableRows, _ columns: OutputColumns, _ dialect: CSVDialect, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus {
        var rows = rows.core
        var dialect = dialect.core
        return KernelStatus(
            table.pointee.encode_csv_columns(
                &encoder.core, &rows, columns.columns, UInt32(columns.columns.count), &dialect, out, capacity))
    }

    // MARK: LZ4

    /// - Parameters: see `LZ4Encoder`.
    func makeLZ4Encoder(level: Int, frame: LZ4Frame?) throws(StreamError) -> LZ4Encoder {
        try LZ4Encoder(table, level: level, frame: frame)
    }
}

/// What a kernel's call came to.
enum KernelStatus: Equatable {
    case ok, needInput, outputFull, indexFull, end
    case failed(StreamError.Code)
}

extension KernelStatus {
    init(_ status: sluice_status) {
        switch status {
        case SLUICE_OK: self = .ok
        case SLUICE_NEED_INPUT: self = .needInput
        case SLUICE_OUTPUT_FULL: self = .outputFull
        case SLUICE_INDEX_FULL: self = .indexFull
        case SLUICE_END: self = .end
        case SLUICE_ERROR_RAGGED_RECORD: self = .failed(.raggedRecord)
        case SLUICE_ERROR_UNCLOSED_QUOTE: self = .failed(.unclosedQuote)
        case SLUICE_ERROR_TEXT_AFTER_QUOTE: self = .failed(.textAfterQuote)
        case SLUICE_ERROR_INVALID_UTF8: self = .failed(.invalidUTF8)
        case SLUICE_ERROR_INVALID_JSON: self = .failed(.invalidJSON)
        case SLUICE_ERROR_JSON_TOO_DEEP: self = .failed(.jsonTooDeep)
        case SLUICE_ERROR_NUMBER_NOT_FINITE: self = .failed(.numberNotFinite)
        case SLUICE_ERROR_TRUNCATED: self = .failed(.truncatedCompression)
        case SLUICE_ERROR_TRAILING_DATA: self = .failed(.trailingData)
        case SLUICE_ERROR_UNKNOWN_KEY: self = .failed(.unknownKey)
        case SLUICE_ERROR_NEEDS_DICTIONARY, SLUICE_ERROR_LEGACY_FORMAT: self = .failed(.unsupported)
        case SLUICE_ERROR_INVALID_UTF16: self = .failed(.invalidUTF16)
        case SLUICE_ERROR_UNENCODABLE: self = .failed(.unencodable)
        case SLUICE_ERROR_NO_CONTENT: self = .failed(.missingField)
        case SLUICE_ERROR_LINE_BREAK: self = .failed(.unsupported)
        case SLUICE_ERROR_NOT_BASE64: self = .failed(.typeMismatch)
        case SLUICE_ERROR_NEEDS_QUOTES: self = .failed(.needsQuotes)
        default: self = .failed(.corruptCompression)
        }
    }
}
