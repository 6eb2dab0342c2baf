# SPDX-License-Identifier: PostgreSQL
"""A failover at a time of the operator's choice: it happens, is measured, and is put back."""

import json
import os
import pty
import re
import select
import subprocess
import time
import unittest

from recorded import Recorded

from lablib.seeds import LIBEXEC


class Drilled(Recorded):
    def drill(self, *words: str, node: str | None = None) -> subprocess.CompletedProcess:
        """It may take as long as two failovers and two pairings."""
        return self.lab.run(node or self.old, [
            f"{LIBEXEC}/drill", "-c", self.lab.settings.ini_path(), *words], timeout=240)

    def assert_refused(self, rule: str, *words: str, node: str | None = None) -> None:
        done = self.drill(*words, node=node)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"drill: refused [{rule}]", done.stderr)
        self.assertTrue(self.serves(self.old)())

    def told_outages(self) -> list[int]:
        """Of the last drill in the history of the node on which it was held: there, and on the way back."""
        with open(self.state_file(self.old, "history"), encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        detail = next(event["detail"] for event in reversed(events) if event["event"] == "drill")
        return [int(ms) for ms in re.findall(r"(\d+) ms", detail)]

    def assert_as_before(self, report: dict, term: int) -> None:
        """The same node serves, after two changes of the primary, and nothing that was acknowledged is lost."""
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        record = self.record()
        self.assertEqual((record["holder"], record["term"]), (self.old, term + 2), record)
        self.assertEqual(self.promotions(), 2)
        self.assertTrue(self.lab.paired())


class Drill(Drilled):
    def test_crash_is_measured_and_put_back(self):
        term = self.record()["term"]
        load = self.lab.load_begin(240)
        done = self.drill("crash", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("drill: killing the server of ", done.stderr)
        self.assertIn("drill: yes [drilled]", done.stderr)
        report = load.stop()
        self.assert_as_before(report, term)
        status = json.loads(self.lab.helper(self.old, "cluster_status", "--json").stdout)
        self.assertIn("crash of ", status["this_node"]["last_drill"]["detail"])
        there, back = self.told_outages()
        # The client's own longest outage is one of the two, give or take what a busy machine adds to either.
        self.assertGreater(there, 0)
        self.assertGreater(back, 0)
        self.assertLess(abs(max(there, back) - report["outage_ms"]), 5000, report)

    def test_isolated_host_is_reached_again(self):
        term = self.record()["term"]
        load = self.lab.load_begin(240)
        done = self.drill("isolate", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(self.said(self.old, "neither the peer nor the witness was seen for one lease"))
        self.assertNotIn("pg_vrrp_drill", self.sh_out(self.old, "nft list tables"))
        self.assert_as_before(load.stop(), term)

    def test_switchover_on_a_terminal_is_confirmed_by_the_name_of_the_cluster(self):
        self.assert_refused("unconfirmed", "switchover")
        self.assertIn("the name of the cluster was not typed", self.typed("no\n", 2))
        self.assertTrue(self.serves(self.old)())
        load = self.lab.load_begin(120)
        self.assertIn("and keeps the role", self.typed("main\n", 0))
        self.wait(self.serves(self.new), 20, "the other node has kept the role")
        self.wait(self.promotable(self.old), 40, "the old primary could take over")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.new)
        self.assertEqual(len(self.told_outages()), 1)

    def test_killed_while_the_host_is_isolated(self):
        """The kernel ends the isolation, and the two nodes deal with the fault by themselves."""
        load = self.lab.load_begin(120)
        command = self.lab.node(self.old).command([
            f"{LIBEXEC}/drill", "-c", self.lab.settings.ini_path(), "isolate", "--yes", "--wait", "8s"])
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            self.wait(lambda: "pg_vrrp_drill" in self.sh_out(self.old, "nft list tables"), 30, "it is isolated")
            self.kill_helper(self.old, "drill")
            process.wait(20)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.promotable(self.old), 60, "the old primary is a standby")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.new)

    def test_dry_run_says_what_it_would_do(self):
        load = self.lab.load_begin(60)
        for kind, words in (("crash", "killing the server of"), ("isolate", "off from its network"),
                            ("switchover", "handing the role of")):
            done = self.drill(kind, "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(words, done.stderr)
        self.assert_refused("not-here", "crash", "--yes", node=self.new)
        self.lab.fault("power-off", self.new)
        self.wait_solo()
        self.assert_refused("no-successor", "crash", "--yes")
        self.lab.fault("boot", self.new)
        self.wait_paired(60)
        self.assert_nothing_happened(load.stop())

    def sh_out(self, node: str, command: str) -> str:
        done = self.lab.run(node, ["sh", "-c", command])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def typed(self, answer: str, code: int) -> str:
        """What a drill that stays says on a terminal to somebody who types that."""
        ours, theirs = pty.openpty()
        command = self.lab.node(self.old).command([
            f"{LIBEXEC}/drill", "-c", self.lab.settings.ini_path(), "switchover", "--stay"])
        said = ""
        limit = time.monotonic() + 120
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            answered = False
            while process.poll() is None or select.select([ours], [], [], 0)[0]:
                self.assertLess(time.monotonic(), limit, said)
                if select.select([ours], [], [], 0.1)[0]:
                    try:
                        said += os.read(ours, 4096).decode()
                    except OSError:  # the other end is closed
                        break
                if not answered and "to begin: " in said:
                    os.write(ours, answer.encode())
                    answered = True
            process.wait()
        os.close(ours)
        self.assertEqual(process.returncode, code, said)
        return " ".join(said.split())


class DrillAsync(Drilled):
    mode = "async"

    def test_crash_is_held_only_by_who_accepts_a_loss(self):
        self.assert_refused("may-lose", "crash", "--yes")
        self.assert_refused("may-lose", "isolate", "--yes")
        term = self.record()["term"]
        load = self.lab.load_begin(240)
        done = self.drill("crash", "--yes", "--may-lose")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_as_before(load.stop(), term)


class DrillWithoutRecord(Drilled):
    witness = "ping"

    def test_isolated_host_is_reached_again(self):
        load = self.lab.load_begin(240)
        done = self.drill("isolate", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)


if __name__ == "__main__":
    unittest.main()
