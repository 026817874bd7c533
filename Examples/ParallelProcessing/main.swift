// The guide's second example, on flights: three processors on several threads, one after the other for each chunk.
//
//     sluice-example2 flights.csv flights.jsonl [WORKERS]

import Sluice

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    print("usage: sluice-example2 INPUT OUTPUT [WORKERS]")
    exit(64)
}
let workers = arguments.count > 3 ? Int(arguments[3]) ?? 1 : StreamConfig.activeCores

let airlines: [String: Value] = [
    "9E": "Endeavor Air", "AA": "American Airlines", "AS": "Alaska Airlines", "B6": "JetBlue Airways",
    "DL": "Delta Air Lines",
    "EV": "ExpressJet Airlines", "F9": "Frontier Airlines", "FL": "AirTran Airways", "HA": "Hawaiian Airlines",
    "MQ": "Envoy Air", "OO": "SkyWest Airlines", "UA": "United Air Lines", "US": "US Airways", "VX": "Virgin America",
    "WN": "Southwest Airlines", "YV": "Mesa Airlines",
]

let context = StreamContext(
    StreamConfig(chunkSize: 5000, bufferSize: 50_000, parallelism: workers, backpressureThreshold: 25_000))
// Validate: flights that flew.
context.addProcessor { chunk in
    chunk.data.removeAll { $0["air_time", as: Int.self] == nil }
}
// Enrich, from a dictionary.
context.addProcessor { chunk in
    for i in chunk.data.indices {
        guard let carrier = chunk.data[i]["carrier", as: String.self] else { continue }
        chunk.data[i]["airline"] = airlines[carrier] ?? .null
    }
}
// Transform: what was made up for on the way.
context.addProcessor { chunk in
    for i in chunk.data.indices {
        guard let departure = chunk.data[i]["dep_delay", as: Int.self],
            let arrival = chunk.data[i]["arr_delay", as: Int.self]
        else { continue }
        chunk.data[i]["gain"] = Value(departure - arrival)
    }
}
let metrics = try context.stream(source: FileStreamSource(arguments[1]), sink: FileStreamSink(arguments[2]))
print(metrics.readRecords, metrics.filteredRecords, metrics.writtenRecords, metrics.durationSeconds())
