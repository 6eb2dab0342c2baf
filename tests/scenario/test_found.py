# SPDX-License-Identifier: PostgreSQL
"""A primary that served its users before anything of ours ran beside it: nothing of ours takes it down while its standby does
not follow, and from its first lease on it is held to that as any other."""

import glob
import os
import time
import unittest

from clients import Patient
from recorded import Recorded

WRITERS = 4
# Three leases: whoever lacked one would be fenced by now.
LONG_S = 7.0
MORE_CONNECTIONS = 250


class Found(Patient):
    def sh(self, node: str, command: str) -> None:
        done = self.lab.run(node, ["sh", "-c", command])
        self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")

    def pg_ctl(self, node: str, *words: str) -> int:
        settings = self.lab.settings
        done = self.lab.run(node, [
            "/usr/bin/setpriv", f"--reuid={settings.os_user}", f"--regid={settings.os_user}",
            "--init-groups", f"{settings.bin_dir}/pg_ctl", *words, "-D", settings.data_dir,
            "-l", "/dev/null"])
        return done.returncode

    def in_data(self, node: str, name: str) -> str:
        return self.lab.node(node).path(f"{self.lab.settings.data_dir}/{name}")

    def lets_in(self, node: str) -> str:
        table = f"pg_vrrp_{self.lab.settings.cluster}"
        done = self.lab.run(node, ["/usr/sbin/nft", "list", "set", "inet", table, "lease"])
        if "elements" not in done.stdout:
            return "shut" if done.returncode == 0 else "none"
        return "until" if "expires" in done.stdout else "open"

    def runs_ours(self, node: str) -> bool:
        return any(process.kind() in ("guard", "keepalived", "watch")
                   for process in self.lab.node(node).processes())

    def never_ran(self) -> None:
        """As before the set-up: two servers, and nothing of ours on any host."""
        for node in (self.old, self.new):
            for service in ("keepalived", "guard"):
                self.lab.node(node).order(f"stop {service}")
        self.wait(lambda: not self.runs_ours(self.old) and not self.runs_ours(self.new), 20,
                  "nothing of ours runs")
        if self.lab.settings.has_record:
            self.lab.witness_sql("DELETE FROM pgvrrp.record RETURNING cluster")
        for node in (self.old, self.new):
            self.sh(node, "nft flush ruleset")
            ours = [self.in_data(node, "pg_vrrp.leased")]
            for directory in (self.lab.settings.run_dir, self.lab.settings.state_dir):
                ours += glob.glob(self.lab.node(node).path(directory) + "/*")
            for path in ours:
                if os.path.isfile(path):
                    os.unlink(path)

    def standby_cannot_follow(self) -> None:
        """The primary's limit is raised alone: its standby stands still, and does not start any more."""
        self.sql(self.old, f"ALTER SYSTEM SET max_connections = {MORE_CONNECTIONS}")
        self.assertEqual(self.pg_ctl(self.old, "restart", "-m", "fast"), 0)
        self.wait(lambda: self.sql(self.new, "SELECT pg_is_wal_replay_paused()") == "t", 30,
                  "replay has stopped")
        self.assertEqual(self.pg_ctl(self.new, "stop", "-m", "fast"), 0)
        self.assertNotEqual(self.pg_ctl(self.new, "start"), 0)

    def start_ours(self, node: str) -> None:
        for service in ("guard", "keepalived"):
            self.lab.node(node).order(f"start {service}")

    def assert_left_alone(self) -> None:
        self.assertEqual(self.role(self.old), "primary")
        self.assertFalse(os.path.exists(self.state_file(self.old, "fenced")))
        self.assertFalse(os.path.exists(self.in_data(self.old, "pg_vrrp.leased")))
        self.assertEqual(self.lets_in(self.old), "open")
        self.assertEqual(self.lab.status()["vip_at"], [])
        said = self.lab.helper(self.old, "check_primary", "-v").stderr
        self.assertIn("was never paired with a standby", said)
        self.assertIn(f"{self.new} gives no vote", said)
        self.assertIn("was never paired", self.lab.helper(self.old, "cluster_status").stdout)

    def assert_served_on(self, seen: dict) -> None:
        self.assertEqual(seen["cut"], [])
        times = sorted(seen["acked"])
        self.assertLess(max(b - a for a, b in zip(times, times[1:])), 2000)

    def is_mended(self) -> None:
        with open(self.in_data(self.new, "postgresql.auto.conf"), "a", encoding="ascii") as file:
            file.write(f"max_connections = {MORE_CONNECTIONS}\n")
        self.start_ours(self.new)
        self.wait(self.serves(self.old), 60, "the first lease, and the address")
        self.wait(self.promotable(self.new), 60, "a standby that could take over")
        self.assertTrue(os.path.exists(self.in_data(self.old, "pg_vrrp.leased")))
        self.assertEqual(self.lets_in(self.old), "until")

    def test_a_primary_that_its_standby_does_not_follow_is_left_alone(self):
        self.never_ran()
        self.standby_cannot_follow()
        users = self.clients(self.lab.settings.host(self.old).address, WRITERS)
        time.sleep(1)
        self.start_ours(self.old)
        time.sleep(LONG_S)
        self.assert_left_alone()
        self.lab.node(self.old).order("restart guard")
        time.sleep(LONG_S)
        self.assert_left_alone()
        self.is_mended()
        self.assert_served_on(users.end())
        # From now on it is as ever.
        load = self.lab.load_begin(60)
        self.lab.fault("isolate", self.old)
        self.wait(lambda: self.role(self.old) == "down", 10, "the primary fenced itself")
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.old), 60, "the old primary came back as a standby")
        self.assert_took_over(load.stop())


class FoundWithoutARecord(Found, Recorded):
    """The witness keeps the record, and has none of this cluster yet."""
    mode = "async"

    def pg_ctl(self, node: str, *words: str) -> int:
        return Found.pg_ctl(self, node, *words)

    def is_mended(self) -> None:
        super().is_mended()
        self.wait_paired(40)


if __name__ == "__main__":
    unittest.main()
