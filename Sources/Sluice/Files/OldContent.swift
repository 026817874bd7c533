/// What a sink that appends has to know of the records that are there.
struct OldContent {
    /// CSV: the header's columns; nil where there is none yet.
    let columns: Schema?
    /// Whether records can follow at once, without a line end before them.
    let isComplete: Bool

    /// Looks at a file; nil where it is empty.
    ///
    /// The start of a file tells its compression and CSV's columns. The end of a compressed one can only be told by reading it
    /// all, and then it is known to be whole: behind one that is cut off, nothing could be read.
    static func of(
        _ file: AppendedFile, _ format: FileFormat, _ compression: CompressionFormat, _ dialect: CSVDialect,
        _ pool: BlockPool, _ kernel: any Kernel
    ) throws(StreamError) -> OldContent? {
        guard var last = try file.lastByte() else { return nil }
        let bytes = try file.content()
        let found = try bytes.compressionOfMagic()
        guard found == compression else {
            throw refusal(
                "what is there is \(found == .none ? "not compressed" : found.rawValue), and what is appended has to be, too",
                file, "say compression: .\(found.rawValue) (--compression \(found.rawValue))")
        }
        let content = FileInputs.decompressed(bytes, compression, pool)
        var header: CSVHeader?
        if format == .csv {
            header = try .read(content, pool, kernel, dialect, path: file.path, maxBytes: 16 << 20)
            guard header?.dialect.endsAtCarriageReturn != true else {
                throw refusal("its records end with CR alone, and Sluice writes LF", file, "convert the file first")
            }
        }
        if compression != .none {
            let start = header?.start
            let seen = start.flatMap { $0.filled > 0 ? $0.block.bytes[$0.filled - 1] : nil }
            last = try lastByte(of: content, pool) ?? seen ?? UInt8(ascii: "\n")
            guard (content as? DecompressedInput)?.isPadded != true else {
                throw refusal("zeros follow its gzip data, behind which nothing is read", file, "compress it anew")
            }
        }
        return OldContent(columns: header?.columns, isComplete: format.endsAnywhere || last == UInt8(ascii: "\n"))
    }

    /// The last of the bytes that are left; nil where none are.
    private static func lastByte(of input: any ByteInput, _ pool: BlockPool) throws(StreamError) -> UInt8? {
        let block = pool.block(capacity: 64 << 10)
        var last: UInt8?
        while true {
            let got = try input.read(into: block.bytes, block.capacity)
            if got == 0 { return last }
            last = block.bytes[got - 1]
        }
    }

    private static func refusal(_ why: String, _ file: AppendedFile, _ hint: String) -> StreamError {
        StreamError(
            .invalidConfiguration, "cannot append to the file: \(why)", path: file.path, stage: "commit", hint: hint)
    }
}

extension FileFormat {
    /// Whether a file of this format is whole wherever it ends; others end with a line's end.
    var endsAnywhere: Bool {
        switch self {
        case .csv, .jsonl: false
        }
    }
}
