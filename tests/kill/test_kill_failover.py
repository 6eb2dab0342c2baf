# SPDX-License-Identifier: PostgreSQL
"""Every helper that has a part in a failover, killed before and after each of its effects, or with a call that fails."""

import unittest

from cycles import Cycles, Target

RELEASE = Target("old", "witness_record", "--release")
TAKEOVER = Target("new", "promote_safe")
REJOIN = Target("old", "rejoin", "!--check")
OLD_CHECK = Target("old", "check_primary", "!--serving")
NEW_CHECK = Target("new", "check_primary", "!--serving")
OLD_GUARD = Target("old", "fence_self", "--watch")


class Crash(Cycles):
    """PostgreSQL crashes on the primary: it releases the record, the standby takes the term, the old one is rewound."""
    helpers = ("witness_record", "promote_safe", "rejoin", "check_primary", "fence_self")
    targets = (RELEASE, TAKEOVER, REJOIN, NEW_CHECK)

    def deed(self) -> None:
        self.lab.fault("crash", self.old)

    def test_killed_at_each_effect(self):
        self.kill_all("crash")

    def test_each_call_fails(self):
        self.fail_all("crash")


if __name__ == "__main__":
    unittest.main()
