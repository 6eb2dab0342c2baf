# SPDX-License-Identifier: PostgreSQL
"""What may become of the record at its witness, under load: nothing is promoted on doubt, the
primary serves on by its standby's vote, and what is gone, old or edited is written anew by it.

test_witness_host.py has the witness whose server or host is gone for a while.
"""

import json
import os
import time
import unittest

from scenario import Scenario

LIBEXEC = "/usr/local/libexec/pg_vrrp"

# Longer than lease + margin + every retry: what has not happened by then does not happen.
LONG_ENOUGH_S = 5

SEAL = "UPDATE pgvrrp.record AS r SET seal = pgvrrp.seal_of(r)"


class Witness(Scenario):
    witness = "postgres"
    mode = "sync"
    # A primary that crashed and that nobody replaced starts again so much later.
    sets = Scenario.sets + ["timing.restart_wait=5s"]

    def setUp(self) -> None:
        super().setUp()
        # A refusal is told once a minute: what an earlier test was told is forgotten.
        for node in (self.old, self.new):
            for helper in ("promote_safe", "rejoin", "ask_record"):
                path = self.run_file(node, f"attempt.{helper}")
                if os.path.exists(path):
                    os.unlink(path)

    # ---- at the witness ----

    def psql(self, statement: str) -> None:
        """In another database than that of the record."""
        settings = self.lab.settings
        done = self.lab.run("witness", [
            "/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
            f"{settings.bin_dir}/psql", "-XAtq", "-h", "/run/postgresql",
            "-p", str(settings.witness_port), "-d", "postgres", "-c", statement])
        self.assertEqual(done.returncode, 0, done.stderr)

    def set_up_again(self) -> None:
        settings = self.lab.settings
        done = self.lab.run("witness", [f"{LIBEXEC}/witness-setup", "-c", settings.ini_path(),
                                        "--bin-dir", settings.bin_dir,
                                        "--data-dir", settings.witness_data_dir])
        self.assertEqual(done.returncode, 0, done.stderr)

    def put_row(self, row: dict) -> None:
        """As a restore does."""
        self.lab.witness_sql(
            "DELETE FROM pgvrrp.record; INSERT INTO pgvrrp.record "
            "SELECT * FROM jsonb_populate_record(NULL::pgvrrp.record, %s::jsonb)",
            (json.dumps(row),))

    # ---- looking ----

    def wait_new_record(self, after: dict, holder: str) -> None:
        def look() -> bool:
            record = self.record()
            return bool(record and record["term"] > after["term"] and record["sealed"]
                        and record["holder"] == holder)
        self.wait(look, 5, f"a new record of a later term, held by {holder}")

    def wait_solo(self) -> None:
        self.wait(lambda: not self.record()["paired"], 10, "a record that says solo")
        self.wait(self.lab.writable, 10, "commits go on, solo")

    def wait_verdict(self, node: str, rule: str, *words: str) -> None:
        """A verdict with a hint, and with what else must be in its line."""
        wanted = [f"rule={rule} ", "hint=", *words]

        def look() -> bool:
            # Quotes inside of a verdict's line are made single ones.
            return any(all(word.replace('"', "'") in line.text.replace('"', "'") for word in wanted)
                       for line in self.lab.logs(node, self.begun_ms))
        self.wait(look, 10, f"{node} says rule={rule}, {words}, and what to do")

    # ---- judging ----

    def assert_safe(self, report: dict) -> None:
        super().assert_safe(report)
        self.assertEqual(report["vip_dual_ms"], 0, report)


class Lost(Witness):
    """A row that is gone, that is older than it was, or that somebody wrote by hand."""

    def test_gone_for_a_minute(self):
        before = self.record()
        load = self.lab.load_begin(120)
        try:
            self.lab.fault("power-off", "witness")
            time.sleep(60)
            self.lab.fault("boot", "witness")
            self.wait(lambda: (self.record() or before)["version"] > before["version"], 15,
                      "a record that is renewed")
            self.wait_paired()
        finally:
            report = load.stop()
        self.assert_nothing_happened(report)
        self.assertEqual(self.record()["term"], before["term"])

    def test_wiped_while_solo(self):
        load = self.lab.load_begin(90)
        try:
            self.lab.fault("power-off", self.new)
            self.wait_solo()
            before = self.record()
            self.lab.fault("wipe-record")
            self.wait_new_record(before, self.old)
            self.assertFalse(self.record()["paired"])
            time.sleep(LONG_ENOUGH_S)
            self.assertTrue(self.lab.writable())
            self.lab.fault("boot", self.new)
            self.wait_paired(30)
        finally:
            report = load.stop()
        self.assert_stayed(report)

    def assert_stayed(self, report: dict) -> None:
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        # Until it is solo; nothing comes of what is done to the record after that.
        self.assertLess(report["outage_ms"], 5000, report)

    def test_edited_while_solo(self):
        """A person who wants the standby to take over writes so into the row."""
        load = self.lab.load_begin(90)
        try:
            self.lab.fault("cut", "n1", "n2")
            self.wait_solo()
            before = self.record()
            self.lab.witness_sql("UPDATE pgvrrp.record SET paired = true, released = true")
            self.wait_new_record(before, self.old)
            self.assertFalse(self.record()["paired"])
            time.sleep(LONG_ENOUGH_S)
            self.assertEqual(self.role(self.new), "standby")
            self.lab.fault("heal")
            self.wait_paired(20)
        finally:
            report = load.stop()
        self.assert_stayed(report)

    def test_restored_from_an_older_copy(self):
        """The copy gives the right to a node that has lost it since."""
        copy = self.lab.witness_sql("SELECT to_jsonb(r) FROM pgvrrp.record AS r")[0][0]
        load = self.lab.load_begin(90)
        try:
            self.lab.fault("crash", self.old)
            self.wait(self.serves(self.new), 20, "the standby serves")
            self.wait(self.standby_streams(self.old), 30, "the old primary is a standby")
            self.wait_paired(20)
            before = self.record()
            self.put_row(copy)
            self.wait_new_record(before, self.new)
            time.sleep(LONG_ENOUGH_S)
            self.wait_paired()
        finally:
            report = load.stop()
        self.assert_took_over(report)

    def nobody_believes(self, spoil, word: str) -> None:
        """The primary is dead, so that nobody writes a new record; the standby sees the bad one."""
        load = self.lab.load_begin(120)
        try:
            self.lab.fault("cut", self.new, "witness")
            self.lab.fault("crash", self.old)
            self.wait(lambda: self.record()["released"], 5, "the primary has said that it is down")
            spoil()
            self.lab.fault("heal")
            self.wait_verdict(self.new, "record-untrusted", word)
            self.wait_verdict(self.old, "record-unknown", word)
            time.sleep(LONG_ENOUGH_S)
            self.assertEqual([self.role(node) for node in (self.old, self.new)],
                             ["down", "standby"])
            # What the operator is told to do, and then the standby's vote starts it.
            self.lab.fault("wipe-record")
            self.wait(self.serves(self.old), 20, "the primary serves again")
            self.wait_paired(20)
        finally:
            report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)

    def test_edited_while_the_primary_is_down(self):
        self.nobody_believes(
            lambda: self.lab.witness_sql("UPDATE pgvrrp.record SET lease_ms = 1"), "edited by hand")

    def test_restored_while_the_primary_is_down(self):
        """As it was a moment ago: paired, and not released."""
        copy = self.lab.witness_sql("SELECT to_jsonb(r) FROM pgvrrp.record AS r")[0][0]
        time.sleep(2)
        self.nobody_believes(lambda: self.put_row(copy), "older than seen")


class Unusable(Witness):
    """The witness answers, and its record is not one to go by, or not to be had: the primary serves
    by its standby's vote, no failover is possible, and all is well again when it is mended."""

    def unusable(self, spoil, mend, rule: str, word: str) -> None:
        load = self.lab.load_begin(120)
        try:
            spoil()
            # That it gave no answer is told once, with the first of the reasons.
            self.wait(lambda: self.said(self.old, word) or
                      self.said(self.old, "the witness gave no answer that can be used"),
                      5, f'the primary is told "{word}"')
            time.sleep(LONG_ENOUGH_S)
            self.assertTrue(self.serves(self.old)())
        finally:
            report = load.stop()
        self.assert_nothing_happened(report)
        load = self.lab.load_begin(120)
        try:
            self.lab.fault("crash", self.old)
            self.wait_verdict(self.new, rule, word)
            self.wait_verdict(self.old, "record-unknown", word)
            time.sleep(LONG_ENOUGH_S)
            self.assertEqual([self.role(node) for node in (self.old, self.new)],
                             ["down", "standby"])
            mend()
            self.wait(self.lab.writable, 20, "one of the two serves")
            self.lab.wait_ready(40)
        finally:
            report = load.stop()
        self.assert_safe(report)

    def test_role_without_rights(self):
        self.unusable(lambda: self.lab.witness_sql(
            "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA pgvrrp FROM pgvrrp"),
            self.set_up_again, "witness-unseen", "no right to the record")

    def test_wrong_password(self):
        role = self.lab.settings.witness_role
        kept = self.lab.witness_sql("SELECT rolpassword FROM pg_authid WHERE rolname = %s",
                                    (role,))[0][0]
        # Sessions that were let in with the old one go on; whoever means it ends them.
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
        self.unusable(lambda: (self.psql(f"ALTER ROLE {role} PASSWORD 'another'"), self.psql(end)),
                      lambda: self.psql(f"ALTER ROLE {role} PASSWORD '{kept}'"),
                      "witness-unseen", "does not let role")

    def test_database_dropped(self):
        database = self.lab.settings.witness_database
        self.unusable(lambda: self.psql(f"DROP DATABASE {database} WITH (FORCE)"),
                      self.set_up_again, "witness-unseen", f'database "{database}" does not exist')

    def test_schema_of_a_newer_version(self):
        def version(number: int):
            return lambda: self.lab.witness_sql(
                "CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer "
                f"LANGUAGE sql IMMUTABLE AS 'SELECT {number}'")
        self.unusable(version(2), version(1), "record-untrusted", "another schema")

    def test_two_clusters_of_one_name(self):
        """The row of another one came in the place of ours."""
        row = self.record()["system_identifier"]
        self.unusable(
            lambda: self.lab.witness_sql(
                "UPDATE pgvrrp.record SET system_identifier = system_identifier + 1; " + SEAL),
            lambda: self.lab.witness_sql(
                "UPDATE pgvrrp.record SET system_identifier = %s; " + SEAL, (row,)),
            "record-untrusted", "another cluster's")

    def test_nodes_of_other_names(self):
        def rename(nodes: list[str], holder: str):
            return lambda: self.lab.witness_sql(
                "UPDATE pgvrrp.record SET nodes = %s, holder = %s; " + SEAL, (nodes, holder))
        self.unusable(rename(["a1", "a2"], "a1"), rename([self.old, self.new], self.old),
                      "record-untrusted", "of other nodes")

    def test_standby_that_is_not_in_the_record(self):
        """The primary is, and starts again by itself; the standby takes nothing over."""
        def other_nodes(name: str) -> None:
            self.lab.witness_sql("UPDATE pgvrrp.record SET nodes = %s; " + SEAL,
                                 ([self.old, name],))
        load = self.lab.load_begin(90)
        try:
            other_nodes("n9")
            self.lab.fault("crash", self.old)
            self.wait_verdict(self.new, "record-untrusted", "of other nodes")
            self.wait(self.serves(self.old), 20, "the primary serves again")
            other_nodes(self.new)
            self.wait_paired(20)
        finally:
            report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old, report)


if __name__ == "__main__":
    unittest.main()
