# SPDX-License-Identifier: PostgreSQL
"""Failovers, one after the other, in each of which every helper that takes part dies once, or a call of its fails.

keepalived and the guard call the helpers as they always do, and it is they who call the next one.  A cycle is right when the
cluster came back by itself, whole, with one writer all the time and nothing acknowledged that is lost.
"""

import time

from killing import DEPTH, Catalogue, Killing, LabError, Point, Row, Run
from places import StandIn
from spread import Target, next_points

# Who has not ended so long after the cluster is whole again hangs.
END_LIMIT_S = 60
# So many runs that did not come to the call.
PASSED_BY = 2
# keepalived ends a track script that is late.  Whom a failed call makes late is so each time, a busy machine is not.
LATE = "signal 15"
LATE_TRIES = 3


class Orders:
    """What is to happen to the runs of one helper on one node, one thing after the other: each as soon as a run came to the
    one before it."""

    def __init__(self, place: StandIn, target: Target, points: list[Point | None]):
        self.place, self.target = place, target
        self.left = list(points)
        self.given: list[Point] = []
        self.passed: list[Point] = []
        place.forget(target.helper)
        self._next()

    def _next(self) -> None:
        point = self.left.pop(0)
        self.ended = self._ended()
        self.place.order(self.target.helper, point, self.target.word)
        if point:
            self.given.append(point)

    def _ended(self) -> int:
        return sum(bool(run.end) for run in self.place.runs(self.target.helper))

    def feed(self) -> None:
        """A point that several runs passed by does not hold up those behind it."""
        if not self.left:
            return
        if not self.place.waits(self.target.helper):
            self._next()
        elif (self._ended() - self.ended >= PASSED_BY
              and self.place.withdraw(self.target.helper)):
            self.passed.append(self.given.pop())
            self._next()

    def _done(self) -> list[Run]:
        return [run for run in self.place.runs(self.target.helper) if run.done]

    def end(self) -> tuple[list[tuple[Point, Run | None]], list[Point]]:
        """The points that were reached, each with its run; those that were not."""
        if self.place.withdraw(self.target.helper) and self.given:
            self.left.insert(0, self.given.pop())
        done = self._done()
        limit = time.monotonic() + END_LIMIT_S
        # The last one may have begun a moment ago.
        while not self.target.resident and not all(run.end for run in done):
            if time.monotonic() > limit:
                break
            time.sleep(0.05)
            done = self._done()
        runs = done + [None] * (len(self.given) - len(done))
        return list(zip(self.given, runs)), self.passed + self.left


class Cycles(Killing):
    targets: tuple[Target, ...] = ()
    # How many points of each helper there are room for in one failover: the next run is killed too.
    in_one = 3

    # ---- the deed ----

    def deed(self) -> None:
        """Whatever makes the standby take over; what it needs to become whole again too."""
        raise NotImplementedError

    def settled(self) -> None:
        """Who serves in the end does not matter: where takeovers die the old primary starts again by the standby's vote."""
        self.wait_fed(self.whole, 120, "one node serves, and the other could take over")
        self.wait_fed(self.lab.ready, 30, "the cluster is whole")

    def whole(self) -> bool:
        status = self.lab.status()
        primary = status["primary"]
        others = [name for name in status["nodes"] if name != primary]
        return primary is not None and status["vip_at"] == [primary] and self.promotable(others[0])()

    def wait_fed(self, condition, limit_s: float, what: str) -> None:
        def look() -> bool:
            for orders in self.orders:
                orders.feed()
            return condition()
        self.wait(look, limit_s, what)

    # ---- one cycle ----

    def trim_wal(self) -> None:
        """Each failover leaves a segment of its timeline behind, which every later rewind would copy, and after a hundred of
        them the disk is full: what the servers keep goes by the number of the segment, and that hardly moves here."""
        for node in (self.old, self.new):
            self.sql(node, "ALTER SYSTEM SET wal_keep_size = '16MB'")
            self.sql(node, "SELECT pg_reload_conf()")
        self.sql(self.old, "SELECT pg_switch_wal()")
        for node in (self.old, self.new):
            self.sql(node, "CHECKPOINT")

    def node(self, target: Target) -> str:
        return self.old if target.role == "old" else self.new

    def give(self, points: dict[Target, list[Point | None]]) -> None:
        self.orders = []
        for target, some in points.items():
            place = self.places[self.node(target)]
            self.orders.append(Orders(place, target, some))
            if target.resident:
                self.lab.node(place.node).order("restart guard")

    def cycle(self, points: dict[Target, list[Point | None]]) -> list[Orders]:
        self.roles()
        self.trim_wal()
        self.begun_ms = self.now_ms()
        load = self.lab.load_begin(300)
        ended = False
        try:
            self.give(points)
            self.wait(self.lab.ready, 30, "the cluster is whole, with orders given")
            self.deed()
            self.settled()
            ended = True
            self.assert_safe(load.stop())
        finally:
            if not ended:
                load.process.kill()
                load.process.communicate()
        return self.orders

    # ---- all of them ----

    def catalogues(self) -> dict[Target, Catalogue]:
        catalogues = {}
        for orders in self.cycle({target: [None] for target in self.targets}):
            target = orders.target
            orders.place.withdraw(target.helper)
            catalogues[target] = Catalogue()
            found = orders.place.runs(target.helper)
            for run in found:
                catalogues[target].add(run)
            self.say(f"{target}: {len(found)} runs, {catalogues[target].effects()} effects, "
                     f"{len(catalogues[target].calls)} different calls")
        return catalogues

    def once_more(self, target: Target, point: Point, run: Run | None) -> bool:
        if run is None or run.end != LATE or self.late.count((target, point)) == LATE_TRIES - 1:
            return False
        self.late.append((target, point))
        self.queues[target].append(point)
        self.say(f"{target}: {point}: it was late, once more")
        return True

    def problem(self, orders: Orders, point: Point, run: Run | None) -> str | None:
        if point.deed in ("before", "after"):
            return None
        if run is None:
            return "no run that says so was seen"
        if orders.target.resident and not run.end:
            return None  # it goes on, which is what it is for
        return self.problem_of(orders.place.node, orders.target.helper, run)

    def one(self, points: dict[Target, list[Point]], rows: dict[Target, Row]
            ) -> dict[Target, list[Point]]:
        """What was not reached."""
        names = "; ".join(f"{target}: {', then '.join(map(str, some))}"
                          for target, some in points.items())
        self.say(names)
        try:
            cycle = self.cycle(points)
        except (LabError, AssertionError) as error:
            self.wrong(f"{error}")
            for target, some in points.items():
                for point in some:
                    rows[target].took(point, f"{error} (in the cycle of: {names})")
            self.another_lab()
            return {}
        unreached = {}
        for orders in cycle:
            reached, left = orders.end()
            for point, run in reached:
                if self.once_more(orders.target, point, run):
                    continue
                problem = self.problem(orders, point, run)
                rows[orders.target].took(point, problem)
                if problem:
                    self.wrong(f"{orders.target}: {point}: {problem}")
            if left:
                unreached[orders.target] = left
        return unreached

    def run_all(self, what: str, points_of) -> None:
        catalogues = self.catalogues()
        rows = {target: self.row(target.helper, f"{what}, {target.role}", catalogues[target])
                for target in self.targets}
        queues = self.queues = {target: self.chosen(rows[target], points_of(catalogue))
                                for target, catalogue in catalogues.items()}
        self.late: list[tuple[Target, Point]] = []
        order = {target: {str(point): n for n, point in enumerate(points_of(catalogue))}
                 for target, catalogue in catalogues.items()}
        missed: set[tuple[Target, Point]] = set()
        while any(queues.values()):
            points = next_points(queues, order, self.in_one)
            for target, left in self.one(points, rows).items():
                first = points[target][0]
                # Nothing went before it in this helper; but another helper may have died too soon.
                if first in left and (not self.thorough() or (target, first) in missed):
                    left.remove(first)
                    rows[target].unreached += 1
                    self.say(f"not reached: {target}: {first}")
                elif first in left:
                    missed.add((target, first))
                queues[target] += left
        self.assert_right()

    def kill_all(self, what: str) -> None:
        self.run_all(what, lambda catalogue: catalogue.kills(DEPTH))

    def fail_all(self, what: str) -> None:
        self.run_all(what, lambda catalogue: catalogue.failures(1))
