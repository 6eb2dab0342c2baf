#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""What the command line of the fault run refuses, before it makes a lab."""

import contextlib
import io
import os
import sys
import unittest

sys.dont_write_bytecode = True

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path[:0] = [f"{TOP}/scripts", f"{TOP}/tests/faults"]

import faults_run  # noqa: E402


class CommandLine(unittest.TestCase):
    def refused(self, *argv: str) -> str:
        said = io.StringIO()
        with self.assertRaises(SystemExit) as end, contextlib.redirect_stderr(said):
            faults_run.arguments(list(argv))
        self.assertEqual(end.exception.code, 64)
        return said.getvalue()

    def test_a_name_that_no_lab_can_have(self):
        self.assertIn('"fA" is not a name for a lab: use up to 32 of a-z',
                      self.refused("--name", "fA", "--seeds", "3"))

    def test_a_count_that_would_run_nothing(self):
        for argv in (["--seeds", "0"], ["--seed", "-1"], ["--seeds", "two"],
                     ["--seeds", "1", "--rounds", "0"]):
            with self.subTest(argv=argv):
                self.assertIn("give a whole number from 1 on", self.refused(*argv))

    def test_hosts_have_ordinary_days_and_pg_vrrp_only(self):
        for argv in (["--hosts", "12"], ["--hosts", "12", "--days", "--setup", "textbook"]):
            with self.subTest(argv=argv):
                self.assertIn("--hosts goes with --days", self.refused(*argv))
        self.assertIn("invalid choice: '11'", self.refused("--days", "--hosts", "11"))
        self.assertEqual(faults_run.arguments(["--days", "--hosts", "12"]).hosts, "12")

    def test_what_is_right(self):
        args = faults_run.arguments(["--seeds", "3", "--first", "16", "--name", "fa"])
        self.assertEqual((args.seeds, args.first, args.name), (3, 16, "fa"))


if __name__ == "__main__":
    unittest.main()
