#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""Which points share a failover: each comes once, no helper has more than there is room for, early ones before late ones."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path[:0] = [os.path.join(ROOT, "tests", "kill"), os.path.join(ROOT, "scripts")]

from places import Point  # noqa: E402
from spread import Target, next_points  # noqa: E402

LONG, SHORT, GUARD = Target("old", "rejoin"), Target("old", "fence_self"), Target("new", "guard", "--watch")


def points(deed: str, count: int) -> list[Point]:
    return [Point(deed, f"call {n}") for n in range(count)]


class NextPoints(unittest.TestCase):
    def failovers(self, counts: dict[Target, int], deed: str = "before") -> list[dict]:
        queues = {target: points(deed, count) for target, count in counts.items()}
        order = {target: {str(point): n for n, point in enumerate(queue)}
                 for target, queue in queues.items()}
        for queue in queues.values():
            queue.reverse()
        taken = []
        while any(queues.values()):
            taken.append(next_points(queues, order, 3))
            for target, some in taken[-1].items():
                numbers = [order[target][str(point)] for point in some]
                self.assertEqual(numbers, sorted(numbers))
        for target, count in counts.items():
            come = [str(point) for some in taken for point in some.get(target, [])]
            self.assertEqual(sorted(come), sorted(map(str, points(deed, count))))
        return taken

    def test_the_longest_list_says_how_many_failovers(self):
        self.assertEqual(len(self.failovers({LONG: 30, SHORT: 4})), 10)

    def test_a_shorter_list_is_spread_over_them(self):
        taken = self.failovers({LONG: 30, SHORT: 10})
        self.assertEqual([len(some[SHORT]) for some in taken], [1] * 10)

    def test_a_guard_that_was_killed_takes_the_next_order(self):
        self.assertEqual(len(self.failovers({GUARD: 9})), 3)

    def test_a_guard_whose_call_failed_goes_on(self):
        self.assertEqual(len(self.failovers({GUARD: 9, LONG: 3}, "fail 5")), 9)


if __name__ == "__main__":
    unittest.main()
