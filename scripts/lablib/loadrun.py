# SPDX-License-Identifier: PostgreSQL
"""`lab load`: runs the writers for a while, then asks the primary what is there, and reports."""

import contextlib
import json
import os
import signal
import time
import uuid

from . import checker, events, kernel, phases, places, syslog
from .kernel import boot_ms
from .node import Node
from .pgsession import ask_once, drive, socket_dsn
from .settings import Settings
from .vipwatch import AddressWatch, ArpProbe
from .writer import LocalWriter, VipWriter

FINAL_WAIT_S = 10.0


class Load:
    def __init__(self, lab: str, settings: Settings):
        self.lab = lab
        self.settings = settings
        self.run_id = uuid.uuid4().hex[:12]
        self.nodes = {host.name: Node(lab, host) for host in settings.nodes()}
        self.watches: dict[str, tuple[int, AddressWatch]] = {}
        self.addresses: list[list] = []
        self.stopping = False
        # From here on this process is on the client's network; files stay the host's.
        kernel.setns(places.netns_path(lab, places.CLIENT), kernel.CLONE_NEWNET)
        client = settings.hosts[places.CLIENT]
        vip = str(settings.vip.ip)
        self.probe = None
        if settings.vip.version == 4:
            self.probe = ArpProbe(client.interface, client.mac, client.address, vip,
                                  {host.mac: host.name for host in settings.nodes()})
        self.vip = VipWriter(self.run_id, f"host={vip} port={settings.port} user=lab "
                                          "dbname=postgres application_name=lab")
        self.local = {name: LocalWriter(self.run_id, name, self._finder(node))
                      for name, node in self.nodes.items()}

    def _finder(self, node: Node):
        def find() -> str:
            identity = node.identity()
            if identity is None:
                raise LookupError(node.name)
            directory = self.settings.socket_dir.replace("/var/run/", "/run/", 1)
            return socket_dsn(f"/proc/{identity[0]}/root{directory}", self.settings.port, "lab")
        return find

    def _watch(self) -> None:
        """A watch on each node that is on; a node's new boot is a new namespace."""
        for name, node in self.nodes.items():
            identity = node.identity()
            pid = identity[0] if identity else 0
            known, watch = self.watches.get(name, (0, None))
            if pid == known:
                continue
            if watch:
                if watch.here:
                    self.addresses.append([boot_ms(), name, False])
                watch.close()
                del self.watches[name]
            if pid:
                try:
                    self.watches[name] = (pid, AddressWatch(f"/proc/{pid}/ns/net",
                                                            str(self.settings.vip.ip)))
                except OSError:
                    pass  # it went off again; the next look will see

    def run(self, seconds: float, marker: str | None = None) -> dict:
        """marker: a file that appears with the first acknowledgement, for who waits to do harm."""
        begun = boot_ms()
        end = begun + seconds * 1000
        next_watch = 0.0
        while not self.stopping and (now := boot_ms()) < end:
            if now >= next_watch:
                self._watch()
                next_watch = now + 50
            writers = [self.vip, *self.local.values()]
            for writer in writers:
                writer.tick(boot_ms())
            if self.probe:
                self.probe.tick(boot_ms())
            self._wait(writers, min(end, next_watch))
            if marker and checker.acked(self.vip.rows):
                with open(marker, "w", encoding="ascii"):
                    marker = None
        ended = boot_ms()
        for writer in [self.vip, *self.local.values()]:
            writer.close()
        return self._history(begun, ended)

    def _wait(self, writers: list, until: float) -> None:
        now = boot_ms()
        due = min([until, *(writer.due_ms(now) for writer in writers)])
        if self.probe:
            due = min(due, self.probe.next)
        extra = {watch.fileno(): name for name, (_, watch) in self.watches.items()}
        if self.probe:
            extra[self.probe.fileno()] = ""
        sessions = [session for writer in writers for session in writer.sessions()]
        for fd in drive(sessions, due - now, extra):
            if extra[fd]:
                for moment, here in self.watches[extra[fd]][1].read():
                    self.addresses.append([moment, extra[fd], here])
            else:
                self.probe.read()

    def _history(self, begun: float, ended: float) -> dict:
        final, present, local_present = self._present()
        faults = [[event["boot_ms"], event["fault"]] for event in events.read(self.lab)
                  if begun <= event["boot_ms"] <= ended]
        since = faults[0][0] if faults else begun
        lines = [line for name in self.nodes
                 for line in syslog.read(places.log_path(self.lab, name), since)]
        found = phases.find(lines, since)
        ups = [moment for moment, _, here in self.addresses if here and moment > since]
        if ups:
            found["vip"] = ups[0]
        return {
            "run": self.run_id, "begun_ms": begun, "ended_ms": ended,
            "vip": self.vip.rows,
            "local": {name: writer.rows for name, writer in self.local.items()},
            "final": final, "present": present, "local_present": local_present,
            "addresses": self.addresses,
            "probes": self.probe.probes if self.probe else [],
            "faults": faults, "phases": found,
        }

    def _present(self) -> tuple[str | None, list[int] | None, dict | None]:
        """The primary that serves, and the rows that it has."""
        limit = time.monotonic() + FINAL_WAIT_S
        while True:
            final = self._final()
            if final or time.monotonic() > limit:
                break
            time.sleep(0.1)
        if not final:
            return None, None, None
        dsn = self._finder(self.nodes[final])()
        rows = ask_once(dsn, "SELECT n FROM lab.rows WHERE run = %s", (self.run_id,), 10000)
        local = ask_once(dsn, "SELECT node, n FROM lab.local_rows WHERE run = %s",
                         (self.run_id,), 10000)
        if rows is None or local is None:
            return None, None, None
        by_node: dict[str, list[int]] = {name: [] for name in self.nodes}
        for node, n in local:
            by_node[node].append(n)
        return final, sorted(row[0] for row in rows), by_node

    def _final(self) -> str | None:
        """The one node that is a primary; of two, the one with the later history."""
        found = []
        for name in self.nodes:
            try:
                rows = ask_once(self._finder(self.nodes[name])(),
                                "SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN ''"
                                " ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END")
            except LookupError:
                continue
            if rows and not rows[0][0]:
                found.append((rows[0][1], name))
        return max(found)[1] if found else None


def main(lab: str, settings: Settings, seconds: float, path: str | None) -> dict:
    """Runs in a process of its own: it moves to the client's network for good."""
    load = Load(lab, settings)

    def stop(*_: object) -> None:
        load.stopping = True
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    marker = f"{path}.begun" if path else None
    history = load.run(seconds, marker)
    if marker:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(marker)
    report = checker.evaluate(history)
    directory = f"{places.lab_dir(lab)}/load"
    os.makedirs(directory, exist_ok=True)
    with open(f"{directory}/{load.run_id}.json", "w", encoding="utf-8") as file:
        json.dump(history, file)
    if path:
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)
            file.write("\n")
        os.rename(path + ".new", path)
    return report
