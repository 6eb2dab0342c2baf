# SPDX-License-Identifier: PostgreSQL
"""A cluster that was set up on real hosts by README's commands is protected."""

import unittest

from onhosts import OnHosts


class Faults(OnHosts):
    def test_crash_of_the_postmaster(self):
        load = self.lab.load_begin(120)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.wait(self.lab.writable, 10, "commits go on")
        self.assert_took_over(load.stop())

    def test_power_off_and_return_by_itself(self):
        load = self.lab.load_begin(180)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.lab.fault("boot", self.old)
        self.wait(self.standby_streams(self.old), 60, "the rebooted primary came back as a standby")
        self.wait(self.lab.writable, 10, "commits go on")
        self.assert_took_over(load.stop())

    def test_shutdown_without_a_standby_gives_the_right_back(self):
        self.lab.fault("power-off", self.new)
        self.wait(self.lab.writable, 30, "the primary serves alone")
        load = self.lab.load_begin(240)
        self.reboot(self.old)
        self.wait(lambda: self.rebooted(self.old), 90, "the primary's host is back")
        self.wait(self.somebody_serves, 90, "it serves again")
        self.assert_safe(load.stop())
        self.assertIn('"left"', self.history(self.old))
        self.lab.fault("boot", self.new)
        self.wait_whole()

    def test_restart_of_its_units_hands_nothing_over(self):
        cluster = self.lab.settings.cluster
        before = self.history(self.old)
        for unit in ("pg_vrrp-handover", "pg_vrrp-guard"):
            done = self.on(self.old, f"systemctl restart {unit}@{cluster}")
            self.assertEqual(done.returncode, 0, done.stderr)
        done = self.on(self.old, f"systemctl show -p StatusText --value pg_vrrp-guard@{cluster}")
        self.assertIn("primary", done.stdout)
        self.wait(self.lab.writable, 10, "commits go on")
        self.assertEqual(self.lab.status()["primary"], self.old)
        self.assertEqual(self.history(self.old), before)

    def test_reboot_of_both_nodes_at_once(self):
        load = self.lab.load_begin(240)
        self.reboot(self.new)
        self.reboot(self.old)
        for node in (self.old, self.new):
            self.wait(lambda: self.rebooted(node), 90, f"{node} is back")
        self.wait_whole()
        self.assert_safe(load.stop())

    def wait_whole(self) -> None:
        self.wait(self.somebody_serves, 90, "a primary serves")
        self.wait(self.lab.ready, 90, "and has a standby")


if __name__ == "__main__":
    unittest.main()
