import CSluice

// CSV: where records end. By blocks while they verify, see CSVBlocks.swift, and by the machine.

extension sluice_csv_scanner: Scanner {
    mutating func cut(_ bytes: Span<UInt8>, final: Bool, maxRecords: UInt32) -> sluice_status {
        var machine = CSVMachine(self)
        defer { self = machine.scanner }
        return machine.cut(bytes, final: final, maxRecords: maxRecords)
    }
}

extension CSVMachine {
    mutating func cut(_ bytes: Span<UInt8>, final: Bool, maxRecords: UInt32) -> sluice_status {
        while grammar.hasBlocks && scanner.records < maxRecords {
            if isResumable { cutBlocks(bytes, maxRecords: maxRecords) }
            if bytes.count - position < 64 { break }
            let status = cutBytes(bytes.extracting(first: position + 64), final: false, maxRecords: maxRecords)
            if status != SLUICE_NEED_INPUT { return status }
        }
        return cutBytes(bytes, final: final, maxRecords: maxRecords)
    }

    /// Cuts byte by byte.
    mutating func cutBytes(_ bytes: Span<UInt8>, final: Bool, maxRecords: UInt32) -> sluice_status {
        while scanner.records < maxRecords {
            passPlain(bytes)
            if position == bytes.count { return final ? cutEnd() : SLUICE_NEED_INPUT }
            let step = grammar.step(state, bytes[position])
            switch step.event {
            case .data, .open, .fieldEnd: break
            case .recordEnd where fieldEnd(.recordEnd) > scanner.record_start: scanner.records &+= 1
            case .recordEnd, .commentEnd: scanner.skipped &+= 1
            case .strayText, .strayReturn: return refuse(step.event)
            }
            take(step)
        }
        return SLUICE_OK
    }

    private mutating func cutEnd() -> sluice_status {
        let status = checkEnd()
        if status != SLUICE_OK { return status }
        switch endEvent {
        case .recordEnd: scanner.records &+= 1
        case .commentEnd: scanner.skipped &+= 1
        default: return SLUICE_OK
        }
        startRecord()
        return SLUICE_OK
    }
}

// MARK: blocks

/// A cut of blocks at work.
private struct CSVBlockCut {
    var carry: CSVCarry
    /// The byte before may be an LF outside quotes.
    var isBehindNewline = true
    var position: Int
    var recordStart: Int
    var records: UInt32
    var skipped: UInt32

    @inline(__always) init(_ machine: CSVMachine) {
        carry = CSVCarry(machine.state)
        position = machine.position
        recordStart = Int(machine.scanner.record_start)
        records = machine.scanner.records
        skipped = machine.scanner.skipped
    }

    /// Takes blocks without a quote that are inside quotes, where nothing counts.
    @inline(__always) mutating func takeQuoted(_ grammar: CSVGrammar, _ bytes: Span<UInt8>) {
        guard carry.quoted != 0, !grammar.hasEscape else { return }
        while position &+ 64 <= bytes.count, bytes.block(at: position).equal(grammar.quote).isEmpty {
            position &+= 64
            carry = CSVCarry(.quoted)
            isBehindNewline = false
        }
    }

    /// Takes blocks without a quote that are outside quotes, where newlines are all that counts, and a CR is data at worst.
    @inline(__always) mutating func takePlain(_ grammar: CSVGrammar, _ bytes: Span<UInt8>, _ maxRecords: UInt32) {
        guard carry.isPlain else { return }
        let start = position
        var before: UInt64 = 3  // the last two bytes of the block before: LFs, or not known
        while position &+ 64 <= bytes.count {
            let block = bytes.block(at: position)
            if grammar.hasQuotes && !block.equal(grammar.quote).isEmpty { break }
            let newlines = block.equal(.lineFeed).bits
            let behind = newlines &<< 1 | newlines &<< 2 | before | before &>> 1  // blank, if there is a newline too
            let ended = records &+ UInt32(truncatingIfNeeded: newlines.nonzeroBitCount)
            if newlines & behind != 0 || ended >= maxRecords { break }
            if grammar.hasComments,
                block.equal(grammar.comment).bits & (newlines &<< 1 | before &>> 1) != 0
            {
                break
            }
            if newlines != 0 { recordStart = position &+ newlines.lastPlace &+ 1 }
            records = ended
            before = newlines &>> 62
            position &+= 64
        }
        if position == start { return }
        let last = bytes[position - 1]
        carry = CSVCarry(behindPlain: last, grammar)
        isBehindNewline = last == .lineFeed
    }

    /// Takes any block. False: there is none, or it does not verify, or has the end of record number `maxRecords`.
    @inline(never) mutating func takeAny(_ grammar: CSVGrammar, _ bytes: Span<UInt8>, _ maxRecords: UInt32) -> Bool {
        var next = carry
        guard position &+ 64 <= bytes.count, let marks = next.mark(bytes.block(at: position), grammar) else {
            return false
        }
        let newlines = marks.newlines
        let mayBeBlank = newlines & (newlines &<< 1 | (isBehindNewline ? 1 : 0)) != 0
        let blanks = mayBeBlank || marks.returns | carry.returned != 0 ? countBlanks(marks) : 0
        let ended = records &+ UInt32(truncatingIfNeeded: newlines.nonzeroBitCount) &- blanks
        if ended >= maxRecords { return false }
        skipped &+= blanks
        records = ended
        if newlines != 0 { recordStart = position &+ newlines.lastPlace &+ 1 }
        isBehindNewline = newlines &>> 63 != 0
        position &+= 64
        carry = next
        return true
    }

    /// How many newlines end a blank record.
    private func countBlanks(_ marks: CSVMarks) -> UInt32 {
        let starts = marks.newlines &<< 1 | (recordStart == position ? 1 : 0)
        let behindReturn = recordStart + 1 == position ? carry.returned : 0
        let blank = starts | (marks.returns & starts) &<< 1 | behindReturn
        return UInt32(truncatingIfNeeded: (marks.newlines & blank).nonzeroBitCount)
    }
}

extension CSVMachine {
    /// Takes blocks while they verify and do not hold the end of record number `maxRecords`.
    private mutating func cutBlocks(_ bytes: Span<UInt8>, maxRecords: UInt32) {
        let grammar = self.grammar
        var cut = CSVBlockCut(self)
        repeat {
            cut.takeQuoted(grammar, bytes)
            cut.takePlain(grammar, bytes, maxRecords)
        } while cut.takeAny(grammar, bytes, maxRecords)
        let start = position
        if cut.position == start { return }

        let isBehindQuote = state == .quote
        state = cut.carry.state(before: cut.position, bytes, grammar)
        if cut.recordStart != Int(scanner.record_start) {
            scanner.record_end = UInt32(truncatingIfNeeded: cut.recordStart)
        }
        scanner.record_start = UInt32(truncatingIfNeeded: cut.recordStart)
        position = cut.position
        scanner.records = cut.records
        scanner.skipped = cut.skipped
        findOpenQuote(bytes, from: start, isBehindQuote: isBehindQuote)
    }
}
