# SPDX-License-Identifier: PostgreSQL
"""What the fault suite (tests/faults) has found, each as a scenario of its own."""

import signal
import time
import unittest

from recorded import Recorded


class FaultFindings(Recorded):
    def test_standby_whose_disk_is_full_begins_nothing_and_takes_over_when_there_is_room(self):
        """It took the term, and its server ended while it was promoted: nobody served, and promote_safe
        went on looking for a primary until its budget of a minute was used up (seed 9)."""
        load = self.lab.load_begin(120)
        self.lab.fault("power-off", self.old)
        # Before, it could not even withdraw its vote; after, lease and margin have to pass.
        self.wait_said(self.new, f"the vote for {self.old} is withdrawn", 15)
        self.lab.fault("fill-disk", self.new, "data")
        self.wait_said(self.new, "rule=unwritable", 25)
        self.assertFalse(self.said(self.new, "this node holds term"))
        self.lab.fault("heal")
        self.wait(self.serves(self.new), 25, "the standby serves")
        self.assert_took_over(load.stop())

    def test_server_that_ends_while_it_is_promoted_is_promoted_anew(self):
        """Nobody asked the next server of that directory any more (seed 9)."""
        load = self.lab.load_begin(120)
        self.lab.fault("power-off", self.old)
        self.wait_said(self.new, f"the vote for {self.old} is withdrawn", 15)
        # It does not come to the promotion that it is asked for.
        startup = next(process for process in self.lab.node(self.new).processes()
                       if process.argv and process.argv[0].startswith("postgres: startup"))
        startup.signal(signal.SIGSTOP)
        self.wait_said(self.new, "this node holds term", 25)
        time.sleep(0.5)
        self.lab.fault("crash", self.new)
        startup.signal(signal.SIGCONT)
        self.wait_said(self.new, "rule=promotion-lost", 15)
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
