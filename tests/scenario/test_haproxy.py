# SPDX-License-Identifier: PostgreSQL
"""Applications behind Debian's HAProxy, set up by examples/haproxy, which asks node_health who serves: with each change of
roles their port for writes leads to the new primary, and the port for reads to the other node."""

import unittest

from behind import Behind
from scenario import QUICK, ROOT

from lablib.places import CLIENT
from lablib.seeds import LIBEXEC

EXAMPLE = f"{ROOT}/examples/haproxy/haproxy.cfg"
READS = 5001


class Haproxy(Behind):
    sets = [*QUICK, "health.listen=node"]

    def setUp(self) -> None:
        super().setUp()
        self.port = self.lab.settings.port
        for name in (self.old, self.new):
            self.start(name, f"{LIBEXEC}/node_health", "--serve", "-c", self.lab.settings.ini_path())
        changes = {"*:5000": f"*:{self.port}"}
        for host, example in zip(self.lab.settings.nodes(), ("192.0.2.1:5432", "192.0.2.2:5432")):
            changes[example] = f"{host.address}:{self.port}"
        self.configure(EXAMPLE, "/run/haproxy.cfg", changes)
        self.start(CLIENT, "/usr/sbin/haproxy", "-db", "-f", "/run/haproxy.cfg")
        self.wait(lambda: self.leads_to(self.port) == self.old, 20, "writes go to the primary")

    def moved(self) -> None:
        self.wait(lambda: self.leads_to(self.port) == self.new, 20, "writes go to the new primary")
        self.wait(lambda: self.leads_to(READS) == self.old, 40, "reads go to the other node")

    def test_a_crash_leads_its_clients_to_the_new_primary_and_loses_nothing(self):
        self.wait(lambda: self.leads_to(READS) == self.new, 20, "reads go to the standby")
        writers = self.begin_to_write()
        self.lab.fault("crash", self.old)
        self.moved()
        self.assert_they_go_on(writers)

    def test_a_switchover_takes_them_along(self):
        self.assert_a_switchover_takes_them_along()


if __name__ == "__main__":
    unittest.main()
