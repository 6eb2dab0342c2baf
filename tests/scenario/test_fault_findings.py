# SPDX-License-Identifier: PostgreSQL
"""What the fault suite (tests/faults) has found, each as a scenario of its own."""

import unittest

from recorded import Recorded


class FaultFindings(Recorded):
    def test_server_that_ends_while_it_is_promoted_is_promoted_anew(self):
        """Its disk was full.  promote_safe went on looking for a primary until its budget of a minute
        was used up, while the server ran again and nobody asked it any more (seed 9)."""
        load = self.lab.load_begin(120)
        self.lab.fault("power-off", self.old)
        # Before, it could not even withdraw its vote; after, lease and margin have to pass.
        self.wait_said(self.new, f"the vote for {self.old} is withdrawn", 15)
        self.lab.fault("fill-disk", self.new, "data")
        self.wait_said(self.new, "rule=promotion-lost", 25)
        self.lab.fault("heal")
        self.wait(self.serves(self.new), 25, "the standby serves")
        self.assert_took_over(load.stop())

    def test_primary_alone_that_was_fenced_beside_a_frozen_guard_serves_again(self):
        """check_primary fenced it for the lease that had ended, and left a mark as if a person had
        asked for it, which only a person could answer: the cluster stayed down, although the record
        said that nobody else might serve (seed 22; without a record, seed 10)."""
        self.lab.fault("power-off", self.new)
        self.wait_said(self.old, "the standby is lost, so only this node may serve", 15)
        self.lab.fault("freeze", self.old, "guard")
        self.wait_said(self.old, "rule=harmless", 15)
        self.lab.fault("thaw", self.old)
        self.wait(self.serves(self.old), 25, "the primary serves alone")


if __name__ == "__main__":
    unittest.main()
