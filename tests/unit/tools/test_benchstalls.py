#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""scripts/bench stalls: what it makes of the stalls that it saw."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

from lablib import benchstalls  # noqa: E402


def stall(length_s: float, *, moved: bool = False, fenced: bool = False, kind: str = "a disk") -> dict:
    return {"kind": kind, "length_s": length_s, "lasted_s": length_s, "moved": moved, "fenced": fenced}


class Stalls(unittest.TestCase):
    def test_each_kind_comes_with_each_length_once(self):
        every = benchstalls.schedule(1)
        self.assertEqual(len(every), len(set(every)))
        self.assertEqual(len(every), len(benchstalls.KINDS) * len(benchstalls.LENGTHS_S))
        self.assertNotEqual(every, benchstalls.schedule(2))

    def test_a_day_is_the_rate_of_each_length_times_its_share(self):
        seen = [stall(length) for length in benchstalls.LENGTHS_S]
        self.assertEqual(benchstalls.a_day(seen, "moved"), 0)
        seen += [stall(4.0, moved=True, fenced=True), stall(10.0, fenced=True)]
        self.assertAlmostEqual(benchstalls.a_day(seen, "moved"), benchstalls.RATES[4.0] / 2)
        self.assertAlmostEqual(benchstalls.a_day(seen, "fenced"),
                               benchstalls.RATES[4.0] / 2 + benchstalls.RATES[10.0] / 2)

    def test_what_was_not_tried_is_not_known(self):
        self.assertIsNone(benchstalls.a_day([stall(0.2)], "moved"))
        found = {"stalls": {"2": [stall(0.2, fenced=True)]}}
        self.assertEqual(benchstalls.cells(found)[0][:3], ["2 s", "1/1", "-"])
        self.assertEqual(benchstalls.cells(found)[0][-2:], ["-", "-"])

    def test_the_default_lease_is_judged_by_stalls_below_its_half(self):
        fits = benchstalls.fits
        self.assertTrue(fits({"stalls": {"2": [stall(1.0, moved=True)], "5": [stall(4.0, moved=True)]}}))
        self.assertFalse(fits({"stalls": {"5": [stall(2.0, fenced=True)]}}))


if __name__ == "__main__":
    unittest.main()
