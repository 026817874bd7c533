/// How long to wait before a step that failed is tried again: twice as long each time, up to a cap, and a random part less, so
/// that many that failed together do not come back together.
///
/// Source: exponential backoff with jitter, as in M. Brooker, "Exponential Backoff and Jitter" (2015).
public struct RetryDelay: Sendable {
    /// Seconds before the first retry.
    public var first: Double
    /// Seconds that no delay exceeds.
    public var cap: Double
    /// Share of the delay that is random, 0 ... 1.
    public var jitter: Double

    /// Takes any numbers: negative seconds, and a jitter outside of 0 ... 1, are refused when a run begins
    /// (`invalidConfiguration`).
    public init(first: Double = 0.1, cap: Double = 5, jitter: Double = 0.5) {
        self.first = first
        self.cap = cap
        self.jitter = jitter
    }

    /// Seconds before retry number `retry`, from 1.
    /// - Parameter random: 0 ..< 1.
    func seconds(before retry: Int, random: Double) -> Double {
        // Doubled a thousand times, any number is over any cap, or 0.
        var delay = first
        for _ in 1..<max(1, min(retry, 1000)) { delay *= 2 }
        return min(delay, cap) * (1 - jitter * random)
    }

    var isValid: Bool { first >= 0 && cap >= 0 && (0...1).contains(jitter) }
}
