"""Are two outputs the same records in the same order?

What may differ, because the programs differ in it and nobody would call it another record: a number and its text (517,
"517"), the order of keys, and null, an absent key, "", [] and {} (a typed column has no way to tell them apart).
"""

import csv
import json
import re
from itertools import zip_longest

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


def compare_json_lines(ours, theirs, every):
    count = 0
    with open(ours, "rb") as left, open(theirs, "rb") as right:
        for count, (a, b) in enumerate(zip_longest(left, right), 1):
            if a is None or b is None:
                return count - 1, f"one has {count - 1} records, the other more"
            if (count % every == 0 or count == 1) and a != b:
                a, b = json_record(a), json_record(b)
                if a != b:
                    return count, f"record {count}, {first_difference(a, b)}"
    return count, None


def compare_csv(ours, theirs):
    count = -1    # the header is no record
    with open(ours, newline="", encoding="utf-8") as left, open(theirs, newline="", encoding="utf-8") as right:
        for count, (a, b) in enumerate(zip_longest(csv.reader(left), csv.reader(right))):
            if a is None or b is None:
                return count - 1, f"one has {count - 1} records, the other more"
            if normal(a) != normal(b):
                return count, f"record {count}: {a!r} and {b!r}"
    return count, None


def count_records(path):
    if path.suffix == ".csv":
        with open(path, newline="", encoding="utf-8") as file:
            return sum(1 for _ in csv.reader(file)) - 1
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def compare(ours, theirs, every):
    """How many records were read, and what is different (None: nothing)."""
    if ours.suffix == ".csv":
        return compare_csv(ours, theirs)
    return compare_json_lines(ours, theirs, every)
