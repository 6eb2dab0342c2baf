#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The checker of the fault tests on histories with a planted fault: it must find each, and
only it."""

import copy
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[2]
FAULTS = TOP / "tests/faults"
sys.path[:0] = [str(TOP / "scripts"), str(FAULTS)]

import checker  # noqa: E402
import sample  # noqa: E402
from sample import ADDRESS_1, BANK, BEGIN, REGISTER, SET, SOCKET_1, SOCKET_2  # noqa: E402


class Planted(unittest.TestCase):
    def setUp(self):
        self.history = sample.history()
        self.final = self.history["final"]

    def report(self) -> dict:
        before = copy.deepcopy(self.history)
        report = checker.evaluate(self.history)
        self.assertEqual(self.history, before, "a history is not changed by looking at it")
        return report

    def assert_bad(self, *words: str) -> dict:
        """One sentence for each, and no other."""
        report = self.report()
        for number, sentence in enumerate(words):
            self.assertIn(sentence, "\n".join(report["bad"]), number)
        self.assertEqual(len(report["bad"]), len(words), report["bad"])
        return report

    def op(self, client: int, at: float, what: str) -> list:
        """The first operation of the client that was sent then or later."""
        return next(op for op in self.history["ops"]
                    if op[0] == client and op[2] == what and op[3] >= BEGIN + at)

    def insert(self, client: int, what: str, sent: float, ended: float, node: str, data,
               outcome: str = "acked") -> list:
        n = 1000 + len(self.history["ops"])
        op = [client, n, what, BEGIN + sent, BEGIN + ended, outcome, node, data]
        self.history["ops"].append(op)
        return op

    def forget(self, what: str, op: list) -> None:
        """The last primary does not have it."""
        rows = [row for row in self.final[what] if row[:2] != op[:2]]
        self.assertEqual(len(rows), len(self.final[what]) - 1)
        self.final[what] = rows


class Contents(Planted):
    def test_nothing_is_found_where_nothing_is_wrong(self):
        report = self.assert_bad()
        self.assertEqual((report["lost"], report["dual_ms"], report["vip_dual_ms"],
                          report["backwards"]), (0, 0, 0, 0))
        self.assertEqual((report["unknown"], report["unknown_present"]), (2, 1))
        # 40 rounds of a number, a transfer, a version, and two hostile numbers.
        self.assertEqual((report["acked"], report["refused"]), (200, 80))
        self.assertEqual(report["final"], "n2")

    def test_an_unknown_row_may_be_there_or_not(self):
        self.final["set"] = [row for row in self.final["set"] if row[:2] != [SET, 21]]
        self.assertEqual(self.assert_bad()["unknown_present"], 0)

    def test_a_lost_row(self):
        self.forget("set", self.op(SET, 1500, "add"))
        report = self.assert_bad("1 acknowledged writes are lost: add 0/16 (vip")
        self.assertEqual((report["lost"], report["lost_at"]), (1, {"vip": 1}))

    def test_a_lost_row_of_one_hostile_path_alone(self):
        self.forget("set", self.op(SOCKET_1, 1500, "add"))
        report = self.assert_bad("(socket n1, acknowledged by n1)")
        self.assertEqual((report["lost"], report["lost_at"]), (1, {"socket n1": 1}))

    def test_without_synchronous_replication_a_lost_row_is_no_broken_promise(self):
        self.history["mode"] = "async"
        self.forget("set", self.op(SET, 1500, "add"))
        report = self.assert_bad()
        self.assertEqual(report["lost"], 1)
        self.assertIn("1 acknowledged writes are lost", report["notes"][0])

    def test_a_lost_version_of_a_register(self):
        """The last of them is acknowledged and nobody has it."""
        self.final["registers"][1][1] -= 1
        report = self.assert_bad("acknowledged writes are lost: write 2/")
        self.assertEqual(report["lost"], 1)

    def test_a_row_that_is_there_twice(self):
        self.final["set"].append(list(self.final["set"][3]))
        self.assert_bad("was done twice")

    def test_a_row_that_was_refused_and_is_there(self):
        op = self.op(SOCKET_2, 1000, "add")
        self.final["set"].append([*op[:2], 1])
        self.assert_bad("was refused by n2 and is there")

    def test_a_standby_with_other_rows(self):
        self.final["standby"] = False
        self.assert_bad("the standby of n2 has other rows than n2")

    def test_a_standby_that_nobody_could_ask_is_not_one_with_the_same_rows(self):
        self.final["standby"] = None
        self.assertIn("no standby could be compared", self.assert_bad()["notes"][0])

    def test_nobody_to_ask_is_not_nothing_lost(self):
        self.history["final"] = None
        report = self.assert_bad("no primary was left")
        self.assertIsNone(report["lost"])


class Bank(Planted):
    def test_a_total_that_is_off(self):
        """Somebody has money of which no account knows."""
        self.final["accounts"][2][1] += 7
        self.assert_bad("the bank has 407 in 4 accounts, and had 400 in 4", "account 2 has")

    def test_an_account_that_is_gone(self):
        self.final["accounts"][0][1] += self.final["accounts"].pop()[1]
        self.assert_bad("in 3 accounts", "account 0 has")

    def test_a_total_that_was_never_true(self):
        self.op(BANK, 1000, "total")[7][0] += 5
        self.assert_bad("the bank had 405 by n1")

    def test_a_lost_transfer(self):
        """With all that it did; those after it are as if it had not been."""
        op = self.op(BANK, 5900, "move")
        self.forget("transfers", op)
        source, target, amount = op[7][:3]
        for number, change in ((source, amount), (target, -amount)):
            self.final["accounts"][number][1] += change
            self.final["accounts"][number][2] -= 1
        report = self.assert_bad("1 acknowledged writes are lost: move 1/")
        self.assertEqual(report["lost"], 1)

    def test_a_lost_update(self):
        """Two transfers read the same balance; the later one wins, the total stays."""
        for number, change in ((0, 5), (1, -5)):
            self.final["accounts"][number][1] += change
        self.assert_bad("account 0 has", "account 1 has")

    def test_an_update_that_two_acknowledgements_claim(self):
        """The same by what clients were told: no look at the end is needed for it."""
        first, second = self.op(BANK, 0, "move"), self.op(BANK, 400, "move")
        self.assertEqual(first[7][0], second[7][0])
        second[7] = [*second[7][:3], first[7][3], *second[7][4:]]
        row = next(row for row in self.final["transfers"] if row[:2] == second[:2])
        row[5] = first[7][3]
        self.assert_bad(
            "acknowledged twice, one update is lost: version 1 of account 0 by move 1/1",
            "transfers that do not number them")

    def test_a_transfer_that_is_done_twice(self):
        row = list(self.final["transfers"][-1])
        self.final["transfers"].append(row)
        _, _, source, target, amount = row[:5]
        for number, change in ((source, -amount), (target, amount)):
            self.final["accounts"][number][1] += change
            self.final["accounts"][number][2] += 1
        report = self.report()
        self.assertIn("was done twice", report["bad"][0])
        self.assertEqual(len(report["bad"]), 3, report["bad"])  # and two accounts that say so

    def test_a_transfer_that_is_another_than_was_acknowledged(self):
        self.op(BANK, 1000, "move")[7][2] += 1
        self.assert_bad("and was acknowledged as")


class Reads(Planted):
    def stale(self, client: int, sent: float, node: str, standby: bool) -> None:
        self.insert(client, "read", sent, sent + 2, node, [0, 3, standby])

    def test_a_read_through_the_vip_that_went_backwards(self):
        self.stale(REGISTER, 1900, "n1", False)
        report = self.assert_bad("1 reads went backwards: register 0 at version 3 by n1 (vip)")
        self.assertEqual(report["backwards"], 1)

    def test_a_standby_behind_the_vip_that_shows_the_past(self):
        self.stale(REGISTER, 1900, "n2", True)
        self.assert_bad("reads went backwards")

    def test_a_primary_at_its_own_door_that_shows_the_past(self):
        self.stale(SOCKET_1, 5000, "n1", False)
        self.assert_bad("register 0 at version 3 by n1 (socket)")

    def test_a_standby_may_show_the_past(self):
        self.stale(SOCKET_2, 1900, "n2", True)
        self.assert_bad()

    def test_a_node_that_was_frozen_may_show_the_past_at_its_own_socket(self):
        """Not over TCP, not at the other node's, and not for long."""
        self.history["faults"] = [[BEGIN + 3000, BEGIN + 4500, "freeze n1 all"]]
        self.stale(SOCKET_1, 5000, "n1", False)
        report = self.assert_bad()
        self.assertEqual(report["backwards"], 0)
        self.assertIn("1 reads over the socket of a node that was frozen went backwards",
                      report["notes"][0])

    def test_a_node_that_was_frozen_must_not_show_the_past_over_tcp(self):
        self.history["faults"] = [[BEGIN + 3000, BEGIN + 4500, "freeze n1 all"]]
        self.stale(ADDRESS_1, 5000, "n1", False)
        self.assert_bad("reads went backwards")

    def test_a_node_that_was_frozen_once_must_not_show_the_past_for_ever(self):
        self.history["faults"] = [[BEGIN + 2000, BEGIN + 3500, "freeze n1 all"],
                                  [BEGIN + 2000, None, "freeze n2 guard"],
                                  [BEGIN + 5500, None, "freeze n1 all"]]
        self.stale(SOCKET_1, 5000, "n1", False)
        self.assert_bad("reads went backwards")

    def test_a_question_sent_before_the_acknowledgement_may_have_either_answer(self):
        self.insert(REGISTER, "read", 15, 1500, "n1", [0, 0, False])
        self.assert_bad()

    def test_a_value_that_nobody_acknowledged_may_go_again(self):
        self.insert(REGISTER, "read", 1990, 1992, "n1", [0, 99, False])
        report = self.assert_bad()
        self.assertIn("register 0 at version", report["notes"][0])

    def test_two_acknowledgements_for_one_version(self):
        op = self.op(REGISTER, 1000, "write")
        self.insert(REGISTER, "write", 1100, 1104, "n1", op[7])
        self.assert_bad("acknowledged twice, one update is lost: version")


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


class Recorded(unittest.TestCase):
    """Real runs of a lab, kept as they were."""

    def test_each_recorded_run_is_judged_as_it_was(self):
        found = sorted((FAULTS / "histories").glob("*.json"))
        self.assertTrue(found)
        for path in found:
            with self.subTest(path.name):
                kept = json.loads(path.read_text())
                report = checker.evaluate(kept["history"])
                for key, value in kept["expect"].items():
                    self.assertEqual(report[key], value, key)


if __name__ == "__main__":
    unittest.main()
