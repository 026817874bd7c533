import CSluiceLZ4
import CSluice
import TestSupport
import Testing

#if DEBUG || THIN
    private let step = 8
#else
    private let step = 1
#endif

private let kernels = kernelNames

/// What liblz4 makes of a block.
private func decoded(_ block: [UInt8], count: Int) -> [UInt8]? {
    var content = [UInt8](repeating: 0, count: count)
    let made = block.withUnsafeBytes { block in
        content.withUnsafeMutableBytes { content in
            LZ4_decompress_safe(
                block.baseAddress, content.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(block.count),
                Int32(content.count))
        }
    }
    return Int(made) == count ? content : nil
}

/// What the block format asks for beyond what liblz4 makes sure of: distances, and how a block ends.
private func isWellFormed(_ block: [UInt8], count: Int) -> Bool {
    var bytes = block.makeIterator()
    func length(_ short: UInt8) -> Int? {
        guard short == 15 else { return Int(short) }
        var length = 15
        while let more = bytes.next() {
            length += Int(more)
            if more < 255 { return length }
        }
        return nil
    }
    var place = 0
    var lastMatch: Int?
    while let token = bytes.next(), let literals = length(token >> 4) {
        for _ in 0..<literals where bytes.next() == nil { return false }
        place += literals
        guard let low = bytes.next() else {
            return place == count && token & 15 == 0 && (lastMatch.map { $0 + 12 <= count && literals >= 5 } ?? true)
        }
        guard let high = bytes.next(), let match = length(token & 15) else { return false }
        let distance = Int(low) | Int(high) << 8
        guard 0 < distance, distance <= place else { return false }
        lastMatch = place
        place += 4 + match
    }
    return false
}

/// How many bytes liblz4's fast compressor makes of it.
private func packedByLibrary(_ content: [UInt8]) -> Int {
    var block = [CChar](repeating: 0, count: Int(LZ4_compressBound(Int32(content.count))))
    return content.withUnsafeBytes {
        Int(LZ4_compress_default($0.baseAddress, &block, Int32($0.count), Int32(block.count)))
    }
}

private struct Made: Equatable {
    /// Empty: it does not pay.
    var block: [UInt8]
    /// Of the bytes before and the content.
    var checksum: UInt32?
}

/// Compresses lines in memory of just their size, to an output whose bytes behind `capacity` stay as they were.
private func lines(
    _ content: [UInt8], _ kernel: String, capacity: Int? = nil, behind before: [UInt8]? = nil
) -> Made {
    let scratch = UnsafeMutablePointer<sluice_lz4_lines>.allocate(capacity: 1)
    defer { scratch.deallocate() }
    let capacity = capacity ?? content.count
    var output = [UInt8](repeating: 0xA5, count: capacity + 64)
    var hash = sluice_xxh32_start()
    if let before { sluice_xxh32_add(&hash, before, before.count) }
    let function = kernelNamed(kernel)!.pointee.lz4_lines!
    let made =
        before == nil
        ? function(scratch, content, content.count, &output, capacity, nil)
        : function(scratch, content, content.count, &output, capacity, &hash)
    #expect(made <= capacity)
    #expect(output[capacity...].allSatisfy { $0 == 0xA5 }, "written behind the output")
    return Made(block: Array(output[..<made]), checksum: before.map { _ in sluice_xxh32_value(&hash) })
}

/// A block of an encoder's, without its length: what is stored comes back as nil.
private func block(_ content: [UInt8], _ kernel: String, level: Int32 = 1) -> [UInt8]? {
    let encoder = sluice_lz4_encoder_create(level, kernelNamed(kernel))!
    defer { sluice_lz4_encoder_destroy(encoder) }
    return block(content, encoder)
}

private func block(_ content: [UInt8], _ encoder: OpaquePointer) -> [UInt8]? {
    // Never longer than stored.
    var output = [UInt8](repeating: 0xA5, count: 4 + content.count + 64)
    let count = sluice_lz4_block(encoder, content, content.count, &output, nil)
    #expect(output[(4 + content.count)...].allSatisfy { $0 == 0xA5 }, "written behind the output")
    let isStored = output[3] & 0x80 != 0
    #expect(!isStored || Array(output[4..<count]) == content)
    return isStored ? nil : Array(output[4..<count])
}

/// Rows of a table as JSON Lines, of at least `count` bytes. Values are as they are in tables: some are the same for long, some
/// grow, some are any.
private func table(_ count: Int, seed: UInt64, columns: Int = 8, spread: Int = 1000) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    var text = ""
    var row = 0
    while text.utf8.count < count {
        let cells = (0..<columns).map { column in
            let value =
                switch column % 4 {
                case 0: row / 50
                case 1: row
                case 2: Int.random(in: 0..<spread, using: &random)
                default: Int.random(in: 0..<3, using: &random)
                }
            return #""column_\#(column)":"\#(value)""#
        }
        text += "{" + cells.joined(separator: ",") + "}\n"
        row += 1
    }
    return Array(text.utf8)
}

private func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

private func repeated(_ period: [UInt8], _ count: Int) -> [UInt8] { (0..<count).map { period[$0 % period.count] } }

private func crlf(_ text: [UInt8]) -> [UInt8] { text.flatMap { $0 == UInt8(ascii: "\n") ? [13, 10] : [$0] } }

/// Fields of all lengths, lines of any number of fields, empty ones, and none.
private func mixture(seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    let width = Int.random(in: 1...30, using: &random)
    var text = [UInt8]()
    while text.count < 40_000 {
        let odd = Int.random(in: 0..<20, using: &random) == 0
        let fields = odd ? Int.random(in: 0...40, using: &random) : width
        for field in 0..<max(1, fields) {
            if field > 0 { text.append(UInt8(ascii: ",")) }
            text += Array("some_key_\(field)".utf8.prefix(Int.random(in: 14...20, using: &random)))
            let long = Int.random(in: 0..<200, using: &random) == 0
            let length = Int.random(in: 0...(long ? 700 : 3), using: &random)
            text += (0..<length).map { _ in UInt8.random(in: 48...57, using: &random) }
        }
        text.append(UInt8(ascii: "\n"))
    }
    return text
}

/// A line's fields, so many times over, with a number in each that goes up.
private func grid(lines: Int, fields: Int, key: String) -> [UInt8] {
    var text = ""
    for line in 0..<lines {
        text += (0..<fields).map { "\(key)\((line * 7 + $0) % 10)" }.joined(separator: ",") + "\n"
    }
    return Array(text.utf8)
}

private let contents: [(name: String, content: [UInt8], pays: Bool)] = [
    ("a table", table(100_000, seed: 1), true),
    ("a table as large as a block", Array(table(250_000, seed: 2).prefix(Int(SLUICE_LZ4_INPUT_MAX))), true),
    ("a table of one column", table(50_000, seed: 3, columns: 1), true),
    ("a table of long values", table(50_000, seed: 4, spread: .max), false),
    ("many columns", table(200_000, seed: 5, columns: 200), true),
    ("more columns than are kept", table(250_000, seed: 6, columns: 3000), false),
    ("a text that begins within a line", Array(table(100_000, seed: 7).dropFirst(77)), true),
    ("many separators", grid(lines: 9000, fields: 8, key: ""), false),
    ("nothing but separators", repeated([UInt8(ascii: ",")], 100_000), false),
    ("nothing but line ends", repeated([UInt8(ascii: "\n")], 100_000), false),
    ("no separator", repeated([UInt8(ascii: "a")], 100_000), false),
    ("one line", grid(lines: 1, fields: 10_000, key: "a_key_of_some_length"), false),
    ("lines that come again", repeated(table(3000, seed: 8), 200_000), false),
    ("a table with CRLF", crlf(table(100_000, seed: 15)), true),
    ("a table that ends within a line", table(100_000, seed: 16).dropLast(40) + [], true),
    ("a long line of noise without a line end", noise(120_000, seed: 17).map { $0 | 0x40 }, false),
    ("noise", noise(100_000, seed: 9), false),
    ("a table, then noise", table(60_000, seed: 10) + noise(60_000, seed: 11), false),
    ("a line of 60 KiB in a table", table(30_000, seed: 12) + noise(60_000, seed: 13) + table(30_000, seed: 14), false),
]

@Suite("LZ4 of lines")
struct LZ4LinesTests {
    @Test("a block gives its content back, and all kernels make the same one", arguments: contents.indices)
    func roundTrip(_ index: Int) {
        let (name, content, pays) = contents[index]
        let expected = lines(content, "scalar", behind: [])
        #expect(!expected.block.isEmpty == pays, "\(name)")
        #expect(expected.checksum == sluice_xxh32(content, content.count), "\(name)")
        if pays {
            #expect(decoded(expected.block, count: content.count) == content, "\(name)")
            #expect(isWellFormed(expected.block, count: content.count), "\(name)")
        }
        for kernel in kernels {
            #expect(lines(content, kernel, behind: []) == expected, "\(name), \(kernel)")
            #expect(lines(content, kernel).block == expected.block, "\(name), \(kernel), no checksum")
        }
    }

    @Test("lines of every mixture of fields come back", arguments: stride(from: 1, through: 60, by: step).map { $0 })
    func mixtures(seed: Int) {
        let content = mixture(seed: UInt64(seed))
        let expected = lines(content, "scalar")
        if !expected.block.isEmpty { #expect(decoded(expected.block, count: content.count) == content) }
        for kernel in kernels { #expect(lines(content, kernel) == expected, "\(kernel)") }
        for kernel in kernels {
            #expect(block(content, kernel).map { decoded($0, count: content.count) == content } ?? false, "\(kernel)")
        }
    }

    @Test("inputs of every length come back", arguments: [1, 4000, 8100, 16_300])
    func lengths(_ first: Int) {
        let encoders = kernels.map { sluice_lz4_encoder_create(1, kernelNamed($0))! }
        defer { for encoder in encoders { sluice_lz4_encoder_destroy(encoder) } }
        let sources = [
            table(17_000, seed: 20), noise(17_000, seed: 21), repeated([0x61], 17_000),
            repeated(Array("0123456,89\n".utf8), 17_000), grid(lines: 1500, fields: 3, key: "key"),
        ]
        for length in stride(from: first, to: first + 300, by: first == 1 ? 1 : step) {
            for source in sources {
                let content = Array(source[..<length])
                let made = encoders.map { block(content, $0) }
                #expect(made.allSatisfy { $0 == made[0] }, "\(length) bytes")
                guard let block = made[0] else { continue }
                #expect(
                    decoded(block, count: length) == content && isWellFormed(block, count: length), "\(length) bytes")
            }
        }
    }

    @Test("no capacity is exceeded, and with more the block is the same", arguments: kernels)
    func capacities(kernel: String) {
        let content = table(20_000, seed: 30)
        let whole = lines(content, kernel).block
        #expect(!whole.isEmpty)
        for capacity in Array(0...300) + Array(stride(from: 301, through: content.count, by: 97 * step)) {
            let made = lines(content, kernel, capacity: capacity).block
            #expect(made == whole || made.isEmpty && capacity < whole.count + 20_000, "\(capacity)")
        }
    }

    @Test("the checksum goes on from any bytes before", arguments: kernels)
    func checksums(kernel: String) {
        let sources = [table(30_000, seed: 40), noise(9000, seed: 41), noise(3000, seed: 42), [1, 2, 3]]
        for count in stride(from: 0, through: 40, by: step) {
            let before = noise(count, seed: 43)
            for content in sources {
                let all = before + content
                #expect(lines(content, kernel, behind: before).checksum == sluice_xxh32(all, all.count))
            }
        }
    }

    @Test("a match never reaches further than LZ4's do: lines of 3 to 70 KB")
    func distances() {
        var paid: [Int] = []
        for length in [
            3000, 9000, 20_000, 27_000, 28_700, 30_000, 32_768, 40_000, 57_000, 65_490, 65_535, 65_536, 70_000,
        ] {
            // Lines of long fields, which are few enough to be kept.
            let field = Array("a_key_that_is_rather_long_so_that_lines_have_few,".utf8)
            let line = repeated(field, length - 1) + [10]
            let text = (0..<8).flatMap { [UInt8(0x30 + $0)] + line.dropFirst() }
            let content = Array(text.prefix(Int(SLUICE_LZ4_INPUT_MAX)))
            let made = lines(content, "scalar")
            if !made.block.isEmpty {
                paid.append(length)
                #expect(
                    decoded(made.block, count: content.count) == content
                        && isWellFormed(made.block, count: content.count))
            }
            for kernel in kernels { #expect(lines(content, kernel) == made, "\(length), \(kernel)") }
        }
        #expect(!paid.isEmpty && paid.allSatisfy { $0 < 65_536 }, "\(paid)")
    }

    @Test("tables take at most a quarter more than liblz4 makes of them", arguments: 1...8)
    func sizes(seed: UInt64) {
        let content = Array(table(240_000, seed: seed, columns: 5 + Int(seed)).prefix(Int(SLUICE_LZ4_INPUT_MAX)))
        let made = lines(content, kernels[kernels.count - 1]).block
        #expect(!made.isEmpty)
        #expect(Double(made.count) <= 1.25 * Double(packedByLibrary(content)))
    }

    @Test("what does not pay is liblz4's, byte for byte", arguments: contents.indices)
    func fallback(_ index: Int) {
        let (name, whole, pays) = contents[index]
        guard !pays else { return }
        let content = Array(whole.prefix(Int(SLUICE_LZ4_INPUT_MAX)))
        let count = packedByLibrary(content)
        #expect(block(content, kernels[0])?.count == (count < content.count ? count : nil), "\(name)")
    }

    @Test("levels over 1 do not look at lines")
    func levels() {
        let content = table(100_000, seed: 50)
        #expect(block(content, kernels[0]) == lines(content, kernels[0]).block)
        #expect(block(content, kernels[0], level: 0) == block(content, kernels[0]))
        #expect(block(content, kernels[0], level: 2)!.count < block(content, kernels[0])!.count)
    }
}
