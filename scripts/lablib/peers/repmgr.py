# SPDX-License-Identifier: PostgreSQL
"""repmgr with its daemon, and a witness server on the third host."""

from .. import keys
from ..node import Node
from ..places import lab_dir
from ..run import run
from ..settings import Host
from .base import AS_POSTGRES, WAITS, Peer

PATH = "/etc/postgresql/repmgr.conf"
TOOL = "/usr/bin/repmgr"
# The daemons come when every node is known.
REGISTERED = "/root/registered"
FAST = {"monitor_interval_secs": 1, "reconnect_attempts": 2, "reconnect_interval": 1,
        "primary_notification_timeout": 5, "async_query_timeout": 3, "election_rerun_interval": 3}


class Repmgr(Peer):
    NAME, TITLE = "repmgr", "repmgr"
    TOOL = TOOL
    PACKAGES = ("repmgr", "postgresql-15-repmgr")
    CONF = "shared_preload_libraries = 'repmgr'\n"
    SQL = "CREATE ROLE repmgr SUPERUSER LOGIN;\nCREATE DATABASE repmgr OWNER repmgr;\n"
    RETURNS = COPIES = False
    SETTINGS = {"default": "its own; failover=automatic, a witness",
                "fast": " ".join(f"{key}={value}" for key, value in FAST.items())}

    def _conninfo(self, host: Host) -> str:
        return f"host={host.address} port={self.settings.port} user=repmgr dbname=repmgr connect_timeout=2"

    def _id(self, host: Host) -> int:
        return [self.first, self.second, self.witness].index(host) + 1

    def files(self, host: Host) -> list[tuple[str, str, int]]:
        if host.kind == "client":
            return []
        ctl = f"{self.settings.bin_dir}/pg_ctl -D {host.data_dir} -w"
        lines = {
            "node_id": self._id(host), "node_name": host.name, "conninfo": self._conninfo(host),
            "data_directory": host.data_dir, "pg_bindir": self.settings.bin_dir,
            "failover": "automatic", "repmgrd_pid_file": "/run/postgresql/repmgrd.pid",
            "promote_command": f"{TOOL} standby promote -f {PATH}",
            "follow_command": f"{TOOL} standby follow -f {PATH} --upstream-node-id=%n",
            "service_start_command": f"{ctl} -l /dev/null start",
            "service_stop_command": f"{ctl} -m fast stop",
            "service_restart_command": f"{ctl} -l /dev/null -m fast restart",
            "service_promote_command": f"{ctl} promote",
            "ssh_options": "-q -o ConnectTimeout=10 -o StrictHostKeyChecking=no",
            **(FAST if self.fast else {})}
        return [(PATH, "".join(f"{key}='{value}'\n" for key, value in lines.items()), 0o600)]

    def node_services(self, host: Host) -> list[dict]:
        return [self.server(host.data_dir), self._daemon(host)]

    def witness_services(self) -> list[dict]:
        return self.node_services(self.witness)

    def _daemon(self, host: Host) -> dict:
        argv = [*AS_POSTGRES, "/usr/bin/repmgrd", "-f", PATH, "--daemonize=false"]
        return {"name": "repmgrd", "argv": argv, "restart": None, "patience": WAITS["patience"],
                "after": REGISTERED}

    def make(self, first: Node, second: Node, witness: Node) -> None:
        nodes = (first, second, witness)
        self.own_home(*nodes)
        self._let_in_each_other(first, second)
        self._witness_server(witness)
        for node in (first, witness):
            self.made(node)
            self.wait_primary(node)
        self._repmgr(first, "primary", "register")
        self.made(second)
        self.wait_server(second)
        self._repmgr(second, "standby", "register", "--force")
        for line in self.SQL.splitlines():
            self.inside(witness, "psql", "-Xqc", line)
        self._repmgr(witness, "witness", "register", "-h", self.first.address)
        for node in nodes:
            self.made(node, REGISTERED)

    def _repmgr(self, node: Node, *words: str) -> None:
        self.inside(node, TOOL, "-f", PATH, *words)

    def _witness_server(self, witness: Node) -> None:
        """A server of its own, that the nodes and their daemons can reach."""
        data = witness.host.data_dir
        self.inside(witness, f"{self.settings.bin_dir}/initdb", "--auth=trust", "--no-sync", "-D", data)
        conf, hba = self.texts()
        for name, text in (("postgresql.conf", conf), ("pg_hba.conf", hba)):
            with open(witness.path(f"{data}/{name}"), "a", encoding="utf-8") as file:
                file.write(text)

    def _let_in_each_other(self, *nodes: Node) -> None:
        """Its switchover goes to the other node by ssh, as the user postgres."""
        top = f"{lab_dir(nodes[0].lab)}/keys"
        lines = "".join(keys.public(top, node.name) + "\n" for node in nodes)
        for node in nodes:
            with open(f"{top}/{node.name}", encoding="ascii") as file:
                own = file.read()
            for name, text in (("id_ed25519", own), ("authorized_keys", lines)):
                self.write(node, f"/var/lib/postgresql/.ssh/{name}", text)
            # Debian gives the user no password and locks it, and without PAM sshd lets nobody in who is.
            run(node.command(["usermod", "-p", "*", "postgres"]))

    def switchover(self, new: str) -> tuple[str, list[str]]:
        return new, [*AS_POSTGRES, TOOL, "-f", PATH, "standby", "switchover"]
