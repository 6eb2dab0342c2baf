# SPDX-License-Identifier: PostgreSQL
"""scripts/bench cost: what pg_vrrp costs while nothing happens, beside streaming without any manager; and
what one run of its programs costs, beside an empty program and the script that is usually written."""

import argparse
import statistics
import time
from collections.abc import Callable

from . import benchrest, places
from .benchfault import LAB
from .benchfigures import machine, markdown, said_of, span, spread, table
from .benchrest import KEEPALIVED, MANAGER, POSTGRES
from .lab import Lab, remove
from .places import SOURCE
from .run import run
from .seeds import LIBEXEC

RUNS = 50
# Whoever has just become a pair still talks about it.
SETTLE_S = 5.0
# What is wanted: ms of CPU each second of all hosts together, less those of streaming alone; MiB of a
# node; sessions a second; times an empty program.
CPU_MS, NODE_MIB, SESSIONS, TIMES_EMPTY = 15.0, 4.0, 0.05, 1.5
ALL = (KEEPALIVED, MANAGER, POSTGRES)

# What is at rest: (name, how Lab.up makes it).
CONFIGURATIONS = [
    ("plain", {"setup": "plain"}),
    ("postgres witness, async", {"witness": "postgres"}),
    ("postgres witness, sync", {"witness": "postgres", "mode": "sync"}),
    ("ping witness, async", {"witness": "ping"}),
]
GROUPS = ((KEEPALIVED, "keepalived and its scripts"), (MANAGER, "ours"), (POSTGRES, "PostgreSQL"))


def _sessions(lab: Lab) -> int:
    """That the witness's server has counted so far; this question's own is counted when it ends."""
    rows = lab.witness_sql("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
    return rows[0][0]


def rest(lab: Lab) -> dict:
    """One look at a lab in which nothing happens."""
    time.sleep(SETTLE_S)
    counted = _sessions(lab) if lab.settings.has_record else 0
    begun = time.monotonic()
    hosts = benchrest.at_rest(lab)
    passed = time.monotonic() - begun
    found = {"hosts": hosts, "sessions": None}
    if lab.settings.has_record:
        found["sessions"] = round(max(_sessions(lab) - counted - 1, 0) / passed, 3)
    return found


def figure(looks: list[dict], key: str, groups: tuple[str, ...], hosts: list[str] | None = None) -> dict:
    return spread([benchrest.total(look["hosts"], key, groups, hosts) for look in looks])


# ---- one run of a program ----

def _put(lab: Lab, node: str, source: str) -> str:
    """Compiled, or as it is, on the node's own disk: the lab's directory may be out of a node's sight."""
    name = source.partition(".")[0]
    target = f"/root/{name}"
    path = f"{SOURCE}/tests/bench/{source}"
    if source.endswith(".c"):
        run(["gcc", "-O2", "-std=c11", "-D_GNU_SOURCE", "-o", f"{lab.dir}/{name}", path])
        path = f"{lab.dir}/{name}"
    run(["install", "-m", "755", path, lab.node(node).path(target)])
    return target


def _runs(lab: Lab, node: str, tool: str, argv: list[str]) -> tuple[float, float, float]:
    """Medians of wall ms, CPU ms and peak KiB."""
    done = lab.run(node, [tool, str(RUNS), *argv])
    rows = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(rows) != RUNS or any(row[3] != 0 for row in rows):
        raise RuntimeError(f"{argv[0]} on {node}: {done.stdout[-200:]} {done.stderr[-200:]}")
    wall, cpu, kib = (statistics.median(column) for column in list(zip(*rows))[:3])
    return wall, cpu, kib


def programs(lab: Lab) -> list[dict]:
    """Of the primary's: what keepalived runs each second, the whole question, and the usual script."""
    settings = lab.settings
    primary = lab.status()["primary"]
    peer = next(host for host in settings.nodes() if host.name != primary)
    tool = _put(lab, primary, "measure.c")
    ini = ["-c", settings.ini_path(), "-n", primary]
    argvs = {
        "an empty C program": [_put(lab, primary, "empty.c")],
        # With --keepalived they would first ask whether keepalived started them, which it did not.
        "check_answer": [f"{LIBEXEC}/check_answer", *ini],
        "check_answer --serving": [f"{LIBEXEC}/check_answer", *ini, "--serving"],
        "check_primary, the whole question": [f"{LIBEXEC}/check_primary", *ini],
        "bash, psql and ping": [_put(lab, primary, "usual-check"), peer.address,
                                settings.hosts[places.WITNESS].address, str(settings.port),
                                settings.role, settings.passfile],
    }
    found = {what: _runs(lab, primary, tool, argv) for what, argv in argvs.items()}
    empty = found["an empty C program"]
    return [{"what": what, "wall_ms": wall, "cpu_ms": cpu, "kib": kib,
             "times_wall": round(wall / empty[0], 2), "times_cpu": round(cpu / empty[1], 2)}
            for what, (wall, cpu, kib) in found.items()]


# ---- the sub-command ----

NAME = "cost"
HELP = "what pg_vrrp costs while nothing happens, and one run of its programs"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeat", type=int, default=1, metavar="N")
    parser.add_argument("-k", default="", metavar="NAME", help="only what has it in its name")


def figures(args: argparse.Namespace, say: Callable[[str], None]) -> dict:
    """By turns: what a busy machine adds, it adds to each."""
    at = machine()
    wanted = [(name, how) for name, how in CONFIGURATIONS if args.k in name or name == "plain"]
    looks: dict[str, list[dict]] = {name: [] for name, _ in wanted}
    ran: list[dict] = []
    for number in range(args.repeat):
        for name, how in wanted:
            remove(LAB)
            lab = Lab.up(LAB, **how)
            try:
                looks[name].append(rest(lab))
                cpu = benchrest.total(looks[name][-1]["hosts"], "cpu_ms", ALL)
                say(f"  at rest, {name} {number + 1}/{args.repeat}: {cpu:.1f} ms/s")
                if how.get("witness") == "ping" and not ran:
                    say("  one run of each program")
                    ran = programs(lab)
            finally:
                lab.down()
    return {"machine": at, "looks": looks, "programs": ran}


def checks(found: dict) -> list[tuple[str, float, float]]:
    """(what, measured, wanted at most)."""
    plain = figure(found["looks"]["plain"], "cpu_ms", ALL)["median"]
    rows = []
    for name, looks in found["looks"].items():
        if name == "plain":
            continue
        rows.append((f"CPU of {name}, ms/s more than plain", figure(looks, "cpu_ms", ALL)["median"] - plain,
                     CPU_MS))
        rows.append((f"PSS of ours on a node, {name}, MiB", _node_pss(looks) / 1024, NODE_MIB))
        sessions = [look["sessions"] for look in looks if look["sessions"] is not None]
        if sessions:
            rows.append((f"new sessions at the witness a second, {name}", statistics.median(sessions),
                         SESSIONS))
    for one in found["programs"]:
        if one["what"].startswith("check_answer"):
            rows.append((f"{one['what']}, CPU, times an empty program", one["times_cpu"], TIMES_EMPTY))
    return rows


def _node_pss(looks: list[dict]) -> float:
    """Of the dearer node."""
    nodes = [host for host in looks[0]["hosts"] if host != places.WITNESS]
    return max(figure(looks, "pss_kib", (MANAGER,), [node])["median"] for node in nodes)


REST_HEADS = ["at rest, ms of CPU each second", "host", *(title for _, title in GROUPS), "PSS of ours, MiB"]
RUN_HEADS = ["one run", "wall, ms", "CPU, ms", "wall, times empty", "CPU, times empty", "peak, MiB"]
CHECK_HEADS = ["wanted", "measured", "at most", "result"]


def rest_rows(looks: dict[str, list[dict]]) -> list[list[str]]:
    rows = []
    for name, mine in looks.items():
        for host in mine[0]["hosts"]:
            rows.append([name, host, *(span(figure(mine, "cpu_ms", (group,), [host]), 1)
                                       for group, _ in GROUPS),
                         span(figure(mine, "pss_kib", (MANAGER,), [host]), 2, 1024)])
        rows.append([name, "all", *(span(figure(mine, "cpu_ms", (group,)), 1) for group, _ in GROUPS),
                     span(figure(mine, "pss_kib", (MANAGER,)), 2, 1024)])
    return rows


def run_rows(found: dict) -> list[list[str]]:
    return [[one["what"], f"{one['wall_ms']:.2f}", f"{one['cpu_ms']:.2f}", f"{one['times_wall']:.1f}",
             f"{one['times_cpu']:.1f}", f"{one['kib'] / 1024:.1f}"] for one in found["programs"]]


def check_rows(found: dict) -> list[list[str]]:
    return [[what, f"{got:.2f}", f"{most:g}", "ok" if got <= most else "MISSED"]
            for what, got, most in checks(found)]


def tables(found: dict, make: Callable[[list[str], list[list[str]]], str]) -> list[str]:
    parts = [(REST_HEADS, rest_rows(found["looks"])), (RUN_HEADS, run_rows(found)),
             (CHECK_HEADS, check_rows(found))]
    return [make(heads, rows) for heads, rows in parts if rows]


def text(found: dict) -> str:
    return "\n\n".join(tables(found, table))


def page(found: dict) -> str:
    return "\n\n".join([said_of(found["machine"]) + ".", *tables(found, markdown)])


def fits(found: dict) -> bool:
    return all(got <= most for _, got, most in checks(found))
