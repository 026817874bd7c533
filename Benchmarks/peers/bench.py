"""Runs the jobs of jobs.py side by side and prints what came out as tables and as JSON.

How it measures:
1. Everyone runs in a fresh process, alternating (A B C A B C), output to a file on the same disk that is removed first.
2. Everyone runs twice before it counts; of a peer's variants the fastest of these goes on. Before each run that counts memory
   is touched, see warm_memory.
3. Everyone's time is that of the whole process, from its start to its end, as who types the command line has it. A peer's
   statement alone, without the start of Python and the loading of its library, is shown beside it.
4. Peak memory is that of the process, through launch.c.
5. What a peer wrote is compared with what we wrote, see compare.py; what our programs print is compared with sums.py.
6. Where only peak memory is asked for, feed.py streams some 4 GB into standard input, once, and the output goes to /dev/null.
"""

import argparse
import json
import mmap
import os
import platform
import re
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import compare
import tables
from jobs import JOBS, PEERS, Variant, Yardstick

ROOT = Path(__file__).resolve().parents[2]


class Broken(Exception):
    """A program failed or wrote other records: there is nothing to compare."""


def short(path):
    """The path from the top of the package, where everything runs."""
    path = Path(path).absolute()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def show(command):
    """The command as a shell reads it, with SQL in double quotes: it is full of single ones."""
    def quoted(word):
        return '"' + re.sub(r'(["$`\\])', r"\\\1", word) + '"' if "'" in word else shlex.quote(word)

    return " ".join(map(quoted, command))


def say(text):
    print(f"bench-peers: {text}", file=sys.stderr, flush=True)


# MARK: One run


def warm_memory(output, folder):
    """Touches memory and gives it back, a GiB for what a program works with and a file of as many bytes as its output has. A
    virtual machine may return free memory to its host, and then waits, a fresh page at a time and several times as long as a
    conversion takes, until it has it again: nobody's program has a part in that."""
    size = 1 << 30
    memory = mmap.mmap(-1, size)
    try:
        memory.madvise(23)  # MADV_POPULATE_WRITE
    except OSError:
        for page in range(0, size, mmap.PAGESIZE):  # before Linux 5.14
            memory[page] = 1
    memory.close()
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        zeros = bytes(1 << 20)
        for _ in range(0, output, len(zeros)):
            file.write(zeros)


@dataclass
class Run:
    seconds: float    # of the process: what is compared
    statement: float  # of a peer's statement alone; of the process for others
    cpu: float
    peak_mib: float

    def __str__(self):
        return f"{self.seconds:.3f} s ({self.cpu:.3f} s of CPU, {self.peak_mib:.0f} MiB)"


@dataclass
class Contestant:
    label: str
    command: list
    output: Path | None
    feed: list | None = None
    peer: Variant | None = None
    yardstick: Yardstick | None = None
    runs: list = field(default_factory=list)
    warm: list = field(default_factory=list)
    output_bytes: int | None = None
    stdout: str = ""

    @property
    def shown(self):
        return (f"{show(self.feed)} | " if self.feed else "") + show(self.command)

    @property
    def median(self):
        return statistics.median(run.seconds for run in self.runs)

    @property
    def peak_mib(self):
        return max(run.peak_mib for run in self.runs)


@contextmanager
def fed(command):
    """A standard input: what the command writes, or nothing. Whoever did not read all of it is broken."""
    if command is None:
        yield subprocess.DEVNULL
        return
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as feeder:
        try:
            yield feeder.stdout
        finally:
            feeder.stdout.close()
    if feeder.returncode != 0:
        raise Broken(f"{show(command)} ended with {feeder.returncode}")


class Launcher:
    def __init__(self, folder):
        self.program = folder / "launch"
        self.report = folder / "report"
        source = Path(__file__).with_name("launch.c")
        compiler = os.environ.get("CC", "clang")
        subprocess.run([compiler, "-O2", "-o", self.program, source], check=True)

    def run(self, contestant):
        if contestant.output:
            contestant.output.unlink(missing_ok=True)
        with fed(contestant.feed) as source:
            done = subprocess.run([self.program, self.report, *contestant.command], cwd=ROOT, text=True,
                                  stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if done.returncode != 0:
                raise Broken(f"{contestant.shown}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
        wall, cpu, peak_kib, _ = map(float, self.report.read_text().split())
        contestant.stdout = done.stdout
        contestant.output_bytes = contestant.output.stat().st_size if contestant.output else None
        statement = float(done.stdout.split()[-1]) if contestant.peer else wall
        return Run(wall, statement, cpu, peak_kib / 1024)


# MARK: One job


class JobRunner:
    def __init__(self, job, arguments, launcher, folder):
        self.job, self.arguments, self.launcher = job, arguments, launcher
        self.folder = folder
        self.reference = None
        self.sums = None
        self.problems = []
        # Ways of others that failed or wrote other records: they are out of the race, and no problem of ours.
        self.left_out = []
        self.places = {
            "sluice": short(arguments.sluice), "example1": short(arguments.example1),
            "example2": short(arguments.example2), "typed": short(arguments.typed),
            "jsondecoder": short(arguments.jsondecoder), "sqlite": short(arguments.sqlite),
            "python": short(sys.executable),
            "input": short(arguments.data / job.input), "reference": short(folder / f"reference{job.output}")}
        if job.prepare:
            self.places["made"] = short(folder / f"made{job.prepare[1]}")
        everyone = [] if arguments.only_peers else [self.contestant("sluice", job.ours)]
        if not arguments.only_ours:
            everyone += [self.contestant(variant.label, variant.command, peer=variant) for variant in job.variants]
        everyone += [self.contestant(yardstick.label, yardstick.command, yardstick=yardstick)
                     for yardstick in job.yardsticks if not (arguments.only_peers and yardstick.is_built)]
        self.everyone = everyone

    def contestant(self, label, command, peer=None, yardstick=None):
        suffix, places = self.job.output, self.places
        if yardstick:
            suffix = yardstick.output or suffix
            places = places | {"input": short(self.arguments.data / (yardstick.input or self.job.input))}
        writes = any("{output}" in word for word in command)
        output = self.folder / f"output{suffix}" if suffix and (writes or peer) else None
        words = [word.format(**places, output=output and short(output)) for word in command]
        feed = None
        if self.job.times:
            feed = [places["python"], "Benchmarks/peers/feed.py", places["input"], str(self.job.times)]
        return Contestant(label, words, output, feed, peer, yardstick)

    def run(self):
        if self.job.prepare:
            subprocess.run([word.format(**self.places) for word in self.job.prepare[0]], cwd=ROOT, check=True)
        if self.job.times:
            return [contestant for contestant in self.everyone if self.run_once(contestant)]
        self.everyone = [contestant for contestant in self.everyone if self.warm_up(contestant)]
        racers = self.fastest_variants()
        for number in range(1, self.arguments.runs + 1):
            for contestant in racers:
                if contestant.yardstick and contestant.yardstick.size:
                    contestant.runs = contestant.warm
                    continue
                warm_memory(contestant.output_bytes or 0, self.folder)
                contestant.runs.append(self.launcher.run(contestant))
                say(f"{self.job.name}: run {number} of {self.arguments.runs}: {contestant.label} {contestant.runs[-1]}")
                if contestant.output:
                    contestant.output.unlink()    # or the next one pays for writing this one's pages to the disk
        for file in self.reference, self.job.prepare and Path(ROOT / self.places["made"]):
            if file:
                file.unlink()
        return racers

    def run_once(self, contestant):
        """Only peak memory is asked for, and time does not change it."""
        try:
            contestant.runs.append(self.launcher.run(contestant))
            if contestant.stdout:
                self.check_records(contestant, int(contestant.stdout.split()[0]))
            say(f"{self.job.name}: {contestant.label} {contestant.runs[-1]}")
            return True
        except Broken as problem:
            return self.note(contestant, problem)

    def warm_up(self, contestant):
        """Runs the contestant twice. One that fails or writes other records is out of the race, and a problem if it is no peer's."""
        say(f"{self.job.name}: warming {contestant.label}")
        try:
            contestant.warm.append(self.launcher.run(contestant))
            self.check(contestant)
            if not (contestant.yardstick and contestant.yardstick.size):
                contestant.warm.append(self.launcher.run(contestant))
            say(f"{self.job.name}: {contestant.label} took {', then '.join(map(str, contestant.warm))}")
            return True
        except (Broken, ValueError) as problem:
            return self.note(contestant, problem)

    def note(self, contestant, problem):
        say(str(problem))
        (self.left_out if contestant.peer else self.problems).append(str(problem))
        return False

    def check(self, contestant):
        """Is what the contestant wrote right? The first one's output is what the others' are compared with."""
        if contestant.yardstick and not contestant.yardstick.is_same:
            return
        if not contestant.output:
            return self.check_printed(contestant) if self.job.counts else None
        if self.reference is None:
            self.reference = self.folder / f"reference{self.job.output}"
            contestant.output.rename(self.reference)
            return self.check_records(contestant, compare.count_records(self.reference))
        every = 1 if self.arguments.compare == "full" else compare.EVERY
        count, difference = compare.compare(self.reference, contestant.output, every)
        if difference:
            raise Broken(f"{self.job.name}: {contestant.label} wrote other records, or in another order: {difference}")
        self.check_records(contestant, count)
        how = "each" if every == 1 else f"each {every}th"
        say(f"{self.job.name}: {contestant.label} wrote the same {count} records ({how} compared)")

    def check_printed(self, contestant):
        count, *printed = map(int, contestant.stdout.split())
        self.check_records(contestant, count)
        if self.job.sums:
            self.sums = self.sums or self.job.sums(self.arguments.data / self.job.input)
            if printed != self.sums:
                raise Broken(f"{self.job.name}: {contestant.label} printed {printed} where sums.py has {self.sums}")
            say(f"{self.job.name}: {contestant.label} printed the sums {printed} of all {count} records")

    def check_records(self, contestant, count):
        if not self.job.counts:
            return
        expected = self.arguments.manifest[self.job.input]["records"] * (self.job.times or 1)
        if count != expected:
            raise Broken(f"{self.job.name}: {contestant.label} has {count} records where there are {expected}")

    def fastest_variants(self):
        def best(contestant):
            return min(run.seconds for run in contestant.warm)

        racers = [contestant for contestant in self.everyone if not contestant.peer]
        for judged in (True, False):
            for peer in PEERS:
                variants = [one for one in self.everyone
                            if one.peer and one.peer.peer == peer and one.peer.judged == judged]
                if variants:
                    racers.append(min(variants, key=best))
        return racers


# MARK: What came out


@dataclass
class Bar:
    """One thing asked for. `value` is how much was reached: as a ratio of medians, million records a second, or MiB."""
    what: str
    value: float
    limit: float
    at_least: bool
    pairs: list = field(default_factory=list)
    judged: bool = True

    @property
    def met(self):
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def over(many, few):
    """How many times as long each run of `many` took as the run of `few` in the same round."""
    return [a.seconds / b.seconds for a, b in zip(many.runs, few.runs)]


def bars_of(job, racers, records, has_isal):
    ours = next((one for one in racers if one.label == "sluice"), None)
    if ours is None:
        return []
    bars = []
    peers = [one for one in racers if one.peer and one.peer.judged]
    if job.ratio and peers:
        fastest = min(peers, key=lambda one: one.median)
        bars.append(Bar(f"as fast as {fastest.label}", fastest.median / ours.median, job.ratio, True,
                        over(fastest, ours), judged=has_isal or not job.needs_isal))
    for one in racers:
        if one.yardstick and one.yardstick.time:
            bars.append(Bar(f"the time of {one.label}", ours.median / one.median, one.yardstick.time, False,
                            over(ours, one)))
        if one.yardstick and one.yardstick.speed:
            bars.append(Bar(f"as fast as {one.label}", one.median / ours.median, one.yardstick.speed, True,
                            over(one, ours)))
        if one.yardstick and one.yardstick.size:
            bars.append(Bar(f"the size by {one.label}", ours.output_bytes / one.output_bytes, one.yardstick.size, False))
    if job.rate:
        bars.append(Bar("million records/s", records / ours.median / 1e6, job.rate / 1e6, True))
    return bars + [Bar("peak MiB", ours.peak_mib, job.peak_mib, False)]


def print_tables(jobs):
    print("Seconds of the process (median, best), of a peer's statement alone (median), CPU seconds (median), peak memory\n")
    print(tables.programs(jobs) + "\n")
    if bars := tables.bars(jobs):
        print("Bars: ratio of medians (median of the paired ratios, worst pair)\n")
        print(bars + "\n")


def print_commands(results):
    print("Command lines, from the top of the package (the fastest variant of each peer):\n")
    for job, racers, _ in results:
        print(job.title)
        for one in racers:
            print(f"    {one.shown}")
    print()


def first_line(command):
    try:
        done = subprocess.run(command, text=True, capture_output=True)
    except OSError:
        return None
    return (done.stdout.strip() or done.stderr.strip()).replace("\n", "; ") or None


def package_version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def machine():
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        cpu = names[0] if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1), "system": platform.platform(),
            "load_before": os.getloadavg()[0]}


def as_json(arguments, started, where, results, problems, left_out):
    return {
        "started": started, "machine": where, "quick": arguments.quick, "runs": arguments.runs,
        "compare": arguments.compare,
        "versions": {"sluice": arguments.version} | {name: package_version(name) for name in PEERS},
        "inputs": arguments.manifest, "problems": problems, "left_out": left_out,
        "jobs": [{
            "name": job.name, "title": job.title,
            "programs": [{
                "label": one.label, "command": one.shown, "median": one.median,
                "peak_mib": one.peak_mib, "output_bytes": one.output_bytes, "runs": [vars(run) for run in one.runs],
            } for one in racers],
            "bars": [vars(bar) | {"met": bar.met} for bar in bars],
        } for job, racers, bars in results],
    }


# MARK: All of it


def parse():
    names = [job.name for job in JOBS]
    parser = argparse.ArgumentParser(prog="bench-peers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default=",".join(names), help="which, with commas between (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of everyone (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, compared in full; no bar is judged")
    parser.add_argument("--compare", choices=["sample", "full"],
                        help=f"compare each {compare.EVERY}th record, or every one (default: full with --quick)")
    parser.add_argument("--only-ours", action="store_true", help="without the peers (and without installing them)")
    parser.add_argument("--only-peers", action="store_true", help="without sluice")
    parser.add_argument("--sluice", type=Path, default=ROOT / ".build/release/sluice", help="(default: %(default)s)")
    parser.add_argument("--example1", type=Path, default=ROOT / ".build/release/sluice-example1",
                        help="(default: %(default)s)")
    parser.add_argument("--example2", type=Path, default=ROOT / ".build/release/sluice-example2",
                        help="(default: %(default)s)")
    parser.add_argument("--typed", type=Path, default=ROOT / ".build/release/bench-typed", help="(default: %(default)s)")
    parser.add_argument("--jsondecoder", type=Path, default=ROOT / ".build/release/bench-jsondecoder",
                        help="(default: %(default)s)")
    parser.add_argument("--sqlite", type=Path, default=ROOT / ".build/release/bench-sqlite", help="(default: %(default)s)")
    parser.add_argument("--data", type=Path, default=ROOT / "Benchmarks/data",
                        help="where bench-data wrote; outputs go there too (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    arguments = parser.parse_args()

    unknown = set(arguments.jobs.split(",")) - set(names)
    if unknown:
        parser.error(f"no such job: {', '.join(sorted(unknown))} (there are {', '.join(names)})")
    if arguments.only_ours and arguments.only_peers:
        parser.error("--only-ours and --only-peers leave nobody")
    for program in ("sluice", "example1", "example2", "typed", "jsondecoder", "sqlite"):
        setattr(arguments, program, getattr(arguments, program).absolute())
    arguments.data = arguments.data.absolute() / "quick" if arguments.quick else arguments.data.absolute()
    arguments.compare = arguments.compare or ("full" if arguments.quick else "sample")
    arguments.manifest = json.loads((arguments.data / "manifest.json").read_text())
    arguments.version = None if arguments.only_peers else first_line([arguments.sluice, "--version"])
    return arguments


def chosen_jobs(arguments):
    for job in JOBS:
        if job.name not in arguments.jobs.split(","):
            continue
        if arguments.only_peers and not job.variants and all(one.is_built for one in job.yardsticks):
            continue
        yield job


def main():
    arguments = parse()
    has_isal = "isa-l" in (arguments.version or "").lower()
    started, where = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), machine()
    if where["load_before"] > 0.5:
        say(f"the machine is busy (load {where['load_before']:.1f}): do not trust these figures")

    results, problems, left_out = [], [], []
    with tempfile.TemporaryDirectory(prefix="run-", dir=arguments.data) as folder:
        launcher = Launcher(Path(folder))
        for job in chosen_jobs(arguments):
            runner = JobRunner(job, arguments, launcher, Path(folder))
            racers = runner.run()
            records = arguments.manifest[job.input]["records"]
            results.append((job, racers, bars_of(job, racers, records, has_isal)))
            problems += runner.problems
            left_out += runner.left_out
            if arguments.json:
                arguments.json.write_text(json.dumps(
                    as_json(arguments, started, where, results, problems, left_out), indent=2) + "\n")

    print(f"{where['cpu']}, {where['cores']} cores; {arguments.version or 'no sluice'}; peers with 2 threads: "
          + ", ".join(f"{title} {package_version(name) or '(absent)'}" for name, title in PEERS.items()) + "\n")
    jobs = as_json(arguments, started, where, results, problems, left_out)["jobs"]
    print_tables(jobs)
    print_commands(results)
    for what in left_out:
        print(f"Left out: {what}")
    for problem in problems:
        print(f"Problem: {problem}")
    missed = tables.missed(jobs)
    if arguments.quick:
        print("Quick: small inputs, so no bar is judged.")
        return 2 if problems else 0
    print(f"{len(missed)} bars missed." if missed else "Every bar is met.")
    # 1 is what Python ends with where something broke in here.
    return 2 if problems else 3 if missed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))    # so that the temporary folder goes even then
    try:
        sys.exit(main())
    except Broken as error:
        say(str(error))
        sys.exit(2)
