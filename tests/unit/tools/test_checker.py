#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The checker of the lab on recorded histories, good and bad: it must be able to say "lost" and
"dual", or a scenario that says neither proves nothing."""

import copy
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

from lablib import checker  # noqa: E402

BEGIN = 1_000_000.0


def vip_rows(first: int, begin: float, count: int, node: str, outcome: str = "acked") -> list[list]:
    """A row each 10 ms that takes 2 ms."""
    return [[first + i, begin + 10 * i, begin + 10 * i + 2, outcome, node] for i in range(count)]


def local_rows(begin: float, count: int, first: int = 1) -> list[list]:
    """A row each 50 ms that takes 2 ms."""
    return [[first + i, begin + 50 * i, begin + 50 * i + 2, "acked"] for i in range(count)]


def failover() -> dict:
    """n1 serves 1 s, is crashed, n2 serves from 2 s on for 1 s; one row's outcome is not known."""
    n1 = vip_rows(1, BEGIN, 100, "n1")
    open_row = [101, BEGIN + 1000, BEGIN + 1001, "unknown", "n1"]
    n2 = vip_rows(102, BEGIN + 2000, 100, "n2")
    return {
        "run": "test", "begun_ms": BEGIN, "ended_ms": BEGIN + 3000,
        "vip": n1 + [open_row] + n2,
        "local": {"n1": local_rows(BEGIN, 20), "n2": local_rows(BEGIN + 1900, 22)},
        "final": "n2",
        "present": list(range(1, 202)),
        "local_present": {"n1": list(range(1, 21)), "n2": list(range(1, 23))},
        "addresses": [[BEGIN + 1300, "n1", False], [BEGIN + 1950, "n2", True]],
        "probes": [[BEGIN + 100 * i, ["n1"] if i < 10 else ["n2"] if i >= 20 else []]
                   for i in range(30)],
        "faults": [[BEGIN + 995, ["crash", "n1"]]],
        "phases": {"detected": BEGIN + 1010, "withdrawn": BEGIN + 1100, "fenced": BEGIN + 1400,
                   "promoted": BEGIN + 1900, "vip": BEGIN + 1950},
    }


class Checker(unittest.TestCase):
    def setUp(self):
        self.history = failover()

    def report(self) -> dict:
        before = copy.deepcopy(self.history)
        report = checker.evaluate(self.history)
        self.assertEqual(self.history, before, "a history is not changed by looking at it")
        return report

    def test_clean_failover_has_nothing_lost_and_one_writer(self):
        report = self.report()
        self.assertEqual(report["acked"], 200)
        self.assertEqual(report["lost"], 0)
        self.assertEqual(report["dual_ms"], 0)
        self.assertEqual(report["vip_dual_ms"], 0)
        self.assertEqual(report["local_lost"], 0)
        self.assertEqual(report["final"], "n2")

    def test_acked_row_that_is_missing_is_lost(self):
        self.history["present"].remove(57)
        self.assertEqual(self.report()["lost"], 1)

    def test_last_rows_of_the_old_primary_missing_are_all_lost(self):
        self.history["present"] = [n for n in self.history["present"] if not 90 < n <= 101]
        self.assertEqual(self.report()["lost"], 10)

    def test_unknown_row_is_never_lost(self):
        for present in (True, False):
            self.history["present"] = [n for n in range(1, 202) if present or n != 101]
            report = self.report()
            self.assertEqual((report["lost"], report["unknown"]), (0, 1))
            self.assertEqual(report["unknown_present"], int(present))

    def test_refused_row_is_neither_acked_nor_lost(self):
        self.history["vip"][3][3] = "refused"
        self.history["present"].remove(4)
        report = self.report()
        self.assertEqual((report["acked"], report["lost"], report["refused"]), (199, 0, 1))

    def test_nobody_to_ask_is_not_nothing_lost(self):
        self.history["present"] = self.history["local_present"] = self.history["final"] = None
        report = self.report()
        self.assertIsNone(report["lost"])
        self.assertIsNone(report["unknown_present"])
        self.assertIsNone(report["local_lost"])

    def test_lost_local_rows_are_counted_apart(self):
        self.history["local_present"]["n1"] = list(range(1, 16))
        report = self.report()
        self.assertEqual((report["lost"], report["local_lost"]), (0, 5))

    def test_two_local_writers_at_once_are_dual(self):
        """The old primary goes on for 500 ms beside the new one."""
        self.history["local"]["n1"] = local_rows(BEGIN, 49)  # until 2402
        self.assertEqual(self.report()["dual_ms"], 500)

    def test_one_late_success_inside_the_other_ones_run_is_dual(self):
        """A frozen node wakes and accepts one row before it is fenced."""
        self.history["local"]["n1"].append([21, BEGIN + 990, BEGIN + 2500, "acked"])
        self.assertGreater(self.report()["dual_ms"], 0)

    def test_a_row_through_the_vip_counts_for_the_node_that_took_it(self):
        """Local writers saw nothing; the client itself was served by the old one meanwhile."""
        self.history["vip"].append([202, BEGIN + 2500, BEGIN + 2502, "acked", "n1"])
        self.history["present"].append(202)
        self.assertGreater(self.report()["dual_ms"], 0)

    def test_rows_that_were_not_acked_are_not_dual(self):
        for outcome in ("unknown", "refused"):
            self.history["local"]["n1"].append([21, BEGIN + 2400, BEGIN + 2500, outcome])
        self.assertEqual(self.report()["dual_ms"], 0)

    def test_back_and_forth_without_overlap_is_not_dual(self):
        n1 = self.history["local"]["n1"] + local_rows(BEGIN + 5000, 20, 21)
        self.history["local"]["n1"] = n1
        self.history["ended_ms"] = BEGIN + 6000
        self.assertEqual(self.report()["dual_ms"], 0)

    def test_alternating_writers_are_dual(self):
        """No two successes at the same moment, and yet two primaries."""
        self.history["local"]["n1"] = [[i, BEGIN + 100 * i, BEGIN + 100 * i + 2, "acked"]
                                       for i in range(1, 40)]
        self.assertGreater(self.report()["dual_ms"], 1000)

    def test_outage_is_the_longest_gap_between_two_acks(self):
        report = self.report()
        self.assertAlmostEqual(report["outage_ms"], 1010, delta=1)
        self.assertFalse(report["outage_open"])

    def test_unknown_rows_do_not_shorten_an_outage(self):
        self.history["vip"].insert(101, [300, BEGIN + 1500, BEGIN + 1502, "unknown", "n1"])
        self.assertAlmostEqual(self.report()["outage_ms"], 1010, delta=1)

    def test_an_outage_that_never_ends_counts_until_the_end(self):
        self.history["vip"] = self.history["vip"][:101]
        report = self.report()
        self.assertAlmostEqual(report["outage_ms"], 2008, delta=1)
        self.assertTrue(report["outage_open"])

    def test_no_row_at_all_is_one_long_outage(self):
        self.history["vip"] = []
        report = self.report()
        self.assertEqual((report["acked"], report["outage_ms"]), (0, 3000))
        self.assertTrue(report["outage_open"])

    def test_two_nodes_that_answer_for_the_vip(self):
        for number in (20, 21, 22):
            self.history["probes"][number][1] = ["n2", "n1"]
        self.assertEqual(self.report()["vip_dual_ms"], 300)

    def test_no_question_about_the_vip_is_not_one_holder(self):
        self.history["probes"] = []
        self.assertIsNone(self.report()["vip_dual_ms"])

    def test_phases_are_counted_from_the_fault_in_order(self):
        phases = self.report()["phases"]
        self.assertEqual(list(phases), ["detected", "withdrawn", "fenced", "promoted", "vip",
                                        "first_write"])
        self.assertEqual(phases["detected"], 15)
        self.assertEqual(phases["vip"], 955)
        self.assertEqual(phases["first_write"], 1007)

    def test_healing_is_not_the_fault_that_began_an_outage(self):
        self.history["faults"].append([BEGIN + 1990, ["heal"]])
        self.assertEqual(self.report()["phases"]["detected"], 15)

    def test_a_hiccup_is_not_ended_by_a_first_write(self):
        """The fault moved nothing; some gap is always the longest."""
        self.history["vip"] = vip_rows(1, BEGIN, 300, "n1")
        self.history["phases"] = {}
        self.assertEqual(self.report()["phases"], {})

    def test_no_phases_without_a_fault(self):
        self.history["faults"] = []
        self.assertEqual(self.report()["phases"], {})


if __name__ == "__main__":
    unittest.main()
