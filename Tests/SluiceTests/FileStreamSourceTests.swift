import Foundation
import Sluice
import Testing

@Suite("File sources")
struct FileStreamSourceTests {
    let folder = TemporaryFolder()

    /// Text of CSV files and the records they have.
    static let csvFiles: [(String, [String])] = [
        ("", []),
        ("a,b", []),
        ("a,b\n", []),
        ("a,b\r\n\r\n", []),
        ("a,b\n1,2", [#"{"a":"1","b":"2"}"#]),
        ("a,b\n1,2\n", [#"{"a":"1","b":"2"}"#]),
        ("a,b\r\n1,2\r\n3,4", [#"{"a":"1","b":"2"}"#, #"{"a":"3","b":"4"}"#]),
        ("a,b\r1,2\r3,4\r", [#"{"a":"1","b":"2"}"#, #"{"a":"3","b":"4"}"#]),
        ("a,b\n1\r2,\r\r\n\"\r\",3\n", [#"{"a":"1\r2","b":"\r"}"#, #"{"a":"\r","b":"3"}"#]),
        ("a\n1\r\n2\n3\r\n", [#"{"a":"1"}"#, #"{"a":"2"}"#, #"{"a":"3"}"#]),
        ("\r\ra\r1\n2\r\r\"3\n\"\r", [#"{"a":"1\n2"}"#, #"{"a":"3\n"}"#]),
        ("\u{FEFF}a,b\n1,2\n", [#"{"a":"1","b":"2"}"#]),
        ("\n\na,b\n\n1,2\n\n\n3,4\n\n", [#"{"a":"1","b":"2"}"#, #"{"a":"3","b":"4"}"#]),
        ("a,a,a_2,a\n1,2,3,4\n", [#"{"a":"1","a_3":"2","a_2":"3","a_4":"4"}"#]),
        ("\"a\"\"x\",\"b,\n\"\n\"1\r\n2\",\"\"\n", [#"{"a\"x":"1\r\n2","b,\n":""}"#]),
        ("a\n\"\"\n", [#"{"a":""}"#]),
        ("a,b\nx\"y,z\"\n", [#"{"a":"x\"y","b":"z\""}"#]),
    ]

    @Test("CSV files have the records they should", arguments: csvFiles, kernels)
    func csv(_ text: (String, [String]), _ kernel: KernelChoice) throws {
        let path = try folder.file("x.csv", text.0)
        for chunkSize in [1, 2, 1000] {
            #expect(try records(path, chunkSize: chunkSize, kernel: kernel) == text.1)
        }
        #expect(try FileStreamSource(path, kernel: kernel).countRecords() == text.1.count)
    }

    @Test("a header of tens of thousands of columns keeps every name, and tells those apart that are the same")
    func wideHeader() throws {
        let last = 30_000
        var cells = (0...last).map { "c\($0)" }
        cells[5] = "c0"
        cells[last - 1] = "\"a,\"\"b\n\""
        cells[last] = "c0"
        var names = cells
        (names[5], names[last - 1], names[last]) = ("c0_2", "a,\"b\n", "c0_3")
        let values = (0...last).map { String($0 % 10) }
        let text = { (header: [String]) in
            header.joined(separator: ",") + "\n" + values.joined(separator: ",") + "\n"
        }
        let path = try folder.file("x.csv", text(cells))
        let record = try #require(try FileStreamSource(path).readChunk()?.data.first)
        #expect(record.keys == names)
        #expect(record["c0"] == "0" && record["c0_2"] == "5" && record["c0_3"] == "0" && record["c12345"] == "5")
        (cells[5], cells[last]) = ("c0_2", "c0_3")
        for middle in ["y.csv", "y.jsonl"] {
            try BasicStreamProcessor(source: FileStreamSource(path), sink: FileStreamSink(folder.file(middle))).run()
            try BasicStreamProcessor(
                source: FileStreamSource(folder.file(middle)), sink: FileStreamSink(folder.file("z.csv"))
            ).run()
            #expect(try folder.text("z.csv") == text(cells), "through \(middle)")
        }
    }

    @Test("cells are typed one by one where types are inferred")
    func inferred() throws {
        let path = try folder.file(
            "x.csv", "v\n1\n\"2\"\n1.50\n007\n+1\ntrue\nTRUE\n\"\"\nNaN\n 1\n-0\n1e400\n2013-01-01\n")
        let inferred = try records(path, types: .inferred)
        #expect(
            inferred
                == [
                    "1", "2", "1.50", #""007""#, #""+1""#, "true", #""TRUE""#, #""""#, #""NaN""#, #"" 1""#, "-0",
                    "1e400", #""2013-01-01""#,
                ].map { "{\"v\":\($0)}" })
        let two = try folder.file("y.csv", "v,w\n,\"\"\n")
        #expect(try records(two, types: .inferred) == [#"{"v":null,"w":""}"#])
    }

    @Test("a column is read in bulk as a type")
    func column() throws {
        let path = try folder.file("x.csv", "id,d\n1,\n2,x\n3,4\n")
        let chunk = try #require(try FileStreamSource(path).readChunk())
        #expect(chunk.data.column("id", as: Int.self) == [1, 2, 3])
        #expect(chunk.data.column("d", as: Int.self) == [nil, nil, 4])
        #expect(chunk.data.column("d", as: String.self) == ["", "x", "4"])
        #expect(chunk.data.column("no", as: String.self) == [nil, nil, nil])
        let error = streamError { _ = try chunk.data[1].require("d", as: Int.self) }
        #expect(error?.code == .typeMismatch && error?.record == 2 && error?.byteOffset == 8 && error?.path == path)
    }

    /// Lines of JSON and the records they are.
    static let jsonLinesFiles: [(String, [String])] = [
        ("", []),
        ("\n \r\n\t\n", []),
        ("{}", ["{}"]),
        ("\u{FEFF}{\"a\":1}\n", [#"{"a":1}"#]),
        ("null\n\n[1, 2]\n\"x\"\n-1.50\n12", ["null", "[1,2]", "\"x\"", "-1.50", "12"]),
        ("{\"a\":12345678901234567890,\"b\":0.10}\r\n", [#"{"a":12345678901234567890,"b":0.10}"#]),
        (#"{"a":1,"b":2,"a":3}"#, [#"{"a":3,"b":2}"#]),
        (#"{"\u0061":{"b":[{"c":"\ud83d\ude00"}]}}"#, [#"{"a":{"b":[{"c":"😀"}]}}"#]),
    ]

    @Test("JSON Lines files have the records they should", arguments: jsonLinesFiles, kernels)
    func jsonLines(_ text: (String, [String]), _ kernel: KernelChoice) throws {
        let path = try folder.file("x.jsonl", text.0)
        for chunkSize in [1, 2, 1000] {
            #expect(try records(path, chunkSize: chunkSize, kernel: kernel) == text.1)
        }
        #expect(try FileStreamSource(path, kernel: kernel).countRecords() == text.1.count)
    }

    @Test("select takes columns, keys and dotted paths, in the order given")
    func select() throws {
        let csv = try folder.file("x.csv", "a,b,c\n1,2,3\n")
        #expect(try records(csv, select: ["c", "a"]) == [#"{"c":"3","a":"1"}"#])
        #expect(try records(csv, types: .inferred, select: ["c", "a"]) == [#"{"c":3,"a":1}"#])
        let error = streamError { _ = try records(csv, select: ["a", "x"]) }
        #expect(error?.code == .unknownColumn && error?.column == "x")
        #expect(error?.hint?.contains("a, b, c") == true)
        let json = try folder.file(
            "x.jsonl", #"{"u":{"n":"A","x.y":5},"u.n":"top","id":1}"# + "\n" + #"{"u":{"n":"B"},"id":2}"#)
        #expect(
            try records(json, select: ["id", "u.n", "u.x.y"]) == [
                #"{"id":1,"u.n":"top","u.x.y":5}"#, #"{"id":2,"u.n":"B"}"#,
            ])
    }

    @Test("chunks are the same however the bytes come, and only the last is the last", arguments: kernels)
    func chunking(_ kernel: KernelChoice) throws {
        var text = "id,text\n"
        for id in 0..<5000 { text += "\(id),\"line \(id)\n\(String(repeating: "x", count: id % 97))\"\n" }
        text += "\n\n"
        let path = try folder.file("x.csv", text)
        for chunkSize in [1, 7, 1000, 5000, 10_000] {
            var chunks: [StreamChunk] = []
            try FileStreamSource(path, chunkSize: chunkSize, kernel: kernel).forEach { chunks.append($0) }
            #expect(chunks.flatMap { $0.data.column("id", as: Int.self) } == Array(0..<5000))
            #expect(chunks.map(\.sequenceNumber) == Array(chunks.indices))
            #expect(chunks.dropLast().allSatisfy { $0.data.count == chunkSize && !$0.isLast })
            #expect(chunks.last?.isLast == true)
        }
        var sizes: [Int] = []
        try FileStreamSource(path, maxChunkBytes: 10_000, kernel: kernel).forEach { sizes.append($0.data.count) }
        #expect(sizes.reduce(0, +) == 5000 && sizes.count > 10 && (sizes.max() ?? 0) < 1000)
    }

    @Test("chunks do not depend on what is read ahead, blank lines and byte limits or not")
    func chunksAndUnits() throws {
        var text = "a\n"
        for id in 0..<2000 { text += String(repeating: "\n", count: id % 13) + "\(id * id * 7919)\n" }
        let path = try folder.file("x.csv", text)
        var seen: Set<[Int]> = []
        for bufferSize in [1, 7, 100, 10_000] {
            var sizes: [Int] = []
            let result = BasicStreamProcessor(
                source: try FileStreamSource(path, maxChunkBytes: 200), sink: MemoryStreamSink(), bufferSize: bufferSize
            ) { sizes.append($0.data.count) }.process()
            #expect(result.success && result.processedRecords == 2000)
            seen.insert(sizes)
        }
        #expect(seen.count == 1)
    }

    @Test("types are for CSV")
    func typesOfJSON() throws {
        let path = try folder.file("x.jsonl", "{}\n")
        #expect(streamError { _ = try FileStreamSource(path, types: .inferred) }?.code == .invalidConfiguration)
    }

    @Test("metadata tells path, format, items and progress of the compressed bytes")
    func metadata() throws {
        var text = "id\n"
        for id in 0..<200_000 { text += "\(id)\n" }
        let path = try folder.file("x.csv", text)
        let packed = folder.file("x.csv.gz")
        try BasicStreamProcessor(source: FileStreamSource(path), sink: FileStreamSink(packed)).run()
        for path in [path, packed] {
            var last = 0.0
            var ids: Set<String> = []
            try FileStreamSource(path).forEach { chunk in
                #expect(chunk.metadata["path"] == .string(path))
                #expect(chunk.metadata["format"] == "csv")
                #expect(chunk.metadata["compression"] == (path == packed ? "gzip" : "none"))
                #expect(chunk.metadata["item_count"] == Value(chunk.data.count))
                let progress = try #require(chunk.metadata["progress"]?.doubleValue)
                #expect(progress >= last && progress <= 1)
                last = progress
                ids.insert(chunk.chunkID)
            }
            #expect(last == 1)
            #expect(ids.count == 200)
        }
    }

    @Test("records outlive their source, owned or not")
    func keptRecords() throws {
        let lines: [String] = (0..<3000).map { id in "{\"id\":\(id),\"o\":{\"a\":[\(id),{}]}}" }
        let path = try folder.file("x.jsonl", lines.joined(separator: "\n"))
        var kept: [Record] = []
        let sink = MemoryStreamSink()
        do {
            let source = try FileStreamSource(path, chunkSize: 100)
            while let chunk = try source.readChunk() {
                kept += [chunk.data[0], chunk.data[99].owned()]
                try sink.writeChunk(chunk)
            }
            source.close()
        }
        let expected: [Int] = (0..<30).flatMap { chunk in [chunk * 100, chunk * 100 + 99] }
        #expect(kept.map { $0["id", as: Int.self] } == expected)
        #expect(sink.records.map(\.description) == lines)
        #expect(sink.records[1234].number == 1235)
    }

    @Test("a file that shrinks while it is read ends there, with an error where that cuts a record")
    func shrinking() throws {
        for (left, code) in [(100_000, nil), (100_000, .raggedRecord)] as [(Int, StreamError.Code?)] {
            let header = "a,b\n"
            let path = try folder.file("x.csv", header + String(repeating: "0123456,x\n", count: 300_000))
            let source = try FileStreamSource(path)
            var count = try #require(try source.readChunk()).data.count
            let cut = code == nil ? 0 : 4
            #expect(truncate(path, off_t(header.utf8.count + left * 10 + cut)) == 0)
            let error = streamError { try source.forEach { count += $0.data.count } }
            #expect(error?.code == code && count <= left)
            #expect(code == nil ? count == left : error?.record == left + 1)
        }
    }

    @Test("a FIFO is read to the end of what was written, without progress, since its length is not known")
    func fifo() throws {
        let path = folder.file("x.csv")
        #expect(mkfifo(path, 0o600) == 0)
        // Open both ways, so that nobody waits for the other end.
        let writer = open(path, O_RDWR)
        #expect(write(writer, "a,b\n1,2\n3,4", 11) == 11)
        let source = try FileStreamSource(path, chunkSize: 1)
        close(writer)
        var chunks: [StreamChunk] = []
        try source.forEach { chunks.append($0) }
        #expect(chunks.map { $0.data.description } == [#"{"a":"1","b":"2"}"#, #"{"a":"3","b":"4"}"#])
        #expect(chunks.map(\.isLast) == [false, true])
        #expect(chunks.allSatisfy { $0.metadata["progress"] == nil && $0.metadata["path"] == .string(path) })
    }

    @Test("a name's compression is believed, and magic bytes add one")
    func compression() throws {
        let plain = try folder.file("x.csv", "a\n1\n")
        let packed = folder.file("x.csv.gz")
        try BasicStreamProcessor(source: FileStreamSource(plain), sink: FileStreamSink(packed)).run()
        #expect(FileFormat(path: "x.csv.gz") == .csv && CompressionFormat(path: "x.csv.gz") == .gzip)
        #expect(try records(packed) == [#"{"a":"1"}"#])
        try FileManager.default.moveItem(atPath: packed, toPath: folder.file("y.csv"))
        #expect(try records(folder.file("y.csv")) == [#"{"a":"1"}"#])
        let lie = try folder.file("z.csv.gz", "a\n1\n")
        #expect(streamError { _ = try records(lie) }?.code == .corruptCompression)
        let empty = try folder.file("e.csv.gz", "")
        #expect(streamError { _ = try records(empty) }?.code == .truncatedCompression)
    }

    @Test("tabs divide the fields of a .tsv")
    func tabs() throws {
        let path = try folder.file("x.tsv", "a\tb,c\n1\t2\n")
        #expect(try records(path) == [#"{"a":"1","b,c":"2"}"#])
    }
}

@Suite("Bad input")
struct BadInputTests {
    let folder = TemporaryFolder()

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let code: StreamError.Code
        let record: Int
        let offset: Int
        var column: String?
        var testDescription: String { name }

        init(
            _ name: String, _ text: String, _ code: StreamError.Code, _ record: Int, _ offset: Int,
            _ column: String? = nil
        ) {
            self.init(name, Array(text.utf8), code, record, offset, column)
        }

        init(
            _ name: String, _ bytes: [UInt8], _ code: StreamError.Code, _ record: Int, _ offset: Int,
            _ column: String? = nil
        ) {
            (self.name, self.bytes, self.code, self.record, self.offset, self.column) = (
                name, bytes, code, record, offset, column
            )
        }
    }

    static let cases: [Case] = [
        Case("short.csv", "a,b\n1,2\n3\n", .raggedRecord, 2, 8),
        Case("long.csv", "a,b\n1,2,3\n", .raggedRecord, 1, 4),
        Case("blank lines count.csv", "a,b\n1,2\n\n\n3\n", .raggedRecord, 4, 10),
        Case("unclosed.csv", "a,b\n1,2\n3,\"x\n4,5\n", .unclosedQuote, 2, 10),
        Case("after.csv", "a,b\n1,\"x\"y\n", .textAfterQuote, 1, 9),
        Case("header.csv", "a,\"b", .unclosedQuote, 0, 2),
        Case("utf8.csv", Array("a,b\nx,".utf8) + [0xFF] + Array("\n".utf8), .invalidUTF8, 1, 6, "b"),
        Case("utf8.jsonl", Array("{}\n\"".utf8) + [0xC3, 0x28] + Array("\"\n".utf8), .invalidUTF8, 2, 4),
        Case("bad.jsonl", "{}\n\n{\"a\":tru}\n", .invalidJSON, 3, 12),
        Case("cut.jsonl", "{}\n{\"a\":", .invalidJSON, 2, 8),
        Case("quote.jsonl", "{\"a\":\"b}\n{}\n", .invalidJSON, 1, 8),
        Case("surrogate.jsonl", "{}\n{\"a\":\"x\\ud800\"}\n", .invalidJSON, 2, 16),
        Case("low surrogate.jsonl", "[\"\\udc00\"]\n", .invalidJSON, 1, 5),
        Case("number.jsonl", "{\"a\":+1}\n", .invalidJSON, 1, 5),
        Case("bom.csv", "\u{FEFF}a,b\n1\n", .raggedRecord, 1, 7),
        Case("deep.jsonl", String(repeating: "[", count: 513), .jsonTooDeep, 1, 512),
    ]

    @Test("errors say what, which record and which byte", arguments: cases, kernels)
    func placed(_ bad: Case, _ kernel: KernelChoice) throws {
        let path = try folder.file(bad.name, bad.bytes)
        for chunkSize in [1, 1000] {
            let error = try #require(streamError { _ = try records(path, chunkSize: chunkSize, kernel: kernel) })
            #expect(error.code == bad.code)
            #expect(error.path == path)
            #expect(error.record == bad.record)
            #expect(error.byteOffset == bad.offset)
            #expect(error.column == bad.column)
        }
    }

    @Test("a kernel that this processor cannot run is refused, on both sides")
    func foreignKernels() throws {
        let path = try folder.file("kernel.csv", "a\n1\n")
        let foreign = KernelChoice.allCases.filter { Engines.kernel($0) == nil }
        #expect(!foreign.isEmpty, "no processor runs all of them")
        for kernel in foreign {
            let errors = [
                streamError { _ = try FileStreamSource(path, kernel: kernel) },
                streamError { _ = try FileStreamSink(path, kernel: kernel) },
            ]
            for error in errors {
                #expect(error?.code == .unsupported && error?.message.contains("\"\(kernel.rawValue)\"") == true)
                #expect(error?.hint == "use auto, swift or scalar")
            }
        }
    }

    @Test("records before the bad one's chunk are handed out first")
    func recordsBefore() throws {
        let path = try folder.file("x.csv", "a,b\n1,2\n3,4\n5,\"6\n")
        let source = try FileStreamSource(path, chunkSize: 1)
        for (number, text) in [#"{"a":"1","b":"2"}"#, #"{"a":"3","b":"4"}"#].enumerated() {
            let chunk = try #require(try source.readChunk())
            #expect(chunk.data.description == text && chunk.sequenceNumber == number)
            #expect(!chunk.isLast, "what follows is bad, not nothing")
        }
        #expect(streamError { _ = try source.readChunk() }?.code == .unclosedQuote)
        #expect(streamError { _ = try source.readChunk() }?.code == .unclosedQuote, "an error stays")
        let ragged = try FileStreamSource(try folder.file("y.csv", "a,b\n1\n2,3\n"), chunkSize: 1)
        for _ in 0..<3 {
            #expect(streamError { _ = try ragged.readChunk() }?.code == .raggedRecord, "so does one of decode")
        }
    }

    @Test("a record over the limit is an error, whether it ends or not", arguments: kernels)
    func tooLarge(_ kernel: KernelChoice) throws {
        let long = String(repeating: "x", count: 300_000)
        for (name, text, record) in [
            ("a.csv", "a\n1\n\(long)\n2\n", 2), ("b.csv", "a\n1\n\"\(long)", 2), ("c.jsonl", "1\n\"\(long)\"\n", 2),
            ("d.csv", long, 0),
        ] {
            let path = try folder.file(name, text)
            let error = try #require(
                streamError { _ = try records(path, maxRecordBytes: 100_000, kernel: kernel) })
            #expect(error.code == .recordTooLarge && error.record == record, "\(name)")
        }
        let path = try folder.file("e.csv", "a\n\(long)\n")
        #expect(try records(path, maxRecordBytes: 300_000, kernel: kernel).count == 1)
    }

    @Test("records have up to 16 MiB where nothing else is said")
    func defaultLimit() throws {
        for over in [0, 1] {
            let csv = try folder.file("x.csv", "a\n" + String(repeating: "x", count: (16 << 20) + over) + "\n1\n")
            let json = try folder.file(
                "x.jsonl", "\"" + String(repeating: "x", count: (16 << 20) - 2 + over) + "\"\n1\n")
            for path in [csv, json] {
                var count = 0
                let error = streamError { try FileStreamSource(path).forEach { count += $0.data.count } }
                #expect(error?.code == (over == 0 ? nil : .recordTooLarge) && error?.record == (over == 0 ? nil : 1))
                #expect(count == (over == 0 ? 2 : 0))
            }
        }
    }

    @Test("files that cannot be read say why")
    func files() throws {
        #expect(streamError { _ = try FileStreamSource(folder.file("no.csv")) }?.code == .fileNotFound)
        #expect(streamError { _ = try FileStreamSource(folder.path, format: .csv) }?.code == .isDirectory)
        #expect(streamError { _ = try FileStreamSource(folder.file("no.idea")) }?.code == .fileNotFound)
        #expect(
            streamError { _ = try FileStreamSource(folder.file("x.csv"), chunkSize: 0) }?.code == .invalidConfiguration)
        let path = try folder.file("x.csv", "a\n")
        #expect(streamError { _ = try FileStreamSource(path, select: []) }?.code == .invalidConfiguration)
        #expect(streamError { _ = try FileStreamSource(path, select: ["a", "a"]) }?.code == .invalidConfiguration)
        #expect(streamError { _ = try FileStreamSource(path, maxRecordBytes: 2 << 30) }?.code == .invalidConfiguration)
    }

    @Test("gzip that is cut at any byte or followed by rubbish is an error", arguments: kernels)
    func gzip(_ kernel: KernelChoice) throws {
        let plain = try folder.file("x.csv", "a,b\n1,2\n3,4\n")
        let packed = folder.file("x.csv.gz")
        try BasicStreamProcessor(source: FileStreamSource(plain), sink: FileStreamSink(packed)).run()
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: packed)))
        for length in 0..<bytes.count {
            let cut = try folder.file("cut.csv.gz", Array(bytes[..<length]))
            #expect(
                streamError { _ = try records(cut, kernel: kernel) }?.code == .truncatedCompression, "cut at \(length)")
        }
        let more = try folder.file("more.csv.gz", bytes + Array("hello".utf8))
        #expect(streamError { _ = try records(more, kernel: kernel) }?.code == .trailingData)
        let padded = try folder.file("padded.csv.gz", bytes + bytes + [UInt8](repeating: 0, count: 700))
        #expect(streamError { _ = try records(padded, kernel: kernel) } == nil)
    }
}
