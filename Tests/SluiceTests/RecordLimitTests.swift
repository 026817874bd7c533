import Foundation
import Sluice
import TestSupport
import Testing

@Suite("The record limit")
struct RecordLimitTests {
    let folder = TemporaryFolder()

    /// What reading with a limit, and counting with it, refuse.
    private func refusals(
        _ path: String, _ limit: Int, _ kernel: KernelChoice
    ) throws -> (reading: StreamError?, counting: StreamError?) {
        let reading = streamError { _ = try records(path, maxRecordBytes: limit, kernel: kernel) }
        let counting = streamError {
            _ = try FileStreamSource(path, maxRecordBytes: limit, kernel: kernel).countRecords()
        }
        return (reading, counting)
    }

    @Test("counting refuses a record for its size where reading does, at the same place", arguments: kernels)
    func counting(_ kernel: KernelChoice) throws {
        let many = String(repeating: "1,2\n\n", count: 70_000)
        let lines = many.replacingOccurrences(of: "1,2", with: " [1, 2] ")
        let long = String(repeating: "x", count: 98)
        let files: [(name: String, text: String, record: Int?)] = [
            ("a.csv", "a,b\n1,\(long)\n", nil), ("a.csv", "a,b\n1,\(long)x\n", 1),
            ("a.csv", "a,b\r\n\r\n1,\(long)\r\n\r\n", nil), ("a.csv", "a,b\r\n\r\n1,\(long)x\r\n\r\n", 2),
            ("a.csv", "a,b\r\r1,\(long)\r\r", nil), ("a.csv", "a,b\r\r1,\(long)x\r\r", 2),
            ("a.csv", "a,b\n\"\n\",\(long)", 1), ("a.csv", "a,b\n\(many)1,\(long)\n\(many)", nil),
            ("a.csv", "a,b\n\(many)1,\(long)x\n\(many)", 140_001), ("a.csv", "a,b\n\(many)\(many)1,\(long)x", 280_001),
            ("a.csv", "a,b\n\(many)1,\"\(many)\"\n2,\(many)", 140_001),
            ("a.jsonl", "\"\(long)\"", nil), ("a.jsonl", " \"\(long)\"\t\r\n", nil),
            ("a.jsonl", " \"\(long)x\"\t\r\n", 1),
            ("a.jsonl", "\(lines)\r\n\"\(long)\"\n\(lines)", nil),
            ("a.jsonl", "\(lines)\r\n\"\(long)x\"\n\(lines)", 140_002),
            ("a.jsonl", "\(lines) \"\(long)x\" ", 140_001),
        ]
        for file in files {
            let (reading, counting) = try refusals(folder.file(file.name, file.text), 100, kernel)
            #expect(reading?.record == file.record && counting?.record == file.record, "\(file.text.prefix(200))")
            #expect(reading?.description == counting?.description)
            #expect(counting == nil || counting?.code == .recordTooLarge)
        }
    }

    @Test("reading and counting agree about the limit on anything", arguments: kernels)
    func agreement(_ kernel: KernelChoice) throws {
        let pieces: [(name: String, pieces: [String])] = [
            ("a.csv", ["a", "b,", "\"", "\"x\"", "\r\n", "\n", "\r", "xyz", " ", "\n1,2", "\n\"a\n\"\"\",b"]),
            (
                "a.jsonl",
                ["1", "{\"a\":1}", "[]", "\n", "\n", "\r\n", " ", "\"x\"", " [1,2] ", "null\n", "\"abcdef\"\n", "\t"]
            ),
        ]
        var random = SplitMix64(seed: 3)
        var refused = 0
        for round in 0..<1_500 / step {
            let (name, pieces) = pieces[round % 2]
            let body = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            let text = (name == "a.csv" ? "a,b\n" : "") + body.joined()
            let limit = Int.random(in: 3...14, using: &random)
            let (reading, counting) = try refusals(folder.file(name, text), limit, kernel)
            // Other errors, which counting need not see, may come first.
            if reading?.code == .recordTooLarge {
                #expect(reading?.description == counting?.description, "\(text.debugDescription), limit \(limit)")
                refused += 1
            } else if reading == nil {
                #expect(counting == nil, "\(text.debugDescription), limit \(limit)")
            }
        }
        #expect(refused > 0)
    }
}
