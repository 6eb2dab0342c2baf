# SPDX-License-Identifier: PostgreSQL
"""A node with a sound configuration and nothing else: no server, no peer, no witness.

What cannot be found out must never come out as a yes, and what only asks must not leave a trace.
"""

import json
import os
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

import pgv

VIP = "ip addr add 192.0.2.100/24 dev lo"
SHOW = "ip -o addr show dev lo"


class Lonely(pgv.Case):
    def setUp(self):
        super().setUp()
        self.path = self.config()
        (self.top / "data").mkdir(0o700)
        shutil.chown(self.top / "data", "postgres", "postgres")

    def call(self, name, *args, **more):
        return self.run_helper(name, "-c", self.path, "-n", "n1", *args, **more)

    def state(self, name):
        return self.top / "state" / name

    def run_file(self, name):
        return self.top / "run" / name

    # --- asking ---

    def test_check_primary_says_no(self):
        for args in ([], ["--primary"], ["--auto"]):
            with self.subTest(args=args):
                result = self.call("check_primary", *args)
                self.assertIn(result.code, (pgv.NO, pgv.UNKNOWN), result)
                if "--auto" not in args:
                    self.assertEqual(len(result.verdicts), 1, result.log)

    def test_check_primary_that_only_reads_leaves_nothing(self):
        """Not even the directories, which are the first thing that the acting one makes."""
        for args in ([], ["--primary"]):
            result = self.call("check_primary", "--read-only", *args)
            self.assertIn(result.code, (pgv.NO, pgv.UNKNOWN), result)
            self.assertFalse(self.run_file("").exists() or self.state("").exists())
        for args in (["--watch"], ["--auto"]):
            self.assertEqual(self.call("check_primary", "--read-only", *args).code, pgv.USAGE)
        self.call("check_primary")
        self.assertTrue(self.run_file("").exists())

    def test_drill_that_is_called_wrongly_does_nothing(self):
        for args in ([], ["reboot"], ["crash", "isolate"], ["crash", "--wait", "soon"],
                     ["isolate", "--wait", "1h"], ["isolate", "--wait", "0s"]):
            with self.subTest(args=args):
                self.assertEqual(self.call("drill", *args).code, pgv.USAGE)

    def test_drill_without_a_server_does_nothing(self):
        for kind in ("crash", "isolate", "switchover"):
            with self.subTest(kind=kind):
                result = self.call("drill", kind, "--yes")
                self.assertIn(result.code, (pgv.REFUSED, pgv.UNKNOWN), result)
                self.assertEqual(len(result.verdicts), 1, result.log)
        self.assertFalse(self.state("history").exists())

    def test_serving_needs_more_than_a_serving_file(self):
        self.call("check_primary")
        self.run_file("serving").write_text("1\n")
        self.assertEqual(self.call("check_answer", "--serving").code, pgv.NO)

    def answer(self, age_ms, word="yes", boot=None):
        """What a round of check_primary --watch leaves that began so long ago."""
        boot = boot or Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        at_ms = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000) - age_ms
        self.run_file("answer").write_text(f"boot={boot}\nat_ms={at_ms}\nword={word}\n")

    def test_the_last_round_answers_for_keepalived(self):
        self.call("check_primary")
        for word, code in (("yes", pgv.YES), ("no", pgv.NO), ("unknown", pgv.UNKNOWN)):
            with self.subTest(word=word):
                self.answer(0, word)
                result = self.call("check_answer", "--keepalived")
                self.assertEqual(result.code, code, result)
                self.assertEqual(result.log, [])

    def programs_are_built_ones(self):
        """What check_answer becomes is below libexec_dir."""
        where = f"interface = lo\nlibexec_dir = {pgv.BUILD}/libexec"
        self.path.write_text(self.path.read_text().replace("interface = lo", where))

    def test_no_answer_to_go_by_is_found_out_anew(self):
        """Too old, from the future, of another boot, of a word that is no answer: there is no server here."""
        self.programs_are_built_ones()
        self.call("check_primary")
        for what in ({"age_ms": 2500}, {"age_ms": -60000}, {"age_ms": 0, "word": "maybe"},
                     {"age_ms": 0, "word": "incomplete"},
                     {"age_ms": 0, "boot": "00000000-0000-0000-0000-000000000000"}):
            with self.subTest(what=what):
                self.answer(**what)
                result = self.call("check_answer", "--keepalived")
                self.assertIn(result.code, (pgv.NO, pgv.UNKNOWN), result)

    def test_keepalived_is_noted_only_when_it_calls(self):
        self.call("check_answer")
        self.assertFalse(self.run_file("keepalived").exists())
        self.call("check_answer", "--keepalived")
        self.assertTrue(self.run_file("keepalived").exists())

    def test_garbage_in_state_files_is_never_a_permission(self):
        self.programs_are_built_ones()
        self.call("check_primary")
        garbage = [b"", b"\n", b"\0" * 64, b"yes", b"until_ms=99999999999999\n", b"=" * 5000]
        for body in garbage:
            with self.subTest(body=body[:16]):
                for name in ("lease", "grant", "vote", "contact", "priority", "election", "answer"):
                    self.run_file(name).write_bytes(body)
                self.run_file("serving").write_text("1\n")
                for name, args in (("check_answer", ["--serving"]), ("check_answer", []),
                                   ("check_primary", [])):
                    result = self.call(name, *args)
                    self.assertIn(result.code, (pgv.NO, pgv.UNKNOWN), result)
                self.assertIn(self.call("promote_safe").code, (pgv.REFUSED, pgv.UNKNOWN))

    def test_promote_safe_refuses(self):
        for args in ([], ["--auto"], ["--by-hand"], ["--assume-peer-down=n2"], ["--dry-run"]):
            with self.subTest(args=args):
                result = self.call("promote_safe", *args)
                self.assertIn(result.code, (pgv.REFUSED, pgv.UNKNOWN), result)

    def test_promote_safe_wants_the_right_name_of_the_peer(self):
        for name in ("n1", "n3", "192.0.2.2"):
            with self.subTest(name=name):
                result = self.call("promote_safe", f"--assume-peer-down={name}")
                self.assertEqual(result.code, pgv.USAGE, result)

    def test_explain_prints_rules_on_standard_output(self):
        for name, *args in (("promote_safe", "--dry-run"), ("rejoin", "--dry-run"),
                            ("check_primary",), ("cluster_status",),
                            ("fence_self", "--dry-run"), ("witness_record",)):
            with self.subTest(helper=name):
                result = self.call(name, *args, "--explain")
                lines = result.out.splitlines()
                decided = [line for line in lines if not line.startswith(("ok  ", "-  "))]
                self.assertGreater(len(lines), 4, result)
                self.assertEqual(len(decided), 1, result)
                self.assertRegex(decided[0], r"^(REFUSED|UNKNOWN|NO|YES) +[a-z-]+: \w")

    def test_explain_goes_with_one_question(self):
        for name, other in (("check_primary", "--successor"), ("check_primary", "--watch"),
                            ("cluster_status", "--json"), ("cluster_status", "--history")):
            with self.subTest(helper=name, other=other):
                self.assertEqual(self.call(name, "--explain", other).code, pgv.USAGE)

    def test_fence_old_proves_nothing(self):
        result = self.call("fence_old")
        self.assertEqual(result.code, pgv.UNKNOWN, result)
        self.assert_one_verdict(result, "unknown")

    def test_fence_old_test_finds_that_no_way_works(self):
        result = self.call("fence_old", "--test")
        self.assertEqual(result.code, pgv.REFUSED, result)

    def test_rejoin_stays_down(self):
        for args in ([], ["--auto"], ["--gate"], ["--dry-run"]):
            with self.subTest(args=args):
                result = self.call("rejoin", *args)
                self.assertIn(result.code, (pgv.REFUSED, pgv.UNKNOWN), result)

    def test_what_rejoin_check_cannot_find_out_is_no_news_beside_what_it_did(self):
        """Else cluster_status would forget it whenever the other server is away."""
        attempt = self.run_file("attempt.rejoin_check")
        for args in ([], ["--auto"]):
            self.assertEqual(self.call("rejoin", "--check", *args).code, pgv.UNKNOWN)
            self.assertIn("outcome=unknown\n", attempt.read_text())
        for word in ("yes", "no"):
            known = (f"outcome={word}\nanswer={word}\nrule=ready\nmessage=x\ndetail=\nhint=\n"
                     "at=2026-01-01T00:00:00Z\nboot_ms=1\n")
            for args in ([], ["--auto"]):
                with self.subTest(word=word, args=args):
                    attempt.write_text(known)
                    result = self.call("rejoin", "--check", *args)
                    self.assertEqual(result.code, pgv.UNKNOWN, result)
                    self.assertEqual(attempt.read_text(), known)
                    # A person is told, the log not again and again.
                    self.assertEqual(len(result.verdicts), 0 if args else 1, result.log)

    def test_rejoin_takes_no_copy_of_nobody(self):
        for args in (["--rebuild"], ["--rebuild", "--discard=7"], ["--rebuild", "--dry-run"]):
            with self.subTest(args=args):
                result = self.call("rejoin", *args)
                self.assertIn(result.code, (pgv.REFUSED, pgv.UNKNOWN), result)

    def test_a_copy_is_for_a_person_to_ask_for(self):
        for args in (["--discard=7"], ["--rebuild", "--auto"], ["--rebuild", "--gate"]):
            with self.subTest(args=args):
                result = self.call("rejoin", *args)
                self.assertEqual(result.code, pgv.USAGE, result)

    def test_cluster_status_shows_what_it_does_not_know(self):
        result = self.call("cluster_status", "--json")
        report = json.loads(result.out)
        self.assertIsInstance(report, dict)
        self.assertIn("clitest", result.out)
        self.assertNotIn("SECRET", result.out)
        table = self.call("cluster_status")
        self.assertEqual(table.code, result.code)
        for word in ("n1", "n2", "unknown"):
            self.assertIn(word, table.out)

    # --- fencing this node ---

    def test_fence_self_removes_the_address_and_leaves_its_mark(self):
        result = self.call("fence_self", "--reason", "a test", setup=VIP, after=SHOW)
        self.assertEqual(result.code, pgv.YES, result)
        self.assertNotIn("192.0.2.100", result.out)
        self.assertIn("a test", self.state("fenced").read_text())
        self.assertEqual(self.run_file("serving").read_text(), "0\n")
        self.assertEqual(self.run_file("election").read_text(), "0\n")
        self.assert_one_verdict(result, "yes")
        again = self.call("fence_self")
        self.assertEqual(again.code, pgv.YES, again)

    def test_fence_self_dry_run_changes_nothing(self):
        result = self.call("fence_self", "--dry-run", setup=VIP, after=SHOW)
        self.assertEqual(result.code, pgv.YES, result)
        self.assertIn("192.0.2.100", result.out)
        self.assertFalse(self.state("fenced").exists())

    def test_a_reason_cannot_forge_lines(self):
        result = self.call("fence_self", "--reason", "x\noutcome=yes rule=forged\n\033[2J")
        self.assertEqual(result.code, pgv.YES)
        text = self.state("fenced").read_text() + "".join(result.log)
        self.assertNotIn("\033", text)
        self.assertFalse([line for line in text.splitlines() if line.startswith("outcome=yes")])
        for line in self.state("history").read_text().splitlines():
            json.loads(line)

    def test_the_history_is_shown_in_words(self):
        self.assertEqual(self.call("cluster_status", "--history").out, "")
        self.call("fence_self", "--reason", "said \"enough\" " + "and again " * 20)
        self.call("fence_self", "--reason", "x\033[2J")
        with open(self.state("history"), "a", encoding="utf-8") as file:
            file.write('{"at":"cut of\n')
        result = self.call("cluster_status", "--history")
        self.assertEqual((result.code, result.err), (pgv.YES, ""))
        lines = result.out.splitlines()
        self.assertRegex(lines[0], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ  fenced$")
        self.assertIn('  said "enough" and again', lines[1])
        self.assertIn("unreadable line:", lines)
        self.assertNotIn("\033", result.out)
        self.assertLessEqual(max(map(len, lines)), 80)
        result = self.call("cluster_status", "--history", "--json")
        self.assertEqual(result.out, self.state("history").read_text())

    def test_fenced_stays_refused(self):
        self.call("fence_self")
        self.assertEqual(self.call("rejoin", "--gate").code, pgv.REFUSED)
        self.assertIn(self.call("promote_safe").code, (pgv.REFUSED, pgv.UNKNOWN))
        self.assertTrue(self.state("fenced").exists())

    def test_state_that_cannot_be_written_does_not_keep_it_from_fencing(self):
        (self.top / "state").write_text("a file where the directory should be\n")
        result = self.call("fence_self", setup=VIP, after=SHOW)
        self.assertNotIn("192.0.2.100", result.out)

    def test_forced_command_answers_only_what_it_understands(self):
        for request in ("", "rm -rf /", "pg_vrrp 1 cluster=other node=n1 ask=fence",
                        "pg_vrrp 1 cluster=clitest node=n2 ask=fence", "pg_vrrp 2", "x" * 10000):
            with self.subTest(request=request[:40]):
                result = self.call("fence_self", "--answer", env={"SSH_ORIGINAL_COMMAND": request},
                                   setup=VIP, after=SHOW)
                self.assertIn("192.0.2.100", result.out)
                self.assertNotEqual(result.code, pgv.YES)
                self.assertFalse(self.state("fenced").exists())

    def test_without_a_server_it_obeys_whoever_it_has_just_fenced(self):
        """What comes first is left; but here is nothing that could be left."""
        self.call("check_primary")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        now = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)
        self.run_file("fencing").write_text(f"boot={boot}\nat_ms={now}\nword=n2\n")
        request = "pg_vrrp 1 cluster=clitest node=n1 request=fence window_ms=0"
        result = self.call("fence_self", "--answer", env={"SSH_ORIGINAL_COMMAND": request})
        self.assertEqual(result.code, pgv.YES, result)
        self.assertTrue(self.state("fenced").exists())

    def test_the_other_nodes_fence_takes_the_place_of_a_persons(self):
        """Which a person may lift, and the other node relies on its own."""
        self.call("fence_self")
        self.assertIn("\nby=operator\n", self.state("fenced").read_text())
        request = "pg_vrrp 1 cluster=clitest node=n1 request=fence window_ms=0"
        result = self.call("fence_self", "--answer", env={"SSH_ORIGINAL_COMMAND": request})
        self.assertEqual(result.code, pgv.YES, result)
        self.assertIn("\nby=peer\n", self.state("fenced").read_text())
        self.call("fence_self")
        self.assertIn("\nby=peer\n", self.state("fenced").read_text())

    def test_a_node_may_have_any_name_and_its_fence_is_still_the_other_nodes(self):
        """What answers a fenced mark depends on who asked for it, which no node's name may forge."""
        for name in ("guard", "operator", "peer", "unknown"):
            with self.subTest(name=name):
                self.path.write_text(self.path.read_text().replace("[node n2]", f"[node {name}]"))
                request = "pg_vrrp 1 cluster=clitest node=n1 request=fence window_ms=0"
                result = self.call("fence_self", "--answer", env={"SSH_ORIGINAL_COMMAND": request})
                self.assertEqual(result.code, pgv.YES, result)
                self.assertIn("\nby=peer\n", self.state("fenced").read_text())
                self.state("fenced").unlink()
                self.run_file("fenced").unlink()
                self.path.write_text(self.path.read_text().replace(f"[node {name}]", "[node n2]"))

    # --- the guard ---

    def test_a_second_guard_is_refused(self):
        self.call("check_primary")
        first = subprocess.Popen(
            ["unshare", "-n", str(pgv.program("fence_self")), "--watch", "-c", str(self.path),
             "-n", "n1"],
            stderr=subprocess.DEVNULL,
        )
        try:
            self.wait_until(lambda: self.locked("guard.lock"))
            second = self.call("fence_self", "--watch")
            self.assertEqual(second.code, pgv.REFUSED, second)
            self.assertIsNone(first.poll())
        finally:
            first.send_signal(signal.SIGTERM)
            self.assertEqual(first.wait(10), 0)

    def test_a_second_watch_is_refused(self):
        self.call("check_primary")
        first = subprocess.Popen(
            ["unshare", "-n", str(pgv.program("check_primary")), "--watch", "-c", str(self.path),
             "-n", "n1"],
            stderr=subprocess.DEVNULL,
        )
        try:
            self.wait_until(lambda: self.locked("watch.lock"))
            second = self.call("check_primary", "--watch")
            self.assertEqual(second.code, pgv.REFUSED, second)
            self.assertIsNone(first.poll())
        finally:
            first.send_signal(signal.SIGTERM)
            self.assertEqual(first.wait(10), 0)

    def test_a_watch_ends_when_its_configuration_is_another(self):
        """The guard starts it anew; every other helper reads the file as it starts."""
        self.call("check_primary")
        watch = subprocess.Popen(
            ["unshare", "-n", str(pgv.program("check_primary")), "--watch", "-c", str(self.path),
             "-n", "n1"],
            stderr=subprocess.DEVNULL,
        )
        try:
            self.wait_until(self.run_file("answer").exists)
            self.path.write_text(self.path.read_text() + "# changed\n")
            self.assertEqual(watch.wait(10), 0)
        finally:
            watch.kill()
            watch.wait()

    def test_the_guard_sweeps_what_a_killed_helper_left(self):
        self.call("check_primary")
        left = [self.run_file("lease.new.aB3xYz"), self.state("fenced.new.000000")]
        kept = self.run_file("lease.new")
        for path in [*left, kept]:
            path.write_text("until_ms=1\n")
        guard = subprocess.Popen(
            ["unshare", "-n", str(pgv.program("fence_self")), "--watch", "-c", str(self.path),
             "-n", "n1"],
            stderr=subprocess.DEVNULL,
        )
        try:
            self.wait_until(lambda: not any(path.exists() for path in left))
            self.assertTrue(kept.exists())
        finally:
            guard.send_signal(signal.SIGTERM)
            self.assertEqual(guard.wait(10), 0)

    def locked(self, name):
        """An open file description lock shows up in /proc/locks with the inode."""
        try:
            inode = os.stat(self.run_file(name)).st_ino
        except FileNotFoundError:
            return False
        with open("/proc/locks", encoding="ascii") as locks:
            return any(f":{inode} " in line for line in locks)


if __name__ == "__main__":
    unittest.main()
