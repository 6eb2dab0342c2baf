# SPDX-License-Identifier: PostgreSQL
"""A pause with an end: nobody takes over while it runs, nothing else changes, and it ends by itself."""

import time
import unittest

from scenario import Scenario


class Paused(Scenario):
    witness = "postgres"
    mode = "sync"

    def pause(self, node: str, *words: str):
        return self.lab.helper(node, "pause", *words)

    def tearDown(self) -> None:
        # Of the next test: it needs a standby that may take over.
        for name in (self.new, self.old) if self.lab else ():
            if self.lab.node(name).is_on():
                self.lab.helper(name, "resume")
        super().tearDown()

    def stays_so(self, condition, seconds: float, what: str) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.assertTrue(condition(), what)
            time.sleep(0.5)

    def test_nobody_takes_over_until_it_ends_by_itself(self):
        done = self.pause(self.new, "15s", "kernel update")
        self.assertEqual(done.returncode, 0, done.stderr)
        paused_until = time.monotonic() + 15
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.old)
        # Long after the lease of the dead primary, in which the standby would have taken over.
        self.stays_so(lambda: self.role(self.new) == "standby", 9, "it took over in the pause")
        self.assertLess(time.monotonic(), paused_until - 1, "the machine was too slow to see anything")
        refused = self.lab.helper(self.new, "promote_safe")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("[paused]", refused.stderr)
        self.wait(self.serves(self.new), 40, "the standby serves when the pause is over")
        self.assertGreater(time.monotonic(), paused_until - 0.5, "before its end")
        self.assert_took_over(load.stop())

    def test_resume_lets_the_standby_take_over_at_once(self):
        self.assertEqual(self.pause(self.new, "30m").returncode, 0)
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.old)
        self.stays_so(lambda: self.role(self.new) == "standby", 6, "it took over in the pause")
        done = self.lab.helper(self.new, "resume")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())

    def test_a_primary_serves_on_and_comes_back_by_itself(self):
        """What a pause is for: a host that is rebooted, and is the primary again."""
        self.assertEqual(self.pause(self.new, "5min", "new switch").returncode, 0)
        load = self.lab.load_begin(120)
        self.stays_so(self.lab.writable, 3, "commits go on")
        self.lab.fault("power-off", self.old)
        self.lab.fault("boot", self.old)
        self.wait(self.serves(self.old), 60, "the primary serves again")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.wait(self.standby_streams(self.new), 30, "the standby streams")

    def test_everybody_is_told_who_asked_and_why(self):
        self.assertEqual(self.pause(self.new, "10min", "kernel update").returncode, 0)
        told = self.lab.helper(self.new, "cluster_status")
        self.assertIn("kernel update", told.stdout)
        self.assertNotEqual(told.returncode, 0, told.stdout)
        self.assertIn("[no-successor]", self.lab.helper(self.old, "switchover").stderr)
        self.assertIn("[no-successor]", self.lab.helper(self.old, "fence_self").stderr)
        self.assertEqual(self.lab.helper(self.new, "resume").returncode, 0)
        again = self.lab.helper(self.new, "resume")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("[not-paused]", again.stderr)
        self.assertNotIn("kernel update", self.lab.helper(self.new, "cluster_status").stdout)

    def test_what_is_no_time_is_refused(self):
        for words in ((), ("soon",), ("0s",), ("8d",), ("-5m",)):
            done = self.pause(self.new, *words)
            self.assertEqual(done.returncode, 64, (words, done.stderr))
        done = self.pause(self.new, "--dry-run", "5m")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("[not-paused]", self.lab.helper(self.new, "resume").stderr)


class PausedWithoutRecord(Paused):
    """Only the standby can promise it."""
    witness = "ping"
    mode = "async"

    def test_everybody_is_told_who_asked_and_why(self):
        done = self.pause(self.old, "10min")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("[not-standby]", done.stderr)
        self.assertEqual(self.pause(self.new, "10min", "kernel update").returncode, 0)
        self.assertIn("kernel update", self.lab.helper(self.new, "cluster_status").stdout)


if __name__ == "__main__":
    unittest.main()
