"""Runs the tools of two revisions in turns: see scripts/bench-compare."""

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "Benchmarks" / "data"

# {output} is removed before each run.
JOBS = {
    "flights-jsonl": ["convert", "flights.csv", "{output}.jsonl"],
    "flights-jsonl-1": ["convert", "flights.csv", "{output}.jsonl", "--jobs", "1"],
    "flights-null": ["convert", "flights.csv", "/dev/null", "--to", "jsonl"],
    "tweets-csv-jsonl": ["convert", "tweets.csv", "{output}.jsonl"],
    "tweets-jsonl": ["convert", "tweets.jsonl", "{output}.jsonl"],
    "tweets-jsonl-csv": ["convert", "tweets.jsonl", "{output}.csv", "--select", "id,text,user.screen_name"],
    "flights-gz-in": ["convert", "flights.csv.gz", "{output}.jsonl"],
    "flights-gz-out": ["convert", "flights.csv", "{output}.jsonl.gz"],
    "count-flights": ["count", "flights.csv"],
    "count-tweets": ["count", "tweets.jsonl"],
}


def revision(name):
    if name == ".":
        return "."
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", name + "^{commit}"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench-compare: no such revision: {name}")
    return done.stdout.strip()


def build(name):
    """The tool of a revision, built if it is not."""
    if name == ".":
        subprocess.run([ROOT / "scripts" / "build", "sluice"], check=True, stdout=sys.stderr)
        return ROOT / ".build" / "release" / "sluice"
    folder = ROOT / ".build-compare" / name
    tool = folder / ".build" / "release" / "sluice"
    if not tool.exists():
        print(f"bench-compare: building {name}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        archive = subprocess.Popen(["git", "-C", ROOT, "archive", name], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
        if archive.wait():
            sys.exit(f"bench-compare: git cannot archive {name}")
        options = ["--static-swift-stdlib"] if sys.platform == "linux" else []
        subprocess.run(
            ["swift", "build", "--package-path", folder, "-c", "release", "--product", "sluice", *options],
            check=True, stdout=sys.stderr)
    return tool


def run(tool, job, seen=None):
    """Seconds that a job took.
    seen: gets what says of the output whether it is the same as another's."""
    output = DATA / f"compare-{os.getpid()}"
    words = [str(DATA / word) if (DATA / word).is_file() else word.replace("{output}", str(output)) for word in JOBS[job]]
    made = [Path(word) for word in words if word.startswith(str(output))]
    for path in made:
        path.unlink(missing_ok=True)
    start = time.monotonic()
    subprocess.run([tool, *words], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    for path in made:
        if seen is not None:
            with open(path, "rb") as file:
                seen.add(hashlib.file_digest(file, "sha256").hexdigest())
        path.unlink()
    return seconds


def main():
    parser = argparse.ArgumentParser(prog="bench-compare", description=__doc__)
    parser.add_argument("old", nargs="?")
    parser.add_argument("new", nargs="?")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--list", action="store_true", help="name the jobs")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(JOBS))
        return
    if not arguments.new:
        parser.error("two revisions are needed")
    jobs = arguments.jobs.split(",")
    unknown = [job for job in jobs if job not in JOBS]
    if unknown or arguments.runs < 1:
        parser.error(f"no such job: {', '.join(unknown)}" if unknown else "--runs is at least 1")
    needed = {word for job in jobs for word in JOBS[job] if "." in word and "{" not in word and "/" not in word and "," not in word}
    missing = sorted(name for name in needed if not (DATA / name).is_file())
    if missing:
        sys.exit(f"bench-compare: {', '.join(missing)} missing in {DATA}: scripts/bench-data writes them")

    names = [revision(arguments.old), revision(arguments.new)]
    tools = [build(name) for name in names]
    print(f"{names[1]} against {names[0]}: above 1 the new one is faster; {arguments.runs} pairs\n")
    print("| job | old s | new s | ratio of medians | median of pairs | worst | best |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for job in jobs:
        seen = set()
        for tool in tools:
            run(tool, job, seen)
        if len(seen) > 1:
            print(f"bench-compare: {job}: the two wrote other bytes", file=sys.stderr)
        times = [[], []]
        for turn in range(arguments.runs):
            # Who comes first changes, so that what a run leaves behind helps and harms both.
            for which in ((0, 1) if turn % 2 == 0 else (1, 0)):
                times[which].append(run(tools[which], job))
        old, new = map(statistics.median, times)
        pairs = sorted(one / other for one, other in zip(*times))
        print(f"| {job} | {old:.3f} | {new:.3f} | {old / new:.3f} | {statistics.median(pairs):.3f} "
              f"| {pairs[0]:.3f} | {pairs[-1]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
