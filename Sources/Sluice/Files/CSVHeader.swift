/// What the start of a CSV file tells: its columns, and how records end.
struct CSVHeader {
    /// Nil where the file has no record at all, and nothing else tells its columns.
    let columns: Schema?
    let dialect: CSVDialect
    /// Behind the header; where there is none, at the first record.
    let start: InputStart

    /// - Parameters:
    ///   - given: the dialect, but for how records end.
    ///   - options: whether there is a header, or what the columns are.
    /// - Throws: `StreamError` where the first record cannot be read: a header counts as record 0.
    static func read(
        _ input: any ByteInput, _ pool: BlockPool, _ kernel: Kernel, _ given: CSVDialect, _ options: CSVOptions,
        path: String, maxBytes: Int
    ) throws(StreamError) -> CSVHeader {
        var start = InputStart(pool)
        try start.skipByteOrderMark(input, path: path, record: 0)
        var ends = [UInt32](repeating: 0, count: 256)
        var dialect = given
        func byteOffset(_ offset: Int) -> Int { input.encoding.storedLength(start.block.bytes, offset) }
        while true {
            start.skipLines(&dialect)
            var scanner = CSVScanner(dialect, position: start.position)
            let (status, fields, first) = ends.withUnsafeMutableBufferPointer {
                kernel.firstCSVRecord(
                    &scanner, start.block.bytes, count: start.filled, isFinal: start.isAtEnd, ends: $0)
            }
            switch status {
            case .indexFull:
                // One more than there are delimiters is enough.
                let bytes = UnsafeBufferPointer(
                    start: start.block.bytes + start.position, count: start.filled - start.position)
                ends = [UInt32](repeating: 0, count: bytes.count { $0 == dialect.delimiter } + 1)
            case .needInput:
                // Not at once over the limit, since half a line end does not count; see below.
                if start.filled - start.position > maxBytes + (64 << 10) {
                    let record = options.header ? 0 : start.lines + 1
                    throw .recordTooLarge(maxBytes, path: path, record: record, byteOffset: byteOffset(start.position))
                }
                // Twice as much each time, since the header is scanned anew.
                let wanted = start.position + 2 * (start.filled - start.position)
                repeat { try start.readMore(input, pool, record: 0) } while start.filled < wanted && !start.isAtEnd
            case .failed(let code):
                let failure = scanner.failure(code, expected: nil, names: nil)
                throw StreamError(
                    code, failure.message + (options.header ? ", in the header" : ""), path: path,
                    record: options.header ? 0 : start.lines + scanner.lines + 1,
                    byteOffset: byteOffset(failure.offset), stage: "cut", hint: failure.hint)
            default:
                dialect.endsAtCarriageReturn = scanner.endsAtCarriageReturn
                let given = options.columns.map { Schema($0) }
                guard scanner.records == 1 else { return CSVHeader(columns: given, dialect: dialect, start: start) }
                guard options.header else {
                    start.position = first
                    start.lines += scanner.lines - 1
                    let columns = given ?? Schema((1...max(1, fields)).map { "column_\($0)" })
                    return CSVHeader(columns: columns, dialect: dialect, start: start)
                }
                if fields > 0, Int(ends[fields - 1]) - first > maxBytes {
                    throw .recordTooLarge(maxBytes, path: path, record: 0, byteOffset: byteOffset(first))
                }
                var columns = Schema(try names(start, first, ends[..<fields], kernel, dialect, path, input.encoding))
                if columns.hasDuplicates { columns = Schema(unique(columns.names)) }
                start.position = scanner.position
                start.lines = 0
                return CSVHeader(columns: columns, dialect: dialect, start: start)
            }
        }
    }

    private static func names(
        _ start: InputStart, _ first: Int, _ ends: ArraySlice<UInt32>, _ kernel: Kernel, _ dialect: CSVDialect,
        _ path: String, _ encoding: TextEncoding
    ) throws(StreamError) -> [String] {
        let bytes = UnsafePointer(start.block.bytes)
        if let last = ends.last, let invalid = kernel.firstInvalidUTF8(bytes + first, count: Int(last) - first) {
            let malformed = encoding.malformed
            throw StreamError(
                malformed.code, "the header is not valid \(malformed.name)", path: path, record: 0,
                byteOffset: encoding.storedLength(bytes, first + invalid), stage: "cut",
                hint: "the file may be in another encoding")
        }
        var next = first
        return ends.map { end in
            defer { next = Int(end) + 1 }
            return QuotedText.csvString(UnsafeBufferPointer(start: bytes + next, count: Int(end) - next), dialect)
        }
    }

    /// Names that occur again become `name_2`, `name_3` …, passing over those that are taken.
    static func unique(_ names: [String]) -> [String] {
        var taken = Set(names.map(ByteKey.init))
        var seen: Set<ByteKey> = []
        return names.map { name in
            if seen.insert(ByteKey(text: name)).inserted { return name }
            var number = 2
            while !taken.insert(ByteKey(text: "\(name)_\(number)")).inserted { number += 1 }
            return "\(name)_\(number)"
        }
    }
}

extension Schema {
    /// Places of these columns.
    /// - Throws: `unknownColumn`, with the columns there are.
    func positions(of selected: [String], path: String) throws(StreamError) -> [Int] {
        var positions: [Int] = []
        for name in selected {
            guard let position = index(of: name) else {
                throw StreamError(
                    .unknownColumn, "the file has no such column", path: path, column: name,
                    hint: "its columns are \(names.joined(separator: ", "))")
            }
            positions.append(position)
        }
        return positions
    }
}

extension InputStart {
    /// Reads at least 4 bytes, if there are any, and steps over a byte order mark.
    /// - Parameter record: what an error there is one of: the header (0) or the first record.
    /// - Throws: `invalidUTF8` where the mark is one of UTF-16, which is no UTF-8.
    mutating func skipByteOrderMark(_ input: any ByteInput, path: String, record: Int) throws(StreamError) {
        while filled < 4 && !isAtEnd { try read(input, record: record) }
        let start = (block.bytes[0], block.bytes[1])
        if filled >= 2, start == (0xFE, 0xFF) || start == (0xFF, 0xFE) {
            throw StreamError(
                .invalidUTF8, "the text is not valid UTF-8: it begins with a byte order mark of UTF-16", path: path,
                record: record, byteOffset: 0, stage: "cut", hint: "say encoding: .utf16 (--encoding utf16)")
        }
        if filled >= 3 && block.bytes[0] == 0xEF && block.bytes[1] == 0xBB && block.bytes[2] == 0xBF { position = 3 }
    }

    /// Steps over blank lines and comments before the first record. A comment may show how records end.
    mutating func skipLines(_ dialect: inout CSVDialect) {
        while position < filled {
            let isComment = dialect.comment != 0 && block.bytes[position] == dialect.comment
            let rest = UnsafeBufferPointer(start: block.bytes + position, count: filled - position)
            let isEnd: (UInt8) -> Bool = { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            guard let end = isComment ? rest.firstIndex(where: isEnd) : isEnd(rest[0]) ? 0 : nil else { return }
            var length = end + 1
            if rest[end] == UInt8(ascii: "\r"), !dialect.endsAtCarriageReturn {
                // Whether an LF follows; where the bytes do not tell, and on a blank line, the kernel does.
                guard length < rest.count, isComment || rest[length] == UInt8(ascii: "\n") else { return }
                if rest[length] == UInt8(ascii: "\n") { length += 1 } else { dialect.endsAtCarriageReturn = true }
            } else if rest[end] == UInt8(ascii: "\n"), dialect.endsAtCarriageReturn {
                guard isComment, let end = rest.firstIndex(of: UInt8(ascii: "\r")) else { return }
                length = end + 1
            }
            position += length
            lines += 1
        }
    }

    mutating func readMore(_ input: any ByteInput, _ pool: BlockPool, record: Int) throws(StreamError) {
        if filled == block.capacity {
            var larger = InputStart(
                block: pool.copy(block, capacity: block.capacity * 2), filled: filled, position: position, lines: lines)
            swap(&self, &larger)
        }
        try read(input, record: record)
    }

    private mutating func read(_ input: any ByteInput, record: Int) throws(StreamError) {
        let got: Int
        do throws(StreamError) {
            got = try input.read(into: block.bytes + filled, min(block.capacity - filled, 64 << 10))
        } catch {
            throw error.placed(inRecord: record)
        }
        filled += got
        isAtEnd = got == 0
    }
}
