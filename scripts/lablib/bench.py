# SPDX-License-Identifier: PostgreSQL
"""scripts/bench failover: how long writes through the VIP stop, and what the helpers cost at rest.
scripts/bench tps: what they cost the database.
scripts/bench return: how soon the old primary is back.

Every figure is computed by the lab's checker from what the client was told.  Each fault waits a
random part of a second first, so that it has no fixed phase to anybody's timer.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable

from . import benchreturn, benchtps
from .benchcost import costs, costs_with_record
from .errors import LabError
from .lab import Lab, remove
from .places import SOURCE
from .run import require_root

# Longest outage that is allowed, in ms: the project's own targets.
DEFAULT_LIMIT = 5000 + 1000 + 1500
QUICK = ["timing.lease=2s"]


class Case:
    def __init__(self, name: str, fault: Callable[[str, str], list[str]], limit_ms: float,
                 moves: bool, sets: list[str] | None = None, witness: str = "ping",
                 mode: str = "async"):
        self.name = name
        self.fault = fault      # from the names of primary and standby
        self.limit_ms = limit_ms
        self.moves = moves      # must the other node take over, or must nothing happen?
        self.sets = sets or []
        self.witness = witness
        self.mode = mode


CASES = [
    Case("crash", lambda old, _: ["crash", old], 1500, True),
    Case("power-off", lambda old, _: ["power-off", old], DEFAULT_LIMIT, True),
    Case("power-off, lease 2s", lambda old, _: ["power-off", old], 4500, True, QUICK),
    Case("nodes cut from each other", lambda old, new: ["cut", old, new], 500, False),
    Case("witness cut from primary", lambda old, _: ["cut", old, "witness"], 500, False),
    Case("witness cut from standby", lambda _, new: ["cut", new, "witness"], 500, False),
    Case("record: crash", lambda old, _: ["crash", old], 1000, True, witness="postgres"),
    Case("record: power-off", lambda old, _: ["power-off", old], 5000 + 1000 + 1200, True,
         witness="postgres"),
    Case("record: power-off, lease 2s", lambda old, _: ["power-off", old], 4000, True, QUICK,
         witness="postgres"),
    Case("record: sync, standby lost", lambda _, new: ["power-off", new], 3000, False,
         witness="postgres", mode="sync"),
    Case("record: sync, witness gone", lambda *_: ["power-off", "witness"], 500, False,
         witness="postgres", mode="sync"),
    Case("record: nodes cut, sync", lambda old, new: ["cut", old, new], 3000, False,
         witness="postgres", mode="sync"),
]
# A fault that must change nothing is watched for longer than any failover takes.
WATCH_S = 12.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def settle(lab: Lab) -> None:
    """Whole again, as an operator would want it before the next bad day (ready: paired too)."""
    lab.fault("heal")
    for name in lab.settings.hosts:
        if not lab.node(name).is_on():
            lab.fault("boot", name)
    lab.wait_ready(60)
    # The standby's word that the witness host reaches the primary is renewed in good times only.
    lab.wait(lambda: baseline(lab), 30, "the witness host is known to reach the primary")


def baseline(lab: Lab) -> bool:
    nodes = lab.status()["nodes"]
    primary = lab.status()["primary"]
    standby = next((name for name in nodes if name != primary), None)
    if primary is None or standby is None:
        return False
    return os.path.exists(lab.node(standby).path(
        f"{lab.settings.state_dir}/baseline.{primary}"))


def once(lab: Lab, case: Case) -> dict:
    old = lab.status()["primary"]
    new = next(name for name in lab.status()["nodes"] if name != old)
    load = lab.load_begin(120)
    time.sleep(2 + random.random())
    lab.fault(*case.fault(old, new))
    if case.moves:
        lab.wait(lambda: lab.status()["primary"] == new and lab.writable(), 60, f"{new} serves")
        time.sleep(1)
    else:
        time.sleep(WATCH_S)
    report = load.stop()
    report["moved"] = report["final"] == new
    settle(lab)
    return report


def measure(case: Case, repeat: int) -> dict:
    name = "bench"
    remove(name)
    lab = Lab.up(name, sets=case.sets, witness=case.witness, mode=case.mode)
    reports = []
    try:
        settle(lab)
        for number in range(repeat):
            report = once(lab, case)
            reports.append(report)
            say(f"  {case.name} {number + 1}/{repeat}: outage {report['outage_ms']:.0f} ms, "
                f"lost {report['lost']}, dual {report['dual_ms']:g} ms, "
                f"phases {json.dumps(report['phases'])}")
    finally:
        lab.down()
    outages = [report["outage_ms"] for report in reports]
    return {
        "case": case.name, "n": repeat, "limit_ms": case.limit_ms,
        "outage_ms": round(statistics.median(outages), 1),
        "least_ms": min(outages), "most_ms": max(outages),
        "lost": sum(report["lost"] or 0 for report in reports),
        "unchecked": sum(report["lost"] is None for report in reports),
        "dual_ms": sum(report["dual_ms"] for report in reports),
        "wrong_move": sum(report["moved"] != case.moves for report in reports),
        "reports": reports,
    }


def good(row: dict) -> bool:
    return (row["outage_ms"] <= row["limit_ms"] and row["dual_ms"] == 0
            and row["wrong_move"] == 0 and row["unchecked"] == 0)


def show(rows: list[dict], cost: list[tuple[str, str, str, bool]]) -> None:
    print(f"{'fault':<28}{'n':>3}  {'outage (min-max), ms':<24}{'limit':>7}  {'lost':>5}  "
          f"{'dual':>6}  result")
    for row in rows:
        span = f"{row['outage_ms']:.0f} ({row['least_ms']:.0f}-{row['most_ms']:.0f})"
        print(f"{row['case']:<28}{row['n']:>3}  {span:<24}{row['limit_ms']:>7.0f}  "
              f"{row['lost']:>5}  {row['dual_ms']:>6g}  {'ok' if good(row) else 'MISSED'}")
    print()
    for name, value, limit, fits in cost:
        print(f"{name:<44}{value:>12}  {limit:<14}{'ok' if fits else 'MISSED'}")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["failover", "return", "tps"])
    parser.add_argument("--repeat", type=int, default=5, metavar="N")
    parser.add_argument("-k", default="", metavar="NAME", help="only cases whose name contains it")
    parser.add_argument("--witness", default="postgres", help="tps: kind of the witness")
    parser.add_argument("--no-cost", action="store_true", help="only the outages")
    args = parser.parse_args(argv)
    try:
        require_root()
        directory = f"{SOURCE}/build/bench"
        os.makedirs(directory, exist_ok=True)
        if args.what == "tps":
            row = benchtps.tps(say, args.repeat, args.witness)
            benchtps.show(row)
            benchtps.write(row, f"{directory}/tps.json")
            return 0 if row["fits"] else 1
        if args.what == "return":
            figures = benchreturn.measure(say, args.repeat, args.k)
            benchreturn.show(figures)
            benchreturn.write(figures, f"{directory}/return.json")
            return 0 if all(row["fits"] for row in figures) else 1
        rows = [measure(case, args.repeat) for case in CASES if args.k in case.name]
        cost = [] if args.no_cost else costs(say) + costs_with_record(say)
        show(rows, cost)
        with open(f"{directory}/failover.json", "w", encoding="utf-8") as file:
            json.dump({"outages": rows, "costs": cost}, file, indent=1)
        print(f"\nall figures: {directory}/failover.json")
        return 0 if all(map(good, rows)) and all(fits for *_, fits in cost) else 1
    except LabError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.code
    finally:
        if os.geteuid() == 0:
            remove("bench")
