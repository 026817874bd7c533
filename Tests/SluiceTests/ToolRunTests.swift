import Foundation
import Testing

@Suite("The tool's runs")
struct ToolRunTests {
    let folder = TemporaryFolder()

    private func statistics(_ text: String) throws -> [String: Double] {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
        return object.compactMapValues { ($0 as? NSNumber)?.doubleValue }
    }

    @Test("--stats json says what a run came to in one object, and the output is the same")
    func json() throws {
        try folder.write("a,b\n" + (0..<5000).map { "\($0),x\n" }.joined(), to: "in.csv")
        try folder.convert("in.csv", "plain.jsonl")
        for jobs in ["1", "3"] {
            let outcome = try folder.sluice(
                "convert", "in.csv", "out.jsonl.gz", "--stats", "json", "--jobs", jobs)
            #expect(outcome.status == 0 && outcome.output.isEmpty)
            let all = try statistics(outcome.messages)
            #expect(all["read_records"] == 5000 && all["written_records"] == 5000 && all["errors"] == 0)
            #expect(try all["bytes_read"] == Double(folder.data("in.csv").count))
            #expect(try all["bytes_encoded"] == Double(folder.data("plain.jsonl").count))
            #expect(try all["bytes_written"] == Double(folder.data("out.jsonl.gz").count))
            #expect(all["workers"] == Double(jobs) && (all["seconds"] ?? 0) > 0)
            #expect(try folder.gunzip("out.jsonl.gz") == folder.data("plain.jsonl"))
        }
        let counted = try folder.sluice("count", "in.csv", "--stats", "json")
        #expect(counted.text == "5000\n")
        #expect(try statistics(counted.messages)["read_records"] == 5000)
        let both = try folder.sluice("count", "in.csv", "plain.jsonl", "--stats", "json").messages.split(
            separator: "\n")
        #expect(both.count == 2 && both[1].hasPrefix(#"{"input":"plain.jsonl","read_records":5000,"#))
    }

    @Test("--stats text says it for people")
    func text() throws {
        try folder.write("a\n1\n2\n", to: "in.csv")
        let outcome = try folder.sluice("convert", "in.csv", "-", "--to", "jsonl", "--stats", "text")
        #expect(outcome.text == "{\"a\":\"1\"}\n{\"a\":\"2\"}\n")
        #expect(outcome.messages.hasPrefix("records  2 read, 2 written, 0 filtered, 0 rejected\nbytes "))
        #expect(outcome.messages.contains("\nmemory ") && outcome.messages.contains("\nwrite "))
    }

    @Test(
        "a run that takes too long ends with exit code 75, and the old output stays", arguments: ["convert", "count"])
    func timeout(command: String) throws {
        try folder.write("old", to: "out.jsonl")
        let outcome = try folder.shell(
            """
            mkfifo pipe.csv
            # Open for writing, too: it is silent, and does not end.
            exec 3<>pipe.csv
            printf 'a\\n1\\n' >&3
            "$SLUICE" "$@" --timeout 0.05
            """, command == "convert" ? ["convert", "pipe.csv", "out.jsonl"] : ["count", "pipe.csv"])
        #expect(outcome.status == 75 && outcome.messages.contains("longer than it may"), "\(outcome.messages)")
        #expect(try folder.text("out.jsonl") == "old" && outcome.output.isEmpty)
    }

    @Test("numbers that make no sense, and limits that nothing fits, are refused")
    func refused() throws {
        try folder.write("a\n" + String(repeating: "x", count: 4 << 20) + "\n", to: "in.csv")
        for options in [["--jobs", "0"], ["--memory-limit", "0"], ["--timeout", "0"], ["--memory-limit", "1"]] {
            let outcome = try folder.sluice(["convert", "in.csv", "out.jsonl"] + options)
            #expect(outcome.status == 64 && outcome.messages.hasPrefix("sluice: "), "\(options): \(outcome.messages)")
            #expect(folder.names == ["in.csv"])
        }
    }

    @Test("progress is shown where standard error is a terminal, and taken away again; never over the output")
    func progress() throws {
        try folder.write("a\n" + (0..<5000).map { "\($0)\n" }.joined(), to: "in.csv")
        try folder.write("a,b\n1,2\n3\n", to: "bad.csv")
        let program = """
            import os, pty, sys
            child, terminal = pty.fork()
            if child == 0:
                os.execv(sys.argv[1], sys.argv[1:])
            shown = b""
            try:
                while piece := os.read(terminal, 4096):
                    shown += piece
            except OSError:
                pass  # Linux says so when the last one has closed the terminal
            sys.stdout.write(repr(shown.decode().replace("\\r\\n", "\\n")))
            """
        func shown(_ arguments: String...) throws -> String {
            try folder.shell(
                #"program=$1; shift; exec python3 -c "$program" "$SLUICE" "$@""#, [program] + arguments
            ).text
        }
        let converted = try shown("convert", "in.csv", "out.jsonl")
        #expect(converted.contains("5000 records, ") && converted.hasSuffix(#"\r\x1b[K'"#), "\(converted)")
        #expect(try shown("count", "in.csv").hasSuffix(#"\r\x1b[K5000\n'"#))
        #expect(try shown("convert", "bad.csv", "out.jsonl").contains(#"\r\x1b[Ksluice: "#))
        for output in ["-", "/dev/stdout"] {
            #expect(try !shown("convert", "in.csv", output, "--to", "jsonl").contains("records, "))
        }
    }
}
