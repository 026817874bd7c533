import Foundation
import Sluice
import Testing

@Suite("File sinks")
struct FileStreamSinkTests {
    let folder = TemporaryFolder()

    /// Writes records and returns the file's text.
    func written(
        _ name: String, _ batches: [RecordBatch], columns: [String]? = nil, kernel: KernelChoice = .auto
    ) throws -> String {
        let sink = try FileStreamSink(folder.file(name), columns: columns, kernel: kernel)
        for batch in batches { try sink.writeChunk(StreamChunk(data: batch)) }
        try sink.close()
        return try folder.text(name)
    }

    @Test("CSV is quoted where it has to be", arguments: kernels)
    func csv(_ kernel: KernelChoice) throws {
        let batch: RecordBatch = [
            ["a": "x,y", "b": "q\"q", "c": "l\nl", "d": " s "],
            ["a": nil, "b": true, "c": 1.5, "d": [1, ["k": "v,"]]],
            ["b": .decimal("0.10"), "d": .bytes([1, 2, 3])],
            ["a": "", "b": -7, "c": "\r", "d": "é"],
        ]
        #expect(
            try written("x.csv", [batch], kernel: kernel) == """
                a,b,c,d
                "x,y","q""q","l\nl", s \n,true,1.5,"[1,{""k"":""v,""}]"
                ,0.10,,AQID
                ,-7,"\r",é

                """)
        #expect(try written("y.csv", [[["a": ""], ["a": nil], ["a": "x"]]], kernel: kernel) == "a\n\"\"\n\"\"\nx\n")
        #expect(try written("z.tsv", [[["a": "x,y", "b": "t\tt"]]], kernel: kernel) == "a\tb\nx,y\t\"t\tt\"\n")
    }

    @Test("JSON Lines keep the order of keys and the text of numbers", arguments: kernels)
    func jsonLines(_ kernel: KernelChoice) throws {
        let batch: RecordBatch = [
            ["b": "\u{1}\"\\\n", "a": nil], ["a": 1, "b": .decimal("1e400")], [:],
            ["z": [1.0, -0.0, 1e16, .double(.leastNonzeroMagnitude)]],
        ]
        #expect(
            try written("x.jsonl", [batch], kernel: kernel) == """
                {"b":"\\u0001\\"\\\\\\n","a":null}
                {"a":1,"b":1e400}
                {}
                {"z":[1.0,-0.0,1e+16,5e-324]}

                """)
    }

    @Test("columns come from the first 1000 records, whatever the chunks")
    func columns() throws {
        var all: [Record] = (0..<1500).map { ["a": Value($0)] }
        all[999]["b"] = "late"
        for chunkSize in [1, 300, 999, 1000, 1500] {
            let source = MemoryStreamSource(all, chunkSize: chunkSize)
            let path = folder.file("x.csv")
            try BasicStreamProcessor(source: source, sink: FileStreamSink(path)).run()
            let lines = try folder.text("x.csv").split(separator: "\n")
            #expect(lines.count == 1501)
            #expect([lines[0], lines[1000], lines[1500]] == ["a,b", "999,late", "1499,"])
        }
        all[1200]["c"] = 1
        let processor = BasicStreamProcessor(
            source: MemoryStreamSource(all, chunkSize: 100), sink: try FileStreamSink(folder.file("y.csv")))
        let error = streamError { try processor.run() }
        #expect(error?.code == .unknownKey && error?.column == "c" && error?.hint != nil)
        #expect(error?.record == 1201, "records that no file numbered are numbered as they are written")
        #expect(!folder.names.contains("y.csv"))
    }

    @Test(
        "the source's columns come first however many records follow, though the transform replaced them all",
        arguments: [0, 1, 999, 1000, 1001, 2500], [1, 7, 1000])
    func replacedRecords(_ count: Int, _ chunkSize: Int) throws {
        let input = try folder.file("in.csv", "a,b\n" + String(repeating: "1,2\n", count: count))
        try BasicStreamProcessor(
            source: FileStreamSource(input, chunkSize: chunkSize), sink: FileStreamSink(folder.file("out.csv"))
        ) { $0.data = RecordBatch($0.data.map { _ in ["x": 3, "b": 4] }) }.run()
        let header = count == 0 ? "a,b\n" : "a,b,x\n"
        #expect(try folder.text("out.csv") == header + String(repeating: ",4,3\n", count: count))
    }

    @Test("columns that are given are the header at once, and other keys are refused")
    func givenColumns() throws {
        #expect(try written("x.csv", [], columns: ["b", "a"]) == "b,a\n")
        #expect(try written("y.csv", [[["a": 1], ["b": 2]]], columns: ["b", "a"]) == "b,a\n,1\n2,\n")
        let error = streamError { _ = try written("z.csv", [[["c": 1]]], columns: ["a"]) }
        #expect(error?.code == .unknownKey && error?.column == "c")
    }

    @Test("a field that JSON records or CSV rows gained is a column too")
    func addedFields() throws {
        let csv = try folder.file("in.csv", "a,b\n1,2\n3,4\n")
        let json = try folder.file("in.jsonl", "{\"a\":1,\"b\":{\"c\":[2]}}\n{\"b\":\"x,\"}\n")
        func run(_ input: String, _ output: String) throws -> String {
            try BasicStreamProcessor(source: FileStreamSource(input), sink: FileStreamSink(folder.file(output))) {
                chunk in
                for i in chunk.data.indices { chunk.data[i]["n"] = Value(i) }
                chunk.data.setAll("a", to: nil)
            }.run()
            return try folder.text(output)
        }
        #expect(try run(csv, "1.csv") == "a,b,n\n,2,0\n,4,1\n")
        #expect(try run(csv, "1.jsonl") == "{\"b\":\"2\",\"n\":0}\n{\"b\":\"4\",\"n\":1}\n")
        #expect(try run(json, "2.csv") == "b,n\n\"{\"\"c\"\":[2]}\",0\n\"x,\",1\n")
        #expect(try run(json, "2.jsonl") == "{\"b\":{\"c\":[2]},\"n\":0}\n{\"b\":\"x,\",\"n\":1}\n")
    }

    @Test("removed, replaced and appended rows are written as they are seen", arguments: kernels)
    func editedRows(_ kernel: KernelChoice) throws {
        let csv = try folder.file("in.csv", "a,b\n1,2\n3,4\n5,6\n7,8\n")
        let json = try folder.file(
            "in.jsonl", (0..<4).map { "{\"a\":\"\($0 * 2 + 1)\",\"b\":\"\($0 * 2 + 2)\"}\n" }.joined())
        for input in [csv, json] {
            try BasicStreamProcessor(
                source: FileStreamSource(input, kernel: kernel),
                sink: FileStreamSink(folder.file("out.jsonl"), kernel: kernel)
            ) { chunk in
                chunk.data.removeAll { $0["a"] == "3" }
                chunk.data[0] = ["b": "new", "a": true]
                chunk.data[1]["a"] = nil
                chunk.data.append(["c": 1])
            }.run()
            #expect(
                try folder.text("out.jsonl")
                    == "{\"b\":\"new\",\"a\":true}\n{\"b\":\"6\"}\n{\"a\":\"7\",\"b\":\"8\"}\n{\"c\":1}\n")
        }
    }

    @Test("NaN has no JSON, and the error names record and column")
    func notFinite() throws {
        let csv = try folder.file("in.csv", "a\n1\n2\n")
        for value: Value in [.double(.nan), .double(-.infinity), [1, .double(.nan)]] {
            let processor = BasicStreamProcessor(
                source: try FileStreamSource(csv), sink: try FileStreamSink(folder.file("out.jsonl"))
            ) { $0.data[1]["x"] = value }
            let error = streamError { try processor.run() }
            #expect(error?.code == .numberNotFinite && error?.record == 2 && error?.column == "x")
        }
        #expect(folder.names == ["in.csv"])
    }

    @Test("a decimal that is no number and values nested too deep are refused, not written")
    func notJSON() throws {
        var deep: Value = 1
        for _ in 0..<512 { deep = [deep] }
        for value: Value in [.decimal("no number\n}"), [.decimal("1.")], .decimal(""), deep] {
            let error = streamError { _ = try written("x.jsonl", [[["a": 1], ["a": value]]]) }
            #expect(error?.code == .numberNotFinite && error?.record == 2 && error?.column == "a")
        }
    }

    @Test("NaN and infinities are refused wherever they stand, in both formats", arguments: kernels)
    func notFinite(_ kernel: KernelChoice) throws {
        for number in [Double.nan, .infinity, -.infinity] {
            for value: Value in [.double(number), [.double(number)], ["x": .double(number)]] {
                for name in ["x.jsonl", "x.csv"] {
                    let error = streamError { _ = try written(name, [[["a": 1], ["a": value]]], kernel: kernel) }
                    #expect(error?.code == .numberNotFinite && error?.record == 2 && error?.column == "a", "\(name)")
                }
            }
        }
        #expect(folder.names.isEmpty)
    }

    @Test("bytes are base64 in both formats, inside arrays and objects too", arguments: kernels)
    func bytes(_ kernel: KernelChoice) throws {
        let batch: RecordBatch = [["a": .bytes([]), "b": [.bytes([0xFF])], "c": ["k": .bytes([1, 2, 3, 4])]]]
        #expect(
            try written("x.jsonl", [batch], kernel: kernel) == #"{"a":"","b":["/w=="],"c":{"k":"AQIDBA=="}}"# + "\n")
        #expect(
            try written("x.csv", [batch], kernel: kernel)
                == "a,b,c\n,\"[\"\"/w==\"\"]\",\"{\"\"k\"\":\"\"AQIDBA==\"\"}\"\n")
    }

    @Test("a field set on a JSON line that is no object is an error, since its value would go", arguments: kernels)
    func noObject(_ kernel: KernelChoice) throws {
        let input = try folder.file("in.jsonl", "{}\n5\n[]\n")
        func run(_ output: String, _ edit: @escaping (inout StreamChunk) -> Void) -> StreamError? {
            streamError {
                try BasicStreamProcessor(
                    source: FileStreamSource(input, kernel: kernel),
                    sink: FileStreamSink(folder.file(output), kernel: kernel), transform: edit
                ).run()
            }
        }
        for output in ["x.jsonl", "x.csv"] {
            let error = run(output) { $0.data.setAll("p", to: true) }
            #expect(error?.code == .unsupported && error?.record == 2)
        }
        let putBack = run("x.jsonl") { chunk in
            chunk.data[0] = ["x": 1, "y": 2]
            var record = chunk.data[1]
            record["y"] = 1
            record["x"] = 2
            chunk.data[1] = record
        }
        #expect(putBack?.code == .unsupported && putBack?.record == 2)
        #expect(run("y.jsonl") { $0.data[0]["p"] = 1 } == nil)
        #expect(try folder.text("y.jsonl") == "{\"p\":1}\n5\n[]\n")
        let replaced = run("z.jsonl") { chunk in
            chunk.data[1] = ["q": 1]
            chunk.data.removeAll { $0.value == [] }
            chunk.data.setAll("p", to: true)
        }
        #expect(replaced == nil)
        #expect(try folder.text("z.jsonl") == "{\"p\":true}\n{\"q\":1,\"p\":true}\n")
    }

    @Test("CSV columns are decided by the bytes of large records too")
    func columnsByBytes() throws {
        var records: [String] = (0..<10).map { _ in "{\"a\":\"\(String(repeating: "x", count: 1_000_000))\"}" }
        func run() throws {
            let input = try folder.file("in.jsonl", records.joined(separator: "\n"))
            try BasicStreamProcessor(source: FileStreamSource(input), sink: FileStreamSink(folder.file("x.csv"))).run()
        }
        records[4] = "{\"b\":1}"
        try run()
        #expect(try folder.text("x.csv").hasPrefix("a,b\n"))
        records[9] = "{\"c\":1}"
        let error = streamError { try run() }
        #expect(error?.code == .unknownKey && error?.record == 10 && error?.column == "c")
    }

    @Test("a name that starts with a byte order mark is quoted, and comes back")
    func byteOrderMark() throws {
        let name = "\u{FEFF}\"a"
        #expect(try written("x.csv", [[[name: "1"]]]) == "\"\u{FEFF}\"\"a\"\n1\n")
        #expect(try FileStreamSource(folder.file("x.csv")).readChunk()?.data[0].keys == [name])
    }

    @Test("a record that is appended keeps the order of its keys")
    func appendedOrder() throws {
        let input = try folder.file("in.csv", "a,b\n1,2\n")
        let output = folder.file("out.jsonl")
        try BasicStreamProcessor(source: FileStreamSource(input), sink: FileStreamSink(output)) { chunk in
            chunk.data.append(["z": 1, "b": 2, "a": 3])
            chunk.data.append(["a": 4, "z": 5])
            #expect(chunk.data[1].keys == ["z", "b", "a"])
        }.run()
        #expect(
            try folder.text("out.jsonl") == "{\"a\":\"1\",\"b\":\"2\"}\n{\"z\":1,\"b\":2,\"a\":3}\n{\"a\":4,\"z\":5}\n")
    }

    @Test("an inherited descriptor is written on, not replaced")
    func descriptor() throws {
        let path = try folder.file("log.jsonl", "old\n")
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        let sink = try FileStreamSink("/dev/fd/\(file.fileDescriptor)", format: .jsonl)
        try sink.writeChunk(StreamChunk(data: [["a": 1]]))
        try sink.close()
        try file.close()
        #expect(try folder.text("log.jsonl") == "old\n{\"a\":1}\n")
    }

    @Test("nothing is published before close; abort, an error and a sink that goes away leave the old file")
    func atomic() throws {
        let path = try folder.file("x.jsonl", "old\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        for end in ["abort", "drop", "fail"] {
            var sink: FileStreamSink? = try FileStreamSink(path)
            try sink?.writeChunk(StreamChunk(data: [["a": 1]]))
            try sink?.flush()
            #expect(try folder.text("x.jsonl") == "old\n")
            if end == "abort" { sink?.abort() }
            if end == "fail" {
                #expect(streamError { try sink?.writeChunk(StreamChunk(data: [["a": .double(.nan)]])) } != nil)
                #expect(streamError { try sink?.close() }?.code == .closed)
            }
            sink = nil
            #expect(folder.names == ["x.jsonl"])
        }
        let sink = try FileStreamSink(path)
        try sink.writeChunk(StreamChunk(data: [["a": 1]]))
        try sink.close()
        try sink.close()
        sink.abort()
        #expect(try folder.text("x.jsonl") == "{\"a\":1}\n")
        #expect(folder.names == ["x.jsonl"])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o640)
        #expect(streamError { try sink.writeChunk(StreamChunk(data: [])) }?.code == .closed)
    }

    @Test("flush publishes nothing, and what comes behind it is written too", arguments: ["jsonl", "csv", "jsonl.gz"])
    func flush(_ suffix: String) throws {
        let path = folder.file("x.\(suffix)")
        let sink = try FileStreamSink(path, columns: suffix == "csv" ? ["a"] : nil)
        var size = 0
        for number in 1...3 {
            try sink.writeChunk(StreamChunk(data: [["a": Value(number)]]))
            try sink.flush()
            #expect(!folder.names.contains("x.\(suffix)") && sink.bytesWritten > size)
            size = sink.bytesWritten
        }
        try sink.close()
        #expect(try records(path) == [1, 2, 3].map { suffix == "csv" ? "{\"a\":\"\($0)\"}" : "{\"a\":\($0)}" })
        #expect(folder.names == ["x.\(suffix)"])
    }

    @Test("two writers of one file do not disturb each other: each publishes all of its own, the last one stays")
    func twoWriters() throws {
        let path = folder.file("x.jsonl")
        let sinks = try (0..<3).map { _ in try FileStreamSink(path) }
        for round in 0..<2 {
            for (number, sink) in sinks.enumerated() {
                try sink.writeChunk(StreamChunk(data: [["writer": Value(number), "round": Value(round)]]))
                try sink.flush()
            }
        }
        for number in [1, 0] {
            try sinks[number].close()
            #expect(try records(path) == (0..<2).map { "{\"writer\":\(number),\"round\":\($0)}" })
        }
        sinks[2].abort()
        #expect(try records(path).count == 2 && folder.names == ["x.jsonl"])
    }

    @Test("a FIFO is written straight, and stays a FIFO")
    func fifo() throws {
        let path = folder.file("x.jsonl")
        #expect(mkfifo(path, 0o600) == 0)
        // Open both ways, so that nobody waits for the other end.
        let reader = open(path, O_RDWR | O_NONBLOCK)
        defer { close(reader) }
        let sink = try FileStreamSink(path)
        try sink.writeChunk(StreamChunk(data: [["a": 1]]))
        try sink.close()
        var room = [UInt8](repeating: 0, count: 100)
        let count = read(reader, &room, room.count)
        #expect(String(decoding: room.prefix(max(0, count)), as: UTF8.self) == "{\"a\":1}\n")
        #expect(folder.names == ["x.jsonl"])
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType != .typeRegular)
    }

    @Test("the owner of a file that is replaced is kept where that is allowed")
    func owner() throws {
        let path = try folder.file("x.jsonl", "old\n")
        // Only root may give a file away; others check that theirs stays theirs.
        _ = chown(path, 12345, 12346)
        func owners() throws -> [Int?] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return [attributes[.ownerAccountID] as? Int, attributes[.groupOwnerAccountID] as? Int]
        }
        let before = try owners()
        let sink = try FileStreamSink(path)
        try sink.writeChunk(StreamChunk(data: [["a": 1]]))
        try sink.close()
        #expect(try owners() == before && before.allSatisfy { $0 != nil })
        #expect(try folder.text("x.jsonl") == "{\"a\":1}\n")
    }

    @Test("links are followed, devices written straight, directories refused")
    func targets() throws {
        let real = try folder.file("real.jsonl", "old\n")
        let link = folder.file("link.jsonl")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real.jsonl")
        let new = folder.file("new.jsonl")
        try FileManager.default.createSymbolicLink(atPath: new, withDestinationPath: "made.jsonl")
        for path in [link, new] {
            let sink = try FileStreamSink(path)
            try sink.writeChunk(StreamChunk(data: [["a": 1]]))
            try sink.close()
        }
        #expect(try folder.text("real.jsonl") == "{\"a\":1}\n")
        #expect(try folder.text("made.jsonl") == "{\"a\":1}\n")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real.jsonl")
        #expect(FileManager.default.contents(atPath: real) != nil)
        let null = try FileStreamSink("/dev/null", format: .jsonl)
        try null.writeChunk(StreamChunk(data: [["a": 1]]))
        try null.close()
        #expect(streamError { _ = try FileStreamSink(folder.path, format: .jsonl) }?.code == .isDirectory)
        #expect(streamError { _ = try FileStreamSink(folder.file("no/x.jsonl")) }?.code == .cannotCreate)
        #expect(streamError { _ = try FileStreamSink(folder.file("x.idea")) }?.code == .invalidConfiguration)
    }

    @Test("a full disk is an error that names the file")
    func fullDisk() throws {
        for flushes in [false, true] {
            let sink = try FileStreamSink("/dev/full", format: .jsonl)
            try sink.writeChunk(StreamChunk(data: [["a": 1]]))
            let error = streamError { if flushes { try sink.flush() } else { try sink.close() } }
            #expect(error?.code == .noSpace && error?.path == "/dev/full")
            #expect(streamError { try sink.close() }?.code == .closed, "what failed cannot be published later")
        }
    }

    @Test("gzip counts raw and written bytes, at every level", arguments: 0...9)
    func gzip(_ level: Int) throws {
        let batch = RecordBatch((0..<20_000).map { ["id": Value($0), "text": "some text that repeats"] })
        let path = folder.file("x.jsonl.gz")
        let sink = try FileStreamSink(path, level: level)
        #expect(sink.compressionRatio == 1)
        try sink.writeChunk(StreamChunk(data: batch))
        try sink.close()
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(sink.bytesWritten == size)
        #expect(level == 0 ? sink.compressionRatio < 1 : sink.compressionRatio > 4)
        let back = try records(path)
        #expect(back.count == 20_000 && back[777] == #"{"id":777,"text":"some text that repeats"}"#)
    }

    @Test("an output without a record has the ratio 1, gzip's own bytes or not", arguments: ["x.jsonl", "x.jsonl.gz"])
    func emptyRatio(_ name: String) throws {
        let sink = try FileStreamSink(folder.file(name))
        try sink.writeChunk(StreamChunk(data: []))
        try sink.close()
        #expect(sink.compressionRatio == 1 && sink.bytesWritten == (name == "x.jsonl" ? 0 : 28))
        #expect(try records(folder.file(name)).isEmpty)
    }

    @Test("levels, columns and names that make no sense are refused")
    func configuration() throws {
        for make in [
            { _ = try FileStreamSink(folder.file("x.csv"), level: 1) },
            { _ = try FileStreamSink(folder.file("x.csv.gz"), level: 10) },
            { _ = try FileStreamSink(folder.file("x.csv"), columns: []) },
            { _ = try FileStreamSink(folder.file("x.csv"), columns: ["a", "a"]) },
            { _ = try FileStreamSink(folder.file("x.jsonl"), columns: ["a"]) },
        ] as [() throws -> Void] {
            #expect(streamError { try make() }?.code == .invalidConfiguration)
        }
        #expect(folder.names.isEmpty)
    }

    @Test("input and output may be the same file")
    func inPlace() throws {
        let path = try folder.file("x.csv", "a\n1\n2\n")
        try BasicStreamProcessor(source: FileStreamSource(path), sink: FileStreamSink(path)) {
            $0.data.setAll("b", to: 1)
        }.run()
        #expect(try folder.text("x.csv") == "a,b\n1,1\n2,1\n")
    }

    @Test("the bytes are the same for all kernels and chunk sizes")
    func determinism() throws {
        var text = "id,name,note\n"
        for id in 0..<3000 {
            text +=
                "\(id),\(id % 3 == 0 ? "\"a \"\"quoted\"\" name\"" : "name\(id)"),\(id % 5 == 0 ? "\"two\nlines\"" : "é\(id)")\n"
        }
        let input = try folder.file("in.csv", text)
        for name in ["out.jsonl", "out.csv", "out.jsonl.gz"] {
            var seen: Set<Data> = []
            for kernel in kernels {
                for chunkSize in name.hasSuffix("gz") ? [100] : [1, 7, 1000, 64_000] {
                    let path = folder.file(name)
                    try BasicStreamProcessor(
                        source: FileStreamSource(input, chunkSize: chunkSize, kernel: kernel),
                        sink: FileStreamSink(path, kernel: kernel)
                    ).run()
                    seen.insert(try Data(contentsOf: URL(fileURLWithPath: path)))
                }
            }
            #expect(seen.count == 1, "\(name)")
            if name == "out.csv" { #expect(seen.first == Data(text.utf8)) }
        }
    }
}
