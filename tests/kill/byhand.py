# SPDX-License-Identifier: PostgreSQL
"""One call of one helper in a cluster that is whole: killed before and after each of its effects, and with each of its calls failing.

Nothing is wrong, so nothing may come of it: the same primary serves in the same term, both servers are those that ran before,
and the next call says what it says to a helper that nobody disturbed.
"""

import contextlib
import dataclasses
import subprocess
from collections.abc import Callable

from killing import ALL, CODES, DEPTH, Catalogue, Killing, LabError, Point, Row, Run
from lablib.run import CLEAN_ENV
from lablib.seeds import LIBEXEC
from places import DIRECTORY

# So many calls between two looks at the whole cluster.
LOOK_EVERY = 25
# What a call says that was disturbed by something else than what was done to it: the last one by the
# guard's replication_slots, since a standby that begins to use its slot connects anew.
NOT_ITS_OWN = ("is at work", "no answer in time", "connected, then no answer", "does not stream from the primary yet")
# Before a call that takes too long is one that waits for what does not come.
TRIES = 3


@dataclasses.dataclass(frozen=True)
class Call:
    role: str  # "old": the primary; "new": the standby
    helper: str
    arguments: tuple[str, ...] = ()
    # What it may say when one of its calls fails.  A no or a refusal costs nothing, a wrong yes does.
    codes: frozenset[int] = frozenset(CODES)
    limit_ms: int = 5000
    # A person said so: with the other node fenced first, this is no fault.
    may_take_over: bool = False
    # It is over in a moment, so the short run takes every effect of it too.
    cheap: bool = False

    def __str__(self) -> str:
        where = "primary" if self.role == "old" else "standby"
        return " ".join([self.helper, *self.arguments, "on the", where])


class ByHand(Killing):
    # ---- calls ----

    def command(self, call: Call, order: str = "") -> list[str]:
        argv = [f"{LIBEXEC}/{call.helper}", "-c", self.lab.settings.ini_path(), "-v", *call.arguments]
        log = f"{DIRECTORY}/{call.helper}.log"
        return [f"{DIRECTORY}/stopat", log, order, *argv] if order else argv

    def node(self, call: Call) -> str:
        return self.old if call.role == "old" else self.new

    def call(self, call: Call, order: str = "") -> int:
        done = subprocess.run(self.lab.node(self.node(call)).command(self.command(call, order)),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=call.limit_ms / 1000 + 60, check=False, env=CLEAN_ENV)
        self.said_last = done.stdout + done.stderr
        return done.returncode

    def undisturbed(self, call: Call) -> int:
        """Not beside the same helper, called by the guard: then it says only that another one is at work.  And with an answer
        of the other host, which was not touched: on a busy machine that can be late."""
        def done() -> bool:
            self.code_last = self.call(call)
            disturbed = any(words in self.said_last for words in NOT_ITS_OWN)
            if disturbed:
                self.say(f"{call}: once more: {self.said_last.strip()}")
            return not disturbed
        with contextlib.suppress(LabError):
            self.wait(done, 60, f"{call}, alone")
        return self.code_last

    def traced(self, call: Call, point: Point | None) -> tuple[int, Run]:
        place = self.places[self.node(call)]
        place.forget(call.helper)
        code = self.call(call, place.local(str(point)) if point else "count")
        # The one who traces writes its last word when the helper has ended.
        self.wait(lambda: any(run.end for run in place.runs(call.helper)), 5, "the end of the trace")
        return code, place.runs(call.helper)[0]

    # ---- nothing may have come of it ----

    def whole_state(self) -> dict:
        record = self.record() or {}
        state = {key: record.get(key) for key in ("term", "holder", "released", "paused")}
        for node in (self.old, self.new):
            pid = self.lab.node(node).path(f"{self.lab.settings.data_dir}/postmaster.pid")
            with open(pid, encoding="utf-8") as file:
                state[f"server of {node}"] = file.readline().strip()
        return state

    def look(self, before: dict) -> str | None:
        after = self.whole_state()
        if after == before:
            return None
        return "; ".join(f"{key} was {before[key]}, is {after[key]}"
                         for key in before if before[key] != after[key])

    def took_over_rightly(self) -> bool:
        """The other one serves now, alone; who is who is looked up again."""
        roles = [node["role"] for node in self.lab.status()["nodes"].values()]
        if (self.record() or {}).get("holder") != self.new or roles.count("primary") > 1:
            return False
        self.roles()
        return True

    # ---- one point ----

    def killed(self, call: Call, point: Point, usual: int) -> str | None:
        code, run = self.traced(call, point)
        if not run.done:
            return "" if code in CODES else f"not reached, and exit code {code}: {self.said_last}"
        if run.end != "signal 9":
            return f"killed, and its end was {run.end}"
        again = self.undisturbed(call)
        return None if again == usual else f"the next run ended with {again}: {self.said_last}"

    def failing(self, call: Call, point: Point, usual: int) -> str | None:
        # Who waits too long because a call failed does so each time, a busy machine does not.
        for _ in range(TRIES):
            code, run = self.traced(call, point)
            if not run.done:
                return "" if code in CODES else f"not reached, and exit code {code}: {self.said_last}"
            problem = self.problem_of(self.node(call), call.helper, run, set(call.codes) | {usual})
            if problem is None and "fencing this node" in self.said_last:
                problem = "it fences a node that serves by right"
            if problem:
                return f"{problem}: {self.said_last}"
            if run.took_ms <= call.limit_ms:
                return None
            self.say(f"{point}: took {run.took_ms} ms, once more")
        return f"it took {run.took_ms} ms, and as long {TRIES - 1} times before: {self.said_last}"

    # ---- all of them ----

    def each(self, call: Call, row: Row, points: list[Point], way, usual: int) -> None:
        before = self.whole_state()
        for number, point in enumerate(points):
            self.begun_ms = self.now_ms()
            problem = way(call, point, usual)
            if problem == "":
                row.unreached += 1
                continue
            if problem is None and call.may_take_over and self.took_over_rightly():
                before = self.whole_state()
            problem = problem or self.look(before)
            if ALL:
                self.say(f"{point}: {problem or 'right'}")
            row.took(point, problem)
            if problem:
                self.wrong(f"{call}: {point}: {problem}")
                self.roles()
                before = self.whole_state()
            if number % LOOK_EVERY == LOOK_EVERY - 1:
                self.roles()
        self.say(f"{call}: {row.before} before, {row.after} after, {row.failed} failing calls, "
                 f"{row.right} right, {row.unreached} not reached")

    def catalogue(self, call: Call, before: Callable[[], None] | None = None
                  ) -> tuple[Catalogue, int]:
        """before: what the call finds each time.  Without it a call before this one has done what only the first one does."""
        if before is None:
            self.undisturbed(call)
        def done() -> bool:
            if before:
                before()
            self.counted = self.traced(call, None)
            return not any(words in self.said_last for words in NOT_ITS_OWN)
        with contextlib.suppress(LabError):
            self.wait(done, 60, f"{call}, counted alone")
        code, run = self.counted
        catalogue = Catalogue()
        catalogue.add(run)
        self.say(f"{call}: exit code {code}, {catalogue.effects()} effects, "
                 f"{len(catalogue.calls)} different calls, {run.took_ms} ms")
        return catalogue, code

    def kill_each(self, call: Call) -> None:
        self.roles()
        catalogue, usual = self.catalogue(call)
        row = self.row(call.helper, str(call), catalogue)
        points = catalogue.kills(DEPTH)
        points = self.chosen(row, points, len(points) if call.cheap else None)
        self.each(call, row, points, self.killed, usual)

    def fail_each(self, call: Call) -> None:
        self.roles()
        catalogue, usual = self.catalogue(call)
        row = self.row(call.helper, str(call), catalogue)
        self.each(call, row, self.chosen(row, catalogue.failures(DEPTH)), self.failing, usual)
