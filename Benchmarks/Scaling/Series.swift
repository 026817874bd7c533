import Foundation
import Sluice

/// One point of a line: what was streamed, and how long the median of its runs took.
struct Point: Encodable {
    var series: String
    var x: Double
    var bytes: Int
    var records: Int
    var seconds: Double
    var peakMiB: Double
}

/// A file of its own shape, made when it is first asked for.
struct Shape {
    var name: String
    var header: String
    var records: Int
    var record: (Int) -> String

    /// Where it is, and how many bytes it has.
    func file(in folder: String) throws -> (path: String, bytes: Int) {
        let path = "\(folder)/scaling-\(name).csv"
        if let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int, size > 0 {
            return (path, size)
        }
        // Under another name until it is whole.
        let part = path + ".part"
        FileManager.default.createFile(atPath: part, contents: nil)
        guard let file = FileHandle(forWritingAtPath: part) else { fatalError("cannot write \(part)") }
        var text = header + "\n"
        for number in 0..<records {
            text += record(number)
            text += "\n"
            if text.utf8.count > 1 << 20 {
                try file.write(contentsOf: Data(text.utf8))
                text = ""
            }
        }
        try file.write(contentsOf: Data(text.utf8))
        let size = try file.offset()
        try file.close()
        try FileManager.default.moveItem(atPath: part, toPath: path)
        return (path, Int(size))
    }
}

/// Streams a file `times` over to JSON Lines that go nowhere, and says what that took. Short runs are repeated for a second, a
/// hundred times at most.
/// - Parameter records: how many there are; nil: not known.
func measure(
    _ series: String, x: Double, _ path: String, times: Int = 1, chunkSize: Int = 1000, workers: Int = 1,
    memory: Int = 512, records: Int? = nil, runs: Int
) throws -> Point {
    var points: [Point] = []
    let end = ContinuousClock.now + .seconds(runs > 1 ? 1 : 0)
    while points.count < runs || points.count < 100 && ContinuousClock.now < end {
        let context = StreamContext(
            StreamConfig(
                chunkSize: chunkSize, bufferSize: 1 << 20, parallelism: workers, memoryLimitMB: memory,
                backpressureThreshold: 1 << 19, enableMetrics: false))
        let source = try DirectoryStreamSource(paths: [String](repeating: path, count: times), format: .csv)
        let start = ContinuousClock.now
        let metrics = try context.stream(source: source, sink: FileStreamSink("/dev/null", format: .jsonl))
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        precondition(
            metrics.readRecords == metrics.writtenRecords && metrics.readRecords == records ?? metrics.readRecords,
            "\(series) \(x): \(metrics.writtenRecords) records of \(records ?? metrics.readRecords)")
        points.append(
            Point(
                series: series, x: x, bytes: metrics.bytesProcessed, records: metrics.writtenRecords, seconds: seconds,
                peakMiB: metrics.peakMemoryMB))
    }
    points.sort { $0.seconds < $1.seconds }
    return points[points.count / 2]
}
