# SPDX-License-Identifier: PostgreSQL
"""A small history with nothing wrong in it, for tests to plant a fault in: n1 serves for two
seconds on timeline 1 and is isolated; n2 serves from the fourth second to the sixth, on timeline 2."""

BEGIN = 1_000_000.0
ACCOUNTS, BALANCE, KEYS = 4, 100, 2
TAKES_MS = 4.0

CLIENTS = [["set", "vip", ""], ["bank", "vip", ""], ["register", "vip", ""],
           ["hostile", "address", "n1"], ["hostile", "socket", "n1"],
           ["hostile", "address", "n2"], ["hostile", "socket", "n2"]]
SET, BANK, REGISTER, ADDRESS_1, SOCKET_1, ADDRESS_2, SOCKET_2 = range(len(CLIENTS))


class Maker:
    """Does what servers in order would do, and notes what their clients would."""

    def __init__(self) -> None:
        self.ops: list[list] = []
        self.counts = [0] * len(CLIENTS)
        self.set: list[list] = []
        self.transfers: list[list] = []
        self.accounts = [[number, BALANCE, 0] for number in range(ACCOUNTS)]
        self.registers = [[key, 0] for key in range(KEYS)]

    def op(self, client: int, what: str, at: float, node: str, data, outcome: str = "acked") -> int:
        self.counts[client] += 1
        sent = BEGIN + at
        self.ops.append([client, self.counts[client], what, sent, sent + TAKES_MS, outcome, node,
                         data])
        return self.counts[client]

    def add(self, client: int, at: float, node: str, timeline: int) -> None:
        self.set.append([client, self.op(client, "add", at, node, timeline), timeline])

    def move(self, client: int, at: float, node: str, timeline: int) -> None:
        source = len(self.transfers) % ACCOUNTS
        target, amount = (source + 1) % ACCOUNTS, 5
        for number, change in ((source, -amount), (target, amount)):
            self.accounts[number][1] += change
            self.accounts[number][2] += 1
        data = [source, target, amount, self.accounts[source][2], self.accounts[target][2],
                timeline]
        self.transfers.append([client, self.op(client, "move", at, node, data), *data])

    def write(self, client: int, at: float, node: str, timeline: int) -> None:
        key = self.counts[client] % KEYS
        self.registers[key][1] += 1
        self.op(client, "write", at, node, [key, self.registers[key][1], timeline])

    def read(self, client: int, at: float, node: str, standby: bool = False) -> None:
        for key, version in self.registers:
            self.op(client, "read", at, node, [key, version, standby])

    def serve(self, node: str, timeline: int, begin: float, end: float) -> None:
        """Everybody is served, each 100 ms, the other node refuses the hostile."""
        doors = {"n1": (ADDRESS_1, SOCKET_1), "n2": (ADDRESS_2, SOCKET_2)}
        other = "n2" if node == "n1" else "n1"
        at = begin
        while at < end:
            self.add(SET, at, node, timeline)
            self.move(BANK, at + 10, node, timeline)
            self.write(REGISTER, at + 20, node, timeline)
            self.read(REGISTER, at + 30, node)
            self.op(BANK, "total", at + 40, node, [ACCOUNTS * BALANCE, False])
            for door in doors[node]:
                self.add(door, at + 50, node, timeline)
            for door in doors[other]:
                self.op(door, "add", at + 60, other, None, "refused")
            at += 100


def history() -> dict:
    made = Maker()
    made.serve("n1", 1, 0, 2000)
    # One more of each that nobody answered: the first is there, the second is not.
    made.set.append([SET, made.op(SET, "add", 2000, "n1", None, "unknown"), 1])
    made.op(BANK, "move", 2000, "n1", None, "unknown")
    made.serve("n2", 2, 4000, 6000)
    return {
        "run": "sample", "seed": 1, "begun_ms": BEGIN, "ended_ms": BEGIN + 6000, "mode": "sync",
        "nodes": ["n1", "n2"], "clients": [list(client) for client in CLIENTS],
        "bank": {"accounts": ACCOUNTS, "balance": BALANCE}, "ops": made.ops,
        "final": {"node": "n2", "standby": True, "set": made.set, "transfers": made.transfers,
                  "accounts": made.accounts, "registers": made.registers},
        "addresses": [[BEGIN, "n1", True], [BEGIN + 3500, "n1", False], [BEGIN + 3900, "n2", True]],
        "probes": [[BEGIN, ["n1"]], [BEGIN + 2000, []], [BEGIN + 3900, ["n2"]]],
        "faults": [[BEGIN + 1990, BEGIN + 5000, "isolate n1"]],
        "vip_bound_ms": 0,
        "roles": [[BEGIN + 2100, "n1", "down"], [BEGIN + 3700, "n2", 2],
                  [BEGIN + 3750, "n2", "primary"]],
    }
