import Sluice
import TestSupport
import Testing

/// A batch as an array of dictionaries: slow, and plain to see.
private struct Model {
    typealias Fields = [(key: String, value: Value)]

    struct Row {
        /// Keys whose place the input gives, also while they are removed.
        var base: [String] = []
        var isOfInput = false
        var fields: Fields

        mutating func set(_ key: String, _ value: Value?) {
            fields.removeAll { $0.key == key && value == nil }
            guard let value else { return }
            if let place = fields.firstIndex(where: { $0.key == key }) {
                fields[place].value = value
            } else {
                fields.append((key, value))
                arrange()
            }
        }

        /// Fields of the input first, in its order.
        mutating func arrange() {
            let own = fields.filter { !base.contains($0.key) }
            fields = base.compactMap { key in fields.first { $0.key == key } } + own
        }
    }

    var rows: [Row] = []

    var objects: [ValueObject] { rows.map { row in ValueObject(row.fields.map { ($0.key, $0.value) }) } }
    var keys: [[String]] { rows.map { $0.fields.map(\.key) } }

    /// Another row's fields in the place of one.
    mutating func replace(_ row: Int, with fields: Fields) {
        rows[row].base = []
        rows[row].fields = fields
    }

    /// At the end: among columns that the input gives its keys stand as those do, if they came so.
    mutating func append(_ fields: Fields, columns: [String]) {
        var row = Row(base: columns, fields: fields)
        row.arrange()
        if row.fields.map(\.key) != fields.map(\.key) { row = Row(fields: fields) }
        rows.append(row)
    }
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
        let rows = batch.map {
            Model.Row(base: kind > 3 ? [] : batch.schema?.names ?? $0.keys, isOfInput: kind < 4, fields: $0.fields)
        }
        return (batch, Model(rows: rows))
    }

    private func edit(_ batch: inout RecordBatch, _ model: inout Model, _ random: inout SplitMix64) {
        let key = Self.keys.randomElement(using: &random)!
        let value = Self.values.randomElement(using: &random)!
        let row = batch.indices.randomElement(using: &random)
        let other = batch.indices.randomElement(using: &random)
        switch (Int.random(in: 0..<13, using: &random), row, other) {
        case (0...3, let row?, _):
            batch[row][key] = value
            model.rows[row].set(key, value)
        case (4, _, _) where Bool.random(using: &random):
            batch.setAll(key, to: value)
            for row in model.rows.indices { model.rows[row].set(key, value) }
        case (4, _, _):
            batch.setColumn(key, to: batch.indices.map { Value.int(Int64($0)) })
            for row in model.rows.indices { model.rows[row].set(key, .int(Int64(row))) }
        case (5, let row?, _):
            let gone = batch[row].value
            let rows = model.objects.map { .object($0) != gone }
            batch.removeAll { $0.value == gone }
            model.rows = zip(model.rows, rows).filter(\.1).map(\.0)
        case (6, _, _):
            let record = randomRecord(&random)
            batch.append(record)
            model.append(record.fields, columns: batch.schema?.names ?? [])
        case (7, let row?, _):
            let record = randomRecord(&random)
            batch[row] = record
            model.replace(row, with: record.fields)
        case (8, let row?, let other?) where row != other:
            batch[row] = batch[other]
            model.replace(row, with: model.rows[other].fields)
        case (9, let row?, let other?) where row != other:
            batch.swapAt(row, other)
            let fields = (model.rows[row].fields, model.rows[other].fields)
            model.replace(row, with: fields.1)
            model.replace(other, with: fields.0)
        case (10, let row?, _):
            var copy = batch[row]
            copy[key] = value
            batch.append(copy)
            model.append(copy.fields, columns: batch.schema?.names ?? [])
        case (11, let row?, _):
            var copy = batch[row]
            for key in Self.keys.shuffled(using: &random).prefix(2) {
                copy[key] = value
                model.rows[row].set(key, value)
            }
            if !model.rows[row].isOfInput { model.replace(row, with: model.rows[row].fields) }
            batch[row] = copy
        case (12, _, _):
            let places = batch.indices.shuffled(using: &random)
            var records = places.map { batch[$0] }
            model.rows = places.map { model.rows[$0] }
            for place in records.indices where Bool.random(using: &random) {
                for key in Self.keys.shuffled(using: &random).prefix(2) {
                    records[place][key] = value
                    model.rows[place].set(key, value)
                }
            }
            batch = RecordBatch(records)
            if !model.rows.allSatisfy(\.isOfInput) { model.rows = model.rows.map { Model.Row(fields: $0.fields) } }
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
                try #require(batch.map(\.keys) == model.keys, "kind \(kind), seed \(seed)")
            }
            #expect(kept.allSatisfy { $0.batch.description == $0.text }, "copies stay, kind \(kind), seed \(seed)")
            #expect(batch.compacted().description == batch.description, "kind \(kind), seed \(seed)")
            var chunks: [String] = []
            try MemoryStreamSource(batch, chunkSize: Int.random(in: 1...4, using: &random)).forEach {
                chunks += $0.data.map(\.description)
            }
            #expect(chunks == batch.map(\.description), "kind \(kind), seed \(seed)")
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
