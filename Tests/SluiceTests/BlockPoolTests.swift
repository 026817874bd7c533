import Testing

@testable import Sluice

@Suite("Pools of blocks")
struct BlockPoolTests {
    @Test("blocks that come back are kept up to a limit, those of the size in use first")
    func keeps() {
        let budget = MemoryBudget()
        let pool = BlockPool(budget: budget, cacheLimit: 64 << 10)
        withExtendedLifetime(pool.block(capacity: 40_000)) { large in
            #expect(budget.used == 64 << 10 && pool.keptBytes == 0 && large.capacity == 64 << 10)
        }
        #expect(budget.used == 0 && pool.keptBytes == 64 << 10)
        withExtendedLifetime((0..<3).map { _ in pool.block(capacity: 1) }) {
            #expect(budget.used == 3 * 4096 && pool.keptBytes == 64 << 10)
        }
        #expect(budget.used == 0 && pool.keptBytes == 3 * 4096)
        withExtendedLifetime((0..<40).map { _ in pool.block(capacity: 4096) }) {
            #expect(pool.keptBytes == 0)
        }
        #expect(pool.keptBytes == 64 << 10 && budget.used == 0)
    }

    @Test("a pool that was closed keeps none, not even those that come back later")
    func closes() {
        let pool = BlockPool()
        withExtendedLifetime(pool.block(capacity: 5000)) {
            _ = pool.block(capacity: 1)
            #expect(pool.keptBytes == 4096)
            pool.close()
            #expect(pool.keptBytes == 0)
        }
        #expect(pool.keptBytes == 0)
        let next = pool.block(capacity: 1)
        #expect(next.capacity == 4096)
    }
}
