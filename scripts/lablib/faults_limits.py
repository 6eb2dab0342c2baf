# SPDX-License-Identifier: PostgreSQL
"""What a host runs out of: connections of its server, processes, file descriptors."""

import contextlib
import glob
import os
import resource
import signal
import subprocess
import time

from . import places
from .errors import LabError, SYSTEM, USAGE
from .node import Node, Process
from .run import CLEAN_ENV
from .settings import Settings

KINDS = ("connections", "processes", "files")
HOLDER = f"{places.SCRIPTS}/lablib/hold_connections.py"
LOOKS, LOOK_PAUSE_S = 10, 0.03
# Of control groups: a hierarchy for each controller, or the newer one for everything.
TOP = "/sys/fs/cgroup"
CONTROLLERS = ("pids", "cpu")


def exhaust(node: Node, settings: Settings, kind: str) -> None:
    {"connections": lambda: _connections(node, settings), "processes": lambda: _processes(node),
     "files": lambda: _files(node)}[kind]()


def check(node: Node, kind: str) -> None:
    if kind not in KINDS:
        raise LabError(f'exhaust: "{kind}" is none of {", ".join(KINDS)}', code=USAGE)
    if kind == "connections" and node.host.kind != "node":
        raise LabError(f"{node.name} is not a node of the cluster", code=USAGE)
    if kind == "processes":
        _counting_group(node)


def heal(node: Node) -> None:
    for process in node.processes():
        if HOLDER in process.argv:
            process.signal(signal.SIGKILL)
    _files_back(node)
    _processes_back(node)


# ---- connections ----

def _connections(node: Node, settings: Settings) -> None:
    """An application beside the server that opens all it gets, holds them, and takes each one that
    becomes free.  The superuser's are left, as everywhere."""
    directory = settings.socket_dir.replace("/var/run/", "/run/", 1)
    subprocess.Popen(node.command(["/usr/bin/python3", "-B", HOLDER, directory,
                                   str(settings.port)]),
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL, env=CLEAN_ENV, start_new_session=True)


# ---- processes ----

def group(node: Node, controller: str, has: tuple[str, ...]) -> str:
    """The control group of the node's processes, made when it is not there: it has one of these
    files.  Empty: the machine has no such controller."""
    for path in _groups(node, controller):
        with contextlib.suppress(OSError):
            os.makedirs(path, exist_ok=True)
        if found(node, controller, has) == path:
            return path
        with contextlib.suppress(OSError):
            os.rmdir(path)
    return ""


def found(node: Node, controller: str, has: tuple[str, ...]) -> str:
    """The same when it is there already, else empty."""
    return next((path for path in _groups(node, controller)
                 if any(os.path.exists(f"{path}/{file}") for file in has)), "")


def _groups(node: Node, controller: str) -> list[str]:
    name = f"{places.PREFIX}{node.lab}-{node.name}"
    return [f"{TOP}/{controller}/{name}", f"{TOP}/{name}"]


def _counting_group(node: Node) -> str:
    found = group(node, "pids", ("pids.max",))
    if not found:
        raise LabError("this machine has no control group that counts processes", code=SYSTEM)
    return found


def _processes(node: Node) -> None:
    """No further one: the kernel says EAGAIN to every fork, to root's as well."""
    counting = _counting_group(node)
    move_all(node, counting)
    write(f"{counting}/pids.max", "1")


def move_all(node: Node, path: str) -> None:
    """Every process of the node, and so whatever it starts."""
    seen: set[int] = set()
    # Those that were born while the others were moved: until a look finds nobody new.
    while new := [process.pid for process in node.processes() if process.pid not in seen]:
        _move(new, path)
        seen.update(new)


def _processes_back(node: Node) -> None:
    counting = found(node, "pids", ("pids.max",))
    if counting:
        write(f"{counting}/pids.max", "max")


def remove_groups(lab: str) -> None:
    """When its hosts are no more: only an empty group can be removed."""
    for top in (*(f"{TOP}/{controller}" for controller in CONTROLLERS), TOP):
        for path in glob.glob(f"{top}/{places.PREFIX}{lab}-*"):
            with contextlib.suppress(OSError):
                os.rmdir(path)


def _move(pids: list[int], path: str) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):  # it ended meanwhile
            write(f"{path}/cgroup.procs", str(pid))


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


# ---- files ----

def _files(node: Node) -> None:
    """No further descriptor for any process that runs, and few for what it starts.  pid 1 is left
    out: it is the lab's.  One that is open for a moment only would leave its process a place, so
    there is more than one look."""
    for _ in range(LOOKS):
        for process in _services(node):
            with contextlib.suppress(OSError):  # it ended meanwhile
                taken = {int(name) for name in os.listdir(f"/proc/{process.pid}/fd")}
                free = next(number for number in range(len(taken) + 1) if number not in taken)
                soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
                resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (min(free, soft), hard))
        time.sleep(LOOK_PAUSE_S)


def _files_back(node: Node) -> None:
    """Nobody of the host has another limit than what pid 1 gave it."""
    normal = resource.prlimit(node.pid(), resource.RLIMIT_NOFILE)
    for process in _services(node):
        with contextlib.suppress(OSError):
            soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            if soft < normal[0]:
                resource.prlimit(process.pid, resource.RLIMIT_NOFILE,
                                 (min(normal[0], hard), hard))


def _services(node: Node) -> list[Process]:
    return [process for process in node.processes() if process.inner_pid != 1]
