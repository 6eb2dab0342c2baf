# SPDX-License-Identifier: PostgreSQL
"""What the helpers cost when nothing happens, beside the script that is usually written."""

import os
import statistics
import time
from collections.abc import Callable

from .lab import Lab, remove
from .node import Process
from .places import SOURCE
from .run import run
from .seeds import LIBEXEC

RUNS = 50
IDLE_S = 20.0
CHECK_WALL_MS, CHECK_CPU_MS, CHECK_KIB = 10.0, 3.0, 8 * 1024
# With a record each run renews it over TLS and SCRAM.
RENEW_WALL_MS, RENEW_CPU_MS = 30.0, 8.0
GUARD_KIB, GUARD_CPU_SHARE = 3 * 1024, 0.002


def _measure(lab: Lab, node: str, tool: str, argv: list[str]) -> tuple[float, float, float]:
    """Medians of wall ms, CPU ms and peak KiB."""
    done = lab.run(node, [tool, str(RUNS), *argv])
    rows = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(rows) != RUNS or any(row[3] != 0 for row in rows):
        raise RuntimeError(f"{argv[0]} on {node}: {done.stdout[-200:]} {done.stderr[-200:]}")
    wall, cpu, kib = (statistics.median(column) for column in list(zip(*rows))[:3])
    return wall, cpu, kib


def _cpu_s(process: Process) -> float:
    """Time on a CPU, to the nanosecond (schedstat), all threads."""
    total = 0
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def _resident_kib(process: Process) -> int:
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def _guard(lab: Lab, node: str) -> tuple[int, float]:
    """(resident KiB, share of one CPU) of the guard itself while nothing happens."""
    guard = next(process for process in lab.node(node).processes() if process.kind() == "guard")
    before = _cpu_s(guard)
    time.sleep(IDLE_S)
    return _resident_kib(guard), (_cpu_s(guard) - before) / IDLE_S


def _tool(lab: Lab) -> str:
    """Where the node sees it, for this lab only."""
    tools = f"{lab.dir}/tools"
    os.makedirs(tools)
    run(["gcc", "-O2", "-std=c11", "-D_GNU_SOURCE", "-o", f"{tools}/measure",
         f"{SOURCE}/tests/bench/measure.c"])
    return f"{tools}/measure"


def costs_with_record(say: Callable[[str], None]) -> list[tuple[str, str, str, bool]]:
    """The same of a check_primary that renews the record; each of its runs is a renewal."""
    name = "bench"
    remove(name)
    lab = Lab.up(name, witness="postgres", mode="sync")
    try:
        primary = lab.status()["primary"]
        # Nobody else renews meanwhile.
        lab.node(primary).order("stop keepalived")
        check = [f"{LIBEXEC}/check_primary", "-c", lab.settings.ini_path()]
        say("  check_primary that renews the record")
        before = lab.record()["version"]
        wall, cpu, peak = _measure(lab, primary, _tool(lab), check)
        renewals = lab.record()["version"] - before
    finally:
        lab.down()
    return [
        ("renewing check_primary, wall", f"{wall:.1f} ms", f"<= {RENEW_WALL_MS:g} ms",
         wall <= RENEW_WALL_MS),
        ("renewing check_primary, CPU of its own", f"{cpu:.1f} ms", f"<= {RENEW_CPU_MS:g} ms",
         cpu <= RENEW_CPU_MS),
        ("renewing check_primary, peak memory", f"{peak / 1024:.1f} MiB", "", True),
        ("renewals in its runs", f"{renewals}", f">= {RUNS}", renewals >= RUNS),
    ]


def costs(say: Callable[[str], None]) -> list[tuple[str, str, str, bool]]:
    """Rows of (what, measured, limit, does it keep to the limit?)."""
    name = "bench"
    remove(name)
    lab = Lab.up(name)
    try:
        settings = lab.settings
        primary = lab.status()["primary"]
        peer = next(host for host in settings.nodes() if host.name != primary)
        tool = _tool(lab)
        say("  check_primary, beside a script of bash, psql and ping")
        check = [f"{LIBEXEC}/check_primary", "-c", settings.ini_path()]
        usual = [f"{SOURCE}/tests/bench/usual-check", peer.address,
                 settings.hosts["witness"].address, str(settings.port), settings.role,
                 settings.passfile]
        ours = _measure(lab, primary, tool, check)
        theirs = _measure(lab, primary, tool, usual)
        say(f"  the guard, {IDLE_S:g} s at rest")
        kib, share = _guard(lab, primary)
    finally:
        lab.down()
    wall, cpu, peak = ours
    rows = [
        ("check_primary, wall", f"{wall:.1f} ms", f"<= {CHECK_WALL_MS:g} ms",
         wall <= CHECK_WALL_MS),
        ("check_primary, CPU of its own", f"{cpu:.1f} ms", f"<= {CHECK_CPU_MS:g} ms",
         cpu <= CHECK_CPU_MS),
        ("check_primary, peak memory", f"{peak / 1024:.1f} MiB", f"<= {CHECK_KIB // 1024} MiB",
         peak <= CHECK_KIB),
    ]
    for what, mine, other in zip(("wall", "CPU"), ours, theirs):
        rows.append((f"bash + psql + ping, {what} (times as much)",
                     f"{other:.1f} ms ({other / mine:.1f})", "", True))
    rows += [
        ("guard, resident", f"{kib / 1024:.2f} MiB", f"<= {GUARD_KIB // 1024} MiB",
         kib <= GUARD_KIB),
        ("guard, share of a CPU at rest", f"{share * 100:.3f} %",
         f"<= {GUARD_CPU_SHARE * 100:g} %", share <= GUARD_CPU_SHARE),
    ]
    return rows
