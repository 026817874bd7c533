// A table of one database into another, changed on the way: what is killed goes on when it is started again.
//
//     sluice-example-etl SOURCE.db TARGET.db TABLE append|upsert|refresh|incremental

import Sluice
import SluiceSQLite

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

let arguments = CommandLine.arguments
let modes: [String: ETLMode] = [
    "append": .append(key: ["id"]), "upsert": .upsert(key: ["id"]), "refresh": .fullRefresh,
    "incremental": .incremental(column: "changed", key: ["id"]),
]
guard arguments.count == 5, let mode = modes[arguments[4]] else {
    print("usage: sluice-example-etl SOURCE TARGET TABLE append|upsert|refresh|incremental")
    exit(64)
}
let table = arguments[3]
let source = try SQLiteDatabase(arguments[1], mode: .readOnly)
let target = try SQLiteDatabase(arguments[2], busyTimeoutSeconds: 10)

var etl = ETLProcessor(
    source: source, query: "SELECT * FROM \(try source.quoted(table))", target: target, table: table, mode: mode)
etl.createsTable = true
etl.transactionSize = 2000
etl.transform = { chunk in
    for i in chunk.data.indices {
        chunk.data[i]["total"] = Value((chunk.data[i]["price", as: Double.self] ?? 0) * 1.2)
    }
}
let metrics = try etl.process()
print("\(metrics.itemsProcessed) rows in \(metrics.durationSeconds()) s")
