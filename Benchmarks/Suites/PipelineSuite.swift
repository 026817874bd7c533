import Foundation
import Sluice
import SwiftCSV

/// Whole conversions on one worker: from a file in the page cache to memory, and to a file. Answers are the bytes that come
/// out, or records.
func addPipelineSuites() {
    let jobs = [
        ("flights.csv", "jsonl"), ("tweets.csv", "jsonl"), ("tweets.jsonl", "jsonl"), ("flights.jsonl", "csv"),
    ]
    for (name, format) in jobs {
        let input = Lazy { InputFile(name, megabytes: Inputs.whole) }
        let output = Inputs.path("suite-output.\(format)")
        let data = "\(name) → \(format)"
        let memory = Workload("to-memory", data) { input.value.facts(input.value.records) }
        let file = Workload("to-file", data) { input.value.facts(size(input.value.path, output, .auto)) }
        for kernel in kernelChoices {
            memory.add(title(kernel)) { { try toMemory(input.value.path, kernel) } }
            file.add(title(kernel)) { { size(input.value.path, output, kernel) } }
        }
        if name == "flights.csv" { addByHand(file, output) }
    }
}

private let kernelChoices = KernelChoice.allCases.filter { $0 != .auto && Engines.kernel($0) != nil }

private func title(_ kernel: KernelChoice) -> String { "kernel " + kernel.rawValue }

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

/// What one writes otherwise: SwiftCSV, and JSONSerialization for each row.
private func addByHand(_ workload: Workload, _ output: String) {
    let part = Lazy { InputFile("flights.csv", megabytes: 1) }
    let facts = Lazy { part.value.facts(size(part.value.path, output, .auto)) }
    workload.add("SwiftCSV and JSONSerialization", of: facts) {
        let url = URL(fileURLWithPath: part.value.path)
        return {
            let csv = try NamedCSV(url: url, delimiter: .comma, loadColumns: false)
            FileManager.default.createFile(atPath: output, contents: nil)
            guard let file = FileHandle(forWritingAtPath: output) else { fatalError("cannot write \(output)") }
            var size = 0
            for row in csv.rows {
                var line = try JSONSerialization.data(withJSONObject: row, options: .withoutEscapingSlashes)
                line.append(UInt8(ascii: "\n"))
                size += line.count
                try file.write(contentsOf: line)
            }
            try file.close()
            return size
        }
    }
}
