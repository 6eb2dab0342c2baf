# SPDX-License-Identifier: PostgreSQL
"""What every scenario shares: one lab a class, whole and healed before each test, its logs when a test fails.

A scenario reads: begin a load, do the fault, wait for what must come, end the load, check.  Lost and dual are computed by the
checker from what clients were told and from what each node's own socket accepted; nothing here assumes them.
"""

import contextlib
import os
import signal
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lablib import Lab, LabError  # noqa: E402
from lablib.pgsession import Session, answer  # noqa: E402
from lablib.whoserves import socket_of  # noqa: E402

# A short lease keeps scenarios short; tests of the defaults set their own.
QUICK = ["timing.lease=2s", "timing.retry_interval=1s"]


# An interruption is bounded in seconds here, and several labs share two cores: a row each 10 ms, as benchmarks
# have it, is half of what a lab costs.
ROW_PAUSE_MS = 40
# Of a statement of a test.
SQL_LIMIT_MS = 60000

# A connection that is kept was let in before, so a password or a right to connect that has changed is noticed
# when it is made anew: after 10 s (pg_keep.c), by the next question to the peer (5 s, check_round.c).
NOTICED_S = 20

# What PostgreSQL and sshd say again and again while something is away.
NOISE = ("FATAL:  ", "waiting for WAL", "Is the server running", "sshd[", "HINT:  ", "DETAIL:  ",
         "] CONTEXT:  ", "STATEMENT:  ")


class Scenario(unittest.TestCase):
    mode = "async"
    witness = "ping"
    sets: list[str] = QUICK
    shimmed = False  # clocks and disks that can be spoiled
    lab: Lab | None = None

    # ---- the lab ----

    @classmethod
    def lab_name(cls) -> str:
        # scripts/test gives the name, so that it can take away what a killed test leaves.
        own = f"t{os.getpid() % 100000}-{cls.__name__.lower()}"[:24]
        return os.environ.get("PGV_LAB", own)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.drop_lab()

    @classmethod
    def drop_lab(cls) -> None:
        if cls.lab:
            cls.lab.down()
        cls.lab = None

    def setUp(self) -> None:
        cls = type(self)
        if cls.lab is None:
            self.new_lab()
        else:
            self.make_whole()
        status = self.lab.status()
        self.old = status["primary"]
        self.new = next(name for name in status["nodes"] if name != self.old)
        self.wait(self.promotable(self.new), 40, "a standby that could take over")
        if self.lab.settings.has_record:
            self.wait_paired(40)
        self.forget_attempts()
        self.begun_ms = self.now_ms()

    def tearDown(self) -> None:
        outcome = self._outcome.result
        failed = any(test is self for test, _ in outcome.failures + outcome.errors)
        if failed and self.lab:
            self.show_logs()
            # What is broken is not handed on to the next test.
            type(self).drop_lab()

    def make_lab(self) -> Lab:
        return Lab.up(self.lab_name(), witness=self.witness, mode=self.mode, sets=self.sets,
                      shimmed=self.shimmed)

    def new_lab(self) -> None:
        self.begun_ms = self.now_ms()
        try:
            type(self).lab = self.make_lab()
            self.lab.row_pause_ms = ROW_PAUSE_MS
        except LabError:
            # One that does not come up is no reason for the next test to fail too.
            with contextlib.suppress(LabError):
                type(self).lab = Lab.open(self.lab_name())
                self.show_logs()
                self.lab.down()
            type(self).lab = None
            raise

    def make_whole(self) -> None:
        try:
            self.lab.fault("heal")
            for name, node in self.lab.status()["nodes"].items():
                if node["power"] == "off":
                    self.lab.fault("boot", name)
            for name, host in self.lab.status()["hosts"].items():
                if host["power"] == "off":
                    self.lab.fault("boot", name)
            self.lab.wait_ready(40)
        except LabError:
            type(self).drop_lab()
            self.new_lab()

    def show_logs(self) -> None:
        print(f"\n--- log of {self.id()} ---", file=sys.stderr)
        lines = [line for line in self.lab.logs(since_ms=self.begun_ms)
                 if not any(noise in line.text for noise in NOISE)]
        for line in lines[-250:]:
            print(f"{line.boot_ms - self.begun_ms:9.0f} {line.node:8} {line.text}",
                  file=sys.stderr)
        try:
            print(self.lab.helper("n1", "cluster_status").stdout, file=sys.stderr)
        except (LabError, OSError):
            pass

    # ---- looking ----

    def sql(self, node: str, statement: str) -> str:
        """As the superuser, over a new connection; the answer as psql -At prints it."""
        session = Session(socket_of(self.lab.node(node), self.lab.settings, "postgres"), SQL_LIMIT_MS,
                          as_text=True)
        self.assertTrue(answer(session, statement), session.error)
        session.close()
        return "\n".join("|".join(value or "" for value in row) for row in session.rows)

    @staticmethod
    def now_ms() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000

    def wait(self, condition, limit_s: float, what: str, **how: float) -> None:
        self.lab.wait(condition, limit_s, what, **how)

    def state_file(self, node: str, name: str) -> str:
        return self.lab.node(node).path(f"{self.lab.settings.state_dir}/{name}")

    def run_file(self, node: str, name: str) -> str:
        return self.lab.node(node).path(f"{self.lab.settings.run_dir}/{name}")

    def forget_attempts(self) -> None:
        """What was refused for the same reason a moment ago, in an earlier test, would not be told again."""
        for node in (self.old, self.new):
            for name in ("attempt.promote_safe", "attempt.rejoin", "news.check_primary",
                         "news.ask_record", "news.ask_peer"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.run_file(node, name))

    def baseline(self, node: str) -> bool:
        """The witness host is known to reach the node's peer."""
        return any(name.startswith("baseline.") for name in
                   os.listdir(self.lab.node(node).path(self.lab.settings.state_dir)))

    def uses_its_slot(self) -> bool:
        """Some seconds after a pairing; a standby that begins to connects anew."""
        return self.sql(self.old, "SELECT active FROM pg_replication_slots WHERE slot_name = "
                                  f"'pgvrrp_{self.new}'") == "t"

    def promotable(self, node: str):
        """It streams, is not fenced any more, and has seen the primary in this boot, and that it has a lease."""
        def look() -> bool:
            try:
                with open(self.run_file(node, "contact"), encoding="ascii") as file:
                    contact = dict(line.rstrip("\n").split("=", 1) for line in file)
            except (FileNotFoundError, ValueError):  # a test may have put garbage there
                return False
            return (self.standby_streams(node)() and self.baseline(node)
                    and not os.path.exists(self.state_file(node, "fenced"))
                    and int(contact["streaming_ms"]) > 0
                    and (self.lab.paired() if self.lab.settings.has_record
                         else int(contact["leased_system"]) > 0))
        return look

    def record(self) -> dict | None:
        """The cluster's row at a postgres witness; None when there is none or nobody answers."""
        return self.lab.record()

    def wait_paired(self, limit_s: float = 10) -> None:
        """The standby may take over; in sync mode it has every commit that was acknowledged."""
        self.wait(self.lab.paired, limit_s, "a record that says paired")

    def role(self, node: str) -> str:
        return self.lab.status()["nodes"][node]["role"]

    def primary_is(self, node: str):
        return lambda: self.lab.status()["primary"] == node

    def serves(self, node: str):
        def look() -> bool:
            status = self.lab.status()
            return status["primary"] == node and status["vip_at"] == [node]
        return look

    def took_over(self, node: str):
        """The same beside a frozen host, which still has the address and cannot be asked."""
        def look() -> bool:
            status = self.lab.status()["nodes"][node]
            return status["role"] == "primary" and status["vip"]
        return look

    def standby_streams(self, node: str):
        def look() -> bool:
            status = self.lab.status()["nodes"][node]
            return status["role"] == "standby" and bool(status.get("streaming"))
        return look

    def kill_helper(self, node: str, name: str) -> None:
        """Where it runs: whoever called it from here is only on the way into the host, and lives on without it."""
        found = [process for process in self.lab.node(node).processes()
                 if process.argv and process.argv[0].endswith(f"/{name}")]
        self.assertTrue(found, f"no {name} runs on {node}")
        for process in found:
            process.signal(signal.SIGKILL)

    def said(self, node: str, text: str) -> bool:
        return any(text in line.text for line in self.lab.logs(node, self.begun_ms))

    def wait_said(self, node: str, text: str, limit_s: float) -> None:
        self.wait(lambda: self.said(node, text), limit_s, f'{node} says "{text}"')

    def promotions(self) -> int:
        """On all nodes, since this test began."""
        return sum("rule=promoted" in line.text for line in self.lab.logs(since_ms=self.begun_ms))

    # ---- judging ----

    def assert_safe(self, report: dict) -> None:
        """No second writer ever, and in sync mode nothing acknowledged is missing."""
        self.assertEqual(report["dual_ms"], 0, report)
        if self.mode == "sync":
            self.assertEqual(report["lost"], 0, report)
            self.assertEqual(report["local_lost"], 0, report)
        self.assertGreater(report["acked"], 0, report)

    def assert_one_vip(self) -> None:
        self.wait(lambda: len(self.lab.status()["vip_at"]) == 1, 5, "the VIP at exactly one node")

    def assert_took_over(self, report: dict) -> None:
        self.assert_safe(report)
        self.assertEqual(report["final"], self.new, report)
        self.assert_one_vip()
        self.assertEqual(self.lab.status()["vip_at"], [self.new])

    def assert_nothing_happened(self, report: dict) -> None:
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        # There and back again would be two of these.
        self.assertEqual(self.promotions(), 0)
        # Nobody has waited for a person; a hiccup of a busy machine was seen to last 1.5 s.
        self.assertLess(report["outage_ms"], 3000, report)
