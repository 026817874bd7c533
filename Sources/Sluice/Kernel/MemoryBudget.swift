import Synchronization

/// Counts the bytes that a run's blocks hold, against a limit.
///
/// A block is charged when it is taken and refunded when it is freed, so the sum is what is really held.
public final class MemoryBudget: Sendable {
    /// Most bytes that blocks may hold together.
    public let limit: Int
    private let held = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)
    /// Of the limit, what is set aside for those who keep to a share of it by themselves.
    private let reserved = Atomic<Int>(0)

    /// - Parameter limit: in bytes; without one only the counting remains.
    public init(limit: Int = .max) { self.limit = limit }

    /// Bytes held now.
    public var used: Int { held.load(ordering: .relaxed) }

    /// Most bytes that were held at once.
    public var peak: Int { highest.load(ordering: .relaxed) + reserved.load(ordering: .relaxed) }

    /// Whether `bytes` more would stay within the limit. With nothing held, anything does: one unit is always admitted.
    public func admits(_ bytes: Int) -> Bool {
        let used = used
        return used == 0 || bytes <= limit - used - reserved.load(ordering: .relaxed)
    }

    /// Sets bytes of the limit aside, up to the end of the run; once for all that take turns with them.
    func reserve(_ bytes: Int) { reserved.max(bytes, ordering: .relaxed) }

    func charge(_ bytes: Int) {
        let now = held.add(bytes, ordering: .relaxed).newValue
        highest.max(now, ordering: .relaxed)
    }

    func refund(_ bytes: Int) { held.subtract(bytes, ordering: .relaxed) }
}
