# SPDX-License-Identifier: PostgreSQL
"""One fault, measured without a touch: from before the deed until the load ends by itself, nobody
asks a host anything and nothing is polled.  How long writes stopped is what the writer was told,
the time of the fault is that of the deed, and the steps between are read from the logs afterwards."""

import os
import random
import time
from collections.abc import Callable

from . import checker
from .lab import Lab

# A name of its own for the lab of each run, so that two of them can go on side by side.
LAB = f"bench{os.getpid()}"
# The load runs so long before the fault, and a random part of the second more, so that a fault has no
# fixed phase to anybody's timer.
BEFORE_S, PHASE_S = 2.0, 1.0


def outage(history: dict) -> dict:
    """The longest time between two acknowledgements from the last one before the fault on, and where
    it lies from the fault.  open: it lasted until the end of the load."""
    zero = history["faults"][0][0]
    acked = sorted(row[2] for row in checker.acked(history["vip"]))
    before = [moment for moment in acked if moment <= zero]
    # A row that was under way is acknowledged a moment after the deed.
    marks = [before[-1] if before else history["begun_ms"],
             *(moment for moment in acked if moment > zero), history["ended_ms"]]
    length, begin = max((after - earlier, earlier) for earlier, after in zip(marks, marks[1:]))
    return {"outage_ms": round(length, 1), "stopped_ms": round(begin - zero, 1),
            "back_ms": round(begin + length - zero, 1),
            "open": begin + length >= history["ended_ms"]}


def once(lab: Lab, deed: Callable[[], object], calm_s: float, limit_s: float,
         phase_s: float = PHASE_S) -> dict:
    """The load's report of one deed, which notes itself as faults do, with what outage() says of it.
    calm_s: writes have to go on for so long before the fault counts as over."""
    load = lab.load_begin(limit_s, calm_s)
    try:
        time.sleep(BEFORE_S + phase_s * random.random())
        deed()
    except BaseException:
        load.stop()
        raise
    report = load.end()
    return {**report, **outage(load.history(report))}
