/// Moves what a query finds into a table of another database: extract, transform, load.
///
///     var etl = ETLProcessor(
///         source: orders, query: "SELECT * FROM orders", target: warehouse, table: "orders", mode: .upsert(key: ["id"]))
///     etl.fields = ["customer": "customer_id"]
///     try etl.process()
///
/// Each record is renamed (`fields`), enriched (`lookups`), transformed and validated, in this order. A run that fails leaves the
/// target as its last commit has made it; for the modes in one transaction, as it was. A run that is killed, or fails, and then runs
/// again leaves what one run would have, as long as the source is the same.
public struct ETLProcessor: Sendable {
    public var source: any StreamDatabase
    /// It only reads.
    public var query: String
    /// For the places that the query leaves open, in order.
    public var parameters: [Value]
    public var target: any StreamDatabase
    public var table: String
    public var mode: ETLMode
    /// Rows of a chunk.
    public var chunkSize: Int
    /// What the job's position is kept under; nil: the table's name.
    public var name: String?
    /// Fields that have other names in the target: the query's names to those.
    public var fields: [String: String] = [:]
    /// Fields from tables that are held in memory.
    public var lookups: [ETLLookup] = []
    /// What is done to each chunk.
    public var transform: (@Sendable (inout StreamChunk) throws -> Void)?
    /// What records have to be. Without `rejectsPath` one that is not ends the run.
    public var validation: RecordValidation?
    /// A JSON Lines file for the records that are not valid; it is replaced right before the last commit:
    /// only where that commit fails it is there without the rows. With it every mode is one
    /// transaction, or a run that goes on would not know what an earlier one has rejected.
    public var rejectsPath: String?
    /// So many rejected records are too many: the run fails with the next one; nil: no number is.
    public var errorThreshold: Int?
    /// Whether the target's table is created where there is none.
    public var createsTable = false
    /// Rows after which is committed, where the mode is not in one transaction.
    public var transactionSize = 50_000
    /// Of the run; its chunk size does not count.
    public var config = StreamConfig()

    public init(
        source: any StreamDatabase, query: String, parameters: [Value] = [], target: any StreamDatabase, table: String,
        mode: ETLMode, chunkSize: Int = 1000
    ) {
        self.source = source
        self.query = query
        self.parameters = parameters
        self.target = target
        self.table = table
        self.mode = mode
        self.chunkSize = chunkSize
    }
}
