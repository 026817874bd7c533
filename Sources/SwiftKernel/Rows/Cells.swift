import CSluice

// Cells of an overlay as text.

extension sluice_printed_double {
    /// Its text, and rubbish behind.
    fileprivate var vector: SIMD32<UInt8> {
        // SAFETY: both are 32 bytes, and every pattern of bits is a value.
        get { unsafe unsafeBitCast(text, to: SIMD32<UInt8>.self) }
        set { text = unsafe unsafeBitCast(newValue, to: type(of: text)) }
    }
}

/// Writes a double; nil where it is not finite. `overlay` chooses the memory of the last double, whose text is used again:
/// columns like a time stamp repeat it.
private func putDouble(
    _ bits: UInt64, overlay: Int, _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    let value = Double(bitPattern: bits)
    if !value.isFinite { return nil }
    let memory = overlay % doubles.count
    if doubles[memory].length == 0 || doubles[memory].bits != bits {
        let length = printDouble(value, into: &out, at: place)
        doubles[memory].bits = bits
        doubles[memory].length = UInt32(truncatingIfNeeded: length)
        doubles[memory].vector = out.span.doubleVector(at: place)
        return place &+ length
    }
    out.store(doubles[memory].vector, at: place)
    return place &+ Int(doubles[memory].length)
}

/// Bytes that `putScalar` may write.
@inline(__always)
func scalarRoom(_ cell: OverlayCell) -> Int {
    if !cell.tag.isText { return Int(SLUICE_NUMBER_MAX) }
    return cell.tag == .bytes ? base64Length(cell.text.length) : cell.text.length
}

// SAFETY (of spans of the arena): see `Batch`.
extension Batch {
    /// Writes a cell's text as it is.
    func putText(_ cell: OverlayCell, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
        let arena = unsafe Span(_unsafeElements: self.arena)
        return putLong(arena, cell.text, into: &out, at: place)
    }

    /// Writes what both formats write alike: everything but strings, and bytes without quotes. nil: not finite.
    func putScalar(
        _ cell: OverlayCell, overlay: Int, _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>,
        at place: Int
    ) -> Int? {
        switch cell.tag {
        case .false: return put(.false, into: &out, at: place)
        case .true: return put(.true, into: &out, at: place)
        case .int: return place &+ printInt64(Int64(bitPattern: cell.payload), into: &out, at: place)
        case .double: return putDouble(cell.payload, overlay: overlay, &doubles, into: &out, at: place)
        case .decimal, .json: return putText(cell, into: &out, at: place)
        case .bytes:
            let arena = unsafe Span(_unsafeElements: self.arena)
            return base64Encode(arena, cell.text.start..<cell.text.end, into: &out, at: place)
        case .unset, .removed, .null, .string: return place
        }
    }

    /// Writes a cell as a JSON value; nil where it is not finite. It is neither unset nor removed.
    func putJSON(
        _ cell: OverlayCell, overlay: Int, _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>,
        at place: Int
    ) -> Int? {
        switch cell.tag {
        case .null: return put(.null, into: &out, at: place)
        case .string:
            let arena = unsafe Span(_unsafeElements: self.arena)
            let start = put(.quote, into: &out, at: place)
            let end = putJSONText(arena, cell.text, into: &out, at: start)
            return put(.quote, into: &out, at: end)
        case .bytes:
            let start = put(.quote, into: &out, at: place)
            guard let end = putScalar(cell, overlay: overlay, &doubles, into: &out, at: start) else { return nil }
            return put(.quote, into: &out, at: end)
        default: return putScalar(cell, overlay: overlay, &doubles, into: &out, at: place)
        }
    }

    /// Bytes that `putJSON` may write.
    func jsonRoom(_ cell: OverlayCell, exact: Bool) -> Int {
        if cell.tag != .string { return scalarRoom(cell) &+ 2 }
        if !exact { return 2 &+ 6 &* cell.text.length }
        let arena = unsafe Span(_unsafeElements: self.arena)
        return 2 &+ cell.text.length &+ jsonGrowth(arena, cell.text)
    }
}
