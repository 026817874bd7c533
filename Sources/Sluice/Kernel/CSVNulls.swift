import CSluice

/// Texts of CSV cells that mean null, as the C core wants them.
// SAFETY: written once, in `init`.
final class CSVNulls: @unchecked Sendable {
    let core: UnsafeMutablePointer<sluice_csv_nulls>
    /// The first bytes of the texts, a bit each.
    let firstBytes: SIMD4<UInt64>
    private let texts: UnsafeMutablePointer<UnsafePointer<UInt8>?>
    private let lengths: UnsafeMutablePointer<UInt32>
    private let bytes: UnsafeMutablePointer<UInt8>

    /// Nil for no texts.
    init?(_ nulls: [String]) {
        guard !nulls.isEmpty else { return nil }
        var firstBytes = SIMD4<UInt64>()
        for first in nulls.compactMap(\.utf8.first) { firstBytes[Int(first >> 6)] |= 1 << UInt64(first & 63) }
        self.firstBytes = firstBytes
        let all = nulls.flatMap { Array($0.utf8) }
        bytes = .allocate(capacity: all.count + 1)
        texts = .allocate(capacity: nulls.count)
        lengths = .allocate(capacity: nulls.count)
        core = .allocate(capacity: 1)
        for (place, byte) in all.enumerated() { bytes[place] = byte }
        var next = UnsafePointer(bytes)
        for (place, text) in nulls.enumerated() {
            texts[place] = next
            lengths[place] = UInt32(text.utf8.count)
            next += text.utf8.count
        }
        core.initialize(
            to: sluice_csv_nulls(
                texts: UnsafePointer(texts), lengths: UnsafePointer(lengths), count: UInt32(nulls.count)))
    }

    deinit {
        core.deallocate()
        texts.deallocate()
        lengths.deallocate()
        bytes.deallocate()
    }

    /// Whether a cell without quotes is one of the texts.
    func contains(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = cell.baseAddress else { return false }
        return Kernel.singles.csv_is_null(core, start, cell.count)
    }
}
