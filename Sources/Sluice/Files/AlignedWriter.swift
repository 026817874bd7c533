/// Writes a regular file from its start, or on from its end, in steps that end at multiples of 64 KiB: there the kernel takes whole pages, in large
/// groups, which costs it a third less than writes of any other size. What is left of a step waits for the next.
///
/// Space is reserved ahead of large files, where the file system can, so that it is not looked for page by page; `finish`
/// gives back what was not used.
final class AlignedWriter {
    private let descriptor: Int32
    private let path: String
    /// Where the file's next byte goes.
    private var offset: Int
    /// Bytes that wait for more: they never reach the next multiple of `step`.
    private var waiting = 0
    private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: step, alignment: 4096)
    /// Up to where there is space; nil where the file system does not reserve any.
    private var reserved: Int? = 0

    private static let step = 64 << 10
    /// Files up to this size are not worth it, and no more is reserved than the file has already.
    private static let reservations = 1 << 20...16 << 20

    init(_ descriptor: Int32, _ path: String, from offset: Int = 0) {
        self.descriptor = descriptor
        self.path = path
        self.offset = offset
    }

    deinit { block.deallocate() }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        let end = (offset + waiting + bytes.count) / Self.step * Self.step
        let taken = max(0, end - offset - waiting)
        if taken > 0 {
            try reserve(end)
            let first = UnsafeRawBufferPointer(rebasing: block[..<waiting])
            try FileSystem.write(descriptor, first, UnsafeRawBufferPointer(rebasing: bytes[..<taken]), path)
            offset = end
            waiting = 0
        }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
        UnsafeMutableRawBufferPointer(rebasing: block[waiting...]).copyMemory(from: rest)
        waiting += rest.count
    }

    /// Hands all bytes to the system.
    func flush() throws(StreamError) {
        try FileSystem.write(descriptor, UnsafeRawBufferPointer(rebasing: block[..<waiting]), path)
        offset += waiting
        waiting = 0
    }

    /// Behind the last byte.
    func finish() throws(StreamError) {
        try flush()
        if let reserved, reserved > offset { try FileSystem.truncate(descriptor, offset, path) }
    }

    private func reserve(_ end: Int) throws(StreamError) {
        guard let reserved, end > reserved, offset >= Self.reservations.lowerBound else { return }
        let more = max(end - offset, min(offset, Self.reservations.upperBound))
        self.reserved = FileSystem.reserve(descriptor, offset, more) ? offset + more : nil
    }
}
