"""python peer.py duckdb|polars|chdb STATEMENT

Runs one statement (SQL, or Python for Polars) with two threads and prints the seconds it took: the statement alone,
without the start of Python and the loading of the library.
"""

import os
import sys
import time

THREADS = 2


def duckdb(statement):
    import duckdb
    connection = duckdb.connect(config={"threads": THREADS})
    return lambda: connection.execute(statement)


def polars(statement):
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    import polars as pl
    code = compile(statement, "statement", "exec")
    return lambda: exec(code, {"pl": pl})


def chdb(statement):
    import chdb
    chdb.query(f"SET max_threads = {THREADS}")
    return lambda: chdb.query(statement)


def main():
    name, statement = sys.argv[1:]
    run = {"duckdb": duckdb, "polars": polars, "chdb": chdb}[name](statement)
    start = time.perf_counter()
    run()
    print(f"{time.perf_counter() - start:.6f}")


if __name__ == "__main__":
    main()
