"""Are two outputs the same records in the same order?

What may differ, because the programs differ in it and nobody would call it another record: a number and its text (517,
"517"), the order of keys, and null, an absent key, "", [] and {} (a typed column has no way to tell them apart).
"""

import csv
import gzip
import io
import json
import re
import sqlite3
from itertools import zip_longest

import lz4.frame

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)

# Sampled at a prime distance, so that a file that repeats every 100 records is seen in all of them.
EVERY = 1009


def normal(value):
    """The value with everything that may differ taken out of it; None for all that is empty."""
    if isinstance(value, str):
        number = NUMBER.fullmatch(value)
        return repr(float(value)) if number and number.lastindex else value or None
    if isinstance(value, dict):
        members = ((key, normal(member)) for key, member in value.items())
        return {key: member for key, member in members if member is not None} or None
    if isinstance(value, list):
        return [normal(element) for element in value] or None
    return {True: "true", False: "false", None: None}[value]


def json_record(line):
    return normal(json.loads(line, parse_int=str, parse_float=str))


def first_difference(ours, theirs, path=""):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours.keys() | theirs.keys():
            if ours.get(key) != theirs.get(key):
                return first_difference(ours.get(key), theirs.get(key), f"{path}.{key}")
    return f"{path or 'record'}: {ours!r} and {theirs!r}"


def open_plain(path):
    if path.suffix == ".gz":
        return gzip.open(path)
    return io.BufferedReader(lz4.frame.open(path), 1 << 20) if path.suffix == ".lz4" else open(path, "rb")


def array_elements(file):
    """The elements of a JSON array that has each on a line of its own, as ours have."""
    if next(file, None) != b"[\n":
        raise ValueError("there is no [ on a line of its own")
    for line in file:
        yield line.removesuffix(b"\n").removesuffix(b",")
        if not line.endswith(b",\n"):
            break
    if list(file) != [b"]\n"]:
        raise ValueError("a comma is missing, or the ] at the end")


def raw_records(path):
    """The records as they stand there: lists of cells, the header among them, or the bytes of JSON."""
    if path.suffix == ".db":
        yield from map(list, sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT * FROM flights"))
        return
    with open_plain(path) as file:
        if path.suffixes[0] == ".csv":
            yield from csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        elif path.suffixes[0] == ".json":
            yield from array_elements(file)
        else:
            yield from (line.removesuffix(b"\n") for line in file)


def first_number(path):
    """A CSV file's header is no record."""
    return 0 if path.suffixes[0] == ".csv" else 1


def count_records(path):
    return sum(1 for _ in raw_records(path)) - 1 + first_number(path)


def record(raw):
    return normal(raw) if isinstance(raw, list) else json_record(raw)


def compare(ours, theirs, every):
    """How many records were read, and what is different (None: nothing)."""
    number = first_number(ours) - 1
    for number, (a, b) in enumerate(zip_longest(raw_records(ours), raw_records(theirs)), first_number(ours)):
        if a is None or b is None:
            return number - 1, f"one has {number - 1} records, the other more"
        if (number % every == 0 or number == 1) and a != b:
            a, b = record(a), record(b)
            if a != b:
                return number, f"record {number}, {first_difference(a, b)}"
    return number, None
