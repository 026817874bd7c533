/// Decodes, processes and encodes units, on one thread.
final class Worker {
    private let chain: ProcessorChain
    private let interrupt: Interrupt
    private let meter: RunMeter
    private let books: Books
    private let budget: MemoryBudget
    private let threads: WorkerThreads
    /// For the units that this thread reads or works on.
    let claim: MemoryClaim
    /// Makes an encoder once the sink is ready for it; nil: not yet, or never.
    private let makeEncoder: () throws -> (any ChunkEncoder)?
    private var encoder: (any ChunkEncoder)?

    /// - Parameter writes: whether the threads also write, so that memory comes back only while some of them do not wait for it.
    init(
        _ chain: ProcessorChain, _ interrupt: Interrupt, _ meter: RunMeter, _ books: Books, _ budget: MemoryBudget,
        _ threads: WorkerThreads, writes: Bool = false, makeEncoder: @escaping () throws -> (any ChunkEncoder)?
    ) {
        self.chain = chain
        self.interrupt = interrupt
        self.meter = meter
        self.books = books
        self.budget = budget
        self.threads = threads
        claim = writes ? MemoryClaim(budget) { threads.awaitingOthers($0) } : MemoryClaim(budget)
        self.makeEncoder = makeEncoder
    }

    /// Takes units until there are no more.
    func run(_ pipeline: Pipeline) {
        while true {
            let start = meter.now
            guard let ticket = pipeline.takeWork() else { return }
            if meter.isTiming {
                let waited = meter.now - start
                meter.add { $0.decode.waiting += waited }
            }
            work(on: ticket)
            pipeline.complete(ticket)
            threads.makeWay {}
        }
    }

    /// Makes of a unit what is written.
    func work(on ticket: Ticket) {
        guard let cargo = ticket.takeCargo() else { return }
        claim.working(on: ticket.number) { ticket.finish(outcome(of: cargo)) }
    }

    private func outcome(of cargo: Cargo) -> Ticket.Outcome {
        var outcome = Ticket.Outcome()
        outcome.addedBytes = cargo.heldBytes
        do {
            let load = try meter.time(\.decode.busy) { try cargo.decoded() }
            if encoder == nil { encoder = try makeEncoder() }
            if chain.steps.isEmpty, encoder != nil, let joined = load.joined {
                // Nobody looks at the chunks.
                outcome.processedChunks = load.chunkCount
                try meter.time(\.encode.busy) { try encode([joined], &outcome) }
            } else {
                outcome.chunks = load.chunks
                // Chunks before one that fails go on their way, as they do where one thread takes chunk by chunk: the same is written,
                // and the earliest error is thrown, for any number of threads.
                var failure: (any Error)?
                do { try process(&outcome) } catch { failure = error }
                let chunks = outcome.chunks
                outcome.chunks = []
                try meter.time(\.encode.busy) { try encode(chunks, &outcome) }
                outcome.error = failure
            }
            return outcome
        } catch {
            budget.refund(outcome.addedBytes + outcome.rejectedBytes)
            return Ticket.Outcome(error: error)
        }
    }

    /// Lets the outcome's chunks through the processors. Where one fails, those before it are left.
    private func process(_ outcome: inout Ticket.Outcome) throws {
        let chunks = outcome.chunks
        guard !chain.steps.isEmpty else {
            outcome.processedChunks = chunks.count
            return
        }
        outcome.chunks = []
        try meter.time(\.process.busy) { waited in
            var tally = ProcessorChain.Tally()
            defer {
                books.enter { $0 += tally.ledger }
                meter.countRetries(tally.retries)
            }
            for var chunk in chunks {
                try interrupt.check()
                let before = chunk.data.addedBytes
                let isKept = try chain.apply(to: &chunk, &tally) { seconds in
                    try meter.wait(&waited) {
                        try threads.away(seconds: seconds) { try interrupt.park(seconds: seconds) }
                    }
                }
                guard isKept else { continue }
                let added = chunk.data.addedBytes - before
                budget.charge(added)
                outcome.addedBytes += added
                outcome.chunks.append(chunk)
                outcome.processedChunks += 1
            }
            outcome.rejected = tally.rejected
            outcome.rejectedBytes = tally.rejected.reduce(0) { $0 + $1.addedBytes }
            budget.charge(outcome.rejectedBytes)
        }
    }

    /// Makes bytes of the chunks, or leaves them to the writer where the sink does not want bytes yet.
    private func encode(_ chunks: [StreamChunk], _ outcome: inout Ticket.Outcome) throws {
        guard let encoder else {
            outcome.chunks = chunks
            return
        }
        var blocks: [EncodedBlock] = []
        let before = encoder.encodedRecords
        for chunk in chunks { try encoder.encode(chunk) { blocks.append($0) } }
        try encoder.endUnit { blocks.append($0) }
        outcome.encodedRecords = encoder.encodedRecords - before
        outcome.blocks = blocks
        budget.refund(outcome.addedBytes)
        outcome.addedBytes = 0
    }
}
