import CSluice
import Foundation
import Sluice

/// JSON: the kernels' index, and what reads lines in Swift.
func addJSONSuites() {
    for name in ["flights.jsonl", "tweets.jsonl"] {
        let input = Inputs.head(name, megabytes: Inputs.isQuick ? 8 : 64)
        let arrays = TapeArrays(input)
        let records = arrays.index(kernels[0].table)
        let workload = Workload(
            suite: "json-index", data: name, bytes: input.count, records: records, answer: records)
        for kernel in kernels { workload.add(kernel.name) { arrays.index(kernel.table) } }

        let head = input.head(kilobytes: Inputs.isQuick ? 1024 : 4096)
        let lines = head.data.split(separator: UInt8(ascii: "\n"))
        let share = (head.count, lines.count, lines.count)
        workload.add("JSONSerialization", share: share) {
            for line in lines { _ = try JSONSerialization.jsonObject(with: line) }
            return lines.count
        }
    }
}

/// The arrays of a JSON index, large enough for an input.
// SAFETY: one benchmark uses them at a time.
final class TapeArrays: @unchecked Sendable {
    let input: Input
    private let capacity: Int
    let tape: UnsafeMutablePointer<UInt32>
    let rows: UnsafeMutablePointer<sluice_json_row>
    private let scratch: UnsafeMutablePointer<UInt32>

    init(_ input: Input) {
        self.input = input
        capacity = 2 * input.count + 128
        tape = .allocate(capacity: capacity)
        rows = .allocate(capacity: capacity / 8)
        scratch = .allocate(capacity: 1 << 16)
        tape.initialize(repeating: 0, count: capacity)
        rows.initialize(repeating: sluice_json_row(), count: capacity / 8)
        scratch.initialize(repeating: 0, count: 1 << 16)
    }

    /// Indexes all of it; returns how many records there are.
    func index(_ kernel: sluice_kernel) -> Int {
        var index = sluice_json_index()
        index.tape = tape
        index.rows = rows
        index.scratch = scratch
        index.tape_capacity = UInt32(capacity)
        index.rows_capacity = UInt32(capacity / 8)
        index.scratch_capacity = 1 << 16
        index.form = SLUICE_JSON_LINES.rawValue
        let status = kernel.json_index(&index, input.start, input.count)
        precondition(status == SLUICE_OK, "\(input.name): \(status) at \(index.error_offset)")
        return Int(index.row_count)
    }
}
