/// The columns that records of a source have, by name and in order.
///
/// Copies share their storage; equal storage is how encoders know that nothing changed.
public struct Schema: Sendable {
    let storage: Storage

    /// - Parameter names: unique column names, in order.
    public init(_ names: [String]) { storage = Storage(names) }

    /// Column names, in order.
    public var names: [String] { storage.names }

    /// Number of columns.
    public var count: Int { storage.names.count }

    /// Whether a name is there twice, which is not for users to see.
    var hasDuplicates: Bool { storage.hasDuplicates }

    /// Position of a column; names are equal where their bytes are. Complexity: O(length of the name).
    public func index(of name: String) -> Int? {
        var name = name
        return name.withUTF8 { storage.position(of: $0) }
    }

    /// As `index(of:)`, for a column that is likely to be at `place`.
    func index(of name: String, near place: Int) -> Int? {
        place < count && names[place].hasSameBytes(as: name) ? place : index(of: name)
    }

    /// Names and an open hash table of their places: looking a name up takes some 10 ns, where a dictionary of strings takes
    /// ten times that, and `record["name"]` does it for each record.
    final class Storage: Sendable {
        let names: [String]
        let hasDuplicates: Bool
        /// The bytes of all names, and where each one ends.
        private let text: [UInt8]
        private let ends: [Int]
        /// Places by hash, linear probing; -1 is free. At most half full.
        private let table: [Int32]

        init(_ names: [String]) {
            self.names = names
            var text: [UInt8] = []
            var ends: [Int] = []
            text.reserveCapacity(names.reduce(0) { $0 + $1.utf8.count })
            ends.reserveCapacity(names.count)
            var size = 8
            while size < 2 * names.count { size *= 2 }
            var table = [Int32](repeating: -1, count: size)
            var hasDuplicates = false
            for (place, name) in names.enumerated() {
                var name = name
                name.withUTF8 { name in
                    var slot = Self.hash(name) & (size - 1)
                    while table[slot] >= 0 {
                        hasDuplicates = hasDuplicates || Self.isName(Int(table[slot]), name, text, ends)
                        slot = (slot + 1) & (size - 1)
                    }
                    table[slot] = Int32(place)
                    text.append(contentsOf: name)
                    ends.append(text.count)
                }
            }
            self.hasDuplicates = hasDuplicates
            self.text = text
            self.ends = ends
            self.table = table
        }

        func position(of name: UnsafeBufferPointer<UInt8>) -> Int? {
            var slot = Self.hash(name) & (table.count - 1)
            while table[slot] >= 0 {
                let place = Int(table[slot])
                if Self.isName(place, name, text, ends) { return place }
                slot = (slot + 1) & (table.count - 1)
            }
            return nil
        }

        private static func isName(
            _ place: Int, _ name: UnsafeBufferPointer<UInt8>, _ text: [UInt8], _ ends: [Int]
        ) -> Bool {
            let start = place == 0 ? 0 : ends[place - 1]
            guard ends[place] - start == name.count else { return false }
            for offset in 0..<name.count where text[start + offset] != name[offset] { return false }
            return true
        }

        /// FNV-1a, its upper half mixed into the lower one that picks the slot.
        private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
        }
    }
}

extension Schema: Equatable {
    public static func == (left: Schema, right: Schema) -> Bool {
        left.storage === right.storage
            || left.count == right.count && zip(left.names, right.names).allSatisfy { $0.hasSameBytes(as: $1) }
    }
}
