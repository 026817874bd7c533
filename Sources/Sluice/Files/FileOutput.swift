/// Where a sink's bytes go.
protocol FileOutput: AnyObject {
    /// Bytes that were handed in.
    var bytesWritten: Int { get }
    /// The regular file that they go to straight; nil where there is none.
    var growingFile: FileIdentity? { get }
    /// The file whose place they take in the end; nil where there is none.
    var replacedFile: FileIdentity? { get }

    /// Whether writing may block for as long as nobody reads.
    var mayBlock: Bool { get }
    /// What ends a write that would block; nil: nothing does.
    var interrupt: Interrupt? { get set }

    /// Writes a block, which must not change any more: it may wait for others.
    func write(_ block: EncodedBlock) throws(StreamError)

    func write(_ bytes: UnsafeRawBufferPointer) throws(StreamError)

    /// Hands all bytes to the system.
    func flush() throws(StreamError)

    /// Closes and, where it was hidden, publishes.
    func close() throws(StreamError)

    /// Leaves what was there before, as far as that can be; after `close` it does nothing.
    func abort()
}
