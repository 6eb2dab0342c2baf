# SPDX-License-Identifier: PostgreSQL
"""The steps of a failover, found in the nodes' own logs."""

import re

from .syslog import Line

# phase: lines that show it, each (tag, text); the first line after the fault counts.
PATTERNS: dict[str, list[tuple[str, re.Pattern]]] = {
    "detected": [
        ("fence_self", re.compile(r".*the server \(pid \d+\) has ended")),
        ("fence_self", re.compile(r".*making this node harmless")),
        ("promote_safe", re.compile(r".*")),
    ],
    "withdrawn": [("promote_safe", re.compile(r".*the vote for \S+ is withdrawn"))],
    "fenced": [(r"promote_safe", re.compile(r".*fencing of \S+ by \S+: (fenced|isolated)"))],
    "promoted": [
        ("promote_safe", re.compile(r".*outcome=yes rule=promoted")),
        ("postgres", re.compile(r".*archive recovery complete")),
    ],
}


def find(lines: list[Line], since_ms: float) -> dict[str, float]:
    """{phase: time} of the first line of each phase at or after since_ms."""
    found: dict[str, float] = {}
    for line in sorted(lines, key=lambda one: one.boot_ms):
        if line.boot_ms < since_ms:
            continue
        for phase, patterns in PATTERNS.items():
            if phase in found:
                continue
            if any(tag == line.tag and pattern.match(line.text) for tag, pattern in patterns):
                found[phase] = line.boot_ms
    return found
