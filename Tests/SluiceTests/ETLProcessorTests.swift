import Sluice
import SluiceSQLite
import Testing

@Suite("ETL")
struct ETLProcessorTests {
    private let folder = TemporaryFolder()
    private let source: SQLiteDatabase
    private let target: SQLiteDatabase

    init() throws {
        source = try SQLiteDatabase(folder.file("source.db"))
        target = try SQLiteDatabase(folder.file("target.db"))
        try source.execute("CREATE TABLE s (id INTEGER PRIMARY KEY, changed INTEGER, name TEXT)")
        try target.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, changed INTEGER, name TEXT)")
    }

    private func etl(_ mode: ETLMode, query: String = "SELECT * FROM s") -> ETLProcessor {
        ETLProcessor(source: source, query: query, target: target, table: "t", mode: mode, chunkSize: 3)
    }

    private func fill(_ ids: some Sequence<Int>, changed: (Int) -> Int = { $0 }) throws {
        for id in ids { try source.execute("INSERT INTO s VALUES (\(id), \(changed(id)), 'name \(id)')") }
    }

    private func ids() throws -> [Int?] {
        try target.rows("SELECT id FROM t ORDER BY id").map { $0["id", as: Int.self] }
    }

    private func state() throws -> [String] {
        try target.rows("SELECT place, value FROM sluice_etl ORDER BY place").map(\.description)
    }

    @Test(
        "a full refresh replaces what was there, also by nothing; where it fails, what was there stays",
        arguments: [1, 2])
    func fullRefresh(jobs: Int) throws {
        try fill(1...10)
        try target.execute("INSERT INTO t VALUES (100, 0, 'old')")
        var etl = etl(.fullRefresh)
        etl.config.parallelism = jobs
        #expect(try etl.process().writtenRecords == 10)
        #expect(try ids() == Array(1...10))
        etl.transform = { chunk in chunk.data.setAll("name", to: chunk.sequenceNumber == 2 ? .double(.nan) : "x") }
        #expect(streamError { try etl.process() }?.code == .numberNotFinite)
        #expect(try target.rows("SELECT DISTINCT substr(name, 1, 5) AS n FROM t").description == #"{"n":"name "}"#)
        try source.execute("DELETE FROM s")
        etl.transform = nil
        try etl.process()
        #expect(try ids() == [])
    }

    @Test("append without a key is one transaction; twice the same rows are an error, and none is added")
    func append() throws {
        try fill(1...10)
        try etl(.append).process()
        #expect(try ids() == Array(1...10))
        try fill([0, 11])
        #expect(streamError { try etl(.append).process() }?.code == .constraintViolated)
        #expect(try ids() == Array(1...10))
        try etl(.append, query: "SELECT * FROM s WHERE id > 10").process()
        #expect(try ids() == Array(1...11))
        #expect(try target.describe("sluice_etl") == nil)
    }

    @Test(
        "a run that failed in the middle goes on behind what it has committed",
        arguments: [ETLMode.append(key: ["id"]), .upsert(key: ["id"])])
    func resume(mode: ETLMode) throws {
        try fill((1...20).map { $0 * 2 })
        var etl = etl(mode)
        etl.transactionSize = 6
        etl.transform = { chunk in if chunk.sequenceNumber == 5 { throw StreamError(.processorFailed, "no more") } }
        etl.config.retryOnError = false
        #expect(streamError { try etl.process() }?.code == .processorFailed)
        #expect(try ids() == (1...12).map { $0 * 2 })
        #expect(try state() == [#"{"place":0,"value":null}"#, #"{"place":1,"value":24}"#])
        // What is before the position is not read again.
        try target.execute("UPDATE t SET name = 'kept' WHERE id < 24")
        etl.transform = nil
        let metrics = try etl.process()
        #expect(metrics.readRecords == 9 - (mode == .append(key: ["id"]) ? 1 : 0))
        #expect(try ids() == (1...20).map { $0 * 2 })
        #expect(try target.rows("SELECT count(*) AS n FROM t WHERE name = 'kept'").description == #"{"n":11}"#)
        let isAppend = mode == .append(key: ["id"])
        #expect(
            try state() == [
                #"{"place":0,"value":null}"#, isAppend ? #"{"place":1,"value":40}"# : #"{"place":1,"value":null}"#,
            ])
        try fill([41, 43])
        #expect(try etl.process().readRecords == (isAppend ? 2 : 22))
        #expect(try ids() == (1...20).map { $0 * 2 } + [41, 43])
    }

    @Test("another query or mode does not go on from where this one has got to")
    func signature() throws {
        try fill(1...20)
        var first = etl(.upsert(key: ["id"]))
        first.transactionSize = 3
        first.transform = { chunk in if chunk.sequenceNumber == 3 { throw StreamError(.readFailed, "no more") } }
        first.config.retryOnError = false
        #expect(streamError { try first.process() } != nil)
        try target.execute("DELETE FROM t")
        #expect(try etl(.upsert(key: ["id"]), query: "SELECT * FROM s WHERE id < 100").process().readRecords == 20)
    }

    @Test("upsert changes rows that are there, and adds others")
    func upsert() throws {
        try fill(1...5)
        try target.execute("INSERT INTO t VALUES (3, 0, 'old'), (9, 0, 'other')")
        try etl(.upsert(key: ["id"])).process()
        try etl(.upsert(key: ["id"])).process()
        #expect(
            try target.rows("SELECT group_concat(id || name) AS all_names FROM t").description
                == #"{"all_names":"1name 1,2name 2,3name 3,4name 4,5name 5,9other"}"#)
    }

    @Test("incremental reads what has changed since, those with the same mark once more, and those without any")
    func incremental() throws {
        try fill(1...10) { $0 / 3 }
        let mode = ETLMode.incremental(column: "changed", key: ["id"])
        #expect(try etl(mode).process().readRecords == 10)
        #expect(try state() == [#"{"place":0,"value":3}"#])
        try source.execute(
            "INSERT INTO s VALUES (20, 3, 'a tie'), (21, 2, 'too late'), (22, NULL, 'no mark'), (23, 4, 'new')")
        try source.execute("UPDATE s SET name = 'again', changed = 5 WHERE id = 1")
        // 9, 10 and 20 have the mark.
        #expect(try etl(mode).process().readRecords == 6)
        #expect(try ids() == Array(1...10) + [20, 22, 23])
        #expect(try state() == [#"{"place":0,"value":5}"#])
        #expect(try etl(mode).process().readRecords == 2)
        #expect(try target.rows("SELECT name FROM t WHERE id = 1").description == #"{"name":"again"}"#)
    }

    @Test("fields are renamed, looked up, changed and validated, in this order")
    func steps() throws {
        try fill(1...6)
        try source.execute(
            "CREATE TABLE l (code TEXT, long TEXT); INSERT INTO l VALUES ('2', 'two'), ('3', 'three'), ('4', NULL)")
        try target.execute("CREATE TABLE w (key INTEGER PRIMARY KEY, name TEXT, word TEXT, twice INTEGER)")
        var etl = ETLProcessor(
            source: source, query: "SELECT id, name FROM s", target: target, table: "w", mode: .upsert(key: ["key"]))
        etl.fields = ["id": "key"]
        etl.lookups = [ETLLookup(from: source, query: "SELECT * FROM l", key: "code", on: "key", as: ["long": "word"])]
        etl.transform = { chunk in
            for i in chunk.data.indices {
                chunk.data[i]["twice"] = Value(2 * (chunk.data[i]["key", as: Int.self] ?? 0))
            }
        }
        etl.validation = try RecordValidation([FieldRule("twice", .integer, max: 10)])
        etl.rejectsPath = folder.file("rejects.jsonl")
        etl.errorThreshold = 1
        let metrics = try etl.process()
        #expect(metrics.rejectedRecords == 1 && metrics.writtenRecords == 5 && metrics.errorsCount == 0)
        #expect(
            try target.rows("SELECT * FROM w WHERE key < 5").map(\.description) == [
                #"{"key":1,"name":"name 1","word":null,"twice":2}"#,
                #"{"key":2,"name":"name 2","word":"two","twice":4}"#,
                #"{"key":3,"name":"name 3","word":"three","twice":6}"#,
                #"{"key":4,"name":"name 4","word":null,"twice":8}"#,
            ])
        #expect(try folder.text("rejects.jsonl").contains(#""key":6"#))
        etl.errorThreshold = 0
        let error = streamError { try etl.process() }
        #expect(error?.code == .invalidRecord && error?.hint == "raise errorThreshold")
        etl.rejectsPath = nil
        etl.errorThreshold = nil
        #expect(streamError { try etl.process() }?.code == .invalidRecord)
        etl.validation = nil
        etl.lookups = [ETLLookup(from: source, query: "SELECT * FROM l", key: "code", on: "key", missing: .error)]
        #expect(streamError { try etl.process() }?.code == .missingField)
        etl.lookups = [ETLLookup(from: source, query: "SELECT 1 AS code UNION ALL SELECT 1", key: "code", on: "key")]
        #expect(streamError { try etl.process() }?.code == .constraintViolated)
        etl.lookups = [ETLLookup(from: source, query: "SELECT 1 AS x", key: "code", on: "key")]
        #expect(streamError { try etl.process() }?.code == .unknownColumn)
    }

    @Test("the table is created where that is asked for, with its key")
    func creates() throws {
        try fill(1...4)
        for mode in [ETLMode.fullRefresh, .append(key: ["id"]), .upsert(key: ["id"])] {
            try target.execute("DROP TABLE IF EXISTS t")
            var etl = etl(mode)
            #expect(streamError { try etl.process() }?.code == .unknownTable)
            etl.createsTable = true
            try etl.process()
            #expect(try target.describe("t")?.primaryKey == (mode == .fullRefresh ? [] : ["id"]))
            #expect(try ids() == [1, 2, 3, 4])
        }
    }

    @Test("a table that is created has the columns that were renamed by their new names, also where there are no rows")
    func createsRenamed() throws {
        for count in [4, 0] {
            try source.execute("DELETE FROM s")
            try fill(0..<count)
            for fields in [
                ["id": "key"], ["id": "key", "name": "Changed", "changed": "x"], ["id": "key", "name": "NAME"],
            ] {
                try target.execute("DROP TABLE t")
                var etl = etl(.upsert(key: ["key"]))
                etl.fields = fields
                etl.createsTable = true
                #expect(try etl.process().writtenRecords == count)
                let names = ["id", "changed", "name"].map { fields[$0] ?? $0 }
                #expect(Set(try target.describe("t")?.columns.map(\.name) ?? []) == Set(names), "\(fields), \(count)")
                #expect(try target.describe("t")?.primaryKey == ["key"])
            }
        }
    }

    @Test("what a transform makes of a chunk, it stands for the rows up to there", arguments: [1, 2])
    func replacedChunks(jobs: Int) throws {
        try fill(1...20) { $0 / 4 }
        for mode in [ETLMode.append(key: ["id"]), .incremental(column: "changed", key: ["id"])] {
            try target.execute("DELETE FROM t; DROP TABLE IF EXISTS sluice_etl")
            var etl = etl(mode)
            etl.config.parallelism = jobs
            etl.transform = { chunk in chunk = StreamChunk(data: chunk.data) }
            #expect(try etl.process().writtenRecords == 20)
            // Those with the highest mark come once more, where there are marks.
            #expect(try etl.process().writtenRecords == (mode == .append(key: ["id"]) ? 0 : 1))
            #expect(try ids() == Array(1...20))
        }
    }

    @Test("jobs of one name into two tables know of each other's positions nothing; parameters are those of the query")
    func otherTable() throws {
        try fill(1...20)
        try target.execute("CREATE TABLE u (id INTEGER PRIMARY KEY, changed INTEGER, name TEXT)")
        for (table, parameter, count) in [("t", 20, 20), ("u", 20, 20), ("u", 10, 10)] {
            try target.execute("DELETE FROM \(table)")
            var job = etl(.append(key: ["id"]), query: "SELECT * FROM s WHERE id <= ?")
            (job.name, job.table, job.parameters) = ("job", table, [Value(parameter)])
            #expect(try job.process().writtenRecords == count)
            #expect(try job.process().writtenRecords == 0)
            #expect(try target.rows("SELECT DISTINCT job FROM sluice_etl").map { $0["job"] } == ["job"])
        }
    }

    @Test("what does not go together, and keys that are none, are refused")
    func refused() throws {
        try fill(1...4)
        func code(
            _ mode: ETLMode, query: String = "SELECT * FROM s", _ change: (inout ETLProcessor) throws -> Void = { _ in }
        )
            throws -> StreamError.Code?
        {
            var etl = etl(mode, query: query)
            try change(&etl)
            return streamError { try etl.process() }?.code
        }
        #expect(try code(.upsert(key: [])) == .invalidConfiguration)
        #expect(try code(.upsert(key: ["name"])) == .invalidConfiguration)
        #expect(try code(.upsert(key: ["none"])) == .unknownColumn)
        #expect(try code(.append(key: ["id"]), query: "SELECT name FROM s") == .unknownColumn)
        #expect(try code(.append) { $0.chunkSize = 0 } == .invalidConfiguration)
        #expect(try code(.append) { $0.transactionSize = 0 } == .invalidConfiguration)
        #expect(try code(.append) { $0.rejectsPath = folder.file("r") } == .invalidConfiguration)
        #expect(try code(.append) { $0.errorThreshold = 1 } == .invalidConfiguration)
        #expect(try code(.append) { $0.fields = ["id": "a", "name": "a"] } == .invalidConfiguration)
        #expect(try code(.append) { $0.fields = ["none": "a"] } == .unknownColumn)
        // The database would find it, and the records would not.
        #expect(try code(.incremental(column: "CHANGED", key: ["id"])) == .unknownColumn)
        try source.execute("CREATE TABLE n (id, name); INSERT INTO n VALUES (1, 'a'), (NULL, 'b')")
        #expect(try code(.upsert(key: ["id"]), query: "SELECT * FROM n") == .nullField)
        #expect(try ids() == [])
    }

    @Test("progress is that of the rows")
    func progress() throws {
        try fill(1...10)
        let last = Tally()
        try etl(.fullRefresh).process { progress in if progress.fraction == 1 { last.add() } }
        #expect(last.value > 0)
    }
}
