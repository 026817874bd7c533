extension RecordBatch {
    /// The records as values of a type.
    ///
    ///     struct Flight: Decodable { var year: Int; var carrier: String; var dep_delay: Double? }
    ///     let flights = try chunk.data.decode(Flight.self)
    ///
    /// Text is read by the grammar of `FieldConvertible`; an empty CSV cell is nil for an Optional. Which fields the type asks for
    /// is learnt from the first record, and their places looked up once. Complexity: O(records × fields asked for), for JSON
    /// records O(members of the objects that are looked into); nothing is allocated per record but what values need.
    ///
    /// - Parameter conversions: how types are read that would not do it themselves, as dates.
    /// - Throws: `StreamError` with record and column, as `user.name`: `missingField`, `nullField`, `typeMismatch`. The record is
    ///   that of the file, or of the batch where it is of none, from 1.
    @inlinable public func decode<T: Decodable>(
        _ type: T.Type, converting conversions: [CodingConversion] = []
    ) throws(StreamError) -> [T] {
        var values: [T] = []
        values.reserveCapacity(count)
        let rows = DecodableRows(self, conversions)
        defer { rows.release() }
        do {
            for position in 0..<count { values.append(try rows.decode(position, type)) }
        } catch {
            throw StreamError(decoding: self[values.count], error, position: values.count)
        }
        return values
    }
}

extension Record {
    /// The record as a value of a type: see `RecordBatch.decode`, which does it for many at once.
    public func decode<T: Decodable>(
        _ type: T.Type, converting conversions: [CodingConversion] = []
    ) throws(StreamError) -> T {
        guard let access else { preconditionFailure("a record was used while it was being moved") }
        let node = DecodingNode(DecodingPlan(access, conversions), nil, isReused: false)
        node.move(toRow: slot)
        do {
            return try node.decode(type)
        } catch {
            throw StreamError(decoding: self, error)
        }
    }
}

/// Rows of a batch on their way to values.
@usableFromInline final class DecodableRows {
    private let root: DecodingNode
    private let core: UnsafeMutablePointer<BatchCore>

    @usableFromInline init(_ batch: RecordBatch, _ conversions: [CodingConversion]) {
        let access = batch.access ?? BatchAccess(batch.storage)
        root = DecodingNode(DecodingPlan(access, conversions), nil, isReused: true)
        core = batch.storage.core
    }

    @usableFromInline func decode<T: Decodable>(_ position: Int, _ type: T.Type) throws -> T {
        root.move(toRow: core.pointee.slot(position))
        return try root.decode(type)
    }

    @usableFromInline func release() { root.release() }
}

extension StreamError {
    /// What stopped a record, number `position` of a batch, from becoming a value.
    @usableFromInline init(decoding record: Record, _ error: any Error, position: Int? = nil) {
        var path: [any CodingKey] = []
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            self.init(.missingField, "the field is missing")
            // Some name the object, some the key in it.
            path = context.codingPath
            if path.last?.stringValue != key.stringValue { path.append(key) }
        case DecodingError.valueNotFound(_, let context):
            self.init(.nullField, "the field is null")
            path = context.codingPath
        case DecodingError.typeMismatch(let type, let context):
            self.init(.typeMismatch, "the field is no \(type)")
            path = context.codingPath
        case DecodingError.dataCorrupted(let context):
            // What the type says of it may quote the record.
            self.init(.typeMismatch, "the field does not fit the type")
            path = context.codingPath
        case let error as StreamError: self = error
        default: self.init(.processorFailed, "\(error)")
        }
        if underlying == nil, !(error is StreamError) { underlying = error }
        self.path = self.path ?? record.storage.base?.origin.path
        self.record = self.record ?? record.number ?? position.map { $0 + 1 }
        byteOffset = byteOffset ?? record.byteOffset
        column = column ?? (path.isEmpty ? nil : path.map(\.stringValue).joined(separator: "."))
        stage = stage ?? "process"
    }
}
