import Sluice

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What goes to people rather than to the next program.
enum Terminal {
    /// A line on standard error.
    static func say(_ line: String) { try? write(line, to: 2, "standard error") }

    /// A line on standard output.
    /// - Throws: `StreamError` where it cannot be written.
    static func show(_ line: String) throws { try write(line, to: 1, "standard output") }

    /// Columns of the terminal that is standard output; 80 where it is none.
    static var width: Int {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whether standard error is a terminal.
    static let isPerson = isatty(2) == 1

    /// Whether what is written to a path shows on a terminal; - is standard output.
    static func isShown(_ path: String) -> Bool {
        guard path != "-" else { return isatty(1) == 1 }
        var status = stat()
        // To open and close a pipe would end it for its reader.
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else { return false }
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY)
        defer { if descriptor >= 0 { close(descriptor) } }
        return descriptor >= 0 && isatty(descriptor) == 1
    }

    /// One line that is written over by the next.
    static func show(_ progress: StreamProgress) {
        var line = "\(progress.readRecords) records, \(progress.megabytesPerSecond.short) MB/s"
        if let fraction = progress.fraction { line = "\(Int(fraction * 100)) %  " + line }
        if let left = progress.secondsLeft { line += ", \(Int(left.rounded(.up))) s left" }
        try? write("\r\u{1B}[K" + line, to: 2, "standard error", end: "")
    }

    /// Takes away what `show` has written.
    static func clear() { try? write("\r\u{1B}[K", to: 2, "standard error", end: "") }

    static func exit(_ status: ExitStatus) -> Never { platformExit(status.rawValue) }

    private static func write(
        _ line: String, to descriptor: Int32, _ name: String, end: String = "\n"
    ) throws {
        try Array("\(line)\(end)".utf8).withUnsafeBytes { try FileSystem.write(descriptor, $0, name) }
        try FileSystem.finish(descriptor, name)
    }
}

private func platformExit(_ status: Int32) -> Never { exit(status) }

/// What the tool's exit code says, by the numbers of sysexits(3).
enum ExitStatus: Int32 {
    case usage = 64
    case badData = 65
    case noInput = 66
    case software = 70
    case cannotCreate = 73
    case inputOutput = 74
    case timeout = 75

    init(_ error: StreamError) {
        switch error.code {
        case .fileNotFound: self = .noInput
        case .isDirectory, .permissionDenied: self = error.stage == "commit" ? .cannotCreate : .noInput
        case .cannotCreate: self = .cannotCreate
        case .readFailed, .writeFailed, .noSpace, .databaseFailed: self = .inputOutput
        case .databaseReadOnly: self = .cannotCreate
        case .timedOut, .cancelled, .databaseBusy: self = .timeout
        case .memoryLimit, .wrongQuery, .unknownTable: self = .usage
        case .unsupported: self = ["cut", "decode", "encode"].contains(error.stage) ? .badData : .usage
        case .invalidConfiguration, .unknownColumn: self = .usage
        case .brokenLedger, .closed, .processorFailed: self = .software
        default: self = .badData
        }
    }
}
