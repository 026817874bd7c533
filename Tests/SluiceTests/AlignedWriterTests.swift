import Testing
import TestSupport

@testable import Sluice

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Writing a file in aligned steps")
struct AlignedWriterTests {
    /// Sizes of writes; 0 is a flush.
    static let sizes: [[Int]] = [
        [], [0], [1], [0, 1, 0], [256 << 10], [(256 << 10) - 1, 1], [(256 << 10) - 1, 2], [1, 256 << 10],
        [(512 << 10) + 1, 0, 1], [100, 0, (256 << 10) - 100, 1], [100, 0, (256 << 10) - 101, 1, 1],
        [3 << 20, 5 << 20, 7], [(1 << 20) - 1, 1, 1], [1 << 20, 1 << 20], [40_000, (2 << 20) - 40_000, 5],
        [50_000, 0, 3 << 20],
        [0, 0, 300_000, 0, 300_000, 0],
    ]

    @Test("a file has all bytes in order, however they come", arguments: sizes)
    func order(of sizes: [Int]) throws { try check(sizes) }

    @Test("the same at random", arguments: 0..<20 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let limits = [10, 5_000, 300_000, 2_000_000]
        let sizes = (0..<20).map { _ in
            Int.random(in: 0...(limits.randomElement(using: &random) ?? 1), using: &random)
        }
        try check(sizes)
    }

    private func check(_ sizes: [Int]) throws {
        for asBlocks in [false, true] { try check(sizes, asBlocks: asBlocks) }
    }

    private func check(_ sizes: [Int], asBlocks: Bool) throws {
        let folder = TemporaryFolder()
        let path = folder.file("x")
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        let bytes = (0..<sizes.reduce(0, +)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        let writer = AlignedWriter(descriptor, path)
        let pool = BlockPool()
        var written = 0
        for size in sizes {
            if size == 0 {
                try writer.flush()
                #expect(try bytesOfFile(path).elementsEqual(bytes[..<written]))
            }
            try bytes.withUnsafeBytes {
                let piece = UnsafeRawBufferPointer(rebasing: $0[written..<written + size])
                guard asBlocks else { return try writer.write(piece) }
                let block = pool.block(capacity: size)
                UnsafeMutableRawBufferPointer(start: block.base, count: size).copyMemory(from: piece)
                try writer.write(block, size)
            }
            written += size
        }
        try writer.finish()
        #expect(try bytesOfFile(path).elementsEqual(bytes))
    }

    @Test("space that was reserved and not used is given back")
    func reservation() throws {
        let folder = TemporaryFolder()
        let path = folder.file("x.jsonl")
        let sink = try FileStreamSink(path)
        let source = MemoryStreamSource(rows: 120_000)
        while let chunk = try source.readChunk() { try sink.writeChunk(chunk) }
        try sink.close()
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_size > 8 << 20 && status.st_size == sink.bytesWritten)
        #expect(Int(status.st_blocks) * 512 <= Int(status.st_size) + 128 << 10)
    }
}

extension MemoryStreamSource {
    fileprivate convenience init(rows: Int) {
        let text = String(repeating: "x", count: 60)
        self.init((0..<rows).map { ["number": .int(Int64($0)), "text": .string(text)] as Record })
    }
}
