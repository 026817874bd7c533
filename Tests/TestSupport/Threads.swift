import Foundation

/// State that threads share, under a lock that the thread sanitizer knows.
// SAFETY: `state` is reached under the lock only.
public final class Locked<State>: @unchecked Sendable {
    private let condition = NSCondition()
    private var state: State

    public init(_ state: State) { self.state = state }

    public func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
        condition.lock()
        defer { condition.unlock() }
        defer { condition.broadcast() }
        return try body(&state)
    }

    /// Waits for a state.
    public func wait(until isReached: (State) -> Bool) {
        condition.lock()
        while !isReached(state) { condition.wait() }
        condition.unlock()
    }
}

/// Runs `body` on as many threads of their own, numbered, and waits for all.
public func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let done = Locked(0)
    for number in 0..<count {
        Thread {
            body(number)
            done.withLock { $0 += 1 }
        }.start()
    }
    done.wait { $0 == count }
}
