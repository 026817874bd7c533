"""What is measured: each job, how each program does it, and the bar it must clear.

A command is a list of words with the placeholders {sluice}, {example1}, {python}, {input}, {output} and {reference} (our
own output of the same job). A peer has several variants where it is not plain which is the fastest; the fastest
counts. A variant must produce the same records as we do; what is allowed to differ is in compare.py.
"""

import sys
from dataclasses import dataclass, field

PEERS = {"duckdb": "DuckDB", "polars": "Polars", "chdb": "chDB"}
PEAK_MIB = 32


@dataclass(frozen=True)
class Variant:
    """One way in which a peer does the job. With `judged` false it is measured and shown, but no bar looks at it."""
    peer: str
    name: str
    statement: str
    judged: bool = True

    @property
    def label(self):
        return f"{PEERS[self.peer]} ({self.name})"

    @property
    def command(self):
        return ["{python}", "Benchmarks/peers/peer.py", self.peer, self.statement]


@dataclass(frozen=True)
class Yardstick:
    """A command of the system, or of ours, that the job may take at most `limit` times as long as."""
    label: str
    command: list
    limit: float


@dataclass(frozen=True)
class Job:
    name: str
    title: str
    input: str
    ours: list
    output: str | None = None    # the output's suffix, where there is an output
    ratio: float | None = None   # at least so many times as fast as the fastest peer
    needs_isal: bool = False     # the ratio is asked for only where we run on ISA-L
    variants: list = field(default_factory=list)
    yardsticks: list = field(default_factory=list)


FLIGHTS = ["year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay",
           "carrier", "flight", "tailnum", "origin", "dest", "air_time", "distance", "hour", "minute", "time_hour"]
TWEETS = ["id", "created_at", "text", "name", "screen_name", "followers", "retweets", "lang", "source"]

# Dates stay the text they are, and cells keep their blanks: the other way would be more work, and other records.
CHDB = ("SETTINGS max_threads = 2, input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0, "
        "input_format_csv_trim_whitespaces = 0")
# With 2 threads chDB now and then writes blocks out of order. In order: two parse, one works.
CHDB_IN_ORDER = CHDB.replace("max_threads = 2", "max_threads = 1, max_parsing_threads = 2")

COPY = ["cp", *([] if sys.platform == "darwin" else ["--reflink=never"]), "{reference}", "{output}"]
CONVERT = ["{sluice}", "convert", "{input}", "{output}"]


def csv_to_json(columns):
    """Cells as strings, or numbers told from text where the peer does that faster (numbers print shorter)."""
    strings = ", ".join(f"{column} String" for column in columns)
    return [
        Variant("duckdb", "strings",
                "COPY (FROM read_csv('{input}', all_varchar = true)) TO '{output}' (FORMAT json)"),
        Variant("duckdb", "numbers",
                "COPY (FROM read_csv('{input}', auto_type_candidates = ['BIGINT', 'DOUBLE', 'VARCHAR'])) "
                "TO '{output}' (FORMAT json)"),
        Variant("polars", "strings", "pl.scan_csv('{input}', infer_schema=False).sink_ndjson('{output}')"),
        Variant("polars", "numbers", "pl.scan_csv('{input}', infer_schema_length=10000).sink_ndjson('{output}')"),
        Variant("chdb", "strings",
                "INSERT INTO FUNCTION file('{output}', 'JSONEachRow') "
                f"SELECT * FROM file('{{input}}', 'CSVWithNames', '{strings}') {CHDB}"),
        Variant("chdb", "numbers",
                "INSERT INTO FUNCTION file('{output}', 'JSONEachRow') "
                f"SELECT * FROM file('{{input}}', 'CSVWithNames') {CHDB_IN_ORDER}"),
    ]


JSON_TO_JSON = [
    Variant("duckdb", "nested",
            "COPY (FROM read_json('{input}', format = 'newline_delimited')) TO '{output}' (FORMAT json)"),
    Variant("duckdb", "top level",
            "COPY (FROM read_json('{input}', format = 'newline_delimited', maximum_depth = 1)) "
            "TO '{output}' (FORMAT json)"),
    Variant("polars", "nested", "pl.scan_ndjson('{input}').sink_ndjson('{output}')"),
    Variant("chdb", "nested",
            "INSERT INTO FUNCTION file('{output}', 'JSONEachRow') "
            f"SELECT * FROM file('{{input}}', 'JSONEachRow') {CHDB}"),
    Variant("chdb", "objects",
            "INSERT INTO FUNCTION file('{output}', 'LineAsString') "
            f"SELECT toString(json) FROM file('{{input}}', 'JSONAsObject') {CHDB_IN_ORDER}"),
    # A line checked and passed on as one opaque value. No fields come of it: not the job, but good to know.
    Variant("duckdb", "opaque lines",
            "COPY (SELECT json FROM read_ndjson_objects('{input}')) "
            "TO '{output}' (FORMAT csv, header false, quote '', escape '', delimiter E'\\x01')", judged=False),
    Variant("chdb", "opaque lines",
            "INSERT INTO FUNCTION file('{output}', 'LineAsString') "
            f"SELECT line FROM file('{{input}}', 'LineAsString') WHERE isValidJSON(line) {CHDB_IN_ORDER}", judged=False),
]

JSON_TO_CSV = [
    Variant("duckdb", "schema",
            "COPY (SELECT id, text, \"user\".screen_name AS \"user.screen_name\" "
            "FROM read_json('{input}', format = 'newline_delimited', columns = "
            "{{id: 'BIGINT', text: 'VARCHAR', \"user\": 'STRUCT(screen_name VARCHAR)'}})) TO '{output}' (FORMAT csv)"),
    Variant("polars", "schema",
            "pl.scan_ndjson('{input}', schema={{'id': pl.Int64, 'text': pl.String, "
            "'user': pl.Struct({{'screen_name': pl.String}})}}).select('id', 'text', "
            "pl.col('user').struct.field('screen_name').alias('user.screen_name')).sink_csv('{output}')"),
    Variant("chdb", "schema",
            "INSERT INTO FUNCTION file('{output}', 'CSVWithNames') "
            "SELECT id, text, user.screen_name AS `user.screen_name` FROM file('{input}', 'JSONEachRow', "
            f"'id Int64, text String, user Tuple(screen_name String)') {CHDB_IN_ORDER}"),
]


JOBS = [
    Job("flights-jsonl", "flights.csv → JSONL", "flights.csv", CONVERT, ".jsonl", ratio=4,
        variants=csv_to_json(FLIGHTS),
        yardsticks=[Yardstick("cp of the output", COPY, 2.5)]),
    Job("tweets-csv-jsonl", "tweets.csv → JSONL", "tweets.csv", CONVERT, ".jsonl", ratio=3,
        variants=csv_to_json(TWEETS)),
    Job("tweets-jsonl-jsonl", "tweets.jsonl → JSONL", "tweets.jsonl", CONVERT, ".jsonl", ratio=8,
        variants=JSON_TO_JSON),
    Job("tweets-jsonl-csv", "tweets.jsonl → CSV of 3 fields", "tweets.jsonl",
        CONVERT + ["--select", "id,text,user.screen_name"], ".csv", ratio=2, variants=JSON_TO_CSV),
    Job("flights-gz-jsonl", "flights.csv.gz → JSONL", "flights.csv.gz", CONVERT, ".jsonl", ratio=2.5, needs_isal=True,
        variants=csv_to_json(FLIGHTS)),
    Job("count-flights", "count flights.csv", "flights.csv", ["{sluice}", "count", "{input}"],
        yardsticks=[Yardstick("wc -l", ["wc", "-l", "{input}"], 3)]),
    Job("count-tweets", "count tweets.csv", "tweets.csv", ["{sluice}", "count", "{input}"],
        yardsticks=[Yardstick("wc -l", ["wc", "-l", "{input}"], 3)]),
    Job("example1", "flights.csv → JSONL, two fields set", "flights.csv",
        ["{example1}", "{input}", "{output}"], ".jsonl",
        yardsticks=[Yardstick("the same without", ["{example1}", "{input}", "{output}", "--plain"], 1.8)]),
]
