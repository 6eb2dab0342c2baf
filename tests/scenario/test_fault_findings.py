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


if __name__ == "__main__":
    unittest.main()
