import Sluice
import TestSupport
import Testing

@Suite("Processors")
struct ProcessorTests {
    let folder = TemporaryFolder()

    /// 24 records of one content on all that records can stand on: CSV, JSON, selected JSON, cells alone.
    private func start(_ kind: Int, _ random: inout SplitMix64) throws -> RecordBatch {
        let numbers = (0..<24).map { _ in Int.random(in: -9...99, using: &random) }
        let source: any StreamSource
        switch kind {
        case 0:
            let text = "a,b,c\n" + numbers.map { "\($0),\"q\"\"\($0)\",\($0 % 3 == 0 ? "" : "\($0).5")\n" }.joined()
            source = try FileStreamSource(folder.file("p.csv", text), chunkSize: 8, types: .inferred)
        case 1, 2:
            let lines = numbers.map { number in
                let members = [
                    #""a":\#(number)"#, #""b":"q\#(number)""#, #""c":\#(number % 3 == 0 ? "null" : "\(number).5")"#,
                ]
                return "{" + (number % 5 == 0 ? members.reversed() : members).joined(separator: ",") + "}\n"
            }
            source = try FileStreamSource(
                folder.file("p.jsonl", lines.joined()), chunkSize: 8, select: kind == 1 ? nil : ["c", "a", "b"])
        default:
            source = MemoryStreamSource(
                numbers.map { ["a": Value($0), "b": "q", "c": $0 % 3 == 0 ? nil : 1.5] }, chunkSize: 8)
        }
        _ = try source.readChunk()
        return try #require(try source.readChunk()).data
    }

    private func disturb(_ batch: inout RecordBatch, _ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let place = batch.indices.randomElement(using: &random) ?? 0
            guard !batch.isEmpty else { return }
            switch Int.random(in: 0..<6, using: &random) {
            case 0: batch[place]["a"] = Value(Int.random(in: 0...9, using: &random))
            case 1: batch[place]["new"] = "set"
            case 2: batch[place] = ["c": 2.5, "z": 1, "a": 3]
            case 3: batch.append(["b": "x", "a": 4])
            case 4: batch.setAll("all", to: true)
            default: batch.removeAll { ($0["a", as: Int.self] ?? 0) % 7 == 1 }
            }
        }
    }

    /// The fields of each record, with those of the names alone, in their order.
    private func expect(
        _ batch: RecordBatch, _ rows: [[(key: String, value: Value)]], _ what: String
    ) throws {
        let lines = rows.map { fields in Record(fields.map { ($0.key, $0.value) }).description }
        #expect(batch.map(\.description) == lines, "\(what)")
        let sink = try FileStreamSink(folder.file("p.out.jsonl"))
        try sink.writeChunk(StreamChunk(data: batch))
        try sink.close()
        #expect(try folder.text("p.out.jsonl") == lines.map { $0 + "\n" }.joined(), "written, \(what)")
        #expect(batch.compacted().map(\.description) == lines, "compacted, \(what)")
    }

    @Test("select, drop, rename, set, filter and map do what is done record by record", arguments: 0..<4)
    func sameAsRecords(_ kind: Int) throws {
        for seed in 0..<60 {
            var random = SplitMix64(seed: UInt64(seed))
            var batch = try start(kind, &random)
            disturb(&batch, &random)
            for round in 0..<3 {
                let before = batch
                let rows = batch.map(\.fields)
                let what = "kind \(kind), seed \(seed), round \(round)"
                var chunk = StreamChunk(data: batch)
                switch Int.random(in: 0..<6, using: &random) {
                case 0:
                    let names =
                        batch.schema == nil ? ["c", "no", "a"] : ["c", "a"].filter { batch.columns.contains($0) }
                    try Processor.select(names)(&chunk)
                    try expect(
                        chunk.data, rows.map { row in names.compactMap { name in row.first { $0.key == name } } }, what)
                case 1:
                    try Processor.drop(["b", "new", "nothing"])(&chunk)
                    try expect(chunk.data, rows.map { $0.filter { !["b", "new"].contains($0.key) } }, what)
                case 2 where batch.schema == nil || batch.columns.contains("a"):
                    let name = "renamed\(round)"
                    try Processor.rename(["a": name])(&chunk)
                    try expect(chunk.data, rows.map { $0.map { ($0.key == "a" ? name : $0.key, $0.value) } }, what)
                case 3:
                    try Processor.filter("a", as: Int.self) { $0 > 20 }(&chunk)
                    let kept = before.filter { ($0["a", as: Int.self] ?? 0) > 20 }
                    try expect(chunk.data, kept.map(\.fields), what)
                case 4:
                    try Processor.map("c", as: Double.self) { $0 * 2 }(&chunk)
                    let expected = zip(before, rows).map { record, row in
                        row.map {
                            (
                                $0.key,
                                $0.key == "c" ? record["c", as: Double.self].map { .double($0 * 2) } ?? .null : $0.value
                            )
                        }
                    }
                    #expect(chunk.data.map(\.value) == expected.map { .object(ValueObject($0)) }, "\(what)")
                default:
                    try Processor.set("k", to: 7)(&chunk)
                    #expect(chunk.data.allSatisfy { $0["k"] == 7 })
                }
                #expect(
                    before.map(\.fields).map { $0.map(\.key) } == rows.map { $0.map(\.key) }, "the input stays, \(what)"
                )
                batch = chunk.data
                if Bool.random(using: &random) { disturb(&batch, &random) }
            }
        }
    }

    @Test("names may change places; a name that is taken, or that no column has, is refused")
    func names() throws {
        var random = SplitMix64(seed: 1)
        for kind in 0..<4 {
            var batch = try start(kind, &random)
            let first = batch[0]
            try batch.rename(["a": "b", "b": "a"])
            #expect(batch[0]["a"] == first["b"] && batch[0]["b"] == first["a"], "\(kind)")
            #expect(streamError { try batch.rename(["a": "c"]) }?.code == .invalidConfiguration, "\(kind)")
            #expect(batch[0]["c"] == first["c"])
            guard batch.schema != nil else { continue }
            #expect(streamError { try batch.select(["a", "nothing"]) }?.code == .unknownColumn)
            #expect(streamError { try batch.rename(["nothing": "x"]) }?.column == "nothing")
        }
    }

    @Test("a field that does not fit is an error with its place, a missing one is not")
    func unfit() throws {
        let path = try folder.file("u.csv", "age\n20\n\nx\n")
        var batch = try #require(try FileStreamSource(path).readChunk()).data
        let error = streamError { try batch.filter("age", as: Int.self) { $0 > 1 } }
        #expect(error?.code == .typeMismatch && error?.record == 3 && error?.column == "age")
        #expect(streamError { try batch.map("age", as: Int.self) { $0 + 1 } }?.record == 3)
        #expect(batch.count == 2 && batch[0]["age"] == "20")
        try batch.filter("nothing", as: Int.self) { _ in true }
        #expect(batch.isEmpty)
    }

    @Test("a selection of JSON lines that are no objects is refused")
    func noObjects() throws {
        var batch = try #require(try FileStreamSource(folder.file("w.jsonl", "{\"a\":1}\n[1]\n")).readChunk()).data
        #expect(streamError { try batch.select(["a"]) }?.record == 2)
        batch.removeAll { $0["a"] == nil }
        try batch.select(["a"])
        #expect(batch.map(\.description) == [#"{"a":1}"#])
    }

    @Test("steps run in order in a processor, over the chunks of many units")
    func pipeline() throws {
        let text = "id,name,age\n" + (0..<5000).map { "\($0),n\($0),\($0 % 90)\n" }.joined()
        let sink = try FileStreamSink(folder.file("out.jsonl"))
        let result = BasicStreamProcessor(
            source: try FileStreamSource(folder.file("in.csv", text), chunkSize: 7), sink: sink,
            transform: Processor.all([
                Processor.filter("age", as: Int.self) { $0 >= 18 },
                Processor.select(["name", "id"]),
                Processor.rename(["id": "key"]),
                Processor.map("key", as: Int.self) { $0 * 10 },
                Processor.set("seen", to: true),
            ])
        ).process()
        #expect(result.success && result.readRecords == 5000)
        let expected = (0..<5000).filter { $0 % 90 >= 18 }
            .map { #"{"name":"n\#($0)","key":\#($0 * 10),"seen":true}"# + "\n" }
        #expect(try folder.text("out.jsonl") == expected.joined())
        #expect(result.filteredRecords == 5000 - expected.count)
    }

    @Test("CSV output has the columns that are left, under their new names")
    func columnsOfOutput() throws {
        let path = try folder.file("in.csv", "id,name,age\n1,a,20\n2,b,30\n")
        for (step, text) in [
            (Processor.select(["age", "id"]), "age,id\n20,1\n30,2\n"),
            (Processor.drop(["name"]), "id,age\n1,20\n2,30\n"),
            (Processor.rename(["name": "n"]), "id,n,age\n1,a,20\n2,b,30\n"),
            (Processor.all([Processor.drop(["age", "id"]), Processor.set("x", to: 1)]), "name,x\na,1\nb,1\n"),
        ] {
            let result = BasicStreamProcessor(
                source: try FileStreamSource(path, chunkSize: 1), sink: try FileStreamSink(folder.file("out.csv")),
                transform: step
            ).process()
            #expect(result.success)
            #expect(try folder.text("out.csv") == text)
        }
    }
}
