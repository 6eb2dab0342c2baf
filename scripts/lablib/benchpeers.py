# SPDX-License-Identifier: PostgreSQL
"""scripts/bench peers: other managers of failovers beside ours: the same kind of hosts, the same client,
the same faults, in one run, by turns.

A peer has no address of its own here: its client tries both nodes at the same time and takes the one
that is no standby, which is as quick as any proxy in front of it could be.
"""

import argparse
import time
from collections.abc import Callable

from . import benchfault, benchrest, events, peers
from .benchfault import LAB
from .benchfigures import (machine, markdown, ratio, read_json, said_of, span, spread, table,
                           write_json)
from .benchrest import KEEPALIVED, MANAGER, POSTGRES
from .errors import LabError
from .lab import Lab, remove
from .seeds import LIBEXEC
from .settings import PG_VRRP

OURS = PG_VRRP
TITLES = {OURS: "pg_vrrp", **{name: peer.TITLE for name, peer in peers.PEERS.items()}}
OUR_SETTINGS = {"default": "lease=5s margin=1s; witness postgres, async", "fast": "lease=2s"}
SPEEDS = ("default", "fast")
# For each speed, s: how long a fault may take; for how long one is watched that need not stop writes, or
# not soon; the random wait before it, so that it has no fixed phase to the loop of the slowest.
LIMIT_S, WATCH_S, PHASE_S = ({"default": 120.0, "fast": 60.0}, {"default": 45.0, "fast": 20.0},
                             {"default": 10.0, "fast": 3.0})
# Whoever has just been made, or has just come back, still talks about it.
SETTLE_S = 8.0
CALM_S, RETURN_S = 4.0, 45.0
CASES = ("rest", "switchover", "crash", "power-off", "isolate", "cut")


class Contestant:
    def __init__(self, name: str, speed: str):
        self.name = name
        self.speed = speed
        self.peer = peers.PEERS.get(name)
        self.lab: Lab | None = None
        self.said = ""

    def title(self) -> str:
        return f"{TITLES[self.name]}, {self.speed}"

    def up(self) -> Lab:
        if self.lab:
            return self.lab
        remove(LAB)
        fast = self.speed == "fast"
        if self.peer:
            self.lab = Lab.up(LAB, setup=self.name + (peers.FAST if fast else ""))
        else:
            self.lab = Lab.up(LAB, witness="postgres", mode="async",
                              sets=["timing.lease=2s"] if fast else [])
        time.sleep(SETTLE_S)
        return self.lab

    def down(self) -> None:
        if self.lab:
            self.lab.down()
        self.lab = None

    def again(self) -> None:
        """Whole by itself, or else the next fault has a new lab."""
        if self.peer and not self.peer.RETURNS:
            return self.down()
        try:
            self.lab.fault("heal")
            for name in self.lab.settings.hosts:
                if not self.lab.node(name).is_on():
                    self.lab.fault("boot", name)
            self.lab.wait_ready(RETURN_S)
            time.sleep(SETTLE_S)
        except LabError:
            self.down()
        return None

    def deed(self, case: str, old: str, new: str) -> Callable[[], object]:
        lab = self.up()
        if case != "switchover":
            return lambda: lab.fault(case, old, *([new] if case == "cut" else []))
        host, argv = old, [f"{LIBEXEC}/fence_self", "-c", lab.settings.ini_path(), "--reason", "bench"]
        if self.peer:
            host, argv = self.peer(lab.settings).switchover(new)

        def switch() -> None:
            events.note(lab.name, ["switchover", old])
            # Whether it has moved is seen; repmgr says no when the old one is late to stream again.
            self.said = " ".join(lab.run(host, argv, timeout=120).stderr.split())
        return switch


def once(who: Contestant, case: str) -> dict:
    """One sample: what it costs at rest, or one fault."""
    sample = {"name": who.name, "speed": who.speed, "case": case}
    try:
        lab = who.up()
        if case == "rest":
            return {**sample, "hosts": benchrest.at_rest(lab)}
        now = lab.status()
        old = now["primary"]
        new = next(name for name in now["nodes"] if name != old)
        deed = who.deed(case, old, new)
        time.sleep(1)
        # A switchover begins with what it has to look at first, and writes go on meanwhile.
        calm = WATCH_S[who.speed] if case in ("cut", "switchover") else CALM_S
        report = benchfault.once(lab, deed, calm, LIMIT_S[who.speed], PHASE_S[who.speed])
        who.again()
        if case == "switchover" and report["final"] != new:
            return {**sample, "failed": f"it has not moved: {who.said[-300:]}"}
        return {**sample, "moved": report["final"] == new,
                **{key: report[key] for key in ("outage_ms", "open", "lost", "dual_ms", "phases")}}
    except (LabError, RuntimeError, OSError) as error:
        who.down()
        return {**sample, "failed": str(error)}


def _said(sample: dict) -> str:
    if "failed" in sample:
        return f"FAILED: {sample['failed']}"
    if "hosts" in sample:
        return f"{_cpu(sample):.1f} ms of CPU a second"
    return (f"outage {sample['outage_ms']:.0f} ms{' and still open' if sample['open'] else ''}, "
            f"lost {sample['lost']}, dual {sample['dual_ms']:g} ms")


def _cpu(sample: dict) -> float:
    return benchrest.total(sample["hosts"], "cpu_ms", (KEEPALIVED, MANAGER, POSTGRES))


# ---- what follows from the samples ----

def of(samples: list[dict], name: str, speed: str, case: str) -> list[dict]:
    return [one for one in samples
            if (one["name"], one["speed"], one["case"]) == (name, speed, case) and "failed" not in one]


def names_of(samples: list[dict]) -> list[str]:
    seen = {one["name"] for one in samples}
    return [name for name in TITLES if name in seen]


FAULT_HEADS = ["writes stop for, s", "n", "median (least-most)", "times ours", "lost", "two writers, s"]


def fault_rows(samples: list[dict]) -> list[list[str]]:
    rows = []
    for case in CASES[1:]:
        for speed in SPEEDS:
            ours = spread([one["outage_ms"] for one in of(samples, OURS, speed, case)])
            for name in names_of(samples):
                mine = of(samples, name, speed, case)
                if not mine:
                    continue
                outage = spread([one["outage_ms"] for one in mine])
                still = sum(one["open"] for one in mine)
                rows.append([f"{case}: {TITLES[name]}, {speed}", str(len(mine)),
                             span(outage, 2, 1000) + (f", {still} open" if still else ""),
                             ratio(outage, ours), str(sum(one["lost"] or 0 for one in mine)),
                             f"{max(one['dual_ms'] for one in mine) / 1000:.1f}"])
    return rows


REST_HEADS = ["at rest", "n", "ms of CPU a second, all hosts", "times ours", "of it PostgreSQL",
              "PSS of the manager on a node, MiB"]


def rest_rows(samples: list[dict]) -> list[list[str]]:
    rows = []
    for speed in SPEEDS:
        ours = spread([_cpu(one) for one in of(samples, OURS, speed, "rest")])
        for name in names_of(samples):
            mine = of(samples, name, speed, "rest")
            if not mine:
                continue
            cpu = spread([_cpu(one) for one in mine])
            server = spread([benchrest.total(one["hosts"], "cpu_ms", (POSTGRES,)) for one in mine])
            pss = spread([max(benchrest.total(one["hosts"], "pss_kib", (KEEPALIVED, MANAGER), [host])
                              for host in one["hosts"] if host != "witness") for one in mine])
            rows.append([f"{TITLES[name]}, {speed}", str(len(mine)), span(cpu, 1), ratio(cpu, ours),
                         span(server, 1), span(pss, 1, 1024)])
    return rows


def failed(samples: list[dict]) -> list[str]:
    return [f"{TITLES[one['name']]}, {one['speed']}, {one['case']}: {one['failed']}" for one in samples
            if "failed" in one]


# ---- the sub-command ----

NAME = "peers"
HELP = "Patroni with etcd, pg_auto_failover and repmgr beside ours, by turns (installs their packages)"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeat", type=int, default=3, metavar="N")
    parser.add_argument("--speed", choices=SPEEDS, help="only these timings")
    parser.add_argument("--only", default="", metavar="NAME,NAME", help=f"of {', '.join(TITLES)}")
    parser.add_argument("-k", default="", metavar="CASE", help=f"only what has it in it: {', '.join(CASES)}")
    parser.add_argument("--add", action="store_true", help="to the samples of the last run")


def _contestants(args: argparse.Namespace) -> list[Contestant]:
    wanted = args.only.split(",") if args.only else list(TITLES)
    unknown = set(wanted) - set(TITLES)
    if unknown:
        raise LabError(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(TITLES)}", code=64)
    return [Contestant(name, speed) for speed in SPEEDS if args.speed in (None, speed)
            for name in wanted if name != peers.Plain.NAME or speed == SPEEDS[0]]


def figures(args: argparse.Namespace, say: Callable[[str], None]) -> dict:
    contestants = _contestants(args)
    peers.install()
    before = read_json(NAME) if args.add else None
    found = {"machine": machine(), "versions": peers.versions(), "samples": []}
    if before:
        found = {**before, "versions": found["versions"]}
    for number in range(args.repeat):
        # Whoever comes first changes with each round.
        turn = number % len(contestants)
        for who in contestants[turn:] + contestants[:turn]:
            for case in CASES:
                if args.k not in case or (who.name == peers.Plain.NAME and case != "rest"):
                    continue
                found["samples"].append(once(who, case))
                say(f"  {who.title()}, {case} {number + 1}/{args.repeat}: {_said(found['samples'][-1])}")
                write_json(NAME, found)
            who.down()
    return found


def tables(found: dict, make: Callable[[list[str], list[list[str]]], str]) -> list[str]:
    parts = [(FAULT_HEADS, fault_rows(found["samples"])), (REST_HEADS, rest_rows(found["samples"]))]
    return [make(heads, rows) for heads, rows in parts if rows]


def text(found: dict) -> str:
    return "\n\n".join([*tables(found, table), *failed(found["samples"])])


def page(found: dict) -> str:
    settings = [[f"{TITLES[name]}, {speed}", words] for name in names_of(found["samples"])
                for speed, words in (peers.PEERS[name].SETTINGS if name in peers.PEERS
                                     else OUR_SETTINGS).items()]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    missing = "\n".join(f"- failed: {line}" for line in failed(found["samples"]))
    return "\n\n".join([f"{said_of(found['machine'])}. {versions}.", *tables(found, markdown),
                        *([missing] if missing else []), markdown(["settings", "what differs"], settings)])


def fits(found: dict) -> bool:
    """In every case ours is the quickest of its speed."""
    samples = found["samples"]
    for case in CASES[1:]:
        for speed in SPEEDS:
            medians = {name: spread([one["outage_ms"] for one in of(samples, name, speed, case)])["median"]
                       for name in names_of(samples)}
            ours = medians.pop(OURS, None)
            if ours is not None and any(theirs is not None and theirs < ours for theirs in medians.values()):
                return False
    return not failed(samples)
