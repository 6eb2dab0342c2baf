# SPDX-License-Identifier: PostgreSQL
"""Scenarios on hosts with a real systemd (scripts/hosts).  What is asked and judged is scenario.py's."""

import functools
import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests/scenario"), os.path.join(ROOT, "scripts")]

from lablib import events, trees  # noqa: E402
from lablib.hosts import Hosts  # noqa: E402
from scenario import Scenario  # noqa: E402

RELEASE = os.environ.get("PGV_DEBIAN", "12")


@functools.cache
def why_no_boot() -> str:
    return trees.why_no_boot(RELEASE)


class OnHosts(Scenario):
    """The timings that a user gets, and the witness that README advises."""
    mode = "sync"
    witness = "postgres"
    sets: list[str] = []

    def make_lab(self) -> Hosts:
        if why := why_no_boot():
            raise unittest.SkipTest(why)
        return Hosts.up(self.lab_name(), release=RELEASE, witness=self.witness, mode=self.mode, sets=self.sets)

    def on(self, node: str, command: str, limit_s: float = 60):
        """What a person types, and what comes of it."""
        return self.lab.run(node, ["/bin/bash", "-c", command], timeout=limit_s)

    def unit(self) -> str:
        return f"postgresql@{self.lab.settings.version}-main"

    def somebody_serves(self) -> bool:
        status = self.lab.status()
        return bool(status["primary"]) and status["vip_at"] == [status["primary"]] and self.lab.writable()

    def history(self, node: str) -> str:
        return self.on(node, f"cat /var/lib/pg_vrrp/{self.lab.settings.cluster}/history").stdout

    def reboot(self, node: str) -> None:
        self.pids = {**getattr(self, "pids", {}), node: self.lab.node(node).identity()}
        events.note(self.lab.name, ["day", node, "systemctl reboot"])
        self.on(node, "systemctl reboot --no-block")

    def rebooted(self, node: str) -> bool:
        return self.lab.node(node).identity() not in (None, self.pids[node])
