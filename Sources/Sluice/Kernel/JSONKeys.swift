import CSluice

/// Keys that are looked for in one JSON object after the other: all of them in one walk over the object.
final class JSONKeys {
    private var paths: UnsafeMutablePointer<sluice_json_path>
    private var capacity = 8
    private(set) var count = 0
    /// After `find`: the tape's place of each key's value, or `JSONTape.absent`.
    private(set) var places: UnsafeMutablePointer<UInt32>

    init() {
        paths = .allocate(capacity: capacity)
        places = .allocate(capacity: capacity)
    }

    deinit {
        for number in 0..<count { paths[number].name.deallocate() }
        paths.deallocate()
        places.deallocate()
    }

    func append(_ name: String) {
        if count == capacity { grow() }
        var name = name
        let path = name.withUTF8 { name in
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, name.count))
            if let start = name.baseAddress { copy.update(from: start, count: name.count) }
            return sluice_json_path(name: copy, length: UInt32(name.count))
        }
        (paths + count).initialize(to: path)
        count += 1
    }

    /// Finds the keys in the object at `position` of the tape; of duplicates the last. Complexity: O(members), where they come
    /// in the order of the keys.
    func find(_ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ position: Int) {
        var row = sluice_json_row(tape: UInt32(position), start: 0, end: 0)
        _ = Kernel.singles.json_project_keys(bytes, tape, &row, 1, paths, UInt32(count), places)
    }

    /// The place of each key's value in rows of a JSON index, row by row.
    func project(
        _ bytes: UnsafePointer<UInt8>, _ tape: UnsafePointer<UInt32>, _ rows: UnsafePointer<JSONRow>,
        count rowCount: Int,
        into places: UnsafeMutablePointer<UInt32>
    ) {
        rows.withMemoryRebound(to: sluice_json_row.self, capacity: rowCount) {
            _ = Kernel.singles.json_project_keys(bytes, tape, $0, UInt32(rowCount), paths, UInt32(count), places)
        }
    }

    private func grow() {
        let larger = UnsafeMutablePointer<sluice_json_path>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: paths, count: count)
        paths.deallocate()
        places.deallocate()
        capacity *= 2
        paths = larger
        places = .allocate(capacity: capacity)
    }
}
