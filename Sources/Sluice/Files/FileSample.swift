/// The first bytes of a file, decompressed, but in its own encoding.
struct FileSample {
    let path: String
    let compression: CompressionFormat
    let identity: FileIdentity
    private let block: ByteBlock
    private let count: Int
    /// What comes behind the bytes: nil for the end of the file, else what stops a reader there.
    let rest: StreamError?

    /// More bytes come behind the sample: nothing is wrong.
    private struct More: Error {}

    /// Reads up to `maxBytes`, and one more to see whether there are more.
    /// - Throws: `StreamError` where the file cannot be opened or read. Damaged compression is the sample's `rest`.
    init(
        _ path: String, _ compression: CompressionFormat?, _ pool: BlockPool, _ kernel: Kernel, maxBytes: Int
    ) throws(StreamError) {
        let opened = try FileInputs.open(path, compression, .utf8, pool, kernel)
        defer { opened.input.close() }
        self.path = path
        self.compression = opened.compression
        identity = opened.input.identity
        block = pool.block(capacity: maxBytes + 1)
        var filled = 0
        var rest: StreamError? = StreamError(.closed, "the sample ends here", path: path, underlying: More())
        do throws(StreamError) {
            while filled <= maxBytes {
                let got = try opened.input.read(into: block.bytes + filled, maxBytes + 1 - filled)
                if got == 0 {
                    rest = nil
                    break
                }
                filled += got
            }
        } catch {
            guard error.code != .readFailed else { throw error }
            rest = error
        }
        count = min(filled, maxBytes)
        self.rest = rest
    }

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: block.bytes, count: count) }

    /// Offset of the first byte that is no UTF-8. A character that the sample's end cuts in two is good.
    func firstInvalidUTF8(_ kernel: Kernel) -> Int? {
        guard let start = bytes.baseAddress, let found = kernel.firstInvalidUTF8(start, count: count) else {
            return nil
        }
        return rest != nil && found > count - 4 ? nil : found
    }

    /// What is wrong with the file, unless an error only says that the sample ends.
    static func fault(_ error: StreamError?) -> StreamError? { error?.underlying is More ? nil : error }

    /// The sample as an input, which ends as the file does, or throws what comes behind.
    var input: any ByteInput { SampleInput(self) }
}

/// Hands out the bytes of a sample.
private final class SampleInput: ByteInput {
    private let sample: FileSample
    private(set) var consumed = 0
    let length: Int? = nil

    init(_ sample: FileSample) { self.sample = sample }

    var identity: FileIdentity { sample.identity }

    func read(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int {
        let taken = min(count, sample.bytes.count - consumed)
        guard taken > 0, let start = sample.bytes.baseAddress else {
            if let rest = sample.rest { throw rest }
            return 0
        }
        bytes.update(from: start + consumed, count: taken)
        consumed += taken
        return taken
    }

    func close() {}
}

/// The records at the start of a sample, as a source reads them.
struct RecordSample {
    /// Batches, and where in their block their bytes end.
    private(set) var units: [(base: BatchBase, end: Int)] = []
    /// How many records there are.
    private(set) var count = 0
    /// The columns that all of them have; nil where each has its own.
    private(set) var schema: Schema?
    /// They are all that the file has.
    private(set) var isWhole = false
    /// What is wrong behind them.
    private(set) var error: StreamError?

    /// - Parameter source: reads a sample, with a record a chunk: what is whole comes out then, wherever the sample ends. It may be
    ///   asked for twice.
    init(maxRecords: Int, _ source: () throws -> FileStreamSource) throws {
        try read(source(), maxRecords, unitRecords: maxRecords)
        guard error?.stage == "decode" else { return }
        // A unit is decoded whole or not at all: one by one, the records before the bad one are.
        self = RecordSample()
        try read(source(), maxRecords, unitRecords: 1)
    }

    private init() {}

    private mutating func read(_ source: FileStreamSource, _ maxRecords: Int, unitRecords: Int) throws {
        do {
            while count < maxRecords, !isWhole {
                let limit = UnitLimit(records: min(unitRecords, maxRecords - count), decodesNext: true)
                guard let unit = try source.cut(limit) else {
                    isWhole = true
                    break
                }
                units.append((try source.decode(unit).base, unit.cut.range.upperBound))
                count += unit.cut.records
                isWhole = unit.isLast
            }
        } catch let error as StreamError {
            self.error = FileSample.fault(error)
        }
        schema = source.schema
    }

    /// The first records, each on memory of its own.
    func first(_ limit: Int) -> [Record] {
        var records: [Record] = []
        for unit in units where records.count < limit {
            let batch = RecordBatch(base: unit.base, rows: 0..<unit.base.rowCount)
            records += batch.prefix(limit - records.count).map { $0.owned() }
        }
        return records
    }

    /// How lines end, in order of first appearance.
    var lineEnds: [FileInspection.LineEnd] {
        var found: [FileInspection.LineEnd] = []
        for unit in units {
            for row in 0..<unit.base.rowCount {
                let rest = unit.base.extent(row).upperBound..<max(unit.base.extent(row).upperBound, unit.end)
                let bytes = UnsafeBufferPointer(start: unit.base.bytes + rest.lowerBound, count: rest.count)
                if let end = FileInspection.LineEnd(startOf: bytes), !found.contains(end) { found.append(end) }
            }
        }
        return found
    }
}

extension FileInspection.LineEnd {
    /// What the first bytes are that are not blank; nil where they are no line end.
    fileprivate init?(startOf bytes: UnsafeBufferPointer<UInt8>) {
        let end = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        switch end.first {
        case UInt8(ascii: "\n"): self = .lf
        case UInt8(ascii: "\r"): self = end.dropFirst().first == UInt8(ascii: "\n") ? .crlf : .cr
        default: return nil
        }
    }
}
