/// Another input's text as UTF-8.
///
/// (1) A byte order mark is handed on, as the character that it is: readers step over it, and distances count it.
/// (2) An unpaired surrogate is handed on in the three bytes that its number would have. They are no UTF-8, so decoders find them
///     as they find any such bytes, and say in which record and column they stand.
/// (3) Half a code unit can only stand at the very end, and stops the reading there: the file was cut off.
final class TranscodingInput: ByteInput {
    private var input: any ByteInput
    private let path: String
    private var kernel: Kernel
    /// What was asked for, until a byte order mark says otherwise.
    private(set) var encoding: TextEncoding
    /// Bytes as they are stored: those from `used` to `filled` are left. Nothing was read before `blockOffset` is known.
    private let block: ByteBlock
    private var used = 0
    private var filled = 0
    /// Offset in the (decompressed) file of the block's byte 0.
    private var blockOffset = 0
    private var isAtEnd = false
    private var hasBegun = false
    /// Characters for callers whose room may not hold one.
    private let few: ByteBlock
    private var fewUsed = 0
    private var fewFilled = 0

    init(_ input: any ByteInput, _ encoding: TextEncoding, _ pool: BlockPool, _ kernel: Kernel, path: String) {
        self.input = input
        self.encoding = encoding
        self.path = path
        self.kernel = kernel
        block = pool.block(capacity: Self.blockSize)
        few = pool.block(capacity: Self.characterMax)
    }

    private static var blockSize: Int { 256 << 10 }

    /// Bytes that a character has at most, in any encoding.
    private static var characterMax: Int { 4 }

    var consumed: Int { input.consumed }
    var length: Int? { input.length }
    var identity: FileIdentity { input.identity }
    func join(_ terms: RunTerms) { input.join(terms) }
    func use(_ kernel: Kernel) { self.kernel = kernel }

    func read(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int {
        if fewUsed == fewFilled {
            guard count < Self.characterMax else { return try transcode(into: bytes, count) }
            fewUsed = 0
            fewFilled = try transcode(into: few.bytes, Self.characterMax)
        }
        let taken = min(count, fewFilled - fewUsed)
        bytes.update(from: few.bytes + fewUsed, count: taken)
        fewUsed += taken
        return taken
    }

    /// As `read`, with room for a character at least.
    private func transcode(into bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(StreamError) -> Int {
        if !hasBegun { try begin() }
        while true {
            let (status, read, written) = kernel.decodeText(
                encoding, UnsafeBufferPointer(start: block.bytes + used, count: filled - used), isFinal: isAtEnd,
                into: UnsafeMutableBufferPointer(start: bytes, count: count))
            used += read
            if written > 0 || status == .ok { return written }
            if case .failed = status { return try handOnMalformed(into: bytes) }
            try fill()
        }
    }

    /// Reads on behind what is left, less than a character.
    private func fill() throws(StreamError) {
        block.bytes.update(from: block.bytes + used, count: filled - used)
        blockOffset += used
        filled -= used
        used = 0
        let got = try input.read(into: block.bytes + filled, block.capacity - filled)
        filled += got
        isAtEnd = got == 0
    }

    /// Looks for a byte order mark.
    private func begin() throws(StreamError) {
        while filled < 2, !isAtEnd { try fill() }
        hasBegun = true
        guard encoding != .latin1, filled >= 2 else { return }
        switch (block.bytes[0], block.bytes[1]) {
        case (0xFE, 0xFF): encoding = .utf16BE
        case (0xFF, 0xFE): encoding = .utf16LE
        default: break
        }
    }

    /// See (2) and (3).
    private func handOnMalformed(into bytes: UnsafeMutablePointer<UInt8>) throws(StreamError) -> Int {
        guard filled - used >= 2 else {
            throw StreamError(
                .invalidUTF16, "the text ends inside a character", path: path, byteOffset: blockOffset + used,
                stage: "cut", hint: "the file was cut off, or is in another encoding")
        }
        let (first, second) = (UInt16(block.bytes[used]), UInt16(block.bytes[used + 1]))
        let surrogate = encoding == .utf16BE ? first << 8 | second : second << 8 | first
        bytes[0] = 0xED
        bytes[1] = 0x80 | UInt8(surrogate >> 6 & 0x3F)
        bytes[2] = 0x80 | UInt8(surrogate & 0x3F)
        used += 2
        return 3
    }

    func close() { input.close() }
}

extension StreamError {
    /// What an input throws, as it is thrown where `record` is being read. Only text is of a record.
    func placed(inRecord record: Int) -> StreamError {
        var error = self
        if code == .invalidUTF16 { error.record = record }
        return error
    }
}
