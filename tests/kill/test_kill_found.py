# SPDX-License-Identifier: PostgreSQL
"""What the others found, each by its name."""

import errno
import unittest

from byhand import ByHand, Call
from killing import Point
from lablib.status import stamp

CHECK = Call("old", "check_primary")


class Found(ByHand):
    def test_a_lease_that_could_not_be_read_is_not_one_that_ran_out(self):
        """check_primary read it twice, and fenced a primary when only the second time went well."""
        lease = "openat /run/pg_vrrp/main/lease"
        self.roles()
        # The grant of a takeover is a right too, as long as it runs.
        self.wait(lambda: self.grant_is_over(self.old), 30, "a lease is the only right to serve")
        catalogue, usual = self.catalogue(CHECK)
        times = catalogue.calls[lease][1]
        self.each(CHECK, self.row("check_primary", "the lease file", catalogue),
                  [Point(f"fail {errno.EMFILE}", lease, n) for n in range(1, times + 1)],
                  self.failing, usual)
        self.assert_right()

    def grant_is_over(self, node: str) -> bool:
        grant = stamp(self.lab.node(node), f"{self.lab.settings.run_dir}/grant")
        return not grant or int(grant["at_ms"]) < self.now_ms()


if __name__ == "__main__":
    unittest.main()
