import Foundation
import Testing

@testable import Sluice

@Suite("Chunks handed in and taken out")
struct StreamContextPushTests {
    private func chunk(_ ids: Range<Int>, isLast: Bool = false) -> StreamChunk {
        StreamChunk(data: RecordBatch(ids.map { ["id": Value($0)] }), isLast: isLast)
    }

    private func ids(_ chunk: StreamChunk?) -> [Int]? { chunk?.data.map { $0["id", as: Int.self] ?? -1 } }

    @Test("come out processed, in order, and nil comes at the end only", arguments: [1, 2, 8])
    func order(workers: Int) throws {
        let context = StreamContext(StreamConfig(parallelism: workers))
        defer { context.close() }
        context.addProcessor { chunk in chunk.data.setAll("seen", to: true) }
        context.addProcessor { (chunk: StreamChunk) in chunk.data.count == 2 ? nil : chunk }
        for start in 0..<40 { #expect(context.addChunk(chunk(start..<start + 1 + start % 2))) }
        context.finish()
        #expect(!context.addChunk(chunk(0..<1)), "nothing is taken behind the end")
        var taken: [Int] = []
        while let chunk = try context.getNextChunk() {
            #expect(chunk.data.allSatisfy { $0["seen"] == true })
            taken += ids(chunk) ?? []
        }
        #expect(taken == Array(stride(from: 0, to: 40, by: 2)))
        #expect(try context.getNextChunk() == nil && context.tryNextChunk() == nil)
        #expect(context.status == .completed)
        #expect(context.metrics.readRecords == 60 && context.metrics.filteredRecords == 40)
        #expect(context.metrics.writtenRecords == 20 && context.metrics.chunksProcessed == 20)
    }

    @Test(
        "are refused where there is no room, and nothing has changed then; there is again when one was taken out",
        arguments: [1, 2])
    func room(workers: Int) throws {
        let context = StreamContext(StreamConfig(bufferSize: 10, parallelism: workers))
        defer { context.close() }
        var accepted = 0
        while context.addChunk(chunk(accepted * 3..<accepted * 3 + 3)) { accepted += 1 }
        #expect(accepted == 3, "10 records hold three chunks of 3, wherever the workers are")
        var taken: [Int] = []
        for _ in 0..<50 {
            taken += ids(try context.getNextChunk()) ?? []
            #expect(context.addData(chunk(accepted * 3..<accepted * 3 + 3).data, chunkID: "c\(accepted)"))
            accepted += 1
        }
        context.finish()
        while let chunk = try context.getNextChunk() { taken += ids(chunk) ?? [] }
        #expect(taken == Array(0..<accepted * 3))
    }

    @Test("are memory of the run until they are taken out: no more come in than the limit allows", arguments: [1, 2])
    func memory(workers: Int) throws {
        let context = StreamContext(StreamConfig(parallelism: workers, memoryLimitMB: 16))
        defer { context.close() }
        let text = String(repeating: "x", count: 1 << 20)
        func large(_ id: Int) -> StreamChunk { StreamChunk(data: [["id": Value(id), "text": .string(text)]]) }
        var accepted = 0
        while accepted < 100, context.addChunk(large(accepted)) { accepted += 1 }
        #expect((4...16).contains(accepted))
        var taken: [Int] = []
        for _ in 0..<30 {
            taken += ids(try context.getNextChunk()) ?? []
            #expect(context.addChunk(large(accepted)), "what was taken out has made room")
            accepted += 1
        }
        // However large, one goes alone.
        let all = String(repeating: "x", count: 20 << 20)
        let huge = StreamChunk(data: [["id": Value(accepted), "text": .string(all)]])
        #expect(!context.addChunk(huge) && context.metrics.peakBudgetBytes <= 16 << 20)
        while taken.count < accepted { taken += ids(try context.getNextChunk()) ?? [] }
        #expect(context.addChunk(huge) && !context.addChunk(chunk(0..<1)))
        context.finish()
        while let chunk = try context.getNextChunk() { taken += ids(chunk) ?? [] }
        #expect(taken == Array(0...accepted))
    }

    @Test("that were accepted come out, though another thread ends the input meanwhile", arguments: [1, 3])
    func finishing(workers: Int) throws {
        for _ in 0..<3000 / step {
            let context = StreamContext(StreamConfig(parallelism: workers, timeoutSeconds: 60))
            defer { context.close() }
            let accepted = Tally()
            let pushers = Tally()
            for _ in 0..<2 {
                Thread {
                    while context.addChunk(StreamChunk(data: [["id": 1]])) { accepted.add() }
                    pushers.add()
                }.start()
            }
            context.finish()
            var taken = 0
            while try context.getNextChunk() != nil { taken += 1 }
            while pushers.value < 2 { sched_yield() }
            #expect(taken == accepted.value)
        }
    }

    @Test("are taken out by several threads, and the books are even at the end")
    func takers() throws {
        for _ in 0..<3000 / step {
            let context = StreamContext(StreamConfig(parallelism: 2))
            defer { context.close() }
            for id in 0..<3 { #expect(context.addChunk(chunk(id..<id + 1, isLast: id == 2))) }
            let (taken, ended) = (Tally(), Tally())
            for _ in 0..<2 {
                Thread {
                    let error = streamError { while try context.getNextChunk() != nil { taken.add() } }
                    #expect(error == nil)
                    ended.add()
                }.start()
            }
            while ended.value < 2 { sched_yield() }
            #expect(taken.value == 3 && context.status == .completed)
        }
    }

    @Test("wait for room, on a thread of their own")
    func pushing() throws {
        let context = StreamContext(StreamConfig(bufferSize: 4, parallelism: 2))
        defer { context.close() }
        let made = (0..<500).map { chunk($0 * 2..<$0 * 2 + 2) }
        Thread {
            for chunk in made { try? context.push(chunk) }
            context.finish()
        }.start()
        var taken: [Int] = []
        while let chunk = try context.getNextChunk() { taken += ids(chunk) ?? [] }
        #expect(taken == Array(0..<1000))
    }

    @Test("are counted as progress, which ends with them")
    func progress() async throws {
        let context = StreamContext(StreamConfig(parallelism: 2))
        let updates = context.progressUpdates(every: 0)
        async let taken = updates.reduce(into: [Int]()) { $0.append($1.writtenRecords) }
        for start in 0..<5 { #expect(context.addChunk(chunk(start..<start + 1, isLast: start == 4))) }
        while try context.getNextChunk() != nil {}
        let all = await taken
        #expect(all.last == 5 && all == all.sorted())
        context.close()
    }

    @Test("end with one that says it is the last, if it is taken")
    func last() throws {
        try StreamContext.streamingContext { context in
            #expect(context.addData(chunk(0..<2).data, chunkID: "custom_001", isLast: true))
            #expect(!context.addChunk(chunk(2..<3)))
            let chunk = try context.getNextChunk()
            #expect(chunk?.chunkID == "custom_001" && ids(chunk) == [0, 1])
            #expect(try context.getNextChunk() == nil)
        }
    }

    @Test("fail with the error of the earliest, at every later call")
    func errors() throws {
        struct Oops: Error {}
        let context = StreamContext(StreamConfig(parallelism: 2, retryOnError: false))
        defer { context.close() }
        context.addProcessor { chunk in if chunk.data[0]["id"] == 1 { throw Oops() } }
        for start in 0..<3 { #expect(context.addChunk(chunk(start..<start + 1)) || start == 2) }
        // Who pushes learns it as well, before anything was taken out.
        func pushOn() throws { while true { try context.push(chunk(5..<6)) } }
        #expect(throws: Oops.self) { try pushOn() }
        #expect(ids(try context.getNextChunk()) == [0])
        for _ in 0..<2 {
            #expect(throws: Oops.self) { try context.getNextChunk() }
            #expect(throws: Oops.self) { try context.tryNextChunk() }
        }
        #expect(!context.addChunk(chunk(0..<1)) && context.status == .error)
        #expect(throws: (any Error).self) { try context.push(chunk(0..<1)) }
    }

    @Test("fail with what the processor threw, also for those who wait meanwhile", arguments: [1, 2])
    func errorsOfWaiting(workers: Int) throws {
        struct Oops: Error {}
        let context = StreamContext(StreamConfig(bufferSize: 2, parallelism: workers, retryOnError: false))
        defer { context.close() }
        let go = Tally()
        context.addProcessor { chunk in
            guard chunk.data[0]["id"] == 1 else { return }
            while go.value == 0 { sched_yield() }
            throw Oops()
        }
        #expect(context.addChunk(chunk(0..<1)) && context.addChunk(chunk(1..<2)))
        // Two wait for room, and two for what comes out.
        let (causes, others, waiting) = (Tally(), Tally(), Tally())
        func start(_ body: @escaping @Sendable () throws -> Void) {
            Thread {
                waiting.add()
                do { while true { try body() } } catch is Oops { causes.add() } catch { others.add() }
            }.start()
        }
        let more = chunk(5..<6)
        for _ in 0..<2 {
            start { try context.push(more) }
            start { _ = try context.getNextChunk() }
        }
        while waiting.value < 4 { sched_yield() }
        go.add()
        while causes.value + others.value < 4 { sched_yield() }
        #expect(causes.value == 4 && context.status == .error && context.metrics.errorsCount == 1)
    }

    @Test("fail for all who wait for room, though nobody takes anything out")
    func errorsOfPushers() throws {
        struct Oops: Error {}
        let context = StreamContext(
            StreamConfig(bufferSize: 2, parallelism: 1, timeoutSeconds: 60, retryOnError: false))
        defer { context.close() }
        let waiting = Tally()
        context.addProcessor { _ in
            while waiting.value < 3 { sched_yield() }
            throw Oops()
        }
        #expect(context.addChunk(chunk(0..<2)))
        let (causes, others) = (Tally(), Tally())
        let more = chunk(5..<6)
        for _ in 0..<3 {
            Thread {
                waiting.add()
                do { while true { try context.push(more) } } catch is Oops { causes.add() } catch { others.add() }
            }.start()
        }
        while causes.value + others.value < 3 { sched_yield() }
        #expect(causes.value == 3)
    }

    @Test("are paused where there is no room, until there is again")
    func pauses() throws {
        // Little memory, and a chunk that is small: what others may take does not matter.
        let small = StreamContext(StreamConfig(bufferSize: 2, parallelism: 1, memoryLimitMB: 2))
        defer { small.close() }
        #expect(small.addChunk(chunk(0..<1)) && small.addChunk(chunk(1..<2)))
        #expect(!small.addChunk(chunk(2..<3)) && small.status == .paused)
        #expect(ids(try small.getNextChunk()) == [0] && small.status == .active)
        // A large one waits until there is room for it.
        let large = StreamContext(StreamConfig(bufferSize: 4, parallelism: 1))
        defer { large.close() }
        for id in 0..<4 { #expect(large.addChunk(chunk(id..<id + 1))) }
        #expect(!large.addChunk(chunk(0..<3)))
        for id in 0..<2 { #expect(ids(try large.getNextChunk()) == [id] && large.status == .paused) }
        #expect(ids(try large.getNextChunk()) == [2] && large.status == .active && large.metrics.pauseCount == 1)

        let context = StreamContext(StreamConfig(bufferSize: 2, parallelism: 1))
        defer { context.close() }
        #expect(context.addChunk(chunk(0..<1)) && context.addChunk(chunk(1..<2)) && context.status == .active)
        #expect(!context.addChunk(chunk(2..<3)) && context.status == .paused)
        #expect(ids(try context.getNextChunk()) == [0] && context.status == .active)
        let paused = context.metrics.pausedSeconds
        #expect(context.metrics.pauseCount == 1 && context.metrics.pausedSeconds == paused)
    }

    @Test("and runs take turns on a context, and it speaks of the one that began last")
    func turns() throws {
        let context = StreamContext(StreamConfig(parallelism: 2))
        defer { context.close() }
        #expect(context.addChunk(chunk(0..<3)))
        let refused = streamError { try context.stream(source: CountingSource([1]), sink: KeepingSink()) }
        #expect(refused?.code == .invalidConfiguration && context.status == .active)
        context.finish()
        while try context.getNextChunk() != nil {}
        #expect(context.status == .completed && context.progress?.writtenRecords == 3)
        let failed = streamError { try context.stream(source: CountingSource([1], failsAt: 1), sink: KeepingSink()) }
        #expect(failed?.code == .readFailed && context.status == .error)
        #expect(context.metrics.writtenRecords == 1 && context.progress?.writtenRecords == 1)
        #expect(context.addChunk(chunk(0..<5, isLast: true)) && context.status == .active)
        #expect(ids(try context.getNextChunk()) == Array(0..<5))
        #expect(try context.getNextChunk() == nil && context.metrics.writtenRecords == 5)
        #expect(try context.stream(source: CountingSource([2]), sink: KeepingSink()).writtenRecords == 2)
        #expect(context.status == .completed && context.metrics.writtenRecords == 2)
        // Who comes late begins nothing.
        context.finish()
        #expect(try context.getNextChunk() == nil && context.tryNextChunk() == nil && context.status == .completed)
    }

    @Test(
        "that nobody takes out end with the context, which says that they did not come to their end",
        arguments: [true, false])
    func givenUp(isClosed: Bool) {
        let context = StreamContext(StreamConfig(parallelism: 2))
        let told = Tally()
        context.onProgress { _ in told.add() }
        #expect(context.addChunk(chunk(0..<1)))
        if isClosed { context.close() } else { context.cancel() }
        #expect(told.value == 1, "progress has ended")
        #expect(context.status == .error && context.isCancelled)
        let seconds = context.metrics.durationSeconds()
        #expect(context.metrics.durationSeconds() == seconds)
        #expect(streamError { _ = try context.getNextChunk() }?.code == .cancelled)
        context.close()
        #expect(context.status == .error)
    }

    @Test("that nobody takes out are an error at the end of the scope; those that processors took away are not")
    func undelivered() throws {
        let error = streamError {
            try StreamContext.streamingContext { context in _ = context.addChunk(chunk(0..<1)) }
        }
        #expect(error?.code == .closed && error?.message.hasPrefix("1 chunks") == true)
        try StreamContext.streamingContext { context in
            context.addProcessor { _ in nil }
            _ = context.addChunk(chunk(0..<1))
        }
        try StreamContext.streamingContext { _ in }
    }

    @Test("a wait for a chunk that does not come ends at the deadline, and when it is cancelled")
    func waiting() throws {
        let late = StreamContext(StreamConfig(parallelism: 1, timeoutSeconds: 0.02))
        #expect(streamError { _ = try late.getNextChunk() }?.code == .timedOut)
        late.close()
        let cancelled = StreamContext(StreamConfig(parallelism: 1))
        #expect(try cancelled.tryNextChunk() == nil)
        Thread { cancelled.cancel() }.start()
        #expect(streamError { _ = try cancelled.getNextChunk() }?.code == .cancelled)
        cancelled.close()
        #expect(!cancelled.addChunk(chunk(0..<1)))
    }
}
