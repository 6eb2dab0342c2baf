# SPDX-License-Identifier: PostgreSQL
"""The append-only set: each number that was acknowledged must be there at the end, once."""

from client import Client, Step, Steps


class SetClient(Client):
    kind = "set"

    def next_steps(self, n: int) -> tuple[str, Steps]:
        return "add", self._add(n)

    def _add(self, n: int) -> Steps:
        rows = yield Step("INSERT INTO lab.fault_set VALUES (%s, %s, %s, lab.fault_timeline()) "
                          "RETURNING timeline", (self.run, self.number, n), decides=True)
        return rows[0][0]
