# SPDX-License-Identifier: PostgreSQL
"""Medians, and what is made of them: tables for people, JSON for programs, the tables of a page."""

import datetime
import json
import os
import platform
import re
import statistics

from .places import SOURCE
from .run import run

PAGE = f"{SOURCE}/docs/benchmarks.md"
BUSY_LOAD = 0.25  # for each processor, before anything of ours has begun


def spread(values: list[float]) -> dict:
    """n, median, least and most; only n where nothing was measured."""
    if not values:
        return {"n": 0, "median": None, "least": None, "most": None}
    return {"n": len(values), "median": statistics.median(values), "least": min(values),
            "most": max(values)}


def span(row: dict, digits: int = 0, scale: float = 1.0) -> str:
    """median (least-most), in units of scale."""
    if not row["n"]:
        return "-"
    median, least, most = (f"{row[key] / scale:.{digits}f}" for key in ("median", "least", "most"))
    return median if row["n"] == 1 else f"{median} ({least}-{most})"


def ratio(row: dict, other: dict, digits: int = 2) -> str:
    """How many times the other's median; "-" where one is missing."""
    if not row["n"] or not other["n"] or not other["median"]:
        return "-"
    return f"{row['median'] / other['median']:.{digits}f}"


def machine() -> dict:
    """Where and when: figures of another machine are other figures."""
    with open("/proc/meminfo", encoding="ascii") as file:
        kib = int(file.readline().split()[1])
    cpus, load = os.cpu_count() or 1, os.getloadavg()[0]
    return {"date": datetime.datetime.now().isoformat(sep=" ", timespec="minutes"),
            "kernel": platform.release(), "cpus": cpus, "memory_gib": round(kib / 2 ** 20),
            "load_before": round(load, 2), "busy": load > BUSY_LOAD * cpus,
            "commit": run(["git", "-c", f"safe.directory={SOURCE}", "-C", SOURCE, "describe",
                           "--always", "--dirty"], check=False).strip()}


def said_of(at: dict) -> str:
    """One line of machine()."""
    busy = "; others were at work on it" if at["busy"] else ""
    return (f"{at['date']}, commit {at['commit'] or 'unknown'}: {at['cpus']} processors, "
            f"{at['memory_gib']} GiB, Linux {at['kernel']}, load before {at['load_before']}{busy}")


def table(heads: list[str], rows: list[list[str]]) -> str:
    """For a terminal: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    return "\n".join("  ".join([row[0].ljust(widths[0]),
                                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
                     for row in [heads, *rows])


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_part(page: str, name: str, text: str) -> str:
    """The page with another text between the two marks of a part."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    new, count = marks.subn(lambda found: f"{found[1]}{text}\n{found[2]}", page)
    if count != 1:
        raise ValueError(f"the page has the part {name} {count} times")
    return new


def write_docs(name: str, text: str) -> None:
    with open(PAGE, encoding="utf-8") as file:
        page = with_part(file.read(), name, text)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page)


def path_of(name: str) -> str:
    directory = f"{SOURCE}/build/bench"
    os.makedirs(directory, exist_ok=True)
    return f"{directory}/{name}.json"


def write_json(name: str, figures: dict) -> None:
    with open(path_of(name), "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1)


def read_json(name: str) -> dict | None:
    try:
        with open(path_of(name), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None
