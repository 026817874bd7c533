import CSluice

/// Inflates gzip, member after member.
final class Gunzip: Decompressor {
    static let name = "gzip"
    static let startLength = 18

    private let core: OpaquePointer

    /// - Throws: never but for want of memory.
    init() {
        guard let core = sluice_gunzip_create() else { fatalError("no memory for a gzip reader") }
        self.core = core
    }

    deinit { sluice_gunzip_destroy(core) }

    /// Whether zeros came behind the last member: then nothing else may.
    var isPadded: Bool { sluice_gunzip_is_padded(core) }

    /// Goes on behind whole members that were inflated elsewhere. Only before the first run.
    func skipMembers(lastIsEmpty: Bool) { sluice_gunzip_skip(core, lastIsEmpty) }

    /// Bytes of the BGZF member that begins here, as its header has them; 0 where none begins, or its header is not all there.
    static func memberSize(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int { sluice_bgzf_size(bytes, count) }

    /// Bytes that a member says it holds.
    static func heldBytes(_ member: UnsafePointer<UInt8>, _ size: Int) -> Int {
        Int(UnsafeRawPointer(member + size - 4).loadUnaligned(as: UInt32.self).littleEndian)
    }

    /// Inflates one member, whatever came before: how many bytes it has, or nil where anything is wrong with it.
    func member(
        _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int? {
        var written = 0
        return sluice_gunzip_member(
            core, input.baseAddress, input.count, output.baseAddress, output.count, &written) ? written : nil
    }

    func run(
        _ input: UnsafeBufferPointer<UInt8>, isFinal: Bool, into output: UnsafeMutableBufferPointer<UInt8>
    ) -> (status: KernelStatus, read: Int, written: Int) {
        var read = 0
        var written = 0
        let status = sluice_gunzip_run(
            core, input.baseAddress, input.count, &read, isFinal, output.baseAddress, output.count, &written)
        return (KernelStatus(status), read, written)
    }
}

/// Deflates to BGZF members.
final class BlockDeflater: BlockCompressor {
    static let inputMax = Int(SLUICE_BGZF_INPUT_MAX)
    static let outputMax = Int(SLUICE_BGZF_OUTPUT_MAX)
    static let levels = 0...9

    private let core: OpaquePointer

    /// - Parameter level: one of `levels`.
    init(level: Int) throws(StreamError) {
        guard let core = sluice_deflater_create(Int32(level)) else {
            throw StreamError(.invalidConfiguration, "no gzip level \(level)", hint: "levels are 0 to 9")
        }
        self.core = core
    }

    deinit { sluice_deflater_destroy(core) }

    func block(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) -> Int {
        sluice_bgzf_member(core, input.baseAddress, input.count, output)
    }
}

/// BGZF: members that stand for themselves, and an empty one at the end.
final class BlockGzipFrame: CompressionFrame {
    var start: [UInt8] { [] }
    func add(_ content: UnsafeRawBufferPointer) {}
    var end: [UInt8] { withUnsafeBytes(of: sluice_bgzf_end) { Array($0) } }
}

/// What does the work inside, for `--version` and for reports.
public enum Engines {
    /// The kernel that `choice` stands for here; nil where this processor cannot run it.
    public static func kernel(_ choice: KernelChoice = .auto) -> String? { (try? choice.make())?.name }

    /// The library that inflates gzip, with its version.
    public static var gzip: String { String(cString: sluice_gzip_engine()) }
}
