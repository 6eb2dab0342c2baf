# SPDX-License-Identifier: PostgreSQL
"""Real servers that were there before the guard, in a network with nothing but the two: the guard must not end the primary while its
standby does not follow, and holds it to its lease from the first vote on."""

import os
import shutil
import signal
import subprocess
import time
import unittest

import pgv

BIN = "/usr/lib/postgresql/15/bin"
LEASE_S = 2
ADDRESSES = {"n1": "192.0.2.1", "n2": "192.0.2.2"}


class Found(pgv.Case):
    def setUp(self):
        super().setUp()
        if not os.access(f"{BIN}/initdb", os.X_OK):
            self.skipTest("needs PostgreSQL 15")
        shutil.chown(self.top, "postgres", "postgres")
        self.begin_network()
        self.configs = {name: self.config_of(name) for name in ADDRESSES}
        self.guard = None
        self.addCleanup(self.end_guard)
        self.make_primary()

    # ---- a network, and servers in it ----

    def begin_network(self):
        """As long as this process lives that holds it."""
        addresses = "".join(f"ip addr add {at}/32 dev lo; " for at in ADDRESSES.values())
        holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", f"ip link set lo up; {addresses} echo; exec sleep 600"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        holder.stdout.readline()
        holder.stdout.close()
        self.inside = ["nsenter", "-t", str(holder.pid), "-n"]

    def config_of(self, name):
        """Both nodes have the same file but for where they keep what."""
        body = pgv.CONFIG_TEXT.format(top=self.top)
        body = body.replace(f"{self.top}/run", f"{self.top}/run.{name}")
        body = body.replace(f"{self.top}/state", f"{self.top}/state.{name}")
        body = body.replace(f"{self.top}/data", str(self.data(name)))
        body = body.replace("interface = lo", f"interface = lo\nlibexec_dir = {pgv.BUILD}/libexec")
        body = body.replace(f"socket_dir = {self.top}", f"socket_dir = {self.top}/socket.{name}")
        body = body.replace("lease = 5s", f"lease = {LEASE_S}s\nretry_interval = 1s")
        body = body.replace("[replication]", "[replication]\nslots = no")
        path = self.top / f"{name}.ini"
        path.write_text(body)
        return path

    def data(self, name):
        return self.top / f"data.{name}"

    def as_postgres(self, *argv):
        done = subprocess.run(
            [*self.inside, "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
             *map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/",
            check=False)
        return done.returncode, done.stdout

    def must(self, *argv):
        code, out = self.as_postgres(*argv)
        self.assertEqual(code, 0, out)
        return out.strip()

    def pg_ctl(self, name, *words):
        return self.as_postgres(f"{BIN}/pg_ctl", *words, "-D", self.data(name), "-l",
                                self.top / f"log.{name}")[0]

    def conf(self, name, *lines):
        with open(self.data(name) / "postgresql.conf", "a", encoding="ascii") as conf:
            conf.write("".join(line + "\n" for line in lines))

    def place(self, name):
        directory = self.top / f"socket.{name}"
        directory.mkdir()
        shutil.chown(directory, "postgres", "postgres")
        self.conf(name, f"listen_addresses = '{ADDRESSES[name]}'",
                  f"unix_socket_directories = '{directory}'", "fsync = off")

    def make_primary(self):
        self.must(f"{BIN}/initdb", "-N", "-A", "trust", "-D", self.data("n1"))
        self.place("n1")
        with open(self.data("n1") / "pg_hba.conf", "a", encoding="ascii") as hba:
            hba.write("host all,replication all 192.0.2.0/24 trust\n")
        self.addCleanup(self.pg_ctl, "n1", "stop", "-m", "immediate")
        self.assertEqual(self.pg_ctl("n1", "start", "-w"), 0)
        self.sql("n1", "CREATE ROLE keeper SUPERUSER LOGIN")

    def make_standby(self):
        self.must(f"{BIN}/pg_basebackup", "-c", "fast", "-R", "-D", self.data("n2"), "-d",
                  f"host={ADDRESSES['n1']} user=keeper application_name=n2")
        self.place("n2")
        self.addCleanup(self.pg_ctl, "n2", "stop", "-m", "immediate")
        self.assertEqual(self.pg_ctl("n2", "start", "-w"), 0)
        self.wait_until(lambda: self.sql("n1", "SELECT state FROM pg_stat_replication") ==
                        "streaming", 20)

    def sql(self, name, statement):
        return self.must("psql", "-XAtqc", statement, "-h", self.top / f"socket.{name}", "postgres")

    def server(self):
        """The pid of the primary's postmaster; 0 when there is none."""
        try:
            pid = int((self.data("n1") / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            os.kill(pid, 0)
        except (OSError, IndexError, ValueError):
            return 0
        return pid

    # ---- what is ours ----

    def call(self, node, helper, *args):
        done = subprocess.run([*self.inside, str(pgv.program(helper)), "-c",
                               str(self.configs[node]), "-n", node, *args],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def begin_guard(self):
        self.guard = subprocess.Popen(
            [*self.inside, str(pgv.program("fence_self")), "--watch", "-c",
             str(self.configs["n1"]), "-n", "n1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end_guard(self):
        if self.guard:
            self.guard.send_signal(signal.SIGTERM)
            self.guard.wait(20)
        self.guard = None

    def marked(self):
        return (self.data("n1") / "pg_vrrp.leased").exists()

    def fenced(self):
        return (self.top / "state.n1" / "fenced").exists()

    def is_left_alone(self):
        postmaster = self.server()
        self.assertNotEqual(postmaster, 0)
        self.begin_guard()
        self.wait_until(lambda: (self.top / "run.n1" / "answer").exists(), 20)
        time.sleep(2 * LEASE_S)
        self.assertIsNone(self.guard.poll())
        self.assertEqual(self.server(), postmaster)
        self.assertFalse(self.fenced())
        self.assertFalse(self.marked())
        self.assertTrue(self.kernel_lets_in())
        code, said = self.call("n1", "check_primary", "-v")
        self.assertEqual(code, pgv.NO, said)
        self.assertIn("was never paired with a standby", said)
        self.assertIn("n2 gives no vote", said)

    def kernel_lets_in(self):
        """Clients, without an end."""
        done = subprocess.run([*self.inside, "nft", "list", "set", "inet", "pg_vrrp_clitest",
                               "lease"], capture_output=True, text=True, check=False)
        return "elements" in done.stdout and "expires" not in done.stdout

    def is_fenced(self):
        self.wait_until(self.fenced, 20)
        self.wait_until(lambda: self.server() == 0, 20)

    # ---- the tests ----

    def test_a_server_that_was_there_before_is_left_alone_until_it_had_a_lease(self):
        self.is_left_alone()
        self.end_guard()
        self.is_left_alone()  # nor does the next guard end it
        self.end_guard()
        (self.data("n1") / "pg_vrrp.leased").write_text("")
        self.begin_guard()
        self.is_fenced()

    def test_it_is_held_to_its_lease_from_the_first_vote_of_a_standby_that_was_mended(self):
        self.make_standby()
        self.sql("n1", "ALTER SYSTEM SET max_connections = 150")
        self.assertEqual(self.pg_ctl("n1", "restart", "-w", "-m", "fast"), 0)
        self.wait_until(lambda: self.sql("n2", "SELECT pg_is_wal_replay_paused()") == "t", 20)
        self.assertEqual(self.pg_ctl("n2", "stop", "-w", "-m", "fast"), 0)
        self.assertNotEqual(self.pg_ctl("n2", "start", "-w"), 0)
        self.is_left_alone()
        self.conf("n2", "max_connections = 150")
        self.assertEqual(self.pg_ctl("n2", "start", "-w"), 0)
        self.wait_until(self.marked, 20)
        self.wait_until((self.top / "run.n1" / "lease").exists, 20)
        self.wait_until(lambda: not self.kernel_lets_in(), 5)
        # The witness does not answer, so the vote alone prolongs it.
        time.sleep(2 * LEASE_S)
        self.assertFalse(self.fenced())
        self.assertEqual(self.pg_ctl("n2", "stop", "-w", "-m", "fast"), 0)
        self.is_fenced()

    def test_its_standby_takes_over_only_when_it_has_seen_that_there_was_a_lease(self):
        self.make_standby()
        for refusal in ("was not seen to be held to a lease", "the witness is not seen from here"):
            with self.subTest(refusal=refusal):
                self.wait_until(lambda: self.sql("n1", "SELECT state FROM pg_stat_replication") ==
                                "streaming", 20)
                code, said = self.call("n2", "check_primary", "-v")
                self.assertEqual(code, pgv.YES, said)
                self.assertEqual(self.pg_ctl("n1", "stop", "-m", "immediate"), 0)
                code, said = self.call("n2", "promote_safe", "--by-hand", "--dry-run", "-v")
                self.assertEqual(code, pgv.REFUSED, said)
                self.assertIn(refusal, said)
                self.assertEqual(self.pg_ctl("n1", "start", "-w"), 0)
                (self.data("n1") / "pg_vrrp.leased").write_text("")
                shutil.chown(self.data("n1") / "pg_vrrp.leased", "postgres", "postgres")


if __name__ == "__main__":
    unittest.main()
