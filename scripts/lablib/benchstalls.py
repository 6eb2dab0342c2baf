# SPDX-License-Identifier: PostgreSQL
"""scripts/bench stalls: hosts, servers and disks stand still for 0.2 to 10 s, with a lease of 2, 5 and
10 s: how often is a node fenced, or a standby promoted, that nothing but the stall asked for?

What a stall does follows from its kind and its length, so the runs of all leases have the same ones,
in the same order.  How often they come is another matter, and yours: RATES is an example."""

import argparse
import random
import time
from collections.abc import Callable

from .errors import LabError
from .kernel import boot_ms
from .lab import Lab, remove

LEASES_S = (2, 5, 10)
LENGTHS_S = (0.2, 0.5, 1.0, 2.0, 4.0, 10.0)
# A virtual machine on a shared host: so many stalls of about this length a day.
RATES = {0.2: 50.0, 0.5: 20.0, 1.0: 5.0, 2.0: 1.0, 4.0: 0.2, 10.0: 0.05}
LAB = "bench"
READY_S = 90.0
# After it is over: a lease, a fence and a takeover, which would have begun by then.
AFTER_S = 2.0
HOGS = "100"

# What is done to the primary, and how it is taken back ("heal" takes back each).
KINDS: dict[str, Callable[[str, str, float], tuple[str, ...]]] = {
    "host of the primary": lambda old, new, s: ("freeze", old),
    "server of the primary": lambda old, new, s: ("freeze", old, "postgres"),
    "its disk (each fsync)": lambda old, new, s: ("slow-disk", old, f"{s * 1000:.0f}ms"),
    "its processor (100 hogs)": lambda old, new, s: ("busy", old, HOGS),
    "host of the standby": lambda old, new, s: ("freeze", new),
    "server of the witness": lambda old, new, s: ("freeze", "witness", "postgres"),
}


def schedule(seed: int) -> list[tuple[str, float]]:
    """Every kind with every length once, in an order that the seed gives."""
    every = [(kind, length) for kind in KINDS for length in LENGTHS_S]
    random.Random(seed).shuffle(every)
    return every


def _stall(lab: Lab, kind: str, length: float) -> dict:
    old = lab.status()["primary"]
    new = next(name for name in lab.status()["nodes"] if name != old)
    begun = boot_ms()
    lab.fault(*KINDS[kind](old, new, length))
    time.sleep(max(0.0, length - (boot_ms() - begun) / 1000))
    lab.fault("heal")
    lasted = (boot_ms() - begun) / 1000
    time.sleep(AFTER_S)
    lab.wait_ready(READY_S)
    said = [line.text for line in lab.logs(since_ms=begun)]
    return {"kind": kind, "length_s": length, "lasted_s": round(lasted, 2),
            "moved": lab.status()["primary"] != old,
            "fenced": any("this node is harmless" in text or "fencing this node" in text for text in said)}


def _soak(lease_s: int, limit_s: float, seed: int, say: Callable[[str], None]) -> list[dict]:
    remove(LAB)
    lab = Lab.up(LAB, witness="postgres", mode="sync", shimmed=True,
                 sets=[f"timing.lease={lease_s}s", "timing.retry_interval=1s"])
    done: list[dict] = []
    end = time.monotonic() + limit_s
    try:
        for kind, length in schedule(seed):
            if time.monotonic() + length + AFTER_S > end:
                break
            done.append(_stall(lab, kind, length))
            say(f"  lease {lease_s} s, {kind}, {length:g} s: "
                + ("moved" if done[-1]["moved"] else "fenced" if done[-1]["fenced"] else "carried"))
    except LabError as error:
        say(f"  lease {lease_s} s: stopped, {error}")
        done.append({"kind": kind, "length_s": length, "lasted_s": 0, "moved": True, "fenced": True})
    finally:
        lab.down()
    return done


# ---- as every module of scripts/bench ----

NAME = "stalls"
HELP = "how long a host may stand still before it is fenced, with leases of 2, 5 and 10 s"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=6, metavar="M",
                        help="in all (6); 20 are enough for each stall once with each lease")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order of the stalls")


def figures(args: argparse.Namespace, say: Callable[[str], None]) -> dict:
    each_s = args.minutes * 60 / len(LEASES_S)
    return {"minutes": args.minutes, "seed": args.seed, "rates": RATES,
            "stalls": {str(lease): _soak(lease, each_s, args.seed, say) for lease in LEASES_S}}


def of_length(stalls: list[dict], length: float) -> list[dict]:
    return [stall for stall in stalls if stall["length_s"] == length]


def a_day(stalls: list[dict], what: str) -> float | None:
    """So often, when stalls come as in RATES and each kind is as frequent as the next.  None: a length
    was not tried."""
    total = 0.0
    for length, rate in RATES.items():
        tried = of_length(stalls, length)
        if not tried:
            return None
        total += rate * sum(stall[what] for stall in tried) / len(tried)
    return total


HEADS = ["lease", *(f"{length:g} s" for length in LENGTHS_S), "fences a day", "failovers a day"]


def cells(found: dict) -> list[list[str]]:
    def of(stalls: list[dict], length: float) -> str:
        tried = of_length(stalls, length)
        lost = sum(stall["fenced"] or stall["moved"] for stall in tried)
        return f"{lost}/{len(tried)}" if tried else "-"

    def rate(stalls: list[dict], what: str) -> str:
        per_day = a_day(stalls, what)
        return "-" if per_day is None else f"{per_day:.2g}"
    return [[f"{lease} s", *(of(stalls, length) for length in LENGTHS_S), rate(stalls, "fenced"),
             rate(stalls, "moved")] for lease, stalls in found["stalls"].items()]


def harmed(found: dict) -> list[str]:
    """Each kind of stall that cost a fence, with the least length that did."""
    lines = []
    for lease, stalls in found["stalls"].items():
        least: dict[str, float] = {}
        for stall in stalls:
            if stall["fenced"] or stall["moved"]:
                kind = stall["kind"]
                least[kind] = min(stall["length_s"], least.get(kind, stall["length_s"]))
        lines.append(f"lease {lease} s: " + (", ".join(
            f"{kind} from {length:g} s" for kind, length in least.items()) or "none"))
    return lines


def text(found: dict) -> str:
    rows = [HEADS, *cells(found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in rows]
    rates = ", ".join(f"{rate:g} of {length} s" for length, rate in found["rates"].items())
    return "\n".join(["stalls of each length that ended in a fence or a takeover, of those tried", *table,
                      "", "what did it", *harmed(found), "", f"a day: {rates}; each kind as frequent"])


def page(found: dict) -> str:
    rows = [HEADS, ["---"] * len(HEADS), *cells(found)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def fits(found: dict) -> bool:
    """The default lease carries every stall that is shorter than its half."""
    return not any((stall["fenced"] or stall["moved"]) and stall["length_s"] <= 2
                   for stall in found["stalls"].get("5", []))
