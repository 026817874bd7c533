import CSluice

// CSV, 64 bytes at a time: what cut and index have in common. The machine is the definition; here is only done what it would
// have done, faster.
//
// 1. Speculate: every quote byte opens or closes a quoted span, so the parity of the quotes before a byte says whether it is
//    inside (as in Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019). Inside, delimiters and line ends are
//    data; a doubled quote closes and opens again.
// 2. Verify, block by block: an opening quote stands at a field's start or behind a closing one (a doubled quote); behind a
//    closing quote comes a delimiter, LF, CR or quote; behind a CR outside quotes comes LF. All look one byte back only, so
//    one bit of each is carried into the next block.
// 3. A block that does not verify is not taken: the machine takes its 64 bytes. It alone reports errors, knows what is lenient,
//    and reads escape bytes and comments; dialects with CR records are its own altogether.
// 4. The state behind verified blocks follows from the parity and the last two bytes. The states `afterQuote`,
//    `quotedEscape` and `comment` have no such form: the machine goes on until they are left.
// 5. Most blocks have no quotes, and are wholly inside quotes or wholly outside. Runs of such are taken by loops of their own.

extension CSVGrammar {
    var hasBlocks: Bool {
        let hasLineEnd =
            delimiter == .lineFeed || delimiter == .carriageReturn || quote == .lineFeed || quote == .carriageReturn
        return delimiter != quote && !hasLineEnd && lineEnd == .lineFeed
    }
}

/// What the bits of a block mean.
struct CSVMarks {
    let quotes: UInt64
    /// Delimiters and LFs outside quotes: where fields end.
    let ends: UInt64
    /// LFs outside quotes.
    let newlines: UInt64
    /// CRs outside quotes.
    let returns: UInt64
    /// A delimiter is inside quotes.
    let hasQuotedDelimiter: Bool
}

/// What a block leaves to the next one: bits 0, but for `quoted`.
struct CSVCarry {
    /// All ones: inside quotes.
    var quoted: UInt64
    /// A quote may open here.
    var boundary: UInt64
    /// The byte before is a closing quote.
    var closed: UInt64
    /// The byte before is a CR outside quotes.
    var returned: UInt64
    /// A record starts here.
    var started: UInt64

    @inline(__always) init(_ state: CSVState) {
        quoted = state == .quoted ? .max : 0
        boundary = state == .recordStart || state == .fieldStart || state == .quote ? 1 : 0
        closed = state == .quote ? 1 : 0
        returned = state.isReturn ? 1 : 0
        started = state == .recordStart ? 1 : 0
    }

    /// Behind `byte`, which stands outside quotes and is none.
    @inline(__always) init(behindPlain byte: UInt8, _ grammar: CSVGrammar) {
        quoted = 0
        boundary = byte == .lineFeed || byte == grammar.delimiter ? 1 : 0
        closed = 0
        returned = byte == .carriageReturn ? 1 : 0
        started = byte == .lineFeed ? 1 : 0
    }

    /// Neither inside quotes nor behind a quote or CR.
    @inline(__always) var isPlain: Bool { quoted | closed | returned == 0 }

    /// Parts a block by (1), verifies it by (2) and carries on. Nil: it does not verify, and the carry is worthless.
    @inline(__always) mutating func mark(_ block: Block, _ grammar: CSVGrammar) -> CSVMarks? {
        let (delimiters, allNewlines) = BlockMask.bits(block.equal(grammar.delimiter), block.equal(.lineFeed))
        let quotes = grammar.hasQuotes ? block.equal(grammar.quote).bits : 0
        let returnLanes = block.equal(.carriageReturn)
        let allReturns = returnLanes.isEmpty ? 0 : returnLanes.bits  // as it mostly is

        let inside = quotes.prefixXor ^ quoted
        let closing = quotes & ~inside
        let ends = (delimiters | allNewlines) & ~inside
        let newlines = allNewlines & ~inside
        let returns = allReturns & ~inside

        let boundaries = ends | closing
        let mayOpen = boundaries &<< 1 | boundary
        let behindClosing = closing &<< 1 | closed
        let mayFollow = quotes | delimiters | allNewlines | allReturns
        var wrong = (quotes & inside & ~mayOpen) | (behindClosing & ~mayFollow)
        wrong |= (returns &<< 1 | returned) & ~allNewlines
        if grammar.hasEscape { wrong |= block.equal(grammar.escape).bits | (behindClosing & quotes) }
        if grammar.hasComments { wrong |= block.equal(grammar.comment).bits & (newlines &<< 1 | started) }
        if wrong != 0 { return nil }
        quoted = inside.spreadLast
        boundary = boundaries &>> 63
        closed = closing &>> 63
        returned = returns &>> 63
        started = newlines &>> 63
        return CSVMarks(
            quotes: quotes, ends: ends, newlines: newlines, returns: returns,
            hasQuotedDelimiter: delimiters & inside != 0)
    }

    /// The state behind a verified block that ends at `position`.
    func state(before position: Int, _ bytes: Span<UInt8>, _ grammar: CSVGrammar) -> CSVState {
        if quoted != 0 { return .quoted }
        if closed != 0 { return .quote }
        switch bytes[position - 1] {
        case .lineFeed: return .recordStart
        case grammar.delimiter: return .fieldStart
        case _ where returned == 0: return .unquoted
        default: return grammar.isQuote(bytes[position - 2]) ? .quoteReturn : .unquotedReturn
        }
    }
}

extension CSVMachine {
    /// See (4).
    var isResumable: Bool { state != .afterQuote && state != .quotedEscape && state != .comment }

    /// Notes where the quoted field began that is open at `position`, or whose last quote ends there and may be half of a
    /// doubled one. Quotes inside a field come in pairs, so the nearest run of an odd number, looking back, begins with the
    /// one that opened it. From `start` on blocks were taken; the byte before it is a quote where `isBehindQuote`.
    mutating func findOpenQuote(_ bytes: Span<UInt8>, from start: Int, isBehindQuote: Bool) {
        guard state == .quoted || state == .quote else { return }
        var at = state == .quote ? position - 1 : position
        var isOdd = false
        while at > start {
            if bytes[at - 1] == grammar.quote {
                isOdd.toggle()
            } else if isOdd {
                break
            }
            at -= 1
        }
        if at == start && isBehindQuote { isOdd.toggle() }
        if isOdd { scanner.quote_start = UInt32(truncatingIfNeeded: at) }
    }
}
