import AllocationCounter
import Sluice
import Testing

@Suite("Records")
struct RecordTests {
    let ann: Record = ["id": 1, "name": "Ann", "tags": ["a", nil, 1.5, true], "at": nil]

    @Test("a literal keeps its fields in order")
    func literal() {
        #expect(ann.keys == ["id", "name", "tags", "at"])
        #expect(ann.description == #"{"id":1,"name":"Ann","tags":["a",null,1.5,true],"at":null}"#)
    }

    @Test("nil removes a field, .null writes null")
    func removal() {
        var record = ann
        record["name"] = nil
        record["id"] = .null
        #expect(record.keys == ["id", "tags", "at"])
        #expect(record["name"] == nil)
        #expect(record["id"] == .some(.null))
        #expect(ann["name"] == "Ann", "a copy is a record of its own")
    }

    @Test(
        "values come back as they were set",
        arguments: [
            .null, true, false, 0, -1, .int(.max), .int(.min), 1.5, .double(-0.0), "", "ü\u{0}\"\\", .decimal("0.10"),
            .decimal("1e400"), .bytes([0, 255]), [], [1, [2, ["a": nil]]], ["b": 1, "a": ["x": "y"]],
        ] as [Value])
    func values(_ value: Value) {
        var record = Record()
        record["x"] = value
        #expect(record["x"] == value)
    }

    @Test("text is read by the inference grammar, in place")
    func readAs() {
        let record: Record = [
            "i": "42", "f": "1.5", "e": "1e5", "big": "9223372036854775808", "b": "true", "s": " 1", "z": "007",
            "n": nil, "d": 2.5,
            "k": 7, "plus": "+18446744073709551615", "huge": "1e400",
        ]
        #expect(record["i", as: Int.self] == 42)
        #expect(record["i", as: Double.self] == 42)
        #expect(record["f", as: Int.self] == nil)
        #expect(record["f", as: Double.self] == 1.5)
        #expect(record["e", as: Int.self] == nil)
        #expect(record["e", as: Double.self] == 100_000)
        #expect(record["big", as: Int.self] == nil)
        #expect(record["big", as: UInt64.self] == 9_223_372_036_854_775_808)
        #expect(record["big", as: UInt.self] == 9_223_372_036_854_775_808)
        #expect(record["plus", as: UInt64.self] == nil)
        #expect(record["huge", as: Double.self] == nil)
        #expect(record["b", as: Bool.self] == true)
        #expect(record["s", as: Int.self] == nil)
        #expect(record["z", as: Int.self] == nil)
        #expect(record["n", as: Int.self] == nil)
        #expect(record["d", as: Double.self] == 2.5)
        #expect(record["k", as: Int8.self] == 7)
        #expect(record["k", as: String.self] == nil)
        #expect(record["missing", as: String.self] == nil)
    }

    @Test("require names record and column")
    func require() throws {
        #expect(try ann.require("id", as: Int.self) == 1)
        #expect(streamError { _ = try ann.require("x", as: Int.self) }?.code == .missingField)
        #expect(streamError { _ = try ann.require("at", as: Int.self) }?.code == .nullField)
        let error = streamError { _ = try ann.require("name", as: Int.self) }
        #expect(error?.code == .typeMismatch)
        #expect(error?.column == "name")
    }

    @Test("names are equal where their bytes are")
    func names() {
        let record: Record = ["\u{E9}": 1, "e\u{301}": 2]
        #expect(record.keys.count == 2)
        #expect(record["\u{E9}"] == 1)
        #expect(record["e\u{301}"] == 2)
        let value: Value = ["\u{E9}": 1, "e\u{301}": 2]
        #expect(value.objectValue?.count == 2)
    }
}

@Suite("Record batches")
struct RecordBatchTests {
    func batch(_ count: Int) -> RecordBatch { RecordBatch((0..<count).map { ["id": Value($0), "name": "n\($0)"] }) }

    @Test("records of different keys keep theirs, in their order")
    func mixedKeys() {
        let batch: RecordBatch = [["a": 1, "b": 2], ["b": 3, "a": 4], ["c": 5], [:]]
        #expect(batch.map(\.description) == [#"{"a":1,"b":2}"#, #"{"b":3,"a":4}"#, #"{"c":5}"#, "{}"])
    }

    @Test("keys keep their order in parts of a batch, in batches made of edited records, and in a memory sink")
    func orderOfCopies() throws {
        let lines = [#"{"x":1}"#, "{}", #"{"y":2}"#, #"{"x":3,"y":4}"#, #"{"y":5,"x":6}"#]
        let records: [Record] = [["x": 1], [:], ["y": 2], ["x": 3, "y": 4], ["y": 5, "x": 6]]
        let source = MemoryStreamSource(records, chunkSize: 2)
        let sink = MemoryStreamSink()
        while let chunk = try source.readChunk() { try sink.writeChunk(chunk) }
        #expect(sink.records.map(\.description) == lines)

        let folder = TemporaryFolder()
        let path = try folder.file("x.csv", "a\n" + String(repeating: "0\n", count: lines.count))
        var chunk = try #require(try FileStreamSource(path).readChunk())
        var edited = Array(chunk.data)
        for (place, record) in records.enumerated() {
            for (key, value) in record.fields { edited[place][key] = value }
        }
        for (place, record) in edited.enumerated() { chunk.data[place] = record }
        let kept = MemoryStreamSink()
        for data in [chunk.data, RecordBatch(edited), RecordBatch(edited.reversed())] {
            try kept.writeChunk(StreamChunk(data: data))
        }
        let keys = records.map { ["a"] + $0.keys }
        #expect(kept.records.map(\.keys) == keys + keys + keys.reversed())
    }

    @Test("copies share nothing that is written")
    func valueSemantics() {
        var one = batch(3)
        let two = one
        let record = one[1]
        one[1]["name"] = "changed"
        one.setAll("seen", to: true)
        one.removeAll { $0["id", as: Int.self] == 0 }
        #expect(two.map(\.description) == batch(3).map(\.description))
        #expect(record["name"] == "n1")
        #expect(
            one.map(\.description) == [#"{"id":1,"name":"changed","seen":true}"#, #"{"id":2,"name":"n2","seen":true}"#])
    }

    @Test("a record that is kept stays as it was")
    func keptRecord() {
        var batch = batch(2)
        var kept: [Record] = []
        for i in batch.indices {
            kept.append(batch[i])
            batch[i]["id"] = 7
        }
        #expect(kept.map { $0["id"] } == [0, 1])
        #expect(batch.map { $0["id"] } == [7, 7])
    }

    @Test("assigning a whole record in place loses no other row")
    func assignInPlace() {
        func replace(_ record: inout Record) {
            let old = record
            record = ["new": old["id"] ?? nil]
        }
        func edit(_ record: inout Record) {
            let before = record
            record["name"] = "edited"
            record["was"] = before["name"]
        }
        var batch = batch(3)
        batch[2]["name"] = "kept"
        replace(&batch[1])
        edit(&batch[0])
        #expect(
            batch.map(\.description) == [
                #"{"id":0,"name":"edited","was":"n0"}"#, #"{"new":1}"#, #"{"id":2,"name":"kept"}"#,
            ])
        var other = batch[2]
        swap(&other, &batch[0])
        #expect(batch[0].description == #"{"id":2,"name":"kept"}"#)
        #expect(other["was"] == "n0")
        batch.swapAt(0, 1)
        #expect(batch.map { $0.keys } == [["new"], ["id", "name"], ["id", "name"]])
        batch.reverse()
        #expect(batch.map { $0.keys } == [["id", "name"], ["id", "name"], ["new"]])
    }

    @Test("setAll is one value that single rows may change")
    func setAll() {
        var batch = batch(3)
        batch.setAll("x", to: "all")
        batch[1]["x"] = "one"
        batch.append(["id": 9])
        #expect(batch.map { $0["x"] } == ["all", "one", "all", nil])
        batch.setAll("x", to: nil)
        #expect(batch.map { $0["x"] } == [nil, nil, nil, nil])
        batch.setAll("id", to: 5)
        #expect(batch.map { $0["id"] } == [5, 5, 5, 5])
    }

    @Test("removed rows stay removed, appended ones come last")
    func removeAndAppend() {
        var batch = batch(5)
        batch.removeAll { ($0["id", as: Int.self] ?? 0) % 2 == 1 }
        batch.append(["id": 10])
        batch.removeAll { $0["id"] == 2 }
        batch.append(contentsOf: [["id": 11], ["z": 1]])
        #expect(batch.map { $0["id"] } == [0, 4, 10, 11, nil])
        #expect(batch.count == 5)
        #expect(batch.column("id", as: Int.self) == [0, 4, 10, 11, nil])
    }

    @Test("an edit in a loop allocates nothing per record")
    func allocations() {
        for (count, isWarm) in [(64, false), (64, true), (4096, true)] {
            var chunk = StreamChunk(data: batch(count))
            let stamp = chunk.timestamp
            allocation_counter_start()
            for i in chunk.data.indices {
                chunk.data[i]["processed"] = true
                chunk.data[i]["timestamp"] = Value(stamp)
            }
            let allocations = allocation_counter_stop()
            if isWarm && allocation_counter_works() != 0 { #expect(allocations < 32, "\(count) records") }
            #expect(chunk.data.allSatisfy { $0["processed"] == true && $0["timestamp"] == .double(stamp) })
        }
    }
}
