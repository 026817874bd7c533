/// The threads of a run that work: as many as there are jobs.
///
/// A thread that waits for time to pass, or for memory, is *away*: another takes its place meanwhile, a new one if none is idle, up to
/// `most`. When it comes back there is one too many, and the next that is between two units stays idle.
final class WorkerThreads: Sendable {
    private let jobs: Int
    /// Threads that there ever are: where so many are away, none takes their place.
    private let most: Int
    private let body: @Sendable (WorkerThreads) -> Void
    private let state = Monitor(State())
    /// Shorter waits are over before another thread has got going.
    private static let leastSeconds = 0.001

    private struct State {
        var threads: [SystemThread] = []
        /// Those that are neither away nor idle, and those that are idle.
        var working = 0
        var idle = 0
        var hasEnded = false
    }

    /// - Parameter body: what each thread does, to the end of the run.
    init(jobs: Int, _ body: @escaping @Sendable (WorkerThreads) -> Void) {
        self.jobs = jobs
        most = max(16, 4 * jobs)
        self.body = body
    }

    /// Starts all, or all but one, whose part the caller takes by `join(working: true)`.
    /// - Throws: where one cannot be had; those that can be go on, up to `join`.
    func start(butOne: Bool = false) throws(StreamError) {
        // At once, or one that is away before all are there would be replaced by more than one.
        let started = state.withLock { state in
            Result { () throws(StreamError) in
                for _ in 0..<(butOne ? jobs - 1 : jobs) { try start(&state) }
            }
        }
        try started.get()
    }

    private func start(_ state: inout State) throws(StreamError) {
        state.threads.append(try SystemThread.start("sluice-work") { [self] in work() })
        state.working += 1
    }

    private func work() {
        body(self)
        // Whoever finds the end tells those who wait.
        state.update { state in
            state.working -= 1
            state.hasEnded = true
            return true
        }
    }

    /// Waits until all have ended.
    /// - Parameter working: the caller works along.
    func join(working: Bool = false) {
        if working {
            state.withLock { $0.working += 1 }
            work()
        }
        while let thread = state.withLock({ $0.threads.popLast() }) { thread.join() }
    }

    /// Calls `body`, which waits for so long, with another thread in the place of this one.
    func away<R>(seconds: Double, _ body: () throws -> R) rethrows -> R {
        guard seconds >= Self.leastSeconds else { return try body() }
        _ = leave()
        defer { state.withLock { $0.working += 1 } }
        return try body()
    }

    /// Calls `body`, which waits for what the others do, with another thread in the place of this one; not where there is none.
    func awaitingOthers(_ body: () -> Void) {
        if leave() { body() }
        state.withLock { $0.working += 1 }
    }

    /// Whether any other thread is there to work.
    private func leave() -> Bool {
        let isAnyThere = state.withLock { state in
            state.working -= 1
            // Those that are idle will be woken, and those that came back may find no work, but are there.
            if state.working + state.idle < jobs, state.threads.count < most, !state.hasEnded {
                // Under the lock, or it could start behind the last look of `join`. Where none can be had there is none.
                try? start(&state)
            }
            return state.working + state.idle > 0
        }
        state.wakeOne()
        return isAnyThere
    }

    /// Between two units: stays idle while there is one too many.
    /// - Parameter handOn: called before, for others to do what this thread would have done next.
    func makeWay(_ handOn: () -> Void) {
        let isTooMany = state.withLock { state in
            guard state.working > jobs, !state.hasEnded else { return false }
            state.working -= 1
            state.idle += 1
            return true
        }
        guard isTooMany else { return }
        handOn()
        _ = state.wait { state -> Bool? in
            guard state.working < jobs || state.hasEnded else { return nil }
            state.idle -= 1
            state.working += 1
            return true
        }
    }
}
