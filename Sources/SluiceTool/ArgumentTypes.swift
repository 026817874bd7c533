import ArgumentParser
import Sluice

/// A format by the name that the command line has for it.
enum FormatName: String, CaseIterable, ExpressibleByArgument {
    case csv, tsv, jsonl, json, text, binary

    init(_ format: FileFormat) {
        switch format {
        case .csv: self = .csv
        case .jsonl: self = .jsonl
        case .json: self = .json
        case .text: self = .text
        case .binary: self = .binary
        }
    }

    var format: FileFormat {
        switch self {
        case .csv, .tsv: .csv
        case .jsonl: .jsonl
        case .json: .json
        case .text: .text
        case .binary: .binary
        }
    }

    /// The delimiter that goes with the name; nil where the file's own name may tell one.
    var delimiter: Character? { self == .tsv ? "\t" : nil }
}

/// A character of a CSV dialect, or that there is none.
struct DialectCharacter: ExpressibleByArgument {
    let character: Character?

    /// `tab` and `\t` are a tab, `none` and an empty text are no character.
    init?(argument: String) {
        switch argument {
        case "tab", "\\t": character = "\t"
        case "", "none": character = nil
        default:
            guard argument.count == 1 else { return nil }
            character = argument.first
        }
    }
}

/// Names with commas between them. One that has a comma itself stands in quotes, as in CSV.
struct NameList: ExpressibleByArgument {
    let names: [String]

    init?(argument: String) {
        var names: [String] = []
        // By scalars: a comma or quote and an accent behind it are one character, and divide all the same.
        var rest = Substring(argument).unicodeScalars
        while true {
            guard let name = rest.first == "\"" ? Self.quoted(&rest) : Self.plain(&rest), !name.isEmpty else {
                return nil
            }
            names.append(name)
            guard let comma = rest.popFirst() else { break }
            guard comma == "," else { return nil }
        }
        self.names = names
    }

    private static func plain(_ rest: inout Substring.UnicodeScalarView) -> String? {
        let name = rest.prefix { $0 != "," }
        rest = rest[name.endIndex...]
        return String(name)
    }

    /// What stands between quotes; those inside are doubled.
    private static func quoted(_ rest: inout Substring.UnicodeScalarView) -> String? {
        var name = String.UnicodeScalarView()
        rest.removeFirst()
        while let end = rest.firstIndex(of: "\"") {
            name += rest[..<end]
            rest = rest[rest.index(after: end)...]
            guard rest.first == "\"" else { return String(name) }
            name.append(rest.removeFirst())
        }
        return nil
    }
}

/// A choice's words are its raw values. The library would find them by reflection, which is slow at every start.
extension ExpressibleByArgument where Self: CaseIterable & RawRepresentable, RawValue == String {
    public static var allValueStrings: [String] { allCases.map { $0.rawValue } }
    public static var allValueDescriptions: [String: String] { [:] }
    public var defaultValueDescription: String { rawValue }
}

extension KernelChoice: ExpressibleByArgument {}
extension CompressionFormat: ExpressibleByArgument {}
extension UnknownColumns: ExpressibleByArgument {}
extension CSVOptions.Ragged: ExpressibleByArgument {}
extension DirectoryStreamSource.ErrorPolicy: ExpressibleByArgument {}

extension TextEncoding: ExpressibleByArgument {
    /// Cases and hyphens do not matter: `UTF-16LE` is `utf16le`. ISO 8859-1 may have its own name.
    public init?(argument: String) {
        let name = argument.lowercased().filter { $0 != "-" && $0 != "_" }
        let known = Self.allCases.first { $0.rawValue.lowercased() == name }
        guard let encoding = name == "iso88591" ? .latin1 : known else { return nil }
        self = encoding
    }
    public static var allValueStrings: [String] { allCases.map { $0.rawValue.lowercased() } }
}

extension CellTypes: ExpressibleByArgument {
    /// `infer` is the command line's word for `inferred`.
    public init?(argument: String) { self.init(rawValue: argument == "infer" ? "inferred" : argument) }
    public static var allValueStrings: [String] { ["strings", "infer"] }
}
