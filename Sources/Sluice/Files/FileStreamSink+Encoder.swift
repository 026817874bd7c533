extension FileStreamSink {
    /// Encodes chunks to bytes of the file.
    public final class Encoder: ChunkEncoder {
        private let formatter: RecordFormatter
        private let transcoder: TranscodingOutput?
        private let compressor: (any BlockCompressor)?
        /// The frame takes note of what is compressed on the way, not when it is committed.
        private let notesContent: Bool
        private let pool: BlockPool
        private var raw: ByteBlock
        private var filled = 0
        /// Records that became bytes.
        public var encodedRecords: Int { formatter.encodedRecords }
        /// JSON: the next record is the first of the file.
        var opensArray: Bool {
            get { formatter.opensArray }
            set { formatter.opensArray = newValue }
        }

        init(
            _ encoding: RecordEncoding, _ transcoder: TranscodingOutput?, _ compressor: (any BlockCompressor)?,
            notesContent: Bool, _ pool: BlockPool, _ dropped: DroppedFields
        ) {
            formatter = RecordFormatter(encoding, pool, dropped)
            self.transcoder = transcoder
            self.compressor = compressor
            self.notesContent = notesContent
            self.pool = pool
            raw = pool.block(capacity: Self.blockSize)
        }

        /// Bytes that are handed to the system at once.
        private static var blockSize: Int { 256 << 10 }

        public func encode(_ chunk: StreamChunk, emit: (EncodedBlock) throws -> Void) throws {
            try withoutActuallyEscaping(emit) { emit in
                var output = Output(encoder: self, emit: emit)
                guard let transcoder else { return try formatter.encode(chunk.data, into: &output) }
                try transcoder.encode(chunk.data, formatter, into: &output)
            }
        }

        public func endUnit(emit: (EncodedBlock) throws -> Void) throws { try drain(all: true, emit) }

        /// Adds text that is no record.
        func append(_ bytes: [UInt8], emit: (EncodedBlock) throws -> Void) throws {
            try withoutActuallyEscaping(emit) { emit in
                var output = Output(encoder: self, emit: emit)
                guard let transcoder else { return try output.append(bytes) }
                try transcoder.append(bytes, into: &output)
            }
        }

        /// The raw block, which has bytes as they are stored before compression.
        private struct Output: EncoderOutput {
            let encoder: Encoder
            let emit: (EncodedBlock) throws -> Void

            var room: (UnsafeMutablePointer<UInt8>, Int) { (encoder.raw.bytes, encoder.raw.capacity) }
            var filled: Int {
                get { encoder.filled }
                nonmutating set { encoder.filled = newValue }
            }
            mutating func makeRoom(_ bytes: Int) throws { try encoder.makeRoom(bytes, emit) }
        }

        private func makeRoom(_ bytes: Int, _ emit: (EncodedBlock) throws -> Void) throws {
            if filled + bytes > raw.capacity { try drain(all: false, emit) }
            if filled + bytes > raw.capacity {
                let larger = pool.block(capacity: filled + bytes)
                larger.bytes.update(from: raw.bytes, count: filled)
                raw = larger
            }
        }

        /// Hands out the raw bytes: all, or for a compression those of whole blocks.
        private func drain(all: Bool, _ emit: (EncodedBlock) throws -> Void) throws {
            guard filled > 0 else { return }
            guard let compressor else {
                let full = raw
                raw = pool.block(capacity: Self.blockSize)
                let count = filled
                filled = 0
                return try emit(EncodedBlock(block: full, count: count, rawCount: count))
            }
            let sizes = type(of: compressor)
            var start = 0
            while filled - start >= sizes.inputMax || all && start < filled {
                let count = min(sizes.inputMax, filled - start)
                let block = pool.block(capacity: sizes.outputMax)
                let length = compressor.block(
                    UnsafeBufferPointer(start: raw.bytes + start, count: count), into: block.bytes)
                let content = notesContent ? nil : (raw, start)
                try emit(EncodedBlock(block: block, count: length, rawCount: count, raw: content))
                start += count
            }
            filled -= start
            // Blocks that are not committed yet still need theirs.
            let next = isKnownUniquelyReferenced(&raw) ? raw : pool.block(capacity: max(filled, Self.blockSize))
            next.bytes.update(from: raw.bytes + start, count: filled)
            raw = next
        }
    }
}
