import CSluice

/// Which keys may be one of some names, by their first two bytes: it says yes too often, but never no to one of them.
private struct KeyMarks {
    private var marks: UInt64 = 0

    @inline(__always) private static func mark(_ first: UInt8, _ second: UInt8) -> UInt64 {
        1 &<< ((UInt64(first) &* 31 &+ UInt64(second)) & 63)
    }

    mutating func insert(_ name: Span<UInt8>) {
        let first = name.count > 0 ? name[0] : JSONByte.quote
        marks |= Self.mark(first, name.count == 0 ? 0 : name.count > 1 ? name[1] : JSONByte.quote)
    }

    /// Behind the quote of an empty key may stand anything; an escape may mean anything.
    @inline(__always) func mayContain(_ bytes: Span<UInt8>, key: Int) -> Bool {
        let first = bytes[key &+ 1]
        let second = first == JSONByte.quote ? 0 : bytes[key &+ 2]
        return marks & Self.mark(first, second) != 0 || first == JSONByte.backslash || second == JSONByte.backslash
    }
}

/// Where values are that are looked for by name: see `sluice_json.h`.
///
/// The paths that go on in the same object are looked for in one walk over its members. What is rare, keys that contain dots, is
/// left to `findPath`.
enum JSONProjection {
    /// Paths that one walk looks for, a bit each.
    private static var group: Int { 64 }

    /// For each row and path the tape position of the value, row by row, or SLUICE_JSON_ABSENT.
    static func project(
        _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ rows: Span<sluice_json_row>, _ paths: Span<sluice_json_path>,
        into out: inout MutableSpan<UInt32>
    ) {
        for first in stride(from: 0, to: paths.count, by: group) {
            let count = min(group, paths.count &- first)
            let wanted = UInt64.max &>> UInt64(64 &- count)
            let marks = (
                marks(of: wanted, paths, from: first, depth: 0), marks(of: wanted, paths, from: first, depth: 1)
            )
            for row in rows.indices {
                var walk = Walk(paths: first, out: row &* paths.count &+ first)
                var pending = wanted
                var object = Int(rows[row].tape)
                while true {
                    let together = walk.depth == 0 ? pending : sharing(object, pending, out, from: walk.out)
                    let marks =
                        switch walk.depth {
                        case 0: marks.0
                        case 1: marks.1
                        default: Self.marks(of: together, paths, from: first, depth: walk.depth)
                        }
                    walk.find(together, in: object, marks, bytes, tape, paths, &out)
                    pending &= ~together
                    if pending == 0 { pending = walk.goDeeper() }
                    if pending == 0 { break }
                    object = Int(out[walk.out &+ pending.trailingZeroBitCount])
                }
            }
        }
    }

    /// Those of `pending` whose entry of `out` is `object`.
    private static func sharing(
        _ object: Int, _ pending: UInt64, _ out: borrowing MutableSpan<UInt32>, from start: Int
    ) -> UInt64 {
        var sharing: UInt64 = 0
        var left = pending
        while left != 0 {
            if Int(out[start &+ left.trailingZeroBitCount]) == object { sharing |= left & (0 &- left) }
            left &= left &- 1
        }
        return sharing
    }

    /// The marks of the names, and their first steps, that are left of some paths behind `depth` steps.
    private static func marks(
        of wanted: UInt64, _ paths: Span<sluice_json_path>, from first: Int, depth: Int
    ) -> KeyMarks {
        var marks = KeyMarks()
        var left = wanted
        while left != 0 {
            let path = paths[first &+ left.trailingZeroBitCount]
            left &= left &- 1
            // SAFETY: the caller's name, for the call.
            let name = unsafe UnsafeBufferPointer(start: path.name, count: Int(path.length))
            guard let start = stepStart(name.span, depth) else { continue }
            let rest = name.span.extracting(start..<name.count)
            marks.insert(rest)
            if let dot = firstDot(rest) { marks.insert(rest.extracting(0..<dot)) }
        }
        return marks
    }

    @inline(__always) private static func firstDot(_ name: Span<UInt8>) -> Int? {
        for place in name.indices where name[place] == UInt8(ascii: ".") { return place }
        return nil
    }

    /// Where what is left of a path behind `depth` steps starts; nil where it has no more of them.
    @inline(__always) private static func stepStart(_ name: Span<UInt8>, _ depth: Int) -> Int? {
        if depth == 0 { return 0 }
        var dots = 0
        for place in name.indices where name[place] == UInt8(ascii: ".") {
            dots &+= 1
            if dots == depth { return place &+ 1 }
        }
        return nil
    }

    /// The walks over one row's objects, a step deeper each round. Meanwhile entries of `out` hold where their paths go on.
    private struct Walk {
        /// Where the group's paths and the row's entries start.
        let paths: Int
        let out: Int
        var depth = 0
        /// The paths that go on in the objects that have been found in this round.
        var deeper: UInt64 = 0

        init(paths: Int, out: Int) {
            self.paths = paths
            self.out = out
        }

        mutating func goDeeper() -> UInt64 {
            defer { deeper = 0 }
            depth &+= 1
            return deeper
        }

        /// Looks for `wanted` among the members of `object`: the last that has the whole name counts, else the last that is its
        /// first step.
        mutating func find(
            _ wanted: UInt64, in object: Int, _ marks: KeyMarks, _ bytes: Span<UInt8>, _ tape: Span<UInt32>,
            _ paths: Span<sluice_json_path>, _ out: inout MutableSpan<UInt32>
        ) {
            var left = wanted
            while left != 0 {
                out[self.out &+ left.trailingZeroBitCount] = UInt32.max
                left &= left &- 1
            }
            guard bytes[Int(tape[object])] == JSONByte.openObject else { return }
            let close = Int(tape[object &+ 1])
            var found = Found()
            var position = object &+ 2
            while position < close {
                let key = Int(tape[position])
                if marks.mayContain(bytes, key: key) {
                    match(key, value: position &+ 1, wanted, &found, bytes, paths, &out)
                }
                position = JSONTape.next(bytes, tape, behind: position &+ 1)
            }
            deeper |= found.steps & ~found.names & ~found.longSteps
            left = found.longSteps & ~found.names
            while left != 0 {
                let place = left.trailingZeroBitCount
                left &= left &- 1
                let path = paths[self.paths &+ place]
                // SAFETY: the caller's name, for the call.
                let name = unsafe UnsafeBufferPointer(start: path.name, count: Int(path.length))
                let rest = name.span.extracting((stepStart(name.span, depth) ?? 0)..<name.count)
                out[self.out &+ place] = findPath(bytes, tape, object, rest)
            }
        }

        /// What a walk has found, a bit each.
        struct Found {
            /// There is a member of the whole name.
            var names: UInt64 = 0
            /// There is one of the first step.
            var steps: UInt64 = 0
            /// There is one of several steps at once: "a.b" of "a.b.c".
            var longSteps: UInt64 = 0
        }

        /// Compares a key with the names that are wanted.
        private func match(
            _ key: Int, value: Int, _ wanted: UInt64, _ found: inout Found, _ bytes: Span<UInt8>,
            _ paths: Span<sluice_json_path>, _ out: inout MutableSpan<UInt32>
        ) {
            var left = wanted
            while left != 0 {
                let place = left.trailingZeroBitCount
                let bit = left & (0 &- left)
                left ^= bit
                let path = paths[self.paths &+ place]
                // SAFETY: the caller's name, for the call.
                let name = unsafe UnsafeBufferPointer(start: path.name, count: Int(path.length))
                guard let start = stepStart(name.span, depth) else { continue }
                let rest = name.span.extracting(start..<name.count)
                let matched = JSONText.matched(bytes, key: key, name: rest)
                if matched == rest.count {
                    found.names |= bit
                    out[self.out &+ place] = UInt32(truncatingIfNeeded: value)
                } else if matched != JSONText.noMatch, rest[matched] == UInt8(ascii: ".") {
                    if firstDot(rest) != matched {
                        found.longSteps |= bit
                    } else {
                        found.steps |= bit
                        if found.names & bit == 0 { out[self.out &+ place] = UInt32(truncatingIfNeeded: value) }
                    }
                }
            }
        }
    }

    /// The value of `path` in the object at tape position `object`: its own key, or by steps, the longest first step first.
    /// Calls itself once a step, and only where an object has that step: no deeper than SLUICE_JSON_MAX_DEPTH.
    private static func findPath(
        _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ object: Int, _ path: Span<UInt8>
    ) -> UInt32 {
        var found = findMember(bytes, tape, object, path)
        var dot = path.count
        while found == UInt32.max, dot > 0 {
            dot &-= 1
            guard path[dot] == UInt8(ascii: ".") else { continue }
            let nested = findMember(bytes, tape, object, path.extracting(0..<dot))
            if nested != UInt32.max {
                found = findPath(bytes, tape, Int(nested), path.extracting((dot &+ 1)..<path.count))
            }
        }
        return found
    }

    /// The value of the last member of the object at tape position `object` that is named `name`, or ABSENT.
    private static func findMember(
        _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ object: Int, _ name: Span<UInt8>
    ) -> UInt32 {
        var found = UInt32.max
        guard bytes[Int(tape[object])] == JSONByte.openObject else { return found }
        let close = Int(tape[object &+ 1])
        var position = object &+ 2
        while position < close {
            if JSONText.key(bytes, at: Int(tape[position]), means: name) {
                found = UInt32(truncatingIfNeeded: position &+ 1)
            }
            position = JSONTape.next(bytes, tape, behind: position &+ 1)
        }
        return found
    }

    // MARK: Keys

    /// The same for columns that are keys: exact top-level keys only, no paths. Returns the first row that has a key which is
    /// none of `keys`, or is no object; the count of rows if there is none.
    static func projectKeys(
        _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ rows: Span<sluice_json_row>, _ keys: Span<sluice_json_path>,
        into out: inout MutableSpan<UInt32>
    ) -> Int {
        var marks = KeyMarks()
        for key in keys.indices {
            // SAFETY: the caller's name, for the call.
            let name = unsafe UnsafeBufferPointer(start: keys[key].name, count: Int(keys[key].length))
            marks.insert(name.span)
        }
        var firstUnknown = rows.count
        for row in rows.indices {
            let start = row &* keys.count
            for key in keys.indices { out[start &+ key] = UInt32.max }
            var position = Int(rows[row].tape)
            var isKnown = bytes[Int(tape[position])] == JSONByte.openObject
            let close = isKnown ? Int(tape[position &+ 1]) : 0
            var expected = 0
            position &+= 2
            while position < close {
                let offset = Int(tape[position])
                if marks.mayContain(bytes, key: offset), let key = find(bytes, key: offset, among: keys, from: expected) {
                    out[start &+ key] = UInt32(truncatingIfNeeded: position &+ 1)
                    expected = key &+ 1 == keys.count ? 0 : key &+ 1
                } else {
                    isKnown = false
                }
                position = JSONTape.next(bytes, tape, behind: position &+ 1)
            }
            if !isKnown { firstUnknown = min(firstUnknown, row) }
        }
        return firstUnknown
    }

    /// The name that a key means. Keys mostly come in the order of the columns, so the search starts behind the one found last.
    @inline(__always) private static func find(
        _ bytes: Span<UInt8>, key: Int, among names: Span<sluice_json_path>, from expected: Int
    ) -> Int? {
        for step in names.indices {
            let place = expected &+ step < names.count ? expected &+ step : expected &+ step &- names.count
            // SAFETY: the caller's name, for the call.
            let name = unsafe UnsafeBufferPointer(start: names[place].name, count: Int(names[place].length))
            if JSONText.key(bytes, at: key, means: name.span) { return place }
        }
        return nil
    }
}
