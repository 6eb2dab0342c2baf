# SPDX-License-Identifier: PostgreSQL
"""The same load, the same faults, the same checker on the usual keepalived with bash and psql: what the
checker finds there proves that it can find it.  pg_vrrp under the very same run has nothing to find."""

import os
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lablib import Lab, LabError  # noqa: E402
from lablib.lab import remove  # noqa: E402

NAME = os.environ.get("PGV_LAB", f"t{os.getpid()}")

# Longer than a takeover by either set-up.
FAULT_S = 14


class Case(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove, NAME)

    def up(self, **options) -> None:
        self.lab = Lab.up(NAME, **options)

    def rows_of_n2(self) -> int:
        """What it accepted over its own socket, as a primary."""
        done = self.lab.run("n2", ["psql", "-XAtq", "-U", "lab", "-d", "postgres", "-c",
                                   "SELECT count(*) FROM lab.local_rows WHERE node = 'n2'"])
        return int(done.stdout or 0)

    def attack(self, *fault: str, rows: int = 0) -> dict:
        """A load, the fault for a while and until n2 has so many rows, everything healed, writes go on;
        what the checker says."""
        load = self.lab.load_begin(150)
        self.lab.fault(*fault)
        least = time.monotonic() + FAULT_S
        self.lab.wait(lambda: time.monotonic() > least and self.rows_of_n2() >= rows, 60,
                      f"{rows} rows of n2")
        self.lab.fault("heal")
        self.lab.wait_ready(60)
        return load.stop()


class Textbook(Case):
    def assert_without_helpers(self) -> None:
        again = Lab.open(NAME)
        self.assertEqual(again.status()["setup"], "textbook")
        self.assertEqual(again.run("n1", ["test", "-e", "/usr/local/libexec/pg_vrrp"]).returncode, 1)
        with self.assertRaises(LabError):
            again.fault("kill", "n1", "guard")

    def test_crash_is_survived_so_it_is_no_straw_man(self):
        self.up(setup="textbook", mode="sync")
        self.assert_without_helpers()
        report = self.attack("crash", "n1", rows=50)
        self.assertEqual((report["lost"], report["dual_ms"], report["final"]), (0, 0, "n2"), report)
        self.assertFalse(report["outage_open"], report)
        # Two failed checks, three adverts, a promotion.
        self.assertLess(report["outage_ms"], 13000, report)
        self.assertGreater(report["phases"]["promoted"], 0, report)

    def test_cut_between_the_nodes_makes_two_writers_and_loses_what_was_acknowledged(self):
        self.up(setup="textbook")
        report = self.attack("cut", "n1", "n2", rows=50)
        self.assertGreater(report["dual_ms"], 1000, report)
        self.assertGreater(report["vip_dual_ms"], 1000, report)
        self.assertGreater(report["lost"] + report["local_lost"], 10, report)

    def test_cut_loses_acknowledged_rows_in_sync_mode_too(self):
        self.up(setup="textbook", mode="sync")
        report = self.attack("cut", "n1", "n2", rows=50)
        self.assertGreater(report["lost"] + report["local_lost"], 10, report)


class PgVrrp(Case):
    """The same attack."""

    def test_cut_between_the_nodes_async(self):
        self.up(witness="postgres")
        report = self.attack("cut", "n1", "n2")
        self.assertEqual((report["lost"], report["local_lost"]), (0, 0), report)
        self.assertEqual((report["dual_ms"], report["vip_dual_ms"]), (0, 0), report)

    def test_cut_between_the_nodes_sync(self):
        self.up(witness="postgres", mode="sync")
        report = self.attack("cut", "n1", "n2")
        self.assertEqual((report["lost"], report["local_lost"]), (0, 0), report)
        self.assertEqual((report["dual_ms"], report["vip_dual_ms"]), (0, 0), report)


class CommandLine(unittest.TestCase):
    def test_what_belongs_to_pg_vrrp_is_refused(self):
        lab = os.path.join(ROOT, "scripts", "lab")
        for words in (["--witness", "ping"], ["--set", "timing.lease=2s"], ["--config", "x.ini"]):
            with self.subTest(words):
                done = subprocess.run([lab, "up", "--name", NAME, "--setup", "textbook", *words],
                                      capture_output=True, text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertIn("--mode", done.stderr)


if __name__ == "__main__":
    unittest.main()
