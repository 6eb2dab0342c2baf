# SPDX-License-Identifier: PostgreSQL
"""The lab as Python sees it: what scripts/lab does, and what scenario tests call."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from . import (bmc, faults_hunt, faults_limits, kernel, machine, places, setups, shim, status,
               switch, syslog, witness)
from .errors import LabError
from .faults import Faults
from .inifile import IniFile
from .node import Node, end_everything_in
from .run import CLEAN_ENV, require_root, run
from .seeds import LIBEXEC, Seeds
from .settings import PG_VRRP, Host, Settings, make
from .writer import ROW_PAUSE_MS


# Each look costs a server a question, and there are several labs on a machine of two cores.
LOOK_AGAIN_S = 0.1


class Lab:
    ready_limit_s = 60.0
    row_pause_ms = ROW_PAUSE_MS  # of its loads

    def __init__(self, name: str, settings: Settings):
        self.name = name
        self.settings = settings
        self.dir = places.lab_dir(name)

    # ---- life ----

    @classmethod
    def up(cls, name: str = "main", *, witness: str | None = None, mode: str | None = None,
           sets: list[str] | None = None, config: str | None = None, setup: str = PG_VRRP,
           shimmed: bool = False,
           say: Callable[[str], None] = lambda _: None) -> "Lab":
        """Makes a lab and waits until writes through the VIP work and the standby streams.
        shimmed: its hosts have clocks and disks that can be spoiled."""
        require_root()
        places.check_name(name)
        lab = cls(name, make(config, witness, mode, sets or [], setup))
        lab._up(lambda: lab._make(say, shimmed), say)
        return lab

    def _up(self, deed: Callable[[], None], say: Callable[[str], None]) -> None:
        self._make_or_nothing(deed)
        say("waiting for the first write through the VIP")
        self.wait_ready()

    def _make_or_nothing(self, deed: Callable[[], object]) -> None:
        with _lock(self.name):
            if self.name in places.lab_names():
                raise LabError(f'there is a lab "{self.name}" already',
                               f"scripts/lab down --name {self.name}")
            try:
                deed()
            except BaseException:
                _remove(self.name)
                raise

    @classmethod
    def open(cls, name: str = "main") -> "Lab":
        require_root()
        path = f"{places.lab_dir(places.check_name(name))}/lab.ini"
        try:
            with open(path, encoding="utf-8") as file:
                return cls(name, Settings(IniFile(file.read(), path)))
        except FileNotFoundError as error:
            raise LabError(f'there is no lab "{name}"',
                           f"scripts/lab up --name {name}") from error

    def _make(self, say: Callable[[str], None], shimmed: bool) -> None:
        self._settle()
        say(f"installing {self.settings.setup}")
        setup = setups.of(self.settings)
        seeds = setup.seeds(self.name, self.settings)
        setup.install(seeds.tree)
        if shimmed:
            shim.build(seeds.tree)
        say("preparing the database and the keys")
        seeds.make()
        for host in self.settings.hosts.values():
            self._spec(host, seeds)
        say("switching on: " + " ".join(self.settings.hosts))
        switch.make(self.name, self.settings)
        if bmc.wanted(self.settings):
            bmc.start(self.name, self.settings)
        hosts = list(self.settings.hosts)
        if self.settings.has_record:
            # First, because the nodes need its password and its certificate.
            hosts.remove(places.WITNESS)
            self._boot([places.WITNESS])
            seeds.for_nodes(witness.setup(self.node(places.WITNESS), self.settings, LIBEXEC))
        self._boot(hosts)
        if self.settings.has_record:
            witness.settle(self.node(places.WITNESS), self.settings)
        setup.begin([self.node(host.name) for host in self.settings.nodes()])

    def _settle(self) -> None:
        """Its directory, and what it is."""
        places.settle(self.name)
        os.mkdir(f"{self.dir}/log", mode=0o755)
        with open(f"{self.dir}/lab.ini", "w", encoding="utf-8") as file:
            file.write(self.settings.ini.text())

    def _boot(self, names: list[str]) -> None:
        nodes = [self.node(name) for name in names]
        booting = [(node, node.boot_begin()) for node in nodes]
        for node, ready in booting:
            node.boot_wait(ready)

    def _spec(self, host: Host, seeds: Seeds) -> None:
        """What pid 1 of the host is told."""
        node_dir = places.node_dir(self.name, host.name)
        settings = self.settings
        spec = {
            "node": host.name, "kind": host.kind,
            "image": _image(f"{node_dir}/disk.img", 2 << 30),
            "state_image": _image(f"{node_dir}/state.img", 1 << 30) if host.kind == "node" else "",
            "disk_dir": f"{node_dir}/disk", "tree": seeds.tree,
            "seeds": [f"{node_dir}/seed"], "log": places.log_path(self.name, host.name),
            "os_user": "postgres" if host.kind == "witness" else settings.os_user,
            "data_dir": host.data_dir,
            "run_dir": settings.run_dir,
            "data_from": seeds.data_from(host),
            "data_files": seeds.data_files(host),
            "address": host.address, "prefix": settings.vip.network.prefixlen,
            "interface": host.interface,
            "routes": [other.address for other in settings.hosts.values() if other is not host],
            "listen_ports": [host.listen_port] if host.listen_port else [],
            "services": setups.of(settings).services(host),
        }
        with open(f"{node_dir}/spec.json", "w", encoding="utf-8") as file:
            json.dump(spec, file, indent=1)

    def down(self) -> None:
        remove(self.name)

    # ---- what it is doing ----

    def node(self, name: str) -> Node:
        return Node(self.name, self.settings.host(name))

    def status(self) -> dict:
        return status.of_lab(self.name, self.settings)

    def writable(self) -> bool:
        """Does a write through the VIP, from the client's network, work now?"""
        try:
            with kernel.in_netns(places.netns_path(self.name, places.CLIENT)):
                return status.writes_as_application(self.settings)
        except OSError:
            return False  # there is no such network: the client is off

    def streaming(self) -> bool:
        """One primary with a standby that streams from it."""
        now = self.status()
        primary = now["primary"]
        return bool(primary and now["nodes"][primary].get("streaming")
                    and any(node.get("streaming") for name, node in now["nodes"].items()
                            if name != primary))

    def paired(self) -> bool:
        """The record lets the standby take over; in sync mode it has every commit too."""
        record = self.record()
        return bool(record and record["paired"]
                    and (record["sync"] or self.settings.mode != "sync"))

    def ready(self) -> bool:
        return (self.streaming() and self.writable()
                and (not self.settings.has_record or self.paired()))

    def witness_sql(self, sql: str, arguments: tuple = ()) -> list[tuple]:
        """The witness's answer, asked on that host as the superuser of its server."""
        if not self.settings.has_record:
            raise LabError("the witness of this lab is no server", "scripts/lab up --witness postgres")
        return witness.ask(self.node(places.WITNESS), self.settings, sql, arguments)

    def record(self) -> dict | None:
        """The cluster's row; None when there is none, or when the witness does not answer."""
        if not self.settings.has_record:
            return None
        try:
            return witness.record(self.node(places.WITNESS), self.settings)
        except (LabError, OSError):
            return None

    def wait(self, condition: Callable[[], bool], limit_s: float, what: str, each_s: float = LOOK_AGAIN_S) -> None:
        """Until the condition holds; a LabError that names it when it does not in time.  What passes within a moment
        is looked for more often."""
        limit = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > limit:
                raise LabError(f"{what}: not within {limit_s:g} s",
                               f"scripts/lab status --name {self.name}; "
                               f"scripts/lab logs --name {self.name}")
            time.sleep(each_s)

    def wait_ready(self, limit_s: float | None = None) -> None:
        paired = ", and the record says paired" if self.settings.has_record else ""
        self.wait(self.ready, limit_s or self.ready_limit_s, "writes through the VIP, and a standby that streams" + paired)

    # ---- deeds ----

    def fault(self, *words: str) -> None:
        with _lock(self.name):
            Faults(self.name, self.settings).do(list(words))

    def by_hand(self) -> list[str]:
        """What a person did now, who found the lab as it is: the textbook set-up needs one."""
        with _lock(self.name):
            return Faults(self.name, self.settings).by_hand(0)

    def run(self, node: str, argv: list[str], timeout: float = 60,
            **options) -> subprocess.CompletedProcess:
        """Runs argv inside a host of the lab, output captured as text."""
        return subprocess.run(self.node(node).command(argv), capture_output=True, text=True,
                              timeout=timeout, check=False, env=CLEAN_ENV, **options)

    def exec(self, node: str, argv: list[str]) -> None:
        """Becomes argv inside a host of the lab."""
        command = self.node(node).command(argv)
        os.execvpe(command[0], command, {**CLEAN_ENV, "TERM": os.environ.get("TERM", "dumb")})

    def helper(self, node: str, name: str, *arguments: str) -> subprocess.CompletedProcess:
        return self.run(node, [f"{LIBEXEC}/{name}", "-c", self.settings.ini_path(), *arguments])

    def load_begin(self, seconds: float, calm: float | None = None) -> "LoadRun":
        """calm: it ends by itself when writes have gone on for so many seconds after a fault."""
        return LoadRun(self, seconds, calm)

    def logs(self, node: str | None = None, since_ms: float = 0) -> list[syslog.Line]:
        """With all that was said before this call, by a host that can still write it down."""
        names = [self.settings.host(node).name] if node else list(self.settings.hosts)
        frozen = switch.load(self.name).frozen
        for name in names:
            with contextlib.suppress(LabError):
                if name not in frozen:
                    self.node(name).order("log")
        lines = [line for name in names
                 for line in syslog.read(places.log_path(self.name, name), since_ms)]
        return sorted(lines, key=lambda line: line.boot_ms)


class LoadRun:
    """A load that runs beside whatever comes next."""

    def __init__(self, lab: Lab, seconds: float, calm: float | None = None):
        self.lab = lab
        self.path = f"{lab.dir}/load-{time.monotonic_ns()}.json"
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-B", f"{places.SCRIPTS}/lab", "load", "--name", lab.name,
             "--seconds", str(seconds), "--report", self.path,
             "--pause", str(lab.row_pause_ms),
             *(["--calm", str(calm)] if calm is not None else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # Only then is there something that a fault could interrupt.
        try:
            lab.wait(lambda: os.path.exists(self.path + ".begun") or self.process.poll() is not None,
                     10, "the load's first acknowledged write")
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise

    def stop(self) -> dict:
        """Ends it early."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> dict:
        out, err = self.process.communicate()
        if self.process.returncode not in (0, 3):
            raise LabError(f"the load failed: {err.strip() or out.strip()}")
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def history(self, report: dict) -> dict:
        """All that was written down for its report."""
        with open(f"{self.lab.dir}/load/{report['run']}.json", encoding="utf-8") as file:
            return json.load(file)


def _image(path: str, size: int) -> str:
    """A disk in a file; empty: this machine cannot have one."""
    if not os.path.exists("/dev/loop-control"):
        return ""
    with open(path, "wb") as file:
        file.truncate(size)
    run(["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal",
         "-E", "lazy_itable_init=1,nodiscard", path])
    return path


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """One deed at a time on one lab; load, status, exec and logs do not take it."""
    with open(f"/run/{places.PREFIX}{name}.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove(name: str) -> None:
    """Ends whatever is left of a lab, also of one that was only half made or half removed."""
    with _lock(name):
        _remove(name)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"/run/{places.PREFIX}{name}.lock")


def _remove(name: str) -> None:
    top = places.lab_dir(name)
    faults_hunt.end_all(name)
    for entry in sorted(os.listdir(top)) if os.path.isdir(top) else []:
        # By its pid 1 first: it takes along what entered its other namespaces.
        node = Node(name, Host(entry, "", "", "", "", ""))
        machine.hardware_off(node.dir)
        identity = node.identity()
        if identity:
            kernel.kill_exactly(*identity, signal.SIGKILL)
    for namespace in places.lab_netns(name):
        end_everything_in(namespace)
        run(["ip", "netns", "del", namespace], check=False)
    for entry in os.listdir(top) if os.path.isdir(top) else []:
        machine.wait_off(f"{top}/{entry}")
    faults_limits.remove_groups(name)
    machine.remove_groups(name)
    shutil.rmtree(top, ignore_errors=True)
    if os.path.isdir(top):
        shutil.rmtree(top)
    places.forget(name)


def python_of_debian() -> None:
    if sys.version_info < (3, 11):
        raise LabError("the lab needs Python 3.11 or newer as /usr/bin/python3", code=71)
