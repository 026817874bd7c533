/// Finds out what a file is by trying: the readers themselves say what suits them.
struct FileDetector {
    let sample: FileSample
    /// What is known of the dialect.
    private let csv: CSVOptions
    private let pool: BlockPool
    private let kernel: Kernel
    /// Offset of the first byte that is no UTF-8.
    private let firstInvalid: Int?

    /// What was found, and the records read so.
    struct Finding {
        var format: FileFormat
        var encoding: TextEncoding
        var csv: CSVOptions
        var records: RecordSample
        var lineEnds: [FileInspection.LineEnd]
    }

    /// - Throws: as `FileSample`.
    init(
        _ path: String, _ compression: CompressionFormat?, _ csv: CSVOptions, _ kernel: Kernel
    ) throws(StreamError) {
        self.csv = csv
        self.kernel = kernel
        pool = BlockPool()
        sample = try FileSample(path, compression, pool, kernel, maxBytes: FileInspection.maxBytes)
        firstInvalid = sample.firstInvalidUTF8(kernel)
    }

    /// - Parameters: what is known.
    func detect(_ format: FileFormat?, _ encoding: TextEncoding?) throws -> Finding {
        let found = encoding?.resolved(by: sample.bytes) ?? detectedEncoding
        let known = format ?? FileFormat(path: sample.path) ?? (csv == CSVOptions() ? nil : .csv)
        switch known ?? formatOfContent(found) {
        case .csv: return try withHeader(table(found))
        case .json: return try format == nil ? json(found, .json, or: .jsonl) : read(.json, found)
        case .jsonl: return try format == nil ? json(found, .jsonl, or: .json) : read(.jsonl, found)
        case .text: return try read(.text, found)
        case .binary: return try read(.binary, encoding ?? .utf8)
        case nil:
            let table = try table(found)
            let isTable = table.records.error == nil && table.records.count > 1 && table.records.fieldCount > 1
            return try isTable ? withHeader(table) : read(.text, found)
        }
    }

    /// The sample read in a format, and a dialect if it is not what is known of it.
    private func read(
        _ format: FileFormat, _ encoding: TextEncoding, _ dialect: CSVOptions? = nil
    ) throws -> Finding {
        let csv = dialect ?? csv
        let limits = RecordLimits(
            chunkSize: 1, maxChunkBytes: FileInspection.maxBytes, maxRecordBytes: FileInspection.maxBytes)
        let records = try RecordSample(maxRecords: FileInspection.maxRecords) {
            let input = FileInputs.text(of: sample.input, encoding, pool, kernel, path: sample.path)
            return try FileStreamSource(
                sample.path, (input, sample.compression), pool, kernel, limits, format: format, encoding: encoding,
                types: format == .csv ? .inferred : nil, csv: csv, select: nil)
        }
        let hasLines = format != .json && format != .binary
        return Finding(
            format: format, encoding: encoding, csv: csv, records: records,
            lineEnds: hasLines ? records.lineEnds : [])
    }

    /// JSON in one of its formats: the other only where it suits and the likely one does not.
    private func json(_ encoding: TextEncoding, _ likely: FileFormat, or other: FileFormat) throws -> Finding {
        let found = try read(likely, encoding)
        guard found.records.error != nil else { return found }
        let second = try read(other, encoding)
        return second.records.error == nil && second.records.count > 0 ? second : found
    }
}

// MARK: - CSV

extension FileDetector {
    /// CSV by the delimiter that suits it best, and without a header.
    private func table(_ encoding: TextEncoding) throws -> Finding {
        let dialect = try csv.sourceDialect(path: sample.path)
        let own = Character(UnicodeScalar(dialect.delimiter))
        // Of those that give as many fields, the one is taken that texts and numbers have least.
        let candidates = ["\t", "|", ";", ","].filter { ![csv.quote, csv.escape, csv.comment].contains($0) }
        var best: (finding: Finding, rank: (Int, Int))?
        for delimiter in csv.delimiter == nil ? candidates : [own] {
            var csv = csv
            csv.delimiter = delimiter
            csv.header = false
            let finding = try read(.csv, encoding, csv)
            let rank = rank(finding.records, isOwn: delimiter == own)
            if best.map({ rank > $0.rank }) ?? true { best = (finding, rank) }
        }
        return try best?.finding ?? read(.csv, encoding)
    }

    /// A delimiter suits the better that divides all records, or several before one that it does not.
    private func rank(_ records: RecordSample, isOwn: Bool) -> (Int, Int) {
        if records.fieldCount > 1, records.error == nil { return (3, records.fieldCount) }
        if records.fieldCount > 1, records.count > 1 { return (2, records.count) }
        return (isOwn ? 1 : 0, 0)
    }

    /// The same with a header, if there is one.
    private func withHeader(_ table: Finding) throws -> Finding {
        guard csv.header, table.records.beginsWithNames else { return table }
        var csv = table.csv
        csv.header = true
        var found = try read(.csv, table.encoding, csv)
        found.lineEnds = table.lineEnds
        return found
    }
}

extension RecordSample {
    /// Fields of a record, where all have as many.
    fileprivate var fieldCount: Int { schema?.count ?? 0 }

    /// Whether the first record, read as one, is a header: see `FileInspection.csv`.
    fileprivate var beginsWithNames: Bool {
        guard let first = units.first?.base, first.rowCount > 0 else { return true }
        return !(0..<fieldCount).contains { column in
            guard first.field(0, column)?.isDatum == true else { return false }
            // Of the other records.
            var data = -1
            var others = 0
            for (base, _) in units {
                for row in 0..<base.rowCount {
                    guard let field = base.field(row, column), field.type != .null else { continue }
                    if field.isDatum { data += 1 } else { others += 1 }
                }
            }
            return data >= others
        }
    }
}

extension Field {
    /// Whether it is what names seldom are: a number, a Boolean, or digits with marks between them.
    fileprivate var isDatum: Bool {
        switch value {
        case .bool, .int, .double, .decimal: return true
        case .string(let text):
            let marks = "-+:/. TZ".utf8
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            guard let first = text.utf8.first, digits.contains(first) else { return false }
            return text.utf8.allSatisfy { digits.contains($0) || marks.contains($0) }
        default: return false
        }
    }
}

// MARK: - Encodings and bytes

extension FileDetector {
    private var detectedEncoding: TextEncoding {
        if let told = TextEncoding(byteOrderMark: sample.bytes) ?? utf16ByZeros { return told }
        guard let firstInvalid, !hasControls else { return .utf8 }
        let isASCII = sample.bytes[..<firstInvalid].allSatisfy { $0 < 0x80 }
        return isASCII ? .latin1 : .utf8
    }

    /// UTF-16 without a byte order mark: every other byte of its ASCII is zero, and hardly any of the others; no character is a
    /// control character. Where little of it is ASCII, it is no UTF-8 either.
    private var utf16ByZeros: TextEncoding? {
        let bytes = sample.bytes
        let units = bytes.count / 2
        // Of the first and the second bytes.
        var zeros = [0, 0]
        var controls = [0, 0]
        for place in 0..<2 * units where bytes[place] == 0 {
            zeros[place & 1] += 1
            if bytes[place ^ 1].isControl { controls[place & 1] += 1 }
        }
        let order = zeros[0] > zeros[1] ? 0 : 1
        let ascii = zeros[order]
        guard ascii > units / (firstInvalid == nil ? 2 : 8), zeros[1 - order] <= ascii / 4, controls[order] == 0 else {
            return nil
        }
        return order == 0 ? .utf16BE : .utf16LE
    }

    private var hasControls: Bool { sample.bytes.contains { $0.isControl } }

    /// What the first bytes tell; nil where that is nothing.
    private func formatOfContent(_ encoding: TextEncoding) -> FileFormat? {
        let isUTF16 = encoding != .utf8 && encoding != .latin1
        let isBinary = sample.bytes.contains(0) || hasControls && firstInvalid != nil
        return isBinary && !isUTF16 ? .binary : formatOfFirstByte(encoding)
    }

    /// What a source would be told by the first byte.
    func formatOfFirstByte(_ encoding: TextEncoding) -> FileFormat? {
        let text = PeekedInput(FileInputs.text(of: sample.input, encoding, pool, kernel, path: sample.path))
        return (try? text.firstByte()).flatMap { $0 }.flatMap { FileFormat(firstByte: $0) }
    }
}

extension UInt8 {
    /// Control characters that no text has: none is white space, a backspace or the start of a terminal's sequence.
    fileprivate var isControl: Bool { self < 0x20 && !(0x08...0x0D).contains(self) && self != 0x1B }
}

extension TextEncoding {
    /// What a byte order mark says.
    init?(byteOrderMark bytes: UnsafeBufferPointer<UInt8>) {
        switch (bytes.first, bytes.dropFirst().first) {
        case (0xFF, 0xFE): self = .utf16LE
        case (0xFE, 0xFF): self = .utf16BE
        case (0xEF, 0xBB) where bytes.dropFirst(2).first == 0xBF: self = .utf8
        default: return nil
        }
    }

    /// The encoding that this one comes to in text of these first bytes: UTF-16 has an order.
    fileprivate func resolved(by bytes: UnsafeBufferPointer<UInt8>) -> TextEncoding {
        switch (self, TextEncoding(byteOrderMark: bytes)) {
        case (.utf8, _), (.latin1, _): self
        case (_, let told?) where told != .utf8: told
        case (.utf16, _): .utf16LE
        default: self
        }
    }
}
