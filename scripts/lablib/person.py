# SPDX-License-Identifier: PostgreSQL
"""What the person does who looks after keepalived + bash + psql, when the scripts have done what
they do and writes do not work, or nobody follows.  Each deed is written down: it is what the set-up
costs."""

import time
from collections.abc import Callable

from .errors import LabError
from .node import Node
from .run import run
from .settings import Settings
from .status import of_running
from .textbook import SCRIPTS

# A person comes when the scripts have done what they do: VRRP has settled, a server has stopped.
COMES_AFTER_S = 6.0
PATIENCE_S = 10.0
TRIES = 3
# One command, a new copy of a small database included.
COMMAND_S = 60

# Commits that wait for a standby that is gone keep their connections when their clients have gone,
# and the scripts that ask this server, and a new standby, need some too.
END_WAITING = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE wait_event = 'SyncRep'
  AND (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
      > current_setting('max_connections')::int / 2
"""


class Person:
    """Starts what is down, keeps one primary, lets the other node follow it.  Never in doubt, as a
    person under pressure: of two primaries the one that was promoted last is believed."""

    def __init__(self, settings: Settings, nodes: list[Node]):
        self.settings = settings
        self.nodes = nodes
        self.done: list[str] = []

    def begin(self) -> None:
        """Hosts that start together may have given the address to the standby, for good."""
        self._wait(self._in_order)
        self.put_in_order(COMES_AFTER_S)

    def put_in_order(self, comes_after_s: float) -> list[str]:
        """What was done."""
        if not self._in_order():
            time.sleep(comes_after_s)
        self._wake()
        if not self._primaries():
            self._start_servers()
        if not self._primaries():
            self._promote_one()
        primaries = self._primaries()
        if not primaries:
            raise LabError("no server of the set-up can be made to answer as a primary")
        kept = primaries[-1]
        others = [node for node in self.nodes if node is not kept]
        self._end_waiting(kept)
        for node in others:
            self._rejoin(node, kept)
        self._address_to(kept)
        if self.settings.mode == "sync" and others and self._follows(others[0]):
            # promote.sh turned it off.
            self._as_postgres(kept, ["psql", "-Xqc", "ALTER SYSTEM RESET synchronous_standby_names",
                                     "-c", "SELECT pg_reload_conf()"])
        return self.done

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

    def _silent(self) -> list[Node]:
        seen = self._look()
        return [node for node in self.nodes if seen[node.name]["role"] == "unknown"]

    # ---- doing ----

    def _wake(self) -> None:
        """A server that runs and does not answer: it recovers, has no connection left, or hangs."""
        self._wait(lambda: not self._silent())
        for node in self._silent():
            self._end_waiting(node)
        for node in self._silent():
            if self._as_postgres(node, [*self._pg_ctl(), "restart", "-w", "-t", "30", "-m",
                                        "immediate", "-l", "/var/log/postgresql/postgresql.log"]):
                self.done.append(f"server of {node.name} restarted")

    def _end_waiting(self, node: Node) -> None:
        said = self._as_postgres(node, ["psql", "-XAtqc", END_WAITING])
        if said and said.strip() != "0":
            self.done.append(f"waiting commits of {node.name} ended")

    def _start_servers(self) -> None:
        for node in self.nodes:
            if of_running(node, self.settings)["role"] == "down":
                node.order("start postgres")
                self.done.append(f"server of {node.name} started")
        self._wait(lambda: bool(self._primaries()))

    def _promote_one(self) -> None:
        """Two standbys: whichever answers."""
        seen = self._look()
        for node in self.nodes:
            if seen[node.name]["role"] == "standby":
                if self._as_postgres(node, [*self._pg_ctl(), "promote", "-w", "-t", "30"]):
                    self.done.append(f"{node.name} promoted")
                return

    def _rejoin(self, node: Node, kept: Node) -> None:
        """A second time where it does not help: pg_rewind sees no need of itself on a server that
        was stopped while it recovered, but does when that has been started and stopped once more."""
        if self.done and of_running(node, self.settings)["role"] == "standby":
            # It finds a primary that was just started.
            self._wait(lambda: self._follows(node))
        for _ in range(TRIES):
            if not self._follows(node):
                self._as_postgres(node, [f"{SCRIPTS}/rejoin.sh"])
                self.done.append(f"{node.name} rebuilt to follow {kept.name}")
                self._wait(lambda: self._follows(node))

    def _address_to(self, kept: Node) -> None:
        """keepalived started anew where the address should not be, until it is where it should: a
        node whose first check came too early stands aside for a while."""
        for number in range(TRIES):
            if self._has_address(kept):
                return
            for node in self.nodes:
                # The one that should have it is not started anew before the other one was.
                wrong = node is not kept and of_running(node, self.settings)["vip"]
                if wrong or (number > 0 and node is kept):
                    node.order("restart keepalived")
                    self.done.append(f"keepalived of {node.name} restarted")
            self._wait(lambda: self._has_address(kept))

    def _wait(self, condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE_S
        while not condition() and time.monotonic() < limit:
            time.sleep(0.2)

    def _pg_ctl(self) -> list[str]:
        return [f"{self.settings.bin_dir}/pg_ctl", "-D", self.settings.data_dir]

    def _as_postgres(self, node: Node, argv: list[str]) -> str | None:
        """What it printed.  None: it failed, and the person goes on with what comes next."""
        user = self.settings.os_user
        try:
            return run(node.command(
                ["timeout", "-k", "5", str(COMMAND_S), "setpriv", f"--reuid={user}",
                 f"--regid={user}", "--init-groups", *argv]), timeout=COMMAND_S + 10) or "done"
        except LabError:
            return None
