import Benchmark
import CSluice
import Foundation
import SwiftKernel

/// Each benchmark's name is "suite/data/way". A run goes over all of its data once; how many bytes and records that is are
/// metrics of their own, from which the report makes MB/s and records/s.
extension BenchmarkMetric {
    static var inputBytes: BenchmarkMetric { .custom("bytes", polarity: .prefersLarger, useScalingFactor: false) }
    static var inputRecords: BenchmarkMetric { .custom("records", polarity: .prefersLarger, useScalingFactor: false) }
}

/// What several ways go over: they have to come to the same answer.
struct Workload {
    var suite: String
    var data: String
    var bytes: Int
    var records: Int
    /// What each way must find; nil: that is not known.
    var answer: Int?

    /// Adds a way. `work` goes over the data once and says what it found. `share`: of the data, for ways that are so slow
    /// that they get a part of it; they find another answer then.
    func add(_ way: String, share: (bytes: Int, records: Int, answer: Int)? = nil, _ work: @escaping () throws -> Int) {
        let (bytes, records) = share.map { ($0.bytes, $0.records) } ?? (bytes, records)
        let answer = share?.answer ?? answer
        Benchmark("\(suite)/\(data)/\(way)") { benchmark in
            let found: Int
            benchmark.startMeasurement()
            do {
                found = try work()
            } catch {
                fatalError("\(benchmark.name): \(error)")
            }
            benchmark.stopMeasurement()
            precondition(answer.map { $0 == found } ?? true, "\(benchmark.name) found \(found), not \(answer ?? 0)")
            benchmark.measurement(.inputBytes, bytes)
            benchmark.measurement(.inputRecords, records)
        }
    }
}

/// The kernels that run here.
// SAFETY: tables never change.
nonisolated(unsafe) let kernels: [(name: String, table: sluice_kernel)] = ["swift", "scalar", "avx2", "avx512", "neon"].compactMap { name in
    let table = name == "swift" ? SwiftKernel.table : sluice_kernel_named(name)
    return table.map { ("kernel " + name, $0.pointee) }
}

/// Where the inputs are, and how much of them is read into memory.
enum Inputs {
    static let folder = ProcessInfo.processInfo.environment["SLUICE_BENCH_DATA"] ?? "data"
    static let isQuick = ProcessInfo.processInfo.environment["SLUICE_BENCH_QUICK"] != nil

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// The first bytes of a file, up to the end of a line outside quotes, with padding behind them.
    static func head(_ name: String, megabytes: Int) -> Input {
        guard let file = FileHandle(forReadingAtPath: path(name)), let data = try? file.read(upToCount: megabytes << 20)
        else { fatalError("cannot read \(path(name)); scripts/bench-data writes it") }
        var bytes = [UInt8](data)
        var end = bytes.count
        var isQuoted = false
        for (offset, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\""), name.hasSuffix(".csv") { isQuoted.toggle() }
            if byte == UInt8(ascii: "\n"), !isQuoted { end = offset + 1 }
        }
        bytes.removeSubrange(end...)
        return Input(name: name, bytes)
    }
}

/// Bytes in memory as kernels want them.
// SAFETY: written once, in `init`; lives as long as the process.
final class Input: @unchecked Sendable {
    let name: String
    let start: UnsafeMutablePointer<UInt8>
    let count: Int

    init(name: String, _ bytes: [UInt8]) {
        self.name = name
        count = bytes.count
        start = .allocate(capacity: count + Int(SLUICE_PADDING))
        start.initialize(repeating: 0, count: count + Int(SLUICE_PADDING))
        bytes.withUnsafeBufferPointer { start.update(from: $0.baseAddress!, count: count) }
    }

    var data: Data { Data(bytesNoCopy: start, count: count, deallocator: .none) }
    var text: String { String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) }

    /// The first part of it, up to the end of a line.
    func head(kilobytes: Int, isQuotedCSV: Bool = false) -> Input {
        var end = min(count, kilobytes << 10)
        while end < count, start[end - 1] != UInt8(ascii: "\n") { end += 1 }
        return Input(name: name, Array(UnsafeBufferPointer(start: start, count: end)))
    }

    /// A file that holds these bytes.
    func file(_ name: String) -> String {
        let path = Inputs.path("suite-\(name)")
        guard FileManager.default.createFile(atPath: path, contents: data) else { fatalError("cannot write \(path)") }
        return path
    }
}
