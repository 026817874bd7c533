import Foundation
import Sluice
import TestSupport
import Testing

/// What threads may do at the same time. These say most under the thread sanitizer:
/// `swift test --sanitize=thread --scratch-path .build-tsan --filter SharingTests`.
@Suite("Batches that threads share")
struct SharingTests {
    let folder = TemporaryFolder()

    /// A batch of each kind: over a file's bytes, edited, and made of records.
    private func batches() throws -> [RecordBatch] {
        let csv = try folder.file("in.csv", "id,name\n" + (0..<60).map { "\($0),\"n \"\"\($0)\"\"\"\n" }.joined())
        let json = try folder.file("in.jsonl", (0..<60).map { "{\"id\":\($0),\"name\":\"\\u006e \($0)\"}\n" }.joined())
        var batches = try [
            #require(try FileStreamSource(csv).readChunk()).data,
            #require(try FileStreamSource(csv, types: .inferred).readChunk()).data,
            #require(try FileStreamSource(json).readChunk()).data,
            #require(try FileStreamSource(json, select: ["name", "id"]).readChunk()).data,
            RecordBatch((0..<60).map { ["id": Value($0), "name": "n"] }),
        ]
        for place in batches.indices {
            var edited = batches[place]
            edited.setAll("extra", to: "e")
            edited[3]["id"] = "three"
            edited.removeAll { $0["id", as: Int.self] == 5 }
            batches.append(edited)
        }
        return batches
    }

    @Test("threads read one batch while each edits a copy of its own")
    func readWhileEditing() throws {
        for shared in try batches() {
            let before = shared.everything
            let expected = (0..<8).map { number in
                var copy = shared
                copy.edit(by: number)
                return copy.everything
            }
            let differing = Locked<[Int]>([])
            onThreads(8) { number in
                var isSame = true
                for _ in 0..<2 {
                    var copy = shared
                    isSame = isSame && shared.everything == before
                    copy.edit(by: number)
                    isSame = isSame && copy.everything == expected[number] && shared.everything == before
                }
                if !isSame { differing.withLock { $0.append(number) } }
            }
            #expect(differing.withLock { $0 }.isEmpty)
            #expect(shared.everything == before)
        }
    }

    @Test("threads write one batch to files of their own")
    func writeAtOnce() throws {
        for (place, shared) in try batches().enumerated() {
            let paths = (0..<8).map { folder.file("\(place)-\($0).jsonl") }
            let alone = folder.file("\(place).jsonl")
            let sink = try FileStreamSink(alone)
            try sink.writeChunk(StreamChunk(data: shared))
            try sink.close()
            onThreads(8) { number in
                guard let sink = try? FileStreamSink(paths[number]) else { return }
                try? sink.writeChunk(StreamChunk(data: shared))
                try? sink.close()
            }
            for path in paths { #expect(try bytesOfFile(path) == bytesOfFile(alone)) }
        }
    }
}

extension RecordBatch {
    /// All there is of it, read in every way.
    fileprivate var everything: [String] {
        [description, columns.joined(separator: ",")]
            + map { "\($0.keys) \($0["name"] ?? "none") \($0["id", as: Int.self] ?? -1) \($0.number ?? -1)" }
            + column("name", as: String.self).map { $0 ?? "none" }
    }

    fileprivate mutating func edit(by number: Int) {
        for i in indices where i % 7 == 0 { self[i]["name"] = .string("thread \(number)") }
        setAll("thread", to: Value(number))
        var record = self[1]
        record["id"] = .null
        removeAll { $0["id", as: Int.self] == 2 }
        append(record)
        self[0] = ["other": Value(number)]
        self[2]["name"] = nil
    }
}
