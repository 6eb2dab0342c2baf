# SPDX-License-Identifier: PostgreSQL
"""Refusals that end by themselves, helpers that die half-way, and every way of starting up."""

import signal
import time
import unittest

from scenario import Scenario


class Heal(Scenario):
    def test_witness_down_then_the_primary_dies(self):
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", "witness")
        self.lab.fault("power-off", self.old)
        self.wait_said(self.new, "rule=witness-unseen", 20)
        time.sleep(3)
        self.assertEqual(self.role(self.new), "standby")
        self.lab.fault("boot", "witness")
        self.wait(self.serves(self.new), 40, "the standby serves, now that the witness is back")
        self.assert_took_over(load.stop())

    def test_crash_while_the_witness_is_down(self):
        """Nobody may take over, so the primary starts again: the standby still votes for it."""
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", "witness")
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.old), 40, "the primary serves again")
        self.lab.fault("boot", "witness")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)

    def test_crash_while_the_standby_is_off(self):
        """Its lease never ran out, so the primary starts again by itself."""
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.new)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.old), 40, "the primary serves again")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)

    def test_promote_safe_killed_half_way(self):
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.old)
        self.wait_said(self.new, "is withdrawn", 15)
        killed = self.kill_promote_safe()
        self.assertGreater(killed, 0)
        self.wait(self.serves(self.new), 40, "the next promote_safe took it to the end")
        self.assert_took_over(load.stop())

    def kill_promote_safe(self) -> int:
        victims = [process for process in self.lab.node(self.new).processes()
                   if process.exe == "promote_safe"]
        for process in victims:
            process.signal(signal.SIGKILL)
        return len(victims)

    def test_vote_left_withdrawn_is_given_back(self):
        """Killed half-way, and then the primary turns out to be well."""
        load = self.lab.load_begin(60)
        self.lab.fault("cut", "n1", "n2")
        self.wait_said(self.new, "is withdrawn", 15)
        self.kill_promote_safe()
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.new), 30, "the standby streams again")
        self.assert_nothing_happened(load.stop())


class Start(Scenario):
    def test_both_nodes_boot_standby_first(self):
        self.both_off()
        self.lab.fault("boot", self.new)
        time.sleep(4)
        # It sees the witness and no primary; the old one is isolated, but it has nothing recent to go by.
        self.assertEqual(self.role(self.new), "standby")
        self.lab.fault("boot", self.old)
        self.comes_back_as_it_was()

    def test_both_nodes_boot_primary_first(self):
        self.both_off()
        self.lab.fault("boot", self.old)
        self.wait_said(self.old, "rule=nobody-answers", 20)
        self.assertEqual(self.role(self.old), "down")
        self.lab.fault("boot", self.new)
        self.comes_back_as_it_was()

    def both_off(self) -> None:
        self.lab.fault("power-off", self.new)
        self.lab.fault("power-off", self.old)

    def comes_back_as_it_was(self) -> None:
        self.wait(self.serves(self.old), 40, "the primary serves again")
        self.wait(self.standby_streams(self.new), 30, "the standby streams")
        self.wait(self.lab.writable, 10, "writes through the VIP work")

    def test_primary_alone_needs_a_person(self):
        self.both_off()
        self.lab.fault("boot", self.old)
        self.wait_said(self.old, "rule=nobody-answers", 20)
        time.sleep(3)
        self.assertEqual(self.role(self.old), "down")
        wrong = self.lab.helper(self.old, "rejoin", f"--assume-peer-down={self.old}")
        self.assertEqual(wrong.returncode, 64, wrong.stderr)
        self.lab.helper(self.old, "rejoin", f"--assume-peer-down={self.new}")
        self.wait(self.serves(self.old), 20, "it serves by the operator's word")


class StartSync(Start):
    """The same in sync mode: what a standby missed while it was off, it cannot know."""
    mode = "sync"


class Unproven(Scenario):
    """A witness that only answers pings, and an owner who wants a dead node replaced all the same."""
    sets = Scenario.sets + ["fencing.unproven=promote", "witness.ssh=no", "fencing.methods=ssh"]

    def baseline(self, node: str) -> bool:
        return True

    def test_power_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())

    def test_host_that_lives_is_not_replaced(self):
        """sshd and PostgreSQL hang, but the host answers: that is a sign of life."""
        for kind in ("sshd", "postgres"):
            for process in self.lab.node(self.old).processes():
                if process.exe == kind:
                    process.signal(signal.SIGSTOP)
        self.lab.fault("freeze", self.old, "guard")
        self.wait_said(self.new, "rule=sign-of-life", 30)
        self.assertEqual(self.role(self.new), "standby")


class TcpWitness(Scenario):
    witness = "tcp"

    def test_power_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())

    def test_power_off_taken_over_by_a_host_that_stands_still(self):
        """The witness host looks since long before the vote is gone, so what it saw is no proof, and it looks anew."""
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.old)
        self.wait(lambda: self.programs("promote_safe") and self.programs("ssh"), 15, "it asks the witness host",
                  each_s=0.005)
        for process in self.programs("promote_safe"):
            process.signal(signal.SIGSTOP)
        time.sleep(1.5)
        for process in self.programs("promote_safe"):
            process.signal(signal.SIGCONT)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.assert_took_over(load.stop())

    def programs(self, name: str) -> list:
        return [process for process in self.lab.node(self.new).processes() if process.exe == name]

    def test_witness_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", "witness")
        time.sleep(6)
        self.lab.fault("boot", "witness")
        self.assert_nothing_happened(load.stop())


if __name__ == "__main__":
    unittest.main()
