import Foundation
import TestSupport
import Testing

@testable import Sluice

/// What a document holds: its records, and the error behind or in them.
private struct Document: Sendable, CustomStringConvertible {
    var text: String
    var records: [String]
    var error: (record: Int, byte: Int)?

    init(_ text: String, _ records: [String], _ error: (record: Int, byte: Int)? = nil) {
        self.text = text
        self.records = records
        self.error = error
    }

    var description: String { text }
}

@Suite("JSON documents")
struct JSONDocumentTests {
    let folder = TemporaryFolder()

    private static let documents: [Document] = [
        Document("[]", []), Document(" [ \n] \r\n", []), Document("\u{FEFF}[]", []),
        Document("[1]", ["1"]), Document("[1,\"a\", null ,[],{}]", ["1", "\"a\"", "null", "[]", "{}"]),
        Document("[\n  {\n    \"a\": [1,\n 2]\n  },\n  {}\n]\n", [#"{"a":[1,2]}"#, "{}"]),
        Document("\u{FEFF} [[1],[]]", ["[1]", "[]"]),
        Document(#"["]\",[","\\",{"a]":"}"}]"#, [#""]\",[""#, #""\\""#, #"{"a]":"}"}"#]),
        Document("5", ["5"]), Document(" \"s\" ", ["\"s\""]), Document("{\"a\":1,\n\"b\":[]}\n", [#"{"a":1,"b":[]}"#]),
        Document("null\n", ["null"]), Document("[[[[]]]]", ["[[[]]]"]),
        Document("", [], (1, 0)), Document(" \n ", [], (1, 3)), Document("[", [], (1, 1)), Document("[1", [], (1, 2)),
        Document("[1,", ["1"], (2, 3)), Document("[1,2", ["1"], (2, 4)), Document("[,1]", [], (1, 1)),
        Document("[1,]", ["1"], (2, 3)),
        Document("[1,,2]", ["1"], (2, 3)), Document("[1 2]", [], (1, 3)), Document("[]x", [], (1, 2)),
        Document("[1]]", ["1"], (2, 3)), Document("[1] [2]", ["1"], (2, 4)), Document("[1],", ["1"], (2, 3)),
        Document(#"{"a":1}{"b":2}"#, [], (1, 7)), Document("{\"a\":", [], (1, 5)), Document("[{\"a\":1]", [], (1, 7)),
        Document("[1}", [], (1, 2)), Document("[\"a", [], (1, 3)), Document("x", [], (1, 0)),
        Document("1 2", [], (1, 2)),
        Document("]", [], (1, 0)), Document("[\"\n\"]", [], (1, 2)), Document("[1,tru]", ["1"], (2, 6)),
        Document("[1,2,3,4,5,6,7,01]", ["1", "2", "3", "4", "5", "6", "7"], (8, 16)),
    ]

    @Test(
        "elements of an array are the records, any other value is one; errors are at the first byte that cannot be",
        arguments: kernels)
    func table(_ kernel: KernelChoice) throws {
        for document in Self.documents {
            let bytes = Array(document.text.utf8)
            for reads in Reads.every(bytes.count) {
                for decodesNext in [false, true] {
                    for chunkSize in [1, 2, 64] {
                        let found = read(
                            bytes, as: .json, reads, chunkSize: chunkSize, decodesNext: decodesNext, kernel: kernel)
                        let place = "\(document) in \(reads), \(chunkSize), \(decodesNext): \(found)"
                        #expect((found.error == nil) == (document.error == nil), "\(place)")
                        if let wanted = document.error {
                            #expect(
                                found.error?.code == .invalidJSON && found.error?.byteOffset == wanted.byte, "\(place)")
                            #expect(found.error?.record == wanted.record, "\(place)")
                            if chunkSize == 1 { #expect(found.records == document.records, "\(place)") }
                        } else {
                            #expect(found.records == document.records, "\(place)")
                            #expect(found.lasts == found.lasts.indices.map { $0 == found.lasts.count - 1 }, "\(place)")
                        }
                    }
                }
            }
        }
    }

    @Test("a document is the same records in pieces of 1 to 64 bytes and chunks of 1 to 64 records", arguments: kernels)
    func pieces(_ kernel: KernelChoice) throws {
        var random = SplitMix64(seed: 3)
        let elements = (0..<90).map { number -> String in
            switch Int.random(in: 0..<4, using: &random) {
            case 0: "\(number)"
            case 1: "{\"n\":\(number),\"s\":\"\\\"]},\\\\\",\"a\":[[],{}]}"
            case 2: "[\(number),\"é日😀\"]"
            default: "\"\(String(repeating: "x", count: number))\""
            }
        }
        let text = "[" + elements.joined(separator: " ,\n") + "]\n"
        for size in 1...64 {
            for (pieces, chunkSize) in [(size, 7), (33, size)] {
                for decodesNext in [false, true] {
                    let found = read(
                        Array(text.utf8), as: .json, .of(pieces), chunkSize: chunkSize, decodesNext: decodesNext,
                        kernel: kernel)
                    #expect(
                        found.records == elements && found.error == nil, "\(pieces) bytes, \(chunkSize) records")
                }
            }
        }
    }

    @Test("errors say which element, counted from 1, and where; what comes before it is read")
    func errors() throws {
        let path = try folder.file("x.json", "[\n{\"a\":1},\n{\"a\":\n2},\n{\"a\":tru}\n]\n")
        let error = streamError { _ = try records(path) }
        #expect(error?.record == 3 && error?.byteOffset == 29 && error?.code == .invalidJSON)
        #expect(try records(folder.file("y.json", "[\n{\"a\":1},\n{\"a\":\n2}]\n")).count == 2)
        let source = try FileStreamSource(folder.file("y.json"))
        let chunk = try #require(try source.readChunk())
        #expect(chunk.data.map(\.number) == [1, 2] && chunk.data.map(\.byteOffset) == [2, 11])
        #expect(chunk.data[1].owned().number == 2)
    }

    @Test("records that are no objects are values, and selecting finds keys and dotted paths")
    func values() throws {
        let path = try folder.file("x.json", "[1,\"a\\n\",[true],null,-2.50]")
        let source = try FileStreamSource(path)
        let chunk = try #require(try source.readChunk())
        let wanted: [Value] = [.int(1), .string("a\n"), .array([.bool(true)]), .null, .decimal("-2.50")]
        #expect(chunk.data.map(\.value) == wanted)
        #expect(chunk.data.compacted().map(\.value) == wanted)
        let nested = try folder.file("y.json", "[{\"a\":{\"b\": 1 },\"c\":2}\n,{\"c\":[3,\n4]}]")
        #expect(try records(nested, select: ["a.b", "c"]) == [#"{"a.b":1,"c":2}"#, #"{"c":[3,4]}"#])
    }

    @Test("a file without a value is an error, other than for the other formats")
    func noValue() throws {
        for text in ["", " \n\t", "\u{FEFF}"] {
            #expect(streamError { _ = try records(folder.file("x.json", text)) }?.code == .invalidJSON)
            #expect(streamError { _ = try FileStreamSource(folder.file("x.json", text)).countRecords() } != nil)
            #expect(try records(folder.file("x.jsonl", text)).isEmpty)
        }
    }

    @Test("counting notices an array that does not end, what follows one, and what is not one value")
    func counting() throws {
        for (text, count) in [("[]", 0), ("[1,2,3]", 3), ("{}", 1), ("[[1,2],\"]\"]", 2)] {
            #expect(try FileStreamSource(folder.file("x.json", text)).countRecords() == count)
        }
        for text in ["[1", "[1,", "[1,2]]", "[] 1", "[", "{}{}", "{\"a\":1}\n{\"b\":2}\n", "1 2", "{\"a\":", "x"] {
            #expect(
                streamError { _ = try FileStreamSource(folder.file("x.json", text)).countRecords() }?.code
                    == .invalidJSON)
        }
    }

    @Test("512 containers inside one another are a document, 513 are too deep; ten million brackets are refused")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try records(folder.file("x.json", nested(512))).count == 1)
        let error = streamError { _ = try records(folder.file("x.json", nested(513))) }
        #expect(error?.code == .jsonTooDeep && error?.byteOffset == 512)
        let objects = String(repeating: "{\"a\":", count: 513)
        #expect(streamError { _ = try records(folder.file("x.json", objects)) }?.code == .jsonTooDeep)
        let path = try folder.file("x.json", [UInt8](repeating: UInt8(ascii: "["), count: 10_000_000))
        #expect(streamError { _ = try records(path) }?.code == .jsonTooDeep)
    }

    @Test("an element over the limit is an error; the comma behind it does not count", arguments: kernels)
    func recordLimit(_ kernel: KernelChoice) throws {
        let text = "[1, \"\(String(repeating: "x", count: 98))\" , 2]"
        let path = try folder.file("x.json", text)
        #expect(try records(path, maxRecordBytes: 100, kernel: kernel).count == 3)
        let error = streamError { _ = try records(path, maxRecordBytes: 99, kernel: kernel) }
        #expect(error?.code == .recordTooLarge && error?.record == 2 && error?.byteOffset == 4)
        let counted = streamError { _ = try FileStreamSource(path, maxRecordBytes: 99, kernel: kernel).countRecords() }
        #expect(counted?.code == .recordTooLarge && counted?.record == 2 && counted?.byteOffset == 4)
        let object = try folder.file("y.json", "{\"a\":\"\(String(repeating: "y", count: 400_000))\"}")
        #expect(
            streamError { _ = try records(object, maxRecordBytes: 300_000, kernel: kernel) }?.code == .recordTooLarge)
    }

    // MARK: Written

    @Test(
        "output is one array whatever comes: no record, several flushes, several chunks",
        arguments: CompressionFormat.allCases)
    func oneDocument(_ compression: CompressionFormat) throws {
        for (counts, text) in [
            ([], "[]\n"), ([0], "[]\n"), ([1], "[\n{\"a\":0}\n]\n"),
            ([0, 2, 0, 1], "[\n{\"a\":0},\n{\"a\":1},\n{\"a\":0}\n]\n"),
        ] as [([Int], String)] {
            let path = folder.file("x.json")
            let sink = try FileStreamSink(path, compression: compression)
            for count in counts {
                try sink.writeChunk(StreamChunk(data: RecordBatch((0..<count).map { ["a": Value($0)] })))
                try sink.flush()
            }
            try sink.close()
            let back = folder.file("back.txt")
            try BasicStreamProcessor(
                source: try FileStreamSource(path, format: .text, compression: compression),
                sink: try FileStreamSink(back)
            ).run()
            #expect(try folder.text("back.txt") == text)
        }
    }

    @Test("the first record opens the array before others may be encoded elsewhere")
    func ready() throws {
        let sink = try FileStreamSink(folder.file("x.json"))
        #expect(!sink.isReady)
        try sink.writeChunk(StreamChunk(data: []))
        #expect(!sink.isReady)
        try sink.writeChunk(StreamChunk(data: [["a": 1]]))
        #expect(sink.isReady)
        let encoder = try sink.makeEncoder()
        try sink.endUnit()
        try encoder.encode(StreamChunk(data: [["a": 2]])) { try sink.commit($0) }
        try encoder.endUnit { try sink.commit($0) }
        try sink.close()
        #expect(try folder.text("x.json") == "[\n{\"a\":1},\n{\"a\":2}\n]\n")
    }

    @Test(
        "untouched records are copied as they stand, others keep their members; JSON Lines have no line breaks",
        arguments: kernels)
    func copied(_ kernel: KernelChoice) throws {
        let path = try folder.file("x.json", "[{\"a\": 1,\r\n \"b\":[1,\n2]} ,3,\n{\"a\":2}]")
        func convert(_ name: String, _ edit: @escaping @Sendable (inout StreamChunk) -> Void = { _ in }) throws
            -> String
        {
            try BasicStreamProcessor(
                source: try FileStreamSource(path, kernel: kernel),
                sink: try FileStreamSink(folder.file(name), kernel: kernel), transform: edit
            ).run()
            return try folder.text(name)
        }
        #expect(try convert("y.json") == "[\n{\"a\": 1,\r\n \"b\":[1,\n2]},\n3,\n{\"a\":2}\n]\n")
        #expect(try convert("y.jsonl") == "{\"a\": 1, \"b\":[1,2]}\n3\n{\"a\":2}\n")
        let edited = try convert("z.json") { chunk in
            chunk.data[0]["a"] = "x"
            chunk.data[2]["c"] = true
            chunk.data.append(["d": nil])
        }
        #expect(edited == "[\n{\"a\": \"x\",\r\n \"b\":[1,\n2]},\n3,\n{\"a\":2,\"c\":true},\n{\"d\":null}\n]\n")
    }

    @Test("nothing can be appended to JSON")
    func append() throws {
        let path = try folder.file("x.json", "[]\n")
        let error = streamError { _ = try FileStreamSink(path, mode: .append) }
        #expect(error?.code == .invalidConfiguration && error?.path == path)
        #expect(try folder.text("x.json") == "[]\n")
    }

    @Test("a hundred thousand elements take no more memory than a thousand, and come back", arguments: kernels)
    func constantMemory(_ kernel: KernelChoice) throws {
        let lines = (0..<100_000).map { "{\"n\":\($0),\"s\":\"some text of a usual length\"}" }
        let path = try folder.file("x.json", "[" + lines.joined(separator: ",") + "]")
        let pool = BlockPool()
        let input = try FileInputs.open(
            path, CompressionFormat.none, .utf8, pool, try kernel.make()
        ).input
        let cutter = UnitCutter(
            input, pool, RecordLimits(chunkSize: 1000, maxChunkBytes: 1 << 20, maxRecordBytes: 1 << 20), path: path,
            cutter: JSONCutter(kernel: try kernel.make(), pool: pool), start: InputStart(pool))
        let decoder = JSONDecoder(kernel: try kernel.make(), isLines: false, selected: nil, maxRecordBytes: 1 << 20)
        var count = 0
        while let (unit, _) = try cutter.next(UnitLimit(decodesNext: true)) {
            count += try decoder.decode(unit, pool).rowCount > 0 ? unit.records : 0
        }
        #expect(count == 100_000 && pool.budget.peak < 6 << 20, "\(pool.budget.peak)")
        let output = folder.file("y.json")
        try BasicStreamProcessor(
            source: try FileStreamSource(path, kernel: kernel), sink: try FileStreamSink(output, kernel: kernel)
        ).run()
        #expect(try folder.text("y.json") == "[\n" + lines.joined(separator: ",\n") + "\n]\n")
    }
}
