import Foundation
import Sluice
import TestSupport
import Testing

/// Every format into every other, from file to file.
@Suite("Formats into formats")
struct FormatMatrixTests {
    let folder = TemporaryFolder()

    private static let suffixes: [(FileFormat, String)] = [
        (.csv, "csv"), (.jsonl, "jsonl"), (.json, "json"), (.text, "txt"), (.binary, "bin"),
    ]

    private func convert(_ input: String, _ output: String, kernel: KernelChoice = .auto, chunkSize: Int = 3) throws {
        try BasicStreamProcessor(
            source: try FileStreamSource(folder.file(input), chunkSize: chunkSize, kernel: kernel),
            sink: try FileStreamSink(folder.file(output), kernel: kernel)
        ).run()
    }

    /// Lines as text, CSV, JSON Lines and JSON.
    private static let lines: [FileFormat: String] = [
        .text: "plain\n\n\"quoted\", \\ and\ttabs\nÄ日😀\na\rb\n",
        .csv: "text\nplain\n\"\"\n\"\"\"quoted\"\", \\ and\ttabs\"\nÄ日😀\n\"a\rb\"\n",
        .jsonl: """
        {"text":"plain"}
        {"text":""}
        {"text":"\\"quoted\\", \\\\ and\\ttabs"}
        {"text":"Ä日😀"}
        {"text":"a\\rb"}

        """,
    ]

    private static func array(_ lines: String) -> String {
        "[\n" + lines.split(separator: "\n").joined(separator: ",\n") + "\n]\n"
    }

    @Test("lines go round through every format that has a place for text", arguments: kernels)
    func lines(_ kernel: KernelChoice) throws {
        var texts = Self.lines
        texts[.json] = Self.array(texts[.jsonl] ?? "")
        for (from, source) in Self.suffixes {
            guard let text = texts[from] else { continue }
            _ = try folder.file("in.\(source)", text)
            for (to, target) in Self.suffixes {
                try convert("in.\(source)", "out.\(target)", kernel: kernel)
                let wanted = texts[to] ?? "plain\"quoted\", \\ and\ttabsÄ日😀a\rb"
                #expect(try folder.text("out.\(target)") == wanted, "\(from) to \(to)")
            }
        }
    }

    @Test(
        "blocks of bytes go round through CSV, JSON Lines and JSON as base64; text has no place for them",
        arguments: kernels)
    func bytes(_ kernel: KernelChoice) throws {
        var random = SplitMix64(seed: 1)
        for count in [0, 1, 2, 3, 65_535, 65_536, 65_537, 1_200_000] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = try folder.file("in.bin", bytes)
            for (format, target) in Self.suffixes where format != .text {
                try convert("in.bin", "out.\(target)", kernel: kernel, chunkSize: 1000)
                try convert("out.\(target)", "back.bin", kernel: kernel)
                #expect(try bytesOfFile(folder.file("back.bin")) == bytes, "\(count) bytes through \(format)")
            }
            guard count > 0 else { continue }
            let error = streamError { try convert("in.bin", "out.txt", kernel: kernel) }
            #expect(error?.code == .unknownKey && error?.column == "bytes" && error?.record == 1)
            #expect(error?.message.contains("\"text\"") == true && error?.hint?.contains("unknown") == false)
            let source = try FileStreamSource(folder.file("in.bin"), kernel: kernel)
            var read: [UInt8] = []
            try source.forEach { chunk in
                for record in chunk.data {
                    #expect(record.keys == ["bytes"] && record["bytes", as: String.self] == nil)
                    guard case .bytes(let block)? = record["bytes"] else { continue }
                    #expect(block.count == 65_536 || read.count + block.count == count)
                    read += block
                }
            }
            #expect(read == bytes)
        }
    }

    @Test(
        "what text or bytes have no place for is refused, and the old file stays",
        arguments: [FileFormat.text, .binary])
    func refused(_ format: FileFormat) throws {
        let target = format == .text ? "out.txt" : "out.bin"
        let cases: [(name: String, text: String, code: StreamError.Code, record: Int)] = [
            ("a.csv", "id,text\n1,a\n", .unknownKey, 1), ("a.jsonl", "{\"text\":\"a\"}\n{\"id\":1}\n", .unknownKey, 2),
            ("b.jsonl", "{\"text\":\"a\"}\n{}\n", .missingField, 2),
            ("a.json", "[{\"text\":\"a\"},5]", .unsupported, 2),
            ("c.jsonl", "{\"text\":null}\n", .missingField, 1), ("d.jsonl", "{\"text\":[1]}\n", .missingField, 1),
            ("e.json", "[{\"text\":{}}]", .missingField, 1),
        ]
        let ofText: [(name: String, text: String, code: StreamError.Code, record: Int)] = [
            ("f.jsonl", "{\"text\":\"a\\nb\"}\n", .unsupported, 1),
            ("g.json", "[{\"text\":\"\"},{\"text\":\"a\\r\"}]", .unsupported, 2),
            ("h.csv", "text\n\"a\nb\"\n", .unsupported, 1), ("i.txt", "a\r\r\n", .unsupported, 1),
            ("j.txt", "a\nb\r", .unsupported, 2), ("k.txt", "a\n\n\u{0}b\r\r\n", .unsupported, 3),
        ]
        let ofBytes: [(name: String, text: String, code: StreamError.Code, record: Int)] = [
            ("l.jsonl", "{\"bytes\":\"AAA\"}\n", .typeMismatch, 1), ("m.csv", "bytes\nAAAA\n####\n", .typeMismatch, 2),
            ("n.jsonl", "{\"bytes\":\"AAAA\",\"text\":\"a\"}\n", .unknownKey, 1),
        ]
        for (name, text, code, record) in cases + (format == .text ? ofText : ofBytes) {
            _ = try folder.file(name, text)
            _ = try folder.file(target, "old")
            let error = streamError { try convert(name, target) }
            #expect(error?.code == code && error?.record == record, "\(name): \(error?.description ?? "accepted")")
            #expect(try folder.text(target) == "old")
        }
    }

    @Test("text and bytes that were set are written, numbers and Booleans as they are spelled", arguments: kernels)
    func set(_ kernel: KernelChoice) throws {
        let records: [Record] = [
            ["text": "a"], ["text": 5], ["text": 1.5], ["text": true], ["text": .decimal("0.10")],
            ["text": .bytes([66, 67])],
            ["text": .string(String(repeating: "x", count: 300_000))],
        ]
        for name in ["x.txt", "x.bin"] {
            let sink = try FileStreamSink(folder.file(name), kernel: kernel)
            try sink.writeChunk(StreamChunk(data: RecordBatch(records)))
            try sink.close()
            let end = name == "x.txt" ? "\n" : ""
            let wanted = ["a", "5", "1.5", "true", "0.10", "BC", String(repeating: "x", count: 300_000)]
            #expect(try folder.text(name) == wanted.map { $0 + end }.joined())
        }
        let sink = try FileStreamSink(folder.file("y.bin"), kernel: kernel)
        try sink.writeChunk(StreamChunk(data: [["bytes": .bytes([0, 255])], ["bytes": "AAE="], ["text": "é"]]))
        try sink.close()
        #expect(try bytesOfFile(folder.file("y.bin")) == [0, 255, 0, 1, 0xC3, 0xA9])
        let edited = try folder.file("z.txt", "one\ntwo\nthree\nfour\n")
        try BasicStreamProcessor(
            source: try FileStreamSource(edited, kernel: kernel), sink: try FileStreamSink(edited, kernel: kernel)
        ) { chunk in
            chunk.data.removeAll { $0["text"] == "two" }
            chunk.data[1]["text"] = "3"
        }.run()
        #expect(try folder.text("z.txt") == "one\n3\nfour\n")
    }

    @Test("lines are records whatever ends them, blank ones too; errors and limits count them", arguments: kernels)
    func text(_ kernel: KernelChoice) throws {
        let path = try folder.file("x.log", Array("\u{FEFF}a\r\n\n b \nlast".utf8))
        #expect(
            try records(path, kernel: kernel) == [
                "{\"text\":\"a\"}", "{\"text\":\"\"}", "{\"text\":\" b \"}", "{\"text\":\"last\"}",
            ])
        let source = try FileStreamSource(path, chunkSize: 2, kernel: kernel)
        var seen: [[Int?]] = []
        try source.forEach { seen += $0.data.map { [$0.number, $0.byteOffset] } + [[$0.isLast ? 1 : 0]] }
        #expect(seen == [[1, 3], [2, 6], [0], [3, 7], [4, 11], [1]])
        #expect(try FileStreamSource(path, kernel: kernel).countRecords() == 4)
        let broken = try folder.file("y.txt", Array("a\n\nb".utf8) + [0xFF] + Array("\n".utf8))
        let error = streamError { _ = try records(broken, kernel: kernel) }
        #expect(error?.code == .invalidUTF8 && error?.record == 3 && error?.byteOffset == 4)
        let long = try folder.file("z.txt", "a\n\(String(repeating: "b", count: 100))\r\nc\n")
        #expect(try records(long, maxRecordBytes: 100, kernel: kernel).count == 3)
        for count in [false, true] {
            let error = streamError {
                let source = try FileStreamSource(long, maxRecordBytes: 99, kernel: kernel)
                if count { _ = try source.countRecords() } else { try source.forEach { _ in } }
            }
            #expect(error?.code == .recordTooLarge && error?.record == 2 && error?.byteOffset == 2)
        }
        for (name, format) in [("e.txt", FileFormat.text), ("e.bin", .binary)] {
            let empty = try folder.file(name, "")
            #expect(try records(empty).isEmpty && FileStreamSource(empty).format == format)
        }
    }

    @Test("text and binary have one field to select, and nothing that belongs to other formats")
    func options() throws {
        let text = try folder.file("x.txt", "a\n")
        #expect(try records(text, select: ["text"]) == ["{\"text\":\"a\"}"])
        #expect(streamError { _ = try records(text, select: ["line"]) }?.code == .unknownColumn)
        #expect(streamError { _ = try records(folder.file("x.bin", "a"), select: ["text"]) }?.code == .unknownColumn)
        for format in FileFormat.allCases where format != .csv {
            #expect(streamError { _ = try FileStreamSource(text, format: format, types: .inferred) } != nil)
            #expect(streamError { _ = try FileStreamSink(folder.file("y"), format: format, columns: ["text"]) } != nil)
        }
    }

    // MARK: Every combination

    /// What a combination is refused with; nil: it has to work.
    private static func refusal(
        _ format: FileFormat, _ mode: FileStreamSink.Mode, _ encoding: TextEncoding
    ) -> String? {
        if format == .json && mode == .append { return "nothing can be appended to JSON" }
        if format == .binary && encoding != .utf8 { return "bytes have none" }
        return nil
    }

    /// Records with all that a format has a place for and an encoding has characters for.
    private static func examples(_ format: FileFormat, _ encoding: TextEncoding) -> [Record] {
        let texts = [
            "plain", "", "\"quoted\", \\ and\ttabs", "Äÿ\u{80}", "日本😀", String(repeating: "é, ", count: 8_000 / step),
        ]
        return texts.filter(encoding.has).map { text in
            switch format {
            case .text: ["text": .string(text)]
            case .binary: ["bytes": .bytes(Array(text.utf8) + [0, 0xFF, 0x0A])]
            default: ["a": .string(text), "b": .string(text + "\n"), "ü": "x"]
            }
        }
    }

    /// What was written and what is read, in the same words: records, or bytes as they follow one another.
    private static func content(_ records: [Record], _ format: FileFormat) -> [String] {
        guard format == .binary else { return records.map(\.description) }
        let bytes = records.flatMap { record -> [UInt8] in
            if case .bytes(let block)? = record["bytes"] { block } else { [] }
        }
        return ["\(bytes)"]
    }

    private func write(
        _ records: some Collection<Record>, _ path: String, _ format: FileFormat, _ compression: CompressionFormat,
        _ mode: FileStreamSink.Mode, _ encoding: TextEncoding, _ kernel: KernelChoice
    ) throws {
        let sink = try FileStreamSink(
            path, format: format, mode: mode, compression: compression, encoding: encoding, kernel: kernel)
        for record in records { try sink.writeChunk(StreamChunk(data: [record])) }
        try sink.close()
    }

    @Test(
        "every format, compression, mode, encoding and kernel: what is written is read, or refused with the reason",
        arguments: FileFormat.allCases, CompressionFormat.allCases)
    func everyCombination(_ format: FileFormat, _ compression: CompressionFormat) throws {
        for (mode, encoding) in [FileStreamSink.Mode.write, .append].flatMap({ mode in
            TextEncoding.allCases.map { (mode, $0) }
        }) {
            var files: Set<[UInt8]> = []
            for kernel in kernels {
                let path = try folder.file("x", "old")
                let all = Self.examples(format, encoding)
                if let refusal = Self.refusal(format, mode, encoding) {
                    let error = streamError { try write(all, path, format, compression, mode, encoding, kernel) }
                    #expect(error?.code == .invalidConfiguration && error?.path == path && error?.hint != nil)
                    #expect(error?.message.contains(refusal) == true, "\(mode), \(encoding): \(error as Any)")
                    #expect(try folder.text("x") == "old" && folder.names == ["x"])
                    continue
                }
                let isAppended = mode == .append
                if isAppended { try FileManager.default.removeItem(atPath: path) }
                try write(all.prefix(3), path, format, compression, mode, encoding, kernel)
                if isAppended { try write(all.dropFirst(3), path, format, compression, mode, encoding, kernel) }
                let source = try FileStreamSource(
                    path, format: format, compression: compression, chunkSize: 2, encoding: encoding, kernel: kernel)
                var found: [Record] = []
                try source.forEach { found += $0.data }
                let wanted = isAppended ? all : Array(all.prefix(3))
                #expect(
                    Self.content(found, format) == Self.content(wanted, format), "\(mode), \(encoding), \(kernel)")
                files.insert(try bytesOfFile(path))
            }
            #expect(files.count <= 1, "\(mode), \(encoding): kernels write different bytes")
        }
    }

    @Test("names tell the format, a compression suffix left aside")
    func names() {
        let names: [(String, FileFormat?)] = [
            ("a.json", .json), ("a.JSON.gz", .json), ("a.txt", .text), ("a.text", .text), ("a.log.gz", .text),
            ("a.bin", .binary), ("a.dat", .binary), ("a.jsonl", .jsonl), ("a.ndjson", .jsonl), ("a.tsv", .csv),
            ("a.geojson", nil), ("json", nil), ("a.xyz", nil),
        ]
        for (name, format) in names { #expect(FileFormat(path: name) == format, "\(name)") }
    }
}
