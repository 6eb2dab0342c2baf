# SPDX-License-Identifier: PostgreSQL
"""scripts/bench return: how soon the old primary streams again, how quick a new copy and a fence are."""

import argparse
import os
import re
import time
from collections.abc import Callable

from .benchfault import LAB
from .benchfigures import machine, markdown, said_of, span, spread, table
from .kernel import boot_ms
from .lab import Lab, remove
from .seeds import LIBEXEC

FOLLOW_MS, REWIND_MS, FENCE_MS, COPY_RATE = 3000, 5000, 500, 0.8
# Of random bytes, which nothing between the two disks can make smaller.
COPY_MB = 512
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _names(lab: Lab) -> tuple[str, str]:
    nodes = lab.status()
    return nodes["primary"], next(name for name in nodes["nodes"] if name != nodes["primary"])


def _whole(lab: Lab) -> None:
    lab.fault("heal")
    lab.wait_ready(60)


def _happened(lab: Lab, node: str, event: str) -> int:
    path = lab.node(node).path(f"{lab.settings.state_dir}/history")
    if not os.path.exists(path):
        return 0
    with open(path, encoding="utf-8") as file:
        return sum(f'"event":"{event}"' in line for line in file)


def _boot_to_streaming(lab: Lab, node: str) -> float:
    begun = boot_ms()
    lab.fault("boot", node)
    lab.wait(lambda: lab.status()["nodes"][node].get("streaming", False), 60, f"{node} streams")
    return boot_ms() - begun


def _followed(lab: Lab) -> float:
    """It was shut down by a person, the other one took over, then its host went off and came back."""
    old, new = _names(lab)
    lab.fault("freeze", old, "guard")
    stopped = lab.run(old, AS_POSTGRES + [f"{lab.settings.bin_dir}/pg_ctl", "stop", "-m", "fast",
                                          "-D", lab.settings.data_dir])
    if stopped.returncode != 0:
        raise RuntimeError(stopped.stderr)
    lab.wait(lambda: lab.status()["primary"] == new, 60, f"{new} serves")
    before = _happened(lab, old, "rewound")
    lab.fault("power-off", old)
    took = _boot_to_streaming(lab, old)
    if _happened(lab, old, "rewound") != before:
        raise RuntimeError("it was rewound, not turned round")
    return took


def _rewound(lab: Lab) -> float:
    """Its host went off under load, and what it had not sent is in its way."""
    old, new = _names(lab)
    load = lab.load_begin(60)
    before = _happened(lab, old, "rewound")
    lab.fault("power-off", old)
    lab.wait(lambda: lab.status()["primary"] == new, 60, f"{new} serves")
    took = _boot_to_streaming(lab, old)
    load.stop()
    if _happened(lab, old, "rewound") == before:
        raise RuntimeError("it was not rewound")
    return took


def _fenced(lab: Lab) -> float:
    """The standby, which lives, over ssh: as its own log counts the time."""
    old, new = _names(lab)
    since = boot_ms()
    done = lab.helper(old, "fence_old")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    line = next(line.text for line in lab.logs(old, since) if "rule=fenced " in line.text)
    lab.wait(lambda: lab.status()["nodes"][new].get("streaming", False), 60, f"{new} is back")
    return float(re.search(r"elapsed_ms=([0-9]+)", line)[1])


def _copies(lab: Lab) -> float:
    """How many times as quick as plain pg_basebackup, one after the other."""
    primary, standby = _names(lab)
    settings = lab.settings
    plain = f"{os.path.dirname(settings.data_dir)}/plain"
    begun = boot_ms()
    done = lab.run(standby, AS_POSTGRES + [
        f"{settings.bin_dir}/pg_basebackup", "-D", plain, "-X", "stream", "-c", "fast", "-d",
        f"host={settings.host(primary).address} port={settings.port} user={settings.role}"
        f" passfile={settings.passfile} dbname=postgres"], timeout=300)
    by_hand = boot_ms() - begun
    lab.run(standby, ["rm", "-rf", plain])
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    since = boot_ms()
    done = lab.run(standby, [f"{LIBEXEC}/rejoin", "-c", settings.ini_path(), "--rebuild"],
                   timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    times = {what: line.boot_ms for line in lab.logs(standby, since)
             for what in ("taking a new copy", "the copy is whole") if what in line.text}
    lab.wait(lambda: lab.status()["nodes"][standby].get("streaming", False), 60, "it streams")
    return by_hand / (times["the copy is whole"] - times["taking a new copy"])


def _ballast(lab: Lab) -> None:
    """Whatever lies in a data directory is copied."""
    data = lab.node(_names(lab)[0]).path(lab.settings.data_dir)
    with open(f"{data}/ballast", "wb") as file:
        os.fchown(file.fileno(), os.stat(data).st_uid, os.stat(data).st_gid)
        for _ in range(COPY_MB):
            file.write(os.urandom(1 << 20))


CASES: list[tuple[str, Callable[[Lab], float], str, Callable[[float], bool]]] = [
    ("back by following, ms", _followed, f"<= {FOLLOW_MS}", lambda got: got <= FOLLOW_MS),
    ("back by pg_rewind, ms", _rewound, f"<= {REWIND_MS}", lambda got: got <= REWIND_MS),
    ("fence of a live host by ssh, ms", _fenced, f"<= {FENCE_MS}", lambda got: got <= FENCE_MS),
    (f"new copy of {COPY_MB} MB, rate / pg_basebackup's", _copies, f">= {COPY_RATE:g}",
     lambda got: got >= COPY_RATE),
]


# ---- the sub-command ----

NAME = "return"
HELP = "how soon the old primary streams again; a new copy beside pg_basebackup's; a fence by ssh"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeat", type=int, default=5, metavar="N")
    parser.add_argument("-k", default="", metavar="NAME", help="only what has it in its name")


def figures(args: argparse.Namespace, say: Callable[[str], None]) -> dict:
    at, found = machine(), []
    for what, once, limit, fits_it in CASES:
        if args.k not in what:
            continue
        remove(LAB)
        lab = Lab.up(LAB, sets=["timing.lease=2s", "replication.keep_old=none"])
        try:
            if once is _copies:
                _ballast(lab)
            got = []
            for number in range(args.repeat):
                _whole(lab)
                time.sleep(1)
                got.append(once(lab))
                say(f"  {what} {number + 1}/{args.repeat}: {got[-1]:.6g}")
        finally:
            lab.down()
        measured = spread(got)
        found.append({"what": what, "measured": measured, "limit": limit,
                      "fits": fits_it(measured["median"])})
    return {"machine": at, "rows": found}


HEADS = ["what", "n", "measured", "wanted", "result"]


def rows(found: dict) -> list[list[str]]:
    return [[one["what"], str(one["measured"]["n"]),
             span(one["measured"], 2 if one["measured"]["median"] < 10 else 0), one["limit"],
             "ok" if one["fits"] else "MISSED"] for one in found["rows"]]


def text(found: dict) -> str:
    return table(HEADS, rows(found))


def page(found: dict) -> str:
    return said_of(found["machine"]) + ".\n\n" + markdown(HEADS[:-1], [row[:-1] for row in rows(found)])


def fits(found: dict) -> bool:
    return all(one["fits"] for one in found["rows"])
