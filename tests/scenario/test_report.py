# SPDX-License-Identifier: PostgreSQL
"""`report`: what somebody who is to help wants to know, while all is well and while a node is gone, and no secret."""

import os
import tarfile
import unittest

from recorded import Recorded

OUTPUT = "/root/told.tar.gz"
PARTS = {"status.txt", "status.json", "history.txt", "check_setup.txt", "configuration.txt", "state.txt",
         "postgresql.txt", "record.txt", "host.txt", "network.txt", "firewall.txt", "versions.txt"}


class Report(Recorded):
    def told(self, node: str) -> dict[str, str]:
        done = self.lab.helper(node, "report", "--output", OUTPUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.strip(), OUTPUT)
        path = self.lab.node(node).path(OUTPUT)
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        with tarfile.open(path) as archive:
            return {os.path.basename(one.name): archive.extractfile(one).read().decode(errors="replace")
                    for one in archive if one.isfile()}

    def secrets(self, node: str) -> list[str]:
        found = []
        for path in (self.lab.settings.passfile, self.lab.settings.witness_passfile):
            with open(self.lab.node(node).path(path), encoding="ascii") as file:
                found.append(file.read().strip().rpartition(":")[2])
        self.assertTrue(all(len(one) > 8 for one in found))
        return found

    def append(self, node: str, path: str, text: str) -> None:
        with open(self.lab.node(node).path(path), "r+", encoding="utf-8") as file:
            before = file.read()
            file.write(text)
        self.addCleanup(self.put_back, node, path, before)

    def put_back(self, node: str, path: str, text: str) -> None:
        if self.lab:
            with open(self.lab.node(node).path(path), "w", encoding="utf-8") as file:
                file.write(text)

    def assert_no_secret(self, told: dict[str, str], secrets: list[str]) -> None:
        for name, text in told.items():
            for secret in [*secrets, "PRIVATE KEY", "SCRAM-SHA-256$"]:
                self.assertNotIn(secret, text, name)

    def test_of_both_nodes(self):
        for node in (self.old, self.new):
            secret = self.secrets(node)[0]
            self.append(node, "/etc/keepalived/keepalived.conf", f"# auth_pass of-another\n# {secret}\n")
            told = self.told(node)
            self.assertEqual(PARTS - set(told), set())
            self.assertIn(self.old, told["status.txt"])
            self.assertIn("pg_stat_replication", told["postgresql.txt"])
            self.assertIn("lease", told["firewall.txt"])
            self.assertIn("[cluster]", told["configuration.txt"])
            self.assertIn("auth_pass ***", told["configuration.txt"])
            self.assert_no_secret(told, [*self.secrets(node), "of-another"])

    def test_of_a_node_whose_peer_is_gone(self):
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        told = self.told(self.new)
        self.assertIn("promoted", told["history.txt"])
        self.assert_no_secret(told, self.secrets(self.new))


if __name__ == "__main__":
    unittest.main()
