/// Decides when a source is held back.
///
/// What is under way is counted in units and in records. A unit is *queued* while it waits for a worker, or for its turn to be
/// written; a worker's and the writer's own are not (with `countsWork`, a worker's is). The source is paused where
///
/// (1) records queued have reached `pauseAt`, or with another unit like the largest so far would exceed `bufferSize`;
/// (2) `unitsMax` units are under way, or half as many that are large: deeper queues only cost cache;
/// (3) memory does not allow another.
///
/// It goes on when none of these holds any more, and fewer than `resumeBelow` records are queued. Where nothing is under way
/// a unit is always let through, so that neither limit can stop a run for good.
struct FlowControl {
    let bufferSize: Int
    let pauseAt: Int
    let resumeBelow: Int
    let unitsMax: Int
    /// Whether a worker's unit is queued, too: whether there is room then depends on what came in and went out alone, and not
    /// on how far the workers are.
    let countsWork: Bool
    /// Records that are queued, and units that are under way.
    private(set) var queued = 0
    private(set) var units = 0
    /// Records of the largest unit so far.
    private var largest = 0
    private(set) var isPaused = false
    /// How often the source was paused.
    private(set) var pauses = 0

    /// - Parameter resumeBelow: nil: half of `pauseAt`.
    init(bufferSize: Int, pauseAt: Int, resumeBelow: Int? = nil, unitsMax: Int, countsWork: Bool = false) {
        self.bufferSize = bufferSize
        self.pauseAt = pauseAt
        self.resumeBelow = resumeBelow ?? (pauseAt + 1) / 2
        self.unitsMax = unitsMax
        self.countsWork = countsWork
    }

    /// Whether another unit may come in.
    /// - Parameters:
    ///   - records: that it has; nil: as many as the largest so far.
    ///   - areLarge: those under way.
    mutating func admits(_ records: Int? = nil, memoryAllows: Bool, areLarge: Bool = false) -> Bool {
        let isTooMuch = queued > 0 && queued + (records ?? largest) > bufferSize
        let isFull = queued >= pauseAt || isTooMuch || units >= (areLarge ? unitsMax / 2 : unitsMax) || !memoryAllows
        let isDrained = !isPaused || queued < resumeBelow
        let mayGoOn = units == 0 || !isFull && isDrained
        if !mayGoOn && !isPaused { pauses += 1 }
        isPaused = !mayGoOn
        return mayGoOn
    }

    /// Nothing more will come, so nothing is held back.
    mutating func end() { isPaused = false }

    /// A unit waits for a worker.
    mutating func add(_ records: Int) {
        units += 1
        queued += records
        largest = max(largest, records)
    }

    /// A worker has taken it.
    mutating func take(_ records: Int) { if !countsWork { queued -= records } }

    /// It waits for its turn to be written.
    mutating func finish(_ records: Int) { if !countsWork { queued += records } }

    /// The writer has taken it.
    mutating func pick(_ records: Int) { queued -= records }

    /// It is written, or given up.
    mutating func leave() { units -= 1 }
}
