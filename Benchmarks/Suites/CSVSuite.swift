import BenchC
import CSluice
import Foundation
import Sluice
import SwiftCSV

/// Where fields are: the kernels' index, and what splits text in Swift. Answers are sums of the lengths of all fields.
func addCSVSuites() {
    for (name, columns) in [("flights.csv", 19), ("tweets.csv", 9)] {
        let input = Inputs.head(name, megabytes: Inputs.isQuick ? 8 : 64)
        let arrays = IndexArrays(input, columns: columns)
        let records = arrays.index(kernels[0].table)
        let workload = Workload(suite: "csv-index", data: name, bytes: input.count, records: records, answer: records)
        for kernel in kernels { workload.add(kernel.name) { arrays.index(kernel.table) } }
        Workload(suite: "csv-index", data: name, bytes: input.count, records: records)
            .add("count of line ends in C") { Int(bench_count_lines(input.start, input.count)) }
        addFieldWays(input, records: records)
    }
}

/// Every field of every record touched, quotes undone: sums of the bytes of their contents.
private func addFieldWays(_ input: Input, records: Int) {
    let whole = input.file(input.name)
    let answer = sumOfFields(whole, .auto)
    let workload = Workload(
        suite: "csv-fields", data: input.name, bytes: input.count, records: records, answer: answer)
    workload.add("sluice") { sumOfFields(whole, .auto) }
    workload.add("sluice, pure Swift") { sumOfFields(whole, .swift) }

    let head = input.head(kilobytes: 1024)
    guard input.name.hasPrefix("flights") else {
        let path = tweetsHead(input)
        let share = (path.bytes, path.records, sumOfFields(path.file, .auto))
        workload.add("SwiftCSV", share: share) { try sumOfSwiftCSV(path.file) }
        return
    }
    let path = head.file("head-" + input.name)
    let share = (head.count, recordCount(path), sumOfFields(path, .auto))
    workload.add("SwiftCSV", share: share) { try sumOfSwiftCSV(path) }
    workload.add("String.split", share: share) {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var sum = 0
        for line in text.split(separator: "\n").dropFirst() {
            for field in line.split(separator: ",", omittingEmptySubsequences: false) { sum += field.utf8.count }
        }
        return sum
    }
}

private func tweetsHead(_ input: Input) -> (file: String, bytes: Int, records: Int) {
    let head = Inputs.head(input.name, megabytes: 1)
    let path = head.file("head-" + input.name)
    return (path, head.count, recordCount(path))
}

func recordCount(_ path: String) -> Int {
    var count = 0
    do { try FileStreamSource(path).forEach { count += $0.data.count } } catch { fatalError("\(path): \(error)") }
    return count
}

private func sumOfFields(_ path: String, _ kernel: KernelChoice) -> Int {
    var sum = 0
    do {
        try FileStreamSource(path, kernel: kernel).forEach { chunk in
            chunk.data.forEachField { _, _, text in sum &+= text.count }
        }
    } catch { fatalError("\(path): \(error)") }
    return sum
}

private func sumOfSwiftCSV(_ path: String) throws -> Int {
    var sum = 0
    let csv = try EnumeratedCSV(url: URL(fileURLWithPath: path), delimiter: .comma, loadColumns: false)
    for row in csv.rows { for field in row { sum += field.utf8.count } }
    return sum
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
        ends.initialize(repeating: 0, count: capacity)
        starts.initialize(repeating: 0, count: capacity)
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
}
