import TestSupport
import Testing

@testable import Sluice

@Suite("Determinism")
struct DeterminismTests {
    private struct Way: CustomStringConvertible {
        var (from, to) = ("", "")
        var compression = ""
        var workers = 1
        var chunkSize = 1000
        var kernel = KernelChoice.scalar
        var memory = 512
        /// Whether a processor sees the chunks: else they need not be made.
        var isLookedAt = true

        var description: String {
            "\(from) to \(to)\(compression), \(workers) workers, chunks of \(chunkSize), \(kernel.rawValue)"
                + ", \(memory) MB" + (isLookedAt ? "" : ", not looked at")
        }
        /// What may not change the bytes of a compressed file.
        var alone: Way {
            Way(from: from, to: to, compression: compression, chunkSize: chunkSize, isLookedAt: isLookedAt)
        }
    }

    private static let ways: [Way] = {
        var ways: [Way] = []
        for (from, to) in [("csv", "jsonl"), ("jsonl", "csv"), ("csv", "json"), ("json", "jsonl")] {
            for compression in ["", ".gz", ".lz4"] {
                for workers in [1, 2, 3, 4, 8, 16] {
                    for chunkSize in [1, 7, 1000, 65_536] {
                        for kernel in kernels where step > 1 || kernel != .auto {
                            for (isLookedAt, memory) in [(true, 512), (true, 16), (false, 512), (false, 16)] {
                                ways.append(
                                    Way(
                                        from: from, to: to, compression: compression, workers: workers,
                                        chunkSize: chunkSize, kernel: kernel, memory: memory, isLookedAt: isLookedAt))
                            }
                        }
                    }
                }
            }
        }
        return ways
    }()

    private let folder = TemporaryFolder()

    private func stream(_ way: Way) throws -> [UInt8] {
        let output = folder.file("out.\(way.to)\(way.compression)")
        let context = StreamContext(
            StreamConfig(chunkSize: way.chunkSize, parallelism: way.workers, memoryLimitMB: way.memory))
        if way.isLookedAt {
            context.addProcessor { chunk in chunk.data.setAll("seen", to: .bool(chunk.data.count > 0)) }
        }
        try context.stream(
            source: try FileStreamSource(folder.file("in.\(way.from)"), kernel: way.kernel),
            sink: try FileStreamSink(output, kernel: way.kernel))
        return try bytesOfFile(output)
    }

    private func decompressed(_ bytes: [UInt8], _ way: Way) throws -> [UInt8] {
        guard !way.compression.isEmpty else { return bytes }
        try folder.write(bytes, to: "packed.txt\(way.compression)")
        let source = try FileStreamSource(folder.file("packed.txt\(way.compression)"))
        let sink = try FileStreamSink(folder.file("plain.txt"))
        try StreamContext(StreamConfig(parallelism: 1)).stream(source: source, sink: sink)
        return try bytesOfFile(folder.file("plain.txt"))
    }

    @Test("the same bytes come out for any number of threads, any chunk size, any kernel and any memory")
    func ways() throws {
        var random = SplitMix64(seed: 5)
        let count = isStress ? 20_000 : 12_000 / step
        let rows = (0..<count).map { number in
            let text = number % 5 == 0 ? "\"a \"\"quoted\"\", é\nline\"" : "plain \(number)"
            return "\(number),\(text),\(Int.random(in: 0...1 << 40, using: &random)),\(number % 3 == 0 ? "" : "x")\n"
        }
        try folder.write("id,text,number,more\n" + rows.joined(), to: "in.csv")
        for format in ["jsonl", "json"] {
            try StreamContext().stream(
                source: try FileStreamSource(folder.file("in.csv")),
                sink: try FileStreamSink(folder.file("in.\(format)")))
        }
        var plain: [String: [UInt8]] = [:]
        var packed: [String: [UInt8]] = [:]
        for way in Self.ways.shuffled(using: &random).prefix(isStress ? .max : 60 / step) {
            let bytes = try stream(way)
            let formats = "\(way.from) \(way.to) \(way.isLookedAt)"
            let whole = try plain[formats] ?? stream(Way(from: way.from, to: way.to, isLookedAt: way.isLookedAt))
            plain[formats] = whole
            let isSame = try decompressed(bytes, way) == whole
            #expect(isSame, "\(way)")
            if !way.compression.isEmpty {
                let key = way.alone.description
                let expected = try packed[key] ?? stream(way.alone)
                packed[key] = expected
                let isSame = bytes == expected
                #expect(isSame, "\(way)")
            }
        }
    }

    @Test(
        "fields that a processor adds come in each record's own order, whatever the chunk saw before",
        arguments: kernels)
    func addedFields(_ kernel: KernelChoice) throws {
        /// Names of what record `number` gets, in order; one of them is in the input already.
        @Sendable func added(_ number: Int) -> [String] {
            switch number % 7 {
            case 0: ["note", "score", "id"]
            case 1: ["score", "note"]
            case 2: ["id", "rank", "score"]
            case 3: []
            case 4: ["rank", "note", "score"]
            default: ["score"]
            }
        }
        let numbers = 0..<50
        let lines = numbers.map { number in
            let names = added(number).filter { $0 != "id" } + (number % 2 == 0 ? ["seen", "rank"] : ["seen"])
            let places = Dictionary(zip(names, names.indices)) { first, _ in first }
            let fields = places.sorted { $0.value < $1.value }.map {
                #","\#($0.key)":\#($0.key == "seen" ? 0 : number)"#
            }
            return #"{"id":\#(number),"b":"x"\#(fields.joined())}"# + "\n"
        }
        let inputs = [
            try folder.file("in.csv", "id,b\n" + numbers.map { "\($0),x\n" }.joined()),
            try folder.file("in.jsonl", numbers.map { #"{"id":\#($0),"b":"x"}"# + "\n" }.joined()),
        ]
        for input in inputs {
            for (chunkSize, workers) in [(1, 1), (2, 3), (5, 1), (7, 2), (1000, 1)] {
                let context = StreamContext(StreamConfig(chunkSize: chunkSize, parallelism: workers))
                context.addProcessor { chunk in
                    for place in chunk.data.indices {
                        let number = chunk.data[place]["id", as: Int.self] ?? -1
                        for name in added(number) { chunk.data[place][name] = Value(number) }
                    }
                    chunk.data.setAll("seen", to: 0)
                    for place in chunk.data.indices {
                        let number = chunk.data[place]["id", as: Int.self] ?? -1
                        if number % 2 == 0 { chunk.data[place]["rank"] = Value(number) }
                    }
                }
                try context.stream(
                    source: try FileStreamSource(
                        input, types: input.hasSuffix("csv") ? .inferred : nil, kernel: kernel),
                    sink: try FileStreamSink(folder.file("out.jsonl"), kernel: kernel))
                #expect(try folder.text("out.jsonl") == lines.joined(), "\(input), chunks of \(chunkSize)")
            }
        }
    }
}
