# SPDX-License-Identifier: PostgreSQL
"""The end of a run: what the primary has, and whether its standby has the same."""

import time

import tables

from lablib import whoserves
from lablib.node import Node
from lablib.pgsession import ask_once
from lablib.settings import Settings

WAIT_S = 30.0
STANDBY_WAIT_S = 15.0
ANSWER_MS = 20000

PRIMARY_LSN = "SELECT pg_current_wal_insert_lsn()::text"
# Has it replayed so far?
STANDBY_THERE = ("SELECT pg_is_in_recovery() AND coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, "
                 "false)")


def ask(nodes: dict[str, Node], settings: Settings, run: str) -> dict | None:
    """A server in the middle of something is asked again.  None: there is no primary."""
    limit = time.monotonic() + WAIT_S
    while True:
        name = whoserves.wait_for_primary(nodes, settings, WAIT_S)
        if name is not None and (has := _rows(nodes[name], settings, run)) is not None:
            return {"node": name, "standby": _compare(nodes, settings, run, name), **has}
        if time.monotonic() > limit:
            return None
        time.sleep(0.2)


def _ask(node: Node, settings: Settings, sql: str, arguments: tuple) -> list[tuple] | None:
    try:
        return ask_once(whoserves.socket_of(node, settings), sql, arguments, ANSWER_MS)
    except LookupError:
        return None


def _rows(node: Node, settings: Settings, run: str) -> dict | None:
    found = {what: _ask(node, settings, sql, (run,)) for what, sql in tables.PRESENT.items()}
    return None if None in found.values() else found


def _compare(nodes: dict[str, Node], settings: Settings, run: str, primary: str) -> bool | None:
    """The transactions that clients left behind may still end, so that a difference counts only
    when it stays."""
    others = [node for name, node in nodes.items() if name != primary]
    result = None
    limit = time.monotonic() + STANDBY_WAIT_S
    while result is not True and time.monotonic() < limit:
        lsn = _ask(nodes[primary], settings, PRIMARY_LSN, ())
        wanted = _ask(nodes[primary], settings, tables.DIGEST, (run,) * tables.DIGEST.count("%s"))
        time.sleep(0.2)
        if lsn and wanted:
            result = _has(others[0], settings, run, lsn[0][0], wanted)
    return result


def _has(node: Node, settings: Settings, run: str, lsn: str, wanted: list[tuple]) -> bool | None:
    there = _ask(node, settings, STANDBY_THERE, (lsn,))
    if not there or not there[0][0]:
        return None
    found = _ask(node, settings, tables.DIGEST, (run,) * tables.DIGEST.count("%s"))
    return None if found is None else found == wanted
