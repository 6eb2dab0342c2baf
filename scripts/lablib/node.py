# SPDX-License-Identifier: PostgreSQL
"""One host of a lab, seen from outside: power, processes, its files, its pid 1."""

import json
import os
import select
import signal
import socket
import time

from . import kernel, machine, places, switch
from .errors import LabError, SYSTEM
from .run import run
from .settings import Host

BOOT_LIMIT_S = 20.0


class Process:
    """A process of a node; pid and start time are those of the host's pid namespace."""

    def __init__(self, pid: int):
        self.pid = pid
        self.started = kernel.started_at(pid)
        self.exe = os.path.basename(os.readlink(f"/proc/{pid}/exe")).removesuffix(" (deleted)")
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            self.argv = file.read().decode("utf-8", "replace").split("\0")[:-1]
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            status = dict(line.split(":", 1) for line in file if ":" in line)
        self.inner_pid = int(status["NSpid"].split()[-1])

    def kind(self) -> str:
        if self.exe == "postgres":
            return "postgres"
        if self.exe == "keepalived":
            return "keepalived"
        if self.exe == "fence_self" and "--watch" in self.argv:
            return "guard"
        if self.exe == "check_primary" and "--watch" in self.argv:
            return "watch"
        if self.exe == "sshd":
            return "sshd"
        return "other"

    def signal(self, number: signal.Signals) -> bool:
        return kernel.kill_exactly(self.pid, self.started, number)


class Node:
    def __init__(self, lab: str, host: Host):
        self.lab = lab
        self.host = host
        self.name = host.name
        self.dir = places.node_dir(lab, host.name)
        # Of a machine its journal has the rest.
        self.log = (f"{self.dir}/console.log" if machine.is_one(self.dir)
                    else places.log_path(lab, host.name))

    # ---- power ----

    def boot_begin(self) -> int:
        """Plugs the host in and starts its pid 1; boot_wait sees the end of it."""
        if machine.is_one(self.dir):
            return machine.boot_begin(self.lab, self.name)
        switch.plug(self.lab, self.host)
        reading, writing = os.pipe()
        middle = os.fork()
        if middle == 0:
            try:
                os.close(reading)
                self._become_init(writing)
            except BaseException as error:  # noqa: B036 - a forked child must never return
                os.write(writing, f"{error}\n".encode())
            os._exit(1)
        os.close(writing)
        os.waitpid(middle, 0)
        return reading

    def _become_init(self, ready: int) -> None:
        os.setsid()
        kernel.setns(places.netns_path(self.lab, self.name), kernel.CLONE_NEWNET)
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWUTS
                       | kernel.CLONE_NEWIPC)
        child = os.fork()
        if child:
            with open(f"{self.dir}/pid.new", "w", encoding="ascii") as file:
                file.write(f"{child} {kernel.started_at(child)}\n")
            os.rename(f"{self.dir}/pid.new", f"{self.dir}/pid")
            os._exit(0)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.set_inheritable(ready, True)
        os.chdir("/")
        os.closerange(3, ready)
        os.closerange(ready + 1, 4096)
        init = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nodeinit.py")
        os.execve("/usr/bin/python3", ["/usr/bin/python3", "-E", "-s", "-S", init,
                                       f"{self.dir}/spec.json", str(ready)],
                  {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                   "PYTHONDONTWRITEBYTECODE": "1"})

    def boot_wait(self, ready: int) -> None:
        limit_s = machine.BOOT_LIMIT_S if machine.is_one(self.dir) else BOOT_LIMIT_S
        limit = time.monotonic() + limit_s
        said = b""
        with open(ready, "rb", buffering=0) as pipe:
            while not said.endswith(b"\n"):
                left = limit - time.monotonic()
                if left <= 0 or not select.select([pipe], [], [], left)[0]:
                    raise LabError(f"{self.name} did not boot within {limit_s:g} s",
                                   f"its log is {self.log}", SYSTEM)
                part = pipe.read(4096)
                if not part:
                    break
                said += part
        if said != b"ready\n":
            raise LabError(f"{self.name} could not boot: {said.decode(errors='replace').strip()}",
                           f"its log is {self.log}", SYSTEM)

    def identity(self) -> tuple[int, int] | None:
        """(pid, start time) of pid 1, or None when the host is off."""
        try:
            with open(f"{self.dir}/pid", encoding="ascii") as file:
                pid, started = (int(word) for word in file.read().split())
        except (OSError, ValueError):
            return None
        return (pid, started) if kernel.alive(pid, started) else None

    def pid(self) -> int:
        identity = self.identity()
        if identity is None:
            raise LabError(f"{self.name} is off", f"scripts/lab fault boot {self.name}")
        return identity[0]

    def has_disk(self) -> bool:
        """Of its own, so that it can be full."""
        return os.path.exists(f"{self.dir}/disk.img")

    def is_on(self) -> bool:
        return self.identity() is not None

    def kill_power(self) -> None:
        """pid 1 dies, and with it at once every process of its pid namespace."""
        machine.hardware_off(self.dir)
        identity = self.identity()
        if identity is not None:
            kernel.kill_exactly(*identity, signal.SIGKILL)
        end_everything_in(places.netns(self.lab, self.name))
        # A killed pid 1 ends when all of its namespace has; only then is the host off.
        limit = time.monotonic() + 5
        while self.is_on() and time.monotonic() < limit:
            time.sleep(0.005)
        machine.wait_off(self.dir)
        switch.unplug(self.lab, self.host)

    # ---- processes ----

    def processes(self) -> list[Process]:
        """Every process of the node, found by its pid namespace, pid 1 first."""
        namespace = os.readlink(f"/proc/{self.pid()}/ns/pid")
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdecimal():
                continue
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == namespace:
                    found.append(Process(int(entry)))
            except (OSError, KeyError, ValueError):
                continue  # it ended meanwhile
        return sorted(found, key=lambda process: process.inner_pid)

    def postmaster(self, data_dir: str) -> Process | None:
        try:
            with open(self.path(data_dir) + "/postmaster.pid", encoding="utf-8") as file:
                inner = int(file.readline())
        except (OSError, ValueError):
            return None
        for process in self.processes():
            if process.inner_pid == inner and process.kind() == "postgres":
                return process
        return None

    # ---- files and orders ----

    def path(self, inside: str) -> str:
        """A file of the node as the host can open it.  /var/run would lead out of the node."""
        if inside.startswith("/var/run/"):
            inside = inside[len("/var"):]
        return f"/proc/{self.pid()}/root{inside}"

    def order(self, words: str) -> dict:
        """Asks the node's pid 1."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            try:
                connection.connect(self.path("/run/lab.sock"))
                connection.sendall(words.encode() + b"\n")
                return json.loads(connection.makefile().readline())
            except (OSError, ValueError) as error:
                raise LabError(f"pid 1 of {self.name} does not answer: {error}",
                               "is the node frozen?", SYSTEM) from error

    def command(self, argv: list[str]) -> list[str]:
        """argv, to be run inside the node."""
        if machine.is_one(self.dir):
            return machine.enter(self.pid(), argv)
        target = str(self.pid())
        return ["nsenter", "--target", target, "--mount", "--uts", "--ipc", "--net", "--pid",
                "--wdns=/", "--"] + argv


def end_everything_in(netns: str) -> None:
    """SIGKILL to every process in a network namespace of ours, until none is left."""
    if not os.path.exists(f"{places.NETNS_DIR}/{netns}"):
        return
    limit = time.monotonic() + 10
    while True:
        pids = [int(word) for word in run(["ip", "netns", "pids", netns], check=False).split()]
        pids = [pid for pid in pids if pid != os.getpid()]
        if not pids:
            return
        if time.monotonic() > limit:
            raise LabError(f"processes {pids} of {netns} cannot be ended", code=SYSTEM)
        for pid in pids:
            try:
                kernel.kill_exactly(pid, kernel.started_at(pid), signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.005)
