/// The order of a row's fields, where it is not that of the columns.
struct KeyOrder: Hashable {
    /// All columns that have a cell at the row, but for cells that are hidden because it `isAlone`. Fields that the base has stand
    /// where they do there all the same.
    var columns: [Int]
    /// The row was replaced whole: it stands on its cells alone, whatever its base has.
    var isAlone: Bool

    /// The same with `column` at the end.
    func adding(_ column: Int) -> KeyOrder {
        KeyOrder(columns: columns.filter { $0 != column } + [column], isAlone: isAlone)
    }
}

/// Which rows of a batch have an order of their own. It belongs to one core alone.
///
/// Each order is kept once, and rows that are set in a loop find theirs by the step that the row before them took, so that
/// nothing is allocated for a row.
final class KeyOrders {
    /// By slot: the number of its order, 0 for none. Slots behind the end have none.
    private var numbers: [UInt32] = []
    /// Each order, from number 1 on, and the step last taken from it.
    private var orders: [(order: KeyOrder, step: Step)] = []
    /// The step last taken from none.
    private var firstStep = Step()
    private var known: [KeyOrder: UInt32] = [:]

    /// The column that was added, and the number of what became of it.
    private struct Step {
        var column = -1
        var number: UInt32 = 0
    }

    /// Equal numbers are equal orders; 0: none.
    func number(_ slot: Int) -> Int { slot < numbers.count ? Int(numbers[slot]) : 0 }

    func order(_ number: Int) -> KeyOrder? { number == 0 ? nil : orders[number - 1].order }

    subscript(slot: Int) -> KeyOrder? {
        get { order(number(slot)) }
        set {
            if let newValue {
                assign(intern(newValue), slot)
            } else if slot < numbers.count {
                numbers[slot] = 0
            }
        }
    }

    /// A row that has an order gets `column` at its end.
    func add(_ column: Int, to slot: Int) {
        let old = number(slot) - 1
        if orders[old].step.column != column {
            orders[old].step = Step(column: column, number: intern(orders[old].order.adding(column)))
        }
        numbers[slot] = orders[old].step.number
    }

    /// A row that has none gets that of all its columns and then `column`.
    func begin(_ slot: Int, _ columns: some Sequence<Int>, _ column: Int) {
        if firstStep.column != column
            || !orders[Int(firstStep.number) - 1].order.columns.dropLast().elementsEqual(columns)
        {
            firstStep = Step(column: column, number: intern(KeyOrder(columns: columns + [column], isAlone: false)))
        }
        assign(firstStep.number, slot)
    }

    func copy() -> KeyOrders { map { $0 } }

    /// The same with each order as `transform` has it; nil: none.
    func map(_ transform: (KeyOrder) -> KeyOrder?) -> KeyOrders {
        let mapped = KeyOrders()
        let changed = orders.map { transform($0.order).map { mapped.intern($0) } ?? 0 }
        mapped.numbers = numbers.map { $0 == 0 ? 0 : changed[Int($0) - 1] }
        return mapped
    }

    private func assign(_ number: UInt32, _ slot: Int) {
        if slot >= numbers.count { numbers.append(contentsOf: repeatElement(0, count: slot + 1 - numbers.count)) }
        numbers[slot] = number
    }

    private func intern(_ order: KeyOrder) -> UInt32 {
        if let number = known[order] { return number }
        orders.append((order, Step()))
        let number = UInt32(orders.count)
        known[order] = number
        return number
    }

    /// Bytes on the heap, about. Complexity: O(orders).
    var heldBytes: Int { orders.reduce(numbers.count * 4) { $0 + 128 + 8 * $1.order.columns.count } }
}

extension KeyOrders {
    /// Whether no row was replaced whole.
    var areAllOnBase: Bool { !orders.contains { $0.order.isAlone } }

    /// One order of `columnCount` columns that suits all rows that have one here, next to that of the columns; nil where there
    /// is none, or rows stand on their cells alone. What sets fields one after the other, some of them not always, makes such
    /// orders. Complexity: O(columns² + columns × orders).
    func common(_ columnCount: Int) -> [Int]? {
        var followers = [Set<Int>](repeating: [], count: columnCount)
        var waitsFor = [Int](repeating: 0, count: columnCount)
        guard areAllOnBase else { return nil }
        for (order, _) in orders {
            for (column, next) in zip(order.columns, order.columns.dropFirst())
            where followers[column].insert(next).inserted { waitsFor[next] += 1 }
        }
        var common: [Int] = []
        while common.count < columnCount {
            guard let column = waitsFor.firstIndex(of: 0) else { return nil }
            waitsFor[column] = -1
            common.append(column)
            for next in followers[column] { waitsFor[next] -= 1 }
        }
        return common
    }
}
