import CSluiceSQLite3
import Foundation
import Sluice
import SluiceSQLite
import TestSupport
import Testing

@Suite("SQLite databases")
struct SQLiteDatabaseTests {
    private let folder = TemporaryFolder()

    private func value(_ db: SQLiteDatabase, _ query: String) throws -> Value? {
        try db.rows(query).first?.fields.first?.value
    }

    /// A connection of somebody else's.
    private func connection(_ path: String) throws -> OpaquePointer {
        var handle: OpaquePointer?
        #expect(sqlite3_open(path, &handle) == SQLITE_OK)
        return try #require(handle)
    }

    private func execute(_ handle: OpaquePointer, _ sql: String) {
        #expect(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(sql)")
    }

    @Test("those that are created here are in WAL mode, others keep theirs")
    func journal() throws {
        let db = try SQLiteDatabase(folder.file("new.db"))
        try db.execute("CREATE TABLE t (a)")
        #expect(try value(db, "PRAGMA journal_mode") == "wal")
        let handle = try connection(folder.file("old.db"))
        execute(handle, "CREATE TABLE t (a)")
        sqlite3_close(handle)
        let old = try SQLiteDatabase(folder.file("old.db"))
        try old.execute("INSERT INTO t VALUES (1)")
        #expect(try value(old, "PRAGMA journal_mode") == "delete")
        let sink = try DatabaseStreamSink(
            database: try SQLiteDatabase(folder.file("sink.db")), table: "t", createsTable: true)
        try StreamContext().stream(source: MemoryStreamSource([["a": 1]]), sink: sink)
        #expect(try value(SQLiteDatabase(folder.file("sink.db")), "PRAGMA journal_mode") == "wal")
    }

    @Test("one that is to be created is there when it is written to, and not before; nobody removes it")
    func nothingLeft() throws {
        let db = try SQLiteDatabase(folder.file("x.db"))
        let sink = try DatabaseStreamSink(database: db, table: "t", createsTable: true)
        #expect(streamError { _ = try DatabaseStreamSource(database: db, query: "SELECT 1") }?.code == .fileNotFound)
        #expect(try db.describe("t") == nil && folder.names == [])
        let source = MemoryStreamSource([["a": 1], ["b": 2]], chunkSize: 1)
        let other = try SQLiteDatabase(folder.file("x.db"))
        #expect(streamError { try StreamContext().stream(source: source, sink: sink) }?.code == .unknownColumn)
        #expect(try db.describe("t") == nil)
        db.close()
        db.close()
        #expect(streamError { try db.execute("SELECT 1") }?.code == .closed)
        #expect(streamError { _ = try db.describe("t") }?.code == .closed)
        other.close()
        let empty = try folder.file("empty.db", "")
        try SQLiteDatabase(empty, mode: .readOnly).close()
        #expect(folder.names.contains("empty.db"))
    }

    @Test("connections of ours are careful")
    func careful() throws {
        let db = try SQLiteDatabase(folder.file("x.db"))
        try db.execute("CREATE TABLE t (a)")
        #expect(streamError { try db.execute("SELECT \"no column\" FROM t") }?.code == .unknownColumn)
        #expect(streamError { try db.execute("CREATE INDEX i ON t (\"no column\")") } != nil)
        #expect(streamError { try db.execute("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema") } != nil)
        #expect(streamError { try db.execute("SELECT load_extension('x')") } != nil)
        #expect(try value(db, "PRAGMA trusted_schema") == 0)
        #expect(try db.describe("t") != nil)
    }

    @Test("files that are none, missing, or may not be written to are clear errors")
    func files() throws {
        let text = try folder.file("text.db", String(repeating: "no database ", count: 100))
        #expect(streamError { _ = try SQLiteDatabase(text) }?.code == .databaseCorrupt)
        for mode in [SQLiteDatabase.Mode.readOnly, .readWrite] {
            let error = streamError { _ = try SQLiteDatabase(folder.file("none.db"), mode: mode) }
            #expect(error?.code == .fileNotFound)
        }
        let nowhere = try SQLiteDatabase(folder.file("no/folder.db"))
        #expect(streamError { try nowhere.execute("CREATE TABLE t (a)") }?.code == .cannotCreate)
        #expect(streamError { _ = try SQLiteDatabase(folder.path) } != nil)
        #expect(streamError { _ = try SQLiteDatabase("a\0b") }?.code == .invalidConfiguration)
        let db = try SQLiteDatabase(folder.file("x.db"))
        try db.execute("CREATE TABLE t (a)")
        let reader = try SQLiteDatabase(folder.file("x.db"), mode: .readOnly)
        let sink = try DatabaseStreamSink(database: reader, table: "t")
        let error = streamError { try StreamContext().stream(source: MemoryStreamSource([["a": 1]]), sink: sink) }
        #expect(error?.code == .databaseReadOnly)
        #expect(try DatabaseStreamSource(database: reader, query: "SELECT * FROM t").readChunk() == nil)
    }

    @Test("a damaged file is an error, and not the end of the rows")
    func damaged() throws {
        do {
            let db = try SQLiteDatabase(folder.file("x.db"))
            try db.execute("CREATE TABLE t (a)")
            let records: [Record] = (0..<5000).map { ["a": .string("row \($0) \(String(repeating: "x", count: 50))")] }
            try StreamContext().stream(
                source: MemoryStreamSource(records), sink: try DatabaseStreamSink(database: db, table: "t"))
            try db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        }
        var bytes = try bytesOfFile(folder.file("x.db"))
        for place in bytes.count / 2..<bytes.count / 2 + 20_000 { bytes[place] = 0xEE }
        _ = try folder.file("y.db", bytes)
        let source = try DatabaseStreamSource(
            database: try SQLiteDatabase(folder.file("y.db")), query: "SELECT a FROM t")
        let error = streamError { try source.forEach { _ in } }
        #expect(error?.code == .databaseCorrupt && (error?.record ?? 0) > 1000)
    }

    @Test("a lock of somebody else's is waited for, and then an error")
    func busy() throws {
        let db = try SQLiteDatabase(folder.file("x.db"), busyTimeoutSeconds: 0.05)
        try db.execute("CREATE TABLE t (a)")
        let other = try connection(folder.file("x.db"))
        defer { sqlite3_close(other) }
        execute(other, "BEGIN IMMEDIATE")
        let sink = try DatabaseStreamSink(database: db, table: "t")
        let error = streamError { try StreamContext().stream(source: MemoryStreamSource([["a": 1]]), sink: sink) }
        #expect(error?.code == .databaseBusy && error?.hint?.contains("busyTimeoutSeconds") == true)
        execute(other, "COMMIT")
        // Who waits for long is woken by the end of the run.
        let patient = try SQLiteDatabase(folder.file("x.db"), busyTimeoutSeconds: 1000)
        execute(other, "BEGIN IMMEDIATE")
        let context = StreamContext(StreamConfig(parallelism: 2, timeoutSeconds: 0.1))
        let late = streamError {
            try context.stream(
                source: MemoryStreamSource([["a": 1]]), sink: try DatabaseStreamSink(database: patient, table: "t"))
        }
        #expect(late?.code == .timedOut)
        execute(other, "COMMIT")
        try StreamContext().stream(
            source: MemoryStreamSource([["a": 1]]), sink: try DatabaseStreamSink(database: patient, table: "t"))
        #expect(try value(db, "SELECT count(*) FROM t") == 1)
    }

    @Test("one that is open and not used keeps nobody from writing")
    func idle() throws {
        let other = try connection(folder.file("old.db"))
        defer { sqlite3_close(other) }
        // Not in WAL mode: whoever reads locks out who commits.
        execute(other, "CREATE TABLE t (a)")
        let db = try SQLiteDatabase(folder.file("old.db"))
        execute(other, "INSERT INTO t VALUES (1)")
        #expect(try value(db, "SELECT count(*) FROM t") == 1)
        execute(other, "INSERT INTO t VALUES (2)")
        #expect(try db.describe("t")?.columns.map(\.name) == ["a"])
        execute(other, "INSERT INTO t VALUES (3)")
    }

    @Test("a run that was stopped while it did something else begins to wait for no lock", arguments: [1, 2])
    func stoppedBefore(jobs: Int) throws {
        let db = try SQLiteDatabase(folder.file("x.db"), busyTimeoutSeconds: 1000)
        try db.execute("CREATE TABLE t (a)")
        let other = try connection(folder.file("x.db"))
        defer { sqlite3_close(other) }
        execute(other, "BEGIN IMMEDIATE")
        let context = StreamContext(StreamConfig(parallelism: jobs))
        context.addProcessor { [weak context] _ in context?.cancel() }
        let error = streamError {
            try context.stream(
                source: MemoryStreamSource([["a": 1]]), sink: try DatabaseStreamSink(database: db, table: "t"))
        }
        #expect(error?.code == .cancelled)
        execute(other, "COMMIT")
    }

    @Test("a query that was interrupted goes on no more, whenever that was; others of its connection do")
    func interrupted() throws {
        for db in [try SQLiteDatabase(folder.file("x.db")), try SQLiteDatabase.inMemory()] {
            try db.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")
            let (first, second) = (
                try db.read("SELECT a FROM t", [], fetchSize: 1), try db.read("SELECT a FROM t", [], fetchSize: 1)
            )
            defer {
                first.close()
                second.close()
            }
            #expect(try first.next(1)?.count == 1 && second.next(1)?.count == 1)
            first.interrupt()
            for _ in 0..<2 { #expect(streamError { _ = try first.next(1) }?.code == .cancelled) }
            #expect(try second.next(1)?.count == 1)
        }
    }

    @Test("a full database is an error, and what was there stays")
    func full() throws {
        let db = try SQLiteDatabase(folder.file("x.db"))
        try db.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA max_page_count = 20")
        let records: [Record] = (0..<100).map { _ in ["a": .string(String(repeating: "x", count: 3000))] }
        let error = streamError {
            try StreamContext().stream(
                source: MemoryStreamSource(records),
                sink: try DatabaseStreamSink(database: db, table: "t", transactionSize: 1000))
        }
        #expect(error?.code == .noSpace && error?.message.contains("INSERT INTO") == true && (error?.record ?? 0) > 1)
        #expect(try value(db, "SELECT count(*) FROM t") == 1)
    }

    @Test("one in memory can be written to and read")
    func inMemory() throws {
        let db = try SQLiteDatabase.inMemory()
        let sink = try DatabaseStreamSink(database: db, table: "t", createsTable: true)
        let records: [Record] = (0..<5000).map { ["a": Value($0)] }
        try StreamContext(StreamConfig(parallelism: 2)).stream(source: MemoryStreamSource(records), sink: sink)
        let memory = MemoryStreamSink()
        try StreamContext(StreamConfig(parallelism: 2)).stream(
            source: try DatabaseStreamSource(database: db, query: "SELECT * FROM t"), sink: memory)
        #expect(memory.records == records)
    }

    @Test("a connection that is borrowed is left as it was, and so is its transaction")
    func borrowed() throws {
        let handle = try connection(folder.file("x.db"))
        defer { sqlite3_close(handle) }
        execute(handle, "CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (0)")
        var kept: SQLiteDatabase?
        var source: DatabaseStreamSource?
        var sink: DatabaseStreamSink?
        try SQLiteDatabase.borrowing(handle) { db in
            kept = db
            try StreamContext(StreamConfig(parallelism: 2)).stream(
                source: MemoryStreamSource((1...10).map { ["a": Value($0)] }),
                sink: try DatabaseStreamSink(database: db, table: "t"))
            let failing = try DatabaseStreamSink(database: db, table: "t")
            try failing.writeChunk(StreamChunk(data: [["a": 100]]))
            failing.abort()
            let memory = MemoryStreamSink()
            try StreamContext(StreamConfig(parallelism: 2)).stream(
                source: try DatabaseStreamSource(database: db, query: "SELECT a FROM t"), sink: memory)
            #expect(memory.records.count == 11)
            source = try DatabaseStreamSource(database: db, query: "SELECT a FROM t", chunkSize: 2, fetchSize: 2)
            _ = try source?.readChunk()
            sink = try DatabaseStreamSink(database: db, table: "t")
            try sink?.writeChunk(StreamChunk(data: [["a": 200]]))
        }
        #expect(streamError { try sink?.close() }?.code == .closed)
        // What was not committed is taken back, and its savepoint is gone.
        #expect(sqlite3_exec(handle, "RELEASE sluice_run", nil, nil, nil) != SQLITE_OK)
        #expect(sqlite3_exec(handle, "SELECT 1 / (SELECT count(*) = 11 FROM t)", nil, nil, nil) == SQLITE_OK)
        #expect(sqlite3_exec(handle, "SELECT * FROM \"sluice feed\"", nil, nil, nil) != SQLITE_OK)
        #expect(sqlite3_get_autocommit(handle) == 0)
        #expect(streamError { _ = try source?.readChunk() }?.code == .closed)
        #expect(streamError { _ = try kept?.describe("t") }?.code == .closed)
        // Nothing that was prepared is left, or the connection could not be closed.
        #expect(sqlite3_next_stmt(handle, nil) == nil)
        execute(handle, "ROLLBACK")
        let db = try SQLiteDatabase(folder.file("x.db"))
        #expect(try value(db, "SELECT count(*) FROM t") == 0)
    }

    @Test("two sinks do not write through one connection at the same time")
    func twoSinks() throws {
        for db in [try SQLiteDatabase(folder.file("x.db")), try SQLiteDatabase.inMemory()] {
            let first = try DatabaseStreamSink(database: db, table: "a", createsTable: true)
            let second = try DatabaseStreamSink(database: db, table: "b", createsTable: true)
            try first.writeChunk(StreamChunk(data: [["x": 1]]))
            #expect(streamError { try second.writeChunk(StreamChunk(data: [["x": 2]])) }?.code == .databaseBusy)
            second.abort()
            try first.writeChunk(StreamChunk(data: [["x": 3]]))
            try first.close()
            let third = try DatabaseStreamSink(database: db, table: "b", createsTable: true)
            try third.writeChunk(StreamChunk(data: [["x": 4]]))
            try third.close()
            #expect(try db.rows("SELECT x FROM a UNION ALL SELECT x FROM b").map { $0["x"] } == [1, 3, 4])
        }
    }

    @Test("a run that is stopped leaves a shared connection without a transaction")
    func stoppedInMemory() throws {
        let db = try SQLiteDatabase.inMemory()
        try db.execute("CREATE TABLE t (a); CREATE TABLE u (a)")
        try StreamContext().stream(
            source: MemoryStreamSource((0..<5000).map { ["a": Value($0)] }),
            sink: try DatabaseStreamSink(database: db, table: "t"))
        for jobs in [1, 2] {
            let context = StreamContext(StreamConfig(parallelism: jobs))
            context.addProcessor { [weak context] chunk in if chunk.sequenceNumber == 3 { context?.cancel() } }
            let source = try DatabaseStreamSource(
                database: db, query: "SELECT a FROM t", chunkSize: 100, fetchSize: 100)
            let error = streamError {
                try context.stream(source: source, sink: try DatabaseStreamSink(database: db, table: "u"))
            }
            #expect(error?.code == .cancelled)
            #expect(try value(db, "SELECT count(*) FROM u") == 0)
            try db.execute("BEGIN; COMMIT")
        }
    }

    @Test("a run that fails disturbs no other that writes through the same connection")
    func failureBeside() throws {
        for db in [try SQLiteDatabase(folder.file("x.db")), try SQLiteDatabase.inMemory()] {
            try db.execute("CREATE TABLE a (x); CREATE TABLE b (x)")
            let records: [Record] = (0..<100_000).map { ["x": Value($0)] }
            let hasBegun = Tally()
            let first = StreamContext(StreamConfig(parallelism: 1))
            // One thread: the first chunk was written when the second comes.
            first.addProcessor { chunk in if chunk.sequenceNumber == 1 { hasBegun.add() } }
            let sink = try DatabaseStreamSink(database: db, table: "a")
            // SAFETY: one thread has it, and the other looks at it when that has ended.
            nonisolated(unsafe) let (source, output) = (MemoryStreamSource(records, chunkSize: 20_000), sink)
            let ended = Locked<String?>(nil)
            Thread {
                let error = streamError { try first.stream(source: source, sink: output) }
                hasBegun.add()
                ended.withLock { $0 = error.map(String.init(describing:)) ?? "well" }
            }.start()
            while hasBegun.value == 0 { sched_yield() }
            var codes: Set<StreamError.Code?> = []
            repeat {
                let error = streamError {
                    try StreamContext(StreamConfig(parallelism: 2)).stream(
                        source: MemoryStreamSource([["x": 1]]), sink: try DatabaseStreamSink(database: db, table: "b"))
                }
                codes.insert(error?.code)
            } while !codes.contains(nil) && codes.isSubset(of: [.databaseBusy])
            ended.wait { $0 != nil }
            #expect(ended.withLock { $0 } == "well" && codes.isSubset(of: [.databaseBusy, nil]))
            #expect(try value(db, "SELECT count(*) FROM a") == 100_000)
        }
    }

    @Test("who cancels a run that is over disturbs no other")
    func lateCancel() throws {
        let db = try SQLiteDatabase(folder.file("x.db"), busyTimeoutSeconds: 60)
        try db.execute("CREATE TABLE t (a)")
        let first = StreamContext()
        try first.stream(source: MemoryStreamSource([["a": 1]]), sink: try DatabaseStreamSink(database: db, table: "t"))
        let other = try connection(folder.file("x.db"))
        defer { sqlite3_close(other) }
        execute(other, "BEGIN IMMEDIATE")
        let sink = try DatabaseStreamSink(database: db, table: "t")
        first.cancel()
        execute(other, "COMMIT")
        try StreamContext().stream(source: MemoryStreamSource([["a": 2]]), sink: sink)
        #expect(try value(db, "SELECT count(*) FROM t") == 2)
    }

    @Test("SQL with a NUL in it is refused whole")
    func nul() throws {
        let db = try SQLiteDatabase(folder.file("x.db"))
        try db.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        #expect(streamError { try db.execute("DELETE FROM t\0 WHERE a = 2") }?.code == .wrongQuery)
        #expect(try value(db, "SELECT count(*) FROM t") == 1)
    }

    @Test("tables are described with their keys")
    func describe() throws {
        let db = try SQLiteDatabase(folder.file("x.db"))
        try db.execute(
            """
            CREATE TABLE t (a INTEGER, b TEXT, c, g AS (a + 1), PRIMARY KEY (b, a));
            CREATE UNIQUE INDEX u ON t (c);
            CREATE UNIQUE INDEX p ON t (a) WHERE c > 1;
            CREATE UNIQUE INDEX e ON t (a + 1);
            CREATE INDEX n ON t (a)
            """)
        let table = try #require(try db.describe("T"))
        #expect(
            table.columnNames == ["a", "b", "c", "g"]
                && table.columns.map(\.isGenerated) == [false, false, false, true])
        #expect(table.columns.map(\.type) == ["INTEGER", "TEXT", "", ""])
        #expect(table.primaryKey == ["b", "a"])
        #expect(Set(table.uniqueKeys) == [["b", "a"], ["c"]])
        #expect(try db.describe("u") == nil)
    }
}
