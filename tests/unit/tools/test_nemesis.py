#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The schedules of the fault suite: the same for the same seed, possible, and of every kind."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS.parent / "scripts"), str(TESTS / "faults")]

import nemesis  # noqa: E402
from lablib.faults_day import KINDS  # noqa: E402

SEEDS = range(1, 301)
LONG_RUN = range(1, 31)  # of README.md
PARTS_OF_A_HOST = ("exhaust", "fill-disk", "freeze", "hunt", "kill", "restart")
WITHOUT = nemesis.Cluster(record=False, pg_vrrp=False)


def acts(cluster=nemesis.Cluster()):
    return [act for seed in SEEDS for one in nemesis.schedule(seed, cluster) for act in one.acts]


def kinds(seeds):
    """A fault, with what it was done to where one host has several."""
    words = [act.words for seed in seeds for one in nemesis.schedule(seed) for act in one.acts]
    return {(first, *rest[1:2]) if first in PARTS_OF_A_HOST else (first,) for first, *rest in words}


class Nemesis(unittest.TestCase):
    def test_same_seed_same_schedule(self):
        for seed in (1, 7, 4711):
            self.assertEqual(nemesis.schedule(seed), nemesis.schedule(seed))
        self.assertNotEqual(nemesis.schedule(1), nemesis.schedule(2))

    def test_seed_is_the_same_on_every_machine_and_day(self):
        """A seed in a report must mean the same after the next Python; a change of the nemesis
        that changes seeds has to change this line too."""
        first = nemesis.schedule(1)[0].acts[0]
        self.assertEqual(" ".join(first.words), FIRST)

    def test_fewer_rounds_are_the_first_ones(self):
        self.assertEqual(nemesis.schedule(3, rounds=4), nemesis.schedule(3)[:4])

    def test_every_kind_of_fault_comes(self):
        kinds = {act.words[0] for act in acts()}
        self.assertEqual(kinds, {make.__name__.strip("_").replace("_", "-")
                                 for make in nemesis.WEIGHTS} - {"hunt-check"} | {"hunt"})
        words = {word for act in acts() for word in act.words}
        for word in ("connections", "processes", "files", "data", "state", "guard", "backend",
                     "promote_safe", "rejoin", "fence_self", "fence_old", "pg_rewind", "witness"):
            self.assertIn(word, words)

    def test_the_long_run_has_every_kind_that_there_is(self):
        """Once a run of three hundred faults never hunted promote_safe, by chance."""
        self.assertEqual(kinds(LONG_RUN), kinds(SEEDS))

    def test_alone_and_on_top_of_each_other(self):
        counts = {len(one.acts) for seed in SEEDS for one in nemesis.schedule(seed)}
        self.assertLessEqual({1, 2, 3, 4}, counts)

    def test_times_are_in_the_round(self):
        for seed in SEEDS:
            for one in nemesis.schedule(seed):
                for act in one.acts:
                    self.assertLess(act.at_ms, one.length_ms)
                    if act.until_ms is not None:
                        self.assertTrue(act.at_ms < act.until_ms < one.length_ms, act)

    def test_nothing_is_done_on_a_host_that_is_off(self):
        for seed in SEEDS:
            for one in nemesis.schedule(seed):
                off: dict[str, int] = {}
                for act in one.acts:
                    if one.heal_at_ms is not None and act.at_ms > one.heal_at_ms:
                        break
                    for host in set(act.words) & set(off):
                        self.assertIn(act.words[0], ("cut", "half-cut", "drop", "isolate"), one)
                    if act.words[0] == "power-off":
                        off[act.words[1]] = act.at_ms

    def test_record_is_wiped_alone(self):
        for seed in SEEDS:
            for one in nemesis.schedule(seed):
                if any(act.words[0] == "wipe-record" for act in one.acts):
                    before = [act for act in one.acts if act.at_ms <= (one.heal_at_ms or 0)]
                    self.assertLessEqual(len(before), 1, one)

    def test_textbook_has_no_guard_no_helpers_and_no_record(self):
        words = {word for act in acts(WITHOUT) for word in act.words}
        self.assertFalse(words & {"guard", "hunt", "wipe-record"})
        for act in acts(WITHOUT):
            if act.words[0] in ("crash", "restart", "fill-disk"):
                self.assertNotIn("witness", act.words)


    def test_every_ordinary_day_comes_once_before_any_comes_again(self):
        for seed in (1, 2, 3):
            drawn = {what for what, kind in KINDS.items() if kind.drawn and not kind.systemd}
            days = [one.acts[0].words for one in nemesis.ordinary(seed, rounds=len(drawn))]
            self.assertEqual({what for _, _, what in days}, drawn)
            self.assertEqual(nemesis.ordinary(seed), nemesis.ordinary(seed))
        self.assertNotEqual(nemesis.ordinary(1), nemesis.ordinary(2))

    def test_ordinary_days_are_quiet_or_have_a_fault_behind(self):
        rounds = [one for seed in SEEDS for one in nemesis.ordinary(seed)]
        self.assertEqual({len(one.acts) for one in rounds}, {1, 2})
        for one in rounds:
            verb, node, what = one.acts[0].words
            self.assertEqual(verb, "day")
            role = KINDS[what].role
            self.assertIn(node, {"primary": ["PRIMARY"], "standby": ["STANDBY"]}.get(
                role, ["PRIMARY", "STANDBY"]))

    def test_commands_of_systemd_come_where_there_is_one(self):
        drawn = {what for what, kind in KINDS.items() if kind.drawn}
        days = nemesis.ordinary(1, nemesis.Cluster(systemd=True), len(drawn))
        self.assertEqual({one.acts[0].words[2] for one in days}, drawn)
        self.assertTrue({"systemctl-stop", "pg_ctlcluster-restart"} <= drawn)

    def test_without_a_record_nobody_pauses_it(self):
        days = [one.acts[0].words[2] for seed in SEEDS
                for one in nemesis.ordinary(seed, WITHOUT)]
        self.assertNotIn("pause", days)


FIRST = "isolate STANDBY"

if __name__ == "__main__":
    unittest.main()
