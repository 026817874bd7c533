/// What a `FileProcessor` reads, does and writes. An option that does not apply is an error of `process`, never ignored.
public struct FileProcessingConfig: Sendable {
    /// How files become output.
    public enum Mode: String, Sendable, CaseIterable {
        /// All inputs are streamed into one output, in chunks.
        case stream
        /// File by file: `outputPath` is a directory, made if there is none (in one that is there), and each input becomes a
        /// file in it: `in/x.csv.gz` becomes `x.jsonl`. Each is published when it is complete; where one fails, those before it
        /// stay.
        case batch
        /// As `stream`, but each file is one chunk, so that a transform sees all of its records at once. A file that, with its
        /// index and what becomes of it, does not fit `memoryLimitMB`, or that has more than 1 GiB, is an error.
        case whole
    }

    /// A file, "-" for standard input, a directory, or a pattern of paths such as `logs/2024-*/*.csv`: see
    /// `DirectoryStreamSource`, whose order they come in. What is there by the very name is no pattern.
    public var inputPath: String
    /// A file, or "-" for standard output; in `batch` mode a directory. Neither it nor `rejectsPath` may be an input, or where
    /// the next run would find it as one.
    public var outputPath: String
    public var mode = Mode.stream

    /// Of the names of a directory's files; with a slash, of paths below it. Nil: all files.
    public var pattern: String?
    /// Whether directories below the input are searched, too.
    public var recursive = false
    /// How the columns of one file have to fit those of the others; not for `batch`, where each has its own output.
    public var columns = DirectoryStreamSource.Columns.same

    /// How each input is written; nil: by its name or first bytes, as all of these are explained at `FileStreamSource`.
    public var inputFormat: FileFormat?
    public var inputCompression: CompressionFormat?
    public var inputEncoding = TextEncoding.utf8
    public var inputCSV = CSVOptions()
    /// Whether CSV cells are all strings (nil), or typed cell by cell.
    public var types: CellTypes?
    /// The fields that records shall have; nil: all.
    public var select: [String]?
    /// A longer record is an error.
    public var maxRecordBytes = 16 << 20

    /// How the output is written; nil: by its name, as all of these are explained at `FileStreamSink`. In `batch` mode nil is
    /// the input's format, and no compression.
    public var outputFormat: FileFormat?
    public var outputCompression: CompressionFormat?
    public var outputEncoding = TextEncoding.utf8
    public var outputCSV = CSVOptions()
    /// Those of CSV, in order; nil: the source's, and what is added.
    public var outputColumns: [String]?
    /// What is done about a field that is none of the columns of CSV.
    public var unknownColumns = UnknownColumns.error
    /// That of the compression; nil: 1.
    public var level: Int?

    /// What records have to be. It comes first; a record that fails ends the run with `invalidRecord`, unless `rejectsPath`
    /// says where it goes. A rule about a column that CSV does not have is an error, but with `columns: .union`.
    public var validation: RecordValidation?
    /// Where records go that fail validation: a JSON Lines file, published when all else is, and empty where none fails. In the
    /// order of the input, each line is
    ///
    ///     {"record":{"id":"7","age":"-1"},"reason":"min: \"age\" is less than 0","field":"age","file":"in.csv","number":17}
    ///
    /// `record` is what was read, `number` its number in the file, from 1, as in errors. They count as `rejectedRecords`.
    public var rejectsPath: String?
    /// Keeps the records that it says so of; of those that are valid.
    public var filter: (@Sendable (Record) throws -> Bool)?
    /// Edits each chunk in place, after the filter; on several threads at once, as `StreamContext.addProcessor` has it.
    public var transform: (@Sendable (inout StreamChunk) throws -> Void)?

    /// How the run is carried out. `timeoutSeconds` is for all files together. In `whole` mode `chunkSize` does not apply.
    public var engine = StreamConfig()

    public init(inputPath: String, outputPath: String) {
        self.inputPath = inputPath
        self.outputPath = outputPath
    }
}

extension FileProcessingConfig {
    /// Refuses what does not go together, before a file is looked at.
    func check() throws(StreamError) {
        try engine.check()
        try refuse(
            rejectsPath != nil && validation == nil, "nothing is rejected without validation",
            "say what records have to be (validation), or leave rejectsPath away")
        let rejectsFormat = rejectsPath.flatMap { FileFormat(path: $0) } ?? .jsonl
        try refuse(rejectsFormat != .jsonl, "rejected records are written as JSON Lines", "name it .jsonl", rejectsPath)
        switch mode {
        case .stream: break
        case .batch:
            try refuse(
                columns != .same, "each file has its own output in batch mode, so no columns are united",
                "say columns: .same")
            try refuse(outputPath == "-", "the output of batch mode is a directory", "name one, or say mode: .stream")
            try refuse(
                inputPath == "-", "standard input has no name that an output could have", "say mode: .stream")
        case .whole:
            try refuse(
                engine.chunkSize != StreamConfig().chunkSize,
                "each file is one chunk in whole mode, whatever chunkSize says",
                "leave chunkSize as it is, or say mode: .stream")
        }
    }

    func refuse(_ isSo: Bool, _ why: String, _ hint: String, _ path: String? = nil) throws(StreamError) {
        if isSo { throw StreamError(.invalidConfiguration, why, path: path, hint: hint) }
    }
}
