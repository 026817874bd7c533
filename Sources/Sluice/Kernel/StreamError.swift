/// What stopped a stream: what went wrong, where, and what to do about it.
///
/// Every error of this package is one of these. Data errors name the file, the record and the byte, so that the place can be
/// looked at; the contents of records never appear.
public struct StreamError: Error, Sendable {
    /// The kinds of error.
    public enum Code: String, Sendable, CaseIterable {
        // The file system
        case fileNotFound, isDirectory, permissionDenied, cannotCreate, readFailed, writeFailed, noSpace
        // The data
        case raggedRecord, unclosedQuote, textAfterQuote, invalidUTF8, invalidUTF16, invalidJSON, jsonTooDeep
        case recordTooLarge
        case corruptCompression, truncatedCompression, trailingData
        // Records against what was asked for
        case unknownColumn, differentColumns, unknownKey, missingField, nullField, typeMismatch, numberNotFinite,
            unencodable, needsQuotes, invalidRecord
        // A database
        case databaseFailed, databaseBusy, databaseCorrupt, databaseReadOnly, wrongQuery, constraintViolated,
            unknownTable,
            outOfRange
        // The run
        case invalidConfiguration, unsupported, closed, brokenLedger, processorFailed, memoryLimit, timedOut, cancelled
    }

    /// What kind of error it is.
    public var code: Code
    /// What went wrong, in words.
    public var message: String
    /// The file, as it was named by the caller; nil where there is none.
    public var path: String?
    /// Number of the record, from 1. A CSV header does not count; blank lines that are skipped do.
    public var record: Int?
    /// Offset of the offending byte, from 0, in the decompressed file as it is stored (a byte order mark counts).
    public var byteOffset: Int?
    /// The column or key.
    public var column: String?
    /// Where in the pipeline: "cut", "decode", "process", "encode", "commit".
    public var stage: String?
    /// The error of the system or of user code that caused this one.
    public var underlying: (any Error)?
    /// What to try.
    public var hint: String?

    public init(
        _ code: Code, _ message: String, path: String? = nil, record: Int? = nil, byteOffset: Int? = nil,
        column: String? = nil, stage: String? = nil, underlying: (any Error)? = nil, hint: String? = nil
    ) {
        self.code = code
        self.message = message
        self.path = path
        self.record = record
        self.byteOffset = byteOffset
        self.column = column
        self.stage = stage
        self.underlying = underlying
        self.hint = hint
    }
}

extension StreamError: CustomStringConvertible {
    /// One line: `flights.csv: record 3, byte 27, column "dep_time": …; hint: …`.
    public var description: String {
        var place: [String] = []
        if let record { place.append("record \(record)") }
        if let byteOffset { place.append("byte \(byteOffset)") }
        if let column { place.append("column \"\(column)\"") }
        let parts: [String?] = [path, place.isEmpty ? nil : place.joined(separator: ", "), message]
        let text = parts.compactMap { $0 }.joined(separator: ": ")
        return (hint.map { "\(text); hint: \($0)" } ?? text).escapingControls
    }
}

extension String {
    /// Without line ends and what else could be taken for more than text: as in a Swift literal.
    package var escapingControls: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: text += scalar.escaped(asASCII: true)
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
