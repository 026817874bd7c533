import Synchronization

/// Gives workers their encoders, once the sink is ready for them.
// SAFETY: `makeEncoder` of a split sink may be called on any thread once the sink is ready, by contract; the gate opens then.
final class EncoderGate: @unchecked Sendable {
    private let sink: (any SplitSink)?
    private let isOpen = Atomic<Bool>(false)

    init(_ sink: any StreamSink) { self.sink = sink as? any SplitSink }

    func open() { isOpen.store(true, ordering: .releasing) }

    /// Nil while the sink takes chunks only.
    func makeEncoder() throws -> (any ChunkEncoder)? {
        guard isOpen.load(ordering: .acquiring), let sink else { return nil }
        return try sink.makeEncoder()
    }
}
