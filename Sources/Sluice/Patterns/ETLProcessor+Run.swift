extension ETLProcessor {
    /// Runs the job, from where the last run of it has got to, where positions are kept.
    /// - Parameter onProgress: called now and then, and at the end.
    /// - Returns: what this run came to; rows that an earlier one has written are no part of it.
    /// - Throws: `StreamError`: `invalidConfiguration` for what does not go together; `invalidRecord` for a record that is not valid,
    ///   or more of them than `errorThreshold`; `nullField` where a key is null; else what the databases say.
    @discardableResult
    public func process(onProgress: (@Sendable (StreamProgress) -> Void)? = nil) throws -> StreamMetrics {
        try check()
        let names = Dictionary(fields.map { ($0.value, $0.key) }) { first, _ in first }
        let key = mode.key.map { names[$0] ?? $0 }
        var state = ETLState(
            job: name ?? table, signature: "\(mode.name) of \(key) into \(table): \(query) \(parameters)",
            count: mode.keepsPosition ? key.count : 0)
        if mode.keepsState { try state.load(from: target) }
        let plan = try ETLQuery(query, parameters, mode, key: key, state, source)
        let rows = try DatabaseStreamSource(
            database: source, query: plan.sql, parameters: plan.parameters, chunkSize: chunkSize,
            countsRows: onProgress != nil)
        // The database may know them by other letters, too, but records do not.
        for name in fields.keys.sorted() + plan.position where rows.schema?.index(of: name) == nil {
            throw StreamError(
                .unknownColumn, "the query has no such column", path: source.name, column: name, stage: "process",
                hint: "its columns are \(rows.schema?.names.joined(separator: ", ") ?? "")")
        }
        let input = ETLSource(rows, plan, key: key, isWritten: mode.isAppend ? state.position : nil)
        let rejects = try rejectsPath.map { RejectLimit(try FileStreamSink($0, format: .jsonl), errorThreshold) }
        let output = try ETLSink(
            DatabaseStreamSink(
                database: target, table: table, mode: mode.writeMode, key: mode.key, createsTable: createsTable,
                transactionSize: mode.keepsState && rejectsPath == nil ? transactionSize : nil), mode, state, fields)
        var config = config
        config.chunkSize = chunkSize
        let listeners = onProgress.map { [ProgressListener(every: 0.2, $0)] } ?? []
        let run = try StreamRun(config, steps(), ProgressListeners(listeners))
        do {
            try run.run(input, output, rejects: rejects, closesRejects: true)
        } catch {
            rejects?.abort()
            run.endProgress()
            throw error
        }
        run.endProgress()
        return run.metrics
    }

    private func check() throws(StreamError) {
        try refuse(chunkSize < 1 || transactionSize < 1, "chunkSize and transactionSize are at least 1", nil)
        try refuse(
            rejectsPath != nil && validation == nil, "without validation no record is rejected",
            "leave rejectsPath away")
        try refuse(
            errorThreshold != nil && rejectsPath == nil,
            "without rejectsPath the first record that is not valid ends the run",
            "say where such records shall go")
        try refuse((errorThreshold ?? 0) < 0, "errorThreshold is at least 0", nil)
        try refuse(
            mode.needsKey && mode.key.isEmpty, "the mode needs a key, by which rows are told apart", "name its columns")
        try refuse(
            Set(fields.values).count < fields.count, "two fields have the same name in the target", "name them apart")
    }

    private func refuse(_ isWrong: Bool, _ message: String, _ hint: String?) throws(StreamError) {
        if isWrong { throw StreamError(.invalidConfiguration, message, path: target.name, hint: hint) }
    }

    private func steps() throws -> [ProcessorStep] {
        var steps: [ProcessorStep] = []
        if !fields.isEmpty { steps.append(StreamContext.step(Processor.rename(fields))) }
        for lookup in lookups { steps.append(StreamContext.step(try lookup.step())) }
        if let transform {
            steps.append(
                StreamContext.step { chunk in
                    // Whatever becomes of the chunk, it still stands for the rows up to here.
                    let position = chunk.metadata[ETLSink.position]
                    try transform(&chunk)
                    chunk.metadata[ETLSink.position] = position
                })
        }
        if let validation {
            steps.append(validation.step(writesRejects: rejectsPath != nil, columnsVary: transform != nil))
        }
        return steps
    }
}

extension ETLMode {
    /// Positions or marks are kept, and rows are committed now and then.
    fileprivate var keepsState: Bool { !key.isEmpty }

    fileprivate var keepsPosition: Bool { if case .incremental = kind { false } else { keepsState } }

    fileprivate var isAppend: Bool { if case .append = kind { true } else { false } }

    fileprivate var needsKey: Bool {
        switch kind {
        case .upsert, .incremental: true
        case .fullRefresh, .append: false
        }
    }
}

/// Says of each chunk where its last row is.
private final class ETLSource: StreamSource, RunParticipant {
    private let source: DatabaseStreamSource
    private let position: [String]
    private let key: [String]
    /// The position of a row that is in the target already, if it comes first.
    private var written: [Value]?

    init(_ source: DatabaseStreamSource, _ plan: ETLQuery, key: [String], isWritten: [Value]?) {
        self.source = source
        self.key = key
        position = plan.position
        written = plan.repeatsPosition ? isWritten : nil
    }

    var schema: Schema? { source.schema }

    func readChunk() throws -> StreamChunk? {
        guard var chunk = try source.readChunk() else { return nil }
        try checkKeys(chunk.data)
        if let last = chunk.data.last, !position.isEmpty {
            chunk.metadata[ETLSink.position] = .array(position.map { last[$0] ?? .null })
        }
        if let written, let first = chunk.data.first, position.map({ first[$0] ?? .null }) == written {
            chunk.data = chunk.data.selecting(1..<chunk.data.count)
        }
        written = nil
        return chunk
    }

    /// Where a key is null, rows are not told apart by it.
    private func checkKeys(_ batch: RecordBatch) throws {
        for name in key {
            for (place, record) in batch.enumerated() where record.isNull(name) {
                throw StreamError(
                    .nullField, "the key is null", record: source.rowsRead - batch.count + place + 1, column: name,
                    stage: "cut")
            }
        }
    }

    func close() { source.close() }
    func join(_ terms: RunTerms) { source.join(terms) }
    var mayBlock: Bool { source.mayBlock }
    var needsClock: Bool { source.needsClock }
    var consumedShare: Double? { source.consumedShare }
}

extension Record {
    fileprivate func isNull(_ name: String) -> Bool { storage.field(name, slot: slot)?.isNull ?? true }
}

/// Writes rows, and in the same transactions where the job has got to.
private final class ETLSink: StreamSink, RunParticipant {
    static let position = "etl_position"
    private let sink: DatabaseStreamSink
    private let mode: ETLMode
    private var state: ETLState
    private let fields: [String: String]

    init(_ sink: DatabaseStreamSink, _ mode: ETLMode, _ state: ETLState, _ fields: [String: String]) {
        self.sink = sink
        self.fields = fields
        self.mode = mode
        self.state = state
        if case .fullRefresh = mode.kind {
            // Not the sink itself, which would keep itself alive.
            sink.onBegin = { [table = sink.table] transaction in
                if try transaction.describe(table) != nil { try transaction.empty(table) }
            }
        }
        if mode.keepsState { sink.onCommit = { [unowned self] in try self.state.save(in: $0) } }
    }

    func expect(_ schema: Schema) { sink.expect(Schema(schema.names.map { fields[$0] ?? $0 })) }

    func writeChunk(_ chunk: StreamChunk) throws {
        if case .array(let position)? = chunk.metadata[Self.position] { note(position) }
        try sink.writeChunk(chunk)
    }

    private func note(_ position: [Value]) {
        if mode.keepsPosition {
            state.position = position
        } else if let mark = position.first, !mark.isNull {
            // Rows come in the order of the column.
            state.mark = mark
        }
    }

    func close() throws {
        // What was added stays added; what is upserted begins anew.
        if !mode.isAppend { state.position = nil }
        // Also where there were no rows: what was there goes, and the job has come to its end.
        try sink.begin()
        try sink.close()
    }

    func abort() { sink.abort() }
    func join(_ terms: RunTerms) { sink.join(terms) }
    var mayBlock: Bool { sink.mayBlock }
    var needsClock: Bool { sink.needsClock }
}

/// Where rejected records go, up to so many.
private final class RejectLimit: StreamSink, RunParticipant {
    private let sink: FileStreamSink
    private let most: Int?
    private var count = 0

    init(_ sink: FileStreamSink, _ most: Int?) {
        self.sink = sink
        self.most = most
    }

    func writeChunk(_ chunk: StreamChunk) throws {
        count += chunk.data.count
        if let most, count > most {
            throw StreamError(
                .invalidRecord, "more than \(most) records are not valid", path: sink.path, stage: "process",
                hint: "raise errorThreshold")
        }
        try sink.writeChunk(chunk)
    }

    func flush() throws { try sink.flush() }
    func close() throws { try sink.close() }
    func abort() { sink.abort() }
    func join(_ terms: RunTerms) { sink.join(terms) }
    var mayBlock: Bool { sink.mayBlock }
}
