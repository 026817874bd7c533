import Foundation
import TestSupport
import Testing

@testable import Sluice

@Suite("Reading text encodings")
struct TextEncodingTests {
    let folder = TemporaryFolder()

    static let others = TextEncoding.allCases.filter { $0 != .utf8 }
    static let utf16s = [TextEncoding.utf16, .utf16LE, .utf16BE]

    /// Characters of every length in UTF-8, and line ends and delimiters inside quotes.
    static let texts: [(name: String, text: String)] = [
        ("empty.csv", ""), ("empty.jsonl", ""),
        ("header.csv", "a,é"),
        ("plain.csv", "a,b\n1,2\n3,4\n"),
        ("quoted.csv", "a,b\r\n\"1\r\n,\"\"2\",\"\n\"\r\n\"é\n\",\"\"\r\n"),
        ("latin.csv", "é,ü\nÿ,\u{80}\n\u{A0},\"«\n»\"\n"),
        ("wide.csv", "日本,€\n\"語\n\",😀\n\u{FFFF},\u{10FFFF}\n"),
        ("cr.csv", "a,b\r1,2\r"),
        ("latin.jsonl", "{\"é\":\"ü\"}\n\n[\"ÿ\"]\n\"\u{80}\"\n"),
        ("wide.jsonl", "{\"日本\":\"😀\\ud83d\\ude00\"}\r\n {\"a\":[\"€\",{\"\u{10FFFF}\":null}]}"),
    ]

    @Test("a file has the same records in every encoding, whatever the chunks", arguments: others, kernels)
    func sameRecords(_ encoding: TextEncoding, _ kernel: KernelChoice) throws {
        for (name, text) in Self.texts where encoding.has(text) {
            let expected = try records(try folder.file(name, text))
            let path = try folder.file(name, encoding.stored(text))
            for chunkSize in [1, 2, 1000] {
                #expect(
                    try records(path, chunkSize: chunkSize, encoding: encoding, kernel: kernel) == expected, "\(name)")
            }
            let source = try FileStreamSource(path, encoding: encoding, kernel: kernel)
            #expect(try source.countRecords() == expected.count)
        }
    }

    @Test("long files have the same records, plain and compressed", arguments: others, kernels)
    func longFiles(_ encoding: TextEncoding, _ kernel: KernelChoice) throws {
        var text = "id,text\n"
        let words = ["plain", "\"quoted\r\n, é\"", "ÿÿÿ"] + (encoding.has("日") ? ["日本語€", "😀"] : [])
        let count = step == 1 ? 30_000 : 10_000
        for id in 0..<count { text += "\(id),\(words[id % words.count])\(id % 3 == 0 ? "" : "x")\n" }
        text = text.replacingOccurrences(of: "\"x\n", with: "x\"\n")
        let expected = try records(try folder.file("x.csv", text))
        #expect(expected.count == count)
        let path = try folder.file("y.csv", encoding.stored(text))
        #expect(try records(path, encoding: encoding, kernel: kernel) == expected)
        let outcome = try folder.shell("gzip y.csv")
        #expect(outcome.status == 0)
        #expect(try records(path + ".gz", encoding: encoding, kernel: kernel) == expected)
    }

    /// Bytes, what they are read as, and what comes of it; nil: an error.
    static let marks: [(bytes: [UInt8], encoding: TextEncoding, column: String?)] = [
        (TextEncoding.utf16LE.stored("\u{FEFF}é\n"), .utf16, "é"),
        (TextEncoding.utf16BE.stored("\u{FEFF}é\n"), .utf16, "é"),
        (TextEncoding.utf16LE.stored("é\n"), .utf16, "é"),
        (TextEncoding.utf16LE.stored("\u{FEFF}é\n"), .utf16LE, "é"),
        (TextEncoding.utf16BE.stored("\u{FEFF}é\n"), .utf16LE, "é"),
        (TextEncoding.utf16LE.stored("é\n"), .utf16LE, "é"),
        (TextEncoding.utf16LE.stored("\u{FEFF}é\n"), .utf16BE, "é"),
        (TextEncoding.utf16BE.stored("\u{FEFF}é\n"), .utf16BE, "é"),
        (TextEncoding.utf16BE.stored("é\n"), .utf16BE, "é"),
        (TextEncoding.utf16LE.stored("\u{FEFF}\u{FEFF}é\n"), .utf16, "\u{FEFF}é"),
        (TextEncoding.utf16LE.stored("\u{FEFF}"), .utf16, nil),
        ([0xFF, 0xFE, 0xE9, 0x0A], .latin1, "ÿþé"),
        ([0xEF, 0xBB, 0xBF, 0x0A], .latin1, "ï»¿"),
    ]

    @Test("a byte order mark decides about UTF-16, and is no text", arguments: marks)
    func byteOrderMarks(_ file: (bytes: [UInt8], encoding: TextEncoding, column: String?)) throws {
        let source = try FileStreamSource(try folder.file("x.csv", file.bytes), encoding: file.encoding)
        #expect(try source.readChunk() == nil)
        #expect(source.schema?.names == file.column.map { [$0] })
    }

    @Test("UTF-16 read as UTF-8 is refused at once, and the encoding named", arguments: utf16s)
    func markInUTF8(_ encoding: TextEncoding) throws {
        for (name, text, record) in [("x.csv", "a\n1\n", 0), ("x.jsonl", "{}\n", 1)] {
            let path = try folder.file(name, encoding.stored("\u{FEFF}" + text))
            for body in [{ _ = try records(path) }, { _ = try FileStreamSource(path).countRecords() }] {
                let error = try #require(streamError(body))
                #expect(error.code == .invalidUTF8 && error.record == record && error.byteOffset == 0)
                #expect(error.path == path)
                #expect(error.hint?.contains("--encoding utf16") == true)
            }
        }
    }

    /// Bad files: the text before the error's place, and the rest.
    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        let before: String
        let rest: String
        let code: StreamError.Code
        let record: Int
        var testDescription: String { "\(name) \(code)" }
    }

    static let bad: [Bad] = [
        Bad(name: "x.csv", before: "é,b\n1,ÿ\n", rest: "3\n", code: .raggedRecord, record: 2),
        Bad(name: "x.csv", before: "é,b\n1,ÿ\n\n\n", rest: "3,4,5\n", code: .raggedRecord, record: 4),
        Bad(name: "x.csv", before: "é,b\nÿ,2\nä,", rest: "\"x\n4,5\n", code: .unclosedQuote, record: 2),
        Bad(name: "x.csv", before: "é,b\n1,\"ÿ\"", rest: "y\n", code: .textAfterQuote, record: 1),
        Bad(name: "x.csv", before: "é,", rest: "\"b", code: .unclosedQuote, record: 0),
        Bad(name: "x.jsonl", before: "{\"é\":1}\n\n{\"ü\":tru", rest: "}\n", code: .invalidJSON, record: 3),
        Bad(name: "x.jsonl", before: "\"ÿÿÿ\"\n{\"a\":", rest: "", code: .invalidJSON, record: 2),
        Bad(name: "x.csv", before: "日,b\n1,😀\n\u{10FFFF},é\n", rest: "3\n", code: .raggedRecord, record: 3),
        Bad(name: "x.jsonl", before: "{\"日本\":\"😀\"}\n{\"€\":", rest: "x}\n", code: .invalidJSON, record: 2),
    ]

    @Test("errors say which byte of the file it is, as it is stored", arguments: bad, others)
    func errorOffsets(_ bad: Bad, _ encoding: TextEncoding) throws {
        guard encoding.has(bad.before) else { return }
        for mark in encoding == .latin1 ? [""] : ["", "\u{FEFF}"] {
            let offset = encoding.stored(mark + bad.before).count
            let path = try folder.file(bad.name, encoding.stored(mark + bad.before + bad.rest))
            for kernel in kernels {
                for chunkSize in [1, 1000] {
                    let error = try #require(
                        streamError {
                            _ = try records(path, chunkSize: chunkSize, encoding: encoding, kernel: kernel)
                        })
                    #expect(error.code == bad.code && error.record == bad.record && error.path == path)
                    #expect(error.byteOffset == offset, "\(mark.isEmpty ? "no mark" : "mark")")
                }
            }
        }
    }

    @Test("places are right far into a file, through compression too", arguments: others)
    func farPlaces(_ encoding: TextEncoding) throws {
        var text = encoding == .latin1 ? "" : "\u{FEFF}"
        text += "id,text\n"
        let cell = encoding.has("日") ? "\"é\n日本😀\"" : "\"é\nÿ\""
        for id in 0..<60_000 { text += "\(id),\(cell)\n" }
        let stored = encoding.stored(text)
        _ = try folder.file("x.csv", stored + encoding.stored("ä\n1,2\n"))
        #expect(try folder.shell("gzip -k x.csv").status == 0)
        for name in ["x.csv", "x.csv.gz"] {
            var count = 0
            var wrong = 0
            let error = streamError {
                try FileStreamSource(folder.file(name), encoding: encoding).forEach { chunk in
                    for record in [chunk.data[0], chunk.data[chunk.data.count - 1], chunk.data.compacted()[0]] {
                        let id = try #require(record["id", as: Int.self])
                        let place = try #require(record.byteOffset)
                        let isThere = stored[place...].starts(with: encoding.stored("\(id),"))
                        if record.number != id + 1 || !isThere { wrong += 1 }
                    }
                    count += chunk.data.count
                }
            }
            #expect(wrong == 0)
            #expect(count > 40_000, "but for those of the bad record's unit")
            #expect(error?.code == .raggedRecord && error?.record == 60_001 && error?.byteOffset == stored.count)
        }
    }

    @Test("a record over the limit is placed by bytes as they are stored", arguments: others)
    func tooLarge(_ encoding: TextEncoding) throws {
        let before = "é,b\nÿ,2\n"
        let long = String(repeating: "é", count: 200_000)
        for rest in ["\(long),1\n", "\"\(long)"] {
            let path = try folder.file("x.csv", encoding.stored(before + rest))
            for chunkSize in [1, 1000] {
                let error = streamError {
                    _ = try records(path, chunkSize: chunkSize, encoding: encoding, maxRecordBytes: 100_000)
                }
                #expect(error?.code == .recordTooLarge && error?.record == 2)
                #expect(error?.byteOffset == encoding.stored(before).count)
            }
        }
    }

    @Test("an unpaired surrogate is an error of its record and column, wherever it stands", arguments: utf16s, kernels)
    func unpairedSurrogates(_ encoding: TextEncoding, _ kernel: KernelChoice) throws {
        let places: [(name: String, before: String, rest: String, record: Int, column: String?)] = [
            ("x.csv", "a,é\n1,", "\n", 1, "é"), ("x.csv", "a,é\n1,2\n3,\"日\n", "x\"\n5,6\n", 2, "é"),
            ("x.csv", "a,é\n1,2\n", "", 2, nil), ("x.csv", "a,é\n1,2\n", ",4\n", 2, "a"),
            ("x.csv", "a,é", "\n1,2\n", 0, nil),
            ("x.jsonl", "{\"é\":\"😀", "\"}\n", 1, nil), ("x.jsonl", "{}\n\n[\"", "\"]", 3, nil),
        ]
        for place in places {
            for units in [[0xD800], [0xDC00], [0xDBFF, 0xD800], [0xDFFF, 0xDFFF]] as [[UInt16]] {
                let surrogates = units.flatMap { unit -> [UInt8] in
                    let bytes = [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
                    return encoding == .utf16BE ? bytes.reversed() : bytes
                }
                let bytes = encoding.stored(place.before) + surrogates + encoding.stored(place.rest)
                let path = try folder.file(place.name, bytes)
                let error = try #require(
                    streamError { _ = try records(path, encoding: encoding, kernel: kernel) })
                // A record of too few fields is noticed first.
                if place.column == nil, place.record == 2 {
                    #expect(error.code == .raggedRecord)
                    continue
                }
                #expect(error.code == .invalidUTF16 && error.record == place.record && error.column == place.column)
                #expect(error.message.contains("UTF-16") && error.path == path)
                let offset = try #require(error.byteOffset)
                #expect(offset == encoding.stored(place.before).count)
                #expect(bytes[offset...].starts(with: surrogates))
            }
        }
    }

    @Test("text that ends inside a character is an error of the last record", arguments: utf16s)
    func oddEnds(_ encoding: TextEncoding) throws {
        for (name, text, record) in [
            ("x.csv", "é,b\n1,2\n", 2), ("x.csv", "é,b\n1,2\n3,4", 2), ("x.csv", "é", 0), ("x.csv", "", 0),
            ("x.jsonl", "{}\n{}\n\n", 4), ("x.jsonl", "{", 1), ("x.jsonl", "", 1),
        ] {
            let stored = encoding.stored(text)
            let path = try folder.file(name, stored + [0x41])
            for body in [
                { _ = try records(path, encoding: encoding) },
                { _ = try FileStreamSource(path, encoding: encoding).countRecords() },
            ] {
                let error = try #require(streamError(body))
                #expect(error.code == .invalidUTF16 && error.path == path)
                #expect(error.record == record && error.byteOffset == stored.count, "\(name): \(text)")
            }
        }
    }

    @Test("bytes may come and go a few at a time", arguments: others)
    func piecemeal(_ encoding: TextEncoding) throws {
        let pool = BlockPool()
        let kernel = try KernelChoice.auto.make()
        for (_, text) in Self.texts where encoding.has(text) {
            for step in [1, 2, 3, 5, 1000] {
                for room in [1, 2, 3, 4, 7, 1000] {
                    let input = TranscodingInput(
                        PieceInput(encoding.stored(text), .of(step)), encoding, pool, kernel, path: "x")
                    let block = pool.block(capacity: room)
                    var read: [UInt8] = []
                    while case let got = try input.read(into: block.bytes, room), got > 0 {
                        #expect(got <= room)
                        read += UnsafeBufferPointer(start: block.bytes, count: got)
                    }
                    #expect(read == Array(text.utf8), "in steps of \(step), into \(room) bytes")
                }
            }
        }
    }

    @Test("the format of standard input is told by its first character, in every encoding", arguments: others)
    func detection(_ encoding: TextEncoding) throws {
        let path = try folder.file("x", encoding.stored((encoding == .latin1 ? "" : "\u{FEFF}") + " {\"a\":1}\n"))
        #expect(try records(path, encoding: encoding) == ["{\"a\":1}"])
    }
}
