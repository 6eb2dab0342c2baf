# SPDX-License-Identifier: PostgreSQL
"""Replication slots: a node that was away catches up, up to a bound, and nothing fills the disk."""

import json
import unittest

from damage import Damaging
from lablib import LabError

SEGMENT = 16 * 1024 * 1024


class Slots(Damaging):
    # Looked after as often as can be.
    sets = [*Damaging.sets, "fencing.test_interval=5s"]
    bound = "192MB"

    def setUp(self) -> None:
        super().setUp()
        for node in (self.old, self.new):
            # Without slots a primary keeps next to nothing.
            for setting in (f"max_slot_wal_keep_size = '{self.bound}'", "wal_keep_size = 0",
                            "min_wal_size = '32MB'", "max_wal_size = '64MB'"):
                self.sql(node, f"ALTER SYSTEM SET {setting}")
            self.sql(node, "SELECT pg_reload_conf()")
        self.sql(self.old, "DROP TABLE IF EXISTS while_away")
        self.wait(lambda: not self.has_table(self.new)(), 20, "nothing is left of an earlier test")
        self.wait(self.in_use(self.old, self.new), 20, "the standby streams with its slot")
        self.wait(lambda: self.slot(self.new, self.old) is not None, 20,
                  "the standby has a slot for the primary")

    # ---- looking ----

    def status_json(self, node: str) -> dict:
        return json.loads(self.lab.helper(node, "cluster_status", "--json").stdout)

    def slots(self, node: str) -> list[dict]:
        """As cluster_status says it on that node."""
        seen = next(item for item in self.status_json(node)["nodes"] if item["name"] == node)
        return (seen["slots"] or {"all": []})["all"]

    def known_slot(self, node: str, user: str) -> dict:
        """A server that is busy for a moment is told without its slots."""
        self.wait(lambda: self.slot(node, user) is not None, 20, f"{node} tells of a slot for {user}")
        return self.last

    def slot(self, node: str, user: str) -> dict | None:
        self.last = next((slot for slot in self.slots(node) if slot["for"] == user), None)
        return self.last

    def in_use(self, node: str, user: str):
        def look() -> bool:
            try:
                return (self.slot(node, user) or {}).get("active", False)
            except (LabError, ValueError):
                return False
        return look

    def has_table(self, node: str):
        """A walreceiver says that it streams before it is told that the WAL is gone; this does not."""
        return lambda: self.sql(node, "SELECT to_regclass('while_away')") != ""

    def wal_bytes(self, node: str) -> int:
        return int(self.sql(node, "SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()"))

    # ---- doing ----

    def fill(self, node: str, segments: int) -> None:
        """So many WAL files, and a checkpoint, which takes away those that nobody needs."""
        for _ in range(segments):
            self.sql(node, "SELECT pg_logical_emit_message(true, 'fill', 'x')")
            self.sql(node, "SELECT pg_switch_wal()")
        self.sql(node, "CHECKPOINT")

    # ---- scenarios ----

    def test_a_standby_that_was_off_catches_up(self):
        self.lab.fault("power-off", self.new)
        self.sql(self.old, "CREATE TABLE while_away (i int)")
        self.fill(self.old, 6)
        self.fill(self.old, 1)
        held = self.known_slot(self.old, self.new)["held_bytes"]
        self.assertGreaterEqual(held, 6 * SEGMENT)
        self.lab.fault("boot", self.new)
        self.wait(self.standby_streams(self.new), 40, "the standby streams again")
        self.wait(self.has_table(self.new), 20, "it has what was written meanwhile")
        self.wait(lambda: self.known_slot(self.old, self.new)["held_bytes"] < SEGMENT, 20,
                  "nothing is held for it any more")
        self.assertEqual(self.role(self.old), "primary")

    def test_the_old_primary_catches_up_with_the_new_one(self):
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.assertEqual(self.known_slot(self.new, self.old)["state"], "keeps")
        self.fill(self.new, 6)
        self.sql(self.new, "CREATE TABLE while_away (i int)")
        self.fill(self.new, 1)
        self.lab.fault("boot", self.old)
        self.wait(self.standby_streams(self.old), 60, "the old primary follows")
        self.wait(self.has_table(self.old), 20, "it has what was written meanwhile")
        self.wait(self.in_use(self.new, self.old), 30, "with its slot on the new primary")
        self.wait(lambda: self.slot(self.old, self.new) is not None, 30,
                  "and has one for the new primary")
        self.assertEqual(self.sql(self.new, "SHOW primary_slot_name"), "")

    def test_a_slot_of_somebody_else_is_reported(self):
        self.sql(self.old, "SELECT pg_create_physical_replication_slot('forgotten', true)")
        self.fill(self.old, 11)
        self.wait(lambda: self.status_json(self.old)["rule"] == "slots-nearly-full", 20,
                  "cluster_status warns of it")
        self.assertIn("forgotten", self.lab.helper(self.old, "replication_slots").stdout)
        done = self.lab.helper(self.old, "replication_slots", "--drop=forgotten")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(lambda: self.lab.helper(self.old, "cluster_status").returncode == 0, 20,
                  "all is well again")
        self.assertEqual([slot["name"] for slot in self.slots(self.old)], [f"pgvrrp_{self.new}"])

    def test_at_the_bound_nothing_more_is_held(self):
        self.lab.fault("power-off", self.new)
        self.fill(self.old, 16)
        self.fill(self.old, 4)
        self.wait_said(self.old, "rule=away-too-long", 20)
        self.assertEqual(self.known_slot(self.old, self.new)["state"], "empty")
        self.assertIn("may need a new copy", self.lab.helper(self.old, "cluster_status").stdout)
        self.fill(self.old, 20)
        self.assertLess(self.wal_bytes(self.old), 12 * SEGMENT)
        self.assertEqual(self.role(self.old), "primary")
        # What it lacks is gone: others bring it back, or say that it needs a new copy.
        type(self).drop_lab()


if __name__ == "__main__":
    unittest.main()
