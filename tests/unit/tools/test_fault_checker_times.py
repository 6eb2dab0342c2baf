#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The checker of the fault tests on times: two nodes that accept, two that have the VIP, outages."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP / "scripts"), str(TOP / "tests/faults")]

from planted import Planted  # noqa: E402
from sample import ADDRESS_1, BEGIN, REGISTER, SET, SOCKET_1  # noqa: E402


class Dual(Planted):
    def add(self, client: int, sent: float, ended: float, node: str, timeline: int,
            there: bool = False) -> None:
        op = self.insert(client, "add", sent, ended, node, timeline)
        if there:
            self.final["set"].append([*op[:2], timeline])

    def test_two_nodes_that_accept_at_once(self):
        """The old one goes on for half a second beside the new one; its rows are lost."""
        for at in range(2000, 4500, 100):
            self.add(SOCKET_1, at, at + 4, "n1", 1)
        report = self.report()
        self.assertIn("two nodes accepted writes from 4.004 s to 4.404 s (400.0 ms): "
                      "n1 and n2 both did", report["bad"])
        self.assertEqual((report["dual_ms"], report["lost"]), (400, 25))

    def test_one_success_inside_the_run_of_the_other(self):
        """A frozen node wakes and accepts one row before it is fenced."""
        self.add(SOCKET_1, 1990, 5000, "n1", 1)
        report = self.assert_bad("from 5.000 s to 5.001 s (1.0 ms): n1 and n2 both did",
                                 "1 acknowledged writes are lost")
        self.assertEqual(report["dual_ms"], 1)

    def wakes(self, client: int, mode: str, thawed: float) -> None:
        self.history["mode"] = mode
        self.history["faults"] = [[BEGIN + 2100, BEGIN + thawed, "freeze n1 all"]]
        self.add(client, 1990, 5000, "n1", 1)

    def test_at_the_socket_of_a_host_that_wakes_nothing_is_promised_without_sync(self):
        self.wakes(SOCKET_1, "async", 4900)
        report = self.assert_bad()
        self.assertEqual(report["dual_ms"], 0)
        self.assertIn("1 writes over the socket of a node that was frozen were acknowledged: add 4/",
                      report["notes"][-1])

    def test_in_sync_mode_nothing_is_acknowledged_there_either(self):
        self.wakes(SOCKET_1, "sync", 4900)
        self.assert_bad("n1 and n2 both did", "1 acknowledged writes are lost")

    def test_over_tcp_nothing_is_acknowledged_by_a_host_that_wakes(self):
        self.wakes(ADDRESS_1, "async", 4900)
        self.assert_bad("n1 and n2 both did")

    def test_a_host_that_is_awake_for_long_accepts_nothing_at_its_socket(self):
        self.wakes(SOCKET_1, "async", 3900)
        self.assert_bad("n1 and n2 both did")

    def test_an_answer_that_was_late_on_the_network_is_no_second_writer(self):
        """The new primary has it from the timeline of the old one: so it was there before."""
        self.add(ADDRESS_1, 1990, 5000, "n1", 1, there=True)
        self.assert_bad()

    def test_a_row_sent_after_the_takeover_and_accepted_by_the_old_one(self):
        """Whatever became of it: also when it is there in the end."""
        self.add(ADDRESS_1, 4500, 4600, "n1", 1, there=True)
        report = self.assert_bad("n1 and n2 both did",
                                 "n1 accepted on timeline 1 after n2 had on timeline 2")
        self.assertAlmostEqual(report["dual_ms"], 4600 - 4004, delta=1)

    def test_two_writers_are_seen_by_the_data_when_no_run_of_theirs_meets(self):
        """The new one is silent while the old one accepts."""
        self.history["ops"] = [op for op in self.history["ops"]
                               if not BEGIN + 4500 <= op[3] < BEGIN + 5800]
        kept = {(op[0], op[1]) for op in self.history["ops"] if op[2] == "add"}
        self.final["set"] = [row for row in self.final["set"] if tuple(row[:2]) in kept]
        self.add(ADDRESS_1, 5200, 5204, "n1", 1, there=True)
        self.assert_bad("n1 accepted on timeline 1 after n2 had on timeline 2")

    def test_the_older_timeline_is_alone_when_the_later_one_was_put_away(self):
        """Two writers, until one is stopped: the other one's later rows have no second writer."""
        self.history["ops"] = [op for op in self.history["ops"] if op[3] < BEGIN + 4350]
        self.history["roles"].append([BEGIN + 4400, "n2", "down"])
        for at in (4200, 4300, *range(4600, 5900, 100), *range(7600, 9000, 100)):
            self.add(SOCKET_1, at, at + 4, "n1", 1, there=True)
        report = self.report()
        self.assertIn("n1 accepted on timeline 1 after n2 had on timeline 2",
                      "\n".join(report["bad"]))
        self.assertAlmostEqual(report["dual_ms"], 4400 - 4004, delta=1)

    def test_two_nodes_on_one_timeline(self):
        for op in self.history["ops"]:
            if op[6] == "n2" and op[5] == "acked" and op[2] in ("add", "move", "write"):
                if op[2] == "add":
                    op[7] = 1
                else:
                    op[7][-1] = 1
        for row in self.final["transfers"]:
            row[-1] = 1
        self.assert_bad("n1 and n2 both accepted on timeline 1")

    def test_a_late_answer_about_a_register_is_no_second_writer(self):
        """The one about a version that was there before n2 began."""
        op = self.op(REGISTER, 1900, "write")
        op[4] = BEGIN + 5000
        self.assert_bad()

    def test_two_servers_that_say_they_began_one_timeline(self):
        self.history["roles"].append([BEGIN + 4500, "n1", 2])
        report = self.assert_bad("from 3.700 s to 4.500 s (800.0 ms): "
                                 "n2 and n1 both began timeline 2")
        self.assertEqual(report["dual_ms"], 800)

    def test_what_was_not_acknowledged_is_no_second_writer(self):
        for outcome in ("refused", "unknown"):
            self.insert(SOCKET_1, "add", 4400, 4500, "n1", None, outcome)
        self.assert_bad()


class Vip(Planted):
    def test_two_nodes_that_answer_for_the_vip(self):
        self.history["probes"][2:] = [[BEGIN + 3000, ["n1", "n2"]], [BEGIN + 3400, ["n2"]]]
        report = self.assert_bad("two nodes answered for the VIP from 3.000 s to 3.400 s "
                                 "(400 ms, the bound is 0 ms)")
        self.assertEqual((report["vip_dual_ms"], report["vip_dual"]),
                         (400, [[BEGIN + 3000, BEGIN + 3400]]))

    def test_the_bound_that_is_published_is_allowed(self):
        self.history["vip_bound_ms"] = 400
        self.history["probes"][2:] = [[BEGIN + 3000, ["n1", "n2"]], [BEGIN + 3400, ["n2"]]]
        self.assertEqual(self.assert_bad()["vip_dual_ms"], 400)

    def test_each_time_is_held_against_the_bound(self):
        """Two short ones are no long one."""
        self.history["vip_bound_ms"] = 400
        self.history["probes"][2:] = [[BEGIN + at, nodes] for at, nodes in (
            (3000, ["n1", "n2"]), (3300, ["n2"]), (3500, ["n1", "n2"]), (3800, ["n2"]))]
        self.assertEqual(self.assert_bad()["vip_dual_ms"], 600)

    def test_no_question_about_the_vip_is_not_one_holder(self):
        self.history["probes"] = None
        self.assertIsNone(self.assert_bad()["vip_dual_ms"])


class Outages(Planted):
    def gap(self, *faults: list) -> dict[str, float]:
        self.history["faults"] = [[BEGIN + begin, end and BEGIN + end, words]
                                  for begin, end, words in faults]
        return {gap["fault"]: gap["outage_ms"] for gap in self.assert_bad()["gaps"]}

    def test_a_fault_has_the_outage_that_it_made(self):
        # The last answer of the register came at 1.924 s, the first number of n2 at 4.004 s.
        self.assertEqual(self.gap([1990, 5000, "isolate n1"]), {"isolate n1": 2080})

    def test_a_fault_that_nobody_noticed_has_none(self):
        self.assertEqual(self.gap([500, 600, "kill n2 keepalived"], [1990, None, "isolate n1"]),
                         {"kill n2 keepalived": 0, "isolate n1": 2080})

    def test_of_two_at_once_the_later_one_that_was_there_when_service_ended(self):
        self.assertEqual(self.gap([500, None, "freeze n2"], [1950, 5000, "isolate n1"],
                                  [3000, None, "kill n1 guard"]),
                         {"freeze n2": 0, "isolate n1": 2080, "kill n1 guard": 0})

    def test_a_fault_that_was_healed_before_did_not_end_service(self):
        self.assertEqual(self.gap([1000, None, "cut n1 witness"], [1500, 1600, "crash n2"]),
                         {"cut n1 witness": 2080, "crash n2": 0})

    def test_healing_may_end_service_too(self):
        self.assertEqual(self.gap([500, 1900, "freeze n1"]), {"freeze n1": 2080})

    def test_a_fault_within_the_outage_when_there_is_no_other(self):
        self.assertEqual(self.gap([3500, None, "drop 30% n1 n2"]), {"drop 30% n1 n2": 2080})

    def test_of_several_outages_a_fault_has_the_longest(self):
        """The shorter one comes later."""
        self.history["ops"] = [op for op in self.history["ops"]
                               if not BEGIN + 5000 <= op[3] < BEGIN + 5700]
        kept = {tuple(op[:2]) for op in self.history["ops"]}
        for rows in (self.final["set"], self.final["transfers"]):
            rows[:] = [row for row in rows if tuple(row[:2]) in kept]
        self.history["faults"] = [[BEGIN + 1990, None, "isolate n1"]]
        report = self.report()
        self.assertEqual(len(report["outages"]), 2)
        self.assertEqual(report["gaps"][0]["outage_ms"], 2080)

    def test_a_hiccup_is_no_outage(self):
        self.history["ops"] = [op for op in self.history["ops"] if op[5] != "acked"
                               or not BEGIN + 1000 <= op[3] < BEGIN + 1400 or op[0] != SET]
        self.assertEqual(len(self.report()["outages"]), 1)

    def test_not_writable_at_the_end(self):
        self.history["ended_ms"] = BEGIN + 10000
        report = self.assert_bad("not writable at the end: the last write through the VIP was "
                                 "acknowledged 4.1 s before it")
        self.assertEqual(report["outage_ms"], 4076)

    def test_hostile_writes_are_no_service(self):
        for at in range(2000, 4000, 100):
            op = self.insert(SOCKET_1, "add", at, at + 4, "n1", 1)
            self.final["set"].append([*op[:2], 1])
        self.assertEqual(self.gap([1990, None, "cut n1 client"]), {"cut n1 client": 2080})


if __name__ == "__main__":
    unittest.main()
