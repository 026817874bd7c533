import Foundation
import Sluice
import TestSupport
import Testing

/// Files that other programs make are read, and they read ours. `scripts/prepare packers` installs them.
@Suite("Compressed files of other programs")
struct InteropTests {
    let folder = TemporaryFolder()

    /// A few bytes; more than most blocks hold; and what hardly shrinks.
    private static let inputs: [String: String] = {
        var random = SplitMix64(seed: 11)
        let noise = (0..<6_000).map { _ in String(random.next(), radix: 36) + "," + String(random.next(), radix: 32) }
        return [
            "short": "a,b\n1,2\n", "long": SampleText.long(records: 20_000),
            "noise": "a,b\n" + noise.joined(separator: "\n") + "\n",
        ]
    }()

    init() throws {
        for (name, text) in Self.inputs { try folder.write(text, to: name) }
    }

    /// The bytes inside a file, by our own reader.
    private func content(_ name: String, _ compression: CompressionFormat) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let source = try FileStreamSource(folder.file(name), format: .binary, compression: compression)
        try source.forEach { chunk in
            for record in chunk.data { if case .bytes(let block)? = record["bytes"] { bytes += block } }
        }
        return bytes
    }

    /// Packs each input with each set of options, and reads what comes out. The script has `$options` and `$in`, and writes to
    /// standard output.
    private func readPacked(
        _ script: String, _ options: [String], _ compression: CompressionFormat
    ) throws {
        for (input, text) in Self.inputs {
            for options in options {
                let outcome = try folder.shell(
                    "in=$1 options=$2; { \(script); } > packed && cat packed >> \"$1.all\"", [input, options])
                #expect(outcome.status == 0, "\(options): \(outcome.messages)")
                #expect(try content("packed", compression) == Array(text.utf8), "\(input) by \(options)")
            }
            // Whatever they are, they go on behind one another.
            let all = Array(repeating: Array(text.utf8), count: options.count).joined()
            #expect(try content("\(input).all", compression).elementsEqual(all), "\(input), all in a row")
            try FileManager.default.removeItem(atPath: folder.file("\(input).all"))
        }
    }

    @Test("LZ4 files that lz4 makes with any options are read")
    func lz4() throws {
        try readPacked(
            #"lz4 -q $options "$in" -"#,
            [
                "-1", "-9", "-12", "--fast=9", "-12 --favor-decSpeed", "-B4", "-B5", "-B6", "-B7", "-B100", "-BD",
                "-9 -BD", "-B4 -BD", "-9 -B4 -BD", "-BX", "-B4 -BD -BX", "--content-size", "--no-frame-crc",
                "--no-frame-crc --content-size -B5 -BD -BX",
            ], .lz4)
        try readPacked(#"cat "$in" | lz4 -q $options"#, ["-1", "-B4 -BD"], .lz4)
    }

    @Test("gzip files that gzip makes with any options are read, with zeros behind them too")
    func gzip() throws {
        try readPacked(
            #"gzip $options -c "$in""#, ["-1", "-6", "-9", "-n", "--rsyncable -9"], .gzip)
        // A member for each part.
        try readPacked(
            #"split $options "$in" part.; for part in part.*; do gzip -c "$part"; done; rm part.*"#,
            ["-b 40000", "-b 150001"], .gzip)
        for zeros in [1, 511, 100_000] {
            let script = #"(gzip -c long; gzip -c short; head -c "$1" /dev/zero) > padded"#
            #expect(try folder.shell(script, ["\(zeros)"]).status == 0)
            let inputs = [Self.inputs["long"], Self.inputs["short"]].compactMap { $0 }
            #expect(try content("padded", .gzip) == Array(inputs.joined().utf8))
        }
    }

    @Test("gzip files that pigz makes with any options are read")
    func pigz() throws {
        try readPacked(
            #"pigz $options -c "$in""#,
            [
                "-1", "-6", "-9", "-11 -I 1", "-n", "-p 1", "-p 4 -b 128", "-p 4 -b 128 -i", "-p 3 -b 128 -R", "-H",
                "-U",
            ], .gzip)
    }

    @Test("LZ4 and gzip files that Python makes piece by piece are read")
    func python() throws {
        try pythonWithLZ4(
            #"""
            import gzip, itertools, lz4.frame
            for name in ("short", "long", "noise"):
                text = open(name, "rb").read()
                pieces = [text[at:at + 30_000] for at in range(0, len(text), 30_000)]
                settings = itertools.product((False, True), (4, 7), (False, True), (False, True), (1, 9))
                for number, (linked, size, checksums, flush, level) in enumerate(settings):
                    packer = lz4.frame.LZ4FrameCompressor(block_size=size, block_linked=linked, compression_level=level,
                        content_checksum=checksums, block_checksum=checksums, auto_flush=flush)
                    with open(f"{name}.{number}.lz4", "wb") as file:
                        file.write(packer.begin(len(text) if checksums else 0))
                        for piece in pieces: file.write(packer.compress(piece))
                        file.write(packer.flush())
                for number, level in enumerate((0, 1, 6, 9)):
                    with gzip.open(f"{name}.{number}.gz", "wb", level) as file:
                        for piece in pieces: file.write(piece); file.flush()
            """#)
        for (input, text) in Self.inputs {
            for number in 0..<32 {
                #expect(try content("\(input).\(number).lz4", .lz4) == Array(text.utf8), "\(number)")
            }
            for number in 0..<4 {
                #expect(try content("\(input).\(number).gz", .gzip) == Array(text.utf8), "\(number)")
            }
        }
    }

    @Test("what lz4 and pigz make in formats that are not read is refused, and says so")
    func otherFormats() throws {
        for (command, code, word) in [
            ("lz4 -q -l long -", StreamError.Code.unsupported, "legacy"),
            ("lz4 -q -D long long -", .corruptCompression, "damaged"),
            ("pigz -z -c long", .corruptCompression, "no gzip"),
            ("pigz -K -c long", .corruptCompression, "no gzip"),
        ] {
            #expect(try folder.shell("\(command) > other").status == 0)
            let compression: CompressionFormat = command.hasPrefix("lz4") ? .lz4 : .gzip
            let error = streamError { _ = try content("other", compression) }
            #expect(error?.code == code && error?.message.contains(word) == true, "\(command): \(error as Any)")
        }
    }

    @Test("what is written is read by lz4, gzip, pigz and Python, at every level, with what is appended to it")
    func written() throws {
        for (name, text) in Self.inputs {
            let input = try folder.file("\(name).csv", text)
            let header = (text.firstIndex(of: "\n")).map { text.index(after: $0) } ?? text.startIndex
            try folder.write(text + text[header...], to: "\(name).expected")
            for (suffix, levels) in [("gz", 0...9), ("lz4", 0...12)] {
                for level in stride(from: levels.lowerBound, through: levels.upperBound, by: step) {
                    for mode in [FileStreamSink.Mode.write, .append] {
                        let output = folder.file("\(name).\(level).csv.\(suffix)")
                        try BasicStreamProcessor(
                            source: FileStreamSource(input), sink: FileStreamSink(output, mode: mode, level: level)
                        ).run()
                    }
                }
            }
        }
        let outcome = try folder.shell(
            """
            set -e
            for file in *.gz; do
                gzip -dc "$file" | cmp - "${file%%.*}.expected"
                pigz -dc "$file" | cmp - "${file%%.*}.expected"
            done
            for file in *.lz4; do lz4 -q -dc "$file" | cmp - "${file%%.*}.expected"; done
            """)
        #expect(outcome.status == 0 && outcome.text.isEmpty && outcome.messages.isEmpty, "\(outcome)")
        try pythonWithLZ4(
            """
            import glob, gzip, lz4.frame
            for module, suffix in ((gzip, "gz"), (lz4.frame, "lz4")):
                for name in glob.glob("*." + suffix):
                    expected = open(name.split(".")[0] + ".expected", "rb").read()
                    assert module.open(name).read() == expected, name
            """)
    }

    /// Runs a program of Python, which has to succeed without a word, with a Python that has lz4: as `scripts/prepare` looks.
    private func pythonWithLZ4(_ program: String) throws {
        let benchmarks = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Benchmarks/.venv/bin/python").path
        let outcome = try folder.shell(
            """
            for python in python3 /usr/bin/python3 "$2"; do
                "$python" -c 'import lz4.frame' 2>/dev/null && exec "$python" -c "$1"
            done
            echo 'no Python has lz4' >&2
            exit 1
            """, [program, benchmarks])
        #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome.messages)")
    }
}
