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
    static func say(_ line: String) { write(line + "\n", to: 2) }

    /// A line on standard output.
    /// - Throws: `StreamError` where it cannot be written.
    static func show(_ line: String) throws {
        guard write(line + "\n", to: 1) else {
            throw StreamError(.writeFailed, "cannot write to standard output: \(String(cString: strerror(errno)))")
        }
    }

    static func exit(_ status: ExitStatus) -> Never { platformExit(status.rawValue) }

    @discardableResult
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let put = rest.withUnsafeBytes { platformWrite(descriptor, $0.baseAddress, $0.count) }
            if put < 0 && errno != EINTR { return false }
            rest = rest.dropFirst(max(0, put))
        }
        return true
    }
}

private func platformWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
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

    init(_ error: StreamError) {
        switch error.code {
        case .fileNotFound: self = .noInput
        case .isDirectory, .permissionDenied: self = error.stage == "commit" ? .cannotCreate : .noInput
        case .cannotCreate: self = .cannotCreate
        case .readFailed, .writeFailed, .noSpace: self = .inputOutput
        case .unsupported: self = error.stage == "encode" ? .badData : .usage
        case .invalidConfiguration, .unknownColumn: self = .usage
        case .brokenLedger, .closed, .processorFailed: self = .software
        default: self = .badData
        }
    }
}
