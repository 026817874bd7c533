/// The middle of a run: what is under way between who reads, who works, and who writes.
///
/// (1) A unit gets the next number when it comes in, and leaves in the order of these numbers: output does not depend on who
///     was faster.
/// (2) An error takes the place of its unit. What comes before it is written all the same; what comes behind it is not worked
///     on. So the error that ends a run is that of the earliest unit, however many workers there are.
/// (3) Another unit is read only where the budget has room for one like the largest so far, or nothing else is under way. What
///     turns out to be larger waits where it takes memory, as `MemoryBudget` says: the oldest unit never does.
/// (4) Everybody who waits is parked, and woken by the change that lets them go on, or by the interrupt.
///
/// Who reads may be a thread of the run's or the user (push); who writes likewise. Or the workers do both, one of them at a time:
/// see `nextStep`.
final class Pipeline: Sendable {
    private let state: Monitor<State>
    private let work: WorkQueue<Ticket>
    private let budget: MemoryBudget
    private let interrupt: Interrupt

    /// Conditions: room for another unit; another unit to write.
    private static let room = 0
    private static let output = 1
    /// Of memory: units that hold so much together are large.
    private static let manyBytes = 8 << 20

    /// Of what is to come in.
    private struct Size {
        let records: Int
        let heldBytes: Int
        init(_ cargo: Cargo) { (records, heldBytes) = (cargo.records, cargo.heldBytes) }
    }

    private struct State {
        var flow: FlowControl
        var window: ReorderWindow<Ticket>
        var nextNumber = 0
        /// No more is taken; and who writes may say so.
        var inputIsComplete = false
        var inputHasEnded = false
        /// Whether a worker reads, and one writes.
        var isReading = false
        var isWriting = false
        /// Whether somebody had to wait for who reads.
        var readingHeldUp = false
        /// Threads that found nothing to do; and what readers left to them, oldest first.
        var idle = 0
        var handedOver: [Ticket] = []
        /// The earliest unit that failed, and how.
        var failedAt = Int.max
        var failure: (any Error)?
        /// What found no room, and is thought to come again.
        var refused: Size?
        /// Bytes that a unit has held at most, as far as it is known: what admitting another may cost.
        var unitBytes = 2 << 20
        /// Tasks that wait for a condition.
        var waiting: [Int: [CheckedContinuation<Void, Never>]] = [:]
        var pausedSince: Double?
        var pausedSeconds = 0.0
    }

    init(_ flow: FlowControl, _ budget: MemoryBudget, _ interrupt: Interrupt) {
        self.budget = budget
        self.interrupt = interrupt
        // One more place: that of an error of the source's, which is no unit.
        state = Monitor(
            State(flow: flow, window: ReorderWindow(capacity: flow.unitsMax + 1)), conditions: 2)
        work = WorkQueue(capacity: flow.unitsMax + 1)
        // Not the pipeline itself, which would keep itself alive.
        interrupt.onStop { [state, work, budget] in
            budget.end()
            state.withLock(Self.endPause)
            state.wakeAll()
            work.close()
            Self.resume(state)
        }
    }
}

// MARK: - Who reads

extension Pipeline {
    /// Waits until there is room for another unit.
    /// - Returns: false where no more is wanted, since a unit has failed.
    /// - Throws: why the run was stopped.
    func waitForRoom() throws -> Bool { try waiting(Self.room) { admission(&$0).map { .some($0) } } ?? false }

    /// Whether there is room now; nil: not yet.
    /// - Parameter size: of what is to come in; nil: that is not known yet.
    private func admission(_ state: inout State, _ size: Size? = nil) -> Bool? {
        guard state.failedAt == .max, !state.inputIsComplete, !state.inputHasEnded else { return false }
        let units = state.flow.units
        // What units hold on average is not yet all that they will hold: the most that was seen counts. What somebody else has made
        // says what it holds; processors may add as much to it as to others.
        let average = units > 0 ? budget.used / units : 0
        state.unitBytes = max(state.unitBytes, average)
        let isAdmitted = state.flow.admits(
            size?.records, memoryAllows: budget.admits(size.map { max($0.heldBytes, average) } ?? state.unitBytes),
            areLarge: budget.used > Self.manyBytes)
        state.refused = isAdmitted ? nil : size
        notePause(&state)
        return isAdmitted ? true : nil
    }

    private func notePause(_ state: inout State) {
        switch (state.flow.isPaused, state.pausedSince) {
        case (true, nil): state.pausedSince = Clock.monotonicSeconds()
        case (false, let since?):
            state.pausedSeconds += Clock.monotonicSeconds() - since
            state.pausedSince = nil
        default: break
        }
    }

    /// Nobody asks for admission any more.
    private static func endPause(_ state: inout State) {
        state.flow.end()
        if let since = state.pausedSince { state.pausedSeconds += Clock.monotonicSeconds() - since }
        state.pausedSince = nil
    }

    /// Adds a unit, after `waitForRoom`.
    func add(_ cargo: Cargo) {
        work.push(state.withLock { ticket(&$0, cargo) })
    }

    /// Adds a unit if there is room now; if not, nothing has changed.
    /// - Parameter note: called where it is added, before anybody else sees it.
    func addIfRoom(_ cargo: Cargo, _ note: () -> Void) throws -> Bool {
        try interrupt.check()
        let isAdded = try state.withLock { state in
            try interrupt.checkStopped()
            guard admission(&state, Size(cargo)) == true else { return false }
            note()
            push(&state, cargo)
            return true
        }
        if isAdded, cargo.isLast { endInput() }
        return isAdded
    }

    /// Adds a unit as soon as there is room.
    /// - Parameter note: called where it is added, before anybody else sees it.
    /// - Returns: false where no more is wanted.
    /// - Throws: why the run was stopped.
    func addWaiting(_ cargo: Cargo, _ note: () -> Void) throws -> Bool {
        let isAdded: Bool? = try waiting(Self.room) { state -> Bool?? in
            guard let isAdmitted = admission(&state, Size(cargo)) else { return nil }
            guard isAdmitted else { return false }
            note()
            push(&state, cargo)
            return true
        }
        if isAdded == true, cargo.isLast { endInput() }
        return isAdded == true
    }

    private func ticket(_ state: inout State, _ cargo: Cargo) -> Ticket {
        defer { state.nextNumber += 1 }
        state.flow.add(cargo.records)
        state.inputIsComplete = cargo.isLast
        return Ticket(state.nextNumber, cargo)
    }

    /// Adds what somebody else made: its memory is the run's from here on, until it leaves.
    ///
    /// Under the lock, or the input could be ended between its admission and its coming here, and no worker would see it.
    private func push(_ state: inout State, _ cargo: Cargo) {
        budget.charge(cargo.heldBytes)
        work.push(ticket(&state, cargo))
    }

    /// No more units will come.
    /// - Parameter error: what kept the source from going on.
    func endInput(_ error: (any Error)? = nil) {
        state.withLock { state in
            guard !state.inputHasEnded else { return }
            state.inputHasEnded = true
            state.isReading = false
            Self.endPause(&state)
            if let error {
                state.flow.add(0)
                state.failedAt = min(state.failedAt, state.nextNumber)
                state.window.insert(Ticket(state.nextNumber, failed: error), state.nextNumber)
                state.nextNumber += 1
            }
        }
        work.close()
        state.wakeAll()
        Self.resume(state)
    }
}

// MARK: - Who works

extension Pipeline {
    /// The oldest unit nobody works on; waits for one. Nil when there will be none.
    func takeWork() -> Ticket? {
        while let ticket = work.pop() {
            let isWanted = state.withLock { state in
                state.flow.take(ticket.records)
                return ticket.number < state.failedAt && !interrupt.hasStopped
            }
            wakeReader()
            if isWanted { return ticket }
            complete(ticket)
        }
        return nil
    }

    /// Hands on a unit that is worked out, or has failed.
    func complete(_ ticket: Ticket) {
        state.update(Self.output) { state in
            state.flow.finish(ticket.records)
            if ticket.hasFailed, ticket.number < state.failedAt {
                state.failedAt = ticket.number
                state.failure = ticket.outcome.error
            }
            state.window.insert(ticket, ticket.number)
            return state.window.next == ticket.number
        }
        Self.resume(state, Self.output)
        guard ticket.hasFailed else { return }
        // No more is wanted of any of them.
        state.wakeAll()
        Self.resume(state)
    }

    func wakeReader() {
        state.wakeOne(Self.room)
        Self.resume(state, Self.room)
    }
}

// MARK: - Who writes

extension Pipeline {
    /// The next unit in order; waits for it. Nil behind the last.
    /// - Throws: why the run was stopped.
    func takeDone() throws -> Ticket? { try waiting(Self.output, next) }

    /// What `body` finds; waits until it finds something, which may be nil.
    private func waiting<R>(_ condition: Int, _ body: (inout State) -> R??) throws -> R? {
        try interrupt.check()
        let found: R?? = try state.wait(condition, until: interrupt.deadline) { state in
            try interrupt.checkStopped()
            return body(&state)
        }
        if let found { return found }
        // The deadline has passed.
        try interrupt.check()
        return nil
    }

    /// As `takeDone`, without waiting: nil inside where the next unit is not there yet.
    func takeDoneNow() throws -> Ticket?? {
        try interrupt.check()
        return try state.withLock { state in
            try interrupt.checkStopped()
            return next(&state)
        }
    }

    private func next(_ state: inout State) -> Ticket?? {
        // Behind a unit that failed there is nothing for another one who takes: the run is about to be stopped.
        guard state.window.next <= state.failedAt else { return nil }
        if let ticket = state.window.popNext() {
            state.flow.pick(ticket.records)
            return .some(ticket)
        }
        return state.inputHasEnded && state.flow.units == 0 ? .some(nil) : nil
    }

    /// A unit is written, or was given up: its memory is free.
    func leave() {
        state.update(Self.room) { state in
            state.flow.leave()
            // Who handed in a chunk that found no room may not ask again for long.
            if let refused = state.refused { _ = admission(&state, refused) }
            return true
        }
        budget.advance()
        // Who waits for the end looks whether this was the last one.
        state.update(Self.output) { $0.inputHasEnded && $0.flow.units == 0 }
        Self.resume(state)
    }
}

// MARK: - Who does everything

/// What a thread does next that reads, works and writes.
enum Step {
    /// Reads a unit, which is mostly its own to work on: what it has read and cut is still in its core's cache. Where others had
    /// to wait for their turn to read, it should be a short one, at the cost of more work behind it.
    case read(number: Int, othersWait: Bool)
    /// Works on a unit that its reader has left to others.
    case work(Ticket)
    case write(Ticket)
}

extension Pipeline {
    /// What there is to do; waits for it. Nil behind the last unit. Nobody else reads or writes meanwhile.
    ///
    /// Whoever has done something asks again, so nobody is woken but where there is more to do than that: for reading once a
    /// unit is read, and for writing where another one is ready.
    /// - Throws: why the run was stopped.
    func nextStep() throws -> Step? {
        var isIdle = false
        return try waiting(Self.room) { state in
            if isIdle { state.idle -= 1 }
            let found = step(&state)
            isIdle = found == nil
            if isIdle { state.idle += 1 }
            return found
        }
    }

    private func step(_ state: inout State) -> Step?? {
        if !state.isWriting, let ticket = state.window.popNext() {
            state.isWriting = true
            state.flow.pick(ticket.records)
            return .write(ticket)
        }
        // More than threads are left that these were left to.
        if state.handedOver.count > state.idle { return .work(takeHandedOver(&state)) }
        if state.isReading {
            state.readingHeldUp = true
        } else if admission(&state) == true {
            defer { state.readingHeldUp = false }
            state.isReading = true
            return .read(number: state.nextNumber, othersWait: state.readingHeldUp)
        }
        if !state.handedOver.isEmpty { return .work(takeHandedOver(&state)) }
        return state.inputHasEnded && state.flow.units == 0 ? .some(nil) : nil
    }

    /// The oldest.
    private func takeHandedOver(_ state: inout State) -> Ticket {
        let ticket = state.handedOver.removeFirst()
        state.flow.take(ticket.records)
        return ticket
    }

    /// Adds the unit that was read.
    /// - Parameter handsOver: leaves it to a thread that is idle, if there is one, and reads on: where reading takes the most time,
    ///   nobody is to wait for a thread to wake up and read.
    /// - Returns: what the reader is to work on: the oldest unit that nobody does.
    func addOwn(_ cargo: Cargo, handsOver: Bool) -> Ticket? {
        let own: Ticket? = state.withLock { state in
            let own = ticket(&state, cargo)
            state.isReading = false
            let isLeft = handsOver && state.idle > state.handedOver.count
            state.handedOver.append(own)
            return isLeft ? nil : takeHandedOver(&state)
        }
        state.wakeOne(Self.room)
        return own
    }

    /// Whether a unit is still to be worked on, or comes behind one that failed.
    func wants(_ ticket: Ticket) -> Bool { state.withLock { ticket.number < $0.failedAt } }

    /// As `leave`, and another unit may be written.
    func leaveOwn() {
        let isMore = state.withLock { state in
            state.isWriting = false
            state.flow.leave()
            return state.window.hasNext
        }
        budget.advance()
        if isMore { state.wakeOne(Self.room) }
        state.update(Self.room) { $0.inputHasEnded && $0.flow.units == 0 }
    }
}

// MARK: - Tasks that wait

extension Pipeline {
    /// Adds a unit as soon as there is room; the task is suspended until then.
    /// - Returns: false where no more is wanted.
    /// - Throws: why the run was stopped.
    func addSuspending(_ cargo: Cargo) async throws -> Bool {
        while true {
            try interrupt.check()
            let answer: Bool? = try state.withLock { state in
                try interrupt.checkStopped()
                let answer = admission(&state, Size(cargo))
                if answer == true { push(&state, cargo) }
                return answer
            }
            if let answer { return answer }
            await suspend(Self.room) { admission(&$0, Size(cargo)) != nil }
        }
    }

    /// As `takeDone`; the task is suspended until there is one.
    func takeDoneSuspending() async throws -> Ticket? {
        while true {
            if let found = try takeDoneNow() { return found }
            await suspend(Self.output) { $0.window.hasNext || $0.inputHasEnded && $0.flow.units == 0 }
        }
    }

    /// Suspends the task until it is resumed, or not at all where there is no reason to.
    private func suspend(_ condition: Int, unless mayGoOn: (inout State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isNow = state.withLock { state in
                if interrupt.hasStopped || mayGoOn(&state) { return true }
                state.waiting[condition, default: []].append(continuation)
                return false
            }
            if isNow { continuation.resume() }
        }
    }

    /// Lets tasks that wait for a condition, or for any, look again.
    private static func resume(_ state: Monitor<State>, _ condition: Int? = nil) {
        let tasks = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard !state.waiting.isEmpty else { return [] }
            guard let condition else {
                defer { state.waiting = [:] }
                return state.waiting.values.flatMap { $0 }
            }
            return state.waiting.removeValue(forKey: condition) ?? []
        }
        for task in tasks { task.resume() }
    }
}

extension Pipeline {
    /// Lets go of units that nobody will write, once no thread is left: contexts keep their last run, for its metrics.
    func discard() {
        work.close()
        while work.pop() != nil {}
        state.withLock { state in
            state.handedOver = []
            while state.window.popAny() != nil {}
        }
    }
}

// MARK: - What is known of it

extension Pipeline {
    /// The error of the earliest unit that failed so far.
    var failure: (any Error)? { state.withLock { $0.failure } }
    /// Whether nothing is under way.
    var isIdle: Bool { state.withLock { $0.flow.units == 0 } }
    var isPaused: Bool { state.withLock { $0.flow.isPaused } }
    /// Threads of those that do everything that have nothing to do.
    var idleThreads: Int { state.withLock { $0.idle } }

    /// How often and how many seconds the source was held back.
    var pauses: (count: Int, seconds: Double) {
        state.withLock { state in
            let now = state.pausedSince.map { Clock.monotonicSeconds() - $0 } ?? 0
            return (state.flow.pauses, state.pausedSeconds + now)
        }
    }
}
