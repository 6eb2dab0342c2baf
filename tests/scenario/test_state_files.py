# SPDX-License-Identifier: PostgreSQL
"""The files that a node keeps about itself, missing and full of garbage: nothing is promoted, nothing serves wrongly, and it heals."""

import os
import shutil
import time
import unittest

from damage import WAYS, Damaging, damage, repair

# Below run_dir.  Whoever needs one writes it anew within a second.
TRACK = ("serving", "election", "priority")
STAMPS = ("lease", "vote", "grant", "contact", "keepalived")
ATTEMPTS = ("attempt.check_primary", "attempt.check_serving", "attempt.promote_safe",
            "news.check_primary")
# Written only on a primary, or only on a standby.
PRIMARY_ONLY = ("lease", "vote", "grant")


class StateDirectory(Damaging):
    def directory(self, node: str) -> str:
        return self.lab.node(node).path(self.lab.settings.state_dir)


class Removed(StateDirectory):
    """A lease that carries it for longer than from look to look of keepalived's scripts."""
    sets = Damaging.sets + ["timing.lease=5s"]

    def vip_while_removed(self, node: str) -> set[str]:
        """It is gone whenever keepalived's scripts look, which they do each second."""
        seen: set[str] = set()
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            shutil.rmtree(self.directory(node), ignore_errors=True)
            seen |= self.vip_seen(0)
        return seen | self.vip_seen(1)

    def test_state_dir_removed_on_either_node_and_nothing_moves(self):
        load = self.lab.load_begin(60)
        for node in (self.new, self.old):
            self.assertEqual(self.vip_while_removed(node), {self.old})
            self.wait(lambda node=node: os.path.isdir(self.directory(node)), 3, "it is made anew")
        self.wait(self.is_well, 10, "all is well, and the witness's baseline is there again")
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)


class StateFiles(StateDirectory):
    sets = Damaging.sets + ["timing.restart_wait=4s"]

    # ---- below run_dir ----

    def paths(self, node: str, names: tuple[str, ...]) -> list[str]:
        return [self.run_file(node, name) for name in names]

    def written_anew(self, node: str, names: tuple[str, ...]) -> None:
        for path in self.paths(node, names):
            self.wait(lambda path=path: self.file_is_well(path), 4, f"{path} is written anew")

    def test_run_files_of_the_standby_and_nothing_moves(self):
        load = self.lab.load_begin(60)
        names = tuple(name for name in TRACK + STAMPS if name not in PRIMARY_ONLY)
        for way in WAYS:
            paths = self.paths(self.new, TRACK + STAMPS + ATTEMPTS)
            for path in paths:
                damage(path, way)
            self.assertEqual(self.vip_seen(1.2), {self.old}, way)
            for path in paths:
                repair(path)
            self.written_anew(self.new, names)
        self.wait(self.promotable(self.new), 5, "a standby that could take over")
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)

    def test_run_files_of_the_primary_are_written_anew(self):
        load = self.lab.load_begin(60)
        for way in WAYS[:-1]:
            for path in self.paths(self.old, TRACK + STAMPS + ATTEMPTS):
                damage(path, way)
            self.assertNotIn(self.new, self.vip_seen(0.8), way)
            self.written_anew(self.old, TRACK + ("lease", "vote", "keepalived"))
            self.wait(self.serves(self.old), 4, f"the primary serves again, {way}")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertLess(report["outage_ms"], 3000, report)
        self.assertEqual(self.promotions(), 0)

    def test_directory_in_the_place_of_a_run_file_on_the_primary(self):
        """What cannot be written ends the service where it must, and not where it need not."""
        load = self.lab.load_begin(60)
        for name in ("vote", "grant", "keepalived", "priority", "election"):
            damage(self.run_file(self.old, name), "directory")
        self.wait_said(self.old, "could not write the vote file: Is a directory", 7)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        for name in ("serving", "lease"):
            path = self.run_file(self.old, name)
            damage(path, "directory")
            self.wait(lambda: self.lab.status()["vip_at"] == [], 4, f"the VIP goes, {name}")
            self.wait_said(self.old, f"could not write the {name} file: Is a directory", 4)
            repair(path)
            self.wait(self.serves(self.old), 5, f"the primary serves again, {name}")
        for name in ("vote", "grant", "keepalived", "priority", "election"):
            repair(self.run_file(self.old, name))
        self.wait(self.is_well, 5, "all is well again")
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertEqual(self.promotions(), 0)

    def test_contact_that_cannot_be_read_refuses_a_takeover_until_it_can(self):
        load = self.lab.load_begin(60)
        path = self.run_file(self.new, "contact")
        damage(path, "directory")
        self.lab.fault("crash", self.old)
        self.wait_said(self.new, "rule=too-far-behind", 5)
        self.assertEqual(self.role(self.new), "standby")
        repair(path)
        # It knows nothing of the primary any more, so the primary comes back by the standby's vote.
        self.wait(self.serves(self.old), 20, "the primary serves again")
        self.assert_safe(load.stop())

    def test_asked_that_cannot_be_read_keeps_the_vote_back_until_the_server_was_restarted(self):
        load = self.lab.load_begin(60)
        path = self.run_file(self.new, "asked")
        damage(path, "binary")
        damage(self.state_file(self.new, "withdrawn"), "empty")
        self.wait_said(self.new, "this server may have been asked to become a primary", 20)
        self.wait_said(self.new, "could not give the vote back", 10)
        self.assertEqual(self.vip_seen(1.5), {self.old})
        self.assertTrue(os.path.exists(self.state_file(self.new, "withdrawn")))
        self.lab.fault("crash", self.new)
        self.wait(lambda: not os.path.exists(path), 10, "the file is removed before the start")
        self.wait(self.is_well, 15, "all is well again")
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)

    # ---- marks that survive a reboot ----

    def test_fenced_mark_on_the_standby_is_taken_away_by_itself(self):
        load = self.lab.load_begin(60)
        path = self.state_file(self.new, "fenced")
        for way in ("empty", "binary"):
            damage(path, way)
            self.wait(self.promotable(self.new), 6, f"a standby that could take over, {way}")
        damage(path, "directory")
        self.wait_said(self.new, "rule=mark message=\"could not remove the fenced mark\"", 5)
        self.wait_said(self.new, "rule=fenced", 5)
        repair(path)
        self.wait(self.promotable(self.new), 6, "a standby that could take over")
        self.assert_nothing_happened(load.stop())

    def test_fenced_mark_on_the_primary_is_a_fence(self):
        load = self.lab.load_begin(60)
        damage(self.state_file(self.old, "fenced"), "binary")
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_withdrawn_mark_of_a_standby_that_follows_is_taken_away(self):
        load = self.lab.load_begin(60)
        path = self.state_file(self.new, "withdrawn")
        for way in ("empty", "binary"):
            damage(path, way)
            self.wait(lambda: not os.path.exists(path), 5, f"the mark is gone, {way}")
        damage(path, "directory")
        self.wait_said(self.new, "could not give the vote back", 5)
        repair(path)
        for name in ("withdrawn", "rewinding", "baseline." + self.new, "history"):
            damage(self.state_file(self.old, name), "binary")
        self.assertEqual(self.vip_seen(1.5), {self.old})
        self.wait(self.is_well, 5, "all is well")
        os.unlink(self.state_file(self.old, "rewinding"))
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)

    def test_rewinding_mark_keeps_a_directory_from_being_started(self):
        load = self.lab.load_begin(60)
        path = self.state_file(self.new, "rewinding")
        damage(path, "truncated")
        self.lab.fault("crash", self.new)
        self.wait_said(self.new, "rule=half-rewound", 5)
        self.assertEqual(self.role(self.new), "down")
        os.unlink(path)
        self.wait(self.promotable(self.new), 15, "the standby is back")
        self.assert_nothing_happened(load.stop())


    # ---- their directory ----

    def test_state_dir_hidden_on_the_primary_ends_its_lease(self):
        """Nobody can tell whether it was fenced: that is borne for one lease."""
        load = self.lab.load_begin(60)
        directory = self.directory(self.old)
        os.rename(directory, directory + ".away")
        with open(directory, "wb"):
            pass
        self.wait_said(self.old, "it cannot be told whether this node is fenced", 3)
        self.wait(self.serves(self.new), 12, "the standby serves")
        self.assertNotEqual(self.role(self.old), "primary")
        os.unlink(directory)
        os.rename(directory + ".away", directory)
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_state_dir_read_only_on_the_primary_and_a_crash(self):
        """As after an error of the disk: the fence holds by the other directory."""
        load = self.lab.load_begin(60)
        with self.read_only(self.old, self.lab.settings.state_dir):
            self.assertEqual(self.vip_seen(1), {self.old})
            self.lab.fault("crash", self.old)
            self.wait(self.serves(self.new), 10, "the standby serves")
            self.wait_said(self.old, "could not write the fenced mark in state_dir: Read-only", 1)
            self.lab.fault("kill", self.old, "guard")
            self.wait_said(self.old, "Read-only file system", 5)
            self.assertEqual(self.role(self.old), "down")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())

    def test_state_dir_read_only_on_the_standby_and_a_crash(self):
        load = self.lab.load_begin(60)
        with self.read_only(self.new, self.lab.settings.state_dir):
            self.lab.fault("crash", self.old)
            self.wait_said(self.new, "could not withdraw the vote: Read-only file system", 5)
            self.wait_said(self.new, "rule=withdraw-failed", 1)
            self.assertEqual(self.role(self.new), "standby")
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
