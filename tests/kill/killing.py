# SPDX-License-Identifier: PostgreSQL
"""What the tests of helpers that die, or whose calls fail, share: stopat on both nodes, the sample, the table."""

import json
import os
import random
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "scenario"), os.path.join(ROOT, "scripts")]

from lablib import LabError  # noqa: E402
from lablib.lab import remove  # noqa: E402
from ledger import Ledger  # noqa: E402
from places import Catalogue, Point, Run, StandIn  # noqa: E402
from recorded import Recorded  # noqa: E402

BUILD = os.environ.get("PGV_BUILD", os.path.join(ROOT, "build"))
# Every point, which takes hours; else a sample that is always the same.
ALL = os.environ.get("PGV_KILL_ALL", "") == "1"
# What an earlier run with ALL found right is not done again.
RESUME = os.environ.get("PGV_KILL_RESUME", "") == "1"
# Only the points whose text matches: how one that failed is looked at again.
ONLY = re.compile(os.environ.get("PGV_KILL_ONLY", ""))

# Of calls that come again and again in one run, so many.
DEPTH = int(os.environ.get("PGV_KILL_DEPTH", "3" if ALL else "1"))
# A machine so busy that a lab does not come up must not cost the points that are left.
LAB_TRIES = 3
# What a helper may end with (docs/man): 70 is a bug, and 126 or more was never said by it.
CODES = {0, 1, 2, 3, 4, 64, 71, 78}


class Row:
    """One line of the table."""

    def __init__(self, helper: str, what: str, ledger: Ledger | None = None):
        self.helper, self.what = helper, what
        self.ledger = ledger
        self.effects = 0
        self.before = self.after = self.failed = self.unreached = self.right = 0
        self.wrong: list[str] = []

    def took(self, point: Point, problem: str | None) -> None:
        if point.deed in ("before", "after"):
            setattr(self, point.deed, getattr(self, point.deed) + 1)
        else:
            self.failed += 1
        if problem is not None:
            self.wrong.append(f"{point}: {problem}")
            return
        self.right += 1
        if self.ledger:
            self.ledger.note(self.helper, self.what, str(point))

    def took_before(self, point: Point) -> bool:
        """True when an earlier run found it right, which counts as if this one had."""
        if not self.ledger or not self.ledger.has(self.helper, self.what, str(point)):
            return False
        self.took(point, None)
        return True

    def result(self) -> dict:
        return {key: value for key, value in vars(self).items() if key != "ledger"}


class Killing(Recorded):
    # How many points of each helper the short run takes.
    sample = 3
    # A machine that is busy must not be taken for a fault.
    sets = ["timing.lease=20s", "timing.retry_interval=1s"]
    helpers: tuple[str, ...] = ()

    def setUp(self) -> None:
        self.begun_ms = self.now_ms()
        self.test_begun = time.monotonic()
        super().setUp()
        self.rows: list[Row] = []
        self.ledger = (Ledger(f"{BUILD}/kill/right/{self.name()}", f"{BUILD}/libexec", RESUME)
                       if ALL else None)
        self.addCleanup(self.leave_rows)
        self.stand_in()

    def stand_in(self) -> None:
        """As often as there is a new lab: a host that boots has its own helpers again."""
        self.places = {host.name: StandIn(self.lab, host.name, f"{BUILD}/kill/stopat")
                       for host in self.lab.settings.nodes()}
        for place in self.places.values():
            for helper in self.helpers:
                place.stand_in(helper)

    def new_lab(self) -> None:
        for tries_left in reversed(range(LAB_TRIES)):
            try:
                super().new_lab()
                return
            except LabError as error:
                if not tries_left:
                    raise
                self.say(f"no lab: {error}")
                remove(self.lab_name())

    def another_lab(self) -> None:
        type(self).drop_lab()
        self.new_lab()
        self.stand_in()

    def roles(self) -> None:
        """Who is who changes with each failover."""
        self.wait(self.lab.ready, 40, "the cluster is whole")
        status = self.lab.status()
        self.old = status["primary"]
        self.new = next(name for name in status["nodes"] if name != self.old)
        self.wait(self.promotable(self.new), 30, "a standby that could take over")
        self.forget_attempts()

    # ---- which ----

    @staticmethod
    def thorough() -> bool:
        return ALL or bool(ONLY.pattern)

    def chosen(self, row: Row, points: list[Point], sample: int | None = None) -> list[Point]:
        known = len(points)
        points = [point for point in points if ONLY.search(str(point))]
        # A fixed order that has nothing to do with that of the program.
        random.Random(len(points)).shuffle(points)
        if not self.thorough():
            return points[:sample or self.sample]
        left = [point for point in points if not row.took_before(point)]
        self.say(f"{len(points)} points of {known}, {len(points) - len(left)} of them done before")
        return left

    # ---- judging one run ----

    def problem_of(self, node: str, helper: str, run: Run, codes: set[int] = frozenset(CODES)
                   ) -> str | None:
        """Of a run of which a call failed: a documented end, one line that says it."""
        if not run.end.startswith("exit "):
            return f"it did not end by itself: {run.end or 'no end was seen'}"
        code = int(run.end.split()[1])
        if code not in codes:
            return f"exit code {code}"
        told = sum(1 for line in self.lab.logs(node, self.begun_ms)
                   if line.pid == run.pid and line.tag == helper and " rule=" in line.text)
        return None if told <= 1 else f"{told} lines of verdict"

    # ---- the table ----

    def row(self, helper: str, what: str, catalogue: Catalogue) -> Row:
        row = Row(helper, what, self.ledger)
        row.effects = catalogue.effects()
        self.rows.append(row)
        return row

    def say(self, text: str) -> None:
        print(f"# {time.strftime('%H:%M:%S')} {text}", flush=True)

    def wrong(self, text: str) -> None:
        """With what else the machine had to do: who waited on a busy one may only have been late."""
        self.say(f"WRONG {text} (load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors)")
        self.show_logs()

    def name(self) -> str:
        return self.id().split(".", 1)[-1]

    def leave_rows(self) -> None:
        directory = f"{BUILD}/logs/kill"
        os.makedirs(directory, exist_ok=True)
        with open(f"{directory}/{self.name()}.json", "w", encoding="utf-8") as file:
            json.dump({"seconds": round(time.monotonic() - self.test_begun),
                       "rows": [row.result() for row in self.rows]}, file, indent=1)

    def assert_right(self) -> None:
        wrong = [f"{row.helper} ({row.what}): {text}" for row in self.rows for text in row.wrong]
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertGreater(sum(row.right for row in self.rows), 0, "no point was reached")


__all__ = ["ALL", "BUILD", "CODES", "Catalogue", "DEPTH", "Killing", "LabError", "Point", "Row", "Run"]
