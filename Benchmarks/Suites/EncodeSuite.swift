import CSluice
import Foundation

/// Encoders: rows of a CSV index to JSON Lines and to CSV, in memory. Answers are the bytes that come out.
func addEncodeSuites() {
    for (name, columns) in [("flights.csv", 19), ("tweets.csv", 9)] {
        let rows = Lazy { EncodeRows(Inputs.head(name, megabytes: Inputs.isQuick ? 4 : 16), columns: columns) }
        for isCSV in [false, true] {
            let workload = Workload(isCSV ? "encode-csv" : "encode-jsonl", name) {
                rows.value.facts(rows.value.count, isCSV: isCSV)
            }
            for kernel in kernels { workload.add(kernel.name) { { rows.value.encode(kernel.table, isCSV: isCSV) } } }
            if !isCSV { addEncoders(workload, rows) }
        }
    }
}

/// What writes such records in Swift: of dictionaries of strings, made beforehand.
private func addEncoders(_ workload: Workload, _ rows: Lazy<EncodeRows>) {
    let count = 1000
    let facts = Lazy { rows.value.facts(count, isCSV: false) }
    workload.add("JSONSerialization", of: facts) {
        let records = (0..<count).map { rows.value.record($0) }
        return {
            try records.reduce(0) {
                $0 + (try JSONSerialization.data(withJSONObject: $1, options: .withoutEscapingSlashes)).count + 1
            }
        }
    }
    workload.add("JSONEncoder", of: facts) {
        let records = (0..<count).map { rows.value.record($0) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return { try records.reduce(0) { $0 + (try encoder.encode($1)).count + 1 } }
    }
}

/// Rows of a CSV file and all that encoders want of them.
// SAFETY: written in `init` but for the output, which one benchmark uses at a time.
final class EncodeRows: @unchecked Sendable {
    private let index: IndexArrays
    private let names: [String]
    private var columns: [sluice_column] = []
    private let output: UnsafeMutablePointer<UInt8>
    private let capacity = 1 << 20
    let count: Int

    init(_ input: Input, columns count: Int) {
        index = IndexArrays(input, columns: count)
        self.count = index.index(fastest) - 1
        output = .allocate(capacity: capacity + Int(SLUICE_PADDING))
        let index = index
        names = (0..<count).map { index.text(0, $0) }
        for (field, name) in names.enumerated() {
            let room = 6 * name.utf8.count + 6
            let key = UnsafeMutablePointer<UInt8>.allocate(capacity: room + Int(SLUICE_PADDING))
            var name = name
            let length = name.withUTF8 { sluice_json_key($0.baseAddress, $0.count, key) }
            columns.append(
                sluice_column(field: Int32(field), overlay: -1, key: key, key_length: UInt32(length)))
        }
    }

    func record(_ row: Int) -> [String: String] {
        Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, index.text(row + 1, $0)) })
    }

    /// The first rows, and what encoding them makes.
    func facts(_ count: Int, isCSV: Bool) -> Facts {
        let end = count < self.count ? index.start(count + 1) : index.input.count
        return Facts(
            bytes: end - index.start(1), records: count, answer: encode(fastest, isCSV: isCSV, rows: count))
    }

    /// Encodes all rows, into the same room again and again; returns how many bytes that made.
    func encode(_ kernel: sluice_kernel, isCSV: Bool, rows wanted: Int? = nil) -> Int {
        var rows = sluice_rows()
        index.describe(&rows, first: 1, count: wanted ?? count)
        var encoder = sluice_encoder()
        var dialect = rows.dialect
        var sum = 0
        while true {
            encoder.written = 0
            let status =
                isCSV
                ? kernel.encode_csv_columns(
                    &encoder, &rows, columns, UInt32(columns.count), &dialect, output, capacity)
                : kernel.encode_jsonl_columns(&encoder, &rows, columns, UInt32(columns.count), output, capacity)
            sum += encoder.written
            if status == SLUICE_OK { return sum }
            precondition(status == SLUICE_OUTPUT_FULL && encoder.written > 0, "\(status)")
        }
    }
}

extension IndexArrays {
    func start(_ row: Int) -> Int { Int(starts[row]) }

    /// The content of a field.
    func text(_ row: Int, _ column: Int) -> String {
        let place = row * columns + column
        let start = column == 0 ? starts[row] : ends[place - 1] + 1
        var dialect = sluice_csv_dialect()
        dialect.quote = UInt8(ascii: "\"")
        let length = Int(ends[place] - start)
        return String(unsafeUninitializedCapacity: length) {
            sluice_csv_field_content(input.start + Int(start), length, &dialect, $0.baseAddress)
        }
    }

    func describe(_ rows: inout sluice_rows, first: Int, count: Int) {
        rows.base = SLUICE_BASE_CSV.rawValue
        rows.flags = flags
        rows.columns = UInt32(columns)
        rows.dialect.delimiter = UInt8(ascii: ",")
        rows.dialect.quote = UInt8(ascii: "\"")
        rows.bytes = UnsafePointer(input.start)
        rows.ends = UnsafePointer(ends)
        rows.row_starts = UnsafePointer(starts)
        rows.first_row = UInt32(first)
        rows.base_rows = UInt32(count)
        rows.count = UInt32(count)
    }
}
