import BenchC
import CSluice
import Foundation
import SwiftKernel
import Synchronization

/// What is measured: a queue of numbers that are not 0, between so many threads and as many others.
private protocol NumberQueue: Sendable {
    init()
    func push(_ number: Int)
    func pop() -> Int
}

private let capacity = 1024

func addRingSuites() {
    let count = Inputs.isQuick ? 200_000 : 1_000_000
    for pairs in [1, 2] {
        let workload = Workload("ring", "\(pairs) to \(pairs)") {
            Facts(bytes: count * 8, records: count, answer: count * (count + 1) / 2)
        }
        workload.add("C core") { { sum(CRingQueue.self, count, pairs) } }
        workload.add("pure Swift") { { sum(SwiftRingQueue.self, count, pairs) } }
        workload.add("lock and array in C") { { sum(LockedCQueue.self, count, pairs) } }
        workload.add("NSLock and array in Swift") { { sum(LockedSwiftQueue.self, count, pairs) } }
        // A slow one: fewer numbers, so that there are several runs of it.
        let few = count / 10
        let facts = Lazy { Facts(bytes: few * 8, records: few, answer: few * (few + 1) / 2) }
        if pairs == 1 { workload.add("AsyncStream", of: facts) { { sumOfAsyncStream(few) } } }
    }
}

/// Moves the numbers from 1 to `count`; returns the sum of what came out.
private func sum<Queue: NumberQueue>(_: Queue.Type, _ count: Int, _ pairs: Int) -> Int {
    let queue = Queue()
    let total = Atomic<Int>(0)
    let ended = DispatchGroup()
    let each = count / pairs
    for producer in 0..<pairs {
        Thread.detachNewThread {
            for number in 0..<each { queue.push(number * pairs + producer + 1) }
        }
        ended.enter()
        Thread.detachNewThread {
            var mine = 0
            for _ in 0..<each { mine += queue.pop() }
            total.add(mine, ordering: .relaxed)
            ended.leave()
        }
    }
    ended.wait()
    return total.load(ordering: .relaxed)
}

/// An AsyncStream holds as many elements as it is given: there is no back-pressure.
private func sumOfAsyncStream(_ count: Int) -> Int {
    let total = Atomic<Int>(0)
    let ended = DispatchSemaphore(value: 0)
    let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
    Thread.detachNewThread {
        for number in 1...count { continuation.yield(number) }
        continuation.finish()
    }
    Task.detached {
        var mine = 0
        for await number in stream { mine += number }
        total.store(mine, ordering: .relaxed)
        ended.signal()
    }
    ended.wait()
    return total.load(ordering: .relaxed)
}

// SAFETY: the ring is made for many threads.
private final class CRingQueue: NumberQueue, @unchecked Sendable {
    private let ring = sluice_ring_create(UInt32(capacity))!
    deinit { sluice_ring_destroy(ring) }
    func push(_ number: Int) {
        while !sluice_ring_push(ring, UnsafeMutableRawPointer(bitPattern: number)) { sched_yield() }
    }
    func pop() -> Int {
        var element: UnsafeMutableRawPointer?
        while !sluice_ring_pop(ring, &element) { sched_yield() }
        return Int(bitPattern: element)
    }
}

// SAFETY: the ring is made for many threads.
private final class SwiftRingQueue: NumberQueue, @unchecked Sendable {
    private let ring = SwiftRing(capacity: UInt32(capacity))!
    func push(_ number: Int) {
        while !ring.push(UnsafeMutableRawPointer(bitPattern: number)!) { sched_yield() }
    }
    func pop() -> Int {
        while true {
            if let element = ring.pop() { return Int(bitPattern: element) }
            sched_yield()
        }
    }
}

// SAFETY: it has a lock.
private final class LockedCQueue: NumberQueue, @unchecked Sendable {
    private let queue = bench_queue_create(capacity)!
    deinit { bench_queue_destroy(queue) }
    func push(_ number: Int) { bench_queue_push(queue, UnsafeMutableRawPointer(bitPattern: number)) }
    func pop() -> Int { Int(bitPattern: bench_queue_pop(queue)) }
}

/// As one would write it: a lock, an array, and waiting where it is full or empty.
// SAFETY: the array is reached under the lock only.
private final class LockedSwiftQueue: NumberQueue, @unchecked Sendable {
    private let lock = NSLock()
    private var numbers = [Int](repeating: 0, count: capacity)
    private var first = 0
    private var count = 0

    func push(_ number: Int) {
        while true {
            lock.lock()
            if count < capacity {
                numbers[(first + count) % capacity] = number
                count += 1
                lock.unlock()
                return
            }
            lock.unlock()
            sched_yield()
        }
    }

    func pop() -> Int {
        while true {
            lock.lock()
            if count > 0 {
                let number = numbers[first]
                first = (first + 1) % capacity
                count -= 1
                lock.unlock()
                return number
            }
            lock.unlock()
            sched_yield()
        }
    }
}
