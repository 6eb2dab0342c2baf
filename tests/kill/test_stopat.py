# SPDX-License-Identifier: PostgreSQL
"""stopat itself: does it kill, and does it make calls fail, where it was told to?"""

import errno
import os
import signal
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("PGV_BUILD", os.path.join(ROOT, "build")))
INI = os.path.join(ROOT, "examples", "two-node", "main.ini")


class Stopat(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log = f"{self.folder}/log"

    def run_it(self, order: str) -> subprocess.CompletedProcess:
        """It reads a file, and writes to its output."""
        return subprocess.run([f"{BUILD}/kill/stopat", self.log, order,
                               f"{BUILD}/libexec/cluster_config", "-c", INI, "check",
                               "--no-server"],
                              capture_output=True, text=True, timeout=30, check=False)

    def words(self) -> list[tuple[str, str]]:
        with open(self.log, encoding="utf-8") as file:
            return [tuple(line.rstrip("\n").split("\t")[1:]) for line in file]

    def reads(self) -> str:
        """Its label.  Numbers are none of it, and the directory that all this is in may have some."""
        self.run_it("count")
        return next(text for word, text in self.words()
                    if word == "call" and text.startswith("read ") and text.endswith("/two-node/main.ini"))

    def test_counts_and_changes_nothing(self):
        plain = subprocess.run([f"{BUILD}/libexec/cluster_config", "-c", INI, "check",
                                "--no-server"],
                               capture_output=True, text=True, check=False)
        done = self.run_it("count")
        self.assertEqual((done.returncode, done.stdout), (plain.returncode, plain.stdout))
        self.assertIn("read", [text.split()[0] for word, text in self.words() if word == "call"])
        self.assertEqual(self.words()[-1][0], "end")

    def test_kills_before_and_after(self):
        reads = self.reads()
        for deed in ("before", "after"):
            done = self.run_it(f"{deed} 1 {reads}")
            self.assertEqual(done.returncode, -signal.SIGKILL)
            self.assertEqual(done.stdout, "")
            self.assertIn(("killed", reads), self.words())

    def test_kills_at_the_second_time_and_not_at_the_hundredth(self):
        reads = self.reads()
        self.assertEqual(self.run_it(f"before 2 {reads}").returncode, -signal.SIGKILL)
        self.assertEqual(self.run_it(f"before 100 {reads}").returncode, 0)

    def test_a_call_fails(self):
        reads = self.reads()
        done = self.run_it(f"fail {errno.EIO} 1 {reads}")
        self.assertEqual(done.returncode, 78)
        self.assertIn(os.strerror(errno.EIO), done.stderr)
        self.assertIn(("failed", reads), self.words())

    def test_every_call_fails_that_begins_so(self):
        self.assertEqual(self.run_it(f"fail {errno.EMFILE} 0 openat*").returncode, 78)
        self.assertGreater(sum(word == "failed" for word, _ in self.words()), 0)

    def test_a_short_read_is_read_on(self):
        usual = self.run_it("count")
        reads = self.reads()
        done = self.run_it(f"short 1 {reads}")
        self.assertEqual((done.returncode, done.stdout), (usual.returncode, usual.stdout))
        self.assertIn(("shortened", reads), self.words())

    def test_an_order_that_is_not_understood(self):
        for order in ("", "kill 1 read", "before x read", "fail 5 read", "before 1"):
            self.assertEqual(self.run_it(order).returncode, 64, order)

    def test_in_a_helpers_place_without_an_order_it_is_that_helper(self):
        name = f"{self.folder}/no_such_helper"
        os.symlink(f"{BUILD}/kill/stopat", name)
        done = subprocess.run([name], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 71)
        self.assertIn("/run/stopat/no_such_helper", done.stderr)


if __name__ == "__main__":
    unittest.main()
