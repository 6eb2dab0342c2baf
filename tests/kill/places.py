# SPDX-License-Identifier: PostgreSQL
"""stopat in the place of the helpers of one node, and what it saw there."""

import contextlib
import dataclasses
import errno
import os
import re
import shutil

from lablib.seeds import LIBEXEC

DIRECTORY = "/run/stopat"

# What a call can fail with that a sound program has to expect.  Those not named: EIO.
ERRORS = {
    "openat": ("EMFILE", "EIO"), "Openat": ("ENOSPC", "EMFILE"), "write": ("ENOSPC", "EIO"),
    "pwrite64": ("ENOSPC",), "rename": ("ENOSPC",), "mkdir": ("ENOSPC",), "ftruncate": ("EIO",),
    "read": ("EIO", "EINTR"), "connect": ("ECONNREFUSED", "ENETUNREACH"),
    "sendto": ("ECONNRESET", "ENOBUFS"), "sendmsg": ("ENOBUFS",),
    "recvfrom": ("ECONNRESET", "EINTR"), "recvmsg": ("ENOBUFS", "EINTR"),
    "poll": ("ENOMEM", "EINTR"), "ppoll": ("ENOMEM", "EINTR"), "socket": ("EMFILE",),
    "mmap": ("ENOMEM",), "clone": ("EAGAIN",), "clone3": ("EAGAIN",), "pipe2": ("EMFILE",),
    "pidfd_open": ("EMFILE",), "memfd_create": ("EMFILE",), "signalfd4": ("EMFILE",),
    "fcntl": ("ENOLCK",), "newfstatat": ("EACCES",), "statx": ("EACCES",), "unlink": ("EIO",),
    "wait4": ("EINTR",), "waitid": ("EINTR",), "mlockall": ("ENOMEM",), "prctl": ("EINVAL",),
    "sched_setscheduler": ("EPERM",), "kill": ("EPERM",), "execve": ("ENOMEM",),
    "setsid": ("EPERM",), "getrandom": ("EINTR",), "bind": ("ENOMEM",), "dup2": ("EBUSY",),
    "dup3": ("EBUSY",), "setresuid": ("EAGAIN",), "setresgid": ("EPERM",),
}
CAN_BE_SHORT = ("read", "write", "pread64", "pwrite64", "sendto", "recvfrom")


@dataclasses.dataclass(frozen=True)
class Point:
    """One thing that is done to one call."""
    deed: str
    label: str
    occurrence: int = 1

    def __str__(self) -> str:
        return f"{self.deed} {self.occurrence} {self.label}"


@dataclasses.dataclass
class Run:
    """One traced run of a helper."""
    pid: int
    calls: list[tuple[bool, str]] = dataclasses.field(default_factory=list)
    done: list[str] = dataclasses.field(default_factory=list)
    end: str = ""
    took_ms: int = 0


class Catalogue:
    """Each call of a helper once: label, effect, and how often it came in one run."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[bool, int]] = {}

    def add(self, run: Run) -> None:
        counts: dict[str, int] = {}
        for effect, label in run.calls:
            counts[label] = counts.get(label, 0) + 1
            times = max(counts[label], self.calls.get(label, (effect, 0))[1])
            self.calls[label] = (effect, times)

    def effects(self) -> int:
        return sum(times for effect, times in self.calls.values() if effect)

    def kills(self, depth: int) -> list[Point]:
        """Before and after each effect, and of those that repeat themselves the first ones."""
        return [Point(deed, label, n) for label, (effect, times) in self.calls.items() if effect
                for n in range(1, min(times, depth) + 1) for deed in ("before", "after")]

    def failures(self, depth: int) -> list[Point]:
        points = []
        for label, (_, times) in self.calls.items():
            name = re.split(r"[ (]", label)[0]
            deeds = [f"fail {getattr(errno, error)}" for error in ERRORS.get(name, ("EIO",))]
            if name in CAN_BE_SHORT:
                deeds.append("short")
            for n in range(1, min(times, depth) + 1):
                points += [Point(deed, label, n) for deed in deeds]
        return points


class StandIn:
    """A node whose helpers were replaced by stopat, which runs them."""

    def __init__(self, lab, node: str, stopat: str):
        self.lab = lab
        self.node = node
        self.directory = lab.node(node).path(DIRECTORY)
        hosts = lab.settings.hosts
        peer = next(host.name for host in lab.settings.nodes() if host.name != node)
        self.names = {hosts[node].address: "{self}", hosts[peer].address: "{peer}",
                      hosts["witness"].address: "{witness}"}
        os.makedirs(self.directory, exist_ok=True)
        # In a lab that an earlier test made it is there, and may be running.
        if not os.path.exists(f"{self.directory}/stopat"):
            shutil.copy2(stopat, f"{self.directory}/stopat")

    def stand_in(self, helper: str) -> None:
        place = f"{LIBEXEC}/{helper}"
        command = (f"test -e {DIRECTORY}/{helper} || {{ cp -p {place} {DIRECTORY}/{helper} && "
                   f"mount --bind {DIRECTORY}/stopat {place}; }}")
        done = self.lab.run(self.node, ["sh", "-c", command])
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    # ---- labels are the same on both nodes ----

    def general(self, label: str) -> str:
        for address, name in self.names.items():
            label = re.sub(rf"{re.escape(address)}(?!\d)", name, label)
        return label

    def local(self, label: str) -> str:
        for address, name in self.names.items():
            label = label.replace(name, address)
        return label

    # ---- orders ----

    def order(self, helper: str, point: Point | None, word: str = "-") -> None:
        """None: only to be counted."""
        text = self.local(str(point)) if point else "count"
        path = f"{self.directory}/{helper}.order"
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(f"{word}\n{text}\n")
        os.rename(path + ".new", path)

    def waits(self, helper: str) -> bool:
        """Nobody has come to the call yet."""
        return os.path.exists(f"{self.directory}/{helper}.order")

    def withdraw(self, helper: str) -> bool:
        """True when nobody had come to the call."""
        try:
            os.unlink(f"{self.directory}/{helper}.order")
        except FileNotFoundError:
            return False
        return True

    def forget(self, helper: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.directory}/{helper}.log")

    def runs(self, helper: str) -> list[Run]:
        """What was traced since the log was forgotten."""
        runs: dict[int, Run] = {}
        try:
            with open(f"{self.directory}/{helper}.log", encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return []
        for line in lines:
            number, word, text = line.split("\t", 2)
            run = runs.setdefault(int(number), Run(int(number)))
            if word in ("call", "effect"):
                run.calls.append((word == "effect", self.general(text)))
            elif word == "end":
                *end, took = text.split()
                run.end, run.took_ms = " ".join(end), int(took)
            else:
                run.done.append(f"{word} {self.general(text)}")
        return list(runs.values())
