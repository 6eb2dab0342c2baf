# SPDX-License-Identifier: PostgreSQL
"""Every helper that has a part in a failover, killed before and after each of its effects, or with a call that fails."""

import unittest

from cycles import Cycles, Target

RELEASE = Target("old", "witness_record", "--release")
TAKEOVER = Target("new", "promote_safe")
REJOIN = Target("old", "rejoin", "!--check")
CHECK = Target("new", "check_primary", "--watch")
OLD_GUARD = Target("old", "fence_self", "--watch")
NEW_GUARD = Target("new", "fence_self", "--watch")
ANSWER = Target("old", "fence_self", "--answer")
NEW_SLOTS = Target("new", "replication_slots", "--maintain")
OLD_SLOTS = Target("old", "replication_slots", "--maintain")

# Three runs in a row that get no answer use up their budget of 10 s, with 3 s before each.  Who is not called again
# before test_interval takes 300 s.
SLOTS_LIMIT_S = 60


class Crash(Cycles):
    """PostgreSQL crashes: the record is released, the standby takes the term, the old primary is rewound."""
    helpers = ("witness_record", "promote_safe", "rejoin", "check_primary")
    targets = (RELEASE, TAKEOVER, REJOIN, CHECK)

    def deed(self) -> None:
        self.lab.fault("crash", self.old)

    def test_killed_at_each_effect(self):
        self.kill_all("crash")

    def test_each_call_fails(self):
        self.fail_all("crash")


class CutOff(Cycles):
    """The primary is cut from everything: it fences itself, and the standby waits until its lease is over."""
    helpers = ("promote_safe", "rejoin", "fence_self")
    targets = (TAKEOVER, OLD_GUARD, NEW_GUARD)
    # Here it is waited for.
    sets = ["timing.lease=5s", "timing.retry_interval=1s"]
    sample = 1

    def deed(self) -> None:
        self.lab.fault("isolate", self.old)
        self.wait_fed(self.took_over(self.new), 60, "the standby took over")
        self.lab.fault("heal")

    def test_killed_at_each_effect(self):
        self.kill_all("cut off")

    def test_each_call_fails(self):
        self.fail_all("cut off")


class Ping(Cycles):
    """A witness without a record: the old primary's host says over ssh that its server is stopped."""
    witness = "ping"
    helpers = ("promote_safe", "rejoin", "fence_self")
    targets = (TAKEOVER, ANSWER, REJOIN)

    def deed(self) -> None:
        self.lab.fault("crash", self.old)

    def test_killed_at_each_effect(self):
        self.kill_all("crash, ping")

    def test_each_call_fails(self):
        self.fail_all("crash, ping")


class Slots(Cycles):
    """After a takeover the slots change sides: the new primary holds WAL for the other one, which asks for its slot."""
    helpers = ("replication_slots",)
    targets = (NEW_SLOTS, OLD_SLOTS)
    sample = 2

    def deed(self) -> None:
        self.lab.fault("crash", self.old)

    def settled(self) -> None:
        super().settled()
        for node in (self.old, self.new):
            self.wait_fed(lambda: self.lab.helper(node, "replication_slots").returncode == 0,
                          SLOTS_LIMIT_S, f"the slots of {node} are as they should be")

    def catalogues(self):
        """The first takeover of a lab finds the slots as setting it up has left them."""
        self.cycle({})
        return super().catalogues()

    def test_killed_at_each_effect(self):
        self.kill_all("slots")

    def test_each_call_fails(self):
        self.fail_all("slots")


if __name__ == "__main__":
    unittest.main()
