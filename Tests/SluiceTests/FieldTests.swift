import AllocationCounter
import Sluice
import Testing

@Suite("Fields")
struct FieldTests {
    let folder = TemporaryFolder()

    /// A text and what it is as each type.
    struct Reading: Sendable, CustomTestStringConvertible {
        let text: String
        var int: Int?
        var byte: UInt8?
        var double: Double?
        var bool: Bool?
        var testDescription: String { text }

        init(_ text: String, int: Int? = nil, byte: UInt8? = nil, double: Double? = nil, bool: Bool? = nil) {
            (self.text, self.int, self.byte, self.double, self.bool) = (text, int, byte, double, bool)
        }
    }

    static let readings: [Reading] = [
        .init("0", int: 0, byte: 0, double: 0), .init("-0", int: 0, byte: 0, double: -0.0),
        .init("42", int: 42, byte: 42, double: 42), .init("-7", int: -7, double: -7),
        .init("255", int: 255, byte: 255, double: 255), .init("256", int: 256, double: 256),
        .init("9223372036854775807", int: .max, double: 0x1p63),
        .init("-9223372036854775808", int: .min, double: -0x1p63),
        .init("9223372036854775808", double: 0x1p63), .init("-9223372036854775809", double: -0x1p63),
        .init("1.0", double: 1), .init("1.50", double: 1.5), .init("1e5", double: 100_000), .init("1E+2", double: 100),
        .init("1e400"), .init("-1e400"), .init("1e-400", double: 0), .init("true", bool: true),
        .init("false", bool: false), .init("TRUE"), .init("007"), .init("+1"), .init(".5"), .init("5."), .init(" 1"),
        .init("1 "), .init("NaN"), .init("inf"), .init("0x10"), .init("1_000"), .init("1,5"), .init("null"),
        .init("2013-01-01"), .init("x"), .init(""),
    ]

    @Test(
        "a text is read as the same wherever it stands: set, in CSV, in quotes, in a JSON string", arguments: readings)
    func texts(_ reading: Reading) throws {
        let text = reading.text
        let plain = text.contains(",") ? "\"\(text)\"" : text
        let csv = try folder.file("x.csv", "id,v\n1,\(plain)\n2,\"\(text)\"\n")
        let escaped = text.unicodeScalars.map { "\\u00" + String($0.value, radix: 16) }.joined()
        let json = try folder.file("x.jsonl", "{\"v\":\"\(text)\"}\n{\"v\":\"\(escaped)\"}\n")
        var records: [Record] = [["v": .string(text)]]
        for (path, types) in [(csv, CellTypes.strings), (csv, .inferred), (json, nil)] as [(String, CellTypes?)] {
            try FileStreamSource(path, types: types).forEach { records += $0.data }
        }
        try FileStreamSource(json, select: ["v"]).forEach { records += $0.data }
        #expect(records.count == 9)
        for (place, record) in records.enumerated() {
            #expect(record["v", as: Int.self] == reading.int, "record \(place)")
            #expect(record["v", as: UInt8.self] == reading.byte, "record \(place)")
            #expect(record["v", as: Double.self] == reading.double, "record \(place)")
            #expect(record["v", as: Bool.self] == reading.bool, "record \(place)")
            #expect(record["v", as: String.self] == text, "record \(place)")
            #expect(record["no", as: String.self] == nil, "record \(place)")
        }
    }

    @Test("JSON strings of any length are read whole, with and without escapes")
    func lengths() throws {
        let lengths = [0, 1, 4, 5, 15, 16, 254, 255, 256, 340, 341, 342, 1020, 1021, 1022, 1023, 1024, 1025, 5000]
        let texts = ["x", "é", "日", "😀"].flatMap { text in lengths.map { String(repeating: text, count: $0) } }
        let lines = texts.map { "{\"v\":\"\($0)\"}\n{\"v\":\"\($0)\\n\"}\n{\"v\":\"\\\"\($0)\"}\n" }.joined()
        var read: [String?] = []
        try FileStreamSource(try folder.file("x.jsonl", lines)).forEach { chunk in
            read += chunk.data.map { $0["v", as: String.self] }
        }
        #expect(read == texts.flatMap { [$0, $0 + "\n", "\"" + $0] })
    }

    /// Numbers and the values that keep their text.
    static let numbers: [(String, Value)] = [
        ("0", 0), ("-1", -1), ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
        ("9223372036854775808", .decimal("9223372036854775808")), ("-0", .decimal("-0")), ("1.5", 1.5),
        ("-0.0", .double(-0.0)), ("1.0", 1.0), ("0.10", .decimal("0.10")), ("1e5", .decimal("1e5")),
        ("1E5", .decimal("1E5")), ("1e400", .decimal("1e400")), ("1e-400", .decimal("1e-400")),
        ("0.1000000000000000055511151231257827", .decimal("0.1000000000000000055511151231257827")),
        ("12345678901234567890123", .decimal("12345678901234567890123")), ("1e+16", 1e16),
    ]

    @Test("a number is the value that prints its text again, and is copied by that text", arguments: numbers)
    func numberValues(_ text: String, _ value: Value) throws {
        let csv = try folder.file("x.csv", "n\n\(text)\n")
        let json = try folder.file("x.jsonl", "{\"n\":\(text)}\n")
        for (path, types) in [(csv, .inferred), (json, nil)] as [(String, CellTypes?)] {
            let chunk = try #require(try FileStreamSource(path, types: types).readChunk())
            #expect(chunk.data[0]["n"] == value)
            for edited in [false, true] {
                let output = folder.file("out.jsonl")
                try BasicStreamProcessor(source: FileStreamSource(path, types: types), sink: FileStreamSink(output)) {
                    if edited { $0.data[0]["m"] = $0.data[0]["n"] }
                }.run()
                #expect(try folder.text("out.jsonl") == "{\"n\":\(text)\(edited ? ",\"m\":\(text)" : "")}\n")
            }
        }
    }

    @Test("a number that a type cannot hold is nil, not an infinity")
    func narrowTypes() {
        let record: Record = ["wide": "1e39", "set": 1e39, "fits": "3e38", "negative": -1]
        #expect(record["wide", as: Float.self] == nil)
        #expect(record["set", as: Float.self] == nil)
        #expect(record["fits", as: Float.self] == 3e38)
        #expect(record["negative", as: UInt.self] == nil)
        #expect(record["negative", as: Int8.self] == -1)
    }

    @Test("nil removes a field and .null writes null, whatever the record stands on", arguments: kernels)
    func removal(_ kernel: KernelChoice) throws {
        let inputs = [
            try folder.file("in.csv", "a,b,c\n1,2,3\n"),
            try folder.file("in.jsonl", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n"),
        ]
        for input in inputs {
            for (output, text) in [("x.jsonl", "{\"b\":null,\"c\":\"3\",\"d\":null}\n"), ("x.csv", "a,b,c,d\n,,3,\n")] {
                try BasicStreamProcessor(
                    source: FileStreamSource(input, kernel: kernel),
                    sink: FileStreamSink(
                        folder.file(output), columns: output == "x.csv" ? ["a", "b", "c", "d"] : nil, kernel: kernel)
                ) { chunk in
                    chunk.data[0]["a"] = nil
                    chunk.data[0]["b"] = .null
                    chunk.data[0]["d"] = .null
                    chunk.data[0]["e"] = nil
                    #expect(chunk.data[0].keys == ["b", "c", "d"])
                    #expect(chunk.data[0]["a"] == nil && chunk.data[0]["b"] == .some(.null))
                }.run()
                #expect(try folder.text(output) == text)
            }
        }
    }

    /// JSON lines, and how they look in JSON Lines: untouched, and with `a` set to 9.
    static let lines: [(line: String, untouched: String, edited: String)] = [
        (#"{"a":1,"b":2,"a":3}"#, #"{"a":1,"b":2,"a":3}"#, #"{"b":2,"a":9}"#),
        (#"{"a":1,"b":2,"\u0061":3}"#, #"{"a":1,"b":2,"\u0061":3}"#, #"{"b":2,"\u0061":9}"#),
        (#"{"b":1,"c":0,"b":2}"#, #"{"b":1,"c":0,"b":2}"#, #"{"b":1,"c":0,"b":2,"a":9}"#),
        (#"{ "z" : [1 , 2.50], "\u0062" : "\/\u00e9" }"#, #"{ "z" : [1 , 2.50], "\u0062" : "\/\u00e9" }"#, ""),
        ("  {\"z\":\r1,\"a\"\r:1e5}\t\r", "{\"z\":1,\"a\":1e5}", "{\"z\":1,\"a\":9}"),
        (#"{}"#, "{}", #"{"a":9}"#),
    ]

    @Test(
        "untouched JSON is copied as it stands; of duplicate keys the last one counts, and setting leaves one",
        arguments: kernels)
    func duplicates(_ kernel: KernelChoice) throws {
        for item in Self.lines {
            let input = try folder.file("in.jsonl", item.line + "\n")
            for edited in [false, true] where !edited || !item.edited.isEmpty {
                try BasicStreamProcessor(
                    source: FileStreamSource(input, kernel: kernel),
                    sink: FileStreamSink(folder.file("out.jsonl"), kernel: kernel)
                ) { if edited { $0.data[0]["a"] = 9 } }.run()
                let text = try folder.text("out.jsonl")
                #expect(text == (edited ? item.edited : item.untouched) + "\n")
            }
        }
        let input = try folder.file("in.jsonl", #"{"a":1,"b":2,"\u0061":3}"# + "\n")
        let record = try #require(try FileStreamSource(input, kernel: kernel).readChunk()).data[0]
        #expect(record["a"] == 3 && record.keys == ["a", "b"])
        try BasicStreamProcessor(
            source: FileStreamSource(input, kernel: kernel),
            sink: FileStreamSink(folder.file("out.csv"), kernel: kernel)
        ).run()
        #expect(try folder.text("out.csv") == "a,b\n3,2\n")
    }

    @Test("editing a chunk that is kept elsewhere copies what was set once, not once a record")
    func copies() {
        for isWarm in [false, true] {
            var chunk = StreamChunk(data: RecordBatch((0..<4096).map { ["id": Value($0), "n": 1.5] }))
            let kept = chunk
            allocation_counter_start()
            for i in chunk.data.indices { chunk.data[i]["id"] = .int(Int64(i) + 1) }
            chunk.data.setAll("seen", to: true)
            chunk.data.removeAll { $0["id", as: Int.self] == 1 }
            let allocations = allocation_counter_stop()
            if isWarm && allocation_counter_works() != 0 { #expect(allocations < 48) }
            #expect(kept.data[0]["id"] == 0 && kept.data.count == 4096 && kept.data[0]["seen"] == nil)
            #expect(chunk.data[0]["id"] == 2 && chunk.data.count == 4095 && chunk.data[0]["seen"] == true)
        }
    }

    @Test("neither ids nor metadata of chunks are made before they are asked for")
    func lazyChunks() throws {
        let path = try folder.file("x.csv", "a\n" + String(repeating: "1\n", count: 500))
        let source = try FileStreamSource(path, chunkSize: 1)
        let unit = try #require(try source.cut(UnitLimit()))
        let chunks = try source.decode(unit)
        #expect(chunks.count == 500)
        func cost(_ body: (StreamChunk) -> Void) -> Int {
            allocation_counter_start()
            for chunk in chunks { body(chunk) }
            return allocation_counter_stop()
        }
        _ = cost { _ = $0.metadata.count + $0.chunkID.count }
        let untouched = cost { _ in }
        let metadata = cost { _ = $0.metadata.count }
        if allocation_counter_works() != 0 { #expect(metadata >= untouched + 500) }
        #expect(Set(chunks.map(\.chunkID)).count == 500)
        #expect(chunks.allSatisfy { $0.metadata["item_count"] == 1 })
    }
}
