# SPDX-License-Identifier: PostgreSQL
"""Failovers, one after the other, in each of which every helper that takes part dies once, or a call of its fails.

keepalived and the guard call the helpers as they always do, and it is they who call the next one.  A cycle is right when the
cluster came back by itself, whole, with one writer all the time and nothing acknowledged that is lost.
"""

import dataclasses

from killing import DEPTH, Catalogue, Killing, LabError, Point, Row, Run


@dataclasses.dataclass(frozen=True)
class Target:
    role: str  # "old" or "new", as they are when the cycle begins
    helper: str
    word: str = "-"  # stopat: which calls of it

    def __str__(self) -> str:
        return f"{self.helper} on the {self.role} primary"

    @property
    def resident(self) -> bool:
        return self.word == "--watch"


class Cycles(Killing):
    targets: tuple[Target, ...] = ()

    # ---- the deed ----

    def deed(self) -> None:
        """Whatever makes the standby take over; what it needs to become whole again too."""
        raise NotImplementedError

    def settled(self) -> None:
        self.wait(self.serves(self.new), 45, "the standby serves")
        self.wait(self.promotable(self.old), 60, "the old primary is a standby again")
        self.wait(self.lab.ready, 30, "the cluster is whole")

    # ---- one cycle ----

    def node(self, target: Target) -> str:
        return self.old if target.role == "old" else self.new

    def give(self, orders: dict[Target, Point | None]) -> None:
        for target, point in orders.items():
            place = self.places[self.node(target)]
            place.forget(target.helper)
            place.order(target.helper, point, target.word)
            if target.resident:
                self.lab.node(place.node).order("restart guard")

    def take_back(self, orders: dict[Target, Point | None]) -> dict[Target, list[Run]]:
        for target in orders:
            self.places[self.node(target)].withdraw(target.helper)
        return {target: self.places[self.node(target)].runs(target.helper) for target in orders}

    def cycle(self, orders: dict[Target, Point | None]) -> dict[Target, list[Run]]:
        self.roles()
        self.begun_ms = self.now_ms()
        load = self.lab.load_begin(300)
        ended = False
        try:
            self.give(orders)
            self.wait(self.lab.ready, 30, "the cluster is whole, with orders given")
            self.deed()
            self.settled()
            runs = self.take_back(orders)
            ended = True
            self.assert_safe(load.stop())
        finally:
            if not ended:
                load.process.kill()
                load.process.communicate()
        return runs

    # ---- all of them ----

    def catalogues(self) -> dict[Target, Catalogue]:
        catalogues = {}
        runs = self.cycle({target: None for target in self.targets})
        for target, found in runs.items():
            catalogues[target] = Catalogue()
            for run in found:
                catalogues[target].add(run)
            self.say(f"{target}: {len(found)} runs, {catalogues[target].effects()} effects, "
                     f"{len(catalogues[target].calls)} different calls")
        return catalogues

    def judge(self, target: Target, node: str, point: Point, runs: list[Run]) -> str | None:
        if point.deed in ("before", "after"):
            return None
        problems = [self.problem_of(node, target.helper, run) for run in runs if run.done]
        return next(filter(None, problems), None)

    def one(self, orders: dict[Target, Point], rows: dict[Target, Row], again: list) -> None:
        names = "; ".join(f"{target}: {point}" for target, point in orders.items())
        try:
            runs = self.cycle(orders)
        except (LabError, AssertionError) as error:
            self.say(f"WRONG {names}: {error}")
            self.show_logs()
            for target, point in orders.items():
                rows[target].took(point, f"{error} (in the cycle of: {names})")
            self.another_lab()
            return
        for target, point in orders.items():
            if any(run.done for run in runs[target]):
                problem = self.judge(target, self.node(target), point, runs[target])
                rows[target].took(point, problem)
                if problem:
                    self.say(f"WRONG {target}: {point}: {problem}")
            else:
                again.append((target, point))
        self.say(f"{len(again)} not reached so far; right: {names}")

    def run_all(self, what: str, points_of) -> None:
        catalogues = self.catalogues()
        queues = {target: self.chosen(points_of(catalogue))
                  for target, catalogue in catalogues.items()}
        rows = {target: self.row(target.helper, f"{what}, {target.role}", catalogues[target])
                for target in self.targets}
        again: list[tuple[Target, Point]] = []
        while any(queues.values()):
            self.one({target: queue.pop(0) for target, queue in queues.items() if queue}, rows,
                     again)
        # Where another one died first the call did not come; alone it may.
        last: list[tuple[Target, Point]] = []
        for target, point in again:
            self.one({target: point}, rows, last)
        for target, point in last:
            rows[target].unreached += 1
            self.say(f"not reached: {target}: {point}")
        self.assert_right()

    def kill_all(self, what: str) -> None:
        self.run_all(what, lambda catalogue: catalogue.kills(DEPTH))

    def fail_all(self, what: str) -> None:
        self.run_all(what, lambda catalogue: catalogue.failures(1))
