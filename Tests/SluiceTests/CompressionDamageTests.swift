import Foundation
import Sluice
import TestSupport
import Testing

/// A file that is damaged is an error or makes no difference, whatever its compression and whoever wrote it.
@Suite("Damaged compression")
struct CompressionDamageTests {
    let folder = TemporaryFolder()

    private static let compressions = CompressionFormat.allCases.filter { $0 != .none }
    private static let header = "id,text\n"
    private static let parts = [
        header + (0..<8).map { "\($0),some text that repeats\n" }.joined(), "8,a\n9,b\n", "",
        (10..<14).map { "\($0),other text that repeats\n" }.joined(),
    ]

    /// How the parts become one file: written at once, one appended to the other, by other programs.
    enum Writer: String, CaseIterable {
        case whole, appended, program
    }

    private static let files = compressions.flatMap { compression in Writer.allCases.map { ($0, compression) } }

    /// A file, and the lengths to which it may be cut without anybody noticing: those of whole files.
    private func file(_ writer: Writer, _ compression: CompressionFormat) throws -> (bytes: [UInt8], ends: Set<Int>) {
        var bytes: [UInt8] = []
        var ends: Set<Int> = []
        for part in writer == .whole ? [Self.parts.joined()] : Self.parts {
            if writer == .program {
                bytes += try packed(part, compression)
            } else {
                bytes = try appending(part, to: bytes, compression)
            }
            ends.insert(bytes.count)
        }
        if compression == .lz4, writer == .program { bytes += LZ4File.skippable([1, 2, 3]) }
        return (bytes, ends)
    }

    private func appending(_ part: String, to bytes: [UInt8], _ compression: CompressionFormat) throws -> [UInt8] {
        let input = try folder.file("plain.csv", (bytes.isEmpty ? "" : Self.header) + part)
        let path = try folder.file("packed", bytes)
        let sink = try FileStreamSink(path, format: .csv, mode: .append, compression: compression)
        try BasicStreamProcessor(source: FileStreamSource(input), sink: sink).run()
        return try bytesOfFile(path)
    }

    /// With a name in it; in many blocks that depend on one another.
    private func packed(_ part: String, _ compression: CompressionFormat) throws -> [UInt8] {
        _ = try folder.file("part", part)
        let program = compression == .gzip ? "gzip -c" : "lz4 -q -9 -B32 -BD -BX --content-size"
        let outcome = try folder.shell("\(program) part \(compression == .gzip ? "" : "-")")
        #expect(outcome.status == 0, "\(outcome.messages)")
        return Array(outcome.output)
    }

    /// The records of these bytes, read as what they were.
    private func read(_ bytes: [UInt8], _ compression: CompressionFormat) throws -> [String] {
        let source = try FileStreamSource(folder.file("damaged", bytes), format: .csv, compression: compression)
        var all: [String] = []
        try source.forEach { all += $0.data.map(\.description) }
        return all
    }

    @Test("truncation at any byte is noticed, but where a shorter file ends", arguments: files)
    func truncation(_ writer: Writer, _ compression: CompressionFormat) throws {
        let (whole, ends) = try file(writer, compression)
        let records = try read(whole, compression)
        #expect(records.count == 14)
        for length in whole.indices {
            let cut = Array(whole[..<length])
            if ends.contains(length) {
                #expect(try records.starts(with: read(cut, compression)), "cut to \(length) of \(whole.count)")
            } else {
                let error = streamError { _ = try read(cut, compression) }
                #expect(error?.code == .truncatedCompression, "cut to \(length) of \(whole.count)")
            }
        }
    }

    @Test("a flip of any bit is an error, or makes no difference", arguments: files)
    func flippedBits(_ writer: Writer, _ compression: CompressionFormat) throws {
        let (whole, _) = try file(writer, compression)
        let expected = try read(whole, compression)
        for bit in stride(from: 0, to: 8 * whole.count, by: step | 1) {
            var flipped = whole
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            do {
                #expect(try read(flipped, compression) == expected, "bit \(bit)")
            } catch {
                #expect(error is StreamError, "bit \(bit)")
            }
        }
    }

    @Test("bytes behind the data are an error, behind zeros too", arguments: files)
    func trailingData(_ writer: Writer, _ compression: CompressionFormat) throws {
        let (whole, _) = try file(writer, compression)
        for tail in [[0x41], Array("more text\n".utf8), [0, 0x1F]] as [[UInt8]] {
            #expect(streamError { _ = try read(whole + tail, compression) }?.code == .trailingData)
        }
        #expect(try read(whole + whole, compression).count == 29, "the second header is a record like others")
    }
}
