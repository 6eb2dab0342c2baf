# SPDX-License-Identifier: PostgreSQL
"""What the scenarios with a record share: a witness that keeps it, sync mode, and what is said and seen there."""

import time

from scenario import Scenario

from lablib.pgsession import ask_once, socket_dsn


class Recorded(Scenario):
    witness = "postgres"
    mode = "sync"
    # A host that was frozen has the address until its guard and keepalived run again.
    vip_dual_bound_ms = 0

    # ---- deeds ----

    def ask(self, node: str, sql: str, arguments: tuple = (), limit_ms: float = 10000):
        """The rows of an answer of the node's server, asked there by its socket; None without one."""
        settings = self.lab.settings
        directory = self.lab.node(node).path(settings.socket_dir)
        return ask_once(socket_dsn(directory, settings.port, "lab"), sql, arguments, limit_ms)

    def pg_ctl(self, node: str, *words: str) -> None:
        """What an operator does without a thought for a cluster: "stop", "-m", "fast"; "promote"."""
        settings = self.lab.settings
        done = self.lab.run(node, [
            "/usr/bin/setpriv", f"--reuid={settings.os_user}", f"--regid={settings.os_user}",
            "--init-groups", f"{settings.bin_dir}/pg_ctl", *words, "-D", settings.data_dir])
        self.assertEqual(done.returncode, 0, done.stderr)

    def write_much(self, node: str, rows: int = 20000) -> None:
        """About 100 bytes a row, acknowledged."""
        done = self.ask(node, "INSERT INTO lab.rows (run, n) SELECT %s, n FROM "
                              "generate_series(1, %s) AS n RETURNING n",
                        (f"much-{time.monotonic_ns()}", rows))
        self.assertEqual(len(done or []), rows)

    # ---- looking ----

    def solo(self) -> bool:
        record = self.record()
        return bool(record and not record["paired"])

    def wait_solo(self, limit_s: float = 10) -> None:
        """The primary has said in the record that it serves alone, and commits wait for nobody."""
        self.wait(self.solo, limit_s, "a record that says solo")
        self.wait(self.lab.writable, limit_s, "commits go on, solo")

    def received(self, node: str) -> str:
        rows = self.ask(node, "SELECT coalesce(pg_last_wal_receive_lsn(), "
                              "pg_last_wal_replay_lsn())::text")
        self.assertTrue(rows)
        return rows[0][0]

    # ---- judging ----

    def assert_safe(self, report: dict) -> None:
        super().assert_safe(report)
        self.assertLessEqual(report["vip_dual_ms"], self.vip_dual_bound_ms, report)

    def assert_stayed(self, report: dict) -> None:
        """The same primary as before, whatever it took."""
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)
        self.assert_one_vip()
        self.assertFalse(self.said(self.new, "rule=promoted"))
