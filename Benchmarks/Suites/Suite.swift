import Benchmark
import CSluice
import Foundation
import SwiftKernel

/// Each benchmark's name is "suite/data/way". A run goes over all of its data once; how many bytes and records that is are
/// metrics of their own, from which the report makes MB/s and records/s.
///
/// Each benchmark runs in a process of its own, which registers all of them: so nothing is read or made before it is needed.
extension BenchmarkMetric {
    static var inputBytes: BenchmarkMetric { .custom("bytes", polarity: .prefersLarger, useScalingFactor: false) }
    static var inputRecords: BenchmarkMetric { .custom("records", polarity: .prefersLarger, useScalingFactor: false) }
}

/// What a run goes over, and what it has to find.
struct Facts {
    var bytes: Int
    var records: Int
    /// Nil: that is not known.
    var answer: Int?
}

/// Something that is made when it is first asked for.
// SAFETY: benchmarks run one after the other.
final class Lazy<Value>: @unchecked Sendable {
    private var make: (() -> Value)?
    private var made: Value?

    init(_ make: @escaping () -> Value) { self.make = make }

    var value: Value {
        if let made { return made }
        guard let make else { fatalError("made of itself") }
        self.make = nil
        let value = make()
        made = value
        return value
    }
}

/// What several ways go over: they have to come to the same answer.
struct Workload {
    let suite: String
    let data: String
    let facts: Lazy<Facts>

    init(_ suite: String, _ data: String, _ facts: @escaping () -> Facts) {
        self.suite = suite
        self.data = data
        self.facts = Lazy(facts)
    }

    /// Adds a way. `prepare` makes ready what it needs and returns what goes over the data once and says what it found.
    /// - Parameter part: what it goes over, where it is so slow that it gets a part of the data.
    func add(_ way: String, of part: Lazy<Facts>? = nil, _ prepare: @escaping () throws -> () throws -> Int) {
        let run = Lazy { Self.orStop(way) { try prepare() } }
        let facts = part ?? self.facts
        Benchmark("\(suite)/\(data)/\(way)") { benchmark in
            let (work, expected) = (run.value, facts.value)
            benchmark.startMeasurement()
            let found = Self.orStop(way, work)
            benchmark.stopMeasurement()
            precondition(
                expected.answer.map { $0 == found } ?? true,
                "\(benchmark.name) found \(found), not \(expected.answer ?? 0)")
            benchmark.measurement(.inputBytes, expected.bytes)
            benchmark.measurement(.inputRecords, expected.records)
        }
    }

    static func orStop<T>(_ what: String, _ body: () throws -> T) -> T {
        do { return try body() } catch { fatalError("\(what): \(error)") }
    }
}

/// The kernels that run here.
// SAFETY: tables never change.
nonisolated(unsafe) let kernels: [(name: String, table: sluice_kernel)] = [
    "swift", "scalar", "avx2", "avx512", "neon",
].compactMap { name in
    let table = name == "swift" ? SwiftKernel.table : sluice_kernel_named(name)
    return table.map { ("kernel " + name, $0.pointee) }
}

/// The fastest one, which says what the answers are.
// SAFETY: as above.
nonisolated(unsafe) let fastest = sluice_kernel_named("auto").pointee

/// Where the inputs are, and how much of them is read into memory.
enum Inputs {
    static let folder = ProcessInfo.processInfo.environment["SLUICE_BENCH_DATA"] ?? "data"
    static let isQuick = ProcessInfo.processInfo.environment["SLUICE_BENCH_QUICK"] != nil

    /// MiB of an input, and of what slow ways get.
    static let whole = isQuick ? 8 : 64
    static let part = isQuick ? 1 : 4

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// The first bytes of a file, up to the end of a line outside quotes, with padding behind them.
    static func head(_ name: String, megabytes: Int) -> Input {
        guard let file = FileHandle(forReadingAtPath: path(name)), let data = try? file.read(upToCount: megabytes << 20)
        else { fatalError("cannot read \(path(name)); scripts/bench-data writes it") }
        let bytes = [UInt8](data)
        var end = bytes.count
        var isQuoted = false
        let isCSV = name.hasSuffix(".csv")
        for (offset, byte) in bytes.enumerated() {
            if isCSV, byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: "\n"), !isQuoted { end = offset + 1 }
        }
        return Input(name: name, bytes[..<end])
    }
}

/// Bytes in memory as kernels want them.
// SAFETY: written once, in `init`; lives as long as the process.
final class Input: @unchecked Sendable {
    let name: String
    let start: UnsafeMutablePointer<UInt8>
    let count: Int

    init(name: String, _ bytes: ArraySlice<UInt8>) {
        self.name = name
        count = bytes.count
        start = .allocate(capacity: count + Int(SLUICE_PADDING))
        start.initialize(repeating: 0, count: count + Int(SLUICE_PADDING))
        for (offset, byte) in bytes.enumerated() { start[offset] = byte }
    }

    var data: Data { Data(bytesNoCopy: start, count: count, deallocator: .none) }

    /// A file that holds these bytes. It stays for the benchmarks after this one.
    func file() -> String {
        let path = Inputs.path("suite-\(count)-\(name)")
        let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        if size == count { return path }
        guard FileManager.default.createFile(atPath: path, contents: data) else { fatalError("cannot write \(path)") }
        return path
    }
}

/// A file with the first bytes of an input, its size, and how many records it has.
struct InputFile {
    let path: String
    let bytes: Int
    let records: Int

    init(_ name: String, megabytes: Int) {
        let input = Inputs.head(name, megabytes: megabytes)
        path = input.file()
        bytes = input.count
        records = recordCount(path)
    }

    func facts(_ answer: Int?) -> Facts { Facts(bytes: bytes, records: records, answer: answer) }
}
