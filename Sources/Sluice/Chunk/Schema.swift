import Synchronization

/// The columns that records of a source have, by name and in order.
///
/// Copies share their storage; equal storage is how encoders know that nothing changed.
public struct Schema: Sendable {
    final class Storage: Sendable {
        let names: [String]
        private let positions: [ByteKey: Int]
        /// Column that was asked for last: loops over records ask for the same ones.
        private let hint = Atomic<Int>(0)

        init(_ names: [String]) {
            self.names = names
            self.positions = Dictionary(
                names.enumerated().map { (ByteKey(text: $1), $0) }, uniquingKeysWith: { first, _ in first })
        }

        func position(of name: String) -> Int? {
            let guess = hint.load(ordering: .relaxed)
            for place in guess...guess + 1 where place < names.count && names[place].hasSameWords(as: name) {
                hint.store(place, ordering: .relaxed)
                return place
            }
            guard let place = positions[ByteKey(text: name)] else { return nil }
            hint.store(place, ordering: .relaxed)
            return place
        }
    }

    let storage: Storage

    /// - Parameter names: unique column names, in order.
    public init(_ names: [String]) { storage = Storage(names) }

    /// Column names, in order.
    public var names: [String] { storage.names }

    public var count: Int { storage.names.count }

    /// Position of a column. Complexity: O(1).
    public func index(of name: String) -> Int? { storage.position(of: name) }
}

extension Schema: Equatable {
    public static func == (left: Schema, right: Schema) -> Bool {
        left.storage === right.storage
            || left.count == right.count && zip(left.names, right.names).allSatisfy { $0.hasSameBytes(as: $1) }
    }
}
