// The guide's first example: CSV to JSON Lines, with two fields set on every record.
//
//     sluice-example1 INPUT OUTPUT [--plain]
//
// --plain leaves the fields out, to see what setting them costs.

import Sluice

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

func csvToJSON(_ input: String, _ output: String, isPlain: Bool) throws -> ProcessingResult {
    let source = try FileStreamSource(input, format: .csv)
    let sink = try FileStreamSink(output, format: .jsonl)
    if isPlain { return BasicStreamProcessor(source: source, sink: sink).process() }
    let processor = BasicStreamProcessor(source: source, sink: sink) { chunk in
        for i in chunk.data.indices {
            chunk.data[i]["processed"] = true
            chunk.data[i]["timestamp"] = Value(chunk.timestamp)
        }
    }
    return processor.process()
}

let arguments = CommandLine.arguments.dropFirst()
let paths = arguments.filter { $0 != "--plain" }
guard paths.count == 2, let input = paths.first, let output = paths.last else {
    print("usage: sluice-example1 INPUT OUTPUT [--plain]")
    exit(64)
}
let result = try csvToJSON(input, output, isPlain: arguments.contains("--plain"))
print(result.processedChunks, result.processedRecords, result.duration, result.errors, result.success)
exit(result.success ? 0 : 1)
