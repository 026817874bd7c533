import CSluice

/// A column of a CSV index that the C core reads as numbers.
struct NumberColumn {
    var core: sluice_csv_column
    private let count: Int

    /// - Parameters:
    ///   - slots: the rows that are wanted, counted from `firstRow`; nil: all `count`.
    init(
        bytes: UnsafePointer<UInt8>, ends: UnsafePointer<UInt32>, starts: UnsafePointer<UInt32>, columns: Int,
        column: Int,
        quote: UInt8, firstRow: Int, slots: UnsafePointer<UInt32>?, count: Int
    ) {
        core = sluice_csv_column(
            bytes: bytes, ends: ends, row_starts: starts, columns: UInt32(columns), column: UInt32(column),
            quote: quote,
            first_row: UInt32(firstRow), slots: slots, count: 0)
        self.count = count
    }

    func integers(_ body: (Int64?) -> Void) { run(Kernel.singles.csv_column_int64, body) }
    func doubles(_ body: (Double?) -> Void) { run(Kernel.singles.csv_column_double, body) }

    /// Piece by piece, so that what is in between stays on the stack.
    @inline(__always) private func run<T>(
        _ parse: (UnsafePointer<sluice_csv_column>, UnsafeMutablePointer<T>, UnsafeMutablePointer<UInt8>) -> Void,
        _ body: (T?) -> Void
    ) {
        let step = 256
        withUnsafeTemporaryAllocation(of: T.self, capacity: step) { values in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: step) { valid in
                guard let values = values.baseAddress, let valid = valid.baseAddress else { return }
                var piece = core
                var done = 0
                while done < count {
                    piece.count = UInt32(min(step, count - done))
                    parse(&piece, values, valid)
                    for place in 0..<Int(piece.count) { body(valid[place] == 0 ? nil : values[place]) }
                    done += step
                    if let slots = core.slots {
                        piece.slots = slots + min(done, count)
                    } else {
                        piece.first_row += UInt32(step)
                    }
                }
            }
        }
    }
}
