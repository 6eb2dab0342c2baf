# SPDX-License-Identifier: PostgreSQL
"""A standby that is fenced and brought back by hand, its guard stopped: whoever does it is killed at each effect, or has each of
its calls fail, and is called once more.

What said "done" has to be so: a server that is fenced does not run and has its mark, one that is back streams.  The other node
serves all the time.
"""

import os
import unittest
from collections.abc import Callable

from byhand import ByHand, Call
from killing import ALL, DEPTH, LabError, Point

FENCE = Call("new", "fence_self", limit_ms=20000)
FENCE_OTHER = Call("old", "fence_old", limit_ms=30000)
REJOIN = Call("new", "rejoin", limit_ms=60000)
REBUILD = Call("new", "rejoin", ("--rebuild",), limit_ms=120000)


class Standby(ByHand):
    sample = 2

    def setUp(self) -> None:
        super().setUp()
        self.alone()

    def alone(self) -> None:
        """Nobody but the test starts or stops the standby's server."""
        self.roles()
        self.lab.node(self.new).order("stop guard")

    # ---- what has to be so ----

    def postmaster(self):
        return self.lab.node(self.new).postmaster(self.lab.settings.data_dir)

    def marked(self) -> bool:
        """In one of its two places: the other one's disk may be full."""
        return any(map(os.path.exists, (self.state_file(self.new, "fenced"),
                                        self.run_file(self.new, "fenced"))))

    def is_fenced(self) -> bool:
        return self.postmaster() is None and self.marked()

    def is_back(self) -> bool:
        return self.standby_streams(self.new)() and not self.marked()

    def soon(self, condition: Callable[[], bool], limit_s: float = 10) -> bool:
        try:
            self.wait(condition, limit_s, "it")
        except LabError:
            return False
        return True

    # ---- one point ----

    def point(self, call: Call, point: Point, before: Callable[[], None],
              holds: Callable[[], bool]) -> str | None:
        before()
        self.begun_ms = self.now_ms()
        code, run = self.traced(call, point)
        problem = None
        if point.deed.startswith(("fail", "short")):
            problem = self.problem_of(self.node(call), call.helper, run)
            if run.took_ms > call.limit_ms:
                problem = problem or f"it took {run.took_ms} ms"
        elif run.done and run.end != "signal 9":
            problem = f"killed, and its end was {run.end}"
        if code == 0 and not self.soon(holds):
            problem = problem or f"it said yes, and it is not so: {self.said_last}"
        if self.role(self.new) == "primary":
            problem = "two primaries"
        # What ended well needs no second call: the next point begins with one, on what this one left.
        if problem is None and code != 0:
            again = self.undisturbed(call)
            if again != 0 or not self.soon(holds):
                problem = f"the next run ended with {again}: {self.said_last}"
        return problem or (None if run.done else "")

    def every(self, call: Call, what: str, before: Callable[[], None],
              holds: Callable[[], bool]) -> None:
        catalogue, usual = self.catalogue(call, before)
        self.assertEqual(usual, 0, self.said_last)
        self.assertTrue(self.soon(holds), self.said_last)
        points = catalogue.kills(DEPTH) if what == "killed" else catalogue.failures(1)
        row = self.row(call.helper, f"{call}, {what}", catalogue)
        for point in self.chosen(row, points):
            problem = self.point(call, point, before, holds)
            if ALL:
                self.say(f"{point}: {problem or 'right'}")
            if problem == "":
                row.unreached += 1
                continue
            row.took(point, problem)
            if problem:
                self.wrong(f"{call}: {point}: {problem}")
                self.another_lab()
                self.alone()
        self.say(f"{call}: {row.before} before, {row.after} after, {row.failed} failing calls, "
                 f"{row.right} right, {row.unreached} not reached")
        self.assert_right()

    # ---- before a point ----

    def bring_back(self) -> None:
        if not self.is_back():
            self.assertEqual(self.undisturbed(REJOIN), 0, self.said_last)
            self.wait(self.is_back, 20, "the standby is back")

    def fence(self) -> None:
        if not self.is_fenced():
            self.assertEqual(self.undisturbed(FENCE), 0, self.said_last)

    # ---- the tests ----

    def test_fence_self_killed(self):
        self.every(FENCE, "killed", self.bring_back, self.is_fenced)

    def test_fence_self_fails(self):
        self.every(FENCE, "failing", self.bring_back, self.is_fenced)

    def test_fence_old_killed(self):
        self.every(FENCE_OTHER, "killed", self.bring_back, self.is_fenced)

    def test_fence_old_fails(self):
        self.every(FENCE_OTHER, "failing", self.bring_back, self.is_fenced)

    def test_rejoin_killed(self):
        self.every(REJOIN, "killed", self.fence, self.is_back)

    def test_rejoin_fails(self):
        self.every(REJOIN, "failing", self.fence, self.is_back)

    def test_rebuild_killed(self):
        self.every(REBUILD, "killed", self.fence, self.is_back)

    def test_rebuild_fails(self):
        self.every(REBUILD, "failing", self.fence, self.is_back)


if __name__ == "__main__":
    unittest.main()
