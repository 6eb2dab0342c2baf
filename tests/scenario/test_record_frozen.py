# SPDX-License-Identifier: PostgreSQL
"""With a record: hosts and processes that stand still and go on later, and a standby that is away."""

import signal
import time
import unittest

from clients import Patient
from recorded import Recorded
from scenario import Scenario

from lablib import switch

# The kernel counts in jiffies, and the client is told by a packet.
LATE_MS = 100
WRITERS = 8
# From the loss of the standby until commits wait for nobody; the aim is 3 s, on a busy machine more.
STALL_MS = 4000


class Frozen(Recorded, Patient):
    """Writers that reach the old primary directly, and others through the VIP."""
    vip_dual_bound_ms = 1000

    def stamp_ms(self, node: str, name: str) -> int:
        with open(self.run_file(node, name), encoding="ascii") as file:
            return int(dict(line.rstrip("\n").split("=", 1) for line in file)["at_ms"])

    def begin(self, load: bool) -> None:
        address = self.lab.settings.host(self.old).address
        # Quick ones have acknowledgements on the wire, slow ones a statement in the server.
        self.direct = [self.clients(address, WRITERS), self.clients(address, 3 * WRITERS, 0.2)]
        self.through_vip = self.clients(str(self.lab.settings.vip.ip), WRITERS)
        self.load = self.lab.load_begin(90) if load else None
        time.sleep(1)

    def end(self, last_ms: float) -> None:
        """Direct ones were told nothing after `last_ms`; through the VIP the new primary takes writes."""
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        for writer in self.direct:
            seen = writer.end()
            self.assertGreater(len(seen["acked"]), WRITERS)
            self.assertLess(max(seen["acked"]), last_ms)
        # Not those that waited for an answer: where the address went before its connections were reset,
        # only a time limit of their own ends that.
        self.wait(self.lab.writable, 10, "writes through the VIP go on")
        self.through_vip.end()
        if self.load:
            self.assert_took_over(self.load.stop())
        self.assert_one_vip()

    def frozen_past_its_lease(self, thaw, load: bool) -> None:
        self.begin(load)
        self.lab.fault("freeze", self.old)
        end_ms = self.stamp_ms(self.old, "lease")
        self.wait(self.took_over(self.new), 30, "the standby serves")
        self.assertGreater(self.now_ms(), end_ms)
        thaw()
        self.end(end_ms)

    def thaw(self) -> None:
        self.lab.fault("thaw", self.old)

    def thaw_ours_last(self) -> None:
        """
        The network and the server go on a second before anything that could fence.  So the address
        answers there too, and the node's own socket: that is why no load runs beside it.
        """
        cables = switch.load(self.lab.name)
        cables.frozen.remove(self.old)
        switch.apply(self.lab.name, self.lab.settings, cables)
        for process in self.lab.node(self.old).processes():
            if process.kind() == "postgres":
                process.signal(signal.SIGCONT)
        time.sleep(1)
        self.lab.fault("thaw", self.old)


class FrozenPrimary(Frozen):
    def test_host_wakes_after_the_takeover(self):
        self.frozen_past_its_lease(self.thaw, True)

    def test_host_wakes_and_ours_last(self):
        self.frozen_past_its_lease(self.thaw_ours_last, False)

    def guard_frozen(self) -> float:
        self.begin(True)
        self.lab.fault("freeze", self.old, "guard")
        time.sleep(0.2)
        return self.stamp_ms(self.old, "lease")

    def test_guard(self):
        """The kernel cuts clients off, check_primary fences, and the standby waits for no thaw."""
        end_ms = self.guard_frozen()
        self.wait(self.serves(self.new), 20, "the standby serves, the guard frozen as before")
        self.wait(self.lab.writable, 10, "commits go on")
        self.thaw()
        self.end(end_ms + LATE_MS)

    def test_guard_and_keepalived(self):
        """The rounds of check_primary, which the guard has begun, do not stand still with it: they fence."""
        self.lab.fault("freeze", self.old, "keepalived")
        end_ms = self.guard_frozen()
        self.wait(self.serves(self.new), 20, "the standby serves, both frozen as before")
        self.wait(self.lab.writable, 10, "commits go on")
        self.thaw()
        self.end(end_ms + LATE_MS)


class FrozenKeepalived(Recorded):
    """Nobody calls check_primary, so the guard does, before a short lease ends."""

    def goes_on(self, *fault: str) -> None:
        load = self.lab.load_begin(60)
        self.lab.fault(*fault)
        time.sleep(5)
        self.assert_nothing_happened(load.stop())
        self.assertFalse(self.said(self.new, "is withdrawn"))

    def test_frozen(self):
        self.goes_on("freeze", self.old, "keepalived")

    def test_killed(self):
        self.goes_on("kill", self.old, "keepalived")


class FrozenPrimaryAsync(Frozen):
    mode = "async"

    def test_host_wakes_and_ours_last(self):
        self.frozen_past_its_lease(self.thaw_ours_last, False)


class WithoutKernel(Frozen):
    """Nothing cuts clients off: in sync mode it is the standby that is missing for an acknowledgement."""
    sets = Scenario.sets + ["fencing.kernel_lease=no"]

    def test_host_wakes_and_ours_last(self):
        self.frozen_past_its_lease(self.thaw_ours_last, False)


class Standby(Recorded):
    def away(self, *faults: tuple[str, ...]) -> None:
        """Gone, solo, back, paired: one short pause for those who write, and nothing else."""
        version = self.record()["version"]
        load = self.lab.load_begin(60)
        self.lab.fault(*faults[0])
        self.wait_solo()
        time.sleep(1)
        self.lab.fault(*faults[1])
        self.wait_paired(30)
        self.assertGreater(self.record()["version"], version)
        self.assertEqual(self.ask(self.old, "SHOW synchronous_standby_names")[0][0].strip('"'),
                         self.new)
        time.sleep(1)
        report = load.stop()
        self.assert_stayed(report)
        self.assertLess(report["outage_ms"], STALL_MS, report)

    def test_power_off_and_back(self):
        self.away(("power-off", self.new), ("boot", self.new))

    def test_host_frozen(self):
        self.away(("freeze", self.new), ("thaw", self.new))

    def test_server_frozen(self):
        self.away(("freeze", self.new, "postgres"), ("thaw", self.new))

    def test_away_again_and_again(self):
        """Each time it comes back, it is frozen again in the midst of being paired."""
        load = self.lab.load_begin(90)
        for pause in (0.3, 1.0, 1.7, 2.4):
            self.lab.fault("freeze", self.new, "postgres")
            self.wait_solo()
            self.lab.fault("thaw", self.new)
            time.sleep(pause)
        self.wait_paired(20)
        report = load.stop()
        self.assert_stayed(report)
        self.assertLess(report["outage_ms"], STALL_MS, report)


if __name__ == "__main__":
    unittest.main()
