# SPDX-License-Identifier: PostgreSQL
"""scripts/bench failover: how long writes through the VIP stop, for each fault."""

import argparse
import os
import time
from collections.abc import Callable

from . import benchfault
from .benchfigures import machine, markdown, said_of, span, spread, table
from .lab import Lab, remove

QUICK = ["timing.lease=2s"]
# After a failover writes go on for so long; a fault that must change nothing is watched for longer
# than any failover takes.
CALM_S, WATCH_S, LIMIT_S = 4.0, 12.0, 60.0
STEPS = ("detected", "withdrawn", "fenced", "promoted", "vip", "first_write")


class Case:
    """limit_ms: the median that is wanted.  moves: must the other node take over, or stay?"""

    def __init__(self, name: str, fault: Callable[[str, str], list[str]], limit_ms: float,
                 moves: bool, sets: list[str] | None = None, witness: str = "postgres",
                 mode: str = "async"):
        self.name = name
        self.fault = fault      # from the names of primary and standby
        self.limit_ms = limit_ms
        self.moves = moves
        self.sets = sets or []
        self.witness = witness
        self.mode = mode

    def lab(self) -> tuple:
        """Cases that agree in it are measured in the same lab."""
        return self.witness, self.mode, tuple(self.sets)


def crash(old: str, _new: str) -> list[str]:
    return ["crash", old]


def power_off(old: str, _new: str) -> list[str]:
    return ["power-off", old]


def isolate(old: str, _new: str) -> list[str]:
    return ["isolate", old]


def cut(old: str, new: str) -> list[str]:
    return ["cut", old, new]


def standby_lost(_old: str, new: str) -> list[str]:
    return ["power-off", new]


CASES = [
    Case("crash", crash, 450, True),
    Case("crash, sync", crash, 500, True, mode="sync"),
    Case("crash, ping", crash, 800, True, witness="ping"),
    Case("power-off", power_off, 5900, True),
    Case("power-off, lease 2s", power_off, 2900, True, QUICK),
    Case("power-off, lease 2s, ping", power_off, 4500, True, QUICK, witness="ping"),
    Case("isolate", isolate, 5900, True),
    Case("isolate, lease 2s", isolate, 2900, True, QUICK),
    Case("nodes cut", cut, 500, False),
    Case("nodes cut, sync", cut, 1800, False, mode="sync"),
    Case("nodes cut, ping", cut, 500, False, witness="ping"),
    Case("standby lost, sync", standby_lost, 1500, False, mode="sync"),
    Case("witness off, sync", lambda *_: ["power-off", "witness"], 500, False, mode="sync"),
    Case("witness cut from primary, ping", lambda old, _: ["cut", old, "witness"], 500, False,
         witness="ping"),
    Case("witness cut from standby, ping", lambda _, new: ["cut", new, "witness"], 500, False,
         witness="ping"),
]


def whole(lab: Lab) -> None:
    """As an operator would want it before the next bad day (ready: paired too)."""
    lab.fault("heal")
    for name in lab.settings.hosts:
        if not lab.node(name).is_on():
            lab.fault("boot", name)
    lab.wait_ready(60)
    # The standby's word that the witness host reaches the primary is renewed in good times only.
    lab.wait(lambda: _baseline(lab), 30, "the witness host is known to reach the primary")


def _baseline(lab: Lab) -> bool:
    nodes, primary = lab.status()["nodes"], lab.status()["primary"]
    standby = next((name for name in nodes if name != primary), None)
    return bool(primary and standby and os.path.exists(
        lab.node(standby).path(f"{lab.settings.state_dir}/baseline.{primary}")))


def once(lab: Lab, case: Case) -> dict:
    whole(lab)
    now = lab.status()
    old = now["primary"]
    new = next(name for name in now["nodes"] if name != old)
    # Whoever asked is gone, and what it woke is at rest.
    time.sleep(1)
    words = case.fault(old, new)
    report = benchfault.once(lab, lambda: lab.fault(*words), CALM_S if case.moves else WATCH_S, LIMIT_S)
    report["moved"] = report["final"] == new
    return report


def row(case: Case, reports: list[dict]) -> dict:
    steps = {step: spread([report["phases"][step] for report in reports if step in report["phases"]])
             for step in STEPS}
    return {
        "case": case.name, "limit_ms": case.limit_ms, "moves": case.moves,
        "outage_ms": spread([report["outage_ms"] for report in reports]),
        "lost": sum(report["lost"] or 0 for report in reports),
        "unchecked": sum(report["lost"] is None for report in reports),
        "dual_ms": sum(report["dual_ms"] for report in reports),
        "wrong_move": sum(report["moved"] != case.moves for report in reports),
        "open": sum(report["open"] for report in reports),
        "steps": {step: found for step, found in steps.items() if found["n"]},
        "reports": reports,
    }


def good(found: dict) -> bool:
    return (found["outage_ms"]["median"] <= found["limit_ms"]
            and not any(found[key] for key in ("dual_ms", "wrong_move", "unchecked", "open")))


def measure(say: Callable[[str], None], cases: list[Case], repeat: int) -> list[dict]:
    """Round after round: a machine that is busy for a while is so for every case."""
    reports: dict[str, list[dict]] = {case.name: [] for case in cases}
    for made_of in dict.fromkeys(case.lab() for case in cases):
        mine = [case for case in cases if case.lab() == made_of]
        witness, mode, sets = made_of
        remove(benchfault.LAB)
        lab = Lab.up(benchfault.LAB, sets=list(sets), witness=witness, mode=mode)
        try:
            for number in range(repeat):
                for case in mine:
                    report = once(lab, case)
                    reports[case.name].append(report)
                    say(f"  {case.name} {number + 1}/{repeat}: outage {report['outage_ms']:.0f} ms, "
                        f"lost {report['lost']}, dual {report['dual_ms']:g} ms, "
                        + ", ".join(f"{step} {at:.0f}" for step, at in report["phases"].items()))
        finally:
            lab.down()
    return [row(case, reports[case.name]) for case in cases]


HEADS = ["fault", "n", "outage, ms", "wanted", "lost", "dual", "result"]
STEP_HEADS = ["ms after the fault", *(step.replace("_", " ") for step in STEPS)]


def cells(found: dict) -> list[str]:
    outage = span(found["outage_ms"]) + (f", {found['open']} open" if found["open"] else "")
    return [found["case"], str(found["outage_ms"]["n"]), outage, f"<= {found['limit_ms']:.0f}",
            str(found["lost"]), f"{found['dual_ms']:g}", "ok" if good(found) else "MISSED"]


def step_cells(found: dict) -> list[str]:
    return [found["case"], *(f"{found['steps'][step]['median']:.0f}" if step in found["steps"] else "-"
                             for step in STEPS)]


# ---- the sub-command ----

NAME = "failover"
HELP = "how long writes stop, for each fault"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeat", type=int, default=5, metavar="N")
    parser.add_argument("-k", action="append", metavar="NAME",
                        help="only faults whose name contains it, or that of another -k")


def figures(args: argparse.Namespace, say: Callable[[str], None]) -> dict:
    at = machine()
    cases = [case for case in CASES if any(word in case.name for word in args.k or [""])]
    return {"machine": at, "rows": measure(say, cases, args.repeat)}


def text(found: dict) -> str:
    moved = [step_cells(one) for one in found["rows"] if one["moves"]]
    return "\n\n".join([table(HEADS, [cells(one) for one in found["rows"]]),
                        *([table(STEP_HEADS, moved)] if moved else [])])


def page(found: dict) -> str:
    rows = [cells(one)[:-1] for one in found["rows"]]
    moved = [step_cells(one) for one in found["rows"] if one["moves"]]
    return "\n\n".join([said_of(found["machine"]) + ".", markdown(HEADS[:-1], rows),
                        *([markdown(STEP_HEADS, moved)] if moved else [])])


def fits(found: dict) -> bool:
    return all(map(good, found["rows"]))
