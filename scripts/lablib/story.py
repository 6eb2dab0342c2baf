# SPDX-License-Identifier: PostgreSQL
"""Tells a failover while it happens: the lines of the nodes' logs that say who decided what."""

import re

from . import places, syslog

# What a reader wants to see: our helpers, keepalived's changes of state, the server's milestones.
WANTED = [
    (re.compile(r"(fence_self|fence_old|promote_safe|rejoin|check_primary|init)$"),
     re.compile(r"(?!pid |started |node ).*")),
    (re.compile(r"Keepalived_vrrp$"), re.compile(r"\(\S+\) Entering (MASTER|FAULT) STATE.*")),
    (re.compile(r"postgres$"),
     re.compile(r".*(selected new timeline|archive recovery complete|accept (read-only )?connect"
                r"|started streaming|was terminated by signal|shutdown request).*")),
]
_VERDICT = re.compile(r'outcome=(\S+) rule=(\S+) message="([^"]*)"(?: detail="([^"]*)")?')
_IDENTITY = re.compile(r"cluster=\S+ node=\S+ ")


def words(line: syslog.Line) -> str | None:
    """One line for people, or None when it is of no interest to them."""
    for tag, text in WANTED:
        if tag.match(line.tag) and text.match(line.text):
            break
    else:
        return None
    said = _IDENTITY.sub("", line.text).removeprefix("LOG:  ")
    verdict = _VERDICT.search(said)
    if verdict:
        outcome, rule, message, detail = verdict.groups()
        said = f"{outcome} ({rule}): {message}" + (f"; {detail}" if detail else "")
    return said


class Follower:
    """Reads what is new in the logs of a lab's nodes."""

    def __init__(self, lab: str, nodes: list[str]):
        self.files = {node: open(places.log_path(lab, node), encoding="utf-8", errors="replace")
                      for node in nodes}
        for file in self.files.values():
            file.seek(0, 2)
        self.rest = dict.fromkeys(nodes, "")

    def read(self) -> list[syslog.Line]:
        lines = []
        for node, file in self.files.items():
            text = self.rest[node] + file.read()
            *whole, self.rest[node] = text.split("\n")
            lines += [line for line in map(syslog.parse, whole) if line]
        return sorted(lines, key=lambda line: line.boot_ms)

    def close(self) -> None:
        for file in self.files.values():
            file.close()
