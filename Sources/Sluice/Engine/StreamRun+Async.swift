// What runs are to async code. Threads of the run's own do the work here, too: a task that waits for them is suspended, and
// holds no thread of the cooperative pool.

extension StreamRun {
    /// As `run`, on a thread of its own.
    func runSuspending(_ source: (any StreamSource)?, _ sink: any StreamSink) async throws {
        // One thread has them both, and the caller waits.
        nonisolated(unsafe) let (source, sink) = (source, sink)
        try await SystemThread.suspending("sluice-write") { try self.run(source, sink) }
    }

    /// Hands all chunks of a sequence to the pipeline.
    func feed<Chunks: AsyncSequence>(_ chunks: Chunks) async throws where Chunks.Element == StreamChunk {
        do {
            for try await chunk in chunks {
                let records = chunk.data.count
                books.enter { $0.read += records }
                let cargo = Cargo(records: records, bytes: 0, heldBytes: chunk.data.addedBytes) { .chunk(chunk) }
                guard try await pipeline.addSuspending(cargo) else { return }
            }
            try stopWithTask()
            try interrupt.check()
            pipeline.endInput()
        } catch {
            try? stopWithTask()
            pipeline.endInput(error)
        }
    }

    /// A sequence may end where its task is cancelled, as if that were all there is; and the run may not know of it yet: the task's
    /// children are told first.
    private func stopWithTask() throws(StreamError) {
        guard Task.isCancelled else { return }
        interrupt.stop(.cancelled)
        throw .cancelled
    }

    /// Streams to a closure, which is awaited chunk by chunk.
    /// - Parameter source: nil: units come into the pipeline from elsewhere.
    func run(
        _ source: (any StreamSource)?, _ deliver: (StreamChunk) async throws -> Void
    ) async throws {
        let feed = source.map { enter($0) }
        defer { end(feed) }
        let stages = try startStages(feed, nil)
        var clock: SystemThread?
        do {
            // A task that is suspended wakes for no deadline.
            clock = try SystemThread.start("sluice-clock") { self.interrupt.watchDeadline() }
            while let ticket = try await meter.time(\.write.waiting, { try await pipeline.takeDoneSuspending() }) {
                let outcome = ticket.takeOutcome()
                for chunk in outcome.chunks {
                    try await meter.time(\.write.busy) { try await deliver(chunk) }
                    books.enter { $0.written += chunk.data.count }
                    meter.add { $0.chunksProcessed += 1 }
                }
                if let error = outcome.error { throw error }
                terms.budget.refund(outcome.addedBytes)
                pipeline.leave()
                report()
            }
            try books.balance.check()
            interrupt.end()
            try await joinSuspending(stages, clock)
        } catch {
            interrupt.stop(StreamError(wrapping: error))
            try? await joinSuspending(stages, clock)
            pipeline.discard()
            meter.add { $0.errorsCount += 1 }
            throw error
        }
    }

    /// Workers may be in user code for as long as it takes: no task's thread waits for that.
    private func joinSuspending(_ stages: Stages, _ clock: SystemThread?) async throws {
        try await SystemThread.suspending("sluice-end") {
            stages.join()
            clock?.join()
        }
    }
}
