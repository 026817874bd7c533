import TestSupport
import Testing

@testable import Sluice

/// gzip that threads inflate: nothing may be other than what one thread, member after member, makes of it.
@Suite("Blocks of gzip in parallel")
struct InflaterTeamTests {
    private let folder = TemporaryFolder()

    /// A gzip file of ours, of many members.
    private func blocks(_ records: Int) throws -> [UInt8] {
        var random = SplitMix64(seed: 3)
        let rows = (0..<records).map { "\($0),\(Int.random(in: 0...1 << 50, using: &random))\n" }
        try folder.write("id,number\n" + rows.joined(), to: "in.csv")
        try StreamContext().stream(
            source: try FileStreamSource(folder.file("in.csv")), sink: try FileStreamSink(folder.file("in.csv.gz")))
        return try bytesOfFile(folder.file("in.csv.gz"))
    }

    /// What comes of a file: the bytes that were read of it, and the error.
    private func read(_ bytes: [UInt8], workers: Int) throws -> (bytes: [UInt8], error: String?) {
        try folder.write(bytes, to: "x.csv.gz")
        let source = try FileStreamSource(folder.file("x.csv.gz"), format: .text)
        let sink = LinesSink()
        let error = streamError {
            try StreamContext(StreamConfig(parallelism: workers)).stream(source: source, sink: sink)
        }
        return (sink.bytes, error?.description)
    }

    private final class LinesSink: StreamSink {
        private(set) var bytes: [UInt8] = []

        func writeChunk(_ chunk: StreamChunk) {
            for record in chunk.data { bytes += Array("\(record["text", as: String.self] ?? "?")\n".utf8) }
        }
    }

    private func expectSame(_ bytes: [UInt8], _ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws
    {
        let alone = try read(bytes, workers: 1)
        for workers in [2, 3] {
            let together = try read(bytes, workers: workers)
            #expect(together.error == alone.error, "\(what), \(workers) workers", sourceLocation: sourceLocation)
            let isSame = together.bytes == alone.bytes
            #expect(
                isSame, "\(what), \(workers) workers: \(together.bytes.count) and \(alone.bytes.count) bytes",
                sourceLocation: sourceLocation)
        }
    }

    @Test("whole files, of blocks, of other members, and of both, come out as from one thread")
    func whole() throws {
        let blocks = try blocks(40_000 / step)
        let isWhole = try read(blocks, workers: 3).bytes == bytesOfFile(folder.file("in.csv"))
        #expect(isWhole)
        try folder.write("more\n", to: "more.csv")
        let other = try folder.shell(#"exec gzip -c "$1""#, ["more.csv"]).output.map { $0 }
        let end = blocks.suffix(28)
        try expectSame(blocks, "blocks")
        try expectSame(blocks + other, "blocks, then another member")
        try expectSame(other + blocks, "another member, then blocks")
        try expectSame(blocks + other + blocks, "blocks around another member")
        try expectSame(blocks + blocks, "blocks behind the empty one that ends them")
        try expectSame(blocks + [0, 0, 0], "blocks, then padding")
        try expectSame(Array(end), "nothing but the end")
        try expectSame(Array(blocks.dropLast(28)), "no end")
        try expectSame(blocks + Array("rubbish".utf8), "blocks, then rubbish")
        try expectSame([], "no byte")
    }

    /// Bytes of a file, and how many of them threads have inflated.
    private func shares(_ bytes: [UInt8], workers: Int, memory: Int = 512) throws -> (all: Int, ofTeam: Int) {
        try folder.write(bytes, to: "x.gz")
        let input = DecompressedInput(
            try FileInput(folder.file("x.gz")), Gunzip(), suffix: ".gz", BlockPool())
        input.join(
            RunTerms(
                budget: MemoryBudget(limit: memory << 20), interrupt: Interrupt(), chunkSize: 1000, workers: workers,
                kernel: nil))
        defer { input.close() }
        let room = BlockPool().block(capacity: 70_000)
        var all = 0
        while case let count = try input.read(into: room.bytes, 70_000), count > 0 { all += count }
        #expect(input.consumed == bytes.count)
        return (all, input.bytesOfTeam)
    }

    @Test("blocks are inflated by threads, and what is none by the reader; nothing is, where memory is short")
    func shares() throws {
        let blocks = try blocks(40_000 / step)
        let count = try bytesOfFile(folder.file("in.csv")).count
        try folder.write("more\n", to: "more.csv")
        let other = try folder.shell(#"exec gzip -c "$1""#, ["more.csv"]).output.map { $0 }
        for workers in [2, 5] {
            #expect(try shares(blocks, workers: workers) == (count, count))
            #expect(try shares(blocks + other, workers: workers) == (count + 5, count))
            #expect(try shares(other + blocks, workers: workers) == (count + 5, 0))
            #expect(try shares(blocks, workers: workers, memory: 8) == (count, 0))
        }
        #expect(try shares(blocks, workers: 1) == (count, 0))
    }

    @Test("a limit of memory that fits a unit on one thread fits it on more")
    func memoryLimit() throws {
        let line = String(repeating: "x", count: 1_200_000)
        try folder.write("a\n" + String(repeating: line + "\n", count: 30 / step), to: "in.csv")
        try StreamContext().stream(
            source: try FileStreamSource(folder.file("in.csv")), sink: try FileStreamSink(folder.file("in.csv.gz")))
        for (limit, workers) in [(12, 1), (12, 2), (24, 6), (64, 16)] {
            let context = StreamContext(StreamConfig(parallelism: workers, memoryLimitMB: limit))
            let sink = try FileStreamSink(folder.file("out.jsonl"))
            let metrics = try context.stream(source: try FileStreamSource(folder.file("in.csv.gz")), sink: sink)
            #expect(metrics.writtenRecords == 30 / step, "\(limit) MiB, \(workers) workers")
            let counted = try context.count(source: try FileStreamSource(folder.file("in.csv.gz")))
            #expect(counted.readRecords == 30 / step)
        }
    }

    @Test("a run that is stopped blames no file of a directory, whatever may be skipped")
    func stopped() throws {
        let blocks = try blocks(20_000)
        for number in 0..<20 { try folder.write(blocks, to: "d\(number).csv.gz") }
        let context = StreamContext(StreamConfig(parallelism: 2))
        context.addProcessor { [weak context] chunk in
            if chunk.metadata["file_index"] == 2 { context?.cancel() }
        }
        let source = try DirectoryStreamSource(folder.path, pattern: "d*", onError: .skip)
        let error = streamError { try context.stream(source: source, sink: MemoryStreamSink()) }
        #expect(error?.code == .cancelled && source.skippedFiles.isEmpty)
    }

    @Test("what is cut off or damaged is the same error behind the same records")
    func damaged() throws {
        let blocks = try blocks(30_000)
        var random = SplitMix64(seed: 9)
        for number in 0..<160 / step {
            let place = Int.random(in: 0..<blocks.count, using: &random)
            if number % 2 == 0 {
                try expectSame(Array(blocks.prefix(place)), "cut off at \(place)")
            } else {
                var bytes = blocks
                bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
                try expectSame(bytes, "a bit at \(place)")
            }
        }
        // Headers are where a team looks.
        for place in (0..<18).filter({ $0 % step == 0 }) {
            for bit in [0, 3, 7] as [UInt8] {
                var bytes = blocks
                bytes[place] ^= 1 << bit
                try expectSame(bytes, "bit \(bit) at \(place)")
            }
        }
    }

    @Test("a member that claims more than it holds, or less, is damage")
    func wrongSizes() throws {
        let blocks = try blocks(30_000)
        let first = Int(blocks[16]) + Int(blocks[17]) << 8 + 1
        for size in [UInt32(0), 1, 65_280, 65_536, 65_537, .max] {
            var bytes = blocks
            for byte in 0..<4 { bytes[first - 4 + byte] = UInt8(truncatingIfNeeded: size >> (8 * UInt32(byte))) }
            try expectSame(bytes, "\(size) bytes")
        }
        for size in [0, 17, 27, 28, 100, first + 1, 65_535] {
            var bytes = blocks
            (bytes[16], bytes[17]) = (UInt8(size & 0xFF), UInt8(size >> 8))
            try expectSame(bytes, "a size of \(size)")
        }
    }
}
