#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The attack on a set-up that has a person: who comes only when it does not come right by itself,
and after whom the next round begins.  The lab is one that only listens."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS.parent / "scripts"), str(TESTS / "faults")]

import attended  # noqa: E402
import seed_run  # noqa: E402
from lablib import LabError  # noqa: E402
from lablib.kernel import boot_ms  # noqa: E402
from listener import Listener  # noqa: E402
from nemesis import Act, Round  # noqa: E402

LIMITS = {"ALONE_LIMIT_S": 1.0, "IN_VAIN_LIMIT_S": 0.2, "AFTER_HANDS_S": 0.2}


class Patient(Listener):
    """What a person does helps from the cure-th time on; 0: never."""

    def __init__(self, cure: int = 0):
        super().__init__()
        self.cure = cure
        self.visits = 0
        self.is_ready = False

    def by_hand(self):
        self.visits += 1
        if self.visits == self.cure:
            self.is_ready = True
        if self.visits % 2 == 0:
            raise LabError("nobody is at home")
        return ["n2 rebuilt to follow n1"]


class Attended(unittest.TestCase):
    def setUp(self):
        for name, value in LIMITS.items():
            self.addCleanup(setattr, attended, name, getattr(attended, name))
            setattr(attended, name, value)

    def play(self, lab: Patient, number: int = 1) -> bool:
        self.attack = getattr(self, "attack", None) or attended.Attended(lab, boot_ms)
        return self.attack.round(Round(number, (Act(0, ("isolate", "PRIMARY")),), 20))

    def test_whole_by_itself_needs_nobody(self):
        lab = Patient()
        lab.is_ready = True
        self.assertTrue(self.play(lab))
        self.assertEqual((lab.visits, lab.done), (0, ["isolate n1", "heal alone"]))
        self.assertIsNotNone(self.attack.rounds[0]["whole_ms"])

    def test_what_was_done_by_hand_is_written_down_and_the_next_round_begins(self):
        lab = Patient(cure=1)
        self.assertTrue(self.play(lab))
        self.assertEqual(self.attack.rounds[0]["hands"], ["n2 rebuilt to follow n1"])
        self.assertIsNone(self.attack.rounds[0]["whole_ms"])
        self.assertTrue(self.play(lab, 2))
        self.assertEqual((lab.visits, self.attack.bad), (1, []))
        self.assertNotIn("hands", self.attack.rounds[1])

    def test_nodes_are_switched_off_and_on_before_the_last_try(self):
        lab = Patient(cure=3)
        self.assertTrue(self.play(lab))
        self.assertEqual(lab.done[2:], ["power-off n1", "boot n1", "power-off n2", "boot n2"])
        self.assertEqual(self.attack.rounds[0]["hands"],
                         ["n2 rebuilt to follow n1", "in vain: nobody is at home",
                          "nodes switched off and on", "n2 rebuilt to follow n1"])

    def test_what_a_person_cannot_put_right_either_ends_the_seed(self):
        self.assertFalse(self.play(Patient()))
        self.assertIn("round 1 (isolate n1): a person could not put it right", self.attack.bad[0])

    def waited_ms(self, lab: Patient) -> float:
        self.attack = None
        self.assertTrue(self.play(lab))
        return self.attack.rounds[0]["hands_ms"] - self.attack.rounds[0]["healed_ms"]

    def test_a_standby_that_does_not_follow_yet_has_the_whole_limit(self):
        self.assertGreaterEqual(self.waited_ms(Patient(cure=1)), 1000)

    def test_the_person_comes_sooner_when_nothing_ends_what_is_seen(self):
        attended.ALONE_LIMIT_S = 60.0  # far beyond what a busy machine adds
        for what in ({"roles": {"n1": "primary", "n2": "down"}},
                     {"roles": {"n1": "primary", "n2": "primary"}},
                     {"roles": {"n1": "standby", "n2": "standby"}}, {"vip_at": ["n2"]}):
            with self.subTest(what):
                lab = Patient(cure=1)
                vars(lab).update(what)
                self.assertLess(self.waited_ms(lab), 30000)

    def test_nothing_is_written_before_a_standby_streams(self):
        """Such a commit keeps its connection, and the next hundred questions would use up all."""
        lab = Patient(cure=1)
        lab.writable = lambda: self.fail("it was asked for a write")
        self.assertTrue(self.play(lab))

    def test_ours_has_nobody(self):
        for setup, kind in (("pg_vrrp", attended.Attack), ("textbook", attended.Attended)):
            self.assertIs(type(seed_run.Plan(setup=setup).attack(Listener(), boot_ms)), kind)


if __name__ == "__main__":
    unittest.main()
