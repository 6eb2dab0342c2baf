# SPDX-License-Identifier: PostgreSQL
"""What a load proves.  Pure: from the recorded history to the report, nothing is assumed.

A history is a dict (times are CLOCK_BOOTTIME ms):
    run, begun_ms, ended_ms
    vip            [[n, sent, ended, outcome, node]...]   rows written through the VIP
    local          {node: [[n, sent, ended, outcome]...]} rows written over each node's own socket
    final          the node that was the primary when all was over, or None
    present        rows of "vip" that it has, or None when nobody could be asked
    local_present  {node: rows of "local" that it has}, or None
    addresses      [[time, node, here]...]                the VIP appeared on, went from, a node
    probes         [[time, [nodes]]...]                   who answered for the VIP on the network
    faults         [[time, [words]]...]
    phases         {name: time}, from the nodes' logs
"""

# Two successes of one node closer than this belong to one run of acceptance, as in the comparison
# with other tools: a writer comes every 50 ms and a slow commit is not a refusal.
RUN_GAP_MS = 600
# One success inside the other node's run is two writers, however short.
POINT_MS = 1
# No outage, when the same node goes on: a busy machine, a slow disk.
HICCUP_MS = 500


def acked(rows: list[list]) -> list[list]:
    return [row for row in rows if row[3] == "acked"]


def longest_gap(times: list[float], begun: float, ended: float) -> tuple[float, float]:
    """(length, begin) of the longest time without an acknowledgement, both ends of the run
    included: an outage that never ended counts until the end."""
    marks = [begun] + sorted(times) + [ended]
    gaps = [(after - before, before) for before, after in zip(marks, marks[1:])]
    return max(gaps) if gaps else (0.0, begun)


def runs(rows: list[list]) -> list[tuple[float, float]]:
    """Times in which a node accepted writes.  The acknowledgement counts, not the sending: a node
    that was frozen in between accepts when it wakes."""
    out: list[list[float]] = []
    for moment in sorted(row[2] for row in acked(rows)):
        if out and moment - out[-1][1] < RUN_GAP_MS:
            out[-1][1] = moment
        else:
            out.append([moment, moment])
    return [(begin, end) for begin, end in out]


def overlaps(first: list[tuple[float, float]],
             second: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What two lists of spans have in common; each is in the order of time, without overlaps."""
    out = []
    one = other = 0
    while one < len(first) and other < len(second):
        begin = max(first[one][0], second[other][0])
        end = min(first[one][1], second[other][1])
        if begin <= end:
            out.append((begin, end))
        if first[one][1] < second[other][1]:
            one += 1
        else:
            other += 1
    return out


def overlap_ms(first: list[tuple[float, float]], second: list[tuple[float, float]]) -> float:
    return sum(max(end - begin, POINT_MS) for begin, end in overlaps(first, second))


def dual_ms(history: dict) -> float:
    """How long two nodes accepted writes.  Rows through the VIP count for the node that took them:
    either writer alone may have been the one that got through."""
    accepted = {node: list(rows) for node, rows in history["local"].items()}
    for row in history["vip"]:
        accepted.setdefault(row[4], []).append(row)
    spans = [runs(rows) for rows in accepted.values()]
    total = 0.0
    for number, first in enumerate(spans):
        for second in spans[number + 1:]:
            total += overlap_ms(first, second)
    return total


def lost(rows: list[list], present: list[int] | None) -> list[int] | None:
    if present is None:
        return None
    there = set(present)
    return [row[0] for row in acked(rows) if row[0] not in there]


def local_lost(history: dict) -> int | None:
    if history["local_present"] is None:
        return None
    total = 0
    for node, rows in history["local"].items():
        total += len(lost(rows, history["local_present"].get(node, [])))
    return total


def vip_dual_spans(history: dict) -> list[tuple[float, float]]:
    """From the first to the last of consecutive questions that two nodes answered; one alone counts
    as the pause between two questions."""
    probes = history["probes"]
    spans: list[tuple[float, float]] = []
    for number, (moment, nodes) in enumerate(probes):
        if len(nodes) < 2:
            continue
        following = probes[number + 1][0] if number + 1 < len(probes) else history["ended_ms"]
        end = max(following, moment + POINT_MS)
        if spans and spans[-1][1] == moment:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((moment, end))
    return spans


def vip_dual_ms(history: dict) -> float:
    return sum((end - begin for begin, end in vip_dual_spans(history)), 0.0)


def phases(history: dict, outage: float, outage_begin: float) -> dict[str, float]:
    """Milliseconds since the fault that the longest outage belongs to; nothing without a fault."""
    # The last row may be acknowledged a moment after the fault was noted, and a fault may take a
    # lease to be felt: the last fault before the outage's end began it.
    before = [moment for moment, words in history["faults"]
              if words[0] not in ("heal", "boot", "thaw") and moment < outage_begin + outage]
    if not before:
        return {}
    zero = before[-1]
    out = {name: round(moment - zero, 1) for name, moment in sorted(
        history["phases"].items(), key=lambda item: item[1]) if moment >= zero}
    rows = acked(history["vip"])
    before_it = [row for row in rows if row[2] <= outage_begin]
    after_it = [row for row in rows if row[2] >= outage_begin + outage]
    # The longest gap of a run in which nothing happened is some hiccup, and ended by nothing.
    moved = before_it and after_it and before_it[-1][4] != after_it[0][4]
    if after_it and (moved or outage >= HICCUP_MS):
        out["first_write"] = round(after_it[0][2] - zero, 1)
    return out


def evaluate(history: dict) -> dict:
    rows = history["vip"]
    outage, outage_begin = longest_gap([row[2] for row in acked(rows)], history["begun_ms"],
                                       history["ended_ms"])
    missing = lost(rows, history["present"])
    there = set(history["present"] or [])
    unknown = [row[0] for row in rows if row[3] == "unknown"]
    return {
        "acked": len(acked(rows)),
        "lost": None if missing is None else len(missing),
        "dual_ms": round(dual_ms(history), 1),
        "outage_ms": round(outage, 1),
        "phases": phases(history, outage, outage_begin),
        "run": history["run"],
        "final": history["final"],
        "unknown": len(unknown),
        "unknown_present": None if missing is None else len([n for n in unknown if n in there]),
        "refused": len([row for row in rows if row[3] == "refused"]),
        "local_acked": {node: len(acked(rows)) for node, rows in history["local"].items()},
        "local_lost": local_lost(history),
        "vip_dual_ms": round(vip_dual_ms(history), 1) if history["probes"] else None,
        "outage_open": outage_begin + outage >= history["ended_ms"],
        "duration_ms": round(history["ended_ms"] - history["begun_ms"], 1),
        "faults": [" ".join(words) for _, words in history["faults"]],
    }
