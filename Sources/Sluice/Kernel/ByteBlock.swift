/// Bytes behind every block that kernels may read or overwrite (`SLUICE_PADDING` of the C core).
let blockPadding = 64

/// Memory for bytes or index entries: 64-byte aligned, padded, charged to a budget for as long as it lives.
///
/// Whoever makes a block fills it; once it is handed on, nobody writes to it any more.
// SAFETY: `base` and `capacity` never change; contents are written by the one owner before the block is shared.
public final class ByteBlock: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    private let pool: BlockPool
    /// Where it is charged.
    private let budget: MemoryBudget

    fileprivate init(base: UnsafeMutableRawPointer, capacity: Int, pool: BlockPool, budget: MemoryBudget) {
        self.base = base
        self.capacity = capacity
        self.pool = pool
        self.budget = budget
    }

    deinit {
        budget.refund(capacity)
        pool.takeBack(base, capacity)
    }

    var bytes: UnsafeMutablePointer<UInt8> { base.assumingMemoryBound(to: UInt8.self) }

    /// The block as index entries.
    var entries: UnsafeMutablePointer<UInt32> { base.assumingMemoryBound(to: UInt32.self) }
    var entryCapacity: Int { capacity / MemoryLayout<UInt32>.stride }
}

/// Where blocks come from and go back to, so that a stream's working set is allocated once.
///
/// Sizes are powers of two (at least 4 KiB). Blocks that come back are kept for reuse up to `cacheLimit` bytes: with fewer, what
/// is freed on one thread and allocated on another leaves heaps in pieces, and they grow.
final class BlockPool: Sendable {
    private let cache: Monitor<Cache>

    // SAFETY: pointers in here are owned by the cache alone, and it is reached under its mutex only.
    private struct Cache: @unchecked Sendable {
        var budget: MemoryBudget
        var limit: Int
        var free: [Int: [UnsafeMutableRawPointer]] = [:]
        var bytes = 0

        /// Gives up the largest blocks of other sizes than the one that is in use now, and then of that.
        mutating func shrink(to limit: Int, keeping size: Int? = nil) -> [UnsafeMutableRawPointer] {
            self.limit = limit
            var surplus: [UnsafeMutableRawPointer] = []
            for size in free.keys.filter({ $0 != size }).sorted(by: >) + (size.map { [$0] } ?? []) {
                while bytes > limit, let pointer = free[size]?.popLast() {
                    surplus.append(pointer)
                    bytes -= size
                }
            }
            return surplus
        }
    }

    init(budget: MemoryBudget = MemoryBudget(), cacheLimit: Int = 16 << 20) {
        cache = Monitor(Cache(budget: budget, limit: cacheLimit), conditions: 0)
    }

    /// What blocks are charged to from now on. Those that are out stay charged where they were.
    var budget: MemoryBudget {
        get { cache.withLock { $0.budget } }
        set { cache.withLock { $0.budget = newValue } }
    }

    /// Bytes of the blocks that are kept.
    var keptBytes: Int { cache.withLock { $0.bytes } }

    deinit { close() }

    /// Keeps no blocks any more: those that are still out may live for long.
    func close() {
        for pointer in cache.withLock({ $0.shrink(to: 0) }) { pointer.deallocate() }
    }

    /// A block of at least `capacity` bytes; waits where the budget says so. Complexity: constant.
    func block(capacity: Int) -> ByteBlock {
        let size = max(4096, 1 << (Int.bitWidth - (max(capacity, 1) - 1).leadingZeroBitCount))
        let (kept, budget) = cache.withLock { cache -> (UnsafeMutableRawPointer?, MemoryBudget) in
            guard let pointer = cache.free[size]?.popLast() else { return (nil, cache.budget) }
            cache.bytes -= size
            return (pointer, cache.budget)
        }
        budget.take(size)
        let base = kept ?? UnsafeMutableRawPointer.allocate(byteCount: size + blockPadding, alignment: 64)
        return ByteBlock(base: base, capacity: size, pool: self, budget: budget)
    }

    /// A larger block with the same contents.
    func copy(_ block: ByteBlock, capacity: Int) -> ByteBlock {
        let copy = self.block(capacity: capacity)
        copy.base.copyMemory(from: block.base, byteCount: min(block.capacity, capacity))
        return copy
    }

    fileprivate func takeBack(_ pointer: UnsafeMutableRawPointer, _ size: Int) {
        let surplus = cache.withLock { cache in
            cache.free[size, default: []].append(pointer)
            cache.bytes += size
            return cache.bytes > cache.limit ? cache.shrink(to: cache.limit, keeping: size) : []
        }
        for pointer in surplus { pointer.deallocate() }
    }
}
