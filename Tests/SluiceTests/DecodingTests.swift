import AllocationCounter
import Foundation
import Sluice
import TestSupport
import Testing

private struct Flight: Decodable, Equatable {
    var year: Int
    var carrier: String
    var delay: Double?
    var cancelled: Bool?
}

private struct Tweet: Codable, Equatable {
    struct User: Codable, Equatable {
        var screen_name: String
        var followers: UInt32?
    }
    enum Kind: String, Codable { case post, reply }
    var id: Int64
    var text: String
    var user: User
    var kind: Kind?
    var tags: [String]?
    var counts: [String: Int]?
    var matrix: [[Double?]]?
    var replies: [Tweet]?
}

private struct Numbers: Codable, Equatable {
    var i: Int
    var i8: Int8
    var i16: Int16
    var i32: Int32
    var i64: Int64
    var u: UInt
    var u8: UInt8
    var u16: UInt16
    var u32: UInt32
    var u64: UInt64
    var f: Float
    var d: Double
    var b: Bool
}

private class Animal: Codable {
    var name: String
    init(_ name: String) { self.name = name }
}

private final class Dog: Animal {
    var age: Int
    enum Keys: String, CodingKey { case age }
    init(_ name: String, _ age: Int) {
        self.age = age
        super.init(name)
    }
    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        age = try container.decode(Int.self, forKey: .age)
        try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(age, forKey: .age)
        try super.encode(to: container.superEncoder())
    }
}

/// Reads with nested containers what others read with nested types.
private struct Flat: Codable, Equatable {
    enum Keys: String, CodingKey { case point, pair }
    enum PointKeys: String, CodingKey { case x, y }
    var x: Int
    var y: Int
    var pair: [Int]
    var deep: [Int]
    init(x: Int, y: Int, pair: [Int], deep: [Int]) { (self.x, self.y, self.pair, self.deep) = (x, y, pair, deep) }
    init(from decoder: any Decoder) throws {
        let all = try decoder.container(keyedBy: Keys.self)
        var list = try all.nestedUnkeyedContainer(forKey: .pair)
        let point = try all.nestedContainer(keyedBy: PointKeys.self, forKey: .point)
        pair = []
        deep = []
        pair.append(try list.decode(Int.self))
        x = try point.decode(Int.self, forKey: .x)
        pair.append(try list.decode(Int.self))
        y = try point.decode(Int.self, forKey: .y)
        var inner = try list.nestedUnkeyedContainer()
        while !inner.isAtEnd { deep.append(try inner.decode(Int.self)) }
        #expect(list.isAtEnd && list.count == 3)
    }
    func encode(to encoder: any Encoder) throws {
        var all = encoder.container(keyedBy: Keys.self)
        var point = all.nestedContainer(keyedBy: PointKeys.self, forKey: .point)
        var list = all.nestedUnkeyedContainer(forKey: .pair)
        for value in pair { try list.encode(value) }
        var inner = list.nestedUnkeyedContainer()
        for value in deep { try inner.encode(value) }
        try point.encode(x, forKey: .x)
        try point.encode(y, forKey: .y)
    }
}

private struct Event: Codable, Equatable {
    var name: String
    var at: Date
    var until: Date?
    var stops: [Date]?
}

@Suite("Decoding records")
struct DecodingTests {
    let folder = TemporaryFolder()

    private func batch(_ name: String, _ text: String, select: [String]? = nil, types: CellTypes? = nil) throws
        -> RecordBatch
    {
        try #require(try FileStreamSource(folder.file(name, text), types: types, select: select).readChunk()).data
    }

    @Test("a float is the nearest to the text, not to the double nearest to that, and is written as short as it can be")
    func floats() throws {
        struct Row: Codable, Equatable { var v: Float }
        let texts = [
            "1.00000017881393432617187499", "1.00000017881393432617187501", "16777217.0000000001", "16777217", "0.1",
            "-1.00000017881393432617187499", "1e-45", "3.40282356779733661637539395458142568447e38", "9007199791611905",
        ]
        for source in try [
            batch("a.csv", "v\n" + texts.map { $0 + "\n" }.joined()),
            batch("a.jsonl", texts.map { "{\"v\":\($0)}\n" }.joined()),
            batch("b.csv", "v\n" + texts.map { $0 + "\n" }.joined(), types: .inferred),
        ] {
            #expect(try source.decode(Row.self).map(\.v) == texts.map { try #require(Float($0)) })
        }
        let values: [Float] = [0.1, 16_777_216, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -0.0, 1.0000002]
        let encoded = try RecordBatch(encoding: values.map(Row.init))
        #expect(encoded[0].description == "{\"v\":0.1}")
        #expect(try encoded.decode(Row.self).map(\.v) == values)
        #expect(encoded.column("v", as: Float.self) == values)
    }

    @Test("what does not fit is told by its place in the batch, where the records are of no file")
    func placeInBatch() throws {
        struct Row: Codable { var v: Int }
        let batch = RecordBatch([["v": 1], ["v": 2], ["v": "x"], ["v": 4]])
        #expect(streamError { _ = try batch.decode(Row.self) }?.record == 3)
        #expect(streamError { _ = try batch.requireColumn("v", as: Int.self) }?.record == 3)
    }

    @Test("CSV cells become fields; an empty cell is nil for an Optional", arguments: CellTypes.allCases)
    func csv(_ types: CellTypes) throws {
        let text = "carrier,year,delay,cancelled\nUA,2013,1.5,true\n\"A,\"\"A\",\"2014\",,\n"
        let expected = [
            Flight(year: 2013, carrier: "UA", delay: 1.5, cancelled: true),
            Flight(year: 2014, carrier: "A,\"A", delay: nil, cancelled: nil),
        ]
        let batch = try batch("a.csv", text, types: types)
        #expect(try batch.decode(Flight.self) == expected)
        #expect(try batch.map { try $0.decode(Flight.self) } == expected)
        #expect(
            try self.batch("a.csv", text, select: ["year", "cancelled", "delay", "carrier"]).decode(Flight.self)
                == expected)
    }

    @Test("text is refused as in records: 1.0, 1e5, overflow and signs are no Int, a negative number no UInt")
    func grammar() throws {
        for text in ["1.0", "1e5", "9223372036854775808", "+1", "007", " 1", "x", "true"] {
            struct Row: Decodable { var x: Int }
            let error = streamError { _ = try self.batch("g.csv", "x\n7\n\(text)\n").decode(Row.self) }
            #expect(error?.code == .typeMismatch, "\(text)")
            #expect(error?.record == 2)
            #expect(error?.column == "x")
            #expect(error?.byteOffset == 4)
            #expect(error?.path?.hasSuffix("g.csv") == true)
        }
        struct Row: Decodable { var x: UInt8 }
        for text in ["256", "-1"] {
            #expect(streamError { _ = try self.batch("g.csv", "x\n\(text)\n").decode(Row.self) }?.code == .typeMismatch)
        }
    }

    @Test("missing, null and unfit fields are told apart, by record and path")
    func errors() throws {
        let good = #"{"id":1,"text":"t","user":{"screen_name":"a"}}"# + "\n"
        for (line, code, column) in [
            (#"{"id":1,"text":"t","user":{}}"#, StreamError.Code.missingField, "user.screen_name"),
            (#"{"id":1,"text":"t"}"#, .missingField, "user"),
            (#"{"id":1,"text":null,"user":{"screen_name":"a"}}"#, .nullField, "text"),
            (#"{"id":1,"text":"t","user":null}"#, .nullField, "user"),
            (#"{"id":1,"text":"t","user":{"screen_name":7}}"#, .typeMismatch, "user.screen_name"),
            (#"{"id":1,"text":"t","user":[]}"#, .typeMismatch, "user"),
            (#"{"id":1,"text":"t","user":{"screen_name":"a"},"tags":{}}"#, .typeMismatch, "tags"),
            (#"{"id":1,"text":"t","user":{"screen_name":"a"},"tags":["a",7]}"#, .typeMismatch, "tags.1"),
            (#"{"id":1,"text":"t","user":{"screen_name":"a"},"kind":"secret"}"#, .typeMismatch, "kind"),
            (#"{"id":1,"text":"t","user":{"screen_name":"a"},"counts":{"a":1,"b":"x"}}"#, .typeMismatch, "counts.b"),
            (#"[1,2]"#, .typeMismatch, nil),
            (#"7"#, .typeMismatch, nil),
        ] {
            let error = streamError {
                _ = try self.batch("e.jsonl", good + good + line + "\n" + good).decode(Tweet.self)
            }
            #expect(error?.code == code, "\(line)")
            #expect(error?.column == column, "\(line)")
            #expect(error?.record == 3, "\(line)")
            #expect(error?.description.contains("secret") == false, "contents of records do not appear")
        }
    }

    @Test("nested objects, arrays, enums, dictionaries and recursive types, in any order of keys and with escapes")
    func nested() throws {
        let lines = [
            #"{"id":1,"text":"a\n\u00e9","user":{"screen_name":"x","followers":4294967295},"kind":"reply","tags":["a",""]}"#,
            #"{"user":{"followers":null,"screen_name":"y"},"text":"","id":-9223372036854775808,"counts":{"a":1,"b":2}}"#,
            #"{"i\u0064":2,"id":3,"text":"t","user":{"screen_name":"z"},"matrix":[[1,null,2.5],[]],"counts":{"c":3}}"#,
            #"{"id":4,"text":"t","user":{"screen_name":"z"},"replies":[{"id":5,"text":"","user":{"screen_name":"q"},"replies":[]},{"id":6,"text":"r","user":{"screen_name":"p"},"replies":[{"id":7,"text":"","user":{"screen_name":"o"}}]}]}"#,
        ]
        let text = lines.map { $0 + "\n" }.joined()
        let decoded = try batch("n.jsonl", text).decode(Tweet.self)
        #expect(decoded.map(\.id) == [1, .min, 3, 4])
        for (line, tweet) in zip(lines, decoded) where tweet.id != 3 {
            #expect(try JSONDecoder().decode(Tweet.self, from: Data(line.utf8)) == tweet)
        }
        #expect(decoded[2].matrix == [[1, nil, 2.5], []])
        #expect(try batch("n.jsonl", text).compacted().decode(Tweet.self) == decoded)
        let fields = ["replies", "matrix", "counts", "tags", "kind", "user", "text", "id"]
        #expect(try batch("n.jsonl", text, select: fields).decode(Tweet.self) == decoded)
        #expect(
            try RecordBatch(batch("n.jsonl", text).map { Record($0.fields.map { ($0.key, $0.value) }) }).decode(
                Tweet.self) == decoded)
    }

    @Test("all widths of numbers are read at their limits")
    func widths() throws {
        let text = """
            i,i8,i16,i32,i64,u,u8,u16,u32,u64,f,d,b
            -1,-128,-32768,-2147483648,-9223372036854775808,0,0,0,0,0,1.5,0.1,true
            1,127,32767,2147483647,9223372036854775807,18446744073709551615,255,65535,4294967295,18446744073709551615,-3e38,1e308,false

            """
        let decoded = try batch("w.csv", text).decode(Numbers.self)
        #expect(decoded.map(\.i8) == [.min, .max])
        #expect(decoded.map(\.i64) == [.min, .max])
        #expect(decoded.map(\.u64) == [.min, .max])
        #expect(decoded.map(\.b) == [true, false])
        let back = try RecordBatch(encoding: decoded)
        #expect(try back.decode(Numbers.self) == decoded)
    }

    @Test("edits are seen: cells that were set, removed rows, rows of other keys")
    func overlays() throws {
        struct Row: Codable, Equatable {
            var a: Int
            var b: [Int]?
        }
        for select in [nil, ["b", "a"]] {
            var batch = try batch(
                "o.jsonl", (0..<6).map { #"{"a":\#($0),"b":[\#($0)]}"# + "\n" }.joined(), select: select)
            batch[1]["a"] = 10
            batch[2]["b"] = [7, 8]
            batch[3]["b"] = nil
            batch[4] = ["b": nil, "a": 40]
            batch.removeAll { $0["a"] == 0 }
            batch.append(["a": 60, "x": 1])
            let expected = [
                Row(a: 10, b: [1]), Row(a: 2, b: [7, 8]), Row(a: 3), Row(a: 40), Row(a: 5, b: [5]), Row(a: 60),
            ]
            #expect(try batch.decode(Row.self) == expected)
            #expect(try batch.map { try $0.decode(Row.self) } == expected)
        }
    }

    @Test("lines that are no object decode as what they are")
    func wholeValues() throws {
        let batch = try batch("v.jsonl", "[1,2]\n[]\n")
        #expect(try batch.decode([Int].self) == [[1, 2], []])
        #expect(try self.batch("v.jsonl", "17\n-5").decode(Int.self) == [17, -5])
        #expect(try self.batch("v.jsonl", "\"a\"\nnull").decode(String?.self) == ["a", nil])
    }

    @Test("nested containers and super decoders work beside each other")
    func containers() throws {
        let batch = try batch("c.jsonl", #"{"pair":[1,2,[3,4]],"point":{"y":6,"x":5}}"# + "\n")
        let flat = Flat(x: 5, y: 6, pair: [1, 2], deep: [3, 4])
        #expect(try batch.decode(Flat.self) == [flat])
        #expect(try RecordBatch(encoding: [flat, flat]).decode(Flat.self) == [flat, flat])
        let dogs = try RecordBatch(encoding: [Dog("Rex", 3), Dog("Ada", 4)])
        #expect(
            dogs.map(\.description) == [#"{"age":3,"super":{"name":"Rex"}}"#, #"{"age":4,"super":{"name":"Ada"}}"#])
        #expect(try dogs.decode(Dog.self).map { "\($0.name) \($0.age)" } == ["Rex 3", "Ada 4"])
    }

    @Test("dates by ISO 8601 and by seconds, decimals by their text: one line each")
    func conversions() throws {
        let iso = CodingConversion.decoding(Date.self) { (text: String) in try Date(text, strategy: .iso8601) }
        let text = "name,at,until\na,2013-01-01T10:00:00Z,\n"
        let event = Event(name: "a", at: Date(timeIntervalSince1970: 1_357_034_400), until: nil)
        #expect(try batch("d.csv", text).decode(Event.self, converting: [iso]) == [event])
        let seconds = CodingConversion.decoding(Date.self) { Date(timeIntervalSince1970: $0) }
        let lines = #"{"name":"a","at":1357034400,"stops":[1357034400.0]}"# + "\n"
        let stopped = Event(name: "a", at: event.at, stops: [event.at])
        #expect(try batch("d.jsonl", lines).decode(Event.self, converting: [seconds]) == [stopped])

        let written = try RecordBatch(
            encoding: [stopped], converting: [.encoding(Date.self) { .string($0.formatted(.iso8601)) }])
        #expect(written[0].description == #"{"name":"a","at":"2013-01-01T10:00:00Z","stops":["2013-01-01T10:00:00Z"]}"#)
        #expect(try written.decode(Event.self, converting: [iso]) == [stopped])

        struct Price: Decodable { var price: Decimal }
        let decimal = CodingConversion.decoding(Decimal.self) { (value: Value) in Decimal(string: value.description) }
        let prices = try batch("p.jsonl", #"{"price":0.10}"# + "\n").decode(Price.self, converting: [decimal])
        #expect(prices[0].price == Decimal(string: "0.1"))

        let error = streamError {
            _ = try self.batch("d.csv", "name,at\na,soon\n").decode(Event.self, converting: [iso])
        }
        #expect(error?.column == "at")
        #expect(error?.record == 1)
    }

    @Test("decoding allocates nothing per record but the array")
    func allocations() throws {
        struct Row: Decodable {
            var a: Int
            var b: Int
            var c: Double?
        }
        for count in [100, 4000] {
            let text = "a,b,c\n" + (0..<count).map { "\($0),\(-$0),1.5\n" }.joined()
            let source = try FileStreamSource(folder.file("a.csv", text), chunkSize: count)
            let batch = try #require(try source.readChunk()).data
            _ = try batch.decode(Row.self)
            allocation_counter_start()
            let rows = try batch.decode(Row.self)
            let sum = batch.column("a", as: Int.self).reduce(0) { $0 + ($1 ?? 0) }
            let allocations = allocation_counter_stop()
            if allocation_counter_works() != 0 { #expect(allocations < 40, "\(count) records") }
            #expect(rows.reduce(0) { $0 + $1.a } == sum)
        }
    }

    // MARK: - Against Foundation

    private static let strings = ["", "a", "ü\"\\\n", "a longer string that is on the heap", "\u{1F600}"]

    private func tweet(_ random: inout SplitMix64, depth: Int = 0) -> Tweet {
        func text() -> String { Self.strings.randomElement(using: &random)! }
        func maybe<T>(_ value: @autoclosure () -> T) -> T? { Bool.random(using: &random) ? value() : nil }
        let count = Int.random(in: 0..<4, using: &random)
        return Tweet(
            id: Int64.random(in: .min ... .max, using: &random), text: text(),
            user: Tweet.User(screen_name: text(), followers: maybe(UInt32.random(in: 0...(.max), using: &random))),
            kind: maybe(.reply), tags: maybe((0..<count).map { _ in text() }),
            counts: maybe(Dictionary((0..<count).map { ("k\($0)", $0 - 2) }) { one, _ in one }),
            matrix: maybe([[1.5, nil], [Double(count) / 7], []]),
            replies: depth < 2 ? maybe((0..<count).map { _ in tweet(&random, depth: depth + 1) }) : nil)
    }

    /// All kinds of values, each of which may come where it fits and where it does not.
    private struct Everything: Codable, Equatable {
        enum Keys: String, CodingKey, CaseIterable { case a, b, c, d, e, f, g, h }
        var a: Int?
        var b: UInt8?
        var c: Double?
        var d: String?
        var e: Bool?
        var f: [Int]?
        var g: [String: Double?]?
        var h: Inner?
        struct Inner: Codable, Equatable { var d: String }
    }

    private static func value(_ random: inout SplitMix64, depth: Int = 0) -> String {
        let scalars = [
            "null", "true", "false", "0", "-0", "7", "-12", "255", "256", "1.5", "-0.25e-2", "9223372036854775807",
            "-9223372036854775808", "9223372036854775808", "0.1", "123456789012345678901234567890.5", "\"\"",
            #""\u00e9\ud83d\ude00\n\/""#, "\"日本\"",
        ]
        let space = ["", "", " ", "\t", "\r "].randomElement(using: &random) ?? ""
        let count = Int.random(in: 0..<3, using: &random)
        switch Int.random(in: 0..<(depth < 2 ? 6 : 4), using: &random) {
        case 4:
            return "[" + (0..<count).map { _ in space + value(&random, depth: depth + 1) }.joined(separator: ",")
                + space + "]"
        case 5:
            let members = ["d", "k"].prefix(count).map { "\"\($0)\"\(space):" + value(&random, depth: depth + 1) }
            return "{" + space + members.joined(separator: ",") + space + "}"
        default: return (scalars.randomElement(using: &random) ?? "") + space
        }
    }

    @Test("what JSONDecoder makes of random documents is made of them, and what it refuses is refused")
    func sameAsFoundation() throws {
        let decoder = JSONDecoder()
        var (accepted, refused) = (0, 0)
        var random = SplitMix64(seed: 9)
        for _ in 0..<4000 / step {
            let keys = Everything.Keys.allCases.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }.shuffled(
                using: &random)
            let line = "{" + keys.map { "\"\($0.rawValue)\": " + Self.value(&random) }.joined(separator: " ,") + "}"
            let expected = try? decoder.decode(Everything.self, from: Data(line.utf8))
            let batch = try batch("s.jsonl", line)
            #expect((try? batch.decode(Everything.self)) == expected.map { [$0] }, "\(line)")
            #expect((try? batch.compacted()[0].decode(Everything.self)) == expected, "\(line)")
            if expected == nil { refused += 1 } else { accepted += 1 }
        }
        #expect(accepted > 400 / step && refused > 400 / step)
    }

    @Test("random documents decode as by JSONDecoder, and encode so that it reads the same")
    func againstFoundation() throws {
        let decoder = JSONDecoder()
        let encoder = JSONEncoder()
        for seed in 0..<60 {
            var random = SplitMix64(seed: UInt64(seed))
            let tweets = (0..<Int.random(in: 1...9, using: &random)).map { _ in tweet(&random) }
            let lines = try tweets.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
            #expect(try batch("f.jsonl", lines.map { $0 + "\n" }.joined()).decode(Tweet.self) == tweets, "seed \(seed)")
            let encoded = try RecordBatch(encoding: tweets)
            #expect(try encoded.decode(Tweet.self) == tweets, "seed \(seed)")
            let sink = try FileStreamSink(folder.file("f.out.jsonl"))
            try sink.writeChunk(StreamChunk(data: encoded))
            try sink.close()
            let back = try folder.text("f.out.jsonl").split(separator: "\n")
                .map { try decoder.decode(Tweet.self, from: Data($0.utf8)) }
            #expect(back == tweets, "seed \(seed)")
        }
    }
}

@Suite("Encoding records")
struct EncodingTests {
    private struct Row: Codable, Equatable {
        var a: Int?
        var b: String?
        var c: Double?
    }

    @Test("fields come in the order of the type, and what is nil is left out")
    func order() throws {
        let rows = [Row(a: 1, c: 2), Row(a: 3, b: "x", c: 0.5), Row(), Row(b: "y")]
        let batch = try RecordBatch(encoding: rows)
        #expect(batch.map(\.description) == [#"{"a":1,"c":2.0}"#, #"{"a":3,"b":"x","c":0.5}"#, "{}", #"{"b":"y"}"#])
        #expect(try batch.decode(Row.self) == rows)
    }

    @Test("values in memory are a source")
    func memorySource() throws {
        let rows = (0..<7).map { Row(a: $0) }
        let source = try MemoryStreamSource(encoding: rows, chunkSize: 3)
        var sizes: [Int] = []
        var back: [Row] = []
        try source.forEach {
            sizes.append($0.data.count)
            back += try $0.data.decode(Row.self)
        }
        #expect(sizes == [3, 3, 1])
        #expect(back == rows)
    }

    @Test("what is no object is no record, and says which")
    func noObjects() {
        let error = streamError { _ = try RecordBatch(encoding: [[1, 2], [3]]) }
        #expect(error?.code == .unsupported)
        #expect(error?.record == 1)
        #expect(streamError { _ = try RecordBatch(encoding: ["text"]) }?.code == .unsupported)
    }

    @Test("an error of a type's own names record and column")
    func errors() {
        struct Bad: Encodable {
            var x: Int
            var inner: Inner
            struct Inner: Encodable {
                var fails: Bool
                func encode(to encoder: any Encoder) throws {
                    if fails {
                        throw EncodingError.invalidValue(
                            self, EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "no"))
                    }
                    var container = encoder.singleValueContainer()
                    try container.encode(true)
                }
            }
        }
        let rows = [Bad(x: 1, inner: .init(fails: false)), Bad(x: 2, inner: .init(fails: true))]
        let error = streamError { _ = try RecordBatch(encoding: rows) }
        #expect(error?.record == 2)
        #expect(error?.column == "inner")
    }
}
