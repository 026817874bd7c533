import Synchronization

@testable import Sluice

/// A source of anybody's: chunks of so many records, numbered on, with things that go wrong.
class CountingSource: StreamSource {
    private let sizes: [Int]
    private let failsAt: Int?
    private var chunk = 0
    private var record = 0
    private(set) var isClosed = false

    /// - Parameter failsAt: the chunk in whose place it throws; `sizes.count`: at the end.
    init(_ sizes: [Int], failsAt: Int? = nil) {
        self.sizes = sizes
        self.failsAt = failsAt
    }

    func readChunk() throws -> StreamChunk? {
        if chunk == failsAt { throw StreamError(.readFailed, "chunk \(chunk) cannot be read") }
        guard chunk < sizes.count else { return nil }
        defer {
            record += sizes[chunk]
            chunk += 1
        }
        return StreamChunk(
            data: RecordBatch((record..<record + sizes[chunk]).map { ["id": Value($0)] }), sequenceNumber: chunk)
    }

    func close() { isClosed = true }
}

/// A sink of anybody's: keeps the numbers, and what happened to it.
class KeepingSink: StreamSink {
    enum Step: Equatable { case write(Int), flush, close }
    private let failsAt: Step?
    private var chunk = 0
    private(set) var ids: [Int] = []
    private(set) var isClosed = false
    private(set) var isAborted = false

    init(failsAt: Step? = nil) { self.failsAt = failsAt }

    private func fail(at step: Step) throws {
        if step == failsAt { throw StreamError(.writeFailed, "the sink fails") }
    }

    func writeChunk(_ chunk: StreamChunk) throws {
        try fail(at: .write(self.chunk))
        self.chunk += 1
        ids += chunk.data.map { $0["id", as: Int.self] ?? -1 }
    }
    func flush() throws { try fail(at: .flush) }
    func close() throws {
        try fail(at: .close)
        isClosed = true
    }
    func abort() { isAborted = true }
}

/// The same, as files are to the engine: they keep nobody waiting, so workers read and write by themselves.
final class PromptSource: CountingSource, RunParticipant {
    func join(_ terms: RunTerms) {}
    var mayBlock: Bool { false }
}

final class PromptSink: KeepingSink, RunParticipant {
    func join(_ terms: RunTerms) {}
    var mayBlock: Bool { false }
}

/// Counts, from any thread.
final class Tally: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    @discardableResult func add() -> Int { count.add(1, ordering: .relaxed).newValue }
}
