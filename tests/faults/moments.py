# SPDX-License-Identifier: PostgreSQL
"""When: two nodes that accepted writes, two that answered for the VIP, times without service."""

import bisect

from ops import Op, acked_writes

from lablib import checker as lab_checker

# A time without an acknowledgement that is shorter is some hiccup of a busy machine.
OUTAGE_MS = lab_checker.HICCUP_MS
# The last answers may come a moment after the fault was noted.
SLACK_MS = 1000.0


def total_ms(spans: list[list]) -> float:
    """Of spans that may overlap, each moment once."""
    total, until = 0.0, float("-inf")
    for begin, end, *_ in sorted(spans):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


# ---- two that accept ----

def dual(history: dict, ops: list[Op]) -> list[list]:
    """[begin, end, why]: by the times of the acknowledgements, and by what the data say."""
    rows = acked_writes(ops)
    return sorted(_at_once(history, rows) + _old_timeline(history, rows) + _shared_timeline(rows)
                  + _begun_twice(history))


def _accepted_ms(op: Op, there: set[tuple], next_timeline: dict[int, float]) -> float:
    """When it was accepted, at the latest.  An answer may be late on a bad network.  A row that the
    last primary has from an older timeline was there before that timeline was left."""
    left = next_timeline.get(op.timeline)
    if left is not None and op.sent <= left < op.ended and (op.what, op.client, op.n) in there:
        return left
    return op.ended


def _next_timelines(rows: list[Op]) -> dict[int, float]:
    """{timeline: when a write on a later one was first acknowledged, just before it}."""
    first: dict[int, float] = {}
    for op in rows:
        first.setdefault(op.timeline, op.ended)
    out, soonest = {}, None
    for timeline in sorted(first, reverse=True):
        if soonest is not None:
            out[timeline] = soonest - lab_checker.POINT_MS
        soonest = min(first[timeline], soonest) if soonest is not None else first[timeline]
    return out


def _there(final: dict | None, rows: list[Op]) -> set[tuple]:
    """What the last primary has."""
    if final is None:
        return set()
    there = {("add", client, n) for client, n, _ in final["set"]}
    there |= {("move", row[0], row[1]) for row in final["transfers"]}
    last = {key: version for key, version in final["registers"]}
    return there | {("write", op.client, op.n) for op in rows
                    if op.what == "write" and op.data[1] <= last.get(op.data[0], -1)}


def _at_once(history: dict, rows: list[Op]) -> list[list]:
    """Runs of acceptance of two nodes that have a moment in common."""
    there = _there(history["final"], rows)
    following = _next_timelines(rows)
    accepted: dict[str, list[list]] = {}
    for op in rows:
        moment = _accepted_ms(op, there, following)
        accepted.setdefault(op.node, []).append([op.n, op.sent, moment, "acked"])
    spans = {node: lab_checker.runs(found) for node, found in sorted(accepted.items())}
    out = []
    nodes = list(spans)
    for number, one in enumerate(nodes):
        for other in nodes[number + 1:]:
            out += [[begin, max(end, begin + lab_checker.POINT_MS), f"{one} and {other} both did"]
                    for begin, end in lab_checker.overlaps(spans[one], spans[other])]
    return out


def _old_timeline(history: dict, rows: list[Op]) -> list[list]:
    """Sent after a write on a later timeline had been acknowledged, and accepted on the older one:
    whatever the network did to the answers, there were two primaries; until the later one's server
    says that it is none any more."""
    out: list[list] = []
    newest: list[Op] = []  # in the order of their ends; each on a later timeline
    for op in rows:
        if not newest or op.timeline > newest[-1].timeline:
            newest.append(op)
    timelines = [op.timeline for op in newest]
    latest: dict[str, list] = {}
    for op in rows:
        at = bisect.bisect_right(timelines, op.timeline)
        if at == len(newest) or newest[at].ended >= op.sent:
            continue
        later = newest[at]
        until = min(op.ended, _gone_ms(history, later))
        why = (f"{op.node} accepted on timeline {op.timeline} after {later.node} had on "
               f"timeline {later.timeline}")
        span = latest.get(why)
        if span and (op.sent >= until or op.sent - span[1] < lab_checker.RUN_GAP_MS):
            span[1] = max(span[1], until)
            continue
        # It was a primary all the time since the other one began; later on nobody knows.
        begin = op.sent if span else later.ended
        latest[why] = [begin, max(until, begin + lab_checker.POINT_MS), why]
        out.append(latest[why])
    return out


def _gone_ms(history: dict, later: Op) -> float:
    """When the server that had accepted it said that it is no primary any more: one of two may be
    put away with the later timeline, and the other then is alone on the older one."""
    return min((moment for moment, node, what in history.get("roles", [])
                if node == later.node and what in ("down", "standby") and moment > later.ended),
               default=float("inf"))


def _shared_timeline(rows: list[Op]) -> list[list]:
    """Each promotion begins a timeline: nobody accepts on one that another node began."""
    first: dict[int, Op] = {}
    out: dict[tuple, list] = {}
    for op in rows:
        owner = first.setdefault(op.timeline, op)
        if owner.node != op.node:
            why = f"{owner.node} and {op.node} both accepted on timeline {op.timeline}"
            span = out.setdefault((op.timeline, op.node), [op.sent, op.ended, why])
            span[1] = op.ended
    return list(out.values())


def _begun_twice(history: dict) -> list[list]:
    """The servers' own word: two of them became a primary on timelines of one number."""
    first: dict[int, list] = {}
    out = []
    for moment, node, what in history.get("roles", []):
        if isinstance(what, int):
            before = first.setdefault(what, [moment, node])
            if before[1] != node:
                out.append([before[0], moment, f"{before[1]} and {node} both began timeline {what}"])
    return out


# ---- the VIP ----

def vip_dual(history: dict) -> list[list] | None:
    if history["probes"] is None:
        return None
    return [[begin, end] for begin, end in lab_checker.vip_dual_spans(history)]


# ---- times without service ----

def outages(history: dict, ops: list[Op]) -> list[list]:
    """[begin, end, fault]: no write through the VIP was acknowledged to anybody."""
    marks = [history["begun_ms"]]
    marks += [op.ended for op in acked_writes(ops) if op.through_vip]
    marks.append(history["ended_ms"])
    return [[begin, end, _cause(history["faults"], begin, end)]
            for begin, end in zip(marks, marks[1:]) if end - begin >= OUTAGE_MS]


def _cause(faults: list[list], begin: float, end: float) -> int | None:
    """The fault, by its place in the list, that a time without service belongs to.  Of those that
    had begun by then: the last one that was still there, else the last one that was healed; else
    the first one that came while there was no service."""
    before = [(number, fault) for number, fault in enumerate(faults)
              if fault[0] <= begin + SLACK_MS and fault[0] < end]
    active = [item for item in before if item[1][1] is None or item[1][1] > begin]
    if active:
        return max(active, key=lambda item: item[1][0])[0]
    if before:
        return max(before, key=lambda item: item[1][1])[0]
    within = [(number, fault) for number, fault in enumerate(faults) if begin < fault[0] < end]
    return min(within, key=lambda item: item[1][0])[0] if within else None


def gaps(history: dict, found: list[list]) -> list[dict]:
    """The longest time without service that belongs to each fault; 0: nobody noticed."""
    longest: dict[int | None, float] = {}
    for begin, end, cause in found:
        longest[cause] = max(longest.get(cause, 0.0), end - begin)
    return [{"fault": words, "begun_ms": begin, "outage_ms": round(longest.get(number, 0.0), 1)}
            for number, (begin, _, words) in enumerate(history["faults"])]
