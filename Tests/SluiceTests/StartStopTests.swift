import Foundation
import TestSupport
import Testing

@testable import Sluice

@Suite("Starting and stopping")
struct StartStopTests {
    private let folder = TemporaryFolder()

    @Test("runs that are stopped in the middle leave no thread, descriptor or memory behind")
    func cycles() throws {
        // Open for writing here, too, so that it is silent and does not end.
        let path = folder.file("pipe.csv")
        try #require(mkfifo(path, 0o600) == 0)
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        // What is allocated once, and a heap as large as it gets: with an arena for each thread there ever was at a time.
        let times = isStress ? 5_000 : 64 / step
        for number in 0..<times { try stop(descriptor, path, number) }
        let before = Held()
        for number in 0..<times { try stop(descriptor, path, number) }
        let after = Held()
        // Other tests of the same process hold things as well: this says something alone.
        guard isStress else { return }
        #expect(after.descriptors == before.descriptors)
        // One that was joined is gone, but the system may take a moment to say so.
        let end = Clock.monotonicSeconds() + 60
        while Held.threads() != [], Clock.monotonicSeconds() < end { sched_yield() }
        #expect(Held.threads() == [])
        #expect(after.residentBytes - before.residentBytes < 1 << 20)
    }

    private func stop(_ descriptor: Int32, _ path: String, _ number: Int) throws {
        let text = "a\n1\n2\n"
        try #require(write(descriptor, text, text.utf8.count) == text.utf8.count)
        let source = try FileStreamSource(path)
        let sink = try FileStreamSink(folder.file("out.jsonl"))
        let context = StreamContext(StreamConfig(parallelism: 1 + number % 3))
        context.addProcessor { chunk in chunk.data.setAll("seen", to: true) }
        let error = streamError {
            try withStopping(context) { try context.stream(source: source, sink: sink) }
        }
        #expect(error?.code == .cancelled && folder.names == ["pipe.csv"])
        context.close()
        let pushed = StreamContext(StreamConfig(parallelism: 1 + number % 3))
        #expect(pushed.addChunk(StreamChunk(data: [["a": 1]])))
        pushed.close()
    }

    /// Cancels until a run has begun and ended: before it has, that ends nothing.
    private func withStopping(_ context: StreamContext, _ body: () throws -> Void) throws {
        let thread = try SystemThread.start("stop") {
            while context.status != .error {
                context.cancel()
                sched_yield()
            }
        }
        defer { thread.join() }
        try body()
    }

    /// What this process holds; nothing where the system does not say.
    private struct Held {
        let descriptors: Int
        let residentBytes: Int

        /// Names of the threads that are ours: who runs the tests has some, too, that come and go.
        static func threads() -> [String] {
            let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
            return tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
                .filter { $0.hasPrefix("sluice-") }
        }

        init() {
            let files = FileManager.default
            descriptors = (try? files.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
            let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            residentBytes = (pages.flatMap { Int($0[1]) } ?? 0) * 4096
        }
    }
}
