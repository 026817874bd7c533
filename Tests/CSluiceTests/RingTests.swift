import CSluice
import Foundation
import SwiftKernel
import Synchronization
import TestSupport
import Testing

enum RingKind: String, CaseIterable, CustomTestStringConvertible {
    case c = "C"
    case swift = "Swift"

    var testDescription: String { rawValue }
}

// SAFETY: the ring is made for many threads; the test that makes it destroys it when they are gone.
private enum Ring: @unchecked Sendable {
    case c(OpaquePointer)
    case swift(SwiftRing)

    init?(_ kind: RingKind, _ capacity: UInt32, passed: UInt64 = 0) {
        switch kind {
        case .c:
            guard let core = sluice_ring_create_used(capacity, passed) else { return nil }
            self = .c(core)
        case .swift:
            guard let ring = SwiftRing(capacity: capacity, passed: passed) else { return nil }
            self = .swift(ring)
        }
    }

    var capacity: Int {
        switch self {
        case .c(let core): Int(sluice_ring_capacity(core))
        case .swift(let ring): ring.capacity
        }
    }

    /// - Parameter number: from -1 on; no element is NULL, which Swift's ring does not take.
    func push(_ number: Int) -> Bool {
        let element = UnsafeMutableRawPointer(bitPattern: number + 2)!
        return switch self {
        case .c(let core): sluice_ring_push(core, element)
        case .swift(let ring): ring.push(element)
        }
    }

    func pop() -> Int? {
        var element: UnsafeMutableRawPointer?
        switch self {
        case .c(let core): if !sluice_ring_pop(core, &element) { return nil }
        case .swift(let ring): element = ring.pop()
        }
        return element.map { Int(bitPattern: $0) - 2 }
    }

    func destroy() { if case .c(let core) = self { sluice_ring_destroy(core) } }
}

@Suite("Ring")
struct RingTests {
    /// How many elements went through a ring before a test: the counters pass 2^32 and 2^64 soon after.
    static let passed: [UInt64] = [0, 1, 7, 1 << 32 - 5, 1 << 63 - 5, 0 &- 1, 0 &- 2, 0 &- 5, 0 &- 64]

    @Test("a ring's capacity is a power of two from 2 on", arguments: RingKind.allCases)
    func capacities(_ kind: RingKind) {
        for capacity: UInt32 in [0, 1, 3, 6, 100, 1 << 31, .max] { #expect(Ring(kind, capacity) == nil) }
        for capacity: UInt32 in [2, 4, 1024] {
            let ring = Ring(kind, capacity)!
            #expect(ring.capacity == Int(capacity))
            ring.destroy()
        }
    }

    @Test(
        "it holds exactly its capacity, and gives back in order, also where counters wrap around",
        arguments: RingKind.allCases, passed)
    func fullAndEmpty(_ kind: RingKind, _ passed: UInt64) {
        for capacity: UInt32 in [2, 4, 8, 64] {
            let ring = Ring(kind, capacity, passed: passed)!
            for round in 0..<70 {
                #expect(ring.pop() == nil)
                for number in 0..<Int(capacity) { #expect(ring.push(round * 1000 + number)) }
                #expect(!ring.push(-1))
                for number in 0..<Int(capacity) { #expect(ring.pop() == round * 1000 + number) }
            }
            #expect(ring.pop() == nil)
            ring.destroy()
        }
    }

    @Test(
        "it does what an array does, in any order of pushes and pops, also where counters wrap around",
        arguments: RingKind.allCases, passed)
    func model(_ kind: RingKind, _ passed: UInt64) {
        var random = SplitMix64(seed: passed)
        for capacity: UInt32 in [2, 4, 8, 16, 32] {
            let ring = Ring(kind, capacity, passed: passed)!
            var model: [Int] = []
            for number in 0..<5000 {
                // Runs of pushes and of pops by turns, so that both ends are reached.
                if UInt32.random(in: 0..<100, using: &random) < (number / 50 % 2 == 0 ? 70 : 30) {
                    let fits = model.count < Int(capacity)
                    if fits { model.append(number) }
                    #expect(ring.push(number) == fits)
                } else {
                    #expect(ring.pop() == (model.isEmpty ? nil : model.removeFirst()))
                }
            }
            ring.destroy()
        }
    }

    @Test(
        "between threads nothing is lost, nothing comes twice, and each producer's elements stay in order",
        arguments: [(1, 1, 64), (2, 2, 2), (2, 2, 1 << 16), (4, 1, 8), (1, 4, 8), (3, 3, 1024)])
    func threads(_ producers: Int, _ consumers: Int, _ capacity: Int) {
        for kind in RingKind.allCases { pass(through: kind, producers, consumers, capacity) }
    }

    private func pass(through kind: RingKind, _ producers: Int, _ consumers: Int, _ capacity: Int) {
        // A million through the largest. On a busy machine a small ring passes no more than it holds each time threads take
        // turns.
        let each = max(16 * capacity, 600) / producers
        let ring = Ring(kind, UInt32(capacity), passed: 0 &- UInt64(each / 2))!
        let left = Atomic<Int>(producers * each)
        let taken = Locked<[[Int]]>([])
        onThreads(producers + consumers) { number in
            if number < producers {
                for one in 0..<each {
                    while !ring.push(one * producers + number) { sched_yield() }
                }
                return
            }
            var mine: [Int] = []
            while left.load(ordering: .relaxed) > 0 {
                guard let element = ring.pop() else {
                    sched_yield()
                    continue
                }
                mine.append(element)
                left.subtract(1, ordering: .relaxed)
            }
            taken.withLock { $0.append(mine) }
        }
        #expect(ring.pop() == nil)
        ring.destroy()
        let all = taken.withLock { $0 }
        #expect(all.joined().sorted() == Array(0..<producers * each))
        for mine in all {
            var last = [Int](repeating: -1, count: producers)
            for element in mine {
                if element <= last[element % producers] { Issue.record("\(element) came late") }
                last[element % producers] = element
            }
        }
    }
}
