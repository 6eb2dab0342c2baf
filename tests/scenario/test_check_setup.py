# SPDX-License-Identifier: PostgreSQL
"""What would make a failover fail is found before one has to work: each fault here lets a quiet cluster be quiet."""

import json
import unittest

from damage import Damaging
from recorded import Recorded

KEEPALIVED = "/etc/keepalived/keepalived.conf"


class CheckSetup(Recorded, Damaging):
    def found(self, node: str | None = None) -> dict[str, str]:
        """severity of each finding, by its check."""
        done = self.lab.helper(node or self.old, "check_setup", "--json")
        told = json.loads(done.stdout)
        self.assertGreater(told["checks"], 40)
        errors = [one for one in told["findings"] if one["severity"] == "error"]
        self.assertEqual(done.returncode == 1, bool(errors), done.stdout)
        for one in told["findings"]:
            self.assertTrue(one["failover"], "it says what a failover would come to")
        return {one["check"]: one["severity"] for one in told["findings"]}

    def test_of_a_lab_that_is_whole_nothing_is_an_error_or_unknown(self):
        for node in (self.old, self.new):
            found = self.found(node)
            self.assertNotIn("error", found.values(), found)
            self.assertNotIn("unknown", found.values(), found)

    def test_settings_that_a_restore_left_behind(self):
        self.sql(self.new, "ALTER SYSTEM SET recovery_min_apply_delay = '1h'")
        self.sql(self.new, "SELECT pg_reload_conf()")
        self.addCleanup(self.reset, self.new, "recovery_min_apply_delay")
        for node in (self.old, self.new):
            self.assertEqual(self.found(node).get("apply-delay"), "error")

    def test_commits_that_do_not_wait(self):
        self.sql(self.old, "ALTER ROLE lab SET synchronous_commit = local")
        self.addCleanup(self.sql, self.old, "ALTER ROLE lab RESET synchronous_commit")
        self.assertEqual(self.found().get("sync-bypassed"), "error")

    def test_line_that_a_reload_does_not_take(self):
        for name, rule in (("postgresql.conf", "config-error"), ("pg_hba.conf", "hba-error")):
            path = f"{self.lab.settings.data_dir}/{name}"
            with self.subTest(name), self.appended(self.old, path, "nonsense nonsense\n"):
                self.assertEqual(self.found().get(rule), "error")

    def test_configurations_that_are_not_alike(self):
        with self.ini(self.new, "retry_interval = 1s", "retry_interval = 2s"):
            self.assertEqual(self.found().get("configs-differ"), "error")

    def test_file_of_keepalived_that_somebody_edited(self):
        with self.appended(self.new, KEEPALIVED, "# a comment changes nothing\n"):
            self.assertNotIn("keepalived-file", self.found())
        with self.changed(self.new, KEEPALIVED, "advert_int", "garp_master_delay 5\n    advert_int"):
            self.assertEqual(self.found().get("keepalived-file"), "warning")

    def test_key_that_does_not_fence_any_more(self):
        with self.changed(self.new, "/root/.ssh/authorized_keys", "command=", "no-such-option="):
            self.assertEqual(self.found().get("fencing-broken"), "error")
            self.assertEqual(self.lab.helper(self.old, "fence_old", "--test").returncode, 2)
        # Not with the guard's next test, which may be minutes away.
        self.assertEqual(self.lab.helper(self.old, "fence_old", "--test").returncode, 0)
        self.assertNotIn("not-well", self.found())

    def test_host_that_answers_for_the_address(self):
        vip = str(self.lab.settings.vip.ip)
        self.sh("client", f"ip addr add {vip}/32 dev eth0")
        self.addCleanup(self.sh, "client", f"ip addr del {vip}/32 dev eth0")
        self.assertEqual(self.found().get("vip-foreign"), "error")

    def test_large_packets_that_vanish(self):
        self.lab.fault("mtu", "n1", "n2", "1400")
        self.assertEqual(self.found().get("large-packets-lost"), "error")

    def reset(self, node: str, setting: str) -> None:
        self.sql(node, f"ALTER SYSTEM RESET {setting}")
        self.sql(node, "SELECT pg_reload_conf()")


if __name__ == "__main__":
    unittest.main()
