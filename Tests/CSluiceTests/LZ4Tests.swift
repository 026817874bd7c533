import CSluice
import TestSupport
import Testing

private struct Outcome: Equatable, CustomStringConvertible {
    var status: sluice_status
    var content: [UInt8]

    var description: String { "status \(status.rawValue), \(content.count) bytes" }
}

/// Decodes `file`, handed over in pieces that end where `cuts` say, through an output of `room` bytes. Input that was used is
/// taken away, so that nobody can look back at it.
private func unlz4(_ file: [UInt8], cuts: some Sequence<Int>, room: Int) -> Outcome {
    let decoder = sluice_lz4_decoder_create()!
    defer { sluice_lz4_decoder_destroy(decoder) }
    var content: [UInt8] = []
    var output = [UInt8](repeating: 0, count: room + Int(SLUICE_PADDING))
    var cuts = cuts.makeIterator()
    var start = 0
    var end = 0
    while true {
        var piece = [UInt8](file[start..<end]) + [UInt8](repeating: 0xFF, count: Int(SLUICE_PADDING))
        var inUsed = 0
        var outUsed = 0
        let status = sluice_lz4_decoder_run(
            decoder, &piece, end - start, &inUsed, end == file.count, &output, room, &outUsed)
        start += inUsed
        content += output[..<outUsed]
        switch status {
        case SLUICE_NEED_INPUT:
            #expect(start == end && end < file.count, "input was left")
            if end == file.count { return Outcome(status: status, content: content) }
            end = cuts.next() ?? file.count
        case SLUICE_OUTPUT_FULL:
            #expect(outUsed == room, "room was left")
            if outUsed != room { return Outcome(status: status, content: content) }
        default:
            if status == SLUICE_END { #expect(start == file.count, "input was left") }
            return Outcome(status: status, content: content)
        }
    }
}

private func whole(_ file: [UInt8]) -> Outcome { unlz4(file, cuts: [], room: 1 << 20) }

private func byteByByte(_ file: [UInt8], room: Int = 1) -> Outcome { unlz4(file, cuts: file.indices, room: room) }

nonisolated(unsafe) private let kernel = sluice_kernel_named("auto")

/// A file of ours.
private func packed(_ content: [UInt8], level: Int32) -> [UInt8] {
    let encoder = sluice_lz4_encoder_create(level, kernel)!
    defer { sluice_lz4_encoder_destroy(encoder) }
    var file = frameStart
    for start in stride(from: 0, to: content.count, by: Int(SLUICE_LZ4_INPUT_MAX)) {
        file += block([UInt8](content[start..<min(start + Int(SLUICE_LZ4_INPUT_MAX), content.count)]), encoder)
    }
    return file + frameEnd(content)
}

private let frameStart = withUnsafeBytes(of: sluice_lz4_frame_start) { [UInt8]($0) }

private func frameEnd(_ content: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SLUICE_LZ4_END_LENGTH)) { buffer, count in
        sluice_lz4_frame_end(sluice_xxh32(content, content.count), buffer.baseAddress)
        count = buffer.count
    }
}

private func block(_ piece: [UInt8], _ encoder: OpaquePointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SLUICE_LZ4_OUTPUT_MAX)) { buffer, count in
        count = sluice_lz4_block(encoder, piece, piece.count, buffer.baseAddress, nil)
    }
}

private func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

private func csv(rows: Int) -> [UInt8] {
    [UInt8]((0..<rows).map { "2013,1,\($0 % 28),\($0 * 7919 % 2400),EWR,IAH,N\($0 * 31 % 997)UA\n" }.joined().utf8)
}

/// "abcabc…" of 100 bytes, by a copy that overlaps itself.
private let abc: (data: [UInt8], content: [UInt8]) = {
    var sequences = LZ4Sequences()
    sequences.add([0x61, 0x62, 0x63], copying: 92, from: 3)
    return (sequences.ended(by: [0x63, 0x61, 0x62, 0x63, 0x61]), (0..<100).map { 0x61 + UInt8($0 % 3) })
}()

/// Ten bytes of the block before, then five.
private let backward: (data: [UInt8], content: [UInt8]) = {
    var sequences = LZ4Sequences()
    sequences.add(copying: 10, from: 20)
    return (sequences.ended(by: [1, 2, 3, 4, 5]), Array(hello.suffix(20).prefix(10)) + [1, 2, 3, 4, 5])
}()

private let hello = [UInt8]("hello, hello, hello\n".utf8)
private let frame = LZ4File.frame(hello, [.stored(hello)])
private let dependent = LZ4File.Options { $0.isIndependent = false }
private let everything = LZ4File.Options {
    $0.isIndependent = false
    $0.hasBlockChecksums = true
    $0.contentLength = UInt64(hello.count + 15)
    $0.blockSize = 7
}
private let everythingFrame = LZ4File.frame(
    hello + backward.content, [.stored(hello), .compressed(backward.data)], everything)

private let files: [(name: String, file: [UInt8], content: [UInt8])] = [
    ("a stored block", frame, hello),
    ("a compressed block", LZ4File.frame(abc.content, [.compressed(abc.data)]), abc.content),
    ("no block", LZ4File.frame([], []), []),
    ("stored blocks of no bytes", LZ4File.frame(hello, [.stored([]), .stored(hello), .stored([])]), hello),
    (
        "blocks of one byte",
        LZ4File.frame(hello, hello.map { .stored([$0]) }, .init { $0.hasBlockChecksums = true }), hello
    ),
    (
        "a block that looks back",
        LZ4File.frame(
            hello + backward.content, [.stored(hello), .compressed(backward.data)], dependent), hello + backward.content
    ),
    ("a checksum of nothing", LZ4File.frame(hello, [.stored(hello)], .init { $0.hasContentChecksum = false }), hello),
    (
        "checksums of blocks",
        LZ4File.frame(
            abc.content + hello, [.compressed(abc.data), .stored(hello)],
            .init {
                $0.hasBlockChecksums = true
                $0.hasContentChecksum = false
            }), abc.content + hello
    ),
    ("a length", LZ4File.frame(hello, [.stored(hello)], .init { $0.contentLength = UInt64(hello.count) }), hello),
    ("a length of nothing", LZ4File.frame([], [], .init { $0.contentLength = 0 }), []),
    ("everything that a descriptor has", everythingFrame, hello + backward.content),
    ("blocks of up to 256 KiB", LZ4File.frame(hello, [.stored(hello)], .init { $0.blockSize = 5 }), hello),
    ("blocks of up to 1 MiB", LZ4File.frame(hello, [.stored(hello)], .init { $0.blockSize = 6 }), hello),
    (
        "three frames, one of them empty", frame + LZ4File.frame([], []) + everythingFrame,
        hello + hello + backward.content
    ),
    ("skippable frames about one", LZ4File.skippable([1, 2, 3]) + frame + LZ4File.skippable([], kind: 15), hello),
    ("skippable frames of every kind", (0..<16).flatMap { LZ4File.skippable([$0], kind: $0) } + frame, hello),
    ("our own, stored", packed(noise(50, seed: 1), level: 1), noise(50, seed: 1)),
    ("our own, fast", packed(csv(rows: 30), level: 1), csv(rows: 30)),
    ("our own, high", packed(csv(rows: 30), level: 12), csv(rows: 30)),
    ("our own, empty", packed([], level: 1), []),
]

private func changed(_ file: [UInt8], at offset: Int) -> [UInt8] {
    var file = file
    file[offset < 0 ? file.count + offset : offset] ^= 0x40
    return file
}

private let legacy: [UInt8] = [0x02, 0x21, 0x4C, 0x18, 2, 0, 0, 0, 0x10, 0x61]

private let copyFromNowhere: [UInt8] = {
    var sequences = LZ4Sequences()
    sequences.add([0x61], copying: 4, from: 2)
    return sequences.ended(by: [1, 2, 3, 4, 5])
}()

private let faults: [(name: String, file: [UInt8], status: sluice_status)] = [
    ("nothing at all", [], SLUICE_ERROR_TRUNCATED),
    ("half the magic", [0x04, 0x22], SLUICE_ERROR_TRUNCATED),
    ("no magic", [UInt8]("year,month\n2013,1\n".utf8), SLUICE_ERROR_CORRUPT),
    ("one byte that is no magic", [0x41], SLUICE_ERROR_CORRUPT),
    ("a magic that is wrong at its end", [0x04, 0x22, 0x4D, 0x19], SLUICE_ERROR_CORRUPT),
    ("a skippable frame alone", LZ4File.skippable([1, 2, 3]), SLUICE_ERROR_TRUNCATED),
    ("a skippable frame that is cut", LZ4File.skippable([1, 2, 3]).dropLast(), SLUICE_ERROR_TRUNCATED),
    ("another version", changed(frame, at: 4), SLUICE_ERROR_CORRUPT),
    ("a reserved bit", [0x04, 0x22, 0x4D, 0x18, 0x66, 0x40], SLUICE_ERROR_CORRUPT),
    ("a reserved bit of the second byte", [0x04, 0x22, 0x4D, 0x18, 0x64, 0xC0], SLUICE_ERROR_CORRUPT),
    ("a reserved size of blocks", [0x04, 0x22, 0x4D, 0x18, 0x64, 0x30], SLUICE_ERROR_CORRUPT),
    ("a descriptor that its checksum does not fit", changed(frame, at: 6), SLUICE_ERROR_CORRUPT),
    (
        "a dictionary", LZ4File.frame(hello, [.stored(hello)], .init { $0.dictionary = 7 }),
        SLUICE_ERROR_NEEDS_DICTIONARY
    ),
    (
        "a dictionary, and a descriptor that is damaged",
        changed(LZ4File.frame(hello, [.stored(hello)], .init { $0.dictionary = 7 }), at: 7), SLUICE_ERROR_CORRUPT
    ),
    ("the legacy format", legacy, SLUICE_ERROR_LEGACY_FORMAT),
    ("the legacy format behind a frame", frame + legacy, SLUICE_ERROR_LEGACY_FORMAT),
    (
        "a block that is longer than the frame allows",
        LZ4File.frame([], [.stored(noise(65537, seed: 1))]).prefix(99) + [],
        SLUICE_ERROR_CORRUPT
    ),
    (
        "a block that becomes longer than the frame allows",
        LZ4File.frame([], [.compressed(bomb(65537))]), SLUICE_ERROR_CORRUPT
    ),
    (
        "a copy from before the start", LZ4File.frame([], [.compressed(copyFromNowhere)], dependent),
        SLUICE_ERROR_CORRUPT
    ),
    (
        "a block that looks back where the frame says that none does",
        LZ4File.frame(hello + backward.content, [.stored(hello), .compressed(backward.data)]), SLUICE_ERROR_CORRUPT
    ),
    (
        "a copy from nowhere at all", LZ4File.frame([], [.compressed([0x10, 0x61, 0, 0, 0x10, 0x61])]),
        SLUICE_ERROR_CORRUPT
    ),
    ("a block that stops in its literals", LZ4File.frame([], [.compressed([0x30, 0x61])]), SLUICE_ERROR_CORRUPT),
    ("a block that stops in a copy", LZ4File.frame([], [.compressed([0x10, 0x61, 1])]), SLUICE_ERROR_CORRUPT),
    ("a block that stops in a length", LZ4File.frame([], [.compressed([0xF0, 255])]), SLUICE_ERROR_CORRUPT),
    ("a checksum that does not fit", changed(frame, at: -1), SLUICE_ERROR_CORRUPT),
    ("content that its checksum does not fit", changed(frame, at: 15), SLUICE_ERROR_CORRUPT),
    (
        "a block that its checksum does not fit",
        changed(
            LZ4File.frame(
                hello, [.stored(hello)],
                .init {
                    $0.hasBlockChecksums = true
                    $0.hasContentChecksum = false
                }), at: -5), SLUICE_ERROR_CORRUPT
    ),
    (
        "less than the length", LZ4File.frame(hello, [.stored(hello)], .init { $0.contentLength = 21 }),
        SLUICE_ERROR_CORRUPT
    ),
    (
        "more than the length", LZ4File.frame(hello, [.stored(hello)], .init { $0.contentLength = 19 }),
        SLUICE_ERROR_CORRUPT
    ),
    ("the second frame is damaged", frame + changed(frame, at: 15), SLUICE_ERROR_CORRUPT),
    ("the second frame is cut", frame + [0x04], SLUICE_ERROR_TRUNCATED),
    ("text behind a frame", frame + [0x41], SLUICE_ERROR_TRAILING_DATA),
    ("a zero behind a frame", frame + [0], SLUICE_ERROR_TRAILING_DATA),
    ("half the magic, then text", frame + [0x04, 0x41], SLUICE_ERROR_TRAILING_DATA),
    ("text behind a skippable frame", frame + LZ4File.skippable([1]) + [0x41], SLUICE_ERROR_TRAILING_DATA),
]

/// A block of so many times the same byte.
private func bomb(_ length: Int) -> [UInt8] {
    var sequences = LZ4Sequences()
    sequences.add([0x61], copying: length - 6, from: 1)
    return sequences.ended(by: [UInt8](repeating: 0x61, count: 5))
}

@Suite("LZ4 in")
struct LZ4InTests {
    @Test("a file of any shape gives its content, wherever input and output are cut", arguments: files.indices)
    func shapes(_ index: Int) throws {
        let (name, file, content) = files[index]
        #expect(try LZ4File.content(of: file) == content, "\(name), by the reference")
        let expected = Outcome(status: SLUICE_END, content: content)
        #expect(whole(file) == expected, "\(name)")
        #expect(byteByByte(file) == expected, "\(name), byte by byte")
        #expect(byteByByte(file, room: 1000) == expected, "\(name), input byte by byte")
        for room in 1...9 { #expect(unlz4(file, cuts: [], room: room) == expected, "\(name), room for \(room)") }
        for cut in file.indices {
            #expect(unlz4(file, cuts: [cut], room: 1000) == expected, "\(name), cut at \(cut)")
            #expect(unlz4(file, cuts: [cut], room: 3) == expected, "\(name), cut at \(cut), room for 3")
            #expect(unlz4(file, cuts: [cut], room: 70_000) == expected, "\(name), cut at \(cut), room for a block")
        }
    }

    @Test("each kind of fault has its status, wherever it is cut", arguments: faults.indices)
    func faultTable(_ index: Int) {
        let (name, file, status) = faults[index]
        #expect(whole(file).status == status, "\(name)")
        #expect(byteByByte(file, room: 1000).status == status, "\(name), byte by byte")
        for cut in file.indices.prefix(300) {
            #expect(unlz4(file, cuts: [cut], room: 700).status == status, "\(name), cut at \(cut)")
        }
    }

    @Test("what came before a fault is in the output", arguments: [1, 5, 1000, 70_000])
    func contentBeforeFault(room: Int) {
        for tail in [[0x41], legacy, [0x04, 0x22], [0]] as [[UInt8]] {
            #expect(unlz4(frame + tail, cuts: [], room: room).content == hello)
        }
        let damaged = LZ4File.frame([], [.stored(hello), .compressed(copyFromNowhere)])
        #expect(unlz4(damaged, cuts: [], room: room) == Outcome(status: SLUICE_ERROR_CORRUPT, content: hello + [0x61]))
    }

    @Test("nothing of a block is in the output that its checksum does not fit", arguments: [1, 5, 1000, 70_000])
    func noContentOfDamagedBlock(room: Int) {
        let options = LZ4File.Options { $0.hasBlockChecksums = true }
        let file = LZ4File.frame(hello + abc.content, [.stored(hello), .compressed(abc.data)], options)
        for place in abc.data.indices {
            // Behind the block: its checksum, the end mark and that of the content.
            let damaged = changed(file, at: place - abc.data.count - 12)
            #expect(unlz4(damaged, cuts: [], room: room) == Outcome(status: SLUICE_ERROR_CORRUPT, content: hello))
        }
    }

    @Test("sequences of every length and distance, through every room", arguments: 1...12)
    func sequences(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let lengths = [0, 1, 2, 14, 15, 16, 17, 31, 32, 33, 269, 270, 271, 300, 600]
        var content: [UInt8] = []
        var sequences = LZ4Sequences()
        while content.count < 30_000 {
            let literals = noise(content.isEmpty ? 1 : lengths.randomElement(using: &random)!, seed: random.next())
            content += literals
            let distances = [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 300, 20_000]
            let distance = min(content.count, distances.randomElement(using: &random)!)
            let length = 4 + lengths.randomElement(using: &random)!
            for _ in 0..<length { content.append(content[content.count - distance]) }
            sequences.add(literals, copying: length, from: distance)
        }
        content += [1, 2, 3, 4, 5]
        let file = LZ4File.frame(content, [.compressed(sequences.ended(by: [1, 2, 3, 4, 5]))])
        let expected = Outcome(status: SLUICE_END, content: content)
        #expect(try LZ4File.content(of: file) == content)
        for room in [1, 2, 3, 5, 31, 33, 64, 100, 577, 4096, 40_000] {
            #expect(unlz4(file, cuts: [], room: room) == expected, "room for \(room)")
            let cuts = (0..<50).map { _ in Int.random(in: 0...file.count, using: &random) }.sorted()
            #expect(unlz4(file, cuts: cuts, room: room) == expected, "room for \(room), cut")
        }
        #expect(byteByByte(file) == expected)
    }

    @Test("the checksum is right wherever input and output are cut, over many short sequences", arguments: 1...6)
    func checksumOfPieces(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let content = csv(rows: 3000)
        let file = packed(content, level: seed % 2 == 0 ? 1 : 9)
        for room in [1000, 5003, 16_384, 40_001, 300_000] {
            let cuts = (0..<6).map { _ in Int.random(in: 0...file.count, using: &random) }.sorted()
            #expect(unlz4(file, cuts: cuts, room: room) == Outcome(status: SLUICE_END, content: content), "\(room)")
            let damaged = unlz4(changed(file, at: -1), cuts: cuts, room: room)
            #expect(damaged == Outcome(status: SLUICE_ERROR_CORRUPT, content: content), "\(room)")
        }
    }

    @Test("a file cut short anywhere but between frames is noticed")
    func truncation() {
        let text = csv(rows: 40)
        let frames = [everythingFrame, packed(text, level: 1), LZ4File.skippable([1, 2]), frame]
        let contents = [hello + backward.content, text, [], hello]
        let boundaries = Set(frames.indices.map { frames[...$0].joined().count })
        let file = [UInt8](frames.joined())
        let content = [UInt8](contents.joined())
        for length in file.indices {
            let cut = [UInt8](file[..<length])
            let expected = boundaries.contains(length) ? SLUICE_END : SLUICE_ERROR_TRUNCATED
            for outcome in [whole(cut), byteByByte(cut, room: 64)] {
                #expect(outcome.status == expected, "cut to \(length)")
                #expect(content.starts(with: outcome.content), "cut to \(length)")
            }
        }
    }

    @Test(
        "a bit that flips is an error, or changes nothing",
        arguments: [
            frame, everythingFrame, packed(csv(rows: 12), level: 1), packed(csv(rows: 12), level: 9),
            LZ4File.frame(hello, [.stored(hello)], .init { $0.contentLength = UInt64(hello.count) }),
        ])
    func flippedBits(_ file: [UInt8]) {
        let content = whole(file).content
        for bit in 0..<8 * file.count {
            var flipped = file
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let outcome = whole(flipped)
            #expect(outcome.status.rawValue < 0 || outcome.content == content, "bit \(bit)")
            #expect(byteByByte(flipped, room: 16).status == outcome.status, "bit \(bit)")
        }
    }

    @Test(
        "damage of every kind is an error or what the reference reads, and touches no other memory", arguments: 1...40)
    func damage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let whole = [everythingFrame, packed(csv(rows: 30), level: 1), packed(csv(rows: 30), level: 9)]
        for _ in 0..<50 {
            var file = whole.randomElement(using: &random)!
            // Behind the descriptor, and its checksum made to fit nothing: only the decoder stands in the way.
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                file[Int.random(in: 7..<file.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let expected = try? LZ4File.content(of: file)
            let outcome = unlz4(file, cuts: [file.count / 2], room: 100)
            #expect((outcome.status == SLUICE_END) == (expected != nil))
            if let expected { #expect(outcome.content == expected) }
        }
    }

    @Test("blocks look back 64 KiB over any number of blocks and every cut", arguments: 1...6)
    func window(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var content: [UInt8] = []
        var blocks: [LZ4File.Block] = []
        let blockSize = UInt8(4 + seed % 2)
        while content.count < 600_000 {
            let end = content.count + Int.random(in: 100...(256 << (2 * Int(blockSize))) - 5, using: &random)
            var sequences = LZ4Sequences()
            while content.count < end - 70_000 || content.count < end && Bool.random(using: &random) {
                let literals = noise(
                    Int.random(in: content.isEmpty ? 1...40 : 0...40, using: &random), seed: random.next())
                let distance = Int.random(in: 1...min(65535, content.count + literals.count), using: &random)
                let length = Int.random(
                    in: 4...max(4, min(60_000, end - content.count - literals.count)), using: &random)
                guard content.count + literals.count + length <= end else { break }
                content += literals
                for _ in 0..<length { content.append(content[content.count - distance]) }
                sequences.add(literals, copying: length, from: distance)
            }
            content += [1, 2, 3, 4, 5]
            blocks.append(.compressed(sequences.ended(by: [1, 2, 3, 4, 5])))
        }
        let options = LZ4File.Options {
            $0.isIndependent = false
            $0.blockSize = blockSize
        }
        let file = LZ4File.frame(content, blocks, options) + frame
        let expected = Outcome(status: SLUICE_END, content: content + hello)
        #expect(try LZ4File.content(of: file) == expected.content)
        #expect(whole(file) == expected)
        for room in [100, 4096, 65536, 300_000] {
            let cuts = (0..<40).map { _ in Int.random(in: 0...file.count, using: &random) }.sorted()
            #expect(unlz4(file, cuts: cuts, room: room) == expected, "room for \(room)")
        }
        #expect(byteByByte(file, room: 5000) == expected)
    }

    @Test("a block of the largest size passes through any room")
    func largestBlock() {
        let count = 4 << 20
        let content = [UInt8](repeating: 0x61, count: count)
        let options = LZ4File.Options { $0.blockSize = 7 }
        for file in [
            LZ4File.frame(content, [.compressed(bomb(count))], options),
            LZ4File.frame(content, [.stored(content)], options),
        ] {
            for room in [50_000, 1 << 20, count] {
                #expect(unlz4(file, cuts: [10, 10_000], room: room) == Outcome(status: SLUICE_END, content: content))
            }
        }
        let tooLong = LZ4File.frame(content, [.compressed(bomb(count + 1))], options)
        #expect(whole(tooLong).status == SLUICE_ERROR_CORRUPT)
    }

    @Test("an end that comes later is an end, and may be asked for again")
    func lateEnd() {
        let decoder = sluice_lz4_decoder_create()!
        defer { sluice_lz4_decoder_destroy(decoder) }
        var output = [UInt8](repeating: 0, count: 100 + Int(SLUICE_PADDING))
        var inUsed = 0
        var outUsed = 0
        func run(final: Bool) -> sluice_status {
            sluice_lz4_decoder_run(decoder, frame, frame.count, &inUsed, final, &output, 100, &outUsed)
        }
        #expect(run(final: false) == SLUICE_NEED_INPUT)
        #expect(run(final: true) == SLUICE_END)
        #expect(run(final: true) == SLUICE_END)
    }

    @Test("an error stays")
    func errorStays() {
        for (name, file, status) in faults where !file.isEmpty {
            let decoder = sluice_lz4_decoder_create()!
            defer { sluice_lz4_decoder_destroy(decoder) }
            var output = [UInt8](repeating: 0, count: 70_000 + Int(SLUICE_PADDING))
            for _ in 0..<2 {
                var inUsed = 0
                var outUsed = 0
                let answer = sluice_lz4_decoder_run(
                    decoder, file, file.count, &inUsed, true, &output, 70_000, &outUsed)
                #expect(answer == status, "\(name)")
            }
        }
    }
}

@Suite("LZ4 out")
struct LZ4OutTests {
    private static let contents: [[UInt8]] = [
        [], [0x61], hello, csv(rows: 20_000), noise(300_000, seed: 3), [UInt8](repeating: 0x61, count: 500_000),
        noise(Int(SLUICE_LZ4_INPUT_MAX), seed: 4), csv(rows: 100) + noise(1000, seed: 5),
    ]

    @Test("every level makes one frame that another reader reads", arguments: 0...12 as ClosedRange<Int32>)
    func levels(_ level: Int32) throws {
        for content in Self.contents {
            let file = packed(content, level: level)
            #expect(try LZ4File.content(of: file) == content)
            #expect(whole(file) == Outcome(status: SLUICE_END, content: content))
        }
    }

    @Test("levels act: 0 and 1 are the same, higher ones make smaller files, and there are no others")
    func levelsAct() {
        let sizes = (0...12 as ClosedRange<Int32>).map { packed(csv(rows: 20_000), level: $0).count }
        #expect(sizes[0] == sizes[1] && sizes[1] > sizes[2] && sizes[2] > sizes[9] && sizes[9] > sizes[12])
        for level in [-1, 13, 100] as [Int32] { #expect(sluice_lz4_encoder_create(level, kernel) == nil) }
    }

    @Test("data that does not shrink is stored")
    func stored() {
        let encoder = sluice_lz4_encoder_create(1, kernel)!
        defer { sluice_lz4_encoder_destroy(encoder) }
        for content in [noise(100_000, seed: 6), [0x61], noise(Int(SLUICE_LZ4_INPUT_MAX), seed: 7)] {
            let length = UInt32(content.count) | 0x8000_0000
            let bytes = block(content, encoder)
            #expect(bytes.count == content.count + 4 && Array(bytes[4...]) == content)
            #expect(Array(bytes[..<4]) == (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
        }
    }

    @Test("a block does not depend on those before it", arguments: [1, 9] as [Int32])
    func independence(level: Int32) {
        let used = sluice_lz4_encoder_create(level, kernel)!
        defer { sluice_lz4_encoder_destroy(used) }
        for content in Self.contents where !content.isEmpty {
            let piece = [UInt8](content.prefix(Int(SLUICE_LZ4_INPUT_MAX)))
            let fresh = sluice_lz4_encoder_create(level, kernel)!
            defer { sluice_lz4_encoder_destroy(fresh) }
            #expect(block(piece, used) == block(piece, fresh))
        }
    }
}

@Suite("XXH32")
struct XXH32Tests {
    @Test("known values, and those of the reference at every length")
    func values() {
        #expect(sluice_xxh32([], 0) == 0x02CC_5D05)
        #expect(sluice_xxh32([UInt8]("abc".utf8), 3) == 0x32D1_53FF)
        let bytes = noise(200, seed: 9)
        for length in 0...bytes.count {
            #expect(sluice_xxh32(bytes, length) == LZ4File.xxh32([UInt8](bytes[..<length])))
        }
    }

    @Test("bytes may be added in any pieces")
    func pieces() {
        let bytes = noise(100, seed: 10)
        for first in 0...bytes.count {
            for second in stride(from: first, through: bytes.count, by: 3) {
                var state = sluice_xxh32_start()
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    sluice_xxh32_add(&state, [UInt8](piece), piece.count)
                }
                #expect(sluice_xxh32_value(&state) == sluice_xxh32(bytes, bytes.count))
            }
        }
    }
}
