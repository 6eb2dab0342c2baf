# SPDX-License-Identifier: PostgreSQL
"""What every peer has: two servers that start from the same data, and a third host."""

import os
import time

from .. import seeds
from ..errors import CONFIG, LabError
from ..node import Node
from ..pgsession import ask_once, socket_dsn
from ..places import WITNESS
from ..run import run
from ..settings import Host, Settings

FAST = "-fast"
SSHD = {"name": "sshd", "argv": ["/usr/sbin/sshd", "-D"], "restart": None}
# Services of a node wait for it: it is there, on the node's disk, when the cluster has been made.
MADE = "/root/made"
WAITS = {"after": MADE, "patience": 1e9}
AS_POSTGRES = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
               "/usr/bin/env", "HOME=/var/lib/postgresql", "XDG_RUNTIME_DIR=/run/postgresql"]
PATIENCE_S = 60.0

# What all of them need of a server that can be turned round. WAL is kept as ours keeps it, so that the
# servers' own speed does not differ; the sizes are the lab's.
CONF = """
listen_addresses = '*'
port = {port}
unix_socket_directories = '{sockets}'
wal_level = replica
wal_log_hints = on
hot_standby = on
max_connections = 200
max_wal_senders = 10
max_replication_slots = 10
wal_keep_size = '1GB'
"""
# The network is the lab's alone.
HBA = """
local all,replication all trust
host all,replication all {network} trust
host all,replication all 127.0.0.1/32 trust
host all,replication all ::1/128 trust
"""


class Seeds(seeds.Seeds):
    """The files of a peer's hosts, and the database that they begin with."""

    def __init__(self, lab: str, settings: Settings, peer: "Peer"):
        super().__init__(lab, settings)
        self.peer = peer

    def database(self) -> list[str]:
        conf, hba = self.peer.texts()
        sql = f'CREATE ROLE "{self.settings.role}" LOGIN REPLICATION;\n' + self.peer.SQL
        return [conf, hba, "", sql]

    def setup_files(self, host: Host) -> None:
        for path, text, mode in self.peer.files(host):
            self.write(host, path, text, mode, "postgres")

    def data_from(self, host: Host) -> str:
        return self.base.data if self._has_data(host) else ""

    def data_files(self, host: Host) -> dict[str, str]:
        return {**super().data_files(host), **self.peer.data_files(host)} if self._has_data(host) else {}

    def _has_data(self, host: Host) -> bool:
        return host.kind == "node" and (host is self.peer.first or not self.peer.COPIES)


class Peer:
    """NAME: of the set-up.  PACKAGES and TOOL: what has to be installed, and a program of it.
    RETURNS: the old primary comes back by itself.  COPIES: it makes the standby; else that begins as one
    of ours does, with what is in postgresql.auto.conf.  SETTINGS: what speeds differ in, for the page."""

    NAME = TITLE = TOOL = ""
    PACKAGES: tuple[str, ...] = ()
    CONF = SQL = ""
    RETURNS = True
    COPIES = True
    SETTINGS: dict[str, str] = {}

    def __init__(self, settings: Settings):
        self.settings = settings
        self.fast = settings.setup.endswith(FAST)
        self.first, self.second = settings.nodes()
        self.witness = settings.hosts[WITNESS]

    # ---- for the lab, as of every set-up ----

    def seeds(self, lab: str, settings: Settings) -> Seeds:
        return Seeds(lab, settings, self)

    def install(self, _tree: str) -> None:
        """Nothing of ours is on its hosts, and a lab installs nothing on this machine."""
        if self.TOOL and not os.path.exists(self.TOOL):
            raise LabError(f"{self.TITLE} is not installed", "sudo scripts/install-deps peers", CONFIG)

    def services(self, host: Host) -> list[dict]:
        if host.kind == "client":
            return []
        return [SSHD, *(self.node_services(host) if host.kind == "node" else self.witness_services())]

    def begin(self, nodes: list[Node]) -> None:
        """Makes a cluster of the servers; what is done here is on the hosts' disks for good."""
        self.make(*nodes, Node(nodes[0].lab, self.witness))

    def heal(self, hosts: list[Node]) -> None:
        for host in hosts:
            for service in host.order("pids"):
                host.order(f"start {service}")

    def by_hand(self, _nodes: list[Node], _comes_after_s: float) -> list[str]:
        """Nobody puts its cluster in order: a lab that is not whole again is made anew."""
        return []

    # ---- what differs ----

    def files(self, _host: Host) -> list[tuple[str, str, int]]:
        """(path, text, mode), of the user postgres."""
        return []

    def data_files(self, _host: Host) -> dict[str, str]:
        """What is added to the data directory, beside standby.signal on the second node."""
        return {}

    def node_services(self, _host: Host) -> list[dict]:
        raise NotImplementedError

    def witness_services(self) -> list[dict]:
        return []

    def make(self, first: Node, second: Node, _witness: Node) -> None:
        for node in (first, second):
            self.made(node)

    def switchover(self, _new: str) -> tuple[str, list[str]] | None:
        """(host, command) that makes the standby the primary as planned; None: it has none."""
        return None

    # ---- deeds ----

    def texts(self) -> tuple[str, str]:
        """Lines for postgresql.conf and pg_hba.conf."""
        settings = self.settings
        return (CONF.format(port=settings.port, sockets=settings.socket_dir) + self.CONF,
                HBA.format(network=settings.vip.network))

    def made(self, node: Node, what: str = MADE) -> None:
        """The services that wait for it may start, now and at each boot."""
        with open(node.path(what), "w", encoding="ascii"):
            pass

    def write(self, node: Node, path: str, text: str) -> None:
        """A secret of the user postgres on a running node."""
        run(node.command(["install", "-D", "-o", "postgres", "-g", "postgres", "-m", "600", "/dev/stdin",
                          path]), text=text)

    def own_home(self, *nodes: Node) -> None:
        """Where a peer keeps what it knows, and where it may make a server's directory."""
        for node in nodes:
            run(node.command(["install", "-d", "-o", "postgres", "-g", "postgres", "/var/lib/postgresql",
                              os.path.dirname(self.settings.data_dir)]))

    def inside(self, node: Node, *argv: str) -> str:
        """As the user postgres on the node."""
        return run(node.command([*AS_POSTGRES, *argv]), timeout=PATIENCE_S)

    def wait_primary(self, node: Node) -> None:
        """Until its server accepts writes."""
        self.wait_server(node, "SELECT 1 WHERE NOT pg_is_in_recovery()")

    def wait_server(self, node: Node, question: str = "SELECT 1", database: str = "postgres") -> None:
        """Until its server answers the question with 1."""
        limit = time.monotonic() + PATIENCE_S
        directory = node.path(self.settings.socket_dir)
        # On a node the observers of the lab may come in, on the third host anybody.
        user = "lab" if node.host.kind == "node" else "postgres"
        dsn = socket_dsn(directory, self.settings.port, user, database)
        while ask_once(dsn, question) != [(1,)]:
            if time.monotonic() > limit:
                raise LabError(f"{self.TITLE}: the server of {node.name} is not ready",
                               f"its log is {node.log}")
            time.sleep(0.1)

    def server(self, data_dir: str) -> dict:
        """Started at boot, and after a crash by nobody, as Debian's unit has it.  pg_ctl starts it, so
        that the peer's own commands may stop and start it as well."""
        argv = [*AS_POSTGRES, f"{self.settings.bin_dir}/pg_ctl", "start", "-w", "-D", data_dir,
                "-l", "/dev/null"]
        return {"name": "postgres", "argv": argv, "restart": None, **WAITS}
