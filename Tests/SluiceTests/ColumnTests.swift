import Sluice
import TestSupport
import Testing

@Suite("Typed columns")
struct ColumnTests {
    let folder = TemporaryFolder()

    private func csv(_ cells: [String], chunkSize: Int = 1000) throws -> RecordBatch {
        let text = "a,x,b\n" + cells.map { "0,\($0),1\n" }.joined()
        return try #require(try FileStreamSource(folder.file("c.csv", text), chunkSize: chunkSize).readChunk()).data
    }

    private static let cells = [
        "1", "0", "-0", "-1", "12345", "123456", "007", "+1", "1.0", "1e5", "", "\"\"", "\"42\"", "\"4\"\"2\"", "x",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "0.1", "-2.5e-3", "1e400", " 1", "1 ",
        "12a",
        "true", "99999", "1.7976931348623157e308",
    ]

    @Test("a column read at once is what its records are one by one, after filters and edits too")
    func sameAsRecords() throws {
        var random = SplitMix64(seed: 7)
        for count in [0, 1, 255, 256, 257, 700] {
            var batch =
                count == 0 ? RecordBatch() : try csv((0..<count).map { _ in Self.cells.randomElement(using: &random)! })
            for round in 0..<4 {
                for name in ["a", "x", "b", "nothing"] {
                    #expect(batch.column(name, as: Int.self) == batch.map { $0[name, as: Int.self] }, "\(round)")
                    #expect(batch.column(name, as: Double.self) == batch.map { $0[name, as: Double.self] })
                    #expect(batch.column(name, as: String.self) == batch.map { $0[name, as: String.self] })
                    #expect(batch.column(name, as: UInt8.self) == batch.map { $0[name, as: UInt8.self] })
                    #expect(batch.column(name, as: Bool.self) == batch.map { $0[name, as: Bool.self] })
                }
                if round == 0 { batch.removeAll { _ in Bool.random(using: &random) } }
                if round == 1 { for place in batch.indices.prefix(3) { batch[place]["x"] = 5 } }
                if round == 2 { batch.append(["x": "8"]) }
            }
        }
    }

    @Test("each cell is read by the grammar", arguments: cells)
    func grammar(_ cell: String) throws {
        let batch = try csv(Array(repeating: cell, count: 3))
        #expect(batch.column("x", as: Int.self) == batch.map { $0["x", as: Int.self] })
        #expect(batch.column("x", as: Double.self) == batch.map { $0["x", as: Double.self] })
    }

    @Test("a byte that is no digit is seen in each place of a short number")
    func shortNumbers() throws {
        for length in 1...9 {
            let digits = "123456789".prefix(length)
            let cells = digits.indices.flatMap { place in
                ["/", ":", "0", "9", " ", "-", ".", "a", "\u{B0}", "\u{0663}"].map { other in
                    "\(digits[..<place])\(other)\(digits[digits.index(after: place)...])"
                }
            }
            let batch = try csv(cells)
            #expect(batch.column("x", as: Int.self) == cells.map { $0.hasPrefix("0") && length > 1 ? nil : Int($0) })
        }
    }

    @Test("a column that is required has no nil, or says where")
    func required() throws {
        #expect(try csv(["1", "2"]).requireColumn("x", as: Int.self) == [1, 2])
        for (cell, code) in [("", StreamError.Code.nullField), ("y", .typeMismatch)] {
            let error = streamError { _ = try csv(["1", cell, "z"]).requireColumn("x", as: Int.self) }
            #expect(error?.code == code)
            #expect(error?.record == 2)
            #expect(error?.column == "x")
        }
        #expect(streamError { _ = try csv(["1"]).requireColumn("no", as: Int.self) }?.code == .missingField)
    }

    @Test("a whole column is set; nil is null, removed rows do not count, copies stay")
    func setColumn() throws {
        var batch = try csv(["1", "2", "3", "4"])
        batch.removeAll { $0["x"] == "2" }
        let copy = batch
        batch.setColumn("x", to: [10, 30, 40])
        batch.setColumn("new", to: ["a", nil, "c"])
        #expect(
            batch.map(\.description) == [
                #"{"a":"0","x":10,"b":"1","new":"a"}"#, #"{"a":"0","x":30,"b":"1","new":null}"#,
                #"{"a":"0","x":40,"b":"1","new":"c"}"#,
            ])
        #expect(copy.column("x", as: Int.self) == [1, 3, 4])
        batch.setAll("x", to: 1)
        batch.setColumn("x", to: batch.column("a", as: Double.self))
        #expect(batch.column("x", as: Double.self) == [0, 0, 0])
    }
}

@Suite("A batch is a collection")
struct BatchCollectionTests {
    private func batch(_ numbers: [Int]) -> RecordBatch {
        RecordBatch(numbers.map { ["n": Value($0), "t": "t\($0)"] })
    }
    private func numbers(_ batch: some Sequence<Record>) -> [Int?] {
        batch.map { $0["t"] == .string("t\($0["n", as: Int.self] ?? -1)") ? $0["n", as: Int.self] : nil }
    }

    @Test("sorting, reversing, swapping, partitioning and slices move whole records")
    func algorithms() {
        var random = SplitMix64(seed: 3)
        for count in [0, 1, 2, 7, 40] {
            let list = (0..<count).shuffled(using: &random)
            let original = batch(list)
            var one = original
            one.sort { $0["n", as: Int.self] ?? 0 < $1["n", as: Int.self] ?? 0 }
            #expect(numbers(one) == Array(0..<count))
            one.reverse()
            #expect(numbers(one) == (0..<count).reversed())
            #expect(numbers(one.reversed()) == Array(0..<count))
            let pivot = one.partition { ($0["n", as: Int.self] ?? 0) % 2 == 0 }
            #expect(numbers(one[..<pivot]).allSatisfy { ($0 ?? 0) % 2 == 1 })
            #expect(numbers(one[pivot...]).allSatisfy { ($0 ?? 1) % 2 == 0 })
            one.shuffle(using: &random)
            #expect(Set(numbers(one)) == Set(0..<count))
            if count > 2 {
                one = original
                one.swapAt(0, count - 1)
                one[1...].reverse()
                var expected = list
                expected.swapAt(0, count - 1)
                expected[1...].reverse()
                #expect(numbers(one) == expected)
            }
            #expect(numbers(original) == list, "copies are independent")
        }
    }

    @Test("indices, distances, slices and both ends agree")
    func conformance() {
        let batch = batch(Array(0..<9))
        check(batch)
        check(batch[2..<7])
        check(batch.reversed())
        #expect(numbers(batch[2..<7]) == Array(2..<7))
        #expect(batch.first?["n"] == 0 && batch.last?["n"] == 8)
    }

    private func check<C: RandomAccessCollection>(_ elements: C) where C.Element == Record {
        let all = Array(elements)
        #expect(elements.count == all.count)
        #expect(elements.distance(from: elements.startIndex, to: elements.endIndex) == all.count)
        var index = elements.startIndex
        for (offset, record) in all.enumerated() {
            #expect(elements[index] == record)
            #expect(elements.index(elements.startIndex, offsetBy: offset) == index)
            #expect(elements.index(elements.endIndex, offsetBy: offset - all.count) == index)
            #expect(Array(elements[index...]) == Array(all[offset...]))
            let next = elements.index(after: index)
            #expect(elements.index(before: next) == index && index < next)
            index = next
        }
        #expect(index == elements.endIndex)
        #expect(elements.index(elements.startIndex, offsetBy: all.count + 1, limitedBy: elements.endIndex) == nil)
    }

    @Test("a record as a dictionary has its fields")
    func dictionary() {
        let record: Record = ["a": 1, "b": nil, "c": ["x"]]
        #expect(record.toDictionary() == ["a": 1, "b": nil, "c": ["x"]])
    }

    @Test("decimals keep their text, and an owned record outlives its source")
    func owned() throws {
        let folder = TemporaryFolder()
        var kept: [Record] = []
        do {
            let source = try FileStreamSource(folder.file("o.jsonl", "{\"p\":0.10,\"big\":1e400}\n{\"p\":2}\n"))
            for record in try #require(try source.readChunk()).data { kept.append(record.owned()) }
        }
        #expect(kept[0]["p"] == .decimal("0.10") && kept[0]["big"] == .decimal("1e400"))
        #expect(kept[0].description == #"{"p":0.10,"big":1e400}"# && kept[1]["p"] == 2)
    }
}
