# SPDX-License-Identifier: PostgreSQL
"""scripts/demo: one failover, shown as it happens, and what it cost."""

import glob
import json
import os
import signal
import sys
import time
from collections.abc import Callable

from . import events, status, svg
from .errors import LabError
from .kernel import boot_ms
from .lab import Lab, remove
from .places import SOURCE
from .run import require_root
from .story import Follower, words

NAME = "demo"
LOAD_S = 60


def heading(text: str) -> None:
    print(f"\n== {text}", flush=True)


class Show:
    """Prints log lines with their time since the fault, until a condition holds."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.follower = Follower(lab.name, [host.name for host in lab.settings.nodes()])
        self.zero = boot_ms()
        self.last = ""

    def tell(self, at_ms: float, node: str, who: str, text: str) -> None:
        told = f"{node} {who} {text}"
        if told != self.last:  # an attempt that is repeated is told once
            print(f"{at_ms - self.zero:+8.0f} ms  {node:<7} {who:<13} {text}", flush=True)
        self.last = told

    def new_lines(self) -> None:
        for line in self.follower.read():
            said = words(line)
            if said and line.boot_ms >= self.zero:
                self.tell(line.boot_ms, line.node, line.tag.removeprefix("Keepalived_"), said)

    def until(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        def look() -> bool:
            self.new_lines()
            return condition()
        self.lab.wait(look, limit_s, what)
        self.new_lines()


def failover(lab: Lab) -> tuple[dict, dict]:
    """Returns the report of the load, and its history."""
    old = lab.status()["primary"]
    heading(f"writing a row every 10 ms through the VIP {lab.settings.vip.ip}")
    load = lab.load_begin(LOAD_S)
    try:
        lab.wait(lambda: lab.writable(), 10, "writes through the VIP")
        time.sleep(3)
        heading(f"SIGKILL to the primary's postmaster on {old}")
        show = Show(lab)
        lab.fault("crash", old)
        show.zero = events.read(lab.name)[-1]["boot_ms"]
        show.tell(show.zero, old, "fault", "the postmaster is killed")
        show.until(lambda: lab.status()["primary"] not in (None, old) and lab.writable(), 30,
                   "writes through the VIP on the other node")
        show.tell(boot_ms(), "client", "writer", "a write through the VIP works again")
        heading(f"{old} comes back as a standby")
        show.until(lab.ready, 60, f"{old} as a standby that streams")
        show.tell(boot_ms(), old, "replication", "streams from the new primary")
        time.sleep(1)
        report = load.stop()
    except BaseException:
        load.process.send_signal(signal.SIGTERM)
        raise
    newest = max(glob.glob(f"{lab.dir}/load/*.json"), key=os.path.getmtime)
    with open(newest, encoding="utf-8") as file:
        return report, json.load(file)


def summary(report: dict, mode: str) -> list[tuple[str, str]]:
    lost = "could not be checked" if report["lost"] is None else str(report["lost"])
    rows = [("rows acknowledged", str(report["acked"])),
            (f"acknowledged and lost (mode {mode})", lost),
            ("outcome unknown to the client", str(report["unknown"])),
            ("two nodes accepted writes", f"{report['dual_ms']:g} ms"),
            ("two nodes answered for the VIP", f"{report['vip_dual_ms']:g} ms"
             if report["vip_dual_ms"] is not None else "not asked"),
            ("longest time without a write", f"{report['outage_ms']:.0f} ms")]
    rows += [(f"  {phase}", f"+{value:.0f} ms") for phase, value in report["phases"].items()]
    return rows


def main() -> int:
    began = time.monotonic()
    lab = None
    try:
        require_root()
        remove(NAME)  # of a demo that was interrupted
        heading("two PostgreSQL nodes, a witness, a client, on a network of their own")
        lab = Lab.up(NAME, say=lambda text: print(f"   {text}", flush=True))
        print(status.as_text(lab.status()))
        report, history = failover(lab)
        print()
        print(status.as_text(lab.status()))
        directory = f"{SOURCE}/build/demo"
        os.makedirs(directory, exist_ok=True)
        picture = f"{directory}/failover.svg"
        with open(picture, "w", encoding="utf-8") as file:
            file.write(svg.timeline(history, report, "PostgreSQL on the primary is killed"))
        with open(f"{directory}/failover.json", "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)
        heading("what it cost")
        rows = summary(report, lab.settings.mode)
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            print(f"   {name:<{width}}  {value}")
        print(f"\ntimeline: {picture}\nthe demo took {time.monotonic() - began:.0f} s")
        # In async mode the last rows before a crash may be missing; a second writer never.
        promised = report["lost"] == 0 or lab.settings.mode == "async"
        return 0 if promised and report["lost"] is not None and report["dual_ms"] == 0 else 1
    except LabError as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        if lab:
            for line in lab.logs()[-60:]:
                print(f"{line.boot_ms / 1000:.3f} {line.node} {line.tag}: {line.text}",
                      file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130
    finally:
        if os.geteuid() == 0:
            remove(NAME)
