/// Bytes of a file, decompressed.
protocol ByteInput: AnyObject {
    /// Reads up to `count` bytes; 0 at the end, which is an end that the compression confirms. Behind them there is padding, as
    /// behind a block's, which may be overwritten.
    func read(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int

    /// Bytes consumed of the file as it is on disk, and how many it has; nil where that is not known.
    var consumed: Int { get }
    var length: Int? { get }
    var identity: FileIdentity { get }

    /// How the file's text is stored, where it is handed out as UTF-8.
    var encoding: TextEncoding { get }

    /// Takes part in a run: its interrupt ends a read that would block.
    func join(_ terms: RunTerms)

    /// Says who transcodes, where anything is.
    func use(_ kernel: Kernel)

    func close()
}

extension ByteInput {
    var encoding: TextEncoding { .utf8 }
    func join(_ terms: RunTerms) {}
    func use(_ kernel: Kernel) {}

    /// Share of the file that was consumed, 0 ... 1.
    var progress: Double? { length.map { $0 == 0 ? 1 : min(1, Double(consumed) / Double($0)) } }
}

/// The bytes of a file as they are.
final class FileInput: ByteInput {
    let path: String
    private var descriptor: Int32
    private let ownsDescriptor: Bool
    private(set) var consumed = 0
    let length: Int?
    let identity: FileIdentity
    /// Bytes that were read to look at them and not yet handed out.
    private var peeked: [UInt8] = []
    private var interrupt: Interrupt?

    /// - Parameter path: "-" is standard input.
    convenience init(_ path: String) throws(StreamError) {
        if path == "-" {
            try self.init(path, 0, ownsDescriptor: false)
        } else {
            try self.init(path, FileSystem.openForReading(path), ownsDescriptor: true)
        }
    }

    /// Reads on where the descriptor is.
    init(_ path: String, _ descriptor: Int32, ownsDescriptor: Bool) throws(StreamError) {
        self.path = path
        self.descriptor = descriptor
        self.ownsDescriptor = ownsDescriptor
        do throws(StreamError) {
            let status = try FileSystem.status(descriptor, path)
            guard !status.isDirectory else {
                throw StreamError(.isDirectory, "it is a directory, not a file", path: path, stage: "cut")
            }
            length = status.isRegular ? status.size : nil
            identity = status.identity
        } catch {
            if ownsDescriptor { FileSystem.drop(descriptor) }
            throw error
        }
    }

    deinit { close() }

    /// The first bytes, up to `count`, without consuming them. Only before the first read.
    func peek(_ count: Int) throws(StreamError) -> [UInt8] {
        var room = [UInt8](repeating: 0, count: count)
        while peeked.count < count {
            let got = try read(descriptor, &room, count - peeked.count)
            if got == 0 { break }
            peeked += room[..<got]
        }
        return peeked
    }

    private func read(_ descriptor: Int32, _ room: inout [UInt8], _ count: Int) throws(StreamError) -> Int {
        try FileSystem.read(descriptor, into: &room, count, path)
    }

    func read(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int {
        if !peeked.isEmpty {
            let taken = min(count, peeked.count)
            peeked.withUnsafeBufferPointer { if let start = $0.baseAddress { bytes.update(from: start, count: taken) } }
            peeked.removeFirst(taken)
            consumed += taken
            return taken
        }
        // Files never block for long; what is no file may.
        if length == nil { try interrupt?.waitToRead(descriptor, path) }
        let got = try FileSystem.read(descriptor, into: bytes, count, path)
        consumed += got
        return got
    }

    func join(_ terms: RunTerms) { interrupt = terms.interrupt }

    func close() {
        if ownsDescriptor, descriptor >= 0 { FileSystem.drop(descriptor) }
        descriptor = -1
    }
}

/// The bytes inside a compressed file.
final class DecompressedInput: ByteInput {
    private let file: FileInput
    private let decompressor: any Decompressor
    private let suffix: String
    private let pool: BlockPool
    private var block: ByteBlock
    private var used = 0
    private var filled = 0
    /// Compressed bytes that were read before those in `block` ran out.
    private var pieces: ArraySlice<CompressedPiece> = []
    /// Whether `block` is one of those, so that it may not be read into.
    private var isPiece = false
    private var isFinal = false
    private var hasEnded = false
    /// What is wrong behind the bytes that were handed out last.
    private var broken: StreamError?
    /// What kept the team from reading on, behind its pieces.
    private var unreadable: StreamError?
    /// Decompressed bytes.
    private var produced = 0
    /// Inflates blocks of gzip ahead, while there are any, and how many bytes it has.
    private var team: InflaterTeam?
    private(set) var bytesOfTeam = 0

    init(_ file: FileInput, _ decompressor: any Decompressor, suffix: String, _ pool: BlockPool) {
        self.file = file
        self.decompressor = decompressor
        self.suffix = suffix
        self.pool = pool
        block = pool.block(capacity: 256 << 10)
    }

    var consumed: Int {
        file.consumed - (filled - used) - pieces.reduce(0) { $0 + $1.range.count } - (team?.compressedBytes ?? 0)
    }
    var length: Int? { file.length }
    var identity: FileIdentity { file.identity }
    /// Whether padding came behind the data: then nothing else may.
    var isPadded: Bool { decompressor.isPadded }

    /// With more than one worker, blocks of gzip are inflated by as many threads.
    func join(_ terms: RunTerms) {
        file.join(terms)
        // A pipe may keep what was read ahead waiting for what is not.
        guard file.length != nil, file.consumed == 0, decompressor is Gunzip else { return }
        team = InflaterTeam(file, terms)
    }

    func read(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int {
        if let team {
            let taken = try team.read(into: bytes, count)
            bytesOfTeam += taken
            produced += taken
            if taken > 0 { return taken }
            takeOver(from: team)
        }
        if let broken { throw broken }
        var written = 0
        // What comes from a pipe is handed out as it comes.
        while written < (file.length == nil ? 1 : count) && !hasEnded && broken == nil {
            let (status, read, put) = decompressor.run(
                UnsafeBufferPointer(start: block.bytes + used, count: filled - used), isFinal: isFinal,
                into: UnsafeMutableBufferPointer(start: bytes + written, count: count - written))
            used += read
            written += put
            produced += put
            switch status {
            case .failed(let code): broken = failure(code)
            case .end: hasEnded = true
            case .needInput:
                do throws(StreamError) { try fill() } catch { broken = error }
            default: break
            }
        }
        if written == 0, let broken { throw broken }
        return written
    }

    private func fill() throws(StreamError) {
        if let piece = pieces.popFirst() {
            (block, used, filled, isPiece) = (piece.block, piece.range.lowerBound, piece.range.upperBound, true)
            return
        }
        if let unreadable { throw unreadable }
        if isPiece {
            block = pool.block(capacity: 256 << 10)
            isPiece = false
        }
        filled = try file.read(into: block.bytes, block.capacity)
        used = 0
        isFinal = filled == 0
    }

    /// Goes on with what the team has left, as if all before it had been inflated here.
    private func takeOver(from team: InflaterTeam) {
        pieces = ArraySlice(team.close().filter { !$0.range.isEmpty })
        unreadable = team.failure
        if let wasEmpty = team.lastWasEmpty { (decompressor as? Gunzip)?.skipMembers(lastIsEmpty: wasEmpty) }
        self.team = nil
    }

    private func failure(_ code: StreamError.Code) -> StreamError {
        let codec = type(of: decompressor)
        let name = codec.name
        let (message, hint): (String, String) =
            switch code {
            case .truncatedCompression: ("the \(name) data stops before its end", "the file was cut off; get it anew")
            case .trailingData:
                ("bytes that are no \(name) follow the \(name) data", "the file was damaged or written to")
            default:
                if let refusal = decompressor.refusal {
                    refusal
                } else if consumed <= codec.startLength && produced == 0 {
                    (
                        "the file is no \(name), though it is read as one",
                        "its name ends in \(suffix); rename it, or say compression: .none"
                    )
                } else {
                    ("the \(name) data is damaged", "get the file anew")
                }
            }
        return StreamError(
            code, "\(message) (byte \(consumed) of the compressed file)", path: file.path, byteOffset: produced,
            stage: "cut", hint: hint)
    }

    func close() {
        _ = team?.close()
        team = nil
        file.close()
    }
}

/// An input whose first bytes were looked at.
final class PeekedInput: ByteInput {
    private var input: any ByteInput
    /// The bytes that were, as far as they are not handed out.
    private var head: ArraySlice<UInt8> = []

    init(_ input: any ByteInput) { self.input = input }

    var consumed: Int { head.isEmpty ? input.consumed : 0 }
    var length: Int? { input.length }
    var identity: FileIdentity { input.identity }
    var encoding: TextEncoding { input.encoding }
    func join(_ terms: RunTerms) { input.join(terms) }
    func use(_ kernel: Kernel) { input.use(kernel) }

    /// The first byte that is neither blank nor a byte order mark's; nil where there is none in the first 64 KiB. Only before
    /// the first read.
    func firstByte() throws(StreamError) -> UInt8? {
        let limit = 64 << 10
        var room = [UInt8](repeating: 0, count: 4096 + blockPadding)
        while head.count < limit {
            let wanted = min(room.count - blockPadding, limit - head.count)
            let got = try room.withUnsafeMutableBufferPointer { room throws(StreamError) in
                guard let start = room.baseAddress else { return 0 }
                return try input.read(into: start, wanted)
            }
            head += room[..<got]
            let blank: [UInt8] = [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF]
            if let byte = room[..<got].first(where: { !blank.contains($0) }) { return byte }
            if got == 0 { return nil }
        }
        return nil
    }

    func read(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int {
        guard !head.isEmpty else { return try input.read(into: bytes, count) }
        let taken = head.prefix(count)
        taken.withUnsafeBufferPointer { if let start = $0.baseAddress { bytes.update(from: start, count: $0.count) } }
        head = head.dropFirst(count)
        return taken.count
    }

    func close() { input.close() }
}

/// The input that a path and a compression stand for.
enum FileInputs {
    /// - Parameter compression: nil: what the name says, and what the first bytes add to that.
    static func open(
        _ path: String, _ compression: CompressionFormat?, _ encoding: TextEncoding, _ pool: BlockPool,
        _ kernel: Kernel
    ) throws(StreamError) -> (input: any ByteInput, compression: CompressionFormat) {
        let file = try FileInput(path)
        var actual = compression ?? CompressionFormat(path: path)
        if compression == nil, actual == .none { actual = try file.compressionOfMagic() }
        return (text(of: decompressed(file, actual, pool), encoding, pool, kernel, path: path), actual)
    }

    /// The text of an input, as UTF-8.
    static func text(
        of input: any ByteInput, _ encoding: TextEncoding, _ pool: BlockPool, _ kernel: Kernel, path: String
    ) -> any ByteInput {
        encoding == .utf8 ? input : TranscodingInput(input, encoding, pool, kernel, path: path)
    }

    /// The bytes inside a file.
    static func decompressed(
        _ file: FileInput, _ compression: CompressionFormat, _ pool: BlockPool
    ) -> any ByteInput {
        guard let decompressor = compression.decompressor() else { return file }
        return DecompressedInput(file, decompressor, suffix: compression.marks?.suffix ?? "", pool)
    }
}

extension FileInput {
    /// What the file's first bytes tell. Only before the first read.
    func compressionOfMagic() throws(StreamError) -> CompressionFormat {
        CompressionFormat(magic: try peek(CompressionFormat.magicLength))
    }
}
