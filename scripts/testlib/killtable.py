# SPDX-License-Identifier: PostgreSQL
"""The table of the part kill: what was done to each helper, how often it ended right, how long each test took."""

import json

HEAD = ("test", "seconds", "helper", "in what", "effects", "before", "after", "failing calls",
        "right", "wrong", "not reached")


def forget(folder):
    """What an earlier run left is none of this one's."""
    for path in folder.glob("*.json"):
        path.unlink()


def rows(folder):
    for path in sorted(folder.glob("*.json")):
        test = json.loads(path.read_text())
        name, seconds = path.stem, test["seconds"]
        for row in test["rows"]:
            yield [name, seconds, row["helper"], row["what"], row["effects"], row["before"],
                   row["after"], row["failed"], row["right"], len(row["wrong"]), row["unreached"]]
            name = seconds = ""


def show(folder, say):
    table = [[str(cell) for cell in row] for row in (HEAD, *rows(folder))]
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
