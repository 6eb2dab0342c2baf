#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""What scripts/bench makes of what it has seen: outages from histories, times from /proc, medians,
tables, and the page.  No lab is needed."""

import argparse
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "scripts"))

from lablib import (bench, benchclusters, benchcost, benchfailover, benchfault,  # noqa: E402
                    benchfigures, benchpeers, benchrest, benchtps, peers, settings)
from lablib.writer import VipWriter  # noqa: E402


def history(acks: list[float], fault: float = 1000.0, ended: float = 5000.0) -> dict:
    """Acknowledged at these times."""
    return {"begun_ms": 0.0, "ended_ms": ended, "faults": [[fault, ["crash", "n1"]]],
            "vip": [[n, at - 2, at, "acked", "n1"] for n, at in enumerate(acks, 1)]}


class Outage(unittest.TestCase):
    def test_from_the_last_acknowledgement_before_the_fault_to_the_first_after_it(self):
        found = benchfault.outage(history([980, 990, 1450, 1460, 4990]))
        # The gap at the end is longer than that of the fault, and counts: the service stopped again.
        self.assertEqual(found["outage_ms"], 3530)
        found = benchfault.outage(history([980, 998, 1450, 1460], ended=1470))
        self.assertEqual(found, {"outage_ms": 452, "stopped_ms": -2, "back_ms": 450, "open": False})

    def test_a_gap_before_the_fault_is_not_its(self):
        found = benchfault.outage(history([10, 900, 990, 1300, 1310], ended=1320))
        self.assertEqual(found["outage_ms"], 310)

    def test_a_row_under_way_is_acknowledged_after_the_deed(self):
        found = benchfault.outage(history([990, 1004, 1600, 1610], ended=1620))
        self.assertEqual((found["outage_ms"], found["stopped_ms"]), (596, 4))

    def test_writes_that_never_come_back_are_open(self):
        found = benchfault.outage(history([980, 990]))
        self.assertEqual((found["outage_ms"], found["open"]), (4010, True))

    def test_what_was_refused_is_no_acknowledgement(self):
        seen = history([980, 990, 1500], ended=1510)
        seen["vip"].append([9, 1098, 1100, "refused", "n1"])
        self.assertEqual(benchfault.outage(seen)["outage_ms"], 510)


class Calm(unittest.TestCase):
    """When a load may end by itself."""

    def setUp(self):
        self.writer = VipWriter("test", ["host=nowhere"])

    def test_not_before_writes_have_gone_on_for_long_enough(self):
        self.writer.steady_since, self.writer.last_ack = 2000.0, 5990.0
        self.assertFalse(self.writer.steady(1000.0, 4000.0, 5999.0))
        self.assertTrue(self.writer.steady(1000.0, 4000.0, 6000.0))

    def test_counted_from_the_fault_when_nothing_was_interrupted(self):
        self.writer.steady_since, self.writer.last_ack = 0.0, 5990.0
        self.assertFalse(self.writer.steady(3000.0, 4000.0, 6000.0))
        self.assertTrue(self.writer.steady(2000.0, 4000.0, 6000.0))

    def test_not_while_they_are_interrupted(self):
        self.writer.steady_since, self.writer.last_ack = 0.0, 1000.0
        self.assertFalse(self.writer.steady(1000.0, 4000.0, 6000.0))


class Proc(unittest.TestCase):
    STAT = "41 (a) b (c) S 7 41 41 0 -1 4194560 1 2 3 4 100 50 20 10 20 0 1 0 999 1 1"

    def test_own_time_and_that_of_children_that_were_waited_for(self):
        parent, spent = benchrest.times_of(self.STAT)
        self.assertEqual(parent, 7)
        self.assertAlmostEqual(spent, 180 / benchrest.TICK)

    def test_a_process_belongs_to_whoever_started_it(self):
        programs = {1: (0, "python3"), 2: (1, "keepalived"), 3: (2, "check_answer"), 4: (1, "fence_self"),
                    5: (4, "ssh"), 6: (1, "postgres"), 7: (6, "postgres"), 8: (1, "sshd"), 9: (8, "sh"),
                    10: (99, "fence_self"), 11: (10, "check_primary")}
        groups = {pid: benchrest.group_of(pid, programs, 1) for pid in programs}
        self.assertEqual(groups, {1: "other", 2: "keepalived", 3: "keepalived", 4: "manager", 5: "manager",
                                  6: "postgres", 7: "postgres", 8: "other", 9: "other", 10: "manager",
                                  11: "manager"})

    def test_memory(self):
        self.assertEqual(benchrest.pss_kib("55 rollup\nRss:   900 kB\nPss:   123 kB\nPss_Dirty: 1 kB\n"), 123)

    def test_sums_over_groups_and_hosts(self):
        hosts = {"n1": {"manager": {"cpu_ms": 2.0}, "postgres": {"cpu_ms": 1.0}},
                 "n2": {"manager": {"cpu_ms": 4.0}}}
        self.assertEqual(benchrest.total(hosts, "cpu_ms", ("manager",)), 6.0)
        self.assertEqual(benchrest.total(hosts, "cpu_ms", ("manager", "postgres"), ["n1"]), 3.0)


class Figures(unittest.TestCase):
    def test_median_least_and_most(self):
        found = benchfigures.spread([3.0, 1.0, 2.0, 10.0])
        self.assertEqual(found, {"n": 4, "median": 2.5, "least": 1.0, "most": 10.0})
        self.assertEqual(benchfigures.span(found, 1), "2.5 (1.0-10.0)")
        self.assertEqual(benchfigures.span(found, 2, 1000), "0.00 (0.00-0.01)")

    def test_nothing_measured_is_no_figure(self):
        none = benchfigures.spread([])
        self.assertEqual(benchfigures.span(none), "-")
        self.assertEqual(benchfigures.ratio(none, benchfigures.spread([1.0])), "-")

    def test_ratio_of_medians(self):
        self.assertEqual(benchfigures.ratio(benchfigures.spread([4.0]), benchfigures.spread([2.0])), "2.00")

    def test_a_part_of_the_page_is_replaced_and_nothing_else(self):
        page = "a\n<!-- tps -->\nold\n<!-- /tps -->\nb\n<!-- cost -->\nc\n<!-- /cost -->\n"
        self.assertEqual(benchfigures.with_part(page, "tps", r"n\1ew"),
                         "a\n<!-- tps -->\nn\\1ew\n<!-- /tps -->\nb\n<!-- cost -->\nc\n<!-- /cost -->\n")
        with self.assertRaises(ValueError):
            benchfigures.with_part(page, "peers", "x")

    def test_where_and_when(self):
        at = benchfigures.machine()
        self.assertEqual(json.loads(json.dumps(at)), at)
        self.assertIn(at["date"], benchfigures.said_of(at))


class Failover(unittest.TestCase):
    def row(self, outages: list[float], **more) -> dict:
        case = benchfailover.Case("crash", benchfailover.crash, 450, True)
        return benchfailover.row(case, [
            {"outage_ms": at, "phases": {"detected": 20.0}, "lost": 0, "dual_ms": 0, "moved": True,
             "open": False, **more} for at in outages])

    def test_the_median_is_held_against_what_is_wanted(self):
        self.assertTrue(benchfailover.good(self.row([300, 440, 900])))
        self.assertFalse(benchfailover.good(self.row([300, 460, 900])))

    def test_two_writers_a_wrong_move_and_an_open_end_are_never_good(self):
        for bad in ({"dual_ms": 1}, {"moved": False}, {"lost": None}, {"open": True}):
            self.assertFalse(benchfailover.good(self.row([300], **bad)), bad)

    def test_steps_are_medians_of_those_that_were_seen(self):
        found = self.row([300, 400])
        self.assertEqual(benchfailover.step_cells(found), ["crash", "20", "-", "-", "-", "-", "-"])


class Peers(unittest.TestCase):
    def sample(self, name: str, outage: float, **more) -> dict:
        return {"name": name, "speed": "fast", "case": "crash", "outage_ms": outage, "open": False,
                "lost": 0, "dual_ms": 0, **more}

    def test_ratios_are_to_ours_of_the_same_speed_and_case(self):
        samples = [self.sample("pg_vrrp", 500), self.sample("repmgr", 1500), self.sample("repmgr", 2500),
                   self.sample("pg_vrrp", 1, speed="default"), self.sample("pg_vrrp", 1, case="cut")]
        rows = {row[0]: row[1:] for row in benchpeers.fault_rows(samples)}
        self.assertEqual(rows["crash: repmgr, fast"], ["2", "2.00 (1.50-2.50)", "4.00", "0", "0.0"])
        self.assertTrue(benchpeers.fits({"samples": samples}))
        self.assertFalse(benchpeers.fits({"samples": [*samples, self.sample("patroni", 499)]}))

    def test_what_failed_is_no_figure_and_is_told(self):
        samples = [self.sample("pg_vrrp", 500), {"name": "patroni", "speed": "fast", "case": "crash",
                                                 "failed": "not up"}]
        self.assertEqual(len(benchpeers.fault_rows(samples)), 1)
        self.assertEqual(benchpeers.failed(samples), ["Patroni + etcd, fast, crash: not up"])
        self.assertFalse(benchpeers.fits({"samples": samples}))

    def test_each_speed_says_what_it_is(self):
        for name, peer in peers.PEERS.items():
            wanted = {"default"} if peer is peers.Plain else {"default", "fast"}
            self.assertEqual(set(peer.SETTINGS), wanted, name)

    def test_a_peer_s_lab_has_its_name_and_no_virtual_address(self):
        for name in peers.NAMES:
            made = settings.make(None, None, None, [], name)
            self.assertEqual(peers.of(made).NAME + (peers.FAST if peers.of(made).fast else ""), name)
            self.assertEqual(made.entries(), [host.address for host in made.nodes()])
        self.assertEqual(settings.make(None, None, None, []).entries(), ["10.77.0.100"])


class Others(unittest.TestCase):
    def test_tps_is_a_ratio_within_each_round(self):
        rounds = [{"pg_vrrp": 90.0, "plain": 100.0}, {"pg_vrrp": 49.0, "plain": 50.0},
                  {"pg_vrrp": 300.0, "plain": 300.0}]
        self.assertEqual(benchtps.ratios(rounds)["pg_vrrp"]["median"], 0.98)

    def test_a_further_cluster_is_held_against_the_first(self):
        def row(count, spent):
            return {"clusters": count, "hosts": {"n1": {"manager": {"cpu_ms": spent, "pss_kib": 1}}}}
        found = {"rows": [row(1, 10.0), row(5, 42.0)], "failed": ""}
        self.assertAlmostEqual(benchclusters.further(found, found["rows"][1]), 0.8)
        self.assertTrue(benchclusters.fits(found))
        self.assertFalse(benchclusters.fits({**found, "failed": "20 clusters serve: not within 180 s"}))
        self.assertFalse(benchclusters.fits({**found, "rows": [row(1, 10.0), row(5, 58.0)]}))

    def test_cost_is_what_is_spent_more_than_without_a_manager(self):
        def look(spent, sessions=None):
            groups = {"manager": {"cpu_ms": spent, "pss_kib": 2048}}
            return {"hosts": {"n1": groups, "n2": groups, "witness": {}}, "sessions": sessions}
        found = {"looks": {"plain": [look(1.0)], "postgres witness, async": [look(5.0, 2.0)]},
                 "programs": []}
        rows = {what: got for what, got, _ in benchcost.checks(found)}
        self.assertEqual(rows["CPU of postgres witness, async, ms/s more than plain"], 8.0)
        self.assertEqual(rows["PSS of ours on a node, postgres witness, async, MiB"], 2.0)
        self.assertEqual(rows["new sessions at the witness a second, postgres witness, async"], 2.0)
        self.assertFalse(benchcost.fits(found))


class Commands(unittest.TestCase):
    def test_each_module_has_what_the_command_asks_of_it(self):
        for module in bench.MODULES:
            module.arguments(argparse.ArgumentParser())
            for name in ("NAME", "HELP", "figures", "text", "page", "fits"):
                self.assertTrue(hasattr(module, name), f"{module.__name__}.{name}")

    def test_the_page_has_a_part_for_each(self):
        page = (TOP / "docs/benchmarks.md").read_text()
        for module in bench.MODULES:
            self.assertIn("new", benchfigures.with_part(page, module.NAME, "new"))


if __name__ == "__main__":
    unittest.main()
