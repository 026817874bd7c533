import Foundation
import Sluice
import SwiftCSV
import Synchronization

private struct Flight: Decodable {
    var year: Int
    var number: Int
    var carrier: String
    var destination: String
    var delay: Double?
    var distance: Int

    enum CodingKeys: String, CodingKey {
        case year, carrier, distance
        case number = "flight"
        case destination = "dest"
        case delay = "dep_delay"
    }

    var sum: Int { year &+ number &+ distance &+ Int(delay ?? 0) &+ sumOfBytes(carrier) &+ sumOfBytes(destination) }
}

private struct Tweet: Decodable {
    struct User: Decodable {
        var name: String

        enum CodingKeys: String, CodingKey { case name = "screen_name" }
    }

    var id: Int
    var text: String
    var user: User

    var sum: Int { id &+ sumOfBytes(text) &+ sumOfBytes(user.name) }
}

/// Records as values of Swift: structs and fields by name. Answers are sums of all that was read.
func addTypedSuites() {
    addFlights()
    addTweets()
}

extension Workload {
    /// One thread, by each of the other kernels: single values go by the process's kernel, and each way has its process.
    func addKernels(_ prepare: @escaping (KernelChoice) throws -> () throws -> Int) {
        for kernel in kernelChoices where kernel != fastestChoice {
            add("sluice, one thread, " + (kernel == .swift ? "pure Swift" : title(kernel))) {
                setenv("SLUICE_KERNEL", kernel.rawValue, 1)
                return try prepare(kernel)
            }
        }
    }
}

private func addFlights() {
    let whole = Lazy { InputFile("flights.csv", megabytes: Inputs.isQuick ? 4 : 32) }
    let part = Lazy { InputFile("flights.csv", megabytes: 1) }
    let workload = Workload("csv-codable", "flights.csv") {
        whole.value.facts(Workload.orStop("SwiftCSV") { try sumByNumber(whole.value.path) })
    }
    workload.add("sluice, one thread") { { sumOfFlights(whole.value.path) } }
    workload.addKernels { _ in { sumOfFlights(whole.value.path) } }
    workload.add("sluice") { { try sumOnAllCores(flightSource(whole.value.path), sumOfFlights) } }
    workload.add("SwiftCSV by hand", of: Lazy { part.value.facts(sumOfFlights(part.value.path)) }) {
        let url = URL(fileURLWithPath: part.value.path)
        return {
            let csv = try NamedCSV(url: url, delimiter: .comma, loadColumns: false)
            return csv.rows.reduce(0) { $0 &+ flight($1).sum }
        }
    }
    // Faster, and one has to know where columns are.
    workload.add("SwiftCSV by hand, by number", of: Lazy { part.value.facts(sumOfFlights(part.value.path)) }) {
        { try sumByNumber(part.value.path) }
    }
}

private func sumByNumber(_ path: String) throws -> Int {
    let csv = try EnumeratedCSV(url: URL(fileURLWithPath: path), delimiter: .comma, loadColumns: false)
    let names = csv.header
    let places = ["year", "flight", "carrier", "dest", "dep_delay", "distance"].map { names.firstIndex(of: $0) ?? 0 }
    return csv.rows.reduce(0) { sum, row in
        guard let year = Int(row[places[0]]), let number = Int(row[places[1]]), let distance = Int(row[places[5]])
        else {
            fatalError("a flight that is none: \(row)")
        }
        let flight = Flight(
            year: year, number: number, carrier: row[places[2]], destination: row[places[3]],
            delay: Double(row[places[4]]), distance: distance)
        return sum &+ flight.sum
    }
}

private func sumOfFlights(_ path: String) -> Int {
    Workload.orStop(path) {
        var sum = 0
        try flightSource(path).forEach { sum &+= try sumOfFlights($0.data) }
        return sum
    }
}

private func flightSource(_ path: String) throws -> FileStreamSource {
    try FileStreamSource(path, csv: CSVOptions(nulls: ["NA"]))
}

private func sumOfFlights(_ batch: RecordBatch) throws -> Int {
    var sum = 0
    for flight in try batch.decode(Flight.self) { sum &+= flight.sum }
    return sum
}

/// What `sum` makes of all batches, on as many threads as there are cores.
func sumOnAllCores(
    _ source: FileStreamSource, _ sum: @escaping @Sendable (RecordBatch) throws -> Int
) throws -> Int {
    let total = Mutex(0)
    try StreamContext().stream(source: source, sink: MemoryStreamSink()) { chunk -> StreamChunk? in
        let part = try sum(chunk.data)
        total.withLock { $0 &+= part }
        return nil
    }
    return total.withLock { $0 }
}

private func flight(_ row: [String: String]) -> Flight {
    guard let year = row["year"].flatMap({ Int($0) }), let number = row["flight"].flatMap({ Int($0) }),
        let carrier = row["carrier"], let destination = row["dest"], let distance = row["distance"].flatMap({ Int($0) })
    else { fatalError("a flight that is none: \(row)") }
    return Flight(
        year: year, number: number, carrier: carrier, destination: destination,
        delay: row["dep_delay"].flatMap { Double($0) }, distance: distance)
}

private func addTweets() {
    let whole = Lazy { InputFile("tweets.jsonl", megabytes: Inputs.whole) }
    let part = Lazy { JSONLinesInMemory("tweets.jsonl") }
    let facts = Lazy { part.value.facts(sumOfTweets(part.value.input.file())) }
    func expected() -> Facts {
        whole.value.facts(
            Workload.orStop("JSONSerialization") {
                try JSONLinesInMemory("tweets.jsonl", megabytes: Inputs.whole).lines.reduce(0) {
                    $0 &+ sum(try JSONSerialization.jsonObject(with: $1))
                }
            })
    }

    let structs = Workload("jsonl-codable", "tweets.jsonl", expected)
    structs.add("sluice, one thread") { { sumOfTweets(whole.value.path) } }
    structs.addKernels { _ in { sumOfTweets(whole.value.path) } }
    structs.add("sluice") { { try sumOnAllCores(FileStreamSource(whole.value.path), sumOfTweets) } }
    structs.add("JSONDecoder", of: facts) {
        let (lines, decoder) = (part.value.lines, JSONDecoder())
        return { try lines.reduce(0) { $0 &+ (try decoder.decode(Tweet.self, from: $1).sum) } }
    }

    let fields = Workload("jsonl-fields", "tweets.jsonl", expected)
    fields.add("sluice, one thread") { { try sumOfTweetFields(whole.value.path) } }
    fields.addKernels { _ in { try sumOfTweetFields(whole.value.path) } }
    fields.add("sluice") { { try sumOnAllCores(fieldSource(whole.value.path), sumOfTweetFields) } }
    fields.add("JSONSerialization", of: facts) {
        let lines = part.value.lines
        return { try lines.reduce(0) { $0 &+ sum(try JSONSerialization.jsonObject(with: $1)) } }
    }
}

private func sumOfTweets(_ path: String) -> Int {
    Workload.orStop(path) {
        var sum = 0
        try FileStreamSource(path).forEach { sum &+= try sumOfTweets($0.data) }
        return sum
    }
}

private func sumOfTweets(_ batch: RecordBatch) throws -> Int {
    var sum = 0
    for tweet in try batch.decode(Tweet.self) { sum &+= tweet.sum }
    return sum
}

private func sumOfTweetFields(_ path: String) throws -> Int {
    var sum = 0
    try fieldSource(path).forEach { sum &+= try sumOfTweetFields($0.data) }
    return sum
}

private func fieldSource(_ path: String) throws -> FileStreamSource {
    try FileStreamSource(path, select: ["id", "text", "user.screen_name"])
}

private func sumOfTweetFields(_ batch: RecordBatch) throws -> Int {
    let ids = try batch.requireColumn("id", as: Int.self)
    let texts = try batch.requireColumn("text", as: String.self)
    let names = try batch.requireColumn("user.screen_name", as: String.self)
    var sum = 0
    for position in ids.indices {
        sum &+= ids[position] &+ sumOfBytes(texts[position]) &+ sumOfBytes(names[position])
    }
    return sum
}

private func sum(_ json: Any) -> Int {
    guard let tweet = json as? [String: Any], let id = tweet["id"] as? Int, let text = tweet["text"] as? String,
        let user = tweet["user"] as? [String: Any], let name = user["screen_name"] as? String
    else { fatalError("a tweet that is none") }
    return id &+ sumOfBytes(text) &+ sumOfBytes(name)
}
