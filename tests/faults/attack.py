# SPDX-License-Identifier: PostgreSQL
"""One round after the other is done to a lab: the words of the schedule become faults of it, each
noted with its time, and after each round everything is healed and must come right by itself."""

import time
from collections.abc import Callable

from lablib import Lab, LabError
from lablib.kernel import boot_ms

from nemesis import PRIMARY, STANDBY, Round

# From the end of the healing.  The slowest of what may have to happen by itself: a lease, a takeover,
# recovery after a crash, a rewind or a new copy, and that on a busy machine.
WHOLE_LIMIT_S = 90.0
PAUSE_S = 0.1


class Attack:
    def __init__(self, lab: Lab, say: Callable[[str], None] = lambda _: None):
        self.lab = lab
        self.say = say
        self.faults: list[list] = []    # [begin_ms, end_ms or None, words]
        self.skipped: list[list] = []   # [time, words, why it could not be done]
        self.rounds: list[dict] = []
        self.bad: list[str] = []
        self._open: list[list] = []     # those of self.faults that nobody has ended yet

    def injected(self) -> int:
        return len(self.faults)

    def round(self, one: Round) -> bool:
        """False: the cluster did not come right again, and nothing more can be learnt from it."""
        roles = self._roles()
        steps = [(act.at_ms, "fault", act.words) for act in one.acts]
        steps += [(act.until_ms, "remedy", act.remedy) for act in one.acts if act.remedy]
        if one.heal_at_ms is not None:
            steps.append((one.heal_at_ms, "heal", ()))
        begun = boot_ms()
        for at, kind, words in sorted(steps):
            _sleep_until(begun + at)
            self._step(kind, tuple(roles.get(word, word) for word in words))
        _sleep_until(begun + one.length_ms)
        self.heal()
        healed = boot_ms()
        whole = self._wait_whole(one.number)
        self.rounds.append({"round": one.number, "begun_ms": begun, "healed_ms": healed,
                            "whole_ms": boot_ms() if whole else None, "roles": roles})
        return whole

    def _roles(self) -> dict[str, str]:
        names = [host.name for host in self.lab.settings.nodes()]
        primary = self.lab.status()["primary"] or names[0]
        return {PRIMARY: primary, STANDBY: next(name for name in names if name != primary)}

    def _step(self, kind: str, words: tuple[str, ...]) -> None:
        if kind == "heal":
            self.heal()
            return
        now = boot_ms()
        try:
            self.lab.fault(*words)
        except (LabError, OSError) as error:
            # What an earlier fault took away cannot be taken away again.
            self.skipped.append([now, " ".join(words), str(error)])
            return
        if kind == "fault":
            self.faults.append([now, None, " ".join(words)])
            self._open.append(self.faults[-1])
            self.say(" ".join(words))
        else:
            self._ended(words)

    def _ended(self, remedy: tuple[str, ...]) -> None:
        """The fault that this remedy is for."""
        causes = {"boot": "power-off", "thaw": "freeze"}
        cause = causes.get(remedy[0], remedy[0])
        for fault in self._open:
            words = fault[2].split()
            if words[0] == cause and words[-1 if cause == "drop" else 1] in remedy:
                fault[1] = boot_ms()
        self._open = [fault for fault in self._open if fault[1] is None]

    # ---- and back ----

    def heal(self) -> None:
        """Healed and switched on, whatever was done: what is left is the cluster's own business."""
        self.lab.fault("heal")
        for name in self.lab.settings.hosts:
            if not self.lab.node(name).is_on():
                try:
                    self.lab.fault("boot", name)
                except LabError as error:
                    self.skipped.append([boot_ms(), f"boot {name}", str(error)])
        now = boot_ms()
        for fault in self._open:
            fault[1] = now
        self._open = []

    def _wait_whole(self, number: int) -> bool:
        limit = time.monotonic() + WHOLE_LIMIT_S
        writable = False
        while time.monotonic() < limit:
            try:
                writable = writable or self.lab.writable()
                if writable and self.lab.ready():
                    return True
            except (LabError, OSError):
                pass  # a host that is just switched on
            time.sleep(PAUSE_S)
        what = "a standby that streams" if writable else "writes through the VIP"
        faults = ", ".join(fault[2] for fault in self.faults
                           if not self.rounds or fault[0] > self.rounds[-1]["healed_ms"])
        self.bad.append(f"round {number} ({faults}): {what} not within {WHOLE_LIMIT_S:g} s of the "
                        "healing")
        return False


def _sleep_until(moment_ms: float) -> None:
    left = moment_ms - boot_ms()
    if left > 0:
        time.sleep(left / 1000)
