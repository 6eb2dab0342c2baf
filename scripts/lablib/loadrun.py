# SPDX-License-Identifier: PostgreSQL
"""`lab load`: runs the writers for a while, then asks the primary what is there, and reports."""

import contextlib
import json
import os
import signal
import uuid
from functools import partial

from . import checker, events, kernel, phases, places, syslog, whoserves
from .kernel import boot_ms
from .node import Node
from .pgsession import ask_once, drive
from .settings import Settings
from .vipwatch import AddressWatches, ArpProbe
from .writer import ROW_PAUSE_MS, LocalWriter, VipWriter

FINAL_WAIT_S = 10.0


class Load:
    def __init__(self, lab: str, settings: Settings, pause_ms: float = ROW_PAUSE_MS):
        self.lab = lab
        self.settings = settings
        self.run_id = uuid.uuid4().hex[:12]
        self.nodes = {host.name: Node(lab, host) for host in settings.nodes()}
        self.watches = AddressWatches(self.nodes, str(settings.vip.ip))
        self.stopping = False
        # From here on this process is on the client's network; files stay the host's.
        kernel.setns(places.netns_path(lab, places.CLIENT), kernel.CLONE_NEWNET)
        client = settings.hosts[places.CLIENT]
        vip = str(settings.vip.ip)
        self.probe = None
        if settings.vip.version == 4 and vip in settings.entries():
            self.probe = ArpProbe(client.interface, client.mac, client.address, vip,
                                  {host.mac: host.name for host in settings.nodes()})
        self.vip = VipWriter(self.run_id, [f"host={address} port={settings.port} user=lab dbname=postgres "
                                           "application_name=lab" for address in settings.entries()], pause_ms)
        self.local = {name: LocalWriter(self.run_id, name,
                                        partial(whoserves.socket_of, node, settings))
                      for name, node in self.nodes.items()}

    def run(self, seconds: float, marker: str | None = None, calm: float | None = None) -> dict:
        """marker: a file that appears with the first acknowledgement, for who waits to do harm.
        calm: the run is over so many seconds after a fault, or after the interruption that it made."""
        begun = boot_ms()
        end = begun + seconds * 1000
        next_watch = 0.0
        while not self.stopping and (now := boot_ms()) < end:
            if now >= next_watch:
                self.watches.look()
                next_watch = now + 50
                if calm is not None and self._calm(begun, calm * 1000, now):
                    break
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

    def _calm(self, begun: float, calm_ms: float, now: float) -> bool:
        """By the lab's list of deeds and by the rows: no host is asked anything."""
        done = [event["boot_ms"] for event in events.read(self.lab) if event["boot_ms"] >= begun]
        return bool(done) and self.vip.steady(done[-1], calm_ms, now)

    def _wait(self, writers: list, until: float) -> None:
        now = boot_ms()
        due = min([until, *(writer.due_ms(now) for writer in writers)])
        if self.probe:
            due = min(due, self.probe.next)
        extra = self.watches.descriptors()
        if self.probe:
            extra[self.probe.fileno()] = ""
        sessions = [session for writer in writers for session in writer.sessions()]
        for fd in drive(sessions, due - now, extra):
            if extra[fd]:
                self.watches.read(extra[fd])
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
        ups = [moment for moment, _, here in self.watches.changes if here and moment > since]
        if ups:
            found["vip"] = ups[0]
        return {
            "run": self.run_id, "begun_ms": begun, "ended_ms": ended,
            "vip": self.vip.rows,
            "local": {name: writer.rows for name, writer in self.local.items()},
            "final": final, "present": present, "local_present": local_present,
            "addresses": self.watches.changes,
            "probes": self.probe.probes if self.probe else [],
            "faults": faults, "phases": found,
        }

    def _present(self) -> tuple[str | None, list[int] | None, dict | None]:
        """The primary that serves, and the rows that it has."""
        final = whoserves.wait_for_primary(self.nodes, self.settings, FINAL_WAIT_S)
        if not final:
            return None, None, None
        dsn = whoserves.socket_of(self.nodes[final], self.settings)
        rows = ask_once(dsn, "SELECT n FROM lab.rows WHERE run = %s", (self.run_id,), 10000)
        local = ask_once(dsn, "SELECT node, n FROM lab.local_rows WHERE run = %s",
                         (self.run_id,), 10000)
        if rows is None or local is None:
            return None, None, None
        by_node: dict[str, list[int]] = {name: [] for name in self.nodes}
        for node, n in local:
            by_node[node].append(n)
        return final, sorted(row[0] for row in rows), by_node


def main(lab: str, settings: Settings, seconds: float, path: str | None,
         calm: float | None = None, pause_ms: float = ROW_PAUSE_MS) -> dict:
    """Runs in a process of its own: it moves to the client's network for good."""
    load = Load(lab, settings, pause_ms)

    def stop(*_: object) -> None:
        load.stopping = True
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    marker = f"{path}.begun" if path else None
    history = load.run(seconds, marker, calm)
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
