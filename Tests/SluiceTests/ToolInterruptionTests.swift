import Foundation
import Sluice
import Testing

/// The tool, driven as a process: what stays when it does not come to its end, or when the system is in its way.
@Suite("The tool, interrupted")
struct ToolInterruptionTests {
    /// Runs a script while a conversion from a FIFO to `out.jsonl` waits for more input: it has read more than a pipe holds, so
    /// its output is open. The script finds it in $process, and the FIFO at descriptor 3.
    private func midway(_ script: String, in folder: TemporaryFolder, to output: String = "out.jsonl") throws -> Outcome
    {
        try folder.write(SampleText.long(records: 30_000), to: "in.csv")
        return try folder.shell(
            #"""
            mkfifo pipe
            "$SLUICE" convert pipe "$1" --from csv --to jsonl & process=$!
            exec 3>pipe; rm pipe; cat in.csv >&3
            """# + "\n" + script, [output])
    }

    #if os(Linux)
        @Test("a run that is killed leaves the old file and nothing else", arguments: ["HUP", "TERM", "KILL"])
        func killed(signal: String) throws {
            for old in [nil, "old"] {
                let folder = TemporaryFolder()
                if let old { try folder.write(old, to: "out.jsonl") }
                let outcome = try midway(#"kill -\#(signal) "$process"; wait "$process""#, in: folder)
                #expect(outcome.status > 128, "\(outcome.messages)")
                #expect(folder.names == (old == nil ? ["in.csv"] : ["in.csv", "out.jsonl"]))
                if let old { #expect(try folder.text("out.jsonl") == old) }
            }
        }
    #endif

    @Test("what happens to the target meanwhile loses nothing, and leaves nothing hidden")
    func targetMeanwhile() throws {
        let cases: [(what: String, status: Int32, names: [String])] = [
            (": nothing", 0, ["in.csv", "out.jsonl"]),
            ("echo other >out.jsonl", 0, ["in.csv", "out.jsonl"]),
            ("rm out.jsonl", 0, ["in.csv", "out.jsonl"]),
            ("rm -f out.jsonl; mkdir out.jsonl", 73, ["in.csv", "out.jsonl"]),
        ]
        for old in [nil, "old"] {
            for (what, status, names) in cases where old != nil || !what.hasPrefix("rm out") {
                let folder = TemporaryFolder()
                if let old { try folder.write(old, to: "out.jsonl") }
                let outcome = try midway(what + #"; exec 3>&-; wait "$process""#, in: folder)
                #expect(outcome.status == status, "\(what): \(outcome.messages)")
                #expect(folder.names == names, "\(what)")
                guard status == 0 else {
                    #expect(outcome.isOneLine && outcome.messages.hasPrefix("sluice: out.jsonl: "))
                    continue
                }
                try folder.convert("in.csv", "expected.jsonl")
                #expect(try folder.data("out.jsonl") == folder.data("expected.jsonl"), "\(what)")
            }
        }
    }

    @Test("a folder that goes away is an error, not a file elsewhere")
    func folderMeanwhile() throws {
        let folder = TemporaryFolder()
        _ = try folder.shell("mkdir sub")
        let outcome = try midway(#"rm -r sub; exec 3>&-; wait "$process""#, in: folder, to: "sub/out.jsonl")
        #expect(outcome.status == 73 && outcome.isOneLine, "\(outcome.messages)")
        #expect(folder.names == ["in.csv"])
    }

    @Test("where files without names cannot be made, a hidden one does it")
    func namedTemporary() throws {
        let folder = TemporaryFolder()
        guard try folder.shell("strace -o log true && rm log").status == 0 else { return }
        try folder.write(SampleText.csv, to: "in.csv")
        try folder.write("{}\n!\n", to: "bad.jsonl")
        let script = #"""
            strace -f -o log -P "$(pwd -P)/" -e trace=openat -e inject=openat:error=EOPNOTSUPP "$SLUICE" convert "$@"
            status=$?; grep -c O_TMPFILE.*INJECTED log; rm log; exit $status
            """#
        for name in ["new.jsonl", "old.jsonl"] {
            if name == "old.jsonl" { _ = try folder.shell("echo old >old.jsonl; chmod 640 old.jsonl") }
            let outcome = try folder.shell(script, ["in.csv", name])
            #expect(outcome.status == 0 && outcome.text == "1\n", "\(outcome.messages)")
            #expect(try folder.text(name) == SampleText.jsonl)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("old.jsonl"))[.posixPermissions]
        #expect(mode as? Int == 0o640)
        let refused = try folder.shell(script, ["bad.jsonl", "old.jsonl"])
        #expect(refused.status == 65 && refused.text == "1\n")
        #expect(try folder.text("old.jsonl") == SampleText.jsonl)
        #expect(folder.names == ["bad.jsonl", "in.csv", "new.jsonl", "old.jsonl"])
    }

    @Test("a hidden file that a killed run leaves goes with the next run to its target")
    func killedWithTemporary() throws {
        let folder = TemporaryFolder()
        guard try folder.shell("strace -o log true && rm log").status == 0 else { return }
        try folder.write(SampleText.long(records: 30_000), to: "in.csv")
        try folder.write("old", to: "out.jsonl")
        let outcome = try folder.shell(
            #"""
            mkfifo pipe
            strace -f -o log -P "$(pwd -P)/" -e trace=openat -e inject=openat:error=EOPNOTSUPP \
                sh -c 'echo $$ >pid; exec "$SLUICE" convert pipe out.jsonl --from csv --to jsonl' & strace=$!
            exec 3>pipe; cat in.csv >&3; kill -KILL "$(cat pid)"; wait "$strace"; rm pipe pid log; ls -A
            """#)
        #expect(outcome.text == ".out.jsonl.sluice-0\nin.csv\nout.jsonl\n", "\(outcome.messages)")
        #expect(try folder.text("out.jsonl") == "old")
        try folder.convert("in.csv", "out.jsonl")
        #expect(folder.names == ["in.csv", "out.jsonl"])
    }

    // The thread sanitizer makes calls of its own.
    #if !THIN
        @Test("errors of the system at any call leave the old file, or are none")
        func injectedErrors() throws {
            let folder = TemporaryFolder()
            guard try folder.shell("strace -o log true && rm log").status == 0 else { return }
            try folder.write(SampleText.long(records: 30_000), to: "in.csv")
            try folder.convert("in.csv", "good.jsonl")
            let script = #"""
                strace -f -o log -e trace="${1%%:*}" -e inject="$1" ${2:+-P "$2"} "$SLUICE" convert in.csv out.jsonl 2>words
                status=$?; grep ^sluice: words >&2; grep -c INJECTED log; rm log words; exit $status
                """#
            let cases: [(inject: String, path: String, status: Int32)] = [
                ("read:error=EIO:when=2", "in.csv", 74), ("read:error=EINTR:when=1+2", "in.csv", 0),
                ("write,writev:error=EIO:when=2", "", 74), ("write,writev:error=EINTR:when=1+2", "", 0),
                ("write,writev:error=EDQUOT:when=1", "", 74),
                ("fallocate:error=ENOSPC", "", 0), ("ftruncate:error=EIO", "", 74), ("linkat:error=EIO", "", 74),
                ("rename:error=EIO", "", 74),
                ("rename:error=EXDEV", "", 74), ("fchown:error=EPERM", "", 0), ("fcntl:error=EMFILE", "", 74),
            ]
            for item in cases {
                try folder.write("old", to: "out.jsonl")
                let outcome = try folder.shell(script, [item.inject, item.path])
                #expect(outcome.text != "0\n", "\(item.inject) did not come up")
                #expect(outcome.status == item.status, "\(item.inject): \(outcome.messages)")
                #expect(outcome.isOneLine == (item.status != 0), "\(item.inject): \(outcome.messages)")
                let expected = try item.status == 0 ? folder.text("good.jsonl") : "old"
                #expect(try folder.text("out.jsonl") == expected, "\(item.inject)")
                #expect(folder.names == ["good.jsonl", "in.csv", "out.jsonl"], "\(item.inject)")
            }
        }
    #endif
}

/// Ways that bytes come and go.
@Suite("The tool and pipes")
struct ToolPipeTests {
    @Test("input that comes byte by byte is read like any other", arguments: SampleText.formats, [false, true])
    func byteByByte(format: FileFormat, isPacked: Bool) throws {
        let folder = TemporaryFolder()
        // Quoted line ends stay LF, or the records would be others.
        let text =
            format == .csv ? SampleText.csv.replacingOccurrences(of: "'\n", with: "'\r\n") : SampleText.of(format)
        try folder.write(text, to: "plain")
        let outcome = try folder.shell(
            #"""
            if [ "$2" = true ]; then gzip -c plain >packed; else cp plain packed; fi
            dd if=packed bs=1 2>dd | "$SLUICE" convert - - --from "$1" --to jsonl
            """#, ["\(format)", "\(isPacked)"])
        #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome.messages)")
        #expect(outcome.text == SampleText.jsonl)
    }

    @Test("FIFOs are read and written straight")
    func fifos() throws {
        let folder = TemporaryFolder()
        let text = SampleText.long(records: 10_000)
        try folder.write(text, to: "in.csv")
        let outcome = try folder.shell(
            #"mkfifo a b; cat in.csv >a & cat b >out.csv & "$SLUICE" convert a b --from csv --to csv && wait; test -p b"#
        )
        #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome.messages)")
        #expect(try folder.text("out.csv") == text)
        #expect(folder.names == ["a", "b", "in.csv", "out.csv"])
    }

    @Test("a line end that a read parts from a record of just the limit does not count")
    func limitAtRead() throws {
        let folder = TemporaryFolder()
        let record = "{\"a\":\"\(String(repeating: "x", count: 92))\"}\r\n"
        // The first two bytes tell whether it is gzip, and 64 KiB follow them: one of these ends with the last CR.
        for place in 65_534...65_540 {
            let blank = String(repeating: "\n", count: place - 600 * 102 - 101)
            try folder.write(blank + String(repeating: record, count: 601), to: "in.jsonl")
            let outcome = try folder.sluice("convert", "in.jsonl", "-", "--to", "jsonl", "--max-record", "100")
            #expect(outcome.status == 0, "\(place): \(outcome.messages)")
            #expect(outcome.output.count == 601 * 101)
        }
    }

    @Test("gzip of thousands of members, most of a byte or none, is read whole")
    func tinyMembers() throws {
        let folder = TemporaryFolder()
        try folder.write(SampleText.csv, to: "in.csv")
        try folder.python(
            """
            import gzip
            text, empty = open("in.csv", "rb").read(), gzip.compress(b"")
            members = [gzip.compress(text[i:i + 1]) + empty * 30 for i in range(len(text))]
            open("in.csv.gz", "wb").write(empty * 3000 + b"".join(members) + empty * 3000)
            """)
        try folder.convert("in.csv.gz", "out.jsonl")
        #expect(try folder.text("out.jsonl") == SampleText.jsonl)
    }

    #if os(Linux) && !DEBUG && !THIN
        @Test("a gzip bomb takes no more memory than another file")
        func bomb() throws {
            let folder = TemporaryFolder()
            try folder.python(
                """
                import os, subprocess, zlib
                packer = zlib.compressobj(1, zlib.DEFLATED, 31)
                with open("in.csv.gz", "wb") as file:
                    for block in [b"a,b\\n"] + [b"0,0\\n" * (1 << 20)] * 32: file.write(packer.compress(block))
                    file.write(packer.flush())
                for jobs, limit in [("1", 32 << 10), ("2", 64 << 10)]:
                    command = ["sluice", "convert", "in.csv.gz", "out.jsonl", "--jobs", jobs]
                    process = os.posix_spawn(os.environ["SLUICE"], command, os.environ)
                    _, status, usage = os.wait4(process, 0)
                    assert status == 0 and usage.ru_maxrss < limit, (jobs, status, usage.ru_maxrss)
                """)
        }

        @Test("a header of 900,000 columns takes some 70 bytes for each")
        func wideHeader() throws {
            let folder = TemporaryFolder()
            try folder.python(
                """
                import os
                with open("in.csv", "w") as file: file.write(",".join("c%d" % n for n in range(900_000)))
                process = os.posix_spawn(os.environ["SLUICE"], ["sluice", "convert", "in.csv", "out.jsonl"], os.environ)
                _, status, usage = os.wait4(process, 0)
                assert status == 0 and usage.ru_maxrss < 100 << 10, (status, usage.ru_maxrss)
                """)
        }
    #endif
}
