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

    // MARK: White space around JSON

    /// Records of just 100 bytes, and of one more.
    private static let record = "\"\(String(repeating: "x", count: 98))\""
    private static let tooLong = "\"\(String(repeating: "x", count: 99))\""

    private static func white(_ count: Int) -> String {
        String(repeating: " \t\r ", count: count / 4) + String(repeating: " ", count: count % 4)
    }

    @Test("white space before JSON never counts, behind it from 64 KiB on, however the bytes come")
    func whiteSpace() throws {
        let files: [(before: Int, record: String, behind: Int, isRefused: Bool)] = [
            (0, Self.record, 0, false), (100_000, Self.record, 0, false), (3, Self.record, 65_536, false),
            (100_000, Self.record, 65_536, false), (0, Self.record, 65_537, true), (70_000, Self.record, 65_537, true),
            (0, "7", 65_635, false), (5, "7", 65_636, true), (0, Self.tooLong, 0, true),
            (100_000, Self.tooLong, 10, true),
        ]
        for (before, record, behind, isRefused) in files {
            let text = Self.white(before) + record + Self.white(behind)
            for (format, whole) in [
                (FileFormat.jsonl, "1\n\n2\n\(text)\n\n3\n"), (.json, "[1,\n2,\(text),3]\n"), (.jsonl, "\(text)\n1"),
                (.json, "[\(text),1]"),
            ] {
                let bytes = Array(whole.utf8)
                var seen: Set<[String]> = []
                for reads in [Reads.of(65_536), .of(.max), .first(bytes.count / 2)] {
                    for (kernel, chunkSize, decodesNext) in [
                        (KernelChoice.auto, 1000, true), (.scalar, 1000, false), (.auto, 1, true),
                    ] {
                        let found = read(
                            bytes, as: format, reads, chunkSize: chunkSize, unitBytes: 256 << 10,
                            decodesNext: decodesNext, maxRecordBytes: 100, kernel: kernel)
                        seen.insert(found.error.map { ["\($0)"] } ?? found.records)
                        #expect(found.error?.code == (isRefused ? .recordTooLarge : nil), "\(reads): \(found)")
                    }
                }
                #expect(seen.count == 1, "\(seen)")
                if isRefused {
                    let place = whole.utf8.count - whole.utf8.drop { $0 != 0x22 && $0 != 0x37 }.count
                    #expect(seen.first?.first?.contains("byte \(place)") == true, "\(seen)")
                }
                let counted = try refusals(folder.file("a.\(format)", bytes), 100, .auto)
                #expect(counted.counting?.description == counted.reading?.description)
                #expect(counted.counting?.code == (isRefused ? .recordTooLarge : nil))
            }
        }
    }

    @Test("chunks of JSON with much white space are the same however it is cut and read", arguments: kernels)
    func chunks(_ kernel: KernelChoice) {
        var random = SplitMix64(seed: 5)
        for round in 0..<20 / step {
            let format = [FileFormat.json, .jsonl][round % 2]
            var pieces: [String] = []
            for number in 0..<Int.random(in: 1...40, using: &random) {
                let spaces = (0..<2).map { _ in Self.white([0, 0, 1, 20, 60, 300].randomElement(using: &random) ?? 0) }
                pieces.append(spaces[0] + "[\(number), \"\(spaces[1].count)\"]" + spaces[1])
                if format == .jsonl, Bool.random(using: &random) { pieces.append(spaces[1]) }
            }
            let text = format == .json ? "[" + pieces.joined(separator: ",") + "]" : pieces.joined(separator: "\n")
            let (chunkSize, maxChunkBytes) = [(1000, 100), (5, 70), (3, 1000), (1000, 1), (7, 40)][round % 5]
            var seen: Set<[String]> = []
            for reads in [Reads.of(1), .of(7), .of(64), .of(.max)] {
                for (unitBytes, decodesNext) in [(1, true), (1, false), (150, true), (1 << 20, true), (1 << 20, false)]
                {
                    seen.insert(
                        read(
                            Array(text.utf8), as: format, reads, chunkSize: chunkSize, unitBytes: unitBytes,
                            decodesNext: decodesNext, maxChunkBytes: maxChunkBytes, kernel: kernel
                        ).outcome)
                }
            }
            #expect(seen.count == 1, "\(text), chunks of \(chunkSize) records, \(maxChunkBytes) bytes: \(seen)")
        }
    }
}
