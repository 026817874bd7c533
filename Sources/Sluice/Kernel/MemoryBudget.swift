import Synchronization

/// Counts the bytes that a run's blocks hold, against a limit.
///
/// (1) A block is charged when it is taken and refunded when it is freed, so the sum is what is really held.
/// (2) Half of the limit is for the oldest unit that is under way, which never waits; threads that work on others wait until what
///     they take fits into the rest, or their unit is the oldest. So the sum stays within the limit as long as no unit takes more
///     than half of it. Whatever units take, the oldest can always be finished, and its memory then is free for the next.
/// (3) Who works on no unit, as a writer, does not wait.
public final class MemoryBudget: Sendable {
    /// Most bytes that blocks may hold together.
    public let limit: Int
    private let held = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)
    /// Of the limit, what is set aside for those who keep to a share of it by themselves.
    private let reserved = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)
    private let order = Monitor(Order())

    private struct Order {
        /// The oldest unit that is under way.
        var oldest = 0
        var isOver = false
    }

    /// - Parameter limit: in bytes; without one only the counting remains.
    public init(limit: Int = .max) { self.limit = limit }

    /// Bytes held now.
    public var used: Int { held.load(ordering: .relaxed) }

    /// Most bytes that were held at once.
    public var peak: Int { highest.load(ordering: .relaxed) + reserved.load(ordering: .relaxed) }

    /// What units may take that are not the oldest.
    private var share: Int { (limit - reserved.load(ordering: .relaxed)) / 2 }

    /// Whether another unit of `bytes` would have to wait for nothing. With nothing held, anything does: one unit is always
    /// admitted.
    public func admits(_ bytes: Int) -> Bool {
        let used = used
        return used == 0 || bytes <= share - used && waiting.load(ordering: .relaxed) == 0
    }

    /// Sets bytes of the limit aside, up to the end of the run; once for all that take turns with them.
    func reserve(_ bytes: Int) { reserved.max(bytes, ordering: .relaxed) }
}

// MARK: - Taking and giving back

extension MemoryBudget {
    /// Charges bytes that are to be taken; waits where (2) says so.
    func take(_ bytes: Int) {
        guard !fits(bytes) else { return }
        guard let claim = MemoryClaim.current(self) else { return charge(bytes) }
        claim.take(bytes)
    }

    /// Charges bytes that are held already.
    func charge(_ bytes: Int) { note(held.add(bytes, ordering: .relaxed).newValue) }

    func refund(_ bytes: Int) {
        // In one order with `wait`, which counts itself before it looks at what is held.
        held.subtract(bytes, ordering: .sequentiallyConsistent)
        if waiting.load(ordering: .sequentiallyConsistent) > 0 { order.wakeAll() }
    }

    /// The oldest unit is written, or given up.
    func advance() {
        order.update { order in
            order.oldest += 1
            return waiting.load(ordering: .relaxed) > 0
        }
    }

    /// Nobody waits any more.
    func end() {
        order.update { order in
            order.isOver = true
            return true
        }
    }

    /// Charges bytes of a unit as soon as they fit, or it is the oldest.
    fileprivate func wait(_ unit: Int, _ bytes: Int) {
        waiting.add(1, ordering: .sequentiallyConsistent)
        defer { waiting.subtract(1, ordering: .sequentiallyConsistent) }
        let isTaken = order.wait { order -> Bool? in
            if fits(bytes) { return true }
            return order.isOver || order.oldest >= unit ? false : nil
        }
        if isTaken != true { charge(bytes) }
    }

    fileprivate func isOldest(_ unit: Int) -> Bool { order.withLock { $0.isOver || $0.oldest >= unit } }

    /// Charges bytes if they fit into the share.
    private func fits(_ bytes: Int) -> Bool {
        let share = share
        var used = held.load(ordering: .sequentiallyConsistent)
        while bytes <= share - used {
            let (isTaken, now) = held.compareExchange(
                expected: used, desired: used + bytes, ordering: .sequentiallyConsistent)
            if isTaken {
                note(used + bytes)
                return true
            }
            used = now
        }
        return false
    }

    private func note(_ now: Int) { highest.max(now, ordering: .relaxed) }
}

/// What a thread says before it takes memory: the unit that it works on.
final class MemoryClaim {
    private let budget: MemoryBudget
    private let meanwhile: (_ wait: () -> Void) -> Void
    private var unit = 0
    private static let key = ThreadKey()

    /// - Parameter meanwhile: calls what it is given, which waits; or does not, where nobody could end that.
    init(_ budget: MemoryBudget, meanwhile: @escaping (_ wait: () -> Void) -> Void = { $0() }) {
        self.budget = budget
        self.meanwhile = meanwhile
    }

    /// What this thread has said, of this budget.
    fileprivate static func current(_ budget: MemoryBudget) -> MemoryClaim? {
        guard let pointer = key.value else { return nil }
        let claim = Unmanaged<MemoryClaim>.fromOpaque(pointer).takeUnretainedValue()
        return claim.budget === budget ? claim : nil
    }

    /// What `body` takes, on this thread, is the unit's.
    func working<R>(on unit: Int, _ body: () throws -> R) rethrows -> R {
        self.unit = unit
        // Processors may run other streams inside.
        let outer = Self.key.value
        Self.key.value = Unmanaged.passUnretained(self).toOpaque()
        defer { Self.key.value = outer }
        return try withExtendedLifetime(self) { try body() }
    }

    fileprivate func take(_ bytes: Int) {
        var isCharged = false
        if !budget.isOldest(unit) {
            meanwhile {
                budget.wait(unit, bytes)
                isCharged = true
            }
        }
        if !isCharged { budget.charge(bytes) }
    }
}
