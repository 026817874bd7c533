import CSluice

// CSV, one byte at a time: the machine that every faster way is held to.
//
// 1. `CSVGrammar.step` is the whole grammar: from a state and a byte to the next state and what the byte meant.
// 2. A byte is taken whole or not at all: who cannot act on what it meant (an array is full, a record is ragged, text stands
//    behind a quote) returns before the scanner changes. So every call may be repeated, and an error stays an error.
// 3. All that is known of the bytes before `position` is in the scanner, hence a call may end and resume at any byte.
// 4. `record_start == record_end` from the first line end on: a record starts where the one before it ended.
// 5. Inside a field, quoted or not, a byte that no rule names leaves the machine as it is: a run of them is passed over.

/// What the byte before the position left behind: the numbers of `sluice_csv_state`.
enum CSVState: UInt8 {
    /// Nothing of this record yet.
    case recordStart = 0
    /// A delimiter.
    case fieldStart = 1
    /// The field is not quoted.
    case unquoted = 2
    case quoted = 3
    /// The escape byte, inside quotes.
    case quotedEscape = 4
    /// A quote inside quotes: the closing one, or half of a doubled one.
    case quote = 5
    /// Text behind a closing quote.
    case afterQuote = 6
    /// A CR in an unquoted field, or before one: LF may follow.
    case unquotedReturn = 7
    /// A CR behind a closing quote: LF may follow.
    case quoteReturn = 8
    case comment = 9

    @inline(__always) var isReturn: Bool { self == .unquotedReturn || self == .quoteReturn }
}

/// What a byte meant.
enum CSVEvent {
    /// It belongs to a field, or is a CR of which that is not known yet.
    case data
    /// It belongs to a field, and opens its quotes.
    case open
    case fieldEnd
    /// It ends the field too.
    case recordEnd
    case commentEnd
    /// It may not stand behind a closing quote.
    case strayText
    /// The CR before it may not.
    case strayReturn
}

struct CSVStep {
    var state: CSVState
    var event: CSVEvent

    @inline(__always) init(_ state: CSVState, _ event: CSVEvent = .data) { (self.state, self.event) = (state, event) }
}

/// A dialect, asked the questions that the grammar asks.
struct CSVGrammar {
    let delimiter: UInt8
    let quote: UInt8
    let escape: UInt8
    let comment: UInt8
    /// The byte that ends records.
    let lineEnd: UInt8
    /// Text behind a closing quote is data.
    let isLenient: Bool

    @inline(__always) init(_ dialect: sluice_csv_dialect) {
        delimiter = dialect.delimiter
        quote = dialect.quote
        escape = dialect.escape
        comment = dialect.comment
        lineEnd = dialect.carriage_return != 0 ? .carriageReturn : .lineFeed
        isLenient = dialect.lenient != 0
    }

    @inline(__always) var hasQuotes: Bool { quote != 0 }
    @inline(__always) var hasComments: Bool { comment != 0 }
    /// A quote that is its own escape is the same as doubling.
    @inline(__always) var hasEscape: Bool { escape != 0 && escape != quote }

    @inline(__always) func isQuote(_ byte: UInt8) -> Bool { hasQuotes && byte == quote }

    @inline(__always) func step(_ state: CSVState, _ byte: UInt8) -> CSVStep {
        switch state {
        case .unquoted, .unquotedReturn: return stepOutside(byte, .unquoted, .unquotedReturn)
        case .quoted: return stepQuoted(byte)
        case .quotedEscape: return CSVStep(.quoted)
        case .recordStart where hasComments && byte == comment: return CSVStep(.comment)
        case .recordStart, .fieldStart:
            return isQuote(byte) ? CSVStep(.quoted, .open) : stepOutside(byte, .unquoted, .unquotedReturn)
        case .quote where isQuote(byte) && !hasEscape: return CSVStep(.quoted)
        case .quote, .quoteReturn: return stepBehindQuote(state, byte)
        case .afterQuote: return stepOutside(byte, .afterQuote, .quoteReturn)
        case .comment: return byte == lineEnd ? CSVStep(.recordStart, .commentEnd) : CSVStep(.comment)
        }
    }

    /// A byte outside quotes, where data leads to `text` and a CR to `textReturn`.
    @inline(__always) private func stepOutside(_ byte: UInt8, _ text: CSVState, _ textReturn: CSVState) -> CSVStep {
        if byte == delimiter { return CSVStep(.fieldStart, .fieldEnd) }
        if byte == lineEnd { return CSVStep(.recordStart, .recordEnd) }
        return CSVStep(byte == .carriageReturn ? textReturn : text)
    }

    @inline(__always) private func stepQuoted(_ byte: UInt8) -> CSVStep {
        if hasEscape && byte == escape { return CSVStep(.quotedEscape) }
        return CSVStep(byte == quote ? .quote : .quoted)
    }

    /// A byte behind a closing quote, or behind such a quote and a CR.
    @inline(__always) private func stepBehindQuote(_ state: CSVState, _ byte: UInt8) -> CSVStep {
        let next = stepOutside(byte, .afterQuote, .quoteReturn)
        if isLenient || next.event == .recordEnd { return next }
        if state == .quoteReturn { return CSVStep(state, .strayReturn) }
        return next.state == .afterQuote ? CSVStep(state, .strayText) : next
    }

    /// Where a run of bytes that no rule names ends, nor anything that is flagged.
    @inline(__always) func endOfPlain(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var position = start
        while position &+ 16 <= bytes.count {
            let v = bytes.vector(at: position)
            let isNamed = (v .== everyLane(delimiter)) .| (v .== everyLane(quote)) .| (v .== everyLane(escape))
            let isMark = (v .== everyLane(UInt8(ascii: "\\"))) .| (v .== everyLane(UInt8(ascii: "\"")))
            let isOther = v.signed .< everyLane(0x20).signed  // control bytes and those over 0x7F
            let places = bits(isNamed .| isMark .| isOther)
            if places != 0 { return position &+ places.trailingZeroBitCount }
            position &+= 16
        }
        while position < bytes.count, isPlain(bytes[position]) { position &+= 1 }
        return position
    }

    @inline(__always) private func isPlain(_ byte: UInt8) -> Bool {
        byte != delimiter && byte != quote && byte != escape && byte >= 0x20 && byte < 0x80
            && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "\"")
    }
}

/// A scanner at work: a copy, which lives in registers.
struct CSVMachine {
    let grammar: CSVGrammar
    var scanner: sluice_csv_scanner
    /// `SLUICE_HAS_*`: what the bytes hold.
    var flags: UInt32 = 0

    @inline(__always) init(_ scanner: sluice_csv_scanner) {
        self.scanner = scanner
        grammar = CSVGrammar(scanner.dialect)
    }

    @inline(__always) var state: CSVState {
        get { CSVState(rawValue: scanner.state) ?? .recordStart }
        set { scanner.state = newValue.rawValue }
    }

    @inline(__always) var position: Int {
        get { Int(scanner.position) }
        set { scanner.position = UInt32(truncatingIfNeeded: newValue) }
    }

    /// Where a field ends that the byte at `position`, of this event, ends: the CR of a CRLF is none of it.
    @inline(__always) func fieldEnd(_ event: CSVEvent) -> UInt32 {
        event == .recordEnd && state.isReturn ? scanner.position &- 1 : scanner.position
    }

    @inline(__always) mutating func take(_ step: CSVStep) {
        if step.event == .open { scanner.quote_start = scanner.position }
        state = step.state
        scanner.position &+= 1
        if step.event == .recordEnd || step.event == .commentEnd { startRecord() }
    }

    /// A record starts where the scan stands.
    @inline(__always) mutating func startRecord() {
        state = .recordStart
        scanner.record_start = scanner.position
        scanner.record_end = scanner.position
    }

    /// What the end of the input means here, where nothing is wrong: the end of a record that has any byte, or of a comment.
    @inline(__always) var endEvent: CSVEvent {
        switch state {
        case .recordStart: .data
        case .comment: .commentEnd
        default: .recordEnd
        }
    }

    /// What is wrong if the input ends here.
    mutating func checkEnd() -> sluice_status {
        switch state {
        case .quoted, .quotedEscape:
            scanner.error_offset = scanner.quote_start
            return SLUICE_ERROR_UNCLOSED_QUOTE
        case .quoteReturn where !grammar.isLenient:
            scanner.error_offset = scanner.position &- 1
            return SLUICE_ERROR_TEXT_AFTER_QUOTE
        default: return SLUICE_OK
        }
    }

    mutating func refuse(_ event: CSVEvent) -> sluice_status {
        scanner.error_offset = event == .strayReturn ? scanner.position &- 1 : scanner.position
        return SLUICE_ERROR_TEXT_AFTER_QUOTE
    }

    /// See (5).
    @inline(__always) mutating func passPlain(_ bytes: Span<UInt8>) {
        switch state {
        case .unquoted, .quoted: position = grammar.endOfPlain(bytes, from: position)
        case .comment: position = bytes.first(grammar.lineEnd, from: position)
        default: break
        }
    }
}
