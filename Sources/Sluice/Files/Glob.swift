/// A pattern of file names, as shells have them.
///
/// `*` is any text without `/`, `?` any one character, `[a-z]` one of a set and `[!a-z]` one of all others; `\` takes the next
/// character as it is. Between slashes, `**` is any number of folders, also none. A `[` that no `]` follows stands for itself.
///
/// A pattern without a slash is one of names, wherever they are; one with a slash is one of paths below the root. Case counts.
/// Complexity of a match: O(name × pattern), for `**` O(path × pattern).
struct Glob {
    /// A part of a pattern that stands for one character; nil for any text.
    private struct Step {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        /// Whether the ranges say what it is not.
        var isNegated = false

        func matches(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }
    }

    /// Each folder's or file's name; nil for `**`.
    private let parts: [[Step?]?]
    /// Whether the pattern is one of paths.
    let hasFolders: Bool

    init(_ pattern: String) {
        let parts = pattern.unicodeScalars.split(separator: "/", omittingEmptySubsequences: true)
        hasFolders = pattern.unicodeScalars.contains("/") || pattern == "**"
        self.parts = parts.map { $0.elementsEqual("**".unicodeScalars) ? nil : Self.parse($0) }
    }

    /// A path with characters of patterns, as a folder without and the pattern of what is below; nil where it has none.
    static func split(path: String) -> (folder: String, pattern: String)? {
        let special: [Unicode.Scalar] = ["*", "?", "["]
        guard let first = path.unicodeScalars.firstIndex(where: { special.contains($0) }) else { return nil }
        let (folder, _) = FileSystem.split(String(path.unicodeScalars[..<first]))
        return (folder.isEmpty ? "." : folder, String(path.unicodeScalars.dropFirst(folder.unicodeScalars.count)))
    }

    /// - Parameter path: below the root, names divided by slashes.
    func matches(_ path: String) -> Bool {
        let names = path.unicodeScalars.split(separator: "/").map(Array.init)
        return Self.matches(hasFolders ? names[...] : names.suffix(1), parts[...])
    }

    /// Whether there may be a path that matches below a folder.
    func mayMatch(below folder: String) -> Bool {
        guard hasFolders else { return true }
        let names = folder.unicodeScalars.split(separator: "/").map(Array.init)
        for (name, part) in zip(names, parts) {
            guard let part else { return true }
            guard Self.matches(name, part) else { return false }
        }
        return parts.count > names.count
    }

    private static func matches(_ name: [Unicode.Scalar], _ part: [Step?]) -> Bool {
        match(name[...], part[...], isAny: { $0 == nil }) { $1?.matches($0) ?? false }
    }

    private static func matches(_ names: ArraySlice<[Unicode.Scalar]>, _ parts: ArraySlice<[Step?]?>) -> Bool {
        match(
            names, parts, isAny: { $0 == nil },
            isOne: { name, part in matches(name, part ?? []) })
    }

    /// Whether things are those of a pattern, one by one, where some parts of it stand for any number of them. After a
    /// mismatch only the last such part can take more: what came before it has matched as early as it could.
    private static func match<Thing, Part>(
        _ things: ArraySlice<Thing>, _ pattern: ArraySlice<Part>, isAny: (Part) -> Bool,
        isOne: (Thing, Part) -> Bool
    ) -> Bool {
        var thing = things.startIndex
        var part = pattern.startIndex
        var retry: (thing: Int, part: Int)?
        while thing < things.endIndex {
            if part < pattern.endIndex, isAny(pattern[part]) {
                retry = (thing, part + 1)
                part += 1
            } else if part < pattern.endIndex, isOne(things[thing], pattern[part]) {
                thing += 1
                part += 1
            } else if let last = retry {
                retry = (last.thing + 1, last.part)
                (thing, part) = (last.thing + 1, last.part)
            } else {
                return false
            }
        }
        return pattern[part...].allSatisfy(isAny)
    }

    private static func parse(_ text: Substring.UnicodeScalarView) -> [Step?] {
        var steps: [Step?] = []
        var rest = text
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": steps.append(nil)
            case "?": steps.append(Step(isNegated: true))
            case "[": steps.append(set(&rest) ?? Step(ranges: ["["..."["]))
            case "\\":
                let next = rest.popFirst() ?? "\\"
                steps.append(Step(ranges: [next...next]))
            default: steps.append(Step(ranges: [scalar...scalar]))
            }
        }
        return steps
    }

    /// A set, behind its `[`; nil, and nothing is taken, where it is not closed.
    private static func set(_ text: inout Substring.UnicodeScalarView) -> Step? {
        var rest = text
        var step = Step()
        if let first = rest.first, first == "!" || first == "^" {
            step.isNegated = true
            rest.removeFirst()
        }
        while let low = rest.popFirst() {
            // As the first one it is in the set.
            if low == "]", !step.ranges.isEmpty {
                text = rest
                return step
            }
            var high = low
            if rest.first == "-", let last = rest.dropFirst().first, last != "]" {
                high = last
                rest = rest.dropFirst(2)
            }
            if low <= high { step.ranges.append(low...high) } else { step.ranges.append(low...low) }
        }
        return nil
    }
}
