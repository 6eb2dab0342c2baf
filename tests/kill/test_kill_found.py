# SPDX-License-Identifier: PostgreSQL
"""What the others found, each by its name."""

import errno
import unittest

from byhand import ByHand, Call
from cycles import Cycles, Target
from killing import Point
from lablib.status import stamp

CHECK = Call("old", "check_primary")
TAKEOVER = Target("new", "promote_safe")


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


class FoundInFailover(Cycles):
    helpers = ("promote_safe",)
    targets = (TAKEOVER,)

    def deed(self) -> None:
        self.lab.fault("crash", self.old)

    def test_a_promotion_that_was_asked_for_on_a_broken_connection_is_asked_for_again(self):
        """promote_safe waited for its whole budget, a minute, for what its server had never been told."""
        asking = next(label for label in self.catalogues()[TAKEOVER].calls
                      if "SELECT pg_promote" in label and label.startswith("sendto"))
        orders, = self.cycle({TAKEOVER: [Point(f"fail {errno.ECONNRESET}", asking)]})
        (_, run), = orders.end()[0]
        self.assertEqual(run.end, "exit 0")


if __name__ == "__main__":
    unittest.main()
