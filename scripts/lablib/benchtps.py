# SPDX-License-Identifier: PostgreSQL
"""scripts/bench tps: what a manager costs the database: pgbench on a pair that it looks after, and on one
that only streams, by turns, in one run.  Each turn has a lab of its own: a manager that is stopped on a
serving primary is no pair without a manager, it is a pair whose right to serve is running out."""

import argparse
import re
from collections.abc import Callable

from . import peers
from .benchfault import LAB
from .benchfigures import machine, markdown, said_of, span, spread, table
from .lab import Lab, remove
from .settings import PG_VRRP

SECONDS, WARM_S = 8, 3
LIMIT = 0.97
CLIENTS, SCALE = 4, 5
PLAIN = peers.Plain.NAME


def _pgbench(lab: Lab, node: str, *arguments: str) -> str:
    settings = lab.settings
    done = lab.run(node, ["runuser", "-u", settings.os_user, "--", f"{settings.bin_dir}/pgbench",
                          "-h", settings.socket_dir, "-p", str(settings.port), *arguments,
                          "postgres"])
    if done.returncode != 0:
        raise RuntimeError(f"pgbench on {node}: {done.stderr[-300:]}")
    return done.stdout


def _tps(lab: Lab, node: str, seconds: int) -> float:
    out = _pgbench(lab, node, "-n", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds))
    return float(re.search(r"tps = ([0-9.]+)", out)[1])


def once(setup: str, witness: str, mode: str) -> float:
    remove(LAB)
    lab = Lab.up(LAB, setup=setup, mode=mode, witness=witness if setup == PG_VRRP else None)
    try:
        primary = lab.status()["primary"]
        _pgbench(lab, primary, "-i", "-s", str(SCALE), "-q")
        _tps(lab, primary, WARM_S)
        rate = _tps(lab, primary, SECONDS)
        if lab.status()["primary"] != primary:
            raise RuntimeError(f"{primary} is not the primary any more")
        return rate
    finally:
        lab.down()


# ---- the sub-command ----

NAME = "tps"
HELP = "pgbench on a pair with pg_vrrp, or with another manager, and on one that only streams, by turns"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeat", type=int, default=5, metavar="N")
    parser.add_argument("--witness", default="postgres", help="its kind (default postgres)")
    parser.add_argument("--mode", default="async", choices=["async", "sync"])
    parser.add_argument("--peers", action="store_true", help="the other managers too, as scripts/bench peers")


def figures(args: argparse.Namespace, say: Callable[[str], None]) -> dict:
    at = machine()
    setups = [PG_VRRP, PLAIN]
    if args.peers:
        peers.install()
        setups += [name for name in peers.PEERS if name != PLAIN]
    rounds = []
    for number in range(args.repeat):
        # Whoever comes first changes with each round.
        order = setups if number % 2 == 0 else setups[::-1]
        rounds.append({setup: once(setup, args.witness, args.mode) for setup in order})
        say(f"  {number + 1}/{args.repeat}: "
            + ", ".join(f"{setup} {rounds[-1][setup]:.0f}" for setup in setups))
    return {"machine": at, "witness": args.witness, "mode": args.mode, "rounds": rounds,
            "ratios": ratios(rounds)}


def ratios(rounds: list[dict[str, float]]) -> dict[str, dict]:
    """{set-up: spread of its rate, times that of streaming alone in the same round}."""
    return {setup: spread([one[setup] / one[PLAIN] for one in rounds])
            for setup in rounds[0] if setup != PLAIN}


HEADS = ["pgbench, times the rate without a manager", "n", "ratio", "wanted", "result"]


def rows(found: dict) -> list[list[str]]:
    lines = []
    for setup, ratio in sorted(found["ratios"].items(), key=lambda item: item[0] != PG_VRRP):
        ours = setup == PG_VRRP
        name = f"pg_vrrp, witness {found['witness']}, {found['mode']}" if ours else setup
        fine = ratio["median"] >= LIMIT
        lines.append([name, str(ratio["n"]), span(ratio, 3), f">= {LIMIT}" if ours else "-",
                      ("ok" if fine else "MISSED") if ours else "-"])
    return lines


def text(found: dict) -> str:
    return table(HEADS, rows(found))


def page(found: dict) -> str:
    return said_of(found["machine"]) + ".\n\n" + markdown(HEADS[:-1], [row[:-1] for row in rows(found)])


def fits(found: dict) -> bool:
    return found["ratios"][PG_VRRP]["median"] >= LIMIT
