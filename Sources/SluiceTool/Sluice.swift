import ArgumentParser
import Sluice

@main
struct SluiceTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Streams data sets larger than memory.",
        discussion: """
            Converts between CSV, JSON Lines, JSON, text and bytes, plain, gzip'd or as LZ4, in a few MiB of memory. Formats \
            and compression are told from the names of the files; "-" is standard input or output.

            Exit codes: 0 success, 64 usage, 65 bad data, 66 no input, 70 a defect of its own, 73 cannot create, \
            74 input or output failed, 75 timeout, or a database that stays locked.
            """,
        version: version,
        subcommands: [Convert.self, Load.self, Export.self, Count.self, Head.self, Inspect.self])

    static var version: String {
        "sluice 0.1.0 (kernel: \(Engines.kernel() ?? "none"), gzip: \(Engines.gzip))"
    }

    static func main() {
        do {
            try checkArguments()
            do {
                var command = try parseAsRoot()
                try command.run()
            } catch let error where exitCode(for: error).isSuccess {
                // Help and version; exit(withError:) would not notice that they cannot be written.
                try Terminal.show(fullMessage(for: error))
            }
        } catch let error as StreamError {
            Terminal.say("sluice: \(error)")
            Terminal.exit(ExitStatus(error))
        } catch {
            exit(withError: error)
        }
    }

    /// Swift repairs what is not UTF-8 in arguments, and a repaired name is that of another file. Where it cannot learn them,
    /// as on Linux without /proc, it has none at all, not even the command's name.
    private static func checkArguments() throws {
        guard !CommandLine.arguments.isEmpty else {
            throw StreamError(.readFailed, "the system does not tell the arguments", hint: "mount /proc")
        }
        for (place, argument) in CommandLine.arguments.enumerated() {
            guard let bytes = CommandLine.unsafeArgv[place], String(validatingCString: bytes) == nil else { continue }
            throw StreamError(
                .invalidConfiguration, "the argument is not valid UTF-8", path: argument,
                hint: "rename the file, or give - in its place and let the shell open it")
        }
    }
}
