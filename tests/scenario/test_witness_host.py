# SPDX-License-Identifier: PostgreSQL
"""The witness's own server: whatever becomes of it, the primary serves on without a pause, and the
record is renewed again as soon as it is back."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from scenario import Scenario  # noqa: E402

LIBEXEC = "/usr/local/libexec/pg_vrrp"


class WitnessHost(Scenario):
    witness = "postgres"
    mode = "sync"

    def bear(self, *faults: tuple[str, ...], gone_s: float = 5.0) -> None:
        """The first of the faults, time for more than one lease, the others, and all is as before."""
        before = self.record()
        load = self.lab.load_begin(60)
        try:
            self.lab.fault(*faults[0])
            time.sleep(gone_s)
            for fault in faults[1:]:
                self.lab.fault(*fault)
            self.renewed(before["version"])
            time.sleep(1)
        finally:
            report = load.stop()
        self.assert_nothing_happened(report)
        after = self.record()
        self.assertEqual((after["term"], after["holder"]), (before["term"], before["holder"]))

    def renewed(self, version: int) -> None:
        def look() -> bool:
            record = self.record()
            return bool(record and record["version"] > version)
        self.wait(look, 15, "a record that is renewed")
        self.wait_paired()

    def test_restarted(self):
        self.bear(("restart", "witness"), gone_s=1)

    def test_crashed_and_started_again(self):
        self.bear(("crash", "witness"), ("restart", "witness"))

    def test_server_frozen(self):
        self.bear(("freeze", "witness", "postgres"), ("thaw", "witness"))

    def test_host_frozen(self):
        self.bear(("freeze", "witness"), ("thaw", "witness"))

    def test_power_off_and_back(self):
        self.bear(("power-off", "witness"), ("boot", "witness"))

    def test_restored_empty(self):
        before = self.record()
        load = self.lab.load_begin(60)
        try:
            self.lab.fault("wipe-record")
            self.wait_paired(15)
            time.sleep(1)
        finally:
            report = load.stop()
        self.assert_nothing_happened(report)
        after = self.record()
        self.assertGreater(after["term"], before["term"], "a new record is of a new term")
        self.assertEqual(after["holder"], before["holder"])

    def test_set_up_again_while_it_is_asked(self):
        """As after an upgrade of pg_vrrp; nobody notices, and the same password goes on."""
        before = self.record()
        load = self.lab.load_begin(60)
        try:
            for _ in range(3):
                done = self.lab.run("witness", [f"{LIBEXEC}/witness-setup", "-c",
                                                self.lab.settings.ini_path()])
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("nothing was to be changed", done.stderr)
            self.renewed(before["version"])
        finally:
            report = load.stop()
        self.assert_nothing_happened(report)

    def test_password_that_is_not_known_any_more(self):
        """The nodes are refused, live by the standby's vote, and are told why."""
        before = self.record()
        load = self.lab.load_begin(60)
        try:
            done = self.lab.run("witness", [f"{LIBEXEC}/witness-setup", "-c",
                                            self.lab.settings.ini_path(), "--new-password"])
            self.assertEqual(done.returncode, 0, done.stderr)
            # Connections that stand need no password; only a new one is refused.
            self.lab.witness_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                 "WHERE usename = 'pgvrrp'")
            time.sleep(4)
            asked = self.lab.helper(self.old, "witness_record")
            self.assertIn("password", asked.stdout + asked.stderr)
            with open(self.lab.node("witness").path("/etc/pg_vrrp/witness/pgvrrp.pgpass"),
                      encoding="utf-8") as file:
                text = file.read()
            for node in (self.old, self.new):
                path = self.lab.node(node).path(self.lab.settings.witness_passfile)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            self.renewed(before["version"])
        finally:
            report = load.stop()
        self.assert_nothing_happened(report)


if __name__ == "__main__":
    unittest.main()
