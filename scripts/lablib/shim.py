# SPDX-License-Identifier: PostgreSQL
"""The clock and the disk of one host, as its programs see them: a preloaded library
(tests/faults/host_shim.c), and the file that tells it what to do.  A lab has it when it was made
with --shim; it is no part of any other, because it adds a little to each call that it stands for."""

import os
import struct

from . import places
from .errors import LabError
from .node import Node
from .run import run

SOURCE = f"{places.SOURCE}/tests/faults/host_shim.c"
LIBRARY = "/usr/local/lib/pg_vrrp-lab/host_shim.so"
# Mapped by every program of the host, also by those of the server's user.
CONTROL = "/etc/pg_vrrp/lab-shim"
CLOCK_AT, DISK_AT, SIZE = 0, 8, 16


def build(tree: str) -> None:
    """Into the tree that every host of the lab has as its /usr/local."""
    os.makedirs(os.path.dirname(tree + LIBRARY), exist_ok=True)
    run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-o", tree + LIBRARY,
         SOURCE])


def is_in(tree: str) -> bool:
    return os.path.exists(tree + LIBRARY)


def seeds() -> dict[str, str]:
    """The files that a host begins with."""
    return {"/etc/ld.so.preload": LIBRARY + "\n", CONTROL: "\0" * SIZE}


def _set(node: Node, at: int, number: int) -> None:
    try:
        # In place: those that run have it mapped.
        fd = os.open(node.path(CONTROL), os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise LabError("the hosts of this lab have no clock and no slow disk of their own",
                       "scripts/lab up --shim") from error
    try:
        os.pwrite(fd, struct.pack("=q", number), at)
    finally:
        os.close(fd)


def check(node: Node) -> None:
    if not os.path.exists(node.path(CONTROL)):
        _set(node, 0, 0)  # says what is missing


def set_clock(node: Node, shift_s: int) -> None:
    _set(node, CLOCK_AT, shift_s)


def set_disk(node: Node, delay_ms: int) -> None:
    _set(node, DISK_AT, delay_ms * 1000)


def delay_ms(node: Node) -> int:
    """Of its disk, as it is now."""
    with open(node.path(CONTROL), "rb") as file:
        return struct.unpack("=qq", file.read(SIZE))[DISK_AT // 8] // 1000


def heal(node: Node) -> None:
    if os.path.exists(node.path(CONTROL)):
        set_clock(node, 0)
        set_disk(node, 0)
