/// Compressed bytes in a block.
struct CompressedPiece {
    let block: ByteBlock
    var range: Range<Int>
}

/// Inflates the blocks of a BGZF file on threads of its own, ahead of who reads.
///
/// (1) Only whole members that say their size are given to threads. Anything else ends the team's work: what it has not inflated
///     is handed back, and one machine that reads member after member is the judge of that.
/// (2) A batch is a block of the file, and goes to one thread. The reader takes batches in the order of the file, and inflates
///     some itself while the one that it needs is not done.
/// (3) What is ahead is bounded: three batches a thread, and together an eighth of the run's memory, which is set aside for them.
///     What a unit may take does not depend on it.
///
/// Source of the format: SAM specification, section 4.1.
final class InflaterTeam {
    private let file: FileInput
    /// Charged to nobody: see (3).
    private let pool = BlockPool()
    private let workers: Int
    private let interrupt: Interrupt
    private let batchesMax: Int
    private let work = Monitor(Work(), conditions: 2)
    /// Conditions: a batch to begin with; a batch that is done.
    private static let begin = 0
    private static let done = 1
    /// The reader's own.
    private let gunzip = Gunzip()
    private var threads: [SystemThread] = []
    /// Batches on their way, in order, and how much of the first one was taken.
    private var batches: ArraySlice<Batch> = []
    private var taken = 0
    /// Read, and in no batch: the start of a member that goes on.
    private var rest: CompressedPiece?
    private var hasEnded = false
    /// What kept the file from being read on, behind all that is handed back.
    private(set) var failure: StreamError?
    /// Whether the last member that was taken was empty, as the last one of a file is; nil: none was.
    private(set) var lastWasEmpty: Bool?

    private struct Work {
        /// Batches that nobody has begun with, in order.
        var open: ArraySlice<Batch> = []
        var isClosed = false
    }

    private static let batchBytes = 64 << 10
    /// What a member holds at most, and the members of a batch together.
    private static let memberMax = 65_536
    private static let roomMax = 512 << 10

    /// Members in a block of the file, and then what they hold.
    // SAFETY: one thread owns it at a time: the reader, a worker, and, once `isDone` was seen under the lock, the reader again.
    private final class Batch: @unchecked Sendable {
        let input: CompressedPiece
        /// Bytes that the members say they hold.
        let room: Int
        let output: ByteBlock
        /// Bytes inflated, where the first member stands that was not, and whether the last one that was is empty.
        var produced = 0
        var end = 0
        var lastWasEmpty: Bool?
        var isDone = false

        init(_ input: CompressedPiece, room: Int, _ pool: BlockPool) {
            self.input = input
            self.room = room
            output = pool.block(capacity: room)
        }

        func inflate(_ gunzip: Gunzip) {
            end = input.range.lowerBound
            while end < input.range.upperBound {
                let start = input.block.bytes + end
                let size = Gunzip.memberSize(start, input.range.upperBound - end)
                let room = UnsafeMutableBufferPointer(start: output.bytes + produced, count: self.room - produced)
                guard let written = gunzip.member(UnsafeBufferPointer(start: start, count: size), into: room) else {
                    return
                }
                lastWasEmpty = written == 0
                produced += written
                end += size
            }
        }
    }

    /// Nil where one thread is all there is to be, or memory is short.
    init?(_ file: FileInput, _ terms: RunTerms) {
        let batchBytes = Self.batchBytes + Self.roomMax
        batchesMax = min(3 * terms.workers, terms.budget.limit / 8 / batchBytes)
        guard terms.workers > 1, batchesMax > 1, !terms.interrupt.hasStopped else { return nil }
        self.file = file
        workers = min(terms.workers - 1, batchesMax)
        interrupt = terms.interrupt
        terms.budget.reserve(batchesMax * batchBytes)
    }

    /// Whether there is a thread to work, as many as there are batches for.
    private func hasThread() -> Bool {
        guard threads.count < workers else { return true }
        let thread = try? SystemThread.start("sluice-inflate") { [work, interrupt] in
            let gunzip = Gunzip()
            while let batch = Self.next(work) {
                if !interrupt.hasStopped { batch.inflate(gunzip) }
                work.update(Self.done) { _ in
                    batch.isDone = true
                    return true
                }
            }
        }
        if let thread { threads.append(thread) }
        return !threads.isEmpty
    }

    /// The oldest batch to begin with; waits for one. Nil once the team has closed.
    private static func next(_ work: Monitor<Work>) -> Batch? {
        let found: Batch?? = work.wait(begin) { work in
            work.isClosed ? .some(nil) : work.open.popFirst().map { .some($0) }
        }
        return found ?? nil
    }

    /// A batch for who waits for another one; nil once that is done.
    private func helping(_ batch: Batch) -> Batch? {
        let found: Batch?? = work.wait(Self.done) { work in
            batch.isDone ? .some(nil) : work.open.popFirst().map { .some($0) }
        }
        return found ?? nil
    }

    deinit { _ = close() }

    /// Compressed bytes that were read from the file and not taken yet.
    var compressedBytes: Int { batches.reduce(rest?.range.count ?? 0) { $0 + $1.input.range.count } }

    /// As `ByteInput.read`; 0 where the team has come to something that it leaves to others.
    func read(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int {
        while true {
            readAhead()
            guard let batch = batches.first else { return 0 }
            while let other = helping(batch) {
                other.inflate(gunzip)
                work.withLock { _ in other.isDone = true }
            }
            try interrupt.check()
            if taken < batch.produced {
                let part = min(count, batch.produced - taken)
                bytes.update(from: batch.output.bytes + taken, count: part)
                taken += part
                return part
            }
            lastWasEmpty = batch.lastWasEmpty ?? lastWasEmpty
            guard batch.end == batch.input.range.upperBound else {
                hasEnded = true
                return 0
            }
            batches.removeFirst()
            taken = 0
        }
    }

    /// Gives the threads what they may have.
    private func readAhead() {
        while !hasEnded && batches.count < batchesMax {
            let piece = nextPiece()
            var (end, room) = members(of: piece)
            if end > 0 && !hasThread() { end = 0 }
            rest = CompressedPiece(block: piece.block, range: end..<piece.range.upperBound)
            hasEnded = end == 0 || failure != nil
            guard end > 0 else { return }
            let batch = Batch(CompressedPiece(block: piece.block, range: 0..<end), room: room, pool)
            batches.append(batch)
            work.withLock { $0.open.append(batch) }
            work.wakeOne(Self.begin)
        }
    }

    /// A block of the file, behind what is left of the one before.
    private func nextPiece() -> CompressedPiece {
        let block = pool.block(capacity: Self.batchBytes)
        var filled = 0
        if let rest {
            block.bytes.update(from: rest.block.bytes + rest.range.lowerBound, count: rest.range.count)
            filled = rest.range.count
        }
        do throws(StreamError) {
            while filled < block.capacity {
                let got = try file.read(into: block.bytes + filled, block.capacity - filled)
                if got == 0 { break }
                filled += got
            }
        } catch {
            failure = error
        }
        return CompressedPiece(block: block, range: 0..<filled)
    }

    /// Where the whole members at the start of a piece end, and how many bytes they say they hold.
    private func members(of piece: CompressedPiece) -> (end: Int, room: Int) {
        var end = 0
        var room = 0
        while true {
            let left = piece.range.upperBound - end
            let member = piece.block.bytes + end
            let size = Gunzip.memberSize(member, left)
            guard size > 0, size <= left else { return (end, room) }
            let held = Gunzip.heldBytes(member, size)
            guard held <= Self.memberMax, room + held <= Self.roomMax else { return (end, room) }
            room += held
            end += size
        }
    }

    /// Ends the threads.
    /// - Returns: what was read of the file and not taken.
    func close() -> [CompressedPiece] {
        work.update(Self.begin) { work in
            work.isClosed = true
            work.open = []
            return true
        }
        for thread in threads { thread.join() }
        threads = []
        hasEnded = true
        var left = batches.map(\.input)
        // Of the first one some members may have been taken.
        if let first = batches.first { left[0].range = first.end..<first.input.range.upperBound }
        if let rest { left.append(rest) }
        batches = []
        rest = nil
        return left
    }
}
