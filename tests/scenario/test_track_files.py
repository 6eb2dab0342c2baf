# SPDX-License-Identifier: PostgreSQL
"""keepalived takes a broken track file for 0, and drops one whose directory is not there."""

import os
import shutil
import time
import unittest

from scenario import Scenario

# check_primary runs each second and mends what it finds; twice that, and the VIP's own 0.4 s.
MENDED_S = 3


class TrackFiles(Scenario):
    def break_file(self, path: str, text: str | None) -> None:
        if text is None:
            os.unlink(path)
            return
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def look(self, seconds: float) -> list[list[str]]:
        """Who had the VIP, look after look."""
        seen = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen.append(self.lab.status()["vip_at"])
            time.sleep(0.05)  # one that never pauses keeps a processor busy
        return seen

    def test_broken_on_the_standby_the_vip_stays(self):
        load = self.lab.load_begin(60)
        for text in (None, "", "garbage", "-", "0x"):
            self.break_file(self.run_file(self.new, "serving"), text)
            self.assertEqual(set(map(tuple, self.look(MENDED_S))), {(self.old,)}, text)
        self.assert_nothing_happened(load.stop())

    def test_broken_on_the_primary_it_is_mended(self):
        load = self.lab.load_begin(60)
        for text in (None, "", "garbage"):
            self.break_file(self.run_file(self.old, "serving"), text)
            self.assertNotIn([self.new], self.look(MENDED_S))
            self.assertEqual(self.lab.status()["vip_at"], [self.old], text)
        report = load.stop()
        self.assert_safe(report)
        self.assertEqual(report["final"], self.old)
        self.assertLess(report["outage_ms"], MENDED_S * 1000, report)

    def test_directory_made_anew_is_noticed_and_reload_helps(self):
        run_dir = self.lab.node(self.new).path(self.lab.settings.run_dir)
        shutil.rmtree(run_dir)
        self.wait_said(self.new, "rule=unwatched", 5)
        self.assertEqual(self.lab.status()["vip_at"], [self.old])
        self.lab.run(self.new, ["sh", "-c", "kill -HUP $(cat /run/keepalived.pid)"])
        self.wait_said(self.new, "rule=not-serving", 5)
        # What it had seen of the primary was in that directory too.
        self.wait(self.promotable(self.new), 20, "the standby has seen the primary's lease again")
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")

    def test_directory_missing_when_keepalived_starts(self):
        """It drops the files then, and would bring up the VIP wherever the primary falls silent."""
        node = self.lab.node(self.new)
        node.order("stop guard")
        node.order("stop keepalived")
        self.wait(lambda: not self.lab.status()["nodes"][self.new]["keepalived"], 5, "it ended")
        shutil.rmtree(node.path(self.lab.settings.run_dir))
        node.order("start keepalived")
        # The lab gives whoever makes the directory 3 s.
        self.wait_said(self.new, "rule=unwatched", 10)
        node.order("start guard")
        self.lab.fault("kill", self.old, "keepalived")
        self.assertNotIn(self.new, sum(self.look(MENDED_S), []))


if __name__ == "__main__":
    unittest.main()
