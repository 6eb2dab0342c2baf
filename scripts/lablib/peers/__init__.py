# SPDX-License-Identifier: PostgreSQL
"""Other managers of failovers, each in the same hosts and networks as ours, to be compared with.

A set-up's name is that of the peer, with "-fast" behind it for the quickest timings that its own manual
permits: `scripts/lab up --setup patroni-fast`.  One file each, one interface (base.Peer).
"""

from ..places import SCRIPTS
from ..run import run
from .autofailover import AutoFailover
from .base import FAST, SSHD, Peer
from .patroni import Patroni
from .plain import Plain
from .repmgr import Repmgr

__all__ = ["FAST", "NAMES", "PEERS", "Peer", "SSHD", "install", "of", "versions"]

PEERS: dict[str, type[Peer]] = {peer.NAME: peer for peer in (Plain, Patroni, AutoFailover, Repmgr)}
NAMES = [name + speed for name, peer in PEERS.items() for speed in ("", FAST)
         if peer is not Plain or not speed]


def of(settings) -> Peer:
    return PEERS[settings.setup.removesuffix(FAST)](settings)


def install() -> None:
    """The packages, when they are missing; no service of them is started on this machine."""
    run([f"{SCRIPTS}/install-deps", "peers"], timeout=900)


def versions() -> dict[str, str]:
    """Of every package that is compared."""
    names = ["postgresql-15", "keepalived", *(name for peer in PEERS.values() for name in peer.PACKAGES)]
    said = run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names], check=False)
    return dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
