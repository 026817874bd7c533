import CSluice

/// Which names a key may be, by its first two bytes: a set of them for each of 64 places, where keys of several beginnings
/// meet.
private enum KeyPlaces {
    static var count: Int { 64 }

    @inline(__always) private static func place(_ first: UInt8, _ second: UInt8) -> Int {
        (Int(first) &* 31 &+ Int(second)) & (count &- 1)
    }

    @inline(__always) static func place(of name: Span<UInt8>) -> Int {
        if name.count == 0 { return place(JSONByte.quote, 0) }
        return place(name[0], name.count > 1 ? name[1] : JSONByte.quote)
    }

    /// The place of the key whose opening quote is at `key`; nil where an escape may mean anything. Behind the quote of an
    /// empty key may stand anything.
    @inline(__always) static func place(_ bytes: Span<UInt8>, key: Int) -> Int? {
        let first = bytes[key &+ 1]
        let second = first == JSONByte.quote ? 0 : bytes[key &+ 2]
        return first == JSONByte.backslash || second == JSONByte.backslash ? nil : place(first, second)
    }
}

/// Where values are that are looked for by name: see `sluice_json.h`.
///
/// The paths that go on in the same object are looked for in one walk over its members. What is rare, keys that contain dots,
/// is left to `findPath`.
enum JSONProjection {
    /// Paths that one walk looks for, a bit each.
    private static var group: Int { 64 }

    /// For each row and path the tape position of the value, row by row, or SLUICE_JSON_ABSENT.
    static func project(
        _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ rows: Span<sluice_json_row>, _ paths: Span<sluice_json_path>,
        into out: inout MutableSpan<UInt32>
    ) {
        // SAFETY: initialized here, used as a span only. It is small enough for the stack.
        unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Candidates.count) { room in
            unsafe room.initialize(repeating: 0)
            var candidates = unsafe room.mutableSpan
            for first in stride(from: 0, to: paths.count, by: group) {
                let count = min(group, paths.count &- first)
                Candidates.fill(&candidates, paths, from: first, count)
                for row in rows.indices {
                    var walk = Walk(paths: first, out: row &* paths.count &+ first)
                    walk.find(
                        UInt64.max &>> UInt64(64 &- count), in: Int(rows[row].tape), candidates.span, bytes, tape,
                        paths, &out)
                    walk.findSteps(candidates.span, bytes, tape, paths, &out)
                }
            }
        }
    }

    /// The paths that a key may be, by its place, before the first step and behind it.
    private enum Candidates {
        static var depths: Int { 2 }
        static var count: Int { depths &* KeyPlaces.count }

        static func fill(
            _ candidates: inout MutableSpan<UInt64>, _ paths: Span<sluice_json_path>, from first: Int, _ count: Int
        ) {
            candidates.update(repeating: 0)
            for place in 0..<count {
                let path = paths[first &+ place]
                // SAFETY: the caller's name, for the call.
                let name = unsafe UnsafeBufferPointer(start: path.name, count: Int(path.length))
                for depth in 0..<depths {
                    guard let start = stepStart(name.span, depth) else { break }
                    let rest = name.span.extracting(start..<name.count)
                    let bit = UInt64(1) &<< UInt64(place)
                    candidates[depth &* KeyPlaces.count &+ KeyPlaces.place(of: rest)] |= bit
                    // Steps of two bytes or more begin as the whole name does.
                    for dot in 0..<min(2, rest.count) where rest[dot] == UInt8(ascii: ".") {
                        candidates[depth &* KeyPlaces.count &+ KeyPlaces.place(of: rest.extracting(0..<dot))] |= bit
                    }
                }
            }
        }

        /// Those of `wanted` that the key at `key` may be after `depth` steps.
        @inline(__always) static func of(
            _ key: Int, _ wanted: UInt64, depth: Int, _ candidates: Span<UInt64>, _ bytes: Span<UInt8>
        ) -> UInt64 {
            guard depth < depths, let place = KeyPlaces.place(bytes, key: key) else { return wanted }
            return wanted & candidates[depth &* KeyPlaces.count &+ place]
        }
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

        /// Looks for what is left of the paths behind their first step, and behind more.
        mutating func findSteps(
            _ candidates: Span<UInt64>, _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ paths: Span<sluice_json_path>,
            _ out: inout MutableSpan<UInt32>
        ) {
            while deeper != 0 {
                depth &+= 1
                var pending = deeper
                deeper = 0
                while pending != 0 {
                    let object = out[self.out &+ pending.trailingZeroBitCount]
                    let together = sharing(object, pending, out)
                    pending &= ~together
                    find(together, in: Int(object), candidates, bytes, tape, paths, &out)
                }
            }
        }

        /// Those of `pending` that go on in `object`.
        private func sharing(_ object: UInt32, _ pending: UInt64, _ out: borrowing MutableSpan<UInt32>) -> UInt64 {
            var sharing: UInt64 = 0
            var left = pending
            while left != 0 {
                if out[self.out &+ left.trailingZeroBitCount] == object { sharing |= left & (0 &- left) }
                left &= left &- 1
            }
            return sharing
        }

        /// Looks for `wanted` among the members of `object`: the last that has the whole name counts, else the last that is its
        /// first step.
        mutating func find(
            _ wanted: UInt64, in object: Int, _ candidates: Span<UInt64>, _ bytes: Span<UInt8>, _ tape: Span<UInt32>,
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
                let possible = Candidates.of(key, wanted, depth: depth, candidates, bytes)
                if possible != 0 { match(key, value: position &+ 1, possible, &found, bytes, paths, &out) }
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

        /// Compares a key with the names that it may be.
        private func match(
            _ key: Int, value: Int, _ possible: UInt64, _ found: inout Found, _ bytes: Span<UInt8>,
            _ paths: Span<sluice_json_path>, _ out: inout MutableSpan<UInt32>
        ) {
            var left = possible
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
        var places: UInt64 = 0
        for key in keys.indices {
            // SAFETY: the caller's name, for the call.
            let name = unsafe UnsafeBufferPointer(start: keys[key].name, count: Int(keys[key].length))
            places |= 1 &<< UInt64(KeyPlaces.place(of: name.span))
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
                let place = KeyPlaces.place(bytes, key: offset)
                if places &>> UInt64(place ?? 0) & 1 == 1 || place == nil,
                    let key = find(bytes, key: offset, among: keys, from: expected)
                {
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
