import TestSupport
import Testing

@testable import Sluice

/// The engine's rules, as values: no threads.
@Suite("The engine's rules")
struct EngineValueTests {
    /// Whether the source may go on.
    private func expect(
        _ flow: inout FlowControl, _ isAdmitted: Bool, memory: Bool = true, _ why: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let answer = flow.admits(memoryAllows: memory)
        #expect(answer == isAdmitted, why, sourceLocation: sourceLocation)
        #expect(flow.isPaused == !answer, sourceLocation: sourceLocation)
    }

    @Test("a source is paused where records queued reach the threshold, and goes on below half of it")
    func pauses() {
        var flow = FlowControl(bufferSize: 100, pauseAt: 10, unitsMax: 100)
        for _ in 0..<5 {
            expect(&flow, true)
            flow.add(2)
        }
        expect(&flow, false)
        #expect(flow.pauses == 1)
        for left in [8, 6] {
            flow.take(2)
            #expect(flow.queued == left)
            expect(&flow, false)
        }
        flow.take(2)
        expect(&flow, true, "4 are queued")
        #expect(flow.pauses == 1)
    }

    @Test("records queued never exceed the buffer, but for a unit that is larger by itself")
    func bufferSize() {
        var flow = FlowControl(bufferSize: 10, pauseAt: 10, unitsMax: 100)
        expect(&flow, true, "nothing is known of the first")
        flow.add(6)
        expect(&flow, false, "6 and 6 are more than 10")
        let fresh = FlowControl(bufferSize: 10, pauseAt: 10, unitsMax: 9)
        #expect(fresh.admitting(6, then: 4) == [true, true])
        #expect(fresh.admitting(20, then: 1) == [true, false])
    }

    @Test("what a worker or the writer has is not queued, but it is under way")
    func places() {
        var flow = FlowControl(bufferSize: 10, pauseAt: 5, unitsMax: 2)
        flow.add(5)
        #expect(flow.queued == 5 && flow.units == 1)
        flow.take(5)
        #expect(flow.queued == 0)
        expect(&flow, true)
        flow.add(5)
        flow.take(5)
        expect(&flow, false, "two units are all there may be")
        flow.finish(5)
        #expect(flow.queued == 5)
        flow.pick(5)
        flow.leave()
        #expect(flow.queued == 0 && flow.units == 1)
        expect(&flow, true)
    }

    @Test("where work counts, a worker's unit is queued until it is written, however far the workers are")
    func countsWork() {
        var flow = FlowControl(bufferSize: 10, pauseAt: 10, resumeBelow: .max, unitsMax: 9, countsWork: true)
        flow.add(6)
        flow.take(6)
        expect(&flow, false, "6 and 6 are more than 10")
        flow.finish(6)
        #expect(flow.queued == 6)
        flow.pick(6)
        flow.leave()
        #expect(flow.queued == 0)
        expect(&flow, true)
    }

    @Test("of large units half as many may be under way")
    func largeUnits() {
        var flow = FlowControl(bufferSize: 100, pauseAt: 100, unitsMax: 4)
        for _ in 0..<2 { flow.add(1) }
        var answers = [flow.admits(memoryAllows: true), flow.admits(memoryAllows: true, areLarge: true)]
        flow.pick(1)
        flow.leave()
        answers.append(flow.admits(memoryAllows: true, areLarge: true))
        #expect(answers == [true, false, true])
    }

    @Test("without memory nothing more is let through, unless nothing is under way")
    func memory() {
        var flow = FlowControl(bufferSize: 10, pauseAt: 5, unitsMax: 4)
        expect(&flow, true, memory: false)
        flow.add(1)
        flow.take(1)
        expect(&flow, false, memory: false)
        flow.finish(1)
        flow.pick(1)
        flow.leave()
        expect(&flow, true, memory: false)
    }

    @Test("what comes in any order leaves in the order of its numbers")
    func window() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<200 {
            let capacity = Int.random(in: 1...9, using: &random)
            var window = ReorderWindow<Int>(capacity: capacity)
            var underWay: [Int] = []
            var next = 0
            var left: [Int] = []
            while left.count < 50 {
                while underWay.count + window.count < capacity, next < 50, Bool.random(using: &random) {
                    underWay.append(next)
                    next += 1
                }
                // The next to leave may be any of those under way.
                if let place = underWay.indices.randomElement(using: &random), underWay[place] < window.next + capacity
                {
                    let number = underWay.remove(at: place)
                    window.insert(number, number)
                }
                #expect(window.hasNext == (window.count > 0 && !underWay.contains(window.next) && window.next < next))
                while let number = window.popNext() { left.append(number) }
            }
            #expect(left == Array(0..<50) && window.count == 0)
        }
    }

    @Test("delays double up to the cap, less a random part")
    func delays() {
        let delay = RetryDelay(first: 1, cap: 5, jitter: 0.5)
        #expect((1...6).map { delay.seconds(before: $0, random: 0) } == [1, 2, 4, 5, 5, 5])
        #expect((1...3).map { delay.seconds(before: $0, random: 1) } == [0.5, 1, 2])
        #expect(delay.seconds(before: 1 << 40, random: 0) == 5, "so many retries take no time to count")
        #expect(RetryDelay(first: 9, cap: 5, jitter: 0).seconds(before: 1, random: 0.3) == 5)
        #expect(RetryDelay(first: 0, cap: 0, jitter: 0).seconds(before: 1 << 40, random: 0.3) == 0)
    }

    @Test("numbers that make no sense are refused")
    func nonsense() throws {
        try StreamConfig().check()
        let broken: [StreamConfig] = [
            StreamConfig(chunkSize: 0), StreamConfig(bufferSize: 0), StreamConfig(parallelism: 0),
            StreamConfig(parallelism: 1025), StreamConfig(memoryLimitMB: 0), StreamConfig(backpressureThreshold: -1),
            StreamConfig(timeoutSeconds: 0), StreamConfig(timeoutSeconds: -1), StreamConfig(timeoutSeconds: .nan),
            StreamConfig(maxRetries: -1), StreamConfig(maxRetries: .max),
            StreamConfig(retryDelay: RetryDelay(first: -1)),
            StreamConfig(retryDelay: RetryDelay(jitter: 2)), StreamConfig(retryDelay: RetryDelay(cap: .nan)),
        ]
        for config in broken {
            #expect(streamError { try config.check() }?.code == .invalidConfiguration, "\(config)")
            #expect(
                streamError {
                    try StreamContext(config).stream(
                        source: MemoryStreamSource([["a": 1]] as [Record]), sink: MemoryStreamSink())
                }?.code == .invalidConfiguration)
        }
    }

    @Test("fewer workers run where what they hold does not fit the memory")
    func workers() {
        #expect(StreamConfig(parallelism: 8, memoryLimitMB: 512).workers == 8)
        #expect(StreamConfig(parallelism: 8, memoryLimitMB: 16).workers == 4)
        #expect(StreamConfig(parallelism: 8, memoryLimitMB: 1).workers == 1)
    }
}

extension FlowControl {
    /// Whether each of two units is let through.
    fileprivate func admitting(_ first: Int, then second: Int) -> [Bool] {
        var flow = self
        let isFirst = flow.admits(first, memoryAllows: true)
        flow.add(first)
        return [isFirst, flow.admits(second, memoryAllows: true)]
    }
}
