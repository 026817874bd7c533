import ArgumentParser
import Sluice

/// How a run is carried out.
struct RunOptions: ParsableArguments {
    @Option(
        help: "Threads that decode and encode; with 1 there are no others, either. (default: the processor's cores)")
    var jobs: Int?

    @Option(help: "2^20 bytes that blocks of input and output may hold together.")
    var memoryLimit = 512

    @Option(
        help:
            "Seconds that the run may take, from a pipe's first bytes on; after that the exit code is 75, and the output is as it was."
    )
    var timeout: Double?

    @Option(help: "Say on standard error what the run came to.")
    var stats: StatsFormat?

    enum StatsFormat: String, CaseIterable, ExpressibleByArgument { case text, json }

    /// Runs `body` in a context, with its progress on standard error where that is a terminal, and says what was asked for.
    /// - Parameters:
    ///   - chunkSize: records of a chunk.
    ///   - input: what `body` reads, where a command has a run for each of several.
    ///   - output: what `body` writes to.
    ///   - since: when the command began.
    func run(
        chunkSize: Int, input: String? = nil, output: String? = nil, since start: ContinuousClock.Instant? = nil,
        _ body: (StreamContext) throws -> StreamMetrics
    ) throws -> StreamMetrics {
        // Tools wait for nobody's service: what fails here fails again.
        let context = StreamContext(
            StreamConfig(
                chunkSize: chunkSize, bufferSize: 1 << 20, parallelism: jobs ?? StreamConfig.activeCores,
                memoryLimitMB: memoryLimit, backpressureThreshold: 1 << 19, timeoutSeconds: left(since: start),
                enableMetrics: stats != nil, retryOnError: false))
        let showsProgress = Terminal.isPerson && !(output.map(Terminal.isShown) ?? false)
        if showsProgress { context.onProgress { Terminal.show($0) } }
        let outcome = Result { try body(context) }
        if showsProgress { Terminal.clear() }
        let metrics = try outcome.get()
        tell(metrics, input)
        return metrics
    }

    /// Of the seconds that the command may take.
    private func left(since start: ContinuousClock.Instant?) -> Double? {
        guard let timeout, timeout > 0, let start else { return timeout }
        let spent = (ContinuousClock.now - start) / .seconds(1)
        return max(timeout - spent, 1e-9)
    }

    private func tell(_ metrics: StreamMetrics, _ input: String?) {
        switch stats {
        case .text:
            if let input { Terminal.say("input    \(input.escapingControls)") }
            for line in metrics.lines { Terminal.say(line) }
        case .json: Terminal.say(metrics.json(input))
        case nil: break
        }
    }
}

/// Which implementation does the work.
struct KernelOption: ParsableArguments {
    @Option(name: .customLong("kernel"), help: "Implementation of the hot functions.")
    var choice: KernelChoice = .auto

    /// Here the process is the run: what goes by the process's kernel follows, too.
    func validate() throws {
        if choice != .auto { choice.useInProcess() }
    }
}

extension StreamMetrics {
    private var times: [(name: String, times: StageTimes)] {
        [("read", read), ("decode", decode), ("process", process), ("encode", encode), ("write", write)]
    }

    /// For people.
    fileprivate var lines: [String] {
        var lines = [
            "records  \(readRecords) read, \(writtenRecords) written, \(filteredRecords) filtered, \(rejectedRecords) rejected",
            "bytes    \(bytesRead) read (\(bytesProcessed) decompressed), \(bytesWritten) written (\(bytesEncoded) before compression)",
            "time     \(durationSeconds().short) s, \(throughputMBPerSecond().short) MB/s of input, \(Int(throughputItemsPerSecond())) records/s",
            "memory   \(peakMemoryMB.short) MiB of blocks, \(peakResidentBytes >> 20) MiB of the process; \(workers) jobs",
            "pauses   \(pauseCount), \(pausedSeconds.short) s; slowest stage: \(bottleneck ?? "not measured")",
        ]
        lines += times.map { name, times in
            "\(name.padded(to: 8)) \(times.busy.short) s busy, \(times.waiting.short) s waiting, \(times.blocked.short) s blocked"
        }
        return lines
    }

    /// For programs: one object in one line.
    fileprivate func json(_ input: String?) -> String {
        var record: Record = input.map { ["input": Value($0)] } ?? [:]
        let numbers: [(name: String, value: Value)] = [
            ("read_records", Value(readRecords)), ("written_records", Value(writtenRecords)),
            ("filtered_records", Value(filteredRecords)), ("rejected_records", Value(rejectedRecords)),
            ("chunks", Value(chunksProcessed)), ("bytes_read", Value(bytesRead)),
            ("bytes_processed", Value(bytesProcessed)),
            ("bytes_written", Value(bytesWritten)), ("bytes_encoded", Value(bytesEncoded)),
            ("seconds", Value(durationSeconds())), ("errors", Value(errorsCount)), ("retries", Value(retriesCount)),
            ("pauses", Value(pauseCount)), ("paused_seconds", Value(pausedSeconds)),
            ("peak_budget_bytes", Value(peakBudgetBytes)), ("peak_resident_bytes", Value(peakResidentBytes)),
            ("workers", Value(workers)),
        ]
        for (name, value) in numbers { record[name] = value }
        for (name, times) in times {
            record["\(name)_busy_seconds"] = Value(times.busy)
            record["\(name)_waiting_seconds"] = Value(times.waiting)
            record["\(name)_blocked_seconds"] = Value(times.blocked)
        }
        return record.description
    }
}

extension Double {
    /// With as many places as say something.
    var short: String {
        let scale = self < 10 ? 1000.0 : self < 100 ? 10.0 : 1.0
        return "\((self * scale).rounded() / scale)"
    }
}
