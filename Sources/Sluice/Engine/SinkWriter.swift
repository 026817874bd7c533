/// A sink as the engine writes to it: on one thread at a time, in order.
final class SinkWriter {
    let sink: any StreamSink
    private let split: (any SplitSink)?
    /// Where rejected records go. Who made that sink closes it: it may serve several runs.
    private let rejects: SinkWriter?
    private var isAnnounced = false
    /// Records handed to `writeChunk` that the sink has not turned into bytes: those that wait for the columns of CSV.
    private var waiting = 0

    init(_ sink: any StreamSink, rejects: (any StreamSink)? = nil) {
        self.sink = sink
        self.rejects = rejects.map { SinkWriter($0) }
        split = sink as? any SplitSink
    }

    /// Whether the sink tells no chunks apart.
    var takesUnits: Bool { split != nil }

    /// Whether other threads may make bytes for the sink.
    var wantsBytes: Bool { split?.isReady ?? false }

    /// Says the source's columns before the first chunk, so that the sink's do not depend on how many come.
    func announce(_ schema: Schema?) {
        if !isAnnounced, let schema { sink.expect(schema) }
        isAnnounced = true
    }

    /// Writes a chunk.
    /// - Returns: records that the sink has written with it, as it counts them.
    func write(_ chunk: StreamChunk) throws -> Int {
        try counting(chunk.data.count) { try sink.writeChunk(chunk) }
    }

    /// Writes a unit at once, where the sink takes units. Its end is one for the sink.
    /// - Returns: as `write`.
    func write(_ unit: DecodedUnit) throws -> Int {
        try counting(unit.recordCount) { try split?.writeUnit(unit) }
    }

    /// Writes what there is to say of rejected records.
    /// - Returns: how many it was of, as their sink counts them; without one, none.
    func reject(_ batches: [RecordBatch]) throws -> Int {
        try batches.reduce(0) { try $0 + (rejects?.write(StreamChunk(data: $1)) ?? 0) }
    }

    private func counting(_ records: Int, _ body: () throws -> Void) throws -> Int {
        let before = split?.encodedRecords ?? 0
        try body()
        guard let split else { return records }
        let encoded = split.encodedRecords - before
        waiting += records - encoded
        return encoded
    }

    func endUnit() throws { try split?.endUnit() }

    func commit(_ blocks: [EncodedBlock]) throws { for block in blocks { try split?.commit(block) } }

    /// Hands all bytes to the system.
    /// - Returns: records that the sink has taken and writes when it is closed.
    func flush() throws -> Int {
        try sink.flush()
        return wantsBytes ? 0 : waiting
    }

    /// As `flush`, of the sink of rejected records.
    func flushRejects() throws -> Int { try rejects?.flush() ?? 0 }

    func closeRejects() throws { try rejects?.close() }

    /// Publishes.
    func close() throws { try sink.close() }
    func abort() { sink.abort() }

    var producedBytes: (raw: Int, stored: Int) { (sink as? any RunParticipant)?.producedBytes ?? (0, 0) }
}
