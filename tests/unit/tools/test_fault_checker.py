#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The checker of the fault tests on histories with a planted fault: it must find each, and
only it."""

import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[3]
FAULTS = TOP / "tests/faults"
sys.path[:0] = [str(TOP / "scripts"), str(FAULTS)]

import checker  # noqa: E402
import roles  # noqa: E402
from planted import Planted  # noqa: E402
from sample import ADDRESS_1, BANK, BEGIN, REGISTER, SET, SOCKET_1, SOCKET_2  # noqa: E402

from lablib.syslog import Line  # noqa: E402


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


class Roles(unittest.TestCase):
    def test_what_servers_say_of_themselves(self):
        said = [(10, "n2", "postgres", "LOG:  entering standby mode"),
                (20, "n1", "postgres", "LOG:  database system is ready to accept connections"),
                (30, "n2", "fence_self", "LOG:  database system is shut down"),
                (50, "n2", "postgres", "LOG:  database system is ready to accept connections"),
                (40, "n2", "postgres", "LOG:  selected new timeline ID: 12"),
                (60, "n1", "postgres", "LOG:  database system is shut down"),
                (70, "n1", "postgres", "ERROR:  database system is shut down")]
        lines = [Line("", moment, node, "info", tag, 1, text) for moment, node, tag, text in said]
        self.assertEqual(roles.of_lines(lines),
                         [[10, "n2", "standby"], [20, "n1", "primary"], [40, "n2", 12],
                          [50, "n2", "primary"], [60, "n1", "down"]])


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
