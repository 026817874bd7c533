import Synchronization

// The argument:
// (1) Places are numbered 0, 1, 2 ... and so on past 2^64, which a power of two divides; place p is cell p mod capacity. `tail`
//     is the next place to fill, `head` the next to empty.
// (2) A cell's turn says who may touch it: p, the push at place p; p + 1, the pop at place p; p + capacity, the push a round
//     later. A capacity of 1 would make two of them one.
// (3) A thread that sees its turn claims the place by moving the counter on. Only one succeeds, and until it passes the turn on
//     no other touches the cell. The element is atomic all the same, and relaxed, which costs nothing: so a cell is only ever
//     changed by operations that any thread may call, and the compiler checks that.
// (4) The turn is passed on by a release and seen by an acquire. Without that of push, a pop could see the turn but an old
//     element, or an element whose contents are not all there; without that of pop, a push could overwrite an element before
//     it was read.
// (5) The counters are relaxed: they only say which cell to look at, and the cell's turn says the rest. An old value makes
//     the claim fail, and it is looked at again.
// (6) A turn behind the place that is looked for means full (or empty), or that the thread whose turn it is has not passed it on
//     yet. A turn ahead of it means that others came first and the counter was old.

/// A bounded queue of pointers between any number of threads: first in, first out, without locks.
///
/// After Dmitry Vyukov, "Bounded MPMC queue" (1024cores.net, 2010). It does not know what its pointers point to: take out first
/// what must be freed.
///
/// Any thread may push and pop at any time. Both take constant time but for other threads' pushes or pops that come between,
/// and never wait: a push or pop that another thread has begun and not finished counts as full here and as empty there. Who
/// waits for room or for an element has to look again when such a call is over.
// SAFETY: the cells' memory belongs to the ring alone, never moves, and is initialized as long as the ring lives; cells are
// changed by atomic operations only.
public final class SwiftRing: @unchecked Sendable {
    private let cells: UnsafeMutableBufferPointer<Cell>
    private let tail: Counter
    private let head: Counter

    /// An empty ring.
    /// - Parameters:
    ///   - capacity: a power of two from 2 to 2^30; nil: it is another. Memory that there is not ends the process.
    ///   - passed: for tests: how many pointers look as if they had gone through it.
    public init?(capacity: UInt32, passed: UInt64 = 0) {
        guard (2...1 << 30).contains(capacity), capacity.nonzeroBitCount == 1 else { return nil }
        cells = .allocate(capacity: Int(capacity))
        tail = Counter(passed)
        head = Counter(passed)
        for number in 0..<UInt64(capacity) {
            let place = passed &+ number
            cells.initializeElement(at: index(place), to: Cell(turn: place))
        }
    }

    deinit {
        cells.deinitialize()
        cells.deallocate()
    }

    public var capacity: Int { cells.count }

    /// Whether there was room; if not, nothing has changed. All that the caller wrote before is seen by whoever pops `element`.
    public func push(_ element: UnsafeMutableRawPointer) -> Bool {
        guard let place = claim(tail, ahead: 0) else { return false }
        let cells = cells.span
        cells[index(place)].element.store(element, ordering: .relaxed)
        cells[index(place)].turn.store(place &+ 1, ordering: .releasing)
        return true
    }

    /// Takes out the oldest element; nil: there is none.
    public func pop() -> UnsafeMutableRawPointer? {
        guard let place = claim(head, ahead: 1) else { return nil }
        let cells = cells.span
        let element = cells[index(place)].element.load(ordering: .relaxed)
        cells[index(place)].turn.store(place &+ UInt64(cells.count), ordering: .releasing)
        return element
    }

    /// Claims the next place of `counter` whose cell's turn is `ahead` of it. nil: that is not its turn, see (6).
    @inline(__always) private func claim(_ counter: borrowing Counter, ahead: UInt64) -> UInt64? {
        let cells = cells.span
        var place = counter.value.load(ordering: .relaxed)
        while true {
            let turn = cells[index(place)].turn.load(ordering: .acquiring)
            let distance = Int64(bitPattern: turn &- (place &+ ahead))
            if distance < 0 { return nil }
            if distance > 0 {
                place = counter.value.load(ordering: .relaxed)
                continue
            }
            let (claimed, original) = counter.value.weakCompareExchange(
                expected: place, desired: place &+ 1, ordering: .relaxed)
            if claimed { return place }
            place = original
        }
    }

    @inline(__always) private func index(_ place: UInt64) -> Int { Int(truncatingIfNeeded: place) & (cells.count &- 1) }
}

/// The number of a place, with 128 bytes on either side of it that nobody else writes: two cache lines of x86-64, which are
/// fetched in pairs, one of Apple's.
private struct Counter: ~Copyable {
    private let before = SIMD16<UInt64>.zero
    let value: Atomic<UInt64>
    private let behind = SIMD16<UInt64>.zero

    init(_ value: UInt64) { self.value = Atomic(value) }
}

private struct Cell: ~Copyable {
    let turn: Atomic<UInt64>
    let element = Atomic<UnsafeMutableRawPointer?>(nil)

    init(turn: UInt64) { self.turn = Atomic(turn) }
}
