import TestSupport
import Testing

@testable import Sluice

@Suite("The memory of a run")
struct MemoryBudgetTests {
    private let budget = MemoryBudget(limit: 100)

    /// Takes bytes for a unit on another thread, which says when it begins to wait; `whileWaiting` must let it go on.
    private func take(_ bytes: Int, for unit: Int, whileWaiting body: () -> Void) throws {
        let waits = Monitor(false)
        let budget = budget
        let thread = try SystemThread.start("test") {
            let claim = MemoryClaim(budget) { wait in
                waits.update {
                    $0 = true
                    return true
                }
                wait()
            }
            claim.working(on: unit) { budget.take(bytes) }
        }
        #expect(waits.wait(until: Clock.monotonicSeconds() + 60) { $0 ? true : nil } == true)
        body()
        thread.join()
    }

    @Test("half of it is for the oldest unit; others wait until what they take fits into the rest")
    func waits() throws {
        let claim = MemoryClaim(budget) { _ in Issue.record("there is no reason to wait") }
        claim.working(on: 1) { budget.take(50) }
        claim.working(on: 0) { budget.take(50) }
        #expect(budget.used == 100 && !budget.admits(1))
        try take(20, for: 1) { budget.refund(70) }
        #expect(budget.used == 50 && budget.peak == 100)
    }

    @Test("who waits goes on where its unit is the oldest, or all is over")
    func oldest() throws {
        budget.charge(90)
        try take(20, for: 2) {
            #expect(!budget.admits(0))
            budget.advance()
            budget.advance()
        }
        #expect(budget.used == 110)
        try take(30, for: 9) { budget.end() }
        let claim = MemoryClaim(budget) { _ in Issue.record("all is over") }
        claim.working(on: 10) { budget.take(60) }
        #expect(budget.used == 200)
    }

    @Test("who works on no unit of this run does not wait, nor who is told not to")
    func others() {
        budget.charge(90)
        budget.take(10)
        let inner = MemoryBudget(limit: 4)
        let claim = MemoryClaim(budget) { _ in }
        claim.working(on: 3) {
            inner.take(5)
            MemoryClaim(inner).working(on: 0) { inner.take(5) }
            budget.take(10)
        }
        #expect(budget.used == 110 && inner.used == 10)
    }

    @Test("a thread does not wait for others where there is none")
    func alone() throws {
        let waited = Tally()
        let threads = WorkerThreads(jobs: 1) { _ in }
        try threads.start()
        threads.join()
        threads.awaitingOthers { waited.add() }
        #expect(waited.value == 0)
    }

    @Test("units that suddenly are many times as large stay within the limit", arguments: [2, 4, 16], [false, true])
    func sudden(jobs: Int, prompt: Bool) throws {
        let folder = TemporaryFolder()
        let (small, large) = (
            String(repeating: "1,2\n", count: 60_000 / step), String(repeating: "y", count: 1_500_000) + ",2\n"
        )
        let path = try folder.file("x.csv", "a,b\n" + small + String(repeating: large, count: 20) + small)
        for limit in step == 1 ? [12, 16, 24] : [16] {
            let context = StreamContext(StreamConfig(parallelism: jobs, memoryLimitMB: limit, timeoutSeconds: 120))
            let source = try FileStreamSource(path)
            let metrics: StreamMetrics
            if prompt {
                metrics = try context.stream(source: source, sink: try FileStreamSink(folder.file("x.jsonl")))
            } else {
                metrics = try context.stream(source: source, sink: KeepingSink())
            }
            #expect(metrics.writtenRecords == 120_000 / step + 20 && metrics.peakBudgetBytes <= limit << 20)
        }
    }
}
