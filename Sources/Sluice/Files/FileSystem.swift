import CSluiceSystem

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The calls to the system that files need: the one place that makes them. Interrupted calls are made again.
package enum FileSystem {
    struct Status {
        var isRegular: Bool
        var isDirectory: Bool
        /// A pipe, a FIFO or a socket.
        var isPipe: Bool
        var size: Int
        var mode: UInt32
        var owner: UInt32
        var group: UInt32
        var identity: FileIdentity
    }

    /// Whether writing may block for as long as nobody reads.
    static func mayBlock(_ descriptor: Int32, _ status: Status?) -> Bool {
        status?.isPipe ?? false || isatty(descriptor) == 1
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

    /// Opens a file, which is made where it is not there, to look at it and to write at its end.
    static func openForAppending(_ path: String) throws(StreamError) -> Int32 {
        let descriptor = retrying { open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else {
            throw .system(errno, "cannot open the file", path, .cannotCreate, stage: "commit")
        }
        return descriptor
    }

    enum Lock { case ours, taken, none }

    /// Locks a file for as long as it is open; `none` where the file system has no locks.
    static func lock(_ descriptor: Int32) -> Lock {
        if retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return .ours }
        return errno == EWOULDBLOCK ? .taken : .none
    }

    /// Removes a regular file that nobody has locked. One that cannot be opened or locked stays.
    static func removeUnlocked(_ name: String) {
        let flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        // Some file systems lock only what is open for writing, and some files are only for reading.
        var descriptor = retrying { open(name, O_WRONLY | flags) }
        if descriptor < 0, errno == EACCES { descriptor = retrying { open(name, O_RDONLY | flags) } }
        guard descriptor >= 0 else { return }
        defer { drop(descriptor) }
        guard lock(descriptor) == .ours else { return }
        if isName(name, of: descriptor) { remove(name) }
        unlock(descriptor)
    }

    /// Whether a name is that of an open regular file, and not of another.
    static func isName(_ name: String, of descriptor: Int32) -> Bool {
        guard let file = try? status(descriptor, name), let named = try? status(name) else { return false }
        return file.isRegular && file.identity == named.identity
    }

    /// Unlocks a file. Closing it alone would not, while a process that was just forked has it, too.
    static func unlock(_ descriptor: Int32) { _ = flock(descriptor, LOCK_UN) }

    /// Makes a file that is not there; nil where there is one. `path` is what the caller calls it, for messages; so it is below.
    static func create(_ name: String, mode: UInt32, _ path: String) throws(StreamError) -> Int32? {
        let descriptor = retrying { open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode)) }
        if descriptor >= 0 { return descriptor }
        if errno == EEXIST { return nil }
        throw .system(errno, "cannot create the file", path, .cannotCreate, stage: "commit")
    }

    /// Makes a file that has no name; nil where that cannot be done, for whatever reason.
    static func createUnnamed(in folder: String, mode: UInt32) -> Int32? {
        #if os(Linux)
            // Swift does not import O_TMPFILE, a macro made of others: this bit, and O_DIRECTORY, so that kernels that do not
            // know the bit refuse.
            let flags = O_WRONLY | 0o20_000_000 | O_DIRECTORY | O_CLOEXEC
            let descriptor = retrying { open(folder.isEmpty ? "." : folder, flags, mode_t(mode)) }
            guard descriptor >= 0 else { return nil }
            // Without /proc it could not be given a name.
            if access(descriptorPath(descriptor), F_OK) == 0 { return descriptor }
            drop(descriptor)
        #endif
        return nil
    }

    private static func descriptorPath(_ descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    /// Names a file that `createUnnamed` made; false where there is a file of this name.
    static func link(_ descriptor: Int32, as name: String, _ path: String) throws(StreamError) -> Bool {
        let source = descriptorPath(descriptor)
        if retrying({ linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) }) == 0 { return true }
        if errno == EEXIST { return false }
        throw .system(errno, "cannot publish the file", path, .writeFailed, stage: "commit")
    }

    /// Reports what closing would, while the file can still be taken back: closes a duplicate.
    package static func finish(_ descriptor: Int32, _ path: String) throws(StreamError) {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        // After EINTR it is closed all the same on Linux; closing it twice would close somebody else's.
        guard duplicate >= 0, closeDescriptor(duplicate) == 0 || errno == EINTR else {
            throw .system(errno, "cannot finish the file", path, .writeFailed, stage: "commit")
        }
    }

    /// Closes a descriptor that was read from, that is finished, or whose output is thrown away: nothing can be lost.
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

    package static func write(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String
    ) throws(StreamError) {
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

    /// Writes pieces, one behind the other, with one call if it can be.
    static func write(_ descriptor: Int32, pieces: [UnsafeRawBufferPointer], _ path: String) throws(StreamError) {
        let vectors = pieces.prefix(Self.vectorsMax).map {
            iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
        }
        // What that call does not take, for whatever reason, others do, and say what is wrong.
        var put = vectors.isEmpty ? 0 : max(0, writev(descriptor, vectors, Int32(vectors.count)))
        for piece in pieces {
            let taken = min(put, piece.count)
            put -= taken
            if taken < piece.count { try write(descriptor, UnsafeRawBufferPointer(rebasing: piece[taken...]), path) }
        }
    }

    /// Pieces that one call takes on every system.
    private static let vectorsMax = 1024

    /// The byte at an offset where there is one. What is read next is not moved.
    static func byte(_ descriptor: Int32, at offset: Int, _ path: String) throws(StreamError) -> UInt8? {
        var byte: UInt8 = 0
        while true {
            let got = pread(descriptor, &byte, 1, off_t(offset))
            if got >= 0 { return got == 0 ? nil : byte }
            guard errno == EINTR else { throw .system(errno, "cannot read", path, .readFailed, stage: "commit") }
        }
    }

    /// Reserves space without changing the file's size. False where that cannot be done, for whatever reason.
    static func reserve(_ descriptor: Int32, _ offset: Int, _ count: Int) -> Bool {
        system_reserve(descriptor, Int64(offset), Int64(count))
    }

    static func truncate(_ descriptor: Int32, _ size: Int, _ path: String) throws(StreamError) {
        guard retrying({ ftruncate(descriptor, size) }) == 0 else {
            throw .system(errno, "cannot finish the file", path, .writeFailed, stage: "commit")
        }
    }

    /// Refuses an inherited descriptor that is closed, or open for reading only.
    static func checkWritable(_ descriptor: Int32, _ path: String) throws(StreamError) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0 else {
            throw .system(errno, "cannot write to the descriptor", path, .cannotCreate, stage: "commit")
        }
        guard flags & O_ACCMODE == O_RDONLY else { return }
        throw StreamError(.cannotCreate, "the descriptor is open for reading only", path: path, stage: "commit")
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

    /// Parks until a descriptor has something to do, `other` becomes readable, or the time has passed.
    /// - Returns: whether it is the descriptor. Errors of its own count: reading or writing tells them.
    static func wait(
        _ descriptor: Int32, _ events: Int16, or other: Int32, seconds: Double?, _ path: String,
        _ code: StreamError.Code, stage: String
    ) throws(StreamError) -> Bool {
        var entries = [
            pollfd(fd: descriptor, events: events, revents: 0), pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        // A millisecond more, so that the time has passed when it returns for that.
        let milliseconds = seconds.map { Int32(min($0, 1e6) * 1000) + 1 } ?? -1
        guard poll(&entries, 2, milliseconds) >= 0 || errno == EINTR else {
            throw .system(errno, "cannot wait for the file", path, code, stage: stage)
        }
        return entries[0].revents != 0
    }

    /// A pipe that other programs do not inherit; nil where there are no more descriptors.
    static func pipe() -> (reading: Int32, writing: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard makePipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Makes the other end of a pipe readable.
    static func ring(_ descriptor: Int32) {
        var byte: UInt8 = 1
        _ = writeBytes(descriptor, &byte, 1)
    }

    /// Bytes that a pipe takes at once, or not at all.
    static let pipeBytes = Int(PIPE_BUF)

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

    /// As `status`, of what shall be read: nil where a link leads nowhere, too.
    static func statusForReading(_ path: String) throws(StreamError) -> Status? {
        var entry = stat()
        if stat(path, &entry) == 0 { return Status(entry) }
        if errno == ENOENT || errno == ELOOP { return nil }
        throw .system(errno, "cannot look at the file", path, .readFailed, stage: "cut")
    }

    /// Whether there is a directory at the path; "-" is none. What cannot be looked at is none: who opens it learns why.
    package static func isDirectory(_ path: String) -> Bool {
        path != "-" && (try? statusForReading(path))??.isDirectory == true
    }

    /// Whether there is a regular file at the path.
    package static func isFile(_ path: String) -> Bool { (try? statusForReading(path))??.isRegular == true }

    /// Whether a path is that of a link itself.
    static func isLink(_ path: String) -> Bool {
        var byte: CChar = 0
        return readlink(path, &byte, 1) >= 0
    }

    /// A name in a directory. What is no UTF-8 in it was repaired: then it is not the name of any file.
    struct Name {
        let text: String
        let isRepaired: Bool
    }

    /// The names in a directory, in any order, but for "." and "..".
    static func names(in directory: String) throws(StreamError) -> [Name] {
        guard let stream = opendir(directory) else {
            throw .system(errno, "cannot open the directory", directory, .readFailed, stage: "cut")
        }
        defer { closedir(stream) }
        var names: [Name] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)) {
                    bytes in
                    let text = String(validatingCString: bytes)
                    names.append(Name(text: text ?? String(cString: bytes), isRepaired: text == nil))
                }
            }
        }
        guard errno == 0 else {
            throw .system(errno, "cannot read the directory", directory, .readFailed, stage: "cut")
        }
        return names.filter { $0.text != "." && $0.text != ".." }
    }

    /// The absolute path of the file that a path stands for, whether it is there or not: links to it are followed.
    static func resolved(_ path: String, depth: Int = 0) throws(StreamError) -> String {
        let (folder, name) = split(path)
        var room = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &room, room.count)
        guard count > 0, count < room.count, depth < 40 else {
            guard let real = realpath(folder.isEmpty ? "." : folder, nil) else { return path }
            defer { free(real) }
            // As it is where a folder above has a name that is not UTF-8: the path is good without it.
            return String(validatingCString: real).map { "\($0)/\(name)" } ?? path
        }
        guard let target = String(validating: room[..<count], as: UTF8.self) else {
            throw StreamError(
                .cannotCreate, "it is a link to a name that is not valid UTF-8", path: path, stage: "commit")
        }
        return try resolved(target.utf8.first == UInt8(ascii: "/") ? target : folder + target, depth: depth + 1)
    }

    /// By bytes: "/" and a combining mark behind it are one character.
    static func split(_ path: String) -> (folder: String, name: String) {
        let start = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex
        return (
            String(decoding: path.utf8[..<start], as: UTF8.self), String(decoding: path.utf8[start...], as: UTF8.self)
        )
    }

    static func rename(_ old: String, to new: String, _ path: String) throws(StreamError) {
        guard renameFile(old, new) == 0 else {
            throw .system(errno, "cannot publish the file", path, .writeFailed, stage: "commit")
        }
    }

    /// Makes a directory in one that is there.
    static func createDirectory(_ path: String) throws(StreamError) {
        guard mkdir(path, 0o777) == 0 else {
            throw .system(errno, "cannot create the directory", path, .cannotCreate, stage: "commit")
        }
    }

    static func remove(_ path: String) { _ = unlink(path) }

    static func isOurs(_ status: Status) -> Bool { status.owner == geteuid() }

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
private func makePipe(_ ends: inout [Int32]) -> Int32 { pipe(&ends) }
private func renameFile(_ old: String, _ new: String) -> Int32 { rename(old, new) }

extension FileSystem.Status {
    fileprivate init(_ entry: stat) {
        let type = UInt32(entry.st_mode) & 0o170000
        self.init(
            isRegular: type == 0o100000, isDirectory: type == 0o040000, isPipe: type == 0o010000 || type == 0o140000,
            size: Int(entry.st_size),
            mode: UInt32(entry.st_mode), owner: entry.st_uid, group: entry.st_gid,
            identity: FileIdentity(
                device: UInt64(truncatingIfNeeded: entry.st_dev), inode: UInt64(truncatingIfNeeded: entry.st_ino)))
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
