/// A run whose chunks users hand in and take out: those that were taken out count as written.
final class PushRun: Sendable {
    private let interrupt: Interrupt
    private let meter: RunMeter
    let books = Books()
    private let budget: MemoryBudget
    private let pipeline: Pipeline
    private let clock = RunClock()
    private let config: StreamConfig
    private let listeners: ProgressListeners
    private let threads: WorkerThreads
    private let state = Monitor(State(), conditions: 0)

    private struct State {
        var status = StreamStatus.active
        /// What every later call throws.
        var failure: (any Error)?
    }

    /// - Throws: `invalidConfiguration`, or `unsupported` where there are no threads to be had.
    init(
        _ config: StreamConfig, _ steps: [ProcessorStep], _ listeners: ProgressListeners
    ) throws(StreamError) {
        try config.check()
        self.config = config
        self.listeners = listeners
        interrupt = Interrupt(seconds: config.timeoutSeconds)
        meter = RunMeter(isTiming: config.enableMetrics)
        budget = MemoryBudget(limit: config.memoryLimitMB << 20)
        pipeline = Pipeline(config.pushFlowControl, budget, interrupt)
        let chain = ProcessorChain(steps: steps, tries: config.tries, delay: config.retryDelay)
        // Not the run itself, which would keep itself alive.
        threads = WorkerThreads(jobs: config.workers) { [interrupt, meter, books, pipeline, budget] threads in
            Worker(chain, interrupt, meter, books, budget, threads) { nil }.run(pipeline)
        }
        do throws(StreamError) {
            try threads.start()
        } catch {
            join()
            throw error
        }
    }

    deinit { join() }

    /// Ends what is under way, and the threads. What nobody took out is let go of.
    func join() {
        cancel()
        threads.join()
        pipeline.discard()
    }
}

// MARK: - In

extension PushRun {
    /// Whether there was room; if not, or where no more is taken, nothing has changed.
    func add(_ chunk: StreamChunk) -> Bool {
        (try? pipeline.addIfRoom(cargo(chunk)) { note(chunk) }) ?? false
    }

    /// Waits for room.
    /// - Throws: why no more is taken.
    func push(_ chunk: StreamChunk) throws {
        var reason: any Error = StreamError(.closed, "no more chunks are taken", stage: "process")
        do {
            if try pipeline.addWaiting(cargo(chunk), { note(chunk) }) { return }
        } catch {
            reason = error
        }
        // The cause of what stopped the run, as it was thrown.
        throw state.withLock { $0.failure } ?? pipeline.failure ?? reason
    }

    private func cargo(_ chunk: StreamChunk) -> Cargo {
        Cargo(records: chunk.data.count, bytes: 0, heldBytes: chunk.data.addedBytes, isLast: chunk.isLast) {
            .chunk(chunk)
        }
    }

    /// Before anybody sees it, or the books could be closed without it.
    private func note(_ chunk: StreamChunk) { books.enter { $0.read += chunk.data.count } }

    /// No more chunks will come.
    func finish() { pipeline.endInput() }
}

// MARK: - Out

extension PushRun {
    /// The next chunk in order; waits for it. Nil behind the last.
    func next() throws -> StreamChunk? {
        if hasEnded { return nil }
        return try failing {
            while let ticket = try pipeline.takeDone() {
                if let chunk = try deliver(ticket) { return chunk }
            }
            try end()
            return nil
        }
    }

    /// The next chunk if it is there already. Nil where it is not, and behind the last.
    func nextIfThere() throws -> StreamChunk? {
        if hasEnded { return nil }
        return try failing {
            while let found = try pipeline.takeDoneNow() {
                guard let ticket = found else {
                    try end()
                    return nil
                }
                if let chunk = try deliver(ticket) { return chunk }
            }
            return nil
        }
    }

    /// An end that was reached stays one, whoever cancels then.
    private var hasEnded: Bool { state.withLock { $0.status == .completed } }

    /// Nil where processors took the chunk away.
    private func deliver(_ ticket: Ticket) throws -> StreamChunk? {
        let outcome = ticket.takeOutcome()
        if let error = outcome.error { throw error }
        budget.refund(outcome.addedBytes)
        let taken = outcome.chunks.first
        if let taken {
            books.enter { $0.written += taken.data.count }
            meter.add { $0.chunksProcessed += 1 }
        }
        // Behind the books: once the last one has left, others may close them.
        pipeline.leave()
        guard let chunk = taken else { return nil }
        listeners.tell(at: clock.seconds) { progress }
        return chunk
    }

    /// Everything was taken out: nothing may be missing.
    private func end() throws {
        guard state.withLock({ $0.status == .active }) else { return }
        try books.balance.check()
        clock.stop()
        listeners.end(progress)
        state.withLock { if $0.status == .active { $0.status = .completed } }
        threads.join()
    }

    private func failing(_ body: () throws -> StreamChunk?) throws -> StreamChunk? {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        do {
            return try body()
        } catch {
            // Who waited while another call failed hears of that by the interrupt, which knows it wrapped.
            let (status, first) = state.withLock { state in
                defer { if state.status == .active { (state.status, state.failure) = (.error, error) } }
                return (state.status, state.failure)
            }
            if let first { throw first }
            // An end that another call has reached stays one.
            if status == .completed { return nil }
            clock.stop()
            meter.add { $0.errorsCount += 1 }
            interrupt.stop(StreamError(wrapping: error))
            listeners.end(progress)
            throw error
        }
    }

    /// Ends the input, and lets go of what nobody took.
    /// - Returns: how many chunks that were.
    func discard() throws -> Int {
        finish()
        var count = 0
        while try next() != nil { count += 1 }
        return count
    }
}

// MARK: - What is known of it

extension PushRun {
    func cancel() {
        interrupt.stop(.cancelled)
        clock.stop()
        listeners.end(progress)
    }

    var isCancelled: Bool { interrupt.hasStopped }

    /// Whether it has neither come to its end nor been stopped.
    var isUnderWay: Bool { state.withLock { $0.status } == .active && (try? interrupt.check()) != nil }

    var status: StreamStatus {
        let status = state.withLock { $0.status }
        guard status == .active else { return status }
        return !isUnderWay ? .error : pipeline.isPaused ? .paused : .active
    }

    var progress: StreamProgress { StreamProgress(metrics, isPaused: pipeline.isPaused) }

    var metrics: StreamMetrics {
        var metrics = meter.metrics
        metrics.take(books.balance)
        metrics.workers = config.workers
        metrics.seconds = clock.seconds
        metrics.peakBudgetBytes = budget.peak
        metrics.peakResidentBytes = Machine.peakResidentBytes
        (metrics.pauseCount, metrics.pausedSeconds) = pipeline.pauses
        return metrics
    }
}

extension StreamConfig {
    /// Users' chunks may be small: the number of units is no limit of theirs. Nor is there a source to be paused: they are told
    /// that there is no room, and there is as soon as something was taken out, and only then.
    fileprivate var pushFlowControl: FlowControl {
        FlowControl(
            bufferSize: bufferSize, pauseAt: bufferSize, resumeBelow: .max,
            unitsMax: max(4 * workers, min(bufferSize, 1 << 16)), countsWork: true)
    }
}
