import CSluice

/// Decodes LZ4, frame after frame.
final class LZ4Decoder: Decompressor {
    static let name = "LZ4"
    static let startLength = 4

    private let core: OpaquePointer
    private(set) var refusal: (message: String, hint: String)?

    /// - Throws: never but for want of memory.
    init() {
        guard let core = sluice_lz4_decoder_create() else { fatalError("no memory for an LZ4 reader") }
        self.core = core
    }

    deinit { sluice_lz4_decoder_destroy(core) }

    func run(
        _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool, into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int) {
        var read = 0
        var written = 0
        let status = sluice_lz4_decoder_run(
            core, input.baseAddress, input.count, &read, isFinal, output.baseAddress, output.count, &written)
        switch status {
        case SLUICE_ERROR_NEEDS_DICTIONARY:
            refusal = ("the LZ4 data needs a dictionary", "compress it anew, without one")
        case SLUICE_ERROR_LEGACY_FORMAT:
            refusal = ("the LZ4 data is in the legacy format, which has no checksum", "compress it anew: lz4 -d, lz4")
        default: break
        }
        return (KernelStatus(status), read, written)
    }
}

/// Compresses to blocks of an LZ4 frame.
final class LZ4Encoder: BlockCompressor {
    static let inputMax = Int(SLUICE_LZ4_INPUT_MAX)
    static let outputMax = Int(SLUICE_LZ4_OUTPUT_MAX)
    static let levels = 0...Int(SLUICE_LZ4_LEVEL_MAX)

    private let core: OpaquePointer
    private let frame: LZ4Frame?

    /// - Parameters:
    ///   - level: one of `levels`.
    ///   - frame: takes note of every block on the way, see `BlockCompressor`.
    init(_ kernel: UnsafePointer<sluice_kernel>, level: Int, frame: LZ4Frame?) throws(StreamError) {
        guard let core = sluice_lz4_encoder_create(Int32(level), kernel) else {
            throw StreamError(.invalidConfiguration, "no LZ4 level \(level)", hint: "levels are 0 to 12")
        }
        self.core = core
        self.frame = frame
    }

    deinit { sluice_lz4_encoder_destroy(core) }

    func block(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) -> Int {
        guard let frame else { return sluice_lz4_block(core, input.baseAddress, input.count, output, nil) }
        return sluice_lz4_block(core, input.baseAddress, input.count, output, &frame.hash)
    }
}

/// One LZ4 frame: the checksum of all its content is behind its end mark.
final class LZ4Frame: CompressionFrame {
    fileprivate var hash = sluice_xxh32_start()

    var start: [UInt8] { withUnsafeBytes(of: sluice_lz4_frame_start) { Array($0) } }

    func add(_ content: UnsafeRawBufferPointer) {
        sluice_xxh32_add(&hash, content.baseAddress?.assumingMemoryBound(to: UInt8.self), content.count)
    }

    var end: [UInt8] {
        withUnsafePointer(to: hash) { hash in
            [UInt8](unsafeUninitializedCapacity: Int(SLUICE_LZ4_END_LENGTH)) { buffer, count in
                sluice_lz4_frame_end(sluice_xxh32_value(hash), buffer.baseAddress)
                count = buffer.count
            }
        }
    }
}
