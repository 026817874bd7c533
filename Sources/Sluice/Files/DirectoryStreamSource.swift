/// Streams the records of many files, one file after the other.
///
///     let source = try DirectoryStreamSource("data", pattern: "*.csv")
///     try source.forEach { chunk in print(chunk.metadata["source_file"] ?? .null, chunk.data.count) }
///
/// Files of a directory come in natural order (`part2` before `part10`), path by path; those that are listed, in the order
/// given. Which they are is decided when the source is made. Hidden files are left out, and so is what is neither file nor
/// directory. Links are followed, but a directory is entered once, whatever ways lead to it.
///
/// Chunks are those of the files: none has records of two. Their numbers run on, `isLast` is true on the very last one, and
/// `progress` is the share of all files' bytes. One file is open at a time. A run that would replace one of a directory's files
/// is refused.
public final class DirectoryStreamSource: SplitSource {
    /// How the columns of one file have to fit those of the others. JSON's records have keys of their own, and fit always.
    public enum Columns: String, Sendable, CaseIterable {
        /// All files have the same columns, in the same order.
        case same
        /// Columns are those of all files, by name, in the order of their first appearance. Records have those of their own
        /// file. All headers are read before the first record.
        case union
    }

    /// What happens where a file, or a directory below those given, cannot be read or has bad data.
    public enum ErrorPolicy: String, Sendable, CaseIterable {
        /// The stream ends with its error.
        case fail
        /// What is left of the file is skipped, and `skippedFiles` tells. Records that were handed out before, in units of
        /// about 256 KiB, stay. To know a unit to be good before it is handed out, it is decoded where it is cut: on one thread.
        case skip
    }

    /// A file of which not all was read, or a directory that was not.
    public struct SkippedFile: Sendable {
        public let path: String
        public let error: StreamError
        /// Records that were handed out before the error.
        public let records: Int
    }

    /// The files, in the order in which they are read.
    public let files: [String]
    /// What was skipped so far; see `ErrorPolicy.skip`.
    public private(set) var skippedFiles: [SkippedFile] = []

    private let entries: [FileTree.Entry]
    private let columns: Columns
    private let onError: ErrorPolicy
    private let open: (String) throws -> FileStreamSource
    /// Bytes of all files as they are on disk; nil where that is not known.
    private let totalBytes: Int?

    private var current: OpenFile?
    /// The next file to open.
    private var next = 0
    /// Bytes of the files before the current one.
    private var bytesBefore = 0
    private var sequenceNumber = 0
    /// Of the run that this source is read in.
    private var terms: RunTerms?
    /// The columns of all files, as far as they are known; nil inside: each record has its own.
    private var shared: (schema: Schema?, path: String)?
    /// Each file is one chunk of so many bytes at most; nil: of as many chunks as it takes.
    var oneChunkBytes: Int?
    /// Whether nobody decodes what is cut.
    private var isCounting = false
    /// A unit that was read to learn whether the one before it was the last.
    private var held: Unit?
    private var hasStarted = false
    private var isClosed = false
    private var failure: (any Error)?
    private var decoded: (chunks: DecodedUnit, next: Int)?

    private struct OpenFile {
        let file: FileStreamSource
        let index: Int
        let origin: ChunkOrigin.Source
        var records = 0
        var isChecked = false
    }

    /// Finds the files of a directory.
    ///
    /// - Parameters:
    ///   - directory: its path.
    ///   - pattern: of names: `*` is any text, `?` any character, `[a-z]` one of a set, `[!a-z]` one of all others. With a slash
    ///     it is one of paths below the directory, in which `**` stands for any number of folders. Nil: all files.
    ///   - recursive: whether directories below are searched too.
    ///   - columns: how the files' columns have to fit.
    ///   - onError: what happens where a file cannot be read.
    ///
    /// Other parameters are as those of `FileStreamSource`, for each file.
    /// - Throws: `StreamError`: `fileNotFound` where there is no such directory, or no file that matches; `permissionDenied`,
    ///   `readFailed`; `invalidConfiguration`.
    public convenience init(
        _ directory: String, pattern: String? = nil, recursive: Bool = false, format: FileFormat? = nil,
        compression: CompressionFormat? = nil, chunkSize: Int? = nil, encoding: TextEncoding = .utf8,
        types: CellTypes? = nil, csv: CSVOptions = CSVOptions(), select: [String]? = nil,
        maxRecordBytes: Int = 16 << 20, maxChunkBytes: Int = 1 << 20,
        columns: Columns = .same, onError: ErrorPolicy = .fail, kernel: KernelChoice = .auto
    ) throws {
        guard try FileSystem.statusForReading(directory)?.isDirectory ?? true else {
            throw StreamError(.fileNotFound, "it is a file, not a directory", path: directory, stage: "cut")
        }
        try self.init(
            paths: [directory], pattern: pattern, recursive: recursive, format: format, compression: compression,
            chunkSize: chunkSize, encoding: encoding, types: types, csv: csv, select: select,
            maxRecordBytes: maxRecordBytes, maxChunkBytes: maxChunkBytes, columns: columns, onError: onError,
            kernel: kernel)
    }

    /// Takes files as they are listed, "-" being standard input, and in the place of each directory the files it has.
    ///
    /// - Parameter pattern: of the files of directories; what is listed itself need not match.
    ///
    /// Everything else is as for one directory.
    public init(
        paths: [String], pattern: String? = nil, recursive: Bool = false, format: FileFormat? = nil,
        compression: CompressionFormat? = nil, chunkSize: Int? = nil, encoding: TextEncoding = .utf8,
        types: CellTypes? = nil, csv: CSVOptions = CSVOptions(), select: [String]? = nil,
        maxRecordBytes: Int = 16 << 20, maxChunkBytes: Int = 1 << 20,
        columns: Columns = .same, onError: ErrorPolicy = .fail, kernel: KernelChoice = .auto
    ) throws {
        var skipped: [SkippedFile] = []
        entries = try Self.list(paths, pattern, recursive) { error in
            guard onError == .skip else { throw error }
            skipped.append(SkippedFile(path: error.path ?? "", error: error, records: 0))
        }
        files = entries.map(\.path)
        let sizes = entries.map { $0.status.flatMap { $0.isRegular ? $0.size : nil } }
        totalBytes = sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
        self.columns = columns
        self.onError = onError
        open = { path in
            try FileStreamSource(
                path, format: format, compression: compression, chunkSize: chunkSize, encoding: encoding, types: types,
                csv: csv, select: select, maxRecordBytes: maxRecordBytes, maxChunkBytes: maxChunkBytes, kernel: kernel)
        }
        skippedFiles = skipped
    }

    deinit { close() }

    /// The columns that records have, once the first chunk was read: those that all files have, or with `.union` those that
    /// any has; nil where each record has its own.
    public var schema: Schema? { shared?.schema }

    /// The next chunk; nil at the end.
    /// - Throws: the error of a file, placed in it; the same one at every later call; `closed` after `close`.
    public func readChunk() throws -> StreamChunk? {
        while true {
            if let (chunks, next) = decoded, next < chunks.count {
                decoded?.next += 1
                return chunks[next]
            }
            decoded = nil
            guard let unit = try cut(UnitLimit(decodesNext: true)) else { return nil }
            do {
                decoded = (try decode(unit), 0)
            } catch {
                failure = error
                held = nil
                throw error
            }
        }
    }

    /// Closes the file that is open. Chunks that were handed out stay good.
    public func close() {
        isClosed = true
        decoded = nil
        held = nil
        current?.file.close()
        current = nil
    }
}

// MARK: - Which files

extension DirectoryStreamSource {
    private static func list(
        _ paths: [String], _ pattern: String?, _ isRecursive: Bool, fail: @escaping (StreamError) throws -> Void
    ) throws -> [FileTree.Entry] {
        let glob = pattern.map(Glob.init)
        guard isRecursive || glob?.hasFolders != true else {
            throw StreamError(
                .invalidConfiguration,
                "the pattern \(pattern ?? "") is one of paths, but directories below are not searched",
                path: paths.first, hint: "say recursive: true (--recursive)")
        }
        guard !paths.isEmpty else { throw StreamError(.invalidConfiguration, "no file is given") }
        return try paths.flatMap { path in
            if path == "-" { return [FileTree.Entry(path: path, status: nil)] }
            let status = try FileSystem.statusForReading(path)
            guard status?.isDirectory == true else {
                if status == nil {
                    try fail(StreamError(.fileNotFound, "there is no such file", path: path, stage: "cut"))
                    return []
                }
                return [FileTree.Entry(path: path, status: status)]
            }
            let files = try FileTree.files(of: path, glob, isRecursive: isRecursive, fail: fail)
            guard !files.isEmpty else {
                throw StreamError(
                    .fileNotFound, "the directory has no file" + (pattern.map { " that matches \($0)" } ?? ""),
                    path: path, stage: "cut",
                    hint: isRecursive ? nil : "directories below are searched with recursive: true (--recursive)")
            }
            return files
        }
    }
}

extension DirectoryStreamSource: RunParticipant {
    func join(_ terms: RunTerms) { self.terms = terms }

    var mayBlock: Bool { totalBytes == nil }
    var consumedBytes: Int { bytesBefore + (current?.file.consumed ?? 0) }
    var consumedShare: Double? { totalBytes.map { $0 == 0 ? 1 : min(1, Double(consumedBytes) / Double($0)) } }
}

extension DirectoryStreamSource: FileReading {
    func finds(_ file: FileIdentity) -> Bool { entries.contains { $0.isFound && $0.status?.identity == file } }

    func reads(_ file: FileIdentity) -> Bool {
        entries.contains { entry in
            entry.path == "-" ? (try? FileSystem.status(0, "-"))?.identity == file : entry.status?.identity == file
        }
    }
}

// MARK: - Cut and decode

extension DirectoryStreamSource {
    /// Whole chunks of one file.
    public struct Unit: StreamUnit {
        fileprivate enum Content: Sendable {
            case cut(FileStreamSource.Unit)
            case decoded(DecodedUnit)
        }

        fileprivate let content: Content
        fileprivate let firstSequenceNumber: Int
        fileprivate let origin: ChunkOrigin.Source
        fileprivate let records: Int
        fileprivate let bytes: Int
        fileprivate var progress: Double?
        fileprivate var isLast: Bool

        public var recordCount: Int { records }
        public var byteCount: Int { bytes }
    }

    /// The next whole chunks of a file, up to the limit; nil at the end.
    /// - Throws: as `readChunk`.
    public func cut(_ limit: UnitLimit) throws -> Unit? {
        guard !isClosed else { throw StreamError(.closed, "the source is closed", path: files.first, stage: "cut") }
        guard var unit = try takeHeld() ?? sticking({ try advance(limit) }) else { return nil }
        if oneChunkBytes != nil, unit.isLast {
            // Another file would be held beside this one, whole.
            unit.isLast = next + 1 >= entries.count
            return unit
        }
        // Whether records follow in another file, or good ones in this, is only known when there are some. An error there is
        // for the next call.
        if unit.isLast || onError == .skip {
            held = try? sticking { try advance(limit) }
            unit.isLast = held == nil && failure == nil
            if unit.isLast, unit.progress != nil { unit.progress = 1 }
        }
        return unit
    }

    private func takeHeld() -> Unit? {
        defer { held = nil }
        return held
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

    /// The next unit of the file that is open, or of the next one that has any.
    private func advance(_ limit: UnitLimit) throws -> Unit? {
        if !hasStarted {
            hasStarted = true
            if columns == .union { try uniteColumns() }
        }
        while current != nil || next < entries.count {
            do {
                if let unit = try cutCurrent(limit) { return unit }
                closeCurrent()
            } catch {
                try skip(error)
            }
        }
        return nil
    }

    private func cutCurrent(_ limit: UnitLimit) throws -> Unit? {
        if current == nil {
            let file = try open(files[next])
            if let terms { file.join(terms) }
            if let oneChunkBytes { file.readAsOneChunk(maxBytes: oneChunkBytes) }
            current = OpenFile(file: file, index: next, origin: origin(of: file, next))
        }
        guard let opened = current else { return nil }
        if !opened.isChecked {
            try checkColumns(opened.file)
            current?.isChecked = true
        }
        guard let cut = try opened.file.cut(limit) else { return nil }
        if isCounting { try opened.file.checkRecords(cut) }
        let content: Unit.Content = onError == .skip && !isCounting ? .decoded(try cut.decoded()) : .cut(cut)
        current?.records += cut.cut.records
        defer { sequenceNumber += cut.cut.chunkEnds.count }
        return Unit(
            content: content, firstSequenceNumber: sequenceNumber, origin: opened.origin, records: cut.cut.records,
            bytes: cut.byteCount, progress: progress(opened.file), isLast: cut.isLast)
    }

    private func progress(_ file: FileStreamSource) -> Double? {
        totalBytes.map { $0 == 0 ? 1 : min(1, Double(bytesBefore + file.consumed) / Double($0)) }
    }

    private func origin(of file: FileStreamSource, _ index: Int) -> ChunkOrigin.Source {
        let more: [String: Value] = [
            "source_file": .string(file.path), "file_index": Value(index), "total_files": Value(entries.count),
        ]
        return ChunkOrigin.Source(metadata: file.origin.metadata.merging(more) { $1 })
    }

    private func closeCurrent() {
        current?.file.close()
        current = nil
        bytesBefore += entries[next].status?.size ?? 0
        next += 1
    }

    /// What was asked for in a way that makes no sense is no fault of a file's.
    private func canSkip(_ error: any Error) -> Bool {
        let code = (error as? StreamError)?.code
        // Of these no file is to blame.
        return onError == .skip && code != .invalidConfiguration && code != .cancelled && code != .timedOut
    }

    /// Goes on behind a file that has an error, if it may.
    private func skip(_ error: any Error) throws {
        guard canSkip(error) else { throw error }
        let path = files[next]
        skippedFiles.append(
            SkippedFile(path: path, error: StreamError(reading: path, error), records: current?.records ?? 0))
        closeCurrent()
    }

    /// The chunks of a unit.
    public func decode(_ unit: Unit) throws -> DecodedUnit {
        var decoded =
            switch unit.content {
            case .cut(let cut): try cut.decoded()
            case .decoded(let decoded): decoded
            }
        decoded.firstSequenceNumber = unit.firstSequenceNumber
        decoded.isLast = unit.isLast
        decoded.source = unit.origin
        decoded.progress = unit.progress
        return decoded
    }

    /// Counts the records from here to the end, without looking at their fields: only the cut runs.
    ///
    /// - Throws: as `FileStreamSource.countRecords`, and where columns do not fit.
    public func countRecords() throws -> Int { try countAll() }
}

extension DirectoryStreamSource: CountableSource {
    func countNext() throws -> (records: Int, bytes: Int)? {
        isCounting = true
        defer { isCounting = false }
        return try cut(UnitLimit()).map { ($0.records, $0.bytes) }
    }
}

// MARK: - Columns

extension DirectoryStreamSource {
    /// Refuses a file whose columns are not those of the files before it. One without header and records has none.
    private func checkColumns(_ file: FileStreamSource) throws {
        guard try file.open(), columns == .same else { return }
        guard let shared else {
            shared = (file.schema, file.path)
            return
        }
        guard shared.schema != file.schema else { return }
        func list(_ schema: Schema?) -> String { schema?.names.joined(separator: ", ") ?? "each record's own" }
        throw StreamError(
            .differentColumns,
            "its columns are \(list(file.schema)), but those of \(shared.path) are \(list(shared.schema))",
            path: file.path, stage: "cut", hint: "say columns: .union (--union), or leave it out by a pattern")
    }

    private func readHeader(_ path: String) throws -> (hasContent: Bool, columns: Schema?) {
        let file = try open(path)
        defer { file.close() }
        return (try file.open(), file.schema)
    }

    /// The columns that any file has. An error that may be skipped is left to when the file's records are read.
    private func uniteColumns() throws {
        var names: [String] = []
        var known: Set<ByteKey> = []
        for entry in entries {
            guard entry.status?.isRegular == true else {
                throw StreamError(
                    .unsupported, "the columns of what can be read only once cannot be known before", path: entry.path,
                    stage: "cut", hint: "say columns: .same")
            }
            let header: (hasContent: Bool, columns: Schema?)
            do {
                header = try readHeader(entry.path)
            } catch {
                if canSkip(error) { continue } else { throw error }
            }
            guard header.hasContent else { continue }
            guard let schema = header.columns else {
                shared = (nil, entry.path)
                return
            }
            for name in schema.names where known.insert(ByteKey(text: name)).inserted { names.append(name) }
        }
        if !names.isEmpty { shared = (Schema(names), files[0]) }
    }
}

extension StreamError {
    /// Any error of a file as one of these.
    fileprivate init(reading path: String, _ error: any Error) {
        self =
            error as? StreamError
            ?? StreamError(.readFailed, "\(error)", path: path, stage: "cut", underlying: error)
    }
}
