/// What an `ETLProcessor` does with the rows that the target has.
public struct ETLMode: Sendable, Hashable {
    enum Kind: Hashable {
        case fullRefresh
        case append(key: [String])
        case upsert(key: [String])
        case incremental(column: String, key: [String])
    }

    let kind: Kind

    /// The target's rows are replaced, all in one transaction: others see the old ones or the new ones.
    public static let fullRefresh = ETLMode(kind: .fullRefresh)

    /// Rows are added, all in one transaction.
    public static let append = ETLMode(kind: .append(key: []))

    /// Rows are added in the order of the key, and committed now and then: a run goes on behind what the one before has committed,
    /// whether that was killed or came to its end. Rows that get a lower key later are not seen. No two rows have the same key, and
    /// none has null there.
    /// - Parameter key: columns of the target, with a unique index.
    public static func append(key: [String]) -> ETLMode { ETLMode(kind: .append(key: key)) }

    /// Rows are added, or change those that have their key. Read in the order of the key, and committed now and then: a run that
    /// was killed goes on behind what it has committed.
    /// - Parameter key: columns of the target, with a unique index.
    public static func upsert(key: [String]) -> ETLMode { ETLMode(kind: .upsert(key: key)) }

    /// As `upsert`, but of rows that are new: those whose column has at least the value that was the highest so far (and those where
    /// it is null). That mark is kept in the target, in the transaction of the rows.
    /// - Parameters:
    ///   - column: of the query, grows with each change: a time stamp, say.
    ///   - key: columns of the target, with a unique index.
    public static func incremental(column: String, key: [String]) -> ETLMode {
        ETLMode(kind: .incremental(column: column, key: key))
    }
}

extension ETLMode {
    /// Columns of the target that tell rows apart.
    var key: [String] {
        switch kind {
        case .fullRefresh: []
        case .append(let key), .upsert(let key), .incremental(_, let key): key
        }
    }

    var writeMode: WriteMode {
        switch kind {
        case .fullRefresh, .append: .insert
        case .upsert(let key), .incremental(_, let key): .upsert(key: key)
        }
    }

    /// How it is named where positions are kept.
    var name: String {
        switch kind {
        case .fullRefresh: "full refresh"
        case .append(let key): "append \(key)"
        case .upsert(let key): "upsert \(key)"
        case .incremental(let column, let key): "incremental \(column) \(key)"
        }
    }
}
