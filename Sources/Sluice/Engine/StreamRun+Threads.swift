// With more than one job there are two ways to share a run among threads, with a `Pipeline` between them.
//
// (1) A *crew* does everything: each thread cuts a unit, works on it, and writes what is ready, one of them at a time where order
//     wants it. A unit mostly stays on one core, and nobody waits for another but where there is nothing else to do.
// (2) In *stages* one thread reads, the caller's writes, and workers are between them. Whoever may have to wait for others than
//     the run's own keeps no worker from its work, and what users wrote keeps its thread.

// MARK: - A crew

extension StreamRun {
    static func neverWaits(_ part: Any) -> Bool { (part as? any RunParticipant)?.mayBlock == false }

    func runCrew(_ feed: Feed, _ writer: SinkWriter) throws {
        // SAFETY: the pipeline lets one thread write at a time.
        nonisolated(unsafe) let writer = writer
        let gate = EncoderGate(writer.sink)
        let failure = Monitor<(any Error)?>(nil, conditions: 0)
        // Source and sink are this package's own here. Without a processor, which may wait for what it likes, threads wait for
        // nothing but cores: more of them would take the caches from each other.
        let enough = chain.steps.isEmpty ? max(4, 2 * StreamConfig.activeCores) : config.workers
        let jobs = min(config.workers, enough)
        meter.add { $0.workers = jobs }
        let crew = WorkerThreads(jobs: jobs) { crew in
            do {
                try self.doEverything(crew, feed, writer, gate)
            } catch {
                // The first one is the cause of the others.
                failure.withLock { first in if first == nil { first = error } }
                self.interrupt.stop(StreamError(wrapping: error))
            }
        }
        do {
            try crew.start(butOne: true)
        } catch {
            interrupt.stop(error)
            crew.join()
            throw error
        }
        crew.join(working: true)
        if let error = failure.withLock({ $0 }) { throw error }
        writer.announce(feed.schema)
    }

    private func doEverything(
        _ crew: WorkerThreads, _ feed: Feed, _ writer: SinkWriter, _ gate: EncoderGate
    ) throws {
        let worker = worker(crew, writes: true, gate)
        while let step = try meter.time(\.decode.waiting, { try pipeline.nextStep() }) {
            switch step {
            case .read(let number, let othersWait):
                let read = worker.claim.working(on: number) { readOwn(feed, decodesNext: !othersWait) }
                if let ticket = read { work(on: ticket, worker, crew) }
            case .work(let ticket):
                work(on: ticket, worker, crew)
            case .write(let ticket):
                try write(ticket, feed, writer, gate)
                // While nobody else writes: progress is told in order.
                report()
                pipeline.leaveOwn()
            }
        }
    }

    private func work(on ticket: Ticket, _ worker: Worker, _ crew: WorkerThreads) {
        if pipeline.wants(ticket) { worker.work(on: ticket) }
        pipeline.complete(ticket)
        crew.makeWay { pipeline.wakeReader() }
    }

    private func readOwn(_ feed: Feed, decodesNext: Bool) -> Ticket? {
        do {
            if let cargo = try next(feed, decodesNext: decodesNext) {
                return pipeline.addOwn(cargo, handsOver: !feed.isSplit)
            }
            pipeline.endInput()
        } catch {
            pipeline.endInput(error)
        }
        return nil
    }
}

// MARK: - Stages

extension StreamRun {
    /// - Parameter feed: nil: units come into the pipeline from elsewhere.
    func runStaged(_ feed: Feed?, _ writer: SinkWriter) throws {
        let gate = EncoderGate(writer.sink)
        let stages = try startStages(feed, gate)
        defer { stages.join() }
        do {
            while let ticket = try meter.time(\.write.waiting, { try pipeline.takeDone() }) {
                try write(ticket, feed, writer, gate)
                pipeline.leave()
                report()
            }
        } catch {
            interrupt.stop(StreamError(wrapping: error))
            throw error
        }
        writer.announce(feed?.schema)
    }

    /// Threads that are not the writer's.
    struct Stages: Sendable {
        let reader: SystemThread?
        let workers: WorkerThreads

        func join() {
            reader?.join()
            workers.join()
        }
    }

    /// The threads that read, where there is something to read, and work. None is left where one cannot be had.
    func startStages(_ feed: Feed?, _ gate: EncoderGate?) throws(StreamError) -> Stages {
        let workers = WorkerThreads(jobs: config.workers) { self.worker($0, writes: false, gate).run(self.pipeline) }
        do throws(StreamError) {
            try workers.start()
            guard let feed else { return Stages(reader: nil, workers: workers) }
            return Stages(reader: try SystemThread.start("sluice-read") { self.read(feed) }, workers: workers)
        } catch {
            interrupt.stop(error)
            workers.join()
            throw error
        }
    }

    private func read(_ feed: Feed) {
        do {
            let claim = MemoryClaim(terms.budget)
            var number = 0
            while try pipeline.waitForRoom(), let cargo = try claim.working(on: number, { try next(feed) }) {
                pipeline.add(cargo)
                number += 1
            }
            pipeline.endInput()
        } catch {
            pipeline.endInput(error)
        }
    }
}

// MARK: - Parts of both

extension StreamRun {
    private func worker(_ threads: WorkerThreads, writes: Bool, _ gate: EncoderGate?) -> Worker {
        Worker(chain, interrupt, meter, books, terms.budget, threads, writes: writes) { try gate?.makeEncoder() }
    }

    /// The next unit, noted; nil at the end.
    private func next(_ feed: Feed, decodesNext: Bool = false) throws -> Cargo? {
        let cut = try meter.time(\.read.busy) { try feed.next(decodesNext: decodesNext) }
        guard let cargo = cut else { return nil }
        terms.budget.take(cargo.heldBytes)
        if pipeline.isIdle { try checkMemory() }
        note(cargo, feed)
        return cargo
    }

    /// Writes what became of a unit.
    private func write(_ ticket: Ticket, _ feed: Feed?, _ writer: SinkWriter, _ gate: EncoderGate) throws {
        let outcome = ticket.takeOutcome()
        if let error = outcome.error, outcome.chunks.isEmpty, outcome.blocks.isEmpty { throw error }
        writer.announce(feed?.schema)
        var (written, rejected) = (0, 0)
        // Also where the sink fails in between.
        defer {
            books.enter { ledger in
                ledger.written += written
                ledger.rejected += rejected
            }
        }
        try meter.time(\.write.busy) {
            try commit(outcome, writer, &written)
            rejected = try writer.reject(outcome.rejected)
        }
        if writer.wantsBytes { gate.open() }
        note(writer, chunks: outcome.processedChunks)
        if let error = outcome.error { throw error }
        terms.budget.refund(outcome.addedBytes + outcome.rejectedBytes)
    }

    private func commit(_ outcome: Ticket.Outcome, _ writer: SinkWriter, _ written: inout Int) throws {
        try writer.commit(outcome.blocks)
        written += outcome.encodedRecords
        guard !outcome.chunks.isEmpty else { return }
        for chunk in outcome.chunks { written += try writer.write(chunk) }
        try writer.endUnit()
    }
}
