# SPDX-License-Identifier: PostgreSQL
"""pg_rewind that is interrupted: whoever looks next brings the old primary back all the same."""

import unittest

from returning import Returning


class Interrupted(Returning):
    """A person calls rejoin; the guard is frozen, so that nobody else does."""

    def rewind_begin(self) -> object:
        """One that takes a while is at work."""
        self.leave_behind()
        self.sql(self.new, "DROP TABLE IF EXISTS ballast")
        self.fill(self.new, 300)
        return self.rewind_again()

    def rewind_again(self) -> object:
        running = self.rejoin_begin()
        self.wait(lambda: self.running("pg_rewind"), 30, "pg_rewind is at work")
        return running

    def assert_back(self) -> None:
        rows = "SELECT count(*), sum(length(filler)) FROM ballast"
        whole = self.sql(self.new, rows)
        self.wait(lambda: self.standby_streams(self.old)(), 30, "the old primary streams")
        self.wait(lambda: self.sql(self.old, rows) == whole, 10, "all of the primary's data")
        self.lab.fault("heal")
        self.wait(self.promotable(self.old), 20, "it could take over")

    def test_killed_half_way(self):
        """rejoin first; then pg_rewind, whose half is undone or done again; then both."""
        load = self.lab.load_begin(120)
        running = self.rewind_begin()
        self.kill("rejoin")
        running.wait(10)
        self.assertEqual(self.role(self.old), "down")
        self.wait(lambda: not self.running("pg_rewind"), 30, "none is left")
        running = self.rewind_again()
        self.kill("pg_rewind")
        self.assertNotEqual(running.wait(60), 0)
        self.assertEqual(self.role(self.old), "down")
        running = self.rewind_again()
        self.kill("rejoin")
        self.kill("pg_rewind")
        running.wait(10)
        done = self.rejoin()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_back()
        self.assert_took_over(load.stop())

    def test_primary_crashes_while_it_rewinds(self):
        """What is half is never started, whoever else is down; the next run goes on."""
        load = self.lab.load_begin(120)
        running = self.rewind_begin()
        self.lab.fault("crash", self.new)
        self.assertNotEqual(running.wait(60), 0)
        self.assertNotEqual(self.rejoin("--auto").returncode, 0)
        self.assertEqual(self.role(self.old), "down")
        self.wait(self.serves(self.new), 40, "the primary serves again")
        done = self.rejoin()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_back()
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
