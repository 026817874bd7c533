"""What the programs that read records into Swift values must print behind the number of records, found in another way."""

import csv
import json


def distance(path):
    """The sum of the column `distance`."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        place = next(rows).index("distance")
        return [sum(int(row[place]) for row in rows)]


def flights(path):
    """Of each flight: the sum of its integers, of its delay, how many have none, and the sum of the bytes of its texts."""
    integers = delays = without = texts = 0
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            integers += int(row["year"]) + int(row["flight"]) + int(row["distance"])
            texts += sum((row["carrier"] + row["dest"]).encode())
            if row["dep_delay"] == "NA":
                without += 1
            else:
                delays += int(row["dep_delay"])
    return [integers, delays, without, texts]


def tweets(path):
    """The sum of the ids, cut off at 64 bits, and of the bytes of texts and names."""
    ids = texts = 0
    with open(path, "rb") as file:
        for line in file:
            tweet = json.loads(line)
            ids += tweet["id"]
            texts += sum(tweet["text"].encode()) + sum(tweet["user"]["screen_name"].encode())
    return [(ids + 2**63) % 2**64 - 2**63, texts]
