/// Text in columns of a terminal.
extension String {
    /// Columns that it takes, by characters as they are seen: most take one.
    var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

    /// The text, or as much of it as fits, and an ellipsis.
    func cut(to width: Int) -> String {
        var left = width
        var end = startIndex
        for place in indices {
            left -= self[place].displayWidth
            if left < 0 { return self[..<end] + "…" }
            // What an ellipsis can follow.
            if left > 0 { end = index(after: place) }
        }
        return self
    }

    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - displayWidth)) }

    var trimmingEnd: String { String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]) }

    /// As a word of a shell's command line.
    var quotedForShell: String {
        let isPlain = utf8.allSatisfy { byte in
            let character = Character(UnicodeScalar(byte))
            return byte < 0x80 && (character.isLetter || character.isNumber || "-_=./:,+%@".contains(character))
        }
        if isPlain && !isEmpty { return self }
        // By scalars: a quote with an accent is one to a shell, too.
        let parts = unicodeScalars.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
        return "'\(parts.joined(separator: #"'\''"#))'"
    }
}

extension Character {
    /// 2 for those of East Asia and emoji, 0 for what stands on its own and takes no room.
    var displayWidth: Int { unicodeScalars.map(\.displayWidth).max() ?? 0 }
}

extension Unicode.Scalar {
    fileprivate var displayWidth: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return value == 0xAD ? 1 : 0
        default: break
        }
        if properties.isEmojiPresentation { return 2 }
        return Self.wide.contains { $0.contains(value) } ? 2 : 1
    }

    /// Blocks whose characters are wide (Unicode, UAX #11), nearly enough.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
        0x1B000...0x1B2FF, 0x20000...0x3FFFD,
    ]
}
