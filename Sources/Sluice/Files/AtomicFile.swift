/// An output file that is there whole or not at all.
///
/// (1) A regular file takes its target's place when it is complete, and at once: readers see the old file or the new one.
///     Links are followed first; the mode of the file that is replaced is kept, and its owner where that is allowed.
/// (2) Until then it has no name, so that nothing stays of a process that is killed. To replace a file it needs one, for the
///     instant between two calls: a hidden one beside the target, that nobody else has. Where the system cannot make files
///     without names, the file has that name all the time.
/// (3) A file with a hidden name is locked, as `flock(2)` does it, for as long as it has that name and its process lives. So
///     one that can be locked is what a killed process left, and the next run to the same target removes it. Hidden names are
///     numbered, so that it need not look through the folder. The name alone proves nothing: before a file is removed or
///     renamed by it, whoever does it holds the lock and sees that the name is still that file's.
/// (4) Standard output, FIFOs and devices are written to straight.
final class AtomicFile: FileOutput {
    let path: String
    private(set) var bytesWritten = 0
    private var descriptor: Int32
    /// Nil where the output is written to straight.
    private var writer: AlignedWriter?
    private let ownsDescriptor: Bool
    /// What the file becomes, and what is there; nil where the output is written to straight.
    private let target: (path: String, old: FileSystem.Status?)?
    /// The hidden name, while the file has it.
    private var temporary: String?
    let growingFile: FileIdentity?
    var interrupt: Interrupt?
    let mayBlock: Bool
    var replacedFile: FileIdentity? { target?.old?.identity }

    /// - Parameters:
    ///   - path: "-" is standard output.
    ///   - isNamed: the file has its hidden name all the time, whatever the system can.
    init(_ path: String, isNamed: Bool = false) throws(StreamError) {
        self.path = path
        let inherited = try Self.inheritedDescriptor(path)
        ownsDescriptor = inherited == nil
        if let inherited {
            try FileSystem.checkWritable(inherited, path)
            descriptor = inherited
            target = nil
            let status = try FileSystem.status(inherited, path)
            growingFile = status.isRegular ? status.identity : nil
            mayBlock = FileSystem.mayBlock(inherited, status)
            return
        }
        growingFile = nil
        // What is there counts, not its name: /dev/stdout resolves to one that cannot be opened where it is a pipe.
        let old = try FileSystem.status(path)
        if let old, !old.isRegular {
            guard !old.isDirectory else {
                throw StreamError(.isDirectory, "it is a directory, not a file", path: path, stage: "commit")
            }
            descriptor = try FileSystem.openForWriting(path)
            target = nil
            mayBlock = FileSystem.mayBlock(descriptor, old)
            return
        }
        mayBlock = false
        try Self.checkName(path)
        let target = try FileSystem.resolved(path)
        self.target = (target, old)
        // A new file gets what the umask leaves of 0666, one that replaces another gets its mode, and not before.
        let mode: UInt32 = old == nil ? 0o666 : 0o600
        Self.removeDead(beside: target)
        let folder = FileSystem.split(target).folder
        if !isNamed, let unnamed = FileSystem.createUnnamed(in: folder, mode: mode) {
            descriptor = unnamed
        } else {
            (descriptor, temporary) = try Self.withHiddenName(beside: target) { name throws(StreamError) in
                try Self.create(name, mode: mode, path)
            }
        }
        writer = AlignedWriter(descriptor, path)
    }

    deinit { abort() }

    /// The descriptor that a path stands for: opening such a path anew would start at the beginning of a file that is being
    /// appended to, and renaming over it would replace it.
    static func inheritedDescriptor(_ path: String) throws(StreamError) -> Int32? {
        switch path {
        case "-", "/dev/stdout": return 1
        case "/dev/stderr": return 2
        default: break
        }
        guard let folder = ["/dev/fd/", "/proc/self/fd/"].first(where: { path.hasPrefix($0) }) else { return nil }
        let name = path.dropFirst(folder.count)
        guard let number = Int32(name), number >= 0, String(number) == name else {
            throw StreamError(
                .cannotCreate, "there is no such descriptor: its name is a number", path: path, stage: "commit")
        }
        return number
    }

    /// Refuses names that no file can have, or not the one that was meant.
    static func checkName(_ path: String) throws(StreamError) {
        guard path.isEmpty || path.unicodeScalars.contains("\u{FFFD}") else { return }
        throw StreamError(
            .cannotCreate, path.isEmpty ? "the path is empty" : "the path is not valid UTF-8", path: path,
            stage: "commit")
    }

    func write(_ block: EncodedBlock) throws(StreamError) {
        guard let writer else { return try write(block.bytes) }
        try writer.write(block.block, block.count)
        bytesWritten += block.count
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        if let writer { try writer.write(bytes) } else { try writeStraight(bytes) }
        bytesWritten += bytes.count
    }

    private func writeStraight(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        guard mayBlock, let interrupt else { return try FileSystem.write(descriptor, bytes, path) }
        // What a pipe has room for cannot be known; but where it has any, so much does not block.
        var start = 0
        while start < bytes.count {
            try interrupt.waitToWrite(descriptor, path)
            let end = min(bytes.count, start + FileSystem.pipeBytes)
            try FileSystem.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[start..<end]), path)
            start = end
        }
    }

    func flush() throws(StreamError) { try writer?.flush() }

    func close() throws(StreamError) {
        guard descriptor >= 0 else { return }
        defer { abort() }
        try writer?.finish()
        try FileSystem.finish(descriptor, path)
        guard let target else { return }
        let (descriptor, old) = (descriptor, target.old)
        // Linux does not let everybody link a file that is another's: such a one is given away last.
        let isOurs = old.map(FileSystem.isOurs) ?? true
        if let old, isOurs { FileSystem.takeOver(descriptor, old) }
        if temporary == nil {
            if old == nil, try FileSystem.link(descriptor, as: target.path, path) { return }
            _ = FileSystem.lock(descriptor)
            temporary = try Self.withHiddenName(beside: target.path) { name throws(StreamError) in
                try FileSystem.link(descriptor, as: name, path) ? true : nil
            }.name
        }
        guard let temporary else { return }
        if let old, !isOurs { FileSystem.takeOver(descriptor, old) }
        guard FileSystem.isName(temporary, of: descriptor) else {
            throw StreamError(.cannotCreate, "somebody took the unfinished file away", path: path, stage: "commit")
        }
        try FileSystem.rename(temporary, to: target.path, path)
        self.temporary = nil
    }

    /// Throws away what was not published; what was written straight is gone on.
    func abort() {
        guard descriptor >= 0 else { return }
        defer { descriptor = -1 }
        guard ownsDescriptor else { return }
        // While it is locked: then the name can be nobody else's.
        if let temporary, FileSystem.isName(temporary, of: descriptor) { FileSystem.remove(temporary) }
        if target != nil { FileSystem.unlock(descriptor) }
        FileSystem.drop(descriptor)
    }
}

// MARK: - Hidden names

extension AtomicFile {
    /// Names that are looked at for what the dead left: more than that many writers at once to one target are rare.
    private static let namesLookedAt = 8

    private static func hiddenName(_ number: Int, beside target: String) -> String {
        let (folder, name) = FileSystem.split(target)
        // A name may have 255 bytes; what is cut off of a long one does not matter.
        return "\(folder).\(String(decoding: name.utf8.prefix(200), as: UTF8.self)).sluice-\(number)"
    }

    private static func removeDead(beside target: String) {
        for number in 0..<namesLookedAt { FileSystem.removeUnlocked(hiddenName(number, beside: target)) }
    }

    /// Tries names until `make` does not return nil, which says that the name is taken.
    private static func withHiddenName<R>(
        beside target: String, _ make: (String) throws(StreamError) -> R?
    ) throws(StreamError) -> (made: R, name: String) {
        var number = 0
        while true {
            let name = hiddenName(number, beside: target)
            if let made = try make(name) { return (made, name) }
            number += 1
        }
    }

    /// Makes a locked file; nil where there is one of this name, or where somebody took the new one, before it was locked, for
    /// what the dead left.
    private static func create(_ name: String, mode: UInt32, _ path: String) throws(StreamError) -> Int32? {
        guard let descriptor = try FileSystem.create(name, mode: mode, path) else { return nil }
        if FileSystem.lock(descriptor) != .taken, FileSystem.isName(name, of: descriptor) { return descriptor }
        FileSystem.drop(descriptor)
        return nil
    }
}
