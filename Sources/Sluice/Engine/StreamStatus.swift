/// What a context is doing.
public enum StreamStatus: String, Sendable, CaseIterable {
    /// Nothing has been streamed yet.
    case idle
    /// A run is under way.
    case active
    /// A run is under way, and its source is held back: what was read before comes first.
    case paused
    /// The last run ended, and nothing was lost.
    case completed
    /// The last run failed, was cancelled, or ran out of time.
    case error
}
