import Synchronization

/// A bounded queue whose takers wait where there is nothing to take.
///
/// (1) Elements go through a `Ring`, so nobody takes a lock while there is work.
/// (2) A taker that finds none counts itself among the sleepers, looks again, and parks. A giver pushes, and then looks at the
///     sleepers. Both do so by a read-modify-write of the same counter: either the giver's comes second, and sees the sleeper; or
///     the taker's does, and its second look sees the element. So no wake is lost, and without sleepers none is paid for.
/// (3) The wake happens under the lock, so it cannot fall between a taker's second look and its parking.
final class WorkQueue<Element: AnyObject & Sendable>: Sendable {
    private let ring: Ring<Element>
    private let sleepers = Atomic<Int>(0)
    private let isClosed = Monitor(false)

    /// - Parameter capacity: elements that are ever between the oldest one not yet done with and the newest, at most.
    init(capacity: Int) { ring = Ring(capacity: capacity) }

    /// Adds an element. Complexity: O(1), without a system call where nobody sleeps.
    func push(_ element: Element) {
        let hasRoom = ring.push(element)
        precondition(hasRoom, "whoever pushes keeps to the capacity")
        if sleepers.add(0, ordering: .acquiringAndReleasing).newValue > 0 { isClosed.wakeOne() }
    }

    /// The oldest element; waits for one. Nil once the queue is closed and empty.
    func pop() -> Element? {
        if let element = ring.pop() { return element }
        sleepers.add(1, ordering: .acquiringAndReleasing)
        defer { sleepers.subtract(1, ordering: .acquiringAndReleasing) }
        let found: Element?? = isClosed.wait { isClosed in
            if let element = ring.pop() { return .some(element) }
            return isClosed ? .some(nil) : nil
        }
        return found ?? nil
    }

    /// No more elements will come.
    func close() {
        isClosed.update {
            $0 = true
            return true
        }
    }
}
