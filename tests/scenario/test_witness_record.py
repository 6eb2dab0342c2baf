# SPDX-License-Identifier: PostgreSQL
"""What a person says to the record, and what the guard says for a server that is down."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from scenario import Scenario  # noqa: E402


class WitnessRecord(Scenario):
    witness = "postgres"
    mode = "sync"

    def tearDown(self):
        if self.lab and self.record() and self.record()["paused"]:
            self.lab.helper(self.old, "witness_record", "--resume")
        super().tearDown()

    def shown(self, node: str) -> dict:
        return json.loads(self.lab.helper(node, "witness_record", "--json").stdout)["record"]

    def test_nobody_takes_over_during_a_pause(self):
        """A restart of the primary in place: the standby lets it, for as long as the pause stands."""
        load = self.lab.load_begin(60)
        done = self.lab.helper(self.new, "witness_record", "--pause")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(self.record()["paired"])
        self.lab.fault("crash", self.old)
        self.wait_said(self.old, "rule=resumed", 20)
        self.wait(self.serves(self.old), 20, "the same primary serves again")
        self.assertFalse(self.said(self.new, "rule=promoted"))
        self.assertEqual(self.shown(self.new)["may_take_over"], None)
        self.assertTrue(self.shown(self.old)["paused"])
        self.lab.helper(self.old, "witness_record", "--resume")
        self.wait_paired()
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)

    def test_a_stopped_server_is_released_with_its_end(self):
        """The standby has all of it, and waits for nothing."""
        load = self.lab.load_begin(60)
        pid_file = f"{self.lab.settings.data_dir}/postmaster.pid"
        self.lab.run(self.old, ["sh", "-c", f"kill -INT $(head -n 1 {pid_file})"])
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.assert_took_over(load.stop())
        self.assertTrue(self.said(self.old, "rule=released"))
        self.assertTrue(self.said(self.old, f"with all that {self.old} wrote up to "))
        self.assertEqual(self.shown(self.new)["holder"], self.new)


if __name__ == "__main__":
    unittest.main()
