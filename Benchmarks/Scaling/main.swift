// How cost grows: with records, chunks, workers, columns, the size of fields, of the input, and of the memory limit. Each point
// is a line of JSON.
//
//     Scaling FOLDER [--quick]      FOLDER has flights.csv (scripts/bench-data); files of other shapes are made there

import Foundation
import Sluice

let arguments = CommandLine.arguments.dropFirst()
guard let folder = arguments.first else {
    FileHandle.standardError.write(Data("usage: Scaling FOLDER [--quick]\n".utf8))
    exit(64)
}
let isQuick = arguments.contains("--quick")
let runs = isQuick ? 1 : 3

func put(_ point: Point) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    FileHandle.standardOutput.write(try encoder.encode(point) + Data("\n".utf8))
}

// Records: what is more than a million is a file of a million again and again, so that all that grows is their number.
for power in 3...8 where !isQuick || power < 8 {
    let records = power < 6 ? Int(pow(10, Double(power))) : 1_000_000
    let file = try Shape(name: "records-\(records)", header: "id,name,value", records: records) {
        "\($0),name \($0 % 97),\($0 * 7)"
    }.file(in: folder)
    let times = Int(pow(10, Double(max(0, power - 6))))
    // What takes no time is run more often.
    let all = records * times
    try put(measure("records", x: Double(all), file.path, times: times, records: all, runs: power < 7 ? 31 : runs + 2))
}

let flights = "\(folder)/flights.csv"
for megabytes in [1, 4, 16, 64] {
    // Part of a file: its first lines.
    let part = "\(folder)/scaling-flights-\(megabytes).csv"
    guard let file = FileHandle(forReadingAtPath: flights), let data = try file.read(upToCount: megabytes << 20),
        let end = data.lastIndex(of: UInt8(ascii: "\n"))
    else { fatalError("cannot read \(flights)") }
    try data[...end].write(to: URL(fileURLWithPath: part))
    try put(measure("input", x: Double(end + 1) / 1e6, part, runs: runs + 2))
}
guard let size = try FileManager.default.attributesOfItem(atPath: flights)[.size] as? Int else { fatalError(flights) }
let times = isQuick ? [1] : [1, 3, 11]
for count in times { try put(measure("input", x: Double(count * size) / 1e6, flights, times: count, runs: runs)) }

let input = isQuick ? "\(folder)/scaling-flights-64.csv" : flights
for chunkSize in [1, 10, 100, 1000, 10_000, 100_000] {
    try put(measure("chunk size", x: Double(chunkSize), input, chunkSize: chunkSize, runs: runs))
}
for workers in [1, 2, 4, 8, 16] {
    try put(measure("workers", x: Double(workers), input, workers: workers, runs: runs))
}
for memory in [4, 8, 16, 32, 64, 128, 512] {
    try put(measure("memory limit", x: Double(memory), input, workers: 2, memory: memory, runs: runs))
}

// The same bytes in records of other widths, and in fields of other sizes.
let bytes = isQuick ? 8 << 20 : 64 << 20
for columns in [1, 3, 10, 30, 100, 300, 1000] {
    let names = (0..<columns).map { "c\($0)" }.joined(separator: ",")
    let records = bytes / (6 * columns)
    let file = try Shape(name: "columns-\(columns)\(isQuick ? "q" : "")", header: names, records: records) {
        number in (0..<columns).map { String(10_000 + (number &* 31 &+ $0) % 90_000) }.joined(separator: ",")
    }.file(in: folder)
    try put(measure("columns", x: Double(columns), file.path, records: records, runs: runs))
}
for size in [1, 4, 16, 64, 256, 1024, 4096, 65_536, 1_048_576] {
    let text = String(repeating: "text and more of it, ", count: size / 21 + 1).replacingOccurrences(of: ",", with: ".")
    let field = String(text.prefix(size))
    let records = max(1, bytes / (4 * size + 4))
    let file = try Shape(
        name: "field-\(size)\(isQuick ? "q" : "")", header: "a,b,c,d", records: records
    ) { _ in "\(field),\(field),\(field),\(field)" }.file(in: folder)
    try put(measure("field size", x: Double(size), file.path, records: records, runs: runs))
}
