# SPDX-License-Identifier: PostgreSQL
"""docs/fault-results.md: the part between its two marks is what the last long run found."""

import argparse
import datetime
import os

from lablib import places

DOCUMENT = f"{places.SOURCE}/docs/fault-results.md"
BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"


def section(runs: list[dict], table: str, failed: list[int], args: argparse.Namespace) -> str:
    first = runs[0]
    minutes = sum(run["history"]["ended_ms"] - run["history"]["begun_ms"] for run in runs) / 60000
    injected = sum(len(run["history"]["faults"]) for run in runs)
    seeds = ", ".join(str(run["seed"]) for run in runs)
    bad = f" Failed, or without a lab: {', '.join(map(str, failed))}." if failed else ""
    made_of = ", ".join(f"{name} {version}" for name, version in first["versions"].items())
    rounds = sum(len(run["history"].get("rounds", [])) for run in runs)
    hands = sum(run["report"]["hands"] for run in runs)
    return "\n".join([
        f"### {first['setup']}, mode {first['mode']}, witness {first['witness']}", "",
        f"{datetime.date.today().isoformat()}: {injected} faults in {minutes:.0f} minutes of load; "
        f"{made_of}; {os.cpu_count()} cores.", "",
        f"Seeds {seeds}, {args.rounds} rounds each at most.{bad} Hands were needed "
        f"after {hands} of {rounds} rounds.", "", table.rstrip(), ""])


def write(runs: list[dict], table: str, failed: list[int], args: argparse.Namespace) -> None:
    """A run replaces the section of its own setup, mode and witness, and no other."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN, 1)
    old, tail = rest.split(END, 1)
    new = section(runs, table, failed, args)
    title = new.splitlines()[0]
    sections = ["### " + part for part in old.split("### ")[1:]]
    kept = [part.strip() + "\n" for part in sections if part.splitlines()[0] != title]
    body = "\n".join(sorted([*kept, new]))
    with open(f"{DOCUMENT}.new", "w", encoding="utf-8") as file:
        file.write(f"{head}{BEGIN}\n\n{body}\n{END}{tail}")
    os.rename(f"{DOCUMENT}.new", DOCUMENT)
