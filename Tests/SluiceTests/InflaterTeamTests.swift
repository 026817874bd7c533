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
