# SPDX-License-Identifier: PostgreSQL
"""Helpers called by hand, at the wrong moment, five at once, and while clients have taken every connection."""

import contextlib
import os
import subprocess
import time
import unittest

import psycopg2
from damage import Damaging
from lablib.pgsession import socket_dsn
from lablib.seeds import LIBEXEC

COPIES = 5
ON_ITS_WAY_S = 3  # helpers/lib/fence/fence_mutual.c


class Calls(Damaging):
    def begin(self, node: str, helper: str, *arguments: str) -> subprocess.Popen:
        argv = [f"{LIBEXEC}/{helper}", "-c", self.lab.settings.ini_path(), *arguments]
        return subprocess.Popen(self.lab.node(node).command(argv), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def at_once(self, calls: list[tuple[str, ...]]) -> list[int]:
        """The exit codes of all, started before the first has ended; what they said is in self.told."""
        processes = [self.begin(*call) for call in calls]
        self.told = [process.communicate(timeout=60)[1] for process in processes]
        return [process.returncode for process in processes]

    def but_for_sshd(self, codes: list[int]) -> list[int]:
        """Five times three logins at once are more than the sshd of a slow host greets in time, and a way of
        fencing that was not seen to work is told as such."""
        return [code for code, text in zip(codes, self.told)
                if code != 2 or "timed out during banner exchange" not in text]

    def kept(self, node: str) -> dict[str, str]:
        """All that a helper could have left behind on purpose."""
        found = {}
        for directory in (self.lab.settings.state_dir, self.lab.settings.run_dir):
            top = self.lab.node(node).path(directory)
            for name in os.listdir(top):
                # Times and verdicts of the regular rounds, and what a test of fencing notes.
                if name.startswith(("answer", "attempt.", "news.", "baseline.", "contact", "vote", "lease", "grant",
                                    "keepalived", "postgresql.log")) or name.endswith(".lock"):
                    continue
                if os.path.isdir(f"{top}/{name}"):
                    found[f"{directory}/{name}"] = " ".join(sorted(os.listdir(f"{top}/{name}")))
                    continue
                with open(f"{top}/{name}", encoding="utf-8") as file:
                    found[f"{directory}/{name}"] = file.read()
        with open(self.lab.node(node).path(self.lab.settings.data_dir + "/postgresql.auto.conf"),
                  encoding="utf-8") as file:
            found["postgresql.auto.conf"] = file.read()
        found["server"] = self.sql(node, "SELECT pg_is_in_recovery(), pg_postmaster_start_time(),"
                                         " current_setting('primary_conninfo')")
        return found

    def everything_kept(self) -> dict[str, dict[str, str]]:
        return {node: self.kept(node) for node in (self.old, self.new)}

    def kept_at_rest(self) -> dict[str, dict[str, str]]:
        """The slots and the priority follow a change of role after a while, and then stay."""
        for node in (self.old, self.new):
            self.wait(lambda: self.lab.helper(node, "replication_slots").returncode == 0, 20,
                      f"the slots of {node} are as they should be")
        self.wait(lambda: self.kept(self.old)[self.lab.settings.run_dir + "/priority"] == "50\n", 20,
                  f"{self.old} has seen the vote that its priority waits for")
        return self.everything_kept()

    def unchanged(self, before: dict[str, dict[str, str]]) -> None:
        self.maxDiff = None
        self.assertEqual(self.everything_kept(), before)
        self.assertEqual(self.promotions(), 0)

    # ---- nothing is wrong ----

    def test_dry_runs_change_nothing(self):
        load = self.lab.load_begin(60)
        before = self.kept_at_rest()
        expected = {
            ("promote_safe", "--dry-run", "--explain"): {self.old: (0, "already-primary"),
                                                         self.new: (2, "peer-serves")},
            ("rejoin", "--dry-run", "--explain"): {self.old: (0, "primary"),
                                                   self.new: (0, "streaming")},
            ("rejoin", "--gate", "--explain"): {self.old: (0, "primary"),
                                                self.new: (0, "streaming")},
            ("fence_self", "--dry-run", "--explain"): {self.old: (0, "fence"),
                                                       self.new: (0, "fence")},
            ("fence_self", "--dry-run", "--spare-serving", "--explain"): {
                self.old: (1, "serves-by-right"), self.new: (0, "fence")},
            ("fence_old", "--dry-run", "--explain"): {self.old: (0, "ready"),
                                                      self.new: (0, "ready")},
            ("fence_old", "--test"): {self.old: (0, "ready"), self.new: (0, "ready")},
        }
        for call, by_node in expected.items():
            for node, (code, rule) in by_node.items():
                done = self.lab.helper(node, *call, "-v")
                with self.subTest(call=call, node=node):
                    self.assertEqual(done.returncode, code, done.stderr + done.stdout)
                    self.wait_said(node, f"rule={rule} ", 1)
        self.unchanged(before)
        self.assert_nothing_happened(load.stop())

    def test_notify_master_without_a_reason(self):
        """keepalived calls whenever VRRP is of that opinion."""
        load = self.lab.load_begin(60)
        before = self.kept_at_rest()
        for _ in range(3):
            self.assertEqual(self.lab.helper(self.new, "promote_safe", "--auto").returncode, 2)
            self.assertEqual(self.lab.helper(self.old, "promote_safe", "--auto").returncode, 0)
        self.unchanged(before)
        self.assert_nothing_happened(load.stop())

    def test_five_of_each_at_once_change_nothing(self):
        load = self.lab.load_begin(60)
        before = self.kept_at_rest()
        for node, promoted in ((self.old, 0), (self.new, 2)):
            for call, codes in ((("check_primary",), {0}), (("check_answer", "-n", node, "--serving"), {0}), (("check_answer", "-n", node), {0}),
                                (("promote_safe", "--auto"), {promoted, 2}),
                                (("promote_safe",), {promoted}),
                                (("rejoin", "--auto"), {0, 2}), (("rejoin",), {0}),
                                (("fence_old", "--test"), {0}),
                                (("fence_self", "--dry-run"), {0}),
                                (("fence_self", "--watch"), {2})):
                with self.subTest(node=node, call=call):
                    got = self.at_once([(node, *call)] * COPIES)
                    if call[0] == "fence_old":
                        got = self.but_for_sshd(got)
                    self.assertLessEqual(set(got), codes, (got, self.told))
        self.unchanged(before)
        self.assert_nothing_happened(load.stop())

    # ---- in earnest ----

    def test_five_takeovers_at_once(self):
        load = self.lab.load_begin(60)
        self.lab.fault("crash", self.old)
        codes = self.at_once([(self.new, "promote_safe", "--auto")] * COPIES
                             + [(self.old, "promote_safe", "--auto")] * COPIES)
        self.assertNotIn(0, codes[COPIES:], "a node whose server is down is no primary")
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.assertEqual(self.promotions(), 1)
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_five_fences_and_five_rejoins_at_once(self):
        load = self.lab.load_begin(60)
        with self.without(self.old, "guard"):
            codes = self.at_once([(self.old, "fence_self")] * COPIES)
            self.assertEqual(codes, [0] * COPIES)
            self.wait(self.serves(self.new), 10, "the standby serves")
            self.assertEqual(self.role(self.old), "down")
            codes = self.at_once([(self.old, "rejoin")] * COPIES)
            self.assertEqual(codes, [0] * COPIES)
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assertEqual(self.promotions(), 1)
        self.assert_took_over(load.stop())

    def has_just_fenced(self, node: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return time.time() - os.path.getmtime(self.run_file(node, "fencing")) < ON_ITS_WAY_S
        return False

    def test_operator_spares_and_then_fences_a_healthy_primary(self):
        load = self.lab.load_begin(60)
        done = self.lab.helper(self.new, "fence_old", "--spare-serving", "-v")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("not fenced: the other node is the valid primary", done.stderr)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        self.wait(lambda: not self.has_just_fenced(self.old), ON_ITS_WAY_S + 1,
                  "what the other one asks now was not asked before it was fenced")
        done = self.lab.helper(self.new, "fence_old", "-v")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the other node is fenced", done.stderr)
        self.wait_said(self.old, "making this node harmless: the other node asked for it", 1)
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_operator_fences_the_standby(self):
        load = self.lab.load_begin(60)
        done = self.lab.helper(self.old, "fence_old", "-v")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(self.promotable(self.new), 20, "the standby is back by itself")
        self.assert_nothing_happened(load.stop())

    def test_operator_fences_this_node_and_brings_it_back(self):
        load = self.lab.load_begin(60)
        with self.without(self.old, "guard"):
            done = self.lab.helper(self.old, "fence_self", "--reason=a test of fencing", "-v")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("this node is harmless", done.stderr)
            self.wait(self.serves(self.new), 10, "the standby serves")
            with open(self.state_file(self.old, "history"), encoding="utf-8") as file:
                self.assertIn('"event":"fenced","detail":"a test of fencing;', file.read())
            done = self.lab.helper(self.old, "rejoin", "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, "would (turn|run pg_rewind)")
            self.assertEqual(self.role(self.old), "down")
            done = self.lab.helper(self.old, "rejoin", "-v")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("streams from the primary", done.stderr)
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    # ---- no connection left ----

    def fill(self, node: str, taken: contextlib.ExitStack) -> None:
        """Takes connections until there are none."""
        directory = self.lab.node(node).path(self.lab.settings.socket_dir)
        dsn = socket_dsn(directory, self.lab.settings.port, "lab")
        with self.assertRaisesRegex(psycopg2.OperationalError, "connection slots"):
            while True:
                taken.enter_context(contextlib.closing(psycopg2.connect(dsn)))

    def test_clients_have_taken_every_connection(self):
        load = self.lab.load_begin(60)
        with contextlib.ExitStack() as on_new:
            self.fill(self.new, on_new)
            with contextlib.ExitStack() as on_old:
                self.fill(self.old, on_old)
                self.assertEqual(self.vip_seen(3), {self.old})
                for node in (self.old, self.new):
                    self.assertEqual(self.lab.helper(node, "check_primary").returncode, 0)
                self.lab.fault("crash", self.old)
                self.wait_said(self.new, "rule=promoted", 10)
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
