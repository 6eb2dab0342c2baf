# SPDX-License-Identifier: PostgreSQL
"""pg_auto_failover, with its monitor on the third host."""

from ..node import Node
from ..settings import Host
from .base import AS_POSTGRES, WAITS, Peer

TOOL = "/usr/bin/pg_autoctl"
PAIRED = """SELECT 1 WHERE (SELECT count(*) FROM pgautofailover.node
WHERE reportedstate = goalstate AND reportedstate IN ('primary', 'secondary')) = 2"""
# Of the monitor's server, ms; and of each node's keeper, s.
FAST_MONITOR = {"health_check_period": 1000, "health_check_timeout": 1000,
                "health_check_max_retries": 1, "health_check_retry_delay": 500,
                "node_considered_unhealthy_timeout": 3000, "primary_demote_timeout": 5000,
                "startup_grace_period": 2000}
FAST_KEEPER = {"network_partition_timeout": 5, "prepare_promotion_catchup": 5,
               "prepare_promotion_walreceiver": 2}


class AutoFailover(Peer):
    NAME, TITLE = "pg_auto_failover", "pg_auto_failover"
    TOOL = TOOL
    PACKAGES = ("pg-auto-failover-cli", "postgresql-15-auto-failover")
    SETTINGS = {"default": "its own; synchronous while the standby is healthy",
                "fast": " ".join(f"{key}={value}" for key, value
                                 in {**FAST_MONITOR, **FAST_KEEPER}.items())}

    def _autoctl(self, *words: str) -> list[str]:
        return ["/usr/bin/env", f"PATH={self.settings.bin_dir}:/usr/bin:/bin", TOOL, *words]

    def _keeper(self, host: Host) -> dict:
        data = ["--pgdata", host.data_dir]
        return {"name": "pg_autoctl", "argv": [*AS_POSTGRES, *self._autoctl("run", *data)],
                "restart": 1.0, **WAITS}

    def node_services(self, host: Host) -> list[dict]:
        return [self._keeper(host)]

    def witness_services(self) -> list[dict]:
        return [self._keeper(self.witness)]

    def make(self, first: Node, second: Node, witness: Node) -> None:
        data = witness.host.data_dir
        self.own_home(first, second, witness)
        self.inside(witness, *self._autoctl(
            "create", "monitor", "--pgdata", data, "--pgport", str(self.settings.witness_port),
            "--hostname", witness.host.address, "--auth", "trust", "--no-ssl"))
        if self.fast:
            with open(witness.path(f"{data}/postgresql.conf"), "a", encoding="utf-8") as file:
                file.writelines(f"pgautofailover.{key} = {value}\n"
                                for key, value in FAST_MONITOR.items())
        self.made(witness)
        self.wait_primary(witness)
        for node in (first, second):
            self._join(node)
        # Until then a commit may wait for a standby that is still on its way.
        self.wait_server(witness, PAIRED, "pg_auto_failover")

    def _join(self, node: Node) -> None:
        data = ["--pgdata", node.host.data_dir]
        uri = (f"postgres://autoctl_node@{self.witness.address}:{self.settings.witness_port}"
               "/pg_auto_failover?sslmode=prefer")
        self.inside(node, *self._autoctl(
            "create", "postgres", *data, "--pgport", str(self.settings.port), "--name", node.name,
            "--hostname", node.host.address, "--monitor", uri, "--auth", "trust", "--no-ssl"))
        if self.fast:
            for key, value in FAST_KEEPER.items():
                self.inside(node, *self._autoctl("config", "set", *data, f"timeout.{key}", str(value)))
        self.made(node)

    def switchover(self, _new: str) -> tuple[str, list[str]]:
        return self.witness.name, [*AS_POSTGRES, *self._autoctl(
            "perform", "switchover", "--pgdata", self.witness.data_dir)]
