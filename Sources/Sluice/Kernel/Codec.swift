/// Takes the compression from bytes. The input may be cut anywhere.
protocol Decompressor: AnyObject {
    /// What people call it.
    static var name: String { get }
    /// Bytes in which a file that is nothing of the kind shows.
    static var startLength: Int { get }

    /// Decompresses from `input` to `output`, and says how much of either it used.
    func run(
        _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool, into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int)

    /// Why data that may be sound is not read, where the last status said so (`unsupported`).
    var refusal: (message: String, hint: String)? { get }

    /// Whether padding came behind the data: then nothing else may.
    var isPadded: Bool { get }
}

extension Decompressor {
    var isPadded: Bool { false }
    var refusal: (message: String, hint: String)? { nil }
}

/// Makes blocks of a compressed file, each on its own.
///
/// One that is made for a frame is the only one to make blocks of it, in order, and the frame takes note of them on the way.
protocol BlockCompressor: AnyObject {
    /// Input bytes of a full block.
    static var inputMax: Int { get }
    /// Room that a block needs.
    static var outputMax: Int { get }

    /// One block of at most `inputMax` bytes; returns its length.
    func block(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) -> Int
}

/// What stands around the blocks of a compressed file. It sees all of them, in order.
protocol CompressionFrame: AnyObject {
    /// What comes before the first block.
    var start: [UInt8] { get }
    /// Takes note of what a block was before compression.
    func add(_ content: UnsafeRawBufferPointer)
    /// What comes behind the last block.
    var end: [UInt8] { get }
}
