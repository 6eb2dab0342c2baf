# SPDX-License-Identifier: PostgreSQL
"""The wall clock set forward and back by an hour: no decision changes."""

import subprocess
import unittest

from damage import Damaging

HOUR_S = 3600


class Clock(Damaging):
    shimmed = True

    def shown_s(self, node: str) -> int:
        """How far its wall clock is from ours."""
        ours = subprocess.run(["date", "+%s"], capture_output=True, text=True, check=True).stdout
        return round((int(self.sh(node, "date +%s")) - int(ours)) / 10) * 10

    def test_set_by_an_hour_forward_and_back(self):
        load = self.lab.load_begin(60)
        for shift_s in (HOUR_S, -HOUR_S, 0):
            for node, its_s in ((self.old, shift_s), (self.new, -shift_s)):
                self.lab.fault("clock", node, str(its_s))
                self.assertEqual(self.shown_s(node), its_s)
            self.assertEqual(self.vip_seen(2), {self.old}, shift_s)
        self.wait(self.is_well, 5, "all is well")
        self.assert_nothing_happened(load.stop())
        self.assertEqual(self.promotions(), 0)

        # And what has to be decided is decided as ever.
        load = self.lab.load_begin(60)
        self.lab.fault("clock", self.old, f"+{HOUR_S}")
        self.lab.fault("clock", self.new, f"-{HOUR_S}")
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 10, "the standby serves")
        self.lab.fault("clock", self.new, f"+{HOUR_S}")
        self.wait(self.promotable(self.old), 20, "the old primary is a standby")
        self.assert_took_over(load.stop())


if __name__ == "__main__":
    unittest.main()
