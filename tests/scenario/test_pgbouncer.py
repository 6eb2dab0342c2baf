# SPDX-License-Identifier: PostgreSQL
"""Applications behind Debian's PgBouncer on their own host, set up by examples/pgbouncer, before the virtual address: it
leads to the new primary after each change of roles, also when the old one left without a word."""

import json
import shutil
import unittest

from behind import Behind
from scenario import ROOT

from lablib.places import CLIENT

EXAMPLE = f"{ROOT}/examples/pgbouncer/pgbouncer.ini"
USERS = "/run/pgbouncer.users"


class Pgbouncer(Behind):
    def setUp(self) -> None:
        super().setUp()
        settings = self.lab.settings
        with open(self.lab.node(CLIENT).path(USERS), "w", encoding="ascii") as file:
            file.write('"lab" ""\n')
        self.configure(EXAMPLE, "/run/pgbouncer.ini", {
            "host=192.0.2.10 port=5432": f"host={settings.vip.ip} port={settings.port}",
            "listen_port = 6432": f"listen_port = {settings.port}",
            "auth_type = scram-sha-256": "auth_type = trust",
            "/etc/pgbouncer/userlist.txt": USERS,
        })
        self.start(CLIENT, "/usr/sbin/pgbouncer", "-q", "-u", "postgres", "/run/pgbouncer.ini")
        self.wait(lambda: self.leads_to(settings.port) == self.old, 20, "it leads to the primary")

    def moved(self) -> None:
        self.wait(lambda: self.leads_to(self.lab.settings.port) == self.new, 40, "it leads to the new primary")

    def test_a_crash_loses_nothing(self):
        writers = self.begin_to_write()
        self.lab.fault("crash", self.old)
        self.moved()
        self.assert_they_go_on(writers)

    def test_a_host_that_is_gone_without_a_word_loses_nothing(self):
        # It has their statements, and nothing is on its way that the new owner of the address could refuse.
        writers = self.begin_to_write(0.3)
        self.lab.fault("power-off", self.old)
        self.moved()
        self.assert_they_go_on(writers)

    def test_a_switchover_takes_them_along(self):
        self.assert_a_switchover_takes_them_along()

    def test_one_on_a_node_is_told_by_either_node(self):
        """The kernel's lease does not hold its clients back (docs/safety.md, "What is not promised")."""
        for node in (self.old, self.new):
            self.assertNotIn("pooler-beside", self.findings(node))
        node = self.lab.node(self.old)
        shutil.copy(self.lab.node(CLIENT).path("/run/pgbouncer.ini"), node.path("/run/pgbouncer.ini"))
        shutil.copy(self.lab.node(CLIENT).path(USERS), node.path(USERS))
        with open(node.path("/run/pgbouncer.ini"), encoding="utf-8") as file:
            text = file.read()
        with open(node.path("/run/pgbouncer.ini"), "w", encoding="utf-8") as file:
            file.write(text.replace(f"listen_port = {self.lab.settings.port}", "listen_port = 6432"))
        self.start(self.old, "/usr/sbin/pgbouncer", "-q", "-u", "postgres", "/run/pgbouncer.ini")
        self.wait(lambda: "pgbouncer" in self.findings(self.old).get("pooler-beside", ""), 20, "the node tells it")
        self.assertIn("pgbouncer", self.findings(self.new)["pooler-beside"])

    def findings(self, node: str) -> dict[str, str]:
        """What is seen, by the check."""
        told = json.loads(self.lab.helper(node, "check_setup", "--json").stdout)
        return {one["check"]: json.dumps(one) for one in told["findings"]}


if __name__ == "__main__":
    unittest.main()
