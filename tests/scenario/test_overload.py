# SPDX-License-Identifier: PostgreSQL
"""A host that can hardly go on: a hundred runnable processes, or a server that stands still by turns.  Answers come late, and
nothing else happens: no fence, no takeover, no coming and going, and a log that does not say the same again and again."""

import collections
import re
import time
import unittest

from scenario import Scenario

from lablib import status

# Longer than a lease and a fence: whoever lived by answers that are too late would be fenced by now.
LONG_S = 8
# A primary that was fenced and came back did so every 30 s; the first fence came within a lease.
LONGER_S = 20
# What cluster_status must not call a server that is only busy. Its standby may be solo, stream no more or
# without its slot for a moment: that is so, and said.
WRONG = {"server-silent", "not-all-known", "config-unknown", "no-primary", "standby-down", "witness-unseen",
         "record-untrusted", "guard-gone", "keepalived-gone", "two-primaries"}
# Of lines that are the same but for their numbers, in less than a minute.
REPEATED = 3
FLAPS = ("fencing this node", "rule=promoted", "rule=resumed", "lease-ended", "rule=fenced", "the watch is lost",
         "does not answer, and is started anew")


class Overload(Scenario):
    """With a record: the lease lives by questions to PostgreSQL alone, on this node, on the other one, and at the witness."""
    witness = "postgres"
    mode = "sync"
    sets = ["timing.retry_interval=1s"]

    def rule(self, node: str) -> str:
        """What cluster_status says there."""
        self.lab.helper(node, "cluster_status")
        said = [line.text for line in self.lab.logs(node, self.begun_ms) if " outcome=" in line.text]
        return re.search(r" rule=(\S+)", said[-1])[1] if said else "nothing"

    def left_ms(self) -> float:
        """Of the lease."""
        until = status.stamp(self.lab.node(self.old), f"{self.lab.settings.run_dir}/lease").get("at_ms", "0")
        return int(until) - self.now_ms()

    def carried(self, *faults: tuple[str, ...], seconds: float = LONG_S) -> None:
        load = self.lab.load_begin(120)
        for fault in faults:
            self.lab.fault(*fault)
        end = time.monotonic() + seconds
        left = []
        while time.monotonic() < end:
            left.append(self.left_ms())
            time.sleep(0.05)
        said = {self.rule(node) for node in (self.old, self.new)}
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.new), 30, "the standby streams")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        self.assertGreater(min(left), 0, "the lease ended")
        self.assertEqual(said & WRONG, set())
        self.log_is_calm()

    def log_is_calm(self) -> None:
        lines = [(line.node, line.text) for line in self.lab.logs(since_ms=self.begun_ms)
                 if "cluster=main" in line.text]
        for node, text in lines:
            self.assertFalse(any(flap in text for flap in FLAPS), f"{node}: {text}")
        # What cluster_status was asked for, it tells each time.
        same = collections.Counter((node, re.sub(r"[0-9]+", "N", text)) for node, text in lines)
        most = max(same.items(), key=lambda pair: pair[1], default=(("", ""), 0))
        self.assertLessEqual(most[1], REPEATED, most)

    # ---- no processor to be had ----

    def test_primary_with_a_hundred_runnable_processes(self):
        self.carried(("busy", self.old), seconds=LONGER_S)

    def test_standby_with_a_hundred_runnable_processes(self):
        """It may be too slow for commits to wait for it: the primary then goes on alone, as it says."""
        self.carried(("busy", self.new))

    def test_witness_with_a_hundred_runnable_processes(self):
        self.carried(("busy", "witness"))

    # ---- answers that come late ----

    def test_primary_answers_late(self):
        self.carried(("slow-server", self.old, "250ms"))

    def test_standby_and_witness_answer_late(self):
        self.carried(("slow-server", self.new, "300ms"), ("slow-server", "witness", "300ms"))


if __name__ == "__main__":
    unittest.main()
