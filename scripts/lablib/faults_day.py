# SPDX-License-Identifier: PostgreSQL
"""What people do to a healthy cluster on ordinary days, and how they take it back: a line in a file, a
REVOKE, a setting that a restore left behind, a server restarted past us, a fence by hand.

Each is done by the means of whoever would do it: an editor, psql as the superuser, pg_ctl, our own
programs as docs/operations.md says, and on hosts with a systemd its commands and Debian's."""

import contextlib
import dataclasses
import json
import os
import subprocess
from collections.abc import Callable

from . import places
from .errors import LabError, USAGE
from .node import Node
from .run import CLEAN_ENV
from .seeds import LIBEXEC
from .settings import Settings

COMMAND_S = 30
LINE = "no_such_setting = on  # a slip\n"
REJECT = "host all,replication {role} all reject\n"
# It keeps a snapshot for longer than any round lasts.
REPORT = ("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM lab.rows; SELECT pg_sleep(120)")


class Person:
    def __init__(self, lab: str, settings: Settings):
        self.lab = lab
        self.settings = settings

    def begin(self, node: Node, what: str) -> None:
        KINDS[what].do(self, node)
        if KINDS[what].undo:
            self._write([*self._open(), [node.name, what]])

    def take_back(self) -> list[str]:
        """What could not be taken back now, with the reason: the server that it takes may be down."""
        left = []
        open_ = self._open()
        for name, what in list(open_):
            node = Node(self.lab, self.settings.host(name))
            try:
                KINDS[what].undo(self, node)
                open_.remove([name, what])
            except (LabError, OSError, subprocess.SubprocessError) as error:
                left.append(f"{what} on {name}: {error}")
        self._write(open_)
        return left

    # ---- what is still to be taken back ----

    def _path(self) -> str:
        return f"{places.lab_dir(self.lab)}/days.json"

    def _open(self) -> list[list[str]]:
        with contextlib.suppress(FileNotFoundError), open(self._path(), encoding="ascii") as file:
            return json.load(file)
        return []

    def _write(self, open_: list[list[str]]) -> None:
        with open(self._path(), "w", encoding="ascii") as file:
            json.dump(open_, file)

    # ---- means ----

    def run(self, node: Node, argv: list[str], user: str = "") -> str:
        """What it printed; LabError with the last line when it failed."""
        change = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        command = node.command(["timeout", "-k", "5", str(COMMAND_S), *change, *argv])
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL, timeout=COMMAND_S + 10, env=CLEAN_ENV)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{argv[0]} {argv[-1]}: no end within {COMMAND_S} s") from error
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            raise LabError(f"{argv[0]} {argv[-1]}: exit code {done.returncode}: {said}")
        return done.stdout.strip()

    def sql(self, node: Node, statement: str) -> str:
        return self.run(node, ["psql", "-XAtqc", statement], self.settings.os_user)

    def primary_sql(self, statement: str) -> None:
        """On whichever node is the primary now: a role is the same on both."""
        for host in self.settings.nodes():
            node = Node(self.lab, host)
            with contextlib.suppress(LabError):
                if self.sql(node, "SELECT pg_is_in_recovery()") == "f":
                    self.sql(node, statement)
                    return
        raise LabError("no primary answers")

    def pg_ctl(self, node: Node, *words: str) -> None:
        # A server that it starts keeps what it was given as its output.
        self.run(node, ["/bin/sh", "-c", 'exec "$@" > /dev/null 2>&1', "sh",
                        f"{self.settings.bin_dir}/pg_ctl", "-D", self.settings.data_dir, "-s",
                        "-t", "20", *words], self.settings.os_user)

    def ours(self, node: Node, name: str, *arguments: str) -> None:
        self.run(node, [f"{LIBEXEC}/{name}", "-c", self.settings.ini_path(), *arguments])

    def edit(self, node: Node, name: str, change: Callable[[str], str]) -> None:
        """Beside postgresql.conf; into the same file, as an editor that keeps its owner does."""
        directory = os.path.dirname(self.settings.config_file) or self.settings.data_dir
        path = node.path(f"{directory}/{name}")
        with open(path, "r+", encoding="utf-8") as file:
            text = change(file.read())
            file.seek(0)
            file.truncate()
            file.write(text)

    def reload(self, node: Node) -> None:
        """One that does not run reads its files when it starts."""
        with contextlib.suppress(LabError):
            self.sql(node, "SELECT pg_reload_conf()")


# ---- files ----

def _slip(person: Person, node: Node) -> None:
    person.edit(node, "postgresql.conf", lambda text: text + LINE)
    person.reload(node)


def _slip_mended(person: Person, node: Node) -> None:
    person.edit(node, "postgresql.conf", lambda text: text.replace(LINE, ""))
    person.reload(node)


def _reject(person: Person, node: Node) -> None:
    line = REJECT.format(role=person.settings.role)
    person.edit(node, "pg_hba.conf", lambda text: line + text)
    person.reload(node)


def _let_in(person: Person, node: Node) -> None:
    line = REJECT.format(role=person.settings.role)
    person.edit(node, "pg_hba.conf", lambda text: text.replace(line, ""))
    person.reload(node)


def _signal(name: str) -> Callable[[Person, Node], None]:
    def touch(person: Person, node: Node) -> None:
        if person.sql(node, "SELECT pg_is_in_recovery()") != "f":
            raise LabError(f"{node.name} is no primary")
        person.run(node, ["touch", f"{person.settings.data_dir}/{name}"], person.settings.os_user)
    return touch


def _no_signal(name: str) -> Callable[[Person, Node], None]:
    def remove(person: Person, node: Node) -> None:
        # A standby's own file is not the person's any more.
        path = node.path(f"{person.settings.data_dir}/{name}")
        if os.path.exists(path) and person.sql(node, "SELECT pg_is_in_recovery()") == "f":
            os.unlink(path)
    return remove


# ---- SQL ----

def _role(statement: str) -> Callable[[Person, Node], None]:
    """Not waiting for a standby that perhaps only this lets in, as the message says."""
    def do(person: Person, _node: Node) -> None:
        person.primary_sql("SET synchronous_commit = local; "
                           + statement.format(role=person.settings.role))
    return do


def _setting(name: str, value: str) -> Callable[[Person, Node], None]:
    def do(person: Person, node: Node) -> None:
        person.sql(node, f"ALTER SYSTEM SET {name} = '{value}'")
        person.sql(node, "SELECT pg_reload_conf()")
    return do


def _reset(name: str) -> Callable[[Person, Node], None]:
    def do(person: Person, node: Node) -> None:
        person.sql(node, f"ALTER SYSTEM RESET {name}")
        person.sql(node, "SELECT pg_reload_conf()")
    return do


def _report(person: Person, node: Node) -> None:
    _setting("max_standby_streaming_delay", "-1")(person, node)
    argv = node.command(["setpriv", f"--reuid={person.settings.os_user}",
                         f"--regid={person.settings.os_user}", "--init-groups",
                         "psql", "-XAtqc", REPORT])
    subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL, env=CLEAN_ENV, start_new_session=True)


def _report_ended(person: Person, node: Node) -> None:
    person.sql(node, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                     " WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid()")
    _reset("max_standby_streaming_delay")(person, node)


# ---- servers ----

def _pg_ctl(*words: str) -> Callable[[Person, Node], None]:
    def do(person: Person, node: Node) -> None:
        with contextlib.suppress(LabError):  # the guard was quicker
            person.pg_ctl(node, *words)
    return do


def _typed(command: str) -> Callable[[Person, Node], None]:
    """What comes of it is the table in docs/operations.md: an exit code of 1 is no end of a day."""
    def do(person: Person, node: Node) -> None:
        words = command.format(version=person.settings.version, cluster=person.settings.cluster).split()
        with contextlib.suppress(LabError):
            person.run(node, words)
    return do


def _fence(person: Person, node: Node) -> None:
    person.ours(node, "fence_self", "--reason", "maintenance")


def _rejoin(person: Person, node: Node) -> None:
    person.ours(node, "rejoin")


def _pause(person: Person, node: Node) -> None:
    person.ours(node, "witness_record", "--pause")


def _go_on(person: Person, node: Node) -> None:
    person.ours(node, "witness_record", "--resume")


def _pause_for(person: Person, node: Node) -> None:
    person.ours(node, "pause", "30m", "an ordinary day")


def _resume(person: Person, node: Node) -> None:
    person.ours(node, "resume")


def _planned(*words: str) -> Callable[[Person, Node], None]:
    """Nobody waits for its end, so that a fault meets it at work; killed when the lab goes down."""
    def do(person: Person, node: Node) -> None:
        name, *arguments = words
        argv = node.command(["timeout", "-k", "5", "120", f"{LIBEXEC}/{name}", "-c",
                             person.settings.ini_path(), *arguments])
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, env=CLEAN_ENV, start_new_session=True)
    return do


@dataclasses.dataclass(frozen=True)
class Kind:
    do: Callable[[Person, Node], None]
    undo: Callable[[Person, Node], None] | None = None
    record: bool = False   # only where the witness keeps one
    role: str = "any"      # of the node: "primary", "standby"
    drawn: bool = True     # by the schedules of the fault suite (nemesis.EXCEPTIONS)
    systemd: bool = False  # only on hosts that have one (hosts.py)


KINDS = {
    "slip-in-postgresql.conf": Kind(_slip, _slip_mended),
    "reject-in-pg_hba.conf": Kind(_reject, _let_in),
    "standby.signal": Kind(_signal("standby.signal"), _no_signal("standby.signal"),
                           role="primary"),
    "recovery.signal": Kind(_signal("recovery.signal"), _no_signal("recovery.signal"),
                            role="primary"),
    "account-nologin": Kind(_role("ALTER ROLE {role} NOLOGIN"), _role("ALTER ROLE {role} LOGIN"),
                            role="primary"),
    "account-expired": Kind(_role("ALTER ROLE {role} VALID UNTIL '2001-01-01'"),
                            _role("ALTER ROLE {role} VALID UNTIL 'infinity'"), role="primary"),
    "account-limit": Kind(_role("ALTER ROLE {role} CONNECTION LIMIT 0"),
                          _role("ALTER ROLE {role} CONNECTION LIMIT -1"), role="primary"),
    "account-connect": Kind(_role("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC, {role}"),
                            _role("GRANT CONNECT ON DATABASE postgres TO PUBLIC, {role}"),
                            role="primary"),
    "apply-delay": Kind(_setting("recovery_min_apply_delay", "1h"),
                        _reset("recovery_min_apply_delay"), role="standby"),
    "long-report": Kind(_report, _report_ended, role="standby"),
    "pg_ctl-restart": Kind(_pg_ctl("restart", "-m", "fast")),
    "pg_ctl-stop": Kind(_pg_ctl("stop", "-m", "fast")),
    "pg_ctl-stop-immediate": Kind(_pg_ctl("stop", "-m", "immediate")),
    "pg_ctl-promote": Kind(_pg_ctl("promote"), role="standby", drawn=False),
    "fence": Kind(_fence, _rejoin),
    "pause": Kind(_pause, _go_on, record=True),
    **{f"systemctl-{verb}": Kind(_typed(f"systemctl {verb} postgresql@{{version}}-main"), systemd=True)
       for verb in ("start", "stop", "restart", "reload")},
    **{f"pg_ctlcluster-{verb}": Kind(_typed(f"pg_ctlcluster {{version}} main {verb}"), systemd=True)
       for verb in ("stop", "restart")},
    "systemctl-restart-guard": Kind(_typed("systemctl restart pg_vrrp-guard@{cluster}"), systemd=True),
    "systemctl-restart-keepalived": Kind(_typed("systemctl restart keepalived"), systemd=True),
    "pause-30m": Kind(_pause_for, _resume, role="standby"),
    "switchover": Kind(_planned("switchover", "--wait", "10s"), role="primary"),
    "restart": Kind(_planned("restart")),
}


def check(what: str) -> None:
    if what not in KINDS:
        raise LabError(f'day: "{what}" is none of these', "\n".join(KINDS), USAGE)
