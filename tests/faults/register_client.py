# SPDX-License-Identifier: PostgreSQL
"""Registers: each write makes the next version of a key; who reads after a write was acknowledged,
to whomever, must see that version or a later one."""

from client import Client, Step, Steps
from tables import KEYS


class RegisterClient(Client):
    kind = "register"

    def next_steps(self, n: int) -> tuple[str, Steps]:
        """A key is written and read at once; then one that somebody else may have written."""
        if n % 3 == 1:
            self.key = self.random.randrange(KEYS)
            return "write", self._write(self.key)
        if n % 3 == 0:
            self.key = self.random.randrange(KEYS)
        return "read", read(self.run, self.key)

    def _write(self, key: int) -> Steps:
        # Its own: while the answer is waited for, this client goes on with other keys.
        rows = yield Step("UPDATE lab.fault_registers SET version = version + 1 "
                          "WHERE run = %s AND key = %s RETURNING version, lab.fault_timeline()",
                          (self.run, key), decides=True)
        return [key, *rows[0]]


def read(run: str, key: int) -> Steps:
    rows = yield Step("SELECT version, pg_is_in_recovery() FROM lab.fault_registers "
                      "WHERE run = %s AND key = %s", (run, key))
    return [key, *rows[0]]
