import TestSupport
import Testing

@testable import Sluice

@Suite("Threads that work")
struct WorkerThreadsTests {
    /// By which all is over, or something is wrong.
    private let deadline = Clock.monotonicSeconds() + 60

    @Test("another thread takes the place of one that is away, which then waits for its turn")
    func away() throws {
        let events = Monitor<[String]>([])
        let deadline = deadline
        @Sendable func note(_ event: String) {
            events.update {
                $0.append(event)
                return true
            }
        }
        @Sendable func wait(for event: String) { _ = events.wait(until: deadline) { $0.contains(event) ? true : nil } }
        let count = Tally()
        let threads = WorkerThreads(jobs: 1) { threads in
            if count.add() == 1 {
                threads.away(seconds: 1) { wait(for: "another") }
                threads.makeWay { note("one too many") }
                note("end of the first")
            } else {
                note("another")
                wait(for: "one too many")
                note("end of the other")
            }
        }
        try threads.start()
        threads.join()
        #expect(
            events.withLock { $0 } == ["another", "one too many", "end of the other", "end of the first"]
                && count.value == 2)
    }

    @Test("nobody takes the place of one that is away for no time, or at the end")
    func notAway() throws {
        let count = Tally()
        let threads = WorkerThreads(jobs: 1) { threads in
            count.add()
            threads.away(seconds: 0) {}
            threads.makeWay { count.add() }
        }
        try threads.start()
        threads.join()
        threads.away(seconds: 1) {}
        threads.join()
        #expect(count.value == 1)
    }

    @Test("one that is away again and again is replaced once, even if there is nothing to do")
    func awayAgain() throws {
        let isOver = Monitor(false)
        let deadline = deadline
        let count = Tally()
        let threads = WorkerThreads(jobs: 2) { threads in
            if count.add() == 1 {
                for _ in 0..<100 { threads.away(seconds: 1) {} }
                isOver.update {
                    $0 = true
                    return true
                }
            } else {
                _ = isOver.wait(until: deadline) { $0 ? true : nil }
            }
        }
        try threads.start()
        threads.join()
        #expect(count.value == 3)
    }

    @Test("while some wait to be tried again, others are worked on", arguments: [false, true])
    func retries(prompt: Bool) {
        let (sizes, number) = (Array(repeating: 1, count: 8), 4)
        let context = StreamContext(
            StreamConfig(
                parallelism: 2, timeoutSeconds: 60, maxRetries: 1, retryDelay: RetryDelay(first: 1e6, cap: 1e6)))
        context.addProcessor { [weak context] chunk in
            if chunk.sequenceNumber < number { throw StreamError(.processorFailed, "later") }
            context?.cancel()
        }
        let source = prompt ? PromptSource(sizes) : CountingSource(sizes)
        let sink = prompt ? PromptSink() : KeepingSink()
        // As long as all threads waited for the first ones, it would time out.
        #expect(streamError { try context.stream(source: source, sink: sink) }?.code == .cancelled)
        #expect(sink.ids == [] && sink.isAborted && source.isClosed)
    }

    @Test("while chunks that were pushed wait to be tried again, others are worked on")
    func retriesOfPushed() throws {
        let worked = Monitor(false)
        let context = StreamContext(
            StreamConfig(parallelism: 1, timeoutSeconds: 60, retryDelay: RetryDelay(first: 1e6, cap: 1e6)))
        context.addProcessor { chunk in
            if chunk.sequenceNumber < 3 { throw StreamError(.processorFailed, "later") }
            worked.update {
                $0 = true
                return true
            }
        }
        for number in 0..<4 {
            #expect(context.addChunk(StreamChunk(data: [["a": 1]], sequenceNumber: number)))
        }
        #expect(worked.wait(until: deadline) { $0 ? true : nil } == true)
        context.close()
    }
}
