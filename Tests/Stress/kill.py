"""Kills ETL runs at random moments and runs them again: kill.py EXAMPLE [CHAINS]

CHAINS are tried in each mode. A chain is one to four runs that are killed, one after the other, and one that is left alone: whatever the moments, it makes the
target the same table as a single run, in every mode. EXAMPLE is sluice-example-etl.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

EXAMPLE, CHAINS = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
ROWS = 200_000
random.seed(1)
failures = 0


def make(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, changed INTEGER, customer TEXT, price REAL)")
    # Many rows share a time, so that marks fall among ties.
    db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)",
                   ((i * 3, i // 700, f"customer {i % 977}", i % 1000 / 8) for i in range(ROWS)))
    db.commit()
    db.close()


def content(path):
    if not os.path.exists(path):
        return None
    db = sqlite3.connect(path)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE name = 'orders'")]
    rows = db.execute("SELECT * FROM orders ORDER BY id").fetchall() if tables else None
    db.execute("PRAGMA integrity_check").fetchone()[0] == "ok" or sys.exit("the target is damaged")
    db.close()
    return rows


def remove(path):
    for suffix in ("", "-wal", "-shm", "-journal"):
        if os.path.exists(path + suffix):
            os.unlink(path + suffix)


with tempfile.TemporaryDirectory() as folder:
    source, target = folder + "/source.db", folder + "/target.db"
    make(source)
    for mode in ("append", "upsert", "incremental", "refresh"):
        command = [EXAMPLE, source, target, "orders", mode]
        remove(target)
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        expected = content(target)
        assert len(expected) == ROWS
        partial = kills = 0
        for number in range(CHAINS):
            remove(target)
            for _ in range(random.randint(1, 4)):
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
                time.sleep(random.uniform(0, seconds))
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                left = content(target)
                partial += left is not None and 0 < len(left) < ROWS
                if mode == "refresh" and left not in (None, [], expected):
                    failures += 1
                    print(f"FAIL {mode}: a part of the table is there after a kill")
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if content(target) != expected:
                failures += 1
                print(f"FAIL {mode}: chain {number}: the table is another one")
        print(f"ok   {mode}: {CHAINS} chains, {kills} kills, {partial} of them with a part of the rows committed", flush=True)
sys.exit(1 if failures else 0)
