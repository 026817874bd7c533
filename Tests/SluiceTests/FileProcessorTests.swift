import Foundation
import TestSupport
import Testing

@testable import Sluice

@Suite("File processors")
struct FileProcessorTests {
    let folder = TemporaryFolder()

    private func directory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
    }

    /// What is to be done with files of the folder.
    private func config(
        _ input: String, _ output: String, _ edit: (inout FileProcessingConfig) throws -> Void = { _ in }
    ) rethrows -> FileProcessingConfig {
        var config = FileProcessingConfig(
            inputPath: input == "-" ? input : folder.file(input),
            outputPath: output == "-" ? output : folder.file(output))
        config.engine.retryOnError = false
        try edit(&config)
        return config
    }

    @discardableResult
    private func process(
        _ input: String, _ output: String, _ edit: (inout FileProcessingConfig) throws -> Void = { _ in }
    ) throws -> StreamMetrics { try FileProcessor(config(input, output, edit)).process() }

    private func lines(_ name: String) throws -> [String] {
        try folder.text(name).split(separator: "\n").map(String.init)
    }

    /// Three files of a directory `in`, two formats.
    private func inputs() throws {
        try directory("in/deep")
        _ = try folder.file("in/a2.csv", "id,n\n3,30\n4,40\n")
        _ = try folder.file("in/a1.csv", "id,n\n1,10\n2,20\n")
        _ = try folder.file("in/b.jsonl", "{\"id\":\"5\",\"n\":\"50\"}\n")
        _ = try folder.file("in/deep/c.csv", "id,n\n6,60\n")
    }

    private static let numbered = (1...6).map { "{\"id\":\"\($0)\",\"n\":\"\($0)0\"}" }
    private static let workers = [1, 2, 4]

    // MARK: - Modes and inputs

    @Test("stream: a file, a directory or a pattern becomes one output", arguments: workers)
    func stream(workers: Int) throws {
        try inputs()
        let cases: [(input: String, pattern: String?, recursive: Bool, records: [Int])] = [
            ("in/a1.csv", nil, false, [1, 2]), ("in", "a*", false, [1, 2, 3, 4]), ("in/", "*.jsonl", false, [5]),
            ("in", "*.csv", true, [1, 2, 3, 4, 6]), ("in", "deep/*", true, [6]),
            ("in/*.csv", nil, false, [1, 2, 3, 4]),
            ("in/a[2-9].csv", nil, false, [3, 4]), ("in/**/*.csv", nil, false, [1, 2, 3, 4, 6]),
            ("i?/deep/*.csv", nil, false, [6]),
        ]
        for item in cases {
            let metrics = try process(item.input, "out.jsonl") { files in
                files.pattern = item.pattern
                files.recursive = item.recursive
                files.engine.parallelism = workers
            }
            #expect(try lines("out.jsonl") == item.records.map { Self.numbered[$0 - 1] }, "\(item)")
            #expect(metrics.itemsProcessed == item.records.count && metrics.readRecords == item.records.count)
        }
    }

    @Test("a pattern finds what a shell finds: behind links, too, whatever else is there")
    func patternsAndLinks() throws {
        try directory("data/v7")
        try directory("data/now-b")
        _ = try folder.file("data/v7/x.csv", "id,n\n1,10\n")
        _ = try folder.file("data/now-b/x.csv", "id,n\n2,20\n")
        try FileManager.default.createSymbolicLink(atPath: folder.file("data/now-a"), withDestinationPath: "v7")
        try process("data/now-*/*.csv", "out.jsonl")
        #expect(try lines("out.jsonl") == [Self.numbered[0], Self.numbered[1]])
        try process("data/**", "out.jsonl")
        #expect(try lines("out.jsonl").count == 2)
    }

    @Test("whole: one file at a time is in memory", arguments: [1, 2])
    func wholeOneByOne(workers: Int) throws {
        try directory("in")
        let line = String(repeating: "x", count: 100_000) + "\n"
        for name in ["a", "b", "c"] {
            _ = try folder.file("in/\(name).csv", "n\n" + String(repeating: line, count: 25))
        }
        let metrics = try process("in", "out.jsonl") { files in
            files.mode = .whole
            files.engine.parallelism = workers
            files.engine.memoryLimitMB = workers == 1 ? 10 : 20
        }
        #expect(metrics.readRecords == 75 && metrics.chunksProcessed == 3)
    }

    @Test("batch: each file becomes one of the output's format in a directory", arguments: workers)
    func batch(workers: Int) throws {
        try inputs()
        let metrics = try process("in", "out") { files in
            files.mode = .batch
            files.outputFormat = .jsonl
            files.recursive = true
            files.engine.parallelism = workers
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted() == [
                "a1.jsonl", "a2.jsonl", "b.jsonl", "c.jsonl",
            ])
        #expect(try lines("out/a1.jsonl") == Array(Self.numbered[0..<2]))
        #expect(try lines("out/a2.jsonl") == Array(Self.numbered[2..<4]))
        #expect(try lines("out/b.jsonl") == [Self.numbered[4]] && lines("out/c.jsonl") == [Self.numbered[5]])
        #expect(metrics.itemsProcessed == 6 && metrics.chunksProcessed == 4 && metrics.workers == workers)
        let written = try ["a1", "a2", "b", "c"].reduce(0) {
            try $0 + bytesOfFile(folder.file("out/\($1).jsonl")).count
        }
        #expect(metrics.bytesWritten == written && metrics.bytesEncoded == written && metrics.bytesRead > 0)
    }

    @Test("batch: names tell the format, and keep to it; compression is the output's")
    func batchNames() throws {
        try directory("in")
        for name in ["a.csv", "b.tsv", "c.TXT", "d.ndjson"] {
            _ = try folder.file("in/" + name, name == "d.ndjson" ? "{\"text\":\"x\"}\n" : "text\nx\n")
        }
        try BasicStreamProcessor(
            source: FileStreamSource(folder.file("in/a.csv")), sink: FileStreamSink(folder.file("in/e.csv.gz"))
        ).run()
        func names(_ edit: (inout FileProcessingConfig) -> Void) throws -> [String] {
            try? FileManager.default.removeItem(atPath: folder.file("out"))
            try process("in", "out/") {
                $0.mode = .batch
                edit(&$0)
            }
            return try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted()
        }
        #expect(try names { _ in } == ["a.csv", "b.tsv", "c.TXT", "d.ndjson", "e.csv"])
        #expect(try folder.text("out/e.csv") == "text\nx\n")
        #expect(try names { $0.outputFormat = .csv } == ["a.csv", "b.tsv", "c.csv", "d.csv", "e.csv"])
        #expect(
            try names {
                $0.outputFormat = .jsonl
                $0.outputCompression = .gzip
            } == ["a.jsonl.gz", "b.jsonl.gz", "c.jsonl.gz", "d.ndjson.gz", "e.jsonl.gz"])
        #expect(try records(folder.file("out/e.jsonl.gz")) == ["{\"text\":\"x\"}"])
        #expect(try process("in/a.csv", "one") { $0.mode = .batch }.itemsProcessed == 1)
        #expect(try folder.text("one/a.csv") == "text\nx\n")
        _ = try folder.file("data", "text\n1\n")
        _ = try process("data", "one") {
            $0.mode = .batch
            $0.inputFormat = .csv
        }
        #expect(try folder.text("one/data.csv") == "text\n1\n")
    }

    @Test("whole: each file is one chunk, however many records it has", arguments: workers)
    func whole(workers: Int) throws {
        try directory("in")
        let count = 60_000
        _ = try folder.file("in/a.csv", "id\n" + (0..<count).map { "\($0)\n" }.joined())
        _ = try folder.file("in/b.jsonl", "{\"id\":1}\n{\"id\":2}\n")
        _ = try folder.file("in/c.json", "[{\"id\":1}]")
        _ = try folder.file("in/d.txt", "x\ny\nz")
        _ = try folder.file("in/e.csv", "id\n")
        try BasicStreamProcessor(
            source: FileStreamSource(folder.file("in/a.csv")), sink: FileStreamSink(folder.file("in/f.csv.gz"))
        ).run()
        let sizes = Locked<[Int]>([])
        let metrics = try process("in", "out.jsonl") { files in
            files.mode = .whole
            files.columns = .union
            files.engine.parallelism = workers
            files.transform = { chunk in sizes.withLock { $0.append(chunk.data.count) } }
        }
        #expect(sizes.withLock { $0.sorted() } == [1, 2, 3, count, count] && metrics.chunksProcessed == 5)
        #expect(try lines("out.jsonl").count == 2 * count + 6)
        sizes.withLock { $0 = [] }
        try process("in/a.csv", "out.jsonl") { files in
            files.mode = .whole
            files.transform = { chunk in sizes.withLock { $0.append(chunk.data.count) } }
        }
        #expect(sizes.withLock { $0 } == [count])
    }

    @Test("whole: a file that exceeds the memory limit is an error, and nothing is written", arguments: workers)
    func wholeTooLarge(workers: Int) throws {
        try directory("in")
        _ = try folder.file("in/a.csv", "id\n1\n")
        _ = try folder.file("in/b.csv", "id\n" + String(repeating: "123456789\n", count: 250_000))
        for input in ["in", "in/b.csv"] {
            let error = streamError {
                try process(input, "out.jsonl") { files in
                    files.mode = .whole
                    files.engine.memoryLimitMB = 2
                    files.engine.parallelism = workers
                }
            }
            #expect(error?.code == .memoryLimit && error?.path == folder.file("in/b.csv") && error?.hint != nil)
        }
        #expect(folder.names == ["in"])
        #expect(
            try process("in", "out.jsonl") { files in
                files.mode = .whole
                files.engine.memoryLimitMB = 64
            }.itemsProcessed == 250_001)
    }

    // MARK: - Options of input and output

    @Test("options of the inputs and of the output act in every mode", arguments: FileProcessingConfig.Mode.allCases)
    func options(mode: FileProcessingConfig.Mode) throws {
        try directory("in")
        let text = "# no\n1;caf\u{E9};x\n2;NA;\"y\n"
        _ = try folder.file("in/a.dump", TextEncoding.latin1.stored(text))
        func edit(_ files: inout FileProcessingConfig) {
            files.mode = mode
            files.inputFormat = .csv
            files.inputEncoding = .latin1
            files.inputCSV = CSVOptions(
                delimiter: ";", quote: nil, header: false, columns: ["id", "name", "more"], comment: "#", nulls: ["NA"])
            files.types = .inferred
            files.select = ["name", "id"]
        }
        func output(_ name: String) -> String { mode == .batch ? "out/a.dump.\(name)" : "out.\(name)" }
        let target = mode == .batch ? "out" : nil
        try process("in/a.dump", target ?? "out.jsonl") { files in
            edit(&files)
            files.outputFormat = .jsonl
        }
        #expect(try lines(output("jsonl")) == ["{\"name\":\"caf\u{E9}\",\"id\":1}", "{\"name\":null,\"id\":2}"])
        try process("in", target ?? "out.csv") { files in
            edit(&files)
            files.outputFormat = .csv
            files.outputEncoding = .utf16LE
            files.outputCSV = CSVOptions(delimiter: "|")
            files.outputColumns = ["id", "name"]
            files.transform = { $0.data.setAll("more", to: 1) }
            files.unknownColumns = .drop
        }
        let expected = TextEncoding.utf16LE.stored("id|name\n1|caf\u{E9}\n2|\n")
        #expect(try bytesOfFile(folder.file(output("csv"))) == expected)
        try process("in", target ?? "out.jsonl.gz") { files in
            edit(&files)
            files.outputFormat = .jsonl
            files.outputCompression = .gzip
            files.level = 0
        }
        #expect(try records(folder.file(output("jsonl.gz"))).count == 2)
        #expect(try bytesOfFile(folder.file(output("jsonl.gz"))).contains("caf\u{E9}".utf8), "it is stored")
        let long = streamError {
            try process("in", target ?? "out.jsonl") { files in
                edit(&files)
                files.outputFormat = .jsonl
                files.maxRecordBytes = 3
            }
        }
        #expect(long?.code == .recordTooLarge)
    }

    @Test("columns of several files are the same, or united")
    func columns() throws {
        try directory("in")
        _ = try folder.file("in/a.csv", "id\n1\n")
        _ = try folder.file("in/b.csv", "id,n\n2,20\n")
        #expect(streamError { try process("in", "out.csv") }?.code == .differentColumns)
        try process("in", "out.csv") { $0.columns = .union }
        #expect(try folder.text("out.csv") == "id,n\n1,\n2,20\n")
        // A rule about a column that one of them does not have is about those that do.
        try process("in", "out.csv") { files in
            files.columns = .union
            files.validation = try RecordValidation([FieldRule("n", .integer, isRequired: true)])
            files.rejectsPath = folder.file("no.jsonl")
        }
        #expect(try folder.text("out.csv") == "id,n\n2,20\n" && lines("no.jsonl").count == 1)
    }

    @Test("compressions that names do not tell are said; the engine's chunk size is that of the inputs")
    func compression() throws {
        let packed = folder.file("x.csv.gz")
        let source = try FileStreamSource(folder.file("x.csv", "id\n1\n2\n3\n"))
        try BasicStreamProcessor(source: source, sink: FileStreamSink(packed)).run()
        try FileManager.default.moveItem(atPath: packed, toPath: folder.file("packed"))
        let sizes = Locked<[Int]>([])
        try process("packed", "out") { files in
            files.inputFormat = .csv
            files.inputCompression = .gzip
            files.outputFormat = .jsonl
            files.outputCompression = .lz4
            files.engine.chunkSize = 2
            files.engine.parallelism = 1
            files.transform = { chunk in sizes.withLock { $0.append(chunk.data.count) } }
        }
        #expect(sizes.withLock { $0 } == [2, 1])
        #expect(try bytesOfFile(folder.file("out")).starts(with: [0x04, 0x22, 0x4D, 0x18]))
        #expect(try records(folder.file("out"), format: .jsonl).count == 3)
    }

    // MARK: - Validation, filter, transform

    private static let rules = Result {
        try RecordValidation([FieldRule("id", .integer, isRequired: true), FieldRule("n", .integer, min: 0)])
    }

    @Test(
        "validation comes first, then the filter, then the transform; the ledger tells them apart", arguments: workers)
    func order(workers: Int) throws {
        _ = try folder.file("in.csv", "id,n\n1,1\nx,2\n3,3\n\n4,-4\n5,5\n6,six\n")
        let seen = Locked<[String]>([])
        let metrics = try process("in.csv", "out.jsonl") { files in
            files.engine.parallelism = workers
            files.validation = try Self.rules.get()
            files.rejectsPath = folder.file("no.jsonl")
            files.filter = { record in
                seen.withLock { $0.append(record["id", as: String.self] ?? "-") }
                return record["n", as: Int.self] != 3
            }
            files.transform = { chunk in
                chunk.data.setAll("n", to: -1)
                chunk.data.append(["id": "new"])
            }
        }
        #expect(seen.withLock { $0 } == ["1", "3", "5"])
        #expect(
            try lines("out.jsonl") == ["{\"id\":\"1\",\"n\":-1}", "{\"id\":\"5\",\"n\":-1}", "{\"id\":\"new\"}"])
        let file = folder.file("in.csv")
        #expect(
            try lines("no.jsonl") == [
                reject(#"{"id":"x","n":"2"}"#, "type", "id", "is no integer", file, 2),
                reject(#"{"id":"4","n":"-4"}"#, "min", "n", "is less than 0", file, 5),
                reject(#"{"id":"6","n":"six"}"#, "type", "n", "is no integer", file, 7),
            ])
        #expect(metrics.readRecords == 6 && metrics.rejectedRecords == 3 && metrics.filteredRecords == 1)
        #expect(metrics.addedRecords == 1 && metrics.writtenRecords == 3 && metrics.errorsCount == 0)
    }

    @Test(
        "without a place for rejected records the first one ends the run, named, and nothing is written",
        arguments: workers)
    func invalidRecord(workers: Int) throws {
        try directory("in")
        _ = try folder.file("in/a.csv", "id,n\n1,1\n")
        _ = try folder.file("in/b.csv", "id,n\n2,2\n3,-3\nsecret,4\n")
        let error = streamError {
            try process("in", "out.jsonl") { files in
                files.engine.parallelism = workers
                files.validation = try Self.rules.get()
            }
        }
        #expect(error?.code == .invalidRecord && error?.path == folder.file("in/b.csv") && error?.record == 2)
        #expect(error?.column == "n" && error?.byteOffset == 9 && error?.message == #"min: "n" is less than 0"#)
        #expect(folder.names == ["in"])
    }

    @Test("rejected records come in the order of the input, the same bytes for any number of workers and kind of input")
    func rejectsOrder() throws {
        let count = 30_000
        try directory("in")
        func isBad(_ id: Int) -> Bool { id % 3 == 0 || id > 20_000 }
        func n(_ id: Int) -> Int { isBad(id) ? -id : id }
        _ = try folder.file(
            "in/a.csv", "id,n\n" + (0..<count).map { "\($0),\(n($0))\n\($0 % 7 == 0 ? "\n" : "")" }.joined())
        _ = try folder.file("in/b.jsonl", (0..<count).map { "{\"id\":\($0),\"n\":\(n($0))}\n" }.joined())
        for (input, output) in [("in/a.csv", "out.csv"), ("in/b.jsonl", "out.jsonl"), ("in", "out.jsonl.gz")] {
            var expected: [UInt8] = []
            for workers in Self.workers + [8] {
                let metrics = try process(input, output) { files in
                    files.engine.parallelism = workers
                    files.engine.chunkSize = workers == 2 ? 7000 : 100
                    if input == "in" { files.columns = .union }
                    // Id 0 is bad in neither file.
                    files.validation = try Self.rules.get()
                    files.rejectsPath = folder.file("no.jsonl")
                }
                let bytes = try bytesOfFile(folder.file("no.jsonl"))
                if workers == 1 { expected = bytes }
                #expect(bytes == expected, "\(workers)")
                let bad = (1..<count).count(where: isBad) * (input == "in" ? 2 : 1)
                #expect(metrics.rejectedRecords == bad && metrics.readRecords == metrics.writtenRecords + bad)
            }
            // What is said of a record is so.
            for (file, found) in try Dictionary(grouping: places("no.jsonl"), by: \.file) {
                let isCSV = file.hasSuffix("csv")
                let expected = (1..<count).filter(isBad).map { isCSV ? $0 + 1 + ($0 + 6) / 7 : $0 + 1 }
                #expect(found.map(\.number) == expected, "\(file)")
            }
        }
    }

    /// The line of a rejected record.
    private func reject(
        _ record: String, _ rule: String, _ field: String, _ what: String, _ file: String, _ number: Int
    ) -> String {
        #"{"record":\#(record),"reason":"\#(rule): \"\#(field)\" \#(what)","field":"\#(field)","#
            + #""file":"\#(file)","number":\#(number)}"#
    }

    /// Where rejected records came from.
    private func places(_ name: String) throws -> [(file: String, number: Int)] {
        var places: [(String, Int)] = []
        try FileStreamSource(folder.file(name)).forEach { chunk in
            places += try chunk.data.map { record in
                (try record.require("file", as: String.self), try record.require("number", as: Int.self))
            }
        }
        return places
    }

    @Test("rejected records are what was read, and are published only with the output")
    func rejects() throws {
        _ = try folder.file(
            "in.jsonl", #"{"n":1}"# + "\n" + #"{"n":0.10,"id":12345678901234567890,"x":[{"y":null}]}"# + "\n5\n")
        func run(_ rejects: String, _ edit: (inout FileProcessingConfig) -> Void = { _ in }) throws {
            try process("in.jsonl", "out.jsonl") { files in
                files.validation = try RecordValidation([FieldRule("n", .integer, isRequired: true)])
                files.rejectsPath = folder.file(rejects)
                edit(&files)
            }
        }
        try run("no.jsonl.gz")
        let file = folder.file("in.jsonl")
        let expected = [
            reject(#"{"n":0.10,"id":12345678901234567890,"x":[{"y":null}]}"#, "type", "n", "is no integer", file, 2),
            reject("5", "required", "n", "is missing", file, 3),
        ]
        #expect(try records(folder.file("no.jsonl.gz")) == expected)
        _ = try folder.file("odd.jsonl", #"{ "n" : 1.50, "n": "x\u0041" }"# + "\n")
        try process("odd.jsonl", "out.jsonl") { files in
            files.validation = try RecordValidation([FieldRule("n", .number)])
            files.rejectsPath = folder.file("no.jsonl")
        }
        let odd = #"{"record":{ "n" : 1.50, "n": "x\u0041" },"reason":"type: \"n\" is no number""#
        #expect(try folder.text("no.jsonl").hasPrefix(odd), "byte for byte")
        _ = try folder.file("no.jsonl", "old\n")
        for workers in Self.workers {
            #expect(throws: (any Error).self) {
                try run("no.jsonl") { files in
                    files.engine.parallelism = workers
                    files.transform = { _ in throw CocoaError(.featureUnsupported) }
                }
            }
        }
        #expect(try folder.text("no.jsonl") == "old\n")
        try process("in.jsonl", "out.jsonl") { files in
            files.validation = try RecordValidation([FieldRule("n", min: 0)])
            files.rejectsPath = folder.file("no.jsonl")
        }
        #expect(try folder.text("no.jsonl").isEmpty, "the old ones are no longer true")
    }

    @Test(
        "batch: rejected records of all files are one file; where a file fails, those before it stay",
        arguments: workers)
    func batchRejects(workers: Int) throws {
        try directory("in")
        for number in 1...3 { _ = try folder.file("in/\(number).csv", "id,n\n\(number),\(number)\nx,0\n") }
        func edit(_ files: inout FileProcessingConfig) throws {
            files.mode = .batch
            files.engine.parallelism = workers
            files.validation = try Self.rules.get()
            files.rejectsPath = folder.file("no.jsonl")
        }
        let metrics = try process("in", "out", edit)
        #expect(metrics.rejectedRecords == 3 && metrics.writtenRecords == 3 && metrics.readRecords == 6)
        #expect(try places("no.jsonl").map(\.file) == (1...3).map { folder.file("in/\($0).csv") })
        _ = try folder.file("in/2.csv", "id,n\n1,1,1\n")
        try FileManager.default.removeItem(atPath: folder.file("out"))
        try FileManager.default.removeItem(atPath: folder.file("no.jsonl"))
        let processor = FileProcessor(try config("in", "out", edit))
        let error = streamError { try processor.process() }
        #expect(error?.code == .raggedRecord && error?.path == folder.file("in/2.csv"))
        #expect(folder.names == ["in", "out"] && processor.status == .error)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")) == ["1.csv"])
        #expect(processor.metrics.writtenRecords == 1 && processor.metrics.errorsCount == 1)
    }

    @Test("a step that rejects is retried with its own input, and what it rejected counts once", arguments: workers)
    func retries(workers: Int) throws {
        _ = try folder.file("in.csv", "id,n\n1,1\nx,2\n3,3\n")
        let tries = Tally()
        let metrics = try process("in.csv", "out.jsonl") { files in
            files.engine = StreamConfig(parallelism: workers, maxRetries: 3, retryDelay: RetryDelay(first: 0, cap: 0))
            files.validation = try Self.rules.get()
            files.rejectsPath = folder.file("no.jsonl")
            files.filter = { record in
                if tries.add() < 3 { throw CocoaError(.featureUnsupported) }
                return record["n", as: Int.self] == 3
            }
        }
        #expect(metrics.rejectedRecords == 1 && metrics.filteredRecords == 1 && metrics.writtenRecords == 1)
        #expect(metrics.retriesCount == 2 && metrics.errorsCount == 2)
        let rejecting: ProcessorStep = { chunk, rejected in
            rejected.append(chunk.data)
            chunk.data = []
            if tries.add() % 2 == 0 { throw CocoaError(.featureUnsupported) }
            return true
        }
        var config = StreamConfig(parallelism: workers, maxRetries: 5, retryDelay: RetryDelay(first: 0, cap: 0))
        config.chunkSize = 1
        let run = try StreamRun(config, [rejecting])
        let (sink, rejects) = (KeepingSink(), KeepingSink())
        try run.run(CountingSource([2, 3]), sink, rejects: rejects)
        #expect(rejects.ids == [0, 1, 2, 3, 4] && sink.ids.isEmpty && run.metrics.rejectedRecords == 5)
        #expect(sink.isClosed && !rejects.isClosed && !rejects.isAborted)
        let lost = try StreamRun(config, [rejecting])
        #expect(streamError { try lost.run(CountingSource([2]), KeepingSink()) }?.code == .brokenLedger)
    }

    @Test("a sink of rejected records that fails ends the run", arguments: workers)
    func rejectsFail(workers: Int) throws {
        let rejecting: ProcessorStep = { chunk, rejected in
            rejected.append(chunk.data)
            chunk.data = []
            return true
        }
        for step in [KeepingSink.Step.write(1), .flush] {
            let run = try StreamRun(StreamConfig(parallelism: workers), [rejecting])
            let sink = KeepingSink()
            let error = streamError {
                try run.run(CountingSource([1, 1, 1]), sink, rejects: KeepingSink(failsAt: step))
            }
            #expect(error?.code == .writeFailed && sink.isAborted)
        }
    }

    // MARK: - What is refused

    @Test("options that do not apply are refused, and nothing is written")
    func refused() throws {
        try inputs()
        _ = try folder.file("in.csv", "id,n\n1,1\n")
        _ = try folder.file("in.jsonl", "{}\n")
        let before = folder.names
        func no(_ files: inout FileProcessingConfig) throws {
            files.validation = try Self.rules.get()
            files.rejectsPath = folder.file("no.jsonl")
        }
        typealias Case = (
            what: String, input: String, output: String, edit: (inout FileProcessingConfig) throws -> Void
        )
        let cases: [Case] = [
            ("rejectsPath without validation", "in.csv", "out.jsonl", { $0.rejectsPath = folder.file("no.jsonl") }),
            (
                "rejects as CSV", "in.csv", "out.jsonl",
                {
                    try no(&$0); $0.rejectsPath = folder.file("no.csv")
                }
            ),
            (
                "rejects into the output", "in.csv", "out.jsonl",
                {
                    try no(&$0); $0.rejectsPath = folder.file("out.jsonl")
                }
            ),
            (
                "rejects into the input", "in.jsonl", "out.jsonl",
                {
                    try no(&$0); $0.rejectsPath = folder.file("in.jsonl")
                }
            ),
            (
                "rejects among inputs", "in", "out.jsonl",
                {
                    try no(&$0); $0.rejectsPath = folder.file("in/no.jsonl")
                }
            ),
            (
                "rejects into an output of several", "in", "out",
                {
                    try no(&$0); $0.mode = .batch; $0.rejectsPath = folder.file("out/b.jsonl")
                }
            ),
            ("a pattern for a file", "in.csv", "out.jsonl", { $0.pattern = "*" }),
            ("recursive for a file", "in.csv", "out.jsonl", { $0.recursive = true }),
            ("columns for a file", "in.csv", "out.jsonl", { $0.columns = .union }),
            ("a pattern for a pattern", "in/*.csv", "out.jsonl", { $0.pattern = "*" }),
            ("recursive for a pattern", "in/*.csv", "out.jsonl", { $0.recursive = true }),
            (
                "columns in batch mode", "in", "out",
                {
                    $0.mode = .batch; $0.columns = .union
                }
            ),
            ("batch to standard output", "in", "-", { $0.mode = .batch }),
            ("batch of standard input", "-", "out", { $0.mode = .batch }),
            (
                "chunkSize in whole mode", "in", "out.jsonl",
                {
                    $0.mode = .whole; $0.engine.chunkSize = 5
                }
            ),
            ("an engine that makes no sense", "in", "out.jsonl", { $0.engine.parallelism = 0 }),
            ("CSV options of an input that is none", "in.jsonl", "out.jsonl", { $0.inputCSV.delimiter = ";" }),
            ("CSV options of an output that is none", "in.csv", "out.jsonl", { $0.outputCSV.delimiter = ";" }),
            ("types of what is no CSV", "in.jsonl", "out.jsonl", { $0.types = .inferred }),
            ("columns of an output that is no CSV", "in.csv", "out.jsonl", { $0.outputColumns = ["id"] }),
            ("unknown columns of an output that has none", "in.csv", "out.jsonl", { $0.unknownColumns = .drop }),
            ("a level without compression", "in.csv", "out.jsonl", { $0.level = 1 }),
            ("an output whose format nothing tells", "in.csv", "out", { _ in }),
            (
                "an input whose format nothing tells", "in", "out",
                { files in
                    _ = try folder.file("in/data", "1\n")
                    files.mode = .batch
                }
            ),
            ("the output is the input", "in.csv", "in.csv", { _ in }),
            ("the output is one of the inputs", "in", "in/b.jsonl", { _ in }),
            ("the output would be one", "in", "in/new.jsonl", { _ in }),
            ("the output would be one of a pattern's", "in/*.csv", "in/new.csv", { _ in }),
            ("the output would be one below", "in", "in/deep/new.jsonl", { $0.recursive = true }),
            (
                "the outputs would be inputs", "in", "in",
                {
                    $0.mode = .batch; $0.pattern = "*.csv"; $0.outputFormat = .csv
                }
            ),
            (
                "the outputs would be inputs below", "in", "in/new",
                {
                    $0.mode = .batch; $0.outputFormat = .csv; $0.recursive = true
                }
            ),
        ]
        for item in cases {
            let error = streamError { try process(item.input, item.output, item.edit) }
            #expect(error?.code == .invalidConfiguration, "\(item.what): \(String(describing: error))")
        }
        #expect(folder.names == before)
        #expect(
            FileManager.default.subpaths(atPath: folder.file("in"))?.sorted() == [
                "a1.csv", "a2.csv", "b.jsonl", "data", "deep", "deep/c.csv",
            ])
    }

    @Test("an output beside the inputs that no run would read is none of them")
    func besideInputs() throws {
        try inputs()
        try process("in", "in/all.jsonl") { $0.pattern = "*.csv" }
        #expect(try lines("in/all.jsonl") == Array(Self.numbered[0..<4]))
        try process("in", "in/deep/all.csv") { $0.pattern = "a[12]*" }
        try process("in/*.csv", "in/.hidden.csv")
        try process("in", "in") { files in
            files.mode = .batch
            files.pattern = "*.csv"
            files.outputFormat = .json
        }
        #expect(try folder.text("in/a1.json").hasPrefix("["))
        #expect(try process("in", "out.csv") { $0.pattern = "*.csv" }.itemsProcessed == 4, "as before")
    }

    @Test("two inputs that would become one file are refused before anything is written")
    func clashes() throws {
        try inputs()
        _ = try folder.file("in/b.csv", "id\n1\n")
        let error = streamError {
            try process("in", "out") { files in
                files.mode = .batch
                files.outputFormat = .jsonl
            }
        }
        #expect(error?.code == .invalidConfiguration && error?.path == folder.file("out/b.jsonl"))
        #expect(error?.message.contains("b.csv") == true && folder.names == ["in"])
    }

    @Test(
        "what is not there, or cannot be read, is told, and nothing is written",
        arguments: FileProcessingConfig.Mode.allCases)
    func missing(mode: FileProcessingConfig.Mode) throws {
        try directory("empty")
        try directory("in")
        _ = try folder.file("in/a.csv", "id\n1\n\"")
        _ = try folder.file("file", "")
        let cases: [(input: String, pattern: String?, code: StreamError.Code)] = [
            ("none.csv", nil, .fileNotFound), ("empty", nil, .fileNotFound), ("in", "*.jsonl", .fileNotFound),
            ("in/*.jsonl", nil, .fileNotFound), ("none/*.csv", nil, .fileNotFound), ("in/a.csv", nil, .unclosedQuote),
            ("in", "a/*", .invalidConfiguration),
        ]
        for item in cases {
            let error = streamError {
                try process(item.input, mode == .batch ? "out" : "out.jsonl") { files in
                    files.mode = mode
                    files.pattern = item.pattern
                }
            }
            #expect(error?.code == item.code, "\(item)")
        }
        let left = folder.names.filter { $0 != "out" }
        #expect(left == ["empty", "file", "in"])
        #expect(
            try FileManager.default.contentsOfDirectory(
                atPath: folder.path + (left == folder.names ? "/empty" : "/out")
            ).isEmpty)
        if mode == .batch {
            for output in ["file", "none/out"] {
                let error = streamError { try process("in", output) { $0.mode = mode } }
                #expect(error?.code == .cannotCreate, "\(output)")
            }
        }
    }

    @Test("a rule about a column that CSV does not have is refused")
    func unknownColumn() throws {
        _ = try folder.file("in.csv", "id\n1\n")
        _ = try folder.file("in.jsonl", "{\"id\":1}\n")
        func run(_ input: String) throws {
            try process(input, "out.jsonl") { files in
                files.validation = try RecordValidation([FieldRule("ids", .integer)])
            }
        }
        let error = streamError { try run("in.csv") }
        #expect(error?.code == .unknownColumn && error?.column == "ids" && error?.hint?.contains("id") == true)
        try run("in.jsonl")
    }

    // MARK: - Running

    @Test(
        "a processor tells its progress and how it ends, and may be used again",
        arguments: FileProcessingConfig.Mode.allCases)
    func progress(mode: FileProcessingConfig.Mode) throws {
        try inputs()
        let processor = FileProcessor(
            config("in", mode == .batch ? "out" : "out.jsonl") { files in
                files.mode = mode
                files.pattern = "*.csv"
            })
        let told = Locked<[StreamProgress]>([])
        processor.onProgress(every: 0) { progress in told.withLock { $0.append(progress) } }
        #expect(processor.status == .idle && processor.metrics.readRecords == 0)
        for _ in 0..<2 {
            told.withLock { $0 = [] }
            #expect(try processor.process().itemsProcessed == 4)
            #expect(processor.status == .completed && processor.metrics.itemsProcessed == 4)
            #expect(processor.progress.fraction == 1 && processor.progress.writtenRecords == 4)
            let all = told.withLock { $0 }
            #expect(all.count >= 2 && all.last?.writtenRecords == 4 && all.last?.fraction == 1)
            #expect(zip(all, all.dropFirst()).allSatisfy { $0.writtenRecords <= $1.writtenRecords })
            #expect(zip(all, all.dropFirst()).allSatisfy { $0.fraction ?? 0 <= $1.fraction ?? 0 })
        }
    }

    @Test(
        "a processor can be cancelled, in every mode, and publishes nothing more",
        arguments: FileProcessingConfig.Mode.allCases)
    func cancellation(mode: FileProcessingConfig.Mode) throws {
        try inputs()
        let holder = Locked<FileProcessor?>(nil)
        let processor = FileProcessor(
            config("in", mode == .batch ? "out" : "out.jsonl") { files in
                files.mode = mode
                files.pattern = "*.csv"
                files.transform = { chunk in
                    if chunk.data.contains(where: { $0["id"] == "3" }) { holder.withLock { $0 }?.cancel() }
                }
            })
        processor.cancel()
        #expect(!processor.isCancelled, "nothing is under way")
        holder.withLock { $0 = processor }
        defer { holder.withLock { $0 = nil } }
        #expect(streamError { try processor.process() }?.code == .cancelled)
        #expect(processor.isCancelled && processor.status == .error)
        #expect(folder.names == (mode == .batch ? ["in", "out"] : ["in"]))
        if mode == .batch {
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")) == ["a1.csv"])
        }
        holder.withLock { $0 = nil }
        #expect(try processor.process().itemsProcessed == 4 && !processor.isCancelled)
    }

    @Test("the deadline is that of all files; two processes at once are refused")
    func deadline() throws {
        try inputs()
        let refused = Tally()
        let holder = Locked<FileProcessor?>(nil)
        let processor = FileProcessor(
            config("in", "out") { files in
                files.mode = .batch
                files.pattern = "*.csv"
                files.engine.timeoutSeconds = 1e-9
            })
        #expect(streamError { try processor.process() }?.code == .timedOut)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).isEmpty)
        let other = FileProcessor(
            config("in", "out.jsonl") { files in
                files.pattern = "*.csv"
                files.engine.parallelism = 1
                files.transform = { _ in
                    let error = streamError { try holder.withLock { $0 }?.process() }
                    if error?.code == .invalidConfiguration { refused.add() }
                }
            })
        holder.withLock { $0 = other }
        #expect(try other.process().itemsProcessed == 4 && refused.value == 2)
        holder.withLock { $0 = nil }
    }
}

extension Sequence where Element == UInt8 {
    /// Whether the bytes of `other` come in a row.
    fileprivate func contains(_ other: some Collection<UInt8>) -> Bool {
        let bytes = Array(self)
        return bytes.indices.contains { bytes[$0...].starts(with: other) }
    }
}
