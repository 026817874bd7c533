extension RecordBatch {
    /// Keeps the records whose field, read as `T`, is included. Those that lack it or have null there go.
    ///
    ///     try chunk.data.filter("age", as: Int.self) { $0 >= 18 }
    ///
    /// Complexity: O(n), moving no record.
    /// - Throws: `typeMismatch` with record and column where a field does not fit; what `isIncluded` throws.
    @inlinable public mutating func filter<T: FieldConvertible>(
        _ name: String, as type: T.Type, _ isIncluded: (T) throws -> Bool
    ) throws {
        let values = column(name, as: type)
        var kept: [UInt32] = []
        kept.reserveCapacity(values.count)
        for position in 0..<values.count {
            if let value = values[position] {
                if try isIncluded(value) { kept.append(UInt32(checkedSlot(position))) }
            } else {
                try refuseUnfit(position, name, type)
            }
        }
        keep(kept)
    }

    /// Sets a field to what becomes of it, read as `T`. Records that lack it or have null there stay as they are.
    ///
    ///     try chunk.data.map("price", as: Double.self) { $0 * 1.2 }
    ///
    /// Complexity: O(n).
    /// - Throws: `typeMismatch` with record and column where a field does not fit; what `transform` throws. The batch is then
    ///   unchanged.
    @inlinable public mutating func map<T: FieldConvertible, U: FieldConvertible>(
        _ name: String, as type: T.Type, _ transform: (T) throws -> U
    ) throws {
        let values = column(name, as: type)
        var results: [U?] = []
        results.reserveCapacity(values.count)
        for position in 0..<values.count {
            if values[position] == nil { try refuseUnfit(position, name, type) }
            results.append(try values[position].map(transform))
        }
        setWhereAny(name, results)
    }

    @usableFromInline mutating func setWhereAny<T: FieldConvertible>(_ name: String, _ values: [T?]) {
        guard values.contains(where: { $0 != nil }) else { return }
        setColumn(name) { values[$0]?.value }
    }

    /// Nothing is wrong with a field that is missing or null.
    @usableFromInline func refuseUnfit(_ position: Int, _ name: String, _ type: Any.Type) throws(StreamError) {
        let record = self[position]
        guard let field = storage.field(name, slot: record.slot), !field.isNull else { return }
        throw record.unfit(field, name, type)
    }

    @usableFromInline mutating func keep(_ slots: [UInt32]) {
        if slots.count < count { withCore { $0.setSelection(slots) } }
    }
}
