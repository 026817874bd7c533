import CSluice

/// Numbers and strings as text, by the C core.
enum NumberText {
    /// The integer that all of `text` is as a JSON number, if `Int64` holds it; "-0" is 0.
    static func int64(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let start = text.baseAddress else { return nil }
        var value: Int64 = 0
        return Kernel.singles.parse_int64(start, text.count, &value) ? value : nil
    }

    /// The number that 1 to 7 bytes spell, if they are nothing but digits with no zero in front of others; they stand in a block, so
    /// that 8 can be loaded. As `join_digits` of the C core: digits, pairs, fours.
    @inline(__always) static func short(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let start = text.baseAddress, text.count &- 1 < 7 else { return nil }
        let word = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
        let shift = UInt64(8 &* (8 &- text.count))
        let digits = (word ^ 0x3030_3030_3030_3030) &<< shift
        let others = ((digits & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676) | digits
        guard others & 0x8080_8080_8080_8080 == 0, text.count == 1 || word & 0xFF != 0x30 else { return nil }
        let pairs = digits &* 10 &+ digits &>> 8
        let low = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = (pairs &>> 16 & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return Int(truncatingIfNeeded: (low &+ high) &>> 32)
    }

    /// The double nearest to the JSON number that all of `text` is; infinite on overflow.
    static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let start = text.baseAddress else { return nil }
        var value = 0.0
        return Kernel.singles.parse_double(start, text.count, &value) ? value : nil
    }

    static func double(_ text: String) -> Double? {
        var text = text
        return text.withUTF8 { double($0) }
    }

    /// Whether all of `text` is a JSON number.
    static func isNumber(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = text.baseAddress, !text.isEmpty else { return false }
        return Kernel.singles.number_length(start, text.count) == text.count
    }

    /// The shortest text that parses back to `value`, which is finite.
    static func withPrinted<R>(_ value: Double, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(SLUICE_NUMBER_MAX)) { room in
            let count = Kernel.singles.print_double(value, room.baseAddress)
            return try body(UnsafeBufferPointer(rebasing: room[..<count]))
        }
    }

    static func withPrinted<R>(_ value: Int64, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(SLUICE_NUMBER_MAX)) { room in
            let count = Kernel.singles.print_int64(value, room.baseAddress)
            return try body(UnsafeBufferPointer(rebasing: room[..<count]))
        }
    }
}

enum QuotedText {
    /// Appends `text` as a JSON string with its quotes.
    static func appendJSON(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        grow(&bytes, by: 6 * text.count + 2) { room in
            Kernel.singles.json_quote(text.baseAddress ?? UnsafePointer(room), text.count, room)
        }
    }

    /// Appends `text` as base64.
    static func appendBase64(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        grow(&bytes, by: 4 * ((text.count + 2) / 3)) { room in
            Kernel.singles.base64_encode(text.baseAddress ?? UnsafePointer(room), text.count, room)
        }
    }

    /// Appends `text` as one CSV field, in quotes where needed or `always`. False where it needs them and there are none.
    static func appendCSV(
        _ text: UnsafeBufferPointer<UInt8>, _ dialect: CSVDialect, always: Bool, to bytes: inout [UInt8]
    ) -> Bool {
        var isWritable = true
        grow(&bytes, by: 2 * text.count + 2) { room in
            var dialect = dialect.core
            let count = Kernel.singles.csv_quote(
                text.baseAddress ?? UnsafePointer(room), text.count, &dialect, always, room)
            // SIZE_MAX, as a signed number.
            isWritable = count >= 0
            return isWritable ? count : 0
        }
        return isWritable
    }

    /// The content of a CSV cell, quotes undone.
    static func csvString(_ field: UnsafeBufferPointer<UInt8>, _ dialect: CSVDialect) -> String {
        guard let start = field.baseAddress else { return "" }
        var dialect = dialect.core
        return String(unsafeUninitializedCapacity: field.count) { room in
            Kernel.singles.csv_field_content(start, field.count, &dialect, room.baseAddress)
        }
    }

    /// The content of the JSON string literal at `start`; `limit` is the length of the literal or more.
    static func jsonString(_ start: UnsafePointer<UInt8>, limit: Int) -> String {
        // What has room on the stack is quicker copied once more than validated once more.
        guard limit <= 1024 else {
            return String(unsafeUninitializedCapacity: limit) {
                Kernel.singles.json_string_content(start, $0.baseAddress)
            }
        }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: limit) { room in
            let count = Kernel.singles.json_string_content(start, room.baseAddress)
            return String(validated: UnsafeBufferPointer(rebasing: room[..<count]))
        }
    }

    /// Decodes the JSON string literal at `start` into `room`, which is as large; returns how many bytes that makes.
    static func jsonContent(_ start: UnsafePointer<UInt8>, into room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        Kernel.singles.json_string_content(start, room.baseAddress)
    }

    /// The content of a CSV cell as `body` needs it: decoded only where it is not simply between two quotes.
    static func withCSVContent<R>(
        _ field: UnsafeBufferPointer<UInt8>, _ dialect: CSVDialect, _ body: (UnsafeBufferPointer<UInt8>) throws -> R
    ) rethrows -> R {
        guard let start = field.baseAddress else { return try body(field) }
        return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: field.count) { room in
            var dialect = dialect.core
            let count = Kernel.singles.csv_field_content(start, field.count, &dialect, room.baseAddress)
            return try body(UnsafeBufferPointer(rebasing: room[..<count]))
        }
    }

    /// What a CSV cell means by the inference grammar: a `CellTag`.
    static func inferred(_ content: UnsafeBufferPointer<UInt8>, isQuoted: Bool) -> UInt8 {
        guard let start = content.baseAddress else { return isQuoted ? CellTag.string : CellTag.null }
        return UInt8(truncatingIfNeeded: Kernel.singles.infer_cell(start, content.count, isQuoted).rawValue)
    }

    /// Makes room, lets `body` write, keeps as many bytes as it says.
    private static func grow(_ bytes: inout [UInt8], by room: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) {
        let old = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: room + 1))
        let written = bytes.withUnsafeMutableBufferPointer { buffer -> Int in
            guard let base = buffer.baseAddress else { return 0 }
            return body(base + old)
        }
        bytes.removeLast(room + 1 - written)
    }
}

/// The tape of a JSON text: see `sluice_json.h`.
enum JSONTape {
    /// Where the value at `position` ends: one past its last byte.
    static func end(_ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ position: Int) -> Int {
        Int(Kernel.singles.json_value_end(bytes, tape, UInt32(position)))
    }

    static func keyEquals(
        _ bytes: UnsafePointer<UInt8>, _ offset: UInt32, _ name: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        Kernel.singles.json_key_equals(bytes, offset, name.baseAddress ?? bytes, name.count)
    }

    /// The tape of a text that is known to be valid JSON.
    static func index(_ text: UnsafeBufferPointer<UInt8>) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: 2 * text.count + 8) { room, count in
            var used = UInt32(room.count)
            var offset: UInt32 = 0
            let status = Kernel.singles.json_validate(text.baseAddress, text.count, room.baseAddress, &used, &offset)
            precondition(status == SLUICE_OK, "a cell that holds JSON is valid JSON")
            count = Int(used)
        }
    }

    static let absent = UInt32.max
}

extension CSVDialect {
    var core: sluice_csv_dialect {
        sluice_csv_dialect(
            delimiter: delimiter, quote: quote, escape: escape, lenient: isLenient ? 1 : 0,
            carriage_return: endsAtCarriageReturn ? 1 : 0, ragged: ragged.rawValue, comment: comment)
    }
}

extension String {
    /// A copy of text that is known to be UTF-8, as that of every decoded batch is.
    init(validated text: UnsafeBufferPointer<UInt8>) {
        guard #available(macOS 26, iOS 26, *) else {
            self.init(decoding: text, as: UTF8.self)
            return
        }
        var utf8 = UTF8Span(unchecked: text.span)
        _ = utf8.checkForASCII()
        self.init(copying: utf8)
    }
}
