/// Which implementation of the hot functions runs.
public enum KernelChoice: String, Sendable, CaseIterable {
    /// The fastest that this processor runs.
    case auto
    /// Plain C: the definition of what every other does.
    case scalar
    /// x86-64 with AVX2, PCLMUL and BMI.
    case avx2
    /// x86-64 with AVX-512 (F, BW, VL, VBMI2: from Ice Lake and Zen 4 on).
    case avx512
    /// arm64, all of them.
    case neon

    /// The kernel of this name.
    /// - Throws: `unsupported` where this processor cannot run it.
    func make() throws(StreamError) -> any Kernel {
        guard let kernel = CKernel(rawValue) else {
            throw StreamError(
                .unsupported, "this processor cannot run the kernel \"\(rawValue)\"", hint: "use auto or scalar")
        }
        return kernel
    }
}

/// Everything hot: where records end, where fields are, what bytes come out. One call serves many records.
///
/// All implementations fill the same layouts and agree on every input.
protocol Kernel: Sendable {
    var name: String { get }

    /// Scans on to the end of record `maxRecords` or of `bytes`.
    func cutCSV(
        _ scanner: inout CSVScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus

    /// Reads the header alone: the ends of its fields, and where it starts.
    func firstCSVRecord(
        _ scanner: inout CSVScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool,
        ends: UnsafeMutableBufferPointer<UInt32>
    ) -> (status: KernelStatus, fields: Int, start: Int)

    func indexCSV(
        _ scanner: inout CSVScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool,
        into index: inout CSVIndex
    ) -> KernelStatus

    func cutJSONLines(
        _ scanner: inout JSONLinesScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus

    func cutJSON(
        _ scanner: inout JSONScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus

    func indexJSON(_ index: inout JSONIndex, _ bytes: UnsafePointer<UInt8>, count: Int) -> KernelStatus

    func cutText(
        _ scanner: inout TextScanner, _ bytes: UnsafePointer<UInt8>, count: Int, isFinal: Bool, maxRecords: UInt32
    ) -> KernelStatus

    /// Writes where each line of a range starts and ends, into arrays with room for 64 more; returns how many there are.
    func indexText(
        _ bytes: UnsafePointer<UInt8>, _ range: Range<Int>, starts: UnsafeMutablePointer<UInt32>,
        ends: UnsafeMutablePointer<UInt32>
    ) -> Int

    /// Places of the values at `paths` in each row of an index, row by row; `JSONTape.absent` where there are none.
    func projectJSON(
        tape: UnsafePointer<UInt32>, rows: UnsafePointer<JSONRow>, rowCount: Int, flags: UInt32,
        _ bytes: UnsafePointer<UInt8>, paths: [String], into projection: UnsafeMutablePointer<UInt32>)

    /// The same for columns that are top-level keys. Returns the first row with another key, or that is no object; `rowCount` if
    /// there is none.
    func projectJSONKeys(
        tape: UnsafePointer<UInt32>, rows: UnsafePointer<JSONRow>, rowCount: Int, _ bytes: UnsafePointer<UInt8>,
        keys: [String], into projection: UnsafeMutablePointer<UInt32>
    ) -> Int

    /// Offset of the first ill-formed UTF-8 sequence; nil if there is none.
    func firstInvalidUTF8(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int?

    /// Text of another encoding to UTF-8, by whole characters, and how far that came: see `sluice_transcode_function`. The output
    /// has room for a character at least.
    func decodeText(
        _ encoding: TextEncoding, _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int)

    /// UTF-8 to another encoding, likewise.
    func encodeText(
        _ encoding: TextEncoding, _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int)

    func encodeJSONLines(
        _ rows: EncodableRows, _ columns: OutputColumns, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus

    /// JSON records with their own keys; `keys` are those of the overlay.
    func encodeJSONRecords(
        _ rows: EncodableRows, keys: OutputColumns, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus

    /// One field a row: the first of `columns` that it has; column number `base64`'s strings spell bytes.
    func encodeContent(
        _ rows: EncodableRows, _ columns: OutputColumns, base64: Int?, isLines: Bool, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus

    func encodeCSV(
        _ rows: EncodableRows, _ columns: OutputColumns, _ dialect: CSVDialect, _ encoder: inout RowEncoder,
        into out: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> KernelStatus

    /// - Parameters: see `LZ4Encoder`.
    func makeLZ4Encoder(level: Int, frame: LZ4Frame?) throws(StreamError) -> LZ4Encoder
}

/// What a kernel's call came to.
enum KernelStatus: Equatable {
    case ok, needInput, outputFull, indexFull, end
    case failed(StreamError.Code)
}
