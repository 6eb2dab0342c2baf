# SPDX-License-Identifier: PostgreSQL
"""What a lab's hosts spend while nothing happens: time on a processor, memory.  Read from /proc, from
outside: nobody on a host is asked."""

import os
import time

from .lab import Lab
from .node import Process

SECONDS = 20.0
TICK = os.sysconf("SC_CLK_TCK")
# What a process belongs to: its own program's, or else that of whoever started it.  A program that pid 1
# keeps and that is none of these is the manager itself (ours: the guard and what it starts).
POSTGRES, KEEPALIVED, MANAGER, OTHER = "postgres", "keepalived", "manager", "other"
PROGRAMS = {"postgres": POSTGRES, "keepalived": KEEPALIVED, "sshd": OTHER}


def group_of(pid: int, programs: dict[int, tuple[int, str]], init: int) -> str:
    """programs: {pid: (parent, program)}."""
    while pid in programs and pid != init:
        parent, program = programs[pid]
        if program in PROGRAMS:
            return PROGRAMS[program]
        # One whose parent is not on the host was started there by hand.
        if parent == init or parent not in programs:
            return MANAGER
        pid = parent
    return OTHER


def times_of(stat: str) -> tuple[int, float]:
    """(parent, seconds on a processor, its own and those of all children that it has waited for)."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15]) / TICK


def pss_kib(rollup: str) -> int:
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def _read(process: Process, name: str) -> str:
    with open(f"/proc/{process.pid}/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()


def _look(lab: Lab, host: str, memory: bool = False) -> dict[str, dict[str, float]]:
    """{group: {cpu: seconds so far, pss: KiB, processes: how many}} of one host, now."""
    seen = []
    for process in lab.node(host).processes():
        try:
            parent, spent = times_of(_read(process, "stat"))
            pss = pss_kib(_read(process, "smaps_rollup")) if memory else 0
        except (OSError, StopIteration):
            continue  # it ended meanwhile; whoever waits for it has its time
        seen.append((process, parent, spent, pss))
    programs = {process.pid: (parent, process.exe) for process, parent, _, _ in seen}
    init = lab.node(host).pid()
    found: dict[str, dict[str, float]] = {}
    for process, _, spent, pss in seen:
        own = found.setdefault(group_of(process.pid, programs, init),
                               {"cpu": 0.0, "pss": 0, "processes": 0})
        own["cpu"] += spent
        own["pss"] += pss
        own["processes"] += 1
    return found


def at_rest(lab: Lab, seconds: float = SECONDS) -> dict[str, dict[str, dict[str, float]]]:
    """{host: {group: {cpu_ms: of each second, pss_kib, processes}}} of the hosts that have a server or
    a witness.  A process that ends is counted by the one that waits for it, so nothing is lost."""
    hosts = [host.name for host in lab.settings.hosts.values() if host.kind != "client"]
    before, begun = {}, {}
    for host in hosts:
        begun[host] = time.monotonic()
        before[host] = _look(lab, host)
    time.sleep(seconds)
    found = {}
    for host in hosts:
        passed = time.monotonic() - begun[host]
        after = _look(lab, host)
        memory = _look(lab, host, True)
        found[host] = {group: {
            "cpu_ms": round(1000 * (now["cpu"] - before[host].get(group, {"cpu": 0.0})["cpu"])
                            / passed, 2),
            "pss_kib": memory.get(group, now)["pss"], "processes": now["processes"]}
            for group, now in after.items()}
    return found


def total(found: dict, key: str, groups: tuple[str, ...], hosts: list[str] | None = None) -> float:
    """Over these groups, of these hosts or of all."""
    return sum(values[key] for host, mine in found.items() if hosts is None or host in hosts
               for group, values in mine.items() if group in groups)
