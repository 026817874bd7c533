import Testing

@Suite("The tool and databases")
struct ToolDatabaseTests {
    private let folder = TemporaryFolder()

    @Test("what is loaded comes out again, whatever the jobs and formats", arguments: ["1", "3"])
    func roundTrip(jobs: String) throws {
        let rows = (0..<3000).map { "\($0),\"a \"\"b\"\"\n\($0)\",\n" }.joined()
        try folder.write("id,text,none\n" + rows, to: "in.csv")
        let load = try folder.sluice("load", "in.csv", "x.db", "--table", "t", "--create", "--jobs", jobs)
        #expect(load.status == 0 && load.output.isEmpty && load.messages.isEmpty, "\(load.messages)")
        let export = try folder.sluice("export", "x.db", "out.csv", "--table", "t", "--jobs", jobs)
        #expect(export.status == 0 && export.output.isEmpty && export.messages.isEmpty, "\(export.messages)")
        #expect(try folder.data("out.csv") == folder.data("in.csv"))
        try folder.convert("in.csv", "plain.jsonl")
        _ = try folder.sluice("export", "x.db", "out.jsonl.gz", "--table", "t", "--jobs", jobs)
        #expect(try folder.gunzip("out.jsonl.gz") == folder.data("plain.jsonl"))
        let query = try folder.sluice(
            "export", "x.db", "-", "--to", "csv", "--query",
            "SELECT id FROM t WHERE id > '2997' AND length(id) = 4 ORDER BY 1")
        #expect(query.text == "id\n2998\n2999\n")
        let piped = try folder.sluice(
            ["load", "-", "x.db", "--table", "u", "--create", "--from", "csv"], input: "in.csv")
        #expect(piped.status == 0, "\(piped.messages)")
        #expect(try folder.sluice("export", "x.db", "-", "--table", "u", "--to", "csv").output == folder.data("in.csv"))
    }

    @Test("modes, types and columns are what was asked for")
    func options() throws {
        try folder.write("id,a\n1,NA\n2,2.5\n", to: "one.csv")
        try folder.write("{\"id\":2,\"a\":7}\n{\"id\":3,\"b\":true}\n", to: "two.jsonl")
        func load(_ words: String...) throws -> Outcome {
            try folder.sluice(["load"] + words + ["x.db", "--table", "t"])
        }
        func all() throws -> String {
            try folder.sluice("export", "x.db", "-", "--to", "jsonl", "--query", "SELECT * FROM t ORDER BY id").text
        }
        #expect(
            try load("one.csv", "--mode", "upsert", "--key", "id", "--create", "--types", "inferred", "--null", "NA")
                .status == 0)
        #expect(try all() == "{\"id\":1,\"a\":null}\n{\"id\":2,\"a\":2.5}\n")
        let unknown = try load("two.jsonl", "--mode", "upsert", "--key", "id")
        #expect(unknown.status == 64 && unknown.messages.contains("column \"b\""), "\(unknown.messages)")
        let ignore = try load("two.jsonl", "--mode", "ignore", "--add-columns")
        #expect(ignore.status == 0 && ignore.messages.contains("ignored 1 records"))
        #expect(
            try all()
                == "{\"id\":1,\"a\":null,\"b\":null}\n{\"id\":2,\"a\":2.5,\"b\":null}\n{\"id\":3,\"a\":null,\"b\":1}\n")
        let twice = try load("one.csv")
        #expect(twice.status == 65 && twice.messages.contains("UNIQUE constraint failed: t.id"), "\(twice.messages)")
        #expect(try load("one.csv", "--mode", "replace", "--select", "id", "--transaction", "1").status == 0)
        #expect(try all().contains("{\"id\":2,\"a\":null,\"b\":null}"))
        let stats = try load("two.jsonl", "--mode", "replace", "--stats", "json")
        #expect(stats.messages.contains("\"written_records\":2"))
    }

    @Test("what is wrong is said, with an exit code, and no file is left")
    func errors() throws {
        try folder.write("a,b\n1\n", to: "bad.csv")
        try folder.write("a\n1\n", to: "in.csv")
        let cases: [(words: [String], status: Int32, message: String)] = [
            (["load", "in.csv", "none.db", "--table", "t"], 66, "there is no such database"),
            (["load", "in.csv", "in.csv", "--table", "t"], 65, "not a database"),
            (["load", "bad.csv", "x.db", "--table", "t", "--create"], 65, "record 1"),
            (["load", "none.csv", "x.db", "--table", "t", "--create"], 66, "none.csv"),
            (["load", "in.csv", "no/x.db", "--table", "t", "--create"], 73, "unable to open"),
            (["load", "in.csv", "x.db", "--table", "", "--create"], 64, "a name"),
            (["load", "in.csv", "x.db"], 64, "--table"), (["load", "in.csv", "--table", "t"], 64, "a database"),
            (["load", "in.csv", "x.db", "--table", "t", "--mode", "upsert"], 64, "--key"),
            (["load", "in.csv", "x.db", "--table", "t", "--key", "a"], 64, "--key"),
            (["export", "none.db", "out.csv", "--table", "t"], 66, "there is no such database"),
            (["export", "in.csv", "out.csv", "--table", "t"], 65, "not a database"),
            (["export", "none.db", "out.csv"], 64, "--table or --query"),
            (["export", "none.db", "out.csv", "--table", "t", "--query", "q"], 64, "--table or --query"),
        ]
        for (words, status, message) in cases {
            let outcome = try folder.sluice(words)
            #expect(outcome.status == status && outcome.messages.contains(message), "\(words): \(outcome.messages)")
            #expect(folder.names == ["bad.csv", "in.csv"])
        }
        _ = try folder.sluice("load", "in.csv", "x.db", "--table", "t", "--create")
        for query in ["DELETE FROM t", "SELECT", "SELECT * FROM u"] {
            let outcome = try folder.sluice("export", "x.db", "out.csv", "--query", query)
            #expect(outcome.status == 64 && !folder.names.contains("out.csv"), "\(outcome.messages)")
        }
        #expect(try folder.sluice("export", "x.db", "-", "--table", "t", "--to", "csv").text == "a\n1\n")
    }
}
