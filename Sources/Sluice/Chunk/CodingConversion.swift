/// How fields become values of a type, or values fields, that the type itself would do otherwise: dates, decimals.
///
///     let events = try batch.decode(
///         Event.self, converting: [.decoding(Date.self) { Date(timeIntervalSince1970: $0) }])
///     let batch = try RecordBatch(
///         encoding: events, converting: [.encoding(Date.self) { Value($0.timeIntervalSince1970) }])
///
/// It acts wherever the type occurs: as a field, in arrays, in nested objects, inside an Optional.
public struct CodingConversion: Sendable {
    typealias Decode = @Sendable (Field) throws -> Any?
    typealias Encode = @Sendable (Any) throws -> Value

    let type: ObjectIdentifier
    let decode: Decode?
    let encode: Encode?

    /// Values of `type` are made of fields read as `Raw`: what the closure takes (`Value` for whatever is there). A field that is
    /// no `Raw`, and nil, are type mismatches.
    public static func decoding<T, Raw: FieldConvertible & SendableMetatype>(
        _ type: T.Type, _ convert: @escaping @Sendable (Raw) throws -> T?
    ) -> CodingConversion {
        CodingConversion(
            type: ObjectIdentifier(type), decode: { field in try Raw(field: field).flatMap { try convert($0) } },
            encode: nil)
    }

    /// Values of `type` are written as what the closure returns.
    public static func encoding<T>(
        _ type: T.Type, _ convert: @escaping @Sendable (T) throws -> Value
    ) -> CodingConversion {
        CodingConversion(
            type: ObjectIdentifier(type), decode: nil,
            encode: { value in
                guard let value = value as? T else {
                    throw StreamError(.typeMismatch, "the value is no \(type)", stage: "process")
                }
                return try convert(value)
            })
    }
}

/// A key on the way to a value.
struct PathKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }
}

/// The way to a value: keys from the record down. A list that shares its beginnings, so that no key is made before an error asks
/// for it.
final class CodingStep {
    private let parent: CodingStep?
    var name: String
    /// Of an element of an array.
    var index: Int?

    init(_ parent: CodingStep?, name: String, index: Int? = nil) {
        self.parent = parent
        self.name = name
        self.index = index
    }

    var path: [any CodingKey] {
        (parent?.path ?? []) + [index.map { PathKey(intValue: $0) } ?? PathKey(stringValue: name)]
    }
}
