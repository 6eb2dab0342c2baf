# SPDX-License-Identifier: PostgreSQL
"""Patroni, with one etcd on the third host."""

import json

from ..node import Node
from ..settings import Host
from .base import AS_POSTGRES, WAITS, Peer

PATH = "/etc/postgresql/patroni.yml"
# The manual's least for loop_wait and retry_timeout, and its least ttl; a primary that crashed is
# replaced instead of being started again first.
TIMINGS = {False: {"ttl": 30, "loop_wait": 10, "retry_timeout": 10},
           True: {"ttl": 20, "loop_wait": 1, "retry_timeout": 3, "primary_start_timeout": 0}}


class Patroni(Peer):
    NAME, TITLE, TOOL = "patroni", "Patroni + etcd", "/usr/bin/patroni"
    PACKAGES = ("patroni", "etcd-server")
    SETTINGS = {speed: " ".join(f"{key}={value}" for key, value in TIMINGS[fast].items())
                for speed, fast in (("default", False), ("fast", True))}

    def files(self, host: Host) -> list[tuple[str, str, int]]:
        if host.kind != "node":
            return []
        settings = self.settings
        # JSON is YAML.
        text = json.dumps({
            "scope": "main", "name": host.name,
            "restapi": {"listen": f"{host.address}:8008", "connect_address": f"{host.address}:8008"},
            "etcd3": {"hosts": f"{self.witness.address}:2379"},
            "postgresql": {
                "listen": f"*:{settings.port}", "connect_address": f"{host.address}:{settings.port}",
                "data_dir": settings.data_dir, "bin_dir": settings.bin_dir,
                "pgpass": "/var/lib/postgresql/patroni.pgpass",
                "authentication": {"superuser": {"username": "postgres"},
                                   "replication": {"username": settings.role},
                                   "rewind": {"username": "postgres"}},
                "parameters": {"unix_socket_directories": settings.socket_dir},
            }}, indent=1)
        return [(PATH, text, 0o600)]

    def data_files(self, host: Host) -> dict[str, str]:
        """It keeps the cluster's settings there, and takes them from there for a cluster that it finds."""
        if host is not self.first:
            return {}
        return {"patroni.dynamic.json": json.dumps({
            **TIMINGS[self.fast], "maximum_lag_on_failover": 1048576,
            "postgresql": {"use_pg_rewind": True, "use_slots": True}})}

    def node_services(self, _host: Host) -> list[dict]:
        return [{"name": "patroni", "argv": [*AS_POSTGRES, self.TOOL, PATH], "restart": None, **WAITS}]

    def witness_services(self) -> list[dict]:
        urls = f"http://{self.witness.address}:2379"
        return [{"name": "etcd", "restart": None, "argv": [
            "/usr/bin/etcd", "--name", "w", "--data-dir", "/var/lib/etcd-of-lab",
            "--listen-client-urls", urls, "--advertise-client-urls", urls,
            "--logger", "zap", "--log-level", "warn"]}]

    def make(self, first: Node, second: Node, _witness: Node) -> None:
        self.own_home(first, second)
        self.made(first)
        self.wait_primary(first)
        self.made(second)

    def switchover(self, new: str) -> tuple[str, list[str]]:
        return new, [*AS_POSTGRES, "/usr/bin/patronictl", "-c", PATH, "switchover", "main",
                     "--candidate", new, "--force"]
