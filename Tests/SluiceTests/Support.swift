import Foundation
import Sluice

/// A folder of one test's own, removed when the test is done with it.
final class TemporaryFolder {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-test-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    func file(_ name: String, _ text: String) throws -> String { try file(name, Array(text.utf8)) }

    func text(_ name: String) throws -> String {
        String(decoding: try bytesOfFile(file(name)), as: UTF8.self)
    }

    /// Names of the files there, hidden ones too.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// The contents of a file. Foundation's own way leaks a block for each empty file, which the leak sanitizer reports.
func bytesOfFile(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else {
        throw CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: path])
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&room, 1, room.count, file), count > 0 { bytes += room[..<count] }
    return bytes
}

/// The kernels that this machine runs: all on an optimized build, in debug the plain one and the best.
let kernels = KernelChoice.allCases.filter { step == 1 ? Engines.kernel($0) != nil : $0 == .auto || $0 == .scalar }

/// All records of a file, one compact JSON text each.
func records(
    _ path: String, format: FileFormat? = nil, chunkSize: Int? = nil, encoding: TextEncoding = .utf8,
    types: CellTypes? = nil, csv: CSVOptions = CSVOptions(), select: [String]? = nil,
    maxRecordBytes: Int = 16 << 20, maxChunkBytes: Int = 1 << 20, kernel: KernelChoice = .auto
) throws -> [String] {
    let source = try FileStreamSource(
        path, format: format, chunkSize: chunkSize, encoding: encoding, types: types, csv: csv, select: select,
        maxRecordBytes: maxRecordBytes, maxChunkBytes: maxChunkBytes, kernel: kernel)
    var all: [String] = []
    try source.forEach { all += $0.data.map(\.description) }
    return all
}

/// The error that `body` throws.
func streamError(_ body: () throws -> Void) -> StreamError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StreamError
    }
}

extension TextEncoding {
    /// Text as it is stored, by the standard library's codecs; no byte order mark is added.
    func stored(_ text: String) -> [UInt8] {
        switch self {
        case .utf8: Array(text.utf8)
        case .utf16, .utf16LE: text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        case .utf16BE: text.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        case .latin1: text.unicodeScalars.map { UInt8($0.value) }
        }
    }

    /// Whether it has all characters of a text.
    func has(_ text: String) -> Bool { self != .latin1 || text.unicodeScalars.allSatisfy { $0.value <= 0xFF } }
}
