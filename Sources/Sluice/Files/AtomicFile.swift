/// An output file that is there whole or not at all.
///
/// A regular file is written to a temporary beside it, of a name nobody else has, and renamed when it is complete: readers see
/// the old file or the new one. Links are followed first; the mode of the file that is replaced is kept, and its owner where
/// that is allowed. Standard output, FIFOs and devices are written to straight.
final class AtomicFile {
    let path: String
    private(set) var bytesWritten = 0
    private var descriptor: Int32
    /// Nil where the output is written to straight.
    private let temporary: (path: String, target: String)?
    private let ownsDescriptor: Bool

    /// - Parameter path: "-" is standard output.
    init(_ path: String) throws(StreamError) {
        self.path = path
        let inherited = Self.inheritedDescriptor(path)
        ownsDescriptor = inherited == nil
        if let inherited {
            descriptor = inherited
            temporary = nil
            return
        }
        // What is there counts, not its name: /dev/stdout resolves to one that cannot be opened where it is a pipe.
        let old = try FileSystem.status(path)
        if let old, !old.isRegular {
            guard !old.isDirectory else {
                throw StreamError(.isDirectory, "it is a directory, not a file", path: path, stage: "commit")
            }
            descriptor = try FileSystem.openForWriting(path)
            temporary = nil
            return
        }
        let target = FileSystem.resolved(path)
        guard !path.isEmpty, !target.unicodeScalars.contains("\u{FFFD}") else {
            throw StreamError(
                .cannotCreate, path.isEmpty ? "the path is empty" : "the path is not valid UTF-8", path: path,
                stage: "commit")
        }
        let made = try Self.makeTemporary(beside: target, old, path)
        descriptor = made.descriptor
        temporary = (made.path, target)
    }

    deinit { abort() }

    /// The descriptor that a path stands for: opening such a path anew would start at the beginning of a file that is being
    /// appended to, and renaming over it would replace it.
    private static func inheritedDescriptor(_ path: String) -> Int32? {
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

    private static func makeTemporary(
        beside target: String, _ old: FileSystem.Status?, _ path: String
    ) throws(StreamError) -> (descriptor: Int32, path: String) {
        // By bytes: "/" and a combining mark behind it are one character.
        let slash = target.utf8.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { target.utf8[target.utf8.index(after: $0)...] } ?? target.utf8[...]
        let directory = String(decoding: target.utf8[..<name.startIndex], as: UTF8.self)
        // A name may have 255 bytes; what is cut off of a long one does not matter.
        let short = String(decoding: name.prefix(200), as: UTF8.self)
        do throws(StreamError) {
            while true {
                let random = String(UInt64.random(in: .min ... .max), radix: 36)
                let temporary = "\(directory).\(short).sluice-\(random)"
                // A new file gets what the umask leaves of 0666, one that replaces another gets its mode, and not before.
                if let descriptor = try FileSystem.create(temporary, mode: old == nil ? 0o666 : 0o600) {
                    if let old { FileSystem.takeOver(descriptor, old) }
                    return (descriptor, temporary)
                }
            }
        } catch {
            var error = error
            error.path = path
            throw error
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        try FileSystem.write(descriptor, bytes, path)
        bytesWritten += bytes.count
    }

    /// Closes and publishes.
    func close() throws(StreamError) {
        guard descriptor >= 0 else { return }
        defer { descriptor = -1 }
        if ownsDescriptor {
            do throws(StreamError) {
                try FileSystem.close(descriptor, path)
            } catch {
                removeTemporary()
                throw error
            }
        }
        guard let temporary else { return }
        do throws(StreamError) {
            try FileSystem.rename(temporary.path, to: temporary.target)
        } catch {
            removeTemporary()
            throw error
        }
    }

    /// Throws away what was written; what was written straight is gone on.
    func abort() {
        guard descriptor >= 0 else { return }
        if ownsDescriptor { FileSystem.drop(descriptor) }
        descriptor = -1
        removeTemporary()
    }

    private func removeTemporary() { if let temporary { FileSystem.remove(temporary.path) } }
}
