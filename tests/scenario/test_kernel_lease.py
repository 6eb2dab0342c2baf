# SPDX-License-Identifier: PostgreSQL
"""The kernel enforces the lease: clients that reach a primary directly are cut when it ends, whatever of ours runs there."""

import signal
import time
import unittest

from clients import Patient
from scenario import Scenario

from lablib import switch

# The kernel counts in jiffies, and the client is told by a packet.
LATE_MS = 100
WRITERS = 8


class KernelLease(Patient):
    # Long enough to tell its end from the fault.
    sets = ["timing.lease=3s", "timing.retry_interval=1s"]

    def stamp_ms(self, node: str, name: str) -> int:
        with open(self.run_file(node, name), encoding="ascii") as file:
            return int(dict(line.rstrip("\n").split("=", 1) for line in file)["at_ms"])

    def lets_in(self, node: str) -> str:
        """What the kernel of the node says: "shut", "until" or "open"."""
        table = f"pg_vrrp_{self.lab.settings.cluster}"
        done = self.lab.run(node, ["/usr/sbin/nft", "list", "set", "inet", table, "lease"])
        self.assertEqual(done.returncode, 0, done.stderr)
        if "elements" not in done.stdout:
            return "shut"
        return "until" if "expires" in done.stdout else "open"

    def assert_cut_at(self, seen: dict, end_ms: float) -> None:
        """Written up to the end of the lease, told so at once, and not one row after it."""
        self.assertLess(max(seen["acked"]), end_ms + LATE_MS)
        self.assertGreater(max(seen["acked"]), end_ms - 1000)
        told = [moment for moment in seen["cut"] if moment >= end_ms - LATE_MS]
        self.assertTrue(told, seen["cut"])
        self.assertLess(min(told), end_ms + 1000)

    def test_nothing_of_ours_runs(self):
        """All that could fence is frozen: the kernel alone cuts clients of the VIP and of the node."""
        through_vip = self.clients(str(self.lab.settings.vip.ip), WRITERS)
        direct = self.clients(self.lab.settings.host(self.old).address, WRITERS)
        time.sleep(1)
        self.assertEqual(self.lets_in(self.old), "until")
        for kind in ("guard", "watch", "keepalived"):
            self.lab.fault("freeze", self.old, kind)
        time.sleep(0.2)
        end_ms = self.stamp_ms(self.old, "lease")
        self.wait(lambda: self.now_ms() > end_ms + 2000, 10, "the lease is long over")
        self.assertEqual(self.lets_in(self.old), "shut")
        for writer in (through_vip, direct):
            self.assert_cut_at(writer.end(), end_ms)
        # Nobody has stopped the server, and replication never was held back.
        self.assertEqual(self.role(self.old), "primary")
        self.assertTrue(self.standby_streams(self.new)())
        self.lab.fault("thaw", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.wait(lambda: self.lets_in(self.old) == "open", 5, "readers may read from it")

    def frozen_past_its_lease(self, thaw) -> None:
        """What it was asked before, and what it had said, is acknowledged to nobody after."""
        address = self.lab.settings.host(self.old).address
        # Quick ones have acknowledgements on the wire, slow ones a statement in the server.
        quick, slow = self.clients(address, WRITERS), self.clients(address, 3 * WRITERS, 0.2)
        time.sleep(1)
        self.lab.fault("freeze", self.old)
        end_ms = self.stamp_ms(self.old, "lease")
        self.wait(self.took_over(self.new), 30, "the standby serves")
        self.assertGreater(self.now_ms(), end_ms)
        thaw()
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        for writer in (quick, slow):
            seen = writer.end()
            self.assertLess(max(seen["acked"]), end_ms)
            self.assertGreater(len(seen["acked"]), WRITERS)
        self.assert_one_vip()

    def test_host_frozen_past_its_lease(self):
        self.frozen_past_its_lease(lambda: self.lab.fault("thaw", self.old))

    def test_host_frozen_and_ours_wakes_last(self):
        """The network and the server go on a second before anything that could fence."""
        def thaw() -> None:
            cables = switch.load(self.lab.name)
            cables.frozen.remove(self.old)
            switch.apply(self.lab.name, self.lab.settings, cables)
            for process in self.lab.node(self.old).processes():
                if process.kind() == "postgres":
                    process.signal(signal.SIGCONT)
            time.sleep(1)
            self.lab.fault("thaw", self.old)
        self.frozen_past_its_lease(thaw)

    def test_promoted_beside_a_frozen_guard(self):
        """A promotion has an end in the kernel from its beginning, also where no guard renews it."""
        self.assertEqual(self.lets_in(self.new), "open")
        self.lab.fault("freeze", self.new, "guard")
        direct = self.clients(self.lab.settings.host(self.new).address, WRITERS)
        self.lab.fault("crash", self.old)
        self.wait(lambda: self.role(self.new) == "primary", 20, "the standby was promoted")
        self.assertIn(self.lets_in(self.new), ("until", "shut"))
        end_ms = self.stamp_ms(self.new, "grant")
        self.wait(lambda: self.now_ms() > end_ms + LATE_MS, 10, "the grant is over")
        self.assertEqual(self.lets_in(self.new), "shut")
        self.assertLess(max(direct.end()["acked"]), end_ms + LATE_MS)

    def test_flushed_ruleset(self):
        """Somebody reloads the firewall: the table is laid again, and no client notices."""
        load = self.lab.load_begin(60)
        for node in (self.old, self.new):
            done = self.lab.run(node, ["/usr/sbin/nft", "flush", "ruleset"])
            self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(lambda: self.lab.helper(self.old, "cluster_status").returncode == 0, 10,
                  "cluster_status misses nothing on the primary")
        self.assertEqual(self.lets_in(self.old), "until")
        time.sleep(3)
        self.assertEqual(self.lets_in(self.new), "open")
        self.assert_nothing_happened(load.stop())


class Without(Scenario):
    """Where there is no nftables, everything else goes on."""
    sets = Scenario.sets + ["fencing.kernel_lease=no"]

    def test_switched_off(self):
        load = self.lab.load_begin(60)
        done = self.lab.run(self.old, ["/usr/sbin/nft", "list", "tables"])
        self.assertNotIn("pg_vrrp", done.stdout)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
