import Foundation
import Testing

@testable import Sluice

@Suite("Pipelines")
struct PipelineTests {
    private let interrupt = Interrupt(seconds: 60)
    private let pipeline: Pipeline

    init() {
        let flow = FlowControl(bufferSize: 2, pauseAt: 2, unitsMax: 8)
        pipeline = Pipeline(flow, MemoryBudget(), interrupt)
    }

    private func cargo(_ records: Int = 1) -> Cargo {
        Cargo(records: records, bytes: 0) { .chunk(StreamChunk(data: RecordBatch())) }
    }

    /// The number of the unit that is read next, and worked on.
    private func readNext() throws -> Ticket? {
        guard case .read = try pipeline.nextStep() else { return nil }
        return pipeline.addOwn(cargo(), handsOver: false)
    }

    @Test("a source is held back until the run is stopped, and no longer")
    func pauseEnds() throws {
        #expect(try pipeline.addIfRoom(cargo(2)) {} && pipeline.addIfRoom(cargo(2)) {} == false)
        #expect(pipeline.isPaused)
        interrupt.stop(.cancelled)
        let pauses = pipeline.pauses
        #expect(!pipeline.isPaused && pauses.count == 1 && pipeline.pauses.seconds == pauses.seconds)
    }

    @Test("who does everything writes first, in order, and reads where nobody else does")
    func steps() throws {
        let first = try #require(try readNext())
        let second = try #require(try readNext())
        pipeline.complete(second)
        guard case .read(number: 2, othersWait: false) = try pipeline.nextStep() else {
            Issue.record("the second may not be written before the first")
            return
        }
        // Reading is taken, so there is nothing else to do than to write.
        pipeline.complete(first)
        guard case .write(let ticket) = try pipeline.nextStep(), ticket === first else {
            Issue.record("the first is to be written")
            return
        }
        pipeline.leaveOwn()
        guard case .write(let next) = try pipeline.nextStep(), next === second else {
            Issue.record("the second is to be written")
            return
        }
        pipeline.leaveOwn()
        pipeline.endInput()
        guard try pipeline.nextStep() == nil else {
            Issue.record("there is nothing left")
            return
        }
    }

    @Test("a unit behind one that failed is not worked on")
    func behindFailed() throws {
        let first = try #require(try readNext())
        guard case .read = try pipeline.nextStep() else {
            Issue.record("there is room")
            return
        }
        first.finish(Ticket.Outcome(error: StreamError(.processorFailed, "it fails")))
        pipeline.complete(first)
        let second = try #require(pipeline.addOwn(cargo(), handsOver: false))
        #expect(!pipeline.wants(second))
        guard case .write(let ticket) = try pipeline.nextStep(), ticket === first else {
            Issue.record("the error is next")
            return
        }
    }

    @Test("a unit is left to a thread that is idle, and its reader reads on")
    func handedOver() throws {
        guard case .read(number: 0, _) = try pipeline.nextStep() else {
            Issue.record("there is room")
            return
        }
        let found = Monitor<[String]>([])
        @Sendable func takeStep() {
            let step = Result { [pipeline] in try pipeline.nextStep() }
            found.withLock { found in
                switch step {
                case .success(.read(let number, _)?): found.append("read \(number)")
                case .success(.work(let ticket)?): found.append("work on \(ticket.number)")
                default: found.append("\(step)")
                }
            }
        }
        let other = try SystemThread.start("other") { takeStep() }
        let end = Clock.monotonicSeconds() + 60
        while pipeline.idleThreads == 0, Clock.monotonicSeconds() < end { sched_yield() }
        try #require(pipeline.idleThreads == 1)
        #expect(pipeline.addOwn(cargo(), handsOver: true) == nil)
        takeStep()
        other.join()
        #expect(found.withLock { $0.sorted() } == ["read 1", "work on 0"])
        // Nobody is idle any more.
        let own = pipeline.addOwn(cargo(), handsOver: true)
        #expect(own?.number == 1)
    }
}
