/// Loads records into a table, and exports what a query finds.
///
///     let loader = DatabaseBulkLoader(db, table: "flights", createsTable: true)
///     let loaded = try loader.load(from: try FileStreamSource("flights.csv")) { print($0.readRecords) }
public struct DatabaseBulkLoader: Sendable {
    public var database: any StreamDatabase
    /// What is loaded into; exports do not need it.
    public var table: String
    /// What happens to records whose key is there.
    public var mode: WriteMode
    /// Whether the table is created where there is none.
    public var createsTable: Bool
    /// Records that are written whole or not at all, and after which is committed (nil: at the end); see `DatabaseStreamSink`.
    public var batchSize: Int
    public var transactionSize: Int?
    /// What happens to fields without a column.
    public var unknownColumns: DatabaseStreamSink.UnknownColumns
    /// Of the runs.
    public var config: StreamConfig

    public init(
        _ database: any StreamDatabase, table: String = "", mode: WriteMode = .insert, createsTable: Bool = false,
        batchSize: Int = 1000, transactionSize: Int? = nil, unknownColumns: DatabaseStreamSink.UnknownColumns = .error,
        config: StreamConfig = StreamConfig()
    ) {
        self.database = database
        self.table = table
        self.mode = mode
        self.createsTable = createsTable
        self.batchSize = batchSize
        self.transactionSize = transactionSize
        self.unknownColumns = unknownColumns
        self.config = config
    }

    /// Writes all records of a source into the table.
    /// - Parameter progress: called now and then, and at the end.
    /// - Throws: `StreamError`: what the database says. What was committed before stays; without `transactionSize` that is nothing.
    public func load(
        from source: any StreamSource, progress: (@Sendable (StreamProgress) -> Void)? = nil
    ) throws -> BulkStatistics {
        let sink = try DatabaseStreamSink(
            database: database, table: table, mode: mode, createsTable: createsTable, batchSize: batchSize,
            transactionSize: transactionSize, unknownColumns: unknownColumns)
        let metrics = try context(progress).stream(source: source, sink: sink)
        return BulkStatistics(records: sink.committedRecords, changedRows: sink.changedRows, metrics: metrics)
    }

    /// Writes what a query finds into a sink.
    /// - Parameters:
    ///   - parameters: for the places that the query leaves open, in order.
    ///   - progress: called now and then, and at the end. Rows are counted for it before.
    public func export(
        query: String, parameters: [Value] = [], to sink: any StreamSink,
        progress: (@Sendable (StreamProgress) -> Void)? = nil
    ) throws -> BulkStatistics {
        let source = try DatabaseStreamSource(
            database: database, query: query, parameters: parameters, chunkSize: config.chunkSize,
            countsRows: progress != nil)
        let metrics = try context(progress).stream(source: source, sink: sink)
        return BulkStatistics(records: metrics.writtenRecords, changedRows: 0, metrics: metrics)
    }

    private func context(_ progress: (@Sendable (StreamProgress) -> Void)?) -> StreamContext {
        let context = StreamContext(config)
        if let progress { context.onProgress(progress) }
        return context
    }
}

/// What a load or an export came to.
public struct BulkStatistics: Sendable {
    /// Records that are in the table for good, or in the output.
    public var records: Int
    /// Rows of the table that were inserted or changed.
    public var changedRows: Int
    /// Of the run.
    public var metrics: StreamMetrics

    /// Records that changed nothing, since their keys were there (`.ignore`).
    public var ignoredRecords: Int { max(0, records - changedRows) }

    public var seconds: Double { metrics.durationSeconds() }
    public var recordsPerSecond: Double { metrics.throughputItemsPerSecond() }
}
