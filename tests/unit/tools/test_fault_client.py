#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""What a client of the fault tests makes of each answer: acked, refused, unknown.  A wrong word here
would hide a lost commit, or invent one."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP / "scripts"), str(TOP / "tests/faults")]

import client  # noqa: E402
from bank_client import BankClient  # noqa: E402
from client import Door  # noqa: E402
from hostile_client import HostileClient  # noqa: E402
from register_client import RegisterClient  # noqa: E402
from set_client import SetClient  # noqa: E402


class Line:
    """A connection whose other end the test holds: the times and faults of a real one cannot be had
    on demand."""

    made: list["Line"] = []

    def __init__(self, _dsn: str, limit_ms: float):
        self.state = "connecting"
        self.lost = True
        self.limit_ms = limit_ms
        self.deadline = limit_ms
        self.rows: list[tuple] = []
        self.asked: list[str] = []
        Line.made.append(self)

    def ask(self, sql: str, _arguments: tuple = ()) -> None:
        self.asked.append(sql)
        self.state = "busy"

    def answer(self, *rows: tuple) -> None:
        self.rows, self.state = list(rows), "idle"

    def fail(self, lost: bool) -> None:
        self.lost, self.state = lost, "failed"

    def close(self) -> None:
        self.state = "failed"


class Clients(unittest.TestCase):
    def setUp(self):
        Line.made = []
        self.now = 1000.0
        for name, double in (("Session", Line), ("boot_ms", lambda: self.now)):
            original = getattr(client, name)
            setattr(client, name, double)
            self.addCleanup(setattr, client, name, original)
        self.lines: list[list] = []

    def begun(self, kind=SetClient, door: str = "vip") -> client.Client:
        one = kind(0, "run", Door(door, "", lambda: "dsn"), 10, 1, self.lines.append)
        self.tick(one, 20)
        return one

    def tick(self, one: client.Client, later: float = 0.0) -> None:
        self.now += later
        one.tick(self.now)

    def greeted(self, kind=SetClient, door: str = "vip", standby: bool = False) -> client.Client:
        """Connected, and its first operation is sent."""
        one = self.begun(kind, door)
        Line.made[-1].answer()
        self.tick(one)
        Line.made[-1].answer((standby, "n1"))
        self.tick(one)
        return one

    def outcomes(self) -> list[str]:
        return [line[5] for line in self.lines]

    def test_an_answer_is_an_acknowledgement(self):
        one = self.greeted()
        Line.made[0].answer((7,))
        self.tick(one, 4)
        self.assertEqual(self.lines, [[0, 1, "add", 1020.0, 1024.0, "acked", "n1", 7]])

    def test_a_connection_lost_while_the_commit_is_under_way_is_unknown(self):
        one = self.greeted()
        Line.made[0].fail(lost=True)
        self.tick(one)
        self.assertEqual(self.outcomes(), ["unknown"])

    def test_an_error_that_the_server_reports_is_a_refusal(self):
        one = self.greeted()
        Line.made[0].fail(lost=False)
        self.tick(one)
        self.assertEqual(self.outcomes(), ["refused"])

    def test_a_connection_lost_before_the_commit_was_sent_is_a_refusal(self):
        """In the transaction of the bank; nobody told the server to commit."""
        one = self.greeted(BankClient)
        self.assertIn("BEGIN", Line.made[0].asked[-1])
        Line.made[0].fail(lost=True)
        self.tick(one)
        self.assertEqual(self.outcomes(), ["refused"])

    def test_a_connection_lost_after_the_commit_was_sent_is_unknown(self):
        one = self.greeted(BankClient)
        source, target = sorted(one.deed.steps.gi_frame.f_locals[name]
                                for name in ("source", "target"))
        Line.made[0].answer((source, 1000, 3), (target, 1000, 5))
        self.tick(one)
        self.assertIn("INSERT INTO lab.fault_transfers", Line.made[0].asked[-1])
        Line.made[0].answer((1,))
        self.tick(one)
        self.assertEqual(Line.made[0].asked[-1], "COMMIT")
        Line.made[0].fail(lost=True)
        self.tick(one)
        self.assertEqual(self.outcomes(), ["unknown"])

    def test_it_goes_on_elsewhere_and_a_late_acknowledgement_is_one(self):
        one = self.greeted()
        self.tick(one, client.PATIENCE_MS)
        self.tick(one, 2 * client.AGAIN_MS)
        self.assertEqual(len(Line.made), 2)
        Line.made[0].answer((7,))
        self.tick(one, 500)
        self.assertEqual(self.outcomes(), ["acked"])
        self.assertEqual(self.lines[0][4] - self.lines[0][3],
                         client.PATIENCE_MS + 2 * client.AGAIN_MS + 500)
        self.assertEqual(Line.made[0].state, "failed")  # closed: its place is taken

    def test_a_late_answer_is_noted_for_what_was_asked(self):
        """The client has gone on to another register by then."""
        one = self.greeted(RegisterClient)
        key = one.key
        self.tick(one, client.PATIENCE_MS)
        one.key = key + 1
        Line.made[0].answer((5, 1))
        self.tick(one)
        self.assertEqual(self.lines[0][7], [key, 5, 1])

    def test_a_server_that_stands_still_is_not_run_out_of_connections(self):
        one = self.greeted()
        for _ in range(100):
            self.tick(one, client.PATIENCE_MS)
            waiting = [line for line in Line.made if line.state not in ("failed",)]
            self.assertLessEqual(len(waiting), 1 + client.LATE_MAX)
            if waiting[-1].state == "connecting":
                waiting[-1].answer()
                self.tick(one)
                waiting[-1].answer((False, "n1"))
                self.tick(one)

    def test_behind_the_vip_a_standby_will_not_do(self):
        self.greeted(standby=True)
        self.assertEqual((Line.made[0].state, len(Line.made[0].asked)), ("failed", 1))

    def test_the_hostile_ask_a_standby_too_and_keep_the_connection_when_it_refuses(self):
        one = self.greeted(HostileClient, "socket", standby=True)
        Line.made[0].answer((None,))
        self.tick(one)
        self.assertEqual(self.outcomes(), ["refused"])
        self.tick(one, 20)
        self.assertEqual((len(Line.made), len(Line.made[0].asked)), (1, 3))

    def test_what_is_under_way_at_the_end_is_unknown(self):
        one = self.greeted()
        one.close()
        self.assertEqual(self.outcomes(), ["unknown"])
        self.assertEqual(Line.made[0].state, "failed")


if __name__ == "__main__":
    unittest.main()
