import Sluice
import Testing

@Suite("Fields as text")
struct FieldTextTests {
    let folder = TemporaryFolder()

    /// What `forEachField` hands out, one string a field.
    private func fields(_ batch: RecordBatch) -> [String] {
        var all: [String] = []
        batch.forEachField { record, column, text in
            let text = String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
            all.append("\(record).\(column) \(text)")
        }
        return all
    }

    private func fields(
        _ path: String, types: CellTypes? = nil, csv: CSVOptions = CSVOptions(), select: [String]? = nil
    ) throws -> [String] {
        var all: [String] = []
        try FileStreamSource(path, types: types, csv: csv, select: select).forEach { all += fields($0.data) }
        return all
    }

    @Test("of CSV: quotes are undone, short records' fields are absent, nulls are left out")
    func csv() throws {
        let path = try folder.file("x.csv", "a,b,c\n1,,\"x \"\"y\"\"\"\n\"2\",\"\",NA\n\"3,\n\",é\n")
        let padded = CSVOptions(ragged: .pad)
        let expected = ["0.0 1", "0.1 ", "0.2 x \"y\"", "1.0 2", "1.1 ", "1.2 NA", "2.0 3,\n", "2.1 é"]
        #expect(try fields(path, csv: padded) == expected)
        #expect(try fields(path, csv: CSVOptions(ragged: .pad, nulls: ["NA"])) == expected.filter { $0 != "1.2 NA" })
        // An empty cell without quotes is null where cells have types.
        #expect(try fields(path, types: .inferred, csv: padded) == expected.filter { $0 != "0.1 " })
        #expect(
            try fields(path, csv: padded, select: ["c", "a"]) == [
                "0.0 x \"y\"", "0.1 1", "1.0 NA", "1.1 2", "2.1 3,\n",
            ])
    }

    @Test("of JSON: strings without escapes, others as they are written")
    func json() throws {
        let path = try folder.file(
            "x.jsonl", #"{"a":"x\n\u00e9","b":1.50,"c":[1, {"d":null}]}"# + "\n" + #"{"b":null,"a":"","c":true}"# + "\n"
        )
        #expect(
            try fields(path, select: ["a", "b", "c"]) == [
                "0.0 x\né", "0.1 1.50", "0.2 [1, {\"d\":null}]", "1.0 ", "1.2 true",
            ])
    }

    @Test("of what was set, and of the records that are left")
    func edited() throws {
        let path = try folder.file("x.csv", "a,b\n1,2\n3,4\n5,6\n")
        var edited: [String] = []
        try FileStreamSource(path).forEach { chunk in
            var batch = chunk.data
            batch.removeAll { $0["a", as: Int.self] == 3 }
            #expect(fields(batch) == ["0.0 1", "0.1 2", "1.0 5", "1.1 6"])
            batch[0]["b"] = .double(0.5)
            batch[0]["c"] = .bool(true)
            batch[1]["a"] = .null
            batch[1]["c"] = .bytes([0x7A])
            edited = fields(batch)
        }
        #expect(edited == ["0.0 1", "0.1 0.5", "0.2 true", "1.1 6", "1.2 z"])
    }

    @Test("a long text with quotes in it is whole, and an error of the body comes through")
    func longAndThrowing() throws {
        let text = String(repeating: "\"\"x", count: 100_000)
        let path = try folder.file("x.csv", "a\n\"\(text)\"\n")
        #expect(try fields(path) == ["0.0 " + String(repeating: "\"x", count: 100_000)])
        #expect(throws: CancellationError.self) {
            try FileStreamSource(path).forEach { try $0.data.forEachField { _, _, _ in throw CancellationError() } }
        }
    }
}
