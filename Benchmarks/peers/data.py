"""Writes the inputs of the benchmarks, and beside them manifest.json with each one's bytes and records.

Deterministic: the same bytes on every machine that has the same statuses to start from. A file is written under the
name NAME.partial and renamed when it is whole; one that is there with the size the manifest gives it is left alone.
"""

import argparse
import csv
import io
import json
import shutil
import subprocess
import sys
from codecs import BOM_UTF16_LE
from pathlib import Path

import lz4.frame

import flights
import tweets

ROOT = Path(__file__).resolve().parents[2]
TWITTER = ROOT.parent / "shared" / "data" / "twitter.json"

FLIGHTS_REPEATS = 12
FLIGHTS_JSON_REPEATS = 4    # JSON is more than three times as long
TWEETS_BYTES = 400_000_000


def repeated(path, header, body, records, times, between=b"", footer=b""):
    """Writes the header, `times` times the body, and the footer; returns the number of records."""
    with open(path, "wb") as out:
        out.write(header)
        for number in range(times):
            out.write(between if number else b"")
            out.write(body)
        out.write(footer)
    return records * times


def write_flights(path, size):
    header, rows = flights.read()
    return repeated(path, header, rows, rows.count(b"\n"), size.flights_repeats)


def utf16(text):
    return text.decode().encode("utf-16-le")


def write_flights_year(path, size):
    """Once, whatever the size: what programs are measured on that take seconds for it."""
    header, rows = flights.read()
    return repeated(path, header, rows, rows.count(b"\n"), 1)


def write_flights_utf16(path, size):
    header, rows = flights.read()
    return repeated(path, BOM_UTF16_LE + utf16(header), utf16(rows), rows.count(b"\n"), size.flights_repeats)


def write_flights_gz(path, size):
    plain = path.with_name("flights.csv")
    with open(plain, "rb") as source, open(path, "wb") as out:
        subprocess.run(["gzip", "-6", "--no-name"], stdin=source, stdout=out, check=True)
    return read_manifest(path.parent)[plain.name]["records"]


def write_flights_lz4(path, size):
    """As the command lz4 writes it: blocks of 4 MiB that do not lean on each other, and a checksum of the content."""
    plain = path.with_name("flights.csv")
    with open(plain, "rb") as source, lz4.frame.open(
            path, "wb", block_size=lz4.frame.BLOCKSIZE_MAX4MB, block_linked=False, content_checksum=True) as out:
        shutil.copyfileobj(source, out, 4 << 20)
    return read_manifest(path.parent)[plain.name]["records"]


def flights_as_json():
    """A JSON object of strings for each flight, without a line end."""
    header, rows = flights.read()
    names = header.decode().rstrip("\n").split(",")
    for row in csv.reader(io.StringIO(rows.decode())):
        yield json.dumps(dict(zip(names, row, strict=True)), separators=(",", ":"))


def write_flights_jsonl(path, size):
    lines = list(flights_as_json())
    return repeated(path, b"", ("\n".join(lines) + "\n").encode(), len(lines), size.flights_json_repeats)


def write_flights_json(path, size):
    lines = list(flights_as_json())
    return repeated(path, b"[\n", ",\n".join(lines).encode(), len(lines), size.flights_json_repeats,
                    between=b",\n", footer=b"\n]\n")


def write_tweets_jsonl(path, size):
    statuses = load_statuses()
    lines = (json.dumps(status, ensure_ascii=False, separators=(",", ":")) + "\n" for status in statuses)
    body = "".join(lines).encode()
    return repeated(path, b"", body, len(statuses), round(size.tweets_bytes / len(body)))


def tweets_as_csv():
    """Header and rows. RFC 4180 but for the line ends, which are LF; texts keep their own line ends inside quotes."""
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
    return header.getvalue().encode(), body.getvalue().encode(), len(statuses)


def write_tweets_csv(path, size):
    header, rows, records = tweets_as_csv()
    return repeated(path, header, rows, records, round(size.tweets_bytes / len(rows)))


def write_tweets_utf16(path, size):
    header, rows, records = tweets_as_csv()
    return repeated(path, BOM_UTF16_LE + utf16(header), utf16(rows), records, round(size.tweets_bytes / len(rows)))


def load_statuses():
    if TWITTER.exists():
        return json.loads(TWITTER.read_text(encoding="utf-8"))["statuses"]
    return tweets.made_up_statuses()


# In this order: flights.csv.gz and flights.csv.lz4 are made from flights.csv.
WRITERS = {
    "flights.csv": write_flights,
    "flights-year.csv": write_flights_year,
    "flights.csv.gz": write_flights_gz,
    "flights.csv.lz4": write_flights_lz4,
    "flights-utf16.csv": write_flights_utf16,
    "flights.jsonl": write_flights_jsonl,
    "flights.json": write_flights_json,
    "tweets.jsonl": write_tweets_jsonl,
    "tweets.csv": write_tweets_csv,
    "tweets-utf16.csv": write_tweets_utf16,
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

    size = argparse.Namespace(flights_repeats=FLIGHTS_REPEATS, flights_json_repeats=FLIGHTS_JSON_REPEATS,
                              tweets_bytes=TWEETS_BYTES)
    folder = arguments.data
    if arguments.quick:
        size = argparse.Namespace(flights_repeats=1, flights_json_repeats=1, tweets_bytes=TWEETS_BYTES // 10)
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
