import BenchC
import CSluice
import Foundation
import Sluice
import SwiftCSV

/// Where fields are: the kernels' index. Then every field of every record touched, against what splits text in Swift.
func addCSVSuites() {
    for (name, columns) in [("flights.csv", 19), ("tweets.csv", 9)] {
        let arrays = Lazy { IndexArrays(Inputs.head(name, megabytes: Inputs.whole), columns: columns) }
        let workload = Workload("csv-index", name) {
            let records = arrays.value.index(fastest)
            return Facts(bytes: arrays.value.input.count, records: records, answer: records)
        }
        let digest = Lazy { arrays.value.digest(fastest) }
        for kernel in kernels {
            workload.add(kernel.name) {
                precondition(arrays.value.digest(kernel.table) == digest.value, "\(kernel.name) has another index")
                return { arrays.value.index(kernel.table) }
            }
        }
        let lines = Lazy {
            Facts(bytes: workload.facts.value.bytes, records: workload.facts.value.records, answer: nil)
        }
        workload.add("count of line ends in C", of: lines) {
            let input = arrays.value.input
            return { Int(bench_count_lines(input.start, input.count)) }
        }
        addFieldWays("csv-fields", name, Touch.self)
        addFieldWays("csv-bytes", name, Read.self)
    }
}

/// What is done with a field.
private protocol Look: SendableMetatype {
    static func at(_ text: Span<UInt8>) -> Int
    static func at<T: StringProtocol>(_ text: T) -> Int where T.UTF8View: BidirectionalCollection
}

/// Its length, its first and its last byte.
private enum Touch: Look {
    static func at(_ text: Span<UInt8>) -> Int {
        text.isEmpty ? 0 : text.count &+ Int(text[0]) &+ Int(text[text.count &- 1])
    }
    static func at<T: StringProtocol>(_ text: T) -> Int where T.UTF8View: BidirectionalCollection {
        text.utf8.count &+ Int(text.utf8.first ?? 0) &+ Int(text.utf8.last ?? 0)
    }
}

/// Each of its bytes.
private enum Read: Look {
    static func at(_ text: Span<UInt8>) -> Int {
        var sum = 0
        for place in text.indices { sum &+= Int(text[place]) }
        return sum
    }
    static func at<T: StringProtocol>(_ text: T) -> Int where T.UTF8View: BidirectionalCollection {
        text.utf8.reduce(0) { $0 &+ Int($1) }
    }
}

/// Every field of every record, quotes undone. Answers are sums of what was seen of them.
private func addFieldWays<L: Look>(_ suite: String, _ name: String, _: L.Type) {
    let whole = Lazy { InputFile(name, megabytes: Inputs.whole) }
    let part = Lazy { InputFile(name, megabytes: 1) }
    func sum(_ path: String, _ kernel: KernelChoice = .auto) -> Int { sumOfFields(path, kernel, L.self) }
    // What the scalar machine finds, which defines the format; SwiftCSV has to find it as well.
    let workload = Workload(suite, name) { whole.value.facts(sum(whole.value.path, .scalar)) }
    let facts = Lazy { part.value.facts(sum(part.value.path, .scalar)) }
    workload.add("sluice, one thread") { { sum(whole.value.path) } }
    workload.addKernels { kernel in { sum(whole.value.path, kernel) } }
    workload.add("sluice") { { try sumOnAllCores(FileStreamSource(whole.value.path)) { sumOfFields($0, L.self) } } }
    workload.add("SwiftCSV", of: facts) {
        let url = URL(fileURLWithPath: part.value.path)
        return {
            var sum = 0
            let csv = try EnumeratedCSV(url: url, delimiter: .comma, loadColumns: false)
            for row in csv.rows { for field in row { sum &+= L.at(field) } }
            return sum
        }
    }
    // Quotes are beyond it.
    guard name.hasPrefix("flights") else { return }
    workload.add("String.split", of: facts) {
        let path = part.value.path
        return {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            var sum = 0
            for line in text.split(separator: "\n").dropFirst() {
                for field in line.split(separator: ",", omittingEmptySubsequences: false) { sum &+= L.at(field) }
            }
            return sum
        }
    }
}

func recordCount(_ path: String) -> Int {
    Workload.orStop(path) {
        var count = 0
        try FileStreamSource(path).forEach { count += $0.data.count }
        return count
    }
}

private func sumOfFields<L: Look>(_ path: String, _ kernel: KernelChoice, _: L.Type) -> Int {
    Workload.orStop(path) {
        var sum = 0
        try FileStreamSource(path, kernel: kernel).forEach { sum &+= sumOfFields($0.data, L.self) }
        return sum
    }
}

private func sumOfFields<L: Look>(_ batch: RecordBatch, _: L.Type) -> Int {
    var sum = 0
    batch.forEachField { _, _, text in sum &+= L.at(text) }
    return sum
}

/// The bytes of a text, added up.
func sumOfBytes(_ text: String) -> Int {
    var text = text
    return text.withUTF8 { $0.reduce(0) { $0 &+ Int($1) } }
}

/// The arrays of an index, large enough for an input.
// SAFETY: one benchmark uses them at a time.
final class IndexArrays: @unchecked Sendable {
    let input: Input
    let columns: Int
    let ends: UnsafeMutablePointer<UInt32>
    let starts: UnsafeMutablePointer<UInt32>
    let capacity: Int
    private(set) var flags: UInt32 = 0

    init(_ input: Input, columns: Int) {
        self.input = input
        self.columns = columns
        capacity = input.count + 128
        ends = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity)
    }

    /// Indexes all of it, the header too; returns how many records there are.
    func index(_ kernel: sluice_kernel) -> Int {
        var scanner = sluice_csv_scanner()
        scanner.dialect.delimiter = UInt8(ascii: ",")
        scanner.dialect.quote = UInt8(ascii: "\"")
        scanner.columns = UInt32(columns)
        var index = sluice_csv_index(
            ends: ends, row_starts: starts, ends_capacity: UInt32(capacity - 64), rows_capacity: UInt32(capacity - 64),
            flags: 0)
        let status = kernel.csv_index(&scanner, input.start, input.count, true, &index)
        precondition(status == SLUICE_OK, "\(input.name): \(status)")
        flags = index.flags
        return Int(scanner.records)
    }

    /// What says of an index whether it is the same as another.
    func digest(_ kernel: sluice_kernel) -> Int {
        let records = index(kernel)
        var hasher = Hasher()
        for place in 0..<records { hasher.combine(starts[place]) }
        for place in 0..<records * columns { hasher.combine(ends[place]) }
        hasher.combine(flags)
        return hasher.finalize()
    }
}
