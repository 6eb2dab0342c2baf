# SPDX-License-Identifier: PostgreSQL
"""The witness host of kind = postgres: a server of its own, set up by scripts/setup/witness-setup as on a
real host, and the record in it, asked there by its unix socket."""

import os

from . import places
from .errors import LabError, SYSTEM
from .kernel import boot_ms
from .node import Node
from .pgsession import ask_once, kept_session, socket_dsn
from .run import run
from .settings import Settings

SERVICE = "postgres"
SOCKETS = "/run/postgresql"
OUT = "/etc/pg_vrrp/witness"  # where witness-setup puts what the nodes need
START_LIMIT_S = 20.0

RECORD = """
SELECT to_jsonb(r) || jsonb_build_object('sealed', r.seal = pgvrrp.seal_of(r))
FROM pgvrrp.record AS r WHERE r.cluster = %s
"""


def server(bin_dir: str, user: str, data_dir: str) -> dict:
    """As Debian's unit: one that crashed stays down until somebody starts it, or the next boot."""
    return {"name": SERVICE, "restart": None, "stop_signal": "SIGINT",
            "argv": ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                     f"{bin_dir}/postgres", "-D", data_dir]}


def service(settings: Settings) -> dict:
    return server(settings.bin_dir, "postgres", settings.witness_data_dir)


def _dsn(node: Node, settings: Settings, database: str) -> str:
    return socket_dsn(node.path(SOCKETS), settings.witness_port, "postgres", database)


def setup(node: Node, settings: Settings, libexec: str) -> dict[str, str]:
    """Waits for the server, and makes a witness of it.  {path on a node: its text}."""
    limit = boot_ms() + START_LIMIT_S * 1000
    while ask_once(_dsn(node, settings, "postgres"), "SELECT 1", limit_ms=500) is None:
        if boot_ms() > limit:
            raise LabError("the server of the witness does not start", f"its log is {node.log}",
                           SYSTEM)
    run(node.command([f"{libexec}/witness-setup", "-c", settings.ini_path(),
                      "--bin-dir", settings.bin_dir, "--data-dir", settings.witness_data_dir]))
    files = {}
    for name, target in ((f"{settings.witness_role}.pgpass", settings.witness_passfile),
                         ("ca.crt", settings.witness_root)):
        if target:
            with open(node.path(f"{OUT}/{name}"), encoding="utf-8") as file:
                files[target] = file.read()
    return files


def settle(node: Node, settings: Settings) -> None:
    """It has been there for long, as on a real host: a crash has nothing of the set-up to redo."""
    ask(node, settings, "CHECKPOINT", limit_ms=30000)


def ask(node: Node, settings: Settings, sql: str, arguments: tuple = (),
        limit_ms: float = 2000) -> list[tuple]:
    """One question to the witness's database as its superuser; a LabError when it has no answer."""
    if not node.is_on():
        raise LabError("the witness is off", f"scripts/lab fault boot {places.WITNESS}")
    session = kept_session(_dsn(node, settings, settings.witness_database), sql, arguments, limit_ms)
    if session.state == "idle":
        return session.rows
    word = "does not answer" if session.lost else "refuses"
    raise LabError(f"the witness {word}: {session.error}")


def record(node: Node, settings: Settings, limit_ms: float = 2000) -> dict | None:
    """The cluster's row; None when there is none."""
    rows = ask(node, settings, RECORD, (settings.cluster,), limit_ms)
    return rows[0][0] if rows else None


def state(node: Node, settings: Settings, frozen: bool) -> tuple[str, dict | None]:
    """(up, down or silent; the record) for the status of a lab: quick whatever the witness does."""
    if not node.is_on() or not os.path.exists(
            f"{node.path(SOCKETS)}/.s.PGSQL.{settings.witness_port}"):
        return "down", None
    if frozen:
        return "silent", None
    try:
        return "up", record(node, settings, 300)
    except (LabError, OSError) as error:
        return ("silent" if "no answer in" in str(error) else "down"), None
