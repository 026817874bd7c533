// What `bench-typed tweets` is measured by: Foundation's JSONDecoder, line by line. It prints the same.
//
//     bench-jsondecoder FILE.jsonl
//
// As one would write it, in constant memory. A mapped file whose lines are decoded where they lie takes a fifth less.

import Foundation

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

func tweets() throws -> [Int] {
    var records = 0, ids = 0, texts = 0
    let decoder = JSONDecoder()
    while let line = readLine() {
        let tweet = try decoder.decode(Tweet.self, from: Data(line.utf8))
        records += 1
        ids &+= tweet.id
        texts += sumOfBytes(tweet.text) + sumOfBytes(tweet.user.name)
    }
    return [records, ids, texts]
}

guard CommandLine.arguments.count == 2, let path = CommandLine.arguments.last else {
    FileHandle.standardError.write(Data("usage: bench-jsondecoder FILE.jsonl\n".utf8))
    exit(64)
}
let file = open(path, O_RDONLY)
guard file >= 0, dup2(file, STDIN_FILENO) >= 0 else {
    FileHandle.standardError.write(Data("bench-jsondecoder: cannot open \(path)\n".utf8))
    exit(66)
}
print(try tweets().map(String.init).joined(separator: " "))
