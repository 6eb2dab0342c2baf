# SPDX-License-Identifier: PostgreSQL
"""The operations of a history by name."""

import dataclasses

WRITES = ("add", "move", "write")
# A frozen node that was thawed is harmless again by then.
WAKE_MS = 1000.0


@dataclasses.dataclass(slots=True)
class Op:
    client: int
    n: int
    what: str
    sent: float
    ended: float
    outcome: str
    node: str
    data: object
    door: str
    owner: str  # of the door

    @property
    def through_vip(self) -> bool:
        return self.door == "vip"

    @property
    def is_write(self) -> bool:
        return self.what in WRITES

    @property
    def timeline(self) -> int:
        """Of an acknowledged write."""
        return self.data if self.what == "add" else self.data[-1]

    def as_it_wakes(self, faults: list[list]) -> bool:
        """Over the socket of a node that is frozen, or was thawed a moment ago: the kernel holds back
        TCP only, and the guard has to run before it can stop anything (docs/safety.md)."""
        return self.door == "socket" and any(
            words.split()[:2] == ["freeze", self.owner] and begin <= self.ended
            and (end is None or self.ended <= end + WAKE_MS) for begin, end, words in faults)

    def name(self) -> str:
        door = f"{self.door} {self.owner}".strip()
        return f"{self.what} {self.client}/{self.n} ({door}, acknowledged by {self.node})"


def of_history(history: dict) -> list[Op]:
    """In the order of their ends."""
    doors = [(door, owner) for _, door, owner in history["clients"]]
    ops = [Op(*row, *doors[row[0]]) for row in history["ops"]]
    return sorted(ops, key=lambda op: op.ended)


def writes(ops: list[Op]) -> list[Op]:
    return [op for op in ops if op.is_write]


def acked_writes(ops: list[Op]) -> list[Op]:
    return [op for op in ops if op.is_write and op.outcome == "acked"]
