// Functions beside the table of a kernel, by C; each expects Swift's counterpart to say the same.

import CSluice
import Testing

@testable import SwiftKernel

struct Validation: Equatable {
    var status: sluice_status
    /// The byte that is wrong, where one is.
    var offset: UInt32?

    init(_ status: sluice_status, _ offset: UInt32) {
        self.status = status
        self.offset = status.rawValue < 0 ? offset : nil
    }
}

/// Whether a document is JSON, told without a tape.
func validate(_ document: [UInt8]) -> (status: sluice_status, offset: UInt32) {
    var offset: UInt32 = .max
    let status = sluice_json_validate(document, document.count, nil, nil, &offset)
    let swift = JSONMachine.validate(document.span, length: document.count)
    #expect(
        Validation(swift.status, UInt32(swift.errorOffset)) == Validation(status, offset),
        "\(String(decoding: document, as: UTF8.self))")
    return (status, offset)
}

/// The same with a tape of `capacity`, of which the entries that were written are returned.
func validate(_ document: [UInt8], capacity: Int) -> (status: sluice_status, offset: UInt32, tape: [UInt32]) {
    var offset: UInt32 = .max
    var count = UInt32(capacity)
    var tape = [UInt32](repeating: .max, count: capacity + 1)
    let status = sluice_json_validate(document, document.count, &tape, &count, &offset)
    #expect(tape[capacity] == .max)
    var swiftTape = [UInt32](repeating: .max, count: capacity)
    var span = swiftTape.mutableSpan
    let swift = JSONMachine.validate(document.span, length: document.count, tape: &span)
    #expect(
        Validation(swift.status, UInt32(swift.errorOffset)) == Validation(status, offset),
        "\(String(decoding: document, as: UTF8.self))")
    if status == SLUICE_OK {
        #expect(swiftTape[..<swift.tapeCount] == tape[..<Int(count)], "\(String(decoding: document, as: UTF8.self))")
    }
    return (status, offset, Array(tape[..<(status == SLUICE_OK ? Int(count) : 0)]))
}

func valueEnd(_ bytes: [UInt8], _ tape: [UInt32], _ position: UInt32) -> UInt32 {
    let end = sluice_json_value_end(bytes, tape, position)
    #expect(JSONTape.valueEnd(bytes.span, tape.span, at: Int(position)) == Int(end))
    return end
}

/// What the literal that bytes[start...] begin with means.
func decodedString(_ bytes: [UInt8], at start: Int = 0) -> [UInt8] {
    let length = bytes[start...].withUnsafeBufferPointer { sluice_json_string_content($0.baseAddress, nil) }
    let content = [UInt8](unsafeUninitializedCapacity: length) { out, count in
        count = bytes[start...].withUnsafeBufferPointer { sluice_json_string_content($0.baseAddress, out.baseAddress) }
    }
    #expect(content.count == length)
    #expect(JSONText.decodedLength(bytes.span, at: start) == length)
    for (room, place) in [(length, 0), (length + 40, 3)] {
        var out = [UInt8](repeating: 0xA5, count: room + place)
        var span = out.mutableSpan
        let count = JSONText.decode(bytes.span, at: start, into: &span, at: place)
        #expect(out[place..<(place + count)] == content[...])
    }
    return content
}

func keyEquals(_ bytes: [UInt8], _ offset: UInt32, _ name: [UInt8]) -> Bool {
    let equals = sluice_json_key_equals(bytes, offset, name, name.count)
    #expect(JSONText.key(bytes.span, at: Int(offset), means: name.span) == equals)
    return equals
}

/// bytes[..<length] without white space between tokens.
func compactText(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: length)
    let count = sluice_json_compact(bytes, length, &out)
    var swiftOut = [UInt8](repeating: 0xA5, count: length + 6)
    var span = swiftOut.mutableSpan
    let swift = JSONText.compact(bytes.span, from: 0, to: length, into: &span, at: 3)
    #expect(swiftOut[3..<(3 + swift)] == out[..<count])
    #expect(swiftOut[..<3] == [0xA5, 0xA5, 0xA5] && swiftOut[(3 + swift)...].allSatisfy { $0 == 0xA5 })
    return Array(out[..<count])
}

func project(
    _ bytes: [UInt8], _ tape: [UInt32], _ rows: [sluice_json_row], _ flags: UInt32, _ paths: [String]
) -> [UInt32] {
    var out = [UInt32](repeating: 0, count: rows.count * paths.count)
    var swiftOut = out
    withPaths(paths) {
        sluice_json_project(bytes, tape, rows, UInt32(rows.count), flags, $0, UInt32($0.count), &out)
        var span = swiftOut.mutableSpan
        JSONProjection.project(bytes.span, tape.span, rows.span, $0.span, into: &span)
    }
    #expect(swiftOut == out, "\(String(decoding: bytes, as: UTF8.self)), \(paths)")
    return out
}

func projectKeys(
    _ bytes: [UInt8], _ tape: [UInt32], _ rows: [sluice_json_row], _ keys: [String]
) -> ([UInt32], firstUnknown: Int) {
    var out = [UInt32](repeating: 0, count: rows.count * keys.count)
    var swiftOut = out
    let firstUnknown = withPaths(keys) {
        let first = sluice_json_project_keys(bytes, tape, rows, UInt32(rows.count), $0, UInt32($0.count), &out)
        var span = swiftOut.mutableSpan
        #expect(JSONProjection.projectKeys(bytes.span, tape.span, rows.span, $0.span, into: &span) == Int(first))
        return first
    }
    #expect(swiftOut == out, "\(String(decoding: bytes, as: UTF8.self)), \(keys)")
    return (out, Int(firstUnknown))
}

private func withPaths<R>(_ names: [String], _ body: ([sluice_json_path]) -> R) -> R {
    let names = names.map { Array($0.utf8) }
    return names.flatMap { $0 }.withUnsafeBufferPointer { joined in
        var start = 0
        return body(
            names.map { name in
                defer { start += name.count }
                return sluice_json_path(name: joined.baseAddress.map { $0 + start }, length: UInt32(name.count))
            })
    }
}

func storedLength(_ encoding: sluice_encoding, _ text: [UInt8]) -> Int {
    let length = sluice_encoded_length(encoding, text, text.count)
    #expect(EncodedLength.length(of: text.span, in: encoding) == length)
    return length
}
