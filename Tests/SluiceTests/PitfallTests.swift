import Foundation
import Sluice
import Testing

/// Where streams of files use to lose records without a word, in every format alike. What only one format or class can
/// get wrong is tested beside it.
@Suite("Pitfalls of streams")
struct PitfallTests {
    let folder = TemporaryFolder()

    /// A file of so many records.
    private func file(_ format: FileFormat, records: Int, tail: String = "") throws -> String {
        let ids = 0..<records
        let text =
            switch format {
            case .csv: "id,text\n" + ids.map { "\($0),t\n" }.joined()
            case .jsonl: ids.map { "{\"id\":\($0)}\n" }.joined()
            case .json: "[" + ids.map { "{\"id\":\($0)}" }.joined(separator: ",") + "]"
            case .text: ids.map { "\($0)\n" }.joined()
            case .binary: String(repeating: "x", count: records * 65_536)
            }
        return try folder.file("in.\(format)", text + tail)
    }

    private func chunks(_ path: String, _ format: FileFormat, chunkSize: Int, _ kernel: KernelChoice) throws
        -> [StreamChunk]
    {
        var chunks: [StreamChunk] = []
        let source = try FileStreamSource(path, format: format, chunkSize: chunkSize, kernel: kernel)
        try source.forEach { chunks.append($0) }
        #expect(try source.readChunk() == nil, "the end is the end")
        return chunks
    }

    @Test("chunks are numbered from 0 by every source, without gaps", arguments: FileFormat.allCases)
    func sequenceNumbers(_ format: FileFormat) throws {
        let path = try file(format, records: 7)
        for kernel in kernels {
            let numbers = try chunks(path, format, chunkSize: 2, kernel).map(\.sequenceNumber)
            #expect(numbers == [0, 1, 2, 3])
        }
        var numbers: [Int] = []
        let records = RecordBatch((0..<7).map { ["id": Value($0)] })
        try MemoryStreamSource(Array(records), chunkSize: 2).forEach { numbers.append($0.sequenceNumber) }
        guard format != .binary else { return }
        try DirectoryStreamSource(paths: [path, path], format: format, chunkSize: 4).forEach {
            numbers.append($0.sequenceNumber)
        }
        #expect(numbers == [0, 1, 2, 3, 0, 1, 2, 3])
    }

    @Test(
        "the last chunk says so though records divide evenly and blank lines follow, and no other one does",
        arguments: FileFormat.allCases, kernels)
    func isLast(_ format: FileFormat, _ kernel: KernelChoice) throws {
        let tails =
            [FileFormat.csv: ["", "\n\r\n"], .jsonl: ["", "\n \t\n", "  "], .json: ["", " \n"]][format] ?? [""]
        for tail in tails {
            for chunkSize in [1, 2, 3, 4, 6, 7] {
                let path = try file(format, records: 6, tail: tail)
                let lasts = try chunks(path, format, chunkSize: chunkSize, kernel).map(\.isLast)
                let count = (6 + chunkSize - 1) / chunkSize
                #expect(lasts == (1...count).map { $0 == count }, "\(tail.debugDescription), chunks of \(chunkSize)")
            }
            #expect(try chunks(file(format, records: 0), format, chunkSize: 1, kernel).isEmpty)
        }
    }

    @Test(
        "a bad record in the middle ends nothing quietly: it is an error with its place, and nothing is published",
        arguments: [
            ("x.csv", "a,b\n1,2\n3\n4,5\n", 2, 8), ("x.csv", "a,b\n1,2\n3,\"4\"x\n4,5\n", 2, 13),
            ("x.jsonl", "{\"a\":1}\n{\"a\":}\n{\"a\":3}\n", 2, 13),
            ("x.jsonl", "{\"a\":1}\n\nnull,\n{\"a\":3}\n", 3, 13),
            ("x.json", "[{\"a\":1},{\"a\":},{\"a\":3}]", 2, 14), ("x.json", "[{\"a\":1}{\"a\":3}]", 1, 8),
        ], kernels)
    func badRecord(_ bad: (name: String, text: String, record: Int, byte: Int), _ kernel: KernelChoice) throws {
        let path = try folder.file(bad.name, bad.text)
        let output = try folder.file("out.jsonl", "old")
        for chunkSize in [1, 2, 1000] {
            let result = BasicStreamProcessor(
                source: try FileStreamSource(path, chunkSize: chunkSize, kernel: kernel),
                sink: try FileStreamSink(output, kernel: kernel)
            ) { chunk in #expect(!chunk.isLast, "what follows is bad, not nothing") }.process()
            let error = try #require(result.errors.first)
            #expect(!result.success && error.path == path)
            #expect(error.record == bad.record && error.byteOffset == bad.byte, "\(error)")
            #expect(try folder.text("out.jsonl") == "old")
        }
    }

    @Test("neither blank lines nor null end a file", arguments: kernels)
    func blankAndNull(_ kernel: KernelChoice) throws {
        let files = [
            ("x.jsonl", "\n\nnull\n \t\r\n\n1\nnull\n\n{}\n\n", ["null", "1", "null", "{}"]),
            ("x.json", "\n[null,\n\n1 , null,{}\n]\n\n", ["null", "1", "null", "{}"]), ("y.json", " null\n", ["null"]),
            ("x.csv", "\n\na\n\n\"\"\n\r\nnull\n\n2\n", [#"{"a":""}"#, #"{"a":"null"}"#, #"{"a":"2"}"#]),
            ("x.txt", "\n\nnull\n", [#"{"text":""}"#, #"{"text":""}"#, #"{"text":"null"}"#]),
        ]
        for (name, text, wanted) in files {
            let path = try folder.file(name, text)
            for chunkSize in [1, 2, 1000] {
                #expect(try records(path, chunkSize: chunkSize, kernel: kernel) == wanted, "\(name)")
            }
            #expect(try FileStreamSource(path, kernel: kernel).countRecords() == wanted.count)
        }
    }

    @Test("bytes in gzip or LZ4 are no text: all of them come back", arguments: CompressionFormat.allCases, kernels)
    func packedBytes(_ compression: CompressionFormat, _ kernel: KernelChoice) throws {
        // Line ends of all kinds, halves of characters, zeros, byte order marks.
        let bytes =
            [0xEF, 0xBB, 0xBF, 0x0D, 0x0A, 0xFF, 0xFE] + (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * $0) }
        let suffix = ["gzip": ".gz", "lz4": ".lz4"][compression.rawValue] ?? ""
        let path = try folder.file("x.bin", bytes)
        let packed = folder.file("y.bin\(suffix)")
        for (from, to) in [(path, packed), (packed, folder.file("z.dat"))] {
            let result = BasicStreamProcessor(
                source: try FileStreamSource(from, kernel: kernel), sink: try FileStreamSink(to, kernel: kernel)
            ).process()
            #expect(result.success && result.processedRecords == 4)
        }
        #expect(try bytesOfFile(folder.file("z.dat")) == bytes)
        #expect(try compression == .none || bytesOfFile(packed) != bytes)
    }

    @Test("a CSV file without records has the header that is known, and what is appended has it not again")
    func headers() throws {
        for (input, text, columns) in [
            ("x.csv", "a,b\n", nil), ("x.jsonl", "", ["a", "b"]), ("x.json", "[]", ["a", "b"]),
        ] as [(String, String, [String]?)] {
            for name in ["out.csv", "out.csv.gz", "out.csv.lz4"] {
                let output = folder.file(name)
                for (mode, text) in [(FileStreamSink.Mode.write, text), (.append, text), (.append, "a,b\n1,2\n")] {
                    let source = try folder.file(text.hasSuffix("2\n") ? "more.csv" : input, text)
                    try BasicStreamProcessor(
                        source: FileStreamSource(source), sink: FileStreamSink(output, mode: mode, columns: columns)
                    ).run()
                }
                try BasicStreamProcessor(
                    source: FileStreamSource(output, format: .text), sink: FileStreamSink(folder.file("plain.txt"))
                ).run()
                #expect(try folder.text("plain.txt") == "a,b\n1,2\n", "\(input) to \(name)")
            }
        }
    }

    @Test(
        "progress moves with the bytes of the file as it is stored, in every format and compression",
        arguments: FileFormat.allCases, CompressionFormat.allCases)
    func progress(_ format: FileFormat, _ compression: CompressionFormat) throws {
        let path = try file(format, records: format == .binary ? 40 : 120_000)
        let packed = folder.file("packed")
        try BasicStreamProcessor(
            source: FileStreamSource(path, format: format),
            sink: FileStreamSink(packed, format: format, compression: compression)
        ).run()
        var seen: [Double] = []
        let source = try FileStreamSource(
            packed, format: format, compression: compression, chunkSize: format == .binary ? 4 : 1000)
        try source.forEach { seen.append(try #require($0.metadata["progress"]?.doubleValue)) }
        #expect(seen == seen.sorted() && seen.last == 1 && seen.allSatisfy { (0...1).contains($0) })
        // 40 blocks of one byte are packed into less than is read at once.
        if format != .binary || compression == .none { #expect((seen.first ?? 1) < 0.9 && Set(seen).count > 1) }
    }
}
