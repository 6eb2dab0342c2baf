# SPDX-License-Identifier: PostgreSQL
"""Fencing by power once more, with another agent: real fence_redfish against boards that speak Redfish by HTTPS."""

import json
import unittest

import power
from lablib import places
from lablib.run import run

TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
END = "-----END CERTIFICATE-----\n"
SYSTEM = "systems_uri=/redfish/v1/Systems/1\n"


class Redfish(power.SwitchesOff):
    sets = power.agent_sets("/usr/sbin/fence_redfish", "ssh, agent")

    def assert_test_fails(self, why: str) -> None:
        done = self.fence_old(self.new, "--test")
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, rf"agent +the agent's \"status\" ended with exit code 1: .*{why}")
        self.assert_no_secrets(done.stdout + done.stderr)

    def test_wrong_password_proves_nothing(self):
        options, right = power.OPTIONS[self.old], self.secret(self.old)
        with self.changed(self.new, options, f"password={right}", "password=wrong"):
            self.assert_test_fails("Unable to get PowerState")
            self.lab.fault("freeze", self.old)
            self.wait_said(self.new, "rule=unproven", 60)
            self.assertTrue(self.said(self.new, "by agent: unknown (the agent's \"status\" ended with"
                                                " exit code 1: "))
            self.assertEqual((self.role(self.new), self.power(self.old)), ("standby", "on"))
            self.assertEqual(self.promotions(), 0)
        self.wait(self.serves(self.new), 60, "the standby serves, now that the password is right")
        self.assertEqual(self.power(self.old), "off")

    def test_board_that_nobody_vouches_for(self):
        """Whoever sits at the board's address could say that the host is off."""
        with open(self.lab.node(self.new).path(TRUSTED), encoding="ascii") as file:
            authorities = file.read().split(END)
        own = authorities[list(power.OPTIONS).index(self.old)] + END
        with self.changed(self.new, TRUSTED, own, ""):
            self.assert_test_fails("Failed: send_get_request")
        self.assertTrue(self.said(self.new, "CERTIFICATE_VERIFY_FAILED"))

    def test_agent_finds_the_host_by_itself(self):
        """Without systems_uri it asks the service root, and so on."""
        with self.changed(self.new, power.OPTIONS[self.old], SYSTEM, ""):
            done = self.fence_old(self.new, "--test")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_host_that_the_board_does_not_have(self):
        with self.changed(self.new, power.OPTIONS[self.old], SYSTEM, SYSTEM.replace("/1", "/2")):
            self.assert_test_fails("Unable to get PowerState")

    def test_boards_stay_where_they_are_when_a_host_goes(self):
        """A bridge takes the lowest address of its ports, unless it has one."""
        switch = places.netns(self.lab.name, places.SWITCH)
        port = self.lab.settings.host(self.old).port
        before = self.address(switch, "br0")
        run(["ip", "-n", switch, "link", "set", port, "address", "02:00:00:00:00:00"])
        self.assertEqual(self.address(switch, port), "02:00:00:00:00:00")
        self.assertEqual(self.address(switch, "br0"), before)

    @staticmethod
    def address(netns: str, interface: str) -> str:
        return json.loads(run(["ip", "-n", netns, "-j", "link", "show", interface]))[0]["address"]


if __name__ == "__main__":
    unittest.main()
