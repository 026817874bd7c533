import Sluice
import Testing

@Suite("Memory streams")
struct MemoryStreamTests {
    func source(_ count: Int, chunkSize: Int) -> MemoryStreamSource {
        MemoryStreamSource((0..<count).map { ["id": Value($0), "value": Value($0 * 2)] }, chunkSize: chunkSize)
    }

    @Test(
        "chunks are full, in order and numbered from 0, and the last says so",
        arguments: [(10, 3), (9, 3), (1, 1), (0, 5)])
    func chunks(_ count: Int, _ chunkSize: Int) throws {
        let source = source(count, chunkSize: chunkSize)
        var chunks: [StreamChunk] = []
        try source.forEach { chunks.append($0) }
        #expect(chunks.flatMap { $0.data.column("id", as: Int.self) } == Array(0..<count))
        #expect(chunks.map(\.sequenceNumber) == Array(chunks.indices))
        #expect(chunks.dropLast().allSatisfy { $0.data.count == chunkSize && !$0.isLast })
        #expect(chunks.last?.isLast ?? true)
        #expect(Set(chunks.map(\.chunkID)).count == chunks.count)
        #expect(try source.readChunk() == nil)
    }

    @Test("records that were put in another order stay in it", arguments: ["x.csv", "x.jsonl"])
    func order(_ name: String) throws {
        let folder = TemporaryFolder()
        let rows = (0..<6).map { name == "x.csv" ? "\($0)\n" : "{\"id\":\($0)}\n" }
        let text = (name == "x.csv" ? "id\n" : "") + rows.joined()
        let batch = try #require(try FileStreamSource(folder.file(name, text)).readChunk()).data
        for size in 1...6 {
            let sink = MemoryStreamSink()
            try StreamContext().stream(
                source: MemoryStreamSource(RecordBatch(batch.reversed()), chunkSize: size), sink: sink)
            #expect(sink.records.map { $0["id", as: Int.self] } == [5, 4, 3, 2, 1, 0])
        }
    }

    @Test("records that were appended to those of a file are cut into chunks with its columns", arguments: 1...4)
    func appended(_ size: Int) throws {
        let folder = TemporaryFolder()
        var batch = try #require(try FileStreamSource(folder.file("in.csv", "id,b,c\n1,x,y\n")).readChunk()).data
        batch.append(["b": "y"])
        batch.append(["id": 3, "b": "z"])
        batch.append(["c": "w", "b": "v"])
        batch[2]["note"] = "n"
        batch[1]["new"] = true
        batch[1]["note"] = "m"
        batch[1]["id"] = 2
        try StreamContext().stream(
            source: MemoryStreamSource(batch, chunkSize: size), sink: try FileStreamSink(folder.file("out.jsonl")))
        #expect(
            try folder.text("out.jsonl") == #"{"id":"1","b":"x","c":"y"}"# + "\n"
                + #"{"id":2,"b":"y","new":true,"note":"m"}"# + "\n" + #"{"id":3,"b":"z","note":"n"}"# + "\n"
                + #"{"c":"w","b":"v"}"# + "\n")
        let kept = batch.compacted()
        #expect(kept == batch && kept.map(\.keys) == batch.map(\.keys))

        batch.removeAll { $0["id"] == "1" }
        let sink = MemoryStreamSink()
        try StreamContext().stream(source: MemoryStreamSource(batch, chunkSize: size), sink: sink)
        #expect(sink.records.map(\.keys) == batch.map(\.keys))
        #expect(sink.chunks.allSatisfy { $0.data.schema?.names == ["id", "b", "c"] })
        let columns = try FileStreamSink(folder.file("out.csv"))
        try StreamContext().stream(source: MemoryStreamSource(batch, chunkSize: size), sink: columns)
        #expect(try folder.text("out.csv") == "id,b,c,new,note\n2,y,,true,m\n3,z,,,n\n,v,w,,\n")
    }

    @Test("a sink keeps records and chunks, and refuses more after close")
    func sink() throws {
        let sink = MemoryStreamSink()
        let source = source(5, chunkSize: 2)
        while let chunk = try source.readChunk() { try sink.writeChunk(chunk) }
        #expect(sink.chunks.count == 3)
        #expect(sink.records.map { $0["value", as: Int.self] } == [0, 2, 4, 6, 8])
        try sink.close()
        try sink.close()
        #expect(streamError { try sink.writeChunk(StreamChunk(data: [])) }?.code == .closed)
        #expect(sink.records.count == 5)
    }

    @Test("chunks are an asynchronous sequence too")
    func asynchronous() async throws {
        var count = 0
        for try await chunk in source(7, chunkSize: 3).chunks { count += chunk.data.count }
        #expect(count == 7)
    }
}

@Suite("Basic stream processor")
struct BasicStreamProcessorTests {
    let source = MemoryStreamSource((0..<10).map { ["id": Value($0)] }, chunkSize: 3)

    @Test("edits in place, and counts")
    func editing() throws {
        let sink = MemoryStreamSink()
        let result = BasicStreamProcessor(source: source, sink: sink) { chunk in
            chunk.data.removeAll { ($0["id", as: Int.self] ?? 0) < 4 }
            for i in chunk.data.indices { chunk.data[i]["seen"] = true }
        }.process()
        #expect(result.success && result.errors.isEmpty)
        #expect(result.readRecords == 10 && result.processedRecords == 6 && result.filteredRecords == 4)
        #expect(result.processedChunks == 4)
        #expect(sink.records.map(\.description) == (4..<10).map { "{\"id\":\($0),\"seen\":true}" })
    }

    @Test("a transform that returns nil filters the chunk, and it is counted")
    func filtering() throws {
        let sink = MemoryStreamSink()
        let result = BasicStreamProcessor(source: source, sink: sink) { (chunk: StreamChunk) in
            chunk.sequenceNumber == 1 ? nil : chunk
        }.process()
        #expect(result.processedRecords == 7 && result.filteredRecords == 3 && result.processedChunks == 3)
        #expect(sink.records.compactMap { $0["id", as: Int.self] } == [0, 1, 2, 6, 7, 8, 9])
    }

    @Test("a transform may add records")
    func adding() throws {
        let sink = MemoryStreamSink()
        let result = BasicStreamProcessor(source: source, sink: sink) { chunk in chunk.data.append(["id": -1]) }
            .process()
        #expect(result.processedRecords == 14 && result.addedRecords == 4)
        #expect(sink.records.count == 14)
    }

    @Test("an error of the transform ends the run, aborts the sink and is in the result")
    func failing() throws {
        struct Oops: Error {}
        let sink = MemoryStreamSink()
        let processor = BasicStreamProcessor(source: source, sink: sink) { chunk in
            if chunk.sequenceNumber == 2 { throw Oops() }
        }
        let result = processor.process()
        #expect(!result.success)
        #expect(result.errors.map(\.code) == [.processorFailed])
        #expect(result.errors.first?.underlying is Oops)
        #expect(sink.records.isEmpty)
    }

    @Test("run throws what process collects")
    func throwing() throws {
        let folder = TemporaryFolder()
        let input = try folder.file("x.csv", "a,b\n1,2\n3\n")
        let output = folder.file("x.jsonl")
        let processor = BasicStreamProcessor(source: try FileStreamSource(input), sink: try FileStreamSink(output))
        let error = streamError { try processor.run() }
        #expect(error?.code == .raggedRecord)
        #expect(error?.record == 2)
        #expect(error?.byteOffset == 8)
        #expect(folder.names == ["x.csv"])
    }
}
