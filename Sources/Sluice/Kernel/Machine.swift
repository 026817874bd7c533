import CSluiceSystem

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the machine has, and what this process has of it.
enum Machine {
    /// Cores that this process may run on, at least 1.
    static let activeCores: Int = {
        let allowed = Int(system_allowed_cores())
        return allowed > 0 ? allowed : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }()

    /// A variable of the environment.
    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Sets one; before there are threads.
    static func setEnvironment(_ name: String, _ value: String) { setenv(name, value, 1) }

    /// Most bytes of memory that this process has held at once.
    static var peakResidentBytes: Int {
        var usage = rusage()
        #if canImport(Darwin)
            guard getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
            return usage.ru_maxrss
        #else
            guard getrusage(__rusage_who_t(0), &usage) == 0 else { return 0 }
            return usage.ru_maxrss * 1024
        #endif
    }
}

/// A thread of the system.
struct SystemThread {
    private let thread: pthread_t

    /// Starts a thread.
    /// - Throws: `StreamError` (`unsupported`) where the system has no more threads.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(StreamError) -> SystemThread {
        let box = Unmanaged.passRetained(ThreadBody(name: name, run: body))
        let (thread, error) = makeThread(box.toOpaque())
        guard let thread, error == 0 else {
            box.release()
            throw StreamError(.unsupported, "the system gives no more threads (error \(error))", stage: "process")
        }
        return SystemThread(thread: thread)
    }

    /// Waits for its end. Once.
    func join() { pthread_join(thread, nil) }

    /// Calls `body` on a thread of its own; the task is suspended until it returns.
    /// - Throws: what `body` throws; as `start`.
    static func suspending<R>(_ name: String, _ body: @escaping @Sendable () throws -> sending R) async throws
        -> sending R
    {
        var thread: SystemThread?
        defer { thread?.join() }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                thread = try start(name) { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// A pointer that each thread has for itself, nil at first.
final class ThreadKey: Sendable {
    private let key: pthread_key_t

    init() {
        var key = pthread_key_t()
        let error = pthread_key_create(&key, nil)
        precondition(error == 0, "the system gives no more keys of threads (error \(error))")
        self.key = key
    }

    deinit { pthread_key_delete(key) }

    /// This thread's.
    var value: UnsafeMutableRawPointer? {
        get { pthread_getspecific(key) }
        set { pthread_setspecific(key, newValue) }
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }

    static func start(_ argument: UnsafeMutableRawPointer) {
        let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
        system_name_thread(body.name)
        body.run()
    }
}

#if canImport(Darwin)
    private func makeThread(_ argument: UnsafeMutableRawPointer) -> (pthread_t?, Int32) {
        var thread: pthread_t?
        let error = pthread_create(
            &thread, nil,
            {
                ThreadBody.start($0)
                return nil
            }, argument)
        return (thread, error)
    }
#else
    private func makeThread(_ argument: UnsafeMutableRawPointer) -> (pthread_t?, Int32) {
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { argument in
                if let argument { ThreadBody.start(argument) }
                return nil
            }, argument)
        return (thread, error)
    }
#endif
