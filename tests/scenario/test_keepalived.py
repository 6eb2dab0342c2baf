# SPDX-License-Identifier: PostgreSQL
"""VRRP is a hint: what keepalived believes, or is made to believe, promotes nobody and keeps nobody from being promoted."""

import contextlib
import os
import signal
import subprocess
import time
import unittest
from collections.abc import Iterator

from damage import Damaging


class Keepalived(Damaging):
    # Longer than any stranger here speaks, so that it is the standby's turn when he falls silent.
    sets = Damaging.sets + ["timing.restart_wait=12s"]

    def election_at(self, node: str):
        """It has the address of the election, which only its MASTER has."""
        address = f"127.0.{self.lab.settings.ini.get('cluster', 'virtual_router_id')}.1"
        return lambda: address in self.sh(node, "ip -o addr show dev lo")

    def refused(self, node: str, rule: str) -> bool:
        """By its last attempt, which is not told twice in a minute."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.run_file(node, "attempt.promote_safe"), encoding="ascii") as file:
                return f"rule={rule}\n" in file.read()
        return False

    def test_standby_is_master_when_the_primary_crashes(self):
        """notify_master has been called, and refused, long before; no VRRP event will come."""
        load = self.lab.load_begin(60)
        self.wait(self.election_at(self.old), 10, "the primary is MASTER of the election")
        self.lab.fault("kill", self.old, "keepalived")
        self.wait(self.election_at(self.new), 3, "the standby is MASTER of the election")
        self.wait(lambda: self.refused(self.new, "peer-serves"), 3, "promote_safe has refused")
        self.assertEqual(self.vip_seen(2), {self.old})
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 10, "the standby serves, and the VIP has left the old one")
        self.assertFalse(self.lab.status()["nodes"][self.old]["keepalived"])
        # It begins as one who knows nothing, and takes nothing.
        self.lab.node(self.old).order("start keepalived")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assertEqual(self.vip_seen(2), {self.new})
        self.assert_took_over(load.stop())

    def test_standby_is_master_and_the_primary_takes_its_time_to_answer(self):
        """Nobody asks a healthy server for its address just because it lets nobody in for a moment."""
        load = self.lab.load_begin(60)
        self.wait(self.election_at(self.old), 10, "the primary is MASTER of the election")
        postmaster = self.lab.node(self.old).postmaster(self.lab.settings.data_dir)
        postmaster.signal(signal.SIGSTOP)
        self.lab.fault("kill", self.old, "keepalived")
        self.wait(self.election_at(self.new), 3, "the standby is MASTER of the election")
        time.sleep(0.15)
        postmaster.signal(signal.SIGCONT)
        self.wait(lambda: self.refused(self.new, "peer-serves"), 3, "promote_safe has refused")
        self.assertFalse(self.said(self.new, "is withdrawn"))
        self.lab.fault("heal")
        self.assert_safe(load.stop())
        self.assertEqual(self.promotions(), 0)

    def test_standby_is_master_after_a_refusal(self):
        """The witness was away when the primary crashed, so that came back; then it crashes again."""
        load = self.lab.load_begin(90)
        self.lab.fault("power-off", "witness")
        self.lab.fault("crash", self.old)
        self.wait_said(self.new, "rule=witness-unseen", 5)
        self.wait(self.election_at(self.new), 3, "the standby is MASTER of the election")
        # Its keepalived hears nothing any more, so that it stays MASTER.
        self.lab.fault("freeze", self.old, "keepalived")
        self.wait(lambda: self.role(self.old) == "primary", 20, "the primary is back")
        self.lab.fault("boot", "witness")
        self.assertTrue(self.election_at(self.new)())
        self.wait(self.promotable(self.new), 10, "a standby that could take over")
        self.lab.fault("crash", self.old)
        self.wait(self.took_over(self.new), 10, "the standby serves")
        self.lab.fault("heal")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_restarted_on_the_primary(self):
        load = self.lab.load_begin(60)
        with self.without(self.old, "keepalived"):
            pass
        self.wait(self.serves(self.old), 10, "the VIP is back")
        self.wait(self.election_at(self.old), 5, "the primary is MASTER of the election")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertLess(report["outage_ms"], 4000, report)
        self.assertEqual(self.promotions(), 0)

    def test_restarted_on_the_standby(self):
        load = self.lab.load_begin(60)
        with self.without(self.new, "keepalived"):
            pass
        self.wait_said(self.new, "(main_election) Entering BACKUP STATE", 5)
        self.assertEqual(self.vip_seen(2), {self.old})
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)


    # ---- somebody on the segment speaks VRRP with the highest priority ----

    @contextlib.contextmanager
    def adverts(self, *ways: str) -> Iterator[None]:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stranger.py")
        settings = self.lab.settings
        vrid = int(settings.ini.get("cluster", "virtual_router_id"))
        argv = ["/usr/bin/python3", "-B", script, str(settings.vip.ip), str(vrid), str(vrid + 1),
                *ways]
        with subprocess.Popen(self.lab.node("client").command(argv), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "speaks\n")
            try:
                yield
                self.assertIsNone(process.poll(), "it has spoken all the time")
            finally:
                process.stdin.close()

    def addresses(self) -> dict[str, str]:
        return {name: host.address for name, host in self.lab.settings.hosts.items()}

    def test_stranger_in_his_own_name_is_not_believed(self):
        load = self.lab.load_begin(60)
        at = self.addresses()
        targets = (at[self.old], at[self.new], "224.0.0.18")
        with self.adverts(*[f"{at['client']}:{target}" for target in targets]):
            self.assertEqual(self.vip_seen(3), {self.old})
            self.assertEqual(self.promotions(), 0)
            for node in (self.old, self.new):
                self.assertTrue(self.said(node, "not a unicast peer"))
                self.assertFalse(self.said(node, "(main_vip) Entering"))
            self.lab.fault("crash", self.old)
            self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_stranger_in_the_name_of_the_standby_promotes_nobody(self):
        load = self.lab.load_begin(60)
        at = self.addresses()
        with self.adverts(f"{at[self.new]}:{at[self.old]}"):
            self.wait_said(self.old, "(main_election) Entering BACKUP STATE", 3)
            self.assertNotIn(self.new, self.vip_seen(3))
            self.assertEqual(self.role(self.old), "primary")
        self.wait(self.serves(self.old), 5, "the primary serves again")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.promotions(), 0)

    def test_stranger_in_the_name_of_the_primary_delays_a_takeover(self):
        """The standby believes that there is a MASTER as long as one speaks."""
        load = self.lab.load_begin(60)
        at = self.addresses()
        with self.adverts(f"{at[self.old]}:{at[self.new]}"):
            self.assertEqual(self.vip_seen(2), {self.old})
            self.lab.fault("crash", self.old)
            self.wait_said(self.new, "rule=not-master", 6)
            self.assertEqual(self.role(self.new), "standby")
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
