import Foundation
import TestSupport
import Testing

@testable import Sluice

@Suite("Async contexts")
struct AsyncStreamContextTests {
    private struct Oops: Error, Equatable {}

    private func config(_ workers: Int) -> StreamConfig {
        StreamConfig(parallelism: workers, retryDelay: RetryDelay(first: 0, cap: 0))
    }

    private static func chunk(_ number: Int) -> StreamChunk {
        StreamChunk(data: [["id": Value(2 * number)], ["id": Value(2 * number + 1)]], sequenceNumber: number)
    }

    private func sequence(_ count: Int, fails: Bool = false) -> AsyncThrowingStream<StreamChunk, any Error> {
        AsyncThrowingStream { continuation in
            for number in 0..<count { continuation.yield(Self.chunk(number)) }
            continuation.finish(throwing: fails ? Oops() : nil)
        }
    }

    private actor Collector {
        var ids: [Int] = []
        func add(_ chunk: StreamChunk, failsAt: Int? = nil) throws {
            if ids.count == failsAt { throw Oops() }
            ids += chunk.data.map { $0["id", as: Int.self] ?? -1 }
        }
    }

    @Test("stream a source's chunks into a sink, as a plain context does", arguments: [1, 2, 4])
    func sourceToSink(workers: Int) async throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "id\n" + (0..<30_000).map { "\($0)\n" }.joined())
        let context = AsyncStreamContext(config(workers))
        context.addProcessor { chunk in chunk.data.setAll("seen", to: true) }
        let sink = try FileStreamSink(folder.file("x.jsonl"))
        let metrics = try await context.streamAsync(
            source: FileStreamSource(input).chunks, sink: sink, transform: { chunk in chunk })
        #expect(metrics.writtenRecords == 30_000 && context.status == .completed)
        let expected = (0..<30_000).map { "{\"id\":\"\($0)\",\"seen\":true}" }
        #expect(try records(folder.file("x.jsonl")) == expected)
    }

    @Test("stream any sequence into a sink, in order", arguments: [1, 2, 4])
    func sequenceToSink(workers: Int) async throws {
        var config = config(workers)
        config.bufferSize = 6
        config.backpressureThreshold = 4
        let context = AsyncStreamContext(config)
        context.addProcessor { (chunk: StreamChunk) in chunk.sequenceNumber == 7 ? nil : chunk }
        let sink = KeepingSink()
        let metrics = try await context.streamAsync(source: sequence(100), sink: sink)
        #expect(sink.ids == Array(0..<14) + Array(16..<200) && sink.isClosed)
        #expect(metrics.readRecords == 200 && metrics.filteredRecords == 2)
    }

    @Test("ask a sequence for no more than the limits allow", arguments: [1, 2])
    func limits(workers: Int) async throws {
        let text = String(repeating: "x", count: 4 << 20)
        let asked = Tally()
        let all = AsyncStream<StreamChunk> {
            asked.add() > 60 ? nil : StreamChunk(data: [["id": Value(asked.value - 1), "text": .string(text)]])
        }
        var config = config(workers)
        config.memoryLimitMB = 16
        let context = AsyncStreamContext(config)
        let collector = Collector()
        let metrics = try await context.streamAsync(source: all) { chunk in
            try await collector.add(chunk)
            // Those under way, the one that waits to be let in, and the one that is being made.
            let ahead = asked.value - (await collector.ids.count)
            #expect(ahead <= 5)
        }
        #expect(await collector.ids == Array(0..<60))
        #expect(metrics.peakBudgetBytes > 4 << 20 && metrics.peakBudgetBytes <= 16 << 20)
    }

    @Test("the error of the earliest chunk ends the run, and all before it was delivered", arguments: [1, 2, 4])
    func earliestError(workers: Int) async throws {
        for k in 0..<8 {
            let context = AsyncStreamContext(config(workers))
            context.addProcessor { chunk in if chunk.sequenceNumber >= k { throw Oops() } }
            let collector = Collector()
            await #expect(throws: Oops.self) {
                try await context.streamAsync(source: sequence(8)) { try await collector.add($0) }
            }
            #expect(await collector.ids == Array(0..<2 * k) && context.metrics.writtenRecords == 2 * k)
        }
        // Of a file many chunks come at once.
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "id\n" + (0..<50).map { "\($0)\n" }.joined())
        for k in [0, 7, 49] {
            let context = AsyncStreamContext(config(workers))
            context.addProcessor { chunk in if chunk.sequenceNumber >= k { throw Oops() } }
            let collector = Collector()
            await #expect(throws: Oops.self) {
                try await context.streamAsync(source: FileStreamSource(path, chunkSize: 1).chunks) {
                    try await collector.add($0)
                }
            }
            #expect(await collector.ids == Array(0..<k))
            #expect(context.metrics.writtenRecords == k && context.metrics.chunksProcessed == k)
        }
    }

    @Test("a step that fails is tried again with its own input", arguments: [1, 2])
    func retries(workers: Int) async throws {
        let tries = Tally()
        let context = AsyncStreamContext(config(workers))
        context.addProcessor { chunk in
            guard chunk.sequenceNumber == 1 else { return }
            let isClean = chunk.data[0]["half"] == nil
            chunk.data.setAll("half", to: 1)
            if !isClean { throw StreamError(.typeMismatch, "an earlier try has left a trace") }
            if tries.add() < 3 { throw Oops() }
        }
        let collector = Collector()
        let metrics = try await context.streamAsync(source: sequence(4)) { try await collector.add($0) }
        #expect(await collector.ids == Array(0..<8))
        #expect(metrics.retriesCount == 2 && metrics.errorsCount == 2 && tries.value == 3)
    }

    @Test("chunks of a source that may wait are read off the pool's threads; those of files where they are asked for")
    func threadsOfChunks() async throws {
        let source = ThreadNamingSource()
        for try await _ in source.chunks {}
        #if os(Linux)
            #expect(source.names == Array(repeating: "sluice-read", count: 3))
        #endif
        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "id\n1\n2\n")
        var count = 0
        for try await chunk in try FileStreamSource(path, chunkSize: 1).chunks { count += chunk.data.count }
        #expect(count == 2)
    }

    @Test("a closure that awaits nothing is called on a thread of the run's, in order", arguments: [1, 3])
    func plainClosure(workers: Int) async throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "id\n" + (0..<9_000).map { "\($0)\n" }.joined())
        let (ids, names) = (Locked<[Int]>([]), Locked<Set<String>>([]))
        let metrics = try await AsyncStreamContext(config(workers)).streamAsync(source: FileStreamSource(input).chunks)
        {
            chunk in
            ids.withLock { ids in ids += chunk.data.map { $0["id", as: Int.self] ?? -1 } }
            names.withLock { _ = $0.insert(currentThreadName()) }
        }
        #expect(metrics.writtenRecords == 9_000 && ids.withLock { $0 } == Array(0..<9_000))
        #if os(Linux)
            #expect(names.withLock { $0 } == ["sluice-write"])
        #endif
        await #expect(throws: Oops.self) {
            try await AsyncStreamContext(config(workers)).streamAsync(source: sequence(10)) { chunk in
                if chunk.sequenceNumber == 4 { throw Oops() }
            }
        }
    }

    /// Knows on which threads it was read.
    private final class ThreadNamingSource: StreamSource {
        private(set) var names: [String] = []
        func readChunk() -> StreamChunk? {
            names.append(currentThreadName())
            return names.count == 3 ? nil : StreamChunk(data: [["id": 1]])
        }
    }

    @Test("await a closure for each chunk, in order", arguments: [1, 2, 4])
    func toClosure(workers: Int) async throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "id\n" + (0..<9_000).map { "\($0)\n" }.joined())
        let fromFile = Collector()
        let metrics = try await AsyncStreamContext(config(workers)).streamAsync(
            source: FileStreamSource(input).chunks
        ) { chunk in try await fromFile.add(chunk) }
        #expect(await fromFile.ids == Array(0..<9_000) && metrics.writtenRecords == 9_000)
        let fromSequence = Collector()
        try await AsyncStreamContext(config(workers)).streamAsync(source: sequence(50)) { chunk in
            try await fromSequence.add(chunk)
        }
        #expect(await fromSequence.ids == Array(0..<100))
    }

    @Test("fail with the error of source, processor, sink or closure", arguments: [1, 2])
    func errors(workers: Int) async throws {
        let context = AsyncStreamContext(config(workers))
        let sink = KeepingSink()
        await #expect(throws: Oops.self) {
            try await context.streamAsync(source: sequence(5, fails: true), sink: sink)
        }
        #expect(sink.isAborted && sink.ids == Array(0..<10) && context.status == .error)

        let tries = Tally()
        await #expect(throws: Oops.self) {
            try await AsyncStreamContext(config(workers)).streamAsync(
                source: sequence(5), sink: KeepingSink(),
                transform: { chunk in
                    guard chunk.sequenceNumber == 3 else { return }
                    tries.add()
                    throw Oops()
                })
        }
        #expect(tries.value == 4, "async runs try again, too")

        await #expect(throws: StreamError.self) {
            try await AsyncStreamContext(config(workers)).streamAsync(
                source: sequence(5), sink: KeepingSink(failsAt: .write(2)))
        }
        let collector = Collector()
        await #expect(throws: Oops.self) {
            try await AsyncStreamContext(config(workers)).streamAsync(source: sequence(1000)) { chunk in
                try await collector.add(chunk, failsAt: 6)
            }
        }
        #expect(await collector.ids == Array(0..<6))
    }

    @Test("end with their task, though their source says nothing", arguments: [1, 2])
    func cancellation(workers: Int) async throws {
        // Never finished, and nothing more comes.
        let (silent, continuation) = AsyncStream.makeStream(of: StreamChunk.self)
        continuation.yield(Self.chunk(0))
        let context = AsyncStreamContext(config(workers))
        let task = Task {
            try await context.streamAsync(source: silent) { _ in await Task.yield() }
        }
        task.cancel()
        await #expect(throws: StreamError.self) { try await task.value }
        continuation.finish()

        let folder = TemporaryFolder()
        let path = folder.file("pipe.csv")
        try #require(mkfifo(path, 0o600) == 0)
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        // Enough to see what it is, since that is looked at when the source is made.
        try #require(write(descriptor, "id\n1\n2\n", 7) == 7)
        let files = AsyncStreamContext(config(workers))
        let output = folder.file("x.jsonl")
        let reading = Task {
            try await files.streamAsync(source: FileStreamSource(path).chunks, sink: FileStreamSink(output))
        }
        reading.cancel()
        await #expect(throws: StreamError.self) { try await reading.value }
        #expect(folder.names == ["pipe.csv"])
    }

    @Test("are cancelled, not completed, where a sequence ends because its task was cancelled")
    func cancelledSequence() async throws {
        // The task's children hear of it before the run does.
        let run = try StreamRun(config(2), [])
        let (silent, continuation) = AsyncStream.makeStream(of: StreamChunk.self)
        defer { continuation.finish() }
        let feeding = Task { try await run.feed(silent) }
        feeding.cancel()
        try await feeding.value
        #expect(run.isCancelled)

        let taken = AsyncStream.makeStream(of: Void.self)
        let context = AsyncStreamContext(config(2))
        let task = Task {
            try await context.streamAsync(source: self.sequence(100)) { _ in
                taken.continuation.yield()
                while true {
                    try Task.checkCancellation()
                    await Task.yield()
                }
            }
        }
        for await _ in taken.stream { break }
        task.cancel()
        let error = await #expect(throws: StreamError.self) { try await task.value }
        #expect(error?.code == .cancelled && context.status == .error && context.isCancelled)
    }

    @Test("say so where the closure is what holds the run back", arguments: [1, 2])
    func bottleneck(workers: Int) async throws {
        let metrics = try await AsyncStreamContext(config(workers)).streamAsync(source: sequence(20)) { _ in
            let start = Clock.monotonicSeconds()
            while Clock.monotonicSeconds() - start < 0.005 { await Task.yield() }
        }
        #expect(metrics.bottleneck == "write" && metrics.write.busy >= 0.1, "\(metrics)")
    }

    @Test("end at their deadline, though nothing comes, or the closure takes nothing", arguments: [1, 2])
    func deadline(workers: Int) async throws {
        var config = config(workers)
        config.timeoutSeconds = 0.05
        for sink in [nil, KeepingSink()] {
            let (silent, continuation) = AsyncStream.makeStream(of: StreamChunk.self)
            defer { continuation.finish() }
            let error = await #expect(throws: StreamError.self) {
                let context = AsyncStreamContext(config)
                if let sink {
                    try await context.streamAsync(source: silent, sink: sink)
                } else {
                    try await context.streamAsync(source: silent) { _ in await Task.yield() }
                }
            }
            #expect(error?.code == .timedOut)
        }
    }

    @Test("a basic processor runs as a task, too")
    func basicProcessor() async throws {
        let sink = KeepingSink()
        let result = await BasicStreamProcessor(source: CountingSource([2, 3]), sink: sink) { chunk in
            chunk.data.removeAll { $0["id"] == 1 }
        }.processAsync()
        #expect(result.success && result.processedRecords == 4 && sink.ids == [0, 2, 3, 4])
        let failed = await BasicStreamProcessor(source: CountingSource([2], failsAt: 1), sink: KeepingSink())
            .processAsync()
        #expect(failed.errors.map(\.code) == [.readFailed])
    }
}

/// As the system knows it; on Linux, where it is told so in a file.
private func currentThreadName() -> String {
    let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
    return name?.trimmingCharacters(in: .newlines) ?? ""
}
