import Sluice
import SluiceSQLite
import TestSupport
import Testing

@Suite("Reading from databases")
struct DatabaseSourceTests {
    private let folder = TemporaryFolder()
    private let db: SQLiteDatabase

    init() throws {
        db = try SQLiteDatabase(folder.file("x.db"))
        try db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
    }

    private func fill(_ count: Int, in table: String = "t") throws {
        try db.execute(
            """
            CREATE TABLE IF NOT EXISTS \(table) (id INTEGER PRIMARY KEY, a, b);
            WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
            INSERT INTO \(table) SELECT i, i * 1.5, 'row ' || i FROM n
            """)
    }

    @Test("rows come as the query says, in chunks of the size that was asked for", arguments: [1, 2, 3])
    func chunks(jobs: Int) throws {
        try fill(2500)
        for (chunkSize, fetchSize) in [(1, nil), (7, 100), (1000, 1000), (1000, 5000), (5000, nil)] as [(Int, Int?)] {
            let source = try DatabaseStreamSource(
                database: db, query: "SELECT b, id FROM t WHERE id > ? ORDER BY id DESC LIMIT 2000", parameters: [100],
                chunkSize: chunkSize, fetchSize: fetchSize)
            #expect(source.schema?.names == ["b", "id"])
            let sink = MemoryStreamSink()
            let metrics = try StreamContext(StreamConfig(parallelism: jobs)).stream(source: source, sink: sink)
            #expect(metrics.readRecords == 2000 && source.rowsRead == 2000)
            let ids = sink.records.map { $0["id", as: Int.self] }
            #expect(ids == (501...2500).reversed().map { $0 })
            let sizes = sink.chunks.map(\.data.count)
            #expect(sizes.dropLast().allSatisfy { $0 == chunkSize } && sizes.last ?? 0 <= chunkSize)
            #expect(sink.chunks.last?.isLast == true && !sink.chunks.dropLast().contains(where: \.isLast))
            #expect(sink.chunks.first?.metadata["database"] == .string(folder.file("x.db")))
        }
    }

    @Test("as many rows as fetchSize says are fetched at a time")
    func fetchSize() throws {
        let database = CountedDatabase(rows: 1000)
        let source = try DatabaseStreamSource(database: database, query: "q", chunkSize: 10, fetchSize: 45)
        _ = try source.readChunk()
        #expect(database.rowsFetched == 40 && database.fetchSize == 45)
        for _ in 0..<4 { _ = try source.readChunk() }
        #expect(database.rowsFetched == 80)
        for (chunkSize, fetchSize) in [(0, nil), (10, 9)] as [(Int, Int?)] {
            let error = streamError {
                _ = try DatabaseStreamSource(database: database, query: "q", chunkSize: chunkSize, fetchSize: fetchSize)
            }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test("an error comes behind the rows that were fetched before it, at every call")
    func lateError() throws {
        let database = CountedDatabase(rows: 25, failsAtEnd: true)
        let source = try DatabaseStreamSource(database: database, query: "q", chunkSize: 10, fetchSize: 100)
        #expect(try source.readChunk()?.data.count == 10 && source.readChunk()?.isLast == false)
        #expect(try source.readChunk()?.data.count == 5)
        for _ in 0..<2 { #expect(streamError { _ = try source.readChunk() }?.code == .databaseFailed) }
        source.close()
        #expect(streamError { _ = try source.readChunk() }?.code == .closed)
    }

    @Test("values have the types of the database, and come out as they are")
    func types() throws {
        try db.execute(
            """
            INSERT INTO t VALUES (1, NULL, x'00ff'), (2, 1e999, ''), (3, 0.1, x''), (4, -9223372036854775808, 'a"' || char(10)),
                (5, 'a' || char(0) || 'b', '\u{1F600}')
            """)
        let source = try DatabaseStreamSource(database: db, query: "SELECT a, b FROM t ORDER BY id")
        let records = try #require(try source.readChunk()).data
        #expect(records[0]["a"] == .null && records[0]["b"] == .bytes([0, 255]))
        #expect(records[1]["a"] == .double(.infinity) && records[1]["b"] == .string(""))
        #expect(records[2]["a"] == .double(0.1) && records[2]["b"] == .bytes([]))
        #expect(records[3]["a"] == .int(.min) && records[3]["b"] == .string("a\"\n"))
        #expect(records[4]["a"] == .string("a\0b") && records[4]["b"] == .string("\u{1F600}"))
        #expect(try source.readChunk() == nil && source.readChunk() == nil)
        let path = folder.file("x.jsonl")
        let error = streamError {
            try StreamContext().stream(
                source: try DatabaseStreamSource(database: db, query: "SELECT a FROM t"), sink: try FileStreamSink(path)
            )
        }
        #expect(error?.code == .numberNotFinite && error?.record == 2 && error?.column == "a")
        try StreamContext().stream(
            source: try DatabaseStreamSource(database: db, query: "SELECT id, a, b FROM t WHERE id <> 2"),
            sink: try FileStreamSink(path))
        #expect(
            try folder.text("x.jsonl") == """
                {"id":1,"a":null,"b":"AP8="}
                {"id":3,"a":0.1,"b":""}
                {"id":4,"a":-9223372036854775808,"b":"a\\"\\n"}
                {"id":5,"a":"a\\u0000b","b":"\u{1F600}"}

                """)
    }

    @Test("long and short rows, many columns and few: what goes in comes out", arguments: [1, 2])
    func roundTrip(jobs: Int) throws {
        var random = SplitMix64(seed: 7)
        for columns in [1, 2, 19, 300] {
            let records = (0..<200).map { _ in
                Record(
                    (0..<columns).map { column -> (String, Value) in
                        let name = "c\(column)"
                        switch Int.random(in: 0..<6, using: &random) {
                        case 0: return (name, .null)
                        case 1: return (name, .int(.random(in: .min ... .max, using: &random)))
                        case 2: return (name, .double(.random(in: -1e9...1e9, using: &random)))
                        case 3: return (name, .bytes((0..<Int.random(in: 0..<20, using: &random)).map { UInt8($0) }))
                        case 4:
                            return (name, .string(String(repeating: "é", count: .random(in: 0..<40, using: &random))))
                        default:
                            return (
                                name,
                                .string(
                                    String(
                                        repeating: "x",
                                        count: columns < 20 ? .random(in: 0..<20_000, using: &random) : 5))
                            )
                        }
                    })
            }
            let table = "t\(columns)"
            try db.execute("CREATE TABLE \(table) (\((0..<columns).map { "c\($0)" }.joined(separator: ", ")))")
            let context = StreamContext(StreamConfig(chunkSize: 13, parallelism: jobs))
            try context.stream(
                source: MemoryStreamSource(records, chunkSize: 17),
                sink: try DatabaseStreamSink(database: db, table: table))
            let sink = MemoryStreamSink()
            try context.stream(
                source: try DatabaseStreamSource(database: db, query: "SELECT * FROM \(table)", chunkSize: 31),
                sink: sink)
            #expect(sink.records == records)
        }
    }

    @Test("a source sees one moment of the database, whatever is written meanwhile")
    func snapshot() throws {
        try fill(100)
        let source = try DatabaseStreamSource(database: db, query: "SELECT id FROM t", chunkSize: 10)
        _ = try source.readChunk()
        try db.execute("DELETE FROM t WHERE id > 50; INSERT INTO t VALUES (1000, 1, 1)")
        var count = 10
        try source.forEach { count += $0.data.count }
        #expect(count == 100)
        #expect(try db.rows("SELECT count(*) AS n FROM t")[0]["n"] == 51)
    }

    @Test("a table can be read into itself: the source reads another moment than the sink writes")
    func intoItself() throws {
        try fill(3000)
        try StreamContext(StreamConfig(parallelism: 2)).stream(
            source: try DatabaseStreamSource(database: db, query: "SELECT id + 10000 AS id, a, b FROM t"),
            sink: try DatabaseStreamSink(database: db, table: "t"))
        #expect(try db.rows("SELECT count(*) AS n, max(id) AS m FROM t").description == #"{"n":6000,"m":13000}"#)
    }

    @Test("chunks end where their texts are long, and take no memory for rows that do not come")
    func longRows() throws {
        try fill(20)
        try db.execute("UPDATE t SET a = zeroblob(300000)")
        let source = try DatabaseStreamSource(database: db, query: "SELECT * FROM t", chunkSize: 1_000_000_000)
        var sizes: [Int] = []
        try source.forEach { sizes.append($0.data.count) }
        #expect(sizes == [4, 4, 4, 4, 4])
        try fill(20_000, in: "big")
        let many = try DatabaseStreamSource(database: db, query: "SELECT id FROM big", chunkSize: 1_000_000_000)
        let chunk = try #require(try many.readChunk())
        #expect(chunk.data.count == 20_000 && chunk.isLast)
        #expect(chunk.data.map { $0["id", as: Int.self] } == (1...20_000).map { $0 })
    }

    @Test("queries inside others may end in semicolons and comments")
    func semicolons() throws {
        try fill(3)
        for query in [
            "SELECT id FROM t;", "SELECT id FROM t -- all", "SELECT id FROM t; -- all\n", "SELECT id FROM t ;;\n",
        ] {
            let source = try DatabaseStreamSource(
                database: db, query: query, countsRows: query.contains("-- all\n") == false)
            #expect(try source.readChunk()?.data.count == 3, "\(query)")
        }
    }

    @Test("a table that is changed between the query and the first row is an error")
    func changedTable() throws {
        try fill(3)
        let source = try DatabaseStreamSource(database: db, query: "SELECT * FROM t")
        try db.execute("ALTER TABLE t DROP COLUMN a")
        #expect(streamError { _ = try source.readChunk() }?.code == .databaseFailed)
    }

    @Test("progress is known where rows are counted before")
    func progress() throws {
        try fill(10)
        for (countsRows, expected) in [(true, Value.double(0.5)), (false, Value?.none)] {
            let source = try DatabaseStreamSource(
                database: db, query: "SELECT id FROM t LIMIT 8", chunkSize: 4, countsRows: countsRows)
            let metadata = try #require(try source.readChunk()).metadata
            #expect(metadata["progress"] == expected, "\(metadata)")
        }
    }

    @Test("wrong queries, and those that write, are refused with SQLite's words")
    func wrong() throws {
        let cases: [(String, [Value], StreamError.Code, String)] = [
            ("SELEC 1", [], .wrongQuery, "syntax error"), ("SELECT x FROM t", [], .unknownColumn, "no such column: x"),
            ("SELECT * FROM u", [], .unknownTable, "no such table: u"),
            ("DELETE FROM t", [], .wrongQuery, "this statement writes"),
            ("INSERT INTO t VALUES (1, 2, 3) RETURNING id", [], .wrongQuery, "this statement writes"),
            ("SELECT 1; SELECT 2", [], .wrongQuery, "more than one statement"), ("", [], .wrongQuery, "no statement"),
            ("-- nothing", [], .wrongQuery, "no statement"), ("BEGIN", [], .wrongQuery, "no rows to give"),
            ("SELECT id, id FROM t", [], .differentColumns, "same name"),
            ("SELECT ?", [], .invalidConfiguration, "1 places open"),
            ("SELECT 1", [2], .invalidConfiguration, "0 places open"),
            ("SELECT \"text\" FROM t", [], .unknownColumn, "no such column: text"),
        ]
        for (query, parameters, code, message) in cases {
            let error = streamError { _ = try DatabaseStreamSource(database: db, query: query, parameters: parameters) }
            #expect(error?.code == code && error?.description.contains(message) == true, "\(query): \(error as Any)")
            #expect(error?.path == folder.file("x.db"))
        }
        #expect(try db.rows("SELECT count(*) AS n FROM t")[0]["n"] == 0)
    }

    @Test("an error in the middle names the row")
    func middle() throws {
        try fill(2500)
        try db.execute("UPDATE t SET a = -9223372036854775808 WHERE id = 1700")
        let sink = try FileStreamSink(folder.file("x.jsonl"))
        let error = streamError {
            try StreamContext().stream(
                source: try DatabaseStreamSource(database: db, query: "SELECT id, abs(a) AS a FROM t"), sink: sink)
        }
        #expect(
            error?.code == .wrongQuery && error?.record == 1700 && error?.message.contains("integer overflow") == true)
        #expect(!folder.names.contains("x.jsonl"))
    }

    @Test(
        "text that is no UTF-8 is an error with row and column, also beside bytes, and where the next text would complete it"
    )
    func invalidText() throws {
        for cast in ["x'c3'", "x'ff'", "x'e282'"] {
            for bytes in ["'\u{A9}'", "x'a9'"] {
                try db.execute(
                    "DELETE FROM t; INSERT INTO t VALUES (1, 'ok', \(bytes)), (2, CAST(\(cast) AS TEXT), \(bytes))")
                let source = try DatabaseStreamSource(database: db, query: "SELECT * FROM t")
                let error = streamError { _ = try source.readChunk() }
                #expect(error?.code == .invalidUTF8 && error?.record == 2 && error?.column == "a", "\(cast) \(bytes)")
            }
        }
    }

    @Test("a run that is cancelled ends a query that runs", arguments: [1, 2])
    func cancelled(jobs: Int) throws {
        let context = StreamContext(StreamConfig(parallelism: jobs, timeoutSeconds: 0.2))
        let endless = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n"
        let error = streamError {
            try context.stream(
                source: try DatabaseStreamSource(database: db, query: endless), sink: MemoryStreamSink())
        }
        #expect(error?.code == .timedOut)
        let counting = streamError {
            _ = try context.count(source: try DatabaseStreamSource(database: db, query: endless))
        }
        #expect(counting?.code == .timedOut)
    }

    @Test("a row that does not fit the memory is an error, however many threads there are", arguments: [1, 2])
    func largeRow(jobs: Int) throws {
        let context = StreamContext(StreamConfig(parallelism: jobs, memoryLimitMB: 16))
        let error = streamError {
            try context.stream(
                source: try DatabaseStreamSource(database: db, query: "SELECT zeroblob(40000000) AS b"),
                sink: MemoryStreamSink())
        }
        #expect(error?.code == .memoryLimit)
    }

    @Test("rows with the same key come once each, in the order in which the database has them, over any fetch")
    func ties() throws {
        try fill(1000)
        for (chunkSize, fetchSize) in [(1, 1), (7, 7), (7, 20), (100, 1000)] {
            let source = try DatabaseStreamSource(
                database: db, query: "SELECT id FROM t ORDER BY id / 300", chunkSize: chunkSize, fetchSize: fetchSize)
            var ids: [Int] = []
            try source.forEach { chunk in ids += chunk.data.map { $0["id", as: Int.self] ?? 0 } }
            #expect(ids.sorted() == Array(1...1000) && ids.map { $0 / 300 } == ids.map { $0 / 300 }.sorted())
        }
    }
}

/// Rows of one column, counted as they are asked for.
private final class CountedDatabase: StreamDatabase, @unchecked Sendable {
    let name = "counted"
    let rows: Int
    let failsAtEnd: Bool
    var rowsFetched = 0
    var fetchSize = 0

    init(rows: Int, failsAtEnd: Bool = false) {
        self.rows = rows
        self.failsAtEnd = failsAtEnd
    }

    func quoted(_ identifier: String) -> String { identifier }
    func describe(_ table: String) -> TableDescription? { nil }
    func read(_ query: String, _ parameters: [Value], fetchSize: Int) throws -> any DatabaseCursor {
        self.fetchSize = fetchSize
        return Cursor(self)
    }
    func interrupt() {}
    func begin() throws -> any DatabaseTransaction { throw StreamError(.unsupported, "it only reads") }

    private final class Cursor: DatabaseCursor {
        let database: CountedDatabase
        init(_ database: CountedDatabase) { self.database = database }
        var schema: Schema { Schema(["n"]) }
        var isAtEnd: Bool { !database.failsAtEnd && database.rowsFetched == database.rows }
        func next(_ rows: Int, maxBytes: Int) throws -> RecordBatch? {
            let end = min(database.rows, database.rowsFetched + rows)
            guard end > database.rowsFetched else {
                if database.failsAtEnd { throw StreamError(.databaseFailed, "the connection is gone") }
                return nil
            }
            defer { database.rowsFetched = end }
            return RecordBatch((database.rowsFetched..<end).map { ["n": Value($0)] })
        }
        func interrupt() {}
        func close() {}
    }
}
