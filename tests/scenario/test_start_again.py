# SPDX-License-Identifier: PostgreSQL
"""A server that cannot start, or could not be rewound: who looks is told why, and before it is needed where that can be known."""

import os
import unittest

from returning import Returning


class Told(Returning):
    def in_data(self, node: str, name: str) -> str:
        return f"{self.lab.node(node).path(self.data_dir)}/{name}"

    def status(self, node: str) -> str:
        return self.lab.helper(node, "cluster_status").stdout


class Unwritable(Told):
    def test_a_file_that_pg_rewind_cannot_write_is_named_before_and_after(self):
        """A server.key of root's, as guides make it."""
        for node in (self.old, self.new):
            key = self.in_data(node, "server.key")
            with open(key, "w", encoding="ascii") as file:
                file.write("key\n")
            os.chmod(key, 0o644)
        self.addCleanup(lambda: [os.path.exists(key) and os.unlink(key) for key in
                                 (self.in_data("n1", "server.key"),
                                  self.in_data("n2", "server.key"))])
        done = self.rejoin("--check")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertTrue(self.said(self.old, "rule=ready-files"), "the finding")
        self.assertTrue(self.said(self.old, "server.key"), "the file")
        load = self.lab.load_begin(120)
        self.leave_behind()
        self.sql(self.new, "CREATE TABLE since AS SELECT generate_series(1, 1000) AS n")
        self.assertEqual(self.rejoin("--auto").returncode, 4)
        shown = self.status(self.old)
        self.assertIn("server.key", shown)
        self.assertIn("Permission denied", shown)
        # The owner is the remedy.
        os.chown(self.in_data(self.old, "server.key"), *self.owner(self.old))
        done = self.rejoin()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.lab.fault("heal")
        self.wait(self.promotable(self.old), 20, "it could take over")
        self.assert_took_over(load.stop())

    def owner(self, node: str) -> tuple[int, int]:
        status = os.stat(self.lab.node(node).path(self.data_dir))
        return status.st_uid, status.st_gid


class Tablespace(Told):
    def test_a_directory_that_is_on_the_primary_only_is_named(self):
        where = f"{os.path.dirname(self.data_dir)}/only"
        here = self.lab.node(self.old).path(where)
        there = self.lab.node(self.new).path(where)
        uid, gid = os.stat(self.lab.node(self.old).path(self.data_dir))[4:6]
        os.mkdir(here, 0o700)
        os.chown(here, uid, gid)
        load = self.lab.load_begin(120)
        self.sql(self.old, f"CREATE TABLESPACE apart LOCATION '{where}'")
        self.wait(lambda: self.role(self.new) == "down", 20, "the standby has ended")
        self.wait_said(self.new, "rule=start-failed", 40)
        self.wait(lambda: where in self.status(self.new), 10, "status names the directory")
        os.mkdir(there, 0o700)
        os.chown(there, uid, gid)
        self.wait(self.standby_streams(self.new), 40, "the standby comes back by itself")
        self.sql(self.old, "DROP TABLESPACE apart")
        self.assert_safe(load.stop())


if __name__ == "__main__":
    unittest.main()
