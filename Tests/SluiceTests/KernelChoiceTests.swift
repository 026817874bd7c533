import Testing

@testable import Sluice

@Suite("Kernels")
struct KernelChoiceTests {
    let folder = TemporaryFolder()
    let text = "a,b\n1,\"x\"\"\n\"\n2,é\n"

    @Test("a run hands its kernel to sources and sinks without one of their own, and all kernels write the same")
    func ofRun() throws {
        let input = try folder.file("x.csv", text)
        for kernel in KernelChoice.allCases where Engines.kernel(kernel) != nil {
            let context = StreamContext(StreamConfig(parallelism: 1, kernel: kernel))
            let output = folder.file("\(kernel).jsonl")
            let (source, sink) = (try FileStreamSource(input), try FileStreamSink(output, encoding: .utf16LE))
            try context.stream(source: source, sink: sink)
            #expect(source.kernel.name == Engines.kernel(kernel) && sink.kernel.name == Engines.kernel(kernel))
            let own = try FileStreamSource(input, kernel: .scalar)
            try context.stream(source: own, sink: MemoryStreamSink())
            #expect(own.kernel.name == "scalar", "what a source was told itself comes first")
            let back = folder.file("\(kernel).csv")
            try context.stream(source: FileStreamSource(output, encoding: .utf16LE), sink: FileStreamSink(back))
            #expect(try folder.text("\(kernel).csv") == text, "\(kernel)")
        }
    }

    @Test("a kernel that this processor has not is an error before anything is opened")
    func unsupported() throws {
        guard let missing = KernelChoice.allCases.first(where: { Engines.kernel($0) == nil }) else { return }
        let input = try folder.file("x.csv", text)
        let context = StreamContext(StreamConfig(kernel: missing))
        let error = streamError {
            try context.stream(source: FileStreamSource(input), sink: FileStreamSink(folder.file("out.jsonl")))
        }
        #expect(error?.code == .unsupported)
        #expect(folder.names == ["x.csv"])
    }

    @Test("SLUICE_KERNEL names the one that is used where nothing else is said")
    func ofEnvironment() throws {
        #expect(try folder.shell("SLUICE_KERNEL=swift exec \"$SLUICE\" --version").text.contains("kernel: swift"))
        try folder.write(text, to: "x.csv")
        let unknown = try folder.shell("SLUICE_KERNEL=fast exec \"$SLUICE\" count x.csv")
        #expect(unknown.status != 0 && unknown.output.isEmpty && unknown.messages.contains("SLUICE_KERNEL"))
        let asked = try folder.shell("SLUICE_KERNEL=swift exec \"$SLUICE\" count --kernel scalar x.csv")
        #expect(asked.text == "2\n")
    }

    @Test("each command takes --kernel, and one that this processor has not is an error of each")
    func ofCommands() throws {
        try folder.write(text, to: "x.csv")
        let missing = KernelChoice.allCases.first { Engines.kernel($0) == nil }
        let commands = [
            "convert x.csv - --to jsonl", "load x.csv x.db --table x --create", "export x.db - --table x --to jsonl",
            "count x.csv",
            "head x.csv", "inspect x.csv",
        ]
        for command in commands {
            let word = command.prefix { $0 != " " }
            let usual = try folder.shell("exec \"$SLUICE\" \(command)")
            if word == "load" { _ = try folder.shell("rm x.db") }
            let asked = try folder.shell("exec \"$SLUICE\" \(command) --kernel swift")
            #expect(usual.status == 0 && asked.status == 0 && asked.output == usual.output, "\(word)")
            let wrong = try folder.shell("exec \"$SLUICE\" \(command) --kernel fast")
            #expect(wrong.status == 64 && wrong.output.isEmpty, "\(word)")
            guard let missing else { continue }
            let refused = try folder.shell("exec \"$SLUICE\" \(command) --kernel \(missing)")
            #expect(refused.status == 64 && refused.messages.contains("cannot run the kernel"), "\(word)")
        }
    }
}
