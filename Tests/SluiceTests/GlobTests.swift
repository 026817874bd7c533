import Testing

@testable import Sluice

@Suite("File names: patterns and order")
struct GlobTests {
    static let patterns: [(pattern: String, matching: [String], others: [String])] = [
        ("*", ["a", "a.csv", "ä"], []),
        ("*.csv", ["a.csv", ".csv", "a.b.csv", "dir/a.csv"], ["a.csv.gz", "a.CSV", "csv", "a.csv/b"]),
        ("a*b*c", ["abc", "aXbYc", "abbcc", "abcbc"], ["ab", "acb", "xabc", "abcx"]),
        ("part?.csv", ["part1.csv", "partä.csv", "part😀.csv"], ["part.csv", "part10.csv"]),
        ("part[0-9][0-9].csv", ["part10.csv"], ["part1.csv", "partxx.csv"]),
        ("[abc]", ["a", "b", "c"], ["d", "ab", ""]), ("[!abc]", ["d", "ä"], ["a", "ab"]), ("[^a]", ["b"], ["a"]),
        ("[]a]", ["]", "a"], ["b"]), ("[!]a]", ["b"], ["]", "a"]), ("[a-]", ["a", "-"], ["b"]),
        ("[-a]", ["a", "-"], ["b"]),
        ("[z-a]", ["z"], ["m"]), ("[ä-ü]", ["ö"], ["o"]), ("[", ["["], ["a"]), ("[a", ["[a"], ["a"]),
        ("x[!", ["x[!"], ["xa"]),
        ("\\*", ["*"], ["a", "\\*"]), ("a\\", ["a\\"], ["a"]), ("\\[a]", ["[a]"], ["a"]),
        ("**", ["a", "a/b", "a/b/c"], []), ("**.csv", ["a.csv", "d/a.csv"], ["a.txt"]),
        ("*/*.csv", ["d/a.csv"], ["a.csv", "d/e/a.csv"]), ("d/*", ["d/a"], ["a", "d/e/a", "e/a"]),
        ("**/*.csv", ["a.csv", "d/a.csv", "d/e/a.csv"], ["a.txt", "d/a.txt"]),
        ("d/**/*.csv", ["d/a.csv", "d/e/f/a.csv"], ["a.csv", "e/d/a.csv"]),
        ("**/e/**", ["e/a", "d/e/a", "d/e/f/a", "e"], ["d/a"]), ("d/**", ["d/a", "d/e/a"], ["a"]),
        ("/a", ["a"], ["d/a"]), ("**/a/**/b", ["a/b", "x/a/y/b", "a/a/b/b"], ["b", "a/c"]),
        ("", [], ["a"]),
    ]

    @Test("patterns match what a shell's would", arguments: patterns)
    func glob(_ pattern: String, _ matching: [String], _ others: [String]) {
        let glob = Glob(pattern)
        for name in matching { #expect(glob.matches(name), "\(name)") }
        for name in others { #expect(!glob.matches(name), "\(name)") }
    }

    @Test("a pattern of many stars takes no longer than their number times the name")
    func stars() {
        let name = String(repeating: "a", count: 2000)
        #expect(!Glob(String(repeating: "a*", count: 500) + "b").matches(name))
        #expect(!Glob(String(repeating: "**/a/", count: 50) + "b").matches(String(repeating: "a/", count: 500) + "c"))
    }

    static let order = [
        "", "/", "0", "00", "1", "01", "1a", "2", "10", "a", "a/10", "a/b", "a/b2", "a/b10", "a-b", "a.csv", "a1",
        "a01",
        "a1b1", "a01b1", "a1b2", "a2", "a10", "a18446744073709551616", "a18446744073709551617", "b", "part2.csv",
        "part10.csv", "ä",
    ]

    @Test("numbers in names count as numbers, and the order is one: each pair in one way")
    func naturalOrder() {
        for (place, left) in Self.order.enumerated() {
            for (other, right) in Self.order.enumerated() {
                #expect(NaturalOrder.precedes(left, right) == (place < other), "\(left) \(right)")
            }
        }
    }
}
