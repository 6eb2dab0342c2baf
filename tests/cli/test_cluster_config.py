# SPDX-License-Identifier: PostgreSQL
"""What cluster_config prints is what keepalived, PostgreSQL and sshd take."""

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
RECORD = ("kind = ping", "kind = postgres")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINPNfvxakqAV somebody"


class Config(pgv.Case):
    def render(self, part, *args, replace=(), code=0):
        result = self.run_helper("cluster_config", part, "-c", self.config(replace),
                                 "--templates", TEMPLATES, *args)
        self.assertEqual(result.code, code, result.err)
        return result.out if code == 0 else result

    def in_namespace(self, *argv, limit=30):
        return subprocess.run(["unshare", "-m", "-n", *map(str, argv)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=limit, check=False)


class Parts(Config):
    def test_alone_it_lists_its_parts(self):
        result = self.run_helper("cluster_config")
        self.assertEqual((result.code, result.err), (0, ""))
        for part in ("keepalived", "postgresql", "pg_hba", "sql", "witness", "authorized_keys",
                     "reference"):
            self.assertRegex(result.out, rf"(?m)^  {part} +\w")

    def test_with_a_file_alone_it_checks_it(self):
        result = self.run_helper("cluster_config", "-c", self.config())
        self.assertEqual(result.code, 0, result.err)
        self.assertIn('cluster "clitest" is sound', result.out)

    def test_rules_are_those_that_helpers_name(self):
        """From the place of the templates, also without a configuration, and for a terminal."""
        for args in ((), ("--templates", TEMPLATES)):
            result = self.run_helper("cluster_config", "rules", *args)
            self.assertEqual((result.code, result.err), (0, ""))
        said = self.run_helper("promote_safe", "-c", self.config(), "-n", "n1", "--dry-run",
                               "--explain").out
        promote = re.search(r"(?ms)^promote_safe\n(.*?)^\w", result.out).group(1)
        named = re.findall(r"(?m)^(?:ok +not|[A-Z]+|-) +([\w-]+)", said)
        self.assertGreater(len(named), 20, said)
        for rule in named:
            self.assertRegex(promote, rf"(?m)^  {rule} \(\w+\)$")
        self.assertLessEqual(max(map(len, result.out.splitlines())), 80)

    def test_unknown_part_is_refused(self):
        self.assertEqual(self.run_helper("cluster_config", "keepalive").code, pgv.USAGE)

    def test_option_of_another_part_is_refused(self):
        for args in (("sql", "--witness"), ("keepalived", "--key", "x"), ("check", "--include")):
            with self.subTest(args=args):
                result = self.run_helper("cluster_config", *args, "-c", self.config(), "-n", "n1")
                self.assertEqual((result.code, result.out), (pgv.USAGE, ""))

    def test_only_keepalived_and_keys_ask_which_node_this_is(self):
        for part in ("check", "postgresql", "pg_hba", "pg_ident", "sql", "ssh", "tmpfiles"):
            with self.subTest(part=part):
                self.assertNotEqual(self.render(part), "")
        self.render("keepalived", code=pgv.CONFIG)

    def test_the_node_is_found_by_its_address(self):
        """The addresses are looked for in the kernel, not in the text: 2001:db8::1 has many spellings."""
        path = self.config([("192.0.2.1\n", "2001:DB8:0::1\n"), ("192.0.2.2\n", "2001:db8::2\n"),
                            ("192.0.2.100/24", "2001:db8::100/64")])
        script = 'ip link set lo up; ip -6 addr add 2001:db8::1/64 dev lo; exec "$@"'
        done = self.in_namespace("sh", "-c", script, "sh", pgv.program("cluster_config"),
                                 "keepalived", "-c", path, "--templates", TEMPLATES)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('on node "n1"', done.stdout)

    def test_the_same_file_gives_the_same_text(self):
        self.assertEqual(self.render("keepalived", "-n", "n1"),
                         self.render("keepalived", "-n", "n1"))

    def test_nothing_is_left_to_be_filled_in(self):
        for part in ("keepalived", "postgresql", "pg_hba", "pg_ident", "sql", "ssh", "tmpfiles"):
            for mode in ("async", "sync"):
                for kind in ("ping", "postgres"):
                    with self.subTest(part=part, mode=mode, kind=kind):
                        text = self.render(part, *(["-n", "n1"] if part == "keepalived" else []),
                                           replace=[("mode = async", f"mode = {mode}"),
                                                    ("kind = ping", f"kind = {kind}")])
                        self.assertNotRegex(text, r"@[?!#]|@[A-Z_]+@")

    def test_missing_template_prints_nothing(self):
        empty = self.top / "empty"
        empty.mkdir()
        shutil.copy(TEMPLATES / "keepalived-global.conf.in", empty)
        result = self.run_helper("cluster_config", "keepalived", "-c", self.config(), "-n", "n1",
                                 "--templates", empty)
        self.assertEqual((result.code, result.out), (pgv.SYSTEM, ""))
        self.assert_one_verdict(result, "system")
        self.assertIn("keepalived-cluster.conf.in: No such file", result.verdicts[0])

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = self.run_helper("cluster_config", "reference", stdout=full)
        self.assertEqual(result.code, pgv.SYSTEM)

    def test_pages_and_examples_agree_with_the_program(self):
        done = subprocess.run([pgv.TOP / "scripts/docs-sync", "--build", pgv.BUILD],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Keepalived(Config):
    """keepalived 2.2.7 itself reads the text: it says nothing about a good one."""

    def setUp(self):
        super().setUp()
        # Its script security wants root's directories all the way up, which /tmp is not.
        self.libexec = Path(tempfile.mkdtemp(prefix="pgv-cli-", dir="/run"))
        self.addCleanup(shutil.rmtree, self.libexec)
        self.libexec.chmod(0o755)
        for name in ("check_answer", "promote_safe"):
            shutil.copy("/bin/true", self.libexec / name)
        self.where = ("interface = lo", f"interface = eth0\nlibexec_dir = {self.libexec}")
        (self.top / "run").mkdir()

    def verify(self, text):
        path = self.top / "keepalived.conf"
        path.write_text(text)
        done = self.in_namespace("sh", "-c", 'ip link add eth0 type veth && exec "$@"', "sh",
                                 "keepalived", "-t", "-f", path)
        return done.returncode, done.stdout + done.stderr

    def test_it_is_taken_without_a_word(self):
        six = [("192.0.2.1\n", "2001:db8::1\n"), ("192.0.2.2\n", "2001:db8::2\n"),
               ("192.0.2.100/24", "2001:db8::100/64")]
        longest = [("name = clitest", "name = " + "c" * 31)]
        for what, more in (("IPv4", []), ("IPv6", six), ("longest name", longest)):
            for node in ("n1", "n2"):
                with self.subTest(what=what, node=node):
                    text = self.render("keepalived", "-n", node, replace=[self.where, *more])
                    self.assertEqual(self.verify(text), (0, ""))

    def test_several_clusters_are_included(self):
        text = self.render("keepalived", "-n", "n1", replace=[self.where])
        one = self.render("keepalived", "-n", "n1", "--include", replace=[self.where])
        two = self.render("keepalived", "-n", "n1", "--include", replace=[
            self.where, ("name = clitest", "name = other"), ("router_id = 51", "router_id = 61"),
            ("192.0.2.100", "192.0.2.101")])
        self.assertTrue(text.endswith(one))
        (self.top / "one.part").write_text(one)
        (self.top / "two.part").write_text(two)
        head = text[: -len(one)]
        self.assertEqual(self.verify(f"{head}include {self.top}/*.part\n"), (0, ""))
        self.assertNotIn("global_defs", one)

    def test_a_script_that_others_may_write_is_noticed(self):
        """So the silence of the other tests means something."""
        text = self.render("keepalived", "-n", "n1", replace=[self.where])
        (self.libexec / "check_answer").chmod(0o777)
        code, said = self.verify(text)
        self.assertEqual(code, 5)
        self.assertIn("insecure", said)

    def test_both_instances_fail_closed(self):
        """Each tracks a file that has to say 1, and a script that is down until it has succeeded."""
        text = self.render("keepalived", "-n", "n1", replace=[self.where])
        files = dict(re.findall(r"track_file (\w+) \{\n.*\n    weight (.*)\n", text))
        self.assertEqual(files, {"clitest_election": "0 reverse", "clitest_serving": "0 reverse",
                                 "clitest_priority": "1"})
        self.assertEqual(text.count("init_fail"), 2)
        instances = re.findall(r"(?s)vrrp_instance (\w+) \{(.*?)\n\}", text)
        self.assertEqual([name for name, _ in instances], ["clitest_election", "clitest_vip"])
        for name, body in instances:
            own = {"clitest_election": "election", "clitest_vip": "serving"}[name]
            self.assertRegex(body, r"track_script \{\n +clitest_check")
            self.assertIn(f"clitest_{own}\n        clitest_priority\n", body)

    def test_intervals_are_whole_seconds_and_advertisements_hundredths(self):
        text = self.render("keepalived", "-n", "n1", replace=[
            self.where, ("lease = 5s", "lease = 5s\nadvert_interval = 1230ms")])
        self.assertEqual(set(re.findall(r"^ +(?:interval|timeout) (.*)", text, re.M)), {"1"})
        # The VIP's instance twice as often: half of it, rounded up.
        self.assertEqual(re.findall(r"advert_int (.*)", text), ["1.23", "0.25"])


class Ssh(Config):
    WITNESS = ("address = 192.0.2.3", "address = 192.0.2.3\nssh = yes")

    def key(self, text=KEY):
        path = self.top / "some.pub"
        path.write_text(text + "\n")
        return path

    def test_a_node_lets_the_key_answer_a_fence_request_and_nothing_else(self):
        line = self.render("authorized_keys", "-n", "n2", "--key", self.key())
        self.assertRegex(line, rf'^restrict,command="/\S+/fence_self -c {self.top}/clitest.ini '
                               rf'-n n2 --answer" {KEY}\n$')

    def test_the_key_of_the_configuration_is_the_default(self):
        (self.top / "key.pub").write_text(KEY + "\n")
        self.assertTrue(self.render("authorized_keys", "-n", "n1").endswith(f"{KEY}\n"))

    def test_the_witness_host_forwards_to_both_nodes_and_nowhere_else(self):
        line = self.render("authorized_keys", "--witness", "--key", self.key(), replace=[
            self.WITNESS, ("192.0.2.2\n", "192.0.2.2\nssh_port = 2222\n")])
        self.assertTrue(line.startswith('restrict,port-forwarding,permitopen="192.0.2.1:22",'
                                        'permitopen="192.0.2.2:2222",command="/'), line)
        self.assertIn(" --observe\" ", line)

    def test_addresses_of_ipv6_are_in_brackets(self):
        line = self.render("authorized_keys", "--witness", "--key", self.key(), replace=[
            self.WITNESS, ("192.0.2.1\n", "2001:db8::1\n"), ("192.0.2.2\n", "2001:db8::2\n"),
            ("192.0.2.100/24", "2001:db8::100/64")])
        self.assertIn('permitopen="[2001:db8::1]:22"', line)

    def test_without_ssh_on_the_witness_host_its_lines_are_refused(self):
        result = self.render("authorized_keys", "--witness", "--key", self.key(), code=pgv.REFUSED)
        self.assertEqual(result.out, "")
        self.assert_one_verdict(result, "refused")

    def test_what_is_not_a_public_key_is_refused(self):
        for text in ("", "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-ed25519"):
            with self.subTest(text=text):
                result = self.render("authorized_keys", "-n", "n1", "--key", self.key(text),
                                     code=pgv.SYSTEM)
                self.assertEqual(result.out, "")

    def test_host_keys_are_named_as_fencing_pins_them(self):
        (self.top / "ssh_host_ed25519_key.pub").write_text(KEY + "\n")
        kind, key, _ = KEY.split()
        args = ("--host-keys", self.top)
        self.assertEqual(self.render("known_hosts", "-n", "n2", *args), f"n2 {kind} {key}\n")
        self.assertEqual(self.render("known_hosts", "--witness", *args, replace=[self.WITNESS]),
                         f"witness {kind} {key}\n")


@unittest.skipUnless(os.access(f"{PG_BIN}/initdb", os.X_OK), "PostgreSQL 15 is not installed")
class Postgresql(Config):
    """A server with exactly these lines; the helpers' role does what the helpers do."""

    def setUp(self):
        super().setUp()
        owner = pwd.getpwnam("postgres")
        self.data = self.top / "data"
        self.data.mkdir(mode=0o700)
        for path in (self.data, self.top):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def as_postgres(self, *argv):
        done = subprocess.run(["runuser", "-u", "postgres", "--", *map(str, argv)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False, cwd="/")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def start(self, mode, *more):
        replace = [("mode = async", f"mode = {mode}"), *more]
        self.as_postgres(f"{PG_BIN}/initdb", "-D", self.data, "-N", "-A", "peer", "--no-sync")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(self.render("postgresql", replace=replace))
            # No network of ours is needed, and the tests' host may have a server of its own.
            file.write("listen_addresses = ''\nfsync = off\n")
        hba = self.data / "pg_hba.conf"
        hba.write_text(self.render("pg_hba", replace=replace) + hba.read_text())
        with open(self.data / "pg_ident.conf", "a", encoding="utf-8") as file:
            file.write(self.render("pg_ident", replace=replace))
        self.as_postgres(f"{PG_BIN}/pg_ctl", "-w", "-D", self.data, "-l", self.data / "log", "start")
        self.addCleanup(self.as_postgres, f"{PG_BIN}/pg_ctl", "-w", "-D", self.data, "-m",
                        "immediate", "stop")
        self.sql = self.render("sql", replace=replace)

    def psql(self, user, text):
        return subprocess.run([f"{PG_BIN}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.top,
                               "-d", "postgres", "-U", user],
                              input=text, capture_output=True, text=True, timeout=60, check=False)

    def psql_as_postgres(self, text):
        done = subprocess.run(["runuser", "-u", "postgres", "--", f"{PG_BIN}/psql", "-XAtq", "-v",
                               "ON_ERROR_STOP=1", "-h", self.top, "-d", "postgres"],
                              input=text, capture_output=True, text=True, timeout=60, check=False,
                              cwd="/")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_role_can_do_what_the_helpers_do_and_no_more(self):
        self.start("async")
        self.psql_as_postgres(self.sql)
        self.psql_as_postgres(self.sql)  # again: nothing to complain of
        for allowed in (
            "SELECT system_identifier FROM pg_control_system()",
            "SELECT 1 / length(current_setting('data_directory'))",
            "SELECT current_setting('primary_conninfo')",
            "SELECT * FROM pg_stat_replication",
            "ALTER SYSTEM SET primary_conninfo = 'host=x'",
            "ALTER SYSTEM SET synchronous_standby_names = 'n2'",
            "SELECT pg_reload_conf()",
            "SELECT pg_conf_load_time()",
            "SELECT count(*) FROM pg_show_all_file_settings()",
            "SELECT pg_stat_file('global/pg_control', true)",
            "SELECT pg_ls_dir('global', false, false)",
            "SELECT length(pg_read_binary_file('global/pg_control'))",
            "SELECT length(pg_read_binary_file('global/pg_control', 0, 10, true))",
            "CHECKPOINT",
        ):
            with self.subTest(allowed=allowed):
                done = self.psql("keeper", allowed)
                self.assertEqual(done.returncode, 0, done.stderr)
        done = self.psql("keeper", "SELECT pg_promote(false)")
        self.assertIn("recovery is not in progress", done.stderr)
        for forbidden in ("CREATE ROLE x", "CREATE DATABASE x", "SELECT pg_read_file('PG_VERSION')",
                          "ALTER SYSTEM SET archive_command = 'x'", "COPY (SELECT 1) TO PROGRAM 'x'",
                          "SELECT * FROM pg_authid"):
            with self.subTest(forbidden=forbidden):
                self.assertIn("permission denied", self.psql("keeper", forbidden).stderr
                              .replace("must be superuser", "permission denied"))

    def test_a_password_that_pg_hba_would_refuse_is_told_when_the_role_is_set_up(self):
        self.start("async")
        for stored, warned in (("md5", True), ("scram-sha-256", False)):
            self.psql_as_postgres(f"{self.sql}\nSET password_encryption = '{stored}';"
                                  "ALTER ROLE keeper PASSWORD 'x'")
            done = subprocess.run(["runuser", "-u", "postgres", "--", f"{PG_BIN}/psql", "-Xq", "-h", self.top,
                                   "-d", "postgres"], input=self.sql, capture_output=True, text=True,
                                  timeout=60, check=True, cwd="/")
            self.assertEqual("is stored as an md5 hash" in done.stderr, warned, done.stderr)

    def test_the_lines_are_taken_as_they_are_meant(self):
        self.start("sync")
        said = self.psql_as_postgres(
            "SELECT current_setting('synchronous_standby_names'), current_setting('wal_log_hints'),"
            " current_setting('wal_receiver_timeout');"
            "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL;"
            "SELECT count(*) FROM pg_ident_file_mappings WHERE error IS NOT NULL;"
            "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL;")
        self.assertEqual(said.split("\n")[:4], ['ANY 1 ("n1", "n2")|on|5s', "0", "0", "0"])

    def test_with_a_record_the_helpers_alone_say_whom_a_commit_waits_for(self):
        self.start("sync", RECORD)
        self.psql_as_postgres(self.sql)
        asked = ("SELECT setting, sourcefile LIKE '%postgresql.auto.conf' FROM pg_settings"
                 " WHERE name = 'synchronous_standby_names'")
        self.assertEqual(self.psql_as_postgres(asked), "|\n")
        done = self.psql("keeper", "ALTER SYSTEM SET synchronous_standby_names = 'n2'")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.psql("keeper", "SELECT pg_reload_conf()")
        self.wait_until(lambda: self.psql_as_postgres(asked) == "n2|t\n")

    def test_statements_are_refused_in_another_database(self):
        self.start("async")
        wrong = self.sql.replace("<> 'postgres'", "<> 'elsewhere'")
        done = subprocess.run(["runuser", "-u", "postgres", "--", f"{PG_BIN}/psql", "-Xq", "-v",
                               "ON_ERROR_STOP=1", "-h", self.top, "-d", "postgres"],
                              input=wrong, capture_output=True, text=True, timeout=60, check=False,
                              cwd="/")
        self.assertIn("the helpers use", done.stderr)


if __name__ == "__main__":
    unittest.main()
