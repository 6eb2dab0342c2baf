# SPDX-License-Identifier: PostgreSQL
"""Load that a host can hardly carry: many runnable processes, a server that stands still by turns.

A host under load has a control group for all its processes, so that they have the hogs for neighbours
as on a machine of their own, and the other labs of this one are left their part of the processors."""

import os
import signal
import subprocess

from . import faults_limits, places
from .errors import LabError, USAGE
from .node import Node
from .run import CLEAN_ENV

PROGRAM = f"{places.SCRIPTS}/lablib/overload.py"
HOGS, HOGS_MOST = 100, 400
# It ends by itself, whatever becomes of who began it.
HOGS_S, SLOW_S = 60, 300
SLOWEST_MS = 10000
# A host with a hundred runnable processes is worth as much as three sessions of any other.
SHARES, WEIGHT = 3072, 300
# Of each second, for what runs in real time; a group has none unless it is given.
REAL_TIME_US = 100000
KNOWN_BY = ("cpu.shares", "cpu.weight")


def check_hogs(count: str) -> int:
    if not count.isdecimal() or not 1 <= int(count) <= HOGS_MOST:
        raise LabError(f'busy: "{count}" is no number of processes up to {HOGS_MOST}',
                       "for example busy n1 100", USAGE)
    return int(count)


def check_pause(pause: str) -> int:
    number = pause.removesuffix("ms")
    if not number.isdecimal() or not 1 <= int(number) <= SLOWEST_MS:
        raise LabError(f'slow-server: "{pause}" is no time up to {SLOWEST_MS} ms',
                       "for example slow-server n1 400ms", USAGE)
    return int(number)


def busy(node: Node, count: int) -> None:
    group = _group(node)
    if group:
        faults_limits.move_all(node, group)
    _begin(node, group, "hogs", str(count), str(HOGS_S))


def _group(node: Node) -> str:
    """Empty where the machine has none, or has no real time left for it: the hogs are just there then,
    so many sessions."""
    group = faults_limits.group(node, "cpu", KNOWN_BY)
    try:
        for name, value in (("cpu.shares", SHARES), ("cpu.weight", WEIGHT),
                            ("cpu.rt_runtime_us", REAL_TIME_US)):
            if group and os.path.exists(f"{group}/{name}"):
                faults_limits.write(f"{group}/{name}", str(value))
    except OSError:
        return ""
    return group


def slow_server(node: Node, pause_ms: int) -> None:
    _begin(node, "", "slow", node.host.data_dir, str(pause_ms), str(SLOW_S))


def _begin(node: Node, group: str, *words: str) -> None:
    """Inside the node, so that it dies with it."""
    def enter() -> None:
        if group:
            faults_limits.write(f"{group}/cgroup.procs", "0")
    subprocess.Popen(node.command(["/usr/bin/python3", "-B", PROGRAM, *words]), preexec_fn=enter,
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                     env=CLEAN_ENV, start_new_session=True)


def heal(node: Node) -> None:
    """A server that stands still now is set free by who heals: everything of the host is."""
    for process in node.processes():
        if PROGRAM in process.argv:
            process.signal(signal.SIGKILL)
    group = faults_limits.found(node, "cpu", KNOWN_BY)
    if group:
        faults_limits.move_all(node, os.path.dirname(group))
