import Foundation
import Sluice
import Testing

/// What a run leaves of what stood in its output's place, whatever that was.
@Suite("Targets")
struct TargetTests {
    let folder = TemporaryFolder()

    init() throws { try folder.write("a\n1\n", to: "in.csv") }

    static let line = "{\"a\":\"1\"}\n"
    static let modes: [[String]] = [[], ["--append"]]

    @Test("a target that cannot be made or written is 73, names it, and leaves all as it was", arguments: modes)
    func refused(_ mode: [String]) throws {
        _ = try folder.shell(
            """
            mkdir dir closed; echo old >closed/old.jsonl; ln -s closed/new.jsonl into.jsonl; chmod 500 closed
            ln -s loop.jsonl loop.jsonl; ln -s two.jsonl one.jsonl; ln -s one.jsonl two.jsonl
            ln -s none/x.jsonl nowhere.jsonl; ln -s dir todir.jsonl
            """)
        let before = try folder.shell("ls -lAR")
        var targets = [
            ("loop.jsonl", "symbolic link"), ("one.jsonl", "symbolic link"), ("nowhere.jsonl", "No such file"),
            ("none/x.jsonl", "No such file"), ("none/", mode.isEmpty ? "No such file" : "directory"),
            ("in.csv/x.jsonl", "Not a directory"),
            ("dir", "directory"), ("todir.jsonl", "directory"), ("closed/new.jsonl", "Permission denied"),
            ("into.jsonl", "Permission denied"), ("", "empty"),
        ]
        // The file itself may be written to, where only its directory may not.
        if mode.isEmpty { targets.append(("closed/old.jsonl", "Permission denied")) }
        for (target, words) in targets {
            let outcome = try folder.unprivileged(["convert", "in.csv", target, "--to", "jsonl"] + mode)
            #expect(outcome.status == 73, "\(target): \(outcome.messages)")
            #expect(outcome.messages.contains(words) && outcome.messages.hasPrefix("sluice: \(target): "))
            #expect(try folder.shell("ls -lAR").text == before.text, "\(target)")
        }
        _ = try folder.shell("chmod 700 closed")
    }

    @Test("a file that may not be written to is replaced, since its directory may be; appended to it is not")
    func readOnly() throws {
        _ = try folder.shell("echo '{}' >out.jsonl; chmod 444 out.jsonl")
        let refused = try folder.unprivileged(["convert", "in.csv", "out.jsonl", "--append"])
        #expect(refused.status == 73 && refused.messages.contains("Permission denied"))
        #expect(try folder.text("out.jsonl") == "{}\n")
        let outcome = try folder.unprivileged(["convert", "in.csv", "out.jsonl"])
        #expect(outcome.status == 0 && folder.names == ["in.csv", "out.jsonl"], "\(outcome.messages)")
        #expect(try folder.text("out.jsonl") == Self.line)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("out.jsonl"))[.posixPermissions] as? Int
        #expect(mode == 0o444)
    }

    @Test("another hard link keeps the old content where the file is replaced, and gets the new one where it grows")
    func hardLinks() throws {
        try folder.write("{}\n", to: "one.jsonl")
        _ = try folder.shell("ln one.jsonl other.jsonl")
        try folder.convert("in.csv", "one.jsonl", "--append")
        #expect(try folder.text("other.jsonl") == "{}\n" + Self.line)
        try folder.convert("in.csv", "one.jsonl")
        #expect(try folder.text("one.jsonl") == Self.line)
        #expect(try folder.text("other.jsonl") == "{}\n" + Self.line)
    }

    @Test(
        "links stay, by any number of them: to files, to files that are not there yet, into other folders",
        arguments: modes)
    func links(_ mode: [String]) throws {
        _ = try folder.shell(
            """
            mkdir -p sub/deep; ln -s sub/deep/new.jsonl a.jsonl; ln -s a.jsonl b.jsonl; ln -s "$PWD/b.jsonl" sub/c.jsonl
            """)
        for _ in 0..<2 { try folder.convert(["in.csv", "sub/c.jsonl"] + mode) }
        #expect(try folder.text("sub/deep/new.jsonl") == (mode.isEmpty ? Self.line : Self.line + Self.line))
        let outcome = try folder.shell("test -L a.jsonl && test -L b.jsonl && test -L sub/c.jsonl && ls -A sub/deep")
        #expect(outcome.status == 0 && outcome.text == "new.jsonl\n")
    }

    @Test(
        "devices, FIFOs and standard output are written straight and never renamed over, links to them either",
        arguments: modes)
    func straight(_ mode: [String]) throws {
        let more = mode.joined(separator: " ")
        let outcome = try folder.shell(
            """
            mkfifo pipe; ln -s pipe out.jsonl; ln -s /dev/null null.jsonl; ln -s /dev/stdout std.jsonl
            cat pipe >got & "$SLUICE" convert in.csv out.jsonl \(more) && wait && cat got && test -p pipe || exit 1
            "$SLUICE" convert in.csv null.jsonl \(more) && test -c /dev/null && test -L null.jsonl || exit 2
            "$SLUICE" convert in.csv std.jsonl \(more) | cat && test -L std.jsonl || exit 3
            "$SLUICE" convert in.csv /dev/stdout --to jsonl \(more) | cat || exit 4
            "$SLUICE" convert in.csv - --to jsonl \(more) | cat || exit 5
            echo first >log; "$SLUICE" convert in.csv - --to jsonl \(more) >>log && cat log
            """)
        #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome.messages)")
        let line = Self.line
        #expect(outcome.text == line + line + line + line + "first\n" + line)
        #expect(folder.names == ["got", "in.csv", "log", "null.jsonl", "out.jsonl", "pipe", "std.jsonl"])
    }

    @Test("a descriptor that nothing can be written to is 73, even where nothing is to be written", arguments: modes)
    func descriptors(_ mode: [String]) throws {
        try folder.write("", to: "empty.csv")
        let targets = [
            ("/dev/fd/-1", "no such descriptor"), ("/dev/fd/x", "no such descriptor"),
            ("/dev/fd/", "no such descriptor"),
            ("/proc/self/fd/01", "no such descriptor"), ("/dev/fd/99999999999", "no such descriptor"),
            ("/dev/fd/999", "Bad file descriptor"), ("/dev/fd/0", "reading only"), ("-", "reading only"),
            ("/dev/stdout", "reading only"),
        ]
        for (target, words) in targets {
            let outcome = try folder.shell(
                #"exec "$SLUICE" convert empty.csv "$@" --to jsonl 1</dev/null"#, [target] + mode)
            #expect(outcome.status == 73, "\(target): \(outcome.messages)")
            #expect(outcome.messages.contains(words) && outcome.messages.hasPrefix("sluice: \(target): "))
        }
    }

    @Test("a failure leaves the old file, in write and in append mode, and the exit code says so", arguments: modes)
    func failure(_ mode: [String]) throws {
        try folder.write("a\n" + String(repeating: "1\n", count: 300_000) + "2,3\n", to: "bad.csv")
        for (name, old) in [("out.jsonl", "{}\n"), ("new.jsonl", nil), ("out.jsonl.gz", "{}\n")] {
            if let old {
                try folder.write(old, to: "old.jsonl")
                try folder.convert("old.jsonl", name)
                try FileManager.default.removeItem(atPath: folder.file("old.jsonl"))
            }
            let before = old == nil ? nil : try folder.data(name)
            let outcome = try folder.sluice(["convert", "bad.csv", name] + mode)
            #expect(outcome.status == 65 && outcome.messages.contains("record 300001"), "\(outcome.messages)")
            #expect(try old == nil ? !folder.names.contains(name) : folder.data(name) == before)
        }
        #expect(folder.names == ["bad.csv", "in.csv", "out.jsonl", "out.jsonl.gz"])
    }

    @Test("a disk that becomes full while a file grows leaves it as long as it was")
    func fullWhileGrowing() throws {
        try folder.write(SampleText.long(records: 60_000), to: "long.csv")
        try folder.write("{}\n", to: "out.jsonl")
        let outcome = try folder.shell(
            #"trap "" XFSZ; ulimit -f 1000; exec "$SLUICE" convert long.csv out.jsonl --append"#)
        #expect(outcome.status == 74 && outcome.messages.hasPrefix("sluice: out.jsonl: "), "\(outcome.messages)")
        #expect(try folder.text("out.jsonl") == "{}\n")
    }
}
