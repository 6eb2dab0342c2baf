# SPDX-License-Identifier: PostgreSQL
"""One round after the other is done to a lab: the words of the schedule become faults of it, each
noted with its time, and after each round everything is healed and must come right by itself."""

import time
from collections.abc import Callable

from lablib import Lab, LabError
from lablib.kernel import boot_ms

from nemesis import PRIMARY, STANDBY, Act, Round

# From the end of the healing.  The slowest of what may have to happen by itself: a lease, a takeover,
# recovery after a crash, a rewind or a new copy, and that on a busy machine.
WHOLE_LIMIT_S = 90.0
PAUSE_S = 0.1
HEAL_TRIES = 5
# Worth a word: the guard of a lease of 2 s may not be late by more.
STALL_MS = 500


class Attack:
    # What ends all faults, and nothing more.
    heal_words: tuple[str, ...] = ("heal",)

    def __init__(self, lab: Lab, last_ack_ms: Callable[[], float]):
        """last_ack_ms: when a write of the workload through the VIP was acknowledged last."""
        self.lab = lab
        self.last_ack_ms = last_ack_ms
        self.faults: list[list] = []    # [begin_ms, end_ms or None, words]
        self.skipped: list[list] = []   # [time, words, why it could not be done]
        self.rounds: list[dict] = []
        self.bad: list[str] = []
        self.stall_ms = 0.0             # how late this program woke in its round: a busy machine
        self._open: dict[Act, list] = {}  # those of self.faults that nobody has ended yet
        self._healed_ms = 0.0
        self._missing = ""              # what it was not whole without, when it was looked at last

    def injected(self) -> int:
        return len(self.faults)

    def round(self, one: Round) -> bool:
        """False: the cluster did not come right again, and nothing more can be learnt from it."""
        roles = self._roles()
        steps = [(act.at_ms, self._fault, act) for act in one.acts]
        steps += [(act.until_ms, self._remedy, act) for act in one.acts if act.remedy]
        if one.heal_at_ms is not None:
            steps.append((one.heal_at_ms, lambda *_: self.heal(), None))
        self.stall_ms = 0.0
        begun = boot_ms()
        for at, deed, act in sorted(steps, key=lambda step: step[0]):
            self._sleep_until(begun + at)
            deed(act, roles)
        self._sleep_until(begun + one.length_ms)
        self.heal()
        self._healed_ms = boot_ms()
        whole = self._by_itself()
        self.rounds.append({"round": one.number, "begun_ms": begun, "healed_ms": self._healed_ms,
                            "whole_ms": boot_ms() if whole else None, "roles": roles,
                            "stall_ms": self.stall_ms})
        return whole or self._not_by_itself()

    def _roles(self) -> dict[str, str]:
        names = [host.name for host in self.lab.settings.nodes()]
        primary = self.lab.status()["primary"] or names[0]
        return {PRIMARY: primary, STANDBY: next(name for name in names if name != primary)}

    def _do(self, words: tuple[str, ...], roles: dict[str, str]) -> list | None:
        """[begin, None, words]; None when it could not be done."""
        words = tuple(roles.get(word, word) for word in words)
        now = boot_ms()
        try:
            self.lab.fault(*words)
        except (LabError, OSError) as error:
            # What an earlier fault took away cannot be taken away again.
            self.skipped.append([now, " ".join(words), str(error)])
            return None
        return [now, None, " ".join(words)]

    def _fault(self, act: Act, roles: dict[str, str]) -> None:
        fault = self._do(act.words, roles)
        if fault:
            self.faults.append(fault)
            self._open[act] = fault

    def _remedy(self, act: Act, roles: dict[str, str]) -> None:
        fault = self._open.get(act)
        if fault and self._do(act.remedy, roles):
            fault[1] = boot_ms()
            del self._open[act]

    # ---- and back ----

    def heal(self) -> None:
        """Healed and switched on, whatever was done: what is left is the cluster's own business."""
        for tries_left in reversed(range(HEAL_TRIES)):
            try:
                self._heal_once()
                break
            except LabError as error:
                # On a busy machine pid 1 of a host may be late with its answer.
                self.skipped.append([boot_ms(), "heal", str(error)])
                if not tries_left:
                    raise
        now = boot_ms()
        for fault in self._open.values():
            fault[1] = now
        self._open = {}

    def _heal_once(self) -> None:
        self.lab.fault(*self.heal_words)
        for name in self.lab.settings.hosts:
            if not self.lab.node(name).is_on():
                self.lab.fault("boot", name)

    def _by_itself(self) -> bool:
        return self._wait_whole(WHOLE_LIMIT_S)

    def _wait_whole(self, limit_s: float) -> bool:
        limit = time.monotonic() + limit_s
        writable = False
        while time.monotonic() < limit:
            try:
                writable = writable or self._writable()
                if writable and self._is_whole():
                    return True
            except (LabError, OSError):
                pass  # a host that is just switched on
            self._sleep_until(boot_ms() + PAUSE_S * 1000)
        return False

    def _writable(self) -> bool:
        self._missing = "writes through the VIP"
        return self.lab.writable()

    def _is_whole(self) -> bool:
        self._missing = "a standby that streams"
        if not self.lab.ready():
            return False
        # The lab's own write opens a connection; those who lost theirs have to find back too.
        self._missing = "an acknowledgement to the workload"
        return self.last_ack_ms() > self._healed_ms

    def _not_by_itself(self) -> bool:
        """Nobody comes to help."""
        self._bad(f"{self._missing} not within {WHOLE_LIMIT_S:g} s of the healing")
        return False

    def _bad(self, what: str) -> None:
        """Of the round that was noted last."""
        last = self.rounds[-1]
        faults = ", ".join(fault[2] for fault in self.faults if fault[0] >= last["begun_ms"])
        busy = f" (this machine stood still for {self.stall_ms:.0f} ms)" \
            if self.stall_ms > STALL_MS else ""
        self.bad.append(f"round {last['round']} ({faults}): {what}{busy}")

    def _sleep_until(self, moment_ms: float) -> None:
        left = moment_ms - boot_ms()
        if left > 0:
            time.sleep(left / 1000)
            self.stall_ms = max(self.stall_ms, boot_ms() - moment_ms)
