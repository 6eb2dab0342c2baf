# SPDX-License-Identifier: PostgreSQL
"""Faults as verbs.  Each is noted with its time just before it is done, and returns at once."""

import re
import signal

from . import (events, faults_day, faults_disk, faults_hunt, faults_limits, faults_load, person, places,
               setups, shim, switch, witness)
from .errors import LabError, USAGE
from .node import Node, Process
from .settings import Settings

KINDS = ("postgres", "keepalived", "guard", "watch", "sshd", "all")
DAEMONS = ("keepalived", "guard", "sshd")
# Debian names its clusters, and so their processes.
OF_CLIENT = re.compile(r"postgres: (\S+: )?lab ")

HELP = """\
crash NODE                 SIGKILL to the postmaster, the host lives on; also of the witness
power-off HOST             the cable first, so that no FIN leaves, then everything dies
boot HOST                  power on again; its disk is as it was
isolate HOST               no packet to it or from it
cut A B                    no packet between the two
half-cut A B               no packet from A to B
drop N% A B                so many of the packets between the two are lost, both ways
mtu A B BYTES              no longer packet between the two, and nobody is told
freeze HOST [postgres|keepalived|guard|sshd|all]   SIGSTOP; all (default): a paused machine, mute too
thaw HOST                  everything runs again
kill NODE keepalived|guard|sshd            SIGKILL
kill NODE backend          SIGKILL to one server process of a client: the server starts itself anew
hunt NODE PROGRAM [N ms] [kill|freeze]     the next run of a helper, so long after it began
restart witness            its server is restarted
restart NODE keepalived    as systemctl restart does; the guard as well
reload NODE keepalived     SIGHUP
wipe-record                the cluster's row is gone: a witness that was restored empty
fill-disk HOST [data|state|all]            not one free block; all is the default
slow-disk HOST N ms        each fsync takes so much longer (a lab with --shim)
clock HOST SECONDS         its wall clock is set, +3600 or -3600 (a lab with --shim)
exhaust NODE connections|processes|files   there is not one more
busy HOST [N]              so many processes (100) that never sleep, for a minute at the most
slow-server HOST N ms      its server stands still for so long, then runs for a moment, by turns
day NODE WHAT              what a person does on an ordinary day (WHAT: list names all)
day-over                   and takes back, with the documented commands
heal [alone]               all cables whole, all frozen thawed, disks free and quick, clocks right,
                           nothing exhausted, all daemons run; what is off stays off.  alone: and
                           nobody does what the textbook set-up leaves to a person
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
            "thaw": (self.thaw, 1, 1), "kill": (self.kill, 2, 2), "hunt": (self.hunt, 2, 4),
            "fill-disk": (self.fill_disk, 1, 2), "slow-disk": (self.slow_disk, 2, 2),
            "clock": (self.clock, 2, 2), "exhaust": (self.exhaust, 2, 2),
            "busy": (self.busy, 1, 2), "slow-server": (self.slow_server, 2, 2),
            "drop": (self.drop, 3, 3), "mtu": (self.mtu, 3, 3), "restart": (self.restart, 1, 2),
            "reload": (self.reload, 2, 2), "wipe-record": (self.wipe_record, 0, 0),
            "heal": (self.heal, 0, 1), "day": (self.day, 2, 2),
            "day-over": (self.day_over, 0, 0),
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
        if kind not in (*DAEMONS, "watch", "backend"):
            raise LabError(f"kill {name} {kind}: what can be killed is {', '.join(DAEMONS)}"
                           ", watch or backend", code=USAGE)
        victims = [process for process in node.processes() if process.kind() == kind]
        if kind == "backend":
            victims = [process for process in node.processes()
                       if process.kind() == "postgres" and process.argv
                       and OF_CLIENT.match(process.argv[0])][:1]
        if not victims:
            raise LabError(f"there is no {kind} running on {node.name}")
        self.note("kill", node.name, kind)
        # Children first: keepalived's ends in good order, and takes the VIP along, when it sees
        # its parent die.  A SIGKILL is to leave the VIP behind.
        for process in reversed(victims):
            process.signal(signal.SIGKILL)

    def hunt(self, name: str, program: str, delay: str = "0ms", way: str = "kill") -> None:
        node = self.database_node(name)
        delay_ms = faults_hunt.check(program, delay, way)
        node.pid()
        self.note("hunt", node.name, program, f"{delay_ms}ms", way)
        faults_hunt.begin(node, program, delay_ms, way)

    def restart(self, name: str, service: str = "") -> None:
        node = self.server_host(name)
        if node.host.kind == "witness" and not service:
            self.note("restart", node.name)
            setups.restart(self.settings, node, witness.SERVICE)
        elif node.host.kind == "node" and service in DAEMONS:
            self.note("restart", node.name, service)
            setups.restart(self.settings, node, service)
        else:
            raise LabError(f"restart {name} {service}: it is the witness's server or a daemon of a "
                           "node; the server of a node is started by its guard alone",
                           "restart witness, or restart n1 keepalived", USAGE)

    def reload(self, name: str, service: str) -> None:
        node = self.database_node(name)
        if service != "keepalived":
            raise LabError(f"reload {name} {service}: only keepalived is reloaded", code=USAGE)
        main = [process for process in node.processes() if process.kind() == service][:1]
        if not main:
            raise LabError(f"there is no keepalived running on {node.name}")
        self.note("reload", node.name, service)
        _signal_all(main, signal.SIGHUP)

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
        faults_disk.booted(node)

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

    def mtu(self, first: str, second: str, largest: str) -> None:
        if not largest.isdecimal() or not 68 <= int(largest) <= 65535:
            raise LabError(f'mtu: "{largest}" is not a size of packets', "for example mtu n1 n2 1400",
                           USAGE)
        a, b = self._pair(first, second)
        self.note("mtu", a, b, largest)
        def change(cables: switch.Cables) -> None:
            cables.mtu[f"{a} {b}"] = cables.mtu[f"{b} {a}"] = int(largest)
        self.cables(change)

    def _pair(self, first: str, second: str) -> tuple[str, str]:
        a, b = self.settings.host(first).name, self.settings.host(second).name
        if a == b:
            raise LabError(f"there is no cable from {a} to itself", code=USAGE)
        return a, b

    # ---- what a host has ----

    def fill_disk(self, name: str, what: str = "all") -> None:
        node = self.server_host(name)
        if not node.has_disk():
            raise LabError("this host has no loop devices, so a node has no disk of its own to fill")
        faults_disk.disks_of(node, what)
        self.note("fill-disk", node.name, what)
        faults_disk.fill(node, what)

    def slow_disk(self, name: str, delay: str) -> None:
        node = self.server_host(name)
        delay_ms = faults_disk.delay_of(delay)
        shim.check(node)
        self.note("slow-disk", node.name, f"{delay_ms}ms")
        shim.set_disk(node, delay_ms)

    def clock(self, name: str, shift: str) -> None:
        node = self.server_host(name)
        if not shift.lstrip("+-").isdecimal() or abs(int(shift)) > 10 ** 9:
            raise LabError(f'clock: "{shift}" is not a number of seconds', "clock n1 +3600", USAGE)
        shim.check(node)
        self.note("clock", node.name, shift)
        shim.set_clock(node, int(shift))

    def exhaust(self, name: str, kind: str) -> None:
        node = self.host(name)
        faults_limits.check(node, kind)
        node.pid()
        self.note("exhaust", node.name, kind)
        faults_limits.exhaust(node, self.settings, kind)

    def busy(self, name: str, count: str = str(faults_load.HOGS)) -> None:
        node = self.host(name)
        hogs = faults_load.check_hogs(count)
        node.pid()
        self.note("busy", node.name, count)
        faults_load.busy(node, hogs)

    def slow_server(self, name: str, pause: str) -> None:
        node = self.server_host(name)
        pause_ms = faults_load.check_pause(pause)
        node.pid()
        self.note("slow-server", node.name, f"{pause_ms}ms")
        faults_load.slow_server(node, pause_ms)

    # ---- and back ----

    def day(self, name: str, what: str) -> None:
        node = self.database_node(name)
        faults_day.check(what)
        self.note("day", node.name, what)
        faults_day.Person(self.lab, self.settings).begin(node, what)

    def day_over(self) -> None:
        left = faults_day.Person(self.lab, self.settings).take_back()
        if left:
            raise LabError("not taken back yet: " + "; ".join(left))

    def heal(self, how: str = "") -> None:
        """Everything but the power: what was switched off is booted by "boot"."""
        if how not in ("", "alone"):
            raise LabError(f'heal: "{how}" is not "alone"', code=USAGE)
        self.note("heal")
        faults_hunt.end_all(self.lab)
        nodes = [Node(self.lab, host) for host in self.settings.hosts.values()]
        off = [node.name for node in nodes if not node.is_on()]
        def whole(cables: switch.Cables) -> None:
            cables.down = [name for name in cables.down if name in off]
            cables.frozen, cables.cut, cables.loss, cables.mtu = [], [], {}, {}
        self.cables(whole)
        for node in nodes:
            if node.name in off:
                faults_disk.heal_at_boot(node)
                continue
            faults_limits.heal(node)
            faults_load.heal(node)
            _signal_all(node.processes(), signal.SIGCONT)
            faults_disk.heal(node)
        setups.of(self.settings).heal([node for node in nodes if node.name not in off])
        if how != "alone":
            self.by_hand(person.COMES_AFTER_S)

    def by_hand(self, comes_after_s: float) -> list[str]:
        """What a person does after that; no fault, and so no verb."""
        nodes = [Node(self.lab, host) for host in self.settings.nodes()]
        return setups.of(self.settings).by_hand([node for node in nodes if node.is_on()],
                                                comes_after_s)


def _add(things: list, thing) -> None:
    if thing not in things:
        things.append(thing)


def _signal_all(processes: list[Process], number: signal.Signals) -> None:
    for process in processes:
        process.signal(number)
