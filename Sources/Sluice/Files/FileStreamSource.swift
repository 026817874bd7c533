/// Streams the records of a file.
///
///     let source = try FileStreamSource("data.csv.gz")
///     while let chunk = try source.readChunk() {
///         print(chunk.chunkID, chunk.data.count)
///     }
///
/// Memory stays at a few units (about 256 KiB each, or one record where that is more), however long the file.
public final class FileStreamSource: SplitSource {
    /// The path, as it was given; "-" is standard input.
    public let path: String
    /// What was asked for, or what the name says.
    public let format: FileFormat
    /// What the name says or the first bytes tell.
    public let compression: CompressionFormat

    private var input: any ByteInput
    private let pool: BlockPool
    private var limits: RecordLimits
    private var hasOwnChunkSize = true
    private(set) var kernel: Kernel
    private var hasOwnKernel = true
    private let types: CellTypes
    private let csv: CSVOptions
    private let dialect: CSVDialect
    private let select: [String]?
    let origin: ChunkOrigin.Source
    private var reader: Reader?
    private var sequenceNumber = 0
    private var current: (chunks: DecodedUnit, next: Int)?
    private var isClosed = false
    /// What stopped the stream: it stays, since going on behind it would lose records.
    private var failure: (any Error)?

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: the file; "-" is standard input.
    ///   - format: nil: by the name, `x.csv.gz` being CSV. Where that tells none, as with standard input, by the first byte that
    ///     is not blank: `{` is JSON Lines, `[` JSON; others are refused.
    ///   - compression: nil: by the name; gzip and LZ4 are also recognised by their first bytes.
    ///   - chunkSize: records of a chunk, at least 1 (the last one may have fewer); nil: as the run's configuration says, or else
    ///     1000.
    ///   - encoding: of the text. Whatever it is, offsets in errors count bytes as they are stored, limits those of UTF-8.
    ///   - types: whether CSV cells are all strings (nil), or typed cell by cell. JSON has types of its own.
    ///   - csv: how a CSV file is written: its delimiter and quotes, whether it has a header, what is null.
    ///   - select: the fields that records shall have, in this order: columns of a CSV file, keys or dotted paths
    ///     (`user.screen_name`) of JSON. Others are validated, but not decoded. Nil: all.
    ///   - maxRecordBytes: a longer record is an error; at most 1 GiB. White space around JSON does not count, but for
    ///     what there is behind it beyond 64 KiB.
    ///   - maxChunkBytes: a chunk also closes with the record that reaches so many bytes.
    ///   - kernel: which implementation does the work.
    /// - Throws: `StreamError`: `fileNotFound`, `isDirectory`, `permissionDenied`, `readFailed`; `invalidConfiguration`.
    public convenience init(
        _ path: String, format: FileFormat? = nil, compression: CompressionFormat? = nil, chunkSize: Int? = nil,
        encoding: TextEncoding = .utf8, types: CellTypes? = nil, csv: CSVOptions = CSVOptions(),
        select: [String]? = nil,
        maxRecordBytes: Int = 16 << 20, maxChunkBytes: Int = 1 << 20, kernel: KernelChoice = .auto
    ) throws {
        let limits = try RecordLimits(
            chunkSize: chunkSize ?? 1000, maxChunkBytes: maxChunkBytes, maxRecordBytes: maxRecordBytes, path: path)
        try Self.check(select, path)
        let pool = BlockPool()
        let made = try kernel.make()
        let opened = try FileInputs.open(path, compression, encoding, pool, made)
        try self.init(
            path, opened, pool, made, limits, format: format, encoding: encoding, types: types, csv: csv,
            select: select)
        hasOwnChunkSize = chunkSize != nil
        hasOwnKernel = kernel != .auto
    }

    /// Streams what was opened already.
    init(
        _ path: String, _ opened: (input: any ByteInput, compression: CompressionFormat), _ pool: BlockPool,
        _ kernel: Kernel, _ limits: RecordLimits, format: FileFormat?, encoding: TextEncoding, types: CellTypes?,
        csv: CSVOptions, select: [String]?
    ) throws {
        self.limits = limits
        self.path = path
        self.select = select
        self.types = types ?? .strings
        self.pool = pool
        self.kernel = kernel
        compression = opened.compression
        (input, self.format) = try Self.withFormat(opened.input, format ?? FileFormat(path: path), path)
        try self.format.check(encoding, path)
        guard types == nil || self.format == .csv else {
            throw StreamError(
                .invalidConfiguration, "types are for CSV; JSON values have their own", path: path,
                hint: "leave types (--types) away")
        }
        self.csv = csv
        dialect = try self.format == .csv ? csv.sourceDialect(path: path) : csv.unused(path: path)
        origin = ChunkOrigin.Source(metadata: [
            "path": .string(path), "format": .string(self.format.rawValue),
            "compression": .string(self.compression.rawValue),
        ])
    }

    deinit { close() }

    /// The columns that records have: the selected ones, or those of a CSV header once the first chunk was read; nil where
    /// each record has its own.
    public var schema: Schema? { reader?.schema }

    /// The next chunk of up to `chunkSize` records; nil at the end.
    /// - Throws: `StreamError` of the data, placed by record and byte, or of the file; the same one at every later call; `closed`
    ///   after `close`.
    public func readChunk() throws -> StreamChunk? {
        while true {
            if let (chunks, next) = current, next < chunks.count {
                current?.next += 1
                return chunks[next]
            }
            current = nil
            guard let unit = try cut(UnitLimit(decodesNext: true)) else { return nil }
            current = (try sticking { try decode(unit) }, 0)
        }
    }

    /// Closes the file. Chunks that were handed out stay good.
    public func close() {
        isClosed = true
        current = nil
        reader = nil
        input.close()
        pool.close()
    }
}

// MARK: - Cut and decode

extension FileStreamSource {
    /// Bytes of whole chunks.
    public struct Unit: StreamUnit {
        let cut: CutUnit
        let decoder: any RecordDecoder
        let firstSequenceNumber: Int
        let isLast: Bool
        let timestamp: Double
        let progress: Double?
        let pool: BlockPool
        let source: ChunkOrigin.Source

        public var recordCount: Int { cut.records }
        public var byteCount: Int { cut.range.count }

        /// The unit's chunks.
        func decoded() throws -> DecodedUnit {
            DecodedUnit(
                base: try decoder.decode(cut, pool), ends: cut.chunkEnds, firstSequenceNumber: firstSequenceNumber,
                isLast: isLast, timestamp: timestamp, source: source, progress: progress)
        }
    }

    /// What reads the format.
    private struct Reader {
        let next: (UnitLimit) throws -> (unit: CutUnit, isLast: Bool)?
        let checkRecordSizes: (CutUnit) throws -> Void
        let decoder: any RecordDecoder
        let schema: Schema?
    }

    /// The next whole chunks, up to the limit; nil at the end.
    /// - Throws: as `readChunk`.
    public func cut(_ limit: UnitLimit) throws -> Unit? {
        guard !isClosed else { throw StreamError(.closed, "the source is closed", path: path, stage: "cut") }
        guard let reader = try sticking({ try openReader() }),
            let (cut, isLast) = try sticking({ try reader.next(limit) })
        else { return nil }
        defer { sequenceNumber += cut.chunkEnds.count }
        return Unit(
            cut: cut, decoder: reader.decoder, firstSequenceNumber: sequenceNumber, isLast: isLast,
            timestamp: Clock.secondsSince1970(), progress: input.progress, pool: pool, source: origin)
    }

    /// The first error is the answer from then on.
    private func sticking<R>(_ body: () throws -> R) throws -> R {
        if let failure { throw failure }
        do {
            return try body()
        } catch {
            failure = error
            throw error
        }
    }

    /// Validates and indexes a unit.
    public func decode(_ unit: Unit) throws -> DecodedUnit { try unit.decoded() }

    /// Counts the records from here to the end, without looking at their fields: only the cut runs.
    ///
    /// - Throws: what keeps the file from being read or cut; ragged records and invalid text are not noticed. A JSON file of
    ///   one value is read, since only that tells whether it is one.
    public func countRecords() throws -> Int { try countAll() }

    /// Refuses records over the limit, and what is not the one value that it was cut as, where nobody decodes.
    func checkRecords(_ unit: Unit) throws {
        try sticking {
            if unit.cut.isWholeFile { _ = try unit.decoded() } else { try reader?.checkRecordSizes(unit.cut) }
        }
    }

    /// Makes one chunk of all records, or an error where they have more bytes. Before anything is read.
    func readAsOneChunk(maxBytes: Int) {
        hasOwnChunkSize = true
        limits.chunkSize = RecordLimits.most
        limits.maxChunkBytes = min(maxBytes, RecordLimits.most)
        limits.isOneChunk = true
    }

    /// Reads up to the first record; false where the file has no header and no records.
    func open() throws -> Bool { try sticking { try openReader() } != nil }

    /// Bytes consumed of the file as it is on disk.
    var consumed: Int { input.consumed }

    /// The reader, opened with the first cut; nil where the file has no records and no header.
    private func openReader() throws -> Reader? {
        if reader != nil { return reader }
        switch format {
        case .csv: reader = try openCSV()
        case .jsonl: reader = try openJSON(JSONLinesCutter(kernel: kernel, pool: pool), isLines: true)
        case .json: reader = try openJSON(JSONCutter(kernel: kernel, pool: pool), isLines: false)
        case .text: reader = try openText()
        case .binary: reader = try openBinary()
        }
        return reader
    }

    private func openCSV() throws -> Reader? {
        let opened = try CSVHeader.read(
            input, pool, kernel, dialect, csv, path: path, maxBytes: limits.maxRecordBytes)
        guard let header = opened.columns else { return nil }
        let selected = try select.map { try header.positions(of: $0, path: path) }
        let schema = select.map { Schema($0) } ?? header
        let cutter = UnitCutter(
            input, pool, limits, path: path,
            cutter: CSVCutter(
                kernel: kernel, dialect: opened.dialect, columns: header.count, pool: pool,
                position: opened.start.position),
            start: opened.start)
        return Reader(
            next: cutter.next, checkRecordSizes: cutter.checkRecordSizes,
            decoder: CSVDecoder(
                kernel: kernel, dialect: opened.dialect, header: header, schema: schema, selected: selected,
                types: types, nulls: CSVNulls(csv.nulls),
                maxRecordBytes: limits.maxRecordBytes),
            schema: schema)
    }

    private func openJSON(_ cutter: some RecordCutter, isLines: Bool) throws -> Reader {
        var start = InputStart(pool)
        try start.skipByteOrderMark(input, path: path, record: 1)
        let schema = select.map { Schema($0) }
        return reader(
            cutter,
            JSONDecoder(kernel: kernel, isLines: isLines, selected: schema, maxRecordBytes: limits.maxRecordBytes),
            schema, start)
    }

    private func openText() throws -> Reader {
        var start = InputStart(pool)
        try start.skipByteOrderMark(input, path: path, record: 1)
        if let select { _ = try TextDecoder.schema.positions(of: select, path: path) }
        return reader(
            TextCutter(kernel: kernel), TextDecoder(kernel: kernel, maxRecordBytes: limits.maxRecordBytes),
            TextDecoder.schema, start)
    }

    private func openBinary() throws -> Reader {
        if let select { _ = try BinaryDecoder.schema.positions(of: select, path: path) }
        return reader(
            BinaryCutter(), BinaryDecoder(maxRecordBytes: limits.maxRecordBytes), BinaryDecoder.schema,
            InputStart(pool))
    }

    private func reader(
        _ cutter: some RecordCutter, _ decoder: some RecordDecoder, _ schema: Schema?, _ start: InputStart
    ) -> Reader {
        let cutter = UnitCutter(
            input, pool, limits, path: path, cutter: cutter.restarted(at: start.position), start: start)
        return Reader(
            next: cutter.next, checkRecordSizes: cutter.checkRecordSizes, decoder: decoder, schema: schema)
    }
}

// MARK: - Checks

extension FileStreamSource {
    /// An input, and the format that its first bytes tell where it is not `known`.
    private static func withFormat(
        _ input: any ByteInput, _ known: FileFormat?, _ path: String
    ) throws(StreamError) -> (any ByteInput, FileFormat) {
        if let known { return (input, known) }
        let peeked = PeekedInput(input)
        if let byte = try peeked.firstByte(), let format = FileFormat(firstByte: byte) { return (peeked, format) }
        let names = FileFormat.allCases.map(\.rawValue)
        throw StreamError(
            .invalidConfiguration, "neither its name nor its first byte tells the format", path: path, stage: "cut",
            hint: "say format: .\(names.joined(separator: ", .")) (--from \(names.joined(separator: ", ")))")
    }

    private static func check(_ select: [String]?, _ path: String) throws {
        guard let select else { return }
        guard !select.isEmpty, Set(select.map(ByteKey.init)).count == select.count else {
            throw StreamError(
                .invalidConfiguration, select.isEmpty ? "no field is selected" : "a field is selected twice", path: path
            )
        }
    }
}

extension RecordLimits {
    init(chunkSize: Int, maxChunkBytes: Int, maxRecordBytes: Int, path: String) throws(StreamError) {
        let sizes = 1...Self.most
        guard sizes.contains(chunkSize), sizes.contains(maxChunkBytes), sizes.contains(maxRecordBytes) else {
            throw StreamError(
                .invalidConfiguration, "chunkSize, maxChunkBytes and maxRecordBytes are 1 to 2^30",
                path: path)
        }
        self.init(chunkSize: chunkSize, maxChunkBytes: maxChunkBytes, maxRecordBytes: maxRecordBytes)
    }
}

extension FileStreamSource: RunParticipant {
    func join(_ terms: RunTerms) {
        pool.budget = terms.budget
        input.join(terms)
        guard reader == nil else { return }
        if !hasOwnChunkSize { limits.chunkSize = terms.chunkSize }
        if !hasOwnKernel, let wanted = terms.kernel {
            kernel = wanted
            input.use(wanted)
        }
    }

    var mayBlock: Bool { input.length == nil }
    var consumedBytes: Int { input.consumed }
    var consumedShare: Double? { input.progress }
}

extension FileStreamSource: FileReading {
    func reads(_ file: FileIdentity) -> Bool { input.identity == file }
    func finds(_ file: FileIdentity) -> Bool { false }
}

// MARK: - Counting

extension FileStreamSource: CountableSource {
    func countNext() throws -> (records: Int, bytes: Int)? {
        guard let unit = try cut(UnitLimit()) else { return nil }
        try checkRecords(unit)
        return (unit.cut.records, unit.byteCount)
    }
}
