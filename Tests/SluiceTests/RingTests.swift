import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Sluice

@Suite("Ring of objects")
struct RingTests {
    /// Counts those of its kind that are alive.
    private final class Counted: Sendable {
        let number: Int
        private let alive: Alive

        init(_ number: Int, _ alive: Alive) {
            self.number = number
            self.alive = alive
            alive.count.add(1, ordering: .relaxed)
        }

        deinit { alive.count.subtract(1, ordering: .relaxed) }
    }

    private final class Alive: Sendable {
        let count = Atomic<Int>(0)
        var now: Int { count.load(ordering: .relaxed) }
    }

    @Test("its capacity is rounded up to a power of two")
    func capacity() {
        for (asked, capacity) in [(1, 2), (2, 2), (3, 4), (8, 8), (9, 16), (1000, 1024)] {
            #expect(Ring<Counted>(capacity: asked).capacity == capacity)
        }
    }

    @Test("an object is alive while it is in the ring, and no longer than its users want")
    func lifetime() {
        let alive = Alive()
        let ring = Ring<Counted>(capacity: 4)
        for number in 0..<4 { #expect(ring.push(Counted(number, alive))) }
        #expect(alive.now == 4)
        #expect(!ring.push(Counted(4, alive)), "full")
        #expect(alive.now == 4, "what was refused is gone")
        for number in 0..<4 {
            #expect(ring.pop()?.number == number)
            #expect(alive.now == 3 - number)
        }
        #expect(ring.pop() == nil)
    }

    @Test("what is in a ring that goes away is released")
    func leftOver() {
        let alive = Alive()
        for count in 0...4 {
            let ring = Ring<Counted>(capacity: 4)
            for number in 0..<count { #expect(ring.push(Counted(number, alive))) }
            #expect(alive.now == count)
            withExtendedLifetime(ring) {}
        }
        #expect(alive.now == 0)
    }

    @Test("objects pass between threads whole, each once")
    func threads() {
        let alive = Alive()
        let ring = Ring<Counted>(capacity: 1024)
        let count = 20_000
        let sum = Atomic<Int>(0)
        let left = Atomic<Int>(2 * count)
        onThreads(4) { worker in
            if worker < 2 {
                for number in 0..<count {
                    let element = Counted(2 * number + worker, alive)
                    while !ring.push(element) { sched_yield() }
                }
                return
            }
            while left.load(ordering: .relaxed) > 0 {
                guard let element = ring.pop() else {
                    sched_yield()
                    continue
                }
                sum.add(element.number, ordering: .relaxed)
                left.subtract(1, ordering: .relaxed)
            }
        }
        #expect(sum.load(ordering: .relaxed) == count * (2 * count - 1) && alive.now == 0)
    }
}
