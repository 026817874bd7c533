// What the guide shows of contexts, as client code: it compiles unchanged and does what it says.

import Foundation
import Sluice
import Testing

@Sendable private func isValid(_ record: Record) -> Bool { (record["age", as: Int.self] ?? 0) >= 18 }
@Sendable private func lookUp(_ id: Value?) -> Value { id ?? nil }

private let config = StreamConfig(
    chunkSize: 1000,
    bufferSize: 10_000,
    parallelism: 4,
    memoryLimitMB: 512,
    backpressureThreshold: 5_000,
    timeoutSeconds: 300,
    enableMetrics: true,
    retryOnError: true,
    maxRetries: 3
)

@Suite("The guide's examples of contexts")
struct GuideEngineTests {
    let folder = TemporaryFolder()

    private func people() throws -> String {
        try folder.file("people.csv", "id,age,price\n" + (0..<8000).map { "\($0),\($0 % 50),2.5\n" }.joined())
    }

    @Test("example 2: parallel processing")
    func parallelProcessing() throws {
        let context = StreamContext(
            StreamConfig(chunkSize: 5000, bufferSize: 50_000, parallelism: 4, backpressureThreshold: 25_000))
        context.addProcessor { chunk in
            chunk.data.removeAll { !isValid($0) }
        }
        context.addProcessor { chunk in
            for i in chunk.data.indices {
                chunk.data[i]["enriched"] = lookUp(chunk.data[i]["id"])
            }
        }
        context.addProcessor { (chunk: StreamChunk) in
            chunk.data.isEmpty ? nil : chunk
        }
        let metrics = try context.stream(
            source: try FileStreamSource(people()), sink: try FileStreamSink(folder.file("processed_data.jsonl")))
        #expect(metrics.itemsProcessed == 8000 * 32 / 50 && metrics.errorsCount == 0 && metrics.retriesCount == 0)
        #expect(metrics.chunksProcessed == 2 && metrics.bytesProcessed > 0)
        #expect(metrics.durationSeconds() > 0 && metrics.throughputItemsPerSecond() > 0)
        #expect(metrics.throughputMBPerSecond() > 0 && metrics.peakMemoryMB > 0)
        #expect(
            try records(folder.file("processed_data.jsonl"))[0]
                == #"{"id":"18","age":"18","price":"2.5","enriched":"18"}"#)
        switch context.status {
        case .idle, .active, .paused, .error: Issue.record("the run is over")
        case .completed: break
        }
    }

    @Test("a transform that returns another chunk")
    func more() throws {
        let source = try FileStreamSource(people())
        let sink = try FileStreamSink(folder.file("out.jsonl"))
        let context = StreamContext(config)
        defer { context.close() }
        let metrics = try context.stream(source: source, sink: sink) { chunk in
            var chunk = chunk
            chunk.data = RecordBatch(
                chunk.data.map { record in
                    var record = record
                    record["total"] = Value((record["price", as: Double.self] ?? 0) * 1.2)
                    record["price"] = nil
                    return record
                })
            return chunk
        }
        #expect(metrics.itemsProcessed == 8000 && context.metrics.itemsProcessed == 8000)
        #expect(try records(folder.file("out.jsonl"))[0] == #"{"id":"0","age":"0","total":3.0}"#)
    }

    @Test("pushing records, in a scope")
    func push() throws {
        let records: RecordBatch = [["id": 1], ["id": 2]]
        var counts: [Int] = []
        try StreamContext.streamingContext(config) { context in
            context.addProcessor { chunk in chunk.data.setAll("seen", to: true) }
            if !context.addChunk(StreamChunk(data: records)) { Issue.record("there is room") }
            if !context.addData(records, chunkID: "custom_001", isLast: true) { context.finish() }
            while let processed = try context.getNextChunk() { counts.append(processed.data.count) }
        }
        #expect(counts == [2, 2])
    }

    @Test("asynchronous use")
    func asynchronous() async throws {
        func stream(_ source: FileStreamSource, _ sink: FileStreamSink) async throws -> StreamMetrics {
            try await AsyncStreamContext(config).streamAsync(
                source: source.chunks, sink: sink, transform: { chunk in chunk })
        }
        func stream(
            _ source: FileStreamSource, _ deliver: @escaping @Sendable (StreamChunk) async throws -> Void
        ) async throws {
            _ = try await AsyncStreamContext(config).streamAsync(source: source.chunks) { chunk in
                try await deliver(chunk)
            }
        }
        let metrics = try await stream(
            FileStreamSource(people()), FileStreamSink(folder.file("async.jsonl")))
        #expect(metrics.itemsProcessed == 8000)
        #expect(try records(folder.file("async.jsonl")).count == 8000)
        let count = Tally()
        try await stream(FileStreamSource(people())) { chunk in for _ in chunk.data { count.add() } }
        #expect(count.value == 8000)
    }
}
