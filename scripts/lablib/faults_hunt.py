# SPDX-License-Identifier: PostgreSQL
"""hunt: a helper that runs for a few hundredths of a second only cannot be killed by hand.  A hunter
waits beside the lab until it sees one on the node, lets it work for so long, and then strikes."""

import os
import signal
import subprocess
import sys
import time

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lablib import events, kernel, places
from lablib.errors import LabError, USAGE
from lablib.node import Node, Process
from lablib.run import CLEAN_ENV
from lablib.settings import Host

PROGRAMS = ("check_answer", "check_primary", "promote_safe", "fence_old", "fence_self", "rejoin", "witness_record",
            "replication_slots", "pg_rewind", "pg_ctl")
WAYS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}
LONGEST_MS = 10000
LIMIT_S = 60.0
PAUSE_S = 0.003
# A new process has its program only after exec, which takes its time on a busy machine.
YOUNG_S = 1.0


def check(program: str, delay: str, way: str) -> int:
    """The delay in ms."""
    if program not in PROGRAMS:
        raise LabError(f'hunt: "{program}" is none of {", ".join(PROGRAMS)}', code=USAGE)
    if way not in WAYS:
        raise LabError(f'hunt: "{way}" is none of {", ".join(WAYS)}', code=USAGE)
    number = delay.removesuffix("ms")
    if not number.isdecimal() or int(number) > LONGEST_MS:
        raise LabError(f'hunt: "{delay}" is no time up to {LONGEST_MS} ms',
                       "for example hunt n1 rejoin 30ms", USAGE)
    return int(number)


def begin(node: Node, program: str, delay_ms: int, way: str) -> None:
    hunter = subprocess.Popen(
        ["/usr/bin/python3", "-B", os.path.abspath(__file__), node.lab, node.name, program,
         str(delay_ms), way], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=CLEAN_ENV, start_new_session=True)
    with open(_list(node.lab), "a", encoding="ascii") as file:
        file.write(f"{hunter.pid} {kernel.started_at(hunter.pid)}\n")


def end_all(lab: str) -> None:
    try:
        with open(_list(lab), encoding="ascii") as file:
            hunters = [line.split() for line in file]
        os.unlink(_list(lab))
    except FileNotFoundError:
        return
    for pid, started in hunters:
        kernel.kill_exactly(int(pid), int(started), signal.SIGKILL)


def _list(lab: str) -> str:
    return f"{places.lab_dir(lab)}/hunters"


def _entries() -> set[str]:
    return {name for name in os.listdir("/proc") if name.isdecimal()}


class Hunter:
    def __init__(self, node: Node, program: str):
        self.program = program
        self.namespace = os.readlink(f"/proc/{node.pid()}/ns/pid")
        self.known: set[str] = set()
        self.young: dict[str, float] = {}

    def look(self) -> Process | None:
        now = time.monotonic()
        entries = _entries()
        self.young.update((name, now + YOUNG_S) for name in entries - self.known)
        self.known = entries
        for name in list(self.young):
            if self._is_it(name):
                try:
                    process = Process(int(name))
                except (OSError, KeyError, ValueError):
                    continue  # it ended meanwhile
                if "--watch" not in process.argv:  # the guard has a fault of its own
                    return process
            if now > self.young[name]:
                del self.young[name]
        return None

    def _is_it(self, name: str) -> bool:
        try:
            program = os.path.basename(os.readlink(f"/proc/{name}/exe"))
            return (program.removesuffix(" (deleted)") == self.program
                    and os.readlink(f"/proc/{name}/ns/pid") == self.namespace)
        except OSError:
            return False


def main() -> None:
    lab, name, program, delay, way = sys.argv[1:]
    node = Node(lab, Host(name, "node", "", "", "", ""))
    hunter = Hunter(node, program)
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit and node.is_on():
        prey = hunter.look()
        if prey is None:
            time.sleep(PAUSE_S)
            continue
        time.sleep(int(delay) / 1000)
        # One that ended before is not the last one.
        if prey.signal(WAYS[way]):
            events.note(lab, ["struck", name, program, way])
            return


if __name__ == "__main__":
    main()
