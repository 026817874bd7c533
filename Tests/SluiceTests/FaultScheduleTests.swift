import SluiceSQLite
import TestSupport
import Testing

@testable import Sluice

/// What goes wrong where, drawn by a seed, and what has to come of it: worked out one chunk after the other, without the engine.
private struct FaultSchedule {
    private(set) var sizes: [Int]
    private(set) var config: StreamConfig
    private(set) var sourceFailsAt: Int?
    private let sourceCode: StreamError.Code
    private(set) var sinkFailsAt: KeepingSink.Step?
    /// Records whose number it divides are taken away.
    private let divisor: Int
    private var adding: Set<Int> = []
    private var dropped: Set<Int> = []
    private var slow: Set<Int> = []
    /// Tries that fail, by chunk.
    private var faults: [Int: Int] = [:]
    private var cancelledAt: Int?

    init(seed: UInt64, parts: Parts) {
        var random = SplitMix64(seed: seed)
        func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }
        let count = Int.random(in: 0...30, using: &random)
        if parts == .database {
            // Chunks of one size; at the end a shorter one, or one that has a row that cannot be read.
            let size = Int.random(in: 1...6, using: &random)
            sizes = Array(repeating: size, count: count)
            if chance(0.2) {
                sourceFailsAt = count
            } else if count > 0 {
                sizes[count - 1] = Int.random(in: 1...size, using: &random)
            }
        } else {
            sizes = (0..<count).map { _ in Int.random(in: 0...6, using: &random) }
            if chance(0.2) { sourceFailsAt = Int.random(in: 0...count, using: &random) }
        }
        sourceCode = parts == .database ? .invalidUTF8 : .readFailed
        config = StreamConfig(
            bufferSize: Int.random(in: 1...40, using: &random),
            parallelism: [1, 1, 2, 3, 4, 8].randomElement(using: &random)!,
            backpressureThreshold: Int.random(in: 1...40, using: &random),
            maxRetries: Int.random(in: 0...3, using: &random),
            // Now and then long enough for another thread to take over.
            retryDelay: seed % 4 == 0 ? RetryDelay(first: 0.003, cap: 0.003, jitter: 0) : RetryDelay(first: 0, cap: 0))
        divisor = Int.random(in: 2...5, using: &random)
        for chunk in 0..<count {
            if chance(0.2) { adding.insert(chunk) }
            if chance(0.15) { dropped.insert(chunk) }
            if chance(0.1) { slow.insert(chunk) }
            if chance(0.05) { faults[chunk] = Int.random(in: 1...5, using: &random) }
        }
        if chance(0.3) {
            sinkFailsAt = [.write(Int.random(in: 0...count, using: &random)), .flush, .close].randomElement(
                using: &random)
        }
        if chance(0.1) { cancelledAt = Int.random(in: 0...count, using: &random) }
    }

    /// Gives a context its processors.
    func addProcessors(to context: some ProcessorHolder) {
        context.addProcessor { [slow, divisor] chunk in
            if slow.contains(chunk.sequenceNumber) { for _ in 0..<320 / step { chunk.data.setAll("x", to: 1) } }
            chunk.data.removeAll { ($0["id", as: Int.self] ?? 0) % divisor == 0 }
        }
        let tries = Locked<[Int: Int]>([:])
        context.addProcessor { [weak context, faults, adding, cancelledAt] chunk in
            if chunk.sequenceNumber == cancelledAt { context?.cancel() }
            if adding.contains(chunk.sequenceNumber) { chunk.data.append(["id": Value(-chunk.sequenceNumber - 1)]) }
            guard let failing = faults[chunk.sequenceNumber] else { return }
            let number = chunk.sequenceNumber
            let tried = tries.withLock { tries in
                tries[number, default: 0] += 1
                return tries[number, default: 0]
            }
            if tried <= failing { throw StreamError(.processorFailed, "chunk \(number) fails") }
        }
        context.addProcessor { [dropped] (chunk: StreamChunk) in
            dropped.contains(chunk.sequenceNumber) ? nil : chunk
        }
    }

    /// What is written, and the code of the error that ends the run.
    var expected: (ids: [Int], code: StreamError.Code?, isCancelled: Bool) {
        var ids: [Int] = []
        var written = 0
        var next = 0
        let isCancelled = cancelledAt.map { $0 < sizes.count } ?? false
        for chunk in 0...sizes.count {
            if chunk == sourceFailsAt { return (ids, sourceCode, isCancelled) }
            guard chunk < sizes.count else { break }
            if let failing = faults[chunk], failing >= config.tries { return (ids, .processorFailed, isCancelled) }
            let numbers = next..<next + sizes[chunk]
            next += sizes[chunk]
            guard !dropped.contains(chunk) else { continue }
            if sinkFailsAt == .write(written) { return (ids, .writeFailed, isCancelled) }
            written += 1
            ids += numbers.filter { $0 % divisor != 0 } + (adding.contains(chunk) ? [-chunk - 1] : [])
        }
        let failsAtEnd = sinkFailsAt == .flush || sinkFailsAt == .close
        return (ids, failsAtEnd ? .writeFailed : nil, isCancelled)
    }
}

/// A context of either kind.
private protocol ProcessorHolder: AnyObject, Sendable {
    func addProcessor(_ body: @escaping @Sendable (inout StreamChunk) throws -> Void)
    func addProcessor(_ body: @escaping @Sendable (StreamChunk) throws -> StreamChunk?)
    func cancel()
}

extension StreamContext: ProcessorHolder {}
extension AsyncStreamContext: ProcessorHolder {}

/// Where the chunks come from, which decides how the engine shares them among its threads.
enum Parts: CaseIterable {
    /// A source and a sink of anybody's, that may keep a thread waiting.
    case anybodys
    /// Those that never do.
    case prompt
    /// A query's rows, into a sink that never does.
    case database
    /// Any sequence, that a task awaits.
    case sequence
}

@Suite("Schedules of faults")
struct FaultScheduleTests {
    @Test(
        "whatever goes wrong, a run accounts for every record, or throws the earliest error and publishes nothing",
        arguments: Parts.allCases)
    func schedules(parts: Parts) async throws {
        let folder = TemporaryFolder()
        let rows = try SQLiteDatabase(folder.file("rows.db"))
        try rows.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY);
            WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO t SELECT i FROM n
            """)
        for seed in 0..<UInt64(isStress ? 10_000 : 500 / step) {
            let schedule = FaultSchedule(seed: seed, parts: parts)
            let (sizes, failsAt) = (schedule.sizes, schedule.sourceFailsAt)
            let sinkFailsAt = schedule.sinkFailsAt
            let sink =
                parts == .anybodys || parts == .sequence
                ? KeepingSink(failsAt: sinkFailsAt) : PromptSink(failsAt: sinkFailsAt)
            switch parts {
            case .anybodys, .prompt:
                let source =
                    parts == .prompt
                    ? PromptSource(sizes, failsAt: failsAt) : CountingSource(sizes, failsAt: failsAt)
                run(schedule, source, sink, "seed \(seed)")
                #expect(source.isClosed, "seed \(seed)")
            case .database:
                let (count, chunkSize) = (sizes.reduce(0, +), sizes.first ?? 1)
                let bad = failsAt == nil ? -1 : count + Int(seed) % chunkSize
                let source = try DatabaseStreamSource(
                    database: rows,
                    query: """
                        SELECT id, CASE id WHEN ? THEN CAST(x'ff' AS TEXT) ELSE 'x' END AS text FROM t ORDER BY id LIMIT ?
                        """,
                    parameters: [Value(bad), Value(max(count, bad + 1))],
                    chunkSize: chunkSize, fetchSize: chunkSize * Int(1 + seed % 5))
                run(schedule, source, sink, "seed \(seed)")
                #expect(streamError { _ = try source.readChunk() }?.code == .closed, "seed \(seed)")
            case .sequence:
                // SAFETY: one task at a time asks for chunks.
                nonisolated(unsafe) let source = CountingSource(sizes, failsAt: failsAt)
                let context = AsyncStreamContext(schedule.config)
                schedule.addProcessors(to: context)
                var error: StreamError?
                do {
                    try await context.streamAsync(
                        source: AsyncThrowingStream(unfolding: { try source.readChunk() }), sink: sink)
                } catch let thrown as StreamError {
                    error = thrown
                }
                check(schedule, error, context.metrics, context.status, sink, "seed \(seed)")
            }
        }
    }

    private func run(_ schedule: FaultSchedule, _ source: any StreamSource, _ sink: KeepingSink, _ name: Comment) {
        let context = StreamContext(schedule.config)
        schedule.addProcessors(to: context)
        let error = streamError { try context.stream(source: source, sink: sink) }
        check(schedule, error, context.metrics, context.status, sink, name)
    }

    private func check(
        _ schedule: FaultSchedule, _ error: StreamError?, _ metrics: StreamMetrics, _ status: StreamStatus,
        _ sink: KeepingSink,
        _ name: Comment
    ) {
        let (ids, code, isCancelled) = schedule.expected
        if isCancelled {
            // Or an error that was there before.
            #expect(error != nil && (error?.code == .cancelled || error?.code == code), name)
            #expect(ids.starts(with: sink.ids), name)
        } else {
            #expect(error?.code == code, name)
            #expect(sink.ids == ids && metrics.writtenRecords == ids.count, name)
        }
        #expect(sink.isClosed == (error == nil) && sink.isAborted == (error != nil), name)
        #expect(status == (error == nil ? .completed : .error), name)
        guard error == nil else { return }
        #expect(metrics.readRecords == schedule.sizes.reduce(0, +), name)
        #expect(
            metrics.readRecords + metrics.addedRecords == metrics.writtenRecords + metrics.filteredRecords, name)
    }
}
