import TestSupport
import Testing

@testable import Sluice

/// How the bytes of an input come.
enum Reads: Sendable, CustomStringConvertible {
    /// So many at a time.
    case of(Int)
    /// So many first, then as many as there is room for.
    case first(Int)

    /// Every way that tests try for so many bytes; in debug some, which differ by the number.
    static func every(_ count: Int) -> [Reads] {
        (step == 1 ? [1, 2, 3, 5, 7, 64, .max] : [3]).map(Reads.of)
            + stride(from: 1 + count % step, to: count, by: step).map(Reads.first)
    }

    var description: String {
        switch self {
        case .of(.max): "one read"
        case .of(let size): "reads of \(size)"
        case .first(let size): "a read of \(size), then the rest"
        }
    }
}

/// Bytes whose reads fall where a test says.
final class PieceInput: ByteInput {
    private var bytes: ArraySlice<UInt8>
    private var size: Int
    private let laterSize: Int

    init(_ bytes: [UInt8], _ reads: Reads) {
        self.bytes = bytes[...]
        switch reads {
        case .of(let size): (self.size, laterSize) = (size, size)
        case .first(let size): (self.size, laterSize) = (size, .max)
        }
    }

    func read(into out: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        let piece = bytes.prefix(min(size, count))
        piece.withUnsafeBufferPointer { if let start = $0.baseAddress { out.update(from: start, count: $0.count) } }
        bytes = bytes.dropFirst(piece.count)
        size = laterSize
        return piece.count
    }

    let consumed = 0
    let length: Int? = nil
    let identity = FileIdentity(device: 0, inode: 0)
    func close() {}
}

/// What a source made of an input.
struct Reading {
    /// One compact JSON text each.
    var records: [String] = []
    /// How many records each chunk has, and whether it said that it is the last.
    var chunks: [Chunk] = []
    struct Chunk {
        var count: Int
        var isLast: Bool
    }
    var lasts: [Bool] { chunks.map(\.isLast) }
    /// What came instead of the rest.
    var error: StreamError?

    /// All that may not depend on how the bytes came.
    var outcome: [String] { records + chunks.map { "\($0)" } + [error.map { "\($0)" } ?? "no error"] }
}

/// The records of bytes that come as `reads` says.
/// - Parameters:
///   - unitBytes: of a unit; 1: each chunk is one.
///   - decodesNext: whether cut makes the index, or decode.
func read(
    _ bytes: [UInt8], as format: FileFormat?, _ reads: Reads = .of(.max), chunkSize: Int = 1000,
    unitBytes: Int = 1, decodesNext: Bool = true, maxRecordBytes: Int = 1 << 20, maxChunkBytes: Int = 1 << 20,
    kernel: KernelChoice = .auto
) -> Reading {
    var reading = Reading()
    do {
        let limits = try RecordLimits(
            chunkSize: chunkSize, maxChunkBytes: maxChunkBytes, maxRecordBytes: maxRecordBytes, path: "input")
        let source = try FileStreamSource(
            "input", (PieceInput(bytes, reads), .none), BlockPool(), try kernel.make(), limits, format: format,
            encoding: .utf8, types: nil, csv: CSVOptions(), select: nil)
        while let unit = try source.cut(UnitLimit(bytes: unitBytes, decodesNext: decodesNext)) {
            for chunk in try source.decode(unit) {
                reading.records += chunk.data.map(\.description)
                reading.chunks.append(Reading.Chunk(count: chunk.data.count, isLast: chunk.isLast))
            }
        }
    } catch {
        reading.error = error as? StreamError ?? StreamError(.readFailed, "\(error)")
    }
    return reading
}
