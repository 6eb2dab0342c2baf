# SPDX-License-Identifier: PostgreSQL
"""scripts/setup/witness-setup on a real server: what it makes, what it leaves, what it refuses."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import pgv

SETUP = pgv.TOP / "scripts/setup/witness-setup"
SQL = pgv.TOP / "scripts/setup/witness.sql"
BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]

INI = """\
[cluster]
name = orders
vip = 127.0.0.100/24
[node a]
address = 127.0.0.1
[node b]
address = 127.0.0.9
[witness]
kind = postgres
address = 127.0.0.1
port = {port}
database = keep
role = orders
passfile = /etc/pg_vrrp/other.pgpass
conninfo = sslmode=verify-full host=witness.example sslrootcert=/etc/ssl/w.crt
"""


class Server(unittest.TestCase):
    """A server for each test, a copy of one initdb; it has no TLS and listens to localhost alone."""

    @classmethod
    def setUpClass(cls):
        if os.getuid() != 0:
            raise unittest.SkipTest("needs root, to become postgres")
        # In memory: the servers sync their files, as the script demands, and that takes long.
        cls.base = Path(tempfile.mkdtemp(prefix="pgv-witness-", dir="/dev/shm"))
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.base.chmod(0o755)
        data = cls.base / "initdb"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        cls.command([*AS_POSTGRES, BIN / "initdb", "-N", "-A", "peer",
                     "--auth-host=reject", "-D", data], check=True)

    @classmethod
    def command(cls, argv, **more):
        return subprocess.run([*map(str, argv)], capture_output=True, text=True, timeout=90, cwd="/",
                              stdin=subprocess.DEVNULL, **more)

    def setUp(self):
        self.top = Path(tempfile.mkdtemp(dir=self.base))
        self.top.chmod(0o755)
        shutil.chown(self.top, "postgres", "postgres")
        self.data, self.out = self.top / "data", self.top / "out"
        self.command(["cp", "-a", self.base / "initdb", self.data], check=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.settings("shared_buffers = 8MB", "max_connections = 20", f"port = {self.port}",
                      f"unix_socket_directories = '{self.top}'", "listen_addresses = 'localhost'")
        self.addCleanup(self.stop)
        self.begin()

    def settings(self, *lines):
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def pg_ctl(self, verb, *options):
        return self.command([*AS_POSTGRES, BIN / "pg_ctl", verb, "-w", "-D", self.data, "-l",
                             self.top / "log", *options])

    def begin(self):
        done = self.pg_ctl("start")
        self.assertEqual(done.returncode, 0, done.stdout)

    def stop(self):
        self.pg_ctl("stop", "-m", "immediate")

    def again(self, *lines):
        self.settings(*lines)
        self.stop()
        self.begin()

    # ---- asking ----

    def setup(self, *options, code=0, allow=("127.0.0.1", "127.0.0.2"), out=None, config=None,
              env=None):
        """Runs the script; it never tells a password."""
        argv = [SETUP, "--socket-dir", self.top, "--bin-dir", BIN, "--out", out or self.out]
        if config:
            argv += ["-c", config]
        else:
            argv += ["--address", "127.0.0.1", "-p", self.port]
            argv += [word for address in allow for word in ("--allow", address)]
        done = self.command([*argv, *options], env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, code, done.stderr)
        if code not in (0, 4):
            self.assertIn("ERROR:  ", done.stderr)
        for secret in self.out.glob("*.pgpass"):
            password = secret.read_text().strip().split(":", 4)[4]
            self.assertNotIn(password, done.stdout + done.stderr)
        return done

    def sql(self, text, database="postgres"):
        done = self.command([*AS_POSTGRES, BIN / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h",
                             self.top, "-p", self.port, "-d", database, "-c", text])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def node(self, text="SELECT (pgvrrp.look('main', 1, 'n1')).schema_version", role="pgvrrp",
             passfile=None, database="pgvrrp", **words):
        """What a node is told: the answer, or the error."""
        words = {"host": "127.0.0.1", "port": self.port, "user": role, "dbname": database,
                 "sslmode": "verify-full", "sslrootcert": self.out / "ca.crt",
                 "passfile": passfile or self.out / f"{role}.pgpass", **words}
        dsn = " ".join(f"{key}={value}" for key, value in words.items())
        done = self.command([BIN / "psql", "-XAtq", dsn, "-c", text])
        return done.stdout.strip() or done.stderr

    def hba(self):
        return (self.data / "pg_hba.conf").read_text()


class Making(Server):
    def test_all_of_it_and_then_nothing(self):
        done = self.setup(code=4)
        self.assertIn("listen_addresses counts from its next start", done.stderr)
        self.setup("--restart")
        self.assertEqual(self.node(), "1")
        mode = os.stat(self.data / "pg_hba.conf")
        self.assertEqual(mode.st_mode & 0o777, 0o600)
        self.assertNotEqual(mode.st_uid, 0)
        before = {path: path.read_bytes() for path in self.out.iterdir()}
        again = self.setup()
        self.assertEqual(again.stderr, "witness-setup: nothing was to be changed\n")
        self.assertEqual({path: path.read_bytes() for path in self.out.iterdir()}, before)
        self.assertEqual(self.node(), "1")
        for path, wanted in (("ca.key", 0o600), ("server.key", 0o600), ("pgvrrp.pgpass", 0o600),
                             ("ca.crt", 0o644), ("server.crt", 0o644)):
            self.assertEqual(os.stat(self.out / path).st_mode & 0o777, wanted, path)
        self.assertIn("conninfo = sslmode=verify-full sslrootcert=/etc/pg_vrrp/NAME.witness.crt",
                      again.stdout)

    def test_who_gets_in_and_how_far(self):
        self.setup("--restart")
        wrong = self.top / "wrong"
        wrong.write_text("*:*:*:*:guessed\n")
        wrong.chmod(0o600)
        self.assertIn("password authentication failed", self.node(passfile=wrong))
        self.assertIn("pg_hba.conf rejects", self.node(sslmode="disable"))
        self.assertIn("certificate", self.node(host="localhost", hostaddr="127.0.0.1"))
        for deed in ("SELECT * FROM pgvrrp.record", "DELETE FROM pgvrrp.record",
                     "SELECT pgvrrp.put(NULL)", "CREATE SCHEMA mine", "CREATE TABLE public.x ()"):
            self.assertIn("permission denied", self.node(deed), deed)
        self.assertIn("SCRAM-SHA-256$", self.sql(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'pgvrrp'"))

    def test_who_was_not_let_in_stays_outside(self):
        self.setup("--restart", allow=("127.0.0.8", "127.0.0.9"))
        with open(self.data / "pg_hba.conf", "a", encoding="utf-8") as file:
            file.write("host all all all scram-sha-256\n")
        self.sql("SELECT pg_reload_conf()")
        self.assertIn("pg_hba.conf rejects", self.node())

    def test_password_is_not_in_the_servers_log(self):
        self.again("log_statement = 'all'", "log_min_duration_statement = 0")
        self.setup("--restart")
        password = (self.out / "pgvrrp.pgpass").read_text().strip().split(":", 4)[4]
        log = (self.top / "log").read_text()
        self.assertIn("ALTER USER", log)
        self.assertNotIn(password, log)

    def test_dry_run_changes_nothing(self):
        before = self.hba()
        done = self.setup("--dry-run")
        self.assertIn("would do: role pgvrrp made", done.stderr)
        self.assertFalse(self.out.exists())
        self.assertEqual(self.hba(), before)
        self.assertEqual(self.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'pgvrrp'"), "0")
        self.setup("--restart")
        self.assertNotIn("would do", self.setup("--dry-run").stderr)

    def test_from_the_ini_file(self):
        ini = self.top / "orders.ini"
        ini.write_text(INI.format(port=self.port))
        done = self.setup("--restart", config=ini)
        for line in ("passfile = /etc/pg_vrrp/other.pgpass", "database = keep", "role = orders",
                     f"{self.out}/ca.crt to /etc/ssl/w.crt"):
            self.assertIn(line, done.stdout)
        self.assertEqual(self.node(role="orders", database="keep", host="witness.example",
                                   hostaddr="127.0.0.1"), "1")
        self.assertEqual([line.split()[3] for line in self.hba().splitlines()[1:4]],
                         ["127.0.0.1/32", "127.0.0.9/32", "127.0.0.100/32"])

    def test_password_of_a_file(self):
        given = self.top / "secret"
        given.write_text("co:lon\\back slash'\n")
        self.setup("--restart", "--password-file", given)
        self.assertEqual(self.node(), "1")
        # From its own file it is read as it was.
        self.setup()
        self.assertEqual(self.node(), "1")


class Others(Server):
    """What is there already belongs to somebody."""

    def test_second_cluster_with_the_same_role(self):
        self.setup("--restart")
        self.setup(allow=("127.0.0.3", "::1"))
        self.assertEqual(self.node(), "1", "the first one is still let in")
        lines = self.hba().splitlines()
        self.assertEqual([line.split()[3] for line in lines[1:5]],
                         ["127.0.0.1/32", "127.0.0.2/32", "127.0.0.3/32", "::1/128"])
        self.assertEqual(self.hba().count("pg_vrrp witness: end"), 1)

    def test_password_of_others_is_not_replaced_unasked(self):
        self.setup("--restart")
        lost = self.top / "elsewhere"
        done = self.setup(out=lost, code=78)
        self.assertIn("has a password already", done.stderr)
        self.assertEqual(self.node(), "1")
        self.setup("--new-password")
        self.assertEqual(self.node(), "1")

    def test_second_role_beside_the_first(self):
        self.setup("--restart")
        self.setup("--role", "second")
        self.assertEqual(self.node(role="second"), "1")
        self.assertEqual(self.node(), "1", "the first role has lost its rights")

    def test_certificate_of_the_server_is_kept(self):
        self.setup("--restart")
        mine = self.top / "mine.crt"
        shutil.copy(self.out / "server.crt", mine)
        self.sql(f"ALTER SYSTEM SET ssl_cert_file = '{mine}'")
        self.sql("SELECT pg_reload_conf()")
        done = self.setup()
        self.assertIn(f"{mine} to /etc/pg_vrrp", done.stdout)
        refused = self.setup("--address", "127.0.0.77", code=78)
        self.assertIn("is not for 127.0.0.77", refused.stderr)
        self.setup("--address", "127.0.0.77", "--own-tls")
        self.assertEqual(self.node(host="127.0.0.77", hostaddr="127.0.0.1"), "1")

    def test_certificate_that_debian_made_is_replaced(self):
        self.setup("--restart")
        snakeoil = self.top / "ssl-cert-snakeoil.pem"
        shutil.copy(self.out / "server.crt", snakeoil)
        self.sql(f"ALTER SYSTEM SET ssl_cert_file = '{snakeoil}'")
        self.sql("SELECT pg_reload_conf()")
        self.assertIn("TLS on", self.setup().stderr)
        self.assertEqual(self.sql("SHOW ssl_cert_file"), str(self.out / "server.crt"))

    def test_certificate_is_renewed_in_time(self):
        self.setup("--restart")
        request = self.top / "csr"
        self.command(["openssl", "req", "-new", "-key", self.out / "server.key", "-subj", "/CN=x",
                      "-out", request], check=True)
        self.command(["openssl", "x509", "-req", "-in", request, "-days", "30", "-CA",
                      self.out / "ca.crt", "-CAkey", self.out / "ca.key", "-set_serial", "1",
                      "-out", self.out / "server.crt"], check=True)
        self.assertIn("certificate for 127.0.0.1 made", self.setup().stderr)
        self.assertEqual(self.node(), "1")


class Schema(Server):
    def newer(self):
        text = SQL.read_text()
        for old, new in (("AS 'SELECT 1'", "AS 'SELECT 2'"), ("there > 1", "there > 2")):
            self.assertEqual(text.count(old), 1)
            text = text.replace(old, new)
        path = self.top / "witness.sql"
        path.write_text(text)
        return path

    def test_upgrade_keeps_the_record_and_downgrade_is_refused(self):
        self.setup("--restart")
        made = self.node("SELECT refused IS NULL FROM "
                         "pgvrrp.create_record('main', 7, 'n1', 'n2', 3, 0, 0, 5000)")
        self.assertEqual(made, "t")
        done = self.setup("--sql", self.newer())
        self.assertIn("schema 2 laid in place of 1", done.stderr)
        look = "SELECT schema_version, term, sealed FROM pgvrrp.look('main', 7, 'n1')"
        self.assertEqual(self.node(look), "2|3|t")
        before = self.hba()
        refused = self.setup(allow=("127.0.0.5", "127.0.0.6"), code=78)
        self.assertIn("schema 2, which is newer than this file's 1", refused.stderr)
        self.assertEqual(self.hba(), before, "nothing is changed before it is refused")
        self.assertEqual(self.node(look), "2|3|t")

    def test_file_that_is_no_schema(self):
        other = self.top / "other.sql"
        other.write_text("SELECT 1;\n")
        self.assertIn("is not the schema", self.setup("--sql", other, code=78).stderr)
        self.setup("--sql", self.top / "nothing.sql", code=71)


class Refusing(Server):
    def test_called_wrongly(self):
        for options in (["--nonsense"], ["--role"], ["word"], ["--role", "pg_x"], ["--role", "A-b"],
                        ["-p", "five"], ["--address", "witness.example"], ["--name", "a b"],
                        ["--allow", "n3"], ["-z"], ["-n"]):
            with self.subTest(options):
                self.setup(*options, code=64)
        self.setup(allow=("127.0.0.1",), code=64)
        shown = self.setup("--help").stdout
        self.assertIn("Usage", shown)
        self.assertLessEqual(max(map(len, shown.splitlines())), 80)
        self.setup(config=self.top / "nothing.ini", code=78)
        half = self.top / "half.ini"
        half.write_text("[cluster]\nname = x\n[node a]\naddress = 127.0.0.1\n")
        self.setup("--address", "127.0.0.1", config=half, code=78)

    def test_server_that_must_not_be_a_witness(self):
        self.setup("--data-dir", "/var/lib/postgresql/9.6/main", code=78)
        self.assertIn("superuser", self.setup("--role", "postgres", code=78).stderr)
        self.again("fsync = off")
        self.assertIn("fsync = off", self.setup(code=78).stderr)
        (self.data / "standby.signal").touch()
        self.again("fsync = on")
        self.assertIn("is a standby", self.setup(code=78).stderr)

    def test_no_server(self):
        self.stop()
        self.assertIn("there is no server", self.setup(code=71).stderr)
        # Nothing is installed unasked, and a package manager's trouble is told.
        fake = self.top / "bin"
        fake.mkdir()
        (fake / "apt-get").write_text("#!/bin/sh\necho 'E: no such package'; exit 100\n")
        (fake / "apt-get").chmod(0o755)
        done = self.setup("--install", code=71, env={"PATH": f"{fake}:{os.environ['PATH']}"})
        self.assertIn("E: no such package", done.stderr)

    def test_frozen_server_is_no_answer(self):
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        self.assertIn("does not let us in", self.setup(code=71).stderr)
        os.kill(pid, signal.SIGCONT)

    def test_error_in_pg_hba(self):
        with open(self.data / "pg_hba.conf", "a", encoding="utf-8") as file:
            file.write("nonsense\n")
        self.assertIn("has an error", self.setup("--restart", code=78).stderr)


if __name__ == "__main__":
    unittest.main()
