import AllocationCounter
import Sluice
import Testing

@Suite("Validation of records")
struct RecordValidationTests {
    let folder = TemporaryFolder()

    /// One record of each value in the place of `x`, on all that JSON records can stand on.
    private func batches(_ values: [String]) throws -> [RecordBatch] {
        let lines = values.map { $0.isEmpty ? #"{"a":1,"z":[{}]}"# : #"{"a":1,"x":\#($0),"z":[{}]}"# }
        let path = try folder.file("x.jsonl", lines.joined(separator: "\n"))
        let read = try [nil, ["z", "x", "a"]].map { select in
            try #require(try FileStreamSource(path, chunkSize: 1 << 20, select: select).readChunk()).data
        }
        return read + [RecordBatch(read[0].map { Record($0.fields.map { ($0.key, $0.value) }) })]
    }

    private func csv(_ cells: [String], types: CellTypes = .strings, nulls: [String] = []) throws -> RecordBatch {
        let path = try folder.file("x.csv", "a,x\n" + cells.map { "1,\($0)\n" }.joined())
        return try #require(try FileStreamSource(path, types: types, csv: CSVOptions(nulls: nulls)).readChunk()).data
    }

    /// The kind of rule that each record fails, alone and among the others.
    private func expect(
        _ batch: RecordBatch, _ rule: FieldRule, _ expected: [RecordValidation.Failure.Rule?], _ what: String
    ) throws {
        let validation = try RecordValidation([rule])
        #expect(batch.map { validation.failure(of: $0)?.rule } == expected, "\(what), one by one")
        let failures = validation.failures(in: batch)
        var found = [RecordValidation.Failure.Rule?](repeating: nil, count: batch.count)
        for (position, failure) in failures { found[position] = failure.rule }
        #expect(found == expected, "\(what), all at once")
        #expect(failures.map(\.position) == expected.indices.filter { expected[$0] != nil }, "\(what), in order")
    }

    @Test("JSON values have the type that they are; null and missing have any, unless they are required")
    func jsonTypes() throws {
        typealias Case = (value: String, types: Set<FieldRule.FieldType>)
        let cases: [Case] = [
            (#""t""#, [.string]), (#""12""#, [.string]), (#""true""#, [.string]), (#""""#, [.string]),
            ("12", [.integer, .number]), ("-0", [.integer, .number]), ("12345678901234567890123", [.integer, .number]),
            ("1.0", [.number]), ("1e5", [.number]), ("-1E400", [.number]), ("true", [.boolean]), ("false", [.boolean]),
            ("[1]", []), (#"{"y":1}"#, []), ("null", Set(FieldRule.FieldType.allCases)),
            ("", Set(FieldRule.FieldType.allCases)),
        ]
        for batch in try batches(cases.map(\.value)) {
            for type in FieldRule.FieldType.allCases {
                try expect(
                    batch, FieldRule("x", type), cases.map { $0.types.contains(type) ? nil : .type }, "\(type)")
            }
            try expect(
                batch, FieldRule("x", isRequired: true),
                cases.map { $0.value.isEmpty || $0.value == "null" ? .required : nil }, "required")
        }
    }

    @Test("a CSV cell is a string, and what its text is; an empty one is null, unless it is quoted")
    func csvTypes() throws {
        typealias Case = (cell: String, types: Set<FieldRule.FieldType>)
        let cases: [Case] = [
            ("t", [.string]), ("12", [.string, .integer, .number]), (#""12""#, [.string, .integer, .number]),
            ("1.5", [.string, .number]), ("1e400", [.string, .number]), ("007", [.string]), (" 1", [.string]),
            ("+1", [.string]), ("true", [.string, .boolean]), ("TRUE", [.string]), (#""""#, [.string]),
            ("", Set(FieldRule.FieldType.allCases)), ("NA", Set(FieldRule.FieldType.allCases)),
        ]
        for types in CellTypes.allCases {
            let batch = try csv(cases.map(\.cell), types: types, nulls: ["NA"])
            for type in FieldRule.FieldType.allCases {
                try expect(
                    batch, FieldRule("x", type), cases.map { $0.types.contains(type) ? nil : .type }, "\(type) \(types)"
                )
            }
            try expect(
                batch, FieldRule("x", isRequired: true),
                cases.map { ["", "NA"].contains($0.cell) ? .required : nil }, "required")
        }
    }

    @Test("bounds are exact for integers and for doubles beside them; what is no number does not meet them")
    func bounds() throws {
        let high: [String] = ["9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808"]
        let cases: [(rule: FieldRule, values: [String], expected: [RecordValidation.Failure.Rule?])] = [
            (FieldRule("x", min: 0), ["-1", "-0", "0", "0.1", "-0.1", "1e400"], [.min, nil, nil, nil, .min, nil]),
            (FieldRule("x", max: 10), ["10", "10.0", "10.5", "11", "-1e400"], [nil, nil, .max, .max, nil]),
            (FieldRule("x", min: -1.5, max: 1.5), ["-2", "-1", "1.5", "2"], [.min, nil, nil, .max]),
            (FieldRule("x", max: 9_007_199_254_740_992), high, [nil, .max, .max, .max]),
            (FieldRule("x", max: 9_007_199_254_740_992.0), high, [nil, .max, .max, .max]),
            (FieldRule("x", min: .int(.max)), high, [.min, .min, nil, nil]),
            (FieldRule("x", min: .int(.min), max: .int(.max)), ["-9223372036854775809", "1e30"], [nil, .max]),
            (FieldRule("x", min: .double(-1e30), max: .double(1e30)), high, [nil, nil, nil, nil]),
            (FieldRule("x", min: .double(1e30)), ["1", "1e30"], [.min, nil]),
            (FieldRule("x", max: .double(-1e30)), ["1", "-1e30"], [.max, nil]),
            (FieldRule("x", min: 0), [#""1""#, "true", "[1]", "null", ""], [.min, .min, .min, nil, nil]),
            (FieldRule("x", max: 0), [#""1""#, "{}"], [.max, .max]),
        ]
        for item in cases {
            for batch in try batches(item.values) { try expect(batch, item.rule, item.expected, "\(item.rule)") }
        }
        let cells = try csv(["1", "2", "3", "x", "", #""0""#])
        try expect(cells, FieldRule("x", min: 1, max: 2), [nil, nil, .max, .min, nil, .min], "cells")
        let set: [Record] = [["x": .double(.nan)], ["x": .double(.infinity)], ["x": 1], ["x": 1.5]]
        try expect(RecordBatch(set), FieldRule("x", min: 0), [.min, .min, nil, nil], "what was set")
        try expect(RecordBatch(set), FieldRule("x", .integer), [.type, .type, nil, .type], "what was set")
    }

    @Test("a pattern matches all of the text, of numbers and Booleans too; what has no text does not match")
    func patterns() throws {
        let values = [#""ab""#, #""abc""#, #""\u0061b""#, "12", "true", "1.50", "[]", "{}", "null", ""]
        let cases: [(pattern: FieldRule.Pattern, matching: Set<Int>)] = [
            ("[a-z]{2}", [0, 2]), (FieldRule.Pattern(/[a-z]+/), [0, 1, 2, 4]), ("[0-9.]+", [3, 5]),
            (".*", [0, 1, 2, 3, 4, 5]),
            (FieldRule.Pattern(/(?<first>a).(c?)/), [0, 1, 2]), ("1.5", []),
        ]
        for item in cases {
            for batch in try batches(values) {
                let expected = values.indices.map { index -> RecordValidation.Failure.Rule? in
                    index > 7 || item.matching.contains(index) ? nil : .pattern
                }
                try expect(batch, FieldRule("x", pattern: item.pattern), expected, "\(item)")
            }
        }
        let cells = try csv(["ab", #""a""b""#, "", #""""#])
        try expect(cells, FieldRule("x", pattern: "a\"?b"), [nil, nil, nil, .pattern], "cells")
    }

    @Test("the first rule that fails is told, with its field and nothing of the record")
    func reasons() throws {
        let validation = try RecordValidation([
            FieldRule("id", .integer, isRequired: true, min: 1, max: 9, pattern: "[0-8]"),
            FieldRule("zip", pattern: "[0-9]{5}"), FieldRule("key", pattern: .init(/k+/)),
        ])
        let cases: [(record: Record, reason: String?)] = [
            (["id": 1, "zip": "12345"], nil), (["zip": "1"], #"required: "id" is missing"#),
            (["id": .null], #"required: "id" is null"#), (["id": "secret"], #"type: "id" is no integer"#),
            (["id": 0], #"min: "id" is less than 1"#), (["id": 10], #"max: "id" is more than 9"#),
            (["id": 9, "zip": "1"], #"pattern: "id" does not match [0-8]"#),
            (["id": 1, "zip": "secret"], #"pattern: "zip" does not match [0-9]{5}"#),
            (["id": 1, "key": "secret"], #"pattern: "key" does not match"#),
        ]
        for (record, reason) in cases {
            let failure = validation.failure(of: record)
            #expect(failure?.reason == reason && failure?.description == reason)
            #expect(validation.failures(in: [record]).map(\.failure) == [failure].compactMap { $0 })
        }
        #expect(validation.failure(of: ["id": "x"])?.field == "id")
        let bounds = try RecordValidation([FieldRule("x", max: 1.5), FieldRule("y", .number), FieldRule("z", .boolean)])
        #expect(bounds.failure(of: ["x": 2])?.reason == #"max: "x" is more than 1.5"#)
        #expect(bounds.failure(of: ["x": "2"])?.reason == #"max: "x" is no number"#)
        #expect(bounds.failure(of: ["y": "2"])?.reason == #"type: "y" is no number"#)
        #expect(bounds.failure(of: ["z": "true"])?.reason == #"type: "z" is no boolean"#)
    }

    @Test("what was set, removed, replaced and added over the input is what counts")
    func edited() throws {
        for batch in try batches(["1", "2", "3", "4", "5"]) + [csv(["1", "2", "3", "4", "5"])] {
            var batch = batch
            batch[0]["x"] = "text"
            batch[1]["x"] = nil
            batch.append(["y": 1, "x": 6])
            batch.append(["y": 1])
            batch.removeAll { $0["x", as: Int.self] == 4 }
            batch[2] = ["x": -1]
            try expect(
                batch, FieldRule("x", .integer, isRequired: true, min: 0),
                [.type, .required, .min, nil, nil, .required], "\(batch)")
            batch.setAll("x", to: true)
            try expect(batch, FieldRule("x", .boolean, isRequired: true), .init(repeating: nil, count: 6), "all set")
        }
    }

    @Test("of duplicate keys the last counts; a JSON line that is no object has no fields; bytes are no string")
    func oddities() throws {
        let path = try folder.file("odd.jsonl", #"{"x":1,"x":"t"}"# + "\n5\nnull\n[{\"x\":1}]\n{\"\\u0078\":2}\n")
        let batch = try #require(try FileStreamSource(path).readChunk()).data
        try expect(
            batch, FieldRule("x", .integer, isRequired: true), [.type, .required, .required, .required, nil], "lines")
        try expect(RecordBatch(), FieldRule("x", .integer), [], "no records")
        let bytes = try #require(try FileStreamSource(folder.file("x.bin", [1, 2])).readChunk()).data
        try expect(bytes, FieldRule("bytes", .string), [.type], "bytes")
        try expect(bytes, FieldRule("bytes", pattern: ".*"), [.pattern], "bytes")
    }

    @Test("rules that make no sense are refused, with the field")
    func nonsense() throws {
        let cases: [(rules: [FieldRule], column: String?)] = [
            ([], nil), ([FieldRule("x")], "x"), ([FieldRule("x", .string), FieldRule("x", min: 1)], "x"),
            ([FieldRule("x", .string, min: 1)], "x"), ([FieldRule("x", .boolean, max: 1)], "x"),
            ([FieldRule("x", min: 2, max: 1)], "x"), ([FieldRule("x", min: 1.5, max: 1)], "x"),
            ([FieldRule("x", min: .double(.nan))], "x"), ([FieldRule("x", max: .double(.nan))], "x"),
            ([FieldRule("y", .string), FieldRule("x", pattern: "(")], "x"),
        ]
        for item in cases {
            let error = streamError { _ = try RecordValidation(item.rules) }
            #expect(error?.code == .invalidConfiguration && error?.column == item.column, "\(item)")
        }
        #expect(streamError { _ = try RecordValidation([FieldRule("x", pattern: "(")]) }?.underlying != nil)
        // Names are the same where their bytes are.
        _ = try RecordValidation([
            FieldRule("x", min: 1, max: 1), FieldRule("\u{E9}", .string), FieldRule("e\u{301}", .string),
        ])
    }

    @Test("nothing is allocated per record")
    func allocations() throws {
        let validation = try RecordValidation([
            FieldRule("a", .integer, isRequired: true, min: 0), FieldRule("x", .number, min: -1, max: 1e9),
        ])
        let numbers = (0..<900).map { "\($0).5" }
        for batch in try batches(numbers) + [csv(numbers)] {
            for isWarm in [false, true] {
                allocation_counter_start()
                let failures = validation.failures(in: batch)
                let allocations = allocation_counter_stop()
                #expect(failures.isEmpty)
                if isWarm && allocation_counter_works() != 0 { #expect(allocations < 40) }
            }
        }
    }
}
