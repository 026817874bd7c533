import BenchC
import Foundation
import Sluice

/// Codecs: compressed files read and written, one thread; and zlib by hand. Answers are records.
func addCodecSuites() {
    let plain = Lazy { InputFile("flights.csv", megabytes: Inputs.whole) }
    let config = StreamConfig(parallelism: 1)
    let read = Workload("read", "flights.csv") { plain.value.facts(plain.value.records) }
    let write = Workload("write", "flights.csv → jsonl") { plain.value.facts(plain.value.records) }

    /// The input, compressed.
    func packed(_ suffix: String) throws -> String {
        let path = plain.value.path + suffix
        if !suffix.isEmpty {
            try StreamContext(config).stream(source: FileStreamSource(plain.value.path), sink: FileStreamSink(path))
        }
        return path
    }

    for suffix in ["", ".gz", ".lz4"] {
        let way = suffix.isEmpty ? "plain" : suffix
        read.add(way) {
            let path = try packed(suffix)
            return { recordCount(path) }
        }
        write.add(way) {
            let output = Inputs.path("suite-output.jsonl\(suffix)")
            return {
                try StreamContext(config).stream(
                    source: FileStreamSource(plain.value.path), sink: FileStreamSink(output)
                ).writtenRecords
            }
        }
    }
    // No field has quotes: lines are records, but for the header.
    read.add(".gz, gzread of zlib, line ends counted") {
        let path = try packed(".gz")
        return { Int(bench_count_lines_gz(path)) - 1 }
    }
}
