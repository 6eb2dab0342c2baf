# SPDX-License-Identifier: PostgreSQL
"""The node that is the primary when all is over, and the way to ask a node over its own socket."""

import time

from .node import Node
from .pgsession import ask_once, socket_dsn
from .settings import Settings


def socket_of(node: Node, settings: Settings, user: str = "lab") -> str:
    """The way to the server of this boot of the node; LookupError when it is off."""
    identity = node.identity()
    if identity is None:
        raise LookupError(node.name)
    directory = settings.socket_dir.replace("/var/run/", "/run/", 1)
    return socket_dsn(f"/proc/{identity[0]}/root{directory}", settings.port, user)


def primary(nodes: dict[str, Node], settings: Settings) -> str | None:
    """The one node that is a primary; of two, the one with the later history."""
    found = []
    for name, node in nodes.items():
        try:
            rows = ask_once(socket_of(node, settings),
                            "SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN ''"
                            " ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END")
        except LookupError:
            continue
        if rows and not rows[0][0]:
            found.append((rows[0][1], name))
    return max(found)[1] if found else None


def wait_for_primary(nodes: dict[str, Node], settings: Settings, limit_s: float) -> str | None:
    limit = time.monotonic() + limit_s
    while True:
        found = primary(nodes, settings)
        if found or time.monotonic() > limit:
            return found
        time.sleep(0.1)
