import Foundation
import Sluice
import SwiftCSV

/// Pipelines on one worker: a file in the page cache into chunks, chunks in memory into chunks in memory, a file into a file.
/// Answers are records, sums, and the bytes that come out.
func addPipelineSuites() {
    let jobs = [
        ("flights.csv", "jsonl"), ("tweets.csv", "jsonl"), ("tweets.jsonl", "jsonl"), ("flights.jsonl", "csv"),
    ]
    for (name, format) in jobs {
        let input = Lazy { InputFile(name, megabytes: Inputs.whole) }
        let output = Inputs.path("suite-output.\(format)")
        let memory = Workload("to-memory", name) { input.value.facts(input.value.records) }
        let file = Workload("to-file", "\(name) → \(format)") {
            input.value.facts(size(input.value.path, output, .scalar))
        }
        let digest = Lazy { digestOf(input.value.path, output, .scalar) }
        for kernel in kernelChoices {
            memory.add(title(kernel)) { { try toMemory(input.value.path, kernel) } }
            file.add(title(kernel)) {
                precondition(
                    digestOf(input.value.path, output, kernel) == digest.value, "\(title(kernel)) writes other bytes")
                return { size(input.value.path, output, kernel) }
            }
        }
        if name == "flights.csv" {
            addByHand(file, output)
            addMemoryToMemory()
        }
    }
}

let kernelChoices = KernelChoice.allCases.filter { $0 != .auto && Engines.kernel($0) != nil }
/// What `auto` is here.
let fastestChoice = kernelChoices.first { Engines.kernel($0) == Engines.kernel(.auto) }

func title(_ kernel: KernelChoice) -> String { "kernel " + kernel.rawValue }

/// Records in memory through a filter and a field that is set, into memory. Without a library one has an array of dictionaries.
/// Answers are sums of a column of what is left.
private func addMemoryToMemory() {
    let input = Lazy { InputFile("flights.csv", megabytes: Inputs.part) }
    let records = Lazy {
        Workload.orStop("flights.csv") {
            let sink = MemoryStreamSink()
            try StreamContext().stream(source: FileStreamSource(input.value.path), sink: sink)
            return RecordBatch(sink.records)
        }
    }
    let rows = Lazy {
        Workload.orStop("SwiftCSV") {
            try NamedCSV(url: URL(fileURLWithPath: input.value.path), delimiter: .comma, loadColumns: false).rows
        }
    }
    func distance(_ row: [String: String]) -> Int { row["distance"].flatMap { Int($0) } ?? 0 }
    func sumByHand() -> Int {
        var kept: [[String: String]] = []
        for var row in rows.value where distance(row) > 1000 {
            row["far"] = "true"
            kept.append(row)
        }
        return kept.reduce(0) { $0 &+ distance($1) }
    }
    let workload = Workload("memory-to-memory", "flights.csv") { input.value.facts(sumByHand()) }
    for kernel in kernelChoices {
        workload.add(title(kernel)) {
            setenv("SLUICE_KERNEL", kernel.rawValue, 1)
            let records = records.value
            return {
                let sink = MemoryStreamSink()
                let context = StreamContext(StreamConfig(parallelism: 1, kernel: kernel))
                try context.stream(source: MemoryStreamSource(records), sink: sink) { (chunk: inout StreamChunk) in
                    chunk.data.removeAll { ($0["distance", as: Int.self] ?? 0) <= 1000 }
                    chunk.data.setAll("far", to: true)
                }
                return try sink.chunks.reduce(0) { sum, chunk in
                    try chunk.data.requireColumn("distance", as: Int.self).reduce(sum, &+)
                }
            }
        }
    }
    workload.add("array of dictionaries") {
        _ = rows.value
        return sumByHand
    }
}

/// Chunks that are read and counted, one thread: what a loop over a source costs.
private func toMemory(_ path: String, _ kernel: KernelChoice) throws -> Int {
    var records = 0
    try FileStreamSource(path, kernel: kernel).forEach { records += $0.data.count }
    return records
}

private func size(_ path: String, _ output: String, _ kernel: KernelChoice) -> Int {
    Workload.orStop(path) {
        let context = StreamContext(StreamConfig(parallelism: 1, kernel: kernel))
        return try context.stream(source: FileStreamSource(path), sink: FileStreamSink(output)).bytesWritten
    }
}

/// What says of an output whether it is the same as another.
private func digestOf(_ path: String, _ output: String, _ kernel: KernelChoice) -> Int {
    _ = size(path, output, kernel)
    return Workload.orStop(output) {
        try Data(contentsOf: URL(fileURLWithPath: output), options: .alwaysMapped).withUnsafeBytes { bytes in
            var hasher = Hasher()
            hasher.combine(bytes: bytes)
            return hasher.finalize()
        }
    }
}

/// What one writes otherwise: SwiftCSV, and JSONEncoder for each row, with a buffer before the file.
private func addByHand(_ workload: Workload, _ output: String) {
    let part = Lazy { InputFile("flights.csv", megabytes: 1) }
    let facts = Lazy { part.value.facts(size(part.value.path, output, .auto)) }
    workload.add("SwiftCSV and JSONEncoder", of: facts) {
        let url = URL(fileURLWithPath: part.value.path)
        return {
            let csv = try NamedCSV(url: url, delimiter: .comma, loadColumns: false)
            FileManager.default.createFile(atPath: output, contents: nil)
            guard let file = FileHandle(forWritingAtPath: output) else { fatalError("cannot write \(output)") }
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            var (size, buffer) = (0, Data())
            for row in csv.rows {
                buffer.append(try encoder.encode(row))
                buffer.append(UInt8(ascii: "\n"))
                guard buffer.count >= 1 << 18 else { continue }
                size += buffer.count
                try file.write(contentsOf: buffer)
                buffer.removeAll(keepingCapacity: true)
            }
            size += buffer.count
            try file.write(contentsOf: buffer)
            try file.close()
            return size
        }
    }
}
