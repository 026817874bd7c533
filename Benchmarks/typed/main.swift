// Records as Swift values: reads each of a file's, and prints how many there are and sums of what they hold.
//
//     bench-typed flights FILE.csv      chunk by chunk as [Flight]
//     bench-typed distance FILE.csv     one column, as [Int?]
//     bench-typed tweets FILE.jsonl     chunk by chunk as [Tweet]
//
// The file - is standard input.

import Sluice

struct Flight: Decodable {
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
}

struct Tweet: Decodable {
    struct User: Decodable {
        var name: String

        enum CodingKeys: String, CodingKey { case name = "screen_name" }
    }

    var id: Int
    var text: String
    var user: User
}

func sumOfBytes(_ text: String) -> Int {
    var text = text
    return text.withUTF8 { $0.reduce(0) { $0 &+ Int($1) } }
}

func flights(_ path: String) throws -> [Int] {
    var records = 0, integers = 0, withoutDelay = 0, texts = 0
    var delays = 0.0
    let source = try FileStreamSource(path, format: .csv, csv: CSVOptions(nulls: ["NA"]))
    try source.forEach { chunk in
        for flight in try chunk.data.decode(Flight.self) {
            records += 1
            integers += flight.year + flight.number + flight.distance
            texts += sumOfBytes(flight.carrier) + sumOfBytes(flight.destination)
            if let delay = flight.delay { delays += delay } else { withoutDelay += 1 }
        }
    }
    return [records, integers, Int(delays), withoutDelay, texts]
}

func distance(_ path: String) throws -> [Int] {
    var records = 0, sum = 0
    try FileStreamSource(path, format: .csv).forEach { chunk in
        for case let distance? in chunk.data.column("distance", as: Int.self) {
            records += 1
            sum += distance
        }
    }
    return [records, sum]
}

func tweets(_ path: String) throws -> [Int] {
    var records = 0, ids = 0, texts = 0
    try FileStreamSource(path, format: .jsonl).forEach { chunk in
        for tweet in try chunk.data.decode(Tweet.self) {
            records += 1
            ids &+= tweet.id
            texts += sumOfBytes(tweet.text) + sumOfBytes(tweet.user.name)
        }
    }
    return [records, ids, texts]
}

let jobs = ["flights": flights, "distance": distance, "tweets": tweets]
let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 2, let name = arguments.first, let path = arguments.last, let job = jobs[name] else {
    throw StreamError(.invalidConfiguration, "usage: bench-typed flights|distance|tweets FILE")
}
print(try job(path).map(String.init).joined(separator: " "))
