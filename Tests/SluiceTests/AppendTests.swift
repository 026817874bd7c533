import Foundation
import Sluice
import TestSupport
import Testing

@Suite("Appending")
struct AppendTests {
    let folder = TemporaryFolder()

    /// Formats that can be appended to.
    static let formats = FileFormat.allCases.filter { $0.rawValue != "json" }

    static func name(_ format: FileFormat, _ compression: CompressionFormat) -> String {
        let suffix = ["gzip": ".gz", "lz4": ".lz4"][compression.rawValue] ?? ""
        let names = ["text": "txt", "binary": "bin"]
        return "x.\(names[format.rawValue] ?? format.rawValue)\(suffix)"
    }

    static func record(_ format: FileFormat, _ number: Int) -> Record {
        switch format.rawValue {
        case "text": ["text": .string("line \(number)")]
        case "binary": ["bytes": .bytes(Array("block \(number)\n".utf8))]
        default: ["id": Value(number), "text": .string("t\(number)")]
        }
    }

    func add(
        _ numbers: Range<Int>, to path: String, _ format: FileFormat, _ mode: FileStreamSink.Mode = .append,
        flushing: Bool = false
    ) throws {
        let sink = try FileStreamSink(path, format: format, mode: mode)
        for number in numbers {
            try sink.writeChunk(StreamChunk(data: [Self.record(format, number)]))
            if flushing { try sink.flush() }
        }
        try sink.close()
    }

    /// What a file says, whatever its compression: all bytes of it.
    func content(_ path: String, _ format: FileFormat) throws -> String {
        let plain = folder.file("plain-\(UUID().uuidString)." + (format == .csv ? "csv" : format.rawValue))
        try BasicStreamProcessor(
            source: FileStreamSource(path, format: format), sink: FileStreamSink(plain, format: format)
        ).run()
        return String(decoding: try bytesOfFile(plain), as: UTF8.self)
    }

    /// What the file to append to is before.
    enum Before: String, CaseIterable { case absent, empty, written, unfinished }

    @Test(
        "records follow those that are there: every format, every compression, every mode and start",
        arguments: formats, CompressionFormat.allCases.flatMap { c in Before.allCases.map { (c, $0) } })
    func table(_ format: FileFormat, _ start: (compression: CompressionFormat, before: Before)) throws {
        let (compression, before) = start
        for mode in [FileStreamSink.Mode.append, .write] {
            for flushing in [false, true] {
                let path = folder.file(Self.name(format, compression))
                try? FileManager.default.removeItem(atPath: path)
                switch before {
                case .absent: break
                case .empty: _ = try folder.file(Self.name(format, compression), "")
                case .written: try add(0..<3, to: path, format, .write)
                case .unfinished: try writeWithoutLastLineEnd(0..<3, to: path, format)
                }
                let isKept = mode == .append && (before == .written || before == .unfinished)
                let whole = folder.file("whole-" + Self.name(format, compression))
                try add(isKept ? 0..<6 : 3..<6, to: whole, format, .write)
                let old = isKept && before == .written ? try bytesOfFile(path) : []
                try add(3..<6, to: path, format, mode, flushing: flushing)
                #expect(try content(path, format) == content(whole, format))
                #expect(try bytesOfFile(path).starts(with: old), "what is there is not touched")
                #expect(!folder.names.contains { $0.hasPrefix(".") })
            }
        }
    }

    /// The same, but that the last byte is missing where it ends a line.
    func writeWithoutLastLineEnd(_ numbers: Range<Int>, to path: String, _ format: FileFormat) throws {
        let plain = folder.file("plain." + format.rawValue)
        try add(numbers, to: plain, format, .write)
        var bytes = try bytesOfFile(plain)
        if format.rawValue != "binary" { bytes.removeLast() }
        try FileManager.default.removeItem(atPath: plain)
        switch CompressionFormat(path: path).rawValue {
        case "none": try Data(bytes).write(to: URL(fileURLWithPath: path))
        case "gzip":
            try Data(bytes).write(to: URL(fileURLWithPath: plain))
            #expect(try folder.shell(#"gzip -c "$1" > "$2""#, [plain, path]).status == 0)
        default: try Data(LZ4File.frame(bytes, [.stored(bytes)])).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test(
        "abort, failure and dropping the sink leave the old file, byte for byte, or none",
        arguments: formats, CompressionFormat.allCases)
    func abort(_ format: FileFormat, _ compression: CompressionFormat) throws {
        let name = Self.name(format, compression)
        for before in [Before.absent, .empty, .written] {
            for end in ["abort", "drop", "fail"] {
                let path = folder.file(name)
                try? FileManager.default.removeItem(atPath: path)
                if before == .empty { _ = try folder.file(name, "") }
                if before == .written { try add(0..<3, to: path, format, .write) }
                let old = before == .absent ? nil : try bytesOfFile(path)
                var sink: FileStreamSink? = try FileStreamSink(path, format: format, mode: .append)
                // More than decide about CSV's columns.
                let batch = RecordBatch((0..<1100).map { Self.record(format, $0) })
                try sink?.writeChunk(StreamChunk(data: batch))
                try sink?.endUnit()
                try sink?.flush()
                switch end {
                case "abort": sink?.abort()
                case "fail":
                    #expect(streamError { try sink?.writeChunk(StreamChunk(data: [["x": .double(.nan)]])) } != nil)
                    #expect(streamError { try sink?.close() }?.code == .closed)
                default: break
                }
                sink = nil
                #expect(try before == .absent ? !folder.names.contains(name) : bytesOfFile(path) == old)
            }
        }
    }

    @Test("flush hands the bytes over: others see them before close")
    func flush() throws {
        let path = try folder.file("x.jsonl", "{}\n")
        let sink = try FileStreamSink(path, mode: .append)
        for number in 1...3 {
            try sink.writeChunk(StreamChunk(data: [["a": Value(number)]]))
            try sink.flush()
            #expect(try records(path).count == number + 1)
        }
        #expect(sink.bytesWritten == 24, "what was there does not count")
        try sink.close()
        #expect(try records(path).count == 4)
    }

    @Test("the header is written once, and its columns are those of what follows, in its order")
    func header() throws {
        for (name, old, new) in [
            ("x.csv", "b,a\n1,2\n", "b,a\n1,2\n4,3\n"), ("y.csv", "b,a", "b,a\n4,3\n"),
            ("z.tsv", "b\ta\r\n1\t2", "b\ta\r\n1\t2\n4\t3\n"), ("blank.csv", "\n\r\n", "\n\r\na,b\n3,4\n"),
            ("mark.csv", "\u{FEFF}b,a\n", "\u{FEFF}b,a\n4,3\n"), ("onlyMark.csv", "\u{FEFF}", "\u{FEFF}a,b\n3,4\n"),
            ("more.csv", "c,\"b\",a\n", "c,\"b\",a\n,4,3\n"),
        ] {
            let path = try folder.file(name, old)
            let sink = try FileStreamSink(path, mode: .append)
            try sink.writeChunk(StreamChunk(data: [["a": 3, "b": 4]]))
            try sink.close()
            #expect(try folder.text(name) == new)
        }
    }

    @Test("other columns are refused by name, and the file stays", arguments: CompressionFormat.allCases)
    func otherColumns(_ compression: CompressionFormat) throws {
        let path = folder.file(Self.name(.csv, compression))
        try add(0..<3, to: path, .csv, .write)
        let old = try bytesOfFile(path)
        let error = streamError { _ = try FileStreamSink(path, mode: .append, columns: ["text", "id"]) }
        #expect(error?.code == .invalidConfiguration && error?.message.contains("id, text") == true)
        let input = try folder.file("in.csv", "id,more\n1,2\n")
        let processor = BasicStreamProcessor(
            source: try FileStreamSource(input), sink: try FileStreamSink(path, mode: .append))
        let unknown = streamError { try processor.run() }
        #expect(unknown?.code == .unknownKey && unknown?.column == "more" && unknown?.record == 1)
        #expect(try bytesOfFile(path) == old)
        let sink = try FileStreamSink(path, mode: .append, columns: ["id", "text"])
        try sink.close()
        #expect(try bytesOfFile(path) == old, "nothing is written where no record comes")
    }

    @Test("another compression than what is there has is refused")
    func otherCompression() throws {
        for there in CompressionFormat.allCases {
            for asked in CompressionFormat.allCases where asked != there {
                for format in Self.formats {
                    let path = folder.file(Self.name(format, there))
                    try add(0..<3, to: path, format, .write)
                    let old = try bytesOfFile(path)
                    let error = streamError {
                        _ = try FileStreamSink(path, format: format, mode: .append, compression: asked)
                    }
                    #expect(error?.code == .invalidConfiguration)
                    #expect(error?.hint?.contains("--compression \(there.rawValue)") == true)
                    #expect(try bytesOfFile(path) == old)
                }
            }
        }
    }

    @Test(
        "behind a compressed file that is cut off nothing is written, since nothing could be read",
        arguments: [(.gzip, 2), (.lz4, 4)] as [(CompressionFormat, Int)])
    func cutOff(_ compression: CompressionFormat, _ magicLength: Int) throws {
        let path = folder.file(Self.name(.jsonl, compression))
        try add(0..<3, to: path, .jsonl, .write)
        let whole = try bytesOfFile(path)
        for length in 1..<whole.count {
            let cut = try folder.file("cut-" + Self.name(.jsonl, compression), Array(whole[..<length]))
            let error = streamError { _ = try FileStreamSink(cut, mode: .append) }
            // Less than its mark is no compression.
            #expect(
                error?.code == (length < magicLength ? .invalidConfiguration : .truncatedCompression),
                "cut at \(length)")
            #expect(try bytesOfFile(cut) == Array(whole[..<length]))
        }
    }

    @Test("nothing is written behind padding, which ends a gzip file, nor behind records that CR alone ends")
    func padded() throws {
        let path = folder.file("x.jsonl.gz")
        try add(0..<3, to: path, .jsonl, .write)
        let whole = try bytesOfFile(path)
        let padded = try folder.file("padded.jsonl.gz", whole + [0, 0, 0])
        #expect(streamError { _ = try FileStreamSink(padded, mode: .append) }?.code == .invalidConfiguration)
        let old = try folder.file("old.csv", "a\r1\r")
        #expect(streamError { _ = try FileStreamSink(old, mode: .append) }?.message.contains("CR alone") == true)
    }

    @Test("gzip members follow, BGZF or not, and gzip itself reads them")
    func gzipMembers() throws {
        let path = folder.file("x.jsonl.gz")
        _ = try folder.file("a.jsonl", "{\"id\":0,\"text\":\"t0\"}\n")
        #expect(try folder.shell("gzip -c a.jsonl > x.jsonl.gz").status == 0)
        for number in 1..<4 { try add(number..<number + 1, to: path, .jsonl) }
        let lines = (0..<4).map { "{\"id\":\($0),\"text\":\"t\($0)\"}" }
        #expect(try records(path) == lines)
        #expect(
            String(decoding: try folder.gunzip("x.jsonl.gz"), as: UTF8.self) == lines.joined(separator: "\n") + "\n")
        let size = try bytesOfFile(path).count
        try add(0..<0, to: path, .jsonl)
        #expect(try bytesOfFile(path).count == size, "without a record, nothing")
    }

    @Test("large outputs are appended whole, wherever the old file ends", arguments: [0, 1, 65_535, 65_536, 100_001])
    func large(_ length: Int) throws {
        let old = length == 0 ? "" : String(repeating: " ", count: length - 1) + "\n"
        let path = try folder.file("x.jsonl", old)
        let batch = RecordBatch((0..<100_000).map { ["id": Value($0), "text": "some text"] })
        let sink = try FileStreamSink(path, mode: .append)
        try sink.writeChunk(StreamChunk(data: batch))
        try sink.close()
        let new = try folder.text("x.jsonl")
        #expect(new.hasPrefix(old) && sink.bytesWritten == new.utf8.count - old.utf8.count)
        #expect(try records(path).count == 100_000)
    }

    @Test("links are followed, mode and inode stay, a new file gets what the umask leaves")
    func links() throws {
        let real = try folder.file("real.jsonl", "{}\n")
        #expect(chmod(real, 0o640) == 0)
        let inode = try FileManager.default.attributesOfItem(atPath: real)[.systemFileNumber] as? Int
        let link = folder.file("link.jsonl")
        let dangling = folder.file("dangling.jsonl")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real.jsonl")
        try FileManager.default.createSymbolicLink(atPath: dangling, withDestinationPath: "made.jsonl")
        for path in [link, dangling] { try add(1..<2, to: path, .jsonl) }
        let attributes = try FileManager.default.attributesOfItem(atPath: real)
        #expect(attributes[.systemFileNumber] as? Int == inode && attributes[.posixPermissions] as? Int == 0o640)
        #expect(try records(real).count == 2 && records(folder.file("made.jsonl")).count == 1)
        let aborted = folder.file("aborted.jsonl")
        try FileManager.default.createSymbolicLink(atPath: aborted, withDestinationPath: "unmade.jsonl")
        try FileStreamSink(aborted, mode: .append).abort()
        #expect(!folder.names.contains("unmade.jsonl") && folder.names.contains("aborted.jsonl"))
        #expect(streamError { _ = try FileStreamSink(folder.file("no/x.jsonl"), mode: .append) }?.code == .cannotCreate)
        #expect(
            streamError { _ = try FileStreamSink(folder.path, format: .jsonl, mode: .append) }?.code == .isDirectory)
    }

    @Test("FIFOs and devices are just written to")
    func straight() throws {
        try add(0..<3, to: "/dev/null", .jsonl)
        let path = folder.file("x.jsonl")
        #expect(mkfifo(path, 0o600) == 0)
        // Open both ways, so that nobody waits for the other end.
        let reader = open(path, O_RDWR | O_NONBLOCK)
        defer { close(reader) }
        try add(0..<1, to: path, .jsonl)
        var room = [UInt8](repeating: 0, count: 100)
        let count = read(reader, &room, room.count)
        #expect(String(decoding: room.prefix(max(0, count)), as: UTF8.self) == "{\"id\":0,\"text\":\"t0\"}\n")
    }

    @Test("a second sink that appends to a file is refused while the first is open, and loses nothing of it")
    func twoWriters() throws {
        let path = try folder.file("x.jsonl", "{}\n")
        let first = try FileStreamSink(path, mode: .append)
        try first.writeChunk(StreamChunk(data: [["a": 1]]))
        try first.flush()
        #expect(streamError { _ = try FileStreamSink(path, mode: .append) }?.code == .cannotCreate)
        try first.close()
        try add(0..<1, to: path, .jsonl)
        #expect(try records(path).count == 3)
    }

    @Test("what somebody else wrote meanwhile is not cut off")
    func foreignBytes() throws {
        let path = try folder.file("x.jsonl", "{}\n")
        let sink = try FileStreamSink(path, mode: .append)
        try sink.writeChunk(StreamChunk(data: [["a": 1]]))
        try sink.flush()
        #expect(try folder.shell("printf '{\"theirs\":1}\\n' >> x.jsonl").status == 0)
        sink.abort()
        #expect(try records(path).last == "{\"theirs\":1}")
    }

    @Test("what is appended to a large file stays whole though somebody else appends meanwhile")
    func foreignBytesBetween() throws {
        let path = try folder.file("large.jsonl", String(repeating: "{}\n", count: 700_000))
        let sink = try FileStreamSink(path, mode: .append)
        try sink.writeChunk(StreamChunk(data: [["a": .string(String(repeating: "x", count: 600_000))]]))
        try sink.flush()
        #expect(try folder.shell("printf '{\"theirs\":1}\\n' >> large.jsonl").status == 0)
        try sink.writeChunk(StreamChunk(data: [["ours": 2]]))
        try sink.close()
        #expect(try records(path).suffix(2) == ["{\"theirs\":1}", "{\"ours\":2}"])
    }

    @Test("a run that would read what it appends is refused, by whatever name; in write mode it works")
    func ownOutput() throws {
        let path = try folder.file("x.jsonl", "{\"a\":1}\n")
        let link = folder.file("link.jsonl")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "x.jsonl")
        #expect(Foundation.link(path, folder.file("hard.jsonl")) == 0)
        for input in [path, link, folder.file("hard.jsonl")] {
            let processor = BasicStreamProcessor(
                source: try FileStreamSource(input), sink: try FileStreamSink(path, mode: .append))
            let error = streamError { try processor.run() }
            #expect(error?.code == .invalidConfiguration && error?.message.contains("input and output") == true)
            #expect(try folder.text("x.jsonl") == "{\"a\":1}\n")
        }
        try BasicStreamProcessor(source: FileStreamSource(link), sink: FileStreamSink(path)) {
            $0.data.setAll("b", to: 2)
        }.run()
        #expect(try folder.text("x.jsonl") == "{\"a\":1,\"b\":2}\n")
    }

    @Test("the tool appends; input that is its output is refused, on standard streams too")
    func tool() throws {
        try folder.write("a,b\n1,2\n", to: "in.csv")
        for _ in 0..<2 { try folder.convert("in.csv", "out.csv.gz", "--append") }
        #expect(String(decoding: try folder.gunzip("out.csv.gz"), as: UTF8.self) == "a,b\n1,2\n1,2\n")
        for script in [
            #"exec "$SLUICE" convert in.csv in.csv --append"#,
            #"exec "$SLUICE" convert - in.csv --from csv --append < in.csv"#,
            #"exec "$SLUICE" convert in.csv - --to csv >> in.csv"#,
            #"exec "$SLUICE" convert in.csv - --to csv --append >> in.csv"#,
        ] {
            let outcome = try folder.shell(script)
            #expect(outcome.status == 64 && outcome.messages.contains("input and output"), "\(script)")
            #expect(try folder.text("in.csv") == "a,b\n1,2\n")
        }
        try folder.write("a,c\n1,2\n", to: "other.csv")
        let old = try folder.data("out.csv.gz")
        let outcome = try folder.sluice("convert", "other.csv", "out.csv.gz", "--append")
        #expect(outcome.status == 65 && outcome.messages.contains("\"c\""), "\(outcome.messages)")
        #expect(try folder.data("out.csv.gz") == old)
        let log = try folder.shell(#""$SLUICE" convert in.csv - --to jsonl --append >> log; cat log"#)
        #expect(log.text == "{\"a\":\"1\",\"b\":\"2\"}\n")
    }
}
