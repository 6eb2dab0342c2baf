# SPDX-License-Identifier: PostgreSQL
"""With a witness that keeps the record: the standby takes the term, once, and nothing is lost in sync mode."""

import unittest

import test_failover
from scenario import Scenario


class Async(test_failover.Async):
    witness = "postgres"


class Sync(test_failover.Sync):
    witness = "postgres"


class WithoutSsh(Scenario):
    """No way of fencing at all: the record alone says that the old primary does not serve."""
    witness = "postgres"
    mode = "sync"
    sets = Scenario.sets + ["witness.ssh=no", "fencing.methods=ssh"]

    def baseline(self, node: str) -> bool:
        return True

    def test_power_off(self):
        load = self.lab.load_begin(60)
        self.lab.fault("power-off", self.old)
        self.wait(self.serves(self.new), 30, "the standby serves")
        self.assert_took_over(load.stop())


def load_tests(loader, tests, pattern):
    """Only what is here: the classes of test_failover have their own run."""
    del tests, pattern
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in (Async, Sync, WithoutSsh))


if __name__ == "__main__":
    unittest.main()
