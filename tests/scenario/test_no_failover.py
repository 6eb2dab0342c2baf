# SPDX-License-Identifier: PostgreSQL
"""Faults that must not move anything: no promotion, no second writer, the VIP stays."""

import os
import time
import unittest

from scenario import Scenario

# Longer than lease + margin + every retry: what has not happened by then does not happen.
LONG_ENOUGH_S = 7


class Quiet(Scenario):
    def quiet(self, *faults: tuple[str, ...]) -> dict:
        load = self.lab.load_begin(60)
        for fault in faults:
            self.lab.fault(*fault)
        time.sleep(LONG_ENOUGH_S)
        self.assertEqual(self.lab.status()["primary"], self.old)
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.new), 30, "the standby streams again")
        report = load.stop()
        self.assert_nothing_happened(report)
        return report

    def test_nodes_cut_from_each_other(self):
        self.quiet(("cut", "n1", "n2"))
        self.assertFalse(self.said(self.new, "outcome=yes rule=promoted"))

    def test_half_cut_from_the_primary(self):
        self.quiet(("half-cut", self.old, self.new))

    def test_half_cut_to_the_primary(self):
        self.quiet(("half-cut", self.new, self.old))

    def test_witness_cut_from_the_primary(self):
        self.quiet(("cut", self.old, "witness"))

    def test_witness_cut_from_the_standby(self):
        self.quiet(("cut", self.new, "witness"))

    def test_lossy_link(self):
        self.quiet(("drop", "30%", "n1", "n2"))

    def test_witness_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", "witness")
        time.sleep(LONG_ENOUGH_S)
        self.assertEqual(self.lab.status()["primary"], self.old)
        self.lab.fault("boot", "witness")
        self.assert_nothing_happened(load.stop())

    def test_standby_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.new)
        time.sleep(LONG_ENOUGH_S)
        self.assertEqual(self.lab.status()["primary"], self.old)
        self.lab.fault("boot", self.new)
        self.wait(self.standby_streams(self.new), 30, "the standby came back by itself")
        self.assert_nothing_happened(load.stop())

    def test_keepalived_killed_on_the_primary(self):
        load = self.lab.load_begin(60)
        self.lab.fault("kill", self.old, "keepalived")
        time.sleep(LONG_ENOUGH_S)
        self.assertEqual(self.lab.status()["primary"], self.old)
        self.assert_nothing_happened(load.stop())

    def test_guard_killed(self):
        load = self.lab.load_begin(60)
        self.lab.fault("kill", self.old, "guard")
        self.wait(lambda: self.lab.status()["nodes"][self.old]["guard"], 5, "the guard is back")
        time.sleep(LONG_ENOUGH_S)
        self.assert_nothing_happened(load.stop())


class Fenced(Scenario):
    """A primary alone with itself stops serving, and does not start again because nobody answered."""

    def test_peer_and_witness_gone(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.new)
        self.lab.fault("power-off", "witness")
        self.wait(lambda: self.role(self.old) == "down", 10, "the primary fenced itself")
        self.assertTrue(os.path.exists(self.state_file(self.old, "fenced")))
        self.assertEqual(self.lab.status()["vip_at"], [])
        time.sleep(LONG_ENOUGH_S)
        self.assertEqual(self.role(self.old), "down")
        self.lab.fault("boot", "witness")
        self.lab.fault("boot", self.new)
        # The standby, rebooted meanwhile, cannot know how far behind it is; but it votes.
        self.wait(self.serves(self.old), 40, "the primary serves again by the standby's vote")
        self.assertFalse(os.path.exists(self.state_file(self.old, "fenced")))
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)

    def test_frozen_guard_is_made_up_for(self):
        """The lease ends while its guard does not run: check_primary fences."""
        self.lab.fault("freeze", self.old, "guard")
        load = self.lab.load_begin(60)
        self.wait(lambda: self.role(self.old) == "down", 15, "the primary was fenced")
        self.lab.fault("thaw", self.old)
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
