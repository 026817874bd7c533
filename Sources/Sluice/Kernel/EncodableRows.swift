import CSluice

/// Where an encoder stands; see `sluice_encoder`.
struct RowEncoder {
    var core = sluice_encoder()

    /// - Parameter isArray: JSON rows are elements of an array, a comma and LF before each.
    init(isArray: Bool = false) { core.array = isArray ? 1 : 0 }

    /// The next row to encode.
    var row: Int {
        get { Int(core.row) }
        set { core.row = UInt32(newValue) }
    }
    /// Bytes of the output that are filled.
    var written: Int {
        get { core.written }
        set { core.written = newValue }
    }
    /// Room the next row needs at most, where the output was full.
    var needed: Int { core.needed }
    var errorColumn: Int { Int(core.error_column) }
}

/// The columns of an output, as encoders want them: for each its name, its JSON key, and where a batch has it.
final class OutputColumns {
    let names: [String]
    private(set) var columns: [sluice_column]
    /// Each name, and behind it its JSON key.
    private let text: UnsafeMutablePointer<UInt8>

    init(_ names: [String]) {
        self.names = names
        let room = names.reduce(blockPadding) { $0 + 7 * $1.utf8.count + 6 }
        text = .allocate(capacity: room)
        columns = []
        columns.reserveCapacity(names.count)
        var end = text
        for name in names {
            var name = name
            name.withUTF8 { name in
                if let start = name.baseAddress { end.initialize(from: start, count: name.count) }
                let key = end + name.count
                let length = Kernel.singles.json_key(end, name.count, key)
                columns.append(sluice_column(field: -1, overlay: -1, key: key, key_length: UInt32(length)))
                end = key + length
            }
        }
        end.initialize(repeating: 0, count: blockPadding)
    }

    deinit { text.deallocate() }

    /// Column `position` is column `field` of the base and column `overlay` of the overlay; nil: of neither.
    func bind(_ position: Int, field: Int?, overlay: Int?) {
        columns[position].field = Int32(field ?? -1)
        columns[position].overlay = Int32(overlay ?? -1)
    }

    /// Gives the columns of an overlay their names.
    func name(_ overlays: UnsafeMutableBufferPointer<OverlayCells>) {
        for (position, column) in columns.enumerated() where column.overlay >= 0 {
            let length = names[position].utf8.count
            overlays[Int(column.overlay)].name = column.key - length
            overlays[Int(column.overlay)].name_length = UInt32(length)
        }
    }
}

/// What stands beside the bytes of rows and says where their fields are.
enum IndexLayout {
    /// Cells: `ends[row * columns + column]`, `starts[row]`.
    case csv(ends: UnsafePointer<UInt32>, starts: UnsafePointer<UInt32>)
    /// JSON values: `tape` and `rows`. With a projection, fields are `projection[row * columns + column]`.
    case json(tape: UnsafePointer<UInt32>, rows: UnsafePointer<JSONRow>, projection: UnsafePointer<UInt32>?)
}

/// A column of cells that were set.
typealias OverlayCells = sluice_overlay

extension OverlayCells {
    init(tags: UnsafePointer<UInt8>, payloads: UnsafePointer<UInt64>, isConstant: Bool) {
        self.init(tags: tags, payloads: payloads, constant: isConstant ? 1 : 0, name: nil, name_length: 0)
    }
}

/// Rows on their way into an encoder; see `sluice_rows`. Valid while all that it was made of is.
struct EncodableRows {
    private(set) var core = sluice_rows()

    /// Rows that stand on their cells alone.
    /// - Parameters:
    ///   - slots: those to encode, in order; nil: the first `count`.
    ///   - arena: the text of cells.
    init(
        count: Int, slots: UnsafePointer<UInt32>?, overlays: UnsafeMutableBufferPointer<OverlayCells>,
        arena: UnsafePointer<UInt8>?
    ) {
        core.count = UInt32(count)
        core.selection = slots
        core.overlays = UnsafePointer(overlays.baseAddress)
        core.overlay_count = UInt32(overlays.count)
        core.arena = arena
    }

    /// Puts the slots from 0 on over `rows` of an index.
    mutating func stand(
        on bytes: UnsafePointer<UInt8>, _ layout: IndexLayout, columns: Int, flags: UInt32, rows: Range<Int>
    ) {
        core.bytes = bytes
        core.columns = UInt32(columns)
        core.flags = flags
        core.first_row = UInt32(rows.lowerBound)
        core.base_rows = UInt32(rows.count)
        switch layout {
        case .csv(let ends, let starts):
            core.base = SLUICE_BASE_CSV.rawValue
            core.ends = ends
            core.row_starts = starts
        case .json(let tape, let jsonRows, let projection):
            core.base = projection == nil ? SLUICE_BASE_JSON.rawValue : SLUICE_BASE_PROJECTED.rawValue
            core.tape = tape
            core.rows = UnsafeRawPointer(jsonRows).assumingMemoryBound(to: sluice_json_row.self)
            core.projection = projection
        }
    }

    /// Says what the cells of a CSV index are.
    mutating func readCells(_ dialect: CSVDialect, nulls: CSVNulls?, isInferred: Bool, isBinary: Bool) {
        core.dialect = dialect.core
        core.nulls = nulls.map { UnsafePointer($0.core) }
        core.inferred = isInferred ? 1 : 0
        core.binary = isBinary ? 1 : 0
    }
}

/// Rows of a batch and where each column of an output is in them. Valid during the call that they are handed to.
package struct BoundRows {
    let rows: EncodableRows
    let columns: OutputColumns
    /// Which records of the batch these are.
    package let positions: Range<Int>
    /// JSON records with keys of their own: the columns are what was set on them.
    let isRecords: Bool

    /// Calls `body` with the rows as the C core has them; `sluice_value_at` reads their fields.
    package func withCore<R>(
        _ body: (UnsafePointer<sluice_rows>, UnsafePointer<sluice_column>, Int) throws -> R
    ) rethrows -> R {
        try withUnsafePointer(to: rows.core) { rows in
            try columns.columns.withUnsafeBufferPointer { columns in
                // SAFETY: a writer has columns, or nothing to bind.
                try body(rows, columns.baseAddress.unsafelyUnwrapped, columns.count)
            }
        }
    }
}
