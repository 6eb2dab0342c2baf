# SPDX-License-Identifier: PostgreSQL
"""A client that cares for no VIP and no role: it goes straight to a node and tries to write there
all the time, whatever the node says that it is.

The functions that it calls try to write on a standby as well; that they catch its refusal
themselves spares the server's log an error for each.
"""

from client import Client, Refused, Step, Steps
from register_client import read
from tables import ACCOUNTS, KEYS

AMOUNT_MAX = 50


class HostileClient(Client):
    kind = "hostile"

    def next_steps(self, n: int) -> tuple[str, Steps]:
        key = self.random.randrange(KEYS)
        source, target = self.random.sample(range(ACCOUNTS), 2)
        amount = self.random.randint(1, AMOUNT_MAX)
        number = self.number
        return [
            ("add", self._call("lab.fault_add(%s, %s, %s)", number, n)),
            ("move", self._call("lab.fault_move(%s, %s, %s, %s, %s, %s)", number, n, source,
                                target, amount)),
            ("add", self._call("lab.fault_add(%s, %s, %s)", number, n)),
            ("write", self._call("lab.fault_write(%s, %s)", key)),
            ("read", read(self.run, key)),
        ][n % 5]

    def _call(self, function: str, *arguments: int) -> Steps:
        rows = yield Step(f"SELECT {function}", (self.run, *arguments), decides=True)
        if rows[0][0] is None:
            raise Refused
        return rows[0][0]
