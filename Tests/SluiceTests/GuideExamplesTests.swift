// What the guide shows, as client code: it compiles unchanged and does what it says.

import Foundation
import Sluice
import SluiceSQLite
import Testing

@Suite("The guide's examples")
struct GuideExamplesTests {
    let folder = TemporaryFolder()

    @Test("a chunk")
    func chunk() {
        let chunk = StreamChunk(
            data: [["id": 1, "name": "Ann"], ["id": 2, "tags": ["a", nil, 1.5, true]]],
            chunkID: "chunk_001",
            sequenceNumber: 0,
            metadata: ["source": "file"],
            timestamp: 1_700_000_000,
            isLast: false
        )
        #expect(chunk.chunkID == "chunk_001")
        #expect(chunk.timestamp == 1_700_000_000)
        #expect(chunk.metadata == ["source": "file"])
        let tags: Value = ["a", nil, 1.5, true]
        #expect(chunk.data[1]["tags"] == tags)
        #expect(StreamChunk(data: []).chunkID != StreamChunk(data: []).chunkID)
    }

    @Test("sources and sinks")
    func sourcesAndSinks() throws {
        let csv = try folder.file("data.csv", "id\n1\n2\n")
        let json = try folder.file("data.jsonl", "{\"id\":1}\n")
        let packed = folder.file("data.csv.gz")
        try BasicStreamProcessor(source: FileStreamSource(csv), sink: FileStreamSink(packed)).run()
        let sources: [any StreamSource] = [
            try FileStreamSource(csv, chunkSize: 1000),
            try FileStreamSource(json, format: .jsonl, chunkSize: 5000, encoding: .utf8),
            try FileStreamSource(packed, compression: .gzip, chunkSize: 1000),
            MemoryStreamSource((0..<10_000).map { ["id": Value($0), "value": Value($0 * 2)] }, chunkSize: 100),
        ]
        var chunks: [StreamChunk] = []
        for source in sources {
            while let chunk = try source.readChunk() { chunks.append(chunk) }
        }
        #expect(chunks.count == 103)

        let sink = try FileStreamSink(folder.file("output.jsonl"), format: .jsonl, mode: .write, encoding: .utf8)
        for chunk in chunks { try sink.writeChunk(chunk) }
        try sink.flush()
        try sink.close()
        #expect(try records(folder.file("output.jsonl")).count == 10_005)

        let memory = MemoryStreamSink()
        for chunk in chunks { try memory.writeChunk(chunk) }
        #expect(memory.records.count == 10_005 && memory.chunks.count == 103)
    }

    @Test("example 1: CSV to JSON Lines")
    func csvToJSON() throws {
        let input = try folder.file("input.csv", "a,b\n1,2\n3,4\n")
        let processor = BasicStreamProcessor(
            source: try FileStreamSource(input, format: .csv),
            sink: try FileStreamSink(folder.file("output.jsonl"), format: .jsonl)
        ) { chunk in
            for i in chunk.data.indices {
                chunk.data[i]["processed"] = true
                chunk.data[i]["timestamp"] = Value(chunk.timestamp)
            }
        }
        let results = processor.process()
        #expect(results.processedChunks == 1 && results.processedRecords == 2 && results.duration > 0)
        #expect(results.errors.isEmpty && results.success)
        let lines = try records(folder.file("output.jsonl"))
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.contains("\"processed\":true,\"timestamp\":1") })
    }

    @Test("a transform may return new records")
    func newRecords() throws {
        let input = try folder.file("input.csv", "name,price\nx,10\ny,\n")
        let result = BasicStreamProcessor(
            source: try FileStreamSource(input), sink: try FileStreamSink(folder.file("output.jsonl")), bufferSize: 1000
        ) { (chunk: StreamChunk) in
            var chunk = chunk
            chunk.data = RecordBatch(
                chunk.data.map { record in
                    var record = record
                    record["total"] = Value((record["price", as: Double.self] ?? 0) * 1.5)
                    record["price"] = nil
                    return record
                })
            return chunk
        }.process()
        #expect(result.success)
        #expect(try folder.text("output.jsonl") == "{\"name\":\"x\",\"total\":15.0}\n{\"name\":\"y\",\"total\":0.0}\n")
    }

    static func isValid(_ record: Record) -> Bool { (record["age", as: Int.self] ?? 0) >= 18 }
    static func lookUp(_ id: Value?) -> Value { id ?? nil }

    @Test("records are filtered and enriched")
    func filterAndEnrich() throws {
        let input = try folder.file("input.csv", "id,age\na,17\nb,18\nc,\n")
        let result = BasicStreamProcessor(
            source: try FileStreamSource(input), sink: try FileStreamSink(folder.file("output.jsonl"))
        ) { chunk in
            chunk.data.removeAll { !Self.isValid($0) }
            for i in chunk.data.indices { chunk.data[i]["enriched"] = Self.lookUp(chunk.data[i]["id"]) }
        }.process()
        #expect(result.filteredRecords == 2)
        #expect(try folder.text("output.jsonl") == "{\"id\":\"b\",\"age\":\"18\",\"enriched\":\"b\"}\n")
    }

    @Test("chunks one by one, in a loop and as an asynchronous sequence")
    func iteration() async throws {
        let path = try folder.file("data.csv", "id\n" + (0..<2500).map { "\($0)\n" }.joined())
        var sizes: [Int] = []
        var names: Set<String> = []
        let source = try FileStreamSource(path, chunkSize: 1000)
        while let chunk = try source.readChunk() {
            names.insert(chunk.chunkID)
            sizes.append(chunk.data.count)
        }
        #expect(sizes == [1000, 1000, 500] && names.count == 3)
        var numbers: [Int] = []
        try FileStreamSource(path).forEach { chunk in numbers.append(chunk.sequenceNumber) }
        #expect(numbers == [0, 1, 2])
        var count = 0
        for try await chunk in try FileStreamSource(path).chunks { count += chunk.data.count }
        #expect(count == 2500)
    }

    @Test("a compressed file says how much it was compressed")
    func compressedFile() throws {
        let sink = try FileStreamSink(folder.file("users_export.jsonl.gz"), format: .jsonl, compression: .gzip)
        let users = MemoryStreamSource((0..<1000).map { ["id": Value($0), "name": "somebody", "email": "a@b.c"] })
        let result = BasicStreamProcessor(source: users, sink: sink).process()
        #expect(result.processedRecords == 1000)
        #expect(sink.bytesWritten > 0 && sink.compressionRatio > 1)
        let plain = try FileStreamSink(folder.file("users.jsonl"))
        try plain.writeChunk(StreamChunk(data: [["id": 1]]))
        try plain.close()
        #expect(plain.bytesWritten == 9 && plain.compressionRatio == 1)
    }

    @Test("transforms set a field of all records, or return the chunk or nil")
    func transforms() throws {
        let input = try folder.file("input.csv", "id\n1\n2\n3\n")
        let memory = MemoryStreamSink()
        let set = BasicStreamProcessor(source: try FileStreamSource(input), sink: memory) { chunk in
            chunk.data.setAll("seen", to: true)
        }.process()
        #expect(set.success && memory.records.map { $0["seen"] } == [true, true, true])
        let kept = MemoryStreamSink()
        let filtered = BasicStreamProcessor(source: try FileStreamSource(input, chunkSize: 2), sink: kept) {
            (chunk: StreamChunk) in
            chunk.data.count < 2 ? nil : chunk
        }.process()
        #expect(filtered.success && kept.records.map { $0["id", as: Int.self] } == [1, 2])
    }

    @Test("patterns: files")
    func filePattern() throws {
        let folder = TemporaryFolder()
        let input = try folder.file("in.csv", "id\n1\n2\n")
        var files = FileProcessingConfig(inputPath: input, outputPath: folder.file("out.jsonl"))
        files.mode = .stream  // .batch: file by file; .whole: one chunk a file
        #expect(try FileProcessor(files).process().itemsProcessed == 2)
        #expect(try folder.text("out.jsonl") == "{\"id\":\"1\"}\n{\"id\":\"2\"}\n")
    }

    private func users() throws -> SQLiteDatabase {
        let db = try SQLiteDatabase(folder.file("users.db"))
        try db.execute(
            """
            CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, created_at INTEGER, active BOOLEAN);
            INSERT INTO users VALUES (1, 'Ann', 'a@x', 30, true), (2, 'Bob', 'b@x', 20, false), (3, 'Cyd', NULL, 10, true)
            """)
        return db
    }

    @Test("example 3: database to compressed file")
    func databaseToFile() throws {
        let db = try users()
        let source = try DatabaseStreamSource(
            database: db,
            query: "SELECT id, name, email, created_at FROM users WHERE active = true ORDER BY created_at",
            chunkSize: 10_000, fetchSize: 50_000)
        let sink = try FileStreamSink(folder.file("users_export.jsonl.gz"), format: .jsonl, compression: .gzip)
        let metrics = try StreamContext().stream(source: source, sink: sink)
        #expect(metrics.itemsProcessed == 2 && sink.bytesWritten > 0 && sink.compressionRatio > 0)
        #expect(
            try records(folder.file("users_export.jsonl.gz")) == [
                #"{"id":3,"name":"Cyd","email":null,"created_at":10}"#,
                #"{"id":1,"name":"Ann","email":"a@x","created_at":30}"#,
            ])
    }

    @Test("patterns: from one database to another")
    func databasePattern() throws {
        let sourceDB = try users()
        let targetDB = try SQLiteDatabase(folder.file("target.db"))
        try targetDB.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name)")
        let etl = ETLProcessor(
            source: sourceDB, query: "SELECT id, name FROM users",
            target: targetDB, table: "orders",
            mode: .upsert(key: ["id"]), chunkSize: 10_000)
        #expect(try etl.process().itemsProcessed == 3)
        #expect(try targetDB.rows("SELECT count(*) AS n FROM orders")[0]["n"] == 3)
    }

    @Test("errors are in the result")
    func errors() throws {
        let input = try folder.file("input.csv", "id,name\n1,x\n2\n")
        let result = BasicStreamProcessor(
            source: try FileStreamSource(input), sink: try FileStreamSink(folder.file("output.jsonl")), bufferSize: 1000
        ).process()
        #expect(!result.success)
        var lines: [String] = []
        if !result.success { for error in result.errors { lines.append("\(error)") } }
        #expect(lines.count == 1 && lines[0].hasPrefix("\(input): record 2, byte 12: "))
    }
}
