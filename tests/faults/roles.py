# SPDX-License-Identifier: PostgreSQL
"""What the servers said of themselves in their logs: from when on each was what.  A server that was
killed says nothing: it is what it was until it says something else."""

import re

from lablib import places, syslog
from lablib.hosts import Hosts
from lablib.settings import DEBIAN, Settings

# What is said, with a prefix or without, and what it is then; a number is a timeline that it began.
SAID = [
    (re.compile(r"LOG:  database system is ready to accept connections"), "primary"),
    (re.compile(r"LOG:  database system is ready to accept read-only connections"), "standby"),
    (re.compile(r"LOG:  entering standby mode"), "standby"),
    (re.compile(r"LOG:  database system is shut down"), "down"),
    (re.compile(r"LOG:  starting PostgreSQL"), "down"),
    (re.compile(r"LOG:  selected new timeline ID: (\d+)"), None),
]


def of_lines(lines: list[syslog.Line]) -> list[list]:
    found = []
    for line in lines:
        if line.tag != "postgres":
            continue
        for pattern, role in SAID:
            if match := pattern.search(line.text):
                found.append([round(line.boot_ms, 1), line.node, role or int(match[1])])
                break
    return sorted(found, key=lambda one: one[0])


def of_nodes(lab: str, settings: Settings, nodes: list[str], since_ms: float) -> list[list]:
    if settings.setup == DEBIAN:
        return of_lines(Hosts(lab, settings).logs(since_ms=since_ms))
    return of_lines([line for name in nodes
                     for line in syslog.read(places.log_path(lab, name), since_ms)])
