# SPDX-License-Identifier: PostgreSQL
"""The account that the helpers live by is locked out: the primary goes on serving, nobody is fenced or promoted, and each node
says who refuses what, and how it is mended."""

import contextlib
from collections.abc import Iterator

from damage import Damaging
from scenario import NOTICED_S

ROLE = "pgvrrp"
# Longer than two leases and a margin: whoever lived by the account would be fenced by now.
LONG_S = 8.5


class LockedOut(Damaging):
    """With a witness that answers pings: it prolongs the lease."""
    sets = ["timing.lease=3s", "timing.retry_interval=1s"]

    @contextlib.contextmanager
    def statement(self, locks: str, unlocks: str) -> Iterator[None]:
        self.sql(self.old, locks)
        try:
            yield
        finally:
            # As the detail says: else it may wait for a standby that this lets in.
            self.sql(self.old, f"SET synchronous_commit = local; {unlocks}")

    @contextlib.contextmanager
    def pg_hba(self, *nodes: str) -> Iterator[None]:
        path = f"{self.lab.settings.data_dir}/pg_hba.conf"
        first = "# pg_vrrp cluster"
        with contextlib.ExitStack() as changes:
            for node in nodes:
                changes.enter_context(self.changed(
                    node, path, first, f"local all {ROLE} reject\nhost all {ROLE} all reject\n{first}"))
                self.sql(node, "SELECT pg_reload_conf()")
            yield
        for node in nodes:
            self.sql(node, "SELECT pg_reload_conf()")

    @contextlib.contextmanager
    def password(self, *nodes: str) -> Iterator[None]:
        with contextlib.ExitStack() as changes:
            for node in nodes:
                changes.enter_context(self.changed(
                    node, self.lab.settings.passfile, f":{ROLE}:", f":{ROLE}:not-"))
            yield

    def status_says(self, node: str, *words: str) -> bool:
        said = self.lab.helper(node, "cluster_status").stdout
        return all(word in said for word in words)

    def goes_on(self, lock: contextlib.AbstractContextManager[None], told: dict[str, str],
                remedy: str) -> None:
        """told: what the status of a node has in it while the account is locked out."""
        load = self.lab.load_begin(90)
        with lock:
            for node, words in told.items():
                self.wait_said(node, words, NOTICED_S)
                self.wait_said(node, remedy, NOTICED_S)
                self.wait(lambda node=node, words=words: self.status_says(node, "refuses", words), NOTICED_S,
                          f"cluster_status on {node} says {words}")
            self.assertEqual(self.vip_seen(LONG_S), {self.old})
            for node in (self.old, self.new):
                self.assertFalse(self.said(node, "making this node harmless"), node)
                self.assertFalse(self.said(node, "the vote for"), node)
        self.wait(self.is_well, 15, "all is well")
        report = load.stop()
        self.assert_nothing_happened(report)
        self.assertEqual(self.promotions(), 0)

    def both(self, words: str) -> dict[str, str]:
        return {self.old: words, self.new: words}

    # ---- what is done to the role: it is so on both nodes at once ----

    def test_connect_revoked_from_everybody(self):
        """The usual hardening: what the role lives by was granted to it by name."""
        load = self.lab.load_begin(60)
        with self.statement(
                "REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC; "
                "REVOKE USAGE ON SCHEMA pg_catalog FROM PUBLIC; "
                "GRANT CONNECT ON DATABASE postgres TO lab; "
                "GRANT USAGE ON SCHEMA pg_catalog TO lab",
                "GRANT CONNECT, TEMPORARY ON DATABASE postgres TO PUBLIC; "
                "GRANT USAGE ON SCHEMA pg_catalog TO PUBLIC; "
                "REVOKE USAGE ON SCHEMA pg_catalog FROM lab; "
                "REVOKE CONNECT ON DATABASE postgres FROM lab"):
            self.assertEqual(self.vip_seen(LONG_S), {self.old})
            for node in (self.old, self.new):
                self.assertFalse(self.status_says(node, "refuses"))
                self.assertFalse(self.said(node, "refuses"))
            self.wait(self.is_well, 15, "all is well")
        self.assert_nothing_happened(load.stop())

    def test_connect_revoked(self):
        self.goes_on(
            self.statement(f"REVOKE CONNECT ON DATABASE postgres FROM PUBLIC, {ROLE}",
                           f"GRANT CONNECT ON DATABASE postgres TO PUBLIC, {ROLE}"),
            self.both('permission denied for database "postgres"'),
            f"GRANT CONNECT ON DATABASE postgres TO {ROLE}")

    def test_no_login(self):
        self.goes_on(self.statement(f"ALTER ROLE {ROLE} NOLOGIN", f"ALTER ROLE {ROLE} LOGIN"),
                     self.both(f'role "{ROLE}" is not permitted to log in'),
                     f"ALTER ROLE {ROLE} LOGIN")

    def test_expired(self):
        """A password expires; who comes by the socket needs none."""
        self.goes_on(self.statement(f"ALTER ROLE {ROLE} VALID UNTIL '2020-01-01'",
                                    f"ALTER ROLE {ROLE} VALID UNTIL 'infinity'"),
                     self.both("password authentication failed"),
                     f"ALTER ROLE {ROLE} VALID UNTIL 'infinity'")

    def test_no_connection_left(self):
        """Of the connections that are counted; those of a walsender are not, and tell as much."""
        load = self.lab.load_begin(60)
        with self.statement(f"ALTER ROLE {ROLE} CONNECTION LIMIT 0",
                            f"ALTER ROLE {ROLE} CONNECTION LIMIT -1"):
            self.assertEqual(self.vip_seen(LONG_S), {self.old})
            self.wait(self.is_well, 15, "all is well")
        self.assert_nothing_happened(load.stop())

    # ---- what is done to one node, or to each ----

    def test_pg_hba_of_both(self):
        self.goes_on(self.pg_hba(self.old, self.new), self.both("pg_hba.conf rejects connection"),
                     "cluster_config pg_hba")



class LockedOutWithRecord(LockedOut):
    """With a record: where the primary cannot look at its own server, it goes on solo."""
    witness = "postgres"
    mode = "sync"

    # What the base class tries with a witness that answers pings.
    test_connect_revoked = test_connect_revoked_from_everybody = test_expired = None
    test_no_connection_left = test_pg_hba_of_both = None

    def is_well(self) -> bool:
        return super().is_well() and self.lab.paired()

    def test_primary_locked_out_crashes(self):
        """Nobody can take over, and the primary comes back by the record, without a login."""
        load = self.lab.load_begin(90)
        with self.statement(f"ALTER ROLE {ROLE} NOLOGIN", f"ALTER ROLE {ROLE} LOGIN"):
            self.wait(lambda: not self.lab.paired(), NOTICED_S, "a record that says solo")
            self.lab.fault("crash", self.old)
            self.wait_said(self.old, "rule=resumed", 20)
            self.wait(self.serves(self.old), 20, "the old primary serves again")
            self.assertEqual(self.vip_seen(LONG_S), {self.old})
        self.wait(self.is_well, 60, "all is well")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.promotions(), 0)
