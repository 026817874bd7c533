/// The order in which people number files: `part2` before `part10`.
enum NaturalOrder {
    /// Whether one path comes before another: folder by folder, by bytes, but runs of digits by their number. Of equal numbers
    /// the one with fewer zeros before it comes first, if nothing else differs.
    static func precedes(_ left: String, _ right: String) -> Bool {
        var (left, right) = (left.utf8[...], right.utf8[...])
        var fewerZeros: Bool?
        while let a = left.first, let b = right.first {
            if isDigit(a) && isDigit(b) {
                let (first, firstZeros) = number(&left)
                let (second, secondZeros) = number(&right)
                if first.count != second.count { return first.count < second.count }
                if !first.elementsEqual(second) { return first.lexicographicallyPrecedes(second) }
                if firstZeros != secondZeros { fewerZeros = fewerZeros ?? (firstZeros < secondZeros) }
            } else {
                if a != b { return rank(a) < rank(b) }
                left.removeFirst()
                right.removeFirst()
            }
        }
        return left.isEmpty && right.isEmpty ? fewerZeros ?? false : left.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    /// A folder's files come before those of a folder whose name goes on.
    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }

    /// Takes a run of digits: those behind its leading zeros, and how many of these there are.
    private static func number(_ text: inout Substring.UTF8View) -> (Substring.UTF8View, zeros: Int) {
        let run = text.prefix(while: isDigit)
        text = text[run.endIndex...]
        let digits = run.drop { $0 == UInt8(ascii: "0") }
        return (digits, run.count - digits.count)
    }
}
