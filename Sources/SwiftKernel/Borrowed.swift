import CSluice

// What other files of this module will do: calls of C until they do.

func printInt64(_ value: Int64, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    out.withUnsafeMutableBufferPointer { sluice_print_int64(value, $0.baseAddress! + place) }
}

func printDouble(_ value: Double, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    out.withUnsafeMutableBufferPointer { sluice_print_double(value, $0.baseAddress! + place) }
}

func numberLength(_ text: Span<UInt8>) -> Int {
    text.withUnsafeBufferPointer { sluice_number_length($0.baseAddress!, $0.count) }
}

func jsonValueEnd(_ bytes: Span<UInt8>, _ tape: Span<UInt32>, position: Int) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
        tape.withUnsafeBufferPointer { tape in
            Int(sluice_json_value_end(bytes.baseAddress!, tape.baseAddress!, UInt32(position)))
        }
    }
}

func jsonKeyEquals(_ bytes: Span<UInt8>, _ key: Int, _ name: Span<UInt8>) -> Bool {
    bytes.withUnsafeBufferPointer { bytes in
        name.withUnsafeBufferPointer { name in
            sluice_json_key_equals(bytes.baseAddress!, UInt32(key), name.baseAddress, name.count)
        }
    }
}

func jsonStringContent(
    _ bytes: Span<UInt8>, _ literal: Int, into out: inout MutableSpan<UInt8>, at place: Int
) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
        out.withUnsafeMutableBufferPointer { out in
            place + sluice_json_string_content(bytes.baseAddress! + literal, out.baseAddress! + place)
        }
    }
}

func jsonCompact(_ bytes: Span<UInt8>, _ text: Field, into out: inout MutableSpan<UInt8>, at place: Int) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
        out.withUnsafeMutableBufferPointer { out in
            place + sluice_json_compact(bytes.baseAddress! + text.start, text.length, out.baseAddress! + place)
        }
    }
}

func csvFieldContent(
    _ bytes: Span<UInt8>, _ field: Field, _ dialect: sluice_csv_dialect, into out: inout MutableSpan<UInt8>,
    at place: Int
) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
        out.withUnsafeMutableBufferPointer { out in
            withUnsafePointer(to: dialect) {
                place
                    + sluice_csv_field_content(
                        bytes.baseAddress! + field.start, field.length, $0, out.baseAddress! + place)
            }
        }
    }
}

func csvIsNull(_ nulls: sluice_csv_nulls, _ bytes: Span<UInt8>, _ field: Field) -> Bool {
    bytes.withUnsafeBufferPointer { bytes in
        withUnsafePointer(to: nulls) { sluice_csv_is_null($0, bytes.baseAddress! + field.start, field.length) }
    }
}
