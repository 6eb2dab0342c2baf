# SPDX-License-Identifier: PostgreSQL
"""The bank: transfers between accounts in transactions of several statements.

The new balances are computed here, from what was read, as an application does: two servers that
both go on from the same balance lose an update, and the versions that the transfers claim show it.
"""

from client import Client, Step, Steps
from tables import ACCOUNTS

TOTAL_EACH = 8  # so many operations, and one of them asks for the total
AMOUNT_MAX = 50


class BankClient(Client):
    kind = "bank"

    def next_steps(self, n: int) -> tuple[str, Steps]:
        return ("total", self._total()) if n % TOTAL_EACH == 0 else ("move", self._move(n))

    def _move(self, n: int) -> Steps:
        source, target = self.random.sample(range(ACCOUNTS), 2)
        amount = self.random.randint(1, AMOUNT_MAX)
        rows = yield Step("BEGIN; SELECT id, balance, version FROM lab.fault_accounts "
                          "WHERE run = %s AND id IN (%s, %s) ORDER BY id FOR UPDATE",
                          (self.run, source, target))
        found = {number: (balance, version) for number, balance, version in rows}
        update = ("UPDATE lab.fault_accounts SET balance = %s, version = %s "
                  "WHERE run = %s AND id = %s; ")
        versions = found[source][1] + 1, found[target][1] + 1
        rows = yield Step(
            update * 2 + "INSERT INTO lab.fault_transfers VALUES "
            "(%s, %s, %s, %s, %s, %s, %s, %s, lab.fault_timeline()) RETURNING timeline",
            (found[source][0] - amount, versions[0], self.run, source,
             found[target][0] + amount, versions[1], self.run, target,
             self.run, self.number, n, source, target, amount, *versions))
        timeline = rows[0][0]
        yield Step("COMMIT", decides=True)
        return [source, target, amount, *versions, timeline]

    def _total(self) -> Steps:
        rows = yield Step("SELECT sum(balance)::bigint, pg_is_in_recovery() "
                          "FROM lab.fault_accounts WHERE run = %s", (self.run,))
        return list(rows[0])
