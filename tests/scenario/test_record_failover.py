# SPDX-License-Identifier: PostgreSQL
"""With a witness that keeps the record: the standby takes the term, once, and nothing is lost in sync mode."""

import fcntl
import signal
import time
import unittest

import test_failover
from recorded import Recorded
from scenario import Scenario


class PromotedByHand(Recorded):
    """Somebody promotes the standby beside its primary."""

    def test_standby_promoted_by_hand_fences_itself_and_the_primary_goes_on(self):
        load = self.lab.load_begin(60)
        self.pg_ctl(self.new, "promote")
        self.wait_said(self.new, "rule=not-holder", 20)
        self.wait_solo(20)
        # Nobody gave it the right to begin that timeline, so that nobody has to be asked which one is kept.
        self.wait(self.standby_streams(self.new), 60, "it is a standby again")
        self.assertTrue(self.said(self.new, "promoted by nobody who may"))
        self.wait_paired(20)
        report = load.stop()
        self.assertEqual((report["final"], report["lost"]), (self.old, 0), report)
        self.assertFalse(self.said(self.old, "rule=two-primaries"))


class PromotedByHandAsync(PromotedByHand):
    mode = "async"


class Async(Recorded, test_failover.Async):
    mode = "async"


class Sync(Recorded, test_failover.Sync):
    def test_frozen_primary_wakes_after_the_takeover(self):
        self.vip_dual_bound_ms = 1000
        super().test_frozen_primary_wakes_after_the_takeover()

    def test_hung_postmaster(self):
        load = self.lab.load_begin(90)
        self.lab.fault("freeze", self.old, "postgres")
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_promote_safe_killed_when_it_had_the_term(self):
        """Nobody may serve but this node, and it is no primary yet: the next run ends what was begun."""
        term = self.record()["term"]
        load = self.lab.load_begin(90)
        # What comes behind the term takes this lock.
        with open(self.run_file(self.new, "record.lock"), "ab") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            self.lab.fault("crash", self.old)
            self.wait(lambda: self.record()["term"] > term, 20, "the standby took the term")
            for process in self.lab.node(self.new).processes():
                if process.exe == "promote_safe":
                    process.signal(signal.SIGKILL)
        self.assertEqual(self.role(self.new), "standby")
        self.assertEqual(self.record()["holder"], self.new)
        self.wait(self.serves(self.new), 30, "the next promote_safe took it to the end")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_crash_of_a_solo_primary(self):
        """The standby is back, and lacks commits yet: it is not to take over, so the primary starts again."""
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.new)
        self.wait_solo()
        self.lab.fault("boot", self.new)
        self.wait(self.standby_streams(self.new), 20, "the standby streams")
        self.lab.fault("crash", self.old)
        self.assertTrue(self.solo())
        self.wait_said(self.old, "rule=resumed", 20)
        self.wait(self.serves(self.old), 20, "the primary serves again")
        self.wait_paired(20)
        self.assert_stayed(load.stop())


class FiveInARow(Recorded):
    def test_five_failovers(self):
        """Each former primary comes back by itself, and is the next one to take over."""
        ways = (self.crash, self.power_off, self.isolate, self.stop, self.crash)
        term = self.record()["term"]
        load = self.lab.load_begin(115)
        for way in ways:
            way()
            self.wait(self.standby_streams(self.old), 40,
                      f"{self.old} came back as a standby after {way.__name__}")
            self.wait(self.promotable(self.old), 20, "both are paired")
            self.old, self.new = self.new, self.old
        report = load.stop()
        self.old, self.new = self.new, self.old
        self.assert_took_over(report)
        self.assertEqual(self.record()["term"], term + len(ways))

    def crash(self) -> None:
        self.lab.fault("crash", self.old)
        self.taken_over()

    def power_off(self) -> None:
        self.lab.fault("power-off", self.old)
        self.taken_over()
        self.lab.fault("boot", self.old)

    def isolate(self) -> None:
        self.lab.fault("isolate", self.old)
        self.taken_over()
        self.lab.fault("heal")

    def stop(self) -> None:
        self.pg_ctl(self.old, "stop", "-m", "fast")
        self.taken_over()

    def taken_over(self) -> None:
        self.wait(self.serves(self.new), 20, f"{self.new} serves")


class WithoutSsh(Recorded):
    """No way of fencing at all: the record alone says that the old primary does not serve."""
    sets = Scenario.sets + ["witness.ssh=no", "fencing.methods=ssh"]

    def baseline(self, node: str) -> bool:
        return True

    def no_ssh(self) -> None:
        for process in self.lab.node(self.old).processes():
            if process.exe == "sshd":
                process.signal(signal.SIGKILL)

    def test_power_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        # The dead host asked for its last vote before anybody noticed.
        self.assertTrue(self.said(self.new, "and the wait counts from then"))
        self.assert_took_over(load.stop())

    def test_crash(self):
        """Released by the guard of the old primary."""
        self.no_ssh()
        load = self.lab.load_begin(60)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.assertTrue(self.said(self.old, "rule=released"))
        self.wait(self.standby_streams(self.old), 30, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_hung_postmaster(self):
        """Its lease runs out, because what asks for it asks the server too; its guard fences it."""
        self.no_ssh()
        load = self.lab.load_begin(60)
        self.lab.fault("freeze", self.old, "postgres")
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())


class Behind(Recorded):
    """Async: a standby that lacks more than max_lag does not take over."""
    mode = "async"
    sets = Scenario.sets + ["replication.max_lag=256kB"]

    def fall_behind(self) -> None:
        self.write_much(self.old)
        self.wait_said(self.old, "the standby is too far behind", 10)
        self.assertTrue(self.solo())

    def test_crash_of_the_primary(self):
        load = self.lab.load_begin(90)
        self.lab.fault("freeze", self.new, "postgres")
        self.fall_behind()
        self.lab.fault("crash", self.old)
        self.lab.fault("thaw", self.new)
        self.wait_said(self.old, "rule=resumed", 20)
        self.wait(self.serves(self.old), 20, "the primary serves again")
        self.wait_paired(20)
        report = load.stop()
        self.assert_stayed(report)
        self.assertEqual(report["lost"], 0, report)

    def test_the_word_of_an_operator(self):
        """The host of the primary is lost for good: who says so names what will be left."""
        term = self.record()["term"]
        self.lab.fault("cut", "n1", "n2")
        self.fall_behind()
        self.lab.fault("power-off", self.old)
        self.wait_said(self.new, "rule=solo", 20)
        have = self.received(self.new)
        self.wait_said(self.new, f"received up to {have}", 5)
        time.sleep(4)  # longer than lease + margin
        self.assertEqual(self.role(self.new), "standby")
        down = f"--assume-peer-down={self.old}"
        for words in ([down], [down, "--accept-loss=0/1"], [f"--accept-loss={have}"]):
            done = self.lab.helper(self.new, "promote_safe", *words)
            self.assertEqual(done.returncode, 2, (words, done.stderr))
            self.assertEqual(self.record()["term"], term)
        done = self.lab.helper(self.new, "promote_safe", down, f"--accept-loss={have}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(self.serves(self.new), 10, "it serves by the operator's word")
        record = self.record()
        self.assertEqual((record["term"], record["holder"], record["accepted_lsn"]),
                         (term + 1, self.new, have), record)
        with open(self.state_file(self.new, "history"), encoding="utf-8") as file:
            self.assertIn(have, file.read())
        self.assertIn(have, self.lab.helper(self.new, "cluster_status").stdout)
        self.lab.fault("heal")
        self.lab.fault("boot", self.old)
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.wait_paired()
        self.assertIsNone(self.record()["accepted_lsn"])


def load_tests(loader, tests, pattern):
    """Only what is here: the classes of test_failover have their own run."""
    del tests, pattern
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in (Async, Sync, FiveInARow, WithoutSsh, Behind))


if __name__ == "__main__":
    unittest.main()
