# SPDX-License-Identifier: PostgreSQL
"""The wall clock set forward and back by an hour: no decision changes."""

import os
import struct
import subprocess
import unittest

from damage import Damaging

HOUR_S = 3600
LIBRARY = "/etc/pg_vrrp/wallclock.so"


class Clock(Damaging):
    def give_clock(self, node: str) -> None:
        """From now on every program that starts there has a wall clock of its own."""
        self.set_clock(node, 0)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wallclock.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", self.lab.node(node).path(LIBRARY),
                        source], check=True)
        self.sh(node, f"echo {LIBRARY} > /etc/ld.so.preload")

    def set_clock(self, node: str, shift_s: int) -> None:
        path = self.lab.node(node).path("/etc/pg_vrrp/wallclock")
        # In place: those that run have it mapped.
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as file:
            file.write(struct.pack("=q", shift_s))

    def shown_s(self, node: str) -> int:
        """How far its wall clock is from ours."""
        ours = subprocess.run(["date", "+%s"], capture_output=True, text=True, check=True).stdout
        return round((int(self.sh(node, "date +%s")) - int(ours)) / 10) * 10

    def test_set_by_an_hour_forward_and_back(self):
        load = self.lab.load_begin(60)
        for node in (self.old, self.new):
            self.give_clock(node)
            self.lab.fault("kill", node, "guard")
        # So that this server, too, has that clock.
        self.lab.fault("crash", self.new)
        self.wait(self.is_well, 15, "the standby is back")
        for shift_s in (HOUR_S, -HOUR_S, 0):
            for node, its_s in ((self.old, shift_s), (self.new, -shift_s)):
                self.set_clock(node, its_s)
                self.assertEqual(self.shown_s(node), its_s)
            self.assertEqual(self.vip_seen(2), {self.old}, shift_s)
        self.wait(self.is_well, 5, "all is well")
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)

        # And what has to be decided is decided as ever.
        load = self.lab.load_begin(60)
        self.set_clock(self.old, HOUR_S)
        self.set_clock(self.new, -HOUR_S)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.set_clock(self.new, HOUR_S)
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
