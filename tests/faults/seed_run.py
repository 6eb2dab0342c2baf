# SPDX-License-Identifier: PostgreSQL
"""One seed from its lab to its verdict: the lab goes up, the workload runs, every round of the
schedule is done, the workload ends, the checker has the last word.  What is needed to understand a
failure is kept beside the history."""

import contextlib
import dataclasses
import glob
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable

import checker
import nemesis
from attack import Attack
from attended import Attended
from ordinary import OrdinaryDays
from workload import Workload

from lablib import Lab, LabError, places
from lablib.hosts import Hosts
from lablib.lab import remove
from lablib.run import run
from lablib.settings import DEBIAN, Settings

# A short lease makes rounds short; nemesis.EXCEPTIONS has the reason for the last one.
SETS = ["timing.lease=2s", "timing.retry_interval=1s", "replication.rebuild=automatic"]
# Hosts have the timings that a user gets.
HOSTS_SETS = SETS[-1:]
# A host that was frozen has the address until its guard and keepalived run again (docs/safety.md).
VIP_BOUND_MS = 1000
PG_VRRP, TEXTBOOK = "pg_vrrp", "textbook"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is attacked, and for how long."""
    setup: str = PG_VRRP
    mode: str = "sync"
    witness: str = "postgres"
    rounds: int = nemesis.ROUNDS
    lab: str = "faults"
    days: bool = False  # what people do, not what breaks
    release: str = ""   # of Debian, on hosts with a systemd; empty: in a lab

    def cluster(self) -> nemesis.Cluster:
        return nemesis.Cluster(record=self.witness == "postgres" and self.setup == PG_VRRP,
                               pg_vrrp=self.setup == PG_VRRP, systemd=bool(self.release))

    def command(self, seed: int) -> str:
        """That does the same again."""
        witness = f" --witness {self.witness}" if self.setup == PG_VRRP else ""
        return (f"sudo scripts/test faults --seed {seed} --rounds {self.rounds} "
                f"--setup {self.setup} --mode {self.mode}{witness}{' --days' if self.days else ''}"
                f"{f' --hosts {self.release}' if self.release else ''}")

    def schedule(self, seed: int) -> list[nemesis.Round]:
        make = nemesis.ordinary if self.days else nemesis.schedule
        return make(seed, self.cluster(), self.rounds)

    def attack(self, lab: Lab, last_ack_ms: Callable[[], float]) -> Attack:
        kind = Attended if self.setup != PG_VRRP else OrdinaryDays if self.days else Attack
        return kind(lab, last_ack_ms)

    def up(self) -> Lab:
        if self.release:
            return Hosts.up(self.lab, release=self.release, witness=self.witness, mode=self.mode,
                            sets=HOSTS_SETS)
        more = {"witness": self.witness, "sets": SETS}
        if self.setup != PG_VRRP:
            more = {"setup": self.setup}  # which has neither a witness nor a file of ours
        return Lab.up(self.lab, mode=self.mode, shimmed=True, **more)


class SeedRun:
    def __init__(self, plan: Plan, seed: int, out: str, say: Callable[[str], None]):
        self.plan = plan
        self.seed = seed
        self.out = f"{out}/seed-{seed}"
        self.say = say
        self.lab: Lab | None = None
        self.attack: Attack | None = None
        self.load: Workload | None = None

    def run(self, until: float) -> dict:
        """until: time.monotonic() after which no further round begins.  The run as report.py wants
        it."""
        shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out)
        rounds = self.plan.schedule(self.seed)
        self._write("schedule.json", [dataclasses.asdict(one) for one in rounds])
        remove(self.plan.lab)
        try:
            self._up()
            history = self._rounds(rounds, until)
            report = checker.evaluate(history)
            report["bad"] = self.attack.bad + report["bad"]
            return self._result(history, report)
        finally:
            if self.load:
                self.load.kill()
            self._keep_logs()
            remove(self.plan.lab)

    def _up(self) -> None:
        try:
            self.lab = self.plan.up()
        except LabError as error:
            # Nothing was attacked yet: a busy machine may be too slow to set a witness up.
            self.say(f"once more, the lab did not come up: {error}")
            remove(self.plan.lab)
            self.lab = self.plan.up()
        self.load = Workload(self.lab.name, self.lab.settings, self.out, self.seed)
        self.attack = self.plan.attack(self.lab, lambda: self.load.progress()["last_ack_ms"])

    def _rounds(self, rounds: list[nemesis.Round], until: float) -> dict:
        attack = self.attack
        self.load.start()
        for one in rounds:
            if time.monotonic() > until:
                break
            before = attack.injected()
            whole = attack.round(one)
            done = ", ".join(fault[2] for fault in attack.faults[before:]) or "nothing"
            self.say(f"round {one.number}/{len(rounds)}: {done}; "
                     f"acked {self.load.progress()['acked']}"
                     + "".join(f"; by hand: {deed}" for deed in attack.rounds[-1].get("hands", []))
                     + ("" if whole else "; NOT WHOLE AGAIN"))
            if not whole:
                break
        history = self.load.stop()
        history["faults"] = attack.faults
        history["rounds"] = attack.rounds
        history["skipped"] = attack.skipped
        history["vip_bound_ms"] = VIP_BOUND_MS
        self._write("history.json", history)
        return history

    def _result(self, history: dict, report: dict) -> dict:
        self._write("report.json", report)
        return {"seed": self.seed, "setup": self.plan.setup, "mode": self.plan.mode,
                "witness": self.plan.witness, "versions": versions(self.lab.settings),
                "history": history, "report": report, "replay": self.plan.command(self.seed)}

    # ---- what is kept ----

    def _write(self, name: str, what) -> None:
        with open(f"{self.out}/{name}", "w", encoding="utf-8") as file:
            json.dump(what, file)

    def _keep_logs(self) -> None:
        """Of every host; also what the nodes keep about themselves."""
        top = places.lab_dir(self.plan.lab)
        for path in [*glob.glob(f"{top}/log/*.log"), f"{top}/events.jsonl", f"{top}/cables.json"]:
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(path, self.out)
        if self.lab is None:
            return
        if self.plan.release:
            with contextlib.suppress(LabError, OSError), open(f"{self.out}/journals.log", "w",
                                                              encoding="utf-8") as file:
                file.writelines(f"{line.boot_ms:.0f} {line.node} {line.tag}[{line.pid}] {line.text}\n"
                                for line in self.lab.logs())
        for host in self.lab.settings.nodes():
            with contextlib.suppress(LabError, OSError, shutil.Error):
                state = self.lab.node(host.name).path(self.lab.settings.state_dir)
                shutil.copytree(state, f"{self.out}/{host.name}-state", dirs_exist_ok=True)
        with contextlib.suppress(LabError, OSError):
            self._write("status.json", self.lab.status())


def versions(settings: Settings) -> dict[str, str]:
    """Of everything whose next version might behave in another way."""
    git = subprocess.run(["git", "-C", places.SOURCE, "describe", "--always", "--dirty"],
                         capture_output=True, text=True, check=False).stdout.strip()
    keepalived = subprocess.run(["keepalived", "--version"], capture_output=True, text=True,
                                check=False)
    said = (keepalived.stderr or keepalived.stdout).split()
    if settings.setup == DEBIAN:
        debian = f"of Debian {settings.ini.get('lab', 'release')}"
        return {"pg_vrrp": git or "unknown", "PostgreSQL": f"{settings.version} {debian}",
                "keepalived": debian, "Linux": os.uname().release}
    return {"pg_vrrp": git or "unknown",
            "PostgreSQL": run([f"{settings.bin_dir}/postgres", "-V"]).split()[2],
            "keepalived": said[1] if len(said) > 1 else "unknown", "Linux": os.uname().release}
