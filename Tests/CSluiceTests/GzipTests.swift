import CSluice
import TestSupport
import Testing

// gzip files are built here, byte by byte, so that nothing of the code under test judges itself.

private let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crcTable[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
}

private func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
}

/// Deflate data of stored blocks.
private func stored(_ content: [UInt8], blocks sizes: [Int] = []) -> [UInt8] {
    var deflated: [UInt8] = []
    var rest = content[...]
    var sizes = sizes[...]
    repeat {
        let block = rest.prefix(min(sizes.popFirst() ?? 65535, 65535))
        rest = rest.dropFirst(block.count)
        let length = UInt16(block.count)
        deflated += [rest.isEmpty && sizes.isEmpty ? 1 : 0] + littleEndian(length) + littleEndian(~length) + block
    } while !(rest.isEmpty && sizes.isEmpty)
    return deflated
}

/// Deflate data of one block with the fixed codes of RFC 1951, section 3.2.6.
private struct FixedBlock {
    private(set) var bytes: [UInt8] = []
    private var bits: UInt64 = 0
    private var count = 0

    init() { put(0b011, 3) }

    private mutating func put(_ value: Int, _ width: Int) {
        bits |= UInt64(value) << UInt64(count)
        count += width
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            count -= 8
        }
    }

    /// Codes are sent from their highest bit.
    private mutating func putCode(_ code: Int, _ width: Int) {
        for bit in (0..<width).reversed() { put(code >> bit & 1, 1) }
    }

    private mutating func putSymbol(_ symbol: Int) {
        switch symbol {
        case ..<144: putCode(0x30 + symbol, 8)
        case ..<256: putCode(0x190 + symbol - 144, 9)
        case ..<280: putCode(symbol - 256, 7)
        default: putCode(0xC0 + symbol - 280, 8)
        }
    }

    mutating func literal(_ byte: UInt8) { putSymbol(Int(byte)) }

    /// Copies 3 ... 257 bytes from 1 ... 32768 bytes back.
    mutating func copy(_ length: Int, from distance: Int) {
        let (lengthCode, lengthBits) = Self.split(length - 3, codesPerWidth: 4)
        putSymbol(257 + lengthCode)
        put((length - 3) & ((1 << lengthBits) - 1), lengthBits)
        let (distanceCode, distanceBits) = Self.split(distance - 1, codesPerWidth: 2)
        putCode(distanceCode, 5)
        put((distance - 1) & ((1 << distanceBits) - 1), distanceBits)
    }

    /// The code of a number and how many extra bits it has. Both scales grow alike: the first `2 * codesPerWidth` numbers
    /// have codes of their own, then each width of extra bits has `codesPerWidth` codes.
    private static func split(_ number: Int, codesPerWidth: Int) -> (code: Int, bits: Int) {
        if number < 2 * codesPerWidth { return (number, 0) }
        let bits = (Int.bitWidth - 1 - number.leadingZeroBitCount) - codesPerWidth.trailingZeroBitCount
        return (bits * codesPerWidth + number >> bits, bits)
    }

    mutating func end() -> [UInt8] {
        putSymbol(256)
        if count > 0 { put(0, 8 - count) }
        return bytes
    }
}

/// One gzip member.
private func member(
    _ content: [UInt8], deflated: [UInt8]? = nil, text: Bool = false, extra: [UInt8]? = nil, name: String? = nil,
    comment: String? = nil, headerCRC: Bool = false
) -> [UInt8] {
    var flags: UInt8 = text ? 1 : 0
    if headerCRC { flags |= 2 }
    if extra != nil { flags |= 4 }
    if name != nil { flags |= 8 }
    if comment != nil { flags |= 16 }
    var bytes: [UInt8] = [0x1F, 0x8B, 8, flags, 0x12, 0x34, 0x56, 0x78, 0, 3]
    if let extra { bytes += littleEndian(UInt16(extra.count)) + extra }
    if let name { bytes += name.utf8 + [0] }
    if let comment { bytes += comment.utf8 + [0] }
    if headerCRC { bytes += littleEndian(UInt16(truncatingIfNeeded: crc32(bytes))) }
    bytes += deflated ?? stored(content)
    return bytes + littleEndian(crc32(content)) + littleEndian(UInt32(content.count))
}

private struct Outcome: Equatable, CustomStringConvertible {
    var status: sluice_status
    var content: [UInt8]

    var description: String { "status \(status.rawValue), \(content.count) bytes" }
}

/// Inflates `file`, handed over in pieces that end where `cuts` say, through an output of `room` bytes. Input that was used
/// is taken away, so that nobody can look back at it.
private func gunzip(_ file: [UInt8], cuts: some Sequence<Int>, room: Int) -> Outcome {
    let gunzip = sluice_gunzip_create()!
    defer { sluice_gunzip_destroy(gunzip) }
    var content: [UInt8] = []
    var output = [UInt8](repeating: 0, count: room + Int(SLUICE_PADDING))
    var cuts = cuts.makeIterator()
    var start = 0
    var end = 0
    while true {
        var piece = [UInt8](file[start..<end]) + [UInt8](repeating: 0xFF, count: Int(SLUICE_PADDING))
        var inUsed = 0
        var outUsed = 0
        let status = sluice_gunzip_run(
            gunzip, &piece, end - start, &inUsed, end == file.count, &output, room, &outUsed)
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

private func whole(_ file: [UInt8]) -> Outcome { gunzip(file, cuts: [], room: 1 << 20) }

private func byteByByte(_ file: [UInt8], room: Int = 1) -> Outcome { gunzip(file, cuts: file.indices, room: room) }

private func bgzf(_ content: [UInt8], level: Int32) -> [UInt8] {
    let deflater = sluice_deflater_create(level)!
    defer { sluice_deflater_destroy(deflater) }
    return bgzf(content, deflater) + bgzfEnd
}

private let bgzfEnd = withUnsafeBytes(of: sluice_bgzf_end) { [UInt8]($0) }

private func bgzf(_ content: [UInt8], _ deflater: OpaquePointer) -> [UInt8] {
    var file: [UInt8] = []
    for start in stride(from: 0, to: content.count, by: Int(SLUICE_BGZF_INPUT_MAX)) {
        let piece = [UInt8](content[start..<min(start + Int(SLUICE_BGZF_INPUT_MAX), content.count)])
        file += [UInt8](unsafeUninitializedCapacity: Int(SLUICE_BGZF_OUTPUT_MAX)) { buffer, count in
            count = sluice_bgzf_member(deflater, piece, piece.count, buffer.baseAddress)
        }
    }
    return file
}

private func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

private func csv(rows: Int) -> [UInt8] {
    [UInt8]((0..<rows).map { "2013,1,\($0 % 28),\($0 * 7919 % 2400),EWR,IAH,N\($0 * 31 % 997)UA\n" }.joined().utf8)
}

private let hello = [UInt8]("hello, hello, hello\n".utf8)
private let everyField = member(
    hello, text: true, extra: [UInt8](0..<40), name: "hello.csv", comment: "a comment", headerCRC: true)

private let files: [(name: String, file: [UInt8], content: [UInt8])] = [
    ("a member", member(hello), hello),
    ("an empty member of a stored block", member([]), []),
    ("an empty member of the fixed codes", member([], deflated: [3, 0]), []),
    ("one byte in the fixed codes", member([0x61], deflated: [0x4B, 0x04, 0x00]), [0x61]),
    ("several blocks, empty ones too", member(hello, deflated: stored(hello, blocks: [0, 5, 0, 0, 9, 6, 0])), hello),
    ("a text flag", member(hello, text: true), hello),
    ("a name", member(hello, name: "x.csv"), hello),
    ("an empty name and an empty comment", member(hello, name: "", comment: ""), hello),
    ("an extra field", member(hello, extra: [1, 2, 3]), hello),
    ("an empty extra field", member(hello, extra: []), hello),
    ("an extra field with zeros in it, then a name", member(hello, extra: [0, 0, 0], name: "n"), hello),
    ("a header CRC", member(hello, headerCRC: true), hello),
    ("every field", everyField, hello),
    ("three members", member(hello) + everyField + member(hello), hello + hello + hello),
    ("empty members about one", member([]) + member([]) + member(hello) + member([]), hello),
    ("zeros behind", member(hello) + [0], hello),
    ("many zeros behind", member(hello) + [UInt8](repeating: 0, count: 700), hello),
    ("the empty end of BGZF alone", bgzfEnd, []),
    ("BGZF, stored", bgzf(hello, level: 0), hello),
    ("BGZF, level 1", bgzf(hello, level: 1), hello),
    ("BGZF, level 9", bgzf(hello, level: 9), hello),
    ("BGZF, dynamic codes", bgzf(csv(rows: 60), level: 6), csv(rows: 60)),
]

private let faults: [(name: String, file: [UInt8], status: sluice_status)] = [
    ("nothing at all", [], SLUICE_ERROR_TRUNCATED),
    ("half the magic", [0x1F], SLUICE_ERROR_TRUNCATED),
    ("no magic", [UInt8]("year,month\n2013,1\n".utf8), SLUICE_ERROR_CORRUPT),
    ("one byte that is no magic", [0x41], SLUICE_ERROR_CORRUPT),
    ("zeros only", [0, 0, 0, 0], SLUICE_ERROR_CORRUPT),
    ("the second byte is wrong", [0x1F, 0x8C], SLUICE_ERROR_CORRUPT),
    ("another method", [0x1F, 0x8B, 7, 0, 0, 0, 0, 0, 0, 0], SLUICE_ERROR_CORRUPT),
    ("a flag that is reserved", [0x1F, 0x8B, 8, 0x20, 0, 0, 0, 0, 0, 0], SLUICE_ERROR_CORRUPT),
    ("a header CRC that is wrong", changed(member(hello, headerCRC: true), at: 10), SLUICE_ERROR_CORRUPT),
    ("a header that its CRC does not fit", changed(everyField, at: 5), SLUICE_ERROR_CORRUPT),
    ("a block of no type", member([], deflated: [7]), SLUICE_ERROR_CORRUPT),
    ("a stored length that is wrong", member([], deflated: [1, 1, 0, 0xFF, 0xFF, 0x61]), SLUICE_ERROR_CORRUPT),
    ("a copy from before the start", member([], deflated: copyFromNowhere), SLUICE_ERROR_CORRUPT),
    ("content that its CRC does not fit", changed(member(hello), at: 17), SLUICE_ERROR_CORRUPT),
    ("a CRC that is wrong", changed(member(hello), at: member(hello).count - 8), SLUICE_ERROR_CORRUPT),
    ("a length that is wrong", changed(member(hello), at: member(hello).count - 1), SLUICE_ERROR_CORRUPT),
    ("a BGZF block that is not of the size it says", changed(bgzf(hello, level: 1), at: 16), SLUICE_ERROR_CORRUPT),
    (
        "a BGZF block whose extra field goes on to the data of the next one",
        bgzfEnd[..<10] + [34] + bgzfEnd[11...] + bgzfEnd, SLUICE_ERROR_CORRUPT
    ),
    ("the second member is damaged", member(hello) + changed(member(hello), at: 17), SLUICE_ERROR_CORRUPT),
    ("the second member has another method", member(hello) + [0x1F, 0x8B, 9], SLUICE_ERROR_CORRUPT),
    ("the second member is cut", member(hello) + [0x1F], SLUICE_ERROR_TRUNCATED),
    ("text behind a member", member(hello) + [0x41], SLUICE_ERROR_TRAILING_DATA),
    ("half the magic, then text", member(hello) + [0x1F, 0x41], SLUICE_ERROR_TRAILING_DATA),
    ("text behind zeros", member(hello) + [0, 0, 0x41], SLUICE_ERROR_TRAILING_DATA),
    ("a member behind zeros", member(hello) + [0] + member(hello), SLUICE_ERROR_TRAILING_DATA),
]

private let copyFromNowhere: [UInt8] = {
    var block = FixedBlock()
    block.literal(0x61)
    block.copy(3, from: 2)
    return block.end()
}()

private func changed(_ file: [UInt8], at offset: Int) -> [UInt8] {
    var file = file
    file[offset] ^= 0x40
    return file
}

@Suite("gzip in")
struct GunzipTests {
    @Test("a file of any shape gives its content, wherever input and output are cut", arguments: files.indices)
    func shapes(_ index: Int) {
        let (name, file, content) = files[index]
        let expected = Outcome(status: SLUICE_END, content: content)
        #expect(whole(file) == expected, "\(name)")
        #expect(byteByByte(file) == expected, "\(name), byte by byte")
        #expect(byteByByte(file, room: 1000) == expected, "\(name), input byte by byte")
        for room in 1...9 { #expect(gunzip(file, cuts: [], room: room) == expected, "\(name), room for \(room)") }
        for cut in file.indices {
            #expect(gunzip(file, cuts: [cut], room: 1000) == expected, "\(name), cut at \(cut)")
            #expect(gunzip(file, cuts: [cut], room: 3) == expected, "\(name), cut at \(cut), room for 3")
        }
    }

    @Test("each kind of fault has its status, wherever it is cut", arguments: faults.indices)
    func faultTable(_ index: Int) {
        let (name, file, status) = faults[index]
        #expect(whole(file).status == status, "\(name)")
        #expect(byteByByte(file).status == status, "\(name), byte by byte")
        for cut in file.indices {
            #expect(gunzip(file, cuts: [cut], room: 7).status == status, "\(name), cut at \(cut)")
        }
    }

    @Test("what came before a fault is in the output", arguments: [1, 5, 1000])
    func contentBeforeFault(room: Int) {
        for tail in [[0x41], [0x1F, 0x8B, 9], [0, 1], [0x1F]] as [[UInt8]] {
            #expect(gunzip(member(hello) + tail, cuts: [], room: room).content == hello)
        }
        let damaged = member([], deflated: [0] + stored(hello).dropFirst() + [7])
        #expect(gunzip(damaged, cuts: [], room: room) == Outcome(status: SLUICE_ERROR_CORRUPT, content: hello))
    }

    @Test("a file cut short anywhere but behind a member is noticed, between BGZF blocks too")
    func truncation() {
        let text = csv(rows: 40)
        let members = [everyField, bgzf(text, level: 1), member([]), bgzf(text, level: 6), member(hello)]
        let contents = [hello, text, [], text, hello]
        let boundaries = Set(members.indices.map { members[...$0].joined().count })
        let file = [UInt8](members.joined())
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
        arguments: [everyField, member(hello, name: "n"), bgzf(csv(rows: 12), level: 1), bgzf(csv(rows: 12), level: 9)])
    func flippedBits(_ file: [UInt8]) {
        let content = whole(file).content
        let unchecked = file[3] & 2 == 0 ? Set(4...9) : []  // time, extra flags, system: nothing depends on them
        for bit in 0..<8 * file.count {
            var flipped = file
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let outcome = whole(flipped)
            if outcome.status == SLUICE_END {
                #expect(outcome.content == content, "bit \(bit)")
            } else {
                #expect(!unchecked.contains(bit / 8), "bit \(bit)")
            }
            #expect(byteByByte(flipped, room: 16).status == outcome.status, "bit \(bit)")
        }
    }

    @Test("long members keep their window over every cut", arguments: [1, 2, 3] as [UInt64])
    func window(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var block = FixedBlock()
        var content: [UInt8] = []
        while content.count < 200_000 {
            if content.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
                content.append(UInt8.random(in: 0...255, using: &random))
                block.literal(content.last!)
                continue
            }
            let distance = Int.random(in: 1...min(32768, content.count), using: &random)
            let length = Int.random(in: 3...257, using: &random)
            for _ in 0..<length { content.append(content[content.count - distance]) }
            block.copy(length, from: distance)
        }
        let file = member(content, deflated: block.end()) + member(hello)
        let expected = Outcome(status: SLUICE_END, content: content + hello)
        #expect(whole(file) == expected)
        for room in [100, 4096, 32768, 70_000] {
            let cuts = (0..<40).map { _ in Int.random(in: 0...file.count, using: &random) }.sorted()
            #expect(gunzip(file, cuts: cuts, room: room) == expected, "room for \(room)")
        }
        #expect(byteByByte(file, room: 5000) == expected)
    }

    @Test("output that is full just at the end is followed by the end")
    func fullAtEnd() {
        for file in [member(hello), bgzf(hello, level: 1), member(hello) + [0, 0]] {
            let gunzip = sluice_gunzip_create()!
            defer { sluice_gunzip_destroy(gunzip) }
            var output = [UInt8](repeating: 0, count: hello.count + Int(SLUICE_PADDING))
            var inUsed = 0
            var outUsed = 0
            var calls = 0
            var status = SLUICE_OUTPUT_FULL
            while status == SLUICE_OUTPUT_FULL && calls < 2 {
                status = sluice_gunzip_run(gunzip, file, file.count, &inUsed, true, &output, hello.count, &outUsed)
                calls += 1
            }
            #expect(status == SLUICE_END)
            #expect(outUsed == hello.count && inUsed == file.count)
        }
    }

    @Test("calls without room, between bytes of input, lose nothing")
    func noRoom() {
        let text = csv(rows: 300)
        for file in [bgzf(text, level: 6), member([], deflated: [3, 0]) + bgzf(text, level: 1)] {
            let gunzip = sluice_gunzip_create()!
            defer { sluice_gunzip_destroy(gunzip) }
            var output = [UInt8](repeating: 0, count: text.count + Int(SLUICE_PADDING))
            var inUsed = 0
            var outUsed = 0
            var status = SLUICE_NEED_INPUT
            for length in 0...file.count where status.rawValue >= 0 {
                for hasRoom in [false, true, false] {
                    let capacity = hasRoom ? text.count : outUsed
                    let final = length == file.count && hasRoom
                    status = sluice_gunzip_run(gunzip, file, length, &inUsed, final, &output, capacity, &outUsed)
                    if status == SLUICE_END { break }
                }
            }
            #expect(
                Outcome(status: status, content: [UInt8](output[..<outUsed]))
                    == Outcome(status: SLUICE_END, content: text))
            #expect(inUsed == file.count)
        }
    }

    @Test("an end that comes later is an end, and may be asked for again")
    func lateEnd() {
        let gunzip = sluice_gunzip_create()!
        defer { sluice_gunzip_destroy(gunzip) }
        let file = member(hello)
        var output = [UInt8](repeating: 0, count: 100 + Int(SLUICE_PADDING))
        var inUsed = 0
        var outUsed = 0
        func run(final: Bool) -> sluice_status {
            sluice_gunzip_run(gunzip, file, file.count, &inUsed, final, &output, 100, &outUsed)
        }
        #expect(run(final: false) == SLUICE_NEED_INPUT)
        #expect(run(final: true) == SLUICE_END)
        #expect(run(final: true) == SLUICE_END)
    }

    @Test("an error stays")
    func errorStays() {
        for (name, file, status) in faults where !file.isEmpty {
            let gunzip = sluice_gunzip_create()!
            defer { sluice_gunzip_destroy(gunzip) }
            var output = [UInt8](repeating: 0, count: 100 + Int(SLUICE_PADDING))
            for _ in 0..<2 {
                var inUsed = 0
                var outUsed = 0
                let answer = sluice_gunzip_run(gunzip, file, file.count, &inUsed, true, &output, 100, &outUsed)
                #expect(answer == status, "\(name)")
            }
        }
    }

    @Test("the engine has a name")
    func engine() {
        let name = String(cString: sluice_gzip_engine())
        #expect(name.hasPrefix("ISA-L ") || name.hasPrefix("zlib "))
    }
}

@Suite("BGZF out")
struct BGZFTests {
    /// Splits a BGZF file by the sizes its members carry, and checks their headers.
    private func members(_ file: [UInt8]) throws -> [[UInt8]] {
        var members: [[UInt8]] = []
        var rest = file[...]
        while !rest.isEmpty {
            let header = [UInt8](rest.prefix(18))
            try #require(header.count == 18)
            #expect(Array(header[..<16]) == [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 6, 0, 0x42, 0x43, 2, 0])
            let size = Int(header[16]) + Int(header[17]) << 8 + 1
            try #require(size <= rest.count)
            members.append([UInt8](rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return members
    }

    @Test("content of any kind and size comes back at every level", arguments: 0...9 as ClosedRange<Int32>)
    func roundTrips(level: Int32) throws {
        let contents: [[UInt8]] = [
            [], [0], hello, csv(rows: 500), csv(rows: 4000), noise(1, seed: 1), noise(2, seed: 2), noise(300, seed: 3),
            noise(65279, seed: 4), noise(65280, seed: 5), noise(65281, seed: 6),
            noise(40000, seed: 7) + csv(rows: 2000),
            [UInt8](repeating: 0x61, count: 200_000),
        ]
        for content in contents {
            let file = bgzf(content, level: level)
            #expect(whole(file) == Outcome(status: SLUICE_END, content: content))
            let parts = try members(file)
            #expect(parts.last == bgzfEnd)
            #expect(parts.count == (content.count + 65279) / 65280 + 1)
            for (number, part) in parts.dropLast().enumerated() {
                let piece = content[(number * 65280)...].prefix(65280)
                #expect(whole(part + bgzfEnd) == Outcome(status: SLUICE_END, content: [UInt8](piece)))
                #expect(part.count <= piece.count + 18 + 5 + 8, "stored at worst")
                #expect([UInt8](part.suffix(4)) == littleEndian(UInt32(piece.count)))
                #expect([UInt8](part.suffix(8).prefix(4)) == littleEndian(crc32([UInt8](piece))))
            }
        }
    }

    @Test("equal input gives equal output, whatever the deflater did before", arguments: 0...9 as ClosedRange<Int32>)
    func determinism(level: Int32) {
        let deflater = sluice_deflater_create(level)!
        defer { sluice_deflater_destroy(deflater) }
        let texts = [csv(rows: 900), noise(3000, seed: 8), hello, [UInt8](repeating: 0, count: 65280), [7]]
        let fresh = texts.map { bgzf($0, level: level).dropLast(bgzfEnd.count) }
        for shift in 0..<texts.count {
            for index in texts.indices {
                let place = (index * 2 + shift) % texts.count
                #expect(bgzf(texts[place], deflater) == [UInt8](fresh[place]))
            }
        }
    }

    @Test("output does not depend on where in memory the deflater is", arguments: [1, 6] as [Int32])
    func placement(level: Int32) {
        let texts = [hello, Array(hello + hello), [UInt8]("x=y;x=y;data,x=y;data,\n".utf8), csv(rows: 40)]
        let deflaters = (0..<150).map { _ in sluice_deflater_create(level)! }
        defer { for deflater in deflaters { sluice_deflater_destroy(deflater) } }
        for text in texts {
            #expect(Set(deflaters.map { bgzf(text, $0) }).count == 1)
        }
    }

    @Test("what does not shrink is stored, whatever its length")
    func incompressible() {
        let deflater = sluice_deflater_create(1)!
        defer { sluice_deflater_destroy(deflater) }
        for length in Array(1...300) + [1000, 65279, 65280] {
            let text = noise(length, seed: UInt64(length))
            let member = bgzf(text, deflater)
            #expect(member.count <= length + 5 + 26)
            #expect(whole(member + bgzfEnd).content == text, "\(length) bytes")
        }
    }

    @Test("text shrinks at every level but 0")
    func ratio() {
        let text = csv(rows: 2000)
        for level in 1...9 as ClosedRange<Int32> { #expect(bgzf(text, level: level).count < text.count / 2) }
        #expect(bgzf(text, level: 0).count > text.count)
    }

    @Test("there are no other levels")
    func levels() {
        #expect(sluice_deflater_create(-1) == nil)
        #expect(sluice_deflater_create(10) == nil)
    }
}
