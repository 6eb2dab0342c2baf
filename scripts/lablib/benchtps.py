# SPDX-License-Identifier: PostgreSQL
"""scripts/bench tps: what pg_vrrp costs the database: pgbench with it and without, by turns, in one run."""

import json
import re
import statistics
import time
from collections.abc import Callable

from .lab import Lab, remove

SECONDS = 8
LIMIT = 0.99
CLIENTS = 4
SERVICES = ("guard", "keepalived")


def _pgbench(lab: Lab, node: str, *arguments: str) -> str:
    settings = lab.settings
    done = lab.run(node, ["runuser", "-u", settings.os_user, "--", f"{settings.bin_dir}/pgbench",
                          "-h", settings.socket_dir, "-p", str(settings.port), *arguments,
                          "postgres"])
    if done.returncode != 0:
        raise RuntimeError(f"pgbench on {node}: {done.stderr[-300:]}")
    return done.stdout


def _tps(lab: Lab, node: str) -> float:
    out = _pgbench(lab, node, "-n", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS))
    return float(re.search(r"tps = ([0-9.]+)", out)[1])


def _switch(lab: Lab, on: bool) -> None:
    """On both nodes.  The server goes on without us; the socket is not the kernel's business."""
    for host in lab.settings.nodes():
        for name in SERVICES:
            answer = lab.node(host.name).order(f"{'start' if on else 'stop'} {name}")
            if not answer.get("ok"):
                raise RuntimeError(f"{name} on {host.name}: {answer}")
    time.sleep(2)


def tps(say: Callable[[str], None], pairs: int, witness: str) -> dict:
    """Pairs of runs; which comes first changes with each."""
    name = "bench"
    remove(name)
    lab = Lab.up(name, witness=witness)
    rows = []
    try:
        primary = lab.status()["primary"]
        _pgbench(lab, primary, "-i", "-s", "5", "-q")
        _tps(lab, primary)
        for number in range(pairs):
            rates = {}
            for on in ((True, False) if number % 2 else (False, True)):
                _switch(lab, on)
                rates[on] = _tps(lab, primary)
            rows.append({"with": rates[True], "without": rates[False],
                         "ratio": rates[True] / rates[False]})
            say(f"  {number + 1}/{pairs}: with {rates[True]:.0f}, without {rates[False]:.0f}, "
                f"ratio {rows[-1]['ratio']:.3f}")
    finally:
        lab.down()
    ratios = [row["ratio"] for row in rows]
    return {"witness": witness, "pairs": rows, "median": statistics.median(ratios),
            "least": min(ratios), "most": max(ratios), "limit": LIMIT,
            "fits": statistics.median(ratios) >= LIMIT}


def show(row: dict) -> None:
    print(f"pgbench -c {CLIENTS}, with pg_vrrp against without, witness {row['witness']}: "
          f"{row['median']:.3f} ({row['least']:.3f}-{row['most']:.3f}), "
          f"median of {len(row['pairs'])} pairs; wanted >= {row['limit']}  "
          f"{'ok' if row['fits'] else 'MISSED'}")


def write(row: dict, path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(row, file, indent=1)
