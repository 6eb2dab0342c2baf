# SPDX-License-Identifier: PostgreSQL
"""What cluster_config prints beside a server that is in use lowers nothing of it, and the server starts."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import pgv

TEMPLATES = pgv.TOP / "keepalived"
PG_BIN = "/usr/lib/postgresql/15/bin"
# In use before us; all but the first few are more than our lines say.
IN_USE = """\
listen_addresses = ''
fsync = off
shared_buffers = 8MB
dynamic_shared_memory_type = mmap
wal_level = logical
max_connections = 140
max_worker_processes = 11
max_prepared_transactions = 3
max_locks_per_transaction = 80
max_wal_senders = 17
max_replication_slots = 19
wal_keep_size = 2GB
synchronous_commit = remote_apply
tcp_keepalives_idle = 4
include_dir = 'conf.d'
"""
# Higher is more, for all of them.
COUNTS = ("max_connections", "max_worker_processes", "max_prepared_transactions",
          "max_locks_per_transaction", "max_wal_senders", "max_replication_slots", "wal_keep_size")


@unittest.skipUnless(os.access(f"{PG_BIN}/initdb", os.X_OK), "PostgreSQL 15 is not installed")
class Server(pgv.Case):
    """The role of the helpers does not exist here, as in the first step of the README."""

    @classmethod
    def setUpClass(cls):
        cls.owner = pwd.getpwnam("postgres")
        cls.fresh = Path(tempfile.mkdtemp(prefix="pgv-cli-"))
        cls.addClassCleanup(shutil.rmtree, cls.fresh)
        os.chown(cls.fresh, cls.owner.pw_uid, cls.owner.pw_gid)
        subprocess.run(["runuser", "-u", "postgres", "--", f"{PG_BIN}/initdb", "-D", cls.fresh,
                        "-A", "peer", "--no-sync"], check=True, capture_output=True, cwd="/")

    def setUp(self):
        super().setUp()
        self.data = self.top / "data"
        os.chown(self.top, self.owner.pw_uid, self.owner.pw_gid)
        self.as_postgres("cp", "-a", self.fresh, self.data)
        self.confd = self.data / "conf.d"
        self.confd.mkdir(mode=0o700)
        os.chown(self.confd, self.owner.pw_uid, self.owner.pw_gid)
        self.printed = self.confd / "pg_vrrp.conf"
        self.add(f"unix_socket_directories = '{self.top}'\n" + IN_USE)

    def add(self, lines, path=None):
        with open(path or self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(lines)

    def as_postgres(self, *argv, code=0):
        done = subprocess.run(["runuser", "-u", "postgres", "--", *map(str, argv)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False, cwd="/")
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def start(self):
        # Nothing of the server keeps the pipe open.
        self.as_postgres("sh", "-c", f"{PG_BIN}/pg_ctl -w -t 30 -D {self.data} -l {self.data}/log"
                                     " start >/dev/null 2>&1")
        self.addCleanup(subprocess.run, ["runuser", "-u", "postgres", "--", f"{PG_BIN}/pg_ctl",
                                         "-w", "-D", self.data, "-m", "immediate", "stop"],
                        capture_output=True, check=False)

    def stop(self):
        self.as_postgres(f"{PG_BIN}/pg_ctl", "-w", "-D", self.data, "-m", "fast", "stop")

    def sql(self, text):
        return self.as_postgres(f"{PG_BIN}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.top,
                                "-d", "postgres", "-c", text).strip()

    def settings(self):
        rows = self.sql("SELECT name || '=' || reset_val FROM pg_settings").split("\n")
        return dict(row.split("=", 1) for row in rows if "=" in row)

    def render(self, *args, mode="sync", code=0):
        """As the README has it: the shell makes the file before the program runs."""
        result = self.run_helper("cluster_config", "postgresql", "-c",
                                 self.config([("mode = async", f"mode = {mode}")]),
                                 "--templates", TEMPLATES, *args, redirect=f'> "{self.printed}"')
        self.assertEqual(result.code, code, result.err)
        os.chown(self.printed, self.owner.pw_uid, self.owner.pw_gid)
        return self.printed.read_text()

    def check(self, code, *args):
        result = self.run_helper("cluster_config", "check", "-c", self.config(), "--templates",
                                 TEMPLATES, *args)
        self.assertEqual(result.code, code, result.out + result.err)
        return result.out

    def line(self, text, name):
        found = re.findall(rf"(?m)^{name} = '?(.*?)'?(?:\t# (.*))?$", text)
        self.assertEqual(len(found), 1, text)
        return found[0]

    def assert_not_lowered(self, before, after):
        self.assertEqual(after["wal_level"], "logical")
        self.assertEqual(after["hot_standby"], "on")
        self.assertEqual(after["synchronous_commit"], "remote_apply")
        self.assertEqual(after["tcp_keepalives_idle"], "4")
        for name in COUNTS:
            with self.subTest(setting=name):
                self.assertGreaterEqual(int(after[name]), int(before[name]))

    def slot(self):
        self.sql("SELECT pg_create_logical_replication_slot('theirs', 'test_decoding')")

    def test_a_server_in_use_starts_again_with_what_is_printed_and_has_no_less(self):
        self.start()
        self.slot()
        before = self.settings()
        text = self.render()
        self.stop()
        self.start()
        self.assert_not_lowered(before, self.settings())
        self.assertEqual(self.line(text, "wal_level"), ("logical", "in use here: logical; ours: replica"))
        self.assertEqual(self.line(text, "max_connections"), ("140", "in use here: 140"))
        self.assertIn("# Compared with the server of this node", text)

    def test_what_is_printed_again_is_the_same(self):
        """The shell empties the file that the server runs with, before it is looked at."""
        self.start()
        self.slot()
        self.render()
        self.stop()
        self.start()
        once = self.settings()
        self.render()
        self.stop()
        self.start()
        self.assertEqual(self.settings(), once)

    def test_a_stopped_server_is_read_from_its_files_and_pg_control(self):
        self.start()
        before = self.settings()
        self.stop()
        # Its last life had more than its files have now.
        self.add("max_wal_senders = 2\n")
        text = self.render()
        self.start()
        self.assertEqual(self.line(text, "max_wal_senders"), ("17", "in use here: 17; ours: 10"))
        self.assertIn("its server was not asked", text)
        before["max_wal_senders"] = "2"  # see the next test: a line behind the include wins
        self.assert_not_lowered(before, self.settings())

    def test_a_line_that_takes_no_effect_says_so(self):
        self.start()
        self.sql("ALTER SYSTEM SET max_wal_senders = 4")
        self.add("wal_keep_size = 16MB\n")
        self.add("wal_log_hints = off\nmax_replication_slots = 100\n", self.confd / "zz.conf")
        self.add("wal_retrieve_retry_interval = 60s\n", self.confd / "aa.conf")
        text = self.render()
        said = dict(re.findall(r"NO EFFECT: (\S+) comes later.*\n(\w+) = ", text))
        self.assertEqual({name: os.path.basename(file) for file, name in said.items()},
                         {"max_wal_senders": "postgresql.auto.conf", "wal_log_hints": "zz.conf",
                          "wal_keep_size": "postgresql.conf"})

    def test_a_slot_of_others_keeps_its_wal_without_a_bound(self):
        self.start()
        self.assertEqual(self.line(self.render(), "max_slot_wal_keep_size")[0], "4GB")
        self.slot()
        value, why = self.line(self.render(), "max_slot_wal_keep_size")
        self.assertEqual(value, "-1")
        self.assertIn("no slot is made", why)

    def test_hot_standby_must_be_on_and_is_said_to_be(self):
        self.add("hot_standby = off\n", self.confd / "aa.conf")
        self.start()
        self.assertEqual(self.line(self.render(), "hot_standby"),
                         ("on", "in use here: off; it must be on, as a standby has to answer"))

    def test_every_directory_of_sockets_stays(self):
        other = self.top / "other"
        other.mkdir()
        os.chown(other, self.owner.pw_uid, self.owner.pw_gid)
        self.add(f"unix_socket_directories = '{other}, {self.top}'\n", self.confd / "aa.conf")
        self.start()
        self.assertEqual(self.line(self.render(), "unix_socket_directories")[0],
                         f"{other}, {self.top}")

    def test_another_server_at_the_same_port_is_not_ours(self):
        self.start()
        config = self.config([(f"data_dir = {self.data}", f"data_dir = {self.top}/elsewhere")])
        result = self.run_helper("cluster_config", "postgresql", "-c", config, "--templates",
                                 TEMPLATES)
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("NOT compared with a server here", result.out)
        self.assertIn(f"has its data in {self.data}", result.out)
        self.assertEqual(self.line(result.out, "wal_level"), ("replica", ""))

    def test_without_a_look_the_same_file_gives_the_same_text(self):
        self.start()
        text = self.render("--no-server")
        self.assertEqual(self.line(text, "wal_level"), ("replica", ""))
        self.assertNotRegex(text, "(?m)^max_connections")
        self.assertIn("Not compared with any server (--no-server)", text)

    def test_check_says_what_a_restart_would_break(self):
        self.start()
        self.slot()
        self.assertIn("breaks nothing that was looked at", self.check(pgv.YES))
        for lines, words in (
            ("wal_level = replica\n", "a logical slot needs wal_level = logical"),
            ("wal_level = minimal\nmax_wal_senders = 0\n", "a logical slot needs wal_level"),
            ("max_replication_slots = 0\n", "it has more slots than it would take"),
            ("superuser_reserved_connections = 140\n", "no connection is left"),
            ("shared_preload_libraries = 'pg_nothing'\n", "a library that it loads is missing"),
            ("max_connections = many\n", "it does not take its files"),
            ("hot_standby = off\n", "as a standby this server would answer nobody"),
            ("port = 5433\n", "listen where nobody looks for it"),
        ):
            with self.subTest(lines=lines):
                last = self.confd / "zz.conf"
                last.write_text(lines)
                os.chown(last, self.owner.pw_uid, self.owner.pw_gid)
                said = self.check(pgv.NO)
                self.assertRegex(said, rf"BREAKS +.*{words}.*\n +DETAIL: .+\n +HINT: .+")
        last.unlink()
        self.check(pgv.YES)

    def test_check_is_right_about_that(self):
        """PostgreSQL itself: with each of them it does not start."""
        self.start()
        self.slot()
        self.stop()
        last = self.confd / "zz.conf"
        for lines in ("wal_level = replica\n", "max_replication_slots = 0\n",
                      "superuser_reserved_connections = 140\n", "max_connections = many\n",
                      "shared_preload_libraries = 'pg_nothing'\n",
                      "wal_level = minimal\n"):
            with self.subTest(lines=lines):
                last.write_text(lines)
                os.chown(last, self.owner.pw_uid, self.owner.pw_gid)
                self.as_postgres("sh", "-c", f"{PG_BIN}/pg_ctl -w -t 30 -D {self.data} -l "
                                             f"{self.data}/log start >/dev/null 2>&1", code=1)
        last.unlink()
        self.start()

    def test_check_shows_what_waits_for_a_restart(self):
        self.start()
        last = self.confd / "zz.conf"
        last.write_text("max_connections = 120\nmax_wal_senders = 20\n")
        os.chown(last, self.owner.pw_uid, self.owner.pw_gid)
        said = self.check(pgv.YES)
        self.assertIn("lowers     max_connections: '140' now, '120' by the files", said)
        self.assertIn("changes    max_wal_senders: '17' now, '20' by the files", said)
        self.assertRegex(said, 'lacks +what "cluster_config postgresql" prints for .*wal_log_hints')

    def test_check_without_a_server_says_that_nothing_was_looked_at(self):
        shutil.rmtree(self.data)
        said = self.check(pgv.YES)
        self.assertIn("not known  the server here: ", said)
        self.assertIn("not known  its files: ", said)
        self.assertNotIn("breaks nothing", said)


if __name__ == "__main__":
    unittest.main()
