import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Ends a run before its time: somebody cancelled it, its deadline has passed, or a part of it failed.
///
/// Whoever waits for anything in a run waits for this as well: threads by `onStop`, and where the system would block for as
/// long as it takes (reading a silent pipe, writing to a full one) by `waitToRead` and `waitToWrite`.
final class Interrupt: Sendable {
    /// Of the clock that never goes back; nil: there is none.
    let deadline: Double?
    private let isStopped = Atomic<Bool>(false)
    private let state = Monitor(State())
    /// Where those wait who wait for nothing else.
    private let parked = Monitor(false)

    private struct State {
        var reason: StreamError?
        var onStop: [@Sendable () -> Void] = []
        /// Whether they are being called.
        var isCalling = false
        /// A pipe whose reading end becomes readable with the stop, made for who asks first.
        var bell: (reading: Int32, writing: Int32)?
    }

    /// - Parameter seconds: from now to the deadline.
    init(seconds: Double? = nil) { deadline = seconds.map { Clock.monotonicSeconds() + $0 } }

    deinit {
        state.withLock { state in
            guard let bell = state.bell else { return }
            FileSystem.drop(bell.reading)
            FileSystem.drop(bell.writing)
        }
    }

    /// Stops the run, and says why. Only the first reason counts.
    func stop(_ reason: StreamError) {
        let wake: [@Sendable () -> Void] = state.withLock { state in
            guard state.reason == nil else { return [] }
            state.reason = reason
            isStopped.store(true, ordering: .releasing)
            if let bell = state.bell { FileSystem.ring(bell.writing) }
            // Called once; kept, what they hold could hold this.
            defer { state.onStop = [] }
            state.isCalling = !state.onStop.isEmpty
            return state.onStop
        }
        parked.wakeAll()
        guard !wake.isEmpty else { return }
        for body in wake { body() }
        state.update { state in
            state.isCalling = false
            return true
        }
    }

    /// Calls `body` at the stop, on the thread of who stops; at once where that has been.
    func onStop(_ body: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if state.reason == nil { state.onStop.append(body) }
            return state.reason != nil
        }
        if isLate { body() }
    }

    /// - Throws: why the run was stopped, if it was; `timedOut` where the deadline has passed.
    func check() throws(StreamError) {
        try checkStopped()
        if let deadline, Clock.monotonicSeconds() >= deadline {
            stop(.timedOut)
            throw reason
        }
    }

    /// As `check`, without a look at the clock: nobody is woken by it, so it may be called under a lock that others wait for.
    func checkStopped() throws(StreamError) {
        if isStopped.load(ordering: .acquiring) { throw reason }
    }

    /// Parks for a while.
    /// - Throws: as `check`, as soon as there is something to throw.
    func park(seconds: Double) throws(StreamError) {
        try check()
        let until = Clock.monotonicSeconds() + seconds
        _ = parked.wait(until: deadline.map { min($0, until) } ?? until) { hasEnded in
            hasEnded || hasStopped ? true : nil
        }
        try check()
    }

    /// Stops the run at its deadline, unless it is over before: for those who cannot wait for it themselves.
    func watchDeadline() {
        guard let deadline else { return }
        try? park(seconds: deadline - Clock.monotonicSeconds())
    }

    /// The run is over: nobody need watch it any more, and who stops it now disturbs nobody. Waits for a stop that is being told.
    func end() {
        _ = state.wait { state -> Bool? in
            state.onStop = []
            return state.isCalling ? nil : true
        }
        parked.update {
            $0 = true
            return true
        }
    }

    var hasStopped: Bool { isStopped.load(ordering: .acquiring) }

    private var reason: StreamError { state.withLock { $0.reason } ?? .cancelled }
}

// MARK: - Waiting for files

extension Interrupt {
    /// Parks until there is something to read, or the end.
    /// - Throws: as `check`.
    func waitToRead(_ descriptor: Int32, _ path: String) throws(StreamError) {
        try wait(descriptor, Int16(POLLIN), path, .readFailed, stage: "cut")
    }

    /// Parks until `FileSystem.pipeBytes` can be written without blocking, or writing fails.
    /// - Throws: as `check`.
    func waitToWrite(_ descriptor: Int32, _ path: String) throws(StreamError) {
        try wait(descriptor, Int16(POLLOUT), path, .writeFailed, stage: "commit")
    }

    private func wait(
        _ descriptor: Int32, _ events: Int16, _ path: String, _ code: StreamError.Code, stage: String
    ) throws(StreamError) {
        while true {
            try check()
            let left = deadline.map { max(0, $0 - Clock.monotonicSeconds()) }
            if try FileSystem.wait(descriptor, events, or: bell, seconds: left, path, code, stage: stage) { return }
        }
    }

    private var bell: Int32 {
        get throws(StreamError) {
            let made = state.withLock { state in
                if state.bell == nil { state.bell = FileSystem.pipe() }
                if state.reason != nil, let bell = state.bell { FileSystem.ring(bell.writing) }
                return state.bell?.reading
            }
            guard let made else { throw StreamError(.unsupported, "the system gives no more descriptors") }
            return made
        }
    }
}

extension StreamError {
    static let cancelled = StreamError(.cancelled, "the run was cancelled")
    static let timedOut = StreamError(
        .timedOut, "the run took longer than it may", hint: "raise timeoutSeconds (--timeout)")
}
