/// The user's query, in the order of the key where positions are kept, from where the last run has got to.
struct ETLQuery {
    let sql: String
    let parameters: [Value]
    /// Columns whose values say where a row is.
    let position: [String]
    /// The row at the position was written already: reading begins with it.
    let repeatsPosition: Bool

    /// - Parameter key: columns of the query that tell rows apart; empty: the query runs as it is written.
    init(
        _ query: String, _ parameters: [Value], _ mode: ETLMode, key: [String], _ state: ETLState,
        _ database: any StreamDatabase
    ) throws {
        var terms: [String] = []
        var parameters = parameters
        var from: [Value]?
        switch mode.kind {
        case .incremental(let column, _):
            position = [column] + key
            if let mark = state.mark {
                let name = try database.quoted(column)
                terms.append("(\(name) >= ? OR \(name) IS NULL)")
                parameters.append(mark)
            }
        case .append, .upsert:
            position = key
            from = state.position
        case .fullRefresh:
            position = []
        }
        let names = try position.map { try database.quoted($0) }
        if let from, from.count == names.count, !names.isEmpty {
            // Rows that come behind, and that row once more.
            terms.append("(\(names.joined(separator: ", "))) >= (\(names.map { _ in "?" }.joined(separator: ", ")))")
            parameters += from
            repeatsPosition = true
        } else {
            repeatsPosition = false
        }
        self.parameters = parameters
        guard !names.isEmpty else {
            sql = query
            return
        }
        let filter = terms.isEmpty ? "" : " WHERE \(terms.joined(separator: " AND "))"
        sql = "SELECT * FROM \(query.asSubquery) AS rows\(filter) ORDER BY \(names.joined(separator: ", "))"
    }
}
