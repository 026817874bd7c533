import Sluice
import TestSupport
import Testing

/// A batch as an array of dictionaries: slow, and plain to see.
private struct Model {
    typealias Fields = [(key: String, value: Value)]
    var rows: [Fields] = []

    mutating func set(_ row: Int, _ key: String, _ value: Value?) {
        let place = rows[row].firstIndex { $0.key == key }
        switch (place, value) {
        case (let place?, let value?): rows[row][place].value = value
        case (let place?, nil): rows[row].remove(at: place)
        case (nil, let value?): rows[row].append((key, value))
        case (nil, nil): break
        }
    }

    /// Rows without the order of their keys, which removing and setting again may change.
    var objects: [ValueObject] { rows.map { fields in ValueObject(fields.map { ($0.key, $0.value) }) } }
}

@Suite("Random edits")
struct RandomEditTests {
    let folder = TemporaryFolder()

    private static let keys = ["a", "b", "c", "x", "y", "long enough to be no small string"]
    private static let values: [Value?] = [
        nil, .null, true, 7, -0.5, "", "text", "a \"quoted\", long\nstring of several lines", .decimal("1.50"),
        .bytes([1, 2, 3]), [1, "x", nil], ["k": ["v": 1.5]],
    ]

    private func randomRecord(_ random: inout SplitMix64) -> Record {
        var record = Record()
        for key in Self.keys.shuffled(using: &random).prefix(Int.random(in: 0...4, using: &random)) {
            record[key] = Self.values.randomElement(using: &random) ?? nil
        }
        return record
    }

    /// Eight records of a kind of source, from the middle of a unit, and what they are.
    private func start(_ kind: Int, _ kernel: KernelChoice, _ random: inout SplitMix64) throws -> (RecordBatch, Model) {
        let source: any StreamSource
        switch kind {
        case 0, 1:
            let text = "a,b,c\n" + (0..<24).map { "\($0),\"q\"\"\($0)\",\($0 % 3 == 0 ? "" : "z")\n" }.joined()
            source = try FileStreamSource(
                folder.file("in.csv", text), chunkSize: 8, types: kind == 0 ? .strings : .inferred, kernel: kernel)
        case 2, 3:
            let lines = (0..<24).map { number in
                let members = [#""a":\#(number)"#, #""b":"t\#(number)""#, #""c":[1,{"d":null}]"#, #""e":1.5"#]
                return "{" + members.shuffled(using: &random).prefix(number % 5).joined(separator: ",") + "}\n"
            }
            source = try FileStreamSource(
                folder.file("in.jsonl", lines.joined()), chunkSize: 8, select: kind == 2 ? nil : ["c", "a"],
                kernel: kernel)
        default:
            source = MemoryStreamSource((0..<24).map { _ in randomRecord(&random) }, chunkSize: 8)
        }
        _ = try source.readChunk()
        let batch = try #require(try source.readChunk()).data
        return (batch, Model(rows: batch.map(\.fields)))
    }

    private func edit(_ batch: inout RecordBatch, _ model: inout Model, _ random: inout SplitMix64) {
        let key = Self.keys.randomElement(using: &random)!
        let value = Self.values.randomElement(using: &random)!
        let row = batch.indices.randomElement(using: &random)
        let other = batch.indices.randomElement(using: &random)
        switch (Int.random(in: 0..<13, using: &random), row, other) {
        case (0...3, let row?, _):
            batch[row][key] = value
            model.set(row, key, value)
        case (4, _, _):
            batch.setAll(key, to: value)
            for row in model.rows.indices { model.set(row, key, value) }
        case (5, let row?, _):
            let gone = batch[row].value
            let rows = model.objects.map { .object($0) != gone }
            batch.removeAll { $0.value == gone }
            model.rows = zip(model.rows, rows).filter(\.1).map(\.0)
        case (6, _, _):
            let record = randomRecord(&random)
            batch.append(record)
            model.rows.append(record.fields)
            #expect(batch.last?.keys == record.keys)
        case (7, let row?, _):
            let record = randomRecord(&random)
            batch[row] = record
            model.rows[row] = record.fields
            #expect(batch[row].keys == record.keys)
        case (8, let row?, let other?):
            batch[row] = batch[other]
            model.rows[row] = model.rows[other]
        case (9, let row?, let other?):
            batch.swapAt(row, other)
            model.rows.swapAt(row, other)
        case (10, let row?, _):
            var copy = batch[row]
            copy[key] = value
            batch.append(copy)
            model.rows.append(copy.fields)
            #expect(batch.last?.keys == copy.keys)
        case (11, let row?, _):
            var copy = batch[row]
            for key in Self.keys.shuffled(using: &random).prefix(2) {
                copy[key] = value
                model.set(row, key, value)
            }
            batch[row] = copy
            #expect(batch[row].keys == copy.keys)
        case (12, _, _):
            var records = batch.shuffled(using: &random)
            for place in records.indices where Bool.random(using: &random) {
                for key in Self.keys.shuffled(using: &random).prefix(2) { records[place][key] = value }
            }
            batch = RecordBatch(records)
            model.rows = records.map(\.fields)
            #expect(batch.map(\.keys) == records.map(\.keys))
        default: break
        }
    }

    @Test("edits do to a batch what they do to an array of dictionaries, seen and written", arguments: 0..<5, kernels)
    func edits(_ kind: Int, _ kernel: KernelChoice) throws {
        for seed in 0..<(step == 1 ? 100 : 20) {
            var random = SplitMix64(seed: UInt64(seed))
            var (batch, model) = try start(kind, kernel, &random)
            var kept: [(batch: RecordBatch, text: String)] = []
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                if Int.random(in: 0..<4, using: &random) == 0 { kept.append((batch, batch.description)) }
                edit(&batch, &model, &random)
                try #require(batch.map(\.value) == model.objects.map { .object($0) }, "kind \(kind), seed \(seed)")
            }
            #expect(kept.allSatisfy { $0.batch.description == $0.text }, "copies stay, kind \(kind), seed \(seed)")
            #expect(batch.compacted().description == batch.description, "kind \(kind), seed \(seed)")
            try expectWritten(batch, kernel, "kind \(kind), seed \(seed)")
        }
    }

    /// What is written is what is seen: keys in their order, values by their text.
    private func expectWritten(_ batch: RecordBatch, _ kernel: KernelChoice, _ what: String) throws {
        let json = try FileStreamSink(folder.file("out.jsonl"), kernel: kernel)
        try json.writeChunk(StreamChunk(data: batch))
        try json.close()
        #expect(try folder.text("out.jsonl") == batch.map { $0.description + "\n" }.joined(), "\(what)")
        guard batch.contains(where: { !$0.keys.isEmpty }) else { return }
        let csv = try FileStreamSink(folder.file("out.csv"), kernel: kernel)
        try csv.writeChunk(StreamChunk(data: batch))
        try csv.close()
        let back = try #require(try FileStreamSource(folder.file("out.csv"), kernel: kernel).readChunk()).data
        try #require(back.count == batch.count, "\(what)")
        for (record, written) in zip(batch, back) {
            for key in written.keys {
                let text =
                    switch record[key] {
                    case nil, .null?: ""
                    case .string(let text)?: text
                    case .bytes?: "AQID"
                    case let value?: value.description
                    }
                #expect(written[key] == .string(text), "\(what)")
            }
        }
    }
}
