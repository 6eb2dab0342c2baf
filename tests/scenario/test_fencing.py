# SPDX-License-Identifier: PostgreSQL
"""Fencing by power: real fence_ipmilan against boards that really switch the nodes off, and agents and hooks that hang, lie
or fail half the time."""

import os
import subprocess
import time
import unittest

import power
from damage import Damaging
from lablib.seeds import LIBEXEC
from power import Power, agent_sets

class Ipmi(power.SwitchesOff):
    sets = agent_sets("/usr/sbin/fence_ipmilan", "ssh, agent")

    def test_crash_needs_no_agent(self):
        load = self.lab.load_begin(60)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.assertEqual(self.asked_agent(self.new), [])
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_standby_that_is_cut_off_switches_nothing_off(self):
        """It reaches the board of the primary, and sees no witness."""
        load = self.lab.load_begin(60)
        self.lab.fault("isolate", self.new)
        self.wait_said(self.new, "rule=witness-unseen", 20)
        done = self.fence_old(self.new)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("the witness is not seen from here", done.stderr)
        self.assertEqual(self.power(self.old), "on")
        self.lab.fault("heal")
        self.assert_nothing_happened(load.stop())

    def test_board_without_power(self):
        """A power cord for both: no proof, so no takeover, and a word about it."""
        self.lab.fault("power-off", self.old)
        switch = f"/run/netns/pgv-{self.lab.name}-sw"
        rule = ["nft", "add table inet bmc; add chain inet bmc in "
                       "{ type filter hook input priority 0; policy drop; }"]
        subprocess.run(["nsenter", f"--net={switch}", "--", *rule], check=True)
        try:
            self.wait_said(self.new, "rule=unproven", 60)
            self.assertEqual(self.role(self.new), "standby")
        finally:
            subprocess.run(["nsenter", f"--net={switch}", "--", "nft", "delete table inet bmc"],
                           check=True)
        self.wait(self.serves(self.new), 60, "the standby serves, now that the board answers")

    def test_operator_switches_off_what_does_not_answer(self):
        load = self.lab.load_begin(90)
        # Nobody else does it first.
        with self.without(self.new, "guard"), self.without(self.new, "keepalived"):
            self.lab.fault("freeze", self.old)
            done = self.fence_old(self.new)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("the other node is fenced", done.stderr)
            self.assertEqual(self.power(self.old), "off")
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.come_back(load)

    def test_both_switch_each_other_off(self):
        """Two operators at the same moment, the cable between the nodes cut: only the standby does it."""
        self.lab.fault("cut", self.old, self.new)
        argv = [f"{LIBEXEC}/fence_old", "-c", self.lab.settings.ini_path(), "-v"]
        processes = [subprocess.Popen(self.lab.node(node).command(argv), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                     for node in (self.old, self.new)]
        for process in processes:
            process.wait(60)
        self.lab.fault("heal")
        self.assertEqual((self.power(self.old), self.power(self.new)), ("off", "on"))
        self.wait(self.serves(self.new), 40, "the node that is left serves")


class Mutual(Damaging):
    """Two operators at the same moment, and nothing in the way of ssh."""

    def both(self) -> dict[str, int]:
        argv = [f"{LIBEXEC}/fence_old", "-c", self.lab.settings.ini_path(), "-v"]
        processes = {node: subprocess.Popen(self.lab.node(node).command(argv),
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
                     for node in (self.old, self.new)}
        return {node: process.wait(60) for node, process in processes.items()}

    def one_is_left(self) -> None:
        codes = self.both()
        self.assertEqual(sorted(codes.values())[0], 0, codes)
        self.assertNotEqual(codes[self.old], codes[self.new], codes)
        left = next(node for node, code in codes.items() if code == 0)
        self.assertNotEqual(self.role(left), "down")
        self.wait(self.serves(left), 30, "the one that is left serves")
        other = self.new if left == self.old else self.old
        self.wait(self.promotable(other), 30, "the other one is a standby again")

    def test_primary_and_standby_fence_each_other(self):
        load = self.lab.load_begin(120)
        self.one_is_left()
        self.assert_safe(load.stop())

    def test_with_the_roles_the_other_way_round(self):
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 30, "the old primary is a standby")
        self.one_is_left()


class IpmiAndWitnessHost(Power):
    """The witness host can ask the node: a cable between the nodes is no reason to switch anything off."""
    sets = agent_sets("/usr/sbin/fence_ipmilan", "ssh, ssh-witness, agent")

    def test_nodes_cut_from_each_other(self):
        load = self.lab.load_begin(60)
        self.lab.fault("cut", self.old, self.new)
        self.wait_said(self.new, "by ssh-witness: alive", 20)
        time.sleep(8)
        self.assertEqual(self.power(self.old), "on")
        self.assertFalse(self.said(self.new, "by agent: fenced"))
        self.lab.fault("heal")
        self.assert_nothing_happened(load.stop())

    def test_sshd_and_postgres_hang(self):
        """The host answers pings, and nobody who could say that it serves."""
        load = self.lab.load_begin(90)
        self.hang(self.old, "sshd", "postgres", "fence_self", "keepalived")
        self.wait(self.serves(self.new), 60, "the standby serves")
        self.assertEqual(self.power(self.old), "off")
        self.come_back(load)


class Record(Power):
    """With a record a failover needs no agent, and an operator's fence_old has one all the same."""
    witness = "postgres"
    sets = agent_sets("/usr/sbin/fence_ipmilan", "ssh, agent")

    def baseline(self, node: str) -> bool:
        return self.seen_on(node)

    def test_host_that_hangs_is_taken_over_from(self):
        load = self.lab.load_begin(60)
        self.lab.fault("freeze", self.old)
        self.wait(self.took_over(self.new), 30, "the standby serves")
        self.assertEqual(self.asked_agent(self.new), [])
        self.lab.fault("power-off", self.old)
        self.come_back(load)

    def test_released_counts_as_fenced(self):
        load = self.lab.load_begin(60)
        with self.without(self.new, "guard"), self.without(self.new, "keepalived"):
            self.lab.fault("crash", self.old)
            self.wait(lambda: (self.record() or {}).get("released"), 10, "the record says released")
            self.lab.fault("freeze", self.old)
            done = self.fence_old(self.new)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("record: the record says that it has released its right", done.stderr)
            self.assertEqual(self.power(self.old), "on")
            self.lab.fault("thaw", self.old)
        self.assert_safe(load.stop())


HOOK = """#!/bin/sh
# A provider's interface, which happens to be the node's board: off, and seen to be off.
ask() { { cat "/etc/pg_vrrp/$1.fence"; echo "action=$2"; } | /usr/sbin/fence_ipmilan >/dev/null 2>&1; }
echo "$*" >>/run/hook.calls
if [ "$1" = --test ]; then ask "$3" status; echo "could be switched off"; exit "$?"; fi
[ -e /run/hook.fails ] && { echo "the provider is closed"; exit 1; }
ask "$2" off
ask "$2" status
[ "$?" = 2 ] && echo "switched off by contract"
"""


class Hook(Power):
    """A way that is the user's own, before the agent."""
    path = "/etc/pg_vrrp/hook"
    sets = agent_sets("/usr/sbin/fence_ipmilan", "ssh, hook, agent") + [f"fencing.hook={path}"]

    def baseline(self, node: str) -> bool:
        target = self.lab.node(node).path(self.path)
        if not os.path.exists(target):
            with open(target, "w", encoding="ascii") as file:
                file.write(HOOK)
            os.chmod(target, 0o700)
        return True

    def test_host_that_hangs_is_switched_off(self):
        load = self.lab.load_begin(90)
        test = self.fence_old(self.new, "--test")
        self.assertEqual(test.returncode, 0, test.stderr)
        self.assertEqual(self.power(self.old), "on")
        self.lab.fault("freeze", self.old)
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.assertTrue(self.said(self.new, "by hook: fenced (the hook ended with exit code 0:"
                                            " switched off by contract)"))
        self.assertFalse(self.said(self.new, "by agent: fenced"))
        self.assertEqual(self.power(self.old), "off")
        host = self.lab.settings.host(self.old)
        self.assertIn(f"{self.lab.settings.cluster} {self.old} {host.address}\n",
                      self.sh(self.new, "cat /run/hook.calls"))
        self.come_back(load)

    def test_hook_that_fails_leaves_it_to_the_agent(self):
        self.sh(self.new, ": >/run/hook.fails")
        self.lab.fault("freeze", self.old)
        self.wait(self.serves(self.new), 60, "the standby serves")
        self.assertTrue(self.said(self.new, "by hook: unknown (the hook ended with exit code 1:"
                                            " the provider is closed)"))
        self.assertTrue(self.said(self.new, "by agent: fenced (the agent's status says off)"))
        self.assertEqual(self.power(self.old), "off")


AGENT = """#!/bin/sh
# As the node's board would be, and as far from reliable as the files beside it say.
cat >/run/agent.input
action=$(sed -n 's/^action=//p' /run/agent.input)
echo "$action" >>/run/agent.calls
[ ! -e /run/agent.hangs ] || exec sleep 600
if [ -e /run/agent.half ]; then
	if [ -e /run/agent.failed ]; then rm /run/agent.failed; else : >/run/agent.failed; exit 1; fi
fi
if [ -e /run/agent.lies ]; then [ "$action" = off ] || exit 0; exit 0; fi
exec /usr/sbin/fence_ipmilan </run/agent.input
"""


class Unreliable(Power):
    """The agent is a script before the real one; the boards are there all the same."""
    sets = agent_sets("/etc/pg_vrrp/fence_ipmilan", "ssh, agent")

    def setUp(self) -> None:
        super().setUp()
        for node in (self.old, self.new):
            for name in ("hangs", "half", "failed", "lies"):
                self.forget(node, name)

    def forget(self, node: str, name: str) -> None:
        path = self.lab.node(node).path(f"/run/agent.{name}")
        if os.path.exists(path):
            os.unlink(path)

    def put(self, node: str, path: str, text: str = "", mode: int = 0o600) -> None:
        target = self.lab.node(node).path(path)
        with open(target, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(target, mode)

    def baseline(self, node: str) -> bool:
        agent = "/etc/pg_vrrp/fence_ipmilan"
        if not os.path.exists(self.lab.node(node).path(agent)):
            self.put(node, agent, AGENT, 0o700)
        return self.seen_on(node) or self.fence_old(node, "--test").returncode == 0

    def test_agent_that_fails_half_the_time(self):
        load = self.lab.load_begin(90)
        self.put(self.new, "/run/agent.half")
        self.lab.fault("freeze", self.old)
        self.wait(self.serves(self.new), 60, "the standby serves")
        self.assertEqual(self.power(self.old), "off")
        self.come_back(load)

    def test_agent_that_lies(self):
        self.put(self.new, "/run/agent.lies")
        self.lab.fault("freeze", self.old)
        self.wait_said(self.new, "rule=unproven", 60)
        self.assertEqual((self.role(self.new), self.power(self.old)), ("standby", "on"))
        self.forget(self.new, "lies")
        self.wait(self.serves(self.new), 60, "the standby serves")
        self.assertEqual(self.power(self.old), "off")

    def test_agent_that_hangs(self):
        self.put(self.new, "/run/agent.hangs")
        self.lab.fault("freeze", self.old)
        self.wait_said(self.new, "rule=unproven", 60)
        self.assertEqual((self.role(self.new), self.power(self.old)), ("standby", "on"))
        self.forget(self.new, "hangs")
        self.wait(self.serves(self.new), 60, "the standby serves")
        self.assertEqual(self.power(self.old), "off")


if __name__ == "__main__":
    unittest.main()
