/// One run: from a source, through the processors, into a sink. It owns all that it needs, so a context can run again.
///
/// With one job the caller's thread reads, works and writes, and there is no other. For more see `StreamRun+Threads.swift`.
///
/// (1) Every thread has ended when the run returns or throws.
/// (2) The sink is closed where all went well and the books are even; else it is aborted.
/// (3) Chunks and bytes are the same for any number of jobs: units end where `unitLimit` says, which knows nothing of threads.
final class StreamRun: Sendable {
    let config: StreamConfig
    let terms: RunTerms
    let interrupt: Interrupt
    let meter: RunMeter
    let books = Books()
    let chain: ProcessorChain
    let pipeline: Pipeline
    private let clock = RunClock()
    private let listeners: ProgressListeners

    /// - Parameter steps: what happens to each chunk.
    /// - Throws: `invalidConfiguration`.
    init(_ config: StreamConfig, _ steps: [ProcessorStep], _ listeners: ProgressListeners = ProgressListeners())
        throws(StreamError)
    {
        try config.check()
        self.config = config
        self.listeners = listeners
        interrupt = Interrupt(seconds: config.timeoutSeconds)
        terms = RunTerms(
            budget: MemoryBudget(limit: config.memoryLimitMB << 20), interrupt: interrupt, chunkSize: config.chunkSize,
            workers: config.workers, kernel: config.kernel == .auto ? nil : try config.kernel.make())
        meter = RunMeter(isTiming: config.enableMetrics)
        chain = ProcessorChain(steps: steps, tries: config.tries, delay: config.retryDelay)
        pipeline = Pipeline(config.flowControl, terms.budget, interrupt)
    }

    /// Streams to the end.
    /// - Parameters:
    ///   - source: nil: units come into the pipeline from elsewhere.
    ///   - rejects: where rejected records go. It is flushed, and neither closed nor aborted ...
    ///   - closesRejects: ... or closed before the sink is: what went to the sink has then left nothing behind.
    /// - Throws: the error of the earliest unit that failed, why the run was stopped, or what a sink threw.
    func run(
        _ source: (any StreamSource)?, _ sink: any StreamSink, rejects: (any StreamSink)? = nil,
        closesRejects: Bool = false
    ) throws {
        let feed = source.map(enter)
        let writer = SinkWriter(sink, rejects: rejects)
        let sinks = [sink, rejects].compactMap { $0 }
        defer { end(feed) }
        var clock: SystemThread?
        defer {
            interrupt.end()
            clock?.join()
        }
        do {
            clock = try startClock(sinks + (source.map { [$0] } ?? []))
            for sink in sinks {
                if let source { try sink.refuseOwnOutput(source) }
                (sink as? any RunParticipant)?.join(terms)
            }
            if let feed, config.workers == 1 {
                try runInline(feed, writer)
            } else if let feed, let source, Self.neverWaits(source), sinks.allSatisfy(Self.neverWaits) {
                try runCrew(feed, writer)
            } else {
                try runStaged(feed, writer)
            }
            try finish(writer, closesRejects)
        } catch {
            pipeline.discard()
            writer.abort()
            meter.add { $0.errorsCount += 1 }
            throw try reason(of: error)
        }
    }

    /// Why the run ends: a database that was interrupted does not know it.
    private func reason(of error: any Error) throws(StreamError) -> any Error {
        if [.cancelled, .databaseBusy].contains((error as? StreamError)?.code) { try interrupt.check() }
        return error
    }

    /// A thread that stops the run at its deadline, where others may not be able to.
    private func startClock(_ parts: [AnyObject]) throws(StreamError) -> SystemThread? {
        guard interrupt.deadline != nil, parts.contains(where: { ($0 as? any RunParticipant)?.needsClock ?? false })
        else {
            return nil
        }
        do throws(StreamError) {
            return try SystemThread.start("sluice-clock") { self.interrupt.watchDeadline() }
        } catch {
            // Others may wait for the run already.
            interrupt.stop(error)
            throw error
        }
    }

    /// A source as this run reads it.
    func enter(_ source: any StreamSource) -> Feed {
        (source as? any RunParticipant)?.join(terms)
        return Feed(source, config.unitLimit)
    }

    func end(_ feed: Feed?) {
        feed?.close()
        clock.stop()
    }

    /// Publishes, if the books are even.
    private func finish(_ writer: SinkWriter, _ closesRejects: Bool) throws {
        let waiting = (written: try writer.flush(), rejected: try writer.flushRejects())
        books.enter { ledger in
            ledger.written += waiting.written
            ledger.rejected += waiting.rejected
        }
        try books.balance.check()
        try interrupt.check()
        if closesRejects { try writer.closeRejects() }
        try writer.close()
        note(writer)
    }

    func note(_ cargo: Cargo, _ feed: Feed) {
        books.enter { $0.read += cargo.records }
        meter.add { metrics in
            metrics.bytesProcessed += cargo.bytes
            metrics.bytesRead = feed.consumed()
            metrics.fraction = feed.share()
        }
    }

    func note(_ writer: SinkWriter, chunks: Int = 0) {
        let produced = writer.producedBytes
        meter.add { metrics in
            metrics.chunksProcessed += chunks
            metrics.bytesEncoded = produced.raw
            metrics.bytesWritten = produced.stored
        }
    }

    /// A unit that does not fit the limit by itself cannot be streamed within it.
    func checkMemory() throws(StreamError) {
        let budget = terms.budget
        guard budget.used > budget.limit else { return }
        throw StreamError(
            .memoryLimit,
            "with one unit of work under way \(budget.used) bytes are held, and memoryLimitMB allows \(budget.limit)",
            stage: "cut",
            hint:
                "raise memoryLimitMB (--memory-limit), or lower chunkSize or maxChunkBytes; sinks that keep chunks compact them"
        )
    }
}

// MARK: - Counting

extension StreamRun {
    /// Reads to the end, on the caller's thread. Nothing is decoded where the source can tell its records apart without.
    func count(_ source: any StreamSource) throws {
        (source as? any RunParticipant)?.join(terms)
        let feed = Feed(counting: source)
        defer { end(feed) }
        var clock: SystemThread?
        defer {
            interrupt.end()
            clock?.join()
        }
        do {
            clock = try startClock([source])
            while let cargo = try meter.time(\.read.busy, { try feed.next() }) {
                try interrupt.check()
                try checkMemory()
                note(cargo, feed)
                report()
            }
            try interrupt.check()
        } catch {
            meter.add { $0.errorsCount += 1 }
            throw try reason(of: error)
        }
    }
}

// MARK: - One thread

extension StreamRun {
    private func runInline(_ feed: Feed, _ writer: SinkWriter) throws {
        while let cargo = try meter.time(\.read.busy, { try feed.next(decodesNext: true) }) {
            try interrupt.check()
            note(cargo, feed)
            writer.announce(feed.schema)
            terms.budget.charge(cargo.heldBytes)
            defer { terms.budget.refund(cargo.heldBytes) }
            let load = try meter.time(\.decode.busy) { try cargo.decoded() }
            try checkMemory()
            if chain.steps.isEmpty, writer.takesUnits, case .unit(let unit) = load {
                let written = try meter.time(\.write.busy) { try writer.write(unit) }
                books.enter { $0.written += written }
                note(writer, chunks: unit.count)
            } else {
                try runInline(load.chunks, writer)
            }
            report()
        }
        writer.announce(feed.schema)
    }

    private func runInline(_ chunks: [StreamChunk], _ writer: SinkWriter) throws {
        var tally = ProcessorChain.Tally()
        var written = 0
        var rejected = 0
        var count = 0
        defer {
            books.enter { ledger in
                ledger += tally.ledger
                ledger.written += written
                ledger.rejected += rejected
            }
            meter.countRetries(tally.retries)
            note(writer, chunks: count)
        }
        for var chunk in chunks {
            try interrupt.check()
            let before = chunk.data.addedBytes
            let isKept = try meter.time(\.process.busy) { waited in
                try chain.apply(to: &chunk, &tally) { seconds in
                    try meter.wait(&waited) { try interrupt.park(seconds: seconds) }
                }
            }
            guard isKept else { continue }
            let added = chunk.data.addedBytes - before
            terms.budget.charge(added)
            defer { terms.budget.refund(added) }
            written += try meter.time(\.write.busy) { try writer.write(chunk) }
            count += 1
        }
        try meter.time(\.write.busy) {
            rejected = try writer.reject(tally.rejected)
            try writer.endUnit()
        }
    }
}

// MARK: - What is known of it

extension StreamRun {
    func cancel() { interrupt.stop(.cancelled) }
    var isCancelled: Bool { interrupt.hasStopped }

    var isPaused: Bool { pipeline.isPaused }

    /// So far, or in the end.
    var metrics: StreamMetrics {
        var metrics = meter.metrics
        metrics.take(books.balance)
        if metrics.workers == 0 { metrics.workers = config.workers }
        metrics.seconds = clock.seconds
        metrics.peakBudgetBytes = terms.budget.peak
        metrics.peakResidentBytes = Machine.peakResidentBytes
        (metrics.pauseCount, metrics.pausedSeconds) = pipeline.pauses
        if meter.isTiming { metrics.read.blocked = metrics.pausedSeconds }
        return metrics
    }

    var progress: StreamProgress {
        let metrics = metrics
        return StreamProgress(metrics, isPaused: isPaused)
    }

    func report() { listeners.tell(at: clock.seconds) { progress } }

    func endProgress() { listeners.end(progress) }
}

/// When a run began, and ended.
final class RunClock: Sendable {
    private let start = Clock.monotonicSeconds()
    private let end = Monitor<Double?>(nil, conditions: 0)

    /// The first time counts.
    func stop() { end.withLock { end in if end == nil { end = Clock.monotonicSeconds() } } }

    var seconds: Double { (end.withLock { $0 } ?? Clock.monotonicSeconds()) - start }
}

extension StreamConfig {
    /// Fewer than asked for where what they hold at once does not fit the memory.
    var workers: Int { min(parallelism, max(1, memoryLimitMB / 4)) }

    /// Depends on no number of threads, and on no memory: output does not, either.
    var unitLimit: UnitLimit { UnitLimit(records: max(1, min(bufferSize, backpressureThreshold) / 4)) }

    var flowControl: FlowControl {
        FlowControl(bufferSize: bufferSize, pauseAt: backpressureThreshold, unitsMax: 4 * workers)
    }
}
