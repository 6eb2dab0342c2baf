# SPDX-License-Identifier: PostgreSQL
"""standby.signal and recovery.signal in the directory of a primary that runs: they say how a server would start, not what
it is.  Nothing that makes a primary harmless may go by them."""

import os
import time
import unittest

from recorded import Recorded
from scenario import Scenario

# The file is read with each tick of the guard.
READ_S = 1.0


class SignalFile(Scenario):
    """Async, where a primary that nobody fences goes on acknowledging."""

    def signal_file(self, name: str) -> str:
        return self.lab.node(self.old).path(f"{self.lab.settings.data_dir}/{name}")

    def touch(self, *names: str) -> None:
        for name in names:
            with open(self.signal_file(name), "w", encoding="ascii"):
                pass
        time.sleep(READ_S)

    def fenced_in_time(self, *names: str) -> None:
        """Alone with itself, it is down when its lease has ended, and the standby takes over behind that."""
        load = self.lab.load_begin(90)
        self.touch(*names)
        self.lab.fault("isolate", self.old)
        self.wait(lambda: self.role(self.old) == "down", 10, "the primary fenced itself")
        self.wait(self.serves(self.new), 40, "the standby serves")
        self.lab.fault("heal")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.assert_took_over(load.stop())

    def test_standby_signal(self):
        self.fenced_in_time("standby.signal")

    def test_recovery_signal(self):
        self.fenced_in_time("recovery.signal")


class Record(SignalFile, Recorded):
    mode = "async"

    def crash(self) -> dict:
        """It comes back as after any crash, to whoever serves by then."""
        load = self.lab.load_begin(90)
        time.sleep(1)
        self.lab.fault("crash", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.wait(self.standby_streams(self.old), 40, "the old primary came back as a standby")
        self.wait_paired(30)
        report = load.stop()
        self.assert_took_over(report)
        self.assertFalse(os.path.exists(self.signal_file("recovery.signal")))
        return report

    def test_crash(self):
        self.touch("standby.signal")
        self.assertLess(self.crash()["outage_ms"], 4000)

    def test_crash_with_recovery_signal(self):
        self.touch("recovery.signal")
        self.crash()


if __name__ == "__main__":
    unittest.main()
