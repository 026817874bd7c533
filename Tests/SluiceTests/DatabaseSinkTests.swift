import Sluice
import SluiceSQLite
import TestSupport
import Testing

@Suite("Writing into databases")
struct DatabaseSinkTests {
    private let folder = TemporaryFolder()
    private let db: SQLiteDatabase

    init() throws { db = try SQLiteDatabase(folder.file("x.db")) }

    /// Rows of a query, one compact JSON text each.
    private func rows(_ query: String) throws -> [String] { try db.rows(query).map(\.description) }

    @discardableResult private func write(
        _ records: [Record], mode: WriteMode = .insert, createsTable: Bool = false, columns: [String]? = nil,
        batchSize: Int = 1000, transactionSize: Int? = nil, chunkSize: Int = 1000,
        unknownColumns: DatabaseStreamSink.UnknownColumns = .error, jobs: Int = 2
    ) throws -> DatabaseStreamSink {
        let sink = try DatabaseStreamSink(
            database: db, table: "t", mode: mode, createsTable: createsTable, columns: columns, batchSize: batchSize,
            transactionSize: transactionSize, unknownColumns: unknownColumns)
        let source = MemoryStreamSource(records, chunkSize: chunkSize)
        let metrics = try StreamContext(StreamConfig(parallelism: jobs)).stream(source: source, sink: sink)
        #expect(metrics.writtenRecords == records.count && sink.committedRecords == records.count)
        return sink
    }

    @Test("values keep their types, and a table that is created has them")
    func types() throws {
        try write(
            [
                [
                    "i": 1, "d": 1.5, "s": "x", "b": .bytes([0, 255]), "t": true, "o": ["k": [1, nil]], "n": nil,
                    "big": .decimal("0.10"),
                ],
                [
                    "i": .int(.min), "d": 2, "s": "", "b": .bytes([]), "t": false, "o": [], "n": "later",
                    "big": .decimal("1e-400"),
                ],
            ], createsTable: true)
        #expect(
            try rows("SELECT name, type FROM pragma_table_info('t')") == [
                #"{"name":"i","type":"INTEGER"}"#, #"{"name":"d","type":"REAL"}"#, #"{"name":"s","type":"TEXT"}"#,
                #"{"name":"b","type":"BLOB"}"#, #"{"name":"t","type":"INTEGER"}"#, #"{"name":"o","type":"TEXT"}"#,
                #"{"name":"n","type":"TEXT"}"#, #"{"name":"big","type":"TEXT"}"#,
            ])
        #expect(
            try rows("SELECT *, typeof(d) AS td, typeof(b) AS tb, typeof(n) AS tn FROM t") == [
                #"{"i":1,"d":1.5,"s":"x","b":"AP8=","t":1,"o":"{\"k\":[1,null]}","n":null,"big":"0.10","td":"real","tb":"blob","tn":"null"}"#,
                #"{"i":-9223372036854775808,"d":2.0,"s":"","b":"","t":0,"o":"[]","n":"later","big":"1e-400","td":"real","tb":"blob","tn":"text"}"#,
            ])
    }

    @Test("cells of CSV become what their columns are declared as, and nothing else", arguments: [1, 2, 5])
    func affinity(jobs: Int) throws {
        try db.execute("CREATE TABLE t (i INTEGER, r REAL, n NUMERIC, s TEXT, x, v VARCHAR(3))")
        let text =
            "i,r,n,s,x,v\n1,1,1,1,1,1\n-0,1e3,2.50,007,007,\"a\"\"b\"\nx,,\"\",1.0,\"a\nb\",\nNA,NA,1,NA,NA,\"NA\"\n"
        let path = try folder.file("x.csv", text)
        let metrics = try StreamContext(StreamConfig(parallelism: jobs)).stream(
            source: try FileStreamSource(path, csv: CSVOptions(nulls: ["NA"])),
            sink: try DatabaseStreamSink(database: db, table: "t"))
        #expect(metrics.writtenRecords == 4)
        #expect(
            try rows(
                """
                SELECT i, typeof(i) AS ti, r, typeof(r) AS tr, n, typeof(n) AS tn, s, typeof(s) AS ts, x, typeof(x) AS tx, v
                FROM t
                """) == [
                    #"{"i":1,"ti":"integer","r":1.0,"tr":"real","n":1,"tn":"integer","s":"1","ts":"text","x":"1","tx":"text","v":"1"}"#,
                    #"{"i":0,"ti":"integer","r":1000.0,"tr":"real","n":2.5,"tn":"real","s":"007","ts":"text","x":"007","tx":"text","v":"a\"b"}"#,
                    #"{"i":"x","ti":"text","r":"","tr":"text","n":"","tn":"text","s":"1.0","ts":"text","x":"a\nb","tx":"text","v":""}"#,
                    #"{"i":null,"ti":"null","r":null,"tr":"null","n":1,"tn":"integer","s":null,"ts":"null","x":null,"tx":"null","v":"NA"}"#,
                ])
    }

    @Test("cells that are typed by what they are make a table of those types")
    func inferred() throws {
        let path = try folder.file("x.csv", "a,b,c,d\n1,1.5,x,NA\n,2,\"3\",4\n")
        try StreamContext().stream(
            source: try FileStreamSource(path, types: .inferred, csv: CSVOptions(nulls: ["NA"])),
            sink: try DatabaseStreamSink(database: db, table: "t", createsTable: true))
        #expect(
            try rows("SELECT a, b, c, d, typeof(b) AS tb, typeof(d) AS td FROM t") == [
                #"{"a":1,"b":1.5,"c":"x","d":null,"tb":"real","td":"null"}"#,
                #"{"a":null,"b":2.0,"c":"3","d":4,"tb":"real","td":"integer"}"#,
            ])
    }

    @Test("JSON lines go into the columns of their keys, whatever their order; a key that comes later is one, too")
    func json() throws {
        try db.execute("CREATE TABLE t (a, b DEFAULT 'd', \"C d\", e DEFAULT 5)")
        let path = try folder.file(
            "x.jsonl", "{\"a\":1}\n{\"C d\":\"\\u0041\\n\",\"a\":[1, 2]}\n{\"b\":null,\"a\":true}\n")
        for chunkSize in [1, 2, 3] {
            try db.execute("DELETE FROM t")
            try StreamContext().stream(
                source: try FileStreamSource(path, chunkSize: chunkSize),
                sink: try DatabaseStreamSink(database: db, table: "t"))
            let first = chunkSize == 3 ? "null" : "\"d\""
            #expect(
                try rows("SELECT * FROM t") == [
                    #"{"a":1,"b":\#(first),"C d":null,"e":5}"#,
                    #"{"a":"[1,2]","b":\#(first),"C d":"A\n","e":5}"#, #"{"a":1,"b":null,"C d":null,"e":5}"#,
                ], "chunks of \(chunkSize)")
        }
    }

    @Test("upsert changes what is there, replace puts the record in its place, ignore leaves it out")
    func modes() throws {
        try db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b DEFAULT 'd')")
        try write([["id": 1, "a": 1, "b": 1], ["id": 2, "a": 2, "b": 2]])
        try write([["id": 2, "a": 3], ["id": 3, "a": 4]], mode: .upsert(key: ["ID"]))
        let upserted = [#"{"id":1,"a":1,"b":1}"#, #"{"id":2,"a":3,"b":2}"#, #"{"id":3,"a":4,"b":"d"}"#]
        #expect(try rows("SELECT * FROM t ORDER BY id") == upserted)
        let ignoring = try write([["id": 2, "a": 9], ["id": 4, "a": 5]], mode: .ignore)
        #expect(ignoring.changedRows == 1)
        #expect(try rows("SELECT * FROM t ORDER BY id") == upserted + [#"{"id":4,"a":5,"b":"d"}"#])
        try write([["id": 1, "a": 7]], mode: .replace)
        #expect(try rows("SELECT * FROM t WHERE id = 1") == [#"{"id":1,"a":7,"b":"d"}"#])
        let twice = streamError { try write([["id": 5, "a": 1], ["id": 1, "a": 1]]) }
        #expect(twice?.code == .constraintViolated && twice?.record == 2 && twice?.message.contains("t.id") == true)
        #expect((twice?.underlying as? SQLiteError)?.extendedCode == 1555)
        #expect(try rows("SELECT count(*) AS n FROM t") == [#"{"n":4}"#])
        // A table of keys alone has nothing to change.
        try db.execute("DROP TABLE t")
        try write([["id": 1], ["id": 1], ["id": 2]], mode: .upsert(key: ["id"]), createsTable: true)
        #expect(try rows("SELECT * FROM t") == [#"{"id":1}"#, #"{"id":2}"#])
    }

    @Test("what was not committed is not there after an error; what was is", arguments: [1, 2])
    func transactions(jobs: Int) throws {
        try db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        let records: [Record] = (1...100).map { ["id": Value($0 == 100 ? 1 : $0)] }
        for (transactionSize, left) in [(nil, 0), (30, 90), (1, 99)] as [(Int?, Int)] {
            try db.execute("DELETE FROM t")
            let sink = try DatabaseStreamSink(
                database: db, table: "t", batchSize: 7, transactionSize: transactionSize)
            let error = streamError {
                try StreamContext(StreamConfig(parallelism: jobs)).stream(
                    source: MemoryStreamSource(records, chunkSize: transactionSize == 1 ? 1 : 10), sink: sink)
            }
            #expect(error?.code == .constraintViolated && error?.record == 100)
            #expect(try rows("SELECT count(*) AS n FROM t") == ["{\"n\":\(left)}"])
            #expect(sink.committedRecords == left)
        }
    }

    @Test("a batch with a bad record is taken back alone; who goes on loses nothing else")
    func batches() throws {
        try db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        let sink = try DatabaseStreamSink(database: db, table: "t", batchSize: 3)
        func chunk(_ ids: [Int]) -> StreamChunk { StreamChunk(data: RecordBatch(ids.map { ["id": Value($0)] })) }
        try sink.writeChunk(chunk([1, 2]))
        #expect(streamError { try sink.writeChunk(chunk([3, 4, 5, 6, 6, 7, 8])) }?.record == 7)
        try sink.writeChunk(chunk([9]))
        try sink.close()
        try sink.close()
        #expect(try rows("SELECT group_concat(id) AS ids FROM t") == [#"{"ids":"1,2,3,4,5,9"}"#])
        #expect(streamError { try sink.writeChunk(chunk([10])) }?.code == .closed)
    }

    @Test("the record at fault is named also where the table has triggers, and they run once for each row")
    func triggers() throws {
        try db.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (id <> 7)); CREATE TABLE log (id);
            CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END
            """)
        let error = streamError { try write((1...10).map { ["id": Value($0)] }) }
        #expect(error?.code == .constraintViolated && error?.record == 7 && error?.message.contains("CHECK") == true)
        #expect(try rows("SELECT count(*) AS n FROM log") == [#"{"n":0}"#])
        try write([["id": 1], ["id": 2]])
        #expect(try rows("SELECT group_concat(id) AS ids FROM log") == [#"{"ids":"1,2"}"#])
    }

    @Test("texts that have to be decoded are whole, however long, beside each other, and as numbers")
    func decoded() throws {
        try db.execute("CREATE TABLE t (a TEXT, b TEXT, n INTEGER)")
        let lengths = [1, 10, 5000, 100, 40_000, 3, 200_000]
        let csv = lengths.map { "\"\(String(repeating: "x\"\"", count: $0))\",\"\"\"y\",\"\"\"12\"" }.joined(
            separator: "\n")
        let json = lengths.map { #"{"a":"\#(String(repeating: #"x\""#, count: $0))","b":"\"y","n":"\u0031\u0032"}"# }
            .joined(separator: "\n")
        for (name, text) in [("x.csv", "a,b,n\n" + csv + "\n"), ("x.jsonl", json + "\n")] {
            try db.execute("DELETE FROM t")
            try StreamContext().stream(
                source: try FileStreamSource(folder.file(name, text)),
                sink: try DatabaseStreamSink(database: db, table: "t"))
            let n = name == "x.csv" ? #""\"12""# : "12"
            for (row, length) in zip(try db.rows("SELECT * FROM t"), lengths) {
                #expect(row["a"] == .string(String(repeating: "x\"", count: length)))
                #expect(row["b"] == "\"y" && row["n"]?.description == n)
            }
        }
    }

    @Test("a new column is an error, or added")
    func newColumns() throws {
        try write([["a": 1]], createsTable: true)
        let error = streamError { try write([["a": 2], ["a": 3, "b": 1.5]], chunkSize: 1) }
        #expect(error?.code == .unknownColumn && error?.column == "b")
        #expect(try rows("SELECT * FROM t") == [#"{"a":1}"#])
        try write([["a": 2], ["a": 3, "b": 1.5], ["c": "x"]], chunkSize: 1, unknownColumns: .add)
        #expect(
            try rows("SELECT * FROM t") == [
                #"{"a":1,"b":null,"c":null}"#, #"{"a":2,"b":null,"c":null}"#, #"{"a":3,"b":1.5,"c":null}"#,
                #"{"a":null,"b":null,"c":"x"}"#,
            ])
        let columns = streamError { try write([["a": 2, "b": 2]], columns: ["a"]) }
        #expect(columns?.code == .unknownColumn && columns?.column == "b")
    }

    @Test("an empty source still makes the table that was asked for")
    func empty() throws {
        let path = try folder.file("x.csv", "a,b\n")
        let sink = try DatabaseStreamSink(database: db, table: "t", mode: .upsert(key: ["b"]), createsTable: true)
        try StreamContext().stream(source: try FileStreamSource(path), sink: sink)
        let table = try #require(try db.describe("t"))
        #expect(table.columnNames == ["a", "b"] && table.primaryKey == ["b"] && table.uniqueKeys == [["b"]])
    }

    @Test("numbers that SQLite would change, and NaN, are errors that name the column")
    func outOfRange() throws {
        try db.execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT)")
        let cases: [(Record, StreamError.Code, String)] = [
            (["i": .decimal("99999999999999999999")], .outOfRange, "i"),
            (["i": "99999999999999999999"], .outOfRange, "i"),
            (["r": .decimal("1e400")], .outOfRange, "r"), (["r": 9007199254740993], .outOfRange, "r"),
            (["r": "9007199254740993"], .outOfRange, "r"),
            (["i": .decimal("1.00000000000000000001")], .outOfRange, "i"),
            (["i": .decimal("9007199254740993.0")], .outOfRange, "i"),
            (["i": "9007199254740993.0"], .outOfRange, "i"),
            (["i": .decimal("90071992547409.93")], .outOfRange, "i"),
            (["i": .decimal("0.12345678901234567")], .outOfRange, "i"),
            (["i": .decimal("1e-400")], .outOfRange, "i"), (["i": .decimal("1.2345e-320")], .outOfRange, "i"),
            (["r": .double(.nan)], .numberNotFinite, "r"),
        ]
        for (record, code, column) in cases {
            let error = streamError { try write([["i": 1, "r": 1], record]) }
            #expect(error?.code == code && error?.column == column && error?.record == 2)
        }
        try write([["s": .decimal("99999999999999999999"), "r": .decimal("99999999999999999999")]])
        #expect(try rows("SELECT s, r FROM t") == [#"{"s":"99999999999999999999","r":1e+20}"#])
    }

    @Test(
        "fractions keep their digits where columns are not of reals, or are refused; those that are created hold them all"
    )
    func digits() throws {
        // The last are those of doubles, written with as few digits as do and with all there are.
        for text in [
            "0.1", "123456789012.345", "1e300", "0.30000000000000004", "1.7976931348623157e308", "0.10000000000000001",
            "-0.0", "0e-500", "5e-324",
        ] {
            try db.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (i NUMERIC)")
            try write([["i": .decimal(text)]])
            #expect(try db.rows("SELECT i FROM t")[0]["i", as: Double.self] == Double(text), "\(text)")
        }
        for (text, type) in [
            ("0.5", "REAL"), ("0.30000000000000004", "REAL"), ("90071992547409.93", "TEXT"),
            ("9007199254740993.0", "TEXT"),
        ] {
            try db.execute("DROP TABLE t")
            try write([["i": .decimal(text)]], createsTable: true)
            #expect(try db.describe("t")?.columns.first?.type == type, "\(text)")
            #expect(try rows("SELECT i FROM t") == [type == "TEXT" ? "{\"i\":\"\(text)\"}" : "{\"i\":\(text)}"])
        }
    }

    @Test("what a column of text gets can be read back as it was")
    func asText() throws {
        try db.execute("CREATE TABLE t (s TEXT)")
        try write([["s": .double(0.1 + 0.2)], ["s": true], ["s": .int(.max)], ["s": .decimal("1.10")]])
        #expect(
            try db.rows("SELECT s FROM t").map { $0["s"] } == [
                "0.30000000000000004", "true", "9223372036854775807", "1.10",
            ])
    }

    @Test("a table that was created by what came first changes nothing of what comes later")
    func laterValues() throws {
        let cases: [(first: Value, later: Value, code: StreamError.Code?)] = [
            (1, "007", .typeMismatch), (1, "+5", .typeMismatch), (1, " 1", .typeMismatch), (1.5, "1.50", .typeMismatch),
            (1, "12", nil), (1, "x1", nil), (1, "", nil), (1.5, "2.5", nil), ("x", "007", nil), (1, 2.5, nil),
        ]
        for (first, later, code) in cases {
            try db.execute("DROP TABLE IF EXISTS t")
            let error = streamError { try write([["a": first], ["a": later]], createsTable: true, chunkSize: 1) }
            #expect(error?.code == code && (code == nil || error?.record == 2), "\(first), \(later): \(error as Any)")
        }
    }

    @Test("an upsert needs its key in every record")
    func nullKeys() throws {
        try db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
        for record in [["id": nil, "a": 1], ["a": 1]] as [Record] {
            let error = streamError { try write([["id": 1, "a": 1], record], mode: .upsert(key: ["id"])) }
            #expect(error?.code == .nullField && error?.record == 2 && error?.column == "id")
        }
        #expect(streamError { try write([[:]]) }?.code == .missingField)
    }

    @Test("a foreign key that is missing is that of the record at fault")
    func foreignKeys() throws {
        try db.execute("PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1)")
        try db.execute("CREATE TABLE t (p REFERENCES p)")
        let error = streamError { try write([["p": 1], ["p": 2], ["p": 1], ["p": 1]]) }
        #expect(error?.code == .constraintViolated && error?.record == 2)
    }

    @Test("records that were edited, filtered and put in another order are written as they are")
    func edited() throws {
        let path = try folder.file("x.csv", "a,b\n1,2\n3,4\n5,6\n")
        try db.execute("CREATE TABLE t (a INTEGER, b TEXT, c)")
        let context = StreamContext(StreamConfig(parallelism: 2))
        context.addProcessor { chunk in
            chunk.data.removeAll { $0["a", as: Int.self] == 3 }
            chunk.data[0]["b"] = nil
            chunk.data[1]["c"] = 2.5
            chunk.data.append(["c": "new", "a": 9])
            chunk.data[1] = ["c": [1], "b": 8]
        }
        try context.stream(
            source: try FileStreamSource(path), sink: try DatabaseStreamSink(database: db, table: "t"))
        #expect(
            try rows("SELECT * FROM t") == [
                #"{"a":1,"b":null,"c":null}"#, #"{"a":null,"b":"8","c":"[1]"}"#, #"{"a":9,"b":null,"c":"new"}"#,
            ])
    }

    @Test("what cannot be is refused before anything is written")
    func refused() throws {
        try db.execute("CREATE TABLE t (id INTEGER, g AS (id + 1))")
        func code(_ make: () throws -> DatabaseStreamSink) -> StreamError.Code? { streamError { _ = try make() }?.code }
        #expect(code { try DatabaseStreamSink(database: db, table: "u") } == .unknownTable)
        #expect(
            code { try DatabaseStreamSink(database: db, table: "u", mode: .ignore, createsTable: true) }
                == .invalidConfiguration)
        #expect(code { try DatabaseStreamSink(database: db, table: "") } == .invalidConfiguration)
        #expect(
            code { try DatabaseStreamSink(database: db, table: "a\0b", createsTable: true) } == .invalidConfiguration)
        #expect(code { try DatabaseStreamSink(database: db, table: "t", columns: ["x"]) } == .unknownColumn)
        #expect(code { try DatabaseStreamSink(database: db, table: "t", columns: ["g"]) } == .invalidConfiguration)
        #expect(code { try DatabaseStreamSink(database: db, table: "t", columns: []) } == .invalidConfiguration)
        #expect(
            code { try DatabaseStreamSink(database: db, table: "t", columns: ["id", "id"]) } == .invalidConfiguration)
        #expect(
            code { try DatabaseStreamSink(database: db, table: "t", mode: .upsert(key: [])) } == .invalidConfiguration)
        #expect(
            code { try DatabaseStreamSink(database: db, table: "t", mode: .upsert(key: ["id"])) }
                == .invalidConfiguration)
        #expect(code { try DatabaseStreamSink(database: db, table: "t", batchSize: 0) } == .invalidConfiguration)
        #expect(code { try DatabaseStreamSink(database: db, table: "t", transactionSize: 0) } == .invalidConfiguration)
        let both = streamError { try write([["id": 1, "ID": 2]]) }
        #expect(both?.code == .differentColumns && both?.column == "ID")
        let wide: [Record] = [Record((0..<2001).map { ("c\($0)", Value($0)) })]
        try db.execute("DROP TABLE t")
        let error = streamError { try write(wide, createsTable: true) }
        #expect(error?.code == .wrongQuery && error?.message.contains("too many columns") == true)
        #expect(try db.describe("t") == nil)
        try write([Record((0..<2000).map { ("c\($0)", Value($0)) })], createsTable: true)
    }

    @Test("names are names, whatever they contain")
    func names() throws {
        let name = "a\"b\"\u{301}; DROP TABLE t; -- '?"
        let sink = try DatabaseStreamSink(database: db, table: name, createsTable: true)
        try sink.writeChunk(StreamChunk(data: [["x\"y": 1, "select": 2]]))
        try sink.close()
        #expect(try rows("SELECT * FROM \(db.quoted(name))") == [#"{"x\"y":1,"select":2}"#])
    }

    @Test("hostile names of tables and columns, ten thousand of them, make the schema that was asked for and no other")
    func hostileNames() throws {
        let parts = [
            "\"", "\"\"", "'", "`", "[", "]", ";", "--", "/*", "*/", "\\", " ", "\t", "\n", ".", ",", "(", ")", "%",
            "$", "@", ":", "?",
            "é", "\u{1F600}", "\u{301}", "\u{FEFF}", "DROP TABLE t", "select", "rowid", "NULL", "x", "X", "0",
        ]
        var random = SplitMix64(seed: 19)
        let memory = try SQLiteDatabase.inMemory()
        var tables: [String] = []
        for table in 0..<100 {
            // Numbers tell them apart: to SQLite x and X are one.
            func name(_ number: Int) -> String {
                (0..<Int.random(in: 0...6, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
                    .joined()
                    + "#\(number)"
            }
            tables.append(name(table))
            let columns = (0..<99).map(name)
            let record = Record(columns.enumerated().map { ($1, Value($0)) })
            let sink = try DatabaseStreamSink(
                database: memory, table: tables[table], mode: .upsert(key: [columns[table % 99]]), createsTable: true)
            try sink.writeChunk(StreamChunk(data: [record]))
            try sink.close()
            let found = try #require(try memory.describe(tables[table]))
            let isSame = found.columns.map { Array($0.name.utf8) } == columns.map { Array($0.utf8) }
            #expect(isSame && found.primaryKey == [columns[table % 99]], "\(tables[table])")
            #expect(
                try memory.rows("SELECT * FROM \(memory.quoted(tables[table]))")[0].fields.map(\.value)
                    == (0..<99).map { Value($0) })
        }
        let all = try memory.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")
        #expect(all.map { $0["name", as: String.self] } == tables)
    }
}
