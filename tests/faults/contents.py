# SPDX-License-Identifier: PostgreSQL
"""What was acknowledged, compared with what the last primary has."""

import collections
import dataclasses

from ops import Op, acked_writes


@dataclasses.dataclass
class Contents:
    lost: list[str]         # names of acknowledged writes that are not there
    overwritten: list[str]  # what two acknowledged updates both claim
    wrong: list[str]        # sentences that are true of no database in order, whatever its mode
    open: list[str]         # sentences about what is not known
    unknown_present: int
    lost_at: collections.Counter  # by door

    def lose(self, op: Op) -> None:
        self.lost.append(op.name())
        self.lost_at[f"{op.door} {op.owner}".strip()] += 1


def compare(history: dict, ops: list[Op]) -> Contents:
    out = Contents([], [], [], [], 0, collections.Counter())
    _claimed_twice(ops, out)
    final = history["final"]
    if final is None:
        return out
    _set(final, ops, out)
    _transfers(final, ops, out)
    _ledger(history["bank"], final, out)
    _registers(final, ops, out)
    if final["standby"] is False:
        out.wrong.append(f"the standby of {final['node']} has other rows than {final['node']}")
    elif final["standby"] is None:
        out.open.append("no standby could be compared with the primary at the end")
    return out


def _claimed_twice(ops: list[Op], out: Contents) -> None:
    """A version of an account or of a register is made once."""
    seen: dict[tuple, Op] = {}
    for op in acked_writes(ops):
        for thing in _versions(op):
            before = seen.setdefault(thing, op)
            if before is not op:
                kind, number, version = thing
                out.overwritten.append(f"version {version} of {kind} {number} by {before.name()} "
                                       f"and by {op.name()}")


def _versions(op: Op) -> list[tuple]:
    if op.what == "write":
        return [("register", op.data[0], op.data[1])]
    if op.what == "move":
        source, target, _, source_version, target_version, _ = op.data
        return [("account", source, source_version), ("account", target, target_version)]
    return []


def _once(what: str, rows: list, out: Contents) -> dict[tuple, list]:
    """The rows by client and number; one that is there twice was done twice."""
    found: dict[tuple, list] = {}
    for row in rows:
        key = (row[0], row[1])
        if key in found:
            out.wrong.append(f"{what} {row[0]}/{row[1]} was done twice")
        found[key] = row[2:]
    return found


def _presence(op: Op, here: bool, out: Contents) -> None:
    if op.outcome == "acked" and not here:
        out.lose(op)
    elif op.outcome == "refused" and here:
        out.wrong.append(f"{op.what} {op.client}/{op.n} was refused by {op.node or 'nobody'} "
                         "and is there")
    elif op.outcome == "unknown" and here:
        out.unknown_present += 1


def _set(final: dict, ops: list[Op], out: Contents) -> None:
    rows = _once("add", final["set"], out)
    for op in ops:
        if op.what == "add":
            _presence(op, (op.client, op.n) in rows, out)


def _transfers(final: dict, ops: list[Op], out: Contents) -> None:
    rows = _once("move", final["transfers"], out)
    for op in ops:
        if op.what != "move":
            continue
        row = rows.get((op.client, op.n))
        _presence(op, row is not None, out)
        if op.outcome == "acked" and row is not None and list(row) != list(op.data):
            out.wrong.append(f"{op.name()} is there as {row}, and was acknowledged as {op.data}")


def _ledger(bank: dict, final: dict, out: Contents) -> None:
    """Each account is the sum of its transfers, and each of its versions is one of them."""
    balance = {number: bank["balance"] for number in range(bank["accounts"])}
    versions: dict[int, list[int]] = {number: [] for number in balance}
    for _, _, source, target, amount, source_version, target_version, _ in final["transfers"]:
        balance[source] -= amount
        balance[target] += amount
        versions[source].append(source_version)
        versions[target].append(target_version)
    total = sum(row[1] for row in final["accounts"])
    if len(final["accounts"]) != bank["accounts"] or total != bank["accounts"] * bank["balance"]:
        out.wrong.append(f"the bank has {total} in {len(final['accounts'])} accounts, and had "
                         f"{bank['accounts'] * bank['balance']} in {bank['accounts']}")
    for number, has, version in final["accounts"]:
        if has != balance[number]:
            out.wrong.append(f"account {number} has {has}, its transfers make {balance[number]}: "
                             "an update is lost or was done twice")
        if sorted(versions[number]) != list(range(1, version + 1)):
            out.wrong.append(f"account {number} has had {version} updates, and "
                             f"{len(versions[number])} transfers that do not number them: "
                             "an update is lost or was done twice")


def _registers(final: dict, ops: list[Op], out: Contents) -> None:
    last = {key: version for key, version in final["registers"]}
    for op in acked_writes(ops):
        if op.what == "write" and last.get(op.data[0], -1) < op.data[1]:
            out.lose(op)
