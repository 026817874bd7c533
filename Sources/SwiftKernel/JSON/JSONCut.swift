import CSluice

// JSON: where the elements of an array end. Blocks of 64 bytes are passed over, or their ends counted, while they do not hold
// the array's end nor that of element number `maxRecords`; the rest goes byte by byte.

extension sluice_json_scanner: Scanner {
    mutating func cut(_ bytes: Span<UInt8>, final: Bool, maxRecords: UInt32) -> sluice_status {
        cutBlocks(bytes, maxRecords: maxRecords)
        while closed == 0, records < maxRecords, Int(position) < bytes.count { take(bytes[Int(position)]) }
        if closed != 0 { return SLUICE_END }
        if records >= maxRecords { return SLUICE_OK }
        if !final { return SLUICE_NEED_INPUT }
        if bytes.hasMore(from: Int(record_end)) { endElement(before: UInt32(truncatingIfNeeded: bytes.count)) }
        return SLUICE_OK
    }

    /// Ends the element before `end`, one past what ends it.
    @inline(__always) private mutating func endElement(before end: UInt32) {
        records &+= 1
        record_end = end
    }

    /// Takes one byte. Backslashes count outside strings too: what they do to a quote there makes no JSON.
    @inline(__always) private mutating func take(_ byte: UInt8) {
        let isEscaped = escaped != 0
        escaped = !isEscaped && byte == UInt8(ascii: "\\") ? 1 : 0
        position &+= 1
        switch byte {
        case UInt8(ascii: "\"") where !isEscaped: in_string ^= 1
        case _ where in_string != 0: break
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if depth == 0 {
                closed = 1
                endElement(before: position)
            } else {
                depth &-= 1
            }
        case UInt8(ascii: ",") where depth == 0: endElement(before: position)
        default: break
        }
    }

    // MARK: blocks

    private mutating func cutBlocks(_ bytes: Span<UInt8>, maxRecords: UInt32) {
        var scanner = self
        while scanner.closed == 0, scanner.records < maxRecords, Int(scanner.position) &+ 64 <= bytes.count {
            let block = bytes.block(at: Int(scanner.position))
            if !scanner.takeBlock(block, maxRecords: maxRecords) { break }
        }
        self = scanner
    }

    /// Takes one block. False: it has an end that is not to be passed over, and nothing is taken.
    @inline(__always) private mutating func takeBlock(_ block: Block, maxRecords: UInt32) -> Bool {
        var next = self
        let inString = next.stringBytes(block)
        next.position &+= 64
        let (openLanes, closeLanes) = (block.equalBracket(UInt8(ascii: "{")), block.equalBracket(UInt8(ascii: "}")))
        if depth > 0 && (openLanes | closeLanes).isEmpty {
            self = next
            return true
        }
        let (opens, closes) = (openLanes.bits & ~inString, closeLanes.bits & ~inString)
        // With fewer closing brackets than are open there is no end here: so it is mostly, where elements are long.
        let closeCount = UInt32(truncatingIfNeeded: closes.nonzeroBitCount)
        if closeCount < depth {
            next.depth = depth &+ UInt32(truncatingIfNeeded: opens.nonzeroBitCount) &- closeCount
        } else {
            let commas = block.equal(UInt8(ascii: ",")).bits & ~inString
            let ends = JSONElementEnds(commas: commas, opens: opens, closes: closes, depth: depth)
            if ends.isClosed || ends.count >= maxRecords &- records { return false }
            next.depth = ends.depth
            next.records &+= ends.count
            if ends.count > 0 { next.record_end = position &+ ends.last }
        }
        self = next
        return true
    }

    /// The bytes inside strings, the opening quote among them and the closing one not; carries on.
    @inline(__always) private mutating func stringBytes(_ block: Block) -> UInt64 {
        var quotes = block.equal(UInt8(ascii: "\"")).bits
        let backslashes = block.equal(UInt8(ascii: "\\"))
        if escaped != 0 || !backslashes.isEmpty { quotes &= ~escapedBytes(backslashes.bits) }
        let inString = quotes.prefixXor ^ (in_string != 0 ? .max : 0)
        in_string = UInt8(truncatingIfNeeded: inString &>> 63)
        return inString
    }

    /// The bytes that a backslash escapes: those behind a run of backslashes of odd length, counting from the last unescaped
    /// one. Subtracting from the mask of odd bits makes each run's carry end at a bit whose parity tells that of its length
    /// (John Keiser's method in simdjson).
    @inline(__always) private mutating func escapedBytes(_ backslashes: UInt64) -> UInt64 {
        let oddBits: UInt64 = 0xAAAA_AAAA_AAAA_AAAA
        let before = UInt64(escaped)
        let starts = backslashes & ~before
        let toggled = ((starts &<< 1 | oddBits) &- starts) ^ oddBits
        escaped = UInt8(truncatingIfNeeded: (toggled & backslashes) &>> 63)
        return toggled ^ (backslashes | before)
    }
}

extension Span<UInt8> {
    /// Whether there is more than white space from `start` on.
    fileprivate func hasMore(from start: Int) -> Bool {
        var position = start
        while position < count {
            switch self[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), .lineFeed, .carriageReturn: position += 1
            default: return true
            }
        }
        return false
    }
}

/// The element ends that a block holds.
private struct JSONElementEnds {
    var count: UInt32 = 0
    /// One past the last of them.
    var last: UInt32 = 0
    /// Brackets that are open behind the block.
    var depth: UInt32
    /// One of them is the array's closing bracket, and the others are before it.
    var isClosed = false

    /// Goes from bracket to bracket; the commas between two of them at depth 0 end elements.
    init(commas: UInt64, opens: UInt64, closes: UInt64, depth: UInt32) {
        self.depth = depth
        var left = UInt64.max  // bytes behind the last bracket
        var brackets = opens | closes
        while true {
            let bracket = brackets & (0 &- brackets)
            if self.depth == 0 {
                let found = (commas & left & (bracket &- 1)) | (bracket & closes)
                count &+= UInt32(truncatingIfNeeded: found.nonzeroBitCount)
                if found != 0 { last = UInt32(truncatingIfNeeded: found.lastPlace &+ 1) }
                isClosed = bracket & closes != 0
            }
            if bracket == 0 || isClosed { return }
            self.depth = opens & bracket != 0 ? self.depth &+ 1 : self.depth &- 1
            left = ~(bracket | (bracket &- 1))
            brackets ^= bracket
        }
    }
}
