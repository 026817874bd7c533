import Foundation
import Sluice
import TestSupport
import Testing

/// Files of LZ4 frames, and damage to them and to gzip.
@Suite("LZ4 files")
struct LZ4FileTests {
    let folder = TemporaryFolder()

    /// What a file of ours holds, by the reference.
    private func content(_ name: String) throws -> [UInt8] { try LZ4File.content(of: bytesOfFile(folder.file(name))) }

    private func pack(_ text: String, _ level: Int? = nil, as name: String = "x.csv.lz4") throws -> [UInt8] {
        let source = try FileStreamSource(folder.file("plain.csv", text))
        try BasicStreamProcessor(source: source, sink: FileStreamSink(folder.file(name), level: level)).run()
        return try bytesOfFile(folder.file(name))
    }

    private static func long(_ count: Int) -> String {
        "id,text\n" + (0..<count).map { "\($0),some text that repeats\n" }.joined()
    }

    @Test("LZ4 counts raw and written bytes, at every level, and the bytes come back", arguments: 0...12)
    func levels(_ level: Int) throws {
        let batch = RecordBatch((0..<20_000).map { ["id": Value($0), "text": "some text that repeats"] })
        let sink = try FileStreamSink(folder.file("x.jsonl.lz4"), level: level)
        #expect(sink.compressionRatio == 1)
        try sink.writeChunk(StreamChunk(data: batch))
        try sink.close()
        let raw = try content("x.jsonl.lz4")
        let size = try bytesOfFile(folder.file("x.jsonl.lz4")).count
        #expect(sink.bytesWritten == size && sink.compressionRatio == Double(raw.count) / Double(size))
        #expect(sink.compressionRatio > 4)
        let back = try records(folder.file("x.jsonl.lz4"))
        #expect(back.count == 20_000 && back[777] == #"{"id":777,"text":"some text that repeats"}"#)
    }

    @Test("no level is the fast one, and each of LZ4HC's makes other files than it")
    func defaultLevel() throws {
        let text = Self.long(20_000)
        let fast = try pack(text)
        #expect(try pack(text, 0) == fast && pack(text, 1) == fast)
        let sizes = try [1, 2, 5, 9, 12].map { try pack(text, $0).count }
        #expect(sizes[0] > sizes[1] && sizes == sizes.sorted(by: >))
        for level in [-1, 13] {
            let error = streamError { _ = try FileStreamSink(folder.file("y.csv.lz4"), level: level) }
            #expect(error?.code == .invalidConfiguration && error?.message.contains("0 to 12") == true)
        }
    }

    @Test("an output without a record is a whole frame, with the ratio 1")
    func empty() throws {
        let sink = try FileStreamSink(folder.file("x.jsonl.lz4"))
        try sink.writeChunk(StreamChunk(data: []))
        try sink.close()
        #expect(sink.compressionRatio == 1 && sink.bytesWritten == 15)
        #expect(try content("x.jsonl.lz4").isEmpty)
        #expect(try records(folder.file("x.jsonl.lz4")).isEmpty)
    }

    @Test("flush hands whole blocks to the system: what comes behind the frame's start can be read")
    func flush() throws {
        let path = folder.file("x.jsonl.lz4")
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDWR | O_NONBLOCK)
        defer { close(reader) }
        let sink = try FileStreamSink(path)
        var seen: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 10_000)
        for number in 1...3 {
            try sink.writeChunk(StreamChunk(data: [["a": Value(number)]]))
            try sink.flush()
            seen += room[..<max(0, read(reader, &room, room.count))]
            #expect(sink.bytesWritten == seen.count)
            let text = (1...number).map { "{\"a\":\($0)}\n" }.joined()
            let end: [UInt8] =
                [0, 0, 0, 0] + withUnsafeBytes(of: LZ4File.xxh32(Array(text.utf8)).littleEndian, Array.init)
            #expect(try LZ4File.content(of: seen + end) == Array(text.utf8))
        }
        try sink.close()
    }

    @Test("a record larger than a block, and one larger than all buffers, pass whole")
    func largeRecords() throws {
        var random = SplitMix64(seed: 1)
        let noise = String(
            decoding: (0..<3_000_000).map { _ in UInt8.random(in: 97...122, using: &random) }, as: UTF8.self)
        let text = "a,b\n1,\(noise)\n2,x\n3,\(String(repeating: "y", count: 700_000))\n"
        _ = try pack(text)
        #expect(try content("x.csv.lz4") == Array(text.utf8))
        #expect(try records(folder.file("x.csv.lz4")) == records(folder.file("plain.csv")))
    }

    @Test("the bytes are the same for all kernels, and the content for all chunk sizes")
    func determinism() throws {
        let input = try folder.file("in.csv", Self.long(30_000))
        for chunkSize in [1, 100, 1000, 64_000] {
            var seen: Set<Data> = []
            for kernel in kernels {
                try BasicStreamProcessor(
                    source: FileStreamSource(input, chunkSize: chunkSize, kernel: kernel),
                    sink: FileStreamSink(folder.file("out.csv.lz4"), kernel: kernel)
                ).run()
                seen.insert(Data(try bytesOfFile(folder.file("out.csv.lz4"))))
            }
            #expect(seen.count == 1)
            #expect(try content("out.csv.lz4") == bytesOfFile(input), "\(chunkSize)")
        }
    }

    @Test("x.csv.lz4 is CSV; magic bytes add LZ4 where the name lacks it; a name that lies is an error")
    func detection() throws {
        #expect(FileFormat(path: "x.csv.lz4") == .csv && CompressionFormat(path: "X.CSV.LZ4") == .lz4)
        let bytes = try pack("a\n1\n")
        let unnamed = try FileStreamSource(folder.file("y.csv", bytes))
        #expect(unnamed.compression == .lz4)
        #expect(try records(folder.file("y.csv")) == [#"{"a":"1"}"#])
        #expect(
            streamError {
                _ = try FileStreamSource(folder.file("y.csv"), compression: CompressionFormat.none).readChunk()
            } != nil)
        for (name, content, code) in [
            ("plain", Array("a\n1\n".utf8), StreamError.Code.corruptCompression), ("empty", [], .truncatedCompression),
            ("gzip", [0x1F, 0x8B, 8, 0], .corruptCompression),
        ] {
            let error = streamError { _ = try records(folder.file("z.csv.lz4", content)) }
            #expect(error?.code == code, "\(name)")
            #expect(error?.message.contains("LZ4") == true && error?.path == folder.file("z.csv.lz4"))
        }
    }

    @Test("what is no plain LZ4 frame is refused with the reason")
    func refusals() throws {
        let text = Array("a\n1\n".utf8)
        let withDictionary = LZ4File.frame(text, [.stored(text)], .init { $0.dictionary = 1 })
        for (bytes, word) in [(withDictionary, "dictionary"), ([0x02, 0x21, 0x4C, 0x18, 0, 0, 0, 0], "legacy")] {
            let error = streamError { _ = try records(folder.file("x.csv.lz4", bytes)) }
            #expect(error?.code == .unsupported && error?.stage == "cut" && error?.message.contains(word) == true)
        }
        let whole = try pack("a\n1\n")
        let behind = streamError { _ = try records(folder.file("x.csv.lz4", whole + text)) }
        #expect(behind?.code == .trailingData && behind?.byteOffset == 4)
        #expect(behind?.message.contains("byte \(whole.count + 4)") == true)
    }

    @Test("frames of other writers: many, empty ones, skippable ones, blocks that depend on one another")
    func otherWriters() throws {
        let rows = (0..<2000).map { Array("\($0),x\n".utf8) }
        let text = Array("a,b\n".utf8) + rows.joined()
        var file = LZ4File.skippable([1, 2, 3])
        file += LZ4File.frame(Array("a,b\n".utf8), [.stored(Array("a,b\n".utf8))], .init { $0.contentLength = 4 })
        for (number, row) in rows.enumerated() {
            file += LZ4File.frame(
                row, [.stored(row)],
                .init {
                    $0.isIndependent = number % 2 == 0
                    $0.hasBlockChecksums = number % 3 == 0
                    $0.hasContentChecksum = number % 5 != 0
                    $0.blockSize = UInt8(4 + number % 4)
                })
            if number % 100 == 0 { file += LZ4File.skippable([], kind: 3) + LZ4File.frame([], []) }
        }
        #expect(try LZ4File.content(of: file) == text)
        let source = try FileStreamSource(folder.file("x.csv.lz4", file))
        #expect(try source.countRecords() == 2000)
        #expect(try records(folder.file("x.csv.lz4")) == records(folder.file("plain.csv", text)))
    }

    @Test("progress counts compressed bytes, and ends at 1")
    func progress() throws {
        _ = try pack(Self.long(100_000))
        var seen: [Double] = []
        try FileStreamSource(folder.file("x.csv.lz4")).forEach { chunk in
            if case .double(let progress)? = chunk.metadata["progress"] { seen.append(progress) }
        }
        #expect(seen == seen.sorted() && seen.count == 100 && seen.last == 1 && (seen.first ?? 1) < 0.9)
    }
}

/// The tool and LZ4.
@Suite("The tool and LZ4")
struct ToolLZ4Tests {
    let folder = TemporaryFolder()

    private func unpacked(_ name: String) throws -> Data {
        Data(try LZ4File.content(of: bytesOfFile(folder.file(name))))
    }

    @Test(
        "converts into and out of LZ4, by name or by --compression, from files and pipes",
        arguments: SampleText.formats,
        SampleText.formats)
    func conversions(from: FileFormat, to: FileFormat) throws {
        try folder.write(SampleText.of(from), to: "in.\(from)")
        try folder.convert("in.\(from)", "in.\(from).lz4")
        #expect(try unpacked("in.\(from).lz4") == Data(SampleText.of(from).utf8))
        try folder.convert("in.\(from).lz4", "out.\(to)")
        #expect(try folder.text("out.\(to)") == SampleText.of(to))
        try folder.convert("in.\(from).lz4", "out.\(to)", "--compression", "lz4", "--level", "9")
        #expect(try unpacked("out.\(to)") == Data(SampleText.of(to).utf8))
        let piped = try folder.sluice(
            "convert", "-", "-", "--from", "\(from)", "--to", "\(to)", "--compression", "lz4", input: "in.\(from).lz4")
        #expect(piped.status == 0 && piped.messages.isEmpty, "\(piped.messages)")
        #expect(try LZ4File.content(of: Array(piped.output)) == Array(SampleText.of(to).utf8))
    }

    @Test("count reads it, and what is not LZ4 is bad data, with the old output left")
    func countAndRefuse() throws {
        try folder.write(SampleText.long(records: 8_000), to: "in.csv")
        try folder.convert("in.csv", "in.csv.lz4")
        #expect(try folder.sluice("count", "in.csv.lz4").text == "8000\n")
        let whole = try folder.data("in.csv.lz4")
        #expect(whole.count < (try folder.data("in.csv").count))
        let legacy = Data([0x02, 0x21, 0x4C, 0x18, 0, 0, 0, 0])
        for (bytes, words) in [
            (Data("a,b\n1,2\n".utf8), "no LZ4"), (Data(), "stops before its end"),
            (whole.dropLast(), "stops before its end"),
            (whole + Data([0]), "follow the LZ4 data"), (legacy, "legacy"),
        ] {
            try folder.write(bytes, to: "bad.csv.lz4")
            try folder.write("old", to: "out.jsonl")
            let outcome = try folder.sluice("convert", "bad.csv.lz4", "out.jsonl")
            #expect(
                outcome.status == 65 && outcome.isOneLine && outcome.messages.contains(words), "\(outcome.messages)")
            #expect(try folder.text("out.jsonl") == "old")
        }
        let level = try folder.sluice("convert", "in.csv", "out.csv.lz4", "--level", "13")
        #expect(level.status == 64 && level.messages.contains("0 to 12"))
    }

    #if os(Linux) && !DEBUG && !THIN
        @Test("an LZ4 bomb takes no more memory than another file")
        func bomb() throws {
            // 4 MiB of "0,0\n" for each block of 16 KiB.
            let row = Array("0,0\n".utf8)
            var sequences = LZ4Sequences()
            sequences.add(row, copying: (4 << 20) - 12, from: 4)
            let block = LZ4File.Block.compressed(sequences.ended(by: row + row))
            let options = LZ4File.Options {
                $0.blockSize = 7
                $0.hasContentChecksum = false
            }
            try folder.write(LZ4File.frame([], [LZ4File.Block](repeating: block, count: 64), options), to: "in.csv.lz4")
            try folder.python(
                """
                import os
                process = os.posix_spawn(os.environ["SLUICE"], ["sluice", "convert", "in.csv.lz4", "out.jsonl", "--jobs", "1"], os.environ)
                _, status, usage = os.wait4(process, 0)
                assert status == 0 and usage.ru_maxrss < 40 << 10, (status, usage.ru_maxrss)
                assert os.path.getsize("out.jsonl") > 500_000_000
                """)
        }
    #endif
}
