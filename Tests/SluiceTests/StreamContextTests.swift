import Foundation
import TestSupport
import Testing

@testable import Sluice

@Suite("Contexts")
struct StreamContextTests {
    private static let workers = [1, 2, 3, 4, 8, 16]

    /// No waiting between tries.
    private func config(_ workers: Int, retries: Int = 0, _ edit: (inout StreamConfig) -> Void = { _ in })
        -> StreamConfig
    {
        var config = StreamConfig(
            parallelism: workers, retryOnError: retries > 0, maxRetries: retries,
            retryDelay: RetryDelay(first: 0, cap: 0))
        edit(&config)
        return config
    }

    private struct Oops: Error, Equatable { var chunk = 0 }

    @Test("records keep their order, for any number of threads and chunks of any size", arguments: workers)
    func order(workers: Int) throws {
        var random = SplitMix64(seed: UInt64(workers))
        for _ in 0..<20 {
            let sizes = (0..<Int.random(in: 0...60, using: &random)).map { _ in Int.random(in: 0...9, using: &random) }
            let source = CountingSource(sizes)
            let sink = KeepingSink()
            let context = StreamContext(
                config(workers) {
                    $0.bufferSize = 20; $0.backpressureThreshold = 10
                })
            context.addProcessor { chunk in
                // The first takes longest, and so do some others.
                if chunk.sequenceNumber % 7 == 0 { for _ in 0..<1000 / step { chunk.data.setAll("x", to: 1) } }
            }
            let metrics = try context.stream(source: source, sink: sink)
            let count = sizes.reduce(0, +)
            #expect(sink.ids == Array(0..<count) && sink.isClosed && !sink.isAborted && source.isClosed)
            #expect(metrics.readRecords == count && metrics.itemsProcessed == count && metrics.errorsCount == 0)
            #expect(metrics.chunksProcessed == sizes.count && context.status == .completed)
        }
    }

    @Test("processors edit, filter and add, in the order in which they were added", arguments: workers)
    func processors(workers: Int) throws {
        let context = StreamContext(config(workers))
        #expect(context.status == .idle)
        context.addProcessor { chunk in chunk.data.removeAll { ($0["id", as: Int.self] ?? 0) % 2 == 1 } }
        context.addProcessor { (chunk: StreamChunk) in chunk.sequenceNumber == 3 ? nil : chunk }
        context.addProcessor { chunk in chunk.data.append(["id": Value(-chunk.sequenceNumber - 1)]) }
        let sink = KeepingSink()
        let metrics = try context.stream(
            source: CountingSource([4, 4, 4, 4, 4]), sink: sink,
            transform: { chunk in chunk.data.removeAll { $0["id", as: Int.self] == 0 } })
        #expect(sink.ids == [2, -1, 4, 6, -2, 8, 10, -3, 16, 18, -5])
        #expect(metrics.readRecords == 20 && metrics.addedRecords == 4 && metrics.writtenRecords == 11)
        #expect(metrics.filteredRecords == 13 && metrics.rejectedRecords == 0 && metrics.chunksProcessed == 4)
        // The transform was of that run alone, and the context can run again.
        let again = KeepingSink()
        try context.stream(source: CountingSource([2]), sink: again)
        #expect(again.ids == [0, -1])
    }

    @Test("a processor that takes everything away leaves an output without records", arguments: workers)
    func nothingLeft(workers: Int) throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "a,b\n" + (0..<5000).map { "\($0),x\n" }.joined())
        for name in ["x.jsonl", "y.csv", "y.json", "y.jsonl.gz", "y.jsonl.lz4"] {
            let context = StreamContext(config(workers))
            context.addProcessor { _ in nil }
            let metrics = try context.stream(
                source: try FileStreamSource(input), sink: try FileStreamSink(folder.file(name)))
            #expect(metrics.filteredRecords == 5000 && metrics.writtenRecords == 0)
            let left = try records(folder.file(name))
            #expect(left == [])
        }
        #expect(try folder.text("y.csv") == "a,b\n" && folder.text("y.json") == "[]\n")
    }

    @Test("the error of the earliest chunk ends the run, and all before it was written", arguments: workers)
    func earliestError(workers: Int) throws {
        let sizes = Array(repeating: 3, count: 12)
        for k in 0..<sizes.count {
            let context = StreamContext(config(workers))
            context.addProcessor { chunk in
                if chunk.sequenceNumber >= k { throw Oops(chunk: chunk.sequenceNumber) }
            }
            let source = CountingSource(sizes)
            let sink = KeepingSink()
            #expect(throws: Oops(chunk: k)) { try context.stream(source: source, sink: sink) }
            #expect(sink.ids == Array(0..<3 * k) && sink.isAborted && !sink.isClosed && source.isClosed)
            #expect(context.status == .error && context.metrics.errorsCount == 1)
            #expect(context.metrics.writtenRecords == 3 * k)
        }
    }

    @Test("chunks before the one that failed reach the sink, however many are read at once", arguments: workers)
    func earliestErrorOfFile(workers: Int) throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "id\n" + (0..<100).map { "\($0)\n" }.joined())
        for k in [0, 1, 5, 99] {
            let context = StreamContext(config(workers))
            context.addProcessor { chunk in
                if chunk.sequenceNumber >= k { throw Oops(chunk: chunk.sequenceNumber) }
            }
            for sink in [KeepingSink(), PromptSink()] {
                #expect(throws: Oops(chunk: k)) {
                    try context.stream(source: FileStreamSource(path, chunkSize: 1), sink: sink)
                }
                #expect(sink.ids == Array(0..<k) && sink.isAborted && context.metrics.writtenRecords == k)
                #expect(context.metrics.chunksProcessed == k)
            }
            #expect(throws: Oops(chunk: k)) {
                try context.stream(
                    source: FileStreamSource(path, chunkSize: 1), sink: FileStreamSink(folder.file("x.jsonl")))
            }
            #expect(folder.names == ["x.csv"] && context.metrics.writtenRecords == k)
        }
        // What the sink took before it failed is written.
        for hasProcessor in [false, true] {
            let context = StreamContext(config(workers))
            if hasProcessor { context.addProcessor { _ in } }
            let sink = KeepingSink(failsAt: .write(5))
            let error = streamError { try context.stream(source: FileStreamSource(path, chunkSize: 1), sink: sink) }
            #expect(error?.code == .writeFailed && sink.ids == Array(0..<5) && context.metrics.writtenRecords == 5)
        }
    }

    @Test("the error of an earlier chunk comes first, also where the sink refuses what it holds", arguments: workers)
    func earlierEncodeError(workers: Int) throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "id\n" + (0..<100).map { "\($0)\n" }.joined())
        let context = StreamContext(config(workers))
        context.addProcessor { chunk in
            if chunk.sequenceNumber == 12 { chunk.data.setAll("more", to: 1) }
            if chunk.sequenceNumber >= 15 { throw Oops(chunk: chunk.sequenceNumber) }
        }
        let error = streamError {
            try context.stream(
                source: FileStreamSource(path, chunkSize: 1),
                sink: FileStreamSink(folder.file("y.csv"), columns: ["id"]))
        }
        #expect(error?.code == .unknownKey && folder.names == ["x.csv"], "\(String(describing: error))")
    }

    @Test(
        "of two records that cannot be written the first is told, however many go at once", arguments: workers,
        [1, 3, 1000])
    func earliestRecord(workers: Int, chunkSize: Int) throws {
        let folder = TemporaryFolder()
        for later in ["7", "{\"a\":1,\"b\":2}"] {
            let text = "{\"a\":1}\n{\"a\":\"\(String(repeating: "long ", count: 2000))\"}\n{\"a\":\"x,y\"}\n\(later)\n"
            let path = try folder.file("x.jsonl", text)
            let error = streamError {
                try StreamContext(config(workers)).stream(
                    source: FileStreamSource(path, chunkSize: chunkSize),
                    sink: FileStreamSink(folder.file("x.csv"), csv: CSVOptions(quote: nil), columns: ["a"]))
            }
            #expect(error?.code == .needsQuotes && error?.record == 3, "\(String(describing: error))")
        }
    }

    @Test("an error of the source or the sink ends the run, wherever it comes", arguments: workers)
    func outsideErrors(workers: Int) throws {
        let sizes = Array(repeating: 2, count: 9)
        for k in 0...sizes.count {
            let sink = KeepingSink()
            let error = streamError {
                try StreamContext(config(workers)).stream(source: CountingSource(sizes, failsAt: k), sink: sink)
            }
            #expect(error?.code == .readFailed && sink.ids == Array(0..<2 * k) && sink.isAborted)
        }
        for step in (0..<9).map(KeepingSink.Step.write) + [.flush, .close] {
            let sink = KeepingSink(failsAt: step)
            let source = CountingSource(sizes)
            let context = StreamContext(config(workers))
            let error = streamError { try context.stream(source: source, sink: sink) }
            #expect(error?.code == .writeFailed && sink.isAborted && !sink.isClosed && source.isClosed)
            #expect(context.status == .error)
        }
    }

    @Test("a step that fails is tried again with its own input, as often as it may", arguments: workers)
    func retries(workers: Int) throws {
        for (retries, failures) in [(0, 0), (0, 1), (1, 1), (3, 2), (3, 3), (3, 4)] {
            let before = Tally()
            let tries = Tally()
            let context = StreamContext(config(workers, retries: retries))
            context.addProcessor { chunk in
                before.add()
                chunk.data.setAll("before", to: true)
            }
            context.addProcessor { chunk in
                guard chunk.sequenceNumber == 2 else { return }
                let isClean = chunk.data.allSatisfy { $0["before"] == true && $0["half"] == nil }
                chunk.data.setAll("half", to: 1)
                chunk.data.removeAll { $0["id", as: Int.self] == 4 }
                if !isClean { throw StreamError(.typeMismatch, "an earlier try has left a trace") }
                if tries.add() <= failures { throw Oops() }
            }
            let sink = KeepingSink()
            let isMended = failures <= retries
            do {
                let metrics = try context.stream(source: CountingSource([2, 2, 2, 2]), sink: sink)
                #expect(isMended && sink.ids == [0, 1, 2, 3, 5, 6, 7])
                #expect(metrics.retriesCount == failures && metrics.errorsCount == failures)
                #expect(before.value == 4, "the step before is not called again")
            } catch {
                #expect(!isMended && error is Oops)
                #expect(context.metrics.retriesCount == retries && context.metrics.errorsCount == retries + 1)
            }
            #expect(tries.value == min(failures, retries) + 1)
        }
    }

    @Test("what is wrong with the data is not tried again", arguments: [1, 2])
    func noRetryOfData(workers: Int) {
        let tries = Tally()
        let context = StreamContext(config(workers, retries: 3))
        context.addProcessor { chunk in
            tries.add()
            _ = try chunk.data[0].require("missing", as: Int.self)
        }
        let error = streamError { try context.stream(source: CountingSource([1]), sink: KeepingSink()) }
        #expect(error?.code == .missingField && tries.value == 1)
    }

    @Test(
        "what lies outside the data is tried again",
        arguments: [StreamError.Code.databaseBusy, .noSpace, .fileNotFound])
    func retryOfOthers(code: StreamError.Code) throws {
        let tries = Tally()
        let context = StreamContext(config(2, retries: 2))
        context.addProcessor { _ in if tries.add() < 3 { throw StreamError(code, "not now") } }
        let metrics = try context.stream(source: CountingSource([1]), sink: KeepingSink())
        #expect(metrics.writtenRecords == 1 && metrics.retriesCount == 2)
    }

    @Test("files come out the same, to the byte, for any number of threads", arguments: ["csv", "jsonl", "json"])
    func determinism(format: String) throws {
        let folder = TemporaryFolder()
        let count = step == 1 ? 20_000 : 4_000
        let rows = (0..<count).map { "\($0),\"name \($0 % 91), \"\"x\"\"\n\($0)\",\($0 % 7 == 0 ? "" : "é")\n" }
        _ = try folder.file("in.csv", "id,text,more\n" + rows.joined())
        try StreamContext(config(1)).stream(
            source: try FileStreamSource(folder.file("in.csv")), sink: try FileStreamSink(folder.file("in.\(format)")))
        for suffix in ["", ".gz", ".lz4"] {
            for chunkSize in step == 1 ? [7, 1000] : [500] {
                var first: [UInt8]?
                for workers in step == 1 ? Self.workers : [1, 3] {
                    let output = folder.file("out.jsonl\(suffix)")
                    let context = StreamContext(config(workers) { $0.chunkSize = chunkSize })
                    context.addProcessor { chunk in chunk.data.setAll("seen", to: true) }
                    let metrics = try context.stream(
                        source: try FileStreamSource(folder.file("in.\(format)")), sink: try FileStreamSink(output))
                    #expect(metrics.writtenRecords == count)
                    let bytes = try bytesOfFile(output)
                    #expect(bytes == first ?? bytes, "\(workers) workers, chunks of \(chunkSize), \(suffix)")
                    first = bytes
                }
                #expect(try records(folder.file("out.jsonl\(suffix)")).count == count)
            }
        }
    }

    @Test("bad data far into a file is the same error for any number of threads")
    func badData() throws {
        let folder = TemporaryFolder()
        let good = (0..<30_000).map { "\($0),x\n" }.joined()
        let path = try folder.file("x.csv", "a,b\n" + good + "1\n" + good + "2\n")
        var first: String?
        for workers in Self.workers {
            let error = streamError {
                try StreamContext(config(workers)).stream(
                    source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("x.jsonl")))
            }
            #expect(error?.code == .raggedRecord && error?.record == 30_001)
            #expect(error?.description == first ?? error?.description)
            first = error?.description
            #expect(folder.names == ["x.csv"])
        }
    }

    @Test("between files and memory no more threads run than cores are good for, but where processors may wait")
    func workersWithoutProcessor() throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + (0..<100).map { "\($0)\n" }.joined())
        let records = (0..<100).map { ["a": .int($0)] as Record }
        let sources: [() throws -> any StreamSource] = [
            { try FileStreamSource(path, chunkSize: 1) }, { MemoryStreamSource(records, chunkSize: 1) },
        ]
        let sinks: [() throws -> any StreamSink] = [
            { try FileStreamSink(folder.file("x.jsonl")) }, MemoryStreamSink.init,
        ]
        let cores = StreamConfig.activeCores
        for source in sources {
            for sink in sinks {
                let context = StreamContext(config(128))
                func workers() throws -> Int {
                    let metrics = try context.stream(source: source(), sink: sink())
                    #expect(metrics.writtenRecords == 100 && context.progress?.fraction == 1)
                    return metrics.workers
                }
                #expect(try workers() == (cores <= 2 ? 4 : cores < 64 ? 2 * cores : 128))
                context.addProcessor { _ in }
                #expect(try workers() == 128)
            }
        }
    }

    @Test("metrics count bytes and time, and the configuration's numbers act")
    func metrics() throws {
        let folder = TemporaryFolder()
        let text = "a,b\n" + (0..<20_000).map { "\($0),xxxxxxxxxx\n" }.joined()
        let path = try folder.file("x.csv", text)
        for workers in [1, 2] {
            let context = StreamContext(config(workers) { $0.chunkSize = 100 })
            let sink = try FileStreamSink(folder.file("x.jsonl.gz"))
            let metrics = try context.stream(source: try FileStreamSource(path), sink: sink)
            #expect(metrics.bytesRead == text.utf8.count && metrics.bytesProcessed == text.utf8.count - 4)
            #expect(metrics.bytesWritten == sink.bytesWritten && metrics.bytesEncoded > metrics.bytesWritten)
            #expect(metrics.chunksProcessed == 200 && metrics.workers == workers)
            #expect(metrics.durationSeconds() > 0 && metrics.throughputItemsPerSecond() > 0)
            #expect(metrics.peakMemoryMB > 0 && metrics.peakResidentBytes > metrics.peakBudgetBytes)
            #expect(metrics.write.busy > 0 && metrics.bottleneck != nil)
            let untimed = try StreamContext(config(workers) { $0.enableMetrics = false }).stream(
                source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("y.jsonl")))
            #expect(untimed.write.busy == 0 && untimed.bottleneck == nil && untimed.writtenRecords == 20_000)
        }
    }

    @Test("a unit that does not fit the memory is a clear error, and nothing is published")
    func memoryLimit() throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + String(repeating: "x", count: 6 << 20) + "\n1\n")
        for workers in [1, 4] {
            let error = streamError {
                try StreamContext(config(workers) { $0.memoryLimitMB = 4 }).stream(
                    source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("x.jsonl")))
            }
            #expect(error?.code == .memoryLimit && error?.hint?.contains("memoryLimitMB") == true)
            #expect(folder.names == ["x.csv"])
        }
        let metrics = try StreamContext(config(4) { $0.memoryLimitMB = 64 }).stream(
            source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("x.jsonl")))
        #expect(metrics.writtenRecords == 2 && metrics.peakBudgetBytes <= 64 << 20)
    }

    @Test("what processors add is memory of the run, until it is written", arguments: [1, 2, 3])
    func addedMemory(workers: Int) throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + String(repeating: "1\n", count: 20_000))
        let text = String(repeating: "x", count: 1000)
        var peaks: [Int] = []
        for adds in [false, true] {
            let context = StreamContext(config(workers))
            if adds {
                context.addProcessor { chunk in for i in chunk.data.indices { chunk.data[i]["b"] = .string(text) } }
            }
            let sink = KeepingSink()
            peaks.append(try context.stream(source: try FileStreamSource(path), sink: sink).peakBudgetBytes)
            #expect(sink.ids.count == 20_000)
        }
        // A chunk of 1000 records at least.
        #expect(peaks[1] > peaks[0] + 1_000_000, "\(peaks)")
    }

    @Test("a source that is faster than its sink is paused, and no more than the buffer's records are queued")
    func backpressure() throws {
        let highest = Tally()
        let context = StreamContext(
            config(2) {
                $0.bufferSize = 40
                $0.backpressureThreshold = 20
            })
        let source = CountingSource(Array(repeating: 5, count: 200))
        // Each chunk that is written sees how far the source is ahead; the first stays until the source is paused for it.
        let sink = WatchingSink { written in
            while written == 0 && context.status != .paused && context.metrics.readRecords < 1000 { sched_yield() }
            let ahead = context.metrics.readRecords - written
            while highest.value < ahead { highest.add() }
            return context.status
        }
        let metrics = try context.stream(source: source, sink: sink)
        #expect(metrics.writtenRecords == 1000)
        // Those in work are not queued: two workers' and the writer's chunks, and the one that was let through last.
        #expect(highest.value <= 40 + 4 * 5, "\(highest.value) records were under way")
        #expect(metrics.pauseCount > 0 && metrics.pausedSeconds > 0)
        #expect(sink.statuses.isSubset(of: [.active, .paused]))
    }

    private final class WatchingSink: StreamSink {
        private let watch: (Int) -> StreamStatus
        private var written = 0
        private(set) var statuses: Set<StreamStatus> = []

        init(_ watch: @escaping (Int) -> StreamStatus) { self.watch = watch }

        func writeChunk(_ chunk: StreamChunk) throws {
            statuses.insert(watch(written))
            written += chunk.data.count
        }
    }

    @Test("a run can be cancelled from any thread, at any stage, and publishes nothing", arguments: workers)
    func cancellation(workers: Int) throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + (0..<50_000).map { "\($0)\n" }.joined())
        for k in [0, 1, 20] {
            let context = StreamContext(config(workers))
            context.addProcessor { [weak context] chunk in if chunk.sequenceNumber == k { context?.cancel() } }
            let error = streamError {
                try context.stream(source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("x.jsonl")))
            }
            #expect(error?.code == .cancelled && context.status == .error)
            #expect(folder.names == ["x.csv"])
        }
    }

    @Test("a run can be cancelled by its source and its sink, in any call but the last", arguments: [1, 2, 3])
    func cancellationOfParts(workers: Int) {
        for isPrompt in [false, true] {
            for k in [0, 3, 9] {
                let context = StreamContext(config(workers))
                let source = CancellingSource(context, k, isPrompt)
                let sink = isPrompt ? PromptSink() : KeepingSink()
                let error = streamError { try context.stream(source: source, sink: sink) }
                #expect(error?.code == .cancelled && sink.isAborted && !sink.isClosed && source.isClosed)
                #expect(sink.ids.count <= 2 * (k + 1) && context.status == .error)
            }
        }
        for step in [.write(0), .write(9), .flush] as [KeepingSink.Step] {
            let context = StreamContext(config(workers))
            let sink = CancellingSink(context, step)
            let error = streamError {
                try context.stream(source: CountingSource(Array(repeating: 2, count: 10)), sink: sink)
            }
            #expect(error?.code == .cancelled && sink.isAborted && !sink.isClosed, "\(step)")
        }
    }

    private final class CancellingSource: StreamSource, RunParticipant {
        private let context: StreamContext
        private let cancelsAt: Int
        let mayBlock: Bool
        private var chunk = 0
        private(set) var isClosed = false

        init(_ context: StreamContext, _ cancelsAt: Int, _ isPrompt: Bool) {
            (self.context, self.cancelsAt, mayBlock) = (context, cancelsAt, !isPrompt)
        }

        func join(_ terms: RunTerms) {}
        func readChunk() -> StreamChunk? {
            if chunk == cancelsAt { context.cancel() }
            guard chunk < 10 else { return nil }
            chunk += 1
            return StreamChunk(
                data: [["id": Value(2 * chunk)], ["id": Value(2 * chunk + 1)]], sequenceNumber: chunk - 1)
        }
        func close() { isClosed = true }
    }

    private final class CancellingSink: KeepingSink {
        private let context: StreamContext
        private let step: Step
        private var chunk = 0

        init(_ context: StreamContext, _ step: Step) { (self.context, self.step) = (context, step) }

        override func writeChunk(_ chunk: StreamChunk) throws {
            if step == .write(self.chunk) { context.cancel() }
            self.chunk += 1
            try super.writeChunk(chunk)
        }
        override func flush() throws {
            if step == .flush { context.cancel() }
            try super.flush()
        }
    }

    @Test("the stage that holds a run back is named, and what was left of it is estimated")
    func bottleneck() throws {
        // Each part is busy in turn, five thousandths of a second a chunk.
        @Sendable func work() {
            let start = Clock.monotonicSeconds()
            while Clock.monotonicSeconds() - start < 0.005 {}
        }
        for slow in ["read", "work", "write"] {
            let context = StreamContext(config(1))
            if slow == "work" { context.addProcessor { _ in work() } }
            let metrics = try context.stream(
                source: BusySource { if slow == "read" { work() } },
                sink: WatchingSink { _ in
                    if slow == "write" { work() }
                    return context.status
                })
            #expect(metrics.bottleneck == slow, "\(metrics)")
            let busy = [metrics.read.busy, metrics.process.busy, metrics.write.busy].max() ?? 0
            #expect(busy >= 0.1)
        }
    }

    private final class BusySource: CountingSource {
        private let work: () -> Void
        init(_ work: @escaping () -> Void) {
            self.work = work
            super.init(Array(repeating: 2, count: 20))
        }
        override func readChunk() throws -> StreamChunk? {
            let chunk = try super.readChunk()
            if chunk != nil { work() }
            return chunk
        }
    }

    @Test("a run ends at its deadline, or cancelled, though its source says nothing", arguments: [1, 2])
    func silentSource(workers: Int) throws {
        let folder = TemporaryFolder()
        // Open for writing here, too, so that it is silent and does not end.
        let path = folder.file("pipe.csv")
        try #require(mkfifo(path, 0o600) == 0)
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        for isCancelled in [false, true] {
            let text = "a\n1\n2\n"
            try #require(write(descriptor, text, text.utf8.count) == text.utf8.count)
            let context = StreamContext(config(workers) { if !isCancelled { $0.timeoutSeconds = 0.05 } })
            let source = try FileStreamSource(path)
            let sink = try FileStreamSink(folder.file("out.jsonl"))
            // A cancel before the run has begun ends nothing, so it may take several.
            if isCancelled {
                Thread {
                    repeat {
                        context.cancel()
                        sched_yield()
                    } while context.status != .error
                }.start()
            }
            let error = streamError { try context.stream(source: source, sink: sink) }
            #expect(error?.code == (isCancelled ? .cancelled : .timedOut))
            #expect(folder.names == ["pipe.csv"])
        }
    }

    @Test("a run ends at its deadline, or cancelled, though nobody reads its output", arguments: [1, 2])
    func fullPipe(workers: Int) throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "a\n" + (0..<100_000).map { "\($0)\n" }.joined())
        let path = folder.file("pipe")
        try #require(mkfifo(path, 0o600) == 0)
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        for isCancelled in [false, true] {
            let context = StreamContext(config(workers) { if !isCancelled { $0.timeoutSeconds = 0.05 } })
            let (source, sink) = (try FileStreamSource(input), try FileStreamSink(path, format: .jsonl))
            if isCancelled {
                // The pipe is still full of what the run before has written: what was read is soon to be written.
                Thread {
                    while context.metrics.readRecords == 0 { sched_yield() }
                    let start = Clock.monotonicSeconds()
                    while Clock.monotonicSeconds() - start < 0.01 { sched_yield() }
                    context.cancel()
                }.start()
            }
            let error = streamError { try context.stream(source: source, sink: sink) }
            #expect(error?.code == (isCancelled ? .cancelled : .timedOut) && context.status == .error)
        }
    }

    @Test("an error stays the status when the context is closed, and a run that ended well stays completed")
    func finalStatus() throws {
        let failed = StreamContext(config(2))
        #expect(streamError { try failed.stream(source: CountingSource([1], failsAt: 1), sink: KeepingSink()) } != nil)
        failed.close()
        failed.cancel()
        #expect(failed.status == .error)
        let ended = StreamContext(config(2))
        try ended.stream(source: CountingSource([1]), sink: KeepingSink())
        ended.cancel()
        ended.close()
        #expect(ended.status == .completed && ended.metrics.writtenRecords == 1)
    }

    @Test("a stage that is slow is no end of another: nothing is published without what is still under way")
    func slowStages() throws {
        let gate = Locked(0)
        let sink = KeepingSink()
        let context = StreamContext(config(2))
        // The first chunk waits until all others are done.
        context.addProcessor { chunk in
            if chunk.sequenceNumber == 0 { gate.wait { $0 == 7 } } else { gate.withLock { $0 += 1 } }
        }
        try context.stream(source: CountingSource(Array(repeating: 3, count: 8)), sink: sink)
        #expect(sink.ids == Array(0..<24) && sink.isClosed)
    }

    @Test("two runs at once on one context are refused, and the first goes on")
    func oneAtATime() throws {
        let context = StreamContext(config(2))
        let refused = Tally()
        context.addProcessor { [weak context] chunk in
            guard chunk.sequenceNumber == 0, let context else { return }
            let error = streamError { try context.stream(source: CountingSource([1]), sink: KeepingSink()) }
            if error?.code == .invalidConfiguration { refused.add() }
        }
        let sink = KeepingSink()
        try context.stream(source: CountingSource([1, 1]), sink: sink)
        #expect(refused.value == 1 && sink.ids == [0, 1] && context.status == .completed)
        context.close()
        let error = streamError { try context.stream(source: CountingSource([1]), sink: KeepingSink()) }
        #expect(error?.code == .closed)
    }

    @Test("progress is told in order, up to the end of the input")
    func progress() throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + (0..<200_000).map { "\($0)\n" }.joined())
        for workers in [1, 2] {
            let context = StreamContext(config(workers))
            let told = Log()
            context.onProgress(every: 0) { told.add($0) }
            try context.stream(
                source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("x.jsonl")))
            let all = told.all
            #expect(all.count > 1 && all.map(\.writtenRecords) == all.map(\.writtenRecords).sorted())
            #expect(all.allSatisfy { ($0.fraction ?? -1) > 0 && ($0.fraction ?? 2) <= 1 })
            #expect(context.progress?.fraction == 1 && context.progress?.writtenRecords == 200_000)
        }
    }

    @Test(
        "progress is told no more often than asked for, and once at the end; what is left is estimated from the share that is done"
    )
    func progressRate() throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + (0..<200_000).map { "\($0)\n" }.joined())
        for workers in [1, 2] {
            let context = StreamContext(config(workers))
            let (often, rarely) = (Log(), Log())
            context.onProgress(every: 0) { often.add($0) }
            context.onProgress(every: 1e6) { rarely.add($0) }
            try context.stream(source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("x.jsonl")))
            #expect(rarely.all.count == 1 && rarely.all[0].writtenRecords == 200_000)
            for progress in often.all {
                let share = try #require(progress.fraction)
                #expect(progress.seconds > 0)
                #expect(progress.recordsPerSecond == Double(progress.writtenRecords) / progress.seconds)
                let left = try #require(progress.secondsLeft)
                #expect(abs(left - progress.seconds * (1 - share) / share) <= 1e-9 * (1 + left))
            }
            #expect(often.all.last?.secondsLeft == 0)
        }
    }

    @Test("progress as a sequence ends with the run, with what it came to, also where it fails", arguments: [1, 2])
    func progressUpdates(workers: Int) async throws {
        let folder = TemporaryFolder()
        for last in ["3,x\n", "3\n"] {
            let path = try folder.file("x.csv", "a,b\n" + (0..<50_000).map { "\($0),x\n" }.joined() + last)
            let context = StreamContext(config(workers))
            let updates = context.progressUpdates(every: 0)
            async let taken = updates.reduce(into: [StreamProgress]()) { $0.append($1) }
            let error = streamError {
                try context.stream(
                    source: try FileStreamSource(path), sink: try FileStreamSink(folder.file("x.jsonl")))
            }
            let all = await taken
            #expect(error?.code == (last == "3\n" ? .raggedRecord : nil))
            #expect(!all.isEmpty && all.map(\.readRecords) == all.map(\.readRecords).sorted())
            #expect(all.last?.writtenRecords == context.metrics.writtenRecords)
            #expect(error != nil || all.last?.writtenRecords == 50_001)
        }
    }

    @Test("progress as a sequence ends, too, where no run begins")
    func progressWithoutRun() async throws {
        let refused = StreamContext(config(1) { $0.bufferSize = 0 })
        var updates = refused.progressUpdates()
        #expect(streamError { try refused.stream(source: CountingSource([1]), sink: KeepingSink()) } != nil)
        for await _ in updates { Issue.record("nothing was streamed") }
        let closed = StreamContext(config(1))
        updates = closed.progressUpdates()
        closed.close()
        for await _ in updates { Issue.record("nothing was streamed") }
        for await _ in closed.progressUpdates() { Issue.record("nothing was streamed") }
        updates = StreamContext(config(1)).progressUpdates()
        for await _ in updates { Issue.record("nothing was streamed") }
    }

    @Test("numbers that would overflow are refused")
    func tooMuch() {
        for edit in [
            { $0.chunkSize = .max }, { $0.bufferSize = .max }, { $0.backpressureThreshold = .max },
            { $0.memoryLimitMB = .max }, { $0.parallelism = 1025 },
        ] as [(inout StreamConfig) -> Void] {
            let context = StreamContext(config(1, edit))
            let error = streamError { try context.stream(source: CountingSource([1]), sink: KeepingSink()) }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test("records are counted without being looked at, in files, directories and other sources")
    func counting() throws {
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a,b\n" + String(repeating: "1,\"x\ny\"\n", count: 30_000) + "ragged\n")
        let context = StreamContext(config(2))
        let metrics = try context.count(source: try FileStreamSource(path))
        #expect(metrics.readRecords == 30_001 && metrics.bytesRead > 30_000 && context.status == .completed)
        #expect(try context.count(source: CountingSource([3, 0, 4])).readRecords == 7)
        _ = try folder.file("y.csv", "a,b\n1,2\n")
        let all = try DirectoryStreamSource(folder.path, pattern: "*.csv")
        #expect(try context.count(source: all).readRecords == 30_002)
        let missing = CountingSource([1, 1], failsAt: 1)
        #expect(streamError { _ = try context.count(source: missing) }?.code == .readFailed)
        #expect(missing.isClosed && context.status == .error && context.metrics.readRecords == 1)
        let late = StreamContext(config(1) { $0.timeoutSeconds = 1e-9 })
        #expect(streamError { _ = try late.count(source: try FileStreamSource(path)) }?.code == .timedOut)
    }

    private final class Log: Sendable {
        private let state = Monitor([StreamProgress]())
        func add(_ progress: StreamProgress) { state.withLock { $0.append(progress) } }
        var all: [StreamProgress] { state.withLock { $0 } }
    }
}
