/// Which file something is, whatever names it goes by.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
}

/// A source of files.
protocol FileReading {
    /// Whether the file is one that this source reads.
    func reads(_ file: FileIdentity) -> Bool
}

/// A sink whose bytes may go straight into a regular file.
protocol FileGrowing {
    var path: String { get }
    /// The file that grows with each write; nil where there is none.
    var growingFile: FileIdentity? { get }
}

extension StreamSink {
    /// Refuses a source that reads what this sink writes: such a run would feed itself, without an end.
    func refuseOwnOutput(_ source: any StreamSource) throws(StreamError) {
        guard let sink = self as? any FileGrowing, let file = sink.growingFile,
            let source = source as? any FileReading, source.reads(file)
        else { return }
        throw StreamError(
            .invalidConfiguration, "the file is input and output at once, so the run would read what it writes",
            path: sink.path, stage: "commit", hint: "write another file, or replace this one: mode: .write by its name")
    }
}
