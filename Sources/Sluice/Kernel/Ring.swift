import CSluice

/// A bounded queue of objects between any number of threads: first in, first out, without locks and without waiting.
///
/// An object moves through it as one retained reference. What is still in the ring when it goes away is released.
// SAFETY: the C core's ring may be used from any thread; `core` never changes; elements are Sendable.
final class Ring<Element: AnyObject & Sendable>: @unchecked Sendable {
    private let core: OpaquePointer

    /// - Parameter capacity: elements that it holds at least; rounded up to a power of two, 2 at the least.
    init(capacity: Int) {
        precondition(capacity > 0 && capacity <= 1 << 30, "a ring of \(capacity) elements")
        var rounded = 2
        while rounded < capacity { rounded *= 2 }
        guard let core = Kernel.singles.ring_create(UInt32(rounded)) else { fatalError("no memory for a ring") }
        self.core = core
    }

    deinit {
        while pop() != nil {}
        Kernel.singles.ring_destroy(core)
    }

    /// Elements that it holds at most.
    var capacity: Int { Int(Kernel.singles.ring_capacity(core)) }

    /// Whether there was room for `element`; if not, nothing has changed. A `pop` that another thread has begun and not finished
    /// may still count as full, so who waits for room has to look again after it. Complexity: O(1).
    func push(_ element: Element) -> Bool {
        let reference = Unmanaged.passRetained(element)
        if Kernel.singles.ring_push(core, reference.toOpaque()) { return true }
        reference.release()
        return false
    }

    /// The oldest element; nil if there is none. A `push` that another thread has begun and not finished may still count as
    /// none. Complexity: O(1).
    func pop() -> Element? {
        var element: UnsafeMutableRawPointer?
        guard Kernel.singles.ring_pop(core, &element), let element else { return nil }
        return Unmanaged<Element>.fromOpaque(element).takeRetainedValue()
    }
}
