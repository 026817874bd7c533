import Foundation
import Sluice
import TestSupport
import Testing

@Suite("Writing text encodings")
struct TextEncodingOutputTests {
    let folder = TemporaryFolder()

    static let others = TextEncoding.allCases.filter { $0 != .utf8 }

    /// What a file begins with.
    static func mark(_ encoding: TextEncoding) -> [UInt8] { encoding == .utf16 ? [0xFF, 0xFE] : [] }

    /// Records with every kind of character that an encoding has.
    static func batches(_ encoding: TextEncoding, _ count: Int) -> [RecordBatch] {
        let texts = ["plain", "é\n\"ÿ\"", "\u{80},"] + (encoding.has("日") ? ["日本語€", "😀\u{10FFFF}", "\u{FEFF}"] : [])
        let records = (0..<count).map { id -> Record in
            ["id": Value(id), "té": .string(texts[id % texts.count]), "list": [.string(texts[0]), 1.5]]
        }
        return stride(from: 0, to: count, by: 700).map { RecordBatch(records[$0..<min($0 + 700, count)]) }
    }

    func write(
        _ batches: [RecordBatch], _ name: String, _ encoding: TextEncoding, _ kernel: KernelChoice = .auto,
        mode: FileStreamSink.Mode = .write, columns: [String]? = nil
    ) throws -> FileStreamSink {
        let sink = try FileStreamSink(
            folder.file(name), mode: mode, encoding: encoding, columns: columns, kernel: kernel)
        for batch in batches { try sink.writeChunk(StreamChunk(data: batch)) }
        try sink.close()
        return sink
    }

    @Test("a file in another encoding is the UTF-8 one transcoded, its header too", arguments: others, kernels)
    func transcoded(_ encoding: TextEncoding, _ kernel: KernelChoice) throws {
        for count in [0, 1, 3, step == 1 ? 20_000 : 4_000] {
            for name in ["x.csv", "x.jsonl"] {
                let batches = Self.batches(encoding, count)
                let columns = name == "x.csv" ? ["id", "té", "list"] : nil
                _ = try write(batches, "plain-" + name, .utf8, kernel, columns: columns)
                let expected = Self.mark(encoding) + encoding.stored(try folder.text("plain-" + name))
                let plain = try write(batches, name, encoding, kernel, columns: columns)
                #expect(try bytesOfFile(folder.file(name)) == expected)
                #expect(plain.bytesWritten == expected.count && plain.compressionRatio == 1)
                let packed = try write(batches, name + ".gz", encoding, kernel, columns: columns)
                #expect(try [UInt8](folder.gunzip(name + ".gz")) == expected)
                let ratio = Double(expected.count) / Double(packed.bytesWritten)
                #expect(expected.isEmpty || packed.compressionRatio == ratio, "of bytes as they are stored")
            }
        }
    }

    @Test("what was written is read again: every encoding into every other", arguments: TextEncoding.allCases)
    func thereAndBack(_ encoding: TextEncoding) throws {
        let batches = Self.batches(.latin1, step == 1 ? 5000 : 1000)
        _ = try write(batches, "x.jsonl", encoding)
        for other in TextEncoding.allCases {
            try BasicStreamProcessor(
                source: FileStreamSource(folder.file("x.jsonl"), encoding: encoding),
                sink: FileStreamSink(folder.file("y.csv.gz"), encoding: other)
            ).run()
            let back = try records(folder.file("y.csv.gz"), encoding: other)
            _ = try write(batches, "plain.csv", .utf8)
            #expect(try back == records(folder.file("plain.csv")))
        }
    }

    @Test("bytes have no text encoding", arguments: others)
    func binary(_ encoding: TextEncoding) throws {
        guard let binary = FileFormat(rawValue: "binary") else { return }
        let path = try folder.file("x.bin", "old")
        let read = streamError { _ = try FileStreamSource(path, format: binary, encoding: encoding) }
        #expect(read?.code == .invalidConfiguration)
        let written = streamError { _ = try FileStreamSink(path, format: binary, encoding: encoding) }
        #expect(written?.code == .invalidConfiguration)
        #expect(try folder.text("x.bin") == "old")
    }

    @Test("a record larger than any block comes out whole", arguments: others)
    func largeRecord(_ encoding: TextEncoding) throws {
        let text = String(repeating: "éa", count: 700_000)
        _ = try write([[["a": .string(text)]], [["a": "x"]]], "x.csv", encoding)
        #expect(try bytesOfFile(folder.file("x.csv")) == Self.mark(encoding) + encoding.stored("a\n\(text)\nx\n"))
    }

    @Test("a character that ISO 8859-1 lacks is an error of its record and column, and the old file stays")
    func unencodable() throws {
        let old = try folder.file("old.jsonl", "old\n")
        let input = try folder.file(
            "in.jsonl", "{\"a\":\"ÿ\\u20ac\"}\n{\"ü\":1,\"b\":{\"c\":[\"€\"]},\"d\":\"日\"}\n{\"d\":\"日\"}\n")
        let error = try #require(
            streamError {
                try BasicStreamProcessor(
                    source: FileStreamSource(input), sink: FileStreamSink(old, encoding: .latin1)
                ).run()
            })
        #expect(error.code == .unencodable && error.record == 2 && error.column == "b" && error.path == input)
        #expect(error.byteOffset == Array("{\"a\":\"ÿ\\u20ac\"}\n".utf8).count)
        #expect(error.hint?.contains("--to-encoding") == true)
        #expect(try folder.text("old.jsonl") == "old\n")
        #expect(folder.names == ["in.jsonl", "old.jsonl"])
    }

    @Test("the record and column are right in CSV, in keys, in values that were set, and far into a chunk")
    func unencodablePlaces() throws {
        let cells = (0..<2999).map { "\($0),é,\"\n\"\n" }.joined()
        let csv = try folder.file("x.csv", "a,b,c\n" + cells + "1,2,\"3\n€\"\n4,€,€\n")
        for target in ["y.csv", "y.jsonl"] {
            for chunkSize in [1, 7, 5000] {
                let error = streamError {
                    try BasicStreamProcessor(
                        source: FileStreamSource(csv, chunkSize: chunkSize),
                        sink: FileStreamSink(folder.file(target), encoding: .latin1)
                    ).run()
                }
                #expect(error?.code == .unencodable && error?.record == 3000 && error?.column == "c", "\(target)")
            }
        }
        let batch: RecordBatch = [["a": 1], ["a": "ÿ", "b": ["x": "日"]], ["日": 1]]
        let set = streamError { _ = try write([[["a": 0]], batch], "y.jsonl", .latin1) }
        #expect(set?.code == .unencodable && set?.record == 3 && set?.column == "b")
        let key = streamError { _ = try write([[["ü": 1, "日": 1]]], "y.jsonl", .latin1) }
        #expect(key?.code == .unencodable && key?.record == 1 && key?.column == "日")
        let header = streamError { _ = try write([], "y.csv", .latin1, columns: ["ü", "日"]) }
        #expect(header?.code == .unencodable && header?.record == 0 && header?.column == "日")
        #expect(header?.path == folder.file("y.csv"))
        let line = try folder.file("line.jsonl", "1\n\"€\"\n")
        let whole = streamError {
            try BasicStreamProcessor(
                source: FileStreamSource(line), sink: FileStreamSink(folder.file("y.jsonl"), encoding: .latin1)
            ).run()
        }
        #expect(whole?.code == .unencodable && whole?.record == 2 && whole?.column == nil)
    }

    @Test(
        "the first record that cannot be written is told, whatever is wrong with those behind it",
        arguments: [1, 2, 1000])
    func unencodableFirst(_ chunkSize: Int) throws {
        func error(_ lines: String, csv: CSVOptions = CSVOptions()) throws -> StreamError? {
            let source = try FileStreamSource(folder.file("first.jsonl", lines), chunkSize: chunkSize)
            return streamError {
                try BasicStreamProcessor(
                    source: source,
                    sink: FileStreamSink(folder.file("first.csv"), encoding: .latin1, csv: csv, columns: ["a"])
                ).run()
            }
        }
        let good = "{\"a\":1}\n"
        let unknown = try error(good + "{\"a\":\"€\"}\n" + good + "{\"a\":1,\"b\":2}\n")
        #expect(unknown?.code == .unencodable && unknown?.record == 2)
        let quotes = try error(good + "{\"a\":\"€\"}\n{\"a\":\"1,2\"}\n", csv: CSVOptions(quote: nil))
        #expect(quotes?.code == .unencodable && quotes?.record == 2)
        let other = try error(good + "{\"a\":1,\"b\":2}\n{\"a\":\"€\"}\n")
        #expect(other?.code == .unknownKey && other?.record == 2)
    }

    @Test("appending keeps the encoding and the byte order that are there", arguments: others)
    func append(_ encoding: TextEncoding) throws {
        for mark in encoding == .latin1 ? [""] : ["", "\u{FEFF}"] {
            for (text, added) in [("é,b\n1,2\n", "3,ÿ\n"), ("é,b\n1,2", "\n3,ÿ\n"), ("é,b\n1,Ċ", "\n3,ÿ\n")]
            where encoding.has(text) {
                for name in ["x.csv", "x.csv.gz"] {
                    try folder.write(encoding.stored(mark + text), to: "x.csv")
                    if name == "x.csv.gz" { #expect(try folder.shell("gzip -f x.csv").status == 0) }
                    _ = try write([[["é": 3, "b": "ÿ"]]], name, encoding, mode: .append)
                    let whole = try name == "x.csv" ? folder.data(name) : folder.gunzip(name)
                    #expect([UInt8](whole) == encoding.stored(mark + text + added))
                }
            }
        }
        // Of the other byte order than the one asked for, as its mark says.
        guard encoding != .latin1 else { return }
        let other = encoding == .utf16BE ? TextEncoding.utf16LE : .utf16BE
        try folder.write(other.stored("\u{FEFF}1\n"), to: "x.jsonl")
        _ = try write([[["a": "é"]]], "x.jsonl", encoding, mode: .append)
        #expect(try bytesOfFile(folder.file("x.jsonl")) == other.stored("\u{FEFF}1\n{\"a\":\"é\"}\n"))
        // Begun by appending to nothing.
        _ = try write([[["a": "é"]]], "new.jsonl", encoding, mode: .append)
        _ = try write([[["a": "ü"]]], "new.jsonl", encoding, mode: .append)
        let lines = encoding.stored("{\"a\":\"é\"}\n{\"a\":\"ü\"}\n")
        #expect(try bytesOfFile(folder.file("new.jsonl")) == Self.mark(encoding) + lines)
    }

    @Test("UTF-8 is not appended to UTF-16, nor anything to half a character")
    func appendRefused() throws {
        for name in ["x.csv", "x.jsonl"] {
            let stored = TextEncoding.utf16.stored("\u{FEFF}1\n")
            try folder.write(stored, to: name)
            let error = streamError { _ = try write([[["1": 1]]], name, .utf8, mode: .append) }
            #expect(error?.code == .invalidUTF8 && error?.hint?.contains("utf16") == true)
            #expect(try bytesOfFile(folder.file(name)) == stored)
            try folder.write(stored + [0x31], to: name)
            let odd = streamError { _ = try write([[["1": 1]]], name, .utf16, mode: .append) }
            #expect(odd?.code == .invalidUTF16 && odd?.byteOffset == stored.count)
            #expect(try bytesOfFile(folder.file(name)) == stored + [0x31])
        }
    }

    private static let makeFiles = """
        import random, sys
        random.seed(1610)
        latin = [chr(c) for c in range(0x20, 0x7F)] + [chr(c) for c in range(0xA0, 0x100)] + ["\\n", "\\r\\n", ",", '""']
        wide = latin + ["日", "本", "€", "😀", "\\u07ff", "\\u0800", "\\uffff", "\\U00010000", "\\U0010ffff"] * 20
        for number in range(int(sys.argv[1])):
            for codec in ["utf-16", "utf-16-le", "utf-16-be", "latin-1"]:
                alphabet = [c for c in (latin if codec == "latin-1" else wide) if c != '"']
                cell = lambda: '"' + "".join(random.choices(alphabet, k=random.randrange(60))) + '"'
                text = "a,b\\n" + "".join(cell() + "," + cell() + "\\n" for _ in range(random.randrange(400)))
                open(f"{number}.{codec}.csv", "wb").write(text.encode(codec))
        """

    private static let checkFiles = """
        import csv, io, json, sys
        for number in range(int(sys.argv[1])):
            for codec in ["utf-16", "utf-16-le", "utf-16-be", "latin-1"]:
                name = f"{number}.{codec}"
                text = open(name + ".csv", "rb").read().decode(codec)
                rows = [dict(zip(("a", "b"), row)) for row in csv.reader(io.StringIO(text, newline=""))][1:]
                lines = open(name + ".jsonl", "rb").read().decode("utf-8").split("\\n")[:-1]
                assert [json.loads(line) for line in lines] == rows, name
                again = open(name + ".again.csv", "rb").read()
                assert codec != "utf-16" or again[:2] == b"\\xff\\xfe", name
                back = [dict(zip(("a", "b"), row)) for row in csv.reader(io.StringIO(again.decode(codec), newline=""))][1:]
                assert back == rows, name
        """

    @Test("the tool reads and writes as Python's codecs do, on random text")
    func python() throws {
        let count = 6
        try folder.python(Self.makeFiles, "\(count)")
        for number in 0..<count {
            for codec in ["utf-16", "utf-16-le", "utf-16-be", "latin-1"] {
                let name = "\(number).\(codec)"
                try folder.convert("\(name).csv", "\(name).jsonl", "--encoding", codec)
                try folder.convert("\(name).jsonl", "\(name).again.csv", "--to-encoding", codec)
            }
        }
        try folder.python(Self.checkFiles, "\(count)")
    }

    @Test("the tool counts and converts by its flags, and knows encodings by their usual names")
    func flags() throws {
        try folder.write(TextEncoding.utf16BE.stored("é\n\"\n\"\n2\n"), to: "x.csv")
        for name in ["utf16be", "UTF-16BE", "utf-16-be", "utf16BE"] {
            #expect(try folder.sluice("count", "x.csv", "--encoding", name).text == "2\n")
        }
        try folder.convert("x.csv", "y.csv", "--encoding", "utf16be", "--to-encoding", "ISO-8859-1")
        #expect(try bytesOfFile(folder.file("y.csv")) == TextEncoding.latin1.stored("é\n\"\n\"\n2\n"))
        let refused = try folder.sluice("convert", "x.csv", "z.csv", "--encoding", "utf7")
        #expect(refused.status == 64 && refused.messages.contains("utf16be"))
        try folder.write("a\n€\n", to: "x.csv")
        let lacking = try folder.sluice("convert", "x.csv", "z.csv", "--to-encoding", "latin1")
        #expect(lacking.status == 65 && lacking.messages.contains("x.csv: record 1, byte 2, column \"a\""))
        #expect(!folder.names.contains("z.csv"))
    }
}
