/// Which files a processor reads and which it writes: settled, and refused, before any of it is begun.
struct FilePlan {
    /// One run.
    struct Job {
        let source: Source
        let output: String
        /// That of the output; nil: by the name.
        let format: FileFormat?
        /// Bytes of the input; nil where that is not known.
        let bytes: Int?
    }

    enum Source {
        case file(String)
        case directory(DirectoryStreamSource)
    }

    private let config: FileProcessingConfig
    let jobs: [Job]

    /// - Throws: `StreamError`: `invalidConfiguration`, `fileNotFound` where there is no input, `cannotCreate`; what keeps
    ///   directories from being read.
    init(_ config: FileProcessingConfig) throws {
        try config.check()
        self.config = config
        let input = try Input(config)
        jobs = try config.mode == .batch ? Self.batch(config, input) : [Self.stream(config, input)]
        try Self.checkOutputs(jobs.map(\.output) + [config.rejectsPath].compactMap { $0 }, jobs, input)
    }

    private static func stream(_ config: FileProcessingConfig, _ input: Input) throws -> Job {
        let source: Source =
            switch input {
            case .file(let path): .file(path)
            case .directory: .directory(try input.list(config))
            }
        return Job(source: source, output: config.outputPath, format: config.outputFormat, bytes: nil)
    }

    private static func batch(_ config: FileProcessingConfig, _ input: Input) throws -> [Job] {
        let folder = config.outputPath.hasSuffix("/") ? config.outputPath : config.outputPath + "/"
        return try input.list(config).files.map { path in
            let name = FileSystem.split(path).name
            guard let format = config.outputFormat ?? config.inputFormat ?? FileFormat(path: name) else {
                throw StreamError(
                    .invalidConfiguration, "the name does not tell the format of the file that it becomes", path: path,
                    hint: "say outputFormat")
            }
            let suffix = config.outputCompression?.marks?.suffix ?? ""
            let status = try FileSystem.statusForReading(path)
            return Job(
                source: .file(path), output: folder + format.renaming(name) + suffix, format: format,
                bytes: status.flatMap { $0.isRegular ? $0.size : nil })
        }
    }
}

// MARK: - Inputs

extension FilePlan {
    /// What an input path stands for.
    enum Input {
        case file(String)
        case directory(String, pattern: String?, isRecursive: Bool)

        /// - Throws: `invalidConfiguration` for options of directories where there is none.
        init(_ config: FileProcessingConfig) throws {
            let path = config.inputPath
            let isPattern = try path != "-" && FileSystem.statusForReading(path) == nil
            if FileSystem.isDirectory(path) {
                self = .directory(path, pattern: config.pattern, isRecursive: config.recursive)
            } else if isPattern, let (folder, pattern) = Glob.split(path: path) {
                try config.refuse(
                    config.pattern != nil || config.recursive,
                    "the path is a pattern itself: it says which files these are",
                    "leave pattern and recursive away, or name the directory", path)
                self = .directory(folder, pattern: pattern, isRecursive: Glob(pattern).hasFolders)
            } else {
                try config.refuse(
                    config.pattern != nil || config.recursive || config.columns != .same,
                    "pattern, recursive and columns are for directories, and this is none", "leave them away", path)
                self = .file(path)
            }
        }

        /// The files.
        func list(_ config: FileProcessingConfig) throws -> DirectoryStreamSource {
            let (path, pattern, isRecursive): (String, String?, Bool) =
                switch self {
                case .file(let path): (path, nil, false)
                case .directory(let path, let pattern, let isRecursive): (path, pattern, isRecursive)
                }
            return try DirectoryStreamSource(
                paths: [path], pattern: pattern, recursive: isRecursive, format: config.inputFormat,
                compression: config.inputCompression, encoding: config.inputEncoding, types: config.types,
                csv: config.inputCSV, select: config.select, maxRecordBytes: config.maxRecordBytes,
                columns: config.columns)
        }

        /// Whether the files would be those of this path, too, if there were one.
        /// - Parameter path: absolute, links followed.
        func finds(_ path: String) throws -> Bool {
            guard case .directory(let directory, let pattern, let isRecursive) = self else { return false }
            let root = try FileSystem.resolvedDirectory(directory)
            guard path.utf8.starts(with: root.utf8) else { return false }
            let below = String(decoding: path.utf8.dropFirst(root.utf8.count), as: UTF8.self)
            let names = below.utf8.split(separator: UInt8(ascii: "/"))
            let isHidden = names.contains { $0.first == UInt8(ascii: ".") }
            return (isRecursive || names.count == 1) && !isHidden && pattern.map { Glob($0).matches(below) } ?? true
        }
    }
}

extension FileSystem {
    /// The absolute path of a directory, with a slash behind it.
    static func resolvedDirectory(_ path: String) throws(StreamError) -> String {
        let path = try resolved(path.hasSuffix("/") ? path : path + "/")
        return path == "//" ? "/" : path
    }
}

// MARK: - Outputs

extension FilePlan {
    /// Refuses outputs that are inputs, would be those of the next run, or are each other.
    private static func checkOutputs(_ outputs: [String], _ jobs: [Job], _ input: Input) throws {
        var known: [ByteKey: Int] = [:]
        // What is written to straight, by whatever name: publishing another output there would take its place.
        let open = try outputs.map { output in
            try AtomicFile.inheritedDescriptor(output).map { try FileSystem.status($0, output).identity }
        }
        for (place, output) in outputs.enumerated() {
            let path = try absolute(output)
            let status = output == "-" ? nil : try FileSystem.status(output)
            if let status, status.isRegular, jobs.contains(where: { $0.source.reads(status.identity) }) {
                throw refused("the output is an input as well", output, "write another file")
            }
            if status?.isRegular ?? true, try input.finds(path) {
                throw refused(
                    "the output is where inputs are, so the next run would read it", output,
                    "write to another directory, or leave it out by a pattern")
            }
            let identity = open[place] ?? status?.identity
            if let identity, open.enumerated().contains(where: { $0.offset != place && $0.element == identity }) {
                throw refused("two outputs are the same", output, "name another file")
            }
            guard let other = known.updateValue(place, forKey: ByteKey(text: path)) else { continue }
            if place < jobs.count, case .file(let one) = jobs[other].source, case .file(let two) = jobs[place].source {
                throw refused(
                    "\(one) and \(two) would both become this file", output, "rename one, or leave it out by a pattern")
            }
            throw refused("rejected records would be written to the output", output, "name another file")
        }
    }

    /// The path with links followed, of a file that need not be there, nor its directory.
    private static func absolute(_ path: String) throws -> String {
        if path == "-" { return path }
        let (folder, name) = FileSystem.split(path)
        if folder.isEmpty || FileSystem.isDirectory(folder) { return try FileSystem.resolved(path) }
        return try FileSystem.resolved(String(folder.dropLast())) + "/" + name
    }

    private static func refused(_ why: String, _ path: String, _ hint: String) -> StreamError {
        StreamError(.invalidConfiguration, why, path: path, hint: hint)
    }
}

extension FilePlan.Source {
    func reads(_ file: FileIdentity) -> Bool {
        switch self {
        case .file(let path): path != "-" && (try? FileSystem.statusForReading(path))??.identity == file
        case .directory(let source): source.reads(file)
        }
    }
}

// MARK: - Opening

extension FilePlan {
    /// The output's directory, where it is to be made.
    func makeDirectory() throws {
        guard config.mode == .batch else { return }
        let status = try FileSystem.status(config.outputPath)
        guard let status else { return try FileSystem.createDirectory(config.outputPath) }
        if !status.isDirectory {
            throw StreamError(
                .cannotCreate, "the output of batch mode is a directory, and this is a file", path: config.outputPath,
                stage: "commit", hint: "name a directory, or say mode: .stream")
        }
    }

    func open(_ source: Source) throws -> any StreamSource {
        let maxBytes = config.mode == .whole ? config.engine.memoryLimitMB << 20 : nil
        switch source {
        case .directory(let source):
            source.oneChunkBytes = maxBytes
            return source
        case .file(let path):
            let source = try FileStreamSource(
                path, format: config.inputFormat, compression: config.inputCompression, encoding: config.inputEncoding,
                types: config.types, csv: config.inputCSV, select: config.select, maxRecordBytes: config.maxRecordBytes)
            if let maxBytes { source.readAsOneChunk(maxBytes: maxBytes) }
            return source
        }
    }

    func makeSink(_ job: Job) throws -> FileStreamSink {
        try FileStreamSink(
            job.output, format: job.format, compression: config.outputCompression, encoding: config.outputEncoding,
            csv: config.outputCSV, columns: config.outputColumns, unknownColumns: config.unknownColumns,
            level: config.level)
    }

    /// Nil where there is no place for rejected records.
    func makeRejects() throws -> FileStreamSink? {
        try config.rejectsPath.map { try FileStreamSink($0, format: .jsonl) }
    }

    /// What happens to each chunk, in order.
    var steps: [ProcessorStep] {
        var steps: [ProcessorStep] = []
        if let validation = config.validation {
            steps.append(
                validation.step(writesRejects: config.rejectsPath != nil, columnsVary: config.columns == .union))
        }
        if let filter = config.filter {
            steps.append(
                StreamContext.step { (chunk: inout StreamChunk) in try chunk.data.removeAll { try !filter($0) } })
        }
        if let transform = config.transform { steps.append(StreamContext.step(transform)) }
        return steps
    }
}
