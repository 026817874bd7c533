import GRDB
import Sluice
import SluiceSQLite
import Testing

@Suite("Connections of GRDB's")
struct GRDBTests {
    private let queue: DatabaseQueue

    init() throws {
        queue = try DatabaseQueue()
        try queue.write { db in try db.execute(sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)") }
    }

    private let records: [Sluice.Record] = (0..<5000).map { ["id": Sluice.Value($0), "name": .string("name \($0)")] }

    private func borrow<R>(_ db: Database, _ body: (SQLiteDatabase) throws -> R) throws -> R {
        try SQLiteDatabase.borrowing(try #require(db.sqliteConnection), body)
    }

    private func load(_ db: Database, _ records: [Sluice.Record]) throws {
        try borrow(db) { database in
            let sink = try DatabaseStreamSink(database: database, table: "t")
            try StreamContext(StreamConfig(parallelism: 2)).stream(source: MemoryStreamSource(records), sink: sink)
        }
    }

    @Test("records are streamed into and out of a transaction of GRDB's")
    func roundTrip() throws {
        try queue.write { db in
            try load(db, records)
            let rows = try borrow(db) { database in
                let sink = MemoryStreamSink()
                try StreamContext(StreamConfig(parallelism: 2)).stream(
                    source: try DatabaseStreamSource(database: database, query: "SELECT * FROM t ORDER BY id"),
                    sink: sink)
                return sink.records
            }
            #expect(rows == records)
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM t") == 5000)
        }
        #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT sum(id) FROM t") } == 5000 * 4999 / 2)
    }

    @Test("what GRDB rolls back was not written, and what failed leaves its transaction as it was")
    func rollback() throws {
        try queue.inTransaction { db in
            try load(db, Array(records.prefix(10)))
            return .rollback
        }
        #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM t") } == 0)
        try queue.write { db in
            try db.execute(sql: "INSERT INTO t VALUES (7, 'there')")
            #expect(throws: StreamError.self) { try load(db, records) }
            #expect(db.isInsideTransaction)
        }
        #expect(try queue.read { try String.fetchAll($0, sql: "SELECT name FROM t") } == ["there"])
    }
}
