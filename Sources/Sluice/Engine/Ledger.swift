/// The books of a run, kept by all of its threads.
final class Books: Sendable {
    private let ledger = Monitor(Ledger(), conditions: 0)

    func enter(_ body: (inout Ledger) -> Void) { ledger.withLock { body(&$0) } }
    var balance: Ledger { ledger.withLock { $0 } }
}

/// Where each record of a run has gone. Every term is counted where it happens, and none is worked out from others.
struct Ledger: Sendable, Equatable {
    /// Records that the source handed out, as the cut counts them.
    var read = 0
    /// Records that processors made, and those they took away.
    var added = 0
    var filtered = 0
    /// Records that went to where rejected ones go.
    var rejected = 0
    /// Records that the sink took, as its encoders count them.
    var written = 0

    static func += (ledger: inout Ledger, other: Ledger) {
        ledger.read += other.read
        ledger.added += other.added
        ledger.filtered += other.filtered
        ledger.rejected += other.rejected
        ledger.written += other.written
    }

    /// A stage has made `after` records of `before`.
    mutating func passed(_ before: Int, _ after: Int) {
        if after < before { filtered += before - after } else { added += after - before }
    }

    /// - Throws: `brokenLedger` where the books are not even: something was lost, or came twice.
    func check() throws(StreamError) {
        guard read + added != written + filtered + rejected else { return }
        throw StreamError(
            .brokenLedger,
            """
            \(read) records read and \(added) added, but \(written) written, \(filtered) filtered and \(rejected) rejected
            """)
    }
}
