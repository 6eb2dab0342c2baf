#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""What the attack on a lab writes down of it: when each fault began and was over, what could not be
done, and a cluster that did not come right.  The lab is one that only listens."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS.parent / "scripts"), str(TESTS / "faults")]

import attack  # noqa: E402
from lablib.kernel import boot_ms  # noqa: E402
from listener import Listener  # noqa: E402
from nemesis import Act, Round  # noqa: E402


class TestAttack(unittest.TestCase):
    def setUp(self):
        self.lab = Listener()
        self.served = True
        self.attack = attack.Attack(self.lab, lambda: boot_ms() if self.served else 0.0)
        limit = attack.WHOLE_LIMIT_S
        self.addCleanup(setattr, attack, "WHOLE_LIMIT_S", limit)
        attack.WHOLE_LIMIT_S = 0.3

    def run_round(self, *acts, length_ms=60, heal_at_ms=None):
        return self.attack.round(Round(1, acts, length_ms, heal_at_ms))

    def test_roles_become_names_and_all_is_healed_and_on_at_the_end(self):
        self.assertTrue(self.run_round(Act(0, ("power-off", "STANDBY")),
                                       Act(20, ("cut", "PRIMARY", "witness"))))
        self.assertEqual(self.lab.done, ["power-off n2", "cut n1 witness", "heal", "boot n2"])
        self.assertEqual([fault[2] for fault in self.attack.faults],
                         ["power-off n2", "cut n1 witness"])
        for begin, end, _ in self.attack.faults:
            self.assertGreaterEqual(end - begin, 30)

    def test_remedy_ends_its_own_fault_and_no_other(self):
        self.run_round(Act(0, ("drop", "30%", "n1", "n2"), 20, ("drop", "0%", "n1", "n2")),
                       Act(0, ("drop", "30%", "n1", "witness")), length_ms=300)
        self.assertEqual(self.lab.done[2], "drop 0% n1 n2")
        first, second = self.attack.faults
        self.assertLess(first[1], second[1] - 100)
        self.assertEqual(len(self.attack.faults), 2, "a remedy is no fault")

    def test_what_could_not_be_done_is_no_fault_and_has_no_remedy(self):
        self.run_round(Act(0, ("crash", "STANDBY"), 10, ("boot", "STANDBY")))
        self.assertEqual(self.attack.faults, [])
        self.assertEqual([entry[1] for entry in self.attack.skipped], ["crash n2"])
        self.assertEqual(self.lab.done, ["heal"])

    def test_healed_half_way_ends_what_was_open(self):
        self.run_round(Act(0, ("power-off", "PRIMARY")), Act(40, ("isolate", "PRIMARY")),
                       length_ms=200, heal_at_ms=20)
        self.assertEqual(self.lab.done, ["power-off n1", "heal", "boot n1", "isolate n1", "heal"])
        self.assertLess(self.attack.faults[0][1], self.attack.faults[1][0])

    def test_not_whole_again_is_bad_and_names_round_and_faults(self):
        self.lab.is_ready = False
        self.assertFalse(self.run_round(Act(0, ("isolate", "PRIMARY"))))
        self.assertIn("round 1 (isolate n1): a standby that streams", self.attack.bad[0])
        self.lab.is_writable = False
        self.assertFalse(self.run_round(Act(0, ("crash", "PRIMARY"))))
        self.assertIn("(crash n1): writes through the VIP", self.attack.bad[1])

    def test_not_whole_before_the_workload_was_served_again(self):
        """It ended 0.1 s after a cut of six, before its clients had found back: "not writable at
        the end", said the checker (asan/faults seed_97)."""
        self.served = False
        self.assertFalse(self.run_round(Act(0, ("cut", "client", "PRIMARY"))))
        self.assertIn("(cut client n1): an acknowledgement to the workload", self.attack.bad[0])
        self.assertIsNone(self.attack.rounds[0]["whole_ms"])


if __name__ == "__main__":
    unittest.main()
