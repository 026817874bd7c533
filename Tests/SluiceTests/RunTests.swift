import Testing

@testable import Sluice

/// What sources and sinks are told, in order.
private final class Log {
    var lines: [String] = []
}

/// A source of anybody's: chunks as they were given, whatever they say of themselves.
private final class LoggedSource: StreamSource {
    private var chunks: [StreamChunk]
    private let log: Log
    private let failsAtEnd: Bool

    init(_ chunks: [StreamChunk], _ log: Log, failsAtEnd: Bool = false) {
        self.chunks = chunks
        self.log = log
        self.failsAtEnd = failsAtEnd
    }

    func readChunk() throws -> StreamChunk? {
        if chunks.isEmpty && failsAtEnd { throw StreamError(.readFailed, "the source fails") }
        return chunks.isEmpty ? nil : chunks.removeFirst()
    }

    func close() { log.lines.append("source closed") }
}

/// A sink of anybody's, which may refuse a chunk or its end.
private final class LoggedSink: StreamSink {
    private let log: Log
    private let failsAt: String?

    init(_ log: Log, failsAt: String? = nil) {
        self.log = log
        self.failsAt = failsAt
    }

    private func note(_ line: String) throws {
        log.lines.append(line)
        if line == failsAt { throw StreamError(.writeFailed, "the sink fails") }
    }

    func writeChunk(_ chunk: StreamChunk) throws { try note("chunk \(chunk.sequenceNumber) of \(chunk.data.count)") }
    func flush() throws { try note("flush") }
    func close() throws { try note("close") }
    func abort() { log.lines.append("abort") }
}

/// A file source that notes how many records each unit has.
private final class UnitSource: SplitSource {
    typealias Unit = FileStreamSource.Unit
    private let source: FileStreamSource
    var records: [Int] = []

    init(_ source: FileStreamSource) { self.source = source }

    var schema: Schema? { source.schema }
    func readChunk() throws -> StreamChunk? { try source.readChunk() }
    func close() { source.close() }
    func cut(_ limit: UnitLimit) throws -> Unit? { try source.cut(limit) }
    func decode(_ unit: Unit) throws -> DecodedUnit {
        let chunks = try source.decode(unit)
        records.append(chunks.recordCount)
        return chunks
    }
}

/// A file source whose cut counts a record more in each unit than there are when it is decoded.
private final class LosingSource: SplitSource {
    struct Unit: StreamUnit {
        let unit: FileStreamSource.Unit
        var recordCount: Int { unit.recordCount + 1 }
        var byteCount: Int { unit.byteCount }
    }
    private let source: FileStreamSource

    init(_ source: FileStreamSource) { self.source = source }

    var schema: Schema? { source.schema }
    func readChunk() throws -> StreamChunk? { try source.readChunk() }
    func close() { source.close() }
    func cut(_ limit: UnitLimit) throws -> Unit? { try source.cut(limit).map(Unit.init) }
    func decode(_ unit: Unit) throws -> DecodedUnit { try source.decode(unit.unit) }
}

/// A file sink that says it encoded fewer records than it did.
private final class LyingSink: SplitSink {
    private let sink: FileStreamSink
    /// Records of each chunk, and where units ended.
    private(set) var calls: [String] = []

    init(_ sink: FileStreamSink) { self.sink = sink }

    var encodedRecords: Int { max(0, sink.encodedRecords - 1) }
    var isReady: Bool { sink.isReady }
    func makeEncoder() throws -> FileStreamSink.Encoder { try sink.makeEncoder() }
    func writeChunk(_ chunk: StreamChunk) throws {
        calls.append("\(chunk.data.count)")
        try sink.writeChunk(chunk)
    }
    func endUnit() throws {
        calls.append("end of unit")
        try sink.endUnit()
    }
    func commit(_ block: EncodedBlock) throws { try sink.commit(block) }
    func flush() throws { try sink.flush() }
    func close() throws { try sink.close() }
    func abort() { sink.abort() }
}

@Suite("Runs")
struct RunTests {
    private func chunks(_ sizes: [Int], isLast: Bool = false) -> [StreamChunk] {
        sizes.enumerated().map { number, size in
            StreamChunk(
                data: RecordBatch((0..<size).map { ["id": Value($0)] }), sequenceNumber: number, isLast: isLast)
        }
    }

    @Test("a run closes source and sink; after an error it closes the source and aborts the sink")
    func closing() {
        struct Oops: Error {}
        let cases: [(what: String, source: Bool, sink: String?, transform: Bool, end: [String])] = [
            ("nothing fails", false, nil, false, ["flush", "close", "source closed"]),
            ("the source fails", true, nil, false, ["abort", "source closed"]),
            ("the sink refuses a chunk", false, "chunk 1 of 1", false, ["abort", "source closed"]),
            ("the transform fails", false, nil, true, ["abort", "source closed"]),
            ("the sink cannot flush", false, "flush", false, ["flush", "abort", "source closed"]),
            ("the sink cannot close", false, "close", false, ["flush", "close", "abort", "source closed"]),
        ]
        for item in cases {
            let log = Log()
            let result = BasicStreamProcessor(
                source: LoggedSource(chunks([2, 1]), log, failsAtEnd: item.source),
                sink: LoggedSink(log, failsAt: item.sink)
            ) { chunk in
                if item.transform && chunk.sequenceNumber == 1 { throw Oops() }
            }.process()
            #expect(result.success == (item.what == "nothing fails"), "\(item.what)")
            #expect(log.lines.filter { !$0.hasPrefix("chunk") } == item.end, "\(item.what)")
        }
    }

    @Test("the end is the source's nil: no chunk that says it is the last one ends a run, and none has to come")
    func lastInforms() throws {
        for isLast in [true, false] {
            let log = Log()
            let result = BasicStreamProcessor(
                source: LoggedSource(chunks([2, 3, 1], isLast: isLast), log), sink: LoggedSink(log)
            ).process()
            #expect(result.processedRecords == 6 && result.processedChunks == 3)
            #expect(log.lines == ["chunk 0 of 2", "chunk 1 of 3", "chunk 2 of 1", "flush", "close", "source closed"])
        }
        // Nor does it end those of several threads, which finish in any order.
        for workers in [1, 2, 3, 8] {
            let log = Log()
            let all = chunks((0..<200).map { $0 % 4 }, isLast: true)
            let metrics = try StreamContext(StreamConfig(parallelism: workers)).stream(
                source: LoggedSource(all, log), sink: LoggedSink(log))
            #expect(metrics.writtenRecords == 300 && metrics.chunksProcessed == 200)
            #expect(log.lines.prefix(200) == ArraySlice((0..<200).map { "chunk \($0) of \($0 % 4)" }), "\(workers)")
        }
        let log = Log()
        let result = BasicStreamProcessor(
            source: LoggedSource(chunks([2, 3, 1]), log), sink: LoggedSink(log)
        ) { (chunk: StreamChunk) in chunk.sequenceNumber == 2 ? nil : chunk }.process()
        #expect(result.processedRecords == 5 && result.filteredRecords == 1)
        #expect(log.lines.suffix(3) == ["flush", "close", "source closed"], "the last chunk was dropped")
    }

    @Test("the books have to be even, whichever counter is off")
    func ledger() throws {
        let even = Ledger(read: 10, added: 2, filtered: 2, rejected: 1, written: 9)
        try even.check()
        for counter in [\Ledger.read, \.added, \.filtered, \.rejected, \.written] {
            for step in [-1, 1] {
                var odd = even
                odd[keyPath: counter] += step
                #expect(streamError { try odd.check() }?.code == .brokenLedger, "\(counter)")
            }
        }
    }

    @Test("the books of every kind of run have to be even, whichever counter is off", arguments: [1, 2])
    func ledgerOfRuns(workers: Int) async throws {
        let counters: [WritableKeyPath<Ledger, Int> & Sendable] = [\.read, \.added, \.filtered, \.rejected, \.written]
        for counter in counters {
            @Sendable func spoil(_ books: Books?) { books?.enter { $0[keyPath: counter] += 1 } }
            let context = StreamContext(StreamConfig(parallelism: workers))
            context.addProcessor { [weak context] _ in spoil(context?.withState { $0.run }?.books) }
            let sink = KeepingSink()
            let error = streamError { try context.stream(source: CountingSource([2]), sink: sink) }
            #expect(error?.code == .brokenLedger && sink.isAborted && !sink.isClosed && context.status == .error)

            let pushed = StreamContext(StreamConfig(parallelism: workers))
            pushed.addProcessor { [weak pushed] _ in spoil(pushed?.withState { $0.push }?.books) }
            #expect(pushed.addChunk(StreamChunk(data: [["id": 1]], isLast: true)))
            #expect(streamError { while try pushed.getNextChunk() != nil {} }?.code == .brokenLedger)
            #expect(pushed.status == .error)
            pushed.close()

            let tasks = AsyncStreamContext(StreamConfig(parallelism: workers))
            tasks.addProcessor { [weak tasks] _ in spoil(tasks?.context.withState { $0.run }?.books) }
            let late = await #expect(throws: StreamError.self) {
                try await tasks.streamAsync(source: CountingSource([2]).chunks) { _ in await Task.yield() }
            }
            #expect(late?.code == .brokenLedger && tasks.status == .error)
        }
    }

    @Test("a sink that lost a record publishes nothing")
    func lostRecord() throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "a\n1\n2\n")
        let result = BasicStreamProcessor(
            source: try FileStreamSource(input), sink: LyingSink(try FileStreamSink(folder.file("x.jsonl")))
        ).process()
        #expect(result.errors.map(\.code) == [.brokenLedger])
        #expect(folder.names == ["x.csv"])
    }

    @Test("a source that decodes other records than it has cut publishes nothing", arguments: [1, 2, 3])
    func lostWhileDecoding(workers: Int) throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "a\n" + (0..<100).map { "\($0)\n" }.joined())
        for isLookedAt in [false, true] {
            let context = StreamContext(StreamConfig(parallelism: workers))
            if isLookedAt { context.addProcessor { _ in } }
            let error = streamError {
                try context.stream(
                    source: LosingSource(try FileStreamSource(input, chunkSize: 10)),
                    sink: try FileStreamSink(folder.file("x.jsonl")))
            }
            #expect(error?.code == .brokenLedger && folder.names == ["x.csv"])
        }
    }

    @Test("a sink that lost a record that waited for the columns publishes nothing")
    func lostWaitingRecord() throws {
        let folder = TemporaryFolder()
        let sink = try FileStreamSink(folder.file("x.csv"))
        try sink.writeChunk(StreamChunk(data: [["a": 1], ["a": 2]]))
        sink.takenRecords += 1
        #expect(streamError { try sink.close() }?.code == .brokenLedger)
        sink.abort()
        #expect(folder.names == [])
    }

    @Test("no more records are read ahead than asked for, but for the chunk that gets there")
    func readAhead() throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + (0..<5000).map { "\($0)\n" }.joined())
        for (chunkSize, bufferSize) in [(1, 1), (10, 1), (10, 25), (100, 100), (1000, 10_000)] {
            let source = UnitSource(try FileStreamSource(path, chunkSize: chunkSize))
            let sink = MemoryStreamSink()
            let result = BasicStreamProcessor(source: source, sink: sink, bufferSize: bufferSize).process()
            #expect(result.processedRecords == 5000 && result.processedChunks == 5000 / chunkSize)
            #expect(source.records.reduce(0, +) == 5000)
            #expect(source.records.allSatisfy { $0 < bufferSize + chunkSize })
        }
    }

    @Test("the same chunks are counted and the same bytes come out, whether a transform looks at them or not")
    func chunksUnseen() throws {
        let folder = TemporaryFolder()
        let text = "a,b\n" + (0..<60_000).map { "\($0),x\n" }.joined()
        for (input, size) in [("x.csv", 1), ("x.csv", 7), ("x.csv", 1000), ("empty.csv", 1)] {
            let path = try folder.file(input, input == "empty.csv" ? "a,b\n" : text)
            for output in ["x.jsonl", "y.csv", "z.json.gz"] {
                func run(_ name: String, _ transform: ((inout StreamChunk) throws -> Void)?) throws -> ProcessingResult
                {
                    try BasicStreamProcessor(
                        source: FileStreamSource(path, chunkSize: size), sink: FileStreamSink(folder.file(name)),
                        transform: transform
                    ).run()
                }
                let unseen = try run(output, nil)
                var sizes: [Int] = []
                let seen = try run("seen." + output) { sizes.append($0.data.count) }
                #expect(unseen.processedChunks == sizes.count && seen.processedChunks == sizes.count)
                #expect(unseen.processedRecords == sizes.reduce(0, +) && unseen.readRecords == unseen.processedRecords)
                #expect(sizes.dropLast().allSatisfy { $0 == size })
                #expect(try bytesOfFile(folder.file(output)) == bytesOfFile(folder.file("seen." + output)))
            }
        }
    }

    @Test("a sink that does not take units at once is handed each chunk, and the end of the unit")
    func chunksOfUnit() throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "a\n1\n2\n3\n4\n5\n")
        let sink = LyingSink(try FileStreamSink(folder.file("x.jsonl")))
        _ = BasicStreamProcessor(source: try FileStreamSource(input, chunkSize: 2), sink: sink).process()
        #expect(sink.calls == ["2", "2", "1", "end of unit"])
    }

    @Test("a run that comes after the end of its source or sink fails, and publishes nothing")
    func secondRun() throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "a\n1\n")
        let file = BasicStreamProcessor(
            source: try FileStreamSource(input), sink: try FileStreamSink(folder.file("x.jsonl")))
        let memory = BasicStreamProcessor(
            source: MemoryStreamSource([["a": 1]] as [Record]), sink: try FileStreamSink(folder.file("y.jsonl")))
        for processor in [file, memory] {
            #expect(processor.process().success)
            #expect(processor.process().errors.map(\.code) == [.closed])
        }
        #expect(try folder.text("x.jsonl") == "{\"a\":\"1\"}\n")
        #expect(try folder.text("y.jsonl") == "{\"a\":1}\n")
    }

    @Test("sources close once and for all, whatever was read of them")
    func closedSources() throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n1\n2\n")
        for reads in 0...3 {
            let sources: [any StreamSource] = [
                try FileStreamSource(path, chunkSize: 1),
                MemoryStreamSource([["a": "1"], ["a": "2"]] as [Record], chunkSize: 1),
            ]
            for source in sources {
                var kept: [StreamChunk] = []
                for _ in 0..<reads { if let chunk = try source.readChunk() { kept.append(chunk) } }
                source.close()
                source.close()
                #expect(streamError { _ = try source.readChunk() }?.code == .closed)
                #expect(kept.flatMap { $0.data.column("a", as: Int.self) } == Array(1...2).prefix(reads).map { $0 })
            }
        }
    }

    @Test("what a memory sink or an owned record keeps does not hold the block it was read into")
    func compactCopies() throws {
        let folder = TemporaryFolder()
        let inputs: [(path: String, select: [String]?)] = [
            (try folder.file("x.csv", "a,b\n1,\"x,\"\n2,y\n3,z\n"), nil),
            (try folder.file("y.csv", "b,a\n\"x,\",1\ny,2\nz,3\n"), ["a", "b"]),
            (try folder.file("x.jsonl", #"{"a":"1","b":"x,"}\#n{"a":"2","b":"y"}\#n{"a":"3","b":"z"}\#n"#), nil),
            (
                try folder.file("y.jsonl", #"{"b":"x,","a":"1"}\#n{"b":"y","a":"2"}\#n{"b":"z","a":"3"}\#n"#),
                ["a", "b"]
            ),
        ]
        for input in inputs {
            let sink = MemoryStreamSink()
            var owned: [Record] = []
            weak var block: BatchBase?
            func read() throws {
                let source = try FileStreamSource(input.path, select: input.select)
                while let chunk = try source.readChunk() {
                    block = chunk.data.storage.base
                    #expect(block != nil)
                    owned += chunk.data.map { $0.owned() }
                    try sink.writeChunk(chunk)
                }
            }
            try read()
            #expect(block == nil, "\(input.path)")
            let lines = [#"{"a":"1","b":"x,"}"#, #"{"a":"2","b":"y"}"#, #"{"a":"3","b":"z"}"#]
            #expect(sink.records.map(\.description) == lines && owned.map(\.description) == lines, "\(input.path)")
            #expect(owned.map(\.number) == [1, 2, 3] && sink.records.map(\.number) == [1, 2, 3])
        }
    }
}
