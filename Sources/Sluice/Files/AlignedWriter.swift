/// Writes a regular file from its start, or on from its end, in steps that end at multiples of 256 KiB: there the kernel takes
/// pages in large groups, which costs it up to a half less than writes of other sizes and places. Blocks wait
/// until a step is full, by reference; small ones are put together.
///
/// Space is reserved ahead of large files, where the file system can, so that it is not looked for page by page; `finish`
/// gives back what was not used.
final class AlignedWriter {
    private let descriptor: Int32
    private let path: String
    /// Where the file's next byte goes.
    private var offset: Int
    /// What waits for the step to fill, in order, and how many bytes that is.
    private var pieces: [Piece] = []
    private var waiting = 0
    private let pool = BlockPool()
    /// Up to where there is space; nil where the file system does not reserve any.
    private var reserved: Int?

    private struct Piece {
        let block: ByteBlock
        var range: Range<Int>
        /// More bytes may be put behind it.
        let isOurs: Bool
    }

    private static let step = 256 << 10
    /// Smaller pieces are copied.
    private static let pieceMin = 32 << 10
    private static let joinedMax = 256 << 10
    /// Files up to this size are not worth it, and no more is reserved than the file has already.
    private static let reservations = 1 << 20...16 << 20

    /// - Parameter end: where a file ends that is appended to. No space is reserved for it: others may append to it too, and
    ///   giving back what was not used would cut off as many bytes as they wrote.
    init(_ descriptor: Int32, _ path: String, from end: Int? = nil) {
        self.descriptor = descriptor
        self.path = path
        offset = end ?? 0
        reserved = end == nil ? 0 : nil
    }

    /// Takes the first `count` bytes of a block, which nobody writes to any more.
    func write(_ block: ByteBlock, _ count: Int) throws(StreamError) {
        guard count >= Self.pieceMin else {
            return try write(UnsafeRawBufferPointer(start: block.base, count: count))
        }
        pieces.append(Piece(block: block, range: 0..<count, isOurs: false))
        waiting += count
        try writeSteps()
    }

    /// Takes a copy of the bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            if pieces.last.map({ !$0.isOurs || $0.range.upperBound == $0.block.capacity }) ?? true {
                pieces.append(Piece(block: pool.block(capacity: Self.joinedMax), range: 0..<0, isOurs: true))
            }
            let last = pieces.count - 1
            let end = pieces[last].range.upperBound
            let count = min(rest.count, pieces[last].block.capacity - end)
            (pieces[last].block.base + end).copyMemory(from: start, byteCount: count)
            pieces[last].range = pieces[last].range.lowerBound..<end + count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            waiting += count
            try writeSteps()
        }
    }

    /// Hands all bytes to the system.
    func flush() throws(StreamError) { try writeFirst(waiting) }

    /// Behind the last byte.
    func finish() throws(StreamError) {
        try flush()
        if let reserved, reserved > offset { try FileSystem.truncate(descriptor, offset, path) }
    }

    /// Writes what waits up to the last multiple of `step`.
    private func writeSteps() throws(StreamError) {
        let end = (offset + waiting) / Self.step * Self.step
        guard end > offset else { return }
        try reserve(end)
        try writeFirst(end - offset)
    }

    /// Writes the first `count` bytes that wait.
    private func writeFirst(_ count: Int) throws(StreamError) {
        var left = count
        var whole = 0
        var first: [UnsafeRawBufferPointer] = []
        for piece in pieces where left > 0 {
            let taken = min(left, piece.range.count)
            first.append(UnsafeRawBufferPointer(start: piece.block.base + piece.range.lowerBound, count: taken))
            left -= taken
            if taken == piece.range.count { whole += 1 }
        }
        try FileSystem.write(descriptor, pieces: first, path)
        if first.count > whole {
            let range = pieces[whole].range
            pieces[whole].range = range.lowerBound + first[whole].count..<range.upperBound
        }
        pieces.removeFirst(whole)
        offset += count
        waiting -= count
    }

    private func reserve(_ end: Int) throws(StreamError) {
        guard let reserved, end > reserved, offset >= Self.reservations.lowerBound else { return }
        let more = max(end - offset, min(offset, Self.reservations.upperBound))
        self.reserved = FileSystem.reserve(descriptor, offset, more) ? offset + more : nil
    }
}
