import CSluice
import Testing

/// Rows of one field of bytes, and the room that encoders need for them.
@Suite("Encoding bytes")
struct EncodeBinaryTests {
    /// Encodes one row of `count` bytes into `capacity`; what it came to, and how many bytes that is.
    private func encode(
        _ kernel: sluice_kernel, byte: UInt8, count: Int, quote: Character?, capacity: Int
    ) -> (status: sluice_status, written: Int, needed: Int) {
        let bytes = [UInt8](repeating: byte, count: count + Int(SLUICE_PADDING))
        let ends = [UInt32(count)]
        let starts: [UInt32] = [0]
        var key = [UInt8](repeating: 0, count: 32 + Int(SLUICE_PADDING))
        let keyLength = sluice_json_key(Array("data".utf8), 4, &key)
        // Room for a mistake, so that the test tells of it.
        var out = [UInt8](repeating: 0xA5, count: 16 * count + 4096)
        var encoder = sluice_encoder()
        var rows = sluice_rows()
        rows.base = SLUICE_BASE_CSV.rawValue
        rows.binary = 1
        rows.columns = 1
        rows.base_rows = 1
        rows.count = 1
        var dialect = sluice_csv_dialect()
        dialect.delimiter = UInt8(ascii: ",")
        dialect.quote = quote?.asciiValue ?? 0
        let status = bytes.withUnsafeBufferPointer { bytes in
            ends.withUnsafeBufferPointer { ends in
                starts.withUnsafeBufferPointer { starts in
                    key.withUnsafeBufferPointer { key in
                        rows.bytes = bytes.baseAddress
                        rows.ends = ends.baseAddress
                        rows.row_starts = starts.baseAddress
                        let column = [
                            sluice_column(
                                field: 0, overlay: -1, key: key.baseAddress, key_length: UInt32(keyLength))
                        ]
                        return quote == nil
                            ? kernel.encode_jsonl_columns(&encoder, &rows, column, 1, &out, capacity)
                            : kernel.encode_csv_columns(&encoder, &rows, column, 1, &dialect, &out, capacity)
                    }
                }
            }
        }
        let end = status == SLUICE_OK ? encoder.written : 0
        #expect(out[min(out.count, max(end, capacity) + Int(SLUICE_PADDING))...].allSatisfy { $0 == 0xA5 })
        return (status, encoder.written, encoder.needed)
    }

    @Test("base64 never goes over the room that there is, even where all of it is doubled", arguments: kernelNames)
    func room(_ name: String) {
        let kernel = kernelNamed(name)!.pointee
        // Zeros are 'A's, of which quotes are made here; nil: JSON Lines.
        for quote in ["A", "=", "\"", nil] as [Character?] {
            for count in [0, 1, 2, 3, 4, 5, 300, 3001] {
                let whole = encode(kernel, byte: 0, count: count, quote: quote, capacity: 16 * count + 256)
                #expect(whole.status == SLUICE_OK)
                for capacity in Set([
                    whole.written - 1, whole.written, whole.written / 2, 2 * count + 6, count + 18, 3 * count,
                ]) {
                    let (status, written, needed) = encode(
                        kernel, byte: 0, count: count, quote: quote, capacity: max(0, capacity))
                    if status == SLUICE_OK {
                        #expect(written == whole.written && written <= capacity, "\(count) bytes into \(capacity)")
                    } else {
                        #expect(status == SLUICE_OUTPUT_FULL && written == 0, "\(count) bytes into \(capacity)")
                        let again = encode(kernel, byte: 0, count: count, quote: quote, capacity: needed)
                        #expect(again.status == SLUICE_OK && again.written == whole.written)
                    }
                }
            }
        }
    }
}
