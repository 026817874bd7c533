/// How a file is compressed.
public enum CompressionFormat: String, Sendable, CaseIterable {
    case none
    /// gzip of any members in; BGZF (which every gzip reader reads) out.
    case gzip
    /// LZ4 frames of any kind in; one frame with a checksum out.
    case lz4

    /// What names of such files end in, and what the files start with; nil for no compression.
    var marks: (suffix: String, magic: [UInt8])? {
        switch self {
        case .none: nil
        case .gzip: (".gz", [0x1F, 0x8B])
        case .lz4: (".lz4", [0x04, 0x22, 0x4D, 0x18])
        }
    }

    /// The compression that a file's name tells.
    public init(path: String) {
        let name = path.lowercased()
        self = Self.allCases.first { $0.marks.map { name.hasSuffix($0.suffix) } ?? false } ?? .none
    }

    /// The compression that the first bytes of a file tell; `magicLength` of them are enough.
    init(magic bytes: [UInt8]) {
        self = Self.allCases.first { $0.marks.map { bytes.starts(with: $0.magic) } ?? false } ?? .none
    }

    static let magicLength = allCases.compactMap { $0.marks?.magic.count }.max() ?? 0

    static func withoutSuffix(_ path: String) -> String {
        String(path.dropLast(CompressionFormat(path: path).marks?.suffix.count ?? 0))
    }
}

// MARK: - What does the work

extension CompressionFormat {
    /// Levels of output; nil where there are none.
    var levels: ClosedRange<Int>? {
        switch self {
        case .none: nil
        case .gzip: BlockDeflater.levels
        case .lz4: LZ4Encoder.levels
        }
    }

    func decompressor() -> (any Decompressor)? {
        switch self {
        case .none: nil
        case .gzip: Gunzip()
        case .lz4: LZ4Decoder()
        }
    }

    /// - Parameters:
    ///   - level: one of `levels`.
    ///   - frame: the one that it makes all blocks of; nil where others may make some.
    func compressor(
        level: Int, frame: (any CompressionFrame)?, _ kernel: Kernel
    ) throws(StreamError) -> (any BlockCompressor)? {
        switch self {
        case .none: nil
        case .gzip: try BlockDeflater(level: level)
        case .lz4: try kernel.makeLZ4Encoder(level: level, frame: frame as? LZ4Frame)
        }
    }

    func frame() -> (any CompressionFrame)? {
        switch self {
        case .none: nil
        case .gzip: BlockGzipFrame()
        case .lz4: LZ4Frame()
        }
    }
}
