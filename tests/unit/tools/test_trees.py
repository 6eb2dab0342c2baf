#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""A machine on which no host can boot is told why."""

import os
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, f"{TOP}/scripts")

from lablib import LabError, machine, places, trees  # noqa: E402


def nspawn(script: str):
    """What is done in its place."""
    return mock.patch.object(machine, "NSPAWN", ["/bin/sh", "-c", script, "sh"])


class WhyNot(unittest.TestCase):
    def test_a_systemd_that_does_not_boot_is_quoted(self):
        said = "echo Welcome to Debian; echo; echo Failed to mount cgroup2; echo Freezing execution; exit 1"
        with mock.patch.object(trees, "get", lambda release: "/"), nspawn(said):
            self.assertEqual(trees.why_no_boot("12"), "systemd of Debian 12 does not boot in systemd-nspawn "
                             "here: exit code 1; the console ends with: Welcome to Debian | "
                             "Failed to mount cgroup2 | Freezing execution")

    def test_one_that_hangs_too(self):
        with nspawn("echo Freezing execution; exec sleep 60"), mock.patch.object(machine, "BOOT_LIMIT_S", 1):
            with self.assertRaisesRegex(LabError, "no end within 1 s; the console ends with: Freezing"):
                machine.try_boot("/")

    def test_one_that_boots_has_nothing_to_say(self):
        with mock.patch.object(trees, "get", lambda release: "/"), nspawn("echo Welcome"):
            self.assertEqual(trees.why_no_boot("12"), "")

    def test_no_tree_and_no_mirror(self):
        with tempfile.TemporaryDirectory() as cache, mock.patch.object(places, "CACHE", cache), \
             mock.patch.object(trees, "run", lambda argv: ""), \
             mock.patch.object(trees, "mirror", lambda: "http://127.0.0.1:1/debian"):
            said = trees.why_not("12")
        self.assertIn("there is no tree of Debian 12 yet, and its mirror gives none: "
                      "http://127.0.0.1:1/debian/dists/bookworm/InRelease", said)

    def test_no_systemd_nspawn(self):
        def run(argv):
            raise LabError(f"{argv[0]} is not installed")
        with mock.patch.object(trees, "run", run):
            self.assertEqual(trees.why_not("12"),
                             "systemd-nspawn cannot run here: systemd-nspawn is not installed")


if __name__ == "__main__":
    unittest.main()
