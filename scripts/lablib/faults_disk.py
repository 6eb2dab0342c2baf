# SPDX-License-Identifier: PostgreSQL
"""Faults of a host's disk: full (its data, or its state, or both), and slow."""

import contextlib
import os

from . import places, shim
from .errors import LabError, USAGE
from .node import Node
from .nodemounts import STATE_DISK

# On the disk itself, as everything that the host keeps.
FILLERS = {"data": "/root/.lab-filler", "state": f"{STATE_DISK}/.lab-filler"}
SLOWEST_MS = 60000


def disks_of(node: Node, what: str) -> list[str]:
    """Those of its disks that are meant: data, state, or all of them."""
    there = ["data"] if node.host.kind == "witness" else list(FILLERS)
    if what != "all" and what not in there:
        raise LabError(f'fill-disk: {node.name} has no disk "{what}"',
                       f"disks: all {' '.join(there)}", USAGE)
    return there if what == "all" else [what]


def fill(node: Node, what: str) -> None:
    for disk in disks_of(node, what):
        _fill(node.path(FILLERS[disk]))


def _fill(path: str) -> None:
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


def delay_of(text: str) -> int:
    number = text.removesuffix("ms")
    if not number.isdecimal() or int(number) > SLOWEST_MS:
        raise LabError(f'slow-disk: "{text}" is no time up to {SLOWEST_MS} ms',
                       "for example slow-disk n1 200ms", USAGE)
    return int(number)


def _owed(node: Node) -> str:
    return f"{places.lab_dir(node.lab)}/{node.name}.owed"


def heal_at_boot(node: Node) -> None:
    """Of a host that is off nobody can reach the disk."""
    with open(_owed(node), "w", encoding="ascii"):
        pass


def booted(node: Node) -> None:
    """What it had on its disk when it was switched off it still has, unless it was healed since."""
    if os.path.exists(_owed(node)):
        heal(node)
        os.unlink(_owed(node))


def heal(node: Node) -> None:
    for path in FILLERS.values():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(node.path(path))
    shim.heal(node)
