import CSluice
import Foundation
import SwiftKernel
import TestSupport
import Testing

// MARK: - The functions, C's and Swift's

/// Calls `body` with a copy of `text` that has nothing readable behind it: a sanitizer sees a byte read too many.
private func withBytes<Result>(_ text: some Sequence<UInt8>, _ body: (UnsafePointer<UInt8>, Int) -> Result) -> Result {
    let copy = Array(text)
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: copy.count)
    defer { bytes.deallocate() }
    bytes.initialize(from: copy, count: copy.count)
    return body(bytes, copy.count)
}

enum Numbers: String, CaseIterable, CustomTestStringConvertible {
    case c = "C"
    case swift = "Swift"

    var testDescription: String { rawValue }

    func length(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        switch self {
        case .c: sluice_number_length(bytes, count)
        case .swift: numberLength(Span(_unsafeStart: bytes, count: count))
        }
    }

    func double(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Double? {
        guard self == .c else { return parseDouble(Span(_unsafeStart: bytes, count: count)) }
        var value = 0.0
        return sluice_parse_double(bytes, count, &value) ? value : nil
    }

    func int64(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
        guard self == .c else { return parseInt64(Span(_unsafeStart: bytes, count: count)) }
        var value: Int64 = 0
        return sluice_parse_int64(bytes, count, &value) ? value : nil
    }

    func length(of text: some Sequence<UInt8>) -> Int { withBytes(text) { length($0, $1) } }
    func int64(_ text: String) -> Int64? { withBytes(text.utf8) { int64($0, $1) } }
    func double(_ text: String) -> Double? { withBytes(text.utf8) { double($0, $1) } }
    func double(_ text: some Sequence<UInt8>) -> Double? { withBytes(text) { double($0, $1) } }

    func text(of value: Int64) -> String {
        printed { out, room in
            guard self == .c else {
                var span = MutableSpan(_unsafeStart: out, count: room)
                return printInt64(value, into: &span, at: 0)
            }
            return sluice_print_int64(value, out)
        }
    }

    func text(of value: Double) -> String {
        printed { out, room in
            guard self == .c else {
                var span = MutableSpan(_unsafeStart: out, count: room)
                return printDouble(value, into: &span, at: 0)
            }
            return sluice_print_double(value, out)
        }
    }

    /// Calls a printer with exactly the room that it asks for.
    private func printed(_ print: (UnsafeMutablePointer<UInt8>, Int) -> Int) -> String {
        let room = self == .c ? Int(SLUICE_NUMBER_MAX) : numberRoom
        let out = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
        defer { out.deallocate() }
        out.initialize(repeating: 0, count: room)
        return String(decoding: UnsafeBufferPointer(start: out, count: print(out, room)), as: UTF8.self)
    }
}

// MARK: - Helpers

extension SplitMix64 {
    /// A finite double, any bit pattern as likely as the next.
    fileprivate mutating func nextDouble() -> Double {
        while true {
            let value = Double(bitPattern: next())
            if value.isFinite { return value }
        }
    }
}

/// The grammar again, written to be read: the length of the longest prefix that is a number.
private func slowNumberLength(_ text: ArraySlice<UInt8>) -> Int {
    var rest = text
    func takeDigits() -> Int {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        rest = rest.dropFirst(digits)
        return digits
    }
    func take(_ choices: String) -> Bool {
        guard let first = rest.first, choices.utf8.contains(first) else { return false }
        rest = rest.dropFirst()
        return true
    }
    _ = take("-")
    if !take("0") && takeDigits() == 0 { return 0 }
    var length = text.count - rest.count
    if take(".") {
        if takeDigits() == 0 { return length }
        length = text.count - rest.count
    }
    if take("eE") {
        _ = take("+-")
        if takeDigits() == 0 { return length }
        length = text.count - rest.count
    }
    return length
}

/// A decimal as its significant digits and the place of the point before them, whatever way it is written.
private struct Digits: Equatable {
    var digits: [UInt8]
    var point: Int

    init(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "e"))
        let mantissa = parts[0].filter { $0 != UInt8(ascii: "-") }.split(separator: UInt8(ascii: "."))
        digits = Array(mantissa.joined())
        point = mantissa[0].count + (parts.count > 1 ? Int(String(parts[1])!)! : 0)
        while digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    }
}

/// The exact decimal digits of `significand * 2^exponent`, and the power of ten that they are to be multiplied by.
private func exactDecimal(_ significand: UInt64, _ exponent: Int) -> (digits: String, exponent: Int) {
    var limbs = [significand % 1_000_000_000, significand / 1_000_000_000]  // of nine digits, the lowest first
    func multiply(by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = limbs[index] * factor + carry
            limbs[index] = product % 1_000_000_000
            carry = product / 1_000_000_000
        }
        if carry > 0 { limbs.append(carry) }
    }
    // Twice a number, or five tenths of it.
    for _ in 0..<(abs(exponent) / 8) { multiply(by: exponent > 0 ? 256 : 390_625) }
    for _ in 0..<(abs(exponent) % 8) { multiply(by: exponent > 0 ? 2 : 5) }
    let text = limbs.reversed().map { limb in
        let digits = String(limb)
        return String(repeating: "0", count: 9 - digits.count) + digits
    }.joined()
    return (String(text.drop { $0 == "0" }), min(exponent, 0))
}

// MARK: - Length

/// A text, and the length of the number it starts with.
private let lengths: [(String, Int)] = [
    ("", 0),
    ("-", 0),
    ("+1", 0),
    (".5", 0),
    (" 1", 0),
    ("e5", 0),
    ("NaN", 0),
    ("Infinity", 0),
    ("-Infinity", 0),
    ("--1", 0),
    ("-.5", 0),
    ("-e5", 0),
    ("0", 1),
    ("-0", 2),
    ("01", 1),
    ("-01", 2),
    ("00", 1),
    ("007", 1),
    ("0x10", 1),
    ("1", 1),
    ("1,2", 1),
    ("1_000", 1),
    ("12345678", 8),
    ("123456789", 9),
    ("1234567890123456", 16),
    ("12345678901234567", 17),
    ("1234567/", 7),
    ("1234567:", 7),
    ("1.", 1),
    ("1.e5", 1),
    ("1.5", 3),
    ("1.50", 4),
    ("-1.5", 4),
    ("0.5", 3),
    ("0.5.5", 3),
    ("1..5", 1),
    ("1.x", 1),
    ("12345678.12345678", 17),
    ("1e", 1),
    ("1e+", 1),
    ("1e-", 1),
    ("1e+-5", 1),
    ("1e5", 3),
    ("1E5", 3),
    ("1e05", 4),
    ("1e+5", 4),
    ("1E-5", 4),
    ("1e5.5", 3),
    ("1e5e5", 3),
    ("0e0", 3),
    ("-0.0e-0", 7),
    ("1.5e", 3),
    ("1.5e+", 3),
    ("1.5e+x", 3),
    ("1.25E+123456789", 15),
    ("1\u{0}", 1),
    ("１", 0),  // a digit, but none of ASCII
    ("1é", 1),
    ("2007-01-31", 4),
    ("12:30", 2),
    ("1 ", 1),
    ("1e5]", 3),
    ("1.5}", 3),
]

@Test("a number is as long as the grammar says", arguments: lengths)
func numberLengthTable(text: String, length: Int) {
    for numbers in Numbers.allCases {
        #expect(numbers.length(of: text.utf8) == length)
    }
}

@Test("a number cut at any byte is as long as the slow grammar says", arguments: lengths)
func numberLengthCut(text: String, length: Int) {
    for numbers in Numbers.allCases {
        let bytes = Array(text.utf8)
        for end in 0...bytes.count {
            for start in 0...end {
                #expect(numbers.length(of: bytes[start..<end]) == slowNumberLength(bytes[start..<end]))
            }
        }
    }
}

@Test("a text is a double exactly if all of it is a number", arguments: lengths)
func wholeTextCounts(text: String, length: Int) {
    for numbers in Numbers.allCases {
        #expect((numbers.double(text) != nil) == (length > 0 && length == text.utf8.count))
    }
}

@Test("random texts are as long, and as valid, as the slow grammar says", arguments: Numbers.allCases)
func randomTexts(_ numbers: Numbers) {
    var random = SplitMix64(seed: 1)
    let alphabets = ["0123456789", "0123456789.", "00112233445566778899-+.eE", "019-+.eE/: \u{0}x"]
        .map { Array($0.utf8) }
    for _ in 0..<20_000 {
        let alphabet = alphabets.randomElement(using: &random)!
        let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
        let length = slowNumberLength(text[...])
        #expect(numbers.length(of: text) == length, "\(text)")
        #expect((numbers.double(text) != nil) == (length > 0 && length == text.count), "\(text)")
    }
}

@Test("bytes behind the length are not looked at", arguments: Numbers.allCases)
func bytesBehindTheLength(_ numbers: Numbers) {
    let text = Array("-12345678901234567890.12345678901234567890e-12345678901234567890".utf8)
    for length in 0...text.count {
        let alone = withBytes(text[..<length]) { numbers.length($0, $1) }
        let within = withBytes(text) { bytes, _ in numbers.length(bytes, length) }
        #expect(alone == within)
        #expect(withBytes(text) { bytes, _ in numbers.double(bytes, length) } == numbers.double(text[..<length]))
    }
}

@Test("JSONTestSuite's numbers are accepted and refused as they should be", arguments: Numbers.allCases)
func conformance(_ numbers: Numbers) throws {
    let folder = URL(filePath: #filePath)
        .appending(path: "../../../../shared/conformance/json/test_parsing").standardized
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    for file in files where file.lastPathComponent.dropFirst(2).hasPrefix("number") {
        // Each file is an array of one number, or of what is none.
        let around = Array("[] \n".utf8)
        let front = try Data(contentsOf: file).drop { around.contains($0) }
        let text = front.reversed().drop { around.contains($0) }.reversed()
        let whole = numbers.length(of: text) == text.count && !text.isEmpty
        if file.lastPathComponent.hasPrefix("y_") { #expect(whole, "\(file.lastPathComponent)") }
        if file.lastPathComponent.hasPrefix("n_") { #expect(!whole, "\(file.lastPathComponent)") }
        #expect((numbers.double(text) != nil) == whole, "\(file.lastPathComponent)")
    }
}

// MARK: - Integers

/// A text and the integer that it is, or nil.
private let integers: [(String, Int64?)] = [
    ("0", 0),
    ("1", 1),
    ("-1", -1),
    ("12345678", 12_345_678),
    ("-123456789", -123_456_789),
    ("1234567890123456", 1_234_567_890_123_456),
    ("12345678901234567", 12_345_678_901_234_567),
    ("999999999999999999", 999_999_999_999_999_999),
    ("1000000000000000000", 1_000_000_000_000_000_000),
    ("9223372036854775806", .max - 1),
    ("9223372036854775807", .max),
    ("9223372036854775808", nil),
    ("-9223372036854775807", .min + 1),
    ("-9223372036854775808", .min),
    ("-9223372036854775809", nil),
    ("9999999999999999999", nil),
    ("-9999999999999999999", nil),
    ("18446744073709551615", nil),
    ("18446744073709551616", nil),  // 0 modulo 2^64
    ("18446744073709551617", nil),
    ("10000000000000000000", nil),
    ("100000000000000000000000000000000000000", nil),
    ("", nil),
    ("-", nil),
    ("+1", nil),
    ("-0", 0),
    ("-00", nil),
    ("00", nil),
    ("01", nil),
    ("-01", nil),
    ("0000000000000000001", nil),
    (" 1", nil),
    ("1 ", nil),
    ("1.0", nil),
    ("1e5", nil),
    ("1-", nil),
    ("--1", nil),
    ("12a", nil),
    ("1234567/", nil),
    ("1234567:", nil),
    ("12345678x", nil),
    ("１", nil),
]

@Test("a text is the integer that it spells, or none", arguments: integers)
func integerTable(text: String, value: Int64?) {
    for numbers in Numbers.allCases {
        #expect(numbers.int64(text) == value)
    }
}

@Test("integers of every width are printed as Swift prints them, and parsed back", arguments: Numbers.allCases)
func integersOfEveryWidth(_ numbers: Numbers) {
    var random = SplitMix64(seed: 2)
    var values: [Int64] = [0, .max, .min]
    var power: Int64 = 1
    for _ in 0..<19 {
        values += [power - 1, power, power + 1, 1 - power, -power, -power - 1]
        power &*= 10
    }
    for _ in 0..<20_000 { values.append(Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random)) }
    for value in values {
        #expect(numbers.text(of: value) == String(value))
        #expect(numbers.int64(String(value)) == value)
    }
}

// MARK: - Parsing doubles

/// A text and the bits of the double that it means.
private let doubles: [(String, UInt64)] = [
    ("0", 0),
    ("-0", 0x8000_0000_0000_0000),
    ("-0.0", 0x8000_0000_0000_0000),
    ("-0e99999999999999999999999999", 0x8000_0000_0000_0000),
    ("0.00000000000000000000000000", 0),
    ("1", 0x3ff0_0000_0000_0000),
    ("0.1", 0x3fb9_9999_9999_999a),
    ("1e22", 0x4480_f0cf_064d_d592),  // the last power of ten that is exact
    ("1e23", 0x44b5_2d02_c7e1_4af6),
    ("8.5e22", 0x44b1_ffdb_f6b2_b2eb),
    ("9007199254740991", 0x433f_ffff_ffff_ffff),
    ("9007199254740993", 0x4340_0000_0000_0000),  // halfway: to the even one
    ("9007199254740992.99999999999999999999", 0x4340_0000_0000_0000),
    ("9007199254740993.0000000000000000000000000000001", 0x4340_0000_0000_0001),
    ("4503599627370497.5", 0x4330_0000_0000_0002),
    ("6929495644600919.5", 0x4338_9e56_ee5e_7a58),
    ("3.518437208883201171875e13", 0x42c0_0000_0000_0002),
    ("62.5364939768271845828", 0x404f_44ab_d5aa_7ca4),
    ("8.10109172351e-10", 0x3e0b_d5cb_aef0_fd0c),
    ("1.50000000000000011102230246251565", 0x3ff8_0000_0000_0000),
    ("1.50000000000000011102230246251565404", 0x3ff8_0000_0000_0000),
    ("0.500000000000000166533453693773481063544750213623046875", 0x3fe0_0000_0000_0002),
    ("100000000000000016777215", 0x44b5_2d02_c7e1_4af7),
    ("100000000000000016777216", 0x44b5_2d02_c7e1_4af8),
    ("123456789012345678901234567890", 0x45f8_ee90_ff6c_373e),
    ("9223372036854775807", 0x43e0_0000_0000_0000),
    ("18446744073709551615", 0x43f0_0000_0000_0000),
    ("18446744073709551616", 0x43f0_0000_0000_0000),
    ("1e308", 0x7fe1_ccf3_85eb_c8a0),
    ("1.7976931348623157e308", 0x7fef_ffff_ffff_ffff),
    ("1.7976931348623158e308", 0x7fef_ffff_ffff_ffff),
    ("1.797693134862315807e308", 0x7fef_ffff_ffff_ffff),  // just below halfway to 2^1024
    ("1.797693134862315808e308", 0x7ff0_0000_0000_0000),
    ("179769313486231580793728971405301e276", 0x7fef_ffff_ffff_ffff),
    ("1e309", 0x7ff0_0000_0000_0000),
    ("-1e309", 0xfff0_0000_0000_0000),
    ("1e400", 0x7ff0_0000_0000_0000),
    ("1e99999999999999999999999999", 0x7ff0_0000_0000_0000),
    ("2.2250738585072012e-308", 0x0010_0000_0000_0000),  // the smallest normal one
    ("2.2250738585072011e-308", 0x000f_ffff_ffff_ffff),
    ("1e-323", 0x0000_0000_0000_0002),
    ("5e-324", 0x0000_0000_0000_0001),
    ("2.4703282292062328e-324", 0x0000_0000_0000_0001),
    ("2.4703282292062327208e-324", 0x0000_0000_0000_0000),  // just below halfway to it
    ("1e-400", 0),
    ("-1e-400", 0x8000_0000_0000_0000),
    ("1e-99999999999999999999999999", 0),
    ("1e00000000000000000000000000000000000000000000000000000000000001", 0x4024_0000_0000_0000),
    ("0.000000000000000000000000000000000000000000000000000000000000000001e66", 0x3ff0_0000_0000_0000),
]

@Test("a text is the double nearest to it", arguments: doubles)
func doubleTable(text: String, bits: UInt64) {
    for numbers in Numbers.allCases {
        #expect(numbers.double(text)?.bitPattern == bits)
    }
}

@Test("zeros in front, behind and in the exponent change nothing", arguments: Numbers.allCases)
func manyZeros(_ numbers: Numbers) {
    for zeros in [1, 7, 8, 18, 19, 20, 300, 800, 5000] {
        let text = String(repeating: "0", count: zeros)
        #expect(numbers.double("0.\(text)125e\(zeros)") == 0.125)
        #expect(numbers.double("0.125\(text)") == 0.125)
        #expect(numbers.double("125\(text)e-\(zeros + 3)") == 0.125)
        #expect(numbers.double("125\(text).\(text)e-\(zeros + 3)") == 0.125)
        #expect(numbers.double("0.125e\(text)") == 0.125)
        #expect(numbers.double("0.125e-\(text)1") == 0.0125)
        #expect(numbers.double("0.\(text)") == 0)
        #expect(numbers.double("0.\(text)1e\(zeros)") == 0.1)
        let nines = String(repeating: "9", count: zeros)
        #expect(numbers.double("\(nines)e-\(zeros)") == Double("0.\(nines)"))
    }
}

@Test(
    "a text halfway between two doubles goes to the even one, one just beside it to its own side",
    arguments: Numbers.allCases)
func halfwayPoints(_ numbers: Numbers) {
    var random = SplitMix64(seed: 3)
    var all: [UInt64] = [0, 1, 2, 1 << 52 - 1, 1 << 52, 1 << 52 + 1, 0x7FEF_FFFF_FFFF_FFFF]
    for exponent in stride(from: UInt64(1), to: 2047, by: 37) {
        all += [exponent << 52, exponent << 52 | (1 << 52 - 1)]
    }
    for _ in 0..<200 { all.append(UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &random)) }
    for _ in 0..<200 { all.append(UInt64.random(in: 0x3E00_0000_0000_0000..<0x4600_0000_0000_0000, using: &random)) }
    for bits in all {
        let below = Double(bitPattern: bits)
        let significand = bits >> 52 == 0 ? bits : bits & (1 << 52 - 1) | 1 << 52
        let (digits, exponent) = exactDecimal(2 * significand + 1, Int(max(bits >> 52, 1)) - 1076)
        let even = Double(bitPattern: bits + bits % 2)
        #expect(numbers.double("\(digits)e\(exponent)") == even)
        #expect(numbers.double("\(digits.prefix(1)).\(digits.dropFirst())0e\(exponent + digits.count - 1)") == even)
        #expect(numbers.double("0.\(digits)e\(exponent + digits.count)") == even)
        let zeros = String(repeating: "0", count: Int.random(in: 0...900, using: &random))
        #expect(numbers.double("\(digits)\(zeros)e\(exponent - zeros.count)") == even)
        #expect(numbers.double("\(digits)\(zeros)1e\(exponent - zeros.count - 1)") == below.nextUp)
        // The digits end in an odd one or in 5, so one less of the last is the same number of digits.
        let last = digits.utf8.last! - 1
        if last >= UInt8(ascii: "0") {
            let less = digits.dropLast() + String(UnicodeScalar(last))
            #expect(numbers.double("\(less)9\(zeros)e\(exponent - zeros.count - 1)") == below)
            #expect(numbers.double("-\(less)9e\(exponent - 1)") == -below)
        }
    }
}

@Test("random decimals are what Swift says they are", arguments: Numbers.allCases)
func randomDecimals(_ numbers: Numbers) {
    var random = SplitMix64(seed: 4)
    func digits(_ count: ClosedRange<Int>) -> String {
        String((0..<Int.random(in: count, using: &random)).map { _ in "0123456789".randomElement(using: &random)! })
    }
    for _ in 0..<20_000 {
        var text = Bool.random(using: &random) ? "-" : ""
        text += "123456789".randomElement(using: &random).map { "\($0)" + digits(0...20) }!
        if Bool.random(using: &random) { text += "." + digits(1...30) }
        if Bool.random(using: &random) { text += "e\(Int.random(in: -345...310, using: &random))" }
        // Swift's answer to an overflow is an infinity, too.
        #expect(numbers.double(text)?.bitPattern == Double(text)?.bitPattern, "\(text)")
    }
}

@Test("every exponent with the longest significands is what Swift says it is", arguments: Numbers.allCases)
func everyExponent(_ numbers: Numbers) {
    for exponent in -345...310 {
        for digits in ["1", "9007199254740993", "9999999999999999999", "18446744073709551615", "99999999999999999999"] {
            #expect(numbers.double("\(digits)e\(exponent)") == Double("\(digits)e\(exponent)"), "\(digits)e\(exponent)")
        }
    }
}

// MARK: - Printing doubles

/// A double and its text.
private let texts: [(Double, String)] = [
    (0, "0.0"),
    (-0.0, "-0.0"),
    (1, "1.0"),
    (-1, "-1.0"),
    (10, "10.0"),
    (0.1, "0.1"),
    (0.3, "0.3"),
    (0.1 + 0.2, "0.30000000000000004"),
    (1.5, "1.5"),
    (-273.15, "-273.15"),
    (100, "100.0"),
    (123_456_789, "123456789.0"),
    (12_345_678.5, "12345678.5"),
    (123_456_789.5, "123456789.5"),
    (1.0 / 3, "0.3333333333333333"),
    (2.0 / 3, "0.6666666666666666"),
    (10.0 / 3, "3.3333333333333335"),
    (1e15, "1000000000000000.0"),
    (1_234_567_890_123_456.8, "1234567890123456.8"),
    (9_007_199_254_740_992, "9007199254740992.0"),
    (9_999_999_999_999_998, "9999999999999998.0"),
    (1e16, "1e+16"),
    (12_345_678_901_234_568, "1.2345678901234568e+16"),
    (1e17, "1e+17"),
    (1e22, "1e+22"),
    (1e23, "1e+23"),
    (9.5e22, "9.5e+22"),
    (1e99, "1e+99"),
    (1e100, "1e+100"),
    (1.5e300, "1.5e+300"),
    (0.001, "0.001"),
    (0.0001, "0.0001"),
    (0.00012345678901234567, "0.00012345678901234567"),
    (-0.00012345678901234567, "-0.00012345678901234567"),
    (0.00009999, "9.999e-05"),
    (0.00001, "1e-05"),
    (1e-10, "1e-10"),
    (1e-99, "1e-99"),
    (1e-100, "1e-100"),
    (Double(bitPattern: 1), "5e-324"),
    (Double(bitPattern: 2), "1e-323"),
    (Double(bitPattern: 3), "1.5e-323"),
    (Double(bitPattern: 4), "2e-323"),
    (Double(bitPattern: 1 << 52 - 1), "2.225073858507201e-308"),
    (2.2250738585072014e-308, "2.2250738585072014e-308"),
    (-2.2250738585072014e-308, "-2.2250738585072014e-308"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (0x1p-44, "5.684341886080802e-14"),  // below a power of two the doubles stand closer
    (0x1p-1022, "2.2250738585072014e-308"),
    (0x1p63, "9.223372036854776e+18"),
    (2.0e-3, "0.002"),
    (4.35, "4.35"),
    (1.005, "1.005"),
    (5e-5, "5e-05"),
]

@Test("a double is written as Python writes it", arguments: texts)
func textTable(value: Double, text: String) {
    for numbers in Numbers.allCases {
        #expect(numbers.text(of: value) == text)
        #expect(numbers.double(text)?.bitPattern == value.bitPattern)
    }
}

/// Prints, compares with Swift's shortest digits, and parses back.
private func expectShortest(_ numbers: Numbers, _ value: Double) {
    let text = numbers.text(of: value)
    #expect(Digits(text) == Digits("\(value)"), "\(value)")
    #expect(numbers.double(text)?.bitPattern == value.bitPattern, "\(value)")
    #expect(numbers.length(of: text.utf8) == text.utf8.count, "\(value)")
    #expect(text.utf8.count <= 24, "\(value)")
    let hasExponent = value != 0 && !(1e-4..<1e16).contains(abs(value))
    #expect(text.contains("e") == hasExponent && (hasExponent || text.contains(".")), "\(value)")
}

@Test("random bit patterns are written with the shortest digits that parse back", arguments: Numbers.allCases)
func randomBitPatterns(_ numbers: Numbers) {
    var random = SplitMix64(seed: 5)
    for _ in 0..<20_000 { expectShortest(numbers, random.nextDouble()) }
}

@Test("numbers as people write them keep their digits", arguments: Numbers.allCases)
func humanNumbers(_ numbers: Numbers) {
    var random = SplitMix64(seed: 6)
    for _ in 0..<20_000 {
        let shift = Int64.random(in: 0...45, using: &random)
        let digits = Int64.random(in: 1..<1_000_000_000_000_000, using: &random) >> shift
        let text = "\(digits)e-\(Int.random(in: 0...20, using: &random))"
        let value = numbers.double(text)!
        #expect(Digits(numbers.text(of: value)) == Digits(text) || digits == 0, "\(text)")
        expectShortest(numbers, value)
    }
}

@Test(
    "powers of two and ten, their neighbours, whole numbers and subnormals are written with the shortest digits",
    arguments: Numbers.allCases)
func hardDoubles(_ numbers: Numbers) {
    for exponent in UInt64(0)..<2047 {
        for fraction: UInt64 in [0, 1, 1 << 51, 1 << 52 - 1] {
            expectShortest(numbers, Double(bitPattern: exponent << 52 | fraction))
        }
    }
    for exponent in -323...308 {
        let power = numbers.double("1e\(exponent)")!
        for value in [power.nextDown, power, power.nextUp] { expectShortest(numbers, value) }
    }
    for bits in UInt64(0)..<1000 { expectShortest(numbers, Double(bitPattern: bits)) }
    for offset in 0..<1000 { expectShortest(numbers, Double((1 << 53) - 500 + offset)) }
    for whole in 0..<2000 { #expect(numbers.text(of: Double(whole)) == "\(whole).0") }
}

@Test("Swift's printers write at the place that they are given")
func printersWriteInPlace() {
    let values = [0, 0.5, -1.5, 1_234.5, 1_234_567_890.123, 1e-5, -1.2345678901234567e-300, 9_007_199_254_740_994]
    for value in values {
        for offset in 0..<4 {
            var bytes = [UInt8](repeating: UInt8(ascii: "#"), count: offset + numberRoom)
            var span = bytes.mutableSpan
            let count = printDouble(value, into: &span, at: offset)
            let expected = String(repeating: "#", count: offset) + Numbers.swift.text(of: value)
            #expect(String(decoding: bytes.prefix(offset + count), as: UTF8.self) == expected)
        }
    }
}
