# SPDX-License-Identifier: PostgreSQL
"""What an async failover loses is kept, and listed row by row, before the old primary is rewound."""

import json
import os
import unittest

from returning import AS_POSTGRES, Returning

from lablib.faults_disk import FILLERS

# Some 20 rows of each writer.
APART_S = 1.0


class Salvaging(Returning):
    def come_back(self) -> None:
        self.lab.fault("boot", self.old)
        self.catch_up()
        self.wait(self.standby_streams(self.old), 60, "the old primary came back as a standby")

    def setUp(self) -> None:
        super().setUp()
        self.earlier = {event["salvaged"]["path"] for event in self.history()
                        if event["event"] == "salvaged"}

    def lose_commits(self) -> dict:
        load = self.lab.load_begin(120)
        self.fall_behind()
        until = self.now_ms() + APART_S * 1000
        self.wait(lambda: self.now_ms() > until, 10, "commits that the standby does not get")
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.come_back()
        report = load.stop()
        self.assert_took_over(report)
        return report

    def history(self) -> list[dict]:
        said = self.lab.helper(self.old, "cluster_status", "--history", "--json").stdout
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def salvaged(self) -> tuple[dict, dict]:
        """What the history says of the one salvage of this test, and its report."""
        told = [event["salvaged"] for event in self.history() if event["event"] == "salvaged"
                and event["salvaged"]["path"] not in self.earlier]
        self.assertEqual(len(told), 1, told)
        with open(f"{self.lab.node(self.old).path(told[0]['path'])}/report.json",
                  encoding="utf-8") as file:
            return told[0], json.load(file)

    def names(self, directory: str) -> dict[str, tuple[int, int, int]]:
        """What a person sees who runs names.sql on the new primary."""
        with open(f"{self.lab.node(self.old).path(directory)}/names.sql", encoding="ascii") as file:
            script = file.read()
        done = self.lab.run(self.new, AS_POSTGRES + ["psql", "-XAtq", "-f", "-"], input=script,
                            cwd="/")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split("|") for line in done.stdout.splitlines()]
        return {row[2]: tuple(int(count) for count in row[4:7]) for row in rows}

    def assert_shown(self, salvaged: dict) -> None:
        """cluster_status names the last one, for people and for scripts."""
        words = self.lab.helper(self.old, "cluster_status").stdout
        self.assertIn(f"{salvaged['transactions']} transactions at {salvaged['path']}", words)
        said = self.lab.helper(self.old, "cluster_status", "--json").stdout
        last = json.loads(said)["this_node"]["last_salvage"]
        self.assertEqual({key: last[key] for key in salvaged}, salvaged)


class Salvage(Salvaging):
    """Commits that clients were told of, and that no standby ever had."""

    def test_report_lists_what_is_lost(self):
        report = self.lose_commits()
        self.assertGreater(report["lost"], 0, report)
        told, salvaged = self.salvaged()
        directory = told["path"]
        self.assertTrue(salvaged["complete"], salvaged["remarks"])
        self.assertTrue(salvaged["fork_known"])
        self.assertEqual(salvaged["mode"], "async")
        self.assertEqual(len(salvaged["transactions"]), salvaged["transaction_count"])
        self.assertEqual(told["transactions"], salvaged["transaction_count"])
        self.assertEqual(told["bytes"], salvaged["bytes"])
        rows = self.names(directory)
        # A client that was not told how its commit ended may have committed, or may not.
        untold = report["unknown"] - report["unknown_present"]
        self.assertGreaterEqual(rows["lab.rows"][0], report["lost"], rows)
        self.assertLessEqual(rows["lab.rows"][0], report["lost"] + untold, rows)
        self.assertEqual(rows["lab.rows"][1:], (0, 0))
        local = rows.get("lab.local_rows", (0, 0, 0))[0]
        self.assertGreaterEqual(local, report["local_lost"], rows)
        self.assertLessEqual(local, report["local_lost"] + 1, rows)
        self.assert_shown(told)
        # And the WAL is there, whole enough for pg_waldump, though pg_rewind has been.
        kept = os.listdir(f"{self.lab.node(self.old).path(directory)}/pg_wal")
        self.assertTrue([name for name in kept if len(name) == 24], kept)

    def test_thousands_of_transactions(self):
        """Each is one line of the report; the plan says beforehand that they will be kept."""
        count = 3000
        self.sql(self.old, "CREATE TABLE IF NOT EXISTS apart (n int)")
        self.wait(lambda: self.sql(self.new, "SELECT to_regclass('apart') IS NOT NULL") == "t", 10,
                  "the standby has the table")
        self.fall_behind()
        done = self.lab.run(self.old, AS_POSTGRES + ["psql", "-XAtq", "-f", "-"], cwd="/",
                            input="INSERT INTO apart VALUES (1);\n" * count)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.leave_behind()
        self.catch_up()
        plan = self.rejoin("--dry-run")
        self.assertEqual(plan.returncode, 0, plan.stderr)
        self.assertIn("would run pg_rewind", plan.stdout)
        self.assertRegex(plan.stdout, "kept first what diverged after 0/[0-9A-F]+, in ")
        done = self.rejoin()
        self.assertEqual(done.returncode, 0, done.stderr)
        _, salvaged = self.salvaged()
        self.assertTrue(salvaged["complete"], salvaged["remarks"])
        self.assertGreaterEqual(salvaged["transaction_count"], count)
        self.assertEqual(self.sql(self.old, "SELECT count(*) FROM apart"), "0")

    def test_disk_full(self):
        """What clients were told of is not overwritten before it is kept elsewhere."""
        self.fall_behind()
        self.sql(self.old, "CREATE TABLE nowhere_else AS SELECT generate_series(1, 1000) AS n")
        self.leave_behind()
        self.catch_up()
        self.lab.fault("fill-disk", self.old, "state")
        self.refused("salvage-failed")
        os.unlink(self.lab.node(self.old).path(FILLERS["state"]))
        done = self.rejoin()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(self.salvaged()[0]["transactions"], 0)


class SalvageSync(Salvaging):
    """Nothing that was acknowledged is lost; what waited for the standby is kept all the same."""
    mode = "sync"

    def test_what_nobody_was_told_of(self):
        load = self.lab.load_begin(120)
        self.fall_behind()
        self.wait(lambda: self.sql(self.old, "SELECT count(*) FROM pg_stat_activity"
                                             " WHERE wait_event = 'SyncRep'") != "0",
                  5, "a commit that waits")
        self.leave_behind()
        self.catch_up()
        self.assertEqual(self.rejoin().returncode, 0)
        self.assert_took_over(load.stop())
        self.assertGreater(self.salvaged()[0]["transactions"], 0)


if __name__ == "__main__":
    unittest.main()
