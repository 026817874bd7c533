/// What a run lends to those of its sources and sinks that know how to use it.
struct RunTerms: Sendable {
    /// What blocks are charged to.
    let budget: MemoryBudget
    /// What ends waiting for the system.
    let interrupt: Interrupt
    /// Records of a chunk, where nothing else was said.
    let chunkSize: Int
}

/// A source or sink of this package, which takes part in a run's limits.
protocol RunParticipant: AnyObject {
    /// Before the first chunk.
    func join(_ terms: RunTerms)

    /// Bytes consumed of the input as it is stored, and the share of all; of sources.
    var consumedBytes: Int { get }
    var consumedShare: Double? { get }

    /// Bytes handed to the output so far, before compression and as they are stored; of sinks.
    var producedBytes: (raw: Int, stored: Int) { get }
}

extension RunParticipant {
    var consumedBytes: Int { 0 }
    var consumedShare: Double? { nil }
    var producedBytes: (raw: Int, stored: Int) { (0, 0) }
}
