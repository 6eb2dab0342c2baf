#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""What a run of all points that was cut off has found right is not done again, and nothing else is left out."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path[:0] = [os.path.join(ROOT, "tests", "kill"), os.path.join(ROOT, "scripts")]

from ledger import Ledger  # noqa: E402

POINT = ("rejoin", "crash, old", "before 1 rename /run/x")


class Resume(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.top = directory.name
        self.program("one")
        self.begin(resume=False).note(*POINT)

    def program(self, text: str) -> None:
        with open(f"{self.top}/rejoin", "w", encoding="ascii") as file:
            file.write(text)

    def begin(self, resume: bool) -> Ledger:
        return Ledger(f"{self.top}/right/Crash.test", self.top, resume)

    def test_what_was_right_is_remembered(self):
        self.assertTrue(self.begin(resume=True).has(*POINT))

    def test_another_point_or_another_row_is_not(self):
        ledger = self.begin(resume=True)
        self.assertFalse(ledger.has("rejoin", "crash, old", "after 1 rename /run/x"))
        self.assertFalse(ledger.has("rejoin", "crash, ping, old", POINT[2]))

    def test_a_program_that_was_built_anew_is_done_again(self):
        self.program("another one")
        self.assertFalse(self.begin(resume=True).has(*POINT))

    def test_without_resume_all_is_done_again(self):
        self.begin(resume=False)
        self.assertFalse(self.begin(resume=True).has(*POINT))

    def test_who_was_ended_as_he_wrote_has_said_nothing(self):
        path = f"{self.top}/right/Crash.test"
        with open(path, encoding="utf-8") as file:
            whole = file.read()
        with open(path, "a", encoding="utf-8") as file:
            file.write(whole[:len(whole) // 2])
        self.assertTrue(self.begin(resume=True).has(*POINT))
        self.begin(resume=True).note("rejoin", "crash, old", "after 2 rename /run/x")
        self.assertTrue(self.begin(resume=True).has("rejoin", "crash, old", "after 2 rename /run/x"))


if __name__ == "__main__":
    unittest.main()
