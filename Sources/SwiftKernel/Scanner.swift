import CSluice

/// Finds where records end, and goes on in the next call where it came to in the last.
protocol Scanner {
    mutating func cut(_ bytes: Span<UInt8>, final: Bool, maxRecords: UInt32) -> sluice_status
}

/// The door of all that only count records: `sluice_text_cut_function` and its like.
func cut<S: Scanner>(
    _ scanner: UnsafeMutablePointer<S>?, _ bytes: UnsafePointer<UInt8>?, _ length: Int, _ final: Bool,
    _ maxRecords: UInt32
) -> sluice_status {
    guard let scanner else { preconditionFailure("a cut has a scanner") }
    // SAFETY: `length` bytes are the input.
    let input = unsafe UnsafeBufferPointer(start: bytes, count: length)
    // A copy that no load of the input can change: it stays in registers.
    var copy = unsafe scanner.pointee
    let status = copy.cut(unsafe input.span, final: final, maxRecords: maxRecords)
    unsafe scanner.pointee = copy
    return status
}
