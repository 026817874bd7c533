/// What a run lends to those of its sources and sinks that know how to use it.
struct RunTerms: Sendable {
    /// What blocks are charged to.
    let budget: MemoryBudget
    /// What ends waiting for the system.
    let interrupt: Interrupt
    /// Records of a chunk, where nothing else was said.
    let chunkSize: Int
    /// Threads that work; 1: there are no others than the caller's.
    let workers: Int
    /// Which implementation does the work, where nothing else was said; nil: their own choice.
    let kernel: Kernel?
}

/// A source or sink of this package, which takes part in a run's limits.
protocol RunParticipant: AnyObject {
    /// Before the first chunk.
    func join(_ terms: RunTerms)

    /// Whether it may wait for as long as somebody else does nothing: at a pipe, or a terminal.
    var mayBlock: Bool { get }

    /// Whether it may be in calls that nothing ends but what it does when the run is stopped (`Interrupt.onStop`): then somebody else
    /// has to watch the clock.
    var needsClock: Bool { get }

    /// Bytes consumed of the input as it is stored, and the share of all; of sources.
    var consumedBytes: Int { get }
    var consumedShare: Double? { get }

    /// Bytes handed to the output so far, before compression and as they are stored; of sinks.
    var producedBytes: (raw: Int, stored: Int) { get }
}

/// A source that can tell its records apart without looking into them.
protocol CountableSource: StreamSource {
    /// How many records the next unit has, and how many bytes; nil at the end.
    func countNext() throws -> (records: Int, bytes: Int)?
}

extension CountableSource {
    func countAll() throws -> Int {
        var count = 0
        while let next = try countNext() { count += next.records }
        return count
    }
}

extension RunParticipant {
    var needsClock: Bool { false }
    var consumedBytes: Int { 0 }
    var consumedShare: Double? { nil }
    var producedBytes: (raw: Int, stored: Int) { (0, 0) }
}
