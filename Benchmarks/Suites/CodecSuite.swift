import CSluice
import Foundation
import Sluice

/// Codecs: compressed files read and written, one thread. Answers are records.
func addCodecSuites() {
    let input = Inputs.head("flights.csv", megabytes: Inputs.isQuick ? 8 : 64)
    let plain = input.file("flights.csv")
    let records = recordCount(plain)
    let config = StreamConfig(parallelism: 1)
    for suffix in ["", ".gz", ".lz4"] {
        let path = plain + suffix
        if !suffix.isEmpty {
            do {
                try StreamContext(config).stream(
                    source: FileStreamSource(plain), sink: FileStreamSink(path))
            } catch { fatalError("\(path): \(error)") }
        }
        let way = suffix.isEmpty ? "none" : suffix
        Workload(suite: "read", data: "flights.csv", bytes: input.count, records: records, answer: records)
            .add(way) {
                var count = 0
                try FileStreamSource(path).forEach { count += $0.data.count }
                return count
            }
        let output = Inputs.path("suite-output.jsonl\(suffix)")
        Workload(suite: "write", data: "flights.csv → jsonl", bytes: input.count, records: records, answer: records)
            .add(way) {
                try StreamContext(config).stream(source: FileStreamSource(plain), sink: FileStreamSink(output))
                    .writtenRecords
            }
    }
}
