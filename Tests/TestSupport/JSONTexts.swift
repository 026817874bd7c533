/// Texts that are JSON and such as are not, each alone: what the core, and sources of files, are tried on.
public enum JSONTexts {
    public struct Invalid: Sendable, CustomStringConvertible {
        public var bytes: [UInt8]
        /// The first byte that cannot be.
        public var offset: UInt32
        /// It is UTF-8; where it is not, that is the fault.
        public var isText = true
        public var description: String { String(decoding: bytes, as: UTF8.self) }

        init(_ text: String, _ offset: UInt32) {
            bytes = Array(text.utf8)
            self.offset = offset
        }

        init(_ before: String, bytes: [UInt8], _ after: String, _ offset: UInt32, isText: Bool = true) {
            self.bytes = Array(before.utf8) + bytes + Array(after.utf8)
            self.offset = offset
            self.isText = isText
        }

        static func utf8(_ bytes: UInt8...) -> Invalid {
            Invalid("\"é", bytes: bytes, "\"", 3, isText: false)
        }
    }

    public static let valid: [String] = [
        "0", "-0", "7", "-7", "10", "1234567890123456789012345678901234567890", "0.5", "-0.25", "1.0", "3e0", "3E+7",
        "3.25e-7",
        "0e0", "0E-0", "0.000000000000000000000000000000000000001", "1e999", "123456789012345678901234567890.5e-3",
        "true", "false", "null",
        #""""#, #""a""#, #""plain text""#, #"" leading and trailing ""#, "\"\u{7F}\"", "\"é\"", "\"日本語\"", "\"😀\"",
        "\"\u{2028}\"",
        #""{}[],:""#, #""\"""#, #""\\""#, #""\\\"""#, #""\\\\""#, #""\/""#, #""\b\f\n\r\t""#, #""\u0000""#,
        #""\uabCD""#,
        #""\u0022""#,
        #""\uD800\uDC00""#, #""\uDBFF\uDFFF""#, #""\ud83d\ude00""#, #""\uD7FF\uE000""#, #""\\uD800""#, #""\\u12""#,
        "{}", "[]", "[[]]", "[{}]", #"{"a":{}}"#, #"{"a":[]}"#, "[1]", "[1,2]", "[ ]", "{ }", "[ 1 , 2 ]", "[1\t,\t2]",
        "[1\r]",
        #"{"a":1}"#, #"{"a":1,"b":2}"#, #"{ "a" : 1 , "b" : 2 }"#, #"{"":0}"#, #"{"a":1,"a":1}"#, #"{"a\n":"\t"}"#,
        #"{"\u0061":0}"#,
        #"[true,false,null,0,"",{},[]]"#, #"{"a":true,"b":false,"c":null,"d":-1,"e":"x","f":{"g":[{"h":[[]]}]}}"#,
        "[0,-0,0.0]", "[1 ]", "[true ]", #"["a" ]"#, "[[[[[[[[[[]]]]]]]]]]",
    ]

    /// Each with the first byte that cannot be.
    public static let invalid: [Invalid] = [
        // Literals.
        Invalid("tru", 3), Invalid("truth", 3), Invalid("trues", 4), Invalid("True", 0), Invalid("nul", 3),
        Invalid("nulll", 4),
        Invalid("fals", 4), Invalid("falsy", 4), Invalid("none", 1), Invalid("NaN", 0), Invalid("Infinity", 0),
        Invalid("[nan]", 2),
        Invalid("undefined", 0), Invalid("[true1]", 5), Invalid("[true\"\"]", 5), Invalid("[null[]]", 5),
        Invalid("true{}", 4),
        // Numbers.
        Invalid("-", 1), Invalid("+1", 0), Invalid("01", 1), Invalid("-01", 2), Invalid("00", 1), Invalid(".5", 0),
        Invalid("-.5", 1),
        Invalid("1.", 2), Invalid("[1.]", 3), Invalid("1.e1", 2), Invalid("1e", 2), Invalid("1e+", 3),
        Invalid("[1e-]", 4),
        Invalid("1e1.5", 3), Invalid("1.5.5", 3), Invalid("--1", 1), Invalid("-Infinity", 1), Invalid("0x10", 1),
        Invalid("1_000", 1),
        Invalid("1a", 1), Invalid("[1 2]", 3), Invalid("1 2", 2), Invalid("[1\"a\"]", 2), Invalid("[-]", 2),
        Invalid("0e", 2),
        Invalid("12345678901234567890123456789012345678901234567890x", 50), Invalid("1{}", 1), Invalid("[1[]]", 2),
        Invalid("0.0000000000000000000000000000000000.1", 36), Invalid("１", 0),
        // Strings.
        Invalid("\"", 1), Invalid("\"a", 2), Invalid("[\"a]", 4), Invalid(#""\""#, 3), Invalid(#""\\\""#, 5),
        Invalid("'a'", 0),
        Invalid("\"a\tb\"", 2), Invalid("\"a\rb\"", 2), Invalid("\"\0\"", 1), Invalid("\"\u{1F}\"", 1),
        Invalid("\"a\"b", 3),
        Invalid("\"a\"\"b\"", 3), Invalid("[\"a\"\"b\"]", 4), Invalid("[\"a\"b]", 4), Invalid("[b\"a\"]", 1),
        // Escapes.
        Invalid(#""\"#, 2), Invalid(#""\x41""#, 2), Invalid(#""\a""#, 2), Invalid(#""\ ""#, 2), Invalid(#""\é""#, 2),
        Invalid(#""\U0041""#, 2), Invalid(#""\'""#, 2), Invalid(#""\u""#, 3), Invalid(#""\u12""#, 5),
        Invalid(#""\u123""#, 6),
        Invalid(#""\u12G4""#, 5), Invalid(#""\u00 1""#, 5), Invalid(#""\u004"#, 6), Invalid(#"\u0041"#, 0),
        Invalid(#"["\u00A"]"#, 7),
        Invalid(#"["a"\n]"#, 4), Invalid(#"\"a""#, 0), Invalid(#""\\\"#, 4), Invalid("\"\\\t\"", 2),
        Invalid("\"\\\0\"", 2),
        // Surrogates.
        Invalid(#""\uD800""#, 7), Invalid(#""\uD800x""#, 7), Invalid(#""\uD800\n""#, 8), Invalid(#""\uD800\u0041""#, 9),
        Invalid(#""\uD800\uD800""#, 10), Invalid(#""\uDBFF\uE000""#, 9), Invalid(#""\uDC00""#, 4),
        Invalid(#""\uDFFF\uD800""#, 4),
        Invalid(#""\uD800\\uDC00""#, 8), Invalid(#""\ud83d \ude00""#, 7), Invalid(#""\uD83D\uDE0""#, 12),
        Invalid(#""\uD83D"#, 7),
        Invalid(#""\uD83D\uDE00\uDE00""#, 16), Invalid(#""\uD83D\u""#, 9),
        // Containers.
        Invalid("[", 1), Invalid("{", 1), Invalid("]", 0), Invalid("}", 0), Invalid("[1", 2), Invalid("[1,", 3),
        Invalid("[1,]", 3),
        Invalid("[,1]", 1), Invalid("[,]", 1), Invalid("[1,,2]", 3), Invalid("[]]", 2), Invalid("[}", 1),
        Invalid("{]", 1),
        Invalid("[1}", 2), Invalid("[1:2]", 2), Invalid("[:]", 1), Invalid("[][]", 2), Invalid("{}{}", 2),
        Invalid("[],", 2),
        Invalid("[[]", 3), Invalid("[{]}", 2), Invalid("1]", 1), Invalid(":", 0), Invalid(",", 0), Invalid("[1];", 3),
        Invalid(#"{"a"}"#, 4), Invalid(#"{"a":}"#, 5), Invalid(#"{"a":1,}"#, 7), Invalid(#"{,"a":1}"#, 1),
        Invalid(#"{"a":1"b":2}"#, 6),
        Invalid(#"{"a" 1}"#, 5), Invalid(#"{"a",1}"#, 4), Invalid(#"{"a"::1}"#, 5), Invalid("{1:1}", 1),
        Invalid("{a:1}", 1),
        Invalid("{'a':1}", 1), Invalid("{null:1}", 1), Invalid("{[]:1}", 1), Invalid("{{}:1}", 1),
        Invalid(#"{"a":1]"#, 6),
        Invalid(#"{"a":1,,"b":1}"#, 7), Invalid(#"{"a":1:2}"#, 6), Invalid(#"{"a"#, 3), Invalid(#"{"a":"#, 5),
        Invalid(#"{"a":1"#, 6),
        Invalid(#"{"a":1,"#, 7), Invalid(#"{"a":1 2}"#, 7), Invalid(#"{"a":"b" "c"}"#, 9), Invalid(#"{"a":[}"#, 6),
        Invalid(#"{"a":1}}"#, 7),
        // Bytes outside strings.
        Invalid("[1\0]", 2), Invalid("\0", 0), Invalid("[\u{0B}1]", 1), Invalid("[\u{0C}]", 1),
        Invalid("[1\u{0C}2]", 2),
        Invalid("{\u{1A}}", 1), Invalid("{\"a\"\u{1A}1}", 4), Invalid("[\u{7F}]", 1), Invalid("[1]//", 3),
        Invalid("/**/1", 0),
        Invalid("#", 0), Invalid("[é]", 1), Invalid("\u{A0}1", 0), Invalid("\u{FEFF}1", 0), Invalid("[1]\u{FEFF}", 3),
        Invalid("[\u{1}]", 1),
        Invalid("", bytes: [0xFF, 0xFE], "1", 0),
        Invalid("[1", bytes: [0x80], "]", 2),
        // Bytes inside strings that are no UTF-8: alone, overlong, a surrogate, too large, cut short.
        .utf8(0x80), .utf8(0xBF), .utf8(0xC0, 0x80), .utf8(0xC1, 0xBF), .utf8(0xC3), .utf8(0xE0, 0x80, 0x80),
        .utf8(0xE3, 0x81),
        .utf8(0xED, 0xA0, 0x80), .utf8(0xF0, 0x8F, 0xBF, 0xBF), .utf8(0xF0, 0x9F, 0x98), .utf8(0xF4, 0x90, 0x80, 0x80),
        .utf8(0xF5, 0x80, 0x80, 0x80),
        .utf8(0xFE), .utf8(0xFF), .utf8(0xE3, 0x28, 0x81), .utf8(0xF0, 0x28, 0x8C, 0xBC),
        Invalid("\"", bytes: [0xE3, 0x81], "", 1, isText: false),
        // The first of two errors counts.
        Invalid("\"\t", bytes: [0xFF], "\"", 1),
        Invalid("\"", bytes: [0xFF], "\t\"", 1, isText: false),
        Invalid("[1,]", bytes: [0xFF], "", 3),
    ]
}
