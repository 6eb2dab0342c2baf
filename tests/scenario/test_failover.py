# SPDX-License-Identifier: PostgreSQL
"""The primary is gone, and the standby takes over: once, and with nothing lost in sync mode."""

import unittest

from scenario import Scenario


class Async(Scenario):
    def test_crash_of_the_postmaster(self):
        load = self.lab.load_begin(60)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.standby_streams(self.old), 30, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_power_off_and_return_by_itself(self):
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.lab.fault("boot", self.old)
        self.wait(self.standby_streams(self.old), 40, "the rebooted primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_isolation_of_the_primary(self):
        load = self.lab.load_begin(90)
        self.lab.fault("isolate", self.old)
        self.wait(lambda: self.role(self.old) == "down", 10, "the isolated primary fenced itself")
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_hung_postmaster(self):
        load = self.lab.load_begin(90)
        self.lab.fault("freeze", self.old, "postgres")
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())

    def test_two_failovers_in_a_row(self):
        load = self.lab.load_begin(120)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.promotable(self.old), 30, "the old primary came back")
        self.lab.fault("crash", self.new)
        self.wait(self.serves(self.old), 30, "the first primary serves again")
        self.wait(self.standby_streams(self.new), 30, "the second one came back")
        self.old, self.new = self.new, self.old
        self.assert_took_over(load.stop())


class OnlyPings(Scenario):
    """A witness that only answers pings proves nothing."""
    sets = Scenario.sets + ["witness.ssh=no", "fencing.methods=ssh"]

    def baseline(self, node: str) -> bool:
        return True

    def test_power_off_is_refused(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.old)
        self.wait_said(self.new, "rule=unproven", 20)
        self.assertEqual(self.role(self.new), "standby")
        self.assert_safe(load.stop())

    def test_crash_is_fenced_straight(self):
        load = self.lab.load_begin(60)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.assert_took_over(load.stop())


class Sync(Scenario):
    mode = "sync"

    def test_crash_of_the_postmaster(self):
        load = self.lab.load_begin(60)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.standby_streams(self.old), 30, "the old primary came back as a standby")
        self.wait(self.lab.writable, 10, "commits go on")
        self.assert_took_over(load.stop())

    def test_power_off_and_return_by_itself(self):
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.lab.fault("boot", self.old)
        self.wait(self.standby_streams(self.old), 40, "the rebooted primary came back as a standby")
        self.wait(self.lab.writable, 10, "commits go on")
        self.assert_took_over(load.stop())

    def test_isolation_of_the_primary(self):
        load = self.lab.load_begin(90)
        self.lab.fault("isolate", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_frozen_primary_wakes_after_the_takeover(self):
        load = self.lab.load_begin(90)
        self.lab.fault("freeze", self.old)
        self.wait(self.took_over(self.new), 30, "the standby serves")
        self.lab.fault("thaw", self.old)
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())


class Defaults(Scenario):
    """The timings that a user gets."""
    sets: list[str] = []

    def test_power_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.lab.writable, 10, "writes go on")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
