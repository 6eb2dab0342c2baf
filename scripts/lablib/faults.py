# SPDX-License-Identifier: PostgreSQL
"""Faults as verbs.  Each is noted with its time just before it is done, and returns at once."""

import contextlib
import os
import signal

from . import events, places, setups, switch, witness
from .errors import LabError, USAGE
from .node import Node, Process
from .settings import Settings

KINDS = ("postgres", "keepalived", "guard", "all")
FILLER = "/root/.lab-filler"  # on the node's own disk, as everything that the node keeps

HELP = """\
crash NODE                 SIGKILL to the postmaster, the host lives on; also of the witness
power-off HOST             the cable first, so that no FIN leaves, then everything dies
boot HOST                  power on again; its disk is as it was
isolate HOST               no packet to it or from it
cut A B                    no packet between the two
half-cut A B               no packet from A to B
freeze NODE [postgres|keepalived|guard|all]   SIGSTOP; all (default): a paused machine, mute too
thaw NODE                  everything runs again
kill NODE keepalived|guard SIGKILL
restart witness            its server is restarted
wipe-record                the cluster's row is gone: a witness that was restored empty
fill-disk NODE             not one free block on its disk; also of the witness
drop N% A B                so many of the packets between the two are lost, both ways
heal                       all cables whole, all frozen thawed, disks free, all daemons run
"""


class Faults:
    def __init__(self, lab: str, settings: Settings):
        self.lab = lab
        self.settings = settings

    def do(self, words: list[str]) -> None:
        verbs = {
            "crash": (self.crash, 1, 1), "power-off": (self.power_off, 1, 1),
            "boot": (self.boot, 1, 1), "isolate": (self.isolate, 1, 1), "cut": (self.cut, 2, 2),
            "half-cut": (self.half_cut, 2, 2), "freeze": (self.freeze, 1, 2),
            "thaw": (self.thaw, 1, 1), "kill": (self.kill, 2, 2),
            "fill-disk": (self.fill_disk, 1, 1), "drop": (self.drop, 3, 3),
            "restart": (self.restart, 1, 1), "wipe-record": (self.wipe_record, 0, 0),
            "heal": (self.heal, 0, 0),
        }
        verb, *arguments = words or [""]
        if verb not in verbs:
            raise LabError(f'"{verb}" is not a fault', "faults:\n" + HELP, USAGE)
        deed, least, most = verbs[verb]
        if not least <= len(arguments) <= most:
            line = next(line for line in HELP.splitlines() if line.startswith(verb + " "))
            raise LabError(f"{verb}: wrong number of words", line, USAGE)
        deed(*arguments)

    # ---- who ----

    def host(self, name: str) -> Node:
        return Node(self.lab, self.settings.host(name))

    def database_node(self, name: str) -> Node:
        host = self.settings.host(name)
        if host.kind != "node":
            raise LabError(f"{name} is not a node of the cluster", code=USAGE)
        return Node(self.lab, host)

    def server_host(self, name: str) -> Node:
        """A node, or a witness that keeps the record."""
        host = self.settings.host(name)
        if not host.data_dir:
            raise LabError(f"there is no server on {host.name} in this lab", code=USAGE)
        return Node(self.lab, host)

    def note(self, *words: str) -> None:
        events.note(self.lab, list(words))

    def cables(self, change) -> None:
        cables = switch.load(self.lab)
        change(cables)
        switch.apply(self.lab, self.settings, cables)

    # ---- processes ----

    def crash(self, name: str) -> None:
        node = self.server_host(name)
        postmaster = node.postmaster(node.host.data_dir)
        if postmaster is None:
            raise LabError(f"there is no server running on {node.name}")
        self.note("crash", node.name)
        postmaster.signal(signal.SIGKILL)

    def kill(self, name: str, kind: str) -> None:
        node = self.database_node(name)
        if kind not in ("keepalived", "guard"):
            raise LabError(f"kill {name} {kind}: it is keepalived or guard that can be killed",
                           code=USAGE)
        victims = [process for process in node.processes() if process.kind() == kind]
        if not victims:
            raise LabError(f"there is no {kind} running on {node.name}")
        self.note("kill", node.name, kind)
        # Children first: keepalived's ends in good order, and takes the VIP along, when it sees
        # its parent die.  A SIGKILL is to leave the VIP behind.
        for process in reversed(victims):
            process.signal(signal.SIGKILL)

    def restart(self, name: str) -> None:
        node = self.server_host(name)
        if node.host.kind != "witness":
            raise LabError(f"restart {name}: the server of a node is started by its guard alone",
                           "restart witness", USAGE)
        self.note("restart", node.name)
        node.order(f"restart {witness.SERVICE}")

    def wipe_record(self) -> None:
        node = self.server_host(places.WITNESS)
        self.note("wipe-record")
        witness.ask(node, self.settings, "DELETE FROM pgvrrp.record WHERE cluster = %s",
                    (self.settings.cluster,))

    def freeze(self, name: str, kind: str = "all") -> None:
        node = self.host(name)
        if kind not in KINDS:
            raise LabError(f'freeze: "{kind}" is none of {", ".join(KINDS)}', code=USAGE)
        if kind != "all":
            victims = [process for process in node.processes() if process.kind() == kind]
            if not victims:
                raise LabError(f"there is no {kind} running on {node.name}")
            self.note("freeze", node.name, kind)
            _signal_all(victims, signal.SIGSTOP)
            return
        node.pid()  # a host that is off says so before anything is done
        self.note("freeze", node.name, "all")
        self.cables(lambda cables: _add(cables.frozen, node.name))
        # Those that were born while the others stopped: until a look finds nobody new.
        seen: set[tuple[int, int]] = set()
        while new := [process for process in node.processes()
                      if (process.pid, process.started) not in seen]:
            _signal_all(new, signal.SIGSTOP)
            seen.update((process.pid, process.started) for process in new)

    def thaw(self, name: str) -> None:
        node = self.host(name)
        node.pid()
        self.note("thaw", node.name)
        # A machine that goes on has its network at once.
        self._thaw(node)

    def _thaw(self, node: Node) -> None:
        if node.name in switch.load(self.lab).frozen:
            self.cables(lambda cables: cables.frozen.remove(node.name))
        _signal_all(node.processes(), signal.SIGCONT)

    # ---- power ----

    def power_off(self, name: str) -> None:
        node = self.host(name)
        node.pid()
        self.note("power-off", node.name)
        self.cables(lambda cables: _add(cables.down, node.name))
        node.kill_power()

    def boot(self, name: str) -> None:
        node = self.host(name)
        if node.is_on():
            raise LabError(f"{node.name} is on already")
        self.note("boot", node.name)
        switch.unplug(self.lab, node.host)
        def plugged(cables: switch.Cables) -> None:
            cables.down = [host for host in cables.down if host != node.name]
            cables.frozen = [host for host in cables.frozen if host != node.name]
        self.cables(plugged)
        node.boot_wait(node.boot_begin())

    # ---- network ----

    def isolate(self, name: str) -> None:
        host = self.settings.host(name)
        self.note("isolate", host.name)
        self.cables(lambda cables: _add(cables.down, host.name))

    def cut(self, first: str, second: str) -> None:
        a, b = self._pair(first, second)
        self.note("cut", a, b)
        def change(cables: switch.Cables) -> None:
            _add(cables.cut, [a, b])
            _add(cables.cut, [b, a])
        self.cables(change)

    def half_cut(self, source: str, target: str) -> None:
        a, b = self._pair(source, target)
        self.note("half-cut", a, b)
        self.cables(lambda cables: _add(cables.cut, [a, b]))

    def drop(self, percent: str, first: str, second: str) -> None:
        number = percent.removesuffix("%")
        if not number.isdecimal() or not 0 <= int(number) <= 100:
            raise LabError(f'drop: "{percent}" is not a percentage', "for example drop 30% n1 n2",
                           USAGE)
        a, b = self._pair(first, second)
        self.note("drop", f"{number}%", a, b)
        def change(cables: switch.Cables) -> None:
            cables.loss[f"{a} {b}"] = cables.loss[f"{b} {a}"] = int(number)
        self.cables(change)

    def _pair(self, first: str, second: str) -> tuple[str, str]:
        a, b = self.settings.host(first).name, self.settings.host(second).name
        if a == b:
            raise LabError(f"there is no cable from {a} to itself", code=USAGE)
        return a, b

    # ---- disk ----

    def fill_disk(self, name: str) -> None:
        node = self.server_host(name)
        if not os.path.exists(f"{node.dir}/disk.img"):
            raise LabError("this host has no loop devices, so a node has no disk of its own to fill")
        path = node.path(FILLER)
        self.note("fill-disk", node.name)
        # Reserving is quick; writing takes the last blocks that reserving leaves.
        with open(path, "wb", buffering=0) as file:
            step = 1 << 30
            at = 0
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), at, step)
                    at += step
                except OSError:
                    step //= 2

    # ---- and back ----

    def heal(self) -> None:
        """Everything but the power: what was switched off is booted by "boot"."""
        self.note("heal")
        nodes = [Node(self.lab, host) for host in self.settings.hosts.values()]
        off = [node.name for node in nodes if not node.is_on()]
        def whole(cables: switch.Cables) -> None:
            cables.down = [name for name in cables.down if name in off]
            cables.frozen, cables.cut, cables.loss = [], [], {}
        self.cables(whole)
        for node in nodes:
            if node.name in off:
                continue
            _signal_all(node.processes(), signal.SIGCONT)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(node.path(FILLER))
        setups.of(self.settings).heal([node for node in nodes if node.name not in off])


def _add(things: list, thing) -> None:
    if thing not in things:
        things.append(thing)


def _signal_all(processes: list[Process], number: signal.Signals) -> None:
    for process in processes:
        process.signal(number)
