# SPDX-License-Identifier: PostgreSQL
"""The process of a workload: one loop for all clients, who has the VIP, and the end."""

import json
import os
import uuid
from functools import partial

import final
import roles
import tables
from bank_client import BankClient
from client import SERVER_OPTIONS, TCP_OPTIONS, Client, Door
from hostile_client import HostileClient
from ops import WRITES
from register_client import RegisterClient
from set_client import SetClient

from lablib import kernel, places, whoserves
from lablib.errors import LabError
from lablib.kernel import boot_ms
from lablib.node import Node
from lablib.pgsession import ask_once, drive
from lablib.settings import Settings
from lablib.vipwatch import AddressWatches, ArpProbe

# Of each kind through the VIP, and the pause between its operations.
VIP_CLIENTS = [(SetClient, 3, 80), (BankClient, 3, 200), (RegisterClient, 2, 100)]
# Closer together than what the checker takes for the end of a run of acceptance.
HOSTILE_PAUSE_MS = 250

WATCH_PAUSE_MS = 50


class Load:
    def __init__(self, lab: str, settings: Settings, out_dir: str, seed: int, progress):
        self.lab = lab
        self.settings = settings
        self.seed = seed
        self.progress = progress
        self.run_id = uuid.uuid4().hex[:12]
        self.out_path = f"{out_dir}/ops.jsonl"
        self.nodes = {host.name: Node(lab, host) for host in settings.nodes()}
        self.stopping = False
        self._make_tables()
        # From here on this process is on the client's network; files stay the host's.
        kernel.setns(places.netns_path(lab, places.CLIENT), kernel.CLONE_NEWNET)
        vip = str(settings.vip.ip)
        self.watches = AddressWatches(self.nodes, vip)
        self.probe = None
        if settings.vip.version == 4:
            client = settings.hosts[places.CLIENT]
            self.probe = ArpProbe(client.interface, client.mac, client.address, vip,
                                  {host.mac: host.name for host in settings.nodes()})
        self.out = open(self.out_path, "w", encoding="ascii")
        self.clients = self._clients()

    # ---- the clients ----

    def _make_tables(self) -> None:
        primary = whoserves.wait_for_primary(self.nodes, self.settings, final.WAIT_S)
        if primary is None:
            raise LabError("there is no primary to make the tables on")
        dsn = whoserves.socket_of(self.nodes[primary], self.settings)
        for sql, arguments in ((tables.MAKE + "SELECT 1", ()),
                               (tables.FILL, (self.run_id, self.run_id))):
            if ask_once(dsn, sql, arguments, final.ANSWER_MS) is None:
                raise LabError(f"{primary} did not make the tables of the workload")

    def _address_dsn(self, address: str) -> str:
        return (f"host={address} port={self.settings.port} user=lab dbname=postgres "
                f"application_name=faults {TCP_OPTIONS}")

    def _doors(self) -> list[Door]:
        """The ways that know nothing of a VIP."""
        doors = []
        for name, node in self.nodes.items():
            address = self._address_dsn(node.host.address)
            doors.append(Door("address", name, lambda address=address: address))
            doors.append(Door("socket", name, partial(self._socket_dsn, node)))
        return doors

    def _socket_dsn(self, node: Node) -> str:
        return f"{whoserves.socket_of(node, self.settings)} {SERVER_OPTIONS}"

    def _clients(self) -> list[Client]:
        vip_dsn = self._address_dsn(str(self.settings.vip.ip))
        vip = Door("vip", "", lambda: vip_dsn)
        wanted = [(kind, vip, pause) for kind, count, pause in VIP_CLIENTS for _ in range(count)]
        wanted += [(HostileClient, door, HOSTILE_PAUSE_MS) for door in self._doors()]
        return [kind(number, self.run_id, door, pause, self.seed, self._note)
                for number, (kind, door, pause) in enumerate(wanted)]

    def _note(self, line: list) -> None:
        self.out.write(json.dumps(line, separators=(",", ":")) + "\n")
        client, what, outcome = self.clients[line[0]], line[2], line[5]
        if what in WRITES and outcome == "acked" and client.door.kind == "vip":
            self.progress.count(line[4])

    # ---- the loop ----

    def run(self) -> None:
        next_watch = 0.0
        # The other end of standard input is who started us.
        quit_fd = 0
        while not self.stopping:
            if (now := boot_ms()) >= next_watch:
                self.watches.look()
                next_watch = now + WATCH_PAUSE_MS
            for client in self.clients:
                client.tick(boot_ms())
            if self.probe:
                self.probe.tick(boot_ms())
            self._wait(next_watch, quit_fd)
        for client in self.clients:
            client.close()
        self.out.close()

    def _wait(self, until: float, quit_fd: int) -> None:
        now = boot_ms()
        due = min([until, *(client.due_ms(now) for client in self.clients)])
        extra: dict[int, str | None] = {quit_fd: None, **self.watches.descriptors()}
        if self.probe:
            due = min(due, self.probe.next)
            extra[self.probe.fileno()] = ""
        sessions = [session for client in self.clients for session in client.sessions()]
        for fd in drive(sessions, due - now, extra):
            if fd == quit_fd:
                if not os.read(fd, 1):
                    self.stopping = True
            elif extra[fd]:
                self.watches.read(extra[fd])
            else:
                self.probe.read()

    # ---- the end ----

    def history(self, begun: float) -> dict:
        ended = boot_ms()
        with open(self.out_path, encoding="ascii") as file:
            ops = [json.loads(line) for line in file]
        return {
            "run": self.run_id, "seed": self.seed, "begun_ms": round(begun, 1),
            "ended_ms": round(ended, 1), "mode": self.settings.mode, "nodes": list(self.nodes),
            "clients": [[client.kind, client.door.kind, client.door.node]
                        for client in self.clients],
            "bank": {"accounts": tables.ACCOUNTS, "balance": tables.BALANCE},
            "ops": ops,
            "final": final.ask(self.nodes, self.settings, self.run_id),
            "roles": roles.of_nodes(self.lab, self.settings, list(self.nodes), begun),
            "addresses": [[round(moment, 1), *rest] for moment, *rest in self.watches.changes],
            "probes": _changes(self.probe.probes) if self.probe else None,
            "faults": [],
        }


def _changes(probes: list[list]) -> list[list]:
    """Only the questions whose answer was another than the one before; order is of no meaning."""
    out: list[list] = []
    for moment, nodes in probes:
        if not out or out[-1][1] != sorted(nodes):
            out.append([round(moment, 1), sorted(nodes)])
    return out
