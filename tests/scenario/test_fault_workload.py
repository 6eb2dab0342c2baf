# SPDX-License-Identifier: PostgreSQL
"""The workload of the fault tests on a real cluster: it sees a failover and nothing wrong with it, and
it sees two primaries when there are two."""

import os
import statistics
import sys
import tempfile

from recorded import Recorded
from scenario import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/faults"))

import checker  # noqa: E402
from ops import acked_writes, of_history  # noqa: E402
from workload import Workload  # noqa: E402

from lablib.kernel import boot_ms  # noqa: E402


class Loaded(Recorded):
    def setUp(self) -> None:
        super().setUp()
        self.out = tempfile.TemporaryDirectory(prefix="pgv-workload-")
        self.addCleanup(self.out.cleanup)
        self.load = Workload(self.lab.name, self.lab.settings, self.out.name, seed=1)
        self.addCleanup(self.load.kill)
        self.load.start()
        self.wait_acked(100)

    def wait_acked(self, more: int) -> None:
        wanted = self.load.progress()["acked"] + more
        self.wait(lambda: self.load.progress()["acked"] >= wanted, 40,
                  f"{more} more acknowledgements through the VIP")

    def end(self, begun: float, words: str) -> tuple[dict, dict]:
        history = self.load.stop()
        history["faults"] = [[begun, None, words]]
        return history, checker.evaluate(history)


class Workloads(Loaded):
    def test_a_failover_is_seen_and_nothing_wrong_with_it(self):
        begun = boot_ms()
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 30, f"{self.new} serves")
        self.wait_acked(100)
        history, report = self.end(begun, "crash")
        self.assertEqual(report["bad"], [])
        self.assertEqual(report["final"], self.new)
        # What was told while it ran was writes, through the VIP.
        through = [op for op in acked_writes(of_history(history)) if op.through_vip]
        self.assertGreaterEqual(len(through), 200)
        # The fault is felt, if for less than the report calls an outage; and every door to the new
        # primary takes writes.
        told = sorted(op.ended for op in through if op.ended >= begun)
        gaps = [later - sooner for sooner, later in zip(told, told[1:])]
        self.assertGreater(max(gaps), 5 * statistics.median(gaps))
        doors = {f"{door} {node}".strip() for _, door, node in history["clients"]}
        served = {tuple(history["clients"][op[0]][1:]) for op in history["ops"]
                  if op[5] == "acked" and op[2] == "add"}
        self.assertEqual({f"{door} {node}".strip() for door, node in served}, doors)
        # All that a client does was done, and is in the history.
        done = {(op[2], op[5]) for op in history["ops"]}
        self.assertLessEqual({(what, "acked") for what in
                              ("add", "move", "write", "read", "total")}, done)
        self.assertIn(("add", "refused"), done)  # by the standby, to the hostile

    def test_a_workload_that_is_left_alone_ends_by_itself(self):
        """Its runner was killed."""
        process = self.load.process
        process.stdin.close()
        self.assertEqual(process.wait(60), 0)
        self.assertTrue(os.path.exists(f"{self.out.name}/history.json"))


class TwoPrimaries(Loaded):
    mode = "async"
    sets = [*Recorded.sets, "fencing.kernel_lease=no"]

    def test_a_standby_promoted_by_hand_beside_its_primary_is_found(self):
        """Nobody fences anybody: without its guard and keepalived this is the cluster that it was."""
        for node in (self.old, self.new):
            for kind in ("keepalived", "guard", "watch"):
                self.lab.fault("freeze", node, kind)
        begun = boot_ms()
        self.pg_ctl(self.new, "promote")
        self.wait_acked(100)
        self.lab.node(self.old).postmaster(self.lab.settings.data_dir).signal(9)
        _, report = self.end(begun, "promoted by hand")
        self.assertEqual(report["final"], self.new)
        self.assertGreater(report["dual_ms"], 0)
        self.assertGreater(report["lost"], 0)
        self.assertGreater(report["backwards"], 0)
        self.assertIn("two nodes accepted writes", report["bad"][0])
