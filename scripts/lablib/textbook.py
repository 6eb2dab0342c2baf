# SPDX-License-Identifier: PostgreSQL
"""keepalived + bash + psql, as tutorials teach them: the files are in tests/faults/textbook, and this
puts them on the nodes and does what the person does who looks after such a set-up."""

import os
import re
import time
from collections.abc import Callable

from . import places, seeds
from .errors import LabError
from .node import Node
from .run import run
from .settings import Host, Settings
from .status import of_running

SOURCE = f"{places.SOURCE}/tests/faults/textbook"
SCRIPTS = "/etc/keepalived"
# A person comes when the scripts have done what they do: VRRP has settled, a server has stopped.
COMES_AFTER_S = 6.0
PATIENCE_S = 10.0
TRIES = 3


def render(name: str, words: dict[str, str]) -> str:
    with open(f"{SOURCE}/{name}", encoding="utf-8") as file:
        return re.sub(r"@([A-Z_]+)@", lambda found: words[found[1]], file.read())


class Seeds(seeds.Seeds):
    def _words(self) -> dict[str, str]:
        settings = self.settings
        return {"PGPORT": str(settings.port), "SOCKET_DIR": settings.socket_dir,
                "REPLICATOR": settings.role, "NETWORK": str(settings.vip.network),
                "SYNC_NAMES": "*" if settings.mode == "sync" else ""}

    def database(self) -> list[str]:
        words = self._words()
        conf, hba, sql = (render(name, words)
                          for name in ("postgresql.conf", "pg_hba.conf", "role.sql"))
        return [conf, hba, "", sql]

    def setup_files(self, host: Host) -> None:
        if host.kind != "node":
            return
        settings = self.settings
        first, second = settings.nodes()
        words = {
            **self._words(), "NODE": host.name, "PRIORITY": "101" if host is first else "100",
            "INTERFACE": host.interface, "VIP": str(settings.vip),
            "ROUTER_ID": settings.ini.get("cluster", "virtual_router_id", "51"),
            "PGBIN": settings.bin_dir, "PGDATA": settings.data_dir,
            "PEER": second.address if host is first else first.address,
            # The third host stands for the gateway.
            "GATEWAY": settings.hosts[places.WITNESS].address,
        }
        for name in sorted(os.listdir(SOURCE)):
            if name.endswith((".sh", ".env")) or name == "keepalived.conf":
                self.write(host, f"{SCRIPTS}/{name}", render(name, words),
                           0o755 if name.endswith(".sh") else 0o644)


class Operator:
    """Starts what is down, keeps one primary, lets the other node follow it.  Never in doubt, as a
    person under pressure: of two primaries the one that was promoted last is believed."""

    def __init__(self, settings: Settings, nodes: list[Node]):
        self.settings = settings
        self.nodes = nodes

    def begin(self) -> None:
        """Hosts that start together may have given the address to the standby, for good."""
        self._wait(self._in_order)
        self.put_in_order()

    def put_in_order(self) -> None:
        """After up and heal."""
        if not self._in_order():
            time.sleep(COMES_AFTER_S)
        if not self._primaries():
            self._start_servers()
        primaries = self._primaries()
        if not primaries:
            raise LabError("no server of the set-up can be made to answer as a primary")
        kept = primaries[-1]
        others = [node for node in self.nodes if node is not kept]
        for node in others:
            self._rejoin(node)
        self._address_to(kept)
        if self.settings.mode == "sync" and others and self._follows(others[0]):
            # promote.sh turned it off.
            self._as_postgres(kept, ["psql", "-Xqc", "ALTER SYSTEM RESET synchronous_standby_names",
                                     "-c", "SELECT pg_reload_conf()"])

    # ---- looking ----

    def _look(self) -> dict[str, dict]:
        return {node.name: of_running(node, self.settings) for node in self.nodes}

    def _in_order(self) -> bool:
        """A primary with the address, and nothing else to be done."""
        primaries = self._primaries()
        return (len(primaries) == 1 and self._has_address(primaries[0])
                and all(self._follows(node) for node in self.nodes if node is not primaries[0]))

    def _primaries(self) -> list[Node]:
        """The one that was promoted last is last."""
        seen = self._look()
        found = [node for node in self.nodes if seen[node.name]["role"] == "primary"]
        return sorted(found, key=lambda node: seen[node.name]["timeline"])

    def _follows(self, node: Node) -> bool:
        seen = of_running(node, self.settings)
        return seen["role"] == "standby" and bool(seen["streaming"])

    def _has_address(self, kept: Node) -> bool:
        seen = self._look()
        return [name for name in seen if seen[name]["vip"]] == [kept.name]

    # ---- doing ----

    def _start_servers(self) -> None:
        for node in self.nodes:
            node.order("start postgres")
        self._wait(lambda: bool(self._primaries()))

    def _rejoin(self, node: Node) -> None:
        """A second time where it does not help: pg_rewind sees no need of itself on a server that was
        stopped while it recovered, but does when that has been started and stopped once more."""
        for _ in range(TRIES):
            if not self._follows(node):
                self._as_postgres(node, [f"{SCRIPTS}/rejoin.sh"])
                self._wait(lambda: self._follows(node))

    def _address_to(self, kept: Node) -> None:
        """keepalived started anew where the address should not be, until it is where it should: a node
        whose first check came too early stands aside for a while."""
        for _ in range(TRIES):
            for node in self.nodes:
                if node is not kept and of_running(node, self.settings)["vip"]:
                    node.order("restart keepalived")
            self._wait(lambda: self._has_address(kept))

    def _wait(self, condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE_S
        while not condition() and time.monotonic() < limit:
            time.sleep(0.1)

    def _as_postgres(self, node: Node, argv: list[str]) -> None:
        user = self.settings.os_user
        run(node.command(["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *argv]),
            timeout=120)
