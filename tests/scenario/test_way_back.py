# SPDX-License-Identifier: PostgreSQL
"""A person's fence and a person's way back: from no state of this may anybody need to switch a host off."""

import contextlib

from recorded import Recorded
from scenario import Scenario


class ByHand(Recorded):
    def fence(self, node: str, *words: str):
        return self.lab.helper(node, "fence_self", "--reason", "maintenance", *words)

    def rejoin(self, node: str, *words: str):
        return self.lab.helper(node, "rejoin", *words)

    def go_solo(self) -> None:
        """Only the primary may serve, though the standby streams."""
        done = self.lab.helper(self.old, "witness_record", "--pause")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_solo()

    def tearDown(self) -> None:
        if self.lab:
            self.lab.helper(self.old, "witness_record", "--resume")
        super().tearDown()

    def test_fence_of_the_only_one_that_may_serve(self):
        load = self.lab.load_begin(90)
        self.go_solo()
        refused = self.fence(self.old)
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("no-successor", refused.stderr)
        self.assertEqual(self.role(self.old), "primary")
        self.assertEqual(self.fence(self.old, "--anyway").returncode, 0)
        self.wait(lambda: self.role(self.old) == "down", 5, "its server is stopped")
        plain = self.rejoin(self.old)
        self.assertEqual(plain.returncode, 2, plain.stderr)
        self.assertIn("rejoin --lift-fence", plain.stderr)
        back = self.rejoin(self.old, "--lift-fence")
        self.assertEqual(back.returncode, 0, back.stderr)
        self.wait(self.serves(self.old), 20, "the primary serves again")
        self.assert_stayed(load.stop())

    def test_stopped_and_restarted_by_hand(self):
        """Nobody else may serve, so that it comes back by itself, whoever ended it."""
        load = self.lab.load_begin(90)
        self.go_solo()
        self.pg_ctl(self.old, "stop", "-m", "fast")
        self.wait(self.serves(self.old), 30, "the primary serves again")
        self.wait(self.lab.writable, 10, "it takes writes")
        # Its own start may find that the guard was quicker.
        with contextlib.suppress(AssertionError):
            self.pg_ctl(self.old, "restart", "-m", "fast", "-l", "/dev/null")
        self.wait(self.serves(self.old), 30, "the primary serves again")
        self.wait(self.lab.writable, 10, "it takes writes")
        self.assert_stayed(load.stop())

    def test_both_fenced_and_started_as_standbys(self):
        load = self.lab.load_begin(90)
        self.go_solo()
        self.assertEqual(self.fence(self.old, "--anyway").returncode, 0)
        self.assertEqual(self.fence(self.new).returncode, 0)
        self.wait(lambda: self.role(self.old) == "down", 5, "its server is stopped")
        settings = self.lab.settings
        done = self.lab.run(self.old, ["/usr/bin/install", "-o", settings.os_user, "-m", "600", "/dev/null",
                                       f"{settings.data_dir}/standby.signal"])
        self.assertEqual(done.returncode, 0, done.stderr)
        for node in (self.old, self.new):
            self.rejoin(node)
            self.wait(lambda node=node: self.role(node) == "standby", 20, f"{node} runs as a standby")
        # Only the one that holds the term may serve, and says so.
        self.assertIn("fenced-holder", self.rejoin(self.old).stderr)
        self.assertIn("to-be-promoted", self.rejoin(self.old, "--lift-fence").stderr)
        promoted = self.lab.helper(self.old, "promote_safe", "--by-hand")
        self.assertEqual(promoted.returncode, 0, promoted.stderr)
        self.wait(self.serves(self.old), 20, "the holder serves again")
        self.wait(self.standby_streams(self.new), 40, "the other one is its standby")
        self.assertEqual(load.stop()["lost"], 0)


class ByHandPinged(Scenario):
    """Without a record."""

    def test_fence_beside_a_standby_that_would_not_take_over(self):
        self.sql(self.new, "SELECT pg_wal_replay_pause()")
        load = self.lab.load_begin(90)
        refused = self.lab.helper(self.old, "fence_self")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertEqual(self.lab.helper(self.old, "fence_self", "--anyway").returncode, 0)
        self.wait(lambda: self.role(self.old) == "down", 5, "its server is stopped")
        back = self.lab.helper(self.old, "rejoin", "--lift-fence")
        self.assertEqual(back.returncode, 0, back.stderr)
        self.wait(self.serves(self.old), 20, "the primary serves again")
        self.sql(self.new, "SELECT pg_wal_replay_resume()")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual((report["final"], report["lost"]), (self.old, 0), report)
