#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""What the person does by hand for the textbook set-up: whatever he finds, one primary is kept, the
other node follows it, each deed is written down, and one that fails stops nobody."""

import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

from lablib import LabError, person  # noqa: E402


class Node:
    """It does what it is told, at once."""

    def __init__(self, world, name, role, timeline=1, vip=False, streaming=False):
        self.world = world
        self.name = name
        self.seen = {"role": role, "timeline": timeline, "vip": vip, "streaming": streaming}
        self.starts_as = "primary"
        self.follows_again = world.follows_again

    def order(self, words):
        self.world.told.append(f"{self.name}: {words}")
        if words == "start postgres":
            self.seen["role"] = self.starts_as
            if self.other().follows_again:
                self.other().seen["streaming"] = True
        elif words == "restart keepalived" and self.seen["vip"]:
            self.seen["vip"] = False
            self.other().seen["vip"] = True

    def other(self):
        return next(node for node in self.world.nodes if node is not self)

    def command(self, argv):
        return [self.name, *argv]


class Put(unittest.TestCase):
    def setUp(self):
        self.told: list[str] = []
        self.deaf: set[str] = set()   # commands that fail
        self.follows_again = False    # a standby whose primary is started
        for name, value in {"of_running": lambda node, _: dict(node.seen), "run": self.run_on,
                            "PATIENCE_S": 0.15}.items():
            self.addCleanup(setattr, person, name, getattr(person, name))
            setattr(person, name, value)

    def run_on(self, argv, timeout):
        node = next(node for node in self.nodes if node.name == argv[0])
        words = " ".join(argv[argv.index("--init-groups") + 1:])
        for deed in ("rejoin.sh", "restart", "promote", "pg_terminate_backend", "RESET"):
            if deed in words:
                break
        self.told.append(f"{node.name}: {deed}")
        if deed in self.deaf:
            raise LabError(f"{deed} failed")
        getattr(self, "on_" + deed.lower().replace(".sh", ""), lambda _: None)(node)
        return "0\n"

    def on_rejoin(self, node):
        node.seen.update(role="standby", streaming=True, timeline=node.other().seen["timeline"])

    def on_restart(self, node):
        node.seen["role"] = "primary"

    def on_promote(self, node):
        node.seen.update(role="primary", timeline=node.seen["timeline"] + 1)

    def put(self, *nodes, mode="async"):
        self.nodes = [Node(self, *words) for words in nodes]
        settings = SimpleNamespace(mode=mode, os_user="postgres", bin_dir="/bin", data_dir="/data")
        self.person = person.Person(settings, self.nodes)
        return self.person.put_in_order(0)

    def roles(self):
        return [node.seen["role"] for node in self.nodes]

    def test_nothing_is_done_where_all_is_in_order(self):
        done = self.put(("n1", "primary", 1, True), ("n2", "standby", 1, False, True))
        self.assertEqual(done, [])

    def test_of_two_primaries_the_one_that_was_promoted_last_is_kept(self):
        done = self.put(("n1", "primary", 1, True), ("n2", "primary", 2))
        self.assertEqual(done, ["n1 rebuilt to follow n2", "keepalived of n1 restarted"])
        self.assertEqual(self.roles(), ["standby", "primary"])

    def test_what_is_down_is_started_only_when_no_primary_is_left(self):
        self.assertEqual(self.put(("n1", "down", 1, True), ("n2", "primary", 2, True)),
                         ["n1 rebuilt to follow n2", "keepalived of n1 restarted"])
        self.assertNotIn("n1: start postgres", self.told)
        done = self.put(("n1", "down", 1, True), ("n2", "standby"))
        self.assertEqual(done, ["server of n1 started", "n2 rebuilt to follow n1"])

    def test_standby_that_follows_the_server_that_was_started_is_not_rebuilt(self):
        self.follows_again = True
        done = self.put(("n1", "down", 1, True), ("n2", "standby"))
        self.assertEqual(done, ["server of n1 started"])

    def test_of_two_standbys_one_is_promoted(self):
        done = self.put(("n1", "standby", 1, True), ("n2", "standby"))
        self.assertEqual(done, ["n1 promoted", "n2 rebuilt to follow n1"])

    def test_a_server_that_does_not_answer_is_restarted(self):
        done = self.put(("n1", "unknown", 1, True), ("n2", "standby", 1, False, True))
        self.assertEqual(done, ["server of n1 restarted"])

    def test_one_that_answers_when_waiting_commits_have_ended_is_not(self):
        self.on_pg_terminate_backend = lambda node: node.seen.update(role="primary")
        self.put(("n1", "unknown", 1, True), ("n2", "standby", 1, False, True))
        self.assertNotIn("n1: restart", self.told)
        self.assertIn("n1: pg_terminate_backend", self.told)

    def test_a_deed_that_fails_is_tried_again_and_stops_nobody(self):
        self.deaf = {"rejoin.sh", "pg_terminate_backend"}
        done = self.put(("n1", "primary"), ("n2", "down", 1, True))
        self.assertEqual(self.told.count("n2: rejoin.sh"), person.TRIES)
        self.assertEqual(done[-1], "keepalived of n2 restarted")
        self.assertTrue(self.nodes[0].seen["vip"])

    def test_keepalived_of_the_primary_is_started_anew_when_that_of_the_other_was_no_help(self):
        done = self.put(("n1", "primary"), ("n2", "standby", 1, False, True))
        self.assertEqual(done, ["keepalived of n1 restarted"] * (person.TRIES - 1))

    def test_synchronous_replication_is_turned_on_where_a_standby_follows(self):
        self.put(("n1", "primary", 1, True), ("n2", "down"), mode="sync")
        self.assertEqual(self.told[-1], "n1: RESET")
        self.deaf = {"rejoin.sh"}
        self.told.clear()
        self.put(("n1", "primary", 1, True), ("n2", "down"), mode="sync")
        self.assertNotIn("n1: RESET", self.told)

    def test_nobody_who_can_be_a_primary_is_said(self):
        self.deaf = {"promote", "restart"}
        with self.assertRaisesRegex(LabError, "no server of the set-up can be made"):
            self.put(("n1", "unknown", 1, True), ("n2", "standby"))


if __name__ == "__main__":
    unittest.main()
