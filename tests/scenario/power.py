# SPDX-License-Identifier: PostgreSQL
"""What scenarios share in which a host is switched off, whatever its management board speaks."""

import os
import signal
import subprocess

from damage import Damaging
from scenario import Scenario

OPTIONS = {"n1": "/etc/pg_vrrp/n1.fence", "n2": "/etc/pg_vrrp/n2.fence"}


def agent_sets(agent: str, methods: str) -> list[str]:
    return (Scenario.sets + [f"node {node}.fence_agent_options={path}" for node, path in OPTIONS.items()]
            + [f"fencing.agent={agent}", f"fencing.methods={methods}", "fencing.power_timeout=12s",
               "witness.ssh=" + ("yes" if "ssh-witness" in methods else "no")])


class Power(Damaging):
    def seen_on(self, node: str) -> bool:
        other = next(name for name in self.lab.status()["nodes"] if name != node)
        return os.path.exists(self.state_file(node, f"agent.{other}"))

    def power(self, node: str) -> str:
        return self.lab.status()["nodes"][node]["power"]

    def fence_old(self, node: str, *arguments: str) -> subprocess.CompletedProcess:
        return self.lab.helper(node, "fence_old", "-v", *arguments)

    def hang(self, node: str, *programs: str) -> None:
        """They stand still, and the host's kernel goes on answering."""
        for process in self.lab.node(node).processes():
            if process.exe in programs:
                process.signal(signal.SIGSTOP)

    def asked_agent(self, node: str) -> list[str]:
        """What it said of fencing by its agent; that the agent would do it is asked by and by anyhow."""
        said = [line.text for line in self.lab.logs(node, self.begun_ms) if "by agent: " in line.text]
        return [text for text in said if "by agent: ready" not in text]

    def come_back(self, load) -> None:
        """The one that was switched off is switched on, and is a standby."""
        self.lab.fault("boot", self.old)
        self.wait(self.promotable(self.old), 40, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def secret(self, node: str) -> str:
        """The password of this node's board."""
        with open(self.lab.node(node).path(OPTIONS[node]), encoding="ascii") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file)["password"]

    def assert_no_secrets(self, text: str) -> None:
        logged = "".join(line.text for line in self.lab.logs())
        for node in (self.old, self.new):
            self.assertNotIn(self.secret(node), text)
            self.assertNotIn(self.secret(node), logged)


class SwitchesOff(Power):
    """Every board: a witness that only answers pings, and without an agent nobody would take over from a
    host that hangs."""

    def baseline(self, node: str) -> bool:
        return self.seen_on(node)

    def test_host_that_hangs_is_switched_off(self):
        load = self.lab.load_begin(90)
        self.lab.fault("freeze", self.old)
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.assertTrue(self.said(self.new, "by agent: fenced (the agent's status says off)"))
        self.assertEqual(self.power(self.old), "off")
        self.come_back(load)

    def test_host_that_is_off_already(self):
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.come_back(load)

    def test_every_way_is_tried_and_nothing_touched(self):
        load = self.lab.load_begin(60)
        for node in (self.old, self.new):
            done = self.fence_old(node, "--test")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"agent +the agent's status says on")
            self.assertNotIn("password", done.stdout + done.stderr)
            self.assert_no_secrets(done.stdout + done.stderr)
        self.assert_nothing_happened(load.stop())
