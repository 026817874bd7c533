/// Transforms of chunks, ready made: each works on whole columns, whatever the records stand on.
///
///     BasicStreamProcessor(source: source, sink: sink, transform: Processor.all([
///         Processor.filter("age", as: Int.self) { $0 >= 18 },
///         Processor.rename(["name": "full_name"]),
///         Processor.set("seen", to: true),
///     ]))
///
/// Each does what the method of `RecordBatch` of the same name does, and throws what that throws. They hold no state that a
/// result depends on, so one may serve many threads and many runs.
public enum Processor {
    /// Edits a chunk in place.
    public typealias Step = @Sendable (inout StreamChunk) throws -> Void

    /// One step after the other.
    public static func all(_ steps: [Step]) -> Step {
        { chunk in for step in steps { try step(&chunk) } }
    }

    /// Keeps the fields that are named, in this order.
    public static func select(_ names: [String]) -> Step { apply(ColumnView(.select(Schema.unique(names)))) }

    /// Removes fields.
    public static func drop(_ names: [String]) -> Step { apply(ColumnView(.drop(Schema.unique(names)))) }

    /// Gives fields other names: old ones to new ones.
    public static func rename(_ names: [String: String]) -> Step {
        apply(ColumnView(.rename(names.filter { !$0.key.hasSameBytes(as: $0.value) })))
    }

    private static func apply(_ view: ColumnView) -> Step { { chunk in try chunk.data.apply(view) } }

    /// Sets a field of all records to one value; nil removes it.
    public static func set(_ name: String, to value: Value?) -> Step { { chunk in chunk.data.setAll(name, to: value) } }

    /// Keeps the records whose field is included; those that lack it go.
    public static func filter<T: FieldConvertible & SendableMetatype>(
        _ name: String, as type: T.Type, _ isIncluded: @escaping @Sendable (T) throws -> Bool
    ) -> Step { { chunk in try chunk.data.filter(name, as: type, isIncluded) } }

    /// Sets a field to what becomes of it; records that lack it stay as they are.
    public static func map<T: FieldConvertible & SendableMetatype, U: FieldConvertible & SendableMetatype>(
        _ name: String, as type: T.Type, _ transform: @escaping @Sendable (T) throws -> U
    ) -> Step { { chunk in try chunk.data.map(name, as: type, transform) } }
}
