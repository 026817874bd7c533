import CSluice
import Foundation

/// JSON: the kernels' index, and what reads lines in Swift. Answers are records.
func addJSONSuites() {
    for name in ["flights.jsonl", "tweets.jsonl"] {
        let arrays = Lazy { TapeArrays(Inputs.head(name, megabytes: Inputs.whole)) }
        let workload = Workload("json-index", name) {
            let records = arrays.value.index(fastest)
            return Facts(bytes: arrays.value.input.count, records: records, answer: records)
        }
        let digest = Lazy { arrays.value.digest(fastest) }
        for kernel in kernels {
            workload.add(kernel.name) {
                precondition(arrays.value.digest(kernel.table) == digest.value, "\(kernel.name) has another index")
                return { arrays.value.index(kernel.table) }
            }
        }

        let part = Lazy { JSONLinesInMemory(name) }
        workload.add("JSONSerialization", of: Lazy { part.value.facts(part.value.lines.count) }) {
            let lines = part.value.lines
            return {
                for line in lines { _ = try JSONSerialization.jsonObject(with: line) }
                return lines.count
            }
        }
    }
}

/// Lines as who takes JSON apart line by line has them at hand.
struct JSONLinesInMemory {
    let lines: [Data]
    let input: Input

    init(_ name: String, megabytes: Int = Inputs.part) {
        input = Inputs.head(name, megabytes: megabytes)
        lines = input.data.split(separator: UInt8(ascii: "\n"))
    }

    func facts(_ answer: Int?) -> Facts { Facts(bytes: input.count, records: lines.count, answer: answer) }
}

/// The arrays of a JSON index, large enough for an input.
// SAFETY: one benchmark uses them at a time.
final class TapeArrays: @unchecked Sendable {
    let input: Input
    private let capacity: Int
    private let tape: UnsafeMutablePointer<UInt32>
    private let rows: UnsafeMutablePointer<sluice_json_row>
    private let scratch: UnsafeMutablePointer<UInt32>

    init(_ input: Input) {
        self.input = input
        capacity = 2 * input.count + 128
        tape = .allocate(capacity: capacity)
        rows = .allocate(capacity: capacity / 8)
        scratch = .allocate(capacity: 1 << 16)
    }

    private var tapeCount = 0

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
        tapeCount = Int(index.tape_count)
        return Int(index.row_count)
    }

    /// What says of an index whether it is the same as another.
    func digest(_ kernel: sluice_kernel) -> Int {
        let records = index(kernel)
        var hasher = Hasher()
        for row in 0..<records {
            hasher.combine(rows[row].tape)
            hasher.combine(rows[row].start)
            hasher.combine(rows[row].end)
        }
        for place in 0..<tapeCount { hasher.combine(tape[place]) }
        return hasher.finalize()
    }
}
