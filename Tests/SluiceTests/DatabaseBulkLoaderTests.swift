import Sluice
import SluiceSQLite
import Testing

@Suite("Bulk loads")
struct DatabaseBulkLoaderTests {
    private let folder = TemporaryFolder()
    private let db: SQLiteDatabase

    init() throws { db = try SQLiteDatabase(folder.file("x.db")) }

    @Test("what is loaded is counted once it is committed, and exported again with its progress")
    func roundTrip() throws {
        let text = "id,name\n" + (0..<3000).map { "\($0),name \($0)\n" }.joined()
        let path = try folder.file("in.csv", text)
        let loader = DatabaseBulkLoader(db, table: "t", createsTable: true)
        let (loads, exports) = (Tally(), Tally())
        let loaded = try loader.load(from: try FileStreamSource(path)) { if $0.fraction == 1 { loads.add() } }
        #expect(loaded.records == 3000 && loaded.changedRows == 3000 && loaded.ignoredRecords == 0)
        #expect(loaded.seconds > 0 && loaded.recordsPerSecond > 0 && loaded.metrics.bytesRead == text.utf8.count)
        #expect(loads.value > 0)
        let sink = try FileStreamSink(folder.file("out.csv"))
        let exported = try loader.export(
            query: "SELECT * FROM t WHERE id >= ? ORDER BY 0 + id", parameters: [0], to: sink
        ) {
            if $0.fraction == 1 { exports.add() }
        }
        #expect(exported.records == 3000 && exports.value > 0)
        #expect(try folder.text("out.csv") == text)
    }

    @Test("what changed nothing is ignored, and what was not committed is not counted")
    func counts() throws {
        try db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        let records: [Record] = (0..<100).map { ["id": Value($0)] }
        var loader = DatabaseBulkLoader(db, table: "t", transactionSize: 40)
        loader.config.retryOnError = false
        #expect(try loader.load(from: MemoryStreamSource(records, chunkSize: 10)).records == 100)
        let error = streamError { _ = try loader.load(from: MemoryStreamSource([["id": 100], ["id": 5]])) }
        #expect(error?.code == .constraintViolated && error?.record == 2)
        loader.mode = .ignore
        let again = try loader.load(from: MemoryStreamSource(records + [["id": 200]]))
        #expect(again.records == 101 && again.changedRows == 1 && again.ignoredRecords == 100)
        #expect(try db.rows("SELECT count(*) AS n FROM t")[0]["n"] == 101)
    }
}
