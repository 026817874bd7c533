import Foundation
import Sluice
import Testing

@Suite("Detection of format and compression")
struct DetectionTests {
    let folder = TemporaryFolder()

    @Test(
        "the compression suffix is stripped, then the name tells the format",
        arguments: [
            ("x.csv", .csv, .none), ("x.tsv", .csv, .none), ("x.jsonl", .jsonl, .none), ("x.ndjson", .jsonl, .none),
            ("x.csv.gz", .csv, .gzip), ("x.tsv.gz", .csv, .gzip), ("X.JSONL.GZ", .jsonl, .gzip),
            ("a.gz/x.csv", .csv, .none), ("x.csv.gz.csv", .csv, .none), ("x.gz", nil, .gzip), ("csv", nil, .none),
            ("x.csv.lz4", .csv, .lz4), ("x.jsonl.LZ4", .jsonl, .lz4), ("x.lz4", nil, .lz4),
        ] as [(String, FileFormat?, CompressionFormat)])
    func names(_ name: String, _ format: FileFormat?, _ compression: CompressionFormat) {
        #expect(FileFormat(path: name) == format && CompressionFormat(path: name) == compression)
    }

    @Test("magic bytes add a compression that the name lacks, to a format told by name or by content")
    func magic() throws {
        let plain = try folder.file("x.jsonl", "{\"a\":1}\n")
        for compression in CompressionFormat.allCases {
            for (name, format) in [("y.jsonl", nil), ("y", nil), ("y.strange", .jsonl)] as [(String, FileFormat?)] {
                let packed = folder.file(name)
                try BasicStreamProcessor(
                    source: FileStreamSource(plain),
                    sink: FileStreamSink(packed, format: .jsonl, compression: compression)
                ).run()
                let source = try FileStreamSource(packed, format: format)
                #expect(source.compression == compression && source.format == .jsonl)
                #expect(try source.readChunk()?.data.description == "{\"a\":1}")
            }
        }
    }

    @Test("a name that promises a compression is believed: without the magic, or empty, the file is refused")
    func promised() throws {
        for (name, text, code) in [
            ("x.csv.gz", "a\n1\n", .corruptCompression), ("x.jsonl.gz", "{}\n", .corruptCompression),
            ("e.csv.gz", "", .truncatedCompression), ("x.gz", "{}\n", .corruptCompression),
            ("e.gz", "", .truncatedCompression), ("x.csv.lz4", "a\n1\n", .corruptCompression),
            ("e.csv.lz4", "", .truncatedCompression),
        ] as [(String, String, StreamError.Code)] {
            let path = try folder.file(name, text)
            let error = streamError { _ = try records(path) }
            #expect(error?.code == code && error?.path == path)
        }
        #expect(try records(try folder.file("e.csv", "")).isEmpty, "an empty file of no compression is no error")
    }

    /// Content without a name, and its records; nil: it is refused.
    static let nameless: [(String, [String]?)] = [
        ("{\"a\":1}\n{\"a\":2}\n", ["{\"a\":1}", "{\"a\":2}"]),
        (" \r\n\t\n  {\"a\":1}", ["{\"a\":1}"]),
        ("\u{FEFF}{\"a\":1}\n", ["{\"a\":1}"]),
        (String(repeating: "\n", count: 60_000) + "{\"a\":1}", ["{\"a\":1}"]),
        (String(repeating: "\n", count: 70_000) + "{\"a\":1}", nil),
        ("[{\"a\":1},\n2]", ["{\"a\":1}", "2"]), (" \n[]\n", []), ("\u{FEFF}[null]", ["null"]),
        ("a,b\n1,2\n", nil), ("\"a\"\n", nil), ("", nil), ("\n\n", nil), ("1\n", nil),
    ]

    @Test(
        "a file whose name tells no format is looked at: { is JSON Lines, [ JSON, others are refused",
        arguments: nameless)
    func contents(_ text: String, _ expected: [String]?) throws {
        for name in ["x", "x.strange"] {
            let path = try folder.file(name, text)
            var found: [String]?
            let error = streamError { found = try records(path, chunkSize: 1) }
            #expect(found == expected)
            guard expected == nil else { continue }
            #expect(error?.code == .invalidConfiguration && error?.path == path)
            #expect(error?.hint?.contains("--from") == true)
        }
    }

    @Test("64 KiB are looked at for a first byte, however they come")
    func lookedAt() {
        for blank in 65_534...65_538 {
            let bytes = [UInt8](repeating: 0x20, count: blank) + Array("{\"a\":1}".utf8)
            for reads in [Reads.of(.max), .of(4095), .of(1000), .first(65_530), .of(1)] {
                let found = read(bytes, as: nil, reads)
                #expect(found.records == (blank < 65_536 ? ["{\"a\":1}"] : []), "\(blank) blanks, \(reads)")
                #expect(found.error?.code == (blank < 65_536 ? nil : .invalidConfiguration))
            }
        }
    }

    @Test(
        "standard input without --from is looked at too, and what tells nothing is a usage error", arguments: nameless)
    func standardInput(_ text: String, _ expected: [String]?) throws {
        try folder.write(text, to: "in")
        let outcome = try folder.sluice("convert", "-", "-", "--to", "jsonl", input: "in")
        #expect(outcome.status == (expected == nil ? 64 : 0), "\(outcome.messages)")
        #expect(outcome.text == (expected ?? []).map { $0 + "\n" }.joined())
        #expect(outcome.messages.contains("--from") == (expected == nil))
        let count = try folder.sluice("count", "-", input: "in")
        #expect(count.status == outcome.status && count.text == (expected.map { "\($0.count)\n" } ?? ""))
    }

    @Test("standard input may be compressed without saying so")
    func compressedInput() throws {
        try folder.write("{\"a\":1}\n", to: "in.jsonl")
        try folder.convert("in.jsonl", "in.jsonl.gz")
        let outcome = try folder.sluice("convert", "-", "-", "--to", "jsonl", input: "in.jsonl.gz")
        #expect(outcome.status == 0 && outcome.text == "{\"a\":1}\n", "\(outcome.messages)")
    }

    @Test("what the name says is not overruled by the content")
    func nameFirst() throws {
        let path = try folder.file("x.csv", "{\"a\":1}\n2\n")
        #expect(try FileStreamSource(path).format == .csv)
        #expect(streamError { _ = try records(path) } == nil)
    }

    @Test("progress is the share of the compressed bytes that were consumed, looked at before or not")
    func progress() throws {
        let plain = folder.file("x.jsonl")
        let text = (0..<100_000).map { "{\"id\":\($0)}\n" }.joined()
        _ = try folder.file("x.jsonl", text)
        let packed = folder.file("packed")
        try BasicStreamProcessor(
            source: FileStreamSource(plain), sink: FileStreamSink(packed, format: .jsonl, compression: .gzip)
        ).run()
        var seen: [Double] = []
        try FileStreamSource(packed).forEach { seen.append(try #require($0.metadata["progress"]?.doubleValue)) }
        #expect(seen == seen.sorted() && seen.last == 1 && Set(seen).count > 3)
    }
}
