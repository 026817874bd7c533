#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// State that threads share under a lock, and wait on for changes.
///
/// Who waits is parked until it is woken or its deadline has passed; nothing spins. There are several conditions to wait for, so
/// that a change wakes those it concerns; or none, which makes it a plain lock. The locks of `Synchronization` would do for
/// that, but the thread sanitizer cannot see them on Linux.
// SAFETY: `state` is reached under the mutex only; mutex and conditions never move.
package final class Monitor<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let conditions: UnsafeMutablePointer<pthread_cond_t>
    private let count: Int
    private var state: State

    /// - Parameter conditions: how many there are, numbered from 0.
    package init(_ state: State, conditions count: Int = 1) {
        self.state = state
        self.count = count
        mutex = .allocate(capacity: 1)
        conditions = .allocate(capacity: count)
        pthread_mutex_init(mutex, nil)
        for number in 0..<count { Self.make(conditions + number) }
    }

    deinit {
        for number in 0..<count { pthread_cond_destroy(conditions + number) }
        pthread_mutex_destroy(mutex)
        conditions.deallocate()
        mutex.deallocate()
    }

    package func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Calls `body` at once, and after each wake, until it returns something.
    /// - Parameter deadline: of the clock that never goes back; `body` is called a last time when it has passed.
    /// - Returns: nil if the deadline has passed first.
    func wait<R>(
        _ condition: Int = 0, until deadline: Double? = nil, _ body: (inout State) throws -> R?
    ) rethrows -> R? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            guard let deadline else {
                pthread_cond_wait(conditions + condition, mutex)
                continue
            }
            let left = deadline - Clock.monotonicSeconds()
            guard left > 0 else { return nil }
            wait(condition, seconds: left, deadline)
        }
    }

    /// Wakes one of those that wait for a condition.
    func wakeOne(_ condition: Int = 0) {
        // Under the lock, or it could fall between another's look at the state and its falling asleep.
        pthread_mutex_lock(mutex)
        pthread_cond_signal(conditions + condition)
        pthread_mutex_unlock(mutex)
    }

    /// Changes the state and wakes all that wait for a condition where `body` says so.
    func update(_ condition: Int = 0, _ body: (inout State) -> Bool) {
        pthread_mutex_lock(mutex)
        if body(&state) { pthread_cond_broadcast(conditions + condition) }
        pthread_mutex_unlock(mutex)
    }

    func wakeAll() {
        pthread_mutex_lock(mutex)
        for number in 0..<count { pthread_cond_broadcast(conditions + number) }
        pthread_mutex_unlock(mutex)
    }

    #if canImport(Darwin)
        private static func make(_ condition: UnsafeMutablePointer<pthread_cond_t>) {
            pthread_cond_init(condition, nil)
        }

        private func wait(_ condition: Int, seconds: Double, _ deadline: Double) {
            var time = timespec(seconds: seconds)
            pthread_cond_timedwait_relative_np(conditions + condition, mutex, &time)
        }
    #else
        private static func make(_ condition: UnsafeMutablePointer<pthread_cond_t>) {
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        }

        private func wait(_ condition: Int, seconds: Double, _ deadline: Double) {
            var time = timespec(seconds: deadline)
            pthread_cond_timedwait(conditions + condition, mutex, &time)
        }
    #endif
}

extension timespec {
    /// Up to some thirty years, which every system takes.
    fileprivate init(seconds: Double) {
        let seconds = min(seconds, 1e9)
        self.init(tv_sec: Int(seconds), tv_nsec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e9))
    }
}
