# SPDX-License-Identifier: PostgreSQL
"""Each helper called in a cluster that is whole, and killed at each effect, or with each of its calls failing."""

import unittest

from byhand import ByHand, Call

# A standby beside a primary that serves: whatever fails, it is not promoted.
NEVER = frozenset({2, 3, 71, 78})

CALLS = {
    "check": (Call("old", "check_primary"), Call("new", "check_primary"),
              Call("old", "check_answer", ("-n", "n1", "--serving"), cheap=True),
              Call("old", "check_answer", ("-n", "n1"), cheap=True)),
    "promote": (Call("new", "promote_safe", ("--auto",), NEVER, 60000),
                Call("new", "promote_safe", ("--by-hand",), NEVER | {0}, 60000, may_take_over=True),
                Call("old", "promote_safe", ("--auto",), limit_ms=60000)),
    "rejoin": (Call("new", "rejoin", ("--auto",), limit_ms=60000),
               Call("old", "rejoin", ("--auto",), limit_ms=60000),
               Call("new", "rejoin", ("--gate",)), Call("old", "rejoin", ("--gate",)),
               Call("new", "rejoin", ("--check",), limit_ms=20000)),
    "fence": (Call("new", "fence_old", ("--test",), limit_ms=30000),
              Call("old", "fence_self", ("--spare-serving", "--dry-run")),
              Call("old", "fence_self", ("--dry-run",), cheap=True),
              Call("new", "fence_self", ("--dry-run",))),
    "slots": (Call("old", "replication_slots", ("--maintain", "--auto"), limit_ms=12000),
              Call("new", "replication_slots", ("--maintain", "--auto"), limit_ms=12000)),
    "record": (Call("old", "witness_record", cheap=True), Call("new", "witness_record"),
               Call("old", "witness_record", ("--release", "--auto")),
               Call("new", "witness_record", ("--release", "--auto"))),
}


class Calls(ByHand):
    sample = 3

    def killed_in(self, name: str) -> None:
        for call in CALLS[name]:
            self.kill_each(call)
        self.assert_right()

    def failing_in(self, name: str) -> None:
        for call in CALLS[name]:
            self.fail_each(call)
        self.assert_right()

    def test_check_primary_killed(self):
        self.killed_in("check")

    def test_check_primary_fails(self):
        self.failing_in("check")

    def test_promote_safe_killed(self):
        self.killed_in("promote")

    def test_promote_safe_fails(self):
        self.failing_in("promote")

    def test_rejoin_killed(self):
        self.killed_in("rejoin")

    def test_rejoin_fails(self):
        self.failing_in("rejoin")

    def test_fences_killed(self):
        self.killed_in("fence")

    def test_fences_fail(self):
        self.failing_in("fence")

    def test_replication_slots_killed(self):
        self.killed_in("slots")

    def test_replication_slots_fails(self):
        self.failing_in("slots")

    def test_witness_record_killed(self):
        self.killed_in("record")

    def test_witness_record_fails(self):
        self.failing_in("record")


if __name__ == "__main__":
    unittest.main()
