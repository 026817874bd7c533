/// A unit on its way through a run, with its number in it.
// SAFETY: one thread owns it at a time: the reader, then a worker, then the writer; the pipeline hands it over.
final class Ticket: @unchecked Sendable {
    let number: Int
    let records: Int
    private var cargo: Cargo?
    /// What became of it.
    private(set) var outcome = Outcome()

    /// What a worker made of a unit.
    struct Outcome {
        /// For the sink: bytes, or where those are not made by workers, chunks.
        var blocks: [EncodedBlock] = []
        var chunks: [StreamChunk] = []
        /// Records that became bytes, as the encoder counts them.
        var encodedRecords = 0
        /// Chunks that are left.
        var processedChunks = 0
        /// Bytes that processors have added to the chunks that are left, charged to the run's budget.
        var addedBytes = 0
        /// For the sink of rejected records, and the bytes that these take, charged likewise.
        var rejected: [RecordBatch] = []
        var rejectedBytes = 0
        var error: (any Error)?

        init(error: (any Error)? = nil) { self.error = error }
    }

    init(_ number: Int, _ cargo: Cargo) {
        self.number = number
        self.cargo = cargo
        records = cargo.records
    }

    /// A place in the order without records: what kept the source from going on.
    init(_ number: Int, failed error: any Error) {
        self.number = number
        records = 0
        outcome.error = error
    }

    var hasFailed: Bool { outcome.error != nil }

    func finish(_ outcome: Outcome) { self.outcome = outcome }

    /// What became of the unit; the ticket lets go of it.
    func takeOutcome() -> Outcome {
        defer { outcome = Outcome() }
        return outcome
    }

    /// The unit; the ticket lets go of it.
    func takeCargo() -> Cargo? {
        defer { cargo = nil }
        return cargo
    }
}
