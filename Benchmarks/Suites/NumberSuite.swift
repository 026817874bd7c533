import CSluice
import Foundation
import SwiftKernel

/// Numbers from text and to it. Answers are sums of bits, and bytes.
func addNumberSuites() {
    let count = Inputs.isQuick ? 20_000 : 100_000
    let kinds: [(String, (inout SystemRandomNumberGenerator) -> Double)] = [
        ("two decimals", { Double(Int.random(in: -99_999...99_999, using: &$0)) / 100 }),
        ("17 digits", { Double.random(in: -1e6...1e6, using: &$0) }),
    ]
    for (name, make) in kinds {
        let texts = Lazy {
            var generator = SystemRandomNumberGenerator()
            return NumberTexts((0..<count).map { _ in make(&generator) })
        }
        let parse = Workload("parse-double", name) {
            Facts(bytes: texts.value.count, records: count, answer: texts.value.parse(NumberTexts.byLibrary))
        }
        parse.add("C core") {
            {
                texts.value.parse {
                    var value = 0.0
                    return sluice_parse_double($0.baseAddress, $0.count, &value) ? value : nil
                }
            }
        }
        parse.add("pure Swift") { { texts.value.parse { parseDouble($0.span) } } }
        parse.add("Double(String)") { { texts.value.parse(NumberTexts.byLibrary) } }

        let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64)
        let printed = Workload("print-double", name) {
            Facts(bytes: texts.value.count, records: count, answer: texts.value.count)
        }
        printed.add("C core") { { texts.value.print { sluice_print_double($0, room.baseAddress) } } }
        printed.add("pure Swift") {
            {
                texts.value.print {
                    var span = room.mutableSpan
                    return printDouble($0, into: &span, at: 0)
                }
            }
        }
        printed.add("description") { { texts.value.print { $0.description.utf8.count } } }
    }
}

/// Numbers and their texts, one behind the other.
// SAFETY: written in `init` only.
private final class NumberTexts: @unchecked Sendable {
    private let numbers: [Double]
    private let bytes: [UInt8]
    private let ends: [Int]
    var count: Int { bytes.count }

    init(_ numbers: [Double]) {
        self.numbers = numbers
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for number in numbers {
            bytes.append(contentsOf: number.description.utf8)
            ends.append(bytes.count)
        }
        (self.bytes, self.ends) = (bytes, ends)
    }

    static func byLibrary(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        Double(String(decoding: text, as: UTF8.self))
    }

    func parse(_ body: (UnsafeBufferPointer<UInt8>) -> Double?) -> Int {
        var sum: UInt64 = 0
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for end in ends {
                sum &+= (body(UnsafeBufferPointer(rebasing: bytes[start..<end])) ?? .nan).bitPattern
                start = end
            }
        }
        return Int(truncatingIfNeeded: sum)
    }

    func print(_ body: (Double) -> Int) -> Int { numbers.reduce(0) { $0 + body($1) } }
}
