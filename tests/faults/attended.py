# SPDX-License-Identifier: PostgreSQL
"""The attack on a set-up that has a person: what does not come right by itself is put right by
hand, written down, and the next round begins, so that every seed is played to its end."""

import time

from attack import Attack

from lablib import LabError
from lablib.kernel import boot_ms

# A standby may have to notice that its connection is dead; what is in vain comes never.
ALONE_LIMIT_S = 30.0
# Two checks that fail or succeed, three adverts, and a script that stops or promotes a server.
IN_VAIN_LIMIT_S = 10.0
# After the person: a check that succeeds twice, a standby that connects.
AFTER_HANDS_S = 15.0
# A look takes a good part of that.
LOOK_MS = 300
TRIES = 3


class Attended(Attack):
    # Else the person would come at once, and nobody would know who needs him.
    heal_words = ("heal", "alone")

    def _by_itself(self) -> bool:
        """The whole limit, or shorter when nothing in the set-up ends what is seen."""
        limit = time.monotonic() + ALONE_LIMIT_S
        vain_since = None
        while time.monotonic() < limit:
            try:
                now = self.lab.status()
                roles = sorted(node["role"] for node in now["nodes"].values())
                two = roles == ["primary", "standby"]
                if two and self._is_whole():
                    return True
                # No script starts a server, makes a standby of one, or is run again after a no.
                vain = not two or now["vip_at"] != [now["primary"]]
            except (LabError, OSError):
                vain = False  # a host that is just switched on
            vain_since = (vain_since or time.monotonic()) if vain else None
            if vain_since and time.monotonic() - vain_since > IN_VAIN_LIMIT_S:
                return False
            self._sleep_until(boot_ms() + LOOK_MS)
        return False

    def _writable(self) -> bool:
        """No write before a standby streams: a commit that waits for one keeps its connection for
        ever, and some hundred questions would use them all up."""
        return True

    def _not_by_itself(self) -> bool:
        self.rounds[-1]["hands"] = deeds = []
        for number in range(TRIES):
            try:
                if number == TRIES - 1:
                    deeds.append("nodes switched off and on")
                    self._power_cycle()
                deeds += self.lab.by_hand()
            except (LabError, OSError) as error:
                deeds.append(f"in vain: {error}")
            if self._wait_whole(AFTER_HANDS_S):
                self.rounds[-1]["hands_ms"] = boot_ms()
                return True
        self._bad("a person could not put it right: " + "; ".join(deeds))
        return False

    def _power_cycle(self) -> None:
        for host in self.lab.settings.nodes():
            if self.lab.node(host.name).is_on():
                self.lab.fault("power-off", host.name)
            self.lab.fault("boot", host.name)
