import Foundation
import Sluice
import TestSupport
import Testing

/// What a process came to.
struct Outcome {
    let status: Int32
    let output: Data
    /// What it wrote to standard error.
    let messages: String

    var text: String { String(decoding: output, as: UTF8.self) }
}

enum Tool {
    /// The `sluice` of this very build: products lie beside the test bundle.
    static let path: String = {
        let bundle = Bundle(for: Anchor.self).bundleURL
        let candidates = [bundle, bundle.deletingLastPathComponent(), Bundle.main.bundleURL]
        let paths = candidates.map { $0.appendingPathComponent("sluice").path }
        return paths.first { FileManager.default.isExecutableFile(atPath: $0) } ?? paths[0]
    }()

    private final class Anchor {}
}

/// Long loops take every so many-th step: each on an optimized build; in debug and under a sanitizer, where a run of the tool
/// takes ten times as long (mostly to start), fewer.
#if DEBUG || THIN
    let step = 8
#else
    let step = 1
#endif

/// Whether everything is to be tried, which takes long: see scripts/stress.
let isStress = ProcessInfo.processInfo.environment["SLUICE_STRESS"] != nil

/// The kernels to force, by the names that the command line has for them.
let kernelNames = kernels.filter { step > 1 || $0 != .auto }.map(\.rawValue)

extension TemporaryFolder {
    func data(_ name: String) throws -> Data { Data(try bytesOfFile(file(name))) }

    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    }

    func write(_ text: String, to name: String) throws { try write(text.utf8, to: name) }

    /// Runs the tool in this folder. Its standard input is a pipe with the bytes of the file `input`, or empty.
    func sluice(_ arguments: String..., input: String? = nil) throws -> Outcome {
        try sluice(arguments, input: input)
    }

    func sluice(_ arguments: [String], input: String? = nil) throws -> Outcome {
        if let input { return try shell(#"file=$1; shift; cat "$file" | "$SLUICE" "$@""#, [input] + arguments) }
        return try shell(#"exec "$SLUICE" "$@""#, arguments)
    }

    /// Runs the tool, which has to succeed without a word.
    func convert(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        try convert(arguments, sourceLocation: sourceLocation)
    }

    func convert(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let outcome = try sluice(["convert"] + arguments)
        #expect(
            outcome.status == 0 && outcome.messages.isEmpty, "\(arguments): \(outcome.messages)",
            sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
    }

    /// The content of a gzip file, by gzip itself.
    func gunzip(_ name: String) throws -> Data {
        let outcome = try shell(#"exec gzip -dc "$1""#, [name])
        #expect(outcome.status == 0 && outcome.messages.isEmpty, "gzip -dc \(name): \(outcome.messages)")
        return outcome.output
    }

    /// Runs a program of Python, which has to succeed without a word.
    func python(_ program: String, _ arguments: String...) throws {
        let outcome = try shell(#"exec python3 -c "$@""#, [program] + arguments)
        #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome.messages)")
    }

    /// Runs a script of sh in this folder; it finds the tool in $SLUICE. Output goes to files, so that no pipe can fill up.
    func shell(_ script: String, _ arguments: [String] = []) throws -> Outcome {
        let logs = TemporaryFolder()
        let prologue = #"cd "$1" && exec </dev/null >"$2/output" 2>"$2/messages" || exit 99; shift 2; "#
        let environment = ProcessInfo.processInfo.environment.merging([
            "SLUICE": Tool.path, "LC_ALL": "C", "PYTHONUTF8": "1",
            // Of the address sanitizer: what a tool has not freed when it exits is no leak.
            "ASAN_OPTIONS": "detect_leaks=0",
            // Of the thread sanitizer: it maps a file of half a MiB that it makes there, which `ulimit -f` may have cut short.
            "TEST_TMPDIR": "/dev/null",
        ]) { $1 }
        let status = try spawn(["/bin/sh", "-c", prologue + script, "sh", path, logs.path] + arguments, environment)
        return Outcome(status: status, output: try logs.data("output"), messages: try logs.text("messages"))
    }
}

/// Runs a process to its end. What it returns is as in a shell: 128 + n where signal n ended it.
///
/// Foundation's `Process` does it through run loops and sockets, of which thousands of runs at once are too many.
private func spawn(_ command: [String], _ environment: [String: String]) throws -> Int32 {
    var arguments = command.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for string in arguments + variables { free(string) } }
    // Threads of a test run may block signals, and the process may ignore some: its children do neither.
    #if canImport(Darwin)
        var attributes: posix_spawnattr_t?
    #else
        var attributes = posix_spawnattr_t()
    #endif
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    var process: pid_t = 0
    let error = posix_spawn(&process, command[0], nil, &attributes, &arguments, &variables)
    guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .ENOENT) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
}

/// The same records in several formats, all as the tool writes them.
enum SampleText {
    static let csv = """
        id,text,city
        1,"say ""hi"", twice",Zürich
        2,"two
        lines",
        3,"a\r
        b",東京
        4,tab\there,\\😀
        5,,' '

        """

    static let jsonl = #"""
        {"id":"1","text":"say \"hi\", twice","city":"Zürich"}
        {"id":"2","text":"two\nlines","city":""}
        {"id":"3","text":"a\r\nb","city":"東京"}
        {"id":"4","text":"tab\there","city":"\\😀"}
        {"id":"5","text":"","city":"' '"}

        """#

    static let json = "[\n" + jsonl.dropLast().replacing("}\n", with: "},\n") + "\n]\n"

    /// Formats whose records may have any fields.
    static let formats: [FileFormat] = [.csv, .jsonl, .json]

    static func of(_ format: FileFormat) -> String { format == .csv ? csv : format == .json ? json : jsonl }

    /// More records than a unit takes, with everything in them that needs quotes or escapes, as CSV.
    static func long(records: Int) -> String {
        var random = SplitMix64(seed: 7)
        let words = [
            "plain", "", "a,b", "say \"no\"", "two\nlines", "crlf\r\n", "naïve", "日本", "\\", "1e5", "007", "true",
            "x y z",
        ]
        var text = "id,\"the, name\",text,last\n"
        for number in 0..<records {
            let cells = (0..<3).map { _ in words.randomElement(using: &random) ?? "" }
            text += ([String(number)] + cells.map(quoted)).joined(separator: ",") + "\n"
        }
        return text
    }

    private static func quoted(_ cell: String) -> String {
        let needsQuotes = cell.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
        return needsQuotes ? "\"\(cell.replacingOccurrences(of: "\"", with: "\"\""))\"" : cell
    }
}
