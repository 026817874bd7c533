/// The files of a directory.
///
/// (1) Hidden ones are left out, and with them what sinks have not finished: their names start with a dot.
/// (2) Links are followed. A directory is entered once, whatever ways lead to it, by its own name rather than by a link: so
///     circles end, and no file is found twice because of a link to its directory.
/// (3) What is neither file nor directory (a FIFO, a device) is left out: reading it might never end.
struct FileTree {
    /// A file to read.
    struct Entry {
        let path: String
        /// Nil where it cannot be looked at: whoever opens it will say why.
        let status: FileSystem.Status?
        /// Nobody named it: a directory had it.
        var isFound = false
    }

    private let pattern: Glob?
    private let isRecursive: Bool
    /// Takes what cannot be read, or throws it.
    private let fail: (StreamError) throws -> Void
    private var found: [Entry] = []
    private var entered: Set<FileIdentity> = []
    /// Links to directories, for when all others were entered.
    private var links: [(path: String, name: String)] = []

    private init(_ pattern: Glob?, _ isRecursive: Bool, _ fail: @escaping (StreamError) throws -> Void) {
        self.pattern = pattern
        self.isRecursive = isRecursive
        self.fail = fail
    }

    /// The files that match, in natural order.
    /// - Parameter fail: is given the error of each directory or name below the root that cannot be read, and may throw it.
    static func files(
        of directory: String, _ pattern: Glob?, isRecursive: Bool, fail: @escaping (StreamError) throws -> Void
    ) throws -> [Entry] {
        var tree = FileTree(pattern, isRecursive, fail)
        if let status = try FileSystem.statusForReading(directory) { tree.entered.insert(status.identity) }
        try tree.walk(FileSystem.names(in: directory), in: directory.hasSuffix("/") ? directory : directory + "/", "")
        while !tree.links.isEmpty {
            tree.links.sort { NaturalOrder.precedes($0.path, $1.path) }
            let link = tree.links.removeFirst()
            try tree.enter(link.path, link.name)
        }
        return tree.found.sorted { NaturalOrder.precedes($0.path, $1.path) }
    }

    /// - Parameters:
    ///   - folder: with its slash.
    ///   - prefix: the same below the root.
    private mutating func walk(_ names: [FileSystem.Name], in folder: String, _ prefix: String) throws {
        for name in names where name.text.utf8.first != UInt8(ascii: ".") {
            let path = folder + name.text
            guard !name.isRepaired else {
                if matches(prefix + name.text) {
                    try fail(StreamError(.readFailed, "the name is not valid UTF-8", path: path, stage: "cut"))
                }
                continue
            }
            let status = try? FileSystem.statusForReading(path)
            if status?.isDirectory == true {
                // A directory that is not entered by this name may be by another, a link's.
                guard isRecursive, pattern?.mayMatch(below: prefix + name.text) ?? true else { continue }
                if FileSystem.isLink(path) {
                    links.append((path, prefix + name.text))
                } else {
                    try enter(path, prefix + name.text)
                }
            } else if status?.isRegular ?? true, matches(prefix + name.text) {
                found.append(Entry(path: path, status: status, isFound: true))
            }
        }
    }

    private mutating func enter(_ path: String, _ name: String) throws {
        guard let status = try? FileSystem.statusForReading(path), entered.insert(status.identity).inserted else {
            return
        }
        let names: [FileSystem.Name]
        do throws(StreamError) {
            names = try FileSystem.names(in: path)
        } catch {
            return try fail(error)
        }
        try walk(names, in: path + "/", name + "/")
    }

    private func matches(_ name: String) -> Bool { pattern?.matches(name) ?? true }
}
