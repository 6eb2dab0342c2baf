# SPDX-License-Identifier: PostgreSQL
"""An old primary, or a standby, that nothing but a new copy brings back."""

import os
import re
import shutil
import signal
import subprocess
import unittest

from returning import AS_POSTGRES, Returning
from scenario import Scenario

from lablib.faults_disk import FILLERS


# Of a gigabyte, with its rate and the time that is left.
PROGRESS = r"[0-9.]+ [kMG]B of 1\.[0-9] GB, [0-9]+ %, [0-9.]+ [kM]B/s, [0-9]+ "


class Copying(Returning):
    """Each scenario of a new copy begins with a lab of its own."""

    def setUp(self) -> None:
        self.drop_lab()
        super().setUp()

    def beside(self, node: str, what: str) -> list[str]:
        """The directories beside the data directory that have this in their names."""
        parent, name = os.path.split(self.lab.node(node).path(self.data_dir))
        return sorted(entry for entry in os.listdir(parent)
                      if entry.startswith(f"{name}.{what}"))

    def lose_for_rewind(self) -> None:
        """The old primary crashed, the other one took over, and pg_rewind has nothing to go by."""
        settings = self.lab.settings
        self.leave_behind()
        for argv in ([f"{settings.bin_dir}/postgres", "--single", "-D", self.data_dir,
                      "-c", "wal_log_hints=off", "postgres"],
                     [f"{settings.bin_dir}/pg_checksums", "--disable", "-D", self.data_dir]):
            done = self.lab.run(self.old, AS_POSTGRES + argv, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.sql(self.new, "CREATE TABLE since AS SELECT generate_series(1, 1000) AS n")

    def wait_copying(self, before: list[str]) -> None:
        """A copy that is half, and none of those that were there before."""
        base = os.path.dirname(self.lab.node(self.old).path(self.data_dir))
        self.wait(lambda: any(os.path.exists(f"{base}/{half}/backup_label")
                              for half in self.beside(self.old, "pgv-new-")
                              if half not in before), 60, "a copy that is half")

    def make_room(self) -> None:
        """The disk alone: to heal all would wake the guard."""
        os.unlink(self.lab.node(self.old).path(FILLERS["data"]))

    def assert_back(self, kept: int = 1) -> None:
        self.wait(self.standby_streams(self.old), 30, "the old primary streams")
        self.wait(lambda: self.sql(self.old, "SELECT count(*) FROM since") == "1000", 10,
                  "all of the primary's data")
        self.assertEqual(self.beside(self.old, "pgv-new-"), [])
        self.assertEqual(len(self.beside(self.old, "pgv-old-")), kept)
        self.assertFalse(os.path.exists(self.state_file(self.old, "fenced")))


class RebuildByHand(Copying):
    """A person says so.  The guard of the old primary is frozen: nobody else starts a server there."""

    def test_rewind_is_impossible(self):
        load = self.lab.load_begin(120)
        self.lose_for_rewind()
        self.refused("cannot-rewind", "--auto")
        plan = self.rejoin("--rebuild", "--dry-run")
        self.assertEqual(plan.returncode, 0, plan.stderr)
        self.assertIn("would take a new copy", plan.stdout)
        self.assertIn("pgv-old-", plan.stdout)
        self.assertEqual(self.beside(self.old, "pgv-"), [])
        done = self.rejoin("--rebuild")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_back()
        self.assert_took_over(load.stop())
        with open(self.state_file(self.old, "history"), encoding="utf-8") as file:
            self.assertIn('"rebuilt"', file.read())
        # The next one lets the older one go: keep_old = newest.
        before = self.beside(self.old, "pgv-old-")
        self.assertEqual(self.rejoin("--rebuild").returncode, 0)
        self.assert_back()
        self.assertNotEqual(self.beside(self.old, "pgv-old-"), before)

    def test_copy_killed_half_way(self):
        self.fill_both(200)
        self.lose_for_rewind()
        for _ in range(2):
            before = self.beside(self.old, "pgv-new-")
            running = self.rejoin_begin("--rebuild")
            self.wait_copying(before)
            self.kill("rejoin")
            running.wait(10)
            self.assertEqual(len(self.beside(self.old, "pgv-new-")), 1)
            self.assertEqual(self.beside(self.old, "pgv-old-"), [])
            self.assertEqual(self.role(self.old), "down")
        self.assertEqual(self.rejoin("--rebuild").returncode, 0)
        self.assert_back()

    def test_progress_of_a_gigabyte_is_told(self):
        self.lose_for_rewind()
        self.wait(lambda: self.sql(self.new, "SELECT count(*) FROM pg_replication_slots") == "1", 20,
                  "the new primary has a slot for the old one")
        # Whatever lies in a data directory is copied.
        data = self.lab.node(self.new).path(self.data_dir)
        with open(f"{data}/ballast", "wb") as file:
            os.fchown(file.fileno(), os.stat(data).st_uid, os.stat(data).st_gid)
            for _ in range(1024):
                file.write(os.urandom(1 << 20))
        with self.terminal("rejoin", "--rebuild") as (running, told):
            self.wait_copying([])
            # Its child, which takes the WAL, goes on: the primary would give that up.
            copying = min(self.running("pg_basebackup"), key=lambda process: process.pid)
            self.assertIn(f"--slot=pgvrrp_{self.old}", copying.argv)
            # On a quick disk it would be over before there is anything to tell.
            copying.signal(signal.SIGSTOP)
            self.wait(lambda: re.search(PROGRESS, told()), 20, "how far it is")
            copying.signal(signal.SIGCONT)
            self.assertEqual(running.wait(110), 0)
        self.assert_back()

    def test_disk_full(self):
        self.fill_both(200)
        self.lose_for_rewind()
        self.lab.fault("fill-disk", self.old, "data")
        self.refused("rebuild-space", "--rebuild")
        self.make_room()
        running = self.rejoin_begin("--rebuild")
        self.wait_copying([])
        self.lab.fault("fill-disk", self.old, "data")
        self.assertEqual(running.wait(60), 4)
        self.assertTrue(self.said(self.old, "No space left"))
        # What was half is gone, and what was there is there.
        self.assertEqual(self.beside(self.old, "pgv-"), [])
        self.assertTrue(os.path.exists(self.lab.node(self.old).path(self.data_dir) + "/PG_VERSION"))
        self.make_room()
        self.assertEqual(self.rejoin("--rebuild").returncode, 0)
        self.assert_back()

    def test_wrong_system_identifier(self):
        self.lose_for_rewind()
        settings = self.lab.settings
        data = self.lab.node(self.old).path(self.data_dir)
        os.rename(data, data + ".mine")
        done = self.lab.run(self.old, AS_POSTGRES + [f"{settings.bin_dir}/initdb", "-N", "-D",
                                                     self.data_dir])
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
            shutil.copy2(f"{data}.mine/{name}", f"{data}/{name}")
            owner = os.stat(f"{data}.mine/{name}")
            os.chown(f"{data}/{name}", owner.st_uid, owner.st_gid)
        self.refused("wrong-system", "--rebuild")
        self.refused("wrong-system", "--rebuild", "--discard=1")
        control = self.lab.run(self.old, [f"{settings.bin_dir}/pg_controldata", self.data_dir])
        number = next(line.split(":")[1].strip() for line in control.stdout.splitlines()
                      if line.startswith("Database system identifier"))
        self.assertEqual(self.rejoin("--rebuild", f"--discard={number}").returncode, 0)
        self.assert_back()

    def test_tablespaces(self):
        where = "/var/lib/postgresql/fast"
        for node in (self.old, self.new):
            self.lab.run(node, AS_POSTGRES + ["mkdir", where])
        self.sql(self.old, f"CREATE TABLESPACE fast LOCATION '{where}'")
        self.sql(self.old, "CREATE TABLE u TABLESPACE fast AS SELECT generate_series(1, 500) AS n")
        lsn = self.sql(self.old, "SELECT pg_current_wal_lsn()")
        self.wait(lambda: self.sql(self.new, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "t",
                  10, "the standby has the tablespace")
        self.lose_for_rewind()
        self.assertEqual(self.rejoin("--rebuild").returncode, 0)
        self.assert_back()
        self.assertEqual(self.sql(self.old, "SELECT count(*) FROM u"), "500")
        self.assertEqual(self.sql(self.old, "SELECT pg_tablespace_location(oid) FROM pg_tablespace"
                                            " WHERE spcname = 'fast'"), where)
        # The old data directory can still be started: its tablespace went with it.
        base = os.path.dirname(self.data_dir)
        link = f"{base}/{self.beside(self.old, 'pgv-old-')[0]}/pg_tblspc"
        parts = self.lab.run(self.old, ["sh", "-c", f"ls -d {link}/*/PG_*"])
        self.assertEqual(parts.returncode, 0, parts.stderr)
        self.assertEqual(self.rejoin("--rebuild").returncode, 0)
        self.assert_back()
        left = os.listdir(self.lab.node(self.old).path(where))
        self.assertEqual(len([name for name in left if name.startswith("PG_")]), 1, left)
        self.assertEqual(len([name for name in left if name.startswith("pgv-old-")]), 1, left)

    def test_primary_crashes_while_a_copy_is_taken(self):
        """What is half is never started, whoever else is down; the next run begins again."""
        self.fill_both(200)
        self.lose_for_rewind()
        running = self.rejoin_begin("--rebuild")
        self.wait_copying([])
        self.lab.fault("crash", self.new)
        self.assertEqual(running.wait(60), 4)
        self.assertEqual(self.beside(self.old, "pgv-"), [])
        self.rejoin("--auto")
        self.assertEqual(self.role(self.old), "down")
        self.wait(self.serves(self.new), 40, "the primary serves again")
        self.assertEqual(self.rejoin("--rebuild").returncode, 0)
        self.assert_back()


class RebuildByItself(Copying):
    sets = Scenario.sets + ["replication.rebuild=automatic", "replication.keep_old=none",
                            "fencing.test_interval=5s"]

    def slot(self) -> str:
        return self.sql(self.old, "SELECT wal_status FROM pg_replication_slots"
                                  f" WHERE slot_name = 'pgvrrp_{self.new}'")

    def test_standby_that_was_away_too_long(self):
        """Its slot reached the bound, and the WAL that it needs is gone: the guard takes a new copy."""
        load = self.lab.load_begin(150)
        self.wait(lambda: self.slot() == "reserved", 20, "a slot that holds WAL for the standby")
        self.lab.fault("power-off", self.new)
        self.sql(self.old, "ALTER SYSTEM SET wal_keep_size = 0")
        self.sql(self.old, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        self.sql(self.old, "SELECT pg_reload_conf()")
        self.sql(self.old, "CREATE TABLE noise (n int)")
        for _ in range(6):
            self.sql(self.old, "INSERT INTO noise SELECT generate_series(1, 1000)")
            self.sql(self.old, "SELECT pg_switch_wal()")
            self.sql(self.old, "CHECKPOINT")
        # The primary's guard has replaced one that was lost by one that is empty.
        self.assertIn(self.slot(), ("lost", ""))
        self.lab.fault("boot", self.new)
        self.wait_said(self.new, "taking a new copy", 60)
        self.wait(self.promotable(self.new), 90, "a standby that could take over")
        self.wait(lambda: self.beside(self.new, "pgv-") == [], 20, "nothing is kept")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.sql(self.new, "SELECT count(*) FROM noise"), "6000")
        self.wait(lambda: self.slot() == "reserved", 20, "a slot that holds WAL again")


if __name__ == "__main__":
    unittest.main()
