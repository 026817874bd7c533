import Foundation
import Sluice
import Testing

@Suite("Directories as sources")
struct DirectoryStreamSourceTests {
    let folder = TemporaryFolder()

    func directory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
    }

    /// The column `id` of all records.
    func ids(_ source: DirectoryStreamSource) throws -> [String] {
        var ids: [String] = []
        try source.forEach { ids += $0.data.map { $0["id", as: String.self] ?? "-" } }
        return ids
    }

    /// Paths below the folder.
    func names(_ source: DirectoryStreamSource) -> [String] {
        source.files.map { String($0.dropFirst(folder.path.count + 1)) }
    }

    @Test("files come in natural order, hidden ones and unfinished outputs do not")
    func order() throws {
        for number in [10, 2, 1] { _ = try folder.file("part\(number).csv", "id\n\(number)\n") }
        for name in [".hidden.csv", ".part1.csv.sluice-abc123"] { _ = try folder.file(name, "id\nno\n") }
        let source = try DirectoryStreamSource(folder.path)
        #expect(names(source) == ["part1.csv", "part2.csv", "part10.csv"])
        #expect(try ids(source) == ["1", "2", "10"])
        #expect(source.schema?.names == ["id"] && source.skippedFiles.isEmpty)
        #expect(try source.readChunk() == nil, "the end stays")
        #expect(try DirectoryStreamSource(folder.path + "/").countRecords() == 3)
    }

    @Test("patterns pick by name; with recursive, from directories below; with slashes, by path")
    func patterns() throws {
        for name in ["d/e", "d10", "d2", ".git"] { try directory(name) }
        for name in ["a.csv", "b.jsonl", "d/a.csv", "d/e/c.csv", "d10/x.csv", "d2/x.csv", ".git/x.csv"] {
            _ = try folder.file(name, name.hasSuffix("csv") ? "id\n1\n" : "{}\n")
        }
        func found(_ pattern: String?, _ recursive: Bool) throws -> [String] {
            names(try DirectoryStreamSource(folder.path, pattern: pattern, recursive: recursive))
        }
        #expect(try found(nil, false) == ["a.csv", "b.jsonl"])
        #expect(try found("*.csv", false) == ["a.csv"])
        #expect(try found("*.csv", true) == ["a.csv", "d/a.csv", "d/e/c.csv", "d2/x.csv", "d10/x.csv"])
        #expect(try found("d*/*.csv", true) == ["d/a.csv", "d2/x.csv", "d10/x.csv"])
        #expect(try found("d/**/*.csv", true) == ["d/a.csv", "d/e/c.csv"])
        for pattern in ["d/*.csv", "**/*.csv", "**"] {
            #expect(streamError { _ = try found(pattern, false) }?.code == .invalidConfiguration)
        }
    }

    @Test("no file is an error: no directory, an empty one, none that matches, a file in its place")
    func noFile() throws {
        try directory("empty")
        try directory("other/below")
        _ = try folder.file("other/below/x.csv", "id\n")
        _ = try folder.file("other/.hidden.csv", "id\n")
        for (path, pattern) in [
            ("none", nil), ("empty", nil), ("other", nil), ("other", "*.csv"), ("other/below/x.csv", nil),
        ]
            as [(String, String?)]
        {
            let error = streamError { _ = try DirectoryStreamSource(folder.file(path), pattern: pattern) }
            #expect(error?.code == .fileNotFound && error?.path == folder.file(path), "\(path)")
        }
        #expect(streamError { _ = try DirectoryStreamSource(paths: []) }?.code == .invalidConfiguration)
        #expect(
            streamError { _ = try DirectoryStreamSource(paths: [folder.file("none.csv")]) }?.code == .fileNotFound)
    }

    @Test("chunks are numbered on, tell their file, and only the very last is the last", arguments: [1, 2, 1000])
    func chunks(_ chunkSize: Int) throws {
        // Files without records, at the start, between and at the end.
        let counts = [0, 3, 0, 5, 2, 0, 0]
        for (number, count) in counts.enumerated() {
            _ = try folder.file("f\(number).csv", "id\n" + (0..<count).map { "\(number)-\($0)\n" }.joined())
        }
        _ = try folder.file("f7.csv", "")
        let source = try DirectoryStreamSource(folder.path, chunkSize: chunkSize)
        var chunks: [StreamChunk] = []
        try source.forEach { chunks.append($0) }
        #expect(chunks.map(\.sequenceNumber) == Array(chunks.indices))
        #expect(chunks.map(\.isLast) == chunks.indices.map { $0 == chunks.count - 1 })
        #expect(Set(chunks.map(\.chunkID)).count == chunks.count)
        let expected = counts.enumerated().flatMap { number, count in (0..<count).map { "\(number)-\($0)" } }
        #expect(chunks.flatMap { $0.data.column("id", as: String.self) } == expected)
        var last = 0.0
        for chunk in chunks {
            let metadata = chunk.metadata
            let index = try #require(metadata["file_index"]?.intValue)
            let id = try #require(chunk.data[0]["id", as: String.self])
            #expect(id.hasPrefix("\(index)-") && metadata["total_files"] == 8)
            #expect(metadata["source_file"] == .string(source.files[Int(index)]))
            #expect(metadata["path"] == metadata["source_file"] && metadata["format"] == "csv")
            #expect(metadata["compression"] == "none" && metadata["item_count"] == Value(chunk.data.count))
            let progress = try #require(metadata["progress"]?.doubleValue)
            #expect(progress >= last && progress <= 1)
            last = progress
        }
        #expect(last == 1)
    }

    @Test("a run over a directory writes one file, whatever the chunks and units")
    func run() throws {
        var whole = "id,text\n"
        try directory("in")
        for number in 0..<7 {
            let rows = (0..<number * 900).map { "\(number)-\($0),\"text \($0)\"\n" }.joined()
            whole += rows.replacingOccurrences(of: "\"", with: "")
            _ = try folder.file("in/\(number).csv", "id,text\n" + rows)
        }
        for bufferSize in [1, 100, 10_000] {
            let result = try BasicStreamProcessor(
                source: DirectoryStreamSource(folder.file("in"), chunkSize: 250),
                sink: FileStreamSink(folder.file("out.csv")), bufferSize: bufferSize
            ).run()
            #expect(result.processedRecords == 18_900)
            #expect(try folder.text("out.csv") == whole)
        }
    }

    @Test("files of other columns, or another order, are refused by name")
    func sameColumns() throws {
        _ = try folder.file("1.csv", "a,b\n1,2\n")
        _ = try folder.file("2.csv", "\"a\",b\n3,4\n")
        _ = try folder.file("3.csv", "")
        _ = try folder.file("4.csv", "a,b\n")
        #expect(try DirectoryStreamSource(folder.path).countRecords() == 2)
        for other in ["b,a\n1,2\n", "a\n", "a,b,c\n", "a,B\n1,2\n"] {
            let path = try folder.file("5.csv", other)
            for body in [{ try $0.forEach { _ in } }, { _ = try $0.countRecords() }]
                as [(DirectoryStreamSource) throws -> Void]
            {
                let error = streamError { try body(DirectoryStreamSource(folder.path)) }
                #expect(error?.code == .differentColumns && error?.path == path)
                #expect(error?.message.contains("a, b") == true && error?.message.contains("1.csv") == true)
            }
        }
        let path = try folder.file("5.csv", "b,a,x\n2,1,0\n")
        let selected = try DirectoryStreamSource(folder.path, select: ["a"])
        var all: [String] = []
        try selected.forEach { all += $0.data.map(\.description) }
        #expect(all == ["{\"a\":\"1\"}", "{\"a\":\"3\"}", "{\"a\":\"1\"}"], "what is selected is the same")
        #expect(
            streamError { try DirectoryStreamSource(folder.path, select: ["x"]).forEach { _ in } }?.code
                == .unknownColumn)
        _ = path
        _ = try folder.file("6.jsonl", "{}\n")
        try FileManager.default.removeItem(atPath: folder.file("5.csv"))
        #expect(streamError { try DirectoryStreamSource(folder.path).forEach { _ in } }?.code == .differentColumns)
    }

    @Test("with union, columns are those of all files, known before the first record; records have those of their own")
    func union() throws {
        try directory("in")
        _ = try folder.file("in/1.csv", "a,b\n1,2\n")
        _ = try folder.file("in/2.csv", "c,a\n3,4\n")
        _ = try folder.file("in/3.csv.gz", [0x1F])
        try FileManager.default.removeItem(atPath: folder.file("in/3.csv.gz"))
        _ = try folder.file("in/3.csv", "")
        _ = try folder.file("in/4.csv", "d\n")
        let source = try DirectoryStreamSource(folder.file("in"), chunkSize: 1, columns: .union)
        let first = try #require(try source.readChunk())
        #expect(source.schema?.names == ["a", "b", "c", "d"] && first.data[0].keys == ["a", "b"])
        #expect(try source.readChunk()?.data[0].keys == ["c", "a"])
        try BasicStreamProcessor(
            source: DirectoryStreamSource(folder.file("in"), columns: .union),
            sink: FileStreamSink(folder.file("out.csv"))
        ).run()
        #expect(try folder.text("out.csv") == "a,b,c,d\n1,2,,\n4,,3,\n")
        #expect(
            streamError { _ = try DirectoryStreamSource(paths: ["-"], format: .csv, columns: .union).readChunk() }?.code
                == .unsupported)
        _ = try folder.file("in/5.csv", "a,\"")
        let error = streamError { _ = try DirectoryStreamSource(folder.file("in"), columns: .union).readChunk() }
        #expect(error?.code == .unclosedQuote && error?.path == folder.file("in/5.csv"), "before the first record")
    }

    @Test("JSON Lines need no schema, and mix with any name and compression")
    func jsonLines() throws {
        _ = try folder.file("1.jsonl", "{\"id\":1,\"x\":2}\n5\n")
        _ = try folder.file("2.ndjson", "{\"id\":2}")
        _ = try folder.file("3", "{\"y\":3}")
        let sink = try FileStreamSink(folder.file("4.jsonl.gz"))
        try sink.writeChunk(StreamChunk(data: [["id": 4]]))
        try sink.close()
        for columns in DirectoryStreamSource.Columns.allCases {
            let source = try DirectoryStreamSource(folder.path, columns: columns)
            var all: [String] = []
            try source.forEach { all += $0.data.map(\.description) }
            #expect(all == ["{\"id\":1,\"x\":2}", "5", "{\"id\":2}", "{\"y\":3}", "{\"id\":4}"])
            #expect(source.schema == nil)
        }
    }

    /// A file among good ones that has an error, and how many of its records are handed out before it.
    static let bad: [(name: String, text: String, code: StreamError.Code, records: Int)] = [
        ("2.csv", "id,n\n1,2\n3\n", .raggedRecord, 0),
        ("2.csv", "id,n\n1,2\n3,\"", .unclosedQuote, 1),
        ("2.csv", "id,\"", .unclosedQuote, 0),
        ("2.csv", "id,m\n1,2\n", .differentColumns, 0),
        ("2.csv.gz", "id,n\n1,2\n", .corruptCompression, 0),
        ("2.csv.gz", "", .truncatedCompression, 0),
        ("2.csv", "id,n\n" + String(repeating: "1,2\n", count: 200_000) + "3\n", .raggedRecord, 196_000),
    ]

    @Test(
        "a bad file is an error; with skip the rest of it is left out, and that is counted", arguments: bad, [1, 2, 3])
    func badFiles(_ bad: (name: String, text: String, code: StreamError.Code, records: Int), _ place: Int) throws {
        // The bad file first, between, last.
        for number in 1...3 where number != place { _ = try folder.file("\(number).csv", "id,n\ngood\(number),0\n") }
        if place == 1, bad.code == .differentColumns { return }
        let name = bad.name.replacingOccurrences(of: "2", with: "\(place)")
        let path = try folder.file(name, bad.text)
        var before: [String] = []
        let error = streamError {
            try DirectoryStreamSource(folder.path).forEach {
                before += $0.data.map { $0["id", as: String.self] ?? "" }
                #expect(!$0.isLast, "what follows is bad, not nothing")
            }
        }
        #expect(error?.code == bad.code && error?.path == path)
        #expect(before.filter { $0.hasPrefix("good") } == (1..<place).map { "good\($0)" })

        let source = try DirectoryStreamSource(folder.path, chunkSize: 1000, onError: .skip)
        var chunks: [StreamChunk] = []
        try source.forEach { chunks.append($0) }
        let kept = chunks.flatMap { $0.data.map { $0["id", as: String.self] ?? "" } }
        #expect(kept.filter { $0.hasPrefix("good") } == (1...3).filter { $0 != place }.map { "good\($0)" })
        #expect(kept.count == 2 + source.skippedFiles[0].records)
        #expect(bad.records < 1000 ? kept.count == 2 : kept.count > 150_000, "whole units stay")
        #expect(chunks.map(\.sequenceNumber) == Array(chunks.indices))
        #expect(chunks.map(\.isLast) == chunks.indices.map { $0 == chunks.count - 1 }, "exactly the last")
        #expect(chunks.last?.metadata["progress"] == 1.0)
        #expect(source.skippedFiles.map(\.path) == [path] && source.skippedFiles[0].error.code == bad.code)
    }

    @Test("files that cannot be opened are an error, or skipped and counted: missing, and links that lead nowhere")
    func unreadable() throws {
        let good = try folder.file("1.csv", "id\n1\n")
        try link("2.csv", to: "nowhere")
        try link("3.csv", to: "3.csv")
        #expect(streamError { try DirectoryStreamSource(folder.path).forEach { _ in } }?.path == folder.file("2.csv"))
        let source = try DirectoryStreamSource(
            paths: [folder.file("0.csv"), folder.path, good], onError: .skip)
        #expect(try ids(source) == ["1", "1"])
        #expect(source.skippedFiles.map(\.path) == ["0.csv", "2.csv", "3.csv"].map { folder.file($0) })
        #expect(source.skippedFiles.allSatisfy { $0.records == 0 })
        let all = try DirectoryStreamSource(folder.path, pattern: "[23].csv", onError: .skip)
        #expect(try all.readChunk() == nil && all.skippedFiles.count == 2)
    }

    #if os(Linux)
        @Test("files and directories that may not be read are an error, or skipped and counted")
        func forbidden() throws {
            try directory("closed")
            _ = try folder.file("1.csv", "id\n1\n")
            let file = try folder.file("2.csv", "id\n2\n")
            _ = try folder.file("closed/3.csv", "id\n3\n")
            #expect(chmod(folder.file("closed"), 0) == 0)
            do {
                readAs(65534)
                defer { readAs(0) }
                let error = streamError { _ = try DirectoryStreamSource(folder.path, recursive: true) }
                #expect(error?.code == .permissionDenied && error?.path == folder.file("closed"))
                #expect(streamError { _ = try DirectoryStreamSource(folder.file("closed")) }?.code == .permissionDenied)
                #expect(try ids(DirectoryStreamSource(folder.path)) == ["1", "2"], "it is not looked into")
            }
            #expect(chmod(file, 0) == 0)
            do {
                readAs(65534)
                defer { readAs(0) }
                let error = streamError { try DirectoryStreamSource(folder.path).forEach { _ in } }
                #expect(error?.code == .permissionDenied && error?.path == file)
                let source = try DirectoryStreamSource(folder.path, recursive: true, onError: .skip)
                #expect(try ids(source) == ["1"])
                #expect(source.skippedFiles.map(\.path) == [folder.file("closed"), file])
                #expect(source.skippedFiles.allSatisfy { $0.error.code == .permissionDenied })
            }
            #expect(chmod(folder.file("closed"), 0o700) == 0)
        }

        /// Lets root read as somebody else does, or again as root, on this thread alone. Others have no need of it.
        private func readAs(_ user: UInt32) {
            guard geteuid() == 0 else { return }
            // Swift imports no <sys/fsuid.h>.
            _ = unsafeBitCast(dlsym(nil, "setfsuid"), to: (@convention(c) (UInt32) -> Int32).self)(user)
        }
    #endif

    @Test("what is asked for wrongly is an error, not a reason to skip every file")
    func configuration() throws {
        _ = try folder.file("1.csv", "id\n1\n")
        for make in [
            { try DirectoryStreamSource(folder.path, chunkSize: 0, onError: .skip) },
            { try DirectoryStreamSource(folder.path, format: .jsonl, types: .inferred, onError: .skip) },
            { try DirectoryStreamSource(folder.path, select: [], columns: .union, onError: .skip) },
        ] as [() throws -> DirectoryStreamSource] {
            #expect(streamError { _ = try make().readChunk() }?.code == .invalidConfiguration)
        }
        _ = try folder.file("README", "what this is\n")
        let error = streamError { try DirectoryStreamSource(folder.path, onError: .skip).forEach { _ in } }
        #expect(error?.code == .invalidConfiguration && error?.path == folder.file("README"))
    }

    @Test("circles of links end, and a directory that several links lead to is read once, by its own name")
    func links() throws {
        try directory("a/b")
        _ = try folder.file("a/1.csv", "id\n1\n")
        _ = try folder.file("a/b/2.csv", "id\n2\n")
        try link("a/b/up", to: "..")
        try link("0", to: "a")
        try link("zero.csv", to: "a/1.csv")
        let outside = TemporaryFolder()
        _ = try outside.file("3.csv", "id\n3\n")
        try link("out", to: outside.path)
        try link("out2", to: outside.path)
        try FileManager.default.createSymbolicLink(
            atPath: outside.file("back"), withDestinationPath: folder.path)
        let source = try DirectoryStreamSource(folder.path, recursive: true)
        #expect(names(source) == ["a/1.csv", "a/b/2.csv", "out/3.csv", "zero.csv"])
        #expect(try ids(source) == ["1", "2", "3", "1"])
        #expect(names(try DirectoryStreamSource(folder.path)) == ["zero.csv"])
    }

    @Test("FIFOs in a directory are left out, since reading them might never end")
    func fifo() throws {
        _ = try folder.file("1.csv", "id\n1\n")
        #expect(mkfifo(folder.file("2.csv"), 0o600) == 0)
        #expect(try ids(DirectoryStreamSource(folder.path)) == ["1"])
    }

    @Test("a list of files and directories is read in its order, files as often as they are listed")
    func list() throws {
        try directory("d")
        for name in ["1", "2"] { _ = try folder.file("d/\(name).csv", "id\n\(name)\n") }
        let x = try folder.file("x.csv", "id\nx\n")
        let hidden = try folder.file(".y.csv", "id\ny\n")
        let source = try DirectoryStreamSource(paths: [x, folder.file("d"), hidden, x], pattern: "[2-9]*")
        #expect(try ids(source) == ["x", "2", "y", "x"])
    }

    @Test("one file is open at a time, and none after close or at the end")
    func descriptors() throws {
        for number in 0..<300 { _ = try folder.file("\(number).csv", "id\n\(number)\n") }
        func open() -> Int { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0 }
        let source = try DirectoryStreamSource(folder.path, chunkSize: 1, columns: .union)
        var ids: [Int] = []
        // Files are open that other tests use, too; but not three hundred.
        let before = open()
        try source.forEach {
            ids += $0.data.map { $0["id", as: Int.self] ?? -1 }
            #expect(open() < before + 150)
        }
        #expect(ids == Array(0..<300))
        source.close()
        #expect(streamError { _ = try source.readChunk() }?.code == .closed)
    }

    @Test(
        "a run whose output is one of the directory's files is refused: the next run would read the last one's output")
    func ownOutput() throws {
        let path = try folder.file("1.csv", "id\n1\n")
        let other = try folder.file("0.csv", "id\n0\n")
        for (source, mode) in [
            (try DirectoryStreamSource(folder.path), .write), (try DirectoryStreamSource(folder.path), .append),
            (try DirectoryStreamSource(paths: [other, path]), .append),
        ] as [(DirectoryStreamSource, FileStreamSink.Mode)] {
            let error = streamError {
                try BasicStreamProcessor(source: source, sink: FileStreamSink(path, mode: mode)).run()
            }
            #expect(error?.code == .invalidConfiguration && error?.path == path)
            #expect(try folder.text("1.csv") == "id\n1\n")
        }
        try BasicStreamProcessor(
            source: DirectoryStreamSource(folder.path, pattern: "[!1]*"), sink: FileStreamSink(path)
        ).run()
        #expect(try folder.text("1.csv") == "id\n0\n")
        try BasicStreamProcessor(source: DirectoryStreamSource(paths: [path, other]), sink: FileStreamSink(path)).run()
        #expect(try folder.text("1.csv") == "id\n0\n0\n", "who names a file means it")
    }
}
