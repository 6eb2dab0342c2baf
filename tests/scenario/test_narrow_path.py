# SPDX-License-Identifier: PostgreSQL
"""A path that loses long packets without a word: questions and votes go through, WAL does not."""

import json

from recorded import Recorded


class NarrowPath(Recorded):
    def status(self, node: str) -> dict:
        return json.loads(self.lab.helper(node, "cluster_status", "--json").stdout)

    def says_narrow(self, node: str):
        return lambda: self.status(node)["rule"] == "large-packets-lost"

    def test_it_is_told_for_what_it_is_on_both_nodes(self):
        load = self.lab.load_begin(90)
        self.lab.fault("mtu", "n1", "n2", "1400")
        self.write_much(self.old)
        self.wait_solo()
        for node in (self.old, self.new):
            self.wait(self.says_narrow(node), 20, f"{node} says that the path is narrow")
        # The two take each other for well by turns; what is told is the same each time.
        told = [self.status(node) for node in (self.old, self.new) * 3]
        rules = [one["rule"] for one in told]
        self.assertGreaterEqual(rules.count("large-packets-lost"), 4, rules)
        narrow = next(one for one in told if one["rule"] == "large-packets-lost")
        standby = next(node for node in narrow["nodes"] if node["state"] == "standby")
        self.assertTrue(standby["sent_wal_vanishes"])
        self.assertEqual(standby["path_mtu"], 1500)
        table = self.lab.helper(self.old, "cluster_status").stdout
        self.assertIn("nothing received for", table)
        self.lab.fault("heal")
        self.wait_paired(40)
        self.assertNotEqual(self.status(self.old)["rule"], "large-packets-lost")
        self.assert_stayed(load.stop())
