# SPDX-License-Identifier: PostgreSQL
"""For tests of the checker: a sample history in which a test plants a fault."""

import copy
import unittest

import checker
import sample
from sample import BEGIN


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
