import Sluice
import TestSupport
import Testing

/// A cut that keeps its index and one that leaves indexing to decode are two ways to the same chunks.
@Suite("Cuts that index")
struct CutIndexTests {
    let folder = TemporaryFolder()

    /// What a file holds beside regular records.
    enum Kind: String, CaseIterable {
        case regular, blankLines, ragged, unclosed, strayText, invalidUTF8, returns, noLineEnd
    }

    @Test("CSV has the same chunks and errors, however it is cut", arguments: Kind.allCases, kernels)
    func csv(_ kind: Kind, _ kernel: KernelChoice) throws {
        try check("csv", kernel, "\(kind)") { Self.file(kind, &$0) }
    }

    @Test("JSON Lines have the same chunks and errors, however they are cut", arguments: Line.allCases, kernels)
    func jsonLines(_ odd: Line, _ kernel: KernelChoice) throws {
        try check("jsonl", kernel, "\(odd)") { Self.lines(odd, &$0) }
    }

    @Test("JSON has the same chunks and errors, however it is cut", arguments: Element.allCases, kernels)
    func json(_ odd: Element, _ kernel: KernelChoice) throws {
        try check("json", kernel, "\(odd)") { Self.array(odd, &$0) }
    }

    /// What an array holds beside regular elements.
    enum Element: String, CaseIterable {
        case regular, blank, broken, invalidUTF8, byteOrderMark, long, unfinished, unclosed, trailing, white
    }

    private static func array(_ odd: Element, _ random: inout SplitMix64) -> [UInt8] {
        func element() -> String {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: "null,"
            case 1: "\n[\(Int.random(in: 0..<999, using: &random)),\"é]\\\"\"] ,"
            case 2: "  {\n\"a\":{}}\r\n,"
            default: "{\"a\":\"\(String(repeating: "x", count: Int.random(in: 0..<200, using: &random)))\"},\n"
            }
        }
        var bytes = Array(((odd == .byteOrderMark ? "\u{FEFF}" : "") + " [").utf8)
        while bytes.count < 90_000 { bytes += element().utf8 }
        let middle =
            switch odd {
            case .blank: " ,"
            case .broken: "{\"a\":1],"
            case .invalidUTF8: "\"?\","
            case .long: "\"\(String(repeating: "y", count: 400_000))\","
            case .unfinished: "\"abc"
            default: ""
            }
        bytes += middle.utf8
        if odd == .invalidUTF8 { bytes[bytes.count - 3] = 0xFF }
        for _ in 0..<Int.random(in: 0..<300, using: &random) where odd != .unfinished { bytes += element().utf8 }
        if odd != .unfinished && odd != .unclosed { bytes += "0 ]\n".utf8 }
        if odd == .trailing { bytes += " ]".utf8 }
        if odd == .white { bytes += String(repeating: " \n", count: 100_000).utf8 }
        return bytes
    }

    private func check(
        _ suffix: String, _ kernel: KernelChoice, _ kind: String, _ file: (inout SplitMix64) -> [UInt8]
    ) throws {
        for seed in 1...2 as ClosedRange<UInt64> {
            var random = SplitMix64(seed: seed)
            let path = try folder.file("\(seed).\(suffix)", file(&random))
            for (chunkSize, maxChunkBytes) in [
                (1, 1 << 20), (7, 100), (1000, 1 << 20), (1000, 3000), (100_000, 1 << 16),
            ] {
                let one = try chunks(path, chunkSize, maxChunkBytes, kernel, decodesNext: true)
                let two = try chunks(path, chunkSize, maxChunkBytes, kernel, decodesNext: false)
                #expect(one == two, "\(kind), seed \(seed), \(chunkSize) records, \(maxChunkBytes) bytes")
                #expect(one.count > 1 || chunkSize >= 1000)
            }
        }
    }

    /// What JSON Lines hold beside regular ones.
    enum Line: String, CaseIterable {
        case regular, blank, white, broken, invalidUTF8, byteOrderMark, long, noLineEnd
    }

    /// About 100 KB of lines, with something odd in the last part of them.
    private static func lines(_ odd: Line, _ random: inout SplitMix64) -> [UInt8] {
        func line() -> String {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: "null\n"
            case 1: "[\(Int.random(in: 0..<999, using: &random)),\"é\"]\r\n"
            case 2: "  {\"a\":{}} \t\n"
            default: "{\"a\":\"\(String(repeating: "x", count: Int.random(in: 0..<200, using: &random)))\"}\n"
            }
        }
        var text = odd == .byteOrderMark ? "\u{FEFF}" : ""
        while text.utf8.count < 90_000 { text += line() }
        switch odd {
        case .regular, .byteOrderMark, .noLineEnd: break
        case .blank: text += "\n\n"
        case .white: text += " \t\r\n"
        case .broken: text += "{\"a\":1]\n"
        case .invalidUTF8: text += "\"?\"\n"
        case .long: text += "\"\(String(repeating: "y", count: 400_000))\"\n"
        }
        var bytes = Array(text.utf8)
        if odd == .invalidUTF8 { bytes[bytes.count - 3] = 0xFF }
        for _ in 0..<Int.random(in: 0..<300, using: &random) { bytes += line().utf8 }
        if odd == .noLineEnd { bytes.removeLast() }
        return bytes
    }

    /// What is seen of the chunks, and of the error that ended them.
    private func chunks(
        _ path: String, _ chunkSize: Int, _ maxChunkBytes: Int, _ kernel: KernelChoice, decodesNext: Bool
    ) throws -> [String] {
        let source = try FileStreamSource(
            path, chunkSize: chunkSize, maxChunkBytes: maxChunkBytes, kernel: kernel)
        var seen: [String] = []
        do {
            while let unit = try source.cut(UnitLimit(bytes: 40_000, decodesNext: decodesNext)) {
                let chunks = try source.decode(unit)
                for chunk in chunks {
                    seen.append("\(chunk.sequenceNumber) \(chunk.isLast) \(chunk.data)")
                }
                // Where a record is takes a look at all before it in the unit.
                for record in [chunks.first?.data.first, chunks.last?.data.last] {
                    seen.append("\(record?.number ?? 0)@\(record?.byteOffset ?? 0)")
                }
            }
        } catch let error as StreamError {
            seen.append("\(error)")
        }
        return seen
    }

    /// About 100 KB of records, with something odd in the last part of it.
    private static func file(_ kind: Kind, _ random: inout SplitMix64) -> [UInt8] {
        let lineEnd = kind == .returns ? "\r" : Bool.random(using: &random) ? "\n" : "\r\n"
        var text = "a,b,c" + lineEnd
        func record() -> String {
            (0..<3).map { _ in
                switch Int.random(in: 0..<6, using: &random) {
                case 0: "\"x\(lineEnd)\"\"y\"\"\""
                case 1: "\"," + String(repeating: "é", count: Int.random(in: 0..<60, using: &random)) + "\""
                case 2: "z"
                default: String(repeating: "w", count: Int.random(in: 0..<80, using: &random))
                }
            }.joined(separator: ",")
        }
        while text.utf8.count < 90_000 { text += record() + lineEnd }
        var bytes = Array(text.utf8)
        let odd =
            switch kind {
            case .regular, .returns, .noLineEnd: ""
            case .blankLines: lineEnd + lineEnd
            case .ragged: "1,2" + lineEnd
            case .unclosed: "1,\"2,3" + lineEnd
            case .strayText: "1,\"2\"x,3" + lineEnd
            case .invalidUTF8: "1,2," + lineEnd
            }
        bytes += odd.utf8
        if kind == .invalidUTF8 { bytes.insert(0xC3, at: bytes.count - lineEnd.utf8.count) }
        if kind != .unclosed {
            for _ in 0..<Int.random(in: 0..<300, using: &random) { bytes += (record() + lineEnd).utf8 }
        }
        if kind == .noLineEnd { bytes.removeLast(lineEnd.utf8.count) }
        return bytes
    }
}
