# SPDX-License-Identifier: PostgreSQL
"""With a record: who starts as what when the power comes back, and what the boot gate says to systemd."""

import os
import time
import unittest

from recorded import Recorded
from scenario import Scenario

# Longer than lease + margin + every retry: what has not happened by then does not happen.
LONG_ENOUGH_S = 5


class BootCase(Recorded):
    """Commits before the power failed are looked for at whoever serves in the end."""

    def setUp(self) -> None:
        super().setUp()
        self.load = self.lab.load_begin(115)

    def both_off(self) -> None:
        time.sleep(1)
        self.lab.fault("power-off", self.old)
        self.lab.fault("power-off", self.new)

    def nobody_serves(self) -> None:
        status = self.lab.status()
        self.assertEqual((status["primaries"], status["vip_at"]), ([], []), status)

    def ends_with(self, primary: str, term: int) -> None:
        """It serves, the other one streams, both are paired, and nothing is lost."""
        standby = self.old if primary == self.new else self.new
        self.wait(self.serves(primary), 30, f"{primary} serves")
        self.wait(self.standby_streams(standby), 40, f"{standby} came back as a standby")
        self.wait_paired(20)
        self.wait(self.lab.writable, 10, "commits go on")
        report = self.load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], primary, report)
        self.assert_one_vip()
        record = self.record()
        self.assertEqual((record["holder"], record["term"]), (primary, term), record)

    def ends_with_either(self) -> None:
        """Who is first depends on the machine, and one that is too slow for its lease gives way to the other one."""
        self.lab.wait_ready(90)
        self.ends_with(self.lab.status()["primary"], self.record()["term"])


class Boot(BootCase):
    def test_primary_first(self):
        """It holds the term, and waits for nobody."""
        term = self.record()["term"]
        self.both_off()
        self.lab.fault("boot", self.old)
        self.wait(self.serves(self.old), 30, "the primary serves alone")
        self.wait_solo()
        self.lab.fault("boot", self.new)
        self.ends_with(self.old, term)

    def test_standby_first(self):
        """It has every commit, so says the record: it takes over, and the other one comes back to it."""
        term = self.record()["term"]
        self.both_off()
        self.lab.fault("boot", self.new)
        self.wait(self.serves(self.new), 30, "the standby took over")
        self.wait(self.lab.writable, 10, "commits go on")
        self.lab.fault("boot", self.old)
        self.ends_with(self.new, term + 1)

    def test_both_at_once(self):
        self.both_off()
        self.lab.fault("boot", self.old)
        self.lab.fault("boot", self.new)
        self.ends_with_either()

    def test_old_primary_after_a_takeover(self):
        """Alone it stays down, also while nobody else serves."""
        term = self.record()["term"]
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.lab.fault("power-off", self.new)
        self.lab.fault("boot", self.old)
        self.wait_said(self.old, "rule=record-theirs", 20)
        time.sleep(LONG_ENOUGH_S)
        self.nobody_serves()
        self.assertEqual(self.role(self.old), "down")
        self.lab.fault("boot", self.new)
        self.ends_with(self.new, term + 1)


class BootWithoutWitness(BootCase):
    def all_off(self) -> None:
        self.both_off()
        self.lab.fault("power-off", "witness")

    def test_witness_last(self):
        self.all_off()
        self.lab.fault("boot", self.old)
        self.lab.fault("boot", self.new)
        self.wait_said(self.old, "rule=record-unknown", 20)
        time.sleep(LONG_ENOUGH_S)
        self.nobody_serves()
        self.lab.fault("boot", "witness")
        self.ends_with_either()

    def test_standby_and_then_the_witness(self):
        self.all_off()
        self.lab.fault("boot", self.new)
        self.wait_said(self.new, "rule=witness-unseen", 20)
        time.sleep(LONG_ENOUGH_S)
        self.nobody_serves()
        self.lab.fault("boot", "witness")
        self.wait(self.serves(self.new), 30, "the standby took over")
        self.lab.fault("boot", self.old)
        self.ends_with(self.new, self.record()["term"])


class BootSolo(BootCase):
    """The standby lacks commits, and the record says so: only the holder may come back."""

    def both_off_while_solo(self) -> None:
        self.lab.fault("power-off", self.new)
        self.wait_solo()
        time.sleep(1)
        self.lab.fault("power-off", self.old)

    def test_standby_first(self):
        term = self.record()["term"]
        self.both_off_while_solo()
        self.lab.fault("boot", self.new)
        self.wait_said(self.new, "rule=solo", 20)
        time.sleep(LONG_ENOUGH_S)
        self.nobody_serves()
        self.assertEqual(self.role(self.new), "standby")
        self.lab.fault("boot", self.old)
        self.ends_with(self.old, term)

    def test_primary_alone(self):
        term = self.record()["term"]
        self.both_off_while_solo()
        self.lab.fault("boot", self.old)
        self.wait(self.serves(self.old), 30, "the primary serves alone")
        self.wait(self.lab.writable, 10, "commits go on")
        self.lab.fault("boot", self.new)
        self.ends_with(self.old, term)


class BootAsync(BootCase):
    mode = "async"

    def test_standby_first(self):
        """No further behind than max_lag, so says the record."""
        term = self.record()["term"]
        self.both_off()
        self.lab.fault("boot", self.new)
        self.wait(self.serves(self.new), 30, "the standby took over")
        self.lab.fault("boot", self.old)
        self.ends_with(self.new, term + 1)


class Gate(Recorded):
    """`rejoin --gate`, as systemd calls it before it starts the server; nothing else starts it here."""
    # What is off meanwhile stays paired.
    sets = Scenario.sets + ["replication.solo_after=1min"]

    def stopped(self) -> None:
        """Its server is down and nothing of ours acts on it; the standby is gone, and still paired."""
        self.lab.fault("power-off", self.new)
        self.lab.fault("freeze", self.old, "guard")
        self.lab.fault("freeze", self.old, "keepalived")
        self.lab.fault("crash", self.old)
        self.wait(lambda: self.role(self.old) == "down", 5, "the server is down")
        self.forget("grant")

    def forget(self, name: str) -> None:
        if os.path.exists(self.run_file(self.old, name)):
            os.unlink(self.run_file(self.old, name))

    def gate(self, node: str, *options: str):
        return self.lab.helper(node, "rejoin", "--gate", *options)

    def record_at_rest(self) -> dict | None:
        """A renewal that was under way when the server ended may still come."""
        before, now = False, self.record()
        while before != now:
            time.sleep(1.5)
            before, now = now, self.record()
        return now

    def opens(self, *, solo: bool) -> None:
        """With a renewed record, and the right to serve written down where the guard finds it."""
        before = self.record_at_rest()
        done = self.gate(self.old)
        self.assertEqual(done.returncode, 0, done.stderr)
        after = self.record()
        self.assertEqual(after["version"], before["version"] + 1)
        self.assertFalse(after["released"])
        self.assertEqual(after["paired"], not solo)
        self.assertTrue(os.path.exists(self.run_file(self.old, "grant")))
        self.assertEqual(os.path.exists(self.run_file(self.old, "solo")), solo)

    def stays_shut(self, rule: str) -> None:
        before = self.record_at_rest()
        done = self.gate(self.old)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.wait_said(self.old, f"rule={rule} ", 2)
        self.assertEqual(self.record(), before)
        self.assertFalse(os.path.exists(self.run_file(self.old, "grant")))

    def test_holder(self):
        self.stopped()
        self.opens(solo=False)

    def test_holder_that_had_released(self):
        self.stopped()
        done = self.lab.helper(self.old, "witness_record", "--release")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(self.record()["released"])
        before = self.record_at_rest()
        dry = self.gate(self.old, "--dry-run")
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertEqual(self.record(), before)
        self.opens(solo=False)

    def test_holder_alone(self):
        self.lab.helper(self.old, "witness_record", "--pause")
        self.wait_solo()
        self.stopped()
        self.lab.helper(self.old, "witness_record", "--resume")
        self.forget("solo")
        self.opens(solo=True)

    def test_witness_silent(self):
        self.stopped()
        self.lab.fault("freeze", "witness")
        done = self.gate(self.old)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.wait_said(self.old, "rule=record-unknown ", 2)
        self.assertFalse(os.path.exists(self.run_file(self.old, "grant")))
        self.lab.fault("thaw", "witness")
        self.opens(solo=False)

    def test_record_lost(self):
        """The standby is not there to vote, so there is nothing to go by."""
        self.stopped()
        self.lab.fault("wipe-record")
        self.stays_shut("nobody-answers")

    def test_fenced_by_a_person(self):
        self.lab.fault("power-off", self.new)
        self.lab.fault("freeze", self.old, "guard")
        self.lab.fault("freeze", self.old, "keepalived")
        done = self.lab.helper(self.old, "fence_self", "--anyway")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.forget("grant")
        self.stays_shut("fenced")
        self.assertTrue(os.path.exists(self.state_file(self.old, "fenced")))

    def test_fenced_by_its_guard(self):
        """It saw nobody for one lease; that nobody took over meanwhile, the record says."""
        self.lab.fault("power-off", self.new)
        self.lab.fault("power-off", "witness")
        self.wait(lambda: self.role(self.old) == "down", 10, "the primary fenced itself")
        self.wait(lambda: os.path.exists(self.state_file(self.old, "fenced")), 2, "the mark")
        self.lab.fault("freeze", self.old, "guard")
        self.lab.fault("freeze", self.old, "keepalived")
        self.forget("grant")
        self.lab.fault("boot", "witness")
        self.wait(self.record, 10, "the witness answers")
        self.opens(solo=False)
        self.assertFalse(os.path.exists(self.state_file(self.old, "fenced")))

    def test_primary_that_was_taken_over_from(self):
        """Nobody else is there, but the record names the other node."""
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.lab.fault("power-off", self.new)
        self.lab.fault("boot", self.old)
        self.stays_shut("record-theirs")

    def test_standby(self):
        """Whoever holds the term, it takes no right to start as what it is."""
        self.lab.fault("freeze", self.new, "guard")
        self.lab.fault("crash", self.new)
        self.wait(lambda: self.role(self.new) == "down", 5, "the server is down")
        done = self.gate(self.new)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(self.run_file(self.new, "grant")))
        self.assertEqual(self.record()["holder"], self.old)


if __name__ == "__main__":
    unittest.main()
