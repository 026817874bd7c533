/// A step between decode and encode: it edits the chunk; false takes the chunk away. In the place of each record that it rejects
/// it hands out another, which is written to where rejected ones go.
typealias ProcessorStep = @Sendable (_ chunk: inout StreamChunk, _ rejected: inout [RecordBatch]) throws -> Bool

/// What happens to every chunk between decode and encode.
struct ProcessorChain: Sendable {
    var steps: [ProcessorStep] = []
    /// Tries of a step, the first included.
    var tries = 1
    var delay = RetryDelay()

    /// What steps did, for the books.
    struct Tally {
        var ledger = Ledger()
        /// Tries that failed and were made again.
        var retries = 0
        /// What is to be written of the records that were rejected, in order.
        var rejected: [RecordBatch] = []
    }

    /// Applies all steps in order.
    /// - Parameter park: waits for so many seconds before a step is tried again.
    /// - Returns: whether the chunk is still there.
    /// - Throws: the error of a step that failed as often as it may; what `park` throws.
    func apply(
        to chunk: inout StreamChunk, _ tally: inout Tally, park: (_ seconds: Double) throws -> Void
    ) throws -> Bool {
        for step in steps {
            let before = chunk.data.count
            let batches = tally.rejected.count
            let isKept = try attempt(step, &chunk, &tally, park)
            let rejected = tally.rejected[batches...].reduce(0) { $0 + $1.count }
            // Those are counted when they are written.
            tally.ledger.passed(before - rejected, isKept ? chunk.data.count : 0)
            if !isKept { return false }
        }
        return true
    }

    /// Each try gets the step's own input, as it was: an earlier one leaves no trace.
    private func attempt(
        _ step: ProcessorStep, _ chunk: inout StreamChunk, _ tally: inout Tally, _ park: (Double) throws -> Void
    ) throws -> Bool {
        guard tries > 1 else { return try step(&chunk, &tally.rejected) }
        let input = chunk
        let batches = tally.rejected.count
        var retry = 0
        while true {
            do {
                return try step(&chunk, &tally.rejected)
            } catch  where retry + 1 < tries && Self.mayPass(error) {
                retry += 1
                tally.retries += 1
                chunk = input
                tally.rejected.removeSubrange(batches...)
                try park(delay.seconds(before: retry, random: .random(in: 0..<1)))
            }
        }
    }

    /// What is wrong with the data stays wrong, and so does what ends a run; what lies outside of both may change.
    private static func mayPass(_ error: any Error) -> Bool {
        guard let error = error as? StreamError else { return true }
        return switch error.code {
        case .processorFailed, .unsupported, .databaseFailed, .databaseBusy: true
        case .fileNotFound, .permissionDenied, .cannotCreate, .readFailed, .writeFailed, .noSpace: true
        default: false
        }
    }
}
