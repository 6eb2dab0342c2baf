# SPDX-License-Identifier: PostgreSQL
"""The table of the part kill: what was done to each helper, and how often it ended right."""

import json

HEAD = ("helper", "in what", "effects", "before", "after", "failing calls", "right", "not reached")


def rows(folder):
    for path in sorted(folder.glob("*.json")):
        for row in json.loads(path.read_text()):
            yield [row["helper"], row["what"], row["effects"], row["before"], row["after"],
                   row["failed"], row["right"], row["unreached"]]


def show(folder, say):
    table = [[str(cell) for cell in row] for row in (HEAD, *rows(folder))]
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
