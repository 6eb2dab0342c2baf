# SPDX-License-Identifier: PostgreSQL
"""Which points share a failover."""

import dataclasses

from places import Point


@dataclasses.dataclass(frozen=True)
class Target:
    role: str  # "old" or "new", as they are when the cycle begins
    helper: str
    word: str = "-"  # stopat: which calls of it

    def __str__(self) -> str:
        return f"{self.helper} on the {self.role} primary"

    @property
    def resident(self) -> bool:
        return self.word == "--watch"


def room(target: Target, queue: list[Point], in_one: int) -> int:
    """Whom a call failed goes on, and only its next life takes an order; whom death met is started again at once."""
    lasting = target.resident and queue[0].deed not in ("before", "after")
    return 1 if lasting else in_one


def next_points(queues: dict[Target, list[Point]], order: dict[Target, dict[str, int]], in_one: int
                ) -> dict[Target, list[Point]]:
    """Taken from the queues, for one failover.  The longest queue says how many failovers are left; the others spread over
    them, because two deaths of one helper in a failover cost more than two failovers with one (a lease to wait for).  In the
    order of the program: whom death met late has no early deeds to do in the next run."""
    cycles = max(-(-len(queue) // room(target, queue, in_one))
                 for target, queue in queues.items() if queue)
    points = {}
    for target, queue in queues.items():
        some = queue[:-(-len(queue) // cycles)]
        del queue[:len(some)]
        if some:
            points[target] = sorted(some, key=lambda point: order[target][str(point)])
    return points
