// The ring between threads, against queues as one would write them: nanoseconds an element, and how often the sum was right.
//
//     bench-ring [ELEMENTS]

import BenchQueue
import CSluice
import Foundation
import Synchronization

let elements = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 4_000_000
let capacity = 1024

/// What is measured: a queue of numbers that are not 0.
protocol NumberQueue: Sendable {
    static var name: String { get }
    init()
    func push(_ number: Int)
    func pop() -> Int
}

// SAFETY: the ring is made for many threads.
final class RingQueue: NumberQueue, @unchecked Sendable {
    static let name = "ring"
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

// SAFETY: it has a lock.
final class LockedCQueue: NumberQueue, @unchecked Sendable {
    static let name = "lock and array in C"
    private let queue = bench_queue_create(capacity)!
    deinit { bench_queue_destroy(queue) }
    func push(_ number: Int) { bench_queue_push(queue, UnsafeMutableRawPointer(bitPattern: number)) }
    func pop() -> Int { Int(bitPattern: bench_queue_pop(queue)) }
}

// SAFETY: the array is reached under the lock only.
final class LockedSwiftQueue: NumberQueue, @unchecked Sendable {
    static let name = "lock and array in Swift"
    private let condition = NSCondition()
    private var numbers = [Int](repeating: 0, count: capacity)
    private var first = 0
    private var count = 0

    func push(_ number: Int) {
        condition.lock()
        while count == capacity { condition.wait() }
        numbers[(first + count) % capacity] = number
        count += 1
        condition.broadcast()
        condition.unlock()
    }

    func pop() -> Int {
        condition.lock()
        while count == 0 { condition.wait() }
        let number = numbers[first]
        first = (first + 1) % capacity
        count -= 1
        condition.broadcast()
        condition.unlock()
        return number
    }
}

/// Seconds for all elements from so many threads to as many; the numbers that came out have to be those that went in.
func seconds<Queue: NumberQueue>(_: Queue.Type, pairs: Int) -> Double {
    let queue = Queue()
    let sum = Atomic<Int>(0)
    let each = elements / pairs
    let ended = DispatchGroup()
    let start = DispatchTime.now().uptimeNanoseconds
    for producer in 0..<pairs {
        Thread.detachNewThread {
            for number in 0..<each { queue.push(number * pairs + producer + 1) }
        }
        ended.enter()
        Thread.detachNewThread {
            var mine = 0
            for _ in 0..<each { mine += queue.pop() }
            sum.add(mine, ordering: .relaxed)
            ended.leave()
        }
    }
    ended.wait()
    let spent = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    let count = each * pairs
    precondition(sum.load(ordering: .relaxed) == count * (count + 1) / 2, "numbers were lost, or came twice")
    return spent
}

func measure<Queue: NumberQueue>(_ queue: Queue.Type) {
    for pairs in [1, 2] {
        let runs = (0..<5).map { _ in seconds(queue, pairs: pairs) }.sorted()
        let nanoseconds = runs[runs.count / 2] * 1e9 / Double(elements)
        print("\(Queue.name), \(pairs) to \(pairs): \((nanoseconds * 10).rounded() / 10) ns an element")
    }
}

measure(RingQueue.self)
measure(LockedCQueue.self)
measure(LockedSwiftQueue.self)
