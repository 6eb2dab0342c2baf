# SPDX-License-Identifier: PostgreSQL
"""Reads that went backwards, and totals that were never true.

Which reads must be fresh: those through the VIP, and those of a server that says it is no standby,
at any door.  A standby may answer with the past.  Fresh means: not older than what was acknowledged,
to whomever, before the question was sent.  A version that nobody acknowledged yet may be seen, and
be gone after a failover: nobody was told that it would last.

One thing is promised to nobody (docs/safety.md): while its guard is frozen or just awake, a node may
answer over its own unix socket with the past.  Over TCP the kernel sees to it.
"""

import bisect
import dataclasses

from ops import Op


@dataclasses.dataclass
class Backwards:
    stale: list[str]
    frozen: list[str]   # of these nobody is promised better
    unacked: list[str]


class Floor:
    """The highest version that was known to somebody at a time; notes come in the order of time."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.highest: list[int] = []

    def note(self, moment: float, version: int) -> None:
        if not self.highest or version > self.highest[-1]:
            self.times.append(moment)
            self.highest.append(version)

    def before(self, moment: float) -> int:
        at = bisect.bisect_left(self.times, moment)
        return self.highest[at - 1] if at else 0


def _must_be_fresh(op: Op) -> bool:
    return op.what == "read" and op.outcome == "acked" and (op.through_vip or not op.data[2])


def backwards(history: dict, ops: list[Op]) -> Backwards:
    acked: dict[int, Floor] = {}
    seen: dict[int, Floor] = {}
    for op in ops:
        if op.what == "write" and op.outcome == "acked":
            acked.setdefault(op.data[0], Floor()).note(op.ended, op.data[1])
        elif _must_be_fresh(op):
            seen.setdefault(op.data[0], Floor()).note(op.ended, op.data[1])
    out = Backwards([], [], [])
    for op in filter(_must_be_fresh, ops):
        key, version, _ = op.data
        told = acked[key].before(op.sent) if key in acked else 0
        known = seen[key].before(op.sent)
        if version < told:
            found = out.frozen if op.as_it_wakes(history["faults"]) else out.stale
            found.append(f"register {key} at version {version} by {op.node} "
                         f"({op.door}), {told} was acknowledged before")
        elif version < known:
            out.unacked.append(f"register {key} at version {version} by {op.node}, {known} before")
    return out


def totals(history: dict, ops: list[Op]) -> list[str]:
    """A snapshot has the whole of a transfer or nothing of it, on a standby too."""
    right = history["bank"]["accounts"] * history["bank"]["balance"]
    return [f"the bank had {op.data[0]} by {op.node}, and never has anything but {right}"
            for op in ops if op.what == "total" and op.outcome == "acked" and op.data[0] != right]
