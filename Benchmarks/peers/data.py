"""Writes the inputs of the benchmarks, and beside them manifest.json with each one's bytes and records.

Deterministic: the same bytes on every machine that has the same statuses to start from. A file is written under the
name NAME.partial and renamed when it is whole; one that is there with the size the manifest gives it is left alone.
"""

import argparse
import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import flights
import tweets

ROOT = Path(__file__).resolve().parents[2]
TWITTER = ROOT.parent / "shared" / "data" / "twitter.json"

FLIGHTS_REPEATS = 12
TWEETS_BYTES = 400_000_000


def repeated(path, header, body, records, times):
    """Writes the header and `times` times the body; returns the number of records."""
    with open(path, "wb") as out:
        out.write(header)
        for _ in range(times):
            out.write(body)
    return records * times


def write_flights(path, size):
    header, rows = flights.read()
    return repeated(path, header, rows, rows.count(b"\n"), size.flights_repeats)


def write_flights_gz(path, size):
    plain = path.with_name("flights.csv")
    with open(plain, "rb") as source, open(path, "wb") as out:
        subprocess.run(["gzip", "-6", "--no-name"], stdin=source, stdout=out, check=True)
    return read_manifest(path.parent)[plain.name]["records"]


def write_tweets_jsonl(path, size):
    statuses = load_statuses()
    lines = (json.dumps(status, ensure_ascii=False, separators=(",", ":")) + "\n" for status in statuses)
    body = "".join(lines).encode()
    return repeated(path, b"", body, len(statuses), round(size.tweets_bytes / len(body)))


def write_tweets_csv(path, size):
    """RFC 4180 but for its line ends, which are LF; texts keep their own line ends inside quotes."""
    statuses = load_statuses()
    header, body = io.StringIO(), io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(
        ["id", "created_at", "text", "name", "screen_name", "followers", "retweets", "lang", "source"])
    writer = csv.writer(body, lineterminator="\n")
    for status in statuses:
        user = status["user"]
        writer.writerow([
            status["id"], status["created_at"], status["text"], user["name"], user["screen_name"],
            user["followers_count"], status["retweet_count"], status["lang"], status["source"]])
    rows = body.getvalue().encode()
    return repeated(path, header.getvalue().encode(), rows, len(statuses), round(size.tweets_bytes / len(rows)))


def load_statuses():
    if TWITTER.exists():
        return json.loads(TWITTER.read_text(encoding="utf-8"))["statuses"]
    return tweets.made_up_statuses()


# In this order: flights.csv.gz is made from flights.csv.
WRITERS = {
    "flights.csv": write_flights,
    "flights.csv.gz": write_flights_gz,
    "tweets.jsonl": write_tweets_jsonl,
    "tweets.csv": write_tweets_csv,
}


def read_manifest(folder):
    path = folder / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {}


def is_whole(path, manifest):
    return path.name in manifest and path.exists() and path.stat().st_size == manifest[path.name]["bytes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="about a tenth of everything, into the folder quick")
    parser.add_argument("--data", type=Path, default=ROOT / "Benchmarks/data", help="where to (default: %(default)s)")
    arguments = parser.parse_args()

    size = argparse.Namespace(flights_repeats=FLIGHTS_REPEATS, tweets_bytes=TWEETS_BYTES)
    folder = arguments.data
    if arguments.quick:
        size = argparse.Namespace(flights_repeats=1, tweets_bytes=TWEETS_BYTES // 10)
        folder = folder / "quick"
    folder.mkdir(parents=True, exist_ok=True)

    for name, write in WRITERS.items():
        path = folder / name
        manifest = read_manifest(folder)
        if is_whole(path, manifest):
            continue
        print(f"bench-data: writing {path}", file=sys.stderr)
        partial = path.with_name(name + ".partial")
        records = write(partial, size)
        partial.rename(path)
        manifest[name] = {"bytes": path.stat().st_size, "records": records}
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
