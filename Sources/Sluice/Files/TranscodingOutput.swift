/// Takes UTF-8 on its way into a file of another encoding.
final class TranscodingOutput {
    private let encoding: TextEncoding
    private let kernel: Kernel
    private let pool: BlockPool
    /// UTF-8 that is not transcoded yet: none between calls.
    fileprivate var text: ByteBlock
    fileprivate var filled = 0

    init(_ encoding: TextEncoding, _ pool: BlockPool, _ kernel: Kernel) {
        self.encoding = encoding
        self.kernel = kernel
        self.pool = pool
        text = pool.block(capacity: Self.blockSize)
    }

    private static var blockSize: Int { 256 << 10 }

    /// Bytes that a character has at most, in any encoding.
    private static var characterMax: Int { 4 }

    /// Writes all records of a batch to `output`.
    /// - Throws: what `formatter` does; `unencodable`, with record and column.
    func encode(
        _ batch: RecordBatch, _ formatter: RecordFormatter, into output: inout some EncoderOutput
    ) throws {
        let recordsBefore = formatter.encodedRecords
        var room = Room(transcoder: self, output: output)
        do {
            try formatter.encode(batch, into: &room)
            try transcode(into: &room.output)
        } catch {
            // Whatever it is, a character of a record before it comes first.
            if let error = unencodable(batch, formatter, recordsBefore) { throw error }
            throw error is Unencodable ? Self.error("the text") : error
        }
    }

    /// Writes text that is no record.
    func append(_ bytes: [UInt8], into output: inout some EncoderOutput) throws {
        var room = Room(transcoder: self, output: output)
        do {
            try room.append(bytes)
            try transcode(into: &room.output)
        } catch is Unencodable {
            throw Self.error("the header")
        }
    }

    /// The block of UTF-8 as a formatter's output.
    private struct Room<Output: EncoderOutput>: EncoderOutput {
        let transcoder: TranscodingOutput
        var output: Output

        var room: (UnsafeMutablePointer<UInt8>, Int) { (transcoder.text.bytes, transcoder.text.capacity) }
        var filled: Int {
            get { transcoder.filled }
            nonmutating set { transcoder.filled = newValue }
        }
        mutating func makeRoom(_ bytes: Int) throws {
            if filled + bytes > transcoder.text.capacity { try transcoder.transcode(into: &output) }
            if bytes > transcoder.text.capacity { transcoder.text = transcoder.pool.block(capacity: bytes) }
        }
    }

    /// The next character is none of the encoding's.
    private struct Unencodable: Error {}

    private func transcode(into output: inout some EncoderOutput) throws {
        var start = 0
        while start < filled {
            let (room, capacity) = output.room
            let (status, read, written) = kernel.encodeText(
                encoding, UnsafeBufferPointer(start: text.bytes + start, count: filled - start), isFinal: true,
                into: UnsafeMutableBufferPointer(start: room + output.filled, count: capacity - output.filled))
            start += read
            output.filled += written
            switch status {
            case .outputFull: try output.makeRoom(Self.characterMax)
            case .failed: throw Unencodable()
            default: break
            }
        }
        filled = 0
    }
}

// MARK: - Which record it was

extension TranscodingOutput {
    /// The error of the first record that cannot be written, found by encoding them one by one, if it is for a character that the
    /// encoding lacks; its first such field is found by encoding it without those behind.
    private func unencodable(
        _ batch: RecordBatch, _ formatter: RecordFormatter, _ recordsBefore: Int
    ) -> StreamError? {
        guard let place = batch.indices.first(where: { failure(batch.selecting($0..<$0 + 1), formatter) != nil })
        else { return nil }
        let alone = batch.selecting(place..<place + 1)
        guard failure(alone, formatter) is Unencodable else { return nil }
        let keys = alone[0].keys
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            var start = alone
            for key in keys[(middle + 1)...] { start[0][key] = nil }
            if failure(start, formatter) == nil { low = middle + 1 } else { high = middle }
        }
        var error = Self.error("the text")
        error.path = batch[place].storage.base?.origin.path
        error.record = batch[place].number ?? recordsBefore + place + 1
        error.byteOffset = batch[place].byteOffset
        error.column = low < keys.count ? keys[low] : nil
        return error
    }

    private func failure(_ batch: RecordBatch, _ formatter: RecordFormatter) -> (any Error)? {
        let trial = TranscodingOutput(encoding, pool, kernel)
        var nowhere = Nowhere(pool)
        var room = Room(transcoder: trial, output: nowhere)
        do {
            try formatter.again().encode(batch, into: &room)
            try trial.transcode(into: &nowhere)
            return nil
        } catch {
            return error
        }
    }

    private static func error(_ what: String) -> StreamError {
        StreamError(
            .unencodable, "\(what) has a character that ISO 8859-1 does not have", stage: "encode",
            hint: "write another encoding (--to-encoding), UTF-8 having every character")
    }
}
