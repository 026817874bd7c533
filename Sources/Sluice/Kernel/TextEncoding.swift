import CSluice

/// How text is encoded in a file. In memory it is always UTF-8.
public enum TextEncoding: String, Sendable, CaseIterable {
    case utf8
    /// UTF-16. A byte order mark decides the order when reading; without one it is little-endian. Writing: little-endian with a
    /// byte order mark.
    case utf16
    /// UTF-16, little-endian. No byte order mark is written; when reading, one is no part of the text, and the other order's
    /// overrides.
    case utf16LE
    /// UTF-16, big-endian; byte order marks as with `utf16LE`.
    case utf16BE
    /// ISO 8859-1: the characters up to U+00FF, a byte each. Writing any other is an error (`unencodable`).
    case latin1
}

extension TextEncoding {
    /// In the C core's words; nil for what it has no need to transcode.
    private var core: sluice_encoding? {
        switch self {
        case .utf8: nil
        case .utf16, .utf16LE: SLUICE_UTF16LE
        case .utf16BE: SLUICE_UTF16BE
        case .latin1: SLUICE_LATIN1
        }
    }

    /// This encoding's entry of a kernel's table; nil where there is nothing to do.
    func function<F>(of table: (F, F, F)) -> F? {
        switch core {
        case SLUICE_UTF16LE: table.0
        case SLUICE_UTF16BE: table.1
        case SLUICE_LATIN1: table.2
        default: nil
        }
    }

    /// Bytes that UTF-8 text has where it is stored. Complexity: constant for UTF-8; else O(count), many bytes a cycle.
    func storedLength(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int {
        core.map { Kernel.singles.encoded_length($0, text, count) } ?? count
    }

    /// What text is that is not well-formed: the error, and the encoding's name.
    var malformed: (code: StreamError.Code, name: String) {
        switch self {
        case .utf8, .latin1: (.invalidUTF8, "UTF-8")
        case .utf16, .utf16LE, .utf16BE: (.invalidUTF16, "UTF-16")
        }
    }
}
