import CSluice

// Lines: where they end, of text and of JSON Lines. Blocks of 64 bytes are counted at once while they do not hold the end of
// line number `maxRecords`; the rest goes line by line.

// MARK: text

extension sluice_text_scanner: Scanner {
    mutating func cut(_ bytes: Span<UInt8>, final: Bool, maxRecords: UInt32) -> sluice_status {
        cutBlocks(bytes, maxRecords: maxRecords)
        while records < maxRecords, Int(position) < bytes.count {
            let lineEnd = bytes.first(.lineFeed, from: Int(position))
            position = UInt32(truncatingIfNeeded: lineEnd)
            if lineEnd == bytes.count { break }
            position &+= 1
            record_end = position
            records &+= 1
        }
        if records >= maxRecords { return SLUICE_OK }
        if !final { return SLUICE_NEED_INPUT }
        if Int(record_end) < bytes.count {
            records &+= 1
            record_end = UInt32(truncatingIfNeeded: bytes.count)
        }
        return SLUICE_OK
    }

    private mutating func cutBlocks(_ bytes: Span<UInt8>, maxRecords: UInt32) {
        while Int(position) &+ 64 <= bytes.count, records < maxRecords {
            let lanes = bytes.block(at: Int(position)).equal(.lineFeed)
            if !lanes.isEmpty {  // as most are where lines are long
                let lineEnds = lanes.bits
                let count = UInt32(truncatingIfNeeded: lineEnds.nonzeroBitCount)
                if count >= maxRecords &- records { break }
                records &+= count
                record_end = lineEnds.behindLast(of: position)
            }
            position &+= 64
        }
    }
}

extension UInt64 {
    /// Where, of a block at `position`, the byte behind the highest bit is. There is one.
    @inline(__always) fileprivate func behindLast(of position: UInt32) -> UInt32 {
        position &+ UInt32(truncatingIfNeeded: lastPlace) &+ 1
    }
}

/// `sluice_text_index_function`.
func textIndex(
    _ bytes: UnsafePointer<UInt8>?, _ start: UInt32, _ end: UInt32, _ starts: UnsafeMutablePointer<UInt32>?,
    _ ends: UnsafeMutablePointer<UInt32>?
) -> UInt32 {
    guard start < end else { return 0 }
    // SAFETY: the input ends at `end`, and the arrays have room for all lines and 64 entries more: for a line of each byte,
    // if need be, which is as much as can be told here.
    let input = unsafe UnsafeBufferPointer(start: bytes, count: Int(end))
    let room = Int(end - start) + 64
    let startsBuffer = unsafe UnsafeMutableBufferPointer(start: starts, count: room)
    let endsBuffer = unsafe UnsafeMutableBufferPointer(start: ends, count: room)
    var startsSpan = unsafe startsBuffer.mutableSpan
    var endsSpan = unsafe endsBuffer.mutableSpan
    let count = indexLines(unsafe input.span, from: Int(start), &startsSpan, &endsSpan)
    return UInt32(truncatingIfNeeded: count)
}

/// First all LFs as ends, then the starts from those, without the CRs.
private func indexLines(
    _ bytes: Span<UInt8>, from start: Int, _ starts: inout MutableSpan<UInt32>, _ ends: inout MutableSpan<UInt32>
) -> Int {
    var count = 0
    var position = start
    while position &+ 64 <= bytes.count {
        let lineEnds = bytes.block(at: position).equal(.lineFeed)
        if !lineEnds.isEmpty {
            count &+= ends.writePlaces(lineEnds.bits, base: UInt32(truncatingIfNeeded: position), at: count)
        }
        position &+= 64
    }
    while position < bytes.count {
        position = bytes.first(.lineFeed, from: position)
        if position == bytes.count { break }
        ends[count] = UInt32(truncatingIfNeeded: position)
        count &+= 1
        position &+= 1
    }
    var lineStart = UInt32(truncatingIfNeeded: start)
    for line in 0..<count {
        let end = ends[line]
        starts[line] = lineStart
        if end > lineStart, bytes[Int(end &- 1)] == .carriageReturn { ends[line] = end &- 1 }
        lineStart = end &+ 1
    }
    if Int(lineStart) < bytes.count {
        starts[count] = lineStart
        ends[count] = UInt32(truncatingIfNeeded: bytes.count)
        count &+= 1
    }
    return count
}

// MARK: JSON Lines

extension sluice_jsonl_scanner: Scanner {
    mutating func cut(_ bytes: Span<UInt8>, final: Bool, maxRecords: UInt32) -> sluice_status {
        cutBlocks(bytes, maxRecords: maxRecords)
        while records < maxRecords, Int(position) < bytes.count {
            let byte = bytes[Int(position)]
            position &+= 1
            switch byte {
            case .lineFeed: endLine(before: position)
            case UInt8(ascii: " "), UInt8(ascii: "\t"), .carriageReturn: break
            default: in_record = 1
            }
        }
        if records >= maxRecords { return SLUICE_OK }
        if !final { return SLUICE_NEED_INPUT }
        if Int(record_end) < bytes.count { endLine(before: UInt32(truncatingIfNeeded: bytes.count)) }
        return SLUICE_OK
    }

    /// Counts the line that ends before `end`, one past its LF.
    @inline(__always) private mutating func endLine(before end: UInt32) {
        if in_record != 0 { records &+= 1 } else { skipped &+= 1 }
        in_record = 0
        record_end = end
    }

    private mutating func cutBlocks(_ bytes: Span<UInt8>, maxRecords: UInt32) {
        while Int(position) &+ 64 <= bytes.count, records < maxRecords {
            let block = bytes.block(at: Int(position))
            let lineEnds = block.equal(.lineFeed)
            if in_record == 0 || !lineEnds.isEmpty {  // else a block within a line, as most are where lines are long
                let (lines, dark) = (lineEnds.bits, ~block.jsonWhite.bits)
                let (recordEnds, isInRecord) = lines.reached(by: dark, in_record != 0)
                let ended = UInt32(truncatingIfNeeded: recordEnds.nonzeroBitCount)
                if ended >= maxRecords &- records { return }
                in_record = isInRecord ? 1 : 0
                records &+= ended
                skipped &+= UInt32(truncatingIfNeeded: lines.nonzeroBitCount) &- ended
                if lines != 0 { record_end = lines.behindLast(of: position) }
            }
            position &+= 64
        }
    }
}

extension Block {
    /// JSON's white space.
    @inline(__always) fileprivate var jsonWhite: BlockMask {
        (equal(UInt8(ascii: " ")) | equal(UInt8(ascii: "\t"))) | (equal(.lineFeed) | equal(.carriageReturn))
    }
}

extension UInt64 {
    /// Of these bits, which end lines, those whose line has a bit of `dark` (or begins before, and has one there: `carry`), and
    /// whether the line behind the last one has.
    ///
    /// Every bit that is no line end is a one to add to: a dark byte's bit, or the carry in, makes a carry that runs up to the
    /// line end and stays there.
    @inline(__always) fileprivate func reached(by dark: UInt64, _ carry: Bool) -> (ends: UInt64, carry: Bool) {
        let (first, overflow) = (~self).addingReportingOverflow(dark)
        let (sum, overflowToo) = first.addingReportingOverflow(carry ? 1 : 0)
        return (sum & self, overflow || overflowToo)
    }
}
