/// LZ4 frames as the frame format and the block format (both of the lz4 project's `doc` folder) describe them, slowly and
/// obviously, so that nothing of the code under test judges itself.
public enum LZ4File {
    /// One block: its data, which may be compressed or the content as it is.
    public struct Block: Sendable {
        public var data: [UInt8]
        public var isStored: Bool

        public static func stored(_ content: [UInt8]) -> Block { Block(data: content, isStored: true) }
        public static func compressed(_ data: [UInt8]) -> Block { Block(data: data, isStored: false) }
    }

    /// What a frame says of itself.
    public struct Options: Sendable {
        public var isIndependent = true
        public var hasBlockChecksums = false
        public var hasContentChecksum = true
        public var contentLength: UInt64?
        public var dictionary: UInt32?
        /// 4 ... 7: blocks of up to 64 KiB, 256 KiB, 1 MiB, 4 MiB.
        public var blockSize: UInt8 = 4

        public init(_ change: (inout Options) -> Void = { _ in }) { change(&self) }
    }

    /// - Parameter content: what the blocks come to, for the checksum.
    public static func frame(_ content: [UInt8], _ blocks: [Block], _ options: Options = Options()) -> [UInt8] {
        var flags: UInt8 = 0x40
        if options.isIndependent { flags |= 0x20 }
        if options.hasBlockChecksums { flags |= 0x10 }
        if options.contentLength != nil { flags |= 0x08 }
        if options.hasContentChecksum { flags |= 0x04 }
        if options.dictionary != nil { flags |= 0x01 }
        var descriptor = [flags, options.blockSize << 4]
        if let length = options.contentLength { descriptor += littleEndian(length) }
        if let dictionary = options.dictionary { descriptor += littleEndian(dictionary) }
        descriptor.append(UInt8(truncatingIfNeeded: xxh32(descriptor) >> 8))
        var bytes: [UInt8] = [0x04, 0x22, 0x4D, 0x18] + descriptor
        for block in blocks {
            bytes += littleEndian(UInt32(block.data.count) | (block.isStored ? 0x8000_0000 : 0)) + block.data
            if options.hasBlockChecksums { bytes += littleEndian(xxh32(block.data)) }
        }
        bytes += [0, 0, 0, 0]
        return options.hasContentChecksum ? bytes + littleEndian(xxh32(content)) : bytes
    }

    /// A frame that readers pass over.
    public static func skippable(_ data: [UInt8], kind: UInt8 = 0) -> [UInt8] {
        [0x50 + kind, 0x2A, 0x4D, 0x18] + littleEndian(UInt32(data.count)) + data
    }

    /// The content of a file of whole frames.
    public static func content(of file: [UInt8]) throws(Fault) -> [UInt8] {
        var reader = Reader(file)
        var content: [UInt8] = []
        while !reader.isAtEnd { content += try reader.frame() }
        return content
    }

    public struct Fault: Error {
        public let what: String
    }

    /// XXH32 with seed 0.
    public static func xxh32(_ bytes: [UInt8]) -> UInt32 {
        var hash = primes[4]
        var place = 0
        func rotated(_ value: UInt32, _ by: UInt32) -> UInt32 { value << by | value >> (32 - by) }
        func next() -> UInt32 {
            defer { place += 4 }
            return (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
        }
        if bytes.count >= 16 {
            var lanes = [primes[0] &+ primes[1], primes[1], 0, 0 &- primes[0]]
            while place + 16 <= bytes.count {
                for lane in lanes.indices {
                    lanes[lane] = rotated(lanes[lane] &+ next() &* primes[1], 13) &* primes[0]
                }
            }
            hash = zip(lanes, [1, 7, 12, 18]).reduce(0) { $0 &+ rotated($1.0, $1.1) }
        }
        hash &+= UInt32(truncatingIfNeeded: bytes.count)
        while place + 4 <= bytes.count { hash = rotated(hash &+ next() &* primes[2], 17) &* primes[3] }
        for byte in bytes[place...] { hash = rotated(hash &+ UInt32(byte) &* primes[4], 11) &* primes[0] }
        hash = (hash ^ hash >> 15) &* primes[1]
        hash = (hash ^ hash >> 13) &* primes[2]
        return hash ^ hash >> 16
    }

    private static let primes: [UInt32] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1]

    private static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
    }
}

/// Data of a compressed block: literals and copies.
public struct LZ4Sequences {
    private var bytes: [UInt8] = []

    public init() {}

    /// Literals, and then at least 4 bytes from 1 ... 65535 bytes back.
    public mutating func add(_ literals: [UInt8] = [], copying length: Int, from distance: Int) {
        token(literals, min(length - 4, 15))
        bytes += [UInt8(distance & 0xFF), UInt8(distance >> 8)]
        extend(length - 4)
    }

    /// The block ends with literals.
    public func ended(by literals: [UInt8]) -> [UInt8] {
        var block = self
        block.token(literals, 0)
        return block.bytes
    }

    private mutating func token(_ literals: [UInt8], _ copy: Int) {
        bytes.append(UInt8(min(literals.count, 15) << 4 | copy))
        extend(literals.count)
        bytes += literals
    }

    /// What of a length the four bits of the token do not hold.
    private mutating func extend(_ length: Int) {
        guard length >= 15 else { return }
        bytes += [UInt8](repeating: 255, count: (length - 15) / 255) + [UInt8((length - 15) % 255)]
    }
}

private struct Reader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    private mutating func take(_ count: Int) throws(LZ4File.Fault) -> [UInt8] {
        guard place + count <= bytes.count else { throw LZ4File.Fault(what: "it stops at byte \(bytes.count)") }
        defer { place += count }
        return [UInt8](bytes[place..<place + count])
    }

    private mutating func number(_ count: Int) throws(LZ4File.Fault) -> Int {
        try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private func check(_ holds: Bool, _ what: String) throws(LZ4File.Fault) {
        guard holds else { throw LZ4File.Fault(what: "\(what), before byte \(place)") }
    }

    mutating func frame() throws(LZ4File.Fault) -> [UInt8] {
        let magic = try number(4)
        if magic >> 4 == 0x184D2A5 {
            _ = try take(try number(4))
            return []
        }
        try check(magic == 0x184D2204, "no frame")
        let start = place
        let flags = try number(1)
        let size = try number(1) >> 4
        try check(flags >> 6 == 1 && size >= 4, "a descriptor of no version known")
        let length = flags & 8 != 0 ? try number(8) : nil
        try check(flags & 1 == 0, "a dictionary")
        try check(LZ4File.xxh32([UInt8](bytes[start..<place])) >> 8 & 0xFF == UInt32(try number(1)), "a bad descriptor")
        var content: [UInt8] = []
        while true {
            let word = try number(4)
            if word == 0 { break }
            let data = try take(word & 0x7FFF_FFFF)
            if flags & 0x10 != 0 { try check(LZ4File.xxh32(data) == UInt32(try number(4)), "a bad block") }
            let before = content.count
            let history = flags & 0x20 != 0 ? before : max(0, before - 65536)
            if word >> 31 == 1 { content += data } else { try Self.decode(data, to: &content, from: history) }
            try check(content.count - before <= 256 << (2 * size), "a block that is too long")
        }
        if flags & 4 != 0 { try check(LZ4File.xxh32(content) == UInt32(try number(4)), "a bad checksum") }
        try check(length ?? content.count == content.count, "a bad length")
        return content
    }

    private static func decode(_ data: [UInt8], to content: inout [UInt8], from history: Int) throws(LZ4File.Fault) {
        var block = Reader(data)
        while true {
            let token = try block.number(1)
            content += try block.take(try block.length(token >> 4))
            if block.isAtEnd { return }
            let distance = try block.number(2)
            let length = try block.length(token & 15) + 4
            try block.check(distance > 0 && content.count - distance >= history, "a copy from nowhere")
            for _ in 0..<length { content.append(content[content.count - distance]) }
        }
    }

    private mutating func length(_ bits: Int) throws(LZ4File.Fault) -> Int {
        guard bits == 15 else { return bits }
        var length = 15
        while true {
            let more = try number(1)
            length += more
            if more < 255 { return length }
        }
    }
}
