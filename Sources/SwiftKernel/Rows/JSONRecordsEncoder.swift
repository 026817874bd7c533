import CSluice

// Rows to JSON Lines or a JSON array, from JSON records. Read Encoders.swift first, and JSONLinesEncoder.swift.

extension Batch {
    fileprivate func hasCells(_ slot: Int) -> Bool {
        for o in overlayIndices where overlayCell(o, slot).tag != .unset { return true }
        return false
    }

    /// Whether a row that is no object becomes one.
    fileprivate func setsCells(_ slot: Int) -> Bool {
        for o in overlayIndices {
            let tag = overlayCell(o, slot).tag
            if tag != .unset && tag != .removed { return true }
        }
        return false
    }
}

/// The first bytes of the overlays' names (modulo 64), and of keys that must be decoded: most keys differ there already.
private struct KeyHints {
    private var bits: UInt64 = 0

    init(_ batch: Batch) {
        if batch.has(SLUICE_HAS_ESCAPE) { insert(.backslash) }
        for o in batch.overlayIndices { insert(batch.firstOfName(o)) }
    }

    private mutating func insert(_ byte: UInt8) { bits |= 1 &<< UInt64(byte & 63) }

    @inline(__always) func contain(_ byte: UInt8) -> Bool { bits &>> UInt64(byte & 63) & 1 != 0 }
}

/// A record being edited.
private struct Edit {
    let hints: KeyHints
    let slot: Int
    /// Line ends between tokens are taken out.
    let isBroken: Bool
    /// Input bytes before it are written, or left out.
    var copied = 0
    /// The output has a member already.
    var isKept = false
    /// Bit for each of the first 64 overlays: the object has the member.
    var found: UInt64 = 0

    /// The overlay with a cell for the key whose quote is at `key`.
    @inline(__always) func overlay(_ batch: Batch, _ bytes: Span<UInt8>, for key: Int) -> Int? {
        if !hints.contain(bytes[key &+ 1]) { return nil }
        for o in batch.overlayIndices
        where batch.overlayCell(o, slot).tag != .unset && batch.isName(o, key) {
            return o
        }
        return nil
    }

    /// Whether one of the members at `members` of the tape has the overlay's name.
    func hasMember(_ batch: Batch, _ bytes: Span<UInt8>, _ members: Range<Int>, _ overlay: Int) -> Bool {
        var position = members.lowerBound
        while position < members.upperBound {
            let key = batch.entry(position)
            if hints.contain(bytes[key &+ 1]) && batch.isName(overlay, key) { return true }
            position = batch.skip(position &+ 1)
        }
        return false
    }

    mutating func copy(
        _ bytes: Span<UInt8>, upTo offset: Int, into out: inout MutableSpan<UInt8>, at place: Int
    ) -> Int {
        guard offset > copied else { return place }
        defer { copied = offset }
        return putSource(bytes, Field(start: copied, end: offset), isBroken: isBroken, into: &out, at: place)
    }
}

/// Copies text of the base; for lines without the line ends in it, if it may have any.
@inline(__always)
private func putSource(
    _ bytes: Span<UInt8>, _ text: Field, isBroken: Bool, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    isBroken ? putUnbroken(bytes, text, into: &out, at: place) : putLong(bytes, text, into: &out, at: place)
}

/// The members of the object at tape position `open`, up to its closing brace. A member takes the comma before it along:
/// what is left out runs from the end of the value before (for the first: from its key) to the end of its own.
/// nil: not finite.
private func putEditedMembers(
    _ batch: Batch, _ bytes: Span<UInt8>, _ edit: inout Edit, _ open: Int, _ progress: inout Progress,
    _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    let close = batch.entry(open &+ 1)
    var end = place
    var before: Int? = nil  // in the tape: the value before
    var member = open &+ 2
    while member < close {
        let key = batch.entry(member)
        let value = member &+ 1
        let next = batch.skip(value)
        let overlay = edit.overlay(batch, bytes, for: key)
        let cell = batch.overlayCell(overlay ?? -1, edit.slot)
        if let overlay, cell.tag == .removed || edit.hasMember(batch, bytes, next..<close, overlay) {
            if let before, edit.isKept {
                end = edit.copy(bytes, upTo: batch.valueEnd(before), into: &out, at: end)
            }
            if before == nil { end = edit.copy(bytes, upTo: key, into: &out, at: end) }
            edit.copied = batch.valueEnd(value)
        } else {
            if !edit.isKept && before != nil { edit.copied = key }
            edit.isKept = true
            if let overlay {
                // Its value gives way to the cell's.
                progress.errorColumn = overlay
                if overlay < 64 { edit.found |= 1 &<< UInt64(overlay) }
                end = edit.copy(bytes, upTo: batch.entry(value), into: &out, at: end)
                edit.copied = batch.valueEnd(value)
                guard let set = batch.putJSON(cell, overlay: overlay, &doubles, into: &out, at: end)
                else { return nil }
                end = set
            }
        }
        before = value
        member = next
    }
    return edit.copy(bytes, upTo: batch.entry(close), into: &out, at: end)
}

/// The members that are set and are not among those at `members` of the tape. nil: not finite.
private func putNewMembers(
    _ batch: Batch, _ bytes: Span<UInt8>, keys: Span<sluice_column>, _ edit: inout Edit, _ members: Range<Int>,
    _ progress: inout Progress, _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    var end = place
    for o in batch.overlayIndices {
        let cell = batch.overlayCell(o, edit.slot)
        if cell.tag == .unset || cell.tag == .removed { continue }
        if o < 64 ? edit.found &>> UInt64(o) & 1 != 0 : edit.hasMember(batch, bytes, members, o) { continue }
        progress.errorColumn = o
        end = keys[o].putKey(without: edit.isKept ? 1 : 2, 1, into: &out, at: end)
        guard let next = batch.putJSON(cell, overlay: o, &doubles, into: &out, at: end) else { return nil }
        end = next
        edit.isKept = true
    }
    return end
}

/// nil: not finite.
private func putEditedRow(
    _ batch: Batch, _ bytes: Span<UInt8>, keys: Span<sluice_column>, _ from: Place, _ hints: KeyHints,
    _ progress: inout Progress,
    _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int? {
    var edit = Edit(hints: hints, slot: from.slot, isBroken: batch.has(SLUICE_HAS_CR) && !progress.isArray)
    var end = beginRow(progress, into: &out, at: place)
    var members = 0..<0
    if from.isBased {
        let record = batch.record(from.row)
        let text = Field(start: Int(record.start), end: Int(record.end))
        if bytes[text.start] == UInt8(ascii: "{") {
            let open = Int(record.tape)
            members = open &+ 2..<batch.entry(open &+ 1)
            edit.copied = text.start
            guard let next = putEditedMembers(batch, bytes, &edit, open, &progress, &doubles, into: &out, at: end)
            else { return nil }
            end = next
        } else if !batch.setsCells(from.slot) {
            end = putSource(bytes, text, isBroken: edit.isBroken, into: &out, at: end)
            return endRow(progress, into: &out, at: end)
        } else {
            end = put(UInt8(ascii: "{"), into: &out, at: end)
        }
    } else {
        end = put(UInt8(ascii: "{"), into: &out, at: end)
    }
    guard let last = putNewMembers(batch, bytes, keys: keys, &edit, members, &progress, &doubles, into: &out, at: end)
    else { return nil }
    return endRow(progress, into: &out, at: put(UInt8(ascii: "}"), into: &out, at: last))
}

private func editedRoom(_ batch: Batch, keys: Span<sluice_column>, _ place: Place, exact: Bool) -> Int {
    var room = 4 &+ (place.isBased ? batch.rowLength(place.row) : 0)
    for o in batch.overlayIndices {
        room &+= Int(keys[o].key_length)
        room &+= batch.jsonRoom(batch.overlayCell(o, place.slot), exact: exact)
    }
    return room
}

/// One past the last of the rows from `progress.row` on that stand in the input as in the output, `room` bytes at most,
/// divided by what divides them there. At least the first, whose place is `first`. And the place of the last one.
private func runEnd(
    _ batch: Batch, _ bytes: Span<UInt8>, _ progress: Progress, _ first: Place, room: Int
) -> (number: Int, last: Place) {
    var number = progress.row &+ 1
    var last = first
    if batch.has(SLUICE_HAS_CR) && !progress.isArray { return (number, last) }
    let divider = progress.isArray ? 2 : 1  // bytes
    let start = Int(batch.record(first.row).start)
    while number < batch.count {
        let end = Int(batch.record(last.row).end)
        let next = batch.place(number)
        if !next.isBased || next.row != last.row &+ 1 || batch.hasCells(next.slot) { break }
        let row = batch.record(next.row)
        if Int(row.start) != end &+ divider || bytes[Int(row.start) &- 1] != .lineFeed { break }
        if Int(row.end) &- start &+ divider > room { break }
        if progress.isArray && bytes[end] != .comma { break }
        last = next
        number &+= 1
    }
    return (number, last)
}

/// Copies rows without overlay cells, one or more. Returns false where `room` is too little for the first.
private func putRun(
    _ batch: Batch, _ bytes: Span<UInt8>, _ progress: inout Progress, _ place: Place, room: Int,
    into out: inout MutableSpan<UInt8>
) -> Bool {
    let first = batch.record(place.row)
    progress.needed = Int(first.end) &- Int(first.start) &+ 2
    if progress.needed > room { return false }
    let (number, last) = runEnd(batch, bytes, progress, place, room: room)
    let text = Field(start: Int(first.start), end: Int(batch.record(last.row).end))
    let start = beginRow(progress, into: &out, at: progress.written)
    let isBroken = batch.has(SLUICE_HAS_CR) && !progress.isArray
    let end = putSource(bytes, text, isBroken: isBroken, into: &out, at: start)
    progress.written = endRow(progress, into: &out, at: end)
    progress.row = number
    return true
}

/// Records to JSON Lines or elements of an array; see `sluice_encode_jsonl_records_function`.
func encodeJSONRecords(
    _ batch: Batch, _ bytes: Span<UInt8>, keys: Span<sluice_column>, _ progress: inout Progress,
    _ doubles: inout PrintedDoubles, into out: inout MutableSpan<UInt8>, capacity: Int
) -> sluice_status {
    let hints = KeyHints(batch)
    while progress.row < batch.count {
        let place = batch.place(progress.row)
        let room = capacity &- progress.written
        if place.isBased && !batch.hasCells(place.slot) {
            if !putRun(batch, bytes, &progress, place, room: room, into: &out) { return SLUICE_OUTPUT_FULL }
            continue
        }
        if editedRoom(batch, keys: keys, place, exact: false) > room {
            progress.needed = editedRoom(batch, keys: keys, place, exact: true)
            if progress.needed > room { return SLUICE_OUTPUT_FULL }
        }
        let end = putEditedRow(
            batch, bytes, keys: keys, place, hints, &progress, &doubles, into: &out, at: progress.written)
        guard let end else { return SLUICE_ERROR_NUMBER_NOT_FINITE }
        progress.written = end
        progress.row &+= 1
    }
    return SLUICE_OK
}
