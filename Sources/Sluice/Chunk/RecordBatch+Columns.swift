extension RecordBatch {
    /// A column, read as `T`: nil where a record lacks the field or it does not fit. The name is looked up once.
    /// Complexity: O(n); the array is all that is allocated. `Int` and `Double` are read from CSV many cells at a time.
    @inlinable public func column<T: FieldConvertible>(_ name: String, as type: T.Type) -> [T?] {
        // SAFETY: the two types are the same.
        if T.self == Int.self, let values = integers(name) { return unsafeBitCast(values, to: [T?].self) }
        if T.self == Double.self, let values = doubles(name) { return unsafeBitCast(values, to: [T?].self) }
        let place = storage.place(of: name)
        var values: [T?] = []
        values.reserveCapacity(count)
        for position in 0..<count {
            let slot = storage.core.pointee.slot(position)
            values.append(storage.field(at: place, name, slot: slot).flatMap { T(field: $0) })
        }
        return values
    }

    /// A column that each record has: `column(_:as:)` without a nil.
    /// - Throws: `StreamError` with record and column, as `decode`: `missingField`, `nullField`, `typeMismatch`.
    @inlinable public func requireColumn<T: FieldConvertible>(
        _ name: String, as type: T.Type
    ) throws(StreamError) -> [T] {
        let optional = column(name, as: type)
        var values: [T] = []
        values.reserveCapacity(optional.count)
        for value in optional {
            guard let value else { throw unfit(values.count, name, type) }
            values.append(value)
        }
        return values
    }

    /// Sets a field of all records, each to its value, in order. Complexity: O(n).
    /// - Precondition: there is one value for each record.
    public mutating func setColumn<T: FieldConvertible>(_ name: String, to values: [T]) {
        precondition(values.count == count, "a column has a value for each record")
        setColumn(name) { values[$0].value }
    }

    /// Sets a field of all records, each to its value, in order; nil is null. Complexity: O(n).
    /// - Precondition: there is one value for each record.
    public mutating func setColumn<T: FieldConvertible>(_ name: String, to values: [T?]) {
        precondition(values.count == count, "a column has a value for each record")
        setColumn(name) { Value(values[$0]) }
    }

    /// Sets a field of all records but those that `value` has nothing for.
    @inline(__always) mutating func setColumn(_ name: String, _ value: (Int) throws -> Value?) rethrows {
        let count = count
        try withCore { core in
            let number = core.column(named: name)
            if core.columns[number].isConstant { core.expandColumn(number) }
            let mayBeOutOfOrder = core.mayBeOutOfOrder(number)
            for position in 0..<count {
                guard let value = try value(position) else { continue }
                let slot = core.slot(position)
                if mayBeOutOfOrder { core.placeKey(number, slot, isRemoved: false) }
                core.setCell(number, slot, to: value)
            }
        }
    }

    @usableFromInline func unfit(_ position: Int, _ name: String, _ type: Any.Type) -> StreamError {
        let record = self[position]
        var error = record.unfit(storage.field(name, slot: record.slot), name, type)
        error.record = error.record ?? position + 1
        return error
    }
}

// MARK: - Many cells at a time

extension RecordBatch {
    /// The column as integers; nil where it is no plain column of CSV cells.
    @usableFromInline func integers(_ name: String) -> [Int?]? {
        guard MemoryLayout<Int>.size == 8, let column = numberColumn(name) else { return nil }
        // To fill an array of none writes into what all empty ones share.
        guard count > 0 else { return [] }
        return [Int?](unsafeUninitializedCapacity: count) { room, filled in
            column.integers { value in
                room.initializeElement(at: filled, to: value.map { Int(truncatingIfNeeded: $0) })
                filled += 1
            }
        }
    }

    /// The column as doubles; nil where it is no plain column of CSV cells.
    @usableFromInline func doubles(_ name: String) -> [Double?]? {
        guard let column = numberColumn(name) else { return nil }
        guard count > 0 else { return [] }
        return [Double?](unsafeUninitializedCapacity: count) { room, filled in
            column.doubles { value in
                room.initializeElement(at: filled, to: value)
                filled += 1
            }
        }
    }

    private func numberColumn(_ name: String) -> NumberColumn? {
        let core = storage.core.pointee
        guard let base = storage.base, case .csv(let ends, let starts) = base.layout, core.slotCount == core.baseRows,
            core.findColumn(name) == nil, let position = base.schema?.index(of: name), base.hasPlainCells
        else { return nil }
        let column = base.indexColumn(position)
        // Texts that mean null may be numbers, and an escape may stand in one: those are looked at one by one.
        guard column >= 0, !base.isBinary, base.nulls == nil, base.dialect.escape == 0 else { return nil }
        return NumberColumn(
            bytes: base.bytes, ends: ends, starts: starts, columns: base.columns, column: column,
            quote: base.dialect.quote, firstRow: core.firstRow, slots: core.selection.map { UnsafePointer($0) },
            count: count)
    }
}

/// Where a column of a batch is: looked up once, good for all its rows.
@usableFromInline struct ColumnPlace {
    let overlay: Int?
    let schema: Int?
    /// Each record has keys of its own.
    let isByKey: Bool
}

extension BatchStorage {
    @usableFromInline func place(of name: String) -> ColumnPlace {
        ColumnPlace(
            overlay: core.pointee.findColumn(name), schema: base?.schema?.index(of: name),
            isByKey: base.map { $0.schema == nil } ?? false)
    }

    @usableFromInline func field(at place: ColumnPlace, _ name: String, slot: Int) -> Field? {
        if let overlay = place.overlay, let cell = overlayField(overlay, slot: slot) { return cell }
        if place.isByKey { return baseField(name, slot: slot) }
        guard let base, let position = place.schema, slot < core.pointee.baseRows else { return nil }
        return base.field(core.pointee.firstRow + slot, position)
    }
}
