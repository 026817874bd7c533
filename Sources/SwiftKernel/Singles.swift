import CSluice

// The doors of `sluice_singles`: one value, one header, one object at a time, and the ring.

/// What the table of singles holds; it lives as long as the process.
// SAFETY: written once, here, and never after.
nonisolated(unsafe) let singles: UnsafePointer<sluice_singles> = {
    let table = UnsafeMutablePointer<sluice_singles>.allocate(capacity: 1)
    table.initialize(
        to: sluice_singles(
            number_length: { numberLength(text($0, $1).span) },
            parse_int64: { store(parseInt64(text($0, $1).span), to: $2) },
            parse_double: { store(parseDouble(text($0, $1).span), to: $2) },
            print_int64: { value, out in write(out, Int(SLUICE_NUMBER_MAX)) { printInt64(value, into: &$0, at: 0) } },
            print_double: { value, out in write(out, Int(SLUICE_NUMBER_MAX)) { printDouble(value, into: &$0, at: 0) } },
            csv_first_record: { firstRecord($0, text($1, $2).span, $3, $4, $5, $6, $7) },
            csv_field_content: { field, length, dialect, out in
                let grammar = unsafe CSVGrammar(dialect!.pointee)
                return writeOrMeasure(out, length) { csvFieldContent(text(field, length).span, grammar, out: &$0) }
            },
            csv_is_null: { unsafe csvIsNull($0!.pointee, text($1, $2).span) },
            csv_quote: { content, length, dialect, always, out in
                unsafe write(out, 2 * length + 2) {
                    // SIZE_MAX, as a signed number.
                    csvQuote(text(content, length).span, dialect!.pointee, always: always, into: &$0, at: 0) ?? -1
                }
            },
            csv_column_int64: { unsafe csvColumnInt64($0!, $1!, $2!) },
            csv_column_double: { unsafe csvColumnDouble($0!, $1!, $2!) },
            infer_cell: { sluice_cell(UInt32(inferCell(text($0, $1).span, quoted: $2).rawValue)) },
            json_validate: { validate(text($0, $1).span, $2, $3, $4) },
            json_value_end: {
                UInt32(truncatingIfNeeded: JSONTape.valueEnd(batch($0).span, batch($1).span, at: Int($2)))
            },
            json_key_equals: { JSONText.key(batch($0).span, at: Int($1), means: text($2, $3).span) },
            json_string_content: { stringContent(batch($0).span, $1) },
            json_project: { project(batch($0).span, batch($1).span, $2, $3, $5, $6, $7) },
            json_project_keys: { projectKeys(batch($0).span, batch($1).span, $2, $3, $4, $5, $6) },
            json_quote: { content, length, out in
                write(out, 6 * length + 2) { jsonQuote(text(content, length).span, into: &$0, at: 0) }
            },
            json_key: { name, length, out in
                write(out, 6 * length + 6) { jsonKey(text(name, length).span, into: &$0, at: 0) }
            },
            base64_encode: { content, length, out in
                write(out, base64Length(length)) {
                    base64Encode(text(content, length).span, 0..<length, into: &$0, at: 0)
                }
            },
            encoded_length: { EncodedLength.length(of: text($1, $2).span, in: $0) },
            ring_create: { SwiftRing(capacity: $0).map { OpaquePointer(Unmanaged.passRetained($0).toOpaque()) } },
            ring_destroy: { ring in unsafe ring.map { reference(to: $0).release() } },
            ring_capacity: { ring in unsafe reference(to: ring!)._withUnsafeGuaranteedRef { UInt32($0.capacity) } },
            ring_push: { ring, element in unsafe reference(to: ring!)._withUnsafeGuaranteedRef { $0.push(element!) } },
            ring_pop: { ring, out in
                guard let element = unsafe reference(to: ring!)._withUnsafeGuaranteedRef({ $0.pop() }) else {
                    return false
                }
                unsafe out!.pointee = element
                return true
            }))
    return UnsafePointer(table)
}()

// SAFETY, of all below: what C's declarations say of their arguments. A text has its length. What is of a batch has none, but
// all that is looked at is in it, and SLUICE_PADDING bytes stand behind. An output has the room that the declaration asks for.

private func text(_ start: UnsafePointer<UInt8>?, _ length: Int) -> UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : length)
}

private func batch<Element>(_ start: UnsafePointer<Element>?) -> UnsafeBufferPointer<Element> {
    unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(UInt32.max))
}

private func write(
    _ out: UnsafeMutablePointer<UInt8>?, _ room: Int, _ body: (inout MutableSpan<UInt8>) -> Int
) -> Int {
    let buffer = unsafe UnsafeMutableBufferPointer(start: out, count: out == nil ? 0 : room)
    var span = unsafe buffer.mutableSpan
    return body(&span)
}

/// Where there is no output, it is written to one that nobody sees.
private func writeOrMeasure(
    _ out: UnsafeMutablePointer<UInt8>?, _ room: Int, _ body: (inout MutableSpan<UInt8>) -> Int
) -> Int {
    if unsafe out != nil { return write(out, room, body) }
    var rubbish = [UInt8](repeating: 0, count: room)
    var span = rubbish.mutableSpan
    return body(&span)
}

private func store<Number>(_ number: Number?, to place: UnsafeMutablePointer<Number>?) -> Bool {
    guard let number else { return false }
    unsafe place!.pointee = number
    return true
}

private func firstRecord(
    _ scanner: UnsafeMutablePointer<sluice_csv_scanner>?, _ bytes: Span<UInt8>, _ final: Bool,
    _ ends: UnsafeMutablePointer<UInt32>?, _ capacity: UInt32, _ fields: UnsafeMutablePointer<UInt32>?,
    _ start: UnsafeMutablePointer<UInt32>?
) -> sluice_status {
    let ends = unsafe UnsafeMutableBufferPointer(start: ends, count: Int(capacity))
    var span = unsafe ends.mutableSpan
    let record = unsafe csvFirstRecord(&scanner!.pointee, bytes, final: final, ends: &span)
    unsafe fields!.pointee = UInt32(truncatingIfNeeded: record.fields)
    unsafe start!.pointee = record.start
    return record.status
}

private func validate(
    _ bytes: Span<UInt8>, _ tape: UnsafeMutablePointer<UInt32>?, _ count: UnsafeMutablePointer<UInt32>?,
    _ errorOffset: UnsafeMutablePointer<UInt32>?
) -> sluice_status {
    let verdict: JSONMachine.Verdict
    if unsafe tape == nil {
        verdict = JSONMachine.validate(bytes, length: bytes.count)
    } else {
        let room = unsafe UnsafeMutableBufferPointer(start: tape, count: Int(count!.pointee))
        var span = unsafe room.mutableSpan
        verdict = JSONMachine.validate(bytes, length: bytes.count, tape: &span)
    }
    if let count = unsafe count { unsafe count.pointee = UInt32(truncatingIfNeeded: verdict.tapeCount) }
    if verdict.status.rawValue < 0 { unsafe errorOffset!.pointee = UInt32(truncatingIfNeeded: verdict.errorOffset) }
    return verdict.status
}

private func stringContent(_ literal: Span<UInt8>, _ out: UnsafeMutablePointer<UInt8>?) -> Int {
    guard unsafe out != nil else { return JSONText.decodedLength(literal, at: 0) }
    return unsafe write(out, JSONText.literalEnd(literal, at: 0)) { JSONText.decode(literal, at: 0, into: &$0, at: 0) }
}

private func project(
    _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ rows: UnsafePointer<sluice_json_row>?, _ count: UInt32,
    _ paths: UnsafePointer<sluice_json_path>?, _ pathCount: UInt32, _ out: UnsafeMutablePointer<UInt32>?
) {
    let rows = unsafe UnsafeBufferPointer(start: rows, count: Int(count))
    let paths = unsafe UnsafeBufferPointer(start: paths, count: Int(pathCount))
    let out = unsafe UnsafeMutableBufferPointer(start: out, count: rows.count * paths.count)
    var span = unsafe out.mutableSpan
    unsafe JSONProjection.project(bytes, tape, rows.span, paths.span, into: &span)
}

private func projectKeys(
    _ bytes: Span<UInt8>, _ tape: Span<UInt32>, _ rows: UnsafePointer<sluice_json_row>?, _ count: UInt32,
    _ keys: UnsafePointer<sluice_json_path>?, _ keyCount: UInt32, _ out: UnsafeMutablePointer<UInt32>?
) -> UInt32 {
    let rows = unsafe UnsafeBufferPointer(start: rows, count: Int(count))
    let keys = unsafe UnsafeBufferPointer(start: keys, count: Int(keyCount))
    let out = unsafe UnsafeMutableBufferPointer(start: out, count: rows.count * keys.count)
    var span = unsafe out.mutableSpan
    return unsafe UInt32(truncatingIfNeeded: JSONProjection.projectKeys(bytes, tape, rows.span, keys.span, into: &span))
}

private func reference(to ring: OpaquePointer) -> Unmanaged<SwiftRing> { .fromOpaque(UnsafeRawPointer(ring)) }
