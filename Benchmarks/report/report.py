#!/usr/bin/env python3
"""Makes one JSON file of what was measured, and RESULTS.md and its charts of that.

    report.py collect OUT.json --suites JMH.json --scaling POINTS.jsonl --inputs MANIFEST.json [--peers PEERS.json] [--quick]
    report.py write RESULTS.json [--into FOLDER]     writes RESULTS.md and charts/*.svg there (default: Benchmarks)
    report.py readme RESULTS.json                    writes the figures of README.md, between its two marks

What is said of one run's figures, beside the figures, is in a file of the same name that ends in .notes.md; what holds for all
of them in notes.md here.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "Benchmarks"
sys.path.insert(0, str(BENCHMARKS / "peers"))

import charts
import tables

KERNELS = ["avx512", "avx2", "neon", "scalar", "swift"]
LINE_ENDS = "count of line ends in C"


# ---- Collecting

def cpu_name():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def suites_of(path):
    """Rates of a JMH export: name by name, seconds of the median run."""
    found = []
    for element in json.loads(Path(path).read_text()):
        suite, data, way = element["benchmark"].split(".Suites.", 1)[1].replace("_", " ").split("/", 2)
        metrics = element["secondaryMetrics"]
        wall = next(value for name, value in metrics.items() if name.startswith("Time (wall"))
        number = lambda name: metrics[name]["scorePercentiles"]["50.0"]
        found.append({
            "suite": suite, "data": data, "way": way, "bytes": number("bytes"), "records": number("records"),
            "seconds": wall["scorePercentiles"]["50.0"] / 1e6, "best": wall["scorePercentiles"]["0.0"] / 1e6,
            "worst": wall["scorePercentiles"]["100.0"] / 1e6, "runs": element["measurementIterations"]})
    return found


def revision():
    """Of what was measured; with a + where the tree is another."""
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True).stdout.strip()
    return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def collect(arguments):
    inputs = json.loads(Path(arguments.inputs).read_text())
    peers = json.loads(Path(arguments.peers).read_text()) if arguments.peers else None
    if peers and peers["inputs"] != inputs:
        sys.exit("report: the peers were measured with other inputs: measure them again")
    results = {
        "measured": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "cpu": cpu_name(), "cores": os.cpu_count(),
        "system": platform.platform(), "quick": arguments.quick,
        "swift": subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.splitlines()[0],
        "revision": revision(), "load_before": arguments.load, "inputs": inputs,
        "suites": suites_of(arguments.suites),
        "scaling": [json.loads(line) for line in Path(arguments.scaling).read_text().splitlines()],
        "peers": peers,
    }
    Path(arguments.out).write_text(json.dumps(results, indent=1) + "\n")


# ---- Reading

class Results:
    def __init__(self, path):
        self.all = json.loads(Path(path).read_text())
        self.suites = self.all["suites"]

    def ways(self, suite, data):
        return [entry for entry in self.suites if entry["suite"] == suite and entry["data"] == data]

    def rate(self, suite, data, way):
        """MB/s; None where it was not measured."""
        for entry in self.ways(suite, data):
            if entry["way"] == way:
                return entry["bytes"] / 1e6 / entry["seconds"]
        return None

    def best_c(self, suite, data):
        """The fastest of the C kernels."""
        rates = [(self.rate(suite, data, "kernel " + name), name) for name in KERNELS if name != "swift"]
        return max((rate, name) for rate, name in rates if rate)

    def scaling(self, series):
        return [point for point in self.all["scaling"] if point["series"] == series]


def ratio(results, suite, data, way, other):
    mine, theirs = results.rate(suite, data, way), results.rate(suite, data, other)
    return mine / theirs if mine and theirs else None


def bars_of(results):
    """(what, measured, bar, text of the bar)"""
    rows = []
    for data in ("flights.csv → jsonl", "tweets.csv → jsonl", "tweets.jsonl → jsonl"):
        swift = results.rate("to-file", data, "kernel swift")
        rows.append((f"pure Swift, of the speed of C: {data}, one worker",
                     swift and swift / results.best_c("to-file", data)[0], 0.25, "≥ 0.25"))
    for name, suite, data, other, bar in (
            ("CSV, every field touched as bytes, × SwiftCSV", "csv-fields", "flights.csv", "SwiftCSV", 100),
            ("the same, quoted fields", "csv-fields", "tweets.csv", "SwiftCSV", 100),
            ("CSV into a Codable struct of 6 fields, × SwiftCSV by hand", "csv-codable", "flights.csv", "SwiftCSV by hand", 30),
            ("the same, × SwiftCSV's faster way, that knows where columns are", "csv-codable", "flights.csv",
             "SwiftCSV by hand, by number", 30),
            ("JSON Lines into a Codable struct of 3 fields, × JSONDecoder", "jsonl-codable", "tweets.jsonl", "JSONDecoder", 8),
            ("JSON Lines, 3 fields by name, × JSONSerialization", "jsonl-fields", "tweets.jsonl", "JSONSerialization", 40)):
        found, one = (ratio(results, suite, data, way, other) for way in ("sluice", "sluice, one thread"))
        rows.append((name + (f"; all cores, one thread {one:.3g}" if one else ""), found, bar, f"≥ {bar}"))
    for data, bar in (("flights.csv", 1.5), ("tweets.csv", 2.5)):
        plain = results.rate("csv-index", data, LINE_ENDS)
        found, kernel = results.best_c("csv-index", data)
        # Where counting line ends is slower than 7 GB/s the same ratio to it counts.
        least = bar if plain >= 7000 else bar / 7 * plain / 1000
        rows.append((f"CSV index, {data}, {kernel}, GB/s (line ends are counted at {plain / 1000:.1f})", found / 1000, least,
                     f"≥ {least:.2f}"))
    for other in ("NSLock and array in Swift", "AsyncStream"):
        rows.append((f"ring, one to one, × {other}", ratio(results, "ring", "1 to 1", "C core", other), 5, "≥ 5"))
    points = {point["x"]: point["records"] / point["seconds"] for point in results.scaling("records")}
    rows.append(("records/s at 10⁸ records, of those at 10⁶", points[1e8] / points[1e6] if 1e8 in points else None, 0.95,
                 "≥ 0.95"))
    return rows


# ---- Writing

def suite_tables(results):
    parts = []
    for suite in sorted({entry["suite"] for entry in results.suites}):
        rows = []
        for data in sorted({entry["data"] for entry in results.suites if entry["suite"] == suite}):
            ways = sorted(results.ways(suite, data), key=lambda entry: entry["seconds"] / entry["bytes"])
            fastest = min(entry["seconds"] / entry["bytes"] for entry in ways if entry["way"] != LINE_ENDS)
            for entry in ways:
                rows.append([
                    data, entry["way"], charts.amount(entry["bytes"] / 1e6 / entry["seconds"]),
                    charts.short(entry["records"] / entry["seconds"]),
                    f"{fastest / (entry['seconds'] / entry['bytes']):.3g}",
                    f"{entry['best'] / entry['seconds']:.2f} … {entry['worst'] / entry['seconds']:.2f}",
                    str(entry["runs"])])
        parts.append(f"### {suite}\n\n" + tables.table(
            ["data", "way", "MB/s", "records/s", "of the fastest", "runs' spread", "runs"], rows))
    return "\n\n".join(parts)


def whole_processes(peers):
    has_peaks = any(job["name"].startswith("peak-") for job in peers["jobs"])
    versions = ", ".join(f"{name} {number}" for name, number in peers["versions"].items() if name != "sluice" and number)
    return "\n".join([
        f"`scripts/bench-peers`, {peers['started'][:10]}: {peers['versions']['sluice']}; with two threads each: {versions}. Everyone in "
        f"fresh processes, in turn, {peers['runs']} runs each; what a peer wrote was compared with what we wrote, record by record. "
        "Seconds are of the process, from its start to its end; *statement* is a peer's statement alone, without the start of Python "
        "and the loading of its library. Without *all cores* or a number of jobs ours is one thread."
        + (" Inputs of some 4 GB (10 × a file) went through a pipe, once, for their peak memory." if has_peaks else ""), "",
        tables.programs(peers["jobs"]), "",
        "Ratios are of medians; behind them the median of the ratios of runs in the same round, and the worst.", "",
        tables.bars(peers["jobs"])])


SERIES = {
    "records": ("records", "ns a record", lambda p: p["seconds"] * 1e9 / p["records"]),
    "input": ("MB of input", "MB/s", lambda p: p["bytes"] / 1e6 / p["seconds"]),
    "workers": ("workers", "MB/s", lambda p: p["bytes"] / 1e6 / p["seconds"]),
    "chunk size": ("records of a chunk", "MB/s", lambda p: p["bytes"] / 1e6 / p["seconds"]),
    "memory limit": ("memory limit, MB", "MB/s", lambda p: p["bytes"] / 1e6 / p["seconds"]),
    "columns": ("columns", "MB/s", lambda p: p["bytes"] / 1e6 / p["seconds"]),
    "field size": ("bytes of a field", "MB/s", lambda p: p["bytes"] / 1e6 / p["seconds"]),
}

BARS = [
    ("CSV, every field touched as bytes", "csv-fields", "flights.csv", ["sluice, one thread", "sluice, one thread, pure Swift", "SwiftCSV", "String.split"]),
    ("CSV into a Codable struct", "csv-codable", "flights.csv", ["sluice, one thread", "sluice, one thread, pure Swift", "SwiftCSV by hand, by number", "SwiftCSV by hand"]),
    ("JSON Lines into a Codable struct", "jsonl-codable", "tweets.jsonl", ["sluice, one thread", "sluice, one thread, pure Swift", "JSONDecoder"]),
    ("JSON Lines, 3 fields by name", "jsonl-fields", "tweets.jsonl", ["sluice, one thread", "sluice, one thread, pure Swift", "JSONSerialization"]),
    ("CSV file → JSON Lines file", "to-file", "flights.csv → jsonl", ["C", "kernel swift", "SwiftCSV and JSONEncoder"]),
    ("text → Double", "parse-double", "17 digits", ["C core", "pure Swift", "Double(String)"]),
    ("Double → text", "print-double", "17 digits", ["C core", "pure Swift", "description"]),
    ("numbers between two threads", "ring", "1 to 1", ["C core", "pure Swift", "NSLock and array in Swift", "AsyncStream"]),
]


def colour(way):
    if way == "kernel swift" or way.endswith("pure Swift"):
        return 1
    return 0 if way == "C core" or way.startswith(("sluice", "kernel")) else 2


def write_charts(results, folder):
    folder.mkdir(exist_ok=True)
    groups = []
    for label, suite, data, ways in BARS:
        found = []
        for way in ways:
            name = way
            if way == "C":
                name = "kernel " + results.best_c(suite, data)[1]
            rate = results.rate(suite, data, name)
            if rate:
                found.append((name, rate, colour(name)))
        if found:
            groups.append((f"{label} ({data})", found))
    note = "blue: with the C core; orange: pure Swift; grey: what one takes otherwise; logarithmic, longer is faster"
    (folder / "swift.svg").write_text(charts.bars("One thread: how much the C core buys, and against what", note, groups, "MB/s"))

    peers = results.all["peers"]
    if peers:
        groups = []
        for job in peers["jobs"]:
            size = next((info["bytes"] for name, info in peers["inputs"].items() if job["title"].startswith(name + " ")), None)
            programs = [p for p in job["programs"] if p.get("median") and p["label"].split(" (")[0] in ("sluice", "DuckDB", "Polars", "chDB")]
            fastest = {}
            for program in programs:
                name = program["label"].split(" (")[0]
                fastest[name] = min(fastest.get(name, program["median"]), program["median"])
            if size and len(fastest) > 1:
                groups.append((job["title"], [(name, size / 1e6 / seconds, 0 if name == "sluice" else 2)
                                              for name, seconds in fastest.items()]))
        if groups:
            (folder / "peers.svg").write_text(charts.bars(
                "Whole processes, two cores",
                "MB of input as stored a second, by its fastest way; ours on one thread but where it says all cores; logarithmic",
                groups, "MB/s"))

    for series, (x_label, y_label, value) in SERIES.items():
        points = sorted((p["x"], value(p)) for p in results.scaling(series))
        if len(points) > 1:
            (folder / f"{series.replace(' ', '-')}.svg").write_text(charts.lines(
                f"{y_label} against {x_label}", "CSV → JSON Lines that go nowhere", x_label, y_label, [(series, points)]))


def write(arguments):
    results = Results(arguments.results)
    into = Path(arguments.into).resolve()
    into.mkdir(parents=True, exist_ok=True)
    folder = into / "charts"
    write_charts(results, folder)
    everything = results.all
    bars = bars_of(results)
    text = [
        "# Results", "",
        f"Measured on {everything['measured']}: {everything['cpu']}, {everything['cores']} cores, {everything['swift']}, "
        f"{everything['system']}. `scripts/bench` measures and writes this; every figure is in "
        f"`{os.path.relpath(Path(arguments.results).resolve(), into)}`. "
        "Rates are of the median run: MB are 10⁶ bytes of input.", "",
        f"Revision {everything['revision']}; {everything['load_before']:.2f} processes wanted to run in the minute before"
        + (f", {peers['machine']['load_before']:.2f} before the whole processes" if (peers := everything["peers"]) else "")
        + ". Inputs: " + ", ".join(
            f"{name} ({info['bytes'] / 1e6:.0f} MB, {info['records']:,} records)"
            for name, info in everything["inputs"].items() if name in ("flights.csv", "tweets.csv", "tweets.jsonl"))
        + "; tweets are made up where nothing else is said.", ""]
    if peers and peers.get("problems"):
        text += ["**What broke:** " + "; ".join(peers["problems"]), ""]
    if peers and peers.get("left_out"):
        text += ["Left out, since they failed or wrote other records: " + "; ".join(peers["left_out"]) + ".", ""]
    if everything["quick"]:
        text += ["**A quick run: few runs over little data. It shows that all works; its figures are no claim.**", ""]
    text += ["![MB/s of the C core, pure Swift and others](charts/swift.svg)", ""]
    if (folder / "peers.svg").exists():
        text += ["![MB/s of whole processes](charts/peers.svg)", ""]
    text += ["## Bars", "", tables.table(
        ["what", "is", "must be", "met"],
        [[what, f"{found:.3g}" if found else "not measured", bar,
          "not judged" if everything["quick"] else "yes" if found and found >= least else "**NO**"]
         for what, found, least, bar in bars]), ""]
    for notes in (Path(arguments.results).with_suffix(".notes.md"), BENCHMARKS / "report" / "notes.md"):
        if notes.exists():
            text += [notes.read_text().rstrip(), ""]
    text += ["## How it scales", ""]
    for series, (x_label, y_label, value) in SERIES.items():
        points = results.scaling(series)
        if points:
            text += [f"![{y_label} against {x_label}](charts/{series.replace(' ', '-')}.svg)", "", tables.table(
                [x_label] + [charts.short(p["x"]) for p in points],
                [[y_label] + [charts.amount(value(p)) for p in points], ["most MiB of blocks"] + [f"{p['peakMiB']:.3g}" for p in points]]),
                ""]
    if peers := everything["peers"]:
        text += ["## Whole processes", "", whole_processes(peers), ""]
    text += ["## Suites", "", suite_tables(results), ""]
    (into / "RESULTS.md").write_text("\n".join(text))
    missed = [what for what, found, least, _ in bars if not found or found < least]
    missed += tables.missed(peers["jobs"]) if peers else []
    if everything["quick"]:
        return 0
    for what in missed:
        print(f"bench: missed: {what}", file=sys.stderr)
    return 1 if missed else 0


# ---- README

README_ROWS = [
    # job, what it is, whom it is measured by (None: the fastest peer)
    ("flights-jsonl", "flights.csv ({MB} MB, 4 M records) → JSONL", None),
    ("tweets-csv-jsonl", "tweets.csv ({MB} MB, quoted line ends) → JSONL", None),
    ("tweets-jsonl-jsonl", "tweets.jsonl ({MB} MB, nested) → JSONL, validated", None),
    ("tweets-jsonl-csv", "tweets.jsonl → CSV of 3 fields", None),
    ("flights-gz-jsonl", "flights.csv.gz → JSONL", None),
    ("flights-select", "flights.csv → CSV of 10 of its 19 columns", None),
    ("count-flights", "count the records of flights.csv", "wc -l"),
    ("engine-flights", "flights.csv → JSONL, all cores", None),
    ("engine-tweets-csv", "tweets.csv → JSONL, all cores", None),
    ("engine-tweets-jsonl", "tweets.jsonl → JSONL, all cores", None),
    ("engine-flights-gz", "flights.csv.gz → JSONL, all cores", None),
    ("sqlite-load", "a year of flights (31 MB) → SQLite table, all cores", "sqlite3 .import"),
    ("sqlite-export", "that table → JSONL, all cores", "sqlite3 -json"),
    ("example1", "flights.csv → JSONL with two fields set on each record, in Swift", "the same without"),
]
MARKS = ("<!-- Figures of Benchmarks/report/report.py readme -->", "<!-- End of these figures -->")


def readme(arguments):
    results = Results(arguments.results)
    peers = results.all["peers"]
    jobs = {job["name"]: job for job in peers["jobs"]}

    def row(name, what, other):
        programs = {one["label"]: one for one in jobs[name]["programs"] if one["median"]}
        ours = programs["sluice"]
        if other:
            rival, label = programs[other], f"`{other}`" if other[0] in "ws" else other
        else:
            rival = min((one for label, one in programs.items() if label.split(" (")[0] in ("DuckDB", "Polars", "chDB")
                         and "opaque" not in label), key=lambda one: one["median"])
            label = rival["label"].split(" (")[0]
        size = next((info["bytes"] for file, info in peers["inputs"].items() if what.startswith(file + " ")), 0)
        factor = rival["median"] / ours["median"]
        return [what.replace("{MB}", f"{size / 1e6:.0f}"), f"{ours['median']:.2f} s", f"{label} {rival['median']:.2f} s",
                f"{factor:.1f} ×" if other != "the same without" and other != "wc -l" else "",
                f"{ours['peak_mib']:.0f} MiB" + ("" if other == "the same without" else
                                                 f", {label.strip('`').split(' ')[0]} {rival['peak_mib']:.0f}")]

    text = "\n".join([
        f"Whole processes, medians of {peers['runs']} runs on {results.all['cores']} cores of an {results.all['cpu']}; *all cores* "
        "or one thread of ours, and two of the peers':", "",
        tables.table(["job", "Sluice", "fastest other", "", "peak memory"], [row(*one) for one in README_ROWS])])
    path = ROOT / "README.md"
    old = path.read_text()
    found = re.search("(?s)" + re.escape(MARKS[0]) + ".*" + re.escape(MARKS[1]), old)
    if not found:
        sys.exit("report: README.md has not the two marks")
    path.write_text(old[:found.start()] + MARKS[0] + "\n" + text + "\n" + MARKS[1] + old[found.end():])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("collect")
    one.add_argument("out")
    one.add_argument("--suites", required=True)
    one.add_argument("--scaling", required=True)
    one.add_argument("--inputs", required=True)
    one.add_argument("--load", type=float, default=0.0, help="how busy the machine was before")
    one.add_argument("--peers")
    one.add_argument("--quick", action="store_true")
    one.set_defaults(run=collect)
    two = commands.add_parser("write")
    two.add_argument("results")
    two.add_argument("--into", default=BENCHMARKS)
    two.set_defaults(run=write)
    three = commands.add_parser("readme")
    three.add_argument("results")
    three.set_defaults(run=readme)
    arguments = parser.parse_args()
    sys.exit(arguments.run(arguments))


if __name__ == "__main__":
    main()
