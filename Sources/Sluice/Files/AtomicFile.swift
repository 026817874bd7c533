/// An output file that is there whole or not at all.
///
/// (1) A regular file takes its target's place when it is complete, and at once: readers see the old file or the new one.
///     Links are followed first; the mode of the file that is replaced is kept, and its owner where that is allowed.
/// (2) Until then it has no name, so that nothing stays of a process that is killed. To replace a file it needs one, for the
///     instant between two calls: a hidden one beside the target, that nobody else has. Where the system cannot make files
///     without names, the file has that name all the time.
/// (3) Standard output, FIFOs and devices are written to straight.
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
    /// Writing may block for as long as nobody reads.
    private let mayBlock: Bool
    var replacedFile: FileIdentity? { target?.old?.identity }

    /// - Parameter path: "-" is standard output.
    init(_ path: String) throws(StreamError) {
        self.path = path
        let inherited = Self.inheritedDescriptor(path)
        ownsDescriptor = inherited == nil
        if let inherited {
            descriptor = inherited
            target = nil
            // What is closed, say, is noticed when it is written to.
            let status = try? FileSystem.status(inherited, path)
            growingFile = status.flatMap { $0.isRegular ? $0.identity : nil }
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
        if let unnamed = FileSystem.createUnnamed(in: FileSystem.split(target).folder, mode: mode) {
            descriptor = unnamed
        } else {
            (descriptor, temporary) = try Self.withHiddenName(beside: target) { name throws(StreamError) in
                try FileSystem.create(name, mode: mode, path)
            }
        }
        writer = AlignedWriter(descriptor, path)
    }

    deinit { abort() }

    /// The descriptor that a path stands for: opening such a path anew would start at the beginning of a file that is being
    /// appended to, and renaming over it would replace it.
    static func inheritedDescriptor(_ path: String) -> Int32? {
        switch path {
        case "-", "/dev/stdout": return 1
        case "/dev/stderr": return 2
        default:
            for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
                return Int32(path.dropFirst(folder.count))
            }
            return nil
        }
    }

    /// Refuses names that no file can have, or not the one that was meant.
    static func checkName(_ path: String) throws(StreamError) {
        guard path.isEmpty || path.unicodeScalars.contains("\u{FFFD}") else { return }
        throw StreamError(
            .cannotCreate, path.isEmpty ? "the path is empty" : "the path is not valid UTF-8", path: path,
            stage: "commit")
    }

    /// Tries names until `make` does not return nil, which says that there is such a file.
    private static func withHiddenName<R>(
        beside target: String, _ make: (String) throws(StreamError) -> R?
    ) throws(StreamError) -> (R, String) {
        let (folder, name) = FileSystem.split(target)
        // A name may have 255 bytes; what is cut off of a long one does not matter.
        let start = "\(folder).\(String(decoding: name.utf8.prefix(200), as: UTF8.self)).sluice-"
        while true {
            let hidden = start + String(UInt64.random(in: .min ... .max), radix: 36)
            if let made = try make(hidden) { return (made, hidden) }
        }
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
            temporary = try Self.withHiddenName(beside: target.path) { name throws(StreamError) in
                try FileSystem.link(descriptor, as: name, path) ? true : nil
            }.1
        }
        guard let temporary else { return }
        if let old, !isOurs { FileSystem.takeOver(descriptor, old) }
        try FileSystem.rename(temporary, to: target.path, path)
        self.temporary = nil
    }

    /// Throws away what was not published; what was written straight is gone on.
    func abort() {
        guard descriptor >= 0 else { return }
        if ownsDescriptor { FileSystem.drop(descriptor) }
        descriptor = -1
        if let temporary { FileSystem.remove(temporary) }
    }
}
