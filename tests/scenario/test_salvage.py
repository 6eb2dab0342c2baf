# SPDX-License-Identifier: PostgreSQL
"""What an async failover loses is kept, and listed row by row, before the old primary is rewound."""

import json
import os
import unittest

from scenario import Scenario

PORT = 5432
# Some 20 rows of each writer.
APART_S = 1.0


class Salvage(Scenario):
    """Commits that clients were told of, and that no standby ever had."""

    def fall_behind(self) -> None:
        """The primary commits, and nothing of it reaches the standby, though all else does."""
        there = self.lab.settings.host(self.new).address
        rule = ("add table inet apart;"
                " add chain inet apart out { type filter hook output priority 0; };"
                f" add rule inet apart out ip daddr {there} tcp sport {PORT} counter drop")
        done = self.lab.run(self.old, ["/usr/sbin/nft", rule])
        self.assertEqual(done.returncode, 0, done.stderr)
        until = self.now_ms() + APART_S * 1000
        self.wait(lambda: self.now_ms() > until, 10, "commits that the standby does not get")

    def come_back(self) -> None:
        self.lab.fault("boot", self.old)
        # It may have gone with the host.
        self.lab.run(self.old, ["/usr/sbin/nft", "delete table inet apart"])
        self.wait(self.standby_streams(self.old), 60, "the old primary came back as a standby")

    def lose_commits(self) -> dict:
        load = self.lab.load_begin(120)
        self.fall_behind()
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.come_back()
        report = load.stop()
        self.assert_took_over(report)
        return report

    def history(self) -> list[dict]:
        said = self.lab.helper(self.old, "cluster_status", "--history").stdout
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def names(self, directory: str) -> dict[str, tuple[int, int, int]]:
        """What a person sees who runs names.sql on the new primary."""
        with open(f"{self.lab.node(self.old).path(directory)}/names.sql", encoding="ascii") as file:
            script = file.read()
        done = self.lab.run(self.new, ["setpriv", "--reuid=postgres", "--regid=postgres",
                                       "--init-groups", "psql", "-XAtq", "-f", "-"],
                            input=script, cwd="/")
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

    def test_report_lists_what_is_lost(self):
        report = self.lose_commits()
        self.assertGreater(report["lost"], 0, report)
        told = [event for event in self.history() if event["event"] == "salvaged"]
        self.assertEqual(len(told), 1, told)
        directory = told[0]["salvaged"]["path"]
        with open(f"{self.lab.node(self.old).path(directory)}/report.json",
                  encoding="utf-8") as file:
            salvaged = json.load(file)
        self.assertTrue(salvaged["complete"], salvaged["remarks"])
        self.assertTrue(salvaged["fork_known"])
        self.assertEqual(salvaged["mode"], "async")
        self.assertEqual(len(salvaged["transactions"]), salvaged["transaction_count"])
        self.assertEqual(told[0]["salvaged"]["transactions"], salvaged["transaction_count"])
        self.assertEqual(told[0]["salvaged"]["bytes"], salvaged["bytes"])
        rows = self.names(directory)
        # A client that was not told how its commit ended may have committed, or may not.
        untold = report["unknown"] - report["unknown_present"]
        self.assertGreaterEqual(rows["lab.rows"][0], report["lost"], rows)
        self.assertLessEqual(rows["lab.rows"][0], report["lost"] + untold, rows)
        self.assertEqual(rows["lab.rows"][1:], (0, 0))
        local = rows.get("lab.local_rows", (0, 0, 0))[0]
        self.assertGreaterEqual(local, report["local_lost"], rows)
        self.assertLessEqual(local, report["local_lost"] + 1, rows)
        self.assert_shown(told[0]["salvaged"])
        # And the WAL is there, whole enough for pg_waldump, though pg_rewind has been.
        kept = os.listdir(f"{self.lab.node(self.old).path(directory)}/pg_wal")
        self.assertTrue([name for name in kept if len(name) == 24], kept)


if __name__ == "__main__":
    unittest.main()
