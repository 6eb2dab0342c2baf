# SPDX-License-Identifier: PostgreSQL
"""A primary whose disk is full says so; whether its standby takes over is for the configuration to say."""

import json
import time

from recorded import Recorded
from scenario import Scenario


class DiskFull(Recorded):
    def status(self, node: str) -> dict:
        return json.loads(self.lab.helper(node, "cluster_status", "--json").stdout)

    def test_it_is_told_and_it_serves_on(self):
        load = self.lab.load_begin(60)
        self.lab.fault("fill-disk", self.old, "data")
        self.wait_said(self.old, "rule=serves-disk-full", 10)
        self.assertEqual(self.status(self.old)["rule"], "disk-full")
        self.assertTrue(self.status(self.old)["this_node"]["disk_full"])
        time.sleep(8)
        self.assertEqual(self.lab.status()["primary"], self.old)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        self.lab.fault("heal")
        self.wait(self.lab.writable, 10, "writes go on")
        self.assertNotEqual(self.status(self.old)["rule"], "disk-full")
        self.assert_safe(load.stop())


class StepsDown(Recorded):
    sets = Scenario.sets + ["postgresql.disk_full=step-down"]

    def test_the_standby_takes_over(self):
        load = self.lab.load_begin(90)
        self.lab.fault("fill-disk", self.old, "data")
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.lab.writable, 10, "writes go on")
        self.assertTrue(self.said(self.old, "the disk is full, and the standby is ready"))
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.old), 60, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_nobody_steps_down_without_a_standby(self):
        self.lab.fault("power-off", self.new)
        self.wait_solo()
        self.lab.fault("fill-disk", self.old, "data")
        self.wait_said(self.old, "rule=serves-disk-full", 10)
        time.sleep(8)
        self.assertEqual(self.lab.status()["primary"], self.old)
        self.lab.fault("heal")


class StepsDownByPings(StepsDown):
    witness = "ping"
    mode = "async"
    # The record says solo; a witness that only answers says nothing.
    test_nobody_steps_down_without_a_standby = None
