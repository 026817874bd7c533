/// What a sink that appends has to know of the records that are there.
struct OldContent {
    /// CSV: the header's columns; nil where there is none yet, or shall be none.
    let columns: Schema?
    /// CSV without a header: fields of the first record; nil where there is none yet.
    let fieldCount: Int?
    /// Whether records can follow at once, without a line end before them.
    let isComplete: Bool
    /// What was asked for, or what a byte order mark says.
    let encoding: TextEncoding

    /// Looks at a file; nil where it is empty.
    ///
    /// The start of a file tells its compression, its byte order and CSV's columns. The end of one that is compressed, or no
    /// UTF-8, can only be told by reading it all, and then it is known to be whole: behind one that is cut off, nothing could be
    /// read.
    static func of(
        _ file: AppendedFile, _ format: FileFormat, _ compression: CompressionFormat, _ encoding: TextEncoding,
        _ dialect: CSVDialect, _ csv: CSVOptions, _ pool: BlockPool, _ kernel: Kernel
    ) throws(StreamError) -> OldContent? {
        guard var last = try file.lastByte() else { return nil }
        let bytes = try file.content()
        let found = try bytes.compressionOfMagic()
        guard found == compression else {
            throw refusal(
                "what is there is \(found == .none ? "not compressed" : found.rawValue), and what is appended has to be, too",
                file, "say compression: .\(found.rawValue) (--compression \(found.rawValue))")
        }
        let stored = FileInputs.decompressed(bytes, compression, pool)
        let content = FileInputs.text(of: stored, encoding, pool, kernel, path: file.path)
        var header: CSVHeader?
        var start = InputStart(pool)
        if format == .csv {
            header = try .read(content, pool, kernel, dialect, csv, path: file.path, maxBytes: 16 << 20)
            guard header?.dialect.endsAtCarriageReturn != true else {
                throw refusal("its records end with CR alone, and Sluice writes LF", file, "convert the file first")
            }
        } else if !format.endsAnywhere {
            try start.skipByteOrderMark(content, path: file.path, record: 1)
        }
        if compression != .none || encoding != .utf8 {
            start = header?.start ?? start
            let seen = start.filled > 0 ? start.block.bytes[start.filled - 1] : nil
            last = try lastByte(of: content, pool) ?? seen ?? UInt8(ascii: "\n")
            guard (stored as? DecompressedInput)?.isPadded != true else {
                throw refusal("zeros follow its gzip data, behind which nothing is read", file, "compress it anew")
            }
        }
        return OldContent(
            columns: csv.header ? header?.columns : nil, fieldCount: csv.header ? nil : header?.columns?.count,
            isComplete: format.endsAnywhere || last == UInt8(ascii: "\n"), encoding: content.encoding)
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
        case .csv, .jsonl, .json, .text: false
        case .binary: true
        }
    }
}
