# SPDX-License-Identifier: PostgreSQL
"""What a fault run proves.  Pure: from the history to the report, nothing is assumed.

A history is a dict that JSON can hold; times are CLOCK_BOOTTIME ms:
    run, seed, begun_ms, ended_ms, mode ("sync", "async"), nodes [names]
    clients     [[kind, door, node]...]  kind: set bank register hostile; door: vip address socket;
                                         node: whose door it is, "" for the VIP
    bank        {"accounts": how many, "balance": of each in the beginning}
    ops         [[client, n, what, sent, ended, outcome, node, data]...]  one line an operation
                client: index in "clients"; n: numbers its operations; node: who was connected
                outcome: acked refused unknown (client.py says what they mean)
                data of what was acked:  add: timeline     total: [sum, in recovery]
                    move: [source, target, amount, version of source, of target, timeline]
                    write: [key, version, timeline]        read: [key, version, in recovery]
    final       what the primary has at the end, or None when nobody could be asked
                {"node", "standby": True: it has the same, False: it has not, though it has received
                 and replayed all, None: it could not be asked, or was not that far; "set": [[client, n, timeline]...],
                 "transfers": [[client, n, source, target, amount, two versions, timeline]...],
                 "accounts": [[id, balance, version]...], "registers": [[key, version]...]}
    addresses   [[time, node, here]...]  the VIP appeared on, went from, a node: its kernel's word
    probes      [[time, [nodes]]...]     who answered for the VIP from then on; None: nobody asked
    faults      [[begin, end or None, "words of the fault"]...]  the end: when it was healed
    rounds      [{"whole_ms": when it was whole again by itself, or None}...] (optional; attack.py)
    vip_bound_ms  so long two nodes may answer for the VIP (optional, 0)
    roles       [[time, node, "primary" | "standby" | "down" | number]...]  what the servers said
                in their logs (optional); a number: it began that timeline

The report:
    bad         sentences; empty when the promise held
    notes       sentences about what is promised to nobody
    acked, refused, unknown, unknown_present   operations that write
    lost        acknowledged writes that the last primary does not have; None: nobody to ask
    lost_at     {door: how many}
    dual        [[begin, end, why]...], dual_ms; vip_dual [[begin, end]...], vip_dual_ms
    backwards   reads, through the VIP or on a primary, older than what was acknowledged before
    gaps        [{"fault", "begun_ms", "outage_ms"}...]  one for each fault; contents.py, moments.py
    outages     [[begin, end, fault or None]...]  times without an acknowledgement through the VIP
    final       the node that was the primary at the end
    hands       rounds after which the cluster was not whole by itself
"""

import contents
import moments
import reads
from ops import acked_writes, of_history, writes

# At the end somebody must have been served so recently.
RECENT_MS = 3000.0
SHOWN = 5


def evaluate(history: dict) -> dict:
    ops = of_history(history)
    final = history["final"]
    there = contents.compare(history, ops)
    sync = history["mode"] == "sync"
    # Nor is anything promised to a client on the host itself while its guard cannot run; with
    # synchronous replication it is told of nothing.
    woke = [] if sync else [op for op in acked_writes(ops) if op.as_it_wakes(history["faults"])]
    found = moments.dual(history, [op for op in ops if op not in woke])
    twice = moments.vip_dual(history)
    old = reads.backwards(history, ops)
    gone = moments.outages(history, ops)
    # Without synchronous replication a failover may lose commits, and reads go back with them.
    promised, unpromised = [], []
    _contents(there, promised if sync else unpromised)
    _reads(old, promised if sync else unpromised)
    bad = [*_dual(history, found), *_vip(history, twice), *there.wrong, *reads.totals(history, ops),
           *promised, *_end(history, ops)]
    notes = unpromised + _unpromised(there, old) + _woke(woke)
    done = writes(ops)
    return {
        "bad": bad, "notes": notes,
        "acked": _count(done, "acked"), "refused": _count(done, "refused"),
        "unknown": _count(done, "unknown"), "unknown_present": there.unknown_present,
        "lost": None if final is None else len(there.lost), "lost_at": dict(there.lost_at),
        "dual": found, "dual_ms": round(moments.total_ms(found), 1),
        "vip_dual": twice,
        "vip_dual_ms": None if twice is None else round(moments.total_ms(twice), 1),
        "backwards": len(old.stale), "gaps": moments.gaps(history, gone),
        "outages": gone, "outage_ms": max((round(end - begin, 1) for begin, end, _ in gone),
                                          default=0.0),
        "final": final["node"] if final else None,
        "hands": sum(one["whole_ms"] is None for one in history.get("rounds", [])),
    }


def _count(ops: list, outcome: str) -> int:
    return sum(op.outcome == outcome for op in ops)


def _at(history: dict, moment: float) -> str:
    return f"{(moment - history['begun_ms']) / 1000:.3f} s"


def _some(things: list[str]) -> str:
    more = f" and {len(things) - SHOWN} more" if len(things) > SHOWN else ""
    return "; ".join(things[:SHOWN]) + more


def _contents(there: contents.Contents, sentences: list[str]) -> None:
    if there.lost:
        sentences.append(f"{len(there.lost)} acknowledged writes are lost: {_some(there.lost)}")
    if there.overwritten:
        sentences.append(f"acknowledged twice, one update is lost: {_some(there.overwritten)}")


def _reads(old: reads.Backwards, sentences: list[str]) -> None:
    if old.stale:
        sentences.append(f"{len(old.stale)} reads went backwards: {_some(old.stale)}")


def _unpromised(there: contents.Contents, old: reads.Backwards) -> list[str]:
    notes = []
    if old.frozen:
        notes.append(f"{len(old.frozen)} reads over the socket of a node that was frozen went "
                     f"backwards: {_some(old.frozen)}")
    if old.unacked:
        notes.append(f"{len(old.unacked)} reads missed a value that had been seen, and was "
                     f"acknowledged to nobody: {_some(old.unacked)}")
    return notes + there.open


def _woke(acked: list) -> list[str]:
    if not acked:
        return []
    return [f"{len(acked)} writes over the socket of a node that was frozen were acknowledged: "
            f"{_some([op.name() for op in acked])}"]


def _dual(history: dict, found: list[list]) -> list[str]:
    sentences = [f"two nodes accepted writes from {_at(history, begin)} to {_at(history, end)} "
                 f"({end - begin:.1f} ms): {why}" for begin, end, why in found]
    more = [f"two nodes accepted writes {len(found) - SHOWN} more times"]
    return sentences[:SHOWN] + (more if len(found) > SHOWN else [])


def _vip(history: dict, twice: list[list] | None) -> list[str]:
    bound = history.get("vip_bound_ms", 0)
    return [f"two nodes answered for the VIP from {_at(history, begin)} to {_at(history, end)} "
            f"({end - begin:.0f} ms, the bound is {bound:g} ms)"
            for begin, end in twice or [] if end - begin > bound]


def _end(history: dict, ops: list) -> list[str]:
    if history["final"] is None:
        return ["no primary was left that could be asked what it has"]
    last = max((op.ended for op in ops if op.outcome == "acked" and op.through_vip and op.is_write),
               default=history["begun_ms"])
    if history["ended_ms"] - last > RECENT_MS:
        return [f"not writable at the end: the last write through the VIP was acknowledged "
                f"{(history['ended_ms'] - last) / 1000:.1f} s before it"]
    return []
