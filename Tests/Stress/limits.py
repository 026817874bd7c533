"""What the tool holds and burns where others are slow: limits.py SLUICE

1. A pipeline that is blocked, by its input or by its output, takes less than 3 % of a core over 10 seconds.
2. With a memory limit, input of 20 times the limit and a reader of the output that takes 5 MB/s for a while: at most the limit
   and 64 MiB resident, and from a tenth of the output on no more than 2 MiB more, in every format and compression.

Linux only: it reads /proc.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

SLUICE = sys.argv[1]
BLOCKED_SECONDS, BLOCKED_SHARE = 10, 0.03
SLOW_SECONDS, SLOW_BYTES = 5, 5e6
failures = 0


def judge(name, is_met, what):
    global failures
    failures += not is_met
    print(f"{'ok  ' if is_met else 'FAIL'} {name}: {what}", flush=True)


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_mib(process, key):
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


# MARK: Blocked


def blocked(name, has_input):
    reading, writing = os.pipe()
    process = subprocess.Popen([SLUICE, "convert", "-", "-", "--from", "csv", "--to", "jsonl", "--jobs", "2"],
                               stdin=subprocess.PIPE, stdout=writing)
    os.close(writing)

    def feed():
        try:
            process.stdin.write(b"a,b\n" + b"1,2\n" * 10)
            while has_input:
                process.stdin.write(b"1,2\n" * 10_000)
            process.stdin.flush()
        except OSError:
            pass

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    # What is measured is time that goes by: its start and all that fills the queues count, too.
    time.sleep(BLOCKED_SECONDS)
    share = cpu_seconds(process) / BLOCKED_SECONDS
    judge(name, share < BLOCKED_SHARE, f"{share:.1%} of a core")
    process.terminate()
    process.wait()
    os.close(reading)


# MARK: Memory


def example(kind):
    """Input that may be repeated, and what comes before and behind it."""
    rows = [(number, f"name {number}", "some text, quoted" if number % 3 else "", number * 1.5) for number in range(20_000)]
    header = "id,name,text,value\n"
    table = "".join(f'{a},{b},"{c}",{d}\n' for a, b, c, d in rows)
    lines = "".join(json.dumps(dict(zip(["id", "name", "text", "value"], row))) + "\n" for row in rows)
    if kind == "json":
        body = ",".join(lines.splitlines())
        return b"[" + body.encode(), b"," + body.encode(), b"]"
    if kind == "jsonl":
        return b"", lines.encode(), b""
    if kind == "csv.gz":
        return gzip.compress(header.encode(), 1), gzip.compress(table.encode(), 1), b""
    return header.encode(), table.encode(), b""


def limited(kind, to, limit, compression=None):
    """The tool's own files, which threads inflate, are read from the disk; all else comes through a pipe."""
    before, body, behind = example(kind)
    size = len(gzip.decompress(body)) if kind.endswith(".gz") else len(body)
    times = 20 * limit * 2**20 // size + 1
    form = kind.split(".")[0]
    options = ["--from", form, "--to", to, "--memory-limit", str(limit)]
    if kind.endswith(".gz"):
        options += ["--compression", "gzip"]
    once = subprocess.run([SLUICE, "convert", "-", "-"] + options, input=before + body + behind, stdout=subprocess.PIPE)
    whole = len(once.stdout) * times // (2 if kind == "json" else 1)  # there the first element comes twice

    def feed(pipe):
        pipe.write(before)
        for number in range(times):
            pipe.write(body)
        pipe.write(behind)
        pipe.close()

    source = "-"
    if compression:
        source = os.path.join(FOLDER, f"in.{kind}.{compression}")
        packer = subprocess.Popen([SLUICE, "convert", "-", source, "--from", form, "--to", form], stdin=subprocess.PIPE)
        feed(packer.stdin)
        packer.wait()
        options = ["--to", to, "--memory-limit", str(limit)]
    process = subprocess.Popen([SLUICE, "convert", source, "-"] + options, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    feeder = None
    if not compression:
        feeder = threading.Thread(target=feed, args=(process.stdin,), daemon=True)
        feeder.start()
    start = time.monotonic()
    tenth, since, last, peak, taken = None, None, 0.0, 0.0, 0
    while True:
        piece = os.read(process.stdout.fileno(), 1 << 16)
        if not piece:
            break
        taken += len(piece)
        # Slow at first, and again behind the first tenth.
        if time.monotonic() - (since or start) < SLOW_SECONDS:
            time.sleep(len(piece) / SLOW_BYTES)
        if taken % (1 << 22) < len(piece):
            last, peak = status_mib(process, "VmRSS") or last, status_mib(process, "VmHWM") or peak
            if tenth is None and taken >= whole / 10:
                tenth, since = last, time.monotonic()
    if feeder:
        feeder.join()
    if compression:
        os.unlink(source)
    is_done = process.wait() == 0
    grown = last - (tenth or 0)
    name = f"{kind}.{compression}" if compression else kind
    judge(f"{name} to {to}, limit {limit} MiB", is_done and peak <= limit + 64 and grown <= 2,
          f"{peak:.0f} MiB at most, {grown:+.1f} MiB over the last 90 %")


def filed(form, to, limit):
    """From file to file, where each thread reads and writes: what it holds is looked at as often as can be."""
    before, body, _ = example(form)
    source, target = os.path.join(FOLDER, f"in.{form}"), os.path.join(FOLDER, f"out.{to}")
    with open(source, "wb") as file:
        file.write(before)
        for _ in range(20 * limit * 2**20 // len(body) + 1):
            file.write(body)
    process = subprocess.Popen([SLUICE, "convert", source, target, "--memory-limit", str(limit), "--jobs", "2"])
    held, peak = [], 0.0
    while process.poll() is None:
        held.append(status_mib(process, "VmRSS"))
        peak = status_mib(process, "VmHWM") or peak
    held = [mib for mib in held if mib > 0]
    # The most, not the last: that is from its end, when it lets go.
    grown = max(held[len(held) // 10:]) - held[len(held) // 10] if held else 0
    judge(f"{form} to {to} in files, limit {limit} MiB", process.returncode == 0 and peak <= limit + 64 and grown <= 2,
          f"{peak:.0f} MiB at most, {grown:+.1f} MiB over the last 90 %")
    for path in (source, target):
        os.unlink(path)


FOLDER = tempfile.mkdtemp()
blocked("blocked by its input", False)
blocked("blocked by its output", True)
for limit in (32, 64, 256, 512):
    for kind, to in [("csv", "jsonl"), ("jsonl", "csv"), ("jsonl", "json"), ("json", "jsonl"), ("text", "text"),
                     ("binary", "binary"), ("csv.gz", "jsonl")]:
        if limit <= 64 or kind == "csv":
            limited(kind, to, limit)
    if limit <= 64:
        limited("csv", "jsonl", limit, "gz")
        limited("csv", "jsonl", limit, "lz4")
        for kind, to in [("csv", "jsonl"), ("jsonl", "csv"), ("csv", "jsonl.gz"), ("csv", "jsonl.lz4")]:
            filed(kind, to, limit)
os.rmdir(FOLDER)
sys.exit(failures > 0)
