import CSluice

// CSV: the ends of fields of many blocks, written down without a look at what records they make. Three loops take turns: blocks
// inside quotes, blocks without quotes outside them, and any others, which are verified as CSVBlocks.swift says.

/// A window of blocks that are flattened, but not yet proved.
struct CSVWindow {
    var carry: CSVCarry
    /// Its end.
    var position: Int
    /// LFs outside quotes.
    var rows = 0
    /// Those in use, from the first of the index on.
    var entries: Int
    /// What its bytes hold.
    var flags: UInt32 = 0

    @inline(__always) init(_ machine: CSVMachine) {
        carry = CSVCarry(machine.state)
        position = machine.position
        let scanner = machine.scanner
        entries = Int(scanner.records) &* Int(scanner.columns) &+ Int(scanner.fields)
    }

    /// Flattens up to `size` blocks while they verify and the index has room.
    mutating func flatten(_ grammar: CSVGrammar, _ bytes: Span<UInt8>, size: Int, _ ends: inout MutableSpan<UInt32>) {
        let stop = position &+ min(size, (bytes.count &- position) / 64) &* 64
        repeat {
            flattenQuoted(grammar, bytes, to: stop)
            flattenPlain(grammar, bytes, to: stop, &ends)
        } while position < stop && flattenAny(grammar, bytes, to: stop, &ends)
    }

    /// Blocks inside quotes, without a quote: nothing in them counts.
    private mutating func flattenQuoted(_ grammar: CSVGrammar, _ bytes: Span<UInt8>, to stop: Int) {
        guard carry.quoted != 0, !grammar.hasEscape else { return }
        var held = CSVHeld(grammar)
        let start = position
        while position < stop {
            let block = bytes.block(at: position)
            if !block.equal(grammar.quote).isEmpty { break }
            held.add(block, besides: block.equal(.lineFeed) | block.equal(.carriageReturn))
            position &+= 64
        }
        if position == start { return }
        flags |= held.flags
        carry = CSVCarry(.quoted)
    }

    /// Blocks outside quotes that hold nothing but fields, delimiters, LFs and CRLFs, nor anything that is flagged.
    private mutating func flattenPlain(
        _ grammar: CSVGrammar, _ bytes: Span<UInt8>, to stop: Int, _ ends: inout MutableSpan<UInt32>
    ) {
        guard carry.quoted | carry.closed == 0 else { return }
        let hasOthers = grammar.hasOthers
        var window = self
        var returned = carry.returned
        var all = SIMD16<UInt8>()
        var counts = SIMD16<UInt8>()  // of LFs, by place
        while window.position < stop, ends.count &- window.entries >= 64 {
            let block = bytes.block(at: window.position)
            let newlines = block.equal(.lineFeed)
            let fieldEnds = newlines | block.equal(grammar.delimiter)
            let controls = block.below(0x20) - fieldEnds
            let rare = controls | block.equal(grammar.quote) | block.equal(UInt8(ascii: "\\"))
            if !rare.isEmpty || returned != 0 {
                guard block.pairsReturns(&returned, with: newlines, rare) else { break }
            }
            if hasOthers && grammar.hasOthers(in: block) { break }
            all = .merge(all, block.merged)
            counts &+= newlines.counts
            let base = UInt32(truncatingIfNeeded: window.position)
            window.entries &+= ends.writePlaces(fieldEnds.bits, base: base, at: window.entries)
            window.position &+= 64
        }
        if window.position == position { return }
        window.carry = CSVCarry(behindPlain: bytes[window.position - 1], grammar)
        for place in 0..<16 { window.rows &+= Int(counts[place]) }
        if all.isNonASCII { window.flags |= SLUICE_HAS_NON_ASCII }
        self = window
    }

    /// Blocks of any kind, up to one without quotes. False: the next does not verify, or the index has no room.
    private mutating func flattenAny(
        _ grammar: CSVGrammar, _ bytes: Span<UInt8>, to stop: Int, _ ends: inout MutableSpan<UInt32>
    ) -> Bool {
        var window = self
        var held = CSVHeld(grammar)
        var quotes = UInt64.max
        var hasQuotedDelimiter = false
        while quotes != 0, window.position < stop, ends.count &- window.entries >= 64 {
            let block = bytes.block(at: window.position)
            var carry = window.carry
            guard let marks = carry.mark(block, grammar) else { break }
            window.carry = carry
            held.add(
                block, besides: block.equal(.lineFeed) | block.equal(.carriageReturn) | block.equal(grammar.delimiter))
            let base = UInt32(truncatingIfNeeded: window.position)
            window.entries &+= ends.writePlaces(marks.ends, base: base, at: window.entries)
            window.rows &+= marks.newlines.nonzeroBitCount
            window.position &+= 64
            quotes = marks.quotes
            if quotes != 0 { window.flags |= SLUICE_HAS_QUOTE }
            hasQuotedDelimiter = hasQuotedDelimiter || marks.hasQuotedDelimiter
        }
        if window.position == position { return false }
        window.flags |= held.flags
        if hasQuotedDelimiter && grammar.delimiter < 0x20 { window.flags |= SLUICE_HAS_ESCAPE }
        self = window
        return true
    }
}

extension Block {
    /// Whether all of `rare` are CRs, and behind each is an LF; if the byte before is one (`returned`), too.
    @inline(__always) fileprivate func pairsReturns(
        _ returned: inout UInt64, with newlines: BlockMask, _ rare: BlockMask
    ) -> Bool {
        let returns = equal(.carriageReturn)
        guard (rare - returns).isEmpty else { return false }
        let places = returns.bits
        if (places &<< 1 | returned) & ~newlines.bits != 0 { return false }
        returned = places &>> 63
        return true
    }
}

extension CSVGrammar {
    /// '"', where that is not the quote, or else the backslash, which is looked for anyway.
    @inline(__always) fileprivate var otherQuote: UInt8 {
        UInt8(ascii: quote == UInt8(ascii: "\"") ? "\\" : "\"")
    }

    /// Whether any byte counts but delimiter, quote, control bytes and the backslash.
    @inline(__always) fileprivate var hasOthers: Bool { quote != UInt8(ascii: "\"") || hasEscape || hasComments }

    /// Whether a block has one of those.
    @inline(__always) fileprivate func hasOthers(in block: Block) -> Bool {
        let escapes = block.equal(hasEscape ? escape : otherQuote)
        let comments = block.equal(hasComments ? comment : otherQuote)
        return !(escapes | comments | block.equal(otherQuote)).isEmpty
    }
}

/// What is flagged of the bytes of blocks, but for quotes.
private struct CSVHeld {
    let otherQuote: UInt8
    var all = SIMD16<UInt8>()
    var escapes = SIMDMask<SIMD16<Int8>>(repeating: false)

    @inline(__always) init(_ grammar: CSVGrammar) {
        otherQuote = grammar.otherQuote
    }

    /// A block, of whose control bytes those in `known` need no escape.
    @inline(__always) mutating func add(_ block: Block, besides known: BlockMask) {
        all = .merge(all, block.merged)
        let controls = block.below(0x20) - known
        escapes = escapes .| (controls | block.equal(UInt8(ascii: "\\")) | block.equal(otherQuote)).merged
    }

    @inline(__always) var flags: UInt32 {
        (all.isNonASCII ? SLUICE_HAS_NON_ASCII : 0) | (isAny(escapes) ? SLUICE_HAS_ESCAPE : 0)
    }
}
