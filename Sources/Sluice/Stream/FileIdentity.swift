/// Which file something is, whatever names it goes by.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
}

/// A source of files.
protocol FileReading {
    /// Whether the file is one that this source reads.
    func reads(_ file: FileIdentity) -> Bool

    /// Whether it is one that nobody named: a directory had it.
    func finds(_ file: FileIdentity) -> Bool
}

/// A sink of files.
protocol FileWriting {
    var path: String { get }
    /// The regular file that grows with each write; nil where there is none.
    var growingFile: FileIdentity? { get }
    /// The file that is replaced at the end; nil where there is none.
    var replacedFile: FileIdentity? { get }
}

extension StreamSink {
    /// Refuses a source that reads what this sink writes: such a run would feed itself, without an end. And one that has found
    /// what this sink replaces, the output of the same run before: its records would be there twice.
    func refuseOwnOutput(_ source: any StreamSource) throws(StreamError) {
        guard let sink = self as? any FileWriting, let source = source as? any FileReading else { return }
        if let file = sink.growingFile, source.reads(file) {
            throw StreamError(
                .invalidConfiguration, "the file is input and output at once, so the run would read what it writes",
                path: sink.path, stage: "commit",
                hint: "write another file, or replace this one: mode: .write by its name")
        }
        if let file = sink.replacedFile, source.finds(file) {
            throw StreamError(
                .invalidConfiguration,
                "the output is one of the directory's files, so its records would be there twice",
                path: sink.path, stage: "commit", hint: "write elsewhere, or leave it out by a pattern")
        }
    }
}
