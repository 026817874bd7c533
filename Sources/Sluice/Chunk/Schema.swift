/// The columns that records of a source have, by name and in order.
///
/// Copies share their storage; equal storage is how encoders know that nothing changed.
public struct Schema: Sendable {
    final class Storage: Sendable {
        let names: [String]
        let positions: [ByteKey: Int]

        init(_ names: [String]) {
            self.names = names
            self.positions = Dictionary(
                names.enumerated().map { (ByteKey(text: $1), $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    let storage: Storage

    /// - Parameter names: unique column names, in order.
    public init(_ names: [String]) { storage = Storage(names) }

    /// Column names, in order.
    public var names: [String] { storage.names }

    public var count: Int { storage.names.count }

    /// Position of a column. Complexity: O(1).
    public func index(of name: String) -> Int? { storage.positions[ByteKey(text: name)] }
}

extension Schema: Equatable {
    public static func == (left: Schema, right: Schema) -> Bool {
        left.storage === right.storage
            || left.count == right.count && zip(left.names, right.names).allSatisfy { $0.hasSameBytes(as: $1) }
    }
}
