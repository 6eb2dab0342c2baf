# SPDX-License-Identifier: PostgreSQL
"""What an administrator does to the server of a node by Debian's own commands: whatever it is, a primary
serves afterwards, the other node follows it again, and nothing is lost.  docs/operations.md has the table.
"""

import json
import os
import unittest

from onhosts import ROOT, OnHosts
from lablib import events

# Where the figures of that table come from.
FIGURES = os.path.join(os.environ.get("PGV_BUILD", f"{ROOT}/build"), "logs/hosts-actions.jsonl")
WHOLE_S = 60
COMMANDS = [f"systemctl {verb} postgresql@{{0}}-main" for verb in ("restart", "stop", "start", "reload")]
COMMANDS += [f"pg_ctlcluster {{0}} main {verb}" for verb in ("stop", "restart", "promote")]


class Actions(OnHosts):
    """Each command on each node.  Whoever starts a server, it lives in its unit, before and after."""

    def setUp(self) -> None:
        super().setUp()
        self.roles()
        self.assert_in_units()

    def assert_in_units(self) -> None:
        for node in (self.old, self.new):
            self.wait(lambda node=node: self.is_in_unit(node), 10, f"the server of {node} is in its unit")

    def roles(self) -> None:
        """Who is what now; waits until both are whole."""
        self.wait(self.whole, WHOLE_S, "both nodes are whole")
        status = self.lab.status()
        self.old = status["primary"]
        self.new = next(name for name in status["nodes"] if name != self.old)

    def whole(self) -> bool:
        status = self.lab.status()
        return self.somebody_serves() and self.lab.paired() and all(
            self.promotable(name)() for name in status["nodes"] if name != status["primary"])

    def is_in_unit(self, node: str) -> bool:
        return self.on(node, f"systemctl is-active --quiet {self.unit()}").returncode == 0

    def act(self, node: str, command: str) -> None:
        role = "primary" if node == self.old else "standby"
        load = self.lab.load_begin(4 * WHOLE_S)
        events.note(self.lab.name, ["day", node, command])
        done = self.on(node, command)
        self.wait(self.somebody_serves, WHOLE_S, f"a primary serves after {command}")
        self.wait(self.whole, WHOLE_S, f"both nodes are whole after {command}")
        report = load.stop()
        if "promote" in command:
            # Who promotes a standby by hand has two primaries for a moment (docs/safety.md); what its own
            # clients were told is salvaged.  Nothing that the application was told is lost.
            self.assertEqual(report["lost"], 0, report)
        else:
            self.assert_safe(report)
        self.assert_one_vip()
        self.keep({"command": command, "on": role, "code": done.returncode,
                   "outage_ms": report["outage_ms"], "moved": report["final"] != self.old,
                   "said": done.stderr.strip()[:200]})
        self.assert_in_units()

    # ---- the ways to restart a server that docs/operations.md has ----

    def restarts(self, node: str, *commands: str) -> dict:
        """The commands end well, and another server runs there in the role that the old one had."""
        role, before = self.role(node), self.began(node)
        load = self.lab.load_begin(4 * WHOLE_S)
        for command in commands:
            done = self.on(node, command)
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        self.wait(self.whole, WHOLE_S, "both nodes are whole")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual((self.role(node), self.began(node) > before), (role, True))
        return report

    def began(self, node: str) -> float:
        return float(self.sql(node, "SELECT extract(epoch FROM pg_postmaster_start_time())"))

    def test_restart_of_the_standby_as_documented(self):
        self.restarts(self.new, f"pg_ctlcluster {self.lab.settings.version} main stop")

    def test_restart_of_the_primary_in_a_pause_as_documented(self):
        stop = f"pg_ctlcluster {self.lab.settings.version} main stop"
        self.restarts(self.old, "pg_vrrp witness_record --pause", stop,
                      "until pg_vrrp check_primary --primary; do sleep 1; done",
                      "pg_vrrp witness_record --resume")

    # ---- who starts and stops it else ----

    def log_bytes(self, node: str) -> int:
        log = f"/var/log/postgresql/postgresql-{self.lab.settings.version}-main.log"
        return os.path.getsize(self.lab.node(node).path(log))

    def test_crash_and_return_are_in_the_unit_and_in_debians_log(self):
        before = self.log_bytes(self.old)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 20, "the standby serves")
        self.wait(self.whole, WHOLE_S, "both nodes are whole")
        self.assert_in_units()
        self.assertGreater(self.log_bytes(self.old), before)
        ours = f"/var/lib/pg_vrrp/{self.lab.settings.cluster}/postgresql.log"
        self.assertFalse(os.path.exists(self.lab.node(self.old).path(ours)))

    def test_orderly_reboot_of_the_primary(self):
        load = self.lab.load_begin(180)
        self.reboot(self.old)
        self.wait(lambda: self.rebooted(self.old), 60, "the primary's host is back")
        self.wait(self.whole, WHOLE_S, "both nodes are whole")
        report = load.stop()
        self.assert_safe(report)
        # Handed over before anything was stopped: the other node did not wait for the lease.
        self.assertEqual(report["final"], self.new, report)
        self.assertIn('"switchover"', self.history(self.old))

    def test_fence_stops_it_and_systemd_starts_it_no_more(self):
        done = self.on(self.old, "pg_vrrp fence_self --reason maintenance")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(self.serves(self.new), 20, "the standby serves")
        done = self.on(self.old, f"systemctl start {self.unit()}")
        self.assertNotEqual(done.returncode, 0, "the gate lets a fenced node start")
        self.assertFalse(self.is_in_unit(self.old))
        done = self.on(self.old, "pg_vrrp rejoin")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(self.whole, WHOLE_S, "both nodes are whole")
        self.assert_in_units()

    def test_planned_restart_and_switchover_stay_in_the_unit(self):
        self.restarts(self.new, "pg_vrrp restart --quiet")
        self.restarts(self.old, "pg_vrrp restart --quiet")
        self.assert_in_units()
        load = self.lab.load_begin(4 * WHOLE_S)
        done = self.on(self.old, "pg_vrrp switchover --quiet", 90)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(self.whole, WHOLE_S, "both nodes are whole")
        self.assert_safe(load.stop())
        self.assert_in_units()

    @staticmethod
    def keep(figures: dict) -> None:
        with open(FIGURES, "a", encoding="utf-8") as file:
            file.write(json.dumps(figures) + "\n")


def action(command: str, on_primary: bool):
    def test(self: Actions) -> None:
        self.act(self.old if on_primary else self.new, command.format(self.lab.settings.version))
    return test


def add_tests() -> None:
    for text in COMMANDS:
        tool, first, _, *more = text.split()
        for role in ("primary", "standby"):
            name = f"test_{tool}_{more[0] if more else first}_on_the_{role}"
            setattr(Actions, name, action(text, role == "primary"))


add_tests()


if __name__ == "__main__":
    unittest.main()
