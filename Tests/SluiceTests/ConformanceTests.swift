import Foundation
import Sluice
import Testing

/// Data sets that are checked out beside the project on some machines; the tests of the C core carry the same cases.
private func findConformance() -> URL? {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/" {
        folder.deleteLastPathComponent()
        let candidate = folder.appendingPathComponent("shared/conformance")
        if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
    }
    return nil
}

@Suite("Conformance data")
struct ConformanceTests {
    let folder = TemporaryFolder()
    let conformance = findConformance()

    @Test("csv-spectrum means what it should", arguments: kernels)
    func csvSpectrum(_ kernel: KernelChoice) throws {
        guard let base = conformance?.appendingPathComponent("csv-spectrum") else { return }
        let files = try FileManager.default.contentsOfDirectory(atPath: base.path + "/csvs")
        #expect(files.count == 12)
        for file in files {
            let json = base.appendingPathComponent("json/" + file.replacingOccurrences(of: ".csv", with: ".json"))
            let expected = try JSONSerialization.jsonObject(with: Data(contentsOf: json))
            let lines = try records(base.path + "/csvs/" + file, chunkSize: 1, kernel: kernel)
            let actual = try lines.map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String] ?? [:]
            }
            var wanted = expected as? [[String: String]] ?? [expected as? [String: String] ?? [:]]
            // The data set contradicts itself in one cell: its JSON has another telephone number than its CSV.
            if file == "location_coordinates.csv" { wanted[0]["Contact Phone Number"] = "2095257564" }
            #expect(actual == wanted, "\(file)")
        }
    }

    @Test("JSONTestSuite documents of one line are accepted and refused as they should be", arguments: kernels)
    func jsonTestSuite(_ kernel: KernelChoice) throws {
        guard let base = conformance?.appendingPathComponent("json/test_parsing") else { return }
        for file in try FileManager.default.contentsOfDirectory(atPath: base.path) where !file.hasPrefix("i_") {
            let bytes = try bytesOfFile(base.appendingPathComponent(file).path)
            // Documents of several lines, or of none, are other things as JSON Lines.
            let lines = bytes.split(separator: UInt8(ascii: "\n")).filter {
                !$0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) }
            }
            if lines.count != 1 || bytes.starts(with: [0xEF, 0xBB, 0xBF]) { continue }
            let path = try folder.file("x.jsonl", bytes)
            let output = folder.file("y.jsonl")
            let error = streamError {
                let processor = BasicStreamProcessor(
                    source: try FileStreamSource(path, kernel: kernel), sink: try FileStreamSink(output, kernel: kernel)
                )
                try processor.run()
            }
            #expect((error == nil) == file.hasPrefix("y_"), "\(file): \(error?.description ?? "accepted")")
        }
    }
}
