# SPDX-License-Identifier: PostgreSQL
"""What a takeover needs is not there, or would never end: it is told before, worked round, or nothing is begun."""

import contextlib
from collections.abc import Iterator

from damage import Damaging
from scenario import QUICK

HOLDS = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM held"


class Hindering(Damaging):
    witness = "postgres"
    sets = [*QUICK, "fencing.test_interval=10s"]

    @contextlib.contextmanager
    def setting(self, node: str, name: str, value: str) -> Iterator[None]:
        """By ALTER SYSTEM, as long as the server runs."""
        self.sql(node, f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql(node, "SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self.sql(node, f"ALTER SYSTEM RESET {name}")
            self.sql(node, "SELECT pg_reload_conf()")

    @contextlib.contextmanager
    def unknown_word(self, node: str) -> Iterator[None]:
        path = f"{self.lab.settings.data_dir}/postgresql.conf"
        self.sh(node, f"echo 'nonsense = on' >> {path}")
        try:
            yield
        finally:
            self.sh(node, f"sed -i '/^nonsense/d' {path}")
            self.sql(node, "SELECT pg_reload_conf()")

    def status_says(self, node: str, words: str) -> None:
        self.wait(lambda: words in self.lab.helper(node, "cluster_status").stdout
                  + self.lab.helper(node, "cluster_status").stderr, 10,
                  f"cluster_status on {node} says {words}")


class Hindered(Hindering):
    def test_error_in_a_configuration_file_of_the_standby(self):
        """No reload is taken, so that ALTER SYSTEM withdraws nothing, nor would it turn sync off."""
        load = self.lab.load_begin(60)
        with self.unknown_word(self.new):
            for node in (self.old, self.new):
                self.status_says(node, f"{self.new} takes no reload")
            self.lab.fault("power-off", self.old)
            self.wait(self.serves(self.new), 30, "the standby serves")
            self.assertTrue(self.said(self.new, "it is withdrawn by pg_vrrp.withdrawn"))
        self.assert_took_over(load.stop())

    def test_vote_withdrawn_without_a_reload_is_given_back(self):
        load = self.lab.load_begin(60)
        with self.unknown_word(self.new):
            self.lab.fault("cut", "n1", "n2")
            self.wait_said(self.new, "it is withdrawn by pg_vrrp.withdrawn", 15)
            self.lab.fault("heal")
            self.wait_said(self.new, "is given back", 15)
            self.wait(self.standby_streams(self.new), 30, "the standby streams again")
        self.assert_nothing_happened(load.stop())

    def test_query_that_holds_up_replay(self):
        self.sql(self.old, "CREATE TABLE IF NOT EXISTS held AS SELECT generate_series(1, 1000) AS n")
        load = self.lab.load_begin(60)
        with self.setting(self.new, "max_standby_streaming_delay", "-1"):
            self.sh(self.new, "setsid setpriv --reuid=postgres --regid=postgres --init-groups psql "
                              f"-Xc '{HOLDS}' -c 'SELECT pg_sleep(300)' > /dev/null 2>&1 < /dev/null &")
            self.wait(lambda: self.sql(self.new, "SELECT count(*) FROM pg_stat_activity WHERE state = "
                                                 "'active' AND query LIKE '%pg_sleep(300)'") == "1",
                      10, "a long query")
            self.sql(self.old, "DELETE FROM held WHERE n % 2 = 0")
            self.sql(self.old, "VACUUM held")
            self.wait(lambda: self.sql(self.new, "SELECT count(*) FROM pg_stat_activity WHERE wait_event "
                                                 "LIKE 'RecoveryConflict%'") == "1",
                      10, "a replay that is held up")
            self.lab.fault("crash", self.old)
            self.wait(self.serves(self.new), 30, "the standby serves")
            self.assertTrue(self.said(self.new, "may hold up replay are ended"))
        self.assert_took_over(load.stop())

    def test_delayed_standby(self):
        """Told long before; nothing is begun, until it has caught up."""
        load = self.lab.load_begin(90)
        with self.setting(self.new, "recovery_min_apply_delay", "1h"):
            self.status_says(self.old, "recovery_min_apply_delay")
            self.lab.fault("power-off", self.old)
            self.wait_said(self.new, "rule=apply-delay", 20)
            self.assertFalse(self.said(self.new, "this node holds term"))
            self.assertFalse(self.said(self.new, "is withdrawn"))
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())

    def test_pg_wal_that_is_read_only(self):
        load = self.lab.load_begin(90)
        with self.read_only(self.new, f"{self.lab.settings.data_dir}/pg_wal"):
            self.status_says(self.new, "pg_wal: Read-only file system")
            self.lab.fault("power-off", self.old)
            self.wait_said(self.new, "rule=unwritable", 20)
            self.assertFalse(self.said(self.new, "this node holds term"))
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())

    def test_restore_command_that_hangs(self):
        load = self.lab.load_begin(90)
        with self.setting(self.new, "restore_command", "sleep 20"):
            self.lab.fault("power-off", self.old)
            self.wait_said(self.new, "rule=restore-hangs", 20)
            self.assertFalse(self.said(self.new, "this node holds term"))
        self.wait(self.serves(self.new), 50, "the standby serves")
        self.assert_took_over(load.stop())


class HinderedSync(Hindering):
    mode = "sync"

    def test_error_in_a_configuration_file_of_the_standby(self):
        """No reload is taken, so that ALTER SYSTEM withdraws nothing, nor would it turn sync off."""
        load = self.lab.load_begin(60)
        with self.unknown_word(self.new):
            for node in (self.old, self.new):
                self.status_says(node, f"{self.new} takes no reload")
            self.lab.fault("power-off", self.old)
            self.wait(self.serves(self.new), 30, "the standby serves")
            self.assertTrue(self.said(self.new, "it is withdrawn by pg_vrrp.withdrawn"))
        self.assert_took_over(load.stop())

    def test_error_in_a_configuration_file_of_the_primary_whose_standby_is_lost(self):
        """Commits wait, since no reload turns sync off: told with file and line, and over when that is mended."""
        load = self.lab.load_begin(60)
        with self.unknown_word(self.old):
            self.status_says(self.old, f"{self.old} takes no reload")
            self.lab.fault("power-off", self.new)
            self.wait_said(self.old, "rule=serves-commits-wait", 20)
            self.wait_said(self.old, "postgresql.conf, line ", 1)
            self.status_says(self.old, "commits wait for a standby that is lost")
            self.assertEqual(self.lab.status()["vip_at"], [self.old])
            self.assertFalse(self.lab.writable())
            # As a person who mends the line, and nothing else.
            self.sh(self.old, f"sed -i '/^nonsense/d' {self.lab.settings.data_dir}/postgresql.conf")
            self.wait(self.lab.writable, 10, "commits go on, solo")
        self.wait_said(self.old, "rule=serves message", 10)
        self.lab.fault("boot", self.new)
        self.wait(self.promotable(self.new), 30, "the standby is back")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
