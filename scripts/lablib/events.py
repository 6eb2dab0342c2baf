# SPDX-License-Identifier: PostgreSQL
"""What was done to a lab and when: one JSON line for each fault, in the order of their time."""

import json

from . import places
from .kernel import boot_ms


def path(lab: str) -> str:
    return f"{places.lab_dir(lab)}/events.jsonl"


def note(lab: str, words: list[str], at_ms: float | None = None) -> None:
    line = json.dumps({"boot_ms": round(at_ms if at_ms is not None else boot_ms(), 3),
                       "fault": words})
    with open(path(lab), "a", encoding="utf-8") as file:
        file.write(line + "\n")


def read(lab: str) -> list[dict]:
    try:
        with open(path(lab), encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []
