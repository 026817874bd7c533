/// A regular file that grows at its end.
///
/// (1) Bytes go straight to the file, behind those that are there, which nobody touches: there is no second file. So a process
///     that is killed leaves what it had written by then, which may end in the middle of a record.
/// (2) What is given up leaves the file as long as it was, or no file where there was none. But if somebody else wrote to it
///     meanwhile, nothing is cut off, since that would be theirs.
/// (3) The file is locked as `flock(2)` does it, where the file system can: two of us do not write to one file at once.
final class AppendedFile: FileOutput {
    let path: String
    let identity: FileIdentity
    private(set) var bytesWritten = 0
    private var descriptor: Int32
    private let writer: AlignedWriter
    private let oldSize: Int
    /// The name to take away again where there was no file.
    private let created: String?

    /// A file never blocks for long.
    let mayBlock = false
    var interrupt: Interrupt?
    var growingFile: FileIdentity? { identity }
    var replacedFile: FileIdentity? { nil }

    /// - Returns: nil where bytes are not appended to a file but just written: to "-", a FIFO, a device.
    static func open(_ path: String) throws(StreamError) -> AppendedFile? {
        guard try AtomicFile.inheritedDescriptor(path) == nil else { return nil }
        let old = try FileSystem.status(path)
        if let old, !old.isRegular { return nil }
        try AtomicFile.checkName(path)
        return try AppendedFile(path, isThere: old != nil)
    }

    private init(_ path: String, isThere: Bool) throws(StreamError) {
        self.path = path
        descriptor = try FileSystem.openForAppending(path)
        do throws(StreamError) {
            guard FileSystem.lock(descriptor) != .taken else {
                throw StreamError(
                    .cannotCreate, "the file is locked: somebody else appends to it", path: path, stage: "commit",
                    hint: "wait for them")
            }
            let status = try FileSystem.status(descriptor, path)
            identity = status.identity
            oldSize = status.size
            created = isThere || status.size > 0 ? nil : try FileSystem.resolved(path)
        } catch {
            FileSystem.unlock(descriptor)
            FileSystem.drop(descriptor)
            throw error
        }
        writer = AlignedWriter(descriptor, path, from: oldSize)
    }

    deinit { abort() }

    /// What is there, from its start. Valid while the file is open.
    func content() throws(StreamError) -> FileInput { try FileInput(path, descriptor, ownsDescriptor: false) }

    /// The last byte that is there; nil where there is none.
    func lastByte() throws(StreamError) -> UInt8? {
        oldSize == 0 ? nil : try FileSystem.byte(descriptor, at: oldSize - 1, path)
    }

    func write(_ block: EncodedBlock) throws(StreamError) {
        bytesWritten += block.count
        try writer.write(block.block, block.count)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        bytesWritten += bytes.count
        try writer.write(bytes)
    }

    func flush() throws(StreamError) { try writer.flush() }

    func close() throws(StreamError) {
        guard descriptor >= 0 else { return }
        do throws(StreamError) {
            try writer.finish()
            try FileSystem.finish(descriptor, path)
        } catch {
            abort()
            throw error
        }
        letGo()
    }

    private func letGo() {
        FileSystem.unlock(descriptor)
        FileSystem.drop(descriptor)
        descriptor = -1
    }

    func abort() {
        guard descriptor >= 0 else { return }
        defer { letGo() }
        guard let status = try? FileSystem.status(descriptor, path), status.size <= oldSize + bytesWritten else {
            return
        }
        if status.size > oldSize { try? FileSystem.truncate(descriptor, oldSize, path) }
        if let created, (try? FileSystem.status(created))??.identity == identity { FileSystem.remove(created) }
    }
}
