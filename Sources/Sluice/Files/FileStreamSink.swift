/// Writes records to a file, which is published whole by `close()`.
///
///     let sink = try FileStreamSink("output.jsonl.gz")
///     try sink.writeChunk(chunk)
///     try sink.close()
///
/// Until then, and after `abort()` or when the sink is just dropped, a file that was there stays as it was. Links are followed,
/// and stay. The new file gets the old one's mode, and its owner where that is allowed; other hard links to the old one keep the
/// old content. Standard output, FIFOs and devices are written to straight.
///
/// With `mode: .append`, records follow those that are there, in the file itself; see `Mode.append`.
public final class FileStreamSink: SplitSink {
    /// How an existing file is treated.
    public enum Mode: String, Sendable {
        /// It is replaced, at once and when the new one is complete.
        case write
        /// It grows. Bytes go straight to it, and others see them come; `abort()`, or dropping the sink, cuts them off again.
        /// A process that is killed leaves what it had written, which may end in the middle of a record.
        ///
        /// - The compression has to be that of what is there (which for a compressed file is read once, whole).
        /// - A last line that lacks its end gets one.
        /// - CSV: the header that is there is not written again; it says what columns records may have, and in what order.
        /// - A file that is absent or empty is begun, header and all.
        /// - JSON is refused: its one array has ended.
        /// - A run that reads the same file is refused, and so is a second sink that appends to it.
        case append
    }

    /// The path, as it was given; "-" is standard output.
    public let path: String
    /// What was asked for, or what the name says.
    public let format: FileFormat
    /// What was asked for, or what the name says.
    public let compression: CompressionFormat

    /// CSV columns are decided by so many records, or as many as it takes to reach this many bytes, whatever the chunks.
    private static let recordsForColumns = 1000
    private static let bytesForColumns = 4 << 20

    private let file: any FileOutput
    /// Something is there already: without records, nothing need be written.
    private let goesOn: Bool
    private let pool = BlockPool()
    private(set) var kernel: Kernel
    private let hasOwnKernel: Bool
    private let level: Int
    private let csv: CSVOptions
    private let dialect: CSVDialect
    private let unknownColumns: UnknownColumns
    /// What was asked for; in append mode, for UTF-16, the byte order that is there.
    private let encoding: TextEncoding
    private var state = State.undecided
    /// Nil while undecided.
    private var encoder: Encoder?
    /// Bytes before compression that were committed.
    private var rawBytes = 0
    /// What stands around the blocks; nil without compression.
    private let frame: (any CompressionFrame)?
    private var frameHasStarted = false
    /// Chunks that wait for the columns.
    private var waiting: [StreamChunk] = []
    /// Records of theirs.
    var takenRecords = 0
    /// Those that decide, and the bytes of those.
    private var decidingRecords = 0
    private var decidingBytes = 0
    private var expected: Schema?
    /// CSV without a header that is gone on with: its fields, and whether its last record lacks a line end.
    private var old: (fieldCount: Int, isComplete: Bool)?
    /// No record was encoded yet.
    private var isAtStart = true
    /// What encoders need, for those on other threads.
    private let decided = Monitor<RecordEncoding?>(nil, conditions: 0)
    /// Fields that encoders have dropped.
    private let dropped = DroppedFields()

    private enum State {
        case undecided
        case ready
        case closed
        case failed
    }

    /// Opens a file for writing.
    ///
    /// - Parameters:
    ///   - path: "-" is standard output.
    ///   - format: nil: by the name.
    ///   - mode: what happens to a file that is there.
    ///   - compression: nil: by the name.
    ///   - encoding: of the text, the CSV header included. In append mode it has to be that of what is there, but that of
    ///     UTF-16 the byte order there is kept.
    ///   - csv: how CSV is written: delimiter, quote and escape, with a header or without.
    ///   - columns: of CSV, in order; nil: the source's columns and then the keys of the first 1000 records (or 4 MiB of
    ///     them), in order of their first appearance. JSON Lines has none.
    ///   - unknownColumns: of CSV: what is done about a record's field that is none of the columns.
    ///   - level: of the compression; nil: 1. gzip has 0 (stored) to 9. LZ4 has 0 and 1, which are its fast compressor, and 2
    ///     to 12, which are those of LZ4HC: smaller, and 5 to 80 times slower.
    ///   - kernel: which implementation does the work.
    /// - Throws: `StreamError`: `cannotCreate`, `isDirectory`, `permissionDenied`; `invalidConfiguration`, also for what cannot be
    ///   appended to what is there.
    public init(
        _ path: String, format: FileFormat? = nil, mode: Mode = .write, compression: CompressionFormat? = nil,
        encoding: TextEncoding = .utf8, csv: CSVOptions = CSVOptions(), columns: [String]? = nil,
        unknownColumns: UnknownColumns = .error, level: Int? = nil, kernel: KernelChoice = .auto
    ) throws {
        guard let format = format ?? FileFormat(path: path) else {
            throw StreamError(
                .invalidConfiguration, "the format cannot be told from the name", path: path,
                hint: "say format: .\(FileFormat.allCases.map(\.rawValue).joined(separator: ", .")) (--to)")
        }
        self.path = path
        self.format = format
        self.compression = compression ?? CompressionFormat(path: path)
        self.level = level ?? 1
        frame = self.compression.frame()
        self.kernel = try kernel.make()
        hasOwnKernel = kernel != .auto
        self.csv = csv
        dialect = try format == .csv ? csv.sinkDialect(path: path) : csv.unused(path: path)
        self.unknownColumns = unknownColumns
        try Self.check(format, mode, self.compression, columns, unknownColumns, level, path)
        try format.check(encoding, path)
        let appended = mode == .append ? try AppendedFile.open(path) : nil
        file = try appended ?? AtomicFile(path)
        var old: OldContent?
        if let appended {
            old = try .of(appended, format, self.compression, encoding, dialect, csv, pool, self.kernel)
        }
        self.encoding = old?.encoding ?? encoding
        goesOn = old != nil
        if let fixed = format.fixedColumns { try decide(fixed) }
        if let old { try goOn(behind: old, columns) } else if let columns { try decide(columns) }
    }

    private static func check(
        _ format: FileFormat, _ mode: Mode, _ compression: CompressionFormat, _ columns: [String]?,
        _ unknownColumns: UnknownColumns, _ level: Int?, _ path: String
    ) throws {
        if mode == .append && format == .json {
            throw StreamError(
                .invalidConfiguration, "nothing can be appended to JSON: its array has ended", path: path,
                hint: "write JSON Lines, or another file")
        }
        if let columns, format != .csv || columns.isEmpty || Set(columns.map(ByteKey.init)).count != columns.count {
            throw StreamError(
                .invalidConfiguration,
                format == .csv ? "columns are at least one, and each once" : "only CSV has columns",
                path: path)
        }
        if unknownColumns != .error, format != .csv {
            throw StreamError(
                .invalidConfiguration, "only CSV has columns that a field may be none of", path: path,
                hint: "leave unknownColumns (--unknown-columns) away")
        }
        if let level, compression.levels?.contains(level) != true {
            throw StreamError(
                .invalidConfiguration,
                compression.levels.map { "\(compression) levels are \($0.lowerBound) to \($0.upperBound)" }
                    ?? "only compressed files have a level",
                path: path)
        }
    }

    /// Bytes of the file so far, compressed. The system has them after `flush` or `close`; before, up to 64 KiB may wait.
    public var bytesWritten: Int { file.bytesWritten }

    /// Fields that were dropped because they are none of the columns, see `unknownColumns`.
    public var droppedFields: Int { dropped.count }

    /// Bytes before compression for each byte written; 1 where there are none.
    public var compressionRatio: Double { rawBytes == 0 ? 1 : Double(rawBytes) / Double(bytesWritten) }
}

// MARK: - Writing

extension FileStreamSink {
    public func writeChunk(_ chunk: StreamChunk) throws {
        try failing {
            switch state {
            case .closed: throw StreamError(.closed, "the sink is closed", path: path, stage: "commit")
            case .failed: throw StreamError(.closed, "the sink has failed before", path: path, stage: "commit")
            case .ready: try encode(chunk)
            case .undecided:
                takenRecords += chunk.data.count
                waiting.append(chunk)
                for record in chunk.data where !hasEnough {
                    decidingRecords += 1
                    decidingBytes += record.byteCount
                }
                if hasEnough { try decideFromWaiting() }
            }
        }
    }

    private var hasEnough: Bool {
        decidingRecords >= Self.recordsForColumns || decidingBytes >= Self.bytesForColumns
    }

    private func encode(_ chunk: StreamChunk) throws {
        if isAtStart, let first = chunk.data.first {
            isAtStart = false
            try protectMark(of: first)
        }
        try ownEncoder().encode(chunk) { try commit($0) }
    }

    /// The encoder of chunks that come by `writeChunk`; it opens the array of JSON.
    private func ownEncoder() throws -> Encoder {
        if let encoder { return encoder }
        let made = try makeEncoder(for: frame)
        made.opensArray = format == .json
        encoder = made
        return made
    }

    public func writeUnit(_ chunks: DecodedUnit) throws {
        // Records are encoded one after the other: where chunks end does not show.
        if let chunk = chunks.joined { try writeChunk(chunk) }
        try endUnit()
    }

    public func endUnit() throws {
        try failing { try encoder?.endUnit { try commit($0) } }
    }

    /// Hands all bytes taken so far to the system. CSV records whose columns are not decided yet are no bytes: they wait.
    public func flush() throws {
        try endUnit()
        try failing { try file.flush() }
    }

    public func close() throws {
        switch state {
        case .closed: return
        case .failed: throw StreamError(.closed, "the sink has failed before", path: path, stage: "commit")
        case .undecided, .ready: break
        }
        try failing {
            if case .undecided = state {
                try decideFromWaiting()
                try checkLedger()
            }
            if format == .json { try append(Array((ownEncoder().opensArray ? "[]\n" : "\n]\n").utf8)) }
            try encoder?.endUnit { try commit($0) }
            if !goesOn || frameHasStarted { try endFrame() }
            try file.close()
            state = .closed
        }
        encoder = nil
        pool.close()
    }

    /// Whoever keeps a run's ledger looks at it before records that waited for their columns are encoded.
    private func checkLedger() throws {
        guard encodedRecords != takenRecords else { return }
        throw StreamError(
            .brokenLedger, "\(takenRecords) records were taken, but \(encodedRecords) encoded", path: path,
            stage: "encode")
    }

    public func abort() {
        if case .closed = state { return }
        state = .closed
        encoder = nil
        waiting = []
        file.abort()
        pool.close()
    }

    /// A sink that threw is only good for being aborted.
    private func failing(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            if case .closed = state { throw error }
            state = .failed
            throw error
        }
    }
}

// MARK: - Columns

extension FileStreamSink {
    /// The source's columns are known, even if no record comes or all are replaced.
    public func expect(_ schema: Schema) { expected = expected ?? schema }

    private func begin(_ columns: [String]) {
        let encoding = RecordEncoding(
            format: format, columns: columns, dialect: dialect, dropsUnknown: unknownColumns == .drop, kernel: kernel)
        decided.withLock { $0 = encoding }
        state = .ready
    }

    /// The byte order mark and the header are written as soon as the columns are known, and only once.
    private func decide(_ columns: [String]) throws {
        begin(columns)
        if encoding == .utf16, !goesOn { try append(Array("\u{FEFF}".utf8)) }
        guard format == .csv, !columns.isEmpty else { return }
        if let old {
            guard old.fieldCount == columns.count else {
                throw StreamError(
                    .invalidConfiguration,
                    "the file has \(old.fieldCount) columns, and what is appended has \(columns.count)", path: path,
                    stage: "commit", hint: "name as many columns as there are (columns:)")
            }
            if !old.isComplete { try append([UInt8(ascii: "\n")]) }
        }
        if csv.header { try writeHeader(columns) }
    }

    /// Makes what is there whole, and takes its columns.
    private func goOn(behind old: OldContent, _ given: [String]?) throws {
        if let there = old.columns?.names {
            guard given.map({ Schema($0) == Schema(there) }) ?? true else {
                throw StreamError(
                    .invalidConfiguration,
                    "the file has other columns than those given: \(there.joined(separator: ", "))", path: path,
                    stage: "commit", hint: "leave columns away, or write another file")
            }
            begin(there)
        }
        // What has no columns yet has no records: blank lines, a byte order mark.
        if isReady, !old.isComplete { try append([UInt8(ascii: "\n")]) }
        self.old = old.fieldCount.map { ($0, old.isComplete) }
        if old.columns == nil, let given { try decide(given) }
    }

    /// CSV columns from the source's schema and the keys of the records that wait.
    private func decideFromWaiting() throws {
        // Those of the source are none of the output's where a transform selected, dropped or renamed.
        let first = waiting.first?.data
        let schema = first?.editedSchema ?? expected ?? first?.schema
        var columns = schema?.names ?? []
        var known: Set<ByteKey> = []
        var left = decidingRecords
        for chunk in waiting {
            let records = chunk.data.prefix(left)
            left -= records.count
            // Records that have only the schema's fields add none.
            if let schema, chunk.data.hasFieldsOnly(of: schema) { continue }
            if known.isEmpty { known = Set(columns.map(ByteKey.init)) }
            for record in records {
                for key in record.keys where known.insert(ByteKey(text: key)).inserted { columns.append(key) }
            }
        }
        guard !columns.isEmpty || decidingRecords == 0 else {
            throw StreamError(
                .unsupported, "records without fields cannot be written as CSV", path: path, stage: "encode",
                hint: "write JSON Lines instead")
        }
        try decide(columns)
        let chunks = waiting
        waiting = []
        for chunk in chunks { try encode(chunk) }
    }

    /// Bytes that are no record.
    private func append(_ bytes: [UInt8]) throws {
        try ownEncoder().append(bytes) { try commit($0) }
    }

    private func writeHeader(_ columns: [String]) throws {
        var line: [UInt8] = []
        for (place, name) in columns.enumerated() {
            if place > 0 { line.append(dialect.delimiter) }
            var name = name
            // A byte order mark at the start of a file is taken for no part of the name, unless it is quoted; and a line of
            // one empty name would be a blank line.
            let always = place == 0 && name.utf8.starts(with: Self.mark) || columns.count == 1 && name.isEmpty
            guard name.withUTF8({ QuotedText.appendCSV($0, dialect, always: always, to: &line) }) else {
                throw StreamError(
                    .needsQuotes, "the name of a column needs quotes, and the dialect has none", path: path, record: 0,
                    column: name, stage: "encode", hint: "give csv: a quote, or another delimiter")
            }
        }
        line.append(UInt8(ascii: "\n"))
        do {
            try append(line)
        } catch var error as StreamError where error.code == .unencodable {
            (error.path, error.record) = (path, 0)
            error.column = columns.first { $0.unicodeScalars.contains { $0.value > 0xFF } }
            throw error
        }
    }

    /// A byte order mark that starts the first record of a file without a header is data: it gets one before it, since readers
    /// take the first one away.
    private func protectMark(of first: Record) throws {
        guard format == .csv, !csv.header, !goesOn, let column = decided.withLock({ $0 })?.columns.first,
            case .string(let text) = first[column], text.utf8.starts(with: Self.mark)
        else { return }
        try append(Self.mark)
    }

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
}

// MARK: - Encode and commit

extension FileStreamSink {
    public var encodedRecords: Int { encoder?.encodedRecords ?? 0 }

    public var isReady: Bool {
        // The first record of JSON, which opens the array, and that of CSV without a header, which may need a mark before it,
        // are written before others can be encoded elsewhere.
        guard state == .ready else { return false }
        return switch format {
        case .json: encoder.map { !$0.opensArray } ?? false
        case .csv: !isAtStart || csv.header || goesOn
        default: true
        }
    }

    public func makeEncoder() throws -> Encoder { try makeEncoder(for: nil) }

    /// - Parameter frame: ours, for an encoder whose blocks are committed as soon as they are made.
    private func makeEncoder(for frame: (any CompressionFrame)?) throws -> Encoder {
        guard let encoding = decided.withLock({ $0 }) else {
            throw StreamError(.closed, "the sink is not ready to encode", path: path, stage: "encode")
        }
        let transcoder = self.encoding == .utf8 ? nil : TranscodingOutput(self.encoding, pool, kernel)
        let compressor = try compression.compressor(level: level, frame: frame, kernel)
        return Encoder(encoding, transcoder, compressor, notesContent: frame != nil, pool, dropped)
    }

    public func commit(_ block: EncodedBlock) throws {
        try startFrame()
        if let content = block.rawBytes { frame?.add(content) }
        try file.write(block)
        rawBytes += block.rawCount
    }

    private func startFrame() throws {
        guard !frameHasStarted else { return }
        frameHasStarted = true
        try frame?.start.withUnsafeBytes { try file.write($0) }
    }

    private func endFrame() throws {
        try startFrame()
        try frame?.end.withUnsafeBytes { try file.write($0) }
    }
}

extension FileStreamSink: RunParticipant {
    func join(_ terms: RunTerms) {
        pool.budget = terms.budget
        file.interrupt = terms.interrupt
        if !hasOwnKernel, let wanted = terms.kernel {
            kernel = wanted
            decided.withLock { $0?.kernel = wanted }
        }
    }

    var mayBlock: Bool { file.mayBlock }
    var producedBytes: (raw: Int, stored: Int) { (rawBytes, bytesWritten) }
}

extension FileStreamSink: FileWriting {
    var growingFile: FileIdentity? { file.growingFile }
    var replacedFile: FileIdentity? { file.replacedFile }
}
