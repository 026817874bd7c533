/// Reads an input block by block and cuts it into units of whole chunks.
///
/// (1) A chunk has `chunkSize` records, or closes earlier behind the record that holds its byte number `maxChunkBytes`, or
///     before the comment or white space that does: where chunks end depends on the data and the configuration, never on how
///     reads fell.
/// (2) A unit closes with the chunk that reaches its limit. Its block goes on with it; what was read past its end, usually a
///     few KiB since reads are sized by the unit before, is copied to the next block.
/// (3) A unit is the last one if no record follows it, so the cut looks past blank lines before it closes one.
/// (4) An error behind whole chunks is kept until those were handed out.
final class UnitCutter<Cutter: RecordCutter> {
    private let input: any ByteInput
    private let pool: BlockPool
    private let limits: RecordLimits
    private let path: String
    private var scan: Scan

    /// A cutter and where it stands, which is asked once a step: a value in a class is copied to be asked.
    private struct Scan {
        private(set) var cutter: Cutter
        private(set) var place: CutPlace

        init(_ cutter: Cutter) {
            self.cutter = cutter
            place = cutter.place
        }

        mutating func step<R>(_ body: (inout Cutter) -> R) -> R {
            defer { place = cutter.place }
            return body(&cutter)
        }
    }

    private var place: CutPlace { scan.place }

    /// The block being filled, its bytes that are filled, and its place in the stream.
    private var block: ByteBlock
    private var filled: Int
    private var blockOffset: Int
    /// Where in the block the next unit starts, and the lines of the stream before it.
    private var unitStart: Int
    private var linesBefore: Int
    /// The input has no more bytes.
    private var isAtEnd: Bool
    /// Blank lines that were skipped before the unit's start: bytes of its first chunk all the same, see (1).
    private var leadingBytes = 0
    /// Where the last whole chunk ends.
    private var chunkEnd = 0
    private var hasStarted = false
    private var isDone = false
    private var pending: StreamError?
    /// Bytes that units have had: how much to read.
    private var expectedBytes = 256 << 10

    /// - Parameter start: what was read of the input so far.
    init(
        _ input: any ByteInput, _ pool: BlockPool, _ limits: RecordLimits, path: String, cutter: Cutter,
        start: InputStart
    ) {
        self.input = input
        self.pool = pool
        self.limits = limits
        self.path = path
        scan = Scan(cutter)
        block = start.block
        filled = start.filled
        blockOffset = 0
        unitStart = start.position
        linesBefore = start.lines
        isAtEnd = start.isAtEnd
        if limits.isOneChunk, let length = input.length {
            expectedBytes = max(expectedBytes, min(length, limits.maxChunkBytes))
        }
    }

    /// The next unit, and whether it is the last; nil at the end.
    func next(_ limit: UnitLimit) throws(StreamError) -> (unit: CutUnit, isLast: Bool)? {
        if let pending { throw pending }
        if !hasStarted {
            hasStarted = true
            isDone = try skipBlankLines()
        }
        guard !isDone else { return nil }
        if limit.decodesNext { scan.step { $0.startIndex(expectedBytes: expectedBytes) } }
        var chunkEnds: [Int] = []
        do throws(StreamError) {
            var start = unitStart
            while try cutChunk(from: &start, after: chunkEnds.last ?? 0) {
                chunkEnds.append(place.records)
                if start - unitStart >= min(limit.bytes, Self.unitMax) || place.records >= limit.records { break }
            }
        } catch {
            pending = error
            if chunkEnds.isEmpty { throw error }
        }
        guard let records = chunkEnds.last else {
            isDone = true
            return nil
        }
        return try close(chunkEnds, records)
    }

    /// Cuts one chunk that starts at `start` and moves `start` behind it; false where there are no more records.
    private func cutChunk(from start: inout Int, after records: Int) throws(StreamError) -> Bool {
        while true {
            let leading = start == unitStart ? leadingBytes : 0
            let byteLimit = start - unitStart + max(1, limits.maxChunkBytes - leading)
            // A record may have taken the scan past the limit already.
            let end = max(place.position, min(filled, unitStart + byteLimit))
            let isWhole = end == filled
            var status = cut(end, isFinal: isAtEnd && isWhole, maxRecords: records + limits.chunkSize)
            // White space before a record belongs to what is before it, as blank lines do.
            func hasReachedLimit() -> Bool {
                behindWhiteSpace(place.recordEnd, upTo: min(place.position, unitStart + byteLimit)) - unitStart
                    >= byteLimit
            }
            // At the byte limit inside a comment: the chunk ends before it.
            let endsHere = place.records > records && place.isInComment && place.position - unitStart >= byteLimit
            if !endsHere, place.records < records + limits.chunkSize, place.position - unitStart >= byteLimit,
                !hasReachedLimit()
            {
                // At the byte limit inside a record: the chunk ends with it.
                status = cut(filled, isFinal: isAtEnd, maxRecords: place.records + 1)
            }
            if case .failed(let code) = status { throw error(code) }
            if status == .end { return try endChunk(from: &start, after: records) }
            // So many blank lines that a chunk could end with them: they are left to the next unit, which skips them.
            if place.records == records && hasReachedLimit() {
                assert(records > 0, "a unit starts with a record")
                return false
            }
            let isFull = endsHere || place.records == records + limits.chunkSize || hasReachedLimit()
            if place.records > records && isFull || isAtEnd && place.position == filled {
                return try endChunk(from: &start, after: records)
            }
            if place.position == filled { start -= try fill() }
        }
    }

    private func endChunk(from start: inout Int, after records: Int) throws(StreamError) -> Bool {
        if scan.cutter.allowsWhiteSpace, place.recordEnd - start > extentMax { try checkExtents(upTo: place.recordEnd) }
        start = place.recordEnd
        chunkEnd = start
        return place.records > records
    }

    private func cut(_ count: Int, isFinal: Bool, maxRecords: Int) -> KernelStatus {
        scan.step { $0.cut(block.bytes, count: count, isFinal: isFinal, maxRecords: maxRecords) }
    }

    /// Hands out the unit that ends at the last whole chunk, and starts the next block with what was read past it.
    private func close(_ chunkEnds: [Int], _ records: Int) throws(StreamError) -> (unit: CutUnit, isLast: Bool) {
        if place.records > records {
            // An error cut a chunk short: go back to the end of the whole ones.
            scan = Scan(scan.cutter.restarted(at: unitStart))
            _ = cut(filled, isFinal: isAtEnd, maxRecords: records)
            chunkEnd = place.recordEnd
        }
        let end = place.recordEnd
        let unit = CutUnit(
            block: block, range: unitStart..<end, chunkEnds: chunkEnds,
            origin: origin, isWholeFile: scan.cutter.isWholeFile, index: scan.cutter.index)
        expectedBytes = end - unitStart
        linesBefore += place.lines
        let expectedNext = limits.isOneChunk ? 0 : expectedBytes + expectedBytes / 8
        let next = pool.block(capacity: max(expectedNext, filled - end) + Self.readStep)
        next.bytes.update(from: block.bytes + end, count: filled - end)
        blockOffset = origin.byteOffset(of: end, in: block.bytes)
        filled -= end
        unitStart = 0
        leadingBytes = end - chunkEnd
        block = next
        scan = Scan(scan.cutter.continued(at: 0))
        guard pending == nil else { return (unit, false) }
        do throws(StreamError) {
            isDone = try skipBlankLines()
        } catch {
            // The unit is whole: the error is for the next call.
            pending = error
        }
        if limits.isOneChunk, !isDone, pending == nil { throw tooLargeForChunk() }
        return (unit, isDone)
    }

    private func tooLargeForChunk() -> StreamError {
        StreamError(
            .memoryLimit, "the file is larger than the \(limits.maxChunkBytes) bytes that one chunk may have",
            path: path, stage: "cut",
            hint: "stream it in more chunks than one, or raise memoryLimitMB (chunks have up to 1 GiB)")
    }

    /// Moves the unit's start to the next record; whether there is none. What was skipped may be forgotten, so any number of
    /// blank lines takes no memory and counts against no limit.
    private func skipBlankLines() throws(StreamError) -> Bool {
        while true {
            let rest = UnsafeBufferPointer(start: block.bytes + unitStart, count: filled - unitStart)
            let (skipped, lines, hasBegun) = scan.step { $0.skipBlankLines(rest, isFinal: isAtEnd) }
            unitStart += skipped
            leadingBytes += skipped
            linesBefore += lines
            scan = Scan(scan.cutter.continued(at: unitStart))
            if hasBegun || isAtEnd { return !hasBegun }
            _ = try fill()
        }
    }

    /// Most bytes that chunks are added up to: offsets are 32 bits wide.
    private static var unitMax: Int { 1 << 28 }

    /// Least to read at once.
    private static var readStep: Int { 64 << 10 }

    /// Reads more. Where the block is full, a larger one takes its place: returns by how much offsets fell.
    private func fill() throws(StreamError) -> Int {
        // Not at once over the limit: what stands behind a record does not count. Records that are whole get a closer look.
        if filled - place.recordEnd > extentMax {
            let start = behindWhiteSpace(place.recordEnd, upTo: filled)
            if filled - start > extentMax { throw tooLarge(at: start, lines: place.lines) }
        }
        let moved = filled == block.capacity ? moveToLargerBlock() : 0
        let wanted = max(Self.readStep, expectedBytes + 4096 - (filled - unitStart))
        let got = try read(min(wanted, block.capacity - filled))
        isAtEnd = got == 0
        filled += got
        return moved
    }

    /// Most bytes of a record, and of what stands behind it up to its end: a line end, white space.
    private var extentMax: Int { limits.maxRecordBytes + Self.readStep }

    private func tooLarge(at start: Int, lines: Int) -> StreamError {
        .recordTooLarge(
            limits.maxRecordBytes, path: path, record: linesBefore + lines + 1,
            byteOffset: origin.byteOffset(of: start, in: block.bytes))
    }

    /// Refuses, up to a chunk's end, what `fill` would have refused had the record's start been read without its end.
    private func checkExtents(upTo end: Int) throws(StreamError) {
        var cutter = scan.cutter.restarted(at: unitStart)
        while cutter.recordEnd < end {
            let start = behindWhiteSpace(cutter.recordEnd, upTo: end)
            guard start < end else { return }
            let near = min(start + extentMax + 1, end)
            _ = cutter.cut(block.bytes, count: near, isFinal: near == end, maxRecords: Int(UInt32.max))
            if cutter.recordEnd <= start { throw tooLarge(at: start, lines: cutter.lines) }
        }
    }

    /// Where what comes at `place` starts, if white space before it is no part of it.
    private func behindWhiteSpace(_ place: Int, upTo end: Int) -> Int {
        guard scan.cutter.allowsWhiteSpace, place < end else { return place }
        let rest = UnsafeBufferPointer(start: block.bytes + place, count: end - place)
        return rest.firstIndex { !$0.isWhiteSpace }.map { place + $0 } ?? end
    }

    private func moveToLargerBlock() -> Int {
        let moved = unitStart
        let larger = pool.block(capacity: max((filled - moved) * 2, expectedBytes + Self.readStep))
        larger.bytes.update(from: block.bytes + moved, count: filled - moved)
        blockOffset = origin.byteOffset(of: moved, in: block.bytes)
        block = larger
        scan.step { $0.rebase(moved) }
        filled -= moved
        chunkEnd -= moved
        unitStart = 0
        return moved
    }

    /// Refuses records over the limit, where no decoder does it. A unit no larger than the limit has none, nor have the bytes
    /// up to the limit behind a record.
    func checkRecordSizes(_ unit: CutUnit) throws(StreamError) {
        let limit = limits.maxRecordBytes
        guard unit.range.count > limit else { return }
        let bytes = UnsafePointer(unit.block.bytes)
        let end = unit.range.upperBound
        var cutter = scan.cutter.restarted(at: unit.range.lowerBound)
        while cutter.records < unit.records {
            let start = cutter.recordEnd
            let near = min(start + limit, end)
            _ = cutter.cut(bytes, count: near, isFinal: near == end, maxRecords: unit.records)
            guard cutter.recordEnd == start, near < end else { continue }
            _ = cutter.cut(bytes, count: end, isFinal: true, maxRecords: cutter.records + 1)
            let line = UnsafeBufferPointer(start: bytes + start, count: cutter.recordEnd - start)
            let record = cutter.content(of: line)
            guard record.count > limit else { continue }
            throw .recordTooLarge(
                limit, path: path, record: unit.origin.recordsBefore + cutter.lines,
                byteOffset: unit.origin.byteOffset(of: start + record.lowerBound, in: bytes))
        }
    }

    private func error(_ code: StreamError.Code) -> StreamError {
        origin.error(scan.cutter.failure(code), in: block.bytes, stage: "cut")
    }

    /// Where the unit in the block comes from.
    private var origin: BatchOrigin {
        BatchOrigin(
            path: path, start: unitStart, recordsBefore: linesBefore, byteOffset: blockOffset,
            encoding: input.encoding)
    }

    private func read(_ count: Int) throws(StreamError) -> Int {
        do throws(StreamError) {
            return try input.read(into: block.bytes + filled, count)
        } catch {
            throw error.placed(inRecord: linesBefore + place.lines + 1)
        }
    }
}

/// How large records and chunks may be.
struct RecordLimits {
    var chunkSize: Int
    var maxChunkBytes: Int
    var maxRecordBytes: Int
    /// All records are one chunk; where that would have more bytes than it may, that is an error.
    var isOneChunk = false

    /// Records and bytes of a unit are counted in 32 bits.
    static let most = 1 << 30
}

/// The first bytes of an input, read to learn what it is.
struct InputStart {
    let block: ByteBlock
    var filled = 0
    /// Where the records start: behind byte order mark and header.
    var position = 0
    /// Skipped lines of the records before that.
    var lines = 0
    var isAtEnd = false

    init(_ pool: BlockPool) { block = pool.block(capacity: 512 << 10) }

    init(block: ByteBlock, filled: Int, position: Int, lines: Int) {
        self.block = block
        self.filled = filled
        self.position = position
        self.lines = lines
    }
}
