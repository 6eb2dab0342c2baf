# SPDX-License-Identifier: PostgreSQL
"""With a witness that keeps the record: every link cut and half-cut, alone and in pairs.

Three links join the two nodes and the witness, so there are six half-cuts; alone and in pairs they
are 6 + 15, the cuts of whole links are 3, and their pairs 3, each of which isolates one host.  The
tables say what must come of each.  Nothing that needs an answer goes over a link that loses one of
its directions, so whole and half-cut links end alike, by who is left alone:

NOTHING     only the witness has lost links, or the primary one of two sources of its lease: the
            other source, the standby's vote or the record, carries it on without a pause
SOLO        the standby does not get what is written, and the primary sees the witness: it says in
            the record that it serves alone, and then commits wait for nobody
TAKEOVER    the primary has lost both, and cannot say anything in the record: it fences itself, and
            the standby takes the term when nothing that the primary was promised can still last

In each case commits go on while the fault lasts, none is lost, no two nodes accept any, and when
the links are whole both nodes are paired again.
"""

import time
import unittest

from scenario import Scenario

NOTHING, SOLO, TAKEOVER = "nothing", "solo", "takeover"

# Longer than lease + margin + every retry: what has not happened by then does not happen.
LONG_ENOUGH_S = 6
# From the fault until commits go on, on a busy machine too.
WRITABLE_S = 10

# P is the primary when it begins, S the standby, W the witness; P>S: no packet from P to S.  P-S:
# no packet between them.
ONE_LINK = {
    "primary_to_standby": ("P>S", SOLO),
    "standby_to_primary": ("S>P", SOLO),
    "both_ways_between_the_nodes": ("P>S S>P", SOLO),
    "nodes_cut": ("P-S", SOLO),
    "primary_to_witness": ("P>W", NOTHING),
    "witness_to_primary": ("W>P", NOTHING),
    "both_ways_between_primary_and_witness": ("P>W W>P", NOTHING),
    "primary_and_witness_cut": ("P-W", NOTHING),
    "standby_to_witness": ("S>W", NOTHING),
    "witness_to_standby": ("W>S", NOTHING),
    "both_ways_between_standby_and_witness": ("S>W W>S", NOTHING),
    "standby_and_witness_cut": ("S-W", NOTHING),
}

WITNESS_ALONE = {
    "nodes_to_witness": ("P>W S>W", NOTHING),
    "primary_to_witness_and_witness_to_standby": ("P>W W>S", NOTHING),
    "witness_to_primary_and_standby_to_witness": ("W>P S>W", NOTHING),
    "witness_to_nodes": ("W>P W>S", NOTHING),
    "witness_cut_from_both": ("P-W S-W", NOTHING),
}

STANDBY_ALONE = {
    "standby_hears_primary_no_more_and_says_nothing_to_witness": ("P>S S>W", SOLO),
    "standby_hears_nobody": ("P>S W>S", SOLO),
    "nobody_hears_the_standby": ("S>P S>W", SOLO),
    "primary_hears_standby_no_more_nor_standby_the_witness": ("S>P W>S", SOLO),
    "standby_cut_from_both": ("P-S S-W", SOLO),
}

PRIMARY_ALONE = {
    "nobody_hears_the_primary": ("P>S P>W", TAKEOVER),
    "standby_hears_primary_no_more_nor_primary_the_witness": ("P>S W>P", TAKEOVER),
    "primary_hears_standby_no_more_nor_witness_the_primary": ("S>P P>W", TAKEOVER),
    "primary_hears_nobody": ("S>P W>P", TAKEOVER),
    "primary_cut_from_both": ("P-S P-W", TAKEOVER),
}


def tests_of(*tables: dict[str, tuple[str, str]]):
    """A test for each line of the tables: test_NAME."""
    def test(links: str, outcome: str):
        return lambda self: self.spoil(links, outcome)

    def add(case):
        for table in tables:
            for name, (links, outcome) in table.items():
                setattr(case, f"test_{name}", test(links, outcome))
        return case
    return add


class Links(Scenario):
    witness = "postgres"
    mode = "sync"

    def spoil(self, links: str, outcome: str) -> None:
        before = self.record()
        load = self.lab.load_begin(90)
        try:
            self.cut(links)
            getattr(self, outcome)(before)
            self.lab.fault("heal")
            self.whole_again()
        finally:
            report = load.stop()
        self.judge(report, outcome)

    def cut(self, links: str) -> None:
        hosts = {"P": self.old, "S": self.new, "W": "witness"}
        self.since = time.monotonic()
        for link in links.split():
            self.lab.fault("half-cut" if ">" in link else "cut", hosts[link[0]], hosts[link[2]])

    # ---- while the fault lasts ----

    def nothing(self, before: dict) -> None:
        self.long_enough()
        self.assertTrue(self.lab.writable())
        self.serves_by_record(self.old, before["term"], paired=True)

    def solo(self, before: dict) -> None:
        self.wait(lambda: not self.record()["paired"], WRITABLE_S, "a record that says solo")
        self.wait(self.lab.writable, self.left_s(), "commits go on, solo")
        self.long_enough()
        self.assertTrue(self.lab.writable())
        self.serves_by_record(self.old, before["term"], paired=False)

    def takeover(self, before: dict) -> None:
        self.wait(self.serves(self.new), self.left_s(), "the standby serves")
        self.wait(self.lab.writable, self.left_s(), "commits go on at the new primary")
        self.long_enough()
        self.assertTrue(self.lab.writable())
        self.serves_by_record(self.new, before["term"] + 1, paired=False)
        self.assertEqual(self.role(self.old), "down")

    def left_s(self) -> float:
        return max(0.1, self.since + WRITABLE_S - time.monotonic())

    def long_enough(self) -> None:
        """Nothing else comes of it."""
        time.sleep(max(0.0, self.since + LONG_ENOUGH_S - time.monotonic()))

    def serves_by_record(self, node: str, term: int, *, paired: bool) -> None:
        self.assertTrue(self.serves(node)(), self.lab.status())
        record = self.record()
        self.assertEqual((record["holder"], record["term"], record["paired"]),
                         (node, term, paired), record)

    # ---- and after ----

    def whole_again(self) -> None:
        version = self.record()["version"]
        self.lab.wait_ready(30)
        self.wait(lambda: self.record()["version"] > version, 5, "a record that is written again")

    def judge(self, report: dict, outcome: str) -> None:
        self.assertEqual(report["vip_dual_ms"], 0, report)
        if outcome == NOTHING:
            self.assert_nothing_happened(report)
        elif outcome == SOLO:
            self.assert_safe(report)
            self.assertEqual(report["final"], self.old, report)
            self.assertEqual(self.lab.status()["vip_at"], [self.old])
        else:
            self.assert_took_over(report)
        self.assertLess(report["outage_ms"], WRITABLE_S * 1000, report)


@tests_of(ONE_LINK, WITNESS_ALONE)
class OneLink(Links):
    """One of two ways is left to each node."""


@tests_of(STANDBY_ALONE, PRIMARY_ALONE)
class OneNodeAlone(Links):
    """Whoever is alone does not serve."""


if __name__ == "__main__":
    unittest.main()
