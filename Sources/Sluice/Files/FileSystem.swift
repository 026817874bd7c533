#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The calls to the system that files need: the one place that makes them. Interrupted calls are made again.
enum FileSystem {
    struct Status {
        var isRegular: Bool
        var isDirectory: Bool
        var size: Int
        var mode: UInt32
        var owner: UInt32
        var group: UInt32
    }

    static func openForReading(_ path: String) throws(StreamError) -> Int32 {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system(errno, "cannot open the file", path, .readFailed, stage: "cut") }
        return descriptor
    }

    /// Opens what is there already: a FIFO, a device.
    static func openForWriting(_ path: String) throws(StreamError) -> Int32 {
        let descriptor = retrying { open(path, O_WRONLY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            throw .system(errno, "cannot open the file", path, .cannotCreate, stage: "commit")
        }
        return descriptor
    }

    /// Makes a file that is not there; nil where there is one.
    static func create(_ path: String, mode: UInt32) throws(StreamError) -> Int32? {
        let descriptor = retrying { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode)) }
        if descriptor >= 0 { return descriptor }
        if errno == EEXIST { return nil }
        throw .system(errno, "cannot create the file", path, .cannotCreate, stage: "commit")
    }

    static func close(_ descriptor: Int32, _ path: String) throws(StreamError) {
        // After EINTR the descriptor is closed all the same on Linux; closing it twice would close somebody else's.
        guard closeDescriptor(descriptor) == 0 || errno == EINTR else {
            throw .system(errno, "cannot finish the file", path, .writeFailed, stage: "commit")
        }
    }

    /// Closes a descriptor that was read from, or whose output is thrown away: nothing can be lost.
    static func drop(_ descriptor: Int32) { _ = closeDescriptor(descriptor) }

    /// 0 at the end.
    static func read(
        _ descriptor: Int32, into bytes: UnsafeMutableRawPointer, _ count: Int, _ path: String
    ) throws(StreamError) -> Int {
        while true {
            let got = readBytes(descriptor, bytes, count)
            if got >= 0 { return got }
            switch errno {
            case EINTR: continue
            case EAGAIN: try wait(descriptor, Int16(POLLIN), path, .readFailed, stage: "cut")
            default: throw .system(errno, "cannot read", path, .readFailed, stage: "cut")
            }
        }
    }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String) throws(StreamError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let put = writeBytes(descriptor, start, rest.count)
            if put >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[put...])
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try wait(descriptor, Int16(POLLOUT), path, .writeFailed, stage: "commit")
            default: throw .system(errno, "cannot write", path, .writeFailed, stage: "commit")
            }
        }
    }

    /// Parks until an inherited descriptor that does not block has something to do; it is never made blocking.
    private static func wait(
        _ descriptor: Int32, _ events: Int16, _ path: String, _ code: StreamError.Code, stage: String
    ) throws(StreamError) {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        guard retrying({ poll(&entry, 1, -1) }) >= 0 else {
            throw .system(errno, "cannot wait for the file", path, code, stage: stage)
        }
    }

    static func status(_ descriptor: Int32, _ path: String) throws(StreamError) -> Status {
        var entry = stat()
        guard fstat(descriptor, &entry) == 0 else {
            throw .system(errno, "cannot look at the file", path, .readFailed, stage: "cut")
        }
        return Status(entry)
    }

    /// Nil where there is nothing of this name.
    static func status(_ path: String) throws(StreamError) -> Status? {
        var entry = stat()
        if stat(path, &entry) == 0 { return Status(entry) }
        if errno == ENOENT { return nil }
        throw .system(errno, "cannot look at the file", path, .cannotCreate, stage: "commit")
    }

    /// The path with symbolic links resolved; the path itself where nothing is there.
    static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return resolvedDangling(path) }
        defer { free(real) }
        return String(cString: real)
    }

    /// A link to a file that is not there yet names the file that is to be made.
    private static func resolvedDangling(_ path: String, depth: Int = 0) -> String {
        var room = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &room, room.count)
        guard count > 0, count < room.count, depth < 32 else { return path }
        let target = String(decoding: room[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        // By bytes: "/" and a combining mark behind it are one character.
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { String(decoding: path.utf8[...$0], as: UTF8.self) } ?? ""
        let next = target.utf8.first == UInt8(ascii: "/") ? target : folder + target
        return resolvedDangling(next, depth: depth + 1)
    }

    static func rename(_ old: String, to new: String) throws(StreamError) {
        guard renameFile(old, new) == 0 else {
            throw .system(errno, "cannot publish the file", new, .writeFailed, stage: "commit")
        }
    }

    static func remove(_ path: String) { _ = unlink(path) }

    /// Gives a new file the mode and, where that is allowed, the owner of the one it replaces.
    static func takeOver(_ descriptor: Int32, _ status: Status) {
        _ = fchown(descriptor, status.owner, status.group)
        _ = fchmod(descriptor, mode_t(status.mode & 0o7777))
    }

    private static func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}

// The system's functions under names that do not collide with those above.
private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func readBytes(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
private func renameFile(_ old: String, _ new: String) -> Int32 { rename(old, new) }

extension FileSystem.Status {
    fileprivate init(_ entry: stat) {
        let type = UInt32(entry.st_mode) & 0o170000
        self.init(
            isRegular: type == 0o100000, isDirectory: type == 0o040000, size: Int(entry.st_size),
            mode: UInt32(entry.st_mode), owner: entry.st_uid, group: entry.st_gid)
    }
}

/// An error number of the system, as an error.
struct SystemError: Error, CustomStringConvertible {
    let number: Int32
    var description: String { String(cString: strerror(number)) }
}

extension StreamError {
    /// - Parameter fallback: the code of errors that have none of their own.
    static func system(
        _ number: Int32, _ message: String, _ path: String, _ fallback: Code, stage: String
    ) -> StreamError {
        let isWriting = fallback != .readFailed
        let code: Code =
            switch number {
            case ENOENT, ENOTDIR: isWriting ? .cannotCreate : .fileNotFound
            case EISDIR: .isDirectory
            case EACCES, EPERM: .permissionDenied
            case ENOSPC, EDQUOT: .noSpace
            default: fallback
            }
        let cause = SystemError(number: number)
        return StreamError(
            code, "\(message): \(cause)", path: path, stage: stage, underlying: cause)
    }
}
