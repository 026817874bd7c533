/// Puts what comes in any order back into the order of its numbers: 0, 1, 2, …
///
/// Numbers between the next one to leave and the highest that has come are fewer than `capacity`, always.
struct ReorderWindow<Element> {
    /// The next number to leave.
    private(set) var next = 0
    /// Elements that wait.
    private(set) var count = 0
    private var places: [Element?]

    init(capacity: Int) { places = Array(repeating: nil, count: capacity) }

    /// Complexity: O(1).
    mutating func insert(_ element: Element, _ number: Int) {
        precondition(number >= next && number - next < places.count, "number \(number) in a window from \(next)")
        let place = number % places.count
        precondition(places[place] == nil, "number \(number) came twice")
        places[place] = element
        count += 1
    }

    /// The element whose turn it is; nil while it has not come. Complexity: O(1).
    mutating func popNext() -> Element? {
        let place = next % places.count
        guard let element = places[place] else { return nil }
        places[place] = nil
        next += 1
        count -= 1
        return element
    }

    /// Any element that waits, out of turn: there is no next one from then on.
    mutating func popAny() -> Element? {
        guard let place = places.firstIndex(where: { $0 != nil }) else { return nil }
        defer { places[place] = nil }
        count -= 1
        return places[place]
    }

    var hasNext: Bool { places[next % places.count] != nil }
}
