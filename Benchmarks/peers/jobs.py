"""What is measured: each job, how each program does it, and the bar it must clear.

A command is a list of words with the placeholders {sluice}, {example1}, {example2}, {typed}, {jsondecoder}, {sqlite}, {python},
{input}, {output}, {reference} (our own output of the same job), and {made} (what the job's `prepare` makes of its input). A peer
has several variants where it is not plain which is the fastest; the fastest counts. A variant must produce the same records as we
do; what is allowed to differ is in compare.py.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import sums

PEERS = {"duckdb": "DuckDB", "polars": "Polars", "chdb": "chDB"}
PEAK_MIB = 32
ENGINE_PEAK_MIB = 48     # with all cores
LIMITED_PEAK_MIB = 96    # with --memory-limit 32


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
    """A command of the system, or of ours, that the job may take at most `time` times as long as, or that it must be at least
    `speed` times as fast as."""
    label: str
    command: list
    time: float | None = None
    speed: float | None = None
    input: str | None = None     # where it reads another file of the same records
    output: str | None = None    # where it writes another format: that output's suffix
    is_same: bool = False        # it must write or print the same as the job
    size: float | None = None    # our output may be so many times as large as its; it only writes, and runs no race

    @property
    def is_built(self):
        """Is it a program of this package?"""
        return self.command[0] in ("{sluice}", "{example1}", "{example2}", "{typed}", "{jsondecoder}", "{sqlite}")


@dataclass(frozen=True)
class Job:
    name: str
    title: str
    input: str
    ours: list
    output: str | None = None    # the output's suffix, where there is an output
    ratio: float | None = None   # at least so many times as fast as the fastest peer
    needs_isal: bool = False     # the ratio is asked for only where we run on ISA-L
    rate: float | None = None    # at least so many records a second
    sums: Callable | None = None    # what it must print after the number of records, from the path of the input
    peak_mib: float = PEAK_MIB
    prepare: tuple | None = None    # a command that makes {made}, and that file's suffix
    counts: bool = True          # it keeps or prints as many records as the input has
    times: int | None = None     # the input comes so many times over through standard input; only peak memory is asked for
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
# One thread of ours; the engine's rows use all cores.
CONVERT = ["{sluice}", "convert", "{input}", "{output}", "--jobs", "1"]


# All cores.
ENGINE = ["{sluice}", "convert", "{input}", "{output}"]

STREAM = ["{sluice}", "convert", "-", "/dev/null", "--jobs", "1"]


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

HALF = ["year", "month", "day", "dep_time", "dep_delay", "carrier", "flight", "origin", "dest", "distance"]
CSV_TO_CSV = [
    Variant("duckdb", "strings",
            f"COPY (SELECT {', '.join(HALF)} FROM read_csv('{{input}}', all_varchar = true)) TO '{{output}}' (FORMAT csv)"),
    Variant("polars", "strings", f"pl.scan_csv('{{input}}', infer_schema=False).select({HALF}).sink_csv('{{output}}')"),
    Variant("polars", "numbers",
            f"pl.scan_csv('{{input}}', infer_schema_length=10000).select({HALF}).sink_csv('{{output}}')"),
    Variant("chdb", "strings",
            f"INSERT INTO FUNCTION file('{{output}}', 'CSVWithNames') SELECT {', '.join(HALF)} FROM file('{{input}}', "
            f"'CSVWithNames', '{', '.join(f'{column} String' for column in FLIGHTS)}') {CHDB_IN_ORDER}"),
]


def as_fast_as(label, speed, input=None, output=None):
    """The same records from another file, or in another format."""
    return [Yardstick(label, CONVERT, speed=speed, input=input, output=output, is_same=True)]


def gzipped(level, ratio):
    """flights.csv → JSONL.gz. DuckDB has one level; numbers print shorter, so it compresses less."""
    duckdb = Variant("duckdb", "numbers",
                     "COPY (FROM read_csv('{input}', auto_type_candidates = ['BIGINT', 'DOUBLE', 'VARCHAR'])) "
                     "TO '{output}' (FORMAT json, COMPRESSION gzip)")
    gzip = ["sh", "-c", f"{{sluice}} convert {{input}} - --to jsonl --jobs 1 | gzip -{level} > {{output}}"]
    return Job(f"engine-gz{level}", f"flights.csv → JSONL.gz, level {level}", "flights.csv", ENGINE + ["--level", str(level)],
               ".jsonl.gz", ratio=ratio, needs_isal=level == 1, peak_mib=ENGINE_PEAK_MIB, variants=[duckdb],
               yardsticks=[Yardstick(f"gzip -{level}", gzip, size=1.1, is_same=True)])


def limited(name, title, input, *options, output=".jsonl"):
    """The same in 32 MiB of blocks."""
    return Job(f"limited-{name}", f"{title} with --memory-limit 32", input, ENGINE + [*options, "--memory-limit", "32"], output,
               peak_mib=LIMITED_PEAK_MIB,
               yardsticks=[Yardstick("the same without", ENGINE + [*options], speed=0.8, is_same=True)])


LOAD = ["{sluice}", "load", "{input}", "{output}", "--table", "flights", "--create"]
# One that is new, as the others make them: a rollback journal, and all in one transaction.
IMPORT = ["sqlite3", "{output}", ".import --csv {input} flights"]
EXPORT = ["{sluice}", "export", "{made}", "{output}", "--table", "flights"]
MADE = (["{sluice}", "load", "{input}", "{made}", "--table", "flights", "--create"], ".db")
JSON_QUERY = "sqlite3 -json {made} 'SELECT * FROM flights'"

SQLITE = [
    Job("sqlite-load", "a year of flights → SQLite", "flights-year.csv", LOAD, ".db", peak_mib=ENGINE_PEAK_MIB,
        prepare=(["{sqlite}", "cells", "{input}", "{made}"], ".cells"),
        yardsticks=[Yardstick("sqlite3 .import", IMPORT, speed=1.7, is_same=True),
                    Yardstick("a bare loop in C, its cells at hand", ["{sqlite}", "insert", "{made}", "{output}"], time=1.1,
                              is_same=True)]),
    Job("sqlite-export", "the table → JSONL", "flights-year.csv", EXPORT, ".jsonl", peak_mib=ENGINE_PEAK_MIB, prepare=MADE,
        yardsticks=[Yardstick("sqlite3 -json", ["sh", "-c", JSON_QUERY + " > {output}"], speed=2),
                    Yardstick("a bare loop in C, nothing written", ["{sqlite}", "step", "{made}"], time=1.25)]),
    Job("sqlite-export-gz", "the table → JSONL.gz", "flights-year.csv", EXPORT, ".jsonl.gz", peak_mib=ENGINE_PEAK_MIB,
        prepare=MADE,
        yardsticks=[Yardstick("sqlite3 -json into gzip -1", ["sh", "-c", JSON_QUERY + " | gzip -1 > {output}"], speed=1.8)]),
    Job("sqlite-load-large", "flights.csv → SQLite", "flights.csv", LOAD, ".db", peak_mib=ENGINE_PEAK_MIB),
    Job("sqlite-export-large", "the table of flights.csv → JSONL", "flights.csv", EXPORT, ".jsonl", peak_mib=ENGINE_PEAK_MIB,
        prepare=MADE),
]


def peak(name, what, input, times, *options):
    """About 4 GB."""
    return Job(f"peak-{name}", f"{times} × {what}", input, [*STREAM, *options], times=times)


JOBS = [
    Job("flights-jsonl", "flights.csv → JSONL", "flights.csv", CONVERT, ".jsonl", ratio=4,
        variants=csv_to_json(FLIGHTS),
        yardsticks=[Yardstick("cp of the output", COPY, time=2.5)]),
    Job("tweets-csv-jsonl", "tweets.csv → JSONL", "tweets.csv", CONVERT, ".jsonl", ratio=3,
        variants=csv_to_json(TWEETS)),
    Job("tweets-jsonl-jsonl", "tweets.jsonl → JSONL", "tweets.jsonl", CONVERT, ".jsonl", ratio=8,
        variants=JSON_TO_JSON),
    Job("tweets-jsonl-csv", "tweets.jsonl → CSV of 3 fields", "tweets.jsonl",
        CONVERT + ["--select", "id,text,user.screen_name"], ".csv", ratio=2, variants=JSON_TO_CSV),
    Job("flights-gz-jsonl", "flights.csv.gz → JSONL", "flights.csv.gz", CONVERT, ".jsonl", ratio=2.5, needs_isal=True,
        variants=csv_to_json(FLIGHTS)),
    Job("count-flights", "count flights.csv", "flights.csv", ["{sluice}", "count", "{input}"],
        yardsticks=[Yardstick("wc -l", ["wc", "-l", "{input}"], time=3)]),
    Job("count-tweets", "count tweets.csv", "tweets.csv", ["{sluice}", "count", "{input}"],
        yardsticks=[Yardstick("wc -l", ["wc", "-l", "{input}"], time=3)]),
    Job("example1", "flights.csv → JSONL, two fields set", "flights.csv",
        ["{example1}", "{input}", "{output}"], ".jsonl",
        yardsticks=[Yardstick("the same without", ["{example1}", "{input}", "{output}", "--plain"], time=1.8)]),
    Job("flights-json", "flights.csv → JSON array", "flights.csv", CONVERT, ".json",
        yardsticks=as_fast_as("the same → JSONL", 0.9, output=".jsonl")),
    Job("flights-json-csv", "flights.json → CSV", "flights.json", CONVERT, ".csv",
        yardsticks=as_fast_as("flights.jsonl → CSV", 0.9, input="flights.jsonl")),
    Job("flights-select", "flights.csv → CSV of 10 columns of 19", "flights.csv", CONVERT + ["--select", ",".join(HALF)],
        ".csv", ratio=4, variants=CSV_TO_CSV),
    Job("flights-lz4-jsonl", "flights.csv.lz4 → JSONL", "flights.csv.lz4", CONVERT, ".jsonl",
        yardsticks=as_fast_as("flights.csv → JSONL", 0.85, input="flights.csv")),
    Job("flights-jsonl-lz4", "flights.csv → JSONL.lz4", "flights.csv", CONVERT, ".jsonl.lz4",
        yardsticks=as_fast_as("the same → JSONL", 0.85, output=".jsonl")),
    Job("flights-utf16-jsonl", "flights-utf16.csv → JSONL", "flights-utf16.csv", CONVERT + ["--encoding", "utf16"], ".jsonl",
        yardsticks=as_fast_as("flights.csv → JSONL", 0.4, input="flights.csv")),
    Job("tweets-utf16-jsonl", "tweets-utf16.csv → JSONL", "tweets-utf16.csv", CONVERT + ["--encoding", "utf16"], ".jsonl",
        yardsticks=as_fast_as("tweets.csv → JSONL", 0.4, input="tweets.csv")),

    Job("flights-decode", "flights.csv → [Flight]", "flights.csv", ["{typed}", "flights", "{input}"],
        rate=1.2e6, sums=sums.flights),
    Job("tweets-decode", "tweets.jsonl → [Tweet]", "tweets.jsonl", ["{typed}", "tweets", "{input}"], sums=sums.tweets,
        yardsticks=[Yardstick("JSONDecoder, line by line", ["{jsondecoder}", "{input}"], speed=8, is_same=True)]),
    Job("flights-distance", "flights.csv: sum of a column", "flights.csv", ["{typed}", "distance", "{input}"],
        sums=sums.distance, yardsticks=[Yardstick("count", ["{sluice}", "count", "{input}"], speed=0.4)]),

    Job("engine-flights", "flights.csv → JSONL, all cores", "flights.csv", ENGINE, ".jsonl", ratio=7,
        peak_mib=ENGINE_PEAK_MIB, variants=csv_to_json(FLIGHTS), yardsticks=[Yardstick("cp of the output", COPY, time=1.6)]),
    Job("engine-null", "flights.csv → JSONL, thrown away, 2 jobs", "flights.csv",
        ["{sluice}", "convert", "{input}", "/dev/null", "--to", "jsonl", "--jobs", "2"], peak_mib=ENGINE_PEAK_MIB, counts=False,
        yardsticks=[Yardstick(
            "1 job", ["{sluice}", "convert", "{input}", "/dev/null", "--to", "jsonl", "--jobs", "1"], speed=1.6)]),
    Job("engine-tweets-csv", "tweets.csv → JSONL, all cores", "tweets.csv", ENGINE, ".jsonl", ratio=5,
        peak_mib=ENGINE_PEAK_MIB, variants=csv_to_json(TWEETS)),
    Job("engine-tweets-jsonl", "tweets.jsonl → JSONL, all cores", "tweets.jsonl", ENGINE, ".jsonl", ratio=12,
        peak_mib=ENGINE_PEAK_MIB, variants=JSON_TO_JSON),
    Job("engine-flights-gz", "flights.csv.gz → JSONL, all cores", "flights.csv.gz", ENGINE, ".jsonl", ratio=4,
        peak_mib=ENGINE_PEAK_MIB, needs_isal=True, variants=csv_to_json(FLIGHTS)),
    gzipped(1, 10),
    gzipped(6, 3),
    Job("engine-inflate", "our flights.jsonl.gz → JSONL, 2 jobs", "flights.csv",
        ["{sluice}", "convert", "{made}", "{output}", "--jobs", "2"], ".jsonl", peak_mib=ENGINE_PEAK_MIB,
        prepare=(["{sluice}", "convert", "{input}", "{made}"], ".jsonl.gz"),
        yardsticks=[Yardstick("1 job", ["{sluice}", "convert", "{made}", "{output}", "--jobs", "1"], speed=1.5,
                              is_same=True)]),
    Job("engine-example2", "flights.csv → JSONL, three processors, 2 workers", "flights.csv",
        ["{example2}", "{input}", "{output}", "2"], ".jsonl", peak_mib=ENGINE_PEAK_MIB, counts=False,
        yardsticks=[Yardstick("1 worker", ["{example2}", "{input}", "{output}", "1"], is_same=True)]),
    limited("flights", "flights.csv → JSONL", "flights.csv"),
    limited("tweets-csv", "tweets.csv → JSONL", "tweets.csv"),
    limited("tweets", "tweets.jsonl → JSONL", "tweets.jsonl"),
    limited("flights-gz", "flights.csv.gz → JSONL", "flights.csv.gz"),
    limited("gz", "flights.csv.gz → JSONL.gz", "flights.csv.gz", output=".jsonl.gz"),
    limited("gz6", "flights.csv → JSONL.gz, level 6,", "flights.csv", "--level", "6", output=".jsonl.gz"),
    Job("limited-inflate", "our flights.jsonl.gz → JSONL with --memory-limit 32", "flights.csv",
        ["{sluice}", "convert", "{made}", "{output}", "--memory-limit", "32"], ".jsonl", peak_mib=LIMITED_PEAK_MIB,
        prepare=(["{sluice}", "convert", "{input}", "{made}"], ".jsonl.gz"),
        yardsticks=[Yardstick("the same without", ["{sluice}", "convert", "{made}", "{output}"], speed=0.8, is_same=True)]),

    *SQLITE,

    peak("csv-jsonl", "flights.csv → JSONL", "flights.csv", 11, "--from", "csv", "--to", "jsonl"),
    peak("jsonl-csv", "flights.jsonl → CSV", "flights.jsonl", 10, "--from", "jsonl", "--to", "csv"),
    peak("jsonl-json", "flights.jsonl → JSON", "flights.jsonl", 10, "--from", "jsonl", "--to", "json"),
    # 10⁷ elements and more of one array.
    peak("json-jsonl", "flights.json → JSONL", "flights.json", 10, "--from", "json", "--to", "jsonl"),
    peak("tweets-csv", "tweets.jsonl → CSV of 3 fields", "tweets.jsonl", 10, "--from", "jsonl", "--to", "csv",
         "--select", "id,text,user.screen_name"),
    peak("gz", "flights.csv.gz → CSV.gz", "flights.csv.gz", 11, "--from", "csv", "--to", "csv", "--compression", "gzip"),
    peak("lz4", "flights.csv.lz4 → CSV.lz4", "flights.csv.lz4", 11, "--from", "csv", "--to", "csv", "--compression", "lz4"),
    peak("utf16", "flights-utf16.csv → JSONL in UTF-16", "flights-utf16.csv", 6, "--from", "csv", "--to", "jsonl",
         "--encoding", "utf16", "--to-encoding", "utf16"),
    peak("text", "flights.csv as text → text", "flights.csv", 11, "--from", "text", "--to", "text"),
    Job("peak-decode", "11 × flights.csv → [Flight]", "flights.csv", ["{typed}", "flights", "-"], times=11),
    Job("peak-distance", "11 × flights.csv: sum of a column", "flights.csv", ["{typed}", "distance", "-"], times=11),
]
