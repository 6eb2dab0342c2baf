# SPDX-License-Identifier: PostgreSQL
"""Two hosts with Debian's PostgreSQL become a cluster by README's commands, which are taken out of the page,
and are protected then; and it goes away again."""

import os
import re
import shutil
import unittest

from lablib import debian, places
from lablib.hosts import Hosts
from onhosts import RELEASE, ROOT, OnHosts, why_no_boot

CONF = "/etc/pg_vrrp/main.ini"
# "n1# pg_vrrp setup primary --restart"
with open(f"{ROOT}/README.md", encoding="utf-8") as page:
    PRIMARY, STANDBY, PAIR = re.findall(r"^ +n[12]# pg_vrrp setup (.*)$", page.read(), re.M)


class SetUp(OnHosts):
    """Hosts with an existing database on the first one, and nothing of ours but the programs."""

    def make_lab(self) -> Hosts:
        if why := why_no_boot():
            raise unittest.SkipTest(why)
        return Hosts.up(self.lab_name(), release=RELEASE, witness=self.witness, mode=self.mode, bare=True)

    def setUp(self) -> None:
        self.new_lab()
        self.old, self.new = (host.name for host in self.lab.settings.nodes())
        self.begun_ms = self.now_ms()
        nodes = [self.lab.node(name) for name in (self.old, self.new, places.WITNESS)]
        self.person = debian.SetUp(self.lab.settings, *nodes)

    def setup_node(self, node: str, words: str, expected: int = 0) -> str:
        done = self.on(node, f"cd /root && pg_vrrp setup {words}", 180)
        self.assertEqual(done.returncode, expected, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def carry(self, path: str, source: str, *targets: str) -> None:
        """scp FILE root@TARGET:"""
        for target in targets:
            shutil.copy(self.lab.node(source).path(path),
                        self.lab.node(target).path("/root/" + os.path.basename(path)))

    def files(self, node: str) -> str:
        return self.on(node, "cd /etc && find pg_vrrp postgresql systemd/system keepalived tmpfiles.d "
                             "-type f -exec sha256sum {} +; cat /root/.ssh/authorized_keys").stdout

    def ask(self, statement: str, node: str = "") -> str:
        """Of n1's server, or another one, as its owner."""
        done = self.on(node or self.old, f"cd / && su postgres -c 'psql -XAtqc \"{statement}\"'")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def started(self) -> str:
        return self.ask("SELECT pg_postmaster_start_time()")

    def write_configuration(self) -> None:
        """Its own on n1; the witness is set up from there, as README says."""
        for node in (self.person.first, self.person.witness):
            self.person.put(node, CONF, self.lab.settings.ini.text_without("lab"))

    def let_in_at_the_witness(self) -> None:
        """What `setup primary` prints for a witness host that answers ssh."""
        self.carry("/etc/pg_vrrp/main.authorized", self.old, places.WITNESS)
        done = self.on(places.WITNESS, "install -d -m 700 ~root/.ssh && "
                                       "cat /root/main.authorized >>~root/.ssh/authorized_keys && "
                                       f"pg_vrrp cluster_config known_hosts --witness -c {CONF} >/root/w.hostkeys")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.carry("/root/w.hostkeys", places.WITNESS, self.old, self.new)
        for node in (self.old, self.new):
            self.setup_node(node, "pair w.hostkeys")

    def test_two_hosts_become_a_cluster_by_three_commands(self):
        self.write_configuration()
        self.assertIn("the witness has to be there first", self.setup_node(self.old, "primary", 78))
        self.person.make_witness([self.person.first])

        before, started = self.files(self.old), self.started()
        self.assertIn("would do", self.setup_node(self.old, f"{PRIMARY} --dry-run"))
        self.assertEqual(self.files(self.old), before)
        self.assertIn("wal_log_hints", self.setup_node(self.old, "primary", 4))
        self.assertEqual(self.started(), started)

        self.setup_node(self.old, PRIMARY)
        again = self.started()
        self.assertNotEqual(again, started)
        self.setup_node(self.old, PRIMARY)
        self.assertIn("nothing was to be changed", self.setup_node(self.old, "primary"))
        self.assertEqual(self.started(), again)
        self.ask("CREATE TABLE written_before_the_standby()")

        self.carry("/etc/pg_vrrp/main.bundle", self.old, self.new)
        before = self.files(self.new)
        self.setup_node(self.new, f"{STANDBY} --dry-run")
        self.assertEqual(self.files(self.new), before)
        self.assertIn("remove it when you do not need it", self.setup_node(self.new, STANDBY))
        self.assertIn("nothing was to be changed", self.setup_node(self.new, STANDBY))
        self.let_in_at_the_witness()
        self.carry("/etc/pg_vrrp/main.answer", self.new, self.old)
        self.setup_node(self.old, PAIR)
        self.assertEqual(self.started(), again)
        self.wait_paired(40)

        self.assertIn("is a standby", self.setup_node(self.new, "primary", 78))
        load = self.lab.load_begin(60)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.standby_streams(self.old), 60, "the old primary came back as a standby")
        self.assert_took_over(load.stop())
        self.wait_paired(60)
        self.take_it_away(self.new, self.old)

    def take_it_away(self, primary: str, standby: str) -> None:
        self.assertIn("remove it there first", self.setup_node(primary, "remove", 78))
        self.assertIn("would do", self.setup_node(standby, "remove --dry-run"))
        self.assertTrue(self.lab.writable())
        self.setup_node(standby, "remove")
        self.setup_node(primary, "remove")
        for node in (primary, standby):
            left = self.on(node, "cat /etc/postgresql/*/main/start.conf; nft list tables; ls /etc/pg_vrrp; "
                                 "ls /etc/keepalived/*.conf; systemctl is-active keepalived pg_vrrp-guard@main; cat /root/.ssh/authorized_keys").stdout
            self.assertEqual(left.split(), ["auto", "main.ini", "main.pgpass", "inactive", "inactive"])
        self.ask("CREATE TABLE written_after_it()", primary)
        self.assertIn("still follows", self.setup_node(primary, "remove"))
        self.on(standby, f"systemctl stop {self.unit()}")
        self.setup_node(primary, "remove")
        ours = "SELECT rolname FROM pg_roles WHERE rolname ~ $$^pgv$$ UNION SELECT slot_name FROM pg_replication_slots"
        self.assertEqual(self.ask(ours.replace("$", "\\$"), primary), "")


if __name__ == "__main__":
    unittest.main()
