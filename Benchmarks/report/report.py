#!/usr/bin/env python3
"""Makes one JSON file of what was measured, and RESULTS.md and its charts of that.

    report.py collect OUT.json --suites JMH.json --scaling POINTS.jsonl [--peers PEERS.json] [--quick]
    report.py write RESULTS.json [--into FOLDER]     writes RESULTS.md and charts/*.svg there (default: Benchmarks)
"""

import argparse
import json
import os
import platform
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


def collect(arguments):
    results = {
        "measured": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "cpu": cpu_name(), "cores": os.cpu_count(),
        "system": platform.platform(), "quick": arguments.quick,
        "swift": subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.splitlines()[0],
        "suites": suites_of(arguments.suites),
        "scaling": [json.loads(line) for line in Path(arguments.scaling).read_text().splitlines()],
        "peers": json.loads(Path(arguments.peers).read_text()) if arguments.peers else None,
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
        if swift:
            rows.append((f"pure Swift, of the speed of C: {data}, one worker", swift / results.best_c("to-file", data)[0],
                         0.25, "≥ 0.25"))
    for name, suite, data, other, bar in (
            ("CSV, every field touched as bytes, × SwiftCSV", "csv-fields", "flights.csv", "SwiftCSV", 100),
            ("the same, quoted fields", "csv-fields", "tweets.csv", "SwiftCSV", 100),
            ("CSV into a Codable struct of 6 fields, × SwiftCSV by hand", "csv-codable", "flights.csv", "SwiftCSV by hand", 30),
            ("JSON Lines into a Codable struct of 3 fields, × JSONDecoder", "jsonl-codable", "tweets.jsonl", "JSONDecoder", 8),
            ("JSON Lines, 3 fields by name, × JSONSerialization", "jsonl-fields", "tweets.jsonl", "JSONSerialization", 40)):
        found, one = (ratio(results, suite, data, way, other) for way in ("sluice", "sluice, one thread"))
        if found:
            rows.append((name + (f"; all cores, one thread {one:.3g}" if one else ""), found, bar, f"≥ {bar}"))
    for data, bar in (("flights.csv", 1.5), ("tweets.csv", 2.5)):
        plain = results.rate("csv-index", data, LINE_ENDS)
        found, kernel = results.best_c("csv-index", data)
        # Where counting line ends is slower than 7 GB/s the same ratio to it counts.
        least = bar if plain >= 7000 else bar / 7 * plain / 1000
        rows.append((f"CSV index, {data}, {kernel}, GB/s (line ends are counted at {plain / 1000:.1f})", found / 1000, least,
                     f"≥ {least:.2f}"))
    for other in ("NSLock and array in Swift", "AsyncStream"):
        found = ratio(results, "ring", "1 to 1", "C core", other)
        if found:
            rows.append((f"ring, one to one, × {other}", found, 5, "≥ 5"))
    points = {point["x"]: point["records"] / point["seconds"] for point in results.scaling("records")}
    if 1e8 in points:
        rows.append(("records/s at 10⁸ records, of those at 10⁶", points[1e8] / points[1e6], 0.95, "≥ 0.95"))
    return rows


# ---- Writing

def suite_tables(results):
    parts = []
    for suite in dict.fromkeys(entry["suite"] for entry in results.suites):
        rows = []
        for data in dict.fromkeys(entry["data"] for entry in results.suites if entry["suite"] == suite):
            ways = results.ways(suite, data)
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
    versions = ", ".join(f"{name} {number}" for name, number in peers["versions"].items() if name != "sluice" and number)
    return "\n".join([
        f"`scripts/bench-peers`, {peers['started'][:10]}: {peers['versions']['sluice']}; with two threads each: {versions}. Everyone in "
        f"fresh processes, in turn, {peers['runs']} runs each; what a peer wrote was compared with what we wrote, record by record. "
        "Seconds are of the process, from its start to its end; *statement* is a peer's statement alone, without the start of Python "
        "and the loading of its library. Inputs of some 4 GB (10 × a file) went through a pipe, once, for their peak memory.", "",
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
    ("CSV into a Codable struct", "csv-codable", "flights.csv", ["sluice, one thread", "sluice, one thread, pure Swift", "SwiftCSV by hand"]),
    ("JSON Lines into a Codable struct", "jsonl-codable", "tweets.jsonl", ["sluice, one thread", "sluice, one thread, pure Swift", "JSONDecoder"]),
    ("JSON Lines, 3 fields by name", "jsonl-fields", "tweets.jsonl", ["sluice, one thread", "sluice, one thread, pure Swift", "JSONSerialization"]),
    ("CSV file → JSON Lines file", "to-file", "flights.csv → jsonl", ["C", "kernel swift", "SwiftCSV and JSONSerialization"]),
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
                "Whole processes, two cores", "MB of input a second, each program's fastest way; logarithmic, longer is faster",
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
        "Rates are of the median run: MB are 10⁶ bytes of input.", ""]
    if everything["quick"]:
        text += ["**A quick run: few runs over little data. It shows that all works; its figures are no claim.**", ""]
    text += ["![MB/s of the C core, pure Swift and others](charts/swift.svg)", ""]
    if (folder / "peers.svg").exists():
        text += ["![MB/s of whole processes](charts/peers.svg)", ""]
    text += ["## Bars", "", tables.table(
        ["what", "is", "must be", "met"],
        [[what, f"{found:.3g}", bar, "yes" if found >= least else "**NO**"] for what, found, least, bar in bars]), ""]
    notes = BENCHMARKS / "report" / "notes.md"
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
    missed = [what for what, found, least, _ in bars if found < least] + (tables.missed(peers["jobs"]) if peers else [])
    for what in missed:
        print(f"bench: missed: {what}", file=sys.stderr)
    return 1 if missed and not everything["quick"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("collect")
    one.add_argument("out")
    one.add_argument("--suites", required=True)
    one.add_argument("--scaling", required=True)
    one.add_argument("--peers")
    one.add_argument("--quick", action="store_true")
    one.set_defaults(run=collect)
    two = commands.add_parser("write")
    two.add_argument("results")
    two.add_argument("--into", default=BENCHMARKS)
    two.set_defaults(run=write)
    arguments = parser.parse_args()
    sys.exit(arguments.run(arguments))


if __name__ == "__main__":
    main()
