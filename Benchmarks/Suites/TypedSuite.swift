import Foundation
import Sluice
import SwiftCSV

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

private func sumOfBytes(_ text: String) -> Int {
    var text = text
    return text.withUTF8 { $0.reduce(0) { $0 &+ Int($1) } }
}

/// Records as values of Swift: structs and fields by name. Answers are sums of all that was read.
func addTypedSuites() {
    addFlights()
    addTweets()
}

private func addFlights() {
    let input = Inputs.head("flights.csv", megabytes: Inputs.isQuick ? 4 : 32)
    let (whole, head) = (input.file("flights.csv"), input.head(kilobytes: 1024))
    let part = head.file("head-flights.csv")
    let read = { (path: String) in
        var sum = 0
        try FileStreamSource(path, csv: CSVOptions(nulls: ["NA"])).forEach { chunk in
            for flight in try chunk.data.decode(Flight.self) { sum &+= flight.sum }
        }
        return sum
    }
    let workload = Workload(
        suite: "csv-codable", data: "flights.csv", bytes: input.count, records: recordCount(whole))
    workload.add("sluice") { try read(whole) }
    guard let answer = try? read(part) else { fatalError("cannot read \(part)") }
    workload.add("SwiftCSV by hand", share: (head.count, recordCount(part), answer)) {
        var sum = 0
        let csv = try NamedCSV(url: URL(fileURLWithPath: part), delimiter: .comma, loadColumns: false)
        for row in csv.rows {
            guard let year = row["year"].flatMap({ Int($0) }), let number = row["flight"].flatMap({ Int($0) }),
                let carrier = row["carrier"], let destination = row["dest"],
                let distance = row["distance"].flatMap({ Int($0) })
            else { fatalError("a flight that is none: \(row)") }
            let flight = Flight(
                year: year, number: number, carrier: carrier, destination: destination,
                delay: row["dep_delay"].flatMap { Double($0) }, distance: distance)
            sum &+= flight.sum
        }
        return sum
    }
}

private func addTweets() {
    let input = Inputs.head("tweets.jsonl", megabytes: Inputs.isQuick ? 8 : 64)
    let (whole, head) = (input.file("tweets.jsonl"), input.head(kilobytes: Inputs.isQuick ? 1024 : 4096))
    let part = head.file("head-tweets.jsonl")
    let lines = head.data.split(separator: UInt8(ascii: "\n"))
    let records = recordCount(whole)

    let codable = { (path: String) in
        var sum = 0
        try FileStreamSource(path).forEach { chunk in
            for tweet in try chunk.data.decode(Tweet.self) { sum &+= tweet.sum }
        }
        return sum
    }
    let byName = { (path: String) in
        var sum = 0
        try FileStreamSource(path, select: ["id", "text", "user.screen_name"]).forEach { chunk in
            let ids = try chunk.data.requireColumn("id", as: Int.self)
            let texts = try chunk.data.requireColumn("text", as: String.self)
            let names = try chunk.data.requireColumn("user.screen_name", as: String.self)
            for position in ids.indices {
                sum &+= ids[position] &+ sumOfBytes(texts[position]) &+ sumOfBytes(names[position])
            }
        }
        return sum
    }
    guard let answer = try? codable(part) else { fatalError("cannot read \(part)") }
    let share = (head.count, lines.count, answer)

    let structs = Workload(suite: "jsonl-codable", data: "tweets.jsonl", bytes: input.count, records: records)
    structs.add("sluice") { try codable(whole) }
    structs.add("JSONDecoder", share: share) {
        let decoder = JSONDecoder()
        return try lines.reduce(0) { $0 &+ (try decoder.decode(Tweet.self, from: $1).sum) }
    }

    let fields = Workload(suite: "jsonl-fields", data: "tweets.jsonl", bytes: input.count, records: records)
    fields.add("sluice") { try byName(whole) }
    fields.add("JSONSerialization", share: share) {
        var sum = 0
        for line in lines {
            guard let tweet = try JSONSerialization.jsonObject(with: line) as? [String: Any],
                let id = tweet["id"] as? Int, let text = tweet["text"] as? String,
                let user = tweet["user"] as? [String: Any], let name = user["screen_name"] as? String
            else { fatalError("a tweet that is none") }
            sum &+= id &+ sumOfBytes(text) &+ sumOfBytes(name)
        }
        return sum
    }
}
